"""From a model matrix to parts of R²: which columns are players, what they add, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.domain.weighting import Replicates
from khaosat.stats.mcfadden import subset_mcfadden
from khaosat.stats.r_squared import moments, r_squared_influence, subset_r_squared
from khaosat.stats.replicates import replicate_covariance
from khaosat.stats.shapley import Orders, all_orders, drawn_orders
from khaosat.survey.model_result import model_covariance

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
ImportanceModel = Literal["linear", "ordinal", "logistic"]

MOST_EXACT = 12
"""Up to so many players all orders are taken."""
_MOST_COALITIONS = 6_000
"""Blocks are divided among their members only if that takes no more coalitions."""
_MOST_REFITS = 2_000
"""Models that are no regression are fitted again in every replicate if that takes no more fits."""
_CONSTANT = 1e-10
"""A column whose variance in a replicate is this part of that in the sample is constant there."""
DRAWS = {"linear": 100, "ordinal": 4, "logistic": 4}
"""Draws of orders beyond that, each of twice as many orders as there are players."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Game:
    """An outcome, the columns that may explain it, and who plays with which of them.

    Parameters
    ----------
    y
        Numbers for a linear model, places of the levels otherwise.
    x
        Model matrix without intercept.
    used
        Respondents of the survey that its rows are.
    players
        Columns of each variable (variables × columns).
    always
        Columns that are in every model.
    blocks
        Variables of each block; blocks join as a whole.
    """

    y: Floats
    x: Floats
    used: Rows
    players: Rows
    always: Rows
    blocks: Sequence[Sequence[int]]

    @property
    def divisible(self) -> bool:
        """Whether the blocks are divided among their members."""
        several = any(len(block) > 1 for block in self.blocks)
        each = 2 ** (len(self.blocks) - 1) if len(self.blocks) <= MOST_EXACT else _MOST_COALITIONS + 1
        return several and each * sum(2 ** len(block) for block in self.blocks) <= _MOST_COALITIONS

    def orders(self, draws: int, rng: np.random.Generator) -> Orders:
        """The orders in which variables (if blocks are divided among them) or whole blocks join."""
        if self.divisible:
            return all_orders(self.blocks)
        if len(self.blocks) <= MOST_EXACT:
            return all_orders([[j] for j in range(len(self.blocks))])
        return drawn_orders(len(self.blocks), n=draws, rng=rng)

    def members(self, orders: Orders) -> Rows:
        """Columns that each coalition brings."""
        players = self.players
        if orders.coalitions.shape[1] != len(players):  # blocks join as a whole
            players = np.array([self.players[list(block)].any(axis=0) for block in self.blocks])
        return np.asarray((orders.coalitions.astype(int) @ players.astype(int) > 0) | self.always, dtype=bool)


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """Parts of R², then R² with everybody in and with only what is always in.

    Parameters
    ----------
    estimates, covariance
        Blocks, R², R² of what is always in.
    within, within_covariance
        The division of the blocks among variables; empty where it was not made.
    sampling
        Error of the blocks from having drawn orders.
    n_orders
        Orders drawn; 0 if all were taken.
    again
        The blocks in every replicate (blocks × replicates) if replicate weights were taken through the whole
        calculation, else None.
    """

    estimates: Floats
    covariance: Floats
    within: Floats
    within_covariance: Floats
    sampling: Floats
    n_orders: int
    again: Floats | None


def parts_of_r_squared(
    survey: Survey, game: Game, *, model: ImportanceModel, draws: int | None, rng: np.random.Generator
) -> Parts:
    """Divide R² among the players and find the design-based covariance of the parts."""
    orders = game.orders(draws if draws is not None else DRAWS[model], rng)
    members, divided = game.members(orders), game.divisible
    blocks = np.array([orders.parts[list(block)].sum(axis=0) for block in game.blocks]) if divided else orders.parts
    ends = np.vstack([orders.coalitions.all(axis=1), ~orders.coalitions.any(axis=1)]).astype(float)
    wanted = np.vstack([blocks, ends, orders.parts if divided else orders.parts[:0]])
    again = None
    made = survey.replication
    if model == "linear" and made is not None and not orders.n_drawn:
        values, again = _from_replicates(survey, made, game=game, members=members, wanted=wanted)
    else:
        values, influence = _linearised(survey, game, members, wanted=wanted, model=model)
        if made is not None and model != "linear" and len(members) * made.n <= _MOST_REFITS:
            again = _refitted(made, game=game, members=members, wanted=wanted)
    if again is not None and made is not None:
        variance = replicate_covariance(again, factors=made.factors)
    else:
        variance = model_covariance(survey, influence, used=game.used)
    result, split = wanted @ values, len(blocks) + 2
    return Parts(
        estimates=result[:split], covariance=variance[:split, :split], within=result[split:],
        within_covariance=variance[split:, split:], sampling=orders.sampling_error(values)[: len(blocks)],
        n_orders=orders.n_drawn, again=None if again is None else again[: len(blocks)],
    )  # fmt: skip


def _linearised(
    survey: Survey, game: Game, members: Rows, *, wanted: Floats, model: ImportanceModel
) -> tuple[Floats, Floats]:
    """R² of every coalition, and the influence of each respondent on the wanted combinations."""
    weights = survey.arrays.weights[game.used]
    if model == "linear":
        found = moments(game.y, game.x, weights=weights)
        return subset_r_squared(found.matrix, members)[0], r_squared_influence(found, members, parts=wanted)
    return subset_mcfadden(game.y.astype(np.intp), game.x, weights=weights, members=members, parts=wanted)


def _from_replicates(
    survey: Survey, made: Replicates, *, game: Game, members: Rows, wanted: Floats
) -> tuple[Floats, Floats]:
    """R² of every coalition, and the wanted combinations in every replicate (NaN if a column is constant there)."""
    found = moments(game.y, game.x, weights=survey.arrays.weights[game.used])
    matrices = found.under(made.weights[game.used])
    again = np.full((len(wanted), len(matrices)), np.nan)
    for j in np.flatnonzero((np.diagonal(matrices, axis1=1, axis2=2) > _CONSTANT).all(axis=1)):
        again[:, j] = wanted @ subset_r_squared(matrices[j], members)[0]
    return subset_r_squared(found.matrix, members)[0], again


def _refitted(made: Replicates, *, game: Game, members: Rows, wanted: Floats) -> Floats | None:
    """The wanted combinations of McFadden's R² in every replicate; None if one of them has too rare an answer."""
    again = []
    for weights in made.weights[game.used].T:
        if not weights.any():
            return None
        found, _ = subset_mcfadden(
            game.y.astype(np.intp), game.x, weights=weights, members=members, parts=wanted[:0]
        )  # fmt: skip
        if not np.isfinite(found).all():
            return None
        again.append(wanted @ found)
    return np.column_stack(again)
