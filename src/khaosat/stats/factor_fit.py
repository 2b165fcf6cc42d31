"""How well a factor model fits: chi-squared, corrected for the design, and the indices made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.factor_model import FactorFit
from khaosat.stats.item_moments import ItemMoments
from khaosat.stats.p_values import chi2_p_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class FitIndices:
    """Fit of a model against the data and against the model in which items do not go together.

    Parameters
    ----------
    chi2, df, p_value
        Test that the model holds.
    baseline_chi2, baseline_df
        The same of the model without any correlation.
    cfi, tli
        Comparative fit index, Tucker-Lewis index.
    rmsea, rmsea_low, rmsea_high
        Root mean square error of approximation with its 90 % interval.
    """

    chi2: float
    df: int
    p_value: float
    baseline_chi2: float
    baseline_df: int
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float


def fit_indices(
    moments: ItemMoments, fit: FactorFit, *, n: int, covariance: Callable[[Floats], Floats]
) -> tuple[FitIndices, FitIndices]:
    r"""Indices from the plain chi-squared, and from the one corrected for the design.

    With M the covariance by the design of the whitened residuals of the entries from the model,
    :math:`T = a\chi^2 + b`, :math:`a = \sqrt{d/\mathrm{tr} M^2}`, :math:`b = d - a\,\mathrm{tr} M`, has mean and
    variance of chi-squared on d degrees of freedom.

    Parameters
    ----------
    moments, fit
        Correlations and the model of them: ``dwls`` where the correlations are polychoric, else ``ml``.
    n
        Respondents.
    covariance
        From influence values (respondents × columns) to the covariance of their totals by the design.

    References
    ----------
    Satorra and Bentler (1994), in Latent Variables Analysis, 399-419. Asparouhov and Muthén (2010), Simple second order
    chi-square correction, Mplus technical appendix. Browne and Cudeck (1993), in Testing Structural Equation Models,
    136-162 (RMSEA). Bentler (1990), Psychological Bulletin 107, 238-246 (CFI).
    """
    p = len(moments.matrix)
    upper = np.triu_indices(p)
    off = upper[0] != upper[1]
    base_df = p * (p - 1) // 2
    polychoric = bool(moments.thresholds)
    if polychoric:
        weight = np.where(moments.variance > 0, moments.variance, np.inf) ** -0.5
        chi2, base = fit.discrepancy, float(((moments.matrix[upper] * weight)[off] ** 2).sum())
        residual, idle = np.diag(weight), np.diag(weight)[:, off]
        tangents = (fit.tangents[:, upper[0], upper[1]] * weight)[:, off]
        residual = residual[:, off]
    else:
        residual, tangents = _whitened(fit, upper)
        idle = np.eye(len(off))[:, off]
        chi2, base = n * fit.discrepancy, -n * float(np.linalg.slogdet(moments.matrix)[1])
    free = base_df - (len(tangents) - (0 if polychoric else p))
    corrected = []
    for value, df, made in ((chi2, free, _less(residual, tangents)), (base, base_df, idle)):
        spread = covariance(moments.influence @ made) * (1 if polychoric else n)
        square, trace = float((spread**2).sum()), float(np.trace(spread))
        a = np.sqrt(df / square) if df > 0 and square > 0 else np.nan
        corrected.append(a * value + df - a * trace)
    size = n - 1 if polychoric else n  # as lavaan counts
    shrunk = size / n
    return (
        _indices(chi2 * shrunk, free, base * shrunk, base_df, size),
        _indices(corrected[0], free, corrected[1], base_df, size),
    )


def srmr(moments: ItemMoments, fit: FactorFit) -> float:
    """Standardised root mean square residual, over the entries on and above the diagonal (Bentler 1995).

    >>> srmr.__name__
    'srmr'
    """
    away = (moments.matrix - fit.implied)[np.triu_indices(len(moments.matrix))]
    return float(np.sqrt((away**2).mean()))


def _whitened(fit: FactorFit, upper: tuple[NDArray[np.intp], NDArray[np.intp]]) -> tuple[Floats, Floats]:
    r"""Entries and the model's tangents in coordinates in which :math:`F = |s - \sigma|^2` near the minimum."""
    inverse = np.linalg.inv(np.linalg.cholesky(fit.implied))
    size = np.where(upper[0] == upper[1], np.sqrt(0.5), 1.0)

    def mapped(matrices: Floats) -> Floats:
        return np.asarray((inverse @ matrices @ inverse.T)[:, upper[0], upper[1]] * size, dtype=float)

    p, entries = len(fit.implied), np.arange(len(upper[0]))
    basis = np.zeros((len(entries), p, p))
    basis[entries, upper[0], upper[1]] = basis[entries, upper[1], upper[0]] = 1.0
    return mapped(basis), mapped(fit.tangents)


def _less(residual: Floats, tangents: Floats) -> Floats:
    """What is left of a map after the directions that the model can take."""
    q = np.linalg.qr(tangents.T)[0]
    return np.asarray(residual - (residual @ q) @ q.T, dtype=float)


def _indices(chi2: float, df: int, base: float, base_df: int, n: int) -> FitIndices:
    if not np.isfinite(chi2 + base):
        none = dict.fromkeys(
            ("chi2", "p_value", "baseline_chi2", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high"), np.nan
        )
        return FitIndices(df=df, baseline_df=base_df, **none)
    excess, base_excess = max(chi2 - df, 0.0), max(base - base_df, chi2 - df, 0.0)
    per_df = (base / base_df) if base_df else np.nan
    low, high = (_noncentrality(chi2, df, tail) for tail in (0.95, 0.05))
    return FitIndices(
        chi2=chi2, df=df, p_value=chi2_p_value(chi2, df), baseline_chi2=base, baseline_df=base_df,
        cfi=1 - excess / base_excess if base_excess > 0 else 1.0,
        tli=(per_df - chi2 / df) / (per_df - 1) if df > 0 and per_df != 1 else np.nan,
        rmsea=_root(excess, df, n), rmsea_low=_root(low, df, n), rmsea_high=_root(high, df, n),
    )  # fmt: skip


def _root(noncentrality: float, df: int, n: int) -> float:
    return float(np.sqrt(noncentrality / (df * n))) if df > 0 else float("nan")


def _noncentrality(chi2: float, df: int, tail: float) -> float:
    """The noncentrality for which chi-squared lies below ``chi2`` with probability ``tail``; 0 if there is none."""
    from scipy.optimize import brentq
    from scipy.special import chndtr

    if df <= 0 or chi2 <= 0 or chndtr(chi2, df, 0.0) < tail:
        return 0.0
    top = chi2 + 10 * np.sqrt(chi2) + 50
    return float(brentq(lambda at: float(chndtr(chi2, df, at)) - tail, 0.0, top, xtol=1e-10))
