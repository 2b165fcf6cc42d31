"""Do answers to one question go together with those to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.facts import privacy_threshold
from khaosat.facts.language import number, say
from khaosat.show.privacy import small_cells
from khaosat.show.table import Column, Table, make_table
from khaosat.stats.contingency import IndependenceStatistic, IndependenceTest, independence_test
from khaosat.survey.answers import Answers, level_answers
from khaosat.survey.cells import cells_of, freedom
from khaosat.survey.covariances import design_covariance
from khaosat.survey.means import variable_words
from khaosat.survey.replication import weighting_notes
from khaosat.survey.result import FEW_DF, SurveyResult, answer_notes
from khaosat.survey.verdicts import p_words, plain_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
FEW_EXPECTED = 5
"""Respondents expected in a cell below which the tests are not to be trusted (Cochran 1954)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Crosstab(SurveyResult):
    """A table of two questions with a test of their independence.

    ``rows``: one row: ``row, column, statistic, df1, df2, p_value, deff, n, n_missing``. The table and the figure show
    the shares of the column's answers among those who gave each answer of the row.

    Parameters
    ----------
    counts
        Weighted number of people in each cell: answers of the row variable down, of the column variable across.
    sizes
        Respondents in each cell, unweighted.
    """

    counts: pd.DataFrame
    sizes: pd.DataFrame

    def table(self) -> Table:
        """Row percentages; rows and columns of few respondents are suppressed and said to be."""
        frame, columns = self._shares()
        rare = self._few_columns()
        frame[rare] = np.nan
        few = privacy_threshold("respondents")
        hide = self._few_rows(frame["n"])
        notes = self.notes
        if hide.any():
            notes = (
                *notes,
                say("Rows marked … are suppressed: fewer than {n} cases, or they would reveal such a row.", n=few),
            )
        if rare:
            notes = (
                *notes,
                say("Columns without figures are suppressed: fewer than {n} respondents gave that answer, or they "
                    "would reveal such a column.", n=few),
            )  # fmt: skip
        return make_table(frame, columns, title=self.title, notes=notes, source=self.source, hide=hide)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bars of the shares, one a row of the table; suppressed rows and columns are left out."""
        from khaosat.show.bars import stacked_bars

        frame, columns = self._shares()
        shown = frame[~self._few_rows(frame["n"])]
        rare = self._few_columns()
        shares = [column for column in columns if column.kind == "percent" and column.name not in rare]
        return stacked_bars(
            shown[[str(column.name) for column in shares]].to_numpy(float),
            rows=shown["answer"].tolist(), parts=[column.label for column in shares],
            title=shares[0].group if shares else "", ax=ax,
        )  # fmt: skip

    def _shares(self) -> tuple[pd.DataFrame, list[Column]]:
        """Row percentages in words, the last line for all; what to show of them."""
        row, column = str(self.counts.index.name), str(self.counts.columns.name)
        words = self.questionnaire.label if self.questionnaire else str
        counts = np.vstack([self.counts.to_numpy(float), self.counts.to_numpy(float).sum(axis=0)])
        shares = counts / counts.sum(axis=1, keepdims=True)
        frame = pd.DataFrame(
            {"answer": [*(self._answer(row, plain_level(level)) for level in self.counts.index), say("All")]}
        )
        columns = [Column(name="answer", label=words(row))]
        for place, level in enumerate(self.counts.columns):
            frame[f"share_{place}"] = shares[:, place]
            label = self._answer(column, plain_level(level))
            columns.append(Column(name=f"share_{place}", kind="percent", decimals=1, label=label, group=words(column)))
        sizes = self.sizes.to_numpy().sum(axis=1)
        frame["n"] = [*sizes, int(sizes.sum())]
        return frame, [*columns, Column(name="n", kind="int")]

    @staticmethod
    def _few_rows(n: pd.Series) -> pd.Series:
        """Rows of fewer respondents than may be published, and those that would give them away."""
        threshold = privacy_threshold("respondents")
        few = n < threshold
        few.iloc[:-1] |= small_cells(n.iloc[:-1], threshold=threshold)  # the last line is the sum of the others
        return few

    def _few_columns(self) -> list[str]:
        """Shares of answers that too few gave, whoever they are, and the next rarest when only one is hidden."""
        n = pd.Series(self.sizes.to_numpy().sum(axis=0))
        few = small_cells(n, threshold=privacy_threshold("respondents"))
        return [f"share_{place}" for place in np.flatnonzero(few)]


def crosstab_test(
    survey: Survey,
    row: str,
    column: str,
    *,
    statistic: IndependenceStatistic = "F",
    where: str | None = None,
    domain_df: bool = False,
) -> Crosstab:
    r"""Test that answers to two questions are independent in the population.

    :math:`X^2 = n \sum (p_{ij} - p_{i.}p_{.j})^2 / (p_{i.}p_{.j})` of the weighted shares, corrected for the design.

    Parameters
    ----------
    survey
        Answers and design.
    row, column
        Questions: items of the questionnaire, or columns of codes, words or truth values.
    statistic
        ``F`` (Rao-Scott, second order), ``Chisq`` (first order), ``Wald``, ``adjWald`` or ``saddlepoint``: formulae in
        :func:`khaosat.stats.contingency.independence_test`.
    where, domain_df
        As in :func:`khaosat.survey.mean`.

    Returns
    -------
    Crosstab
        ``row, column, statistic, df1, df2, p_value, deff, n, n_missing``; ``deff`` is the mean of the generalised
        design effects. Fields ``counts`` (weighted) and ``sizes`` (respondents).

    Notes
    -----
    Pearson's own test takes weights for people and clusters for independent answers, and rejects too often. ``F`` is
    the default since it keeps its level with few primary units; ``Wald`` does not where the table has many cells.
    Respondents need a valid answer to both questions; answers that nobody gave are no rows or columns.

    References
    ----------
    Rao and Scott (1984), Annals of Statistics 12, 46-60. Thomas and Rao (1987), JASA 82, 630-636.

    Examples
    --------
    >>> frame = pd.DataFrame({"ward": list("AAAABBBB") * 5, "happy": [1, 1, 1, 0, 0, 0, 1, 0] * 5})
    >>> crosstab_test(Survey(responses=frame), "ward", "happy").rows[["statistic", "p_value"]].round(4).values.tolist()
    [[9.75, 0.0034]]
    """
    if statistic not in get_args(IndependenceStatistic):
        raise ValueError(f"statistic must be one of {', '.join(get_args(IndependenceStatistic))}, not {statistic!r}")
    if row == column:
        raise ValueError(f"row and column are both {row!r}: name two questions")
    cells = cells_of(survey, where=where)
    answers = {name: level_answers(survey, name) for name in (row, column)}
    valid = np.logical_and.reduce([cells.code >= 0, *(answer.valid for answer in answers.values())])
    asked = np.logical_and.reduce([cells.code >= 0, *(answer.asked for answer in answers.values())])
    codes, levels = zip(*(_given(answer, valid) for answer in answers.values()), strict=True)
    shape = (len(levels[0]), len(levels[1]))
    place = np.where(valid, codes[0] * max(shape[1], 1) + codes[1], -1)
    df = int(freedom(survey, cells, domain_df=domain_df, answered=valid)[0])
    weighted, test = _test(survey, place, shape=shape, df=df, statistic=statistic)
    index, across = pd.Index(levels[0], name=row), pd.Index(levels[1], name=column)
    sizes = np.bincount(place[valid], minlength=shape[0] * shape[1]).reshape(shape)
    n = int(valid.sum())
    rows = pd.DataFrame(
        {"row": [row], "column": [column], "statistic": [test.statistic], "df1": [test.df1], "df2": [test.df2],
         "p_value": [test.p_value], "deff": [test.deff], "n": [n], "n_missing": [int(asked.sum()) - n]}
    )  # fmt: skip
    title = say("{answers} by {groups}", answers=variable_words(survey, [column]), groups=variable_words(survey, [row]))
    notes = (
        *_test_notes(test, statistic, shape=shape, df=df),
        *_size_notes(sizes),
        *answer_notes(cells, answers),
        *weighting_notes(survey),
    )
    return Crosstab(
        rows=rows, title=title, notes=notes, unit="share", questionnaire=survey.questionnaire,
        counts=pd.DataFrame(weighted, index=index, columns=across),
        sizes=pd.DataFrame(sizes, index=index, columns=across),
    )  # fmt: skip


def _given(answer: Answers, valid: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Sequence[object]]:
    """Places of the answers among those that somebody gave, and these."""
    used, codes = np.unique(answer.numbers[valid].astype(np.intp), return_inverse=True)
    place = np.full(len(valid), -1, dtype=np.intp)
    place[valid] = codes
    return place, [answer.levels[i] for i in used]


def _test(
    survey: Survey, place: NDArray[np.intp], *, shape: tuple[int, int], df: int, statistic: IndependenceStatistic
) -> tuple[Floats, IndependenceTest]:
    """Weighted counts and the test."""
    inside, size = place >= 0, shape[0] * shape[1]
    parts = np.zeros((survey.n, size))
    parts[inside, place[inside]] = survey.arrays.weights[inside]
    totals, matrix = parts.sum(axis=0).reshape(shape), np.zeros((size, size))
    if min(shape) > 1:
        matrix = design_covariance(survey, parts, inside=inside)
    return totals, independence_test(totals, matrix, n=int(inside.sum()), df=df, statistic=statistic)


def _test_notes(
    test: IndependenceTest, statistic: IndependenceStatistic, *, shape: tuple[int, int], df: int
) -> Iterator[str]:
    """The verdict in words, or why there is none."""
    name = {
        "F": say("Rao–Scott test, second order"), "Chisq": say("Rao–Scott test, first order"),
        "Wald": say("Wald test"), "adjWald": say("adjusted Wald test"),
        "saddlepoint": say("Rao–Scott test, saddlepoint"),
    }[statistic]  # fmt: skip
    if min(shape) < 2:
        yield say("No test: one of the two questions has fewer than two answers among the respondents counted.")
    elif not np.isfinite(test.p_value):
        yield say(
            "No test: too few units ({df} degrees of freedom) or too many empty cells for a table of this size.", df=df
        )
    else:
        yield say(
            "{test}: statistic {value}, degrees of freedom {df}, p {p}; mean design effect {deff}.",
            test=name, value=number(test.statistic, 2), df=_df_words(test), p=p_words(test.p_value),
            deff=number(test.deff, 2) if np.isfinite(test.deff) else "–",
        )  # fmt: skip
        if df < FEW_DF:
            yield say("Fewer than {n} degrees of freedom: an association may well go unseen.", n=FEW_DF)


def _df_words(test: IndependenceTest) -> str:
    shown = [value for value in (test.df1, test.df2) if np.isfinite(value)]
    return "; ".join(number(value, 0 if value == round(value) else 2) for value in shown)


def _size_notes(sizes: NDArray[np.int64]) -> Iterator[str]:
    if min(sizes.shape) < 2:
        return
    expected = np.outer(sizes.sum(axis=1), sizes.sum(axis=0)) / sizes.sum()
    few = int((expected < FEW_EXPECTED).sum())
    if few:
        yield say(
            "{n} of {cells} cells would hold fewer than {few} respondents under independence: join answers.",
            n=few, cells=sizes.size, few=FEW_EXPECTED,
        )  # fmt: skip
