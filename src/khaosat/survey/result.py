"""What survey verbs return: estimates with the words of the questionnaire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Survey
from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.results import Result
from khaosat.show.table import Column, Table
from khaosat.survey.answers import Answered
from khaosat.survey.cells import Cells, sample_of
from khaosat.survey.replication import weighting_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW_DF = 12
"""Below this many degrees of freedom an interval rests on too few units to be trusted on its own."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SurveyResult(Result):
    """Estimates from a survey, one row an estimate.

    ``rows``: ``variable`` and the ``by`` columns (``level`` where answers are told apart), then ``estimate, se, low,
    high, df, n, n_missing``; shares add ``numerator, denominator`` (respondents, unweighted), ``deff`` where asked for.

    Parameters
    ----------
    questionnaire
        Words for questions and answers in tables and figures; rows keep names and codes.
    """

    questionnaire: Questionnaire | None = None

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = "respondents"

    def table(self) -> Table:
        """The rows with the questionnaire's words; small cells are suppressed and said to be."""
        return super(SurveyResult, self._worded()).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """The estimates with their intervals, in the house theme."""
        return super(SurveyResult, self._worded()).plot(ax)

    def _columns(self) -> Sequence[Column]:
        columns = [self._heading(column) for column in super()._columns()]
        if "deff" in self.rows:
            columns.append(Column(name="deff", kind="number", decimals=2))
        return columns

    def _heading(self, column: Column) -> Column:
        if column.key == "level" and "variable" in self.rows:
            return replace(column, label=say("Answer"))
        if self.questionnaire is None or column.key not in self.questionnaire.items():
            return column
        return replace(column, label=self.questionnaire.label(column.key))

    def _worded(self) -> SurveyResult:
        """A copy whose key columns hold labels; its headings still come from the questionnaire."""
        if self.questionnaire is None:
            return self
        known, rows = set(self.questionnaire.items()), self.rows.copy()
        if "id" in rows and "level" in rows:
            rows["level"] = [term(level) for level in rows["level"]]
        if "variable" in rows and "level" in rows:
            rows["level"] = [self._answer(v, x) for v, x in zip(self.rows["variable"], self.rows["level"], strict=True)]
        for key in self.keys:
            if key in ("variable", "id"):
                rows[key] = [self.questionnaire.label(str(name)) for name in rows[key]]
            elif key in known:
                rows[key] = [self._answer(key, value) for value in self.rows[key]]
        return replace(self, rows=rows)

    def _answer(self, item: str, value: object) -> str:
        labels: dict[int, str] = {}
        if self.questionnaire is not None and item in self.questionnaire.items():
            labels = self.questionnaire.choice_labels(item)
        whole = int(value) if isinstance(value, int | float) and pd.notna(value) and value == int(value) else None
        return labels.get(whole, str(value)) if whole is not None else str(value)


def table_rows(keys: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """Key columns and the columns of the estimate, side by side with a fresh index."""
    return pd.concat([keys.reset_index(drop=True), pd.DataFrame(columns, index=range(len(keys)))], axis=1)


def cell_notes(cells: Cells) -> Iterator[str]:
    """Whom ``where`` and ``by`` leave out for want of a value."""
    if cells.undecided:
        yield say("{n} respondents lack a value that the condition asks for and are left out.", n=cells.undecided)
    if cells.without_key:
        yield say("{n} respondents without a value to group by are left out.", n=cells.without_key)
    if not (cells.code >= 0).any():
        yield say("No respondent satisfies the condition.")


def answer_notes(cells: Cells, answers: Mapping[str, Answered]) -> Iterator[str]:
    """What was left out of the estimates, question by question."""
    yield from cell_notes(cells)
    for name, answer in answers.items():
        yield from question_notes(cells, name, answer)


def question_notes(cells: Cells, name: str, answer: Answered) -> Iterator[str]:
    """What was left out of the estimates of one question."""
    if answer.valid.all():
        return
    inside = cells.code >= 0
    counts = {
        "dont_know": np.count_nonzero(answer.dont_know & inside),
        "off_scale": np.count_nonzero(answer.off_scale & inside),
        "missing": np.count_nonzero(answer.asked & ~answer.valid & inside),
    }
    blank = counts["missing"] - counts["dont_know"] - counts["off_scale"]
    if counts["missing"]:
        yield say(
            "{variable}: {missing} answers are missing ({dont_know} don't know, {off_scale} off the scale, "
            "{blank} blank); they are in neither numerator nor denominator.",
            variable=name, blank=blank, **counts,
        )  # fmt: skip
    not_asked = np.count_nonzero(~answer.asked & inside)
    if not_asked:
        yield say("{variable}: {n} respondents were not asked; they are not missing.", variable=name, n=not_asked)


def design_notes(survey: Survey, rows: pd.DataFrame, *, interval: str, level: float) -> Iterator[str]:
    """The design in words, the choices behind the intervals and what weakens them."""
    arrays, design = survey.arrays, survey.design
    stages = ", ".join(number(n) for n in arrays.n_units)
    yield say(
        "Design: {n} respondents, {strata} strata, units by stage: {stages}; {weights}; {fpc}.",
        n=int(survey.responding.sum()), strata=arrays.n_strata[0], stages=stages,
        weights=_weighting(survey),
        fpc=say("finite population correction") if design.fpc else say("no finite population correction"),
    )  # fmt: skip
    yield from weighting_notes(survey)
    yield say("{level} intervals: {interval}.", level=percent(level, 0), interval=interval)
    lonely = sum(int(stage.lonely.sum()) for stage in sample_of(survey).stages)
    if lonely and design.lonely_psu != "fail":
        yield say("{n} strata have one unit only; rule applied: {rule}.", n=lonely, rule=term(design.lonely_psu))
    some = rows.loc[rows["df"] > 0, "df"]
    if len(some) and some.min() < FEW_DF:
        yield say("Only {df} degrees of freedom: intervals rest on few units and are unstable.", df=int(some.min()))
    none = int(((rows["df"] <= 0) & (rows["n"] > 0)).sum())
    if none and none == len(rows):
        yield say("No degrees of freedom: there are no intervals.")
    elif none:
        yield say(
            "{n} lines rest on answers from one sampled unit only: nothing shows how much units differ. Their standard "
            "error leaves that out, so they have no interval.",
            n=none,
        )
    yield from _alike_notes(survey, rows)


def _alike_notes(survey: Survey, rows: pd.DataFrame) -> Iterator[str]:
    """A note on intervals of no width in a sample that left people out."""
    if not {"estimate", "se", "low", "high"} <= set(rows) or not sample_of(survey).stages[0].kept.any():
        return
    alike = rows["low"].notna() & (rows["se"] <= 1e-12 * rows["estimate"].abs().clip(lower=1))
    if alike.any():
        yield say(
            "{n} lines have an interval of no width: their respondents answered alike, which does not mean that those "
            "not asked would.",
            n=int(alike.sum()),
        )


def _weighting(survey: Survey) -> str:
    design = survey.design
    if design.weights:
        return say("weights {column}", column=design.weights)
    return say("weights derived from the population sizes") if design.fpc else say("no weights")
