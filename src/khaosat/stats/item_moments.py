"""Covariances of items that respondents answered in part, with the influence of each respondent on every one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.polychoric import Codes, polychoric, polychoric_influence, threshold_influence

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class ItemMoments:
    """Correlations of p items and what a respondent does to them.

    Parameters
    ----------
    matrix
        Correlations (p × p).
    influence
        Weighted influence of each respondent on the entries on and above the diagonal, in the order of
        ``np.triu_indices(p)``, of the covariance matrix divided by ``scale`` (taken as fixed) down and across. Of
        polychoric correlations the diagonal has none.
    scale
        Standard deviations; ones for polychoric correlations.
    variance
        Variances of the entries if respondents had been drawn one by one; of polychoric correlations as lavaan has it.
    n_pairs
        Respondents with both answers (p × p).
    thresholds, threshold_influence
        Of polychoric correlations: normal quantiles of the cumulative shares, an array an item, and the influence of
        each respondent on them.
    at_edge
        Pairs whose polychoric correlation has no estimate inside -1..1.
    """

    matrix: Floats
    influence: Floats
    scale: Floats
    variance: Floats
    n_pairs: NDArray[np.int64]
    thresholds: tuple[Floats, ...] = ()
    threshold_influence: tuple[Floats, ...] = ()
    at_edge: tuple[tuple[int, int], ...] = ()

    @property
    def covariance(self) -> Floats:
        """Covariance matrix."""
        return np.asarray(self.matrix * np.outer(self.scale, self.scale), dtype=float)

    def of(self, items: list[int]) -> ItemMoments:
        """The moments of some of the items."""
        places, wanted = np.zeros(self.matrix.shape, dtype=np.intp), np.ix_(items, items)
        upper = np.triu_indices(len(self.matrix))
        places[upper] = places.T[upper] = np.arange(len(upper[0]))
        kept = places[wanted][np.triu_indices(len(items))]
        return replace(
            self, matrix=self.matrix[wanted], influence=self.influence[:, kept], scale=self.scale[items],
            variance=self.variance[kept], n_pairs=self.n_pairs[wanted],
            thresholds=tuple(self.thresholds[j] for j in items) if self.thresholds else (),
            threshold_influence=tuple(self.threshold_influence[j] for j in items) if self.thresholds else (),
            at_edge=tuple((items.index(a), items.index(b)) for a, b in self.at_edge if a in items and b in items),
        )  # fmt: skip


def pearson_moments(values: Floats, weights: Floats) -> ItemMoments:
    r"""Weighted covariances, each over the respondents with both answers.

    :math:`S_{jk} = \frac{n}{n-1} \sum w (x_j - \bar x_j)(x_k - \bar x_k) / \sum w`, with the means over the same
    respondents; its influence is :math:`w_i \{\frac{n}{n-1}(x_{ij} - \bar x_j)(x_{ik} - \bar x_k) - S_{jk}\}/\sum w`.

    Parameters
    ----------
    values
        Respondents × items, NaN where there is no answer. Every pair of items has two respondents at least, and every
        item varies.
    weights
        Sampling weights.

    Examples
    --------
    >>> moments = pearson_moments(np.array([[1.0, 2.0], [2.0, 1.0], [6.0, 3.0]]), np.ones(3))
    >>> moments.covariance.round(6).tolist(), float(moments.matrix[0, 1].round(4))
    ([[7.0, 2.0], [2.0, 1.0]], 0.7559)
    """
    valid = np.isfinite(values)
    p, upper = values.shape[1], np.triu_indices(values.shape[1])
    covariance, influence = np.zeros((p, p)), np.zeros((len(values), len(upper[0])))
    n_pairs = valid.astype(np.int64).T @ valid.astype(np.int64)
    for place, (j, k) in enumerate(zip(*upper, strict=True)):
        both = valid[:, j] & valid[:, k]
        share = weights[both] / weights[both].sum()
        x, y = values[both, j], values[both, k]
        products = (x - share @ x) * (y - share @ y) * (n_pairs[j, k] / (n_pairs[j, k] - 1))
        covariance[j, k] = covariance[k, j] = share @ products
        influence[both, place] = share * (products - covariance[j, k])
    scale = np.sqrt(np.diagonal(covariance))
    influence /= np.outer(scale, scale)[upper]
    return ItemMoments(
        matrix=covariance / np.outer(scale, scale), influence=influence, scale=scale,
        variance=(influence**2).sum(axis=0), n_pairs=n_pairs,
    )  # fmt: skip


def replicate_covariances(values: Floats, weights: Floats, *, n_pairs: NDArray[np.int64]) -> Floats:
    """The covariances of :func:`pearson_moments` under replicate weights.

    Parameters
    ----------
    values
        As in :func:`pearson_moments`.
    weights
        Respondents × replicates.
    n_pairs
        Respondents with both answers in the sample.

    Returns
    -------
    numpy.ndarray
        Replicates × p × p; NaN where a replicate leaves nobody with both answers.

    Examples
    --------
    >>> x, w = np.array([[1.0, 2.0], [2.0, 1.0], [6.0, 3.0]]), np.ones((3, 1))
    >>> replicate_covariances(x, w, n_pairs=np.full((2, 2), 3))[0].round(6).tolist()
    [[7.0, 2.0], [2.0, 1.0]]
    """
    valid, p = np.isfinite(values), values.shape[1]
    away = np.where(valid, values - np.nanmean(values, axis=0), 0.0)  # so that no digits are lost in the differences
    result = np.empty((weights.shape[1], p, p))
    for j, k in zip(*np.triu_indices(p), strict=True):
        both = valid[:, j] & valid[:, k]
        parts = np.column_stack([both, away[:, j] * both, away[:, k] * both, away[:, j] * away[:, k]])
        size, of_j, of_k, product = parts.T @ weights
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = (product / size - of_j * of_k / size**2) * (n_pairs[j, k] / (n_pairs[j, k] - 1))
        result[:, j, k] = result[:, k, j] = np.where(size > 0, spread, np.nan)
    return result


def polychoric_moments(answers: Codes, weights: Floats, *, exact: bool = True) -> ItemMoments:
    """Polychoric correlations with all that goes with them.

    Parameters
    ----------
    answers, weights
        As in :func:`khaosat.stats.polychoric.polychoric`.
    exact
        As in :func:`khaosat.stats.polychoric.polychoric_influence`, for ``influence``; ``variance`` is always lavaan's.

    Examples
    --------
    >>> rows = np.array([[0, 0]] * 40 + [[0, 1]] * 10 + [[1, 0]] * 10 + [[1, 1]] * 40)
    >>> float(polychoric_moments(rows, np.ones(100)).matrix[0, 1].round(4))
    0.809
    """
    fit, p = polychoric(answers, weights), answers.shape[1]
    valid = (answers >= 0).astype(np.int64)
    first, second = np.triu_indices(p)
    influence, variance = np.zeros((len(answers), len(first))), np.zeros(len(first))
    rough = polychoric_influence(answers, weights, fit, exact=False)
    influence[:, first != second] = polychoric_influence(answers, weights, fit) if exact else rough
    variance[first != second] = (rough**2).sum(axis=0)
    return ItemMoments(
        matrix=fit.matrix, influence=influence, scale=np.ones(p), variance=variance, n_pairs=valid.T @ valid,
        thresholds=fit.thresholds, at_edge=fit.at_edge,
        threshold_influence=tuple(threshold_influence(answers, weights, fit.thresholds)),
    )  # fmt: skip
