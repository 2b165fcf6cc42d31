"""khaosat: satisfaction surveys and dossier logs of public services, from raw files to a finished report.

``import khaosat as ks``. Nouns hold data and say what its columns are; verbs take a noun and return a :class:`Result`.
Everything is loaded on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "domain.calendar": ("WorkCalendar",),
    "domain.dossiers": ("DossierLog",),
    "domain.period": ("Period",),
    "domain.questionnaire": ("Questionnaire", "load_questionnaire"),
    "domain.survey": ("Design", "Survey"),
    "dossiers": ("backlog", "compare_periods", "late_list", "late_pareto", "late_rates", "on_time"),
    "errors": ("DataError", "DesignError", "FactsError", "KhaosatError", "WorkspaceError"),
    "facts.language": ("language",),
    "io": ("ingest", "read_dossiers", "read_survey"),
    "quality": ("data_quality",),
    "results": ("Result",),
    "survey": ("compare", "compare_index", "mean", "proportion", "ratio", "satisfaction_index", "total"),
    "workspace": ("Workspace",),
}  # fmt: skip
_WHERE = {name: f"khaosat.{module}" for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in ("report", "show"):
        return import_module(f"khaosat.{name}")
    raise AttributeError(f"module 'khaosat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
