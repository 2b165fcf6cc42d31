"""Finds reference data that lies beside the checkout; a test that needs it skips with a reason where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(path: str) -> Path:
    """A file of the shared folder (``KHAOSAT_SHARED``, or ``../shared`` beside the checkout)."""
    place = Path(os.environ.get("KHAOSAT_SHARED", ROOT.parent / "shared")) / path
    if not place.exists():
        pytest.skip(f"shared file {path} is not here; set KHAOSAT_SHARED to the folder that holds it")
    return place
