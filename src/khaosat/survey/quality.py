"""How well the questions were answered: blanks, don't know, straight lines, copies. Counts only; nothing is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Survey
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.survey.answers import level_answers
from khaosat.survey.cells import Cells, cells_of
from khaosat.survey.result import SurveyResult, cell_notes

STRAIGHT_LINE_ITEMS = 10
"""Valid answers a respondent must have given before giving one answer to all of them is called a straight line."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerQuality(SurveyResult):
    """Shares of doubtful answers, unweighted.

    ``rows``: the ``by`` column, ``check`` (``blank``, ``dont_know``, ``off_scale``, ``straight_line``, ``duplicate``),
    ``variable`` (empty for checks of whole respondents), ``estimate`` (share), ``n, numerator, denominator``.
    """

    def _worded(self) -> SurveyResult:
        worded = super()._worded()
        return replace(worded, rows=worded.rows.assign(check=[term(check) for check in self.rows["check"]]))


def answer_quality(survey: Survey, *, by: str | None = None) -> AnswerQuality:
    """Shares of blank, don't-know and off-scale answers by item, and of straight-lining and duplicate respondents.

    Parameters
    ----------
    survey
        Answers with their questionnaire.
    by
        A column, such as the interviewer, to tell apart.

    Returns
    -------
    AnswerQuality
        ``by`` column, ``check``, ``variable``, ``estimate`` (numerator / denominator), ``n, numerator, denominator``.
        Denominators: respondents asked the item (item checks); respondents with at least 10 valid satisfaction answers
        (``straight_line``: all of them the same; ``duplicate``: no straight line, and all answers to satisfaction
        items, blanks too, equal to those of another respondent).

    Notes
    -----
    Facts about the data, so unweighted and without intervals. A straight line can be honest: it asks for a look at the
    interviewer, it is no reason to drop anyone. Signs by respondent, and results with and without them:
    :func:`khaosat.survey.response_quality`.

    References
    ----------
    Meade and Craig (2012), Psychological Methods 17, 437-455 (long strings).

    Examples
    --------
    >>> from khaosat.domain.questionnaire import load_questionnaire
    >>> q = load_questionnaire("sipas_2017")
    >>> answers = pd.DataFrame({item: [4, 4, 3, None] for item in q.items("satisfaction")})
    >>> rows = answer_quality(Survey(responses=answers, questionnaire=q)).rows
    >>> rows.loc[rows["check"] == "straight_line", ["numerator", "denominator"]].values.tolist()
    [[3, 3]]
    """
    questionnaire = survey.questionnaire
    if questionnaire is None:
        raise ValueError("answer_quality needs a survey with a questionnaire")
    cells = cells_of(survey, by=by)
    tables = [*_item_checks(survey, cells, questionnaire), *_respondent_checks(survey, cells, questionnaire)]
    rows = pd.concat(tables, ignore_index=True)
    notes = (
        say("Shares of respondents, unweighted; nobody is left out of any estimate because of them."),
        say(
            "Straight line: the same answer to all satisfaction items, with at least {n} answered; duplicate: the same "
            "answers as another respondent.",
            n=STRAIGHT_LINE_ITEMS,
        ),
        *cell_notes(cells),
    )
    return AnswerQuality(
        rows=rows, title=say("How the questions were answered"), notes=notes, questionnaire=questionnaire
    )


def _item_checks(survey: Survey, cells: Cells, questionnaire: Questionnaire) -> Iterator[pd.DataFrame]:
    for name in questionnaire.items():
        if name not in survey.responses or questionnaire.kind(name) != "select_one":
            continue
        answer = level_answers(survey, name)
        blank = answer.asked & ~answer.valid & ~answer.dont_know & ~answer.off_scale
        checks = {"blank": blank, "dont_know": answer.dont_know, "off_scale": answer.off_scale}
        for check, rows in checks.items():
            yield _shares(cells, check, name, hits=rows, base=answer.asked)


def _respondent_checks(survey: Survey, cells: Cells, questionnaire: Questionnaire) -> Iterator[pd.DataFrame]:
    items = [
        name
        for name in questionnaire.items("satisfaction")
        if name in survey.responses and questionnaire.kind(name) == "select_one"
    ]
    if not items:
        return
    values = np.column_stack([level_answers(survey, name).numbers for name in items])
    answered = ~np.isnan(values)
    enough = answered.sum(axis=1) >= STRAIGHT_LINE_ITEMS
    lowest, highest = (np.where(answered, values, fill) for fill in (np.inf, -np.inf))
    straight = enough & (lowest.min(axis=1) == highest.max(axis=1))
    yield _shares(cells, "straight_line", "", hits=straight, base=enough)
    copied = pd.DataFrame(np.nan_to_num(values, nan=-1)).duplicated(keep=False).to_numpy()
    yield _shares(cells, "duplicate", "", hits=copied & enough & ~straight, base=enough)


def _shares(
    cells: Cells, check: str, variable: str, *, hits: NDArray[np.bool_], base: NDArray[np.bool_]
) -> pd.DataFrame:
    numerator, denominator = cells.count(hits & base), cells.count(base)
    share = np.divide(numerator, denominator, where=denominator > 0, out=np.full(cells.n, np.nan))
    return cells.keys.assign(
        check=check, variable=variable, estimate=share, n=denominator, numerator=numerator, denominator=denominator
    )
