r"""McFadden's R² of every subset of predictors of a cumulative model, and the influence of each respondent on it.

:math:`R^2_S = 1 - \ell_S/\ell_0` with the weighted log pseudo-likelihoods of the model with the predictors of S and of
the thresholds alone. At its maximum :math:`\ell_S` does not move with the coefficients to first order, so that a
respondent's influence comes from their own term alone,

.. math::  IF_i(R^2_S) = -\frac{w_i}{\ell_0} \{\ell_{iS} - (1 - R^2_S)\,\ell_{i0}\}.

A two-level outcome is the logistic model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.ordinal import OrdinalFit, fit_ordinal, log_shares
from khaosat.stats.ordinal_links import OrdinalLink

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_WORTH = 0.7
"""Respondents with the same answers are put together where that leaves at most this part of the rows."""


def subset_mcfadden(
    y: Codes, x: Floats, *, weights: Floats, members: Rows, parts: Floats, link: OrdinalLink = "logit"
) -> tuple[Floats, Floats]:
    """R² of each subset, and the weighted influence of each respondent on linear combinations of them.

    Parameters
    ----------
    y, x, weights, link
        As in :func:`khaosat.stats.ordinal.fit_ordinal`.
    members
        Which columns are in (subsets × columns).
    parts
        Combinations × subsets; the coefficients. They should sum to 0 or the empty subset be among the members.

    Returns
    -------
    tuple of numpy.ndarray
        R² (subsets; NaN where a fit has no finite maximum), influence (respondents × combinations).

    References
    ----------
    McFadden (1974), Frontiers in Econometrics, 105-142. Luchman (2015), Organizational Research Methods 18, 143-169.

    Examples
    --------
    >>> y, x = np.array([0, 0, 1, 0, 1, 1]), np.array([[0.0], [0], [0], [1], [1], [1]])
    >>> members = np.array([[False], [True]])
    >>> value, influence = subset_mcfadden(y, x, weights=np.ones(6), members=members, parts=np.array([[-1.0, 1.0]]))
    >>> value.round(4).tolist(), bool(abs(influence.sum()) < 1e-9)
    ([0.0, 0.0817], True)
    """
    none = np.zeros((len(y), 0))
    empty = fit_ordinal(y, none, weights=weights, link=link)
    own = log_shares(y, none, fit=empty)
    base = float(weights @ own)
    rows = _Answers(y, x)
    values, influence = np.full(len(members), np.nan), np.zeros((len(y), len(parts)))
    known: dict[bytes, OrdinalFit] = {}
    for place in np.argsort(members.sum(axis=1), kind="stable"):
        inside = members[place]
        fit, log_share = rows.fit(inside, weights=weights, link=link, start=_start(inside, known, empty))
        if not fit.converged:
            continue
        known[inside.tobytes()] = fit
        values[place] = 1 - (weights @ log_share) / base
        away = log_share - (1 - values[place]) * own
        influence -= np.outer(weights * away / base, parts[:, place])
    return values, influence


class _Answers:
    """Outcome and predictors, with those who answered alike counted once where it pays."""

    def __init__(self, y: Codes, x: Floats) -> None:
        self.y, self.x = y, x
        coded = [np.unique(column, return_inverse=True) for column in x.T]
        self.codes = [place.reshape(-1) for _, place in coded]
        self.sizes = [len(values) for values, _ in coded]

    def fit(self, inside: Rows, *, weights: Floats, link: OrdinalLink, start: Floats) -> tuple[OrdinalFit, Floats]:
        """The model with some columns, and the logarithm of each respondent's probability in it."""
        x, chosen = self.x[:, inside], np.flatnonzero(inside)
        if (int(self.y.max()) + 1) * np.prod([float(self.sizes[j]) for j in chosen]) < 2**62:
            code = self.y.copy()
            for j in chosen:
                code = code * self.sizes[j] + self.codes[j]
            _, first, place = np.unique(code, return_index=True, return_inverse=True)
            if len(first) <= _WORTH * len(code):
                y, x = self.y[first], x[first]
                fit = fit_ordinal(y, x, weights=np.bincount(place, weights).astype(float), link=link, start=start)
                return fit, log_shares(y, x, fit=fit)[place]
        fit = fit_ordinal(self.y, x, weights=weights, link=link, start=start)
        return fit, log_shares(self.y, x, fit=fit)


def _start(inside: Rows, known: dict[bytes, OrdinalFit], empty: OrdinalFit) -> Floats:
    """Coefficients of a subset with one column less, if one was fitted, with 0 for the column that joins."""
    for j in np.flatnonzero(inside):
        less = inside.copy()
        less[j] = False
        fit = known.get(less.tobytes())
        if fit is not None:
            return np.insert(fit.coef, int(inside[:j].sum()), 0.0)
    return np.concatenate([np.zeros(int(inside.sum())), empty.coef])
