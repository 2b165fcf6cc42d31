"""Shares of respondents by their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.facts.language import say
from khaosat.stats.intervals import ShareInterval, share_interval
from khaosat.survey.answers import Choices, Level, Places, check_columns, counted_answers
from khaosat.survey.cells import Cells, cells_of, freedom
from khaosat.survey.means import Deff, design_effect, variable_words
from khaosat.survey.result import SurveyResult, cell_notes, design_notes, question_notes, table_rows
from khaosat.survey.unit_sums import UnitSums, cell_shares

Floats = NDArray[np.float64]
_COLUMNS = ("estimate", "se", "low", "high", "df", "n", "n_missing", "numerator", "denominator")


def proportion(
    survey: Survey,
    variables: str | Sequence[str],
    *,
    at: Level | Sequence[Level] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    ci: ShareInterval = "logit",
    deff: Deff = False,
    domain_df: bool = False,
) -> SurveyResult:
    r"""Weighted share of the valid answers: :math:`p = \sum w_i 1(y_i \in A) / \sum w_i`.

    Parameters
    ----------
    survey
        Answers and design.
    variables
        Questions: items of the questionnaire, or columns of codes, words or truth values.
    at
        Answers counted together (codes; words where the column holds words). None: one row an answer of the scale.
    by, where, level, deff, domain_df
        As in :func:`khaosat.survey.mean`.
    ci
        Interval: ``logit``, ``beta`` (Korn-Graubard), ``wilson``, ``asin`` or ``wald``.

    Returns
    -------
    SurveyResult
        ``variable``, ``by`` columns, ``level`` (without ``at``), ``estimate, se, low, high, df, n, n_missing,
        numerator, denominator`` (respondents counted and respondents with a valid answer, unweighted).

    Notes
    -----
    Don't-know answers and blanks are in neither numerator nor denominator; ``n_missing`` counts them. At a share of
    exactly 0 or 1 only ``beta`` and ``wilson`` have an interval, and no other method is put in their place.

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24, 193-201.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"q": [5, 4, 3, 4, None]}))
    >>> proportion(survey, "q", at=[4, 5]).rows[["estimate", "n", "n_missing", "numerator"]].values.tolist()
    [[0.75, 4.0, 1.0, 3.0]]
    """
    cells = cells_of(survey, by=by, where=where)
    check_columns(survey, names(variables))
    sums = UnitSums.of(survey, cells)
    several = pd.api.types.is_list_like(at)  # a set or an array will do
    counted = None if at is None else list(cast("Sequence[Level]", at)) if several else [cast(Level, at)]
    tables, of_scale, of_answers = [], [], [*cell_notes(cells)]
    for name in names(variables):  # one question at a time: all answers of millions need not be held at once
        answer = counted_answers(survey, name)
        tables.append(
            _one_variable(
                survey, cells, sums, name=name, answer=answer, counted=counted, level=level, ci=ci, deff=deff,
                domain_df=domain_df,
            )
        )  # fmt: skip
        words = variable_words(survey, [name])
        of_scale += _scale_notes(words, answer, counted)
        of_answers += question_notes(cells, words, answer)
    rows = pd.concat(tables, ignore_index=True)
    title = say("Share of answers: {variables}", variables=variable_words(survey, names(variables)))
    notes = (
        *_counted_notes(survey, names(variables), counted),
        *of_scale,
        *of_answers,
        *design_notes(survey, rows, interval=interval_words(ci), level=level),
        *edge_notes(rows, ci),
    )
    return SurveyResult(rows=rows, title=title, notes=notes, unit="share", questionnaire=survey.questionnaire)


def interval_words(ci: ShareInterval) -> str:
    """The interval in words.

    >>> interval_words("beta")
    'Korn–Graubard (beta)'
    """
    return {
        "logit": say("Student's t on the logit scale"),
        "beta": say("Korn–Graubard (beta)"),
        "wilson": say("Wilson with the effective sample size"),
        "asin": say("Student's t on the arcsine scale"),
        "wald": say("Student's t"),
    }[ci]


def edge_notes(rows: pd.DataFrame, ci: ShareInterval) -> list[str]:
    """A note on shares of 0 or 1 that have no interval."""
    bare = rows["estimate"].isin([0.0, 1.0]) & rows["low"].isna() & (rows["df"] > 0)
    if not bare.any():
        return []
    return [
        say(
            "{n} shares are exactly 0% or 100% and have no interval of this kind; ci='beta' gives one.",
            n=int(bare.sum()),
        )
    ]


def _one_variable(
    survey: Survey,
    cells: Cells,
    sums: UnitSums | None,
    *,
    name: str,
    answer: Places | Choices,
    counted: list[Level] | None,
    level: float,
    ci: ShareInterval,
    deff: Deff,
    domain_df: bool,
) -> pd.DataFrame:
    """Rows of one question: by cell, then by answer."""
    if counted is not None:
        _check_levels(survey, name, counted)
    groups: list[list[Level]] = [counted] if counted is not None else [[value] for value in answer.levels]
    asked = cells.count(answer.asked)
    tables = []
    for place, group in enumerate(groups):
        chose = answer.chose(group)
        found, numerator = cell_shares(survey, cells, sums, answer=answer, chose=chose)
        df, n, se = freedom(survey, cells, domain_df=domain_df, units=found.units), found.n, found.se
        low, high = share_interval(found.value, se, df=df, n=n, level=level, method=ci)
        keys = cells.keys.copy()
        keys.insert(0, "variable", name)
        if counted is None:
            keys["level"] = group[0]
        rows = table_rows(
            keys, estimate=found.value, se=se, low=low, high=high, df=df, n=n, n_missing=asked - n,
            numerator=numerator, denominator=n,
        )  # fmt: skip
        if deff:
            rows["deff"] = design_effect(survey, cells, answer.valid, values=chose.astype(float), se=se, kind=deff)
        tables.append(rows.assign(_cell=range(cells.n), _place=place))
    if not tables:  # nobody answered and no scale is known: there are no answers to tell apart
        return table_rows(pd.DataFrame(columns=["variable", *cells.keys.columns, "level"]), **dict.fromkeys(_COLUMNS))
    rows = pd.concat(tables, ignore_index=True).sort_values(["_cell", "_place"], ignore_index=True)
    return rows.drop(columns=["_cell", "_place"])


def _check_levels(survey: Survey, name: str, counted: list[Level]) -> None:
    if survey.questionnaire is None or name not in survey.questionnaire.items():
        return
    levels = survey.questionnaire.levels(name)
    unknown = [value for value in counted if levels and value not in levels]
    if unknown:
        raise ValueError(f"{unknown} are not answers of {name!r}; its scale has {list(levels)}")


def _counted_notes(survey: Survey, variables: Sequence[str], counted: list[Level] | None) -> list[str]:
    """Which answers count together, in the words of the questionnaire where all questions have the same."""
    if counted is None:
        return []
    asked = survey.questionnaire
    known = set() if asked is None else set(asked.items())
    scales = [asked.choice_labels(name) if asked is not None and name in known else {} for name in variables]
    same = bool(scales) and all(scale == scales[0] for scale in scales)
    words: dict[Level, str] = {level: word for level, word in scales[0].items()} if same else {}
    levels = ", ".join(words.get(level, str(level)) for level in counted)
    return [say("Counted: answers {levels}; denominator: respondents with a valid answer.", levels=levels)]


def _scale_notes(name: str, answer: Places | Choices, counted: list[Level] | None) -> list[str]:
    """What is special about the answers of one question."""
    notes = []
    if isinstance(answer, Choices):
        notes.append(
            say("{variable}: several answers could be chosen, so that shares may add up to more than 100%.",
                variable=name)
        )  # fmt: skip
    if counted is not None and answer.levels and not set(counted) & set(answer.levels):
        notes.append(say("{variable}: nobody gave any of the answers counted.", variable=name))
    return notes
