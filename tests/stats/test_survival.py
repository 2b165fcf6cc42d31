"""Kaplan-Meier, Aalen-Johansen and the tests between groups, against R survival and cmprsk; nowcast arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.conditional import beyond_chance, daily_hazard, expected_ends
from khaosat.stats.survival import complementary_interval, incidence, quantile_time
from khaosat.stats.survival_tests import gray, log_rank

HERE = Path(__file__).parent.parent / "reference"
WAYS = ["result", "stopped", "withdrawn"]


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(HERE / "survival_data.csv")


@pytest.fixture(scope="module")
def reference():
    return (
        pd.read_csv(HERE / "survival.csv", keep_default_na=False)
        .replace({"value": {"NA": np.nan}})
        .astype({"value": float})
    )


def counts(data, groups, status):
    days = np.sort(data["time"].unique())
    return np.column_stack([
        data[(data["group"] == group) & data["status"].isin(status)].groupby("time").size().reindex(days, fill_value=0)
        for group in groups
    ]).astype(float)  # fmt: skip


def curve(data, group):
    ends = np.column_stack([counts(data, [group], [way])[:, 0] for way in WAYS])
    return incidence(np.sort(data["time"].unique()), ends, counts(data, [group], ["open"])[:, 0])


def expected(reference, what, group, outcome="any"):
    rows = reference[(reference["what"] == what) & (reference["group"] == group) & (reference["outcome"] == outcome)]
    return rows["value"].to_numpy()


@pytest.mark.parametrize("group", ["A", "B", "C"])
def test_kaplan_meier_is_that_of_r(data, reference, group):
    found = curve(data, group)
    low, high = complementary_interval(1 - found.open, found.open_se)
    np.testing.assert_allclose(found.open, expected(reference, "km", group), atol=1e-12)
    known = found.open > 0
    np.testing.assert_allclose(found.open_se[known], expected(reference, "km_se", group)[known], atol=1e-12)
    np.testing.assert_allclose((1 - high)[known], expected(reference, "km_low", group)[known], atol=1e-10)
    for what, bound in (("median", 1 - found.open), ("median_low", high), ("median_high", low)):
        assert quantile_time(found.time, np.nan_to_num(bound, nan=-1.0), 0.5) == expected(reference, what, group)[0]


@pytest.mark.parametrize("group", ["A", "B", "C"])
@pytest.mark.parametrize("way", WAYS)
def test_aalen_johansen_is_that_of_r(data, reference, group, way):
    found, k = curve(data, group), WAYS.index(way)
    np.testing.assert_allclose(found.share[:, k], expected(reference, "aj", group, way), atol=1e-12)
    np.testing.assert_allclose(found.se[:, k], expected(reference, "aj_se", group, way), atol=1e-12)


def test_the_log_rank_test_is_that_of_r(data, reference):
    found = log_rank(counts(data, "ABC", WAYS), counts(data, "ABC", [*WAYS, "open"]))
    assert found.statistic == pytest.approx(expected(reference, "log_rank", "")[0], rel=1e-9)
    assert found.df == 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("what", "groups"), [("gray", "ABC"), ("gray_two", "AB")])
def test_grays_test_is_that_of_cmprsk(data, reference, way, what, groups):
    others = [name for name in WAYS if name != way]
    found = gray(counts(data, groups, [way]), counts(data, groups, others), counts(data, groups, [*WAYS, "open"]))
    assert found.statistic == pytest.approx(expected(reference, what, "", way)[0], rel=1e-9)
    assert found.df == len(groups) - 1


def test_groups_far_apart_on_a_coarse_clock_have_a_variance():
    ends = np.array([[500.0, 1.0], [400.0, 2.0], [90.0, 3.0], [0.0, 400.0]])
    found = gray(ends, 0 * ends, ends + np.array([[0, 0], [0, 0], [0, 0], [1, 1]]))
    assert found.df == 1
    assert 0 < found.statistic < np.inf  # cmprsk too finds little here, where the log-rank test finds 1185


def test_one_group_or_no_end_is_no_test():
    nothing = np.zeros((3, 2))
    assert np.isnan(log_rank(nothing, nothing + 1).p_value)
    assert np.isnan(gray(nothing, nothing, nothing + 1).p_value)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_shares_add_up_and_stay_within_bounds(rows):
    table = np.array(rows, dtype=float)
    found = incidence(np.arange(len(table)), table[:, :2], table[:, 2])
    np.testing.assert_allclose(found.share.sum(axis=1) + found.open, 1.0, atol=1e-12)
    assert (np.diff(found.share, axis=0) >= -1e-15).all()
    low, high = complementary_interval(found.share, found.se)
    known = np.isfinite(low)
    assert (low[known] <= found.share[known] + 1e-12).all()
    assert (high[known] >= found.share[known] - 1e-12).all()
    together = incidence(np.arange(len(table)), table[:, :2].sum(axis=1, keepdims=True), table[:, 2])
    np.testing.assert_allclose(together.open, found.open, atol=1e-12)
    np.testing.assert_allclose(together.se[:, 0], together.open_se, atol=1e-7)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=8))
def test_without_censoring_the_conditional_chance_is_the_plain_one(rows):
    days = np.array([day for day, _ in rows])
    n = np.array([count for _, count in rows], dtype=float)
    hazard = daily_hazard(days, ended=np.ones(len(rows)), n=n, length=8)
    for age in range(5):
        alive = n[days > age].sum()
        if alive:
            found, variance = expected_ends(hazard, np.array([age]), np.array([age + 2]), np.array([1.0]))
            assert found == pytest.approx(n[(days > age) & (days <= age + 2)].sum() / alive)
            assert variance >= 0


def test_the_variance_of_a_forecast_is_chance_and_estimation():
    hazard = daily_hazard([1, 2], ended=[1, 0], n=[30, 70], length=3)
    found, variance = expected_ends(hazard, np.array([0]), np.array([1]), np.array([50.0]))
    assert found == pytest.approx(15)
    assert variance == pytest.approx(50 * 0.3 * 0.7 + 50**2 * 0.3 * 0.7 / 100)
    assert expected_ends(hazard, np.array([2]), np.array([1]), np.array([50.0])) == (0.0, 0.0)


def test_a_change_of_pace_is_told_from_chance():
    rng = np.random.default_rng(3)
    open_, chance = np.full(4000, 200.0), np.full(4000, 200 * 0.25)
    moved = rng.normal(0, 0.04, 4000) * open_ + rng.normal(0, np.sqrt(chance))
    assert beyond_chance(moved, chance, open_) == pytest.approx(0.04**2, rel=0.1)
    assert beyond_chance(rng.normal(0, np.sqrt(chance)), chance, open_) < 2e-4
    assert beyond_chance([], [], []) == 0
