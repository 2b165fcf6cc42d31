"""Exploratory factor analysis of a correlation matrix: extraction, rotation, number of factors, fitness for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.p_values import chi2_p_value
from khaosat.stats.rotation import Rotation, rotate

Floats = NDArray[np.float64]
Extraction = Literal["ml", "minres"]

_LOWEST = 0.005
"""Least uniqueness looked for, as R's factanal: below it lies a Heywood case."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Extracted:
    """Factors found in a correlation matrix.

    Parameters
    ----------
    loadings
        p × m (pattern), factors in falling order of what they explain.
    uniquenesses
        By item.
    correlations
        Of the factors; the identity unless the rotation is oblique.
    heywood
        Items whose uniqueness stopped at its least value.
    converged
        Whether a minimum was found.
    """

    loadings: Floats
    uniquenesses: Floats
    correlations: Floats
    heywood: tuple[int, ...]
    converged: bool


def most_factors(p: int) -> int:
    """How many factors p items can have and leave degrees of freedom: :math:`(p-m)^2 \\ge p+m`.

    >>> most_factors(6), most_factors(2)
    (3, 0)
    """
    return max((m for m in range(1, p) if (p - m) ** 2 >= p + m), default=0)


def extract(matrix: Floats, m: int, *, method: Extraction = "ml", rotation: Rotation = "oblimin") -> Extracted:
    r"""Extract and rotate m factors.

    Uniquenesses :math:`\psi` minimise, over the roots beyond the first m, :math:`\sum_k (e_k - \log e_k - 1)` of
    :math:`\Psi^{-1/2} R \Psi^{-1/2}` (``ml``), or :math:`\sum_k e_k^2` of :math:`R - \Psi` (``minres``).

    Parameters
    ----------
    matrix
        Correlations, positive definite for ``ml``.
    m
        Number of factors, at most :func:`most_factors`.
    method
        Maximum likelihood or least squares of the residual correlations.
    rotation
        As in :func:`khaosat.stats.rotation.rotate`.

    References
    ----------
    Lawley and Maxwell (1971), Factor Analysis as a Statistical Method, 2nd ed. Harman and Jones (1966), Psychometrika
    31, 351-368.

    Examples
    --------
    >>> r = np.outer([0.9, 0.8, 0.7, 0.6], [0.9, 0.8, 0.7, 0.6])
    >>> np.fill_diagonal(r, 1)
    >>> extract(r, 1).loadings.ravel().round(4)
    array([0.9, 0.8, 0.7, 0.6])
    """
    if method not in get_args(Extraction):
        raise ValueError(f"method must be one of {', '.join(get_args(Extraction))}, not {method!r}")
    from scipy.optimize import minimize

    p = len(matrix)
    start = np.clip(1 / np.diagonal(np.linalg.pinv(matrix)) * (1 - 0.5 * m / p), _LOWEST, 1.0)
    options = {"maxiter": 2000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-9}
    height = _ml if method == "ml" else _minres
    found = minimize(
        height, start, args=(matrix, m), jac=True, method="L-BFGS-B", bounds=[(_LOWEST, 1.0)] * p, options=options
    )
    unique = np.asarray(found.x, dtype=float)
    slope = height(unique, matrix, m)[1]
    inside = (unique > _LOWEST * 1.001) & (unique < 1 - 1e-9)
    loadings = _loadings(matrix, unique, m, method)
    turned, correlations = rotate(loadings, rotation)
    return Extracted(
        loadings=turned, uniquenesses=unique, correlations=correlations,
        heywood=tuple(int(j) for j in np.flatnonzero(unique <= _LOWEST * 1.001)),
        converged=bool(np.abs(slope[inside]).max(initial=0.0) < 1e-4),
    )  # fmt: skip


def _ml(unique: Floats, matrix: Floats, m: int) -> tuple[float, Floats]:
    root = 1 / np.sqrt(unique)
    roots, vectors = np.linalg.eigh(matrix * np.outer(root, root))
    rest, axes = np.maximum(roots[: len(unique) - m], 1e-300), vectors[:, : len(unique) - m]
    slope = (axes**2 @ (1 - rest)) / unique
    return float((rest - np.log(rest) - 1).sum()), slope


def _minres(unique: Floats, matrix: Floats, m: int) -> tuple[float, Floats]:
    roots, vectors = np.linalg.eigh(matrix - np.diag(unique))
    rest, axes = roots[: len(unique) - m], vectors[:, : len(unique) - m]
    return float((rest**2).sum()), -2 * (axes**2 @ rest)


def _loadings(matrix: Floats, unique: Floats, m: int, method: Extraction) -> Floats:
    size = np.sqrt(unique) if method == "ml" else np.ones(len(unique))
    inner = matrix / np.outer(size, size) - (np.eye(len(unique)) if method == "ml" else np.diag(unique))
    roots, vectors = np.linalg.eigh(inner)
    return np.asarray(size[:, None] * vectors[:, ::-1][:, :m] * np.sqrt(np.maximum(roots[::-1][:m], 0)), dtype=float)


def smoothed(matrix: Floats) -> Floats:
    """The nearest correlation matrix in kind: roots below zero lifted, the diagonal made 1 again.

    >>> r = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]])
    >>> bool(np.linalg.eigvalsh(r)[0] < 0), bool(np.linalg.eigvalsh(smoothed(r))[0] > 0)
    (True, True)
    """
    roots, vectors = np.linalg.eigh(matrix)
    least = 1e-6 * len(matrix)
    if roots[0] >= least / 10:
        return matrix
    lifted = (vectors * np.maximum(roots, least)) @ vectors.T
    size = np.sqrt(np.diagonal(lifted))
    return np.asarray(lifted / np.outer(size, size), dtype=float)


def sampling_adequacy(matrix: Floats) -> tuple[float, Floats]:
    r"""Kaiser-Meyer-Olkin measure, over all and by item: :math:`\sum r^2 / (\sum r^2 + \sum q^2)`, q partial.

    References
    ----------
    Kaiser and Rice (1974), Educational and Psychological Measurement 34, 111-117.

    Examples
    --------
    >>> whole, items = sampling_adequacy(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> whole, items.tolist()
    (0.5, [0.5, 0.5])
    """
    inverse = np.linalg.inv(matrix)
    size = np.sqrt(np.diagonal(inverse))
    partial, simple = (inverse / np.outer(size, size)) ** 2, matrix**2
    np.fill_diagonal(partial, 0.0)
    simple = simple - np.diag(np.diagonal(simple))
    items = simple.sum(axis=0) / (simple + partial).sum(axis=0)
    return float(simple.sum() / (simple + partial).sum()), items


def sphericity(matrix: Floats, n: int) -> tuple[float, int, float]:
    r"""Bartlett's test that no items correlate: :math:`-(n - 1 - (2p + 5)/6) \log|R|`, its df and p-value.

    References
    ----------
    Bartlett (1951), Biometrika 38, 337-344.

    Examples
    --------
    >>> [round(float(part), 4) for part in sphericity(np.array([[1.0, 0.3], [0.3, 1.0]]), 100)]
    [9.1953, 1.0, 0.0024]
    """
    p = len(matrix)
    statistic = -(n - 1 - (2 * p + 5) / 6) * float(np.linalg.slogdet(matrix)[1])
    return statistic, p * (p - 1) // 2, chi2_p_value(statistic, p * (p - 1) // 2)


def random_roots(values: Floats, weights: Floats, *, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Roots of the weighted correlation matrix of the answers, and of answers shuffled within each item (draws × p).

    Blanks stay where they are, and so do weights: unequal weights make random roots spread as they should.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185. Buja and Eyuboglu (1992), Multivariate Behavioral Research 27, 509-540.

    Examples
    --------
    >>> z = np.random.default_rng(1).normal(size=(200, 3))
    >>> own, random = random_roots(z[:, :1] + z, np.ones(200), draws=20, rng=np.random.default_rng(2))
    >>> bool(own[0] > random[:, 0].max()), random.shape
    (True, (20, 3))
    """
    valid = np.isfinite(values)
    known, filled = valid.astype(float), np.where(valid, values, 0.0)
    shuffled, found = filled.copy(), np.empty((draws, values.shape[1]))
    for draw in range(draws):
        for j, rows in enumerate(valid.T):
            shuffled[rows, j] = rng.permutation(filled[rows, j])
        found[draw] = _roots(shuffled, known, weights)
    return _roots(filled, known, weights), found


def _roots(values: Floats, known: Floats, weights: Floats) -> Floats:
    """Roots of the pairwise correlation matrix, the largest first; ``known`` marks answers by 1, blanks by 0."""
    share = known * weights[:, None]
    filled = values - (share * values).sum(axis=0) / share.sum(axis=0) * known
    held = filled * share
    size, cross, square, first = share.T @ known, held.T @ filled, (held * filled).T @ known, held.T @ known
    mean = first / size
    covariance, variance = cross / size - mean * mean.T, square / size - mean**2
    return np.asarray(np.linalg.eigvalsh(covariance / np.sqrt(variance * variance.T))[::-1], dtype=float)
