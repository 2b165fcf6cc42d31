"""Verbs on a survey: design-based estimates of what people answered."""

from khaosat.survey.index import satisfaction_index
from khaosat.survey.means import mean, ratio, total
from khaosat.survey.proportions import proportion
from khaosat.survey.quality import answer_quality
from khaosat.survey.waves import compare, compare_index

__all__ = ["answer_quality", "compare", "compare_index", "mean", "proportion", "ratio", "satisfaction_index", "total"]
