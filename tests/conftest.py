"""For the whole suite."""

from hypothesis import settings

from tests.support.databases import (  # noqa: F401  (fixtures are found by their names here)
    both_databases,
    database_kind,
    database_url,
    fresh_database,
    postgres,
)

# A busy machine is no bug: an example may take as long as it likes.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
