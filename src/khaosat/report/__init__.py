"""From a notebook to a finished report; the only caller of papermill and of the renderers.

A report notebook calls these, one a cell: :func:`gather`, then the sections.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from khaosat.report.bottleneck_section import bottlenecks, process, remedies
    from khaosat.report.driver_section import dissatisfaction
    from khaosat.report.fan_out import build_each
    from khaosat.report.headline import summary
    from khaosat.report.index_section import satisfaction
    from khaosat.report.lateness import by_group, open_dossiers, procedures, punctuality
    from khaosat.report.method_box import method, quality
    from khaosat.report.quarter import Quarter, gather
    from khaosat.report.risk_section import causes, compared_units, durations, endangered, scenarios, trust
    from khaosat.report.runner import Outcome, ReportFailed, build
    from khaosat.report.scorecard_section import (
        apologies,
        form_06a,
        late_dossiers,
        late_reasons,
        scorecard,
        slow,
        targets,
    )
    from khaosat.report.unit_section import (
        UnitSheet,
        unit_actions,
        unit_dossiers,
        unit_method,
        unit_sheet,
        unit_summary,
    )
    from khaosat.report.wave_section import care, gatherings, league, measurement

__all__ = [
    "Outcome", "Quarter", "ReportFailed", "UnitSheet", "apologies", "bottlenecks", "build", "build_each", "by_group",
    "care", "causes", "compared_units", "dissatisfaction", "durations", "endangered", "form_06a", "gather",
    "gatherings", "late_dossiers", "late_reasons", "league", "measurement", "method", "open_dossiers", "procedures",
    "process", "punctuality", "quality", "remedies", "satisfaction", "scenarios", "scorecard", "slow", "summary",
    "targets", "trust", "unit_actions", "unit_dossiers", "unit_method", "unit_sheet", "unit_summary",
]  # fmt: skip

# No module has the name of a function: importing it would put the module in the function's place.
_HOME = {
    "bottleneck_section": ("bottlenecks", "process", "remedies"),
    "driver_section": ("dissatisfaction",),
    "fan_out": ("build_each",),
    "headline": ("summary",),
    "index_section": ("satisfaction",),
    "lateness": ("by_group", "open_dossiers", "procedures", "punctuality"),
    "method_box": ("method", "quality"),
    "quarter": ("Quarter", "gather"),
    "risk_section": ("causes", "compared_units", "durations", "endangered", "scenarios", "trust"),
    "runner": ("Outcome", "ReportFailed", "build"),
    "scorecard_section": (
        "apologies", "form_06a", "late_dossiers", "late_reasons", "scorecard", "slow", "targets",
    ),
    "unit_section": ("UnitSheet", "unit_actions", "unit_dossiers", "unit_method", "unit_sheet", "unit_summary"),
    "wave_section": ("care", "gatherings", "league", "measurement"),
}  # fmt: skip
_WHERE = {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
