"""Verbs on a survey: design-based estimates of what people answered."""

from khaosat.survey.crosstab import crosstab_test
from khaosat.survey.index import satisfaction_index
from khaosat.survey.means import mean, ratio, total
from khaosat.survey.models import glm
from khaosat.survey.ordinal_model import ordinal
from khaosat.survey.proportions import proportion
from khaosat.survey.quality import answer_quality
from khaosat.survey.quantiles import quantile
from khaosat.survey.replication import replicates
from khaosat.survey.waves import compare, compare_index
from khaosat.survey.weighting import calibrate, poststratify, rake, trim_weights

__all__ = [
    "answer_quality",
    "calibrate",
    "compare",
    "compare_index",
    "crosstab_test",
    "glm",
    "mean",
    "ordinal",
    "poststratify",
    "proportion",
    "quantile",
    "rake",
    "ratio",
    "replicates",
    "satisfaction_index",
    "total",
    "trim_weights",
]
