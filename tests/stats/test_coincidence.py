"""Coincidences: against simulation, scipy's χ², and edge cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from khaosat.stats.coincidence import busiest, expected_together, uniformity


def test_the_expected_number_that_share_a_slot_is_what_chance_gives():
    rng = np.random.default_rng(1)
    shared = []
    for _ in range(4000):
        slots = np.bincount(rng.integers(0, 48, size=12))
        shared.append(slots[slots > 1].sum())
    assert expected_together([12], 48)[0] == pytest.approx(np.mean(shared), abs=4 * np.std(shared) / np.sqrt(4000))
    assert expected_together([0, 1], 48).tolist() == [0, 0]


def test_the_test_of_a_uniform_week_is_pearsons():
    counts, exposure = [31, 12, 25, 9, 40], [20, 21, 22, 20, 21]
    expected = np.array(exposure) / sum(exposure) * sum(counts)
    reference = stats.chisquare(counts, expected)
    assert uniformity([*counts, 3], [*exposure, 0]) == pytest.approx((reference.statistic, reference.pvalue), rel=1e-12)
    assert np.isnan(uniformity([5], [1])).all()
    assert np.isnan(uniformity([0, 0], [1, 1])).all()


def test_the_busiest_places_have_most_beyond_their_part():
    assert busiest([100, 60, 10], [100, 10, 10], top=2).tolist() == [1, 2]
    assert busiest([5, 5, 5], [1, 1, 1], top=2).tolist() == [0, 1], "equal ones in their order"
    assert busiest([5, 5], [0, 0]).tolist() == []
