r"""Area-level small area estimation: direct estimates pooled with what other units and covariates say.

The model is :math:`y_i = x_i'\beta + v_i + e_i` with :math:`v_i \sim (0, A)` between units and
:math:`e_i \sim (0, D_i)` from sampling, the :math:`D_i` known (Fay and Herriot 1979). With
:math:`\gamma_i = A/(A + D_i)` the empirical best linear unbiased predictor is
:math:`\gamma_i y_i + (1-\gamma_i) x_i'\hat\beta`, between the direct and the synthetic estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AreaMethod = Literal["reml", "ml", "fh", "prasad_rao"]
Benchmark = Literal["ratio", "difference"]

_GRID = 160
"""Points between which the likelihood is searched for maxima: it can have several."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FayHerriot:
    """A fitted area-level model.

    Parameters
    ----------
    between
        Variance between units, A; 0 where the estimates differ no more than by sampling.
    coefficients, covariance
        Of the covariates.
    synthetic
        What the covariates alone say of each unit.
    shrinkage
        Weight of the direct estimate in the pooled one, :math:`A/(A + D)`.
    pooled, mse
        Pooled estimates and their estimated mean squared errors.
    """

    between: float
    coefficients: Floats
    covariance: Floats
    synthetic: Floats
    shrinkage: Floats
    pooled: Floats
    mse: Floats


def fay_herriot(
    direct: Floats, variances: Floats, *, covariates: Floats | None = None, method: AreaMethod = "reml"
) -> FayHerriot:
    r"""Fit the model and predict its units.

    The mean squared error is :math:`g_1 + g_2 + 2g_3 - b\,(1-\gamma)^2`: :math:`g_1 = \gamma D` from sampling,
    :math:`g_2` from estimating :math:`\beta`, :math:`g_3` from estimating A, with b the bias of the estimate of A.

    Parameters
    ----------
    direct, variances
        Direct estimates and their sampling variances, all positive.
    covariates
        One row a unit, with a constant; None: a constant only.
    method
        Estimate of A: ``reml``, ``ml``, or by moments ``fh`` (Fay and Herriot 1979) and ``prasad_rao`` (1990). Negative
        estimates are set to 0.

    Raises
    ------
    ValueError
        If there are no more units than coefficients, or coefficients that the data cannot tell apart.

    Notes
    -----
    b is 0 for ``reml`` and ``prasad_rao``, and as Datta and Lahiri (2000) and Datta, Rao and Smith (2005) have it for
    ``ml`` and ``fh``. The estimate of A is the root or maximum itself, where R's sae stops at a relative step of 1e-4.

    References
    ----------
    Fay and Herriot (1979), JASA 74, 269-277. Prasad and Rao (1990), JASA 85, 163-171. Datta and Lahiri (2000),
    Statistica Sinica 10, 613-627. Datta, Rao and Smith (2005), Biometrika 92, 183-196. Rao and Molina (2015), Small
    Area Estimation, 2nd ed., ch. 6.

    Examples
    --------
    >>> fit = fay_herriot(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 0.5, 0.5, 0.5]))
    >>> round(fit.between, 4), fit.pooled.round(2).tolist()  # 5/3 less 0.5
    (1.1667, [1.45, 2.15, 2.85, 3.55])
    """
    if method not in get_args(AreaMethod):
        raise ValueError(f"method must be one of {', '.join(get_args(AreaMethod))}, not {method!r}")
    x = np.ones((len(direct), 1)) if covariates is None else covariates
    m, p = x.shape
    if m <= p or np.linalg.matrix_rank(x) < p:
        raise ValueError(f"{m} units cannot tell {p} coefficients apart")
    between = _between(direct, variances, x, method)
    spread = between + variances
    weight = 1 / spread
    covariance: Floats = np.linalg.inv((x * weight[:, None]).T @ x).astype(float)
    coefficients = covariance @ (x * weight[:, None]).T @ direct
    synthetic, shrinkage = x @ coefficients, between / spread
    pull = variances / spread
    of_between, bias = _uncertainty(spread, x, covariance, method)
    g2 = pull**2 * np.einsum("ij,jk,ik->i", x, covariance, x)
    g3 = pull**2 * of_between / spread
    return FayHerriot(
        between=between, coefficients=coefficients, covariance=covariance, synthetic=synthetic, shrinkage=shrinkage,
        pooled=shrinkage * direct + pull * synthetic, mse=shrinkage * variances + g2 + 2 * g3 - bias * pull**2,
    )  # fmt: skip


def benchmarked(pooled: Floats, direct: Floats, *, weights: Floats, method: Benchmark = "ratio") -> Floats:
    r"""Pooled estimates that add up to the direct ones: :math:`\sum W_i \tilde\theta_i = \sum W_i y_i`.

    ``ratio`` multiplies all by one factor, ``difference`` adds one amount to all (Rao and Molina 2015, 6.4.6).

    >>> benchmarked(np.array([1.0, 2.0]), np.array([1.0, 2.3]), weights=np.array([1.0, 1.0])).round(4).tolist()
    [1.1, 2.2]
    """
    wanted, have = float(weights @ direct), float(weights @ pooled)
    if method == "ratio":
        return pooled * (wanted / have) if have else pooled
    if method == "difference":
        return pooled + (wanted - have) / float(weights.sum())
    raise ValueError(f"benchmark must be one of {', '.join(get_args(Benchmark))}, not {method!r}")


def _between(y: Floats, d: Floats, x: Floats, method: AreaMethod) -> float:
    """The variance between units."""
    m, p = x.shape
    q = np.linalg.qr(x)[0]
    if method == "prasad_rao":
        residual = y - q @ (q.T @ y)
        leverage = np.einsum("ij,ij->i", q, q)
        moment: float = float(residual @ residual - d @ (1 - leverage)) / (m - p)
        return max(moment, 0.0)
    plain = y - q @ (q.T @ y)
    largest = float(plain @ plain) + 1e-300  # no root or maximum lies beyond the residual sum of squares
    if method == "fh":
        return _root(lambda a: _pieces(a, y, d, x)[0] - (m - p), largest)
    place = 1 if method == "ml" else 2
    grid = np.append(0.0, np.geomspace(min(float(d.min()), largest) * 1e-6, 2 * largest, _GRID))
    slope = np.array([_pieces(a, y, d, x)[place] for a in grid])
    turns = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    tops = [0.0]
    for turn in turns:
        tops.append(_root(lambda a: _pieces(a, y, d, x)[place], float(grid[turn + 1]), low=float(grid[turn])))
    return tops[int(np.argmax([_pieces(a, y, d, x)[place + 2] for a in tops]))]


def _root(falling: Callable[[float], float], high: float, *, low: float = 0.0) -> float:
    """Where a falling function crosses 0; ``low`` if it starts below."""
    from scipy.optimize import brentq  # scipy is slow to load

    if falling(low) <= 0:
        return float(low)
    while falling(high) > 0:
        high *= 2
    return float(brentq(falling, low, high, xtol=1e-300, rtol=1e-14, maxiter=500))


def _pieces(a: float, y: Floats, d: Floats, x: Floats) -> tuple[float, float, float, float, float]:
    """At variance a: weighted residual sum of squares, scores and log-likelihoods of ML and REML."""
    weight = 1 / (a + d)
    root = np.sqrt(weight)[:, None]
    q, r = np.linalg.qr(root * x)
    scaled = root[:, 0] * y
    residual = scaled - q @ (q.T @ scaled)
    squares, steep = float(residual @ residual), float(weight @ residual**2)
    ml = (steep - float(weight.sum())) / 2
    log_ml = (float(np.log(weight).sum()) - squares) / 2
    leverage = np.einsum("ij,ij->i", q, q)
    log_reml = log_ml - float(np.log(np.abs(np.diag(r))).sum())
    return squares, ml, ml + float(weight @ leverage) / 2, log_ml, log_reml


def _uncertainty(spread: Floats, x: Floats, covariance: Floats, method: AreaMethod) -> tuple[float, float]:
    """Asymptotic variance and bias of the estimated variance between units."""
    m, weight = len(spread), 1 / spread
    one, two = float(weight.sum()), float((weight**2).sum())
    if method == "prasad_rao":
        return 2 * float((spread**2).sum()) / m**2, 0.0
    if method == "fh":
        return 2 * m / one**2, 2 * (m * two - one**2) / one**3
    if method == "ml":
        return 2 / two, -float(np.trace(covariance @ (x * (weight**2)[:, None]).T @ x)) / two
    return 2 / two, 0.0
