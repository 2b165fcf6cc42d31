"""Verbs on a DossierLog: how many dossiers are late, where, since when, and whether the records can be trusted."""

from khaosat.dossiers.change import compare_periods
from khaosat.dossiers.late import late_list, late_pareto
from khaosat.dossiers.lateness import late_rates, on_time
from khaosat.dossiers.quality import dossier_quality
from khaosat.dossiers.stock import backlog

__all__ = ["backlog", "compare_periods", "dossier_quality", "late_list", "late_pareto", "late_rates", "on_time"]
