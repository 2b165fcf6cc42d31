r"""Shapley values: what each of several players adds to a value, averaged over the orders in which they can join.

.. math::  \phi_j = \sum_{S \not\ni j} \frac{|S|!\,(p-|S|-1)!}{p!} \{v(S \cup j) - v(S)\}

It is linear in the values v, so everything here is a list of coalitions and a matrix that turns their values into the
players' parts. With R² as the value these are the LMG shares of Lindeman, Merenda and Gold (1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Orders:
    """The coalitions whose values are needed, and how they make up the parts.

    Parameters
    ----------
    coalitions
        Who is in (coalitions × players).
    parts
        Players × coalitions; times the values of the coalitions these are the players' parts.
    orders, paths
        Of a sample: the players in the order they join (draws × orders of a draw × players), and the coalitions on the
        way (draws × orders × players + 1). None if all orders count.
    """

    coalitions: Rows
    parts: Floats
    orders: Codes | None = None
    paths: Codes | None = None

    @property
    def n_drawn(self) -> int:
        """Number of orders drawn; 0 if all count."""
        return 0 if self.orders is None else self.orders.shape[0] * self.orders.shape[1]

    def sampling_error(self, values: Floats) -> Floats:
        """Standard error of each part from having drawn orders instead of taking all; 0 if all count."""
        if self.orders is None or self.paths is None:
            return np.zeros(len(self.parts))
        added = np.empty(self.orders.shape)
        np.put_along_axis(added, self.orders, np.diff(values[self.paths]), axis=-1)
        draws = added.mean(axis=1)
        return np.asarray(draws.std(axis=0, ddof=1) / np.sqrt(len(draws)), dtype=float)


def all_orders(blocks: Sequence[Sequence[int]]) -> Orders:
    """Every order in which whole blocks join, and every order of the players within the block that is joining.

    Parameters
    ----------
    blocks
        The players (from 0) of each block. With one player a block the parts are Shapley's values, else Owen's: those
        of a block sum to the Shapley value of the block as one player.

    References
    ----------
    Shapley (1953), Contributions to the Theory of Games II, 307-317. Owen (1977), Mathematical Economics and Game
    Theory, 76-88.

    Examples
    --------
    >>> found = all_orders([[0], [1]])
    >>> found.coalitions.astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> (found.parts @ np.array([0.0, 0.3, 0.5, 0.6])).round(3).tolist()
    [0.4, 0.2]
    """
    n_players = sum(map(len, blocks))
    keys, entries = [], []
    for own, players in enumerate(blocks):
        others = [block for other, block in enumerate(blocks) if other != own]
        for joined in product((False, True), repeat=len(others)):
            before = sum(1 << j for block, inside in zip(others, joined, strict=True) if inside for j in block)
            chance = _chance(sum(joined), len(blocks))
            for inner in product((False, True), repeat=len(players)):
                key = before + sum(1 << j for j, inside in zip(players, inner, strict=True) if inside)
                row = np.zeros(n_players)
                for j, inside in zip(players, inner, strict=True):
                    weight = chance * _chance(sum(inner) - inside, len(players))
                    row[j] = weight if inside else -weight
                keys.append(key)
                entries.append(row)
    held, place = np.unique(np.array(keys, dtype=object), return_inverse=True)
    parts = np.zeros((len(held), n_players))
    np.add.at(parts, place, np.array(entries))
    coalitions = np.array([[bool(key >> j & 1) for j in range(n_players)] for key in held])
    order = np.lexsort(coalitions.T[::-1])
    return Orders(coalitions=coalitions[order], parts=parts[order].T)


def drawn_orders(n_players: int, *, n: int, rng: np.random.Generator) -> Orders:
    """A sample of orders.

    A draw is a random order with all its rotations, so that everybody joins at every turn once, and their reverses:
    most of the chance of single orders cancels.

    Parameters
    ----------
    n_players
        Number of players.
    n
        Number of draws, at least 2; each has twice as many orders as there are players.
    rng
        Source of randomness.

    References
    ----------
    Castro, Gómez and Tejada (2009), Computers and Operations Research 36, 1726-1730. Mitchell, Cooper, Frank and Holmes
    (2022), Journal of Machine Learning Research 23 (43), section 2.

    Examples
    --------
    >>> found = drawn_orders(3, n=2, rng=np.random.default_rng(0))
    >>> additive = found.coalitions @ np.array([1.0, 2.0, 4.0])
    >>> (found.parts @ additive).round(9).tolist(), found.sampling_error(additive).round(9).tolist()
    ([1.0, 2.0, 4.0], [0.0, 0.0, 0.0])
    """
    drawn = rng.permuted(np.tile(np.arange(n_players), (max(2, n), 1)), axis=1)
    turned = drawn[:, (np.arange(n_players)[:, None] + np.arange(n_players)) % n_players]
    orders = np.concatenate([turned, turned[:, :, ::-1]], axis=1)
    turns = np.argsort(orders, axis=-1)  # at which each player joins
    inside = turns[:, :, None, :] < np.arange(n_players + 1)[:, None]
    packed = np.packbits(inside.reshape(-1, n_players), axis=1)
    held, place = np.unique(packed, axis=0, return_inverse=True)
    paths = place.reshape(inside.shape[:-1])
    parts = np.zeros((n_players, len(held)))
    each = 1 / (orders.shape[0] * orders.shape[1])
    np.add.at(parts, (orders, paths[..., 1:]), each)
    np.add.at(parts, (orders, paths[..., :-1]), -each)
    coalitions = np.unpackbits(held, axis=1, count=n_players).astype(bool)
    return Orders(coalitions=coalitions, parts=parts, orders=orders, paths=paths)


def _chance(before: int, n: int) -> float:
    """Probability that exactly a given set of that size comes before a given one of n players in a random order."""
    return 1 / (n * comb(n - 1, before))
