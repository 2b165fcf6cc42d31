r"""Variance of a sum of influence values over a stratified multistage sample.

Every estimator of the package is linearised: with :math:`z_i` the weighted influence of respondent i, its variance is
that of the total :math:`\sum_i z_i` over the sample drawn (Binder 1983). With units c of stratum h at stage k,
:math:`t_c` the sum of z over the unit, :math:`n_h` units drawn of :math:`N_h`,

.. math::  V = \sum_k \sum_{h \in k} g_h (1 - n_h/N_h) \frac{n_h}{n_h - 1} \sum_{c \in h} (t_c - \bar t_h)^2

where :math:`g_h` is the product of the fractions drawn at the stages above (Särndal, Swensson and Wretman 1992, ch. 4).
Without population sizes the first stage stands for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.replicates import replicate_covariance
from khaosat.stats.stages import Codes, Floats, Rows, Sample, Stage

T = TypeVar("T", bound=np.generic)
LonelyPSU = Literal["fail", "remove", "adjust", "average", "certainty"]

_CELLS_AT_ONCE = 4_000_000
"""Unit × cell totals held in memory at once."""
_COLUMNS_AT_ONCE = 16
"""Cells whose residuals, which every respondent has, are held in memory at once."""


class LonelyPSUError(ValueError):
    """A stratum has one unit, and the rule in force cannot give it a variance.

    Parameters
    ----------
    stage
        Stage of the stratum, from 1.
    row
        A respondent of that stratum.
    """

    def __init__(self, stage: int, row: int) -> None:
        super().__init__(f"a stratum at stage {stage} has one unit (respondent {row})")
        self.stage = stage
        self.row = row


def cell_variance(scores: Floats, cells: Codes, *, n_cells: int, drawn: Sample, lonely: LonelyPSU = "fail") -> Floats:
    """Variance of the total of the scores in each cell (domain) of a table.

    Parameters
    ----------
    scores
        Weighted influence value of each respondent on the estimate of the cell they are in.
    cells
        The cell of each respondent, -1 for those in none. The whole sample counts: outside its cell a respondent's
        influence is zero, which is not the same as not having been drawn.
    n_cells
        Number of cells.
    drawn
        The sample.
    lonely
        Rule for strata with one unit, named as in R survey. Strata without a respondent in the cell are no reason to
        fail and do not count in ``average``.

    Returns
    -------
    numpy.ndarray
        A variance a cell.

    Raises
    ------
    LonelyPSUError
        Under ``fail``, or under ``average`` if there is no other stratum.

    Examples
    --------
    >>> from khaosat.stats.stages import sample
    >>> one = np.zeros(4, dtype=np.intp)
    >>> srs = sample([one], [np.arange(4)], populations=[np.full(4, np.inf)])
    >>> cell_variance(np.array([1.0, 2.0, 3.0, 6.0]) / 4, one, n_cells=1, drawn=srs)  # mean of 1 2 3 6: s²/n
    array([1.16666667])
    """
    if drawn.residuals or drawn.replicates is not None:
        return _spread_cells(scores, cells, n_cells=n_cells, drawn=drawn, lonely=lonely)
    n_units = len(drawn.stages[-1].stratum_of_unit)
    width = max(1, _CELLS_AT_ONCE // max(n_units, 1))
    variances = np.zeros(n_cells)
    for start in range(0, n_cells, width):
        stop = min(start + width, n_cells)
        here = (cells >= start) & (cells < stop)
        place = drawn.unit[here] * (stop - start) + cells[here] - start
        shape = (n_units, stop - start)
        totals = np.bincount(place, scores[here], n_units * (stop - start)).astype(float).reshape(shape)
        held = np.bincount(place, minlength=n_units * (stop - start)).reshape(shape) > 0
        variances[start:stop] = unit_variance(totals, held, drawn=drawn, lonely=lonely)
    return variances


def unit_variance(totals: Floats, held: Rows, *, drawn: Sample, lonely: LonelyPSU = "fail") -> Floats:
    """Variance of each column's total, from what the units of the last stage add to it (units × columns).

    Parameters
    ----------
    totals
        Sums of weighted influence values over each unit.
    held
        Whether the unit has respondents in the domain of the column.
    drawn, lonely
        As in :func:`cell_variance`.

    Examples
    --------
    >>> from khaosat.stats.stages import sample
    >>> one = np.zeros(4, dtype=np.intp)
    >>> drawn = sample([one], [np.array([0, 0, 1, 2])], populations=[np.full(4, np.inf)])
    >>> unit_variance(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1), dtype=bool), drawn=drawn)
    array([3.])
    """
    parts = _deviations(totals, held, drawn, lonely)
    return np.asarray(sum(np.einsum("ij,ij->j", part, part) for part in parts), dtype=float)


def covariance(scores: Floats, *, drawn: Sample, lonely: LonelyPSU = "fail", inside: Rows | None = None) -> Floats:
    """Covariance matrix of the totals of the columns of scores (respondents × p).

    Parameters
    ----------
    scores
        Weighted influence values, zero for respondents outside the domain.
    drawn, lonely
        As in :func:`cell_variance`.
    inside
        Respondents in the domain; None: all.

    Examples
    --------
    >>> from khaosat.stats.stages import sample
    >>> one = np.zeros(3, dtype=np.intp)
    >>> srs = sample([one], [np.arange(3)], populations=[np.full(3, np.inf)])
    >>> covariance(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]), drawn=srs)
    array([[ 3.,  6.],
           [ 6., 12.]])
    """
    if drawn.replicates is not None:
        weights, every, factors = drawn.replicates
        unweighted = np.divide(scores, weights[:, None], where=weights[:, None] != 0, out=np.zeros_like(scores))
        return replicate_covariance(unweighted.T @ every, factors=factors)
    for residual in drawn.residuals:
        scores, inside = residual(scores), None
    n_units, p = len(drawn.stages[-1].stratum_of_unit), scores.shape[1]
    totals = np.column_stack([np.bincount(drawn.unit, scores[:, j], n_units) for j in range(p)]).astype(float)
    rows = drawn.unit if inside is None else drawn.unit[inside]
    held = np.broadcast_to(np.bincount(rows, minlength=n_units)[:, None] > 0, (n_units, p))
    result = np.zeros((p, p))
    for part in _deviations(totals, held, drawn, lonely):
        result += part.T @ part
    return result


def cell_df(cells: Codes, *, n_cells: int, drawn: Sample) -> NDArray[np.int64]:
    """Degrees of freedom of each cell by itself: primary units less strata that hold any of its respondents.

    Examples
    --------
    >>> from khaosat.stats.stages import sample
    >>> one = np.zeros(4, dtype=np.intp)
    >>> drawn = sample([one], [np.array([0, 0, 1, 2])], populations=[np.full(4, np.inf)])
    >>> cell_df(np.array([0, 0, 0, -1]), n_cells=1, drawn=drawn)
    array([1])
    """
    inside, n_units = cells >= 0, len(drawn.stages[-1].stratum_of_unit)
    counts = np.bincount(drawn.unit[inside] * n_cells + cells[inside], minlength=n_units * n_cells)
    held = _up(counts.reshape(n_units, n_cells) > 0, drawn.stages, np.logical_or)[0]
    strata = _runs(np.logical_or, held, drawn.stages[0].strata)
    return np.asarray(held.sum(axis=0) - strata.sum(axis=0), dtype=np.int64)


def cell_units(cells: Codes, *, n_cells: int, drawn: Sample) -> NDArray[np.int64]:
    """How many independently drawn units the respondents of each cell come from.

    These are primary units; in a stratum whose units were all taken, nothing was drawn, so their parts count instead.

    Examples
    --------
    >>> from khaosat.stats.stages import sample
    >>> one = np.zeros(4, dtype=np.intp)
    >>> drawn = sample([one], [np.array([0, 0, 1, 2])], populations=[np.full(4, np.inf)])
    >>> cell_units(np.array([0, 0, 1, 1]), n_cells=2, drawn=drawn)
    array([1, 2])
    """
    unit = _independent(drawn)
    number, size = unit[drawn.unit], int(unit.max(initial=-1)) + 1
    inside = (cells >= 0) & (number >= 0)
    pairs = np.unique(cells[inside] * size + number[inside])
    return np.bincount(pairs // max(size, 1), minlength=n_cells).astype(np.int64)


def held_units(held: Rows, *, drawn: Sample) -> NDArray[np.int64]:
    """:func:`cell_units` from the units of the last stage that hold respondents of each cell (units × cells)."""
    unit = _independent(drawn)
    counted = unit >= 0
    order = np.argsort(unit[counted], kind="stable")
    starts = np.flatnonzero(np.diff(unit[counted][order], prepend=-1))
    if len(starts) == 0:
        return np.zeros(held.shape[1], dtype=np.int64)
    return np.asarray(np.logical_or.reduceat(held[counted][order], starts, axis=0).sum(axis=0), dtype=np.int64)


def _independent(drawn: Sample) -> Codes:
    """For each unit of the last stage, the number of the independently drawn unit it lies in; -1: nothing was drawn."""
    unit = np.full(1, -1)
    below: Codes = np.zeros(1, dtype=np.intp)
    for stage in drawn.stages:
        n_units = len(stage.stratum_of_unit)
        above = np.repeat(unit, np.diff(np.append(below, n_units)))
        by_chance = stage.kept[stage.stratum_of_unit] > 1e-12
        own = np.where(by_chance, np.arange(n_units) + unit.max(initial=-1) + 1, -1)
        unit, below = np.where(above >= 0, above, own), stage.below
    return unit


def _spread_cells(scores: Floats, cells: Codes, *, n_cells: int, drawn: Sample, lonely: LonelyPSU) -> Floats:
    """Variances by cell where a respondent counts outside their cell too: calibrated or replicate weights."""
    variances = np.zeros(n_cells)
    for start in range(0, n_cells, _COLUMNS_AT_ONCE):
        width = min(_COLUMNS_AT_ONCE, n_cells - start)
        rows = np.flatnonzero((cells >= start) & (cells < start + width))
        table = np.zeros((len(scores), width))
        table[rows, cells[rows] - start] = scores[rows]
        variances[start : start + width] = np.diag(covariance(table, drawn=drawn, lonely=lonely))
    return variances


def _deviations(totals: Floats, held: Rows, drawn: Sample, lonely: LonelyPSU) -> list[Floats]:
    """By stage, what each unit adds: its scaled distance from its stratum; their cross-products are the variance.

    ``totals`` and ``held`` (whether the unit has respondents in the domain) are those of the last stage's units.
    """
    any_lonely = any(stage.lonely.any() for stage in drawn.stages)
    all_held = _up(held, drawn.stages, np.logical_or) if any_lonely else []
    parts = []
    for number, (stage, total) in enumerate(zip(drawn.stages, _up(totals, drawn.stages, np.add), strict=True)):
        mean = _runs(np.add, total, stage.strata) / stage.drawn[:, None]
        pairs = np.where(stage.drawn > 1, stage.drawn / np.maximum(stage.drawn - 1, 1), float(lonely == "adjust"))
        scale = np.sqrt(stage.kept * pairs)[:, None]
        if stage.lonely.any():
            present = _runs(np.logical_or, all_held[number], stage.strata)
            _refuse_lonely(drawn, number, present, lonely)
            if lonely == "adjust":
                mean[stage.lonely] = 0.0  # influences over the whole population are centred on zero
            if lonely == "average":
                scale = scale * np.sqrt(_times_average(stage, present))
        parts.append((total - mean[stage.stratum_of_unit]) * scale[stage.stratum_of_unit])
    return parts


def _refuse_lonely(drawn: Sample, number: int, present: Rows, lonely: LonelyPSU) -> None:
    """Raise where the rule in force has no variance for a stratum that the domain touches."""
    stage = drawn.stages[number]
    alone = present & stage.lonely[:, None]
    if lonely == "average":
        others = _runs(np.logical_or, present & ~stage.lonely[:, None], stage.parents)
        sizes = np.diff(np.append(stage.parents, len(stage.drawn)))
        alone &= ~np.repeat(others, sizes, axis=0)
    if lonely not in ("fail", "average") or not alone.any():
        return
    unit = int(stage.strata[np.flatnonzero(alone.any(axis=1))[0]])
    for deeper in drawn.stages[number:-1]:
        unit = int(deeper.below[unit])
    raise LonelyPSUError(number + 1, int(np.flatnonzero(drawn.unit == unit)[0]))


def _times_average(stage: Stage, present: Rows) -> Floats:
    """Strata present / those with a variance of their own, within each unit of the stage above (strata × p)."""
    counted = _runs(np.add, present.astype(float), stage.parents)
    usable = _runs(np.add, (present & ~stage.lonely[:, None]).astype(float), stage.parents)
    ratio = counted / np.where(usable > 0, usable, 1)
    return np.asarray(np.repeat(ratio, np.diff(np.append(stage.parents, len(stage.drawn))), axis=0), dtype=float)


def _up(units: NDArray[T], stages: Sequence[Stage], combine: np.ufunc) -> list[NDArray[T]]:
    """Values of the units of every stage from those of the last."""
    values = [units]
    for stage in reversed(stages[:-1]):
        values.insert(0, _runs(combine, values[0], stage.below))
    return values


def _runs(combine: np.ufunc, values: NDArray[T], starts: Codes) -> NDArray[T]:
    """Combine the rows of each run."""
    if len(values) == 0:
        return values
    return np.asarray(combine.reduceat(values, starts, axis=0))
