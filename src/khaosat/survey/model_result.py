"""What models of a survey return: coefficients, their covariance, and the words for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.stats.intervals import t_interval
from khaosat.stats.p_values import t_p_value
from khaosat.stats.replicates import replicate_covariance
from khaosat.stats.taylor import cell_df
from khaosat.survey.cells import sample_of
from khaosat.survey.covariances import design_covariance
from khaosat.survey.model_frame import INTERCEPT, ModelFrame
from khaosat.survey.replication import replicate_df
from khaosat.survey.result import SurveyResult, cell_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelResult(SurveyResult):
    """Coefficients of a model.

    ``rows``: ``term, estimate, se, low, high, df, n, n_missing, t, p_value``.

    Parameters
    ----------
    covariance
        Design-based covariance of the coefficients; rows and columns are terms.
    fit
        One row about the model as a whole.
    words
        Terms in words, for tables and figures.
    """

    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    words: Mapping[str, str] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The coefficients (without intercept and thresholds) with their intervals; the line is no effect."""
        constant = [term == INTERCEPT or ("|" in term and term not in self.words) for term in self.rows["term"]]
        shown = replace(self, rows=self.rows[~np.array(constant, dtype=bool)])
        ax = super(ModelResult, shown).plot(ax)
        ax.axvline(0, color="0.4", linewidth=0.8, zorder=0)
        ax.set_xlabel(say("Coefficient"))
        return ax

    def _worded(self) -> ModelResult:
        """A copy with the terms in words."""
        words = [self.words.get(name, name) for name in self.rows["term"]]
        return replace(self, rows=self.rows.assign(term=words))

    def _columns(self) -> Sequence[Column]:
        decimals = _decimals(self.rows["se"])
        changed = [
            replace(column, decimals=decimals, label=say("Coefficient")) if column.key == "estimate" else column
            for column in super()._columns()
            if column.key not in ("n", "n_missing")
        ]
        changed = [replace(column, decimals=decimals) if column.key == "interval" else column for column in changed]
        place = next(i for i, column in enumerate(changed) if column.key == "estimate") + 1
        tests = [Column(name="t", kind="number", decimals=2), Column(name="p_value", kind="p_value", decimals=3)]
        se = Column(name="se", kind="number", decimals=decimals)
        return [*changed[:place], se, *changed[place:], *tests]


def _decimals(se: pd.Series) -> int:
    """Digits after the comma that give the smallest standard error two figures."""
    known = se[np.isfinite(se) & (se > 0)]
    return 3 if known.empty else int(np.clip(1 - np.floor(np.log10(known.min())), 2, 6))


def spread_out(influence: Floats, used: Rows) -> Floats:
    """Influence values of everybody: zero for those outside the model, who were drawn all the same."""
    if used.all():
        return influence
    whole = np.zeros((len(used), influence.shape[1]))
    whole[used] = influence
    return whole


def model_covariance(survey: Survey, influence: Floats, *, used: Rows) -> Floats:
    """Covariance of estimates with these influence values of the used respondents, by the design."""
    return design_covariance(survey, spread_out(influence, used), inside=used)


def coefficient_covariance(
    survey: Survey, influence: Floats, *, frame: ModelFrame, refit: Callable[[Floats], Floats | None]
) -> Floats:
    """Covariance of coefficients: from their influence values or, with replicate weights, fitted again with each.

    Raises
    ------
    DataError
        If a replicate has no finite estimate.
    """
    made = survey.replication
    if made is None:
        return model_covariance(survey, influence, used=frame.used)
    again = [refit(w) if w.any() else None for w in made.weights[frame.used].T]
    found = [coef for coef in again if coef is not None]
    if len(found) < len(again):
        raise DataError(
            say("{n} of {all} replicates have no finite estimate of {formula!r}: some answer or level is too rare in "
                "them.", n=len(again) - len(found), all=len(again), formula=frame.formula.text)
        )  # fmt: skip
    return replicate_covariance(np.column_stack(found), factors=made.factors)


def model_df(survey: Survey, used: Rows, *, slopes: int) -> int:
    """Primary units less strata that hold respondents of the model, less its slopes; as R's svyglm and svyolr."""
    given = replicate_df(survey)
    if given is not None:
        return given - slopes
    cells = np.where(used, 0, -1).astype(np.intp)
    return int(cell_df(cells, n_cells=1, drawn=sample_of(survey))[0]) - slopes


def coefficient_rows(
    terms: Sequence[str], *, estimate: Floats, se: Floats, df: int, frame: ModelFrame, level: float
) -> pd.DataFrame:
    """Rows of coefficients with Student's interval and test; without degrees of freedom neither."""
    low, high = t_interval(estimate, se, df=df, level=level)
    t = np.divide(estimate, se, where=se > 0, out=np.full(len(estimate), np.nan))
    return pd.DataFrame(
        {
            "term": list(terms), "estimate": estimate, "se": se, "low": low, "high": high, "df": df, "n": frame.n,
            "n_missing": frame.n_missing, "t": t, "p_value": t_p_value(t, df),
        }
    )  # fmt: skip


def model_notes(frame: ModelFrame, *, df: int, n_terms: int) -> Iterator[str]:
    """Who is in the model, against what its coefficients are measured, and whether the design can carry it."""
    yield from cell_notes(frame.cells)
    if frame.n_missing:
        yield say(
            "{n} respondents are in the model; {missing} more were asked but did not answer every question of it.",
            n=frame.n, missing=frame.n_missing,
        )  # fmt: skip
    not_asked = frame.cells.count(~np.logical_and.reduce([a.asked for a in frame.answers.values()]))[0]
    if not_asked:
        yield say("{n} respondents were not asked every question of the model and are not in it.", n=int(not_asked))
    for name, levels in frame.levels.items():
        yield say(
            "{term}: compared with {level}.",
            term=name,
            level=frame.answer_word(frame.formula.factors[name].columns[0], levels[0]),
        )
    if df <= 0:
        yield say(
            "The design has too few primary units for a model of {n} terms: no interval and no p-value. Use fewer "
            "terms.",
            n=n_terms,
        )


def separated(frame: ModelFrame, terms: Sequence[str]) -> DataError:
    """The error for an outcome that some terms tell without fail."""
    return DataError(
        say(
            "{terms} of {formula!r} tells the outcome without fail for some answers, so its coefficient would be "
            "infinite: join levels or leave it out.",
            terms=", ".join(terms), formula=frame.formula.text,
        )
    )  # fmt: skip
