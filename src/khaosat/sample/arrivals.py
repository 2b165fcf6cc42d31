"""When dossiers arrive, cut into batches, and how long the queues are that they meet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from khaosat.domain.period import Period
from khaosat.facts import read_table
from khaosat.sample.city import City
from khaosat.sample.clock import Floats, Ints, OfficeClock
from khaosat.sample.draw import lognormal, shares, stream

BLOCK = 5
"""Working days in a block of the queue."""

_DAYS_STREAM, _QUEUE_STREAM = 2, 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Dossiers received on consecutive working days of one month.

    Parameters
    ----------
    number
        Position in the run: the key of the batch's random stream.
    quarter, month
        Where its rows are written, and which weights of procedures hold (``2026-03``).
    days, counts
        Working days and dossiers received on each.
    """

    number: int
    quarter: str
    month: str
    days: Ints
    counts: Ints

    @property
    def size(self) -> int:
        """Number of dossiers."""
        return int(self.counts.sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Arrivals:
    """Expected arrivals by field and working day, in dossiers of an average day's total.

    Parameters
    ----------
    first, last
        First working day of the log and the first one after it.
    by_field
        Expected volume, fields by working days.
    months
        Month of each day.
    """

    first: int
    last: int
    by_field: Floats
    months: list[str]

    def procedure_shares(self, city: City, *, month: str) -> Floats:
        """Cumulative shares of the procedures in a month's dossiers."""
        days = np.array([name == month for name in self.months])
        field = city.procedures["field_index"].to_numpy()
        volume = city.procedures["volume"].to_numpy(dtype=np.float64)
        total = np.bincount(field, volume, minlength=len(city.fields))
        return shares(self.by_field[:, days].sum(axis=1)[field] * volume / total[field])


def expect_arrivals(city: City, *, clock: OfficeClock, quarters: tuple[str, ...]) -> Arrivals:
    """The rhythm of the city: seasons, weekdays, growth, Tết, and the planted surge."""
    first, last = clock.index(Period(quarters[0]).start.date()), clock.index(Period(quarters[-1]).end.date())
    days = pd.DatetimeIndex(clock.days[first:last].astype("M8[D]"))
    months = [str(day)[:7] for day in days]
    settings = city.settings
    field = city.procedures["field_index"].to_numpy()
    volume = np.bincount(field, city.procedures["volume"], minlength=len(city.fields))
    seasons = read_table("sample/seasons.csv").set_index("id").astype(float)
    season = seasons.loc[city.fields["season"]].to_numpy()[:, days.month - 1]
    growth = (1 + settings.number("arrivals.growth")) ** (np.arange(len(days)) / 250)
    weekday = np.array(settings.numbers("arrivals.weekdays"))[days.day_of_week]
    by_field = volume[:, None] * season * growth * weekday * _closures(city, clock=clock, first=first, last=last)
    surge = np.array([month == city.truths.text("surge.month") for month in months])
    rows = city.field_numbers([city.truths.text("surge.field")])
    by_field[np.ix_(rows, surge)] *= city.truths.number("surge.factor")
    return Arrivals(first=first, last=last, by_field=by_field / by_field.sum(axis=0).mean(), months=months)


def _closures(city: City, *, clock: OfficeClock, first: int, last: int) -> Floats:
    """Fewer arrivals just before a long closure, more just after it."""
    settings = city.settings
    factor = np.ones(last - first)
    gap = np.diff(clock.days[: last + 1], prepend=clock.days[0] - 1)
    for reopening in np.flatnonzero(gap > settings.whole("arrivals.closure_days")) - first:
        after = slice(max(reopening, 0), max(reopening + settings.whole("arrivals.rebound_days"), 0))
        before = slice(max(reopening - settings.whole("arrivals.lull_days"), 0), max(reopening, 0))
        factor[after] *= settings.number("arrivals.rebound")
        factor[before] *= settings.number("arrivals.lull")
    return factor


def plan_batches(arrivals: Arrivals, *, seed: int, dossiers: int, size: int) -> list[Batch]:
    """Every dossier's reception day, in batches of one month and about ``size`` dossiers (never less than a day)."""
    total = arrivals.by_field.sum(axis=0)
    counts = stream(seed, _DAYS_STREAM).multinomial(dossiers, total / total.sum())
    months = np.array(arrivals.months)
    batches: list[Batch] = []
    for month in dict.fromkeys(arrivals.months):
        days = np.flatnonzero(months == month)
        part = (np.cumsum(counts[days]) - counts[days]) // size
        for value in np.unique(part):
            chosen = days[part == value]
            quarter = f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
            if counts[chosen].any():
                received = chosen + arrivals.first
                batches.append(
                    Batch(number=len(batches), quarter=quarter, month=month, days=received, counts=counts[chosen])
                )
    return batches


def queue_waits(city: City, *, arrivals: Arrivals, seed: int, horizon: int) -> Floats:
    """Work waiting in the queue of each unit, field and block of working days, in working days of that queue.

    A fluid queue: what arrives beyond capacity stays for the next block; a long queue brings overtime. It runs on
    expected arrivals, so congestion is the same in a log of thousands and of millions.

    Returns
    -------
    Array of departments and wards by fields by blocks, up to working day ``horizon``.
    """
    settings = city.settings
    rng = stream(seed, _QUEUE_STREAM)
    units, fields = city.first_ward + len(city.wards), len(city.fields)
    blocks = -(-horizon // BLOCK)
    load = _block_load(arrivals, blocks=blocks)
    base = city.fields["utilisation"].to_numpy() + settings.number("queue.unit_spread") * rng.standard_normal(
        (units, fields)
    )
    capacity = lognormal(rng, settings.number("queue.absence_spread"), shape=(units, blocks))
    limit, overtime = settings.number("queue.overtime_after"), settings.number("queue.overtime")
    backlog = np.zeros((units, fields))
    waits = np.zeros((units, fields, blocks))
    for block in range(blocks):
        work = capacity[:, block, None] * (1 + overtime * (backlog > limit))
        backlog = np.maximum(0, backlog + np.clip(base, 0.4, 0.97) * load[:, block] - work)
        waits[:, :, block] = backlog * BLOCK
    return waits


def _block_load(arrivals: Arrivals, *, blocks: int) -> Floats:
    """Arrivals of each field and block against the field's average; after the log, an average flow."""
    relative = arrivals.by_field / arrivals.by_field.mean(axis=1, keepdims=True)
    padded = np.ones((len(relative), blocks * BLOCK))
    span = slice(arrivals.first, min(arrivals.last, padded.shape[1]))
    padded[:, span] = relative[:, : span.stop - span.start]
    load: Floats = padded.reshape(len(relative), blocks, BLOCK).mean(axis=2)
    return load


def end_of(quarters: tuple[str, ...]) -> dt.datetime:
    """The snapshot: the last second of the last quarter."""
    return Period(quarters[-1]).end - dt.timedelta(seconds=1)
