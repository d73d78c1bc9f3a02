"""For the whole suite."""

import os

from hypothesis import settings

from avatar_engine.device import has_nvidia_driver
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

# Triton decides when it is first imported, by torch at times, who runs its kernels.
if not has_nvidia_driver():
    os.environ.setdefault("TRITON_INTERPRET", "1")
