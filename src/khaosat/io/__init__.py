"""The edge: the only package that opens data files, and the store it writes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from khaosat.io.check import check_files
    from khaosat.io.cost_file import read_cost_sheet, write_cost_template
    from khaosat.io.dossier_files import open_store, read_dossiers
    from khaosat.io.form_06a_file import write_form_06a
    from khaosat.io.intake import IngestReport, ingest
    from khaosat.io.mapping_files import load_mapping
    from khaosat.io.portal_766 import read_portal_766
    from khaosat.io.responses import ingest_responses, open_responses
    from khaosat.io.survey_files import load_responses, read_survey

__all__ = [
    "IngestReport", "check_files", "ingest", "ingest_responses", "load_mapping", "load_responses", "open_responses",
    "open_store", "read_cost_sheet", "read_dossiers", "read_portal_766", "read_survey", "write_cost_template",
    "write_form_06a",
]  # fmt: skip

_HOME = {
    "check": ("check_files",),
    "cost_file": ("read_cost_sheet", "write_cost_template"),
    "dossier_files": ("open_store", "read_dossiers"),
    "form_06a_file": ("write_form_06a",),
    "intake": ("IngestReport", "ingest"),
    "mapping_files": ("load_mapping",),
    "portal_766": ("read_portal_766",),
    "responses": ("ingest_responses", "open_responses"),
    "survey_files": ("load_responses", "read_survey"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"khaosat.io.{module}"), name)
    raise AttributeError(f"module 'khaosat.io' has no attribute {name!r}")
