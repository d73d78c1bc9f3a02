"""For the whole suite."""

from hypothesis import settings

# A busy machine is no bug: an example may take as long as it likes.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
