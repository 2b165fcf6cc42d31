"""Means, totals and ratios of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.facts.language import say
from khaosat.stats.intervals import t_interval
from khaosat.survey.answers import check_columns, numeric_answers
from khaosat.survey.cells import (
    Cells,
    Estimates,
    cells_of,
    freedom,
    ratio_estimates,
    standard_errors,
    total_estimates,
)
from khaosat.survey.result import (
    SurveyResult,
    answer_notes,
    cell_notes,
    design_notes,
    question_notes,
    table_rows,
)
from khaosat.survey.unit_sums import UnitSums, cell_means, common_part

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Deff = bool | Literal["replace"]


def mean(
    survey: Survey,
    variables: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    deff: Deff = False,
    domain_df: bool = False,
) -> SurveyResult:
    r"""Weighted mean: :math:`\bar y = \sum w_i y_i / \sum w_i` over the valid answers.

    Parameters
    ----------
    survey
        Answers and design.
    variables
        Numeric columns.
    by
        Columns whose combinations are estimated apart, as domains of the whole sample.
    where
        Who it is about, as in ``"age >= 60 and ward in ['A', 'B']"``; a domain too. Respondents for whom a missing
        value leaves it open are left out and noted.
    level
        Confidence level of the intervals.
    deff
        Add the design effect: variance over that of a simple random sample without (``"replace"``: with) replacement.
    domain_df
        Degrees of freedom of each domain by itself instead of those of the whole sample.

    Returns
    -------
    SurveyResult
        ``variable``, ``by`` columns, ``estimate, se, low, high, df, n, n_missing``, and ``deff`` where asked for.

    Notes
    -----
    Taylor linearisation over the design; Student's t with primary units less strata degrees of freedom. Answers are
    missing item by item; a don't-know code of the questionnaire is missing, a skipped question is not. A group whose
    answers all come from one primary unit has no interval and 0 degrees of freedom: its standard error leaves out how
    much units differ.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292. Lumley (2010), Complex Surveys, ch. 2.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"q": [1, 2, 3, 6], "ward": ["A", "A", "B", "B"]}))
    >>> mean(survey, "q").rows[["estimate", "se", "df", "n"]].round(4).values.tolist()
    [[3.0, 1.0801, 3.0, 4.0]]
    >>> mean(survey, "q", by="ward").rows["estimate"].tolist()
    [1.5, 4.5]
    """
    return _each(survey, names(variables), kind="mean", by=by, where=where, level=level, deff=deff, domain_df=domain_df)


def total(
    survey: Survey,
    variables: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    deff: Deff = False,
    domain_df: bool = False,
) -> SurveyResult:
    r"""Weighted total: :math:`\sum w_i y_i` over the valid answers (missing answers count as nothing, and are noted).

    Parameters, columns, notes and references are those of :func:`mean`.

    Examples
    --------
    >>> from khaosat.domain.survey import Design
    >>> frame = pd.DataFrame({"q": [1, 2, 3, 6], "w": [10, 10, 20, 20]})
    >>> float(total(Survey(responses=frame, design=Design(weights="w")), "q").rows["estimate"].iloc[0])
    210.0
    """
    return _each(
        survey, names(variables), kind="total", by=by, where=where, level=level, deff=deff, domain_df=domain_df
    )


def ratio(
    survey: Survey,
    numerator: str,
    denominator: str,
    *,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    domain_df: bool = False,
) -> SurveyResult:
    r"""Ratio of two totals: :math:`R = \sum w_i y_i / \sum w_i x_i` over those with both answers.

    Parameters
    ----------
    survey
        Answers and design.
    numerator, denominator
        Numeric columns y and x.
    by, where, level, domain_df
        As in :func:`mean`.

    Returns
    -------
    SurveyResult
        ``variable`` (``y/x``), ``by`` columns, ``estimate, se, low, high, df, n, n_missing``.

    Notes
    -----
    The influence of a respondent is :math:`w_i (y_i - R x_i) / \sum w x`.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, 5.6.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"late": [1, 0, 2], "all": [4, 3, 5]}))
    >>> float(ratio(survey, "late", "all").rows["estimate"].iloc[0])
    0.25
    """
    cells = cells_of(survey, by=by, where=where)
    top, bottom = numeric_answers(survey, numerator), numeric_answers(survey, denominator)
    valid, asked = top.valid & bottom.valid, top.asked & bottom.asked
    estimates = ratio_estimates(survey, cells, top=top.numbers, bottom=bottom.numbers, valid=valid, asked=asked)
    keys = cells.keys.copy()
    keys.insert(0, "variable", f"{numerator}/{denominator}")
    df = freedom(survey, cells, domain_df=domain_df, answered=valid)
    rows = estimate_rows(survey, cells, estimates, keys=keys, level=level, df=df)
    notes = answer_notes(
        cells, {variable_words(survey, [numerator]): top, variable_words(survey, [denominator]): bottom}
    )
    title = say("Ratio of {numerator} to {denominator}", numerator=numerator, denominator=denominator)
    return _result(survey, rows, notes, title=title, level=level, unit="score")


def estimate_rows(
    survey: Survey, cells: Cells, estimates: Estimates, *, keys: pd.DataFrame, level: float, df: NDArray[np.int64]
) -> pd.DataFrame:
    """Rows with Student's interval."""
    se = standard_errors(survey, cells, estimates)
    low, high = t_interval(estimates.value, se, df=df, level=level)
    n = cells.count(estimates.valid)
    return table_rows(
        keys, estimate=estimates.value, se=se, low=low, high=high, df=df, n=n,
        n_missing=cells.count(estimates.asked) - n,
    )  # fmt: skip


def design_effect(
    survey: Survey, cells: Cells, rows: Rows, *, values: Floats, se: Floats, kind: Deff, of_total: bool = False
) -> Floats:
    r"""Variance over that of a simple random sample of as many respondents of each cell.

    The latter is :math:`s^2 (1 - n/\hat N) / n` for a mean, times :math:`\hat N^2` for a total, with the weighted
    variance :math:`s^2`; ``"replace"`` leaves the factor in brackets out. NaN where the weights sum to n or less, since
    they are then no numbers of people.
    """
    weight, inside = survey.arrays.weights, rows & (cells.code >= 0)
    n, size = cells.count(inside).astype(float), cells.sum(weight, inside)
    y = np.where(inside, values, 0.0)
    average = np.divide(cells.sum(weight * y, inside), size, where=size > 0, out=np.zeros(cells.n))
    squares = cells.sum(weight * (y - cells.spread(average)) ** 2, inside)
    several = n > 1
    variance = np.divide(squares, size * (n - 1), where=several, out=np.full(cells.n, np.nan))
    if kind != "replace":
        variance *= np.where(several & (size > n), 1 - n / np.where(several, size, 1), np.nan)
    if of_total:
        variance *= size**2
    return np.asarray(se**2 / np.where(variance > 0, variance, np.nan), dtype=float)


def _each(
    survey: Survey,
    variables: tuple[str, ...],
    *,
    kind: Literal["mean", "total"],
    by: str | Sequence[str] | None,
    where: str | None,
    level: float,
    deff: Deff,
    domain_df: bool,
) -> SurveyResult:
    """Rows of a mean or total, variable by variable."""
    cells = cells_of(survey, by=by, where=where)
    check_columns(survey, variables)
    sums = UnitSums.of(survey, cells) if kind == "mean" else None
    columns, notes = [], [*cell_notes(cells)]
    for name in variables:
        answer = numeric_answers(survey, name)
        if kind == "mean":
            found = cell_means(
                survey, cells, sums, answer=answer, values=answer.numbers, centre=common_part(answer.numbers)
            )
            value, se, n = found.value, found.se, found.n
            df = freedom(survey, cells, domain_df=domain_df, units=found.units)
        else:
            total = total_estimates(
                survey, cells, values=answer.numbers, valid=answer.valid, asked=answer.asked
            )  # fmt: skip
            value, se, n = total.value, standard_errors(survey, cells, total), cells.count(answer.valid)
            df = freedom(survey, cells, domain_df=domain_df)
        column = {"estimate": value, "se": se, "df": df, "n": n, "n_missing": cells.count(answer.asked) - n}
        if deff:
            column["deff"] = design_effect(
                survey, cells, answer.valid, values=answer.numbers, se=se, kind=deff, of_total=kind == "total"
            )
        columns.append(column)
        notes += question_notes(cells, variable_words(survey, [name]), answer)
    rows = _stacked(cells, variables, columns, level=level)
    words = variable_words(survey, variables)
    title = (
        say("Mean of {variables}", variables=words) if kind == "mean" else say("Total of {variables}", variables=words)
    )
    return _result(survey, rows, notes, title=title, level=level, unit="score" if kind == "mean" else "count")


def _stacked(
    cells: Cells, variables: Sequence[str], columns: Sequence[dict[str, NDArray[Any]]], *, level: float
) -> pd.DataFrame:
    """The columns of every variable under one another, with Student's interval."""
    one = {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}
    low, high = t_interval(one["estimate"], one["se"], df=one["df"], level=level)
    keys = cells.keys.iloc[np.tile(np.arange(cells.n), len(variables))]
    keys.insert(0, "variable", np.repeat(np.array(variables, dtype=object), cells.n))
    wanted = ("estimate", "se", "low", "high", "df", "n", "n_missing", "deff")
    one |= {"low": low, "high": high}
    return table_rows(keys, **{name: one[name] for name in wanted if name in one})


def variable_words(survey: Survey, variables: Sequence[str]) -> str:
    """Labels of the variables, for a title."""
    label = survey.questionnaire.label if survey.questionnaire else str
    return "; ".join(label(name) for name in variables)


def _result(
    survey: Survey,
    rows: pd.DataFrame,
    notes: Iterable[str],
    *,
    title: str,
    level: float,
    unit: Literal["score", "count"],
) -> SurveyResult:
    design = design_notes(survey, rows, interval=say("Student's t"), level=level)
    return SurveyResult(
        rows=rows, title=title, notes=(*notes, *design), unit=unit, questionnaire=survey.questionnaire
    )  # fmt: skip
