"""Reads the table of a calendar: days off, working weekends, office hours; every fault at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.errors import FactsError
from khaosat.facts import read_table
from khaosat.facts.language import say

FIRST_DAY = np.datetime64("2009-01-01", "D")
LAST_DAY = np.datetime64("2030-12-31", "D")
DAYS: NDArray[np.datetime64] = np.arange(FIRST_DAY, LAST_DAY + 1)
"""Every day that calendars know."""

MOST_SESSIONS = 2
"""Stretches of office hours that a day may have: a morning and an afternoon."""

KINDS = ("off", "make_up", "culture_day")
_SESSION = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class DayTable(NamedTuple):
    """Positions in :data:`DAYS` by kind, and the years that the table covers."""

    days: dict[str, NDArray[np.int64]]
    known_from: dt.date | None
    known_to: dt.date | None

    def works(
        self, fixed: NDArray[np.bool_] | None = None, *, make_up_days: bool, culture_day: bool
    ) -> NDArray[np.bool_]:
        """True for each working day; ``fixed`` days are off in the years that the table does not cover."""
        works: NDArray[np.bool_] = np.is_busday(DAYS)
        if fixed is not None:
            works &= self._covered() | ~fixed
        works[self.days["off"]] = False
        if culture_day:
            works[self.days["culture_day"]] = False
        if make_up_days:
            works[self.days["make_up"]] = True
        works.flags.writeable = False
        return works

    def _covered(self) -> NDArray[np.bool_]:
        if self.known_from is None or self.known_to is None:
            return np.zeros(DAYS.shape, dtype=bool)
        return (np.datetime64(self.known_from, "D") <= DAYS) & (np.datetime64(self.known_to, "D") >= DAYS)


def day_table(place: Path | Traversable) -> DayTable:
    """Days of a calendar file by kind.

    Raises
    ------
    FactsError
        With every fault of the file.
    """
    if not place.is_file():
        raise FactsError(say("{file} is not there.", file=place))
    frame = read_table(place)
    faults = _faults(frame)
    if faults:
        head = say("Calendar {file} has {n} faults:", file=place.name, n=len(faults))
        raise FactsError("\n".join([head, *(f"- {fault}" for fault in faults)]))
    days = np.array(frame["day"], dtype="datetime64[D]")
    positions = (days - FIRST_DAY).astype(np.int64)
    by_kind = {kind: positions[(frame["kind"] == kind).to_numpy()] for kind in KINDS}
    if frame.empty:
        return DayTable(by_kind, None, None)
    first, last = days.min().astype(dt.date), days.max().astype(dt.date)
    return DayTable(by_kind, dt.date(first.year, 1, 1), dt.date(last.year, 12, 31))


def fixed_days_off(place: Traversable) -> NDArray[np.bool_]:
    """True on the days that are off every year (``month_day`` such as ``09-02``)."""
    month_days = set(read_table(place)["month_day"])
    return np.array([str(day)[5:] in month_days for day in DAYS])


def parse_sessions(sessions: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Office hours as pairs of minutes after midnight.

    >>> parse_sessions(["07:30-11:30", "13:00-17:00"])
    ((450, 690), (780, 1020))
    """
    pairs: list[tuple[int, int]] = []
    for text in sessions:
        match = _SESSION.fullmatch(text)
        if match is None:
            raise FactsError(say("Office hours {value} must look like 07:30-11:30.", value=text))
        hours = [int(group) for group in match.groups()]
        pairs.append((hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]))
    check_sessions(pairs)
    return tuple(pairs)


def check_sessions(pairs: Iterable[tuple[int, int]]) -> None:
    """Refuse office hours that overlap, run backwards or leave the day."""
    times = [minute for pair in pairs for minute in pair]
    if not times or times != sorted(set(times)) or times[0] < 0 or times[-1] > 24 * 60:
        raise FactsError(say("Office hours must follow each other within one day."))
    if len(times) > 2 * MOST_SESSIONS:
        raise FactsError(say("A day has {n} stretches of office hours: two at most.", n=len(times) // 2))


def four_columns(sessions: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """``open_1, close_1, open_2, close_2`` of one or two sessions, or of none.

    >>> four_columns([(450, 690)])
    (450, 690, 0, 0)
    """
    times = [minute for pair in sessions for minute in pair]
    return (*times, *[0] * (2 * MOST_SESSIONS - len(times)))


def _faults(frame: pd.DataFrame) -> list[str]:
    missing = [column for column in ("day", "kind") if column not in frame.columns]
    if missing:
        return [say("Column {column} is missing.", column=column) for column in missing]
    faults: list[str] = []
    seen: set[str] = set()
    for row, (day, kind) in enumerate(zip(frame["day"], frame["kind"], strict=True), start=1):
        if not _is_day(day):
            faults.append(
                say("Row {row}: day {value} is not a date such as 2026-09-02 in 2009-2030.", row=row, value=day)
            )
        elif day in seen:
            faults.append(say("Row {row}: day {value} is there twice.", row=row, value=day))
        if kind not in KINDS:
            faults.append(
                say("Row {row}: kind {value} must be one of {kinds}.", row=row, value=kind, kinds=", ".join(KINDS))
            )
        seen.add(day)
    return faults


def _is_day(text: str) -> bool:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10 and bool(FIRST_DAY <= np.datetime64(day, "D") <= LAST_DAY)
