r"""Funnel plots of shares: limits by size, widened where units differ more than chance lets them.

References
----------
Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Overdispersion = Literal["additive", "multiplicative", "none"]

FEWEST = 10
"""With fewer units the spread between them is not estimated."""


class Spread(NamedTuple):
    """How much more units differ than by chance: factor φ of the variance, and variance τ² between units."""

    phi: float
    tau2: float


def binomial_limits(target: float, size: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    r"""Shares between which a unit of average performance stays with probability ``level``.

    With r the smallest count for which :math:`P(R \le r) \ge p`, :math:`\{r - \alpha\}/n` with
    :math:`\alpha = \{P(R \le r) - p\}/P(R = r)` (Spiegelhalter 2005, appendix A.1.1).

    Parameters
    ----------
    target
        Share of the average unit.
    size
        Cases; need not be whole (the distribution is then the one of the same beta function).

    Examples
    --------
    >>> low, high = binomial_limits(0.1, [100])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0404], [0.1577])
    """
    n, tail = np.asarray(size, dtype=float), (1 - level) / 2
    return _limit(target, n, tail), _limit(target, n, 1 - tail)


def excess_spread(z: ArrayLike, variance: ArrayLike, *, winsorise: float = 0.1) -> Spread:
    r"""Overdispersion from the units' z-scores, the outermost tenth on either side drawn in.

    :math:`\hat\phi = \sum z_w^2/I` and, where it exceeds 1,
    :math:`\hat\tau^2 = \{I\hat\phi - (I - 1)\}/(\sum w_i - \sum w_i^2/\sum w_i)`, :math:`w_i = 1/s_i^2`.

    Parameters
    ----------
    z
        Scores of the units under chance alone.
    variance
        Their sampling variances on the scale of the share.
    winsorise
        Part at either end that is drawn in to the quantile there.

    Returns
    -------
    Spread
        φ of 1 and τ² of 0 where units differ no more than by chance, or are fewer than 10.

    Examples
    --------
    >>> excess_spread(np.linspace(-1.5, 1.5, 20), np.full(20, 0.01))
    Spread(phi=1.0, tau2=0.0)
    """
    score, s2 = np.asarray(z, dtype=float), np.asarray(variance, dtype=float)
    units = len(score)
    if units < FEWEST:
        return Spread(1.0, 0.0)
    bounds = np.quantile(score, [winsorise, 1 - winsorise])
    phi = float((np.clip(score, *bounds) ** 2).mean())
    if phi <= 1:
        return Spread(1.0, 0.0)
    weight = 1 / s2
    tau2 = (units * phi - (units - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum())
    return Spread(phi, max(tau2, 0.0))


def inflation(spread: Spread, variance: ArrayLike, *, how: Overdispersion) -> Floats:
    """By what to multiply distances from the target: 1, √φ, or √(1 + τ²/s²).

    >>> inflation(Spread(4.0, 0.03), [0.01], how="additive").tolist()
    [2.0]
    """
    s2 = np.asarray(variance, dtype=float)
    if how == "additive":
        return np.asarray(np.sqrt(1 + spread.tau2 / s2))
    return np.full(s2.shape, np.sqrt(spread.phi) if how == "multiplicative" else 1.0)


def _limit(target: float, n: Floats, p: float) -> Floats:
    from scipy.special import bdtrik, betainc

    if not 0 < target < 1:
        return np.full(n.shape, target)

    def below(count: Floats) -> Floats:
        """P(R <= count) through the incomplete beta function, which knows broken sizes too."""
        inside = (count >= 0) & (count < n)
        safe = np.where(inside, count, 0.0)
        chance = betainc(np.maximum(n - safe, 1e-9), safe + 1, 1 - target)
        return np.where(count < 0, 0.0, np.where(inside, chance, 1.0))

    count = np.maximum(np.nan_to_num(np.floor(bdtrik(p, n, target))) - 2, -1.0)
    for _ in range(8):  # from just below the quantile up to it
        count = np.where(below(count) < p, count + 1, count)
    count = np.maximum(count, 0.0)
    upto = below(count)
    step = np.maximum(upto - below(count - 1), 1e-300)
    return np.asarray(np.clip((count - (upto - p) / step) / n, 0.0, 1.0), dtype=np.float64)
