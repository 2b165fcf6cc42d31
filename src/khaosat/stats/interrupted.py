"""A short time series regressed on columns of time: errors that remember their neighbours, small-sample t tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.stats.p_values import chi2_p_value

Floats = NDArray[np.float64]

_GRID = 79
_MOST = 0.99
_FLAT = 1e-10
"""Residuals below this part of the outcome are rounding: the series lies on the model."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AutoregressiveFit:
    r"""A regression whose errors are :math:`\varepsilon_t = \rho\,\varepsilon_{t-1} + u_t`.

    Parameters
    ----------
    coef, cov
        Coefficients and their covariance.
    rho, sigma
        Correlation of neighbours, and standard deviation of an error of weight 1.
    innovations
        Residuals freed of weights and correlation, scaled to a standard deviation of about 1.
    df_residual
        Observations less coefficients.
    slopes, inverse_information
        Derivatives of ``cov`` by variance and correlation, and the covariance of these two (expected information).
    """

    coef: Floats
    cov: Floats
    rho: float
    sigma: float
    innovations: Floats
    df_residual: int
    slopes: tuple[Floats, ...]
    inverse_information: Floats

    def combine(self, contrast: ArrayLike) -> tuple[float, float, float]:
        """A sum of coefficients: estimate, standard error and Satterthwaite's df (no more than the residual ones)."""
        c = np.asarray(contrast, dtype=float)
        variance = float(c @ self.cov @ c)
        estimate = float(c @ self.coef)
        if not variance > 0:
            return estimate, float("nan"), float("nan")
        slope = np.array([float(c @ part @ c) for part in self.slopes])
        spread = float(slope @ self.inverse_information @ slope)
        df = 2 * variance**2 / spread if spread > 0 else float(self.df_residual)
        return estimate, variance**0.5, min(df, float(self.df_residual))


def fit_autoregressive(
    y: ArrayLike, x: ArrayLike, *, time: ArrayLike, weights: ArrayLike | None = None
) -> AutoregressiveFit:
    r"""Generalised least squares with first-order autoregressive errors, variances by REML.

    :math:`\mathrm{Var}(\varepsilon) = \sigma^2 D^{1/2} C D^{1/2}`, :math:`D = \mathrm{diag}(1/w)`, :math:`C_{st} =
    \rho^{|s-t|}`; :math:`\rho` makes :math:`(n-p)\log \mathrm{RSS} + \log|V| + \log|X^\top V^{-1} X|` least.

    Parameters
    ----------
    y
        The series.
    x
        Columns of full rank, fewer than observations.
    time
        Whole numbers; what is missing between them is a gap, over which the correlation decays.
    weights
        The variance of an observation is inverse to its weight, such as the cases behind a share.

    Notes
    -----
    REML and Satterthwaite's df, because maximum likelihood and the normal distribution are far too sure in series of a
    few dozen points (Turner et al. 2021). Equal to nlme::gls(corAR1, varFixed). A series that lies on the model, or has
    no more than one point more than columns, has no standard errors, or none for correlated errors (``rho`` 0).

    References
    ----------
    Turner, Karahalios, Forbes, Taljaard, Grimshaw and McKenzie (2021), BMC Medical Research Methodology 21, 134.
    Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, 5.3. Giesbrecht and Burns (1985), Biometrics 41,
    477-486.

    Examples
    --------
    >>> month, after = np.arange(8), np.arange(8) >= 4
    >>> x = np.column_stack([np.ones(8), month, after])
    >>> fit = fit_autoregressive([5.0, 5.4, 5.1, 5.6, 3.4, 3.1, 3.9, 3.4], x, time=month)
    >>> [round(value, 2) for value in fit.combine([0, 0, 1])], round(fit.rho, 2)
    ([-2.33, 0.21, 2.82], -0.69)
    """
    outcome, columns, at = (np.asarray(part, dtype=float) for part in (y, x, time))
    n, p = columns.shape
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if n <= p or np.linalg.matrix_rank(columns) < p:
        raise ValueError("more observations than columns, and columns of full rank, are needed")
    lags, root = np.abs(at[:, None] - at), np.sqrt(w)
    heavy, target = columns * root[:, None], outcome * root
    rho = _best_rho(heavy, target, lags) if n - p > 1 else 0.0
    lower: Floats = np.asarray(np.linalg.cholesky(_correlation(rho, lags)), dtype=float)
    whole = np.linalg.solve(lower, np.column_stack([heavy, target]))
    free, aim = whole[:, :p], whole[:, p]
    coef = np.linalg.lstsq(free, aim, rcond=None)[0]
    left = aim - free @ coef
    flat = bool(np.abs(left).max() <= _FLAT * max(float(np.abs(aim).max()), 1e-300))
    variance = 0.0 if flat else float(left @ left) / (n - p)
    unscaled: Floats = np.asarray(np.linalg.inv(free.T @ free), dtype=float)
    slopes, information = _uncertainty(free, lower, lags, rho=rho, variance=variance, unscaled=unscaled)
    return AutoregressiveFit(
        coef=coef, cov=variance * unscaled, rho=rho, sigma=variance**0.5, df_residual=n - p, slopes=slopes,
        innovations=left / variance**0.5 if variance else np.zeros(n), inverse_information=information,
    )  # fmt: skip


def _correlation(rho: float, lags: Floats) -> Floats:
    return np.asarray(np.power(rho, lags), dtype=float) if rho else np.asarray(lags == 0, dtype=float)


def _best_rho(heavy: Floats, target: Floats, lags: Floats) -> float:
    """The correlation with the greatest restricted likelihood: a grid, as there may be two peaks, then refined."""
    from scipy.optimize import minimize_scalar

    n, p = heavy.shape
    both = np.column_stack([heavy, target])

    def criterion(rho: float) -> float:
        lower = np.linalg.cholesky(_correlation(rho, lags))
        whole = np.linalg.solve(lower, both)
        r = np.linalg.qr(whole, mode="r")  # its last entry is the root of the residual sum of squares
        size = np.abs(np.diag(r))
        halves = np.log(np.diag(lower)).sum() + np.log(size[:p]).sum()
        return float(2 * halves + (n - p) * 2 * np.log(max(size[p], 1e-300)))

    if np.linalg.matrix_rank(both) == p:
        return 0.0
    grid = np.linspace(-_MOST, _MOST, _GRID)
    best = int(np.argmin([criterion(rho) for rho in grid]))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    return float(minimize_scalar(criterion, bounds=ends, method="bounded", options={"xatol": 1e-10}).x)


def _uncertainty(
    free: Floats, lower: Floats, lags: Floats, *, rho: float, variance: float, unscaled: Floats
) -> tuple[tuple[Floats, ...], Floats]:
    """Derivatives of the covariance of the coefficients by variance and correlation, and what these two vary by."""
    n, p = free.shape
    if not variance or n - p < 2:
        return (unscaled,), np.array([[2 * variance**2 / max(n - p, 1)]])
    slope = np.where(lags > 0, lags * np.power(rho if rho else 1e-300, np.maximum(lags - 1, 0)), 0.0)
    turned = np.linalg.solve(lower, np.linalg.solve(lower, slope).T)  # of C, seen by the whitened observations
    hat = np.eye(n) - free @ unscaled @ free.T
    bent = hat @ turned
    information = 0.5 * np.array([
        [(n - p) / variance**2, np.trace(bent) / variance], [np.trace(bent) / variance, np.trace(bent @ bent)]
    ])  # fmt: skip
    by_rho = variance * unscaled @ free.T @ turned @ free @ unscaled
    return (unscaled, np.asarray(by_rho, dtype=float)), np.asarray(np.linalg.pinv(information), dtype=float)


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
