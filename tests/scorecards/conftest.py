"""The public permit log, as the tests of the dossier verbs read it."""

from tests.dossiers.conftest import receipt

__all__ = ["receipt"]
