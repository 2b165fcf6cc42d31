"""Means and shares of many questions from sums by sampled unit and cell: more than these their variance never needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DesignError
from khaosat.stats.stages import Sample
from khaosat.stats.taylor import LonelyPSUError, cell_units, held_units, unit_variance
from khaosat.survey.answers import Answered
from khaosat.survey.cells import Cells, lonely_message, ratio_estimates, sample_of, standard_errors

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_MOST = 4_000_000
"""Units × cells held in memory at once; beyond, respondents are taken as they come."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Average:
    """A mean, or a share, of one question in every cell.

    Parameters
    ----------
    value, se
        Estimates and standard errors; NaN where nobody gave a valid answer.
    n
        Valid answers.
    units
        Independently drawn units that hold valid answers.
    """

    value: Floats
    se: Floats
    n: Counts
    units: Counts


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitSums:
    """Where each respondent is added: the unit of the last stage they lie in, by their cell.

    Parameters
    ----------
    survey, cells, drawn
        Whose sums, in which cells, of which sample.
    place
        Unit × cell of each respondent; one place more for those in no cell.
    everybody
        Weights, and respondents, added up (units × cells): what is divided by where nobody's answer is missing.
    """

    survey: Survey
    cells: Cells
    drawn: Sample
    place: Codes
    everybody: tuple[Floats, Floats]

    @classmethod
    def of(cls, survey: Survey, cells: Cells) -> UnitSums | None:
        """Places of the respondents, or None where sums by unit do not tell the variance or would be too many."""
        drawn = sample_of(survey)
        n_units = len(drawn.stages[-1].stratum_of_unit)
        if drawn.residuals or drawn.replicates is not None or not 0 < n_units * cells.n <= _MOST:
            return None
        place = np.where(cells.code >= 0, drawn.unit * cells.n + cells.code, n_units * cells.n)
        everybody = (_added(place, survey.arrays.weights, (n_units, cells.n)), _added(place, None, (n_units, cells.n)))
        return cls(survey=survey, cells=cells, drawn=drawn, place=place, everybody=everybody)

    @cached_property
    def units(self) -> Counts:
        """Independently drawn units that hold respondents of each cell."""
        return held_units(self.everybody[1] > 0, drawn=self.drawn)

    def mean(self, values: Floats, valid: Rows, *, centre: float = 0.0) -> Average:
        r"""Weighted mean of ``values`` over the valid answers of each cell.

        With :math:`t_u` and :math:`s_u` the sums of :math:`w y` and :math:`w` over unit u, :math:`R = \sum t / \sum s`,
        the unit adds :math:`(t_u - R s_u) / \sum s` to the variance's total. ``centre`` is taken off the values first
        and added again, so that digits they share are not lost.
        """
        weight, everywhere = self.survey.arrays.weights, valid.all()
        if not everywhere:
            values = np.where(valid, values, centre)
        top = _added(self.place, (values - centre if centre else values) * weight, self.everybody[0].shape)
        return self._average(top, None if everywhere else valid, centre=centre)

    def share(self, chose: Rows, valid: Rows) -> tuple[Average, Counts]:
        """Weighted share of those who ``chose`` among the valid answers, and how many chose, in each cell."""
        top, count = self._of(chose)
        return self._average(top, None if valid.all() else valid), count.sum(axis=0).astype(np.int64)

    def _of(self, rows: Rows) -> tuple[Floats, Floats]:
        """Weights, and respondents, of those marked in ``rows``, added up."""
        few, shape = np.flatnonzero(rows), self.everybody[0].shape
        place = self.place.take(few)
        return _added(place, self.survey.arrays.weights.take(few), shape), _added(place, None, shape)

    def _average(self, top: Floats, valid: Rows | None, *, centre: float = 0.0) -> Average:
        """Sums divided by the weights of the valid answers (None: all are), with their standard errors."""
        (bottom, count), units = self.everybody, self.units
        if valid is not None:
            bottom, count = self._of(valid)
            units = held_units(count > 0, drawn=self.drawn)
        below = bottom.sum(axis=0)
        answered = below > 0
        per_cell = np.divide(1.0, below, where=answered, out=np.zeros_like(below))
        mean = top.sum(axis=0) * per_cell
        try:
            variance = unit_variance(
                (top - mean * bottom) * per_cell, count > 0, drawn=self.drawn, lonely=self.survey.design.lonely_psu
            )
        except LonelyPSUError as error:
            raise DesignError(lonely_message(self.survey, error)) from error
        return Average(
            value=np.where(answered, mean + centre, np.nan), se=np.where(answered, np.sqrt(variance), np.nan),
            n=count.sum(axis=0).astype(np.int64), units=units,
        )  # fmt: skip


def _added(place: Codes, values: Floats | Rows | None, shape: tuple[int, ...]) -> Floats:
    """Sums (or counts) by place, as units × cells; the last place, that of nobody's cell, is left out."""
    return np.bincount(place, values, shape[0] * shape[1] + 1)[:-1].astype(float, copy=False).reshape(shape)


def cell_means(
    survey: Survey, cells: Cells, sums: UnitSums | None, *, answer: Answered, values: Floats, centre: float = 0.0
) -> Average:
    """Weighted mean of ``values`` over the valid answers of each cell: by unit, or respondent by respondent."""
    valid = answer.valid
    if sums is not None:
        return sums.mean(values, valid, centre=centre)
    estimates = ratio_estimates(survey, cells, top=values, bottom=np.ones(survey.n), valid=valid, asked=answer.asked)
    return Average(
        value=estimates.value, se=standard_errors(survey, cells, estimates), n=cells.count(valid),
        units=cell_units(np.where(valid, cells.code, -1), n_cells=cells.n, drawn=sample_of(survey)),
    )  # fmt: skip


def cell_shares(
    survey: Survey, cells: Cells, sums: UnitSums | None, *, answer: Answered, chose: Rows
) -> tuple[Average, Counts]:
    """Weighted share of those who ``chose`` among the valid answers of each cell, and how many they are."""
    if sums is not None:
        return sums.share(chose, answer.valid)
    return cell_means(survey, cells, None, answer=answer, values=chose.astype(float)), cells.count(chose)


def common_part(values: Floats) -> float:
    """What numbers have in common if it is more than what tells them apart (a year, a constant); else 0.

    >>> common_part(np.array([2025.0, np.nan, 2026.0])), common_part(np.array([1.0, 5.0]))
    (2025.0, 0.0)
    """
    low, high = float(np.fmin.reduce(values, initial=np.inf)), float(np.fmax.reduce(values, initial=-np.inf))
    return low if np.isfinite(low) and high - low < abs(low) else 0.0
