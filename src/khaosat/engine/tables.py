"""What may be registered in an engine: names that need no quoting, and files that are named one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from khaosat.errors import KhaosatError

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def check_name(name: str) -> None:
    """Refuse a table name that would have to be quoted.

    >>> check_name("Bảng")
    Traceback (most recent call last):
    khaosat.errors.KhaosatError: 'Bảng' is not a table name: lower-case letters, digits and _ only
    """
    if not _NAME.fullmatch(name):
        raise KhaosatError(f"{name!r} is not a table name: lower-case letters, digits and _ only")


def check_paths(name: str, paths: Sequence[str]) -> list[str]:
    """Paths of Parquet files as text; refused if there is none or a single text was given for a list."""
    if isinstance(paths, str) or not paths:
        raise KhaosatError(f"table {name!r} needs a list of at least one Parquet path")
    return [str(path) for path in paths]
