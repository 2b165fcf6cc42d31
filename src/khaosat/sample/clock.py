"""The office clock: seconds of office time since the first day of the log.

Everything an office does is simulated on this clock, so nights, weekends and Tết cannot be worked by mistake; civil
time appears only when rows are written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.calendar import WorkCalendar

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class OfficeClock:
    """Maps office seconds to civil time and back.

    Parameters
    ----------
    days
        Working days in order, as days since 1970.
    sessions
        Office hours of every working day, in seconds after midnight.

    Examples
    --------
    >>> clock = OfficeClock.of(WorkCalendar.vietnam(), first=dt.date(2026, 2, 13))
    >>> clock.civil(np.array([4 * 3600, 8 * 3600])).astype("M8[s]").tolist()  # after lunch; after Tết
    [datetime.datetime(2026, 2, 13, 13, 0), datetime.datetime(2026, 2, 23, 7, 30)]
    >>> clock.at(dt.datetime(2026, 2, 13, 12, 0)) == 4 * 3600
    True
    """

    days: Ints
    sessions: Ints

    @classmethod
    def of(cls, calendar: WorkCalendar, *, first: dt.date) -> OfficeClock:
        """The clock of a calendar from its first working day on or after ``first``."""
        frame = calendar.frame()
        day = frame["day"].to_numpy().astype("M8[D]").astype(np.int64)
        start = int(np.datetime64(first, "D").astype(np.int64))
        working = frame["is_work"].to_numpy() == 1
        sessions = np.array(calendar.sessions, dtype=np.int64) * 60
        return cls(days=day[working & (day >= start)], sessions=sessions)

    @cached_property
    def day(self) -> int:
        """Office seconds in a working day."""
        return int((self.sessions[:, 1] - self.sessions[:, 0]).sum())

    @cached_property
    def _session_ends(self) -> Ints:
        return np.cumsum(self.sessions[:, 1] - self.sessions[:, 0])

    def civil(self, moments: Ints) -> Ints:
        """Civil seconds since 1970; a moment between two sessions is the start of the later one."""
        index, offset = np.divmod(moments, self.day)
        session = np.searchsorted(self._session_ends, offset, side="right")
        before = np.concatenate([[0], self._session_ends])[session]
        moment: Ints = self._midnight(index) + self.sessions[session, 0] + offset - before
        return moment

    def closing(self, index: Ints) -> Ints:
        """Civil seconds at which working day number ``index`` ends."""
        moment: Ints = self._midnight(index) + self.sessions[-1, 1]
        return moment

    def opening(self, index: Ints) -> Ints:
        """Civil seconds at which working day number ``index`` begins."""
        moment: Ints = self._midnight(index) + self.sessions[0, 0]
        return moment

    def at(self, moment: dt.datetime) -> int:
        """Office seconds passed by a civil moment."""
        civil = int(np.datetime64(moment, "s").astype(np.int64))
        index = self.index(moment.date())
        if index == len(self.days) or self.days[index] != civil // 86_400:
            return index * self.day
        worked = np.clip(civil % 86_400 - self.sessions[:, 0], 0, self.sessions[:, 1] - self.sessions[:, 0])
        return index * self.day + int(worked.sum())

    def index(self, day: dt.date) -> int:
        """Number of the first working day on or after ``day``."""
        return int(np.searchsorted(self.days, int(np.datetime64(day, "D").astype(np.int64))))

    def _midnight(self, index: Ints) -> Ints:
        return self.days[np.clip(index, 0, len(self.days) - 1)] * 86_400
