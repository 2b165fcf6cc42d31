"""Rules learnt on half of the units: halves by lot, leaves that part the sample, rates pulled together by chance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.rule_tree import grow_rules, half_units, members, shrunken_rates


@given(seed=st.integers(0, 10_000), strata=st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_halves_are_whole_units_and_nearly_half_of_every_stratum(seed, strata):
    rng = np.random.default_rng(seed)
    stratum_of = np.repeat(np.arange(len(strata)), strata)
    units = np.repeat(np.arange(len(stratum_of)), rng.integers(1, 4, len(stratum_of)))
    half = half_units(stratum_of[units], units, rng=rng)
    of_unit = np.array([half[units == unit].mean() for unit in np.unique(units)])
    assert set(of_unit) <= {0.0, 1.0}
    for stratum, drawn in enumerate(strata):
        assert abs(of_unit[stratum_of == stratum].sum() - drawn / 2) <= 0.5
    assert abs(of_unit.sum() - len(of_unit) / 2) <= 0.5


@given(seed=st.integers(0, 500))
def test_leaves_part_the_sample_and_carry_their_weighted_rates(seed):
    rng = np.random.default_rng(seed)
    features, y, w = rng.random((300, 5)) < 0.5, rng.random(300) < 0.3, rng.uniform(1, 9, 300)
    leaves = grow_rules(features, y, weights=w, least=30)
    groups = [members(features, path) for path, _ in leaves]
    if leaves:
        np.testing.assert_array_equal(np.sum(groups, axis=0), 1)
    for group, (path, rate) in zip(groups, leaves, strict=True):
        assert group.sum() >= 30
        assert len(path) <= 3
        np.testing.assert_allclose(rate, np.average(y[group], weights=w[group]))


def test_weights_decide_what_is_split_on():
    features = np.array([[True, False], [False, True], [True, True], [False, False]] * 50)
    y = np.array([True, False, True, False] * 25 + [False, True, True, False] * 25)
    first, last = np.repeat([1.0, 0.001], 100), np.repeat([0.001, 1.0], 100)
    splits = [grow_rules(features, y, weights=w, depth=1)[0][0][0][0] for w in (first, last)]
    assert splits == [0, 1]


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.3)), min_size=2, max_size=8), st.floats(0.1, 0.9))
def test_shrunken_rates_lie_between_the_rate_and_the_centre(pairs, centre):
    rates, se = np.array(pairs).T
    pulled = shrunken_rates(rates, se, centre=centre)
    assert ((pulled - centre) * (rates - centre) >= -1e-12).all()
    assert (np.abs(pulled - centre) <= np.abs(rates - centre) + 1e-12).all()


def test_rates_that_differ_by_no_more_than_chance_become_the_centre():
    np.testing.assert_allclose(shrunken_rates(np.array([0.28, 0.32]), np.array([0.1, 0.1]), centre=0.3), 0.3)
    np.testing.assert_array_equal(shrunken_rates(np.array([0.4]), np.array([0.1]), centre=0.3), 0.4)
