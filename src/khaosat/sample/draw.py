"""Draws that the generator needs again and again, from one random stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.sample.clock import Bools, Floats, Ints


def stream(seed: int, *key: int) -> np.random.Generator:
    """An independent random stream for a part of the simulation: same seed and key, same numbers.

    >>> bool(stream(1, 2).random() == stream(1, 2).random()), bool(stream(1, 2).random() == stream(1, 3).random())
    (True, False)
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def shares(weights: ArrayLike) -> Floats:
    """Cumulative shares of each row of weights, ending in 1; a row of zeros stays zero until its last.

    >>> shares([[1, 3], [0, 0]]).tolist()
    [[0.25, 1.0], [0.0, 1.0]]
    """
    table = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    total = table.sum(axis=1, keepdims=True)
    cumulative: Floats = np.cumsum(table / np.where(total > 0, total, 1), axis=1)
    cumulative[:, -1] = 1.0
    return cumulative


def pick(rng: np.random.Generator, cumulative: Floats, *, row: Ints | None = None, n: int = 0) -> Ints:
    """One category for each case, by the cumulative shares of its row (or of the only row, ``n`` times).

    >>> pick(stream(1), shares([[1, 0], [0, 1]]), row=np.array([0, 1, 1])).tolist()
    [0, 1, 1]
    """
    rows = np.zeros(n, dtype=np.int64) if row is None else row
    width = cumulative.shape[1]
    flat = (cumulative + np.arange(len(cumulative))[:, None]).ravel()
    found = np.searchsorted(flat, rows + rng.random(len(rows)), side="right") - rows * width
    chosen: Ints = np.clip(found, 0, width - 1)
    return chosen


def chance(rng: np.random.Generator, probability: Floats | float, *, n: int) -> Bools:
    """True with the given probability, n times."""
    return rng.random(n) < probability


def lognormal(rng: np.random.Generator, spread: Floats | float, *, shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Positive numbers with mean 1; ``spread`` is the sigma of their logarithm."""
    normal = rng.standard_normal(shape)
    return np.exp(spread * normal - np.square(spread) / 2)
