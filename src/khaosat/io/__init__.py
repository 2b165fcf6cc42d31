"""The edge: the only package that opens data files, and the store it writes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from khaosat.io.check import check_files
    from khaosat.io.dossier_files import open_store, read_dossiers
    from khaosat.io.intake import IngestReport, ingest
    from khaosat.io.mapping_files import load_mapping
    from khaosat.io.responses import ingest_responses, open_responses
    from khaosat.io.survey_files import load_responses, read_survey

__all__ = [
    "IngestReport", "check_files", "ingest", "ingest_responses", "load_mapping", "load_responses", "open_responses",
    "open_store", "read_dossiers", "read_survey",
]  # fmt: skip

_HOME = {
    "check": ("check_files",),
    "dossier_files": ("open_store", "read_dossiers"),
    "intake": ("IngestReport", "ingest"),
    "mapping_files": ("load_mapping",),
    "responses": ("ingest_responses", "open_responses"),
    "survey_files": ("load_responses", "read_survey"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"khaosat.io.{module}"), name)
    raise AttributeError(f"module 'khaosat.io' has no attribute {name!r}")
