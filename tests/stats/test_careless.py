from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from khaosat.stats.careless import (
    answer_strings,
    even_odd,
    flat_blocks,
    item_pairs,
    mahalanobis,
    pair_consistency,
    response_variability,
)
from khaosat.stats.near_duplicates import best_matches

NAN = np.nan
ANSWERS = arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 7)), elements=st.sampled_from([1, 2, 4, 5, NAN]))


def test_a_blank_ends_a_string_and_an_item_not_asked_does_not():
    x = np.array([[4.0, 4.0, NAN, 4.0, 4.0]])
    asked = np.array([[True, True, False, True, True]])
    assert [part.tolist() for part in answer_strings(x)] == [[2.0], [2.0]]
    assert [part.tolist() for part in answer_strings(x, asked=asked)] == [[4.0], [4.0]]


@given(ANSWERS)
def test_strings_make_up_all_answers(x):
    longest, average = answer_strings(x)
    answered = (~np.isnan(x)).sum(axis=1)
    assert (np.isnan(longest) == (answered == 0)).all()
    known = answered > 0
    strings = answered[known] / average[known]
    np.testing.assert_allclose(strings, np.round(strings), atol=1e-9)
    assert ((longest[known] >= average[known] - 1e-9) & (longest[known] <= answered[known])).all()


def test_variability_is_the_standard_deviation_of_the_answers_there_are():
    x = np.array([[1.0, 5.0, NAN, 3.0], [NAN, 2.0, NAN, NAN]])
    found = response_variability(x)
    assert found[0] == pytest.approx(np.std([1, 5, 3], ddof=1))
    assert np.isnan(found[1])


def test_a_block_of_which_nothing_was_asked_counts_for_nobody():
    flat, told = flat_blocks(np.array([[4.0, 4.0, 4.0]]), [[], [0, 1, 2]], fewest=3)
    assert (flat.tolist(), told.tolist()) == ([1.0], [1.0])


def test_blocks_with_too_few_answers_are_not_told():
    flat, told = flat_blocks(np.array([[3.0, 3.0, NAN, 2.0, 2.0, 2.0]]), [[0, 1, 2], [3, 4, 5]], fewest=3)
    assert (flat.tolist(), told.tolist()) == ([1.0], [1.0])


def test_a_missing_answer_takes_its_item_out_of_the_distance():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 3)) @ np.array([[1.0, 0.5, 0.2], [0, 1, 0.4], [0, 0, 1]])
    x[0, 2] = NAN
    distance, p = mahalanobis(x)
    rows = x[1:]  # the covariance of items 1 and 2 is over everybody
    mean, cov = np.append(x[:, :2].mean(axis=0), rows[:, 2].mean()), np.cov(x[:, :2].T)
    away = x[0, :2] - mean[:2]
    assert distance[0] == pytest.approx(away @ np.linalg.solve(cov, away), rel=1e-12)
    assert p[0] == pytest.approx(np.exp(-distance[0] / 2), rel=1e-12)  # chi-squared on two degrees of freedom


@pytest.mark.parametrize(
    "x", [np.ones((5, 2)), np.arange(6.0).reshape(2, 3), np.array([[1.0, 2], [2, 4], [3, 6], [5, 10]])]
)
def test_no_distance_without_an_inverse(x):
    assert all(np.isnan(part).all() for part in mahalanobis(x))


@given(st.integers(0, 10_000))
def test_consistency_over_pairs_is_numpy_s_correlation(seed):
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((6, 8)) < 0.15, NAN, rng.integers(1, 6, (6, 8)).astype(float))
    pairs = np.tril(rng.random((8, 8)) < 0.4, -1)
    found, n = pair_consistency(x, pairs)
    second, first = np.nonzero(pairs)
    for row, r, count in zip(x, found, n, strict=True):
        both = ~np.isnan(row[first]) & ~np.isnan(row[second])
        a, b = row[second][both], row[first][both]
        assert count == both.sum()
        if count < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
            assert np.isnan(r)
        else:
            assert r == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)


def test_antonyms_go_against_each_other():
    x = np.array([[1.0, 5, 3], [2, 4, 3], [4, 2, 1], [5, 1, 2]])
    assert np.argwhere(item_pairs(x, critical=-0.6)).tolist() == [[1, 0], [2, 0]]
    assert np.argwhere(item_pairs(x)).tolist() == [[2, 1]]


def test_even_odd_needs_two_scales_and_variation_between_them():
    x = np.array([[1.0, 1, 5, 5], [3, 3, 3, 3]])
    assert np.isnan(even_odd(x, [[0, 1]])).all()
    assert np.isnan(even_odd(x, [[0], [1], [2, 3]])).all()
    found = even_odd(x, [[0, 1], [2, 3]])
    assert found[0] == -1
    assert np.isnan(found[1])


@given(st.integers(0, 10_000))
def test_best_matches_by_comparing_one_by_one(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (9, 5))
    group = rng.integers(-1, 3, 9)
    found, other = best_matches(codes, group, fewest=2)
    for i in range(9):
        best = NAN
        for j in range(9):
            both = (codes[i] >= 0) & (codes[j] >= 0)
            if i != j and group[i] == group[j] >= 0 and both.sum() >= 2:
                best = np.fmax(best, (codes[i] == codes[j])[both].mean())
        assert found[i] == pytest.approx(best, nan_ok=True)
        assert (other[i] >= 0) == (not np.isnan(best))
