"""Official scorecards and forms: Quyết định 766, the city's targets, form II.06a, ratings, compliance cost."""

from khaosat.scorecards.banding import band
from khaosat.scorecards.compliance import compliance_cost
from khaosat.scorecards.form import form_06a
from khaosat.scorecards.ranking import rank_766
from khaosat.scorecards.ratings import rate_agencies
from khaosat.scorecards.score import score_766
from khaosat.scorecards.targets import against_targets

__all__ = ["against_targets", "band", "compliance_cost", "form_06a", "rank_766", "rate_agencies", "score_766"]
