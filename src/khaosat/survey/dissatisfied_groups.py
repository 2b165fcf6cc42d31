"""Where dissatisfaction concentrates: groups found on one half of the sample and measured on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.intervals import check_level
from khaosat.survey.answers import Level, level_answers
from khaosat.survey.group_trial import Trial
from khaosat.survey.means import variable_words
from khaosat.survey.result import SurveyResult
from khaosat.survey.rule_features import features_of
from khaosat.survey.whole_satisfaction import whole_satisfaction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = NDArray[np.bool_]

_ALIKE = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class DissatisfiedGroups(SurveyResult):
    """Groups more dissatisfied than everybody else; no rows if none was found.

    ``rows``: ``rule`` (words), ``condition`` (for ``where``), then ``estimate`` (share not satisfied), ``se, low, high,
    df, n, n_missing, shrunken, rest`` (share of all others), ``difference, difference_low, difference_high, share`` (of
    all respondents' weight), ``p_value, p_adjusted, stability`` (share of other splits that find the same people) and
    ``part`` (the half that was measured, 1 or 2).

    Parameters
    ----------
    tested
        All groups that were measured, found or not; the same columns.
    """

    tested: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def keys(self) -> list[str]:
        """The rule in words."""
        return ["rule"]

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="rule", label=term("group")),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share not satisfied")),
            Column(name=("low", "high"), kind="interval_percent", decimals=1),
            Column(name="rest", kind="percent", decimals=1, label=say("All others")),
            Column(name="shrunken", kind="percent", decimals=1),
            Column(name="share", kind="percent", decimals=1, label=say("Share of people")),
            Column(name="p_adjusted", kind="p_value", decimals=3),
            Column(name="stability", kind="percent", decimals=0),
            Column(name="n", kind="int"),
        ]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Each group beside all others, with intervals; a sentence where no group was found."""
        from khaosat.show.contrasts import group_and_rest

        shown = self.rows[~self._small_cells()]
        return group_and_rest(shown, empty=say("No group stands out."), label=say("Share not satisfied (%)"), ax=ax)


def where_dissatisfied(
    survey: Survey,
    outcome: str | None = None,
    *,
    by: Sequence[str] | None = None,
    at: Level | Sequence[Level] | None = None,
    depth: int = 3,
    least: int = 30,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> DissatisfiedGroups:
    r"""Groups in which dissatisfaction concentrates, found by a shallow tree and confirmed on people it has not seen.

    The primary units are split in two halves by lot. A weighted tree learns rules on one half; the rates of its groups
    are estimated on the other, :math:`\hat r_g = \sum_{i \in g} w_i y_i/\sum_{i \in g} w_i`, and compared with all
    others there; then the halves change places. A group is reported if the difference holds (p < 0.05 after Holm's
    adjustment over all groups of both halves).

    Parameters
    ----------
    survey
        Answers and design.
    outcome
        The question on satisfaction; None: the questionnaire's question on satisfaction as a whole.
    by
        Columns that rules may ask about; None: the questionnaire's questions on who the respondent is.
    at
        Answers of the outcome that count as satisfied; None: those of the questionnaire.
    depth, least
        Conditions in a rule at most; respondents of a group at least, in either half.
    level
        Confidence level.
    rng
        Decides the split; None: a fixed seed, so that the numbers come again.

    Returns
    -------
    DissatisfiedGroups
        ``rows`` (found) and ``tested`` (all measured).

    Notes
    -----
    Each half is a sample of its own; its variance is that between its primary units within strata, without a finite
    population correction (a little too large rather than too small). ``shrunken`` pulls each rate towards that of the
    half, by as much as chance makes the tree's groups differ: use it to compare groups. ``stability`` is the share of
    20 further splits whose tree has a group above the average with at least three quarters of the same people.
    docs/methods/nhom-khong-hai-long.md.

    References
    ----------
    Athey and Imbens (2016), PNAS 113, 7353-7360. Holm (1979), Scandinavian Journal of Statistics 6, 65-70. DerSimonian
    and Laird (1986), Controlled Clinical Trials 7, 177-188.

    Examples
    --------
    >>> frame = pd.DataFrame({"online": ["no", "yes"] * 200, "q": ([2, 4, 4, 4, 2, 4, 3, 5] * 50)})
    >>> groups = where_dissatisfied(Survey(responses=frame), "q", by=["online"], at=[4, 5])
    >>> groups.rows[["condition", "estimate", "rest"]].round(1).values.tolist()
    [["online in ['no']", 0.8, 0.0]]
    """
    check_level(level)
    question, satisfied = whole_satisfaction(survey, outcome, at)
    answers = level_answers(survey, question)
    features = features_of(survey, _columns(survey, by, question))
    used = answers.valid & features.complete
    missing = int((answers.asked & ~used).sum())
    if not used.any():
        raise DataError(say("No respondent answered {outcome} and every question of by.", outcome=question))
    trial = Trial(
        survey=survey, features=features, used=used, unhappy=answers.among(satisfied) == 0, depth=depth, least=least,
        level=level, rng=rng if rng is not None else np.random.default_rng(0),
    )  # fmt: skip
    tested = trial.measured().assign(n_missing=missing)
    found = tested[(tested["p_adjusted"] < _ALIKE) & (tested["difference"] > 0)]
    rows = found.drop_duplicates("condition").sort_values("estimate", ascending=False, ignore_index=True)
    rows["stability"] = trial.stability(rows["condition"])
    notes = tuple(_notes(trial, rows, tested, missing=missing, level=level))
    title = say("Where dissatisfaction concentrates: {variables}", variables=variable_words(survey, [question]))
    return DissatisfiedGroups(rows=rows.drop(columns="path"), tested=tested.drop(columns="path"), title=title,
                              notes=notes, questionnaire=survey.questionnaire)  # fmt: skip


def _columns(survey: Survey, by: Sequence[str] | None, question: str) -> list[str]:
    """The columns that rules may ask about."""
    if by is not None:
        return [by] if isinstance(by, str) else list(by)
    asked = survey.questionnaire
    if asked is None:
        raise DataError(say("Without a questionnaire it is not known who the respondents are: list columns in by."))
    return [name for name in asked.items("profile")
            if name in survey.responses and name != question and asked.kind(name) == "select_one"
            and asked.relevant(name) is None]  # fmt: skip


def _notes(trial: Trial, rows: pd.DataFrame, tested: pd.DataFrame, *, missing: int, level: float) -> Iterator[str]:
    yield say(
        "Not satisfied: {share} of all. Rules were learnt on one half of the {units} primary units and measured on the "
        "other, in both directions: {n} groups of at least {least} respondents were tested.",
        share=percent(trial.average(trial.used)), units=trial.survey.arrays.n_units[0], n=len(tested),
        least=trial.least,
    )  # fmt: skip
    if tested.empty:
        yield say("No group was found: no rule learnt on one half led to a group of that size.")
    elif rows.empty:
        yield say(
            "No group was found: nothing that one half of the sample suggests held in the other (p < 0.05, Holm)."
        )
    else:
        yield say("Listed are groups whose difference from all others holds on people the rule was not learnt from "
                  "(p < 0.05, Holm). Rates and counts are those of that half.")  # fmt: skip
        weak = rows[rows["stability"] < 0.5]
        for rule, stability in zip(weak["rule"], weak["stability"], strict=True):
            yield say("Only {share} of other splits find the group “{rule}”: its borders are uncertain.",
                      share=percent(stability, 0), rule=rule)  # fmt: skip
    yield say("{level} intervals: Student's t between primary units, without finite population correction; groups "
              "overlap in part.", level=percent(level, 0))  # fmt: skip
    if missing:
        yield say("{n} respondents lack an answer to the outcome or to a question of the rules and are left out.",
                  n=missing)  # fmt: skip
    if trial.survey.replication is not None and trial.survey.replication.given:
        yield say("Replicate weights are not used: the halves are halves of the primary units.")
    few = int((tested["df"] <= 0).sum())
    if few:
        yield say("{n} groups lie in too few primary units for a test.", n=number(few))
