r"""Weights that meet known totals, and what is left of influence values once the totals are known.

With design weights :math:`d_i`, calibration variables :math:`x_i` and their population totals :math:`T`, calibrated
weights :math:`w_i = d_i g_i` satisfy :math:`\sum w_i x_i = T` and stay as near to :math:`d_i` as a distance allows
(Deville and Särndal 1992). Of an influence value :math:`z_i = w_i u_i` only the part that the :math:`x_i` do not
explain still varies from sample to sample: :math:`w_i (u_i - x_i^\top \hat\beta)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Method = Literal["linear", "raking", "logit"]
Bounds = tuple[float, float]

_REDUNDANT = 1e-12
"""Directions of the calibration variables with less than this share of the largest eigenvalue repeat others."""
_HALVINGS = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """Factors that turn weights into calibrated ones, and how near they come.

    Parameters
    ----------
    factors
        Calibrated weight / weight.
    reached
        Totals of the calibrated weights, one a calibration variable (and replicate, in columns).
    iterations
        Steps taken.
    gap
        Largest distance from a total, relative to it.
    """

    factors: Floats
    reached: Floats
    iterations: int
    gap: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Projection:
    r"""Residuals of weighted influence values: z − L G Rᵀz.

    ``lift`` holds :math:`w_i x_i`, ``read`` :math:`k_i x_i / w_i` with the regression weights k, ``inverse`` is
    :math:`(\sum k_i x_i x_i^\top)^-`.
    """

    lift: csr_array
    read: csr_array
    inverse: Floats

    def residual(self, scores: Floats) -> Floats:
        """Residuals of the columns of ``scores`` (respondents × p)."""
        return np.asarray(scores - self.lift @ (self.inverse @ (self.read.T @ scores)), dtype=float)


@dataclass(frozen=True, eq=False, kw_only=True)
class InTurn:
    """Residuals from several sets of variables taken out in turn, for a number of rounds.

    Without end this is the projection on all of them; ten rounds, as in R survey's ``rake``, come near it.
    """

    parts: tuple[Projection, ...]
    rounds: int = 10

    def residual(self, scores: Floats) -> Floats:
        """Residuals of the columns of ``scores`` (respondents × p)."""
        for _ in range(self.rounds if len(self.parts) > 1 else 1):
            for part in self.parts:
                scores = part.residual(scores)
        return scores


def indicators(codes: Sequence[Codes], *, sizes: Sequence[int]) -> csr_array:
    """One column a level of each classification, one row a respondent.

    >>> indicators([np.array([0, 1, 1]), np.array([0, 0, 1])], sizes=[2, 2]).toarray().tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """
    from scipy.sparse import csr_array

    n, starts = len(codes[0]), np.cumsum([0, *sizes])
    columns = np.column_stack([code + start for code, start in zip(codes, starts[:-1], strict=True)]).ravel()
    pointers = np.arange(n + 1) * len(codes)
    return csr_array((np.ones(len(columns)), columns, pointers), shape=(n, int(starts[-1])))


def projection(x: csr_array, *, weights: Floats, regression: Floats) -> Projection:
    """The projection that takes out what ``x`` explains.

    Parameters
    ----------
    x
        Calibration variables, respondents × p; may repeat each other.
    weights
        Calibrated weights. A respondent whose weight was brought to zero adds nothing.
    regression
        Weights of the regression of influence on ``x``: those before calibration in theory.

    Examples
    --------
    >>> ones, one_group = np.ones(4), indicators([np.zeros(4, dtype=int)], sizes=[1])
    >>> fixed = projection(one_group, weights=ones, regression=ones)
    >>> fixed.residual(np.array([[1.0], [2.0], [3.0], [6.0]])).ravel().tolist()
    [-2.0, -1.0, 0.0, 3.0]
    """
    safe = np.where(weights != 0, weights, 1.0)
    rows = np.where(weights != 0, regression, 0.0)
    gram = (x.T @ _scaled(x, rows)).toarray()
    return Projection(lift=_scaled(x, weights), read=_scaled(x, rows / safe), inverse=_pseudo_inverse(gram))


def rake_factors(
    weights: Floats,
    margins: Sequence[tuple[Codes, Floats]],
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-12,
) -> Fit:
    """Iterative proportional fitting (Deming and Stephan 1940) of every column of weights at once.

    Parameters
    ----------
    weights
        Groups of respondents that agree in every margin × replicates: raking treats them alike.
    margins
        Level of each group and the target of each level, margin by margin.
    max_iterations, tolerance
        Rounds over all margins, and the relative gap at which to stop.

    Returns
    -------
    Fit
        Not necessarily converged: its ``gap`` tells. A level without weight keeps a gap of its whole target.

    Examples
    --------
    >>> rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> fit = rake_factors(np.ones((4, 1)), [(rows, np.array([30.0, 70.0])), (columns, np.array([40.0, 60.0]))])
    >>> fit.factors.ravel().round(9).tolist()
    [12.0, 18.0, 28.0, 42.0]
    """
    tables = [indicators([codes], sizes=[len(targets)]).T.tocsr() for codes, targets in margins]
    targets = [target[:, None] for _, target in margins]
    factors, iterations = np.ones_like(weights), 0
    reached = [table @ weights for table in tables]
    while (gap := _largest_gap(reached, targets)) > tolerance and iterations < max_iterations:
        for (codes, _), table, target in zip(margins, tables, targets, strict=True):
            sums = table @ (weights * factors)
            factors = factors * np.divide(target, sums, where=sums > 0, out=np.ones_like(sums))[codes]
        reached, iterations = [table @ (weights * factors) for table in tables], iterations + 1
    return Fit(factors=factors, reached=np.concatenate(reached), iterations=iterations, gap=gap)


def calibration_factors(
    x: csr_array,
    *,
    weights: Floats,
    totals: Floats,
    method: Method = "linear",
    bounds: Bounds | None = None,
    max_iterations: int = 200,
    tolerance: float = 1e-12,
) -> Fit:
    r"""Factors :math:`g_i = F(x_i^\top\lambda)` with :math:`\sum d_i g_i x_i = T`, by Newton's method.

    F is 1 + u (``linear``), exp u (``raking``), both cut off at the bounds if there are any, or (``logit``) the
    logistic curve between the bounds with F(0) = F'(0) = 1.

    Parameters
    ----------
    x
        Calibration variables, respondents × p.
    weights, totals
        Weights d and population totals T.
    method, bounds
        As above; ``logit`` needs bounds, lower < 1 < upper.
    max_iterations, tolerance
        Newton steps, and the gap at which to stop, relative to the total.

    Returns
    -------
    Fit
        Not necessarily converged: its ``gap`` tells.

    References
    ----------
    Deville and Särndal (1992), Journal of the American Statistical Association 87, 376-382.

    Examples
    --------
    >>> x = indicators([np.array([0, 0, 1, 1])], sizes=[2])
    >>> calibration_factors(x, weights=np.ones(4), totals=np.array([3.0, 1.0])).factors.round(9).tolist()
    [1.5, 1.5, 0.5, 0.5]
    """
    curve = _curve(method, bounds)
    size = np.maximum(np.abs(totals), np.abs(x).T @ np.abs(weights))
    size = np.where(size > 0, size, 1.0)
    unit = _times(x, 1 / size)
    aim, u, iterations = totals / size, np.zeros(x.shape[0]), 0
    factors, slope = curve(u)
    missing = aim - unit.T @ (weights * factors)
    while np.max(np.abs(missing), initial=0.0) > tolerance and iterations < max_iterations:
        hessian = (unit.T @ _scaled(unit, weights * slope)).toarray()
        step = unit @ (_pseudo_inverse(hessian) @ missing)
        for halving in range(_HALVINGS):
            trial = u + step / 2**halving
            factors, slope = curve(trial)
            left = aim - unit.T @ (weights * factors)
            if np.linalg.norm(left) < np.linalg.norm(missing):
                break
        else:  # no shorter step is better: at a bound, or as near as floating point gets
            factors, slope = curve(u)
            break
        u, missing, iterations = trial, left, iterations + 1
    gap = float(np.max(np.abs(missing), initial=0.0))
    return Fit(factors=factors, reached=(aim - missing) * size, iterations=iterations, gap=gap)


def trimmed(weights: Floats, *, lower: float, upper: float, strict: bool = False) -> Floats:
    """Weights cut off at the bounds; what was cut off is shared equally among the others, so that the sum stays.

    Sharing may carry a weight past a bound; ``strict`` trims again until none is.

    >>> trimmed(np.array([1.0, 4.0, 4.0, 11.0]), lower=2, upper=10).tolist()
    [2.0, 4.0, 4.0, 10.0]
    """
    result = weights
    for _ in range(len(weights) if strict else 1):
        outside = (result < lower) | (result > upper)
        if not outside.any() or outside.all():
            break
        cut = np.clip(result, lower, upper)
        result = np.where(outside, cut, cut + (weights.sum() - cut.sum()) / (~outside).sum())
    return result


def _curve(method: Method, bounds: Bounds | None) -> Callable[[Floats], tuple[Floats, Floats]]:
    """F and its derivative."""
    if method == "logit":
        low, high = bounds or (0.0, np.inf)
        rate = (high - low) / ((1 - low) * (high - 1))

        def logistic(u: Floats) -> tuple[Floats, Floats]:
            power = np.exp(np.clip(rate * u, -700, 700))
            value = (low * (high - 1) + high * (1 - low) * power) / ((high - 1) + (1 - low) * power)
            return value, rate * (value - low) * (high - value) / (high - low)

        return logistic

    def cut_off(u: Floats) -> tuple[Floats, Floats]:
        value = 1 + u if method == "linear" else np.exp(np.clip(u, -700, 700))
        slope = np.ones_like(u) if method == "linear" else value
        if bounds is None:
            return value, slope
        inside = (value > bounds[0]) & (value < bounds[1])
        return np.clip(value, *bounds), np.where(inside, slope, 0.0)

    return cut_off


def _largest_gap(reached: Sequence[Floats], targets: Sequence[Floats]) -> float:
    return max(float(np.max(np.abs(sums / target - 1))) for sums, target in zip(reached, targets, strict=True))


def _scaled(x: csr_array, rows: Floats) -> csr_array:
    """Each row times its number."""
    result = x.copy()
    result.data = x.data * np.repeat(rows, np.diff(x.indptr))
    return result


def _times(x: csr_array, columns: Floats) -> csr_array:
    """Each column times its number."""
    result = x.copy()
    result.data = x.data * columns[x.indices]
    return result


def _pseudo_inverse(gram: Floats) -> Floats:
    """Inverse on the directions that do not repeat others, after bringing the diagonal to one."""
    scale = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    values, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    kept = values > _REDUNDANT * max(values[-1], 1e-300)
    half = vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray((half @ half.T) / np.outer(scale, scale), dtype=float)
