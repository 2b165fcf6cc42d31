"""Indices of careless answers: strings, variability, distance, consistency.

Answers are respondents × items; NaN is no valid answer. On complete answers every index equals R's package careless
1.2.2 (Yentes and Wilhelm); what missing answers change is said at each function.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

FEWEST_PAIRS = 3
"""Pairs of items that a correlation within a respondent needs, as in R."""
_SAME = 1e-12
"""Sums of squares up to this count as no variation."""


def answer_strings(x: Floats, *, asked: Rows | None = None) -> tuple[Floats, Floats]:
    """Longest and average number of same answers one after another.

    Parameters
    ----------
    x
        Answers, items in the order asked.
    asked
        Who was asked what; None: everybody everything. An item that was not asked is passed over; one that was asked
        and has no valid answer ends a string and is none (R counts it as a string of one in the average).

    References
    ----------
    Johnson (2005), Journal of Research in Personality 39, 103-129.

    Examples
    --------
    >>> longest, average = answer_strings(np.array([[4.0, 4.0, 4.0, 5.0], [1.0, 2.0, np.nan, 2.0]]))
    >>> longest.tolist(), average.tolist()
    ([3.0, 1.0], [2.0, 1.0])
    """
    n = len(x)
    before, run, longest, strings = np.full(n, np.nan), np.zeros(n), np.zeros(n), np.zeros(n)
    for place in range(x.shape[1]):
        answer, here = x[:, place], np.ones(n, dtype=bool) if asked is None else asked[:, place]
        valid = here & ~np.isnan(answer)
        same = valid & (answer == before)
        run = np.where(here, np.where(same, run + 1, valid), run)
        strings += valid & ~same
        before = np.where(here, answer, before)
        longest = np.maximum(longest, run)
    known = strings > 0
    answered = (~np.isnan(x) & (True if asked is None else asked)).sum(axis=1)
    average = np.divide(answered, strings, where=known, out=np.full(n, np.nan))
    return np.where(known, longest, np.nan), average


def response_variability(x: Floats) -> Floats:
    """Standard deviation of each respondent's answers; NaN with fewer than two.

    References
    ----------
    Dunn, Heggestad, Shanock and Theilgard (2018), Journal of Business and Psychology 33, 105-121.

    Examples
    --------
    >>> response_variability(np.array([[4.0, 4.0, 4.0], [1.0, 3.0, 5.0]])).tolist()
    [0.0, 2.0]
    """
    known = ~np.isnan(x)
    n = known.sum(axis=1)
    answers = np.where(known, x, 0.0)
    mean = answers.sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(known, x - mean[:, None], 0.0) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(np.divide(squares, n - 1, where=n > 1, out=np.full(len(x), np.nan))), dtype=float)


def flat_blocks(x: Floats, blocks: Sequence[Sequence[int]], *, fewest: int) -> tuple[Floats, Floats]:
    """Number of blocks answered with one and the same answer throughout, and of blocks with enough answers to tell.

    Examples
    --------
    >>> flat, told = flat_blocks(np.array([[4.0, 4.0, 4.0, 3.0, 4.0, 5.0]]), [[0, 1, 2], [3, 4, 5]], fewest=3)
    >>> flat.tolist(), told.tolist()
    ([1.0], [2.0])
    """
    flat, told = np.zeros(len(x)), np.zeros(len(x))
    for block in blocks:
        if not len(block):  # a factor none of whose items were asked
            continue
        part = x[:, list(block)]
        known = ~np.isnan(part)
        enough = known.sum(axis=1) >= fewest
        same = np.where(known, part, np.inf).min(axis=1) == np.where(known, part, -np.inf).max(axis=1)
        told += enough
        flat += enough & same
    return flat, told


def mahalanobis(x: Floats) -> tuple[Floats, Floats]:
    r"""Squared distance from the mean respondent, :math:`(x_i - \bar x)' S^{-1} (x_i - \bar x)`, and its p-value.

    Parameters
    ----------
    x
        Answers. Means and S are of the answers there are (pairwise); a respondent's distance is over the items they
        answered, with the part of S that belongs to those, and its p-value that of chi-squared with as many degrees of
        freedom. (R's psych::outlier puts the mean in place of a missing answer, which makes distances too large.)

    Returns
    -------
    tuple
        Distances and p-values; all NaN where S has no inverse (too few respondents, an item that all answer alike or
        that follows from others).

    References
    ----------
    Meade and Craig (2012), Psychological Methods 17, 437-455.

    Examples
    --------
    >>> distance, _ = mahalanobis(np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]]))
    >>> distance.round(3).tolist()
    [1.5, 1.5, 1.5, 1.5]
    """
    from scipy.special import chdtrc

    known = ~np.isnan(x)
    nothing = np.full(len(x), np.nan)
    spread, _, _ = _pairwise(x)
    if len(x) <= x.shape[1] or not _positive_definite(spread):
        return nothing, nothing.copy()
    away = np.where(known, x - np.nansum(x, axis=0) / known.sum(axis=0), 0.0)
    distance = nothing.copy()
    patterns, place = np.unique(known, axis=0, return_inverse=True)
    place = place.reshape(-1)
    for number, pattern in enumerate(patterns):
        if pattern.any():
            rows = np.flatnonzero(place == number)
            part = away[np.ix_(rows, pattern)]
            solved = np.linalg.solve(spread[np.ix_(pattern, pattern)], part.T)
            distance[rows] = (part * solved.T).sum(axis=1)
    df = known.sum(axis=1)
    return distance, np.where(df > 0, chdtrc(np.maximum(df, 1), distance), np.nan)


def item_pairs(x: Floats, *, critical: float = 0.6) -> NDArray[np.bool_]:
    """Pairs of items (items × items, below the diagonal) that go together: synonyms, or antonyms below zero.

    Parameters
    ----------
    x
        Answers; correlations are over respondents who answered both items.
    critical
        Pairs with a correlation above it; if negative, below it.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0, 5.0], [2.0, 2.0, 4.0], [3.0, 3.0, 1.0], [5.0, 4.0, 2.0]])
    >>> item_pairs(x).astype(int).tolist(), int(item_pairs(x, critical=-0.6).sum())
    ([[0, 0, 0], [1, 0, 0], [0, 0, 0]], 2)
    """
    cross, first, second = _pairwise(x)
    size = np.sqrt(first * second)
    together = np.divide(cross, size, where=size > 0, out=np.zeros_like(cross))
    chosen = together > critical if critical > 0 else together < critical
    return np.asarray(np.tril(chosen, -1), dtype=bool)


def pair_consistency(x: Floats, pairs: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Correlation within each respondent between the answers to the first and the second items of pairs.

    Parameters
    ----------
    x
        Answers.
    pairs
        As :func:`item_pairs` gives them.

    Returns
    -------
    tuple
        Correlations and numbers of pairs with both answers; NaN with fewer than three of these or without variation (R
        then swaps the items of pairs at random until it finds some).

    References
    ----------
    Meade and Craig (2012), Psychological Methods 17, 437-455.

    Examples
    --------
    >>> pairs = np.zeros((6, 6), dtype=bool)
    >>> pairs[[1, 3, 5], [0, 2, 4]] = True
    >>> pair_consistency(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 5.0]]), pairs)[0].round(4).tolist()
    [0.982]
    """
    table, known = pairs.astype(float), (~np.isnan(x)).astype(float)
    base = np.round(np.nanmean(x)) if known.any() else 0.0  # whole answers stay whole: sums of squares are exact
    answers = np.where(known > 0, x - base, 0.0)

    def sums(left: Floats, right: Floats) -> Floats:
        return np.asarray(((left @ table) * right).sum(axis=1), dtype=float)

    n = sums(known, known)
    moments = (
        sums(answers, known), sums(known, answers),
        sums(answers**2, known), sums(known, answers**2), sums(answers, answers),
    )  # fmt: skip
    return np.where(n >= FEWEST_PAIRS, _correlation(n, *moments), np.nan), n


def even_odd(x: Floats, scales: Sequence[Sequence[int]]) -> Floats:
    r"""Minus the even-odd consistency: over the scales, the correlation r within a respondent between the means of
    every second item and of the others, lengthened to :math:`2r/(1+r)` and not below -1.

    From -1 (consistent) to 1: a higher value is more doubtful, as in R since careless 1.2.0.

    Parameters
    ----------
    x
        Answers.
    scales
        Columns of each scale's items, in the order asked; scales of one item have no two halves and are passed over.

    References
    ----------
    Johnson (2005), Journal of Research in Personality 39, 103-129.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0, 3.0, 3.0, 5.0, 5.0], [1.0, 5.0, 3.0, 3.0, 5.0, 1.0]])
    >>> even_odd(x, [[0, 1], [2, 3], [4, 5]]).tolist()
    [-1.0, 1.0]
    """
    halves = [(_means(x[:, list(scale)[1::2]]), _means(x[:, list(scale)[::2]])) for scale in scales if len(scale) > 1]
    if len(halves) < 2:
        return np.full(len(x), np.nan)
    even, odd = (np.column_stack(side) for side in zip(*halves, strict=True))
    both = ~np.isnan(even) & ~np.isnan(odd)
    n = both.sum(axis=1).astype(float)
    left, right = (np.where(both, side, 0.0) for side in (even, odd))
    moments = (left, right, left**2, right**2, left * right)
    r = _correlation(n, *(part.sum(axis=1) for part in moments))
    longer = np.divide(2 * r, 1 + r, where=r > -1, out=np.where(np.isnan(r), np.nan, -1.0))
    return 0.0 - np.maximum(longer, -1.0)


def _means(x: Floats) -> Floats:
    """Mean of each row's answers; NaN without any."""
    known = ~np.isnan(x)
    n = known.sum(axis=1)
    total = np.where(known, x, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, n, where=n > 0, out=np.full(len(x), np.nan)), dtype=float)


def _correlation(n: Floats, x: Floats, y: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    """Correlations from sums; NaN without variation."""
    size = np.maximum(n, 1)
    spread_x, spread_y = xx - x**2 / size, yy - y**2 / size
    known = (n > 1) & (spread_x > _SAME * np.maximum(xx, 1)) & (spread_y > _SAME * np.maximum(yy, 1))
    below = np.sqrt(np.where(known, spread_x * spread_y, 1.0))
    return np.where(known, np.clip((xy - x * y / size) / below, -1, 1), np.nan)


def _pairwise(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Covariances of all pairs of items over who answered both, and the variances of either item over the same."""
    known = (~np.isnan(x)).astype(float)
    n = np.maximum(known.sum(axis=0), 1)
    away = np.where(known > 0, x - np.where(known > 0, x, 0.0).sum(axis=0) / n, 0.0)
    both = known.T @ known
    left, right = away.T @ known, known.T @ away
    size, less = np.maximum(both, 1), np.maximum(both - 1, 1)
    cross = (away.T @ away - left * right / size) / less
    first = ((away**2).T @ known - left**2 / size) / less
    second = (known.T @ away**2 - right**2 / size) / less
    return cross, first, second


def _positive_definite(matrix: Floats) -> bool:
    diagonal = np.diagonal(matrix)
    if len(matrix) == 0 or not (diagonal > 0).all():
        return False
    size = np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(matrix / np.outer(size, size))[0] > 1e-10)
