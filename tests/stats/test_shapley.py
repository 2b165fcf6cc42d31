"""Shapley's axioms, Owen's quotient property, sampled orders, and R² of subsets with its influence values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from khaosat.stats.boosting import held_out_importance
from khaosat.stats.collinearity import inflation
from khaosat.stats.mcfadden import subset_mcfadden
from khaosat.stats.ordinal import fit_ordinal, level_shares
from khaosat.stats.ordinal_shares import lower_share
from khaosat.stats.r_squared import moments, r_squared_influence, subset_r_squared
from khaosat.stats.shapley import Orders, all_orders, drawn_orders

Floats = NDArray[np.float64]
seeds = st.integers(0, 10_000)


def game(seed: int, orders: Orders) -> dict[bytes, float]:
    rng = np.random.default_rng(seed)
    return {row.tobytes(): float(rng.normal()) for row in orders.coalitions}


def values(found: dict[bytes, float], orders: Orders) -> Floats:
    return np.array([found[row.tobytes()] for row in orders.coalitions])


@given(seeds, st.integers(1, 5))
def test_the_definition_over_all_permutations(seed: int, p: int) -> None:
    orders = all_orders([[j] for j in range(p)])
    found = game(seed, orders)
    by_hand = np.zeros(p)
    every = list(permutations(range(p)))
    for order in every:
        inside = np.zeros(p, dtype=bool)
        for j in order:
            before = found[inside.tobytes()]
            inside[j] = True
            by_hand[j] += (found[inside.tobytes()] - before) / len(every)
    np.testing.assert_allclose(orders.parts @ values(found, orders), by_hand, atol=1e-12)


@given(seeds)
def test_parts_of_members_sum_to_the_part_of_their_block(seed: int) -> None:
    blocks = [[0, 3], [1], [2, 4, 5]]
    orders = all_orders(blocks)
    v = game(seed, all_orders([[j] for j in range(6)]))
    parts = orders.parts @ values(v, orders)
    quotient = all_orders([[0], [1], [2]])
    whole = [np.isin(np.arange(6), [j for b, inside in zip(blocks, row, strict=True) if inside for j in b])
             for row in quotient.coalitions]  # fmt: skip
    expected = quotient.parts @ np.array([v[row.tobytes()] for row in whole])
    np.testing.assert_allclose([parts[block].sum() for block in blocks], expected, atol=1e-12)


@given(seeds, st.integers(2, 7))
def test_drawn_orders_sum_to_the_whole_and_their_error_is_real(seed: int, p: int) -> None:
    exact = all_orders([[j] for j in range(p)])
    found = game(seed, exact)
    drawn = drawn_orders(p, n=12, rng=np.random.default_rng(seed))
    v = values(found, drawn)
    parts, error = drawn.parts @ v, drawn.sampling_error(v)
    full, empty = np.ones(p, dtype=bool).tobytes(), np.zeros(p, dtype=bool).tobytes()
    assert parts.sum() == pytest.approx(found[full] - found[empty])
    away = np.abs(parts - exact.parts @ values(found, exact))
    assert (away <= 12 * error + 1e-9).all()  # an error from 12 draws is itself rough: t with 11 degrees of freedom
    assert drawn.n_drawn == 12 * 2 * p


def test_orders_drawn_with_one_source_come_again() -> None:
    one, other = (drawn_orders(14, n=3, rng=np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.parts, other.parts)


def regression(seed: int, n: int = 60, p: int = 3) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1)) + rng.normal(size=(n, p))
    return x @ rng.normal(size=p) + rng.normal(size=n), x, rng.uniform(1, 5, n)


@given(seeds)
def test_r_squared_of_subsets_is_that_of_least_squares(seed: int) -> None:
    y, x, w = regression(seed)
    members = all_orders([[0], [1], [2]]).coalitions
    found, slopes = subset_r_squared(moments(y, x, weights=w).matrix, members)
    root, centre = np.sqrt(w), y - np.average(y, weights=w)
    for inside, value in zip(members, found, strict=True):
        columns = np.column_stack([np.ones(len(y)), x[:, inside]]) * root[:, None]
        residual = y * root - columns @ np.linalg.lstsq(columns, y * root, rcond=None)[0]
        assert value == pytest.approx(1 - residual @ residual / (w @ centre**2), abs=1e-10)
    assert (slopes[~members] == 0).all()


def numerical(parts, w: Floats, i: int, step: float) -> Floats:
    up, down = w.copy(), w.copy()
    up[i], down[i] = w[i] + step, w[i] - step
    return w[i] * (parts(up) - parts(down)) / (2 * step)


@settings(max_examples=10)
@given(seeds)
def test_influence_on_parts_of_r_squared_is_the_derivative_by_the_weight(seed: int) -> None:
    y, x, w = regression(seed)
    orders = all_orders([[0], [1], [2]])
    influence = r_squared_influence(moments(y, x, weights=w), orders.coalitions, parts=orders.parts)

    def parts(weights: Floats) -> Floats:
        return orders.parts @ subset_r_squared(moments(y, x, weights=weights).matrix, orders.coalitions)[0]

    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-12)
    for i in range(0, 60, 7):
        np.testing.assert_allclose(influence[i], numerical(parts, w, i, 1e-4), rtol=1e-4, atol=1e-9)


@settings(max_examples=5)
@given(seeds, st.booleans())
def test_influence_on_mcfadden_is_the_derivative_and_joining_rows_changes_nothing(seed: int, coarse: bool) -> None:
    y, x, w = regression(seed, n=150)
    levels = np.searchsorted(np.quantile(y, [0.2, 0.5, 0.8]), y)
    x = np.clip(np.round(x), -1, 1) if coarse else x  # few distinct rows: counted together
    orders = all_orders([[0], [1], [2]])

    def found(weights: Floats) -> tuple[Floats, Floats]:
        return subset_mcfadden(levels, x, weights=weights, members=orders.coalitions, parts=orders.parts)

    r2, influence = found(w)
    for place, inside in enumerate(orders.coalitions):
        alone = fit_ordinal(levels, x[:, inside], weights=w).log_likelihood
        base = fit_ordinal(levels, x[:, :0], weights=w).log_likelihood
        assert r2[place] == pytest.approx(1 - alone / base, abs=1e-9)
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-9)
    for i in (3, 77):
        np.testing.assert_allclose(
            influence[i], numerical(lambda v: orders.parts @ found(v)[0], w, i, 1e-3), rtol=1e-3, atol=1e-6
        )


def test_covariances_under_other_weights() -> None:
    y, x, w = regression(5)
    found = moments(y, x, weights=w)
    np.testing.assert_allclose(found.under(w[:, None])[0], found.matrix, atol=1e-12)
    other = found.under(np.ones((60, 1)))[0]
    by_hand = np.cov(found.values.T, bias=True)
    np.testing.assert_allclose(other, by_hand, atol=1e-12)


@given(seeds)
def test_the_share_up_to_a_level_is_the_sum_of_its_levels(seed: int) -> None:
    y, x, w = regression(seed, n=120)
    levels = np.searchsorted(np.quantile(y, [0.3, 0.7]), y)
    fit = fit_ordinal(levels, x, weights=w)
    each, influence = level_shares(x, fit, weights=w)
    for cut in (1, 2):
        value, own = lower_share(x, fit, cut=cut, weights=w)
        assert value == pytest.approx(each[:cut].sum())
        np.testing.assert_allclose(own, influence[:, :cut].sum(axis=1), atol=1e-12)


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    y, x, w = regression(2, n=200)
    levels = np.searchsorted(np.quantile(y, [0.3, 0.7]), y)
    cold = fit_ordinal(levels, x, weights=w)
    warm = fit_ordinal(levels, x, weights=w, start=cold.coef + 0.1)
    np.testing.assert_allclose(warm.coef, cold.coef, rtol=1e-8)


def test_inflation_is_one_over_what_the_others_leave() -> None:
    y, x, w = regression(9, p=4)
    vif, index = inflation(x, weights=w)
    others, _ = subset_r_squared(moments(x[:, 0], x[:, 1:], weights=w).matrix, np.ones((1, 3), dtype=bool))
    assert vif[0] == pytest.approx(1 / (1 - others[0]))
    assert inflation(x * [1, 10, 100, 1000], weights=w)[1] == pytest.approx(index)


def test_boosted_trees_see_a_joint_effect_that_a_line_does_not() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(900, 3))
    y = x[:, 0] * x[:, 1] + rng.normal(0, 0.3, 900)
    weights, units = rng.uniform(1, 3, 900), np.arange(900) % 30
    found, again, other = (
        held_out_importance(y, x, groups=[[0], [1], [2]], weights=w, units=units, rng=np.random.default_rng(1))
        for w in (weights, weights, np.ones(900))
    )
    assert found.r2_linear < 0.05 < 0.5 < found.r2_boosted < 1
    assert found.boosted.shape == (5, 3)
    assert found.boosted[:, :2].min() > found.boosted[:, 2].max()
    np.testing.assert_array_equal(found.boosted, again.boosted)
    assert not np.allclose(found.boosted, other.boosted)
