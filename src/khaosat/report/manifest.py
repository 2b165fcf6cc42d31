"""Hashes of what goes into a report and what comes out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_values(values: object) -> str:
    """SHA-256 of plain values, whatever the order of their keys.

    >>> digest_values({"a": 1, "b": 2}) == digest_values({"b": 2, "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_tree(folder: Path) -> str:
    """SHA-256 of all files below a folder, by name and content, caches and hidden files aside; ``""`` without it."""
    if not folder.is_dir():
        return ""
    files = (f for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc")
    names = {f.relative_to(folder).as_posix(): f for f in files}
    return digest_values({name: digest(f) for name, f in names.items() if not name.startswith(".")})
