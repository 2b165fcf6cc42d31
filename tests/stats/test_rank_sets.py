"""Rank sets hold the rank and cover as promised; what correlation, few degrees of freedom and ties do to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.stats.rank_sets import RankSets, interval_rank_sets, rank_sets, tiers

seeds = st.integers(0, 10_000)


def sets(y: np.ndarray, covariance: np.ndarray, **options: object) -> RankSets:
    options = {"df": np.full(len(y), np.inf), "rng": np.random.default_rng(1), "draws": 999} | options
    return rank_sets(y, covariance, **options)  # type: ignore[arg-type]


def covers(found: RankSets, truth: np.ndarray) -> bool:
    low = 1 + (truth[None] > truth[:, None]).sum(axis=1)
    high = len(truth) - (truth[None] < truth[:, None]).sum(axis=1)
    return bool((found.low <= low).all() and (found.high >= high).all())


@settings(max_examples=40)
@given(seeds)
def test_the_rank_lies_in_its_set_and_groups_are_told_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, sd = rng.normal(0, 2, 9), rng.uniform(0.1, 2, 9)
    for found in (sets(y, np.diag(sd**2), draws=199), interval_rank_sets(y, sd, df=np.full(9, 20.0))):
        assert ((found.low <= found.rank) & (found.rank <= found.high)).all()
        group = tiers(found.better)
        assert ((group == 1) == (found.low == 1)).all()
        for number in range(1, int(group.max()) + 1):
            inside = group == number
            assert not found.better[np.ix_(inside, inside)].any()
            if number > 1:
                assert found.better[np.ix_(group == number - 1, inside)].any(axis=0).all()


@settings(max_examples=25)
@given(seeds)
def test_the_side_turned_round_turns_the_ranks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, sd = rng.normal(0, 2, 7), rng.uniform(0.1, 1, 7)
    up, down = (interval_rank_sets(sign * y, sd, df=np.full(7, np.inf)) for sign in (1, -1))
    assert (up.low == 8 - down.high).all()
    assert (up.rank == 8 - down.rank).all()


def test_two_units_are_compared_by_a_plain_test() -> None:
    """The quantile is that of one two-sided comparison: 1.96, and Student's with few degrees of freedom."""
    covariance = np.eye(2) / 2
    for difference, df, told in ((1.90, np.inf, False), (2.02, np.inf, True), (2.02, 10, False), (2.35, 5, True)):
        found = sets(np.array([difference, 0.0]), covariance, df=np.full(2, float(df)), draws=200_000)
        assert bool(found.better[0, 1]) is told
    together = {"df": np.full(2, 5.0), "together": np.ones(2, dtype=bool), "draws": 200_000}
    assert not sets(np.array([2.5, 0.0]), covariance, **together).better.any()  # Student's with 5: 2.57
    assert sets(np.array([2.65, 0.0]), covariance, **together).better[0, 1]


def test_what_units_share_makes_differences_sharper() -> None:
    y, sd = np.array([1.0, 0.4]), np.array([0.3, 0.3])
    apart, shared = np.diag(sd**2), np.outer(sd, sd) * np.array([[1, 0.9], [0.9, 1]])
    assert sets(y, apart).high.tolist() == [2, 2]
    assert sets(y, shared).high.tolist() == [1, 2]


def test_a_step_down_tells_more_pairs_apart() -> None:
    """With most pairs told, the rest are compared with the maximum of fewer."""
    y = np.array([30.0, 20.0, 10.0, 2.62, 0.0])
    found = sets(y, np.eye(5) / 2, draws=20_000)
    one_step = np.quantile(np.ptp(np.random.default_rng(2).standard_normal((20_000, 5)) / np.sqrt(2), axis=1), 0.95)
    assert one_step > 2.7
    assert found.better[3, 4]


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_all_sets_hold_at_once(spread: float) -> None:
    rng, n, held = np.random.default_rng(11), 300, 0
    truth, sd = spread * np.linspace(0, 3, 10), np.linspace(0.3, 1.5, 10)
    for _ in range(n):
        held += covers(sets(truth + sd * rng.standard_normal(10), np.diag(sd**2), draws=399), truth)
    assert held / n >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / n)
    if spread == 0:
        assert held / n <= 0.99  # no wider than need be


def test_equal_estimates_share_the_better_rank() -> None:
    found = sets(np.array([1.0, 2.0, 2.0]), np.eye(3) * 1e-6)
    assert found.rank.tolist() == [3, 1, 1]
    assert list(zip(found.low.tolist(), found.high.tolist(), strict=True)) == [(3, 3), (1, 2), (1, 2)]


def test_units_counted_in_full_are_certain() -> None:
    found = sets(np.array([0.9, 0.8, 0.8, 0.5]), np.diag([0.0, 0.0, 0.0, 1.0]))
    assert found.better[0, 1]
    assert found.better[0, 2]
    assert not found.better[1, 2]
    assert found.high[3] == 4


def test_one_unit_and_none() -> None:
    assert sets(np.array([0.4]), np.eye(1)).high.tolist() == [1]
    assert len(sets(np.array([]), np.zeros((0, 0))).rank) == 0
    assert len(interval_rank_sets(np.array([]), np.array([]), df=np.array([])).rank) == 0


def test_simple_intervals_are_sidak() -> None:
    """Three units: half widths at 1 − 0.95^(1/3) two-sided, 2.388 standard errors."""
    se = np.full(3, 0.1)
    for gap, told in ((0.470, False), (0.485, True)):
        found = interval_rank_sets(np.array([gap, 0.0, 0.0]), se, df=np.full(3, np.inf))
        assert bool(found.better[0, 1]) is told
