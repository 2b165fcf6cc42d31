"""Draws have the probabilities they say: R sampling’s for sizes; systematic ones counted over all starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.selection import inclusion_probabilities, simple_random, systematic

EXPECTED = pd.read_csv(Path(__file__).resolve().parent.parent / "reference" / "small_area.csv")
SIZES = np.array([120, 35, 80, 900, 15, 60, 410, 22, 75, 33, 300, 48.0])
seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("n", [2, 4, 7, 11])
def test_probabilities_equal_r_sampling(n: int) -> None:
    known = EXPECTED.loc[EXPECTED["case"] == f"pps {n}", "value"]
    np.testing.assert_allclose(inclusion_probabilities(SIZES, n), known, rtol=1e-12)


@given(seeds)
def test_probabilities_add_up_to_the_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 2, int(rng.integers(1, 40)))
    n = int(rng.integers(1, len(size) + 1))
    probability = inclusion_probabilities(size, n)
    assert probability.sum() == pytest.approx(n)
    assert ((probability > 0) & (probability <= 1)).all()
    assert (np.diff(probability[np.argsort(size)]) >= -1e-12).all()


@given(seeds, st.floats(0, 1, exclude_max=True))
def test_systematic_draws_as_many_as_the_probabilities_say(seed: int, start: float) -> None:
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 1, int(rng.integers(2, 40)))
    n = int(rng.integers(1, len(size) + 1))
    probability = inclusion_probabilities(size, n)
    drawn = systematic(probability, start)
    assert drawn.sum() == n
    assert drawn[probability == 1].all()


def test_over_all_starts_everyone_is_drawn_as_often_as_said() -> None:
    probability = inclusion_probabilities(SIZES, 4)
    starts = (np.arange(20_000) + 0.5) / 20_000
    often = np.mean([systematic(probability, start) for start in starts], axis=0)
    np.testing.assert_allclose(often, probability, atol=2e-4)


def test_simple_random_takes_the_smallest_keys() -> None:
    keys = np.array([0.4, 0.2, 0.9, 0.3])
    assert np.flatnonzero(simple_random(keys, 2)).tolist() == [1, 3]


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        inclusion_probabilities(np.array([1.0, 0.0]), 1)
    with pytest.raises(ValueError, match="drawn"):
        inclusion_probabilities(np.array([1.0, 2.0]), 3)
