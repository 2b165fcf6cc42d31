"""Shares of counts against statsmodels, and what must hold for any counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from khaosat.stats.binomial import newcombe, score_test, share, wilson

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)


@given(pair=counts, level=levels)
def test_wilson_equals_statsmodels(pair, level):
    low, high = wilson(*pair, level=level)
    assert (low, high) == pytest.approx(
        proportion_confint(*pair, alpha=1 - level, method="wilson"), rel=1e-9, abs=1e-12
    )


@given(pair=counts, level=levels)
def test_wilson_holds_the_share_stays_in_0_1_and_mirrors(pair, level):
    count, total = pair
    low, high = wilson(count, total, level=level)
    assert 0 <= low <= share(count, total) <= high <= 1
    mirrored = wilson(total - count, total, level=level)
    assert (1 - float(high), 1 - float(low)) == pytest.approx([float(end) for end in mirrored])


@given(one=counts, two=counts, level=levels)
def test_newcombe_equals_statsmodels(one, two, level):
    low, high = newcombe(*one, other_count=two[0], other_total=two[1], level=level)
    expected = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff", alpha=1 - level)
    assert (low, high) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(one=counts, two=counts)
def test_score_test_equals_statsmodels(one, two):
    p = score_test(*one, other_count=two[0], other_total=two[1])
    if 0 < one[0] + two[0] < one[1] + two[1]:
        assert p == pytest.approx(proportions_ztest([one[0], two[0]], [one[1], two[1]])[1], rel=1e-7, abs=1e-12)
    else:
        assert p == 1


def test_nothing_counted_is_nothing_known():
    assert np.isnan(share([0], [0])).all()
    assert np.isnan(wilson([0], [0])).all()
    assert np.isnan(newcombe([1], [2], other_count=[0], other_total=[0])).all()
    assert np.isnan(score_test([1], [2], other_count=[0], other_total=[0])).all()
