"""Estimates in the cells of a table: every estimator is a ratio of sums, and its influence values give its variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DataError, DesignError
from khaosat.facts.language import say
from khaosat.stats.replicates import replicate_variance
from khaosat.stats.stages import Sample, sample
from khaosat.stats.taylor import LonelyPSUError, cell_df, cell_units, cell_variance
from khaosat.survey.answers import column, ordered_levels
from khaosat.survey.replication import replicate_df, replicate_sums
from khaosat.survey.where import where_rows

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_OWN_NAMES = ("variable", "level", "id", "estimate", "se", "low", "high", "df", "n", "n_missing", "numerator",
              "denominator", "deff")  # fmt: skip
"""Columns of results, which groups cannot be called."""
_SAMPLES: WeakKeyDictionary[Survey, Sample] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """The cells of a table: who is in which.

    Parameters
    ----------
    keys
        The values of the ``by`` columns, one row a cell.
    code
        The cell of each respondent; -1 for those that ``where`` leaves out or whose ``by`` value is missing.
    without_key, undecided
        Respondents left out because a ``by`` value is missing, or a value that ``where`` asks for.
    """

    keys: pd.DataFrame
    code: Codes
    without_key: int = 0
    undecided: int = 0

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.keys)

    def count(self, rows: Rows) -> Counts:
        """How many of the respondents marked in ``rows`` are in each cell."""
        if rows.all():
            return self.sizes
        place = np.where(rows & (self.code >= 0), self.code, self.n)
        return np.bincount(place, minlength=self.n + 1)[:-1].astype(np.int64)

    @cached_property
    def sizes(self) -> Counts:
        """Respondents in each cell."""
        place = np.where(self.code >= 0, self.code, self.n)
        return np.bincount(place, minlength=self.n + 1)[:-1].astype(np.int64)

    def sum(self, values: Floats, rows: Rows) -> Floats:
        """Sum of ``values`` over the respondents marked in ``rows``, by cell."""
        inside = rows & (self.code >= 0)
        return np.bincount(self.code[inside], values[inside], self.n).astype(float)

    def spread(self, values: Floats) -> Floats:
        """The value of each respondent's cell; 0 outside."""
        return np.where(self.code >= 0, values[self.code] if self.n else 0.0, 0.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates:
    """An estimator in every cell.

    Parameters
    ----------
    value
        Estimates; NaN where nobody gave a valid answer.
    influence
        Weighted influence of each respondent on the estimate of their cell.
    valid, asked
        Who gave a valid answer, who was asked.
    replicates
        Estimates from each replicate (cells × replicates), if the survey has replicate weights.
    """

    value: Floats
    influence: Floats
    valid: Rows
    asked: Rows
    replicates: Floats | None = None


def cells_of(survey: Survey, *, by: str | Sequence[str] | None = None, where: str | None = None) -> Cells:
    """The cells of a table, in the order of the keys; one cell when ``by`` is None."""
    inside, undecided = survey.responding, 0
    if where is not None:
        verdict = where_rows(survey.responses, where)
        undecided = int((verdict.isna() & inside).sum())
        inside = inside & verdict.to_numpy(dtype=bool, na_value=False)
    taken = sorted(set(names(by)) & set(_OWN_NAMES))
    if taken:
        raise DataError(say("Groups cannot be called {names}, as columns of results are: rename the columns.",
                            names=", ".join(taken)))  # fmt: skip
    found = [(name, *ordered_levels(column(survey, name))) for name in names(by)]
    keyed = np.logical_and.reduce([inside, *(codes >= 0 for _, codes, _ in found)])
    if not found:
        code = np.where(inside, 0, -1).astype(np.intp)
        return Cells(keys=pd.DataFrame(index=range(1)), code=code, undecided=undecided)
    combinations, place = _combinations([codes[keyed] for _, codes, _ in found], [len(x) for *_, x in found])
    code = np.full(survey.n, -1, dtype=np.intp)
    code[keyed] = place
    keys = {
        name: pd.Series([levels[i] for i in combinations[:, j]], dtype=None if len(combinations) else object)
        for j, (name, _, levels) in enumerate(found)
    }
    return Cells(
        keys=pd.DataFrame(keys), code=code, without_key=int((inside & ~keyed).sum()), undecided=undecided
    )  # fmt: skip


def _combinations(codes: Sequence[Codes], sizes: Sequence[int]) -> tuple[Codes, Codes]:
    """Combinations of codes that occur, in order, and which of them each respondent has."""
    if prod(sizes) > 4 * len(codes[0]):
        table, place = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
        return table, place.reshape(-1)
    place = np.ravel_multi_index(tuple(codes), tuple(sizes)) if len(codes[0]) else np.zeros(0, dtype=np.intp)
    held = np.bincount(place, minlength=prod(sizes)) > 0
    return np.column_stack(np.unravel_index(np.flatnonzero(held), sizes)), (np.cumsum(held) - 1)[place]


def ratio_estimates(
    survey: Survey, cells: Cells, *, top: Floats, bottom: Floats, valid: Rows, asked: Rows
) -> Estimates:
    r"""Ratio of weighted sums :math:`\sum w a / \sum w b` over the valid answers of each cell.

    Its influence is :math:`w (a - R b) / \sum w b` (Binder 1983); a mean has b = 1.
    """
    weight = survey.arrays.weights
    used = valid & (cells.code >= 0)
    below = cells.sum(weight * np.where(valid, bottom, 0.0), used)
    known = below != 0
    value = np.divide(
        cells.sum(weight * np.where(valid, top, 0.0), used), below, where=known, out=np.full(cells.n, np.nan)
    )
    per_cell = cells.spread(np.divide(1.0, below, where=known, out=np.zeros(cells.n)))
    residual = top - cells.spread(np.where(known, value, 0.0)) * bottom
    influence = np.where(used, weight * np.where(valid, residual, 0.0) * per_cell, 0.0)
    again = None
    if survey.replication is not None:
        code, made = np.where(used, cells.code, -1), survey.replication
        tops, bottoms = (replicate_sums(survey, made, values=x, code=code, n_cells=cells.n) for x in (top, bottom))
        again = np.divide(tops, bottoms, where=bottoms != 0, out=np.full_like(tops, np.nan))
    return Estimates(value=value, influence=influence, valid=valid, asked=asked, replicates=again)


def total_estimates(survey: Survey, cells: Cells, *, values: Floats, valid: Rows, asked: Rows) -> Estimates:
    """Weighted sum over the valid answers of each cell; the influence of a respondent is their own part."""
    part = np.where(valid, survey.arrays.weights * np.where(valid, values, 0.0), 0.0)
    again = None
    if survey.replication is not None:
        code = np.where(valid, cells.code, -1)
        again = replicate_sums(survey, survey.replication, values=values, code=code, n_cells=cells.n)
    return Estimates(
        value=cells.sum(part, valid), influence=np.where(cells.code >= 0, part, 0.0), valid=valid, asked=asked,
        replicates=again,
    )  # fmt: skip


def standard_errors(survey: Survey, cells: Cells, estimates: Estimates) -> Floats:
    """Design-based standard errors; NaN where there is no estimate.

    Raises
    ------
    DesignError
        If a stratum has one unit and the design's rule has no variance for it.
    """
    code, drawn = np.where(estimates.valid, cells.code, -1), sample_of(survey)
    if estimates.replicates is not None and survey.replication is not None:
        variance = replicate_variance(estimates.replicates, factors=survey.replication.factors)
        return np.where(cells.count(estimates.valid) > 0, np.sqrt(variance), np.nan)
    try:
        variance = cell_variance(
            estimates.influence, code, n_cells=cells.n, drawn=drawn, lonely=survey.design.lonely_psu
        )
    except LonelyPSUError as error:
        raise DesignError(lonely_message(survey, error)) from error
    return np.where(cells.count(estimates.valid) > 0, np.sqrt(variance), np.nan)


def freedom(
    survey: Survey, cells: Cells, *, domain_df: bool, answered: Rows | None = None, units: Counts | None = None
) -> Counts:
    """Degrees of freedom: primary units less strata of the whole sample, or of each cell by itself.

    With ``answered`` (for ratios and means) they are 0 where all answers of a cell lie in one unit of the sample. The
    cell's influences then add up to zero in that unit, so that the variance between units, most of the whole as a
    rule, comes out as nothing: the standard error is no measure of anything, and there is no interval. ``units`` says
    how many units they lie in where that is known already.
    """
    drawn = sample_of(survey)
    df = np.full(cells.n, drawn.df, dtype=np.int64)
    given = replicate_df(survey)
    if given is not None:
        df[:] = given
    elif domain_df:
        df = cell_df(cells.code, n_cells=cells.n, drawn=drawn)
    if answered is not None:
        units = cell_units(np.where(answered, cells.code, -1), n_cells=cells.n, drawn=drawn)
    if units is not None:
        df[units == 1] = 0
    return df


def sample_of(survey: Survey) -> Sample:
    """The survey's sample, sorted once and kept as long as the survey lives."""
    if survey not in _SAMPLES:
        arrays = survey.arrays
        drawn = sample(arrays.strata, arrays.units, populations=arrays.populations)
        residuals = tuple(change.residual for change in reversed(survey.adjustments))
        made = survey.replication
        again = None if made is None else (arrays.weights, made.weights, made.factors)
        _SAMPLES[survey] = replace(drawn, residuals=residuals, replicates=again)
    return _SAMPLES[survey]


def lonely_message(survey: Survey, error: LonelyPSUError) -> str:
    """What stands in the way of a variance, and what can be done."""
    named = [*names(survey.design.strata)[: error.stage], *names(survey.design.clusters)[: error.stage - 1]]
    row = survey.responses.iloc[error.row]
    place = ", ".join(f"{name}={row[name]}" for name in named) or say("the whole sample")
    return say(
        "Stratum {place} has only one unit at stage {stage}, so its variance is unknown: choose "
        "lonely_psu='remove', 'adjust', 'average' or 'certainty', or join strata.",
        place=place, stage=error.stage,
    )  # fmt: skip
