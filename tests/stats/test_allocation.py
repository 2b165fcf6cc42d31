"""Sample sizes and their division: textbook sizes, whole numbers that add up, the smallest variance by Neyman."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.allocation import allocate, allocation_shares, margins, overall_margin, sizes_for_margin, smallest

seeds = st.integers(0, 10_000)


def test_textbook_sizes() -> None:
    """Cochran (1977, 4.4): 385 of a large population at ±5 points; 278 of 1,000; deff and mean alike."""
    half = np.full(4, 0.5)
    people = np.array([np.inf, 1000.0, np.inf, 1000.0])
    sizes = sizes_for_margin(0.05, people, half, deff=np.array([1, 1, 2, 2.0]), level=0.95)
    assert sizes.tolist() == [385, 278, 769, 435]
    assert sizes_for_margin(2.0, np.array([np.inf]), np.array([12.0]), deff=np.ones(1), level=0.9).tolist() == [98]


@given(seeds)
def test_sizes_meet_the_margin_and_one_less_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, sd = rng.integers(20, 5000, 6).astype(float), rng.uniform(0.1, 0.5, 6)
    deff, margin = rng.uniform(0.8, 4, 6), float(rng.uniform(0.01, 0.2))
    sizes = sizes_for_margin(margin, people, sd, deff=deff, level=0.95)
    at, before = (margins(sizes - less, people, sd, deff=deff, level=0.95) for less in (0.0, 1.0))
    assert (at <= margin + 1e-9).all()
    assert (before > margin - 1e-9).all()
    assert (sizes <= people).all()


@given(seeds)
def test_allocated_numbers_add_up_within_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h = int(rng.integers(1, 12))
    low = rng.integers(0, 5, h)
    high = low + rng.integers(0, 60, h)
    shares = rng.dirichlet(np.ones(h)) * (rng.random(h) > 0.2)
    n = int(rng.integers(low.sum(), high.sum() + 1))
    sizes = allocate(n, shares, low=low, high=high)
    assert sizes.sum() == n
    assert ((low <= sizes) & (sizes <= high)).all()


@given(seeds)
def test_without_bounds_each_number_is_a_share_rounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares, n = rng.dirichlet(np.ones(7)), int(rng.integers(1, 500))
    sizes = allocate(n, shares, low=np.zeros(7, int), high=np.full(7, n))
    assert (np.abs(sizes - n * shares) < 1).all()


def test_remainders_go_to_the_largest() -> None:
    sizes = allocate(10, np.array([0.26, 0.26, 0.48]), low=np.zeros(3, int), high=np.full(3, 99))
    assert sizes.tolist() == [3, 2, 5]  # 2.6, 2.6, 4.8: two to give, the largest remainder and then the first of two


def test_what_bounds_take_away_is_divided_among_the_others_in_proportion() -> None:
    sizes = allocate(100, np.array([0.8, 0.15, 0.05]), low=np.zeros(3, int), high=np.array([40, 100, 100]))
    assert sizes.tolist() == [40, 45, 15]
    with pytest.raises(ValueError, match="between"):
        allocate(10, np.ones(2) / 2, low=np.zeros(2, int), high=np.full(2, 4))


@given(seeds)
def test_neyman_has_the_smallest_variance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, sd = rng.uniform(100, 5000, 5), rng.uniform(0.1, 3, 5)
    best = 200 * allocation_shares(people, sd, method="neyman")
    other = 200 * rng.dirichlet(np.full(5, 3.0))
    options = {"deff": np.ones(5), "level": 0.95}
    far = np.full(5, 1e9)  # without finite population corrections
    weights = people / people.sum()
    variance = lambda n: (weights**2 * margins(n, far, sd, **options) ** 2).sum()  # noqa: E731
    assert variance(best) <= variance(other) * (1 + 1e-9)


def test_power_lies_between_equal_and_proportional() -> None:
    people, sd = np.array([900.0, 100.0]), np.ones(2)
    for power, share in ((0.0, 0.5), (0.5, 0.75), (1.0, 0.9)):
        assert allocation_shares(people, sd, method="power", power=power)[0] == pytest.approx(share)
    means = np.array([2.0, 1.0])
    assert allocation_shares(people, sd, method="power", power=0.0, means=means)[0] == pytest.approx(1 / 3)
    assert allocation_shares(people, np.zeros(2), method="neyman").tolist() == [0.9, 0.1]
    with pytest.raises(ValueError, match="allocation"):
        allocation_shares(people, sd, method="guess")  # type: ignore[arg-type]


def test_overall_margin_of_proportional_strata_is_that_of_the_whole() -> None:
    people, sizes = np.array([600.0, 400.0]), np.array([60.0, 40.0])
    whole = margins(np.array([100.0]), np.array([1000.0]), np.array([0.5]), deff=np.ones(1), level=0.95)[0]
    assert overall_margin(sizes, people, np.full(2, 0.5), deff=np.ones(2), level=0.95) == pytest.approx(whole)
    assert overall_margin(people, people, np.full(2, 0.5), deff=np.ones(2), level=0.95) == 0


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_smallest(a: int, b: int) -> None:
    low, mark = min(a, b), max(a, b)
    assert smallest(lambda n: n >= mark, low=low, high=1000) == mark
