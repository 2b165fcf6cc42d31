import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.period import Period, as_period
from khaosat.facts.language import language

texts = st.builds(
    lambda year, suffix: f"{year}{suffix}",
    st.integers(1990, 2090),
    st.sampled_from(["", "-H1", "-H2", "-Q1", "-Q2", "-Q3", "-Q4", "-01", "-06", "-12"]),
)


@given(texts)
def test_periods_tile_time(text):
    period = Period(text)
    assert period.previous.end == period.start < period.end
    assert period.year_before.start == period.start.replace(year=period.year - 1)
    assert Period(str(period)) == period


@pytest.mark.parametrize("text", ["2026-Q5", "2026Q3", "26-Q3", "2026-13", "2026-00", "", "2026-Q3 ", "2026-H3"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="is not a period"):
        Period(text)


def test_bounds_and_words():
    assert (Period("2026-H2").start, Period("2026").end) == (dt.datetime(2026, 7, 1), dt.datetime(2027, 1, 1))
    assert [Period(t).label for t in ("2026", "2026-H1", "2026-Q4", "2026-07")] == [
        "năm 2026", "6 tháng kỳ 1 năm 2026", "quý IV năm 2026", "tháng 7 năm 2026",
    ]  # fmt: skip
    with language("en"):
        assert as_period("2026-Q4").label == "quarter IV of 2026"
