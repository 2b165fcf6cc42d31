r"""Observed over expected counts: limits, change, and shrinkage towards each other.

With observed :math:`O_i` and expected :math:`E_i` (what a unit of average performance would have with the same cases),
:math:`O_i \sim \text{Poisson}(\theta_i E_i)`; :math:`O_i/E_i` is the standardised ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_NO_SPREAD = 1e6
"""A shape of the gamma distribution beyond which units do not differ."""


def exact_limits(observed: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Exact (Garwood) limits of a Poisson mean.

    References
    ----------
    Garwood (1936), Biometrika 28, 437-442.

    Examples
    --------
    >>> low, high = exact_limits([0, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 4.7954], [3.6889, 18.3904])
    """
    from scipy.special import gammaincinv

    o, tail = np.asarray(observed, dtype=float), (1 - level) / 2
    low = np.where(o > 0, gammaincinv(np.where(o > 0, o, 1.0), tail), 0.0)
    return low, np.asarray(gammaincinv(o + 1, 1 - tail), dtype=float)


def byar_limits(observed: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    r"""Byar's approximation: :math:`O(1 - 1/(9O) - z/(3\sqrt O))^3` and the same with O + 1 and a plus.

    References
    ----------
    Breslow and Day (1987), Statistical Methods in Cancer Research II, p. 69.

    Examples
    --------
    >>> low, high = byar_limits([10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([4.787], [18.391])
    """
    from scipy.special import ndtri

    o, z = np.asarray(observed, dtype=float), float(ndtri((1 + level) / 2))
    safe = np.where(o > 0, o, 1.0)
    low = np.where(o > 0, safe * np.maximum(1 - 1 / (9 * safe) - z / (3 * np.sqrt(safe)), 0.0) ** 3, 0.0)
    more = o + 1
    return low, more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3


def ratio_change(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    other_observed: ArrayLike,
    other_expected: ArrayLike,
    level: float = 0.95,
) -> tuple[Floats, Floats, Floats]:
    r"""Ratio of two standardised ratios with its exact interval.

    Given the sum of both counts, the first is binomial with odds :math:`\rho E/E'`; Clopper and Pearson's limits of
    that share are turned into limits of :math:`\rho`.

    Returns
    -------
    tuple
        Ratio and its limits; NaN where nothing is expected in either or nothing was seen in both, infinite where the
        other count is 0.

    Examples
    --------
    >>> found = ratio_change([10], [5.0], other_observed=[5], other_expected=[5.0])
    >>> [values.round(3).tolist() for values in found]
    [[2.0], [0.623], [7.457]]
    """
    from scipy.special import betaincinv

    o1, e1, o2, e2 = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (observed, expected, other_observed, other_expected))
    )
    tail, known = (1 - level) / 2, (e1 > 0) & (e2 > 0) & (o1 + o2 > 0)
    low = np.where(o1 > 0, betaincinv(np.where(o1 > 0, o1, 1.0), o2 + 1, tail), 0.0)
    high = np.where(o2 > 0, betaincinv(o1 + 1, np.where(o2 > 0, o2, 1.0), 1 - tail), 1.0)
    middle = np.divide(o1, o1 + o2, where=known, out=np.full(o1.shape, np.nan))
    odds = np.divide(e2, e1, where=known, out=np.full(o1.shape, np.nan))
    with np.errstate(divide="ignore"):
        ratio, under, over = (odds * share / (1 - share) for share in (middle, low, high))
    return ratio, under, over


@dataclass(frozen=True, eq=False, kw_only=True)
class GammaPoisson:
    r"""Units' true ratios as draws from a gamma distribution.

    Parameters
    ----------
    mean, shape
        Of the distribution: :math:`\theta_i \sim \Gamma(a, a/\mu)`; an infinite shape says that units do not differ.
    pooled, low, high
        Mean and quantiles of each unit's ratio given its counts: :math:`\Gamma(O_i + a, E_i + a/\mu)`.
    """

    mean: float
    shape: float
    pooled: Floats
    low: Floats
    high: Floats


def gamma_poisson(observed: Floats, expected: Floats, *, level: float = 0.95) -> GammaPoisson | None:
    """Empirical Bayes by maximum likelihood of the negative binomial; None with fewer than three units or no count.

    Notes
    -----
    The same likelihood as R's ``glm.nb(O ~ 1 + offset(log(E)))``. The intervals take mean and shape as known and are
    somewhat narrow with few units.

    References
    ----------
    Clayton and Kaldor (1987), Biometrics 43, 671-681.

    Examples
    --------
    >>> found = gamma_poisson(np.array([2.0, 9.0, 30.0]), np.array([8.0, 10.0, 12.0]))
    >>> bool(found.pooled[0] > 2 / 8), bool(found.pooled[2] < 30 / 12)
    (True, True)
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaincinv

    if len(observed) < 3 or not observed.sum():
        return None
    found = minimize_scalar(
        lambda log_shape: -_profile(observed, expected, float(np.exp(log_shape)))[0], bounds=(-6, np.log(_NO_SPREAD)),
        method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    shape = float(np.exp(found.x))
    mean = _profile(observed, expected, shape)[1]
    tail = (1 - level) / 2
    if shape > _NO_SPREAD / 10:
        total = gammaincinv(observed.sum(), tail), gammaincinv(observed.sum() + 1, 1 - tail)
        low, high = (np.full(len(observed), float(end) / float(expected.sum())) for end in total)
        mean = float(observed.sum() / expected.sum())
        return GammaPoisson(mean=mean, shape=np.inf, pooled=np.full(len(observed), mean), low=low, high=high)
    a, b = observed + shape, expected + shape / mean
    return GammaPoisson(
        mean=mean, shape=shape, pooled=a / b, low=gammaincinv(a, tail) / b, high=gammaincinv(a, 1 - tail) / b
    )  # fmt: skip


def _profile(observed: Floats, expected: Floats, shape: float) -> tuple[float, float]:
    """Log-likelihood (without constants) at a shape and the best mean for it, and that mean."""
    from scipy.special import gammaln

    mean = float(observed.sum() / expected.sum())
    for _ in range(200):  # the score equation of the mean, as a weighted ratio until it stands still
        weight = shape / (shape + mean * expected)
        after = float((weight * observed).sum() / (weight * expected).sum())
        if abs(after - mean) <= 1e-14 * mean:
            break
        mean = after
    rate = mean * expected
    terms = gammaln(observed + shape) - gammaln(shape) + observed * np.log(np.maximum(rate, 1e-300) / (rate + shape))
    return float((terms + shape * np.log(shape / (rate + shape))).sum()), mean
