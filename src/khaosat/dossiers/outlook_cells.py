"""Cells of waits and terms that a nowcast is made of, and what their open dossiers are expected to come to."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.dossiers.waits import INSTANT, TimeUnit
from khaosat.dossiers.window import Window
from khaosat.engine.query import Deadline, ask
from khaosat.stats.conditional import Hazard, daily_hazard, expected_ends

Cells = pd.DataFrame
Within = Literal["term"] | int

HISTORY = 365
"""Days of reception before the snapshot from which the course of dossiers is learnt."""
OWN_CLASS = 500
"""A legal term that so many dossiers have is a class by itself."""
OWN_ENDS = 30
"""With fewer ended dossiers of a class, a group takes the class's course from the whole city."""
_BOUNDS = (2, 5, 10, 15, 20, 30, 60)
_NO_TERM = -1
_POOLED = 100_000
"""Classes of pooled terms are numbered from here."""


class Outcome(NamedTuple):
    """What is decided of dossiers and what is expected: of those ``undecided``, in time, with its variance."""

    n: int
    n_missing: int
    in_time: int
    closed: int
    undecided: int
    expected: float
    variance: float


def ask_cells(
    log: DossierLog, span: Window, *, start: dt.datetime, finish: dt.datetime, by: tuple[str, ...], unit: TimeUnit,
    deadline: Deadline,
) -> Cells:  # fmt: skip
    """Dossiers received since a year before the snapshot, or since ``start``, counted (``nowcast.sql``)."""
    last = span.known - INSTANT
    if last.hour < 12:  # what has not ended this morning may still end today: yesterday is the last whole day
        last = last.replace(hour=0, minute=0, second=0, microsecond=0) - INSTANT
    return ask(
        log.engine, "nowcast", by=by, deadline=deadline, ended=ENDED, start=start, finish=finish, known=span.known,
        since=min(start, span.known - dt.timedelta(days=HISTORY)), last=last, as_of=span.as_of,
        working=unit == "working_days",
    )  # fmt: skip


def placed_cells(cells: Cells, within: Within) -> Cells:
    """Cells with an age, the day that is asked about, and their class of legal term."""
    frame = cells[cells["days"].notna()].astype({"days": "int64"})
    # Received after the last whole day: not a day old. Ended before reception: left out.
    frame = frame[(frame["days"] >= 0) | (frame["is_closed"] == 0)]
    term = frame["term"].fillna(_NO_TERM).astype("int64")
    frame = frame.assign(days=frame["days"].clip(lower=0), term=term)
    size = frame.groupby("term")["n"].sum()
    own = term.isin(size.index[size >= OWN_CLASS]) | (term < 0)
    frame["kind"] = np.where(own, term, _POOLED + np.searchsorted(_BOUNDS, term))
    if within == "term":
        frame["until"] = np.where((term >= 0) & (frame["expired"] == 0), term, _NO_TERM)
        frame["done"] = frame["in_time"]
    else:
        frame["until"] = within
        frame["done"] = ((frame["is_closed"] == 1) & (frame["days"] <= within)).astype("int64")
    return frame


def courses_of(cells: Cells, city: dict[int, Hazard]) -> dict[int, Hazard]:
    """The daily chances of each class; those of ``city`` where the cells hold too few ends."""
    if not len(cells):
        return city
    length = int(max(cells["days"].max(), cells["until"].max())) + 1
    length = max([length, *(len(course.chance) for course in city.values())])
    everyone = _course(cells, length, None)
    found = dict(city)
    for kind in cells["kind"].unique().tolist():
        part = cells[cells["kind"] == kind]
        if not city:
            found[kind] = _course(part, length, everyone)
        elif int(part.loc[part["is_closed"] == 1, "n"].sum()) >= OWN_ENDS:
            found[kind] = _course(part, length, city[kind])
    return found


def _course(cells: Cells, length: int, other: Hazard | None) -> Hazard:
    return daily_hazard(cells["days"], ended=cells["is_closed"] == 1, n=cells["n"], length=length, other=other)


def outcome(cells: Cells, courses: dict[int, Hazard], within: Within) -> Outcome:
    """Of the dossiers received in the period."""
    missing = (cells["term"] < 0) if within == "term" else pd.Series(False, index=cells.index)
    n_missing, cells = int(cells.loc[missing, "n"].sum()), cells[~missing]
    waiting, expected, variance = undecided(cells), 0.0, 0.0
    for kind in waiting["kind"].unique().tolist():
        part = waiting[waiting["kind"] == kind]
        ends, spread = expected_ends(courses[kind], part["days"].to_numpy(), part["until"].to_numpy(),
                                     part["n"].to_numpy(dtype=float))  # fmt: skip
        expected, variance = expected + ends, variance + spread
    return Outcome(
        n=int(cells["n"].sum()), n_missing=n_missing, in_time=int((cells["n"] * cells["done"]).sum()),
        closed=int(cells.loc[cells["is_closed"] == 1, "n"].sum()), undecided=int(waiting["n"].sum()),
        expected=expected, variance=variance,
    )  # fmt: skip


def undecided(cells: Cells) -> Cells:
    """Cells of open dossiers that may still be in time."""
    return cells[(cells["is_closed"] == 0) & (cells["until"] > cells["days"])]
