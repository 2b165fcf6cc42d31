"""Which days an office works and at what hours, and arithmetic on working days and worked time."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain import office_clock
from khaosat.domain.calendar_table import DAYS, check_sessions, day_table, fixed_days_off, four_columns, parse_sessions
from khaosat.domain.civil_time import MISSING, DateArray, DateScalar, Moments, as_given, moments
from khaosat.domain.office_hours import read_offices, read_units
from khaosat.domain.work_days import EPOCH_DAY, WorkDays
from khaosat.errors import FactsError
from khaosat.facts import locate
from khaosat.facts.language import date, say

SESSIONS = ("07:30-11:30", "13:00-17:00")
"""Office hours unless told otherwise: eight hours. City portals set their own."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkCalendar(WorkDays):
    """Days an office works, its hours, and arithmetic on both.

    Parameters
    ----------
    name
        What the calendar is called in notes.
    works
        True for each working day from 2009-01-01 to 2030-12-31.
    sessions
        Usual office hours as pairs of minutes after midnight, in order: one or two.
    known_from, known_to
        First and last day that the table of days off covers; None if it is empty. Outside, weekends alone are off.
    dated_hours
        Hours of each day (:data:`khaosat.domain.office_clock.Hours`) where they differ from the usual ones; a day that
        is open without being in ``works`` is on duty: its minutes are worked, but no term counts it.
    offices
        Calendars of offices with days or hours of their own, by name.
    units
        Office that each unit works at; a unit that is not named is its own office, or keeps the city's days.

    Notes
    -----
    Dates may be pandas Series, DatetimeIndex, numpy arrays, lists or single dates; a Series comes back as a Series, a
    single date as a single value. Times are local civil times without a zone. What is missing (NaT), or lies outside
    2009-2030, gives a missing result.

    References
    ----------
    Civil Code 91/2015/QH13, articles 147.2 and 148.5-6: the first day is not counted, a term ends at 24:00 of its last
    day. Labour Code 45/2019/QH14, articles 111.3 and 112: days off and days in lieu.

    Examples
    --------
    >>> calendar = WorkCalendar.vietnam()
    >>> calendar.add_working_days("2024-04-26", 3)  # Monday 29/4 off, Saturday 4/5 worked
    Timestamp('2024-05-04 00:00:00')
    """

    name: str
    sessions: tuple[tuple[int, int], ...]
    known_from: dt.date | None = None
    known_to: dt.date | None = None
    dated_hours: office_clock.Hours | None = None
    offices: Mapping[str, WorkCalendar] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dated_hours is not None and self.dated_hours.shape != (4, len(DAYS)):
            raise FactsError(f"dated_hours must hold 4 minutes for each of {len(DAYS)} days")
        check_sessions(self.sessions)
        unknown = sorted(set(self.units.values()) - set(self.offices))
        if unknown:
            raise FactsError(f"units work at offices without a calendar: {', '.join(unknown)}")

    @classmethod
    def vietnam(
        cls, *, make_up_days: bool = True, culture_day: bool = False, sessions: Sequence[str] = SESSIONS
    ) -> WorkCalendar:
        """State offices of Viet Nam, by the dated table ``facts/calendars/vn.csv`` (2021-2027).

        Parameters
        ----------
        make_up_days
            Work on the Saturdays that make up for a swapped day off. False follows one-stop software that skips every
            Saturday.
        culture_day
            Take 24 November (Ngày Văn hóa Việt Nam) off from 2026 on. Off by default: the resolution
            28/2026/QH16 that makes it a day off is known here only from third parties.
        sessions
            Office hours, such as ``("07:00-11:30", "13:30-17:00")``.

        Returns
        -------
        WorkCalendar
            ``known_from`` and ``known_to`` are the first and last day of the table's years; in other years weekends
            and the fixed days 1/1, 30/4, 1/5, 2/9 are off (no Tết, no Giỗ Tổ, no days in lieu).
        """
        table = day_table(locate("calendars/vn.csv"))
        fixed = fixed_days_off(locate("calendars/vn_fixed.csv"))
        return cls(
            name="vn",
            works=table.works(fixed, make_up_days=make_up_days, culture_day=culture_day),
            sessions=parse_sessions(sessions),
            known_from=table.known_from,
            known_to=table.known_to,
        )

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        *,
        make_up_days: bool = True,
        culture_day: bool = False,
        sessions: Sequence[str] = SESSIONS,
    ) -> WorkCalendar:
        """One's own calendar, in the format of ``facts/calendars/vn.csv``.

        Parameters
        ----------
        path
            CSV with the columns ``day`` (``2026-09-02``) and ``kind``: ``off``, ``make_up`` (a weekend day worked) or
            ``culture_day``; further columns are not read. Saturdays and Sundays are off without a row.
        make_up_days, culture_day, sessions
            As for :meth:`vietnam`.

        Returns
        -------
        In years without a row only weekends are off.

        Raises
        ------
        FactsError
            With every fault of the file.
        """
        table = day_table(Path(path))
        return cls(
            name=Path(path).stem,
            works=table.works(make_up_days=make_up_days, culture_day=culture_day),
            sessions=parse_sessions(sessions),
            known_from=table.known_from,
            known_to=table.known_to,
        )

    @overload
    def worked_minutes(self, start: pd.Series, end: pd.Series | DateScalar, pauses: object = None) -> pd.Series: ...
    @overload
    def worked_minutes(self, start: DateScalar, end: DateScalar, pauses: object = None) -> float: ...
    @overload
    def worked_minutes(
        self, start: DateArray, end: DateArray | DateScalar, pauses: object = None
    ) -> NDArray[np.float64]: ...
    def worked_minutes(self, start: object, end: object, pauses: object = None) -> object:
        """Office minutes from ``start`` to ``end``, pauses left out.

        ``clock(end) - clock(start) - clock(union of pauses)``, the clock being a running total of office time.

        Parameters
        ----------
        start, end
            Moments; the interval is half open.
        pauses
            Frame with the columns ``row`` (position of the interval, from 0), ``start`` and ``end``, or these three as
            a tuple. Overlapping pauses count once; a pause without an end lasts to the end of its interval.

        Returns
        -------
        Minutes, with fractions for seconds; negative if ``end`` comes first, NaN where a moment is missing.

        Examples
        --------
        >>> WorkCalendar.vietnam().worked_minutes("2024-05-03 16:30", "2024-05-04 08:00")
        60.0
        """
        begun, ended = np.broadcast_arrays(self._clock(moments(start)), self._clock(moments(end)))
        missing = (begun == MISSING) | (ended == MISSING)
        worked = np.where(missing, 0, ended) - np.where(missing, 0, begun)
        if pauses is not None:
            row, since, until = office_clock.read_pauses(pauses, intervals=len(worked))
            since, until = self._clock(since), self._clock(until)
            until = np.where(until == MISSING, ended[row], np.minimum(until, ended[row]))
            worked -= office_clock.paused(row, np.maximum(since, begun[row]), until, intervals=len(worked))
        return as_given(np.where(missing, np.nan, worked / office_clock.MINUTE), start, end)

    def with_offices(self, path: str | Path, *, units: str | Path | None = None) -> WorkCalendar:
        """This calendar with days and hours of single offices, from a dated table.

        Parameters
        ----------
        path
            CSV with the columns ``office`` (empty: the city's own hours), ``valid_from``, ``valid_to`` (may be empty),
            ``day`` (``mon`` … ``sun``, ``mon-fri``, or a date), ``kind`` (``work``; ``duty``: open, but no day of a
            term; ``off``) and ``sessions`` (``07:30-11:30 13:00-17:00``); further columns, such as ``source``, are not
            read. A weekday counts where the city works or on weekends, a date always; a make-up day has the hours of a
            Monday.
        units
            CSV with the columns ``unit`` and ``office``; without it a unit works at the office of its own name.

        Raises
        ------
        FactsError
            With every fault of a file.
        """
        found = read_offices(Path(path), works=self.works, hours=self.hours)
        works, hours = found.pop("", (self.works, self.hours))
        offices = {
            office: replace(self, name=f"{self.name}: {office}", works=own[0], dated_hours=own[1], offices={}, units={})
            for office, own in found.items()
        }
        served = read_units(Path(units), offices=set(offices)) if units else {office: office for office in offices}
        return replace(self, works=works, dated_hours=hours, offices=offices, units=served)

    def of(self, unit: str | None) -> WorkCalendar:
        """The calendar a unit works by: that of its office, or the city's own."""
        return self.offices.get(self.units.get(unit or "", ""), self)

    def frame(self) -> pd.DataFrame:
        """One row an office and day from 2009 to 2030, for an engine to join.

        Returns
        -------
        ``office`` (empty: the city's own), ``day``, ``is_work`` (0 or 1), ``day_index`` (working days up to and
        including the day), ``cum_minutes`` (office minutes before the day), ``open_1, close_1, open_2, close_2``
        (minutes after midnight; 0 and 0: no such session).

        >>> WorkCalendar.vietnam().frame().columns.tolist()[:5]
        ['office', 'day', 'is_work', 'day_index', 'cum_minutes']
        """
        calendars = {"": self, **self.offices}
        return pd.concat([calendar._days_of(office) for office, calendar in calendars.items()], ignore_index=True)

    def _days_of(self, office: str) -> pd.DataFrame:
        names = ("open_1", "close_1", "open_2", "close_2")
        return pd.DataFrame({
            "office": office,
            "day": DAYS.astype("datetime64[us]"),
            "is_work": self.works.astype(np.int64),
            "day_index": self._day_index,
            "cum_minutes": office_clock.minutes_before(self.hours),
            **dict(zip(names, self.hours, strict=True)),
        })  # fmt: skip

    @cached_property
    def hours(self) -> office_clock.Hours:
        """Opening minutes of each day."""
        if self.dated_hours is not None:
            return self.dated_hours
        return np.where(self.works, np.array(four_columns(self.sessions), dtype=np.int64)[:, None], 0)

    def _clock(self, at: Moments) -> Moments:
        return office_clock.readings(at, first_day=EPOCH_DAY, hours=self.hours)

    def _repr_html_(self) -> str:
        facts = [say("Working calendar {name}", name=self.name)]
        if self.known_from and self.known_to:
            facts.append(
                say("days off known from {first} to {last}", first=date(self.known_from), last=date(self.known_to))
            )
        hours = [f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in self.sessions]
        facts.append(say("office hours {hours}", hours=", ".join(hours)))
        return f"<p>{html.escape('; '.join(facts))}</p>"
