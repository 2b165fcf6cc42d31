"""Which days an office works and at what hours, and arithmetic on working days and worked time."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain import office_clock
from khaosat.domain.calendar_table import (
    DAYS,
    FIRST_DAY,
    check_sessions,
    day_table,
    fixed_days_off,
    parse_sessions,
)
from khaosat.domain.civil_time import MISSING, DateArray, DateScalar, Moments, as_given, moments, whole_numbers
from khaosat.errors import FactsError
from khaosat.facts import locate
from khaosat.facts.language import date, say

SESSIONS = ("07:30-11:30", "13:00-17:00")
"""Office hours unless told otherwise: eight hours. City portals set their own."""

_EPOCH_DAY = int(FIRST_DAY.astype(np.int64))


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkCalendar:
    """Days an office works, its hours, and arithmetic on both.

    Parameters
    ----------
    name
        What the calendar is called in notes.
    works
        True for each working day from 2009-01-01 to 2030-12-31.
    sessions
        Office hours as pairs of minutes after midnight, in order.
    known_from, known_to
        First and last day that the table of days off covers; None if it is empty. Outside, weekends alone are off.

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
    works: NDArray[np.bool_]
    sessions: tuple[tuple[int, int], ...]
    known_from: dt.date | None = None
    known_to: dt.date | None = None

    def __post_init__(self) -> None:
        if self.works.shape != DAYS.shape or self.works.dtype != np.bool_:
            raise FactsError(f"works must hold {len(DAYS)} booleans, one a day from {DAYS[0]} to {DAYS[-1]}")
        check_sessions(self.sessions)

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
    def is_working(self, dates: pd.Series) -> pd.Series: ...
    @overload
    def is_working(self, dates: DateScalar) -> bool: ...
    @overload
    def is_working(self, dates: DateArray) -> pd.arrays.BooleanArray: ...
    def is_working(self, dates: object) -> object:
        """Whether the office works on a date.

        >>> WorkCalendar.vietnam().is_working("2024-05-04")
        True
        """
        day, missing = self._days(moments(dates))
        return as_given(pd.arrays.BooleanArray(self.works[day], missing), dates)

    @overload
    def add_working_days(self, dates: pd.Series, n: object) -> pd.Series: ...
    @overload
    def add_working_days(self, dates: DateScalar, n: int) -> pd.Timestamp: ...
    @overload
    def add_working_days(self, dates: DateArray, n: object) -> NDArray[np.datetime64]: ...
    def add_working_days(self, dates: object, n: object) -> object:
        """The n-th working day after a date: the last day of a term, which ends at 24:00 of it.

        Parameters
        ----------
        dates
            First days of terms; they are not counted, and their time of day plays no part.
        n
            Length in working days, one for all or one for each. 0 gives the date itself or, if the office is closed
            then, the next working day; -1 the working day before.

        Returns
        -------
        Days at midnight; missing where a date or length is missing or the result lies outside 2009-2030.

        Examples
        --------
        >>> WorkCalendar.vietnam().add_working_days(np.array(["2025-12-31", "2026-02-13"], "M8[D]"), [1, 5])
        array(['2026-01-05T00:00:00.000000', '2026-02-27T00:00:00.000000'],
              dtype='datetime64[us]')
        """
        count, uncounted = whole_numbers(n)
        day, missing = self._days(moments(dates))
        before = self._day_index[day] - self.works[day]
        position = count + np.where(count > 0, self._day_index[day] - 1, before)
        found = ~(missing | uncounted) & (position >= 0) & (position < len(self._working))
        result = np.full(position.shape, np.datetime64("NaT"), dtype="datetime64[us]")
        result[found] = self._working[position[found]]
        return as_given(result, dates, n)

    @overload
    def working_days_between(self, a: pd.Series, b: pd.Series | DateScalar) -> pd.Series: ...
    @overload
    def working_days_between(self, a: DateScalar, b: DateScalar) -> int: ...
    @overload
    def working_days_between(self, a: DateArray, b: DateArray | DateScalar) -> pd.arrays.IntegerArray: ...
    def working_days_between(self, a: object, b: object) -> object:
        """Working days after ``a`` up to and including ``b``; negative if ``b`` comes first.

        >>> WorkCalendar.vietnam().working_days_between("2024-04-26", "2024-05-04")
        3
        """
        first, first_missing = self._days(moments(a))
        last, last_missing = self._days(moments(b))
        days = self._day_index[last] - self._day_index[first]
        return as_given(pd.arrays.IntegerArray(days, first_missing | last_missing), a, b)

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

    def frame(self) -> pd.DataFrame:
        """One row a day from 2009 to 2030, for an engine to join.

        Returns
        -------
        ``day``, ``is_work`` (0 or 1), ``day_index`` (working days up to and including the day) and ``cum_minutes``
        (office minutes before the day).

        >>> WorkCalendar.vietnam().frame().columns.tolist()
        ['day', 'is_work', 'day_index', 'cum_minutes']
        """
        per_day = sum(end - start for start, end in self.sessions)
        return pd.DataFrame({
            "day": DAYS.astype("datetime64[us]"),
            "is_work": self.works.astype(np.int64),
            "day_index": self._day_index,
            "cum_minutes": (self._day_index - self.works) * per_day,
        })  # fmt: skip

    @cached_property
    def _day_index(self) -> NDArray[np.int64]:
        return np.cumsum(self.works, dtype=np.int64)

    @cached_property
    def _working(self) -> NDArray[np.datetime64]:
        return DAYS[self.works].astype("datetime64[us]")

    def _days(self, at: Moments) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        return office_clock.positions(at, first_day=_EPOCH_DAY, days=len(self.works))

    def _clock(self, at: Moments) -> Moments:
        return office_clock.readings(at, first_day=_EPOCH_DAY, works=self.works, sessions=self.sessions)

    def _repr_html_(self) -> str:
        facts = [say("Working calendar {name}", name=self.name)]
        if self.known_from and self.known_to:
            facts.append(
                say("days off known from {first} to {last}", first=date(self.known_from), last=date(self.known_to))
            )
        hours = [f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in self.sessions]
        facts.append(say("office hours {hours}", hours=", ".join(hours)))
        return f"<p>{html.escape('; '.join(facts))}</p>"
