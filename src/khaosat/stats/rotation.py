"""Rotation of factor loadings: varimax, promax, oblimin."""

from __future__ import annotations

from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rotation = Literal["oblimin", "promax", "varimax", "none"]

_ROUNDS = 5000
_STILL = 1e-10
_POWER = 4
"""Power of promax."""


def rotate(loadings: Floats, rotation: Rotation) -> tuple[Floats, Floats]:
    r"""Rotated loadings (the pattern) and correlations of the factors.

    Parameters
    ----------
    loadings
        p × m.
    rotation
        ``varimax`` and ``promax`` (power 4) with Kaiser's normalisation, ``oblimin`` (:math:`\gamma = 0`) without, as
        R's factanal and psych take them.

    Notes
    -----
    The criterion is brought to its minimum; R stops at 1e-5, so that loadings differ in the fourth digit unless R is
    told to go on. Factors come in falling order of their sums of squares, each with a positive sum of loadings.

    References
    ----------
    Kaiser (1958), Psychometrika 23, 187-200. Hendrickson and White (1964), BJMSP 17, 65-70. Jennrich (2002),
    Psychometrika 67, 7-19 (gradient projection).

    Examples
    --------
    >>> a = np.array([[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.5]])
    >>> mixed = a @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    >>> bool(np.allclose(rotate(mixed, "varimax")[0], a, atol=1e-6))
    True
    """
    if rotation not in get_args(Rotation):
        raise ValueError(f"rotation must be one of {', '.join(get_args(Rotation))}, not {rotation!r}")
    m = loadings.shape[1]
    if m < 2 or rotation == "none":
        return _ordered(loadings, np.eye(m))
    if rotation == "oblimin":
        return _ordered(*_oblimin(loadings))
    size = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    size = np.where(size > 0, size, 1.0)
    turned = _varimax(loadings / size) * size
    return _ordered(turned, np.eye(m)) if rotation == "varimax" else _ordered(*_promax(turned))


def _varimax(loadings: Floats) -> Floats:
    """Largest variance of squared loadings within factors, by Kaiser's rotations of two factors at a time."""
    turned = loadings.copy()
    p, m = turned.shape
    for _ in range(_ROUNDS):
        largest = 0.0
        for i, j in combinations(range(m), 2):
            x, y = turned[:, i].copy(), turned[:, j].copy()
            u, v = x**2 - y**2, 2 * x * y
            top = 2 * (p * u @ v - u.sum() * v.sum())
            bottom = p * (u @ u - v @ v) - u.sum() ** 2 + v.sum() ** 2
            angle = float(np.arctan2(top, bottom)) / 4
            turned[:, i] = np.cos(angle) * x + np.sin(angle) * y
            turned[:, j] = np.cos(angle) * y - np.sin(angle) * x
            largest = max(largest, abs(angle))
        if largest < _STILL:
            break
    return turned


def _promax(turned: Floats) -> tuple[Floats, Floats]:
    """Oblique factors nearest to the varimax loadings raised to a power."""
    target = turned * np.abs(turned) ** (_POWER - 1)
    turn = np.linalg.lstsq(turned, target, rcond=None)[0]
    turn = turn * np.sqrt(np.diagonal(np.linalg.inv(turn.T @ turn)))
    inverse = np.linalg.inv(turn)
    return turned @ turn, inverse @ inverse.T


def _oblimin(loadings: Floats) -> tuple[Floats, Floats]:
    """Least sum of products of squared loadings on different factors, by gradient projection."""
    m = loadings.shape[1]
    others = 1 - np.eye(m)

    def criterion(turn: Floats) -> tuple[float, Floats]:
        inverse = np.linalg.inv(turn)
        turned = loadings @ inverse.T
        crossed = turned**2 @ others
        return float((turned**2 * crossed).sum()) / 4, -((turned.T @ (turned * crossed)) @ inverse).T

    turn, step = np.eye(m), 1.0
    value, slope = criterion(turn)
    for _ in range(_ROUNDS):
        along = slope - turn * (turn * slope).sum(axis=0)
        size = float((along**2).sum())
        if size < _STILL**2:
            break
        step *= 2
        for _ in range(40):
            moved = turn - step * along
            moved = moved / np.sqrt((moved**2).sum(axis=0))
            reached, new = criterion(moved)
            if reached < value - 0.5 * size * step:
                break
            step /= 2
        else:
            break
        turn, value, slope = moved, reached, new
    return loadings @ np.linalg.inv(turn).T, turn.T @ turn


def _ordered(loadings: Floats, correlations: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    signs = np.where(loadings[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return loadings[:, order] * signs, correlations[np.ix_(order, order)] * np.outer(signs, signs)
