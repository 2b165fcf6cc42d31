"""Respondents whose answers are nearly those of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_PAIRS_AT_ONCE = 8_000_000
"""Pairs of respondents compared at once."""


def best_matches(codes: Codes, group: Codes, *, fewest: int = 1) -> tuple[Floats, Codes]:
    """Largest share of same answers that a respondent has with another of their group, and who that is.

    Parameters
    ----------
    codes
        Answers as codes, respondents × items; -1 where there is none. The share is over the items both answered.
    group
        Group of each respondent, such as the interviewer; -1 for none.
    fewest
        Items both must have answered.

    Returns
    -------
    tuple
        Shares (NaN without anybody to compare with) and rows of the nearest others (-1 without).

    References
    ----------
    Kuriakose and Robbins (2016), Statistical Journal of the IAOS 32, 283-291.

    Examples
    --------
    >>> answers = np.array([[1, 2, 3, 4], [1, 2, 3, 3], [4, 4, 4, -1]])
    >>> share, other = best_matches(answers, np.zeros(3, dtype=int))
    >>> share.round(3).tolist(), other.tolist()
    ([0.75, 0.75, 0.0], [1, 0, 0])
    """
    best, nearest = np.full(len(codes), np.nan), np.full(len(codes), -1, dtype=np.intp)
    for number in np.unique(group[group >= 0]):
        rows = np.flatnonzero(group == number)
        height = max(1, _PAIRS_AT_ONCE // len(rows))
        for start in range(0, len(rows), height):
            some = rows[start : start + height]
            share = _shared(codes[some], codes[rows], fewest=fewest)
            share[np.arange(len(some)), np.arange(start, start + len(some))] = -1.0  # oneself
            place = share.argmax(axis=1)
            found = share[np.arange(len(some)), place]
            best[some] = np.where(found >= 0, found, np.nan)
            nearest[some] = np.where(found >= 0, rows[place], -1)
    return best, nearest


def _shared(some: Codes, others: Codes, *, fewest: int) -> Floats:
    """Share of same answers of each pair; -1 where they have too few answers in common."""
    same = np.zeros((len(some), len(others)), dtype=np.int32)
    both = np.zeros_like(same)
    for mine, theirs in zip(some.T, others.T, strict=True):
        answered = (mine >= 0)[:, None] & (theirs >= 0)
        both += answered
        same += answered & (mine[:, None] == theirs)
    return np.where(both >= max(fewest, 1), same / np.maximum(both, 1), -1.0)
