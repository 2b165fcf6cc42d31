"""Verbs on a survey: design-based estimates of what people answered."""

from khaosat.survey.blocks import block_summary
from khaosat.survey.careless_answers import response_quality
from khaosat.survey.change_parts import decompose_change
from khaosat.survey.comment_topics import comments
from khaosat.survey.crosstab import crosstab_test
from khaosat.survey.dissatisfied_groups import where_dissatisfied
from khaosat.survey.driver_model import drivers
from khaosat.survey.factors import factor_structure
from khaosat.survey.importance_map import importance_performance
from khaosat.survey.index import satisfaction_index
from khaosat.survey.item_functioning import dif
from khaosat.survey.league import league_table
from khaosat.survey.means import mean, ratio, total
from khaosat.survey.models import glm
from khaosat.survey.nonresponse import adjust_nonresponse
from khaosat.survey.ordinal_model import ordinal
from khaosat.survey.penalty_contrast import penalty_reward
from khaosat.survey.plan import sample_plan
from khaosat.survey.proportions import proportion
from khaosat.survey.published import published_index
from khaosat.survey.quality import answer_quality
from khaosat.survey.quantiles import quantile
from khaosat.survey.replication import replicates
from khaosat.survey.scale_reliability import reliability
from khaosat.survey.shapley_importance import importance
from khaosat.survey.waves import compare, compare_index
from khaosat.survey.weighting import calibrate, poststratify, rake, trim_weights

__all__ = [
    "adjust_nonresponse",
    "answer_quality",
    "block_summary",
    "calibrate",
    "comments",
    "compare",
    "compare_index",
    "crosstab_test",
    "decompose_change",
    "dif",
    "drivers",
    "factor_structure",
    "glm",
    "importance",
    "importance_performance",
    "league_table",
    "mean",
    "ordinal",
    "penalty_reward",
    "poststratify",
    "proportion",
    "published_index",
    "quantile",
    "rake",
    "ratio",
    "reliability",
    "replicates",
    "response_quality",
    "sample_plan",
    "satisfaction_index",
    "total",
    "trim_weights",
    "where_dissatisfied",
]
