"""khaosat: satisfaction surveys and dossier logs of public services, from raw files to a finished report.

``import khaosat as ks``. Nouns hold data and say what its columns are; verbs take a noun and return a :class:`Result`.
Everything is loaded on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from khaosat.domain.calendar import WorkCalendar
    from khaosat.domain.dossiers import DossierLog
    from khaosat.domain.period import Period
    from khaosat.domain.questionnaire import Questionnaire, load_questionnaire
    from khaosat.domain.survey import Design, Survey
    from khaosat.dossiers import (
        backlog,
        compare_periods,
        dossier_quality,
        late_list,
        late_pareto,
        late_rates,
        on_time,
    )
    from khaosat.dossiers.frames import log_from_frames
    from khaosat.errors import DataError, DesignError, FactsError, KhaosatError, WorkspaceError
    from khaosat.facts.language import language
    from khaosat.io import check_files, ingest, read_dossiers, read_survey
    from khaosat.quality import data_quality
    from khaosat.results import Result
    from khaosat.survey import (
        answer_quality,
        calibrate,
        compare,
        compare_index,
        crosstab_test,
        glm,
        mean,
        ordinal,
        poststratify,
        proportion,
        quantile,
        rake,
        ratio,
        replicates,
        satisfaction_index,
        total,
        trim_weights,
    )
    from khaosat.workspace import Workspace

__all__ = [
    "DataError",
    "Design",
    "DesignError",
    "DossierLog",
    "FactsError",
    "KhaosatError",
    "Period",
    "Questionnaire",
    "Result",
    "Survey",
    "WorkCalendar",
    "Workspace",
    "WorkspaceError",
    "answer_quality",
    "backlog",
    "calibrate",
    "check_files",
    "compare",
    "compare_index",
    "compare_periods",
    "crosstab_test",
    "data_quality",
    "dossier_quality",
    "glm",
    "ingest",
    "language",
    "late_list",
    "late_pareto",
    "late_rates",
    "load_questionnaire",
    "log_from_frames",
    "mean",
    "on_time",
    "ordinal",
    "poststratify",
    "proportion",
    "quantile",
    "rake",
    "ratio",
    "read_dossiers",
    "read_survey",
    "replicates",
    "satisfaction_index",
    "total",
    "trim_weights",
]

_HOME = {
    "domain.calendar": ("WorkCalendar",),
    "domain.dossiers": ("DossierLog",),
    "domain.period": ("Period",),
    "domain.questionnaire": ("Questionnaire", "load_questionnaire"),
    "domain.survey": ("Design", "Survey"),
    "dossiers": (
        "backlog", "compare_periods", "dossier_quality", "late_list", "late_pareto", "late_rates", "on_time",
    ),
    "dossiers.frames": ("log_from_frames",),
    "errors": ("DataError", "DesignError", "FactsError", "KhaosatError", "WorkspaceError"),
    "facts.language": ("language",),
    "io": ("check_files", "ingest", "read_dossiers", "read_survey"),
    "quality": ("data_quality",),
    "results": ("Result",),
    "survey": (
        "answer_quality", "calibrate", "compare", "compare_index", "crosstab_test", "glm", "mean", "ordinal",
        "poststratify", "proportion", "quantile", "rake", "ratio", "replicates", "satisfaction_index", "total",
        "trim_weights",
    ),
    "workspace": ("Workspace",),
}  # fmt: skip
_WHERE = {name: f"khaosat.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in ("report", "show"):
        return import_module(f"khaosat.{name}")
    raise AttributeError(f"module 'khaosat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "report", "show"]
