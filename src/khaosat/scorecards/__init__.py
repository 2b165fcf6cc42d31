"""Official scorecards, forms and duties: Quyết định 766, targets, form II.06a, ratings, apologies, slow units."""

from khaosat.scorecards.apologies import apology_duty
from khaosat.scorecards.banding import band
from khaosat.scorecards.compliance import compliance_cost
from khaosat.scorecards.form import form_06a
from khaosat.scorecards.late_reasons import late_causes
from khaosat.scorecards.ranking import rank_766
from khaosat.scorecards.ratings import rate_agencies
from khaosat.scorecards.score import score_766
from khaosat.scorecards.slow import slow_units
from khaosat.scorecards.targets import against_targets

__all__ = [
    "against_targets", "apology_duty", "band", "compliance_cost", "form_06a", "late_causes", "rank_766",
    "rate_agencies", "score_766", "slow_units",
]  # fmt: skip
