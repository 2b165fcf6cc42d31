"""Average effects of the levels of factors in a binomial regression on counts, with delta-method errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.grouped_binomial import GroupedFit, Link, mean_slope

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """The columns of one factor: ``columns[level]`` in the model matrix, -1 for the reference and what was left out."""

    code: Codes
    columns: Sequence[int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """A quantity and its derivative by the coefficients."""

    value: float
    gradient: Floats

    def se(self, covariance: Floats) -> float:
        """Standard error."""
        return float(np.sqrt(max(float(self.gradient @ covariance @ self.gradient), 0.0)))


def level_effects(
    x: Floats, fit: GroupedFit, block: Block, level: int, *, total: Floats, link: Link
) -> tuple[Effect, Effect]:
    r"""What a level goes with, against the reference level of its factor, all else as it is.

    The average effect :math:`\sum_c n_c\{\mu_c(\ell) - \mu_c(0)\}/\sum_c n_c` over all cases, and the excess
    :math:`\sum_{c:\,level = \ell} n_c\{\mu_c - \mu_c(0)\}`: how many successes fewer there would be, had the cases of
    the level the chances of the reference.

    Examples
    --------
    >>> from khaosat.stats.grouped_binomial import fit_grouped
    >>> x, n = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([40.0, 40.0])
    >>> fit = fit_grouped(np.array([10.0, 30.0]), n, x)
    >>> block = Block(code=np.array([0, 1]), columns=[-1, 1])
    >>> [round(effect.value, 6) for effect in level_effects(x, fit, block, 1, total=n, link="logit")]
    [0.5, 20.0]
    """
    own = [column for column in block.columns if column >= 0]
    bare = x.copy()
    bare[:, own] = 0.0
    eta, column = bare @ fit.coef, block.columns[level]
    without, slope_without = mean_slope(eta, link)
    with_it, slope_with = mean_slope(eta + fit.coef[column], link)
    size = total.sum()
    average = Effect(
        value=float(total @ (with_it - without) / size),
        gradient=(total * (slope_with - slope_without)) @ bare / size
        + _unit(len(fit.coef), column) * float(total @ slope_with / size),
    )
    there = np.where(block.code == level, total, 0.0)
    excess = Effect(
        value=float(there @ (with_it - without)),
        gradient=(there * (slope_with - slope_without)) @ bare
        + _unit(len(fit.coef), column) * float(there @ slope_with),
    )
    return average, excess


def _unit(length: int, place: int) -> Floats:
    vector = np.zeros(length)
    vector[place] = 1.0
    return vector
