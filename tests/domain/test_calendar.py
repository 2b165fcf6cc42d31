from __future__ import annotations

import datetime as dt

import holidays
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.calendar_table import DAYS, KINDS, DayTable, fixed_days_off, parse_sessions
from khaosat.errors import FactsError
from khaosat.facts import locate, read_table

CALENDAR = WorkCalendar.vietnam()
START = pd.Timestamp("2026-01-01")
"""The property tests run over the first seventy days of 2026: a swap, a working Saturday, Tết."""


def working_days(year: int, calendar: WorkCalendar = CALENDAR) -> list[int]:
    days = calendar.frame().set_index("day")["is_work"]
    return days[str(year)].groupby(days[str(year)].index.quarter).sum().tolist()


def minute_by_minute(start: pd.Timestamp, end: pd.Timestamp, pauses: list[tuple[pd.Timestamp, pd.Timestamp]]) -> int:
    """The count that the clock must equal: every whole minute that is office time and in no pause."""
    minutes = pd.date_range(start, end, freq="min", inclusive="left")
    worked = np.array([CALENDAR.is_working(day) for day in minutes.normalize().unique()])
    office = worked[minutes.normalize().factorize()[0]] if len(minutes) else np.zeros(0, dtype=bool)
    of_day = minutes.hour * 60 + minutes.minute
    office &= ((of_day >= 450) & (of_day < 690)) | ((of_day >= 780) & (of_day < 1020))
    for since, until in pauses:
        office &= ~((minutes >= since) & (minutes < until))
    return int(office.sum())


# Days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "n", "due"),
    [
        ("2024-04-26", 3, "2024-05-04"),
        ("2025-12-31", 1, "2026-01-05"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-08-21", 1, "2026-08-22"),
        ("2024-12-31", 2, "2025-01-03"),
    ],
)
def test_due_dates_of_the_domain_dossier(received: str, n: int, due: str) -> None:
    assert CALENDAR.add_working_days(received, n) == pd.Timestamp(due)
    assert CALENDAR.working_days_between(received, due) == n


@pytest.mark.parametrize(("year", "quarters"), [(2023, [59, 62, 63, 65]), (2024, [59, 62, 64, 66])])
def test_working_days_per_quarter(year: int, quarters: list[int]) -> None:
    assert working_days(year) == quarters


def test_table_names_the_swaps_of_the_dispatches() -> None:
    table = read_table("calendars/vn.csv")
    make_up = table.loc[table["kind"] == "make_up", "day"].tolist()
    assert make_up == ["2024-05-04", "2025-04-26", "2026-01-10", "2026-08-22"]
    assert all(dt.date.fromisoformat(day).weekday() == 5 for day in make_up)
    off = table.loc[table["kind"] != "make_up", "day"]
    assert [day for day in off if dt.date.fromisoformat(day).weekday() >= 5] == []


def test_without_make_up_days_the_saturdays_are_off_and_the_swapped_days_stay_off() -> None:
    calendar = WorkCalendar.vietnam(make_up_days=False)
    assert not calendar.is_working("2024-05-04")
    assert not calendar.is_working("2024-04-29")
    assert calendar.add_working_days("2024-04-26", 3) == pd.Timestamp("2024-05-06")


def test_culture_day_is_a_setting() -> None:
    assert CALENDAR.is_working("2026-11-24")
    calendar = WorkCalendar.vietnam(culture_day=True)
    assert not calendar.is_working("2026-11-24")
    assert not calendar.is_working("2027-11-24")
    assert calendar.is_working("2025-11-24")
    assert calendar.add_working_days("2026-11-23", 1) == pd.Timestamp("2026-11-25")


def test_agrees_with_the_holidays_package_but_for_the_known_differences() -> None:
    theirs = holidays.country_holidays("VN", years=range(2022, 2027))
    days = CALENDAR.frame().set_index("day")["is_work"]["2022":"2026"]
    differ = {str(day.date()) for day, work in days.items() if theirs.is_working_day(day.date()) != bool(work)}
    assert differ == {
        "2026-01-02",  # CV 12729/VPCP-KGVX swaps it with
        "2026-01-10",  # this Saturday; the package does not know
        "2026-11-24",  # Culture Day: the package has it, ours is a setting
    }


@pytest.mark.parametrize("year", [2021, 2027])
def test_years_beyond_the_dossier_agree_with_the_holidays_package(year: int) -> None:
    theirs = holidays.country_holidays("VN", years=year)
    days = WorkCalendar.vietnam(culture_day=True).frame().set_index("day")["is_work"][str(year)]
    assert [str(day.date()) for day, work in days.items() if theirs.is_working_day(day.date()) != bool(work)] == []


def test_years_without_a_table_have_weekends_and_fixed_days_only() -> None:
    assert (CALENDAR.known_from, CALENDAR.known_to) == (dt.date(2021, 1, 1), dt.date(2027, 12, 31))
    days = CALENDAR.frame().set_index("day")["is_work"]["2028"]
    off = [f"{day:%m-%d}" for day, work in days.items() if not work and day.weekday() < 5]
    assert off == ["05-01"]  # 1/1, 30/4 and 2/9/2028 fall on weekends and are not made up for
    assert not days[days.index.day_of_week >= 5].any()


@given(st.dates(dt.date(2009, 6, 1), dt.date(2029, 12, 31)), st.integers(-60, 60))
def test_adding_and_counting_are_inverse(day: dt.date, n: int) -> None:
    due = CALENDAR.add_working_days(day, n)
    assert CALENDAR.is_working(due)
    if n != 0:
        assert CALENDAR.working_days_between(day, due) == (n if n > 0 or CALENDAR.is_working(day) else n + 1)


def test_zero_days_is_the_day_itself_or_the_next_working_day() -> None:
    assert CALENDAR.add_working_days("2024-05-04", 0) == pd.Timestamp("2024-05-04")
    assert CALENDAR.add_working_days("2024-05-05", 0) == pd.Timestamp("2024-05-06")
    assert CALENDAR.add_working_days("2024-05-06", -1) == pd.Timestamp("2024-05-04")


@given(st.dates(dt.date(2010, 1, 1), dt.date(2029, 12, 31)), st.dates(dt.date(2010, 1, 1), dt.date(2029, 12, 31)))
def test_counting_back_is_negative(a: dt.date, b: dt.date) -> None:
    assert CALENDAR.working_days_between(a, b) == -CALENDAR.working_days_between(b, a)


# Containers --------------------------------------------------------------------------------------------------------


def test_a_series_keeps_its_index_and_its_missing_days() -> None:
    received = pd.Series(pd.to_datetime(["2024-04-26 16:45", None, "2040-01-01 00:00"]), index=["a", "b", "c"])
    due = CALENDAR.add_working_days(received, pd.Series([3, 3, 3], index=received.index))
    expected = pd.Series([pd.Timestamp("2024-05-04"), pd.NaT, pd.NaT], index=["a", "b", "c"], dtype="datetime64[us]")
    pd.testing.assert_series_equal(due, expected)
    assert CALENDAR.working_days_between(received, due).tolist() == [3, pd.NA, pd.NA]
    assert CALENDAR.is_working(received).tolist() == [True, pd.NA, pd.NA]
    assert CALENDAR.worked_minutes(received, "2024-05-03").isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    "days",
    [
        np.array(["2024-04-26", "NaT"], dtype="datetime64[D]"),
        np.array(["2024-04-26T09:00", "NaT"], dtype="datetime64[ns]"),
        pd.DatetimeIndex(["2024-04-26", None]),
        [dt.date(2024, 4, 26), None],
        ["2024-04-26", None],
    ],
    ids=["days", "nanoseconds", "index", "dates", "text"],
)
def test_arrays_of_every_kind(days: object) -> None:
    due = CALENDAR.add_working_days(days, 3)  # type: ignore[call-overload]
    np.testing.assert_array_equal(due, np.array(["2024-05-04", "NaT"], dtype="datetime64[us]"))
    assert CALENDAR.working_days_between(days, "2024-05-04").tolist() == [3, pd.NA]  # type: ignore[call-overload]


def test_single_missing_values() -> None:
    assert CALENDAR.add_working_days(pd.NaT, 1) is pd.NaT
    assert CALENDAR.add_working_days("2024-01-01", pd.NA) is pd.NaT  # type: ignore[call-overload]
    assert CALENDAR.is_working(pd.NaT) is pd.NA
    assert CALENDAR.working_days_between(pd.NaT, "2024-01-01") is pd.NA
    assert np.isnan(CALENDAR.worked_minutes("2024-01-01", pd.NaT))


def test_refuses_what_could_be_read_two_ways() -> None:
    with pytest.raises(ValueError, match="ISO8601"):
        CALENDAR.is_working("04/05/2024")
    with pytest.raises(ValueError, match="zone"):
        CALENDAR.is_working(pd.Timestamp("2024-05-04", tz="UTC"))
    with pytest.raises(ValueError, match="zone"):
        CALENDAR.is_working(pd.Series(pd.date_range("2024-05-04", periods=2, tz="Asia/Ho_Chi_Minh")))
    with pytest.raises(ValueError, match="whole"):
        CALENDAR.add_working_days("2024-05-04", 1.5)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="indexes"):
        CALENDAR.working_days_between(pd.Series(["2024-05-04"]), pd.Series(["2024-05-04"], index=[7]))


# Office time -------------------------------------------------------------------------------------------------------

minute = st.integers(0, 70 * 24 * 60).map(lambda minutes: START + pd.Timedelta(minutes=minutes))
stretch = st.tuples(minute, minute).map(lambda pair: (min(pair), max(pair)))


@settings(max_examples=60, deadline=None)
@given(stretch, st.lists(stretch, max_size=4))
def test_worked_minutes_equal_a_count_of_minutes(
    interval: tuple[pd.Timestamp, pd.Timestamp], pauses: list[tuple[pd.Timestamp, pd.Timestamp]]
) -> None:
    frame = pd.DataFrame({
        "row": [0] * len(pauses),
        "start": pd.to_datetime([since for since, _ in pauses]),
        "end": pd.to_datetime([until for _, until in pauses]),
    })  # fmt: skip
    assert CALENDAR.worked_minutes(*interval, pauses=frame) == minute_by_minute(*interval, pauses)


@given(minute, minute, minute)
def test_worked_minutes_add_up(a: pd.Timestamp, b: pd.Timestamp, c: pd.Timestamp) -> None:
    clock = CALENDAR.worked_minutes
    assert clock(a, b) + clock(b, c) == clock(a, c)


def test_pauses_stay_with_their_interval_and_an_open_one_lasts_to_its_end() -> None:
    start = pd.Series(pd.to_datetime(["2024-05-06 07:30", "2024-05-06 07:30", None]), index=[10, 20, 30])
    end = pd.Series(pd.to_datetime(["2024-05-07 17:00"] * 3), index=[10, 20, 30])
    since = ["2024-05-06 08:00", "2024-05-06 12:30", "2024-05-06 08:30", "2024-05-06 00:00"]
    until = ["2024-05-06 09:00", None, "2024-05-06 09:30", None]
    pauses = ([1, 0, 1, 2], pd.to_datetime(since), pd.to_datetime(until))
    worked = CALENDAR.worked_minutes(start, end, pauses=pauses)
    assert worked.tolist()[:2] == [240.0, 960.0 - 90.0]
    assert np.isnan(worked[30])
    assert worked.index.tolist() == [10, 20, 30]


def test_seconds_count() -> None:
    assert CALENDAR.worked_minutes("2024-05-06 07:29:30", "2024-05-06 07:30:15") == 0.25


def test_hours_are_the_office_s_own() -> None:
    calendar = WorkCalendar.vietnam(sessions=["07:00-11:30", "13:30-17:00"])
    assert calendar.worked_minutes("2024-05-06", "2024-05-07") == 480
    assert calendar.worked_minutes("2024-05-06 11:30", "2024-05-06 13:30") == 0


def test_frame_is_what_an_engine_needs_to_count_by_itself() -> None:
    frame = CALENDAR.frame()
    assert frame["day"].iloc[[0, -1]].dt.strftime("%F").tolist() == ["2009-01-01", "2030-12-31"]
    assert frame["day_index"].tolist() == frame["is_work"].cumsum().tolist()
    assert frame["cum_minutes"].diff().fillna(0).tolist() == [0, *(frame["is_work"].iloc[:-1] * 480)]


def test_refuses_pauses_it_cannot_place() -> None:
    with pytest.raises(ValueError, match="row 1"):
        CALENDAR.worked_minutes("2024-05-06", "2024-05-07", pauses=([1], ["2024-05-06"], ["2024-05-07"]))
    with pytest.raises(ValueError, match="length"):
        CALENDAR.worked_minutes("2024-05-06", "2024-05-07", pauses=([0], ["2024-05-06"], ["2024-05-07"] * 2))
    with pytest.raises(ValueError, match="tuple"):
        CALENDAR.worked_minutes("2024-05-06", "2024-05-07", pauses=[1, 2])


# One's own table ---------------------------------------------------------------------------------------------------


def test_own_calendar_knows_only_its_own_days(tmp_path) -> None:
    file = tmp_path / "delft.csv"
    file.write_text("day,kind\n2011-04-25,off\n2011-06-04,make_up\n", encoding="utf-8")
    calendar = WorkCalendar.from_csv(file)
    assert calendar.name == "delft"
    assert (calendar.known_from, calendar.known_to) == (dt.date(2011, 1, 1), dt.date(2011, 12, 31))
    assert not calendar.is_working("2011-04-25")
    assert calendar.is_working("2011-06-04")
    assert calendar.is_working("2010-09-02")  # a holiday in Viet Nam only
    assert not calendar.is_working("2012-01-01")  # a Sunday


def test_the_built_in_table_is_a_valid_own_table() -> None:
    own = WorkCalendar.from_csv(str(locate("calendars/vn.csv"))).frame().set_index("day")
    pd.testing.assert_series_equal(
        own["is_work"]["2021":"2027"], CALENDAR.frame().set_index("day")["is_work"]["2021":"2027"]
    )


def test_an_empty_table_leaves_weekends(tmp_path) -> None:
    file = tmp_path / "none.csv"
    file.write_text("day,kind\n", encoding="utf-8")
    calendar = WorkCalendar.from_csv(file)
    assert calendar.known_from is None
    assert calendar.frame()["is_work"].sum() == np.busday_count("2009-01-01", "2031-01-01")
    assert calendar._repr_html_() == "<p>Lịch làm việc none; giờ làm việc 07:30–11:30, 13:00–17:00</p>"


def test_without_a_table_the_fixed_days_are_off_every_year() -> None:
    fixed = fixed_days_off(locate("calendars/vn_fixed.csv"))
    works = DayTable({kind: np.array([], dtype=int) for kind in KINDS}, None, None).works(
        fixed, make_up_days=True, culture_day=True
    )
    assert not works[np.datetime64("2025-09-02") == DAYS].any()
    assert works.sum() == np.busday_count("2009-01-01", "2031-01-01") - (fixed & np.is_busday(DAYS)).sum()


def test_every_fault_of_a_table_is_told_at_once(tmp_path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("day,kind\n02/09/2026,off\n2026-09-02,holiday\n2026-09-02,off\n1999-01-01,off\n", encoding="utf-8")
    with pytest.raises(FactsError) as caught:
        WorkCalendar.from_csv(file)
    told = str(caught.value).splitlines()
    assert len(told) == 5
    assert "02/09/2026" in told[1]
    assert "holiday" in told[2]
    assert "bị lặp" in told[3]
    assert "1999-01-01" in told[4]


def test_a_table_without_its_columns_or_file_is_refused(tmp_path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("date\n2026-09-02\n", encoding="utf-8")
    with pytest.raises(FactsError, match="day[\\s\\S]*kind"):
        WorkCalendar.from_csv(file)
    with pytest.raises(FactsError, match="nowhere"):
        WorkCalendar.from_csv(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "hours", [["7h30-11h30"], ["07:30-11:30", "11:00-17:00"], ["13:00-12:00"], ["23:00-24:30"], []]
)
def test_impossible_hours_are_refused(hours: list[str]) -> None:
    with pytest.raises(FactsError):
        parse_sessions(hours)


def test_a_calendar_by_hand_is_checked() -> None:
    with pytest.raises(FactsError, match="8035"):
        WorkCalendar(name="x", works=np.ones(3, dtype=bool), sessions=((450, 690),))
    with pytest.raises(FactsError):
        WorkCalendar(name="x", works=CALENDAR.works, sessions=((690, 450),))


def test_shows_itself() -> None:
    assert CALENDAR._repr_html_() == (
        "<p>Lịch làm việc vn; ngày nghỉ đã biết từ 01/01/2021 đến 31/12/2027; giờ làm việc 07:30–11:30, 13:00–17:00</p>"
    )
