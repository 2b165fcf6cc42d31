"""Conformal bands of a time to come, group by group, when some of the calibration times are still running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bands:
    """Quantiles of what is left of a prediction, by group; made by :func:`residual_bands`."""

    probs: tuple[float, ...]
    overall: Floats
    groups: dict[object, Floats]

    def of(self, group: Sequence[object]) -> Floats:
        """One row a case, one column a probability; groups too small for their own take the overall one."""
        return np.array([self.groups.get(name, self.overall) for name in group]).reshape(-1, len(self.probs))


def residual_bands(
    residual: Floats, ended: NDArray[np.bool_], group: Sequence[object], *, probs: Sequence[float], least: int = 100
) -> Bands:
    """Quantiles of residuals by the product-limit estimate: a time still running is at least what it has reached.

    Split conformal prediction within groups (Mondrian); leaving the running ones out would make the bands too short.

    Parameters
    ----------
    residual
        Time minus its prediction, on the scale of the prediction; of a running time, what it has reached.
    ended
        Whether the time has ended.
    group
        Name of the group of each case.
    probs
        Probabilities, rising.
    least
        Groups with fewer ended times take the overall quantiles.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481. Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random
    World, Springer, 114-121. Candès, Lei and Ren (2023), JRSS B 85, 24-45.

    Examples
    --------
    >>> bands = residual_bands(np.arange(10.0), np.ones(10, bool), ["u"] * 10, probs=[0.5, 0.9], least=5)
    >>> bands.of(["u", "v"]).tolist()
    [[5.0, 9.0], [5.0, 9.0]]
    """
    groups, places = {}, {name: place for place, name in enumerate(dict.fromkeys(group))}
    codes = np.array([places[name] for name in group], dtype=int)
    for name, place in places.items():
        inside = codes == place
        if ended[inside].sum() >= least:
            groups[name] = _quantiles(residual[inside], ended[inside], probs)
    return Bands(probs=tuple(probs), overall=_quantiles(residual, ended, probs), groups=groups)


def _quantiles(residual: Floats, ended: NDArray[np.bool_], probs: Sequence[float]) -> Floats:
    """The least value with ``prob`` of n + 1 cases at or below it; infinite where the times do not reach it."""
    order = np.lexsort([~ended, residual])  # at a tie, ends come before running times
    values, events = residual[order], ended[order]
    # One more case than there are: the one to come, which may lie beyond all of them.
    at_risk = len(values) + 1 - np.arange(len(values))
    below = 1 - np.cumprod(1 - events / at_risk)
    found = np.full(len(probs), np.inf)
    for i, prob in enumerate(probs):
        reached = np.flatnonzero((below >= prob - 1e-12) & events)
        if len(reached):
            found[i] = values[reached[0]]
    return found
