"""Medians, quartiles and other quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DesignError
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.intervals import share_interval, t_interval, t_quantile
from khaosat.stats.quantiles import QuantileRule, weighted_quantile
from khaosat.survey.answers import Answers, numeric_answers
from khaosat.survey.cells import Cells, cells_of, freedom, ratio_estimates, standard_errors
from khaosat.survey.means import variable_words
from khaosat.survey.result import SurveyResult, answer_notes, design_notes, table_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
QuantileInterval = Literal["woodruff", "beta"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Quantiles(SurveyResult):
    """Quantiles of answers, one row a quantile.

    ``rows``: ``variable``, the ``by`` columns and ``prob`` (share of respondents at or below the quantile), then
    ``estimate, se, low, high, df, n, n_missing``.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """The quantiles with their intervals, in the house theme."""
        rows = self.rows.assign(prob=[_prob_words(p) for p in self.rows["prob"]])
        return super(Quantiles, replace(self, rows=rows)).plot(ax)

    def _columns(self) -> Sequence[Column]:
        whole = all(float(p * 100).is_integer() for p in self.rows["prob"])
        share = Column(name="prob", kind="percent", decimals=0 if whole else 1)
        return [share if column.key == "prob" else column for column in super()._columns()]


def quantile(
    survey: Survey,
    variables: str | Sequence[str],
    *,
    probs: float | Sequence[float] = (0.25, 0.5, 0.75),
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    ci: QuantileInterval = "woodruff",
    rule: QuantileRule = "math",
    domain_df: bool = False,
) -> Quantiles:
    r"""Weighted quantiles with Woodruff intervals.

    :math:`\hat q_p = \inf\{x: \hat F(x) \ge p\}` (or another rule), :math:`\hat F(x) = \sum w_i 1(y_i \le x)/\sum w_i`;
    its interval is that of the share :math:`\hat F(\hat q_p)`, each end turned back into a quantile.

    Parameters
    ----------
    survey
        Answers and design.
    variables
        Numeric columns.
    probs
        Shares of respondents at or below the quantiles, 0..1.
    by, where, level, domain_df
        As in :func:`khaosat.survey.mean`.
    ci
        Interval of the share: ``woodruff`` (Student's t) or ``beta`` (Korn-Graubard).
    rule
        What a quantile between two answers is: :func:`khaosat.stats.quantiles.weighted_quantile`.

    Returns
    -------
    Quantiles
        ``variable``, ``by`` columns, ``prob, estimate, se, low, high, df, n, n_missing``. The standard error is the
        length of the interval over twice Student's t, as in R survey.

    Raises
    ------
    DesignError
        If calibration made weights negative.

    Notes
    -----
    An end whose share lies beyond 0 or 1 is missing: the sample does not reach so far. On a scale of few answers a
    quantile is one of them whatever the sample, and its interval says little: shares say more. Rules ``shahvaish`` and
    ``hf4`` to ``hf9`` are those of R survey 4.1 to the last digit; where equal answers have unequal weights they depend
    on the order of the rows, which ``math`` and ``school`` do not.

    References
    ----------
    Woodruff (1952), JASA 47, 635-646. Lumley (2010), Complex Surveys, 2.4.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"days": range(1, 101)}))
    >>> quantile(survey, "days", probs=0.5).rows[["prob", "estimate", "low", "high"]].values.tolist()
    [[0.5, 50.0, 41.0, 60.0]]
    """
    shares = _checked_probs(probs)
    for value, choice, allowed in (("ci", ci, QuantileInterval), ("rule", rule, QuantileRule)):
        if choice not in get_args(allowed):
            raise ValueError(f"{value} must be one of {', '.join(get_args(allowed))}, not {choice!r}")
    negative = int((survey.arrays.weights < 0).sum())
    if negative:
        raise DesignError(
            say(
                "{n} weights are negative: there are no quantiles of such a sample; set bounds in the calibration.",
                n=negative,
            )
        )
    cells = cells_of(survey, by=by, where=where)
    answers = {name: numeric_answers(survey, name) for name in names(variables)}
    found = [
        _one_variable(
            survey, cells, name, answer, probs=shares, rule=rule, ci=ci, level=level, domain_df=domain_df
        )
        for name, answer in answers.items()
    ]  # fmt: skip
    rows = pd.concat([table for table, _ in found], ignore_index=True)
    words = {"woodruff": say("Woodruff (Student's t)"), "beta": say("Woodruff (Korn–Graubard, beta)")}[ci]
    notes = (
        *answer_notes(cells, answers),
        *design_notes(survey, rows, interval=words, level=level),
        *_quantile_notes(rows, rule=rule, far=sum(far for _, far in found)),
    )
    title = say("Quantiles of {variables}", variables=variable_words(survey, names(variables)))
    return Quantiles(rows=rows, title=title, notes=notes, unit="score", questionnaire=survey.questionnaire)


def _checked_probs(probs: float | Sequence[float]) -> list[float]:
    shares = [float(p) for p in (probs if isinstance(probs, Sequence | np.ndarray) else [probs])]
    if not shares or not all(0 <= p <= 1 for p in shares):
        raise ValueError(f"probs must be shares between 0 and 1, such as 0.5, not {probs!r}")
    return shares


def _one_variable(
    survey: Survey,
    cells: Cells,
    name: str,
    answer: Answers,
    *,
    probs: list[float],
    rule: QuantileRule,
    ci: QuantileInterval,
    level: float,
    domain_df: bool,
) -> tuple[pd.DataFrame, int]:
    """Rows of one variable by cell, then by quantile; how many quantiles lie far from the share asked for."""
    df, n = freedom(survey, cells, domain_df=domain_df, answered=answer.valid), cells.count(answer.valid)
    missing = cells.count(answer.asked) - n
    code = np.where(answer.valid, cells.code, -1)
    members = [np.flatnonzero(code == cell) for cell in range(cells.n)]

    def quantiles(share: Floats) -> Floats:
        weights = survey.arrays.weights
        found = [
            weighted_quantile(answer.numbers[rows], weights[rows], probs=p, rule=rule)
            for rows, p in zip(members, share, strict=True)
        ]
        return np.array(found, dtype=float)

    tables, far = [], 0
    for place, prob in enumerate(probs):
        estimate = quantiles(np.full(cells.n, prob))
        share = _share_below(survey, cells, answer, estimate)
        if ci == "beta":
            low, high = share_interval(*share, df=df, n=n, level=level, method="beta")
        else:
            low, high = t_interval(*share, df=df, level=level)
        far += int(((prob < low) | (prob > high)).sum())
        low, high = quantiles(low), quantiles(high)
        keys = cells.keys.copy()
        keys.insert(0, "variable", name)
        rows = table_rows(
            keys.assign(prob=prob), estimate=estimate, se=(high - low) / (2 * t_quantile(level, df)), low=low,
            high=high, df=df, n=n, n_missing=missing,
        )  # fmt: skip
        tables.append(rows.assign(_cell=range(cells.n), _place=place))
    rows = pd.concat(tables, ignore_index=True).sort_values(["_cell", "_place"], ignore_index=True)
    return rows.drop(columns=["_cell", "_place"]), far


def _share_below(survey: Survey, cells: Cells, answer: Answers, bound: Floats) -> tuple[Floats, Floats]:
    """Share of each cell at or below its bound, with its standard error."""
    below = (answer.numbers <= cells.spread(np.nan_to_num(bound))).astype(float)
    estimates = ratio_estimates(
        survey, cells, top=below, bottom=np.ones(survey.n), valid=answer.valid, asked=answer.asked
    )
    return estimates.value, standard_errors(survey, cells, estimates)


def _quantile_notes(rows: pd.DataFrame, *, rule: QuantileRule, far: int) -> list[str]:
    notes = [say("Rule for a quantile between two answers: {rule}.", rule=rule)]
    if rule == "shahvaish":
        notes.append(
            say("Rule shahvaish is that of R survey: it changes with the unit of the weights; prefer math or hf7.")
        )
    known = rows["df"] > 0
    open_ends = int((rows.loc[known, ["low", "high"]].isna().any(axis=1) & rows.loc[known, "estimate"].notna()).sum())
    if open_ends:
        notes.append(say("{n} quantiles lie so far out that the sample gives no end to their interval.", n=open_ends))
    if far:
        notes.append(
            say(
                "{n} quantiles fall on an answer that many gave, so that their interval says little: look at shares of "
                "answers instead.",
                n=far,
            )
        )
    return notes


def _prob_words(prob: float) -> str:
    return percent(prob, 0 if float(prob * 100).is_integer() else 1)
