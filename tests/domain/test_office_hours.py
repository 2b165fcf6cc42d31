"""Dated hours of single offices: what a table means, that the clock counts its minutes, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.calendar_table import DAYS
from khaosat.errors import FactsError

HEAD = "office,valid_from,valid_to,day,kind,sessions,source\n"
TABLE = (
    HEAD
    + """Sở A,2026-01-01,,sat,duty,07:30-11:30,QĐ 1
Sở A,2026-06-01,2026-08-31,mon-fri,work,07:00-11:30 13:30-17:00,QĐ 2
Sở A,,,2026-02-21,off,,sau Tết
Sở B,2026-01-01,,sat,work,07:30-11:30,QĐ 3
Sở B,,,2026-08-22,work,08:00-10:00,QĐ 4
,2026-07-01,,mon,work,08:00-12:00 13:00-17:00,QĐ 5
"""
)
START = pd.Timestamp("2026-05-25")  # before the summer hours of Sở A, and on to the make-up day 22/8


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> WorkCalendar:
    file = tmp_path_factory.mktemp("offices") / "offices.csv"
    file.write_text(TABLE, encoding="utf-8")
    return WorkCalendar.vietnam().with_offices(file)


def day(calendar: WorkCalendar, text: str) -> tuple[bool, float]:
    """Whether a term counts the day, and its office minutes."""
    start = pd.Timestamp(text)
    return calendar.is_working(start), calendar.worked_minutes(start, start + pd.Timedelta(days=1))


def test_a_saturday_on_duty_is_worked_but_no_day_of_a_term(city):
    a, b = city.of("Sở A"), city.of("Sở B")
    assert day(a, "2026-07-04") == (False, 240)
    assert day(b, "2026-07-04") == (True, 240)
    assert day(city, "2026-07-04") == (False, 0)
    assert a.add_working_days("2026-07-03", 1) == pd.Timestamp("2026-07-06")
    assert b.add_working_days("2026-07-03", 1) == pd.Timestamp("2026-07-04")


def test_hours_are_dated(city):
    a = city.of("Sở A")
    start = pd.to_datetime(["2026-05-29 07:00", "2026-06-01 07:00", "2026-08-31 07:00", "2026-09-03 07:00"])
    worked = a.worked_minutes(start, start + pd.Timedelta(hours=1))
    assert worked.tolist() == [30, 60, 0, 30]  # 31/8/2026 is off, swapped with Saturday 22/8


def test_a_day_off_stays_off_and_a_date_beats_a_weekday(city):
    a, b = city.of("Sở A"), city.of("Sở B")
    assert day(a, "2026-02-17") == (False, 0)  # Tết, a Tuesday
    assert day(a, "2026-02-21") == (False, 0)  # a Saturday, named as off
    assert day(b, "2026-02-21") == (True, 240)


def test_a_make_up_day_has_monday_hours_unless_it_is_named(city):
    assert day(city.of("Sở A"), "2026-08-22") == (True, 480)
    assert city.of("Sở A").worked_minutes("2026-08-22 07:00", "2026-08-22 07:30") == 30
    assert day(city.of("Sở B"), "2026-08-22") == (True, 120)


def test_the_city_s_own_rows_are_the_offices_too_where_they_say_nothing(city):
    assert city.worked_minutes("2026-07-06 07:30", "2026-07-06 12:00") == 240  # a Monday: 08:00-12:00
    assert city.of("Sở B").worked_minutes("2026-07-06 07:30", "2026-07-06 12:00") == 240
    assert city.of("Sở A").worked_minutes("2026-07-06 07:00", "2026-07-06 11:30") == 270
    assert city.of("Phường C") is city
    assert city.of(None) is city


def test_units_work_at_offices(tmp_path):
    hours, units = tmp_path / "hours.csv", tmp_path / "units.csv"
    hours.write_text(TABLE, encoding="utf-8")
    units.write_text("unit,office\nPhòng Đất đai,Sở A\n", encoding="utf-8")
    calendar = WorkCalendar.vietnam().with_offices(hours, units=units)
    assert calendar.of("Phòng Đất đai") is calendar.offices["Sở A"]
    assert calendar.of("Sở A") is calendar  # with a table of units, only what it names
    again = calendar.of("Phòng Đất đai")
    assert (again.offices, again.units) == ({}, {})


def test_the_frame_has_every_office(city):
    frame = city.frame()
    assert len(frame) == 3 * len(DAYS)
    assert frame.groupby("office", sort=False).size().index.tolist() == ["", "Sở A", "Sở B"]
    row = frame[(frame["office"] == "Sở A") & (frame["day"] == "2026-07-04")].iloc[0]
    assert row[["is_work", "open_1", "close_1", "open_2", "close_2"]].tolist() == [0, 450, 690, 0, 0]


moment = st.integers(0, 95 * 24 * 60).map(lambda minutes: START + pd.Timedelta(minutes=minutes))
stretch = st.tuples(moment, moment).map(lambda pair: (min(pair), max(pair)))


def counted(frame: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp, pauses: list) -> int:
    """Every minute between, held against the sessions of its day, one by one."""
    minutes = pd.date_range(since, until, freq="min", inclusive="left")
    hours = frame.set_index("day").reindex(minutes.normalize())
    of_day = (minutes.hour * 60 + minutes.minute).to_numpy()
    opened = np.zeros(len(minutes), dtype=bool)
    for which in ("1", "2"):
        opened |= (of_day >= hours[f"open_{which}"].to_numpy()) & (of_day < hours[f"close_{which}"].to_numpy())
    for start, end in pauses:
        opened &= ~np.asarray((minutes >= start) & (minutes < end))
    return int(opened.sum())


@settings(max_examples=60, deadline=None)
@given(office=st.sampled_from(["", "Sở A", "Sở B"]), interval=stretch, pauses=st.lists(stretch, max_size=3))
def test_dated_hours_equal_a_count_of_minutes(city, office, interval, pauses):
    frame = city.frame()
    expected = counted(frame[frame["office"] == office], *interval, pauses)
    given_pauses = pd.DataFrame({"row": 0, "start": [a for a, _ in pauses], "end": [b for _, b in pauses]})
    given_pauses = given_pauses.astype({"start": "datetime64[us]", "end": "datetime64[us]", "row": int})
    calendar = city.offices.get(office, city)
    assert calendar.worked_minutes(*interval, pauses=given_pauses) == expected


def test_every_fault_of_a_table_is_told_at_once(tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(
        HEAD
        + "A,01/01/2026,,mon,work,07:30-11:30,x\n"
        + "A,2026-02-01,2026-01-01,mon,work,07:30-11:30,x\n"
        + "A,,,thứ hai,work,07:30-11:30,x\n"
        + "A,,,tue,open,07:30-11:30,x\n"
        + "A,,,wed,off,07:30-11:30,x\n"
        + "A,,,thu,work,,x\n"
        + "A,,,fri,work,7h30-11h30,x\n"
        + "A,,,fri,work,07:00-08:00 09:00-10:00 11:00-12:00,x\n"
        + "B,,,mon-fri,work,07:30-11:30,x\n"
        + "B,2026-01-01,,fri,work,07:30-11:30,x\n",
        encoding="utf-8",
    )
    with pytest.raises(FactsError) as caught:
        WorkCalendar.vietnam().with_offices(file)
    told = str(caught.value).splitlines()
    assert "bad.csv" in told[0]
    assert "9" in told[0]
    for number, words in enumerate(
        ["01/01/2026", "valid_to", "thứ hai", "open", "Dòng 5", "Dòng 6", "7h30-11h30", "3", "2026-01-02"], start=1
    ):
        assert words in told[number]


def test_units_are_checked(tmp_path):
    hours, units = tmp_path / "hours.csv", tmp_path / "units.csv"
    hours.write_text(TABLE, encoding="utf-8")
    units.write_text("unit,office\nX,Sở A\nX,Sở A\nY,Sở Z\n", encoding="utf-8")
    with pytest.raises(FactsError, match="X[\\s\\S]*Sở Z"):
        WorkCalendar.vietnam().with_offices(hours, units=units)
    with pytest.raises(FactsError, match="nowhere"):
        WorkCalendar.vietnam().with_offices(tmp_path / "nowhere.csv")
    units.write_text("unit\nX\n", encoding="utf-8")
    with pytest.raises(FactsError, match="office"):
        WorkCalendar.vietnam().with_offices(hours, units=units)


def test_a_calendar_by_hand_is_checked():
    city = WorkCalendar.vietnam()
    with pytest.raises(FactsError, match="dated_hours"):
        WorkCalendar(name="x", works=city.works, sessions=city.sessions, dated_hours=np.zeros((2, 3), dtype=np.int64))
    with pytest.raises(FactsError, match="Sở Z"):
        WorkCalendar(name="x", works=city.works, sessions=city.sessions, units={"Y": "Sở Z"})


def test_an_empty_table_changes_nothing(tmp_path):
    file = tmp_path / "none.csv"
    file.write_text(HEAD, encoding="utf-8")
    calendar = WorkCalendar.vietnam().with_offices(file)
    pd.testing.assert_frame_equal(calendar.frame(), WorkCalendar.vietnam().frame())
