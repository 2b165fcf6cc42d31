"""Decompositions add up to the change, equal statsmodels and numbers by hand; influence is a derivative."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.oaxaca import OaxacaBlinder

from khaosat.stats.decomposition import kitagawa, oaxaca_blinder


def waves(seed: int, n_cells: int = 3):
    rng = np.random.default_rng(seed)
    sides = []
    for n, high in ((40, n_cells), (55, max(n_cells - 1, 1) if seed % 3 == 0 else n_cells)):
        cell = rng.integers(0, high, n)
        cell[:high] = np.arange(high)
        sides.append((rng.normal(cell, 1.0), cell, rng.uniform(1, 5, n)))
    return sides


def split(sides, w_a=None, w_b=None):
    (y_a, cell_a, a), (y_b, cell_b, b) = sides
    return kitagawa(y_a, y_b, cell_a=cell_a, cell_b=cell_b, weights_a=a if w_a is None else w_a,
                    weights_b=b if w_b is None else w_b, n_cells=3)  # fmt: skip


@given(st.integers(0, 10_000))
def test_kitagawa_adds_up_to_the_change(seed):
    (y_a, _, a), (y_b, _, b) = sides = waves(seed)
    assert split(sides).value.sum() == pytest.approx(np.average(y_a, weights=a) - np.average(y_b, weights=b), abs=1e-12)


def test_kitagawa_by_hand():
    """Shares 0.75/0.25 → 0.5/0.5 and rates 0.4, 0.8 → 0.2, 0.8: level 0.625·0.2, mix 0.25·(0.3 - 0.8)."""
    a, b = np.array([0.75, 0.25]), np.array([0.5, 0.5])
    parts = kitagawa(np.array([0.4, 0.8]), np.array([0.2, 0.8]), cell_a=np.arange(2), cell_b=np.arange(2), weights_a=a,
                     weights_b=b, n_cells=2)  # fmt: skip
    np.testing.assert_allclose(parts.value[:2], [0.125, 0.0])
    assert parts.value[2:].sum() == pytest.approx(-0.125)
    centre = (0.5 + 0.5) / 2
    np.testing.assert_allclose(parts.value[2:], [0.25 * (0.3 - centre), -0.25 * (0.8 - centre)])


def test_a_cell_that_one_wave_lacks_is_all_mix():
    one = np.ones(4)
    parts = kitagawa(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 1]), cell_a=np.array([0, 0, 1, 1]),
                     cell_b=np.zeros(4, dtype=int), weights_a=one, weights_b=one, n_cells=2)  # fmt: skip
    assert parts.value[1] == 0.0
    assert parts.value.sum() == pytest.approx(-0.5)


def numeric(value, weights, step=1e-6):
    """Derivatives by the weights times the weights: what influence values are."""
    columns = []
    for i in range(len(weights)):
        up, down = weights.copy(), weights.copy()
        up[i] *= 1 + step
        down[i] *= 1 - step
        columns.append((value(up) - value(down)) / (2 * step))
    return np.array(columns)


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_kitagawas_influence_is_the_derivative_by_a_weight(seed):
    sides = waves(seed)
    parts = split(sides)
    np.testing.assert_allclose(parts.influence_a, numeric(lambda w: split(sides, w_a=w).value, sides[0][2]), atol=1e-7)
    np.testing.assert_allclose(parts.influence_b, numeric(lambda w: split(sides, w_b=w).value, sides[1][2]), atol=1e-7)


def regressions(seed: int):
    rng = np.random.default_rng(seed)
    x_a, x_b = (np.column_stack([np.ones(n), rng.normal(m, 1, n), rng.random(n) < p]) for n, m, p in
                ((50, 0.5, 0.6), (70, 0.0, 0.3)))  # fmt: skip
    y_a, y_b = x_a @ [1, 0.5, 1.5] + rng.normal(size=50), x_b @ [0.5, 0.8, 1.0] + rng.normal(size=70)
    return y_a, y_b, x_a, x_b


@pytest.mark.parametrize("pooled", [True, False])
def test_oaxaca_blinder_equals_statsmodels(pooled):
    y_a, y_b, x_a, x_b = regressions(7)
    parts = oaxaca_blinder(y_a, y_b, x_a=x_a, x_b=x_b, weights_a=np.ones(50), weights_b=np.ones(70), pooled=pooled)
    side = np.repeat([0.0, 1.0], [50, 70])  # statsmodels takes its first group first
    known = OaxacaBlinder(
        np.concatenate([y_a, y_b]), np.column_stack([np.vstack([x_a, x_b]), side]), 3, swap=False
    )  # fmt: skip
    if pooled:
        unexplained, explained, gap = known.two_fold().params
        np.testing.assert_allclose([parts.value[:-1].sum(), parts.value[-1]], [explained, unexplained], rtol=1e-9)
    else:
        endowments, coefficients, interaction, gap = known.three_fold().params
        np.testing.assert_allclose(
            [parts.value[:-2].sum(), *parts.value[-2:]], [endowments, coefficients, interaction], rtol=1e-9
        )
    assert parts.value.sum() == pytest.approx(gap)


@pytest.mark.parametrize("pooled", [True, False])
def test_oaxacas_influence_is_the_derivative_by_a_weight(pooled):
    y_a, y_b, x_a, x_b = regressions(3)
    rng = np.random.default_rng(2)
    w_a, w_b = rng.uniform(1, 4, 50), rng.uniform(1, 4, 70)

    def parts(a, b):
        return oaxaca_blinder(y_a, y_b, x_a=x_a, x_b=x_b, weights_a=a, weights_b=b, pooled=pooled)

    found = parts(w_a, w_b)
    np.testing.assert_allclose(found.influence_a, numeric(lambda w: parts(w, w_b).value, w_a), atol=1e-7)
    np.testing.assert_allclose(found.influence_b, numeric(lambda w: parts(w_a, w).value, w_b), atol=1e-7)
