"""What was done to the weights after the sample was drawn, in the words of the core: adjustments and replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.design_arrays import DesignArrays
from khaosat.facts.language import say

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
ReplicateMethod = Literal["jackknife", "bootstrap", "brr", "fay"]

_SAME = 1e-6
"""Distance at which multipliers of a replicate count as one number."""


class Adjustment(Protocol):
    """A change of the weights that the variance has to know of: calibration, raking, trimming."""

    @property
    def weights(self) -> Floats:
        """Weights after the change, one a respondent."""
        ...

    def residual(self, scores: Floats) -> Floats:
        """What is left of weighted influence values (respondents × p) once the change is known."""
        ...

    def apply(self, weights: Floats) -> Floats:
        """The same change made to other weights (respondents × replicates)."""
        ...

    def words(self) -> Sequence[str]:
        """What was done, for the notes of every result."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Replicates:
    """Replicate weights: the sample with some units left out or drawn again, many times.

    Parameters
    ----------
    weights
        Respondents × replicates, adjusted like the weights of the survey.
    factors
        Factor of each replicate in the variance.
    method
        How they were made.
    given
        Whether they came with the data, so that their rank and not the design tells the degrees of freedom.
    multipliers
        Where every replicate multiplies the weights of a unit by one number: those numbers (units × replicates).
        Sums over units are then all that an estimate needs. None once weights were adjusted, one by one.
    unit
        The unit of each respondent among the rows of ``multipliers``.
    """

    weights: Floats
    factors: Floats
    method: str
    given: bool = False
    multipliers: Floats | None = None
    unit: Codes | None = None

    @property
    def n(self) -> int:
        """Number of replicates."""
        return int(self.weights.shape[1])


def given_replicates(
    responses: pd.DataFrame,
    columns: Sequence[str],
    *,
    method: ReplicateMethod,
    scales: float | Sequence[float] | None,
    arrays: DesignArrays,
    stratified: bool,
) -> tuple[Replicates | None, list[str]]:
    """Replicate weights from columns of the responses, or None and every fault that stands in the way.

    Parameters
    ----------
    responses, columns
        Where they are; each column holds whole weights, not multipliers.
    method
        How they were made; decides their factors if ``scales`` does not say them.
    scales
        Factor of each replicate in the variance, or one for all.
    arrays
        The design; ``stratified`` if it names strata, which the jackknife's factors then follow.
    """
    absent = [name for name in columns if name not in responses]
    faults = [say("Column {column} is not in the responses: name a column that is.", column=name) for name in absent]
    if len(set(columns)) < len(columns):
        faults.append(say("A replicate weight is named twice: every replicate has a column of its own."))
    if len(columns) < 2:
        faults.append(say("{n} replicate weights make no variance: at least two are needed.", n=len(columns)))
    held = [name for name in dict.fromkeys(columns) if name in responses and (responses.columns == name).sum() == 1]
    weights = np.column_stack(
        [pd.to_numeric(responses[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for name in held]
        or [np.empty((len(responses), 0))]
    )
    bad = ~(np.isfinite(weights) & (weights >= 0))
    for place in np.flatnonzero(bad.any(axis=0)):
        faults.append(
            say(
                "Replicate weight {column} is missing, not a number or negative in {n} rows.",
                column=held[place], n=int(bad[:, place].sum()),
            )
        )  # fmt: skip
    if scales is not None and not isinstance(scales, float | int) and len(list(scales)) != len(columns):
        faults.append(
            say("replicate_scales has {n} numbers for {columns} columns.", n=len(list(scales)), columns=len(columns))
        )
    if faults or len(responses) == 0:
        return None, faults
    if scales is not None:
        factors: Floats | None = np.broadcast_to(np.asarray(scales, dtype=float), (len(held),)).copy()
    else:
        factors = _factors(weights, method=method, arrays=arrays, stratified=stratified)
    if factors is None or not (factors >= 0).all():
        return None, [
            say(
                "The factors of the replicates ({method}) cannot be told from the columns: give them in "
                "replicate_scales, one a column.",
                method=method,
            )
        ]
    return Replicates(weights=weights, factors=factors, method=method, given=True), []


def _factors(weights: Floats, *, method: ReplicateMethod, arrays: DesignArrays, stratified: bool) -> Floats | None:
    """Factors that follow from the method; None if it takes more than the columns to know them."""
    n = weights.shape[1]
    if method == "bootstrap":
        return np.full(n, 1 / (n - 1))
    if method == "brr":
        return np.full(n, 1 / n)
    if method == "fay":
        multipliers = weights / arrays.weights[:, None]
        low = float(multipliers.min())
        two = np.isclose(multipliers, low, rtol=0, atol=_SAME) | np.isclose(multipliers, 2 - low, rtol=0, atol=_SAME)
        return np.full(n, 1 / (n * (1 - low) ** 2)) if two.all() and low < 1 - _SAME else None
    return _jackknife_factors(weights, arrays) if stratified else np.full(n, (n - 1) / n)


def _jackknife_factors(weights: Floats, arrays: DesignArrays) -> Floats | None:
    """(n_h − 1)/n_h (1 − n_h/N_h) of the stratum of the one unit that each replicate leaves out."""
    units, first, place = np.unique(arrays.units[0], return_index=True, return_inverse=True)
    strata = arrays.strata[0][first]
    kept = np.zeros((len(units), weights.shape[1]))
    np.maximum.at(kept, place, weights)
    if not ((kept == 0).sum(axis=0) == 1).all():
        return None
    out = np.argmax(kept == 0, axis=0)
    drawn = np.bincount(strata)[strata[out]].astype(float)
    return np.asarray((drawn - 1) / drawn * (1 - drawn / arrays.populations[0][first[out]]), dtype=float)
