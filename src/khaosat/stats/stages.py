"""A stratified multistage sample, sorted once for any number of variances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """One stage of a sample whose units are numbered in the order of strata and units of every stage above."""

    below: Codes
    """Where each unit starts among the units of the next stage; empty for the last stage."""
    strata: Codes
    """Where each stratum starts among the units."""
    parents: Codes
    """Where each unit of the stage above starts among the strata."""
    stratum_of_unit: Codes
    drawn: Floats
    """Units drawn in each stratum."""
    kept: Floats
    """1 − n/N of each stratum times the fractions drawn at the stages above: its share in the variance."""
    lonely: Rows
    """Strata with one unit that is not all there is."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """A sample sorted once, for any number of variances.

    Parameters
    ----------
    unit
        Number of each respondent's unit at the last of the stages.
    stages
        The stages, the largest units first; only those that can add variance.
    residuals
        What calibration of the weights leaves of influence values (respondents × p); the last calibration comes first.
    replicates
        Weights that influence values are made with, replicate weights (respondents × replicates) and the factors of
        the replicates: the variance is then theirs.
    """

    unit: Codes
    stages: tuple[Stage, ...]
    residuals: tuple[Callable[[Floats], Floats], ...] = ()
    replicates: tuple[Floats, Floats, Floats] | None = None

    @property
    def df(self) -> int:
        """Degrees of freedom: primary units less strata."""
        return len(self.stages[0].stratum_of_unit) - len(self.stages[0].strata)


def sample(strata: Sequence[Codes], units: Sequence[Codes], *, populations: Sequence[Floats]) -> Sample:
    """Sort a sample by its stages.

    Parameters
    ----------
    strata, units
        Codes by stage, one entry a respondent; codes are unique within the stage, units lie in one stratum, strata in
        one unit of the stage above.
    populations
        Units in the population of the stratum, by stage; infinite if unknown.

    Returns
    -------
    Sample
        For the variances of :mod:`khaosat.stats.taylor`.

    Examples
    --------
    >>> one = np.zeros(4, dtype=np.intp)
    >>> drawn = sample([one], [np.array([0, 0, 1, 2])], populations=[np.full(4, np.inf)])
    >>> drawn.df
    2
    """
    last, first = _numbered(units[_depth(populations) - 1])  # respondents of a unit are alike: sort units, not them
    strata, units = [codes[first] for codes in strata], [codes[first] for codes in units]
    populations = [population[first] for population in populations]
    keys = [codes for pair in zip(strata, units, strict=True) for codes in pair]
    order = np.lexsort(keys[::-1])
    fraction = np.ones(len(order))
    above = np.zeros(len(order), dtype=np.intp)
    stages: list[Stage] = []
    unit_rows: Codes = above[:0]
    for stratum, unit, population in zip(strata, units, populations, strict=True):
        if stages and not fraction.any():
            break  # the stage above came from an unlimited population: its units carry all the variance
        rows = _starts(unit[order])
        if stages:
            stages[-1] = replace(stages[-1], below=np.searchsorted(rows, unit_rows))
        unit_rows = rows
        stage, fraction = _stage(stratum[order], above[order], unit_rows, population[order], fraction)
        stages.append(stage)
        above = unit
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.repeat(np.arange(len(unit_rows)), np.diff(np.append(unit_rows, len(order))))
    return Sample(unit=number[last], stages=tuple(stages))


def _depth(populations: Sequence[Floats]) -> int:
    """How many stages can add variance: none below a stage whose populations are all unlimited."""
    limited = np.ones(len(populations[0]), dtype=bool)
    for depth, population in enumerate(populations, start=1):
        limited &= np.isfinite(population)
        if not limited.any():
            return depth
    return len(populations)


def _numbered(codes: Codes) -> tuple[Codes, Codes]:
    """Codes numbered from 0 in their order, and the first row that has each; without a sort where they are dense."""
    size = int(codes.max(initial=-1)) + 1
    if size > 4 * len(codes):
        _, first, number = np.unique(codes, return_index=True, return_inverse=True)
        return number.reshape(-1), first
    first = np.full(size, -1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of several rows with one code the last to be set stays
    held = first >= 0
    return (np.cumsum(held) - 1)[codes], first[held]


def _stage(
    stratum: Codes, above: Codes, unit_rows: Codes, population: Floats, fraction: Floats
) -> tuple[Stage, Floats]:
    """A stage from rows in sorted order, and the fraction of the population drawn down to it, by row."""
    stratum_rows, above_rows = _starts(stratum), _starts(above)
    strata = np.searchsorted(unit_rows, stratum_rows)
    drawn = np.diff(np.append(strata, len(unit_rows)))
    part = drawn / population[stratum_rows]
    stage = Stage(
        below=unit_rows[:0],
        strata=strata,
        parents=np.searchsorted(stratum_rows, above_rows),
        stratum_of_unit=np.repeat(np.arange(len(strata)), drawn),
        drawn=drawn.astype(float),
        kept=fraction[stratum_rows] * np.maximum(1 - part, 0),
        lonely=(drawn == 1) & (part < 1 - 1e-12),
    )
    return stage, fraction * np.repeat(part, np.diff(np.append(stratum_rows, len(stratum))))


def _starts(codes: Codes) -> Codes:
    """Where each run of equal codes starts."""
    if len(codes) == 0:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.append(True, codes[1:] != codes[:-1])).astype(np.intp)
