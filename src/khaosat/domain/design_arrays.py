"""From design columns to arrays, with every fault found on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts.language import say

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

_SHOWN = 5
"""Rows named in the message of a fault; their number is always given."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DesignArrays:
    """A design, one entry a respondent; tuples go by stage, the first is the largest unit.

    Parameters
    ----------
    weights
        Sampling weights, all positive.
    strata
        Stratum codes; below the first stage a stratum lies within one unit of the stage above.
    units
        Unit codes, unique over the whole sample (a unit belongs to one stratum).
    populations
        Number of units in the population of the stratum; infinite where no fpc was given.
    """

    weights: Floats
    strata: tuple[Codes, ...]
    units: tuple[Codes, ...]
    populations: tuple[Floats, ...]

    @cached_property
    def n_strata(self) -> tuple[int, ...]:
        """Number of strata by stage."""
        return tuple(len(np.unique(codes)) for codes in self.strata)

    @cached_property
    def n_units(self) -> tuple[int, ...]:
        """Number of sampled units by stage."""
        return tuple(len(np.unique(codes)) for codes in self.units)


def design_arrays(
    responses: pd.DataFrame,
    *,
    weights: str | None,
    strata: Sequence[str],
    clusters: Sequence[str],
    fpc: Sequence[str],
    nest: bool,
) -> tuple[DesignArrays | None, list[str]]:
    """The arrays of a design, or None and every fault that stands in the way."""
    needed = ([weights] if weights else []) + [*strata, *clusters, *fpc]
    faults = _column_faults(responses, needed)
    if faults:
        return None, faults
    faults += [fault for name in dict.fromkeys([*strata, *clusters]) for fault in _gaps(responses[name], name)]
    if faults:
        return None, faults
    stratum_codes, unit_codes, faults = _nested(responses, strata, clusters, nest)
    populations = []
    for stage, (stratum, unit) in enumerate(zip(stratum_codes, unit_codes, strict=True)):
        size = np.full(len(responses), np.inf)
        if stage < len(fpc):
            size, found = _population(responses[fpc[stage]], fpc[stage], stratum, unit)
            faults += found
        populations.append(size)
    if weights:
        weight, found = _weights(responses[weights], weights)
        faults += found
    elif fpc and not faults:
        weight, found = _weights_from_fpc(stratum_codes, unit_codes, populations)
        faults += found
    else:
        weight = np.ones(len(responses))
    if faults:
        return None, faults
    arrays = DesignArrays(
        weights=weight, strata=tuple(stratum_codes), units=tuple(unit_codes), populations=tuple(populations)
    )
    return arrays, []


def _column_faults(responses: pd.DataFrame, needed: Sequence[str]) -> list[str]:
    faults = []
    for name in dict.fromkeys(needed):
        found = int((responses.columns == name).sum())
        if found == 0:
            faults.append(say("Column {column} is not in the responses: name a column that is.", column=name))
        elif found > 1:
            faults.append(say("Column {column} is there {n} times: rename all but one.", column=name, n=found))
    return faults


def _gaps(values: pd.Series, name: str) -> list[str]:
    gaps = values.isna().to_numpy()
    if not gaps.any():
        return []
    return [
        say(
            "Column {column} is empty in {n} rows ({rows}): every respondent needs a stratum and units.",
            column=name, n=int(gaps.sum()), rows=_rows(gaps),
        )
    ]  # fmt: skip


def _nested(
    responses: pd.DataFrame, strata: Sequence[str], clusters: Sequence[str], nest: bool
) -> tuple[list[Codes], list[Codes], list[str]]:
    """Codes by stage, made unique within the stage above; without clusters every respondent is a unit."""
    n, faults = len(responses), []
    stratum_codes: list[Codes] = []
    unit_codes: list[Codes] = []
    above: Codes = np.zeros(n, dtype=np.intp)
    for stage in range(max(len(clusters), 1)):
        own = _codes(responses[strata[stage]]) if stage < len(strata) else np.zeros(n, dtype=np.intp)
        stratum = _pair(above, own)
        unit: Codes = np.arange(n, dtype=np.intp)
        if clusters:
            named = _codes(responses[clusters[stage]])
            inside_stratum = nest or stage > 0  # a stratum below the first stage lies in one unit of the stage above
            unit = _pair(stratum, named) if inside_stratum else named
            if not inside_stratum:
                faults += _split_units(stratum, unit, responses[clusters[0]])
        stratum_codes.append(stratum)
        unit_codes.append(unit)
        above = unit
    return stratum_codes, unit_codes, faults


def _split_units(stratum: Codes, unit: Codes, values: pd.Series) -> list[str]:
    """Units that lie in more than one stratum."""
    pairs = pd.DataFrame({"unit": unit, "stratum": stratum}).drop_duplicates()
    split = pairs["unit"].value_counts()
    split = split[split > 1]
    if split.empty:
        return []
    first = {int(code): place for place, code in reversed(list(enumerate(unit)))}
    shown = ", ".join(str(values.iloc[first[int(code)]]) for code in sorted(split.index)[:_SHOWN])
    return [
        say(
            "{n} units of {column} lie in more than one stratum ({units}): if numbers start again in every stratum, "
            "set nest=True; if not, correct the strata.",
            n=len(split), column=values.name, units=shown,
        )
    ]  # fmt: skip


def _population(values: pd.Series, name: str, stratum: Codes, unit: Codes) -> tuple[Floats, list[str]]:
    """Population size of each row's stratum; fractions become sizes."""
    given = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~(given > 0)
    if bad.any():
        return given, [
            say(
                "fpc column {column} is missing, not a number or not positive in {n} rows ({rows}).",
                column=name,
                n=int(bad.sum()),
                rows=_rows(bad),
            )
        ]
    sizes = bool((given > 1).any())
    if sizes and bool((given < 1).any()):
        return given, [
            say(
                "fpc column {column} mixes population sizes and fractions ({rows}): use one or the other.",
                column=name,
                rows=_rows(given < 1),
            )
        ]
    first = pd.Series(given).groupby(stratum).transform("first").to_numpy()
    varies = ~np.isclose(given, first, rtol=1e-12, atol=0) & (given != first)
    if varies.any():
        return given, [
            say(
                "fpc column {column} changes within a stratum in {n} rows ({rows}): it is one number a stratum.",
                column=name,
                n=int(varies.sum()),
                rows=_rows(varies),
            )
        ]
    sampled = sampled_units(stratum, unit)
    population = given if sizes else sampled / given
    short = population < sampled * (1 - 1e-12)
    if short.any():
        return given, [
            say(
                "fpc column {column} is smaller than the number of units sampled in {n} rows ({rows}).",
                column=name,
                n=int(short.sum()),
                rows=_rows(short),
            )
        ]
    return population, []


def _weights(values: pd.Series, name: str) -> tuple[Floats, list[str]]:
    weight = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    faults = []
    unknown = ~np.isfinite(weight)
    if unknown.any():
        faults.append(
            say(
                "Weight {column} is missing or not a number in {n} rows ({rows}).",
                column=name,
                n=int(unknown.sum()),
                rows=_rows(unknown),
            )
        )
    wrong = np.less_equal(weight, 0, where=~unknown, out=np.zeros(len(weight), dtype=bool))
    if wrong.any():
        faults.append(
            say(
                "Weight {column} is zero or negative in {n} rows ({rows}).",
                column=name,
                n=int(wrong.sum()),
                rows=_rows(wrong),
            )
        )
    return weight, faults


def _weights_from_fpc(
    strata: Sequence[Codes], units: Sequence[Codes], populations: Sequence[Floats]
) -> tuple[Floats, list[str]]:
    """1 / probability of selection: the product over the stages of units there / units drawn."""
    weight = np.ones(len(strata[0]))
    for stage, (stratum, unit, population) in enumerate(zip(strata, units, populations, strict=True), start=1):
        if np.isinf(population).any():
            return weight, [
                say("Weights cannot be derived: stage {stage} has no finite fpc. Name a weights column.", stage=stage)
            ]
        weight *= population / sampled_units(stratum, unit)
    return weight, []


def sampled_units(stratum: Codes, unit: Codes) -> Floats:
    """How many units were drawn in the stratum of each row.

    >>> sampled_units(np.array([0, 0, 0, 1]), np.array([5, 5, 6, 7]))
    array([2., 2., 2., 1.])
    """
    if len(unit) == 0:
        return np.zeros(0)
    _, first = np.unique(unit, return_index=True)
    return np.bincount(stratum[first])[stratum].astype(float)


def _codes(values: pd.Series) -> Codes:
    return np.asarray(pd.factorize(values)[0], dtype=np.intp)


def _pair(outer: Codes, inner: Codes) -> Codes:
    """One code for each pair of codes, in the order of the pairs."""
    if len(outer) == 0:
        return outer
    pair = outer * (inner.max() + 1) + inner
    if pair.max() > 4 * len(pair):
        return np.asarray(np.unique(pair, return_inverse=True)[1], dtype=np.intp)
    return np.asarray((np.cumsum(np.bincount(pair) > 0) - 1)[pair], dtype=np.intp)  # no sort: millions of rows


def _rows(wrong: Rows) -> str:
    """Row numbers as people count them, from 1; no more than a few."""
    places = np.flatnonzero(wrong) + 1
    shown = ", ".join(str(place) for place in places[:_SHOWN])
    return say("row {rows}", rows=shown + (", …" if len(places) > _SHOWN else ""))
