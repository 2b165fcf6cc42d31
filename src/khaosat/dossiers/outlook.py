"""What share of a recent period's dossiers will be done in time, though many are still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.result import DossierResult, by_words
from khaosat.dossiers.waits import INSTANT, TimeUnit, check_unit, split
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import Deadline, ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import date, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share
from khaosat.stats.conditional import Hazard, daily_hazard, expected_ends
from khaosat.stats.intervals import t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cells = pd.DataFrame

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


@dataclass(frozen=True, eq=False, kw_only=True)
class Outlook(DossierResult):
    """Share that is or will be done in time.

    by…, ``estimate, se, low, high, n`` (dossiers received, with a deadline), ``n_missing`` (without), ``in_time`` and
    ``not_in_time`` (decided), ``undecided`` (open, may still be in time), ``expected`` (of those, in time),
    ``ended_only`` (the share among the ended, which open dossiers make too good).
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Nowcast with its interval, one line a group."""
        from khaosat.show.plots import intervals

        rows = self.worded().assign(all=say("All dossiers"))[~self._small_cells()].dropna(subset=["estimate"])
        ax = intervals(rows, keys=self.keys or ["all"], unit="share", ax=ax)
        ax.set_xlabel(say("Will be done in time (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        known = say("Decided")
        return [
            *self._key_columns(),
            Column(name="n", kind="int"),
            Column(name="in_time", kind="int", group=known, label=say("Done in time")),
            Column(name="not_in_time", kind="int", group=known),
            Column(name="undecided", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Will be done in time")),
            self._interval(),
            Column(name="ended_only", kind="percent", decimals=1),
        ]


def nowcast(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    recent: int | None = None,
    by: str | Sequence[str] | None = None,
    within: Literal["term"] | int = "term",
    unit: TimeUnit = "working_days",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> Outlook:
    r"""Share of a period's received dossiers that will be done in time, open ones told by their chances.

    :math:`\{\#\text{done in time} + \sum_{i\ \text{open}} P(T_i \le D_i \mid T_i > a_i)\}/n`, with
    :math:`P = 1 - \prod_{a_i < t \le D_i}(1 - h_t)`.

    Parameters
    ----------
    log
        The dossiers; nothing after ``log.as_of`` is used.
    period
        When they were received; by default whenever.
    recent
        In place of a period: received in so many days before the snapshot.
    by
        Columns to group by.
    within
        ``term``: by the deadline; or a number of days after reception.
    unit
        What the days are; see :func:`khaosat.time_to_result`.
    deadline
        As in :func:`khaosat.on_time`.
    level
        Coverage of the interval.

    Returns
    -------
    Outlook
        by…, ``estimate, se, low, high, n, n_missing, in_time, not_in_time, undecided, expected, ended_only``.

    Notes
    -----
    Any end counts, as in :func:`khaosat.on_time`; with no open dossier the share is the plain one and has no error. The
    daily chances :math:`h_t` are those of dossiers received in the year before the snapshot, by class of legal term, by
    group where it has 30 ended dossiers of the class. The interval is for what these dossiers will come to: chance and
    the error of the :math:`h_t`, but no change of pace after the snapshot, which no log can know of.

    References
    ----------
    van Houwelingen and Putter (2012), Dynamic Prediction in Clinical Survival Analysis, ch. 1.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> nowcast(example_log(), period="2026-04").rows[["estimate", "n"]].values.tolist()
    [[0.5, 2.0]]
    """
    check_unit(unit)
    if isinstance(within, bool) or not (within == "term" or (isinstance(within, int) and within >= 0)):
        raise KhaosatError(f"within is {within!r}: it must be 'term' or a number of days")
    columns, span, start, finish = group_columns(by), *_received(log, period, recent)
    cells = _ask(log, span, start=start, finish=finish, by=columns, unit=unit, deadline=deadline)
    placed = _placed(cells, within)
    city = _courses(placed, {})
    rows = []
    for key, part in split(placed, columns):
        courses = _courses(part, city) if columns else city
        asked = part[part["of_period"] == 1]
        if len(asked):
            rows.append({**dict(zip(columns, key, strict=True)), **_row(asked, courses, within, level)})
    names = [*columns, "estimate", "se", "low", "high", "n", "n_missing", "in_time", "not_in_time", "undecided",
             "expected", "ended_only"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    return Outlook(
        rows=frame, by=columns, level=level, source=log.source,
        title=_title(within, unit, period=span.label if recent is None else say("the last {n} days", n=recent),
                     by=by_words(columns)),
        notes=tuple(_notes(cells, placed, frame, within=within, deadline=deadline, span=span, level=level)),
    )  # fmt: skip


def _received(
    log: DossierLog, period: Period | str | None, recent: int | None
) -> tuple[Window, dt.datetime, dt.datetime]:
    span = window(log, period)
    if recent is None:
        return span, span.start, span.finish
    if period is not None:
        raise KhaosatError("give either a period or recent, not both")
    if recent < 1:
        raise KhaosatError(f"recent is {recent}: it must be a number of days from 1")
    return span, span.known - dt.timedelta(days=recent), span.known


def _ask(
    log: DossierLog, span: Window, *, start: dt.datetime, finish: dt.datetime, by: tuple[str, ...], unit: TimeUnit,
    deadline: Deadline,
) -> Cells:  # fmt: skip
    last = span.known - INSTANT
    if last.hour < 12:  # what has not ended this morning may still end today: yesterday is the last whole day
        last = last.replace(hour=0, minute=0, second=0, microsecond=0) - INSTANT
    return ask(
        log.engine, "nowcast", by=by, deadline=deadline, ended=ENDED, start=start, finish=finish, known=span.known,
        since=min(start, span.known - dt.timedelta(days=HISTORY)), last=last, as_of=span.as_of,
        working=unit == "working_days",
    )  # fmt: skip


def _placed(cells: Cells, within: Literal["term"] | int) -> Cells:
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


def _courses(cells: Cells, city: dict[int, Hazard]) -> dict[int, Hazard]:
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


def _row(cells: Cells, courses: dict[int, Hazard], within: Literal["term"] | int, level: float) -> dict[str, float]:
    missing = (cells["term"] < 0) if within == "term" else pd.Series(False, index=cells.index)
    n_missing, cells = int(cells.loc[missing, "n"].sum()), cells[~missing]
    n = int(cells["n"].sum())
    closed = cells["is_closed"] == 1
    in_time = int((cells["n"] * cells["done"]).sum())
    waiting = cells[~closed & (cells["until"] > cells["days"])]
    undecided, expected, variance = int(waiting["n"].sum()), 0.0, 0.0
    for kind in waiting["kind"].unique().tolist():
        part = waiting[waiting["kind"] == kind]
        ends, spread = expected_ends(courses[kind], part["days"].to_numpy(), part["until"].to_numpy(),
                                     part["n"].to_numpy(dtype=float))  # fmt: skip
        expected, variance = expected + ends, variance + spread
    estimate, se = float(share(in_time + expected, n)), float(share(np.sqrt(variance), n))
    half = float(t_quantile(level, np.inf)) * se
    return {
        "estimate": estimate, "se": se,
        # What is decided stays decided.
        "low": max(estimate - half, float(share(in_time, n))) if n else np.nan,
        "high": min(estimate + half, float(share(in_time + undecided, n))) if n else np.nan,
        "n": n, "n_missing": n_missing, "in_time": in_time, "not_in_time": n - in_time - undecided,
        "undecided": undecided, "expected": expected,
        "ended_only": float(share(in_time, cells.loc[closed, "n"].sum())),
    }  # fmt: skip


def _title(within: Literal["term"] | int, unit: TimeUnit, *, period: str, by: str) -> str:
    if within == "term":
        return say("Share that will be done by the deadline{by}, received in {period}", by=by, period=period)
    words = "Share that will be done within {n} days{by}, received in {period}"
    if unit == "working_days":
        words = "Share that will be done within {n} working days{by}, received in {period}"
    return say(words, n=within, by=by, period=period)


def _notes(
    cells: Cells, placed: Cells, rows: pd.DataFrame, *, within: Literal["term"] | int, deadline: Deadline, span: Window,
    level: float,
) -> list[str]:  # fmt: skip
    notes = [deadline_words(deadline)] if within == "term" else []
    undecided = int(rows["undecided"].sum()) if len(rows) else 0
    if not len(rows):
        notes.append(say("No dossier was received in this time."))
    elif not undecided:
        notes.append(say("Everything is decided: the share is a count and has no error."))
    else:
        notes.append(
            say(
                "Log known to {day}: {n} dossiers are open and may still be done in time; their chances are those of "
                "dossiers of similar legal term received within {days} days before, which reached the same age.",
                day=date(span.known - INSTANT),
                n=undecided,
                days=HISTORY,
            )
        )
        notes.append(
            say(
                "{level} interval: chance and the error of these chances; a change of pace after the log's end is "
                "not in it.",
                level=percent(level, 0),
            )
        )
    missing = int(rows["n_missing"].sum()) if len(rows) else 0
    if missing:
        notes.append(say("{n} dossiers without a due date are left out.", n=missing))
    strange = int(cells["n"].sum() - placed["n"].sum())
    if strange:
        notes.append(
            say("{n} dossiers are left out: they end before their reception or outside the calendar.", n=strange)
        )
    return notes
