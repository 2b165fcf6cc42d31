"""Estimates in the cells of a table: every estimator is a ratio of sums, and its influence values give its variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DesignError
from khaosat.facts.language import say
from khaosat.stats.stages import Sample, sample
from khaosat.stats.taylor import LonelyPSUError, cell_df, cell_variance
from khaosat.survey.answers import column, ordered_levels
from khaosat.survey.where import where_rows

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

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
    without_key
        Respondents left out because a ``by`` value is missing.
    """

    keys: pd.DataFrame
    code: Codes
    without_key: int = 0

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.keys)

    def count(self, rows: Rows) -> Counts:
        """How many of the respondents marked in ``rows`` are in each cell."""
        inside = rows & (self.code >= 0)
        return np.bincount(self.code[inside], minlength=self.n).astype(np.int64)

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
    """

    value: Floats
    influence: Floats
    valid: Rows
    asked: Rows


def cells_of(survey: Survey, *, by: str | Sequence[str] | None = None, where: str | None = None) -> Cells:
    """The cells of a table, in the order of the keys; one cell when ``by`` is None."""
    inside = np.ones(survey.n, dtype=bool) if where is None else where_rows(survey.responses, where)
    found = [(name, *ordered_levels(column(survey, name))) for name in names(by)]
    keyed = np.logical_and.reduce([inside, *(codes >= 0 for _, codes, _ in found)])
    if not found:
        return Cells(keys=pd.DataFrame(index=range(1)), code=np.where(inside, 0, -1).astype(np.intp))
    table = np.column_stack([codes for _, codes, _ in found])[keyed]
    combinations, place = np.unique(table, axis=0, return_inverse=True)
    code = np.full(survey.n, -1, dtype=np.intp)
    code[keyed] = place.reshape(-1)
    keys = {
        name: pd.Series([levels[i] for i in combinations[:, j]], dtype=None if len(combinations) else object)
        for j, (name, _, levels) in enumerate(found)
    }
    return Cells(keys=pd.DataFrame(keys), code=code, without_key=int((inside & ~keyed).sum()))


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
    return Estimates(value=value, influence=influence, valid=valid, asked=asked)


def total_estimates(survey: Survey, cells: Cells, *, values: Floats, valid: Rows, asked: Rows) -> Estimates:
    """Weighted sum over the valid answers of each cell; the influence of a respondent is their own part."""
    part = np.where(valid, survey.arrays.weights * np.where(valid, values, 0.0), 0.0)
    return Estimates(
        value=cells.sum(part, valid), influence=np.where(cells.code >= 0, part, 0.0), valid=valid, asked=asked
    )


def standard_errors(survey: Survey, cells: Cells, estimates: Estimates) -> Floats:
    """Design-based standard errors; NaN where there is no estimate.

    Raises
    ------
    DesignError
        If a stratum has one unit and the design's rule has no variance for it.
    """
    code = np.where(estimates.valid, cells.code, -1)
    try:
        variance = cell_variance(
            estimates.influence, code, n_cells=cells.n, drawn=sample_of(survey), lonely=survey.design.lonely_psu
        )
    except LonelyPSUError as error:
        raise DesignError(_lonely_message(survey, error)) from error
    return np.where(cells.count(estimates.valid) > 0, np.sqrt(variance), np.nan)


def freedom(survey: Survey, cells: Cells, *, domain_df: bool) -> Counts:
    """Degrees of freedom: primary units less strata of the whole sample, or of each cell by itself."""
    drawn = sample_of(survey)
    if domain_df:
        return cell_df(cells.code, n_cells=cells.n, drawn=drawn)
    return np.full(cells.n, drawn.df, dtype=np.int64)


def sample_of(survey: Survey) -> Sample:
    """The survey's sample, sorted once and kept as long as the survey lives."""
    if survey not in _SAMPLES:
        arrays = survey.arrays
        _SAMPLES[survey] = sample(arrays.strata, arrays.units, populations=arrays.populations)
    return _SAMPLES[survey]


def _lonely_message(survey: Survey, error: LonelyPSUError) -> str:
    named = [*names(survey.design.strata)[: error.stage], *names(survey.design.clusters)[: error.stage - 1]]
    row = survey.responses.iloc[error.row]
    place = ", ".join(f"{name}={row[name]}" for name in named) or say("the whole sample")
    return say(
        "Stratum {place} has only one unit at stage {stage}, so its variance is unknown: choose "
        "lonely_psu='remove', 'adjust', 'average' or 'certainty', or join strata.",
        place=place, stage=error.stage,
    )  # fmt: skip
