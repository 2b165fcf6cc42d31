"""The office clock: a running total of office time, so that worked time is a difference of two readings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.civil_time import MISSING, Moments, moments

Sessions = tuple[tuple[int, int], ...]

MINUTE = 60_000_000
"""Microseconds in a minute."""
DAY = 24 * 60 * MINUTE
"""Microseconds in a day."""


def positions(at: Moments, *, first_day: int, days: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which of ``days`` days each moment lies on, and where it lies on none (there the position is 0)."""
    day = at // DAY - first_day
    missing = (at == MISSING) | (day < 0) | (day >= days)
    return np.where(missing, 0, day), missing


def readings(at: Moments, *, first_day: int, works: NDArray[np.bool_], sessions: Sessions) -> Moments:
    """Office time (µs) before each moment; missing where the moment is or lies outside the days of ``works``.

    Prefix sums over whole days, clipping within the day.

    >>> two_days = np.array([True, True])
    >>> noon = moments("1970-01-02 12:00")
    >>> readings(noon, first_day=0, works=two_days, sessions=((450, 690), (780, 1020))) // MINUTE
    array([720])
    """
    per_day = sum(end - start for start, end in sessions) * MINUTE
    before = np.concatenate([[0], np.cumsum(works[:-1] * per_day)])
    day, missing = positions(at, first_day=first_day, days=len(works))
    time = at % DAY
    today = np.zeros_like(time)
    for start, end in sessions:
        today += np.clip(time - start * MINUTE, 0, (end - start) * MINUTE)
    return np.where(missing, MISSING, before[day] + works[day] * today)


def paused(row: NDArray[np.int64], start: Moments, end: Moments, *, intervals: int) -> Moments:
    """Office time (µs) that pauses take from each interval, overlapping pauses counted once.

    On the clock, a union of pauses is a union of stretches of its readings: sort them by interval and start, and let
    each add what lies beyond the furthest end so far.

    Parameters
    ----------
    row
        The interval, from 0, that each pause belongs to.
    start, end
        Clock readings of the pauses, already cut to their intervals.
    intervals
        Number of intervals.
    """
    order = np.lexsort((start, row))
    row, start, end = row[order], start[order], end[order]
    furthest = pd.Series(end).groupby(row).cummax().groupby(row).shift(fill_value=MISSING).to_numpy(np.int64)
    added = np.maximum(end - np.maximum(start, furthest), 0)
    total = np.zeros(intervals, dtype=np.int64)
    np.add.at(total, row, added)
    return total


def read_pauses(pauses: object, *, intervals: int) -> tuple[NDArray[np.int64], Moments, Moments]:
    """Rows, starts and ends of pauses from a frame or a tuple of three arrays."""
    if isinstance(pauses, pd.DataFrame):
        pauses = (pauses["row"], pauses["start"], pauses["end"])
    if not isinstance(pauses, tuple) or len(pauses) != 3:
        raise ValueError("pauses must be a frame with row, start, end, or a tuple of these three")
    row = np.atleast_1d(np.asarray(pauses[0], dtype=np.int64))
    if len(row) and not (row.min() >= 0 and row.max() < intervals):
        raise ValueError(f"a pause names row {row.min()} or {row.max()}, but there are {intervals} intervals")
    start, end = moments(pauses[1]), moments(pauses[2])
    if not len(row) == len(start) == len(end):
        raise ValueError("row, start and end of the pauses differ in length")
    return row, start, end
