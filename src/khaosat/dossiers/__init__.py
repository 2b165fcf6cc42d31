"""Verbs on a DossierLog: how many dossiers are late, where, since when, and whether the records can be trusted."""

from khaosat.dossiers.all_rates import late_rates
from khaosat.dossiers.arrivals import surges
from khaosat.dossiers.attribution import bottlenecks
from khaosat.dossiers.batches import batching
from khaosat.dossiers.causes import lateness_drivers
from khaosat.dossiers.change import compare_periods
from khaosat.dossiers.clearing import clearance
from khaosat.dossiers.due_dates import deadlines
from khaosat.dossiers.follows import directly_follows
from khaosat.dossiers.hands import handovers
from khaosat.dossiers.late import late_list, late_pareto
from khaosat.dossiers.lateness import on_time
from khaosat.dossiers.loops import supplement_loops
from khaosat.dossiers.opinions import consultations
from khaosat.dossiers.outlook import nowcast
from khaosat.dossiers.paths import durations, variants
from khaosat.dossiers.priorities import bottleneck_findings
from khaosat.dossiers.process_graph import process_map
from khaosat.dossiers.quality import dossier_quality
from khaosat.dossiers.reconciliation import reconcile
from khaosat.dossiers.repeats import rework
from khaosat.dossiers.risk import at_risk, back_test
from khaosat.dossiers.scenario_effects import what_if
from khaosat.dossiers.step_times import steps_profile
from khaosat.dossiers.stock import backlog
from khaosat.dossiers.unit_comparison import compare_units
from khaosat.dossiers.waits import time_to_result

__all__ = [
    "at_risk",
    "back_test",
    "backlog",
    "batching",
    "bottleneck_findings",
    "bottlenecks",
    "clearance",
    "compare_periods",
    "compare_units",
    "consultations",
    "deadlines",
    "directly_follows",
    "dossier_quality",
    "durations",
    "handovers",
    "late_list",
    "late_pareto",
    "late_rates",
    "lateness_drivers",
    "nowcast",
    "on_time",
    "process_map",
    "reconcile",
    "rework",
    "steps_profile",
    "supplement_loops",
    "surges",
    "time_to_result",
    "variants",
    "what_if",
]
