"""The error that refuses a whole file."""

from __future__ import annotations

from khaosat.domain.faults import fault, frame
from khaosat.errors import DataError


def refusal(code: str, file: str, *, value: object = "") -> DataError:
    """A DataError about a whole file, with its fault.

    >>> print(refusal("empty_file", "a.csv").faults["fault"].item())
    empty_file
    """
    found = fault(code, file=file, value=value)
    return DataError(str(found["message"]), frame([found]))
