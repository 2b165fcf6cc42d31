r"""Confirmatory factor model: every item belongs to one factor, the factors may correlate.

:math:`\Sigma_{jk} = \lambda_j \lambda_k \Phi_{f(j)f(k)}`, and :math:`\theta_j` is added on the diagonal; factors have
variance 1. Two discrepancies between the model and the sample matrix S:

- ``ml``: :math:`F = \log|\Sigma| + \mathrm{tr}(S\Sigma^{-1}) - \log|S| - p`;
- ``dwls``, for polychoric correlations: :math:`F = \sum_{j<k} (S_{jk} - \Sigma_{jk})^2 / v_{jk}`, where the diagonal
  is 1 by definition and :math:`\theta_j = 1 - \lambda_j^2`.

By the implicit function theorem the minimum moves by :math:`-F_{tt}^{-1} F_{tS}\, \mathrm{d}S` with S, so estimates
have influence values as S has, and standard errors by any design, whether the model holds or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROUNDS = 200
_SCORING = 8
"""Rounds before the exact second derivatives, dear and far from the minimum of little use, take over."""
_HALVINGS = 30
_STILL = 1e-10


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorFit:
    """A fitted model.

    Parameters
    ----------
    loadings, uniquenesses
        By item, on the scale of S.
    factor_correlations
        m × m.
    implied
        The model's matrix.
    discrepancy
        F at the minimum.
    slopes
        Derivatives of the parameters (loadings, correlations of factors in the order of ``np.triu_indices(m, 1)`` and,
        for ``ml``, uniquenesses) by the entries of S on and above its diagonal.
    tangents
        Derivatives of the model's matrix by the parameters (q × p × p).
    converged
        Whether a minimum was found.
    """

    loadings: Floats
    uniquenesses: Floats
    factor_correlations: Floats
    implied: Floats
    discrepancy: float
    slopes: Floats
    tangents: Floats
    converged: bool


def fit_factors(matrix: Floats, factor_of: Codes, *, variances: Floats | None = None) -> FactorFit:
    """Fit the model.

    Parameters
    ----------
    matrix
        Covariances or correlations, positive definite for ``ml``.
    factor_of
        The factor of each item, from 0. A factor has two items at least, three if it is the only one.
    variances
        Variances v of the entries (p × p) make it ``dwls``; None: ``ml``.

    References
    ----------
    Jöreskog (1969), Psychometrika 34, 183-202. Muthén, du Toit and Spisic (1997), Robust inference using weighted least
    squares (dwls). Martins, Sturdza and Alonso (2003), ACM TOMS 29, 245-262 (derivatives by complex steps).

    Examples
    --------
    >>> r = np.outer([0.9, 0.8, 0.7], [0.9, 0.8, 0.7])
    >>> np.fill_diagonal(r, 1)
    >>> fit_factors(r, np.zeros(3, dtype=np.intp)).loadings.round(6)
    array([0.9, 0.8, 0.7])
    """
    model = _Model(matrix, factor_of, variances)
    at, converged = model.start(), False
    value = model.discrepancy(at)
    for turn in range(_ROUNDS):
        slope = model.gradient(at[None])[0]
        bend = model.hessian(at) if turn >= _SCORING else None
        if bend is None or not _is_positive(bend):
            bend = model.expected(at)
        step = -np.linalg.lstsq(bend, slope, rcond=None)[0]
        fall = -float(slope @ step)
        for _ in range(_HALVINGS):
            reached = model.discrepancy(at + step)
            if reached <= value + 1e-12 * (1 + abs(value)):
                break
            step = step / 2
        else:
            break
        at, value = at + step, reached
        if np.abs(step).max() < _STILL * (1 + np.abs(at).max()) and fall < _STILL:
            converged = _is_positive(model.hessian(at))
            break
    return model.result(model.turned(at), value, converged=converged)


class _Model:
    """The discrepancy as a function of the parameters."""

    def __init__(self, matrix: Floats, factor_of: Codes, variances: Floats | None) -> None:
        self.s, self.factor_of, self.p, self.m = matrix, factor_of, len(matrix), int(factor_of.max()) + 1
        self.pairs = np.triu_indices(self.m, 1)
        self.ml = variances is None
        if variances is not None:
            self.weight = np.where(np.eye(self.p) > 0, 0.0, 1 / np.where(variances > 0, variances, np.inf))
        if self.ml and not _is_positive(matrix):
            raise ValueError("the matrix is not positive definite: maximum likelihood needs one that is")
        self.log_det = float(np.linalg.slogdet(matrix)[1]) if self.ml else 0.0

    def start(self) -> Floats:
        """First components of each factor's items, half of the variance unique, small correlations of factors."""
        size, loadings = np.sqrt(np.diagonal(self.s)), np.zeros(self.p)
        for factor in range(self.m):
            own = np.flatnonzero(self.factor_of == factor)
            r = self.s[np.ix_(own, own)] / np.outer(size[own], size[own])
            vector = np.linalg.eigh(r)[1][:, -1]
            loadings[own] = 0.7 * size[own] * np.where(vector * np.sign(vector.sum() or 1) < 0, -1, 1)
        correlations = np.zeros(len(self.pairs[0]))
        for place, (a, b) in enumerate(zip(*self.pairs, strict=True)):
            block = (self.s / np.outer(size, size) * np.sign(np.outer(loadings, loadings)))[
                np.ix_(self.factor_of == a, self.factor_of == b)
            ]
            correlations[place] = np.clip(1.5 * block.mean(), -0.5, 0.5)
        unique = 0.5 * size**2 if self.ml else np.zeros(0)
        return np.concatenate([loadings, correlations, unique])

    def parts(self, at: Any) -> tuple[Any, Any, Any]:
        """Loadings, factor correlations spread over items, and implied matrices of a batch of parameter vectors.

        The vectors are real, or complex for derivatives.
        """
        loadings = at[:, : self.p]
        phi = np.zeros((len(at), self.m, self.m), dtype=at.dtype)
        phi[:, range(self.m), range(self.m)] = 1.0
        rest = at[:, self.p : self.p + len(self.pairs[0])]
        phi[:, self.pairs[0], self.pairs[1]] = phi[:, self.pairs[1], self.pairs[0]] = rest
        spread = phi[:, self.factor_of][:, :, self.factor_of]
        implied = loadings[:, :, None] * loadings[:, None, :] * spread
        diagonal = range(self.p)
        if self.ml:
            implied[:, diagonal, diagonal] += at[:, self.p + len(self.pairs[0]) :]
        else:
            implied[:, diagonal, diagonal] = 1.0
        return loadings, spread, implied

    def discrepancy(self, at: Floats) -> float:
        """F; infinite where the implied matrix is no covariance matrix."""
        implied = self.parts(at[None])[2][0]
        if not self.ml:
            return float((self.weight * (self.s - implied) ** 2).sum() / 2)
        try:
            root = np.linalg.cholesky(implied)
        except np.linalg.LinAlgError:
            return np.inf
        inner = np.linalg.solve(root, self.s)
        trace = float(np.trace(np.linalg.solve(root, inner.T)))
        return float(2 * np.log(np.diagonal(root)).sum() + trace - self.log_det - self.p)

    def gradient(self, at: Any) -> Any:
        """Derivatives of F at a batch of parameter vectors: tr(W dΣ) with W = Σ⁻¹(Σ - S)Σ⁻¹ (``ml``) or (Σ - S)/v."""
        loadings, spread, implied = self.parts(at)
        if self.ml:
            inverse = np.linalg.inv(implied)
            away = inverse - inverse @ self.s @ inverse
        else:
            away = self.weight * (implied - self.s)
        between = away * spread
        by_loading = 2 * (between @ loadings[:, :, None])[:, :, 0]
        products = away * loadings[:, :, None] * loadings[:, None, :]
        member = np.eye(self.m)[self.factor_of]
        by_factor = 2 * (member.T @ products @ member)[:, self.pairs[0], self.pairs[1]]
        unique = [np.diagonal(away, axis1=1, axis2=2)] if self.ml else []
        return np.concatenate([by_loading, by_factor, *unique], axis=1)

    def hessian(self, at: Floats) -> Floats:
        """Exact second derivatives, to the last digit by complex steps."""
        q, tiny = len(at), 1e-30
        rows = [self.gradient((at + 1j * tiny * np.eye(q)[j])[None])[0].imag / tiny for j in range(q)]
        return np.asarray((np.array(rows) + np.array(rows).T) / 2, dtype=float)

    def tangents(self, at: Floats) -> Floats:
        """Derivatives of the implied matrix by each parameter (q × p × p)."""
        loadings, spread, _ = (part[0] for part in self.parts(at[None]))
        found = np.zeros((len(at), self.p, self.p))
        for j in range(self.p):
            found[j, j] += loadings * spread[j]
            found[j, :, j] += loadings * spread[j]
        products = np.outer(loadings, loadings)
        for place, (a, b) in enumerate(zip(*self.pairs, strict=True), start=self.p):
            block = np.outer(self.factor_of == a, self.factor_of == b)
            found[place] = products * (block | block.T)
        if self.ml:
            place = self.p + len(self.pairs[0])
            found[range(place, place + self.p), range(self.p), range(self.p)] = 1.0
        else:
            found[:, range(self.p), range(self.p)] = 0.0
        return found

    def expected(self, at: Floats) -> Floats:
        """Second derivatives if the model held."""
        tangents = self.tangents(at)
        if self.ml:
            away = np.linalg.solve(self.parts(at[None])[2][0], tangents)
            return np.asarray(np.einsum("tab,uba->tu", away, away, optimize=True), dtype=float)
        flat = tangents.reshape(len(tangents), -1)
        return np.asarray((flat * self.weight.ravel()) @ flat.T, dtype=float)

    def turned(self, at: Floats) -> Floats:
        """The same model with most loadings of each factor positive."""
        signs = np.array([np.sign(at[: self.p][self.factor_of == f].sum()) or 1.0 for f in range(self.m)])
        rest = at[self.p + len(self.pairs[0]) :]
        own = at[self.p : self.p + len(self.pairs[0])] * signs[self.pairs[0]] * signs[self.pairs[1]]
        return np.concatenate([at[: self.p] * signs[self.factor_of], own, rest])

    def result(self, at: Floats, value: float, *, converged: bool) -> FactorFit:
        """The fit, with the derivatives of the parameters by S."""
        implied, tangents = self.parts(at[None])[2][0], self.tangents(at)
        phi = np.eye(self.m)
        phi[self.pairs] = phi.T[self.pairs] = at[self.p : self.p + len(self.pairs[0])]
        if self.ml:
            inverse = np.linalg.inv(implied)
            by_entry = -(inverse @ tangents @ inverse)
        else:
            by_entry = -self.weight * tangents
        upper = np.triu_indices(self.p)
        both = (by_entry * (2 - np.eye(self.p)))[:, upper[0], upper[1]]
        slopes = np.full(both.shape, np.nan)
        if converged:
            slopes = -np.linalg.solve(self.hessian(at), both)
        unique = at[self.p + len(self.pairs[0]) :] if self.ml else 1 - at[: self.p] ** 2
        return FactorFit(
            loadings=at[: self.p], uniquenesses=unique, factor_correlations=phi, implied=implied, discrepancy=value,
            slopes=slopes, tangents=tangents, converged=converged,
        )  # fmt: skip


def _is_positive(matrix: Floats) -> bool:
    """Whether a matrix is positive definite."""
    size = np.sqrt(np.maximum(np.diagonal(matrix), 0))
    if not (size > 0).all() or not np.isfinite(matrix).all():
        return False
    return bool(np.linalg.eigvalsh(matrix / np.outer(size, size))[0] > 1e-10)
