"""The office clock: a running total of office time, so that worked time is a difference of two readings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.civil_time import MISSING, Moments, moments

Hours = NDArray[np.int64]
"""``open_1, close_1, open_2, close_2`` of each day (4 × days), in minutes after midnight; 0 and 0: no such session."""

MINUTE = 60_000_000
"""Microseconds in a minute."""
DAY = 24 * 60 * MINUTE
"""Microseconds in a day."""

_CHUNK = 1 << 14  # moments that, with what is computed of them, stay in the processor's cache


def positions(at: Moments, *, first_day: int, days: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which of ``days`` days each moment lies on, and where it lies on none (there the position is 0)."""
    day = at // DAY - first_day
    missing = (at == MISSING) | (day < 0) | (day >= days)
    return np.where(missing, 0, day), missing


def minutes_before(hours: Hours) -> NDArray[np.int64]:
    """Office minutes before each day: the prefix sums of the clock."""
    per_day = hours[1] - hours[0] + hours[3] - hours[2]
    return np.concatenate([[0], np.cumsum(per_day[:-1])])


def readings(at: Moments, *, first_day: int, hours: Hours) -> Moments:
    """Office time (µs) before each moment; missing where the moment is or lies outside the days of ``hours``.

    ``W(t) = before(day) + Σ_sessions clip(t - open, 0, close - open)``: prefix sums over whole days, clipping within
    the day.

    >>> two_days = np.array([[450, 450], [690, 690], [780, 780], [1020, 1020]])
    >>> noon = moments("1970-01-02 12:00")
    >>> readings(noon, first_day=0, hours=two_days) // MINUTE
    array([720])
    """
    open_1, close_1, open_2, close_2 = hours * MINUTE
    base = minutes_before(hours) * MINUTE - open_1 - open_2
    result = np.empty_like(at)
    for start in range(0, len(at), _CHUNK):
        chunk = at[start : start + _CHUNK]
        day = chunk // DAY
        time = chunk - day * DAY
        day -= first_day
        outside = (day < 0) | (day >= len(base))
        day[outside] = 0
        read = base.take(day)
        read += np.clip(time, open_1.take(day), close_1.take(day))
        read += np.clip(time, open_2.take(day), close_2.take(day))
        read[outside] = MISSING
        result[start : start + _CHUNK] = read
    return result


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
