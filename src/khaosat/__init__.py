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
        at_risk,
        back_test,
        backlog,
        batching,
        bottleneck_findings,
        bottlenecks,
        clearance,
        compare_periods,
        compare_units,
        consultations,
        deadlines,
        directly_follows,
        dossier_quality,
        durations,
        handovers,
        late_list,
        late_pareto,
        late_rates,
        lateness_drivers,
        nowcast,
        on_time,
        process_map,
        reconcile,
        rework,
        steps_profile,
        supplement_loops,
        surges,
        time_to_result,
        variants,
        what_if,
    )
    from khaosat.dossiers.frames import log_from_frames
    from khaosat.errors import DataError, DesignError, FactsError, KhaosatError, WorkspaceError
    from khaosat.evaluate import policy_effect, satisfaction_and_lateness, unit_panel
    from khaosat.facts.language import language
    from khaosat.io import (
        check_files,
        ingest,
        read_dossiers,
        read_portal_766,
        read_survey,
        write_cost_template,
        write_form_06a,
    )
    from khaosat.quality import data_quality
    from khaosat.results import Result
    from khaosat.scorecards import (
        against_targets,
        apology_duty,
        band,
        compliance_cost,
        form_06a,
        late_causes,
        rank_766,
        rate_agencies,
        score_766,
        slow_units,
    )
    from khaosat.survey import (
        adjust_nonresponse,
        answer_quality,
        block_summary,
        calibrate,
        comments,
        compare,
        compare_index,
        crosstab_test,
        decompose_change,
        dif,
        drivers,
        factor_structure,
        glm,
        importance,
        importance_performance,
        league_table,
        mean,
        ordinal,
        penalty_reward,
        poststratify,
        proportion,
        published_index,
        quantile,
        rake,
        ratio,
        reliability,
        replicates,
        response_quality,
        sample_plan,
        satisfaction_index,
        total,
        trim_weights,
        where_dissatisfied,
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
    "adjust_nonresponse",
    "against_targets",
    "answer_quality",
    "apology_duty",
    "at_risk",
    "back_test",
    "backlog",
    "band",
    "batching",
    "block_summary",
    "bottleneck_findings",
    "bottlenecks",
    "calibrate",
    "check_files",
    "clearance",
    "comments",
    "compare",
    "compare_index",
    "compare_periods",
    "compare_units",
    "compliance_cost",
    "consultations",
    "crosstab_test",
    "data_quality",
    "deadlines",
    "decompose_change",
    "dif",
    "directly_follows",
    "dossier_quality",
    "drivers",
    "durations",
    "factor_structure",
    "form_06a",
    "glm",
    "handovers",
    "importance",
    "importance_performance",
    "ingest",
    "language",
    "late_causes",
    "late_list",
    "late_pareto",
    "late_rates",
    "lateness_drivers",
    "league_table",
    "load_questionnaire",
    "log_from_frames",
    "mean",
    "nowcast",
    "on_time",
    "ordinal",
    "penalty_reward",
    "policy_effect",
    "poststratify",
    "process_map",
    "proportion",
    "published_index",
    "quantile",
    "rake",
    "rank_766",
    "rate_agencies",
    "ratio",
    "read_dossiers",
    "read_portal_766",
    "read_survey",
    "reconcile",
    "reliability",
    "replicates",
    "response_quality",
    "rework",
    "sample_plan",
    "satisfaction_and_lateness",
    "satisfaction_index",
    "score_766",
    "slow_units",
    "steps_profile",
    "supplement_loops",
    "surges",
    "time_to_result",
    "total",
    "trim_weights",
    "unit_panel",
    "variants",
    "what_if",
    "where_dissatisfied",
    "write_cost_template",
    "write_form_06a",
]

_HOME = {
    "domain.calendar": ("WorkCalendar",),
    "domain.dossiers": ("DossierLog",),
    "domain.period": ("Period",),
    "domain.questionnaire": ("Questionnaire", "load_questionnaire"),
    "domain.survey": ("Design", "Survey"),
    "dossiers": (
        "at_risk", "back_test", "backlog", "batching", "bottleneck_findings", "bottlenecks", "clearance",
        "compare_periods", "compare_units", "consultations", "deadlines", "directly_follows", "dossier_quality",
        "durations", "handovers", "late_list", "late_pareto", "late_rates", "lateness_drivers", "nowcast", "on_time",
        "process_map", "reconcile", "rework", "steps_profile", "supplement_loops", "surges", "time_to_result",
        "variants", "what_if",
    ),
    "dossiers.frames": ("log_from_frames",),
    "errors": ("DataError", "DesignError", "FactsError", "KhaosatError", "WorkspaceError"),
    "evaluate": ("policy_effect", "satisfaction_and_lateness", "unit_panel"),
    "facts.language": ("language",),
    "io": (
        "check_files", "ingest", "read_dossiers", "read_portal_766", "read_survey", "write_cost_template",
        "write_form_06a",
    ),
    "quality": ("data_quality",),
    "results": ("Result",),
    "scorecards": (
        "against_targets", "apology_duty", "band", "compliance_cost", "form_06a", "late_causes", "rank_766",
        "rate_agencies", "score_766", "slow_units",
    ),
    "survey": (
        "adjust_nonresponse", "answer_quality", "block_summary", "calibrate", "comments", "compare", "compare_index",
        "crosstab_test", "decompose_change", "dif", "drivers", "factor_structure", "glm", "importance",
        "importance_performance", "league_table", "mean", "ordinal", "penalty_reward", "poststratify", "proportion",
        "published_index", "quantile", "rake", "ratio", "reliability", "replicates", "response_quality", "sample_plan",
        "satisfaction_index", "total", "trim_weights", "where_dissatisfied",
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
