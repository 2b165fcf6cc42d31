"""Which days an office works, and arithmetic on working days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain import office_clock
from khaosat.domain.calendar_table import DAYS, FIRST_DAY
from khaosat.domain.civil_time import DateArray, DateScalar, Moments, as_given, moments, whole_numbers
from khaosat.errors import FactsError

EPOCH_DAY = int(FIRST_DAY.astype(np.int64))
"""First day of every calendar, as days since 1970."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkDays:
    """Working days of an office; base of :class:`khaosat.domain.calendar.WorkCalendar`.

    Parameters
    ----------
    works
        True for each working day from 2009-01-01 to 2030-12-31.
    """

    works: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.works.shape != DAYS.shape or self.works.dtype != np.bool_:
            raise FactsError(f"works must hold {len(DAYS)} booleans, one a day from {DAYS[0]} to {DAYS[-1]}")

    @overload
    def is_working(self, dates: pd.Series) -> pd.Series: ...
    @overload
    def is_working(self, dates: DateScalar) -> bool: ...
    @overload
    def is_working(self, dates: DateArray) -> pd.arrays.BooleanArray: ...
    def is_working(self, dates: object) -> object:
        """Whether the office works on a date.

        >>> from khaosat.domain.calendar import WorkCalendar
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
        >>> from khaosat.domain.calendar import WorkCalendar
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

        >>> from khaosat.domain.calendar import WorkCalendar
        >>> WorkCalendar.vietnam().working_days_between("2024-04-26", "2024-05-04")
        3
        """
        first, first_missing = self._days(moments(a))
        last, last_missing = self._days(moments(b))
        days = self._day_index[last] - self._day_index[first]
        return as_given(pd.arrays.IntegerArray(days, first_missing | last_missing), a, b)

    @cached_property
    def _day_index(self) -> NDArray[np.int64]:
        return np.cumsum(self.works, dtype=np.int64)

    @cached_property
    def _working(self) -> NDArray[np.datetime64]:
        return DAYS[self.works].astype("datetime64[us]")

    def _days(self, at: Moments) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        return office_clock.positions(at, first_day=EPOCH_DAY, days=len(self.works))
