"""Are two questions independent: tests on a table of weighted counts with their design covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.p_values import chi2_p_value, chi2_sum_p_value, f_p_value

Floats = NDArray[np.float64]
IndependenceStatistic = Literal["F", "Chisq", "Wald", "adjWald", "saddlepoint"]


@dataclass(frozen=True, kw_only=True)
class IndependenceTest:
    """A test of independence; ``df2`` is infinite where the reference distribution is chi-squared."""

    statistic: float
    df1: float
    df2: float
    p_value: float
    deff: float
    """Mean of the generalised design effects; NaN where there are none."""


def independence_test(
    totals: Floats, covariance: Floats, *, n: int, df: float, statistic: IndependenceStatistic = "F"
) -> IndependenceTest:
    r"""Test that the rows and columns of a table are independent in the population.

    With the shares :math:`p = T/T_{..}` (R × C), their design covariance V, :math:`k = (R-1)(C-1)` and Pearson's
    :math:`X^2 = n \sum (p_{ij} - p_{i.}p_{.j})^2 / (p_{i.}p_{.j})`; :math:`\Delta = (L'D^{-1}V_0D^{-1}L)^{-1}
    L'D^{-1}VD^{-1}L` with :math:`D = \mathrm{diag}(p)`, :math:`V_0 = (D - pp')/n` and contrasts L of the interaction:

    - ``F`` (Rao-Scott, second order): :math:`X^2/\mathrm{tr}\Delta` against :math:`F(d, d\nu)`,
      :math:`d = (\mathrm{tr}\Delta)^2/\mathrm{tr}\Delta^2`;
    - ``Chisq`` (first order): :math:`X^2`, with :math:`X^2 k/\mathrm{tr}\Delta` against :math:`\chi^2_k`;
    - ``saddlepoint``: :math:`X^2` against :math:`\sum \delta_j \chi^2_1 / (\chi^2_{d\nu}/(d\nu))`, the
      :math:`\delta_j` being the eigenvalues of :math:`\Delta`;
    - ``Wald``: :math:`Y'V_Y^{-1}Y/k` against :math:`F(k, \nu)`, of k distances
      :math:`Y = T_{ij} - T_{i.}T_{.j}/T_{..}`;
    - ``adjWald``: the same times :math:`(\nu - k + 1)/\nu` against :math:`F(k, \nu - k + 1)`.

    Parameters
    ----------
    totals
        Estimated people in the cells, T; no empty row or column.
    covariance
        Their covariance, cells row by row.
    n
        Respondents in the table.
    df
        Degrees of freedom of the design, :math:`\nu`.
    statistic
        One of the above.

    Returns
    -------
    IndependenceTest
        NaN where the table has one row or column, or where the design has too few units to tell.

    References
    ----------
    Rao and Scott (1984), Annals of Statistics 12, 46-60. Thomas and Rao (1987), JASA 82, 630-636. Koch, Freeman and
    Freeman (1975), International Statistical Review 43, 59-78.

    Examples
    --------
    >>> counts = np.array([[30.0, 20.0], [10.0, 40.0]])
    >>> simple = np.diag(counts.ravel()) - np.outer(counts.ravel(), counts.ravel()) / 100
    >>> result = independence_test(counts, simple, n=100, df=99, statistic="Chisq")  # a simple sample: Pearson's
    >>> round(result.statistic, 4), result.df1, round(result.deff, 4)
    (16.6667, 1.0, 1.0)
    """
    k = float(max(totals.shape[0] - 1, 0) * max(totals.shape[1] - 1, 0))
    if k == 0 or df <= 0:
        return _unknown(k)
    shares = totals / totals.sum()
    parts = covariance / totals.sum() ** 2
    deltas = _design_effects(shares, parts, n)
    if statistic in ("Wald", "adjWald"):
        return _wald(shares, parts, k=k, df=df, adjusted=statistic == "adjWald", deff=float(deltas.mean()))
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    pearson = float(n * ((shares - expected) ** 2 / expected).sum())
    trace = float(deltas.sum())
    if not trace > 0:
        return _unknown(k)
    if statistic == "Chisq":
        p_value = chi2_p_value(pearson * k / trace, k)
        return IndependenceTest(statistic=pearson, df1=k, df2=np.inf, p_value=p_value, deff=trace / k)
    d = trace**2 / float((deltas**2).sum())
    if statistic == "F":
        f = pearson / trace
        return IndependenceTest(statistic=f, df1=d, df2=d * df, p_value=f_p_value(f, d, d * df), deff=trace / k)
    p_value = chi2_sum_p_value(pearson, deltas, df2=d * df)
    return IndependenceTest(statistic=pearson, df1=d, df2=d * df, p_value=p_value, deff=trace / k)


def _unknown(k: float) -> IndependenceTest:
    return IndependenceTest(statistic=np.nan, df1=k, df2=np.nan, p_value=np.nan, deff=np.nan)


def _design_effects(shares: Floats, covariance: Floats, n: int) -> Floats:
    """Eigenvalues of Δ: the factors by which the design widens the contrasts of the interaction."""
    p = shares.ravel()
    centred = np.eye(len(p)) - p[:, None]
    contrasts = np.kron(*(np.vstack([np.ones(size - 1), -np.eye(size - 1)]) for size in shares.shape))
    scaled = contrasts / np.where(p > 0, p, np.inf)[:, None]  # an empty cell adds nothing, as in R survey
    simple = scaled.T @ ((np.diag(p) - np.outer(p, p)) / n) @ scaled
    drawn = scaled.T @ centred @ covariance @ centred.T @ scaled
    if np.linalg.matrix_rank(simple, hermitian=True) < len(simple):
        return np.full(len(simple), np.nan)
    return np.asarray(np.linalg.eigvals(np.linalg.solve(simple, drawn)).real, dtype=float)


def _wald(shares: Floats, covariance: Floats, *, k: float, df: float, adjusted: bool, deff: float) -> IndependenceTest:
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    expected = np.outer(rows, columns).ravel()
    same_row = np.kron(np.eye(len(rows)), np.ones((len(columns), len(columns))))
    same_column = np.kron(np.ones((len(rows), len(rows))), np.eye(len(columns)))
    # d(T_ij - T_i. T_.j / T..) / d T_ab
    slope = np.eye(shares.size) - same_row * np.tile(columns, len(rows))[:, None]
    slope += expected[:, None] - same_column * np.repeat(rows, len(columns))[:, None]
    free = np.arange(shares.size).reshape(shares.shape)[:-1, :-1].ravel()
    distance = (shares.ravel() - expected)[free]
    spread = (slope @ covariance @ slope.T)[np.ix_(free, free)]
    value, below = wald_statistic(distance, spread) / k, df - k + 1 if adjusted else df
    if adjusted:
        value *= below / df
    if not (below > 0 and np.isfinite(value)):
        return _unknown(k)
    return IndependenceTest(statistic=value, df1=k, df2=below, p_value=f_p_value(value, k, below), deff=deff)


def wald_statistic(differences: Floats, covariance: Floats) -> float:
    r"""Squared length of differences in units of their covariance, :math:`d'V^{-1}d`; NaN if V has no inverse.

    >>> wald_statistic(np.array([2.0, 0.0]), np.diag([4.0, 1.0]))
    1.0
    """
    size = np.sqrt(np.diag(covariance))
    if not (len(size) and (size > 0).all()):
        return float("nan")
    scaled = covariance / np.outer(size, size)
    if np.linalg.matrix_rank(scaled, tol=1e-10, hermitian=True) < len(size):
        return float("nan")
    standard = differences / size
    return float(standard @ np.linalg.solve(scaled, standard))
