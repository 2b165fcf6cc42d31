"""A short time series regressed on columns of time: errors that remember their neighbours, small-sample t tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.stats.p_values import chi2_p_value

Floats = NDArray[np.float64]

_FLAT = 1e-10
"""Residuals below this part of the outcome are rounding: the series lies on the model."""
_TAIL = 0.05
"""Degrees of freedom are those with which the t distribution has the mixture's tails of this size together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Memory:
    """Ways in which errors may remember their neighbours, and how much each is believed in beforehand.

    Parameters
    ----------
    rho
        Correlation of neighbours in the part that remembers.
    noise
        Part of the variance of a period of usual size that remembers nothing, such as that of sampling.
    prior
        Weights.
    """

    rho: Floats
    noise: Floats
    prior: Floats

    @staticmethod
    def usual(steps: int = 24, parts: int = 8) -> Memory:
        r"""Jeffreys' prior of a correlation, :math:`(1-\rho^2)^{-1/2}`, and :math:`2(1-\kappa)` of the part of noise.

        >>> usual = Memory.usual()
        >>> len(usual.rho), round(float(usual.prior @ usual.noise), 2), abs(float(usual.prior @ usual.rho)) < 1e-12
        (192, 0.34, True)
        """
        rho = np.sin(np.pi * ((np.arange(steps) + 0.5) / steps - 0.5))
        noise = (np.arange(parts) + 0.5) / parts
        weight = np.tile(1 - noise, steps)
        return Memory(rho=np.repeat(rho, parts), noise=np.tile(noise, steps), prior=weight / weight.sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class AutoregressiveFit:
    """Generalised least squares with each of several kinds of memory, and what the series says of these.

    Parameters
    ----------
    coefs, covs
        Coefficients and their covariance with each memory.
    chance
        Of each memory, given the series.
    rho, sigma
        Correlation of neighbouring errors, and standard deviation of the error of a period of usual size, on average.
    innovations
        Residuals freed of weights and the likeliest memory, scaled to a standard deviation of about 1.
    df_residual
        Observations less coefficients.
    """

    coefs: Floats
    covs: Floats
    chance: Floats
    rho: float
    sigma: float
    innovations: Floats
    df_residual: int

    @property
    def coef(self) -> Floats:
        """Coefficients on average."""
        return np.asarray(self.chance @ self.coefs, dtype=float)

    def combine(self, contrast: ArrayLike) -> tuple[float, float, float]:
        """A sum of coefficients: mean, scale and df of the t distribution closest to the mixture over memories.

        The df are no more than the residual ones, and make 95 % intervals those of the mixture.
        """
        c = np.asarray(contrast, dtype=float)
        each = self.coefs @ c
        estimate = float(self.chance @ each)
        variance = np.einsum("i,gij,j->g", c, self.covs, c)
        if not (variance > 0).all():
            return estimate, float("nan"), float("nan")
        se = float(self.chance @ (variance + (each - estimate) ** 2)) ** 0.5
        return estimate, se, self._closest_df((each - estimate) / se, np.sqrt(variance) / se)

    def _closest_df(self, centre: Floats, scale: Floats) -> float:
        from scipy.optimize import brentq
        from scipy.special import stdtr, stdtrit

        df = float(self.df_residual)

        def tail(half: float) -> float:
            below = stdtr(df, (-half - centre) / scale) + stdtr(df, (-half + centre) / scale)
            return float(self.chance @ below) - _TAIL

        half = float(brentq(tail, 0.0, 1e6))

        def wider(log_df: float) -> float:
            return float(stdtrit(np.exp(log_df), 1 - _TAIL / 2)) - half

        most = np.log(df)
        return df if wider(most) >= 0 else float(np.exp(brentq(wider, np.log(0.3), most)))


def fit_autoregressive(
    y: ArrayLike, x: ArrayLike, *, time: ArrayLike, weights: ArrayLike | None = None, memory: Memory | None = None
) -> AutoregressiveFit:
    r"""Regression whose errors are a first-order autoregressive part and noise, averaged over what these may be.

    :math:`\mathrm{Var}(\varepsilon) = \sigma^2\{(1-\kappa) C_\rho + \kappa D\}`, :math:`C_{st} = \rho^{|s-t|}`,
    :math:`D = \mathrm{diag}(1/w)` of mean about 1. Given :math:`\rho, \kappa` a sum of coefficients has a t
    distribution with :math:`n - p` df; these are mixed by the restricted likelihood with :math:`\sigma` integrated out,
    :math:`|V|^{-1/2} |X^\top V^{-1} X|^{-1/2} \mathrm{RSS}^{-(n-p)/2}`, times the prior.

    Parameters
    ----------
    y
        The series.
    x
        Columns of full rank, fewer than observations.
    time
        Whole numbers in order; what is missing between them is a gap, over which the correlation decays.
    weights
        Cases behind each observation: its noise has a variance inverse to them.
    memory
        Kinds of memory; None: :meth:`Memory.usual`.

    Notes
    -----
    In series of a few dozen points the correlation is hardly known, so one best value (REML) with Satterthwaite's df
    finds too much where there is nothing, the more so as a share carries noise of sampling that hides its memory:
    simulated in docs/methods/danh-gia-chinh-sach.md. Whitened by the Kalman filter; with one memory without noise equal
    to nlme::gls(corAR1, fixed). A series that lies on the model has no standard errors.

    References
    ----------
    Zellner and Tiao (1964), Journal of the American Statistical Association 59, 763-778. Harville (1974), Biometrika
    61, 383-385. Turner, Karahalios, Forbes, Taljaard, Grimshaw and McKenzie (2021), BMC Medical Research Methodology
    21, 134. Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, 3.4.

    Examples
    --------
    >>> month, after = np.arange(8), np.arange(8) >= 4
    >>> x = np.column_stack([np.ones(8), month, after])
    >>> fit = fit_autoregressive([5.0, 5.4, 5.1, 5.6, 3.4, 3.1, 3.9, 3.4], x, time=month)
    >>> [round(value, 1) for value in fit.combine([0, 0, 1])], fit.rho < 0
    ([-2.3, 0.4, 4.8], True)
    """
    outcome, columns, at = (np.asarray(part, dtype=float) for part in (y, x, time))
    n, p = columns.shape
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if n <= p or np.linalg.matrix_rank(columns) < p:
        raise ValueError("more observations than columns, and columns of full rank, are needed")
    kinds = Memory.usual() if memory is None else memory
    white, log_det = _whitened(np.column_stack([columns, outcome]), at, w.mean() / w, kinds)
    free, aim = white[:, :, :p], white[:, :, p]
    q, r = np.linalg.qr(free)
    coefs = np.linalg.solve(r, q.transpose(0, 2, 1) @ aim[:, :, None])[:, :, 0]
    left = aim - (free @ coefs[:, :, None])[:, :, 0]
    rss = (left**2).sum(axis=1)
    flat = bool(np.abs(outcome - columns @ coefs[0]).max() <= _FLAT * max(float(np.abs(outcome).max()), 1e-300))
    root = np.linalg.inv(r)
    unscaled = root @ root.transpose(0, 2, 1)
    chance = np.array(kinds.prior, dtype=float)
    if not flat:
        size = np.log(np.abs(np.diagonal(r, axis1=1, axis2=2))).sum(axis=1)
        fit = np.log(chance) - 0.5 * log_det - size - 0.5 * (n - p) * np.log(rss)
        chance = np.exp(fit - fit.max())
    chance = chance / chance.sum()
    variance = np.zeros(len(rss)) if flat else rss / (n - p)
    best = int(np.argmax(chance))
    return AutoregressiveFit(
        coefs=coefs, covs=variance[:, None, None] * unscaled, chance=chance, df_residual=n - p,
        rho=float(chance @ (kinds.rho * (1 - kinds.noise))), sigma=float(chance @ variance) ** 0.5,
        innovations=np.zeros(n) if flat else left[best] / variance[best] ** 0.5,
    )  # fmt: skip


def _whitened(columns: Floats, at: Floats, noise: Floats, kinds: Memory) -> tuple[Floats, Floats]:
    """Columns as one-step errors of prediction, scaled to a variance of 1, with each memory; and log determinants."""
    n, width = columns.shape
    steady, own = 1 - kinds.noise, kinds.noise
    white, log_det = np.empty((len(own), n, width)), np.zeros(len(own))
    state, spread = np.zeros((len(own), width)), steady
    for place in range(n):
        if place:
            decay = kinds.rho ** (at[place] - at[place - 1])
            state = decay[:, None] * state
            spread = decay**2 * spread + steady * (1 - decay**2)
        variance = spread + own * noise[place]
        error = columns[place] - state
        white[:, place] = error / np.sqrt(variance)[:, None]
        log_det += np.log(variance)
        gain = spread / variance
        state, spread = state + gain[:, None] * error, spread * (1 - gain)
    return white, log_det


def ljung_box(innovations: ArrayLike, *, time: ArrayLike, lags: int, fitted: int = 1) -> tuple[float, int, float]:
    r"""Ljung and Box's test of correlation left: :math:`Q = n(n+2)\sum_k r_k^2/(n-k)`, its df and p-value.

    Lags count time, not places in the list, so that gaps do not make strangers neighbours.

    References
    ----------
    Ljung and Box (1978), Biometrika 65, 297-303.

    Examples
    --------
    >>> q, df, p = ljung_box([1.0, -1.0, 1.0, -1.0, 1.0, -1.0], time=range(6), lags=2)
    >>> round(q, 3), df, round(p, 4)
    (12.0, 1, 0.0005)
    """
    left, at = np.asarray(innovations, dtype=float), np.asarray(time, dtype=int)
    n = len(left)
    row = np.full(int(at.max() - at.min()) + 1, np.nan) if n else np.zeros(0)
    row[at - (at.min() if n else 0)] = left - left.mean() if n else left
    total = float(np.nansum(row**2))
    if n <= lags + 1 or not total > 0 or lags <= fitted:
        return float("nan"), max(lags - fitted, 0), float("nan")
    parts = [float(np.nansum(row[k:] * row[:-k])) / total for k in range(1, lags + 1)]
    q = n * (n + 2) * sum(part**2 / (n - k) for k, part in enumerate(parts, start=1))
    return q, lags - fitted, chi2_p_value(q, lags - fitted)
