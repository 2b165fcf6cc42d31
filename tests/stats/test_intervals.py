from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.intervals import share_interval, t_interval, t_quantile

METHODS = ["logit", "beta", "wilson", "wald", "asin"]
shares = st.floats(0.001, 0.999)


def test_student_interval_and_its_absence() -> None:
    low, high = t_interval([5.0, 5.0], [1.0, 1.0], df=[9, 0])
    half = stats.t.ppf(0.975, 9)
    assert (low[0], high[0]) == pytest.approx((5 - half, 5 + half))
    assert np.isnan([low[1], high[1]]).all()
    assert t_quantile(0.9, 10**9) == pytest.approx(stats.norm.ppf(0.95), rel=1e-7)


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_interval(5.0, 1.0, df=9, level=95)
    with pytest.raises(ValueError, match="ci must be one of"):
        share_interval(0.5, 0.1, df=9, n=20, method="exact")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@given(p=shares, n=st.integers(20, 2000), deff=st.floats(0.5, 6), df=st.integers(2, 500))
def test_an_interval_holds_its_share_and_mirrors(method: str, p: float, n: int, deff: float, df: int) -> None:
    se = np.sqrt(deff * p * (1 - p) / n)
    low, high = share_interval(p, se, df=df, n=n, method=method)
    assert low <= p <= high
    other_low, other_high = share_interval(1 - p, se, df=df, n=n, method=method)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-7)
    if method != "wald":
        assert low >= 0
        assert high <= 1


@pytest.mark.parametrize("method", METHODS)
@given(p=shares, n=st.integers(20, 2000), df=st.integers(2, 500))
def test_more_confidence_is_wider(method: str, p: float, n: int, df: int) -> None:
    se = np.sqrt(p * (1 - p) / n)
    narrow, wide = (
        np.subtract(*share_interval(p, se, df=df, n=n, level=level, method=method)) for level in (0.9, 0.99)
    )
    assert wide <= narrow <= 0


def test_beta_is_clopper_pearson_and_wilson_is_wilsons_in_a_simple_random_sample() -> None:
    """With se² = p(1-p)/n and df = n-1 the effective sample size is n."""
    n, hits = 50, 12
    p = hits / n
    exact = stats.binomtest(hits, n)
    se = np.sqrt(p * (1 - p) / n)
    for method, name in (("beta", "exact"), ("wilson", "wilson")):
        found = share_interval(p, se, df=n - 1, n=n, method=method)
        known = exact.proportion_ci(0.95, method=name)
        assert found == pytest.approx((known.low, known.high), rel=1e-9)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_at_the_edge_only_beta_and_wilson_have_an_interval(p: float) -> None:
    for method in METHODS:
        low, high = share_interval(p, 0.0, df=19, n=20, method=method)
        assert np.isnan(low) == np.isnan(high) == (method not in ("beta", "wilson"))
    exact = stats.binomtest(int(20 * p), 20).proportion_ci()
    assert share_interval(p, 0.0, df=19, n=20, method="beta") == pytest.approx((exact.low, exact.high), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_no_freedom_no_interval_and_no_error_no_width(method: str) -> None:
    assert np.isnan(share_interval(0.4, 0.1, df=0, n=20, method=method)).all()
    assert np.isnan(share_interval(np.nan, np.nan, df=10, n=0, method=method)).all()
    low, high = share_interval(0.4, 0.0, df=10, n=20, method=method)
    assert low == high == 0.4
