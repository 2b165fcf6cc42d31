"""What share of a recent period's dossiers will be done in time, though many are still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.outlook_cells import HISTORY, Cells, Outcome, ask_cells, courses_of, outcome, placed_cells
from khaosat.dossiers.outlook_past import Past, past_misses
from khaosat.dossiers.result import DossierResult, by_words
from khaosat.dossiers.waits import INSTANT, TimeUnit, check_unit, split
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import Deadline, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import date, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share
from khaosat.stats.intervals import t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    group where it has 30 ended dossiers of the class. The interval is for what these dossiers will come to: chance, the
    error of the :math:`h_t`, and the change of pace: how far nowcasts of the whole log, up to six of them, 30 days
    apart, missed what came (Student's t with as many degrees of freedom). A log too short for three such moments gives
    no change of pace, and a note says so.

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
    cells = ask_cells(log, span, start=start, finish=finish, by=columns, unit=unit, deadline=deadline)
    placed = placed_cells(cells, within)
    city = courses_of(placed, {})
    past = past_misses(log, placed, start=start, finish=finish, within=within, unit=unit, deadline=deadline)
    rows = []
    for key, part in split(placed, columns):
        courses = courses_of(part, city) if columns else city
        asked = part[part["of_period"] == 1]
        if len(asked):
            rows.append({**dict(zip(columns, key, strict=True)), **_row(outcome(asked, courses, within), past, level)})
    names = [*columns, "estimate", "se", "low", "high", "n", "n_missing", "in_time", "not_in_time", "undecided",
             "expected", "ended_only"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    return Outlook(
        rows=frame, by=columns, level=level, source=log.source,
        title=_title(within, unit, period=span.label if recent is None else say("the last {n} days", n=recent),
                     by=by_words(columns)),
        notes=tuple(_notes(cells, placed, frame, past, within=within, deadline=deadline, span=span, level=level)),
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


def _row(found: Outcome, past: Past, level: float) -> dict[str, float]:
    n, in_time = found.n, found.in_time
    estimate = float(share(in_time + found.expected, n))
    se = float(share(np.sqrt(found.variance + found.undecided**2 * past.variance), n))
    half = float(t_quantile(level, past.moments if past.variance else np.inf)) * se
    return {
        "estimate": estimate, "se": se,
        # What is decided stays decided.
        "low": max(estimate - half, float(share(in_time, n))) if n else np.nan,
        "high": min(estimate + half, float(share(in_time + found.undecided, n))) if n else np.nan,
        "n": n, "n_missing": found.n_missing, "in_time": in_time, "not_in_time": n - in_time - found.undecided,
        "undecided": found.undecided, "expected": found.expected, "ended_only": float(share(in_time, found.closed)),
    }  # fmt: skip


def _title(within: Literal["term"] | int, unit: TimeUnit, *, period: str, by: str) -> str:
    if within == "term":
        return say("Share that will be done by the deadline{by}, received in {period}", by=by, period=period)
    words = "Share that will be done within {n} days{by}, received in {period}"
    if unit == "working_days":
        words = "Share that will be done within {n} working days{by}, received in {period}"
    return say(words, n=within, by=by, period=period)


def _notes(
    cells: Cells, placed: Cells, rows: pd.DataFrame, past: Past, *, within: Literal["term"] | int, deadline: Deadline,
    span: Window, level: float,
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
            say("{level} interval: chance, the error of these chances, and how far nowcasts of the whole log at {n} "
                "earlier moments missed what came ({points} of the undecided, beyond chance).",
                level=percent(level, 0), n=past.moments, points=percent(np.sqrt(past.variance), 1))
            if past.moments
            else say("{level} interval: chance and the error of these chances; the log is too short to tell how much "
                     "the pace changes, and no such change is in it.", level=percent(level, 0))
        )  # fmt: skip
    missing = int(rows["n_missing"].sum()) if len(rows) else 0
    if missing:
        notes.append(say("{n} dossiers without a due date are left out.", n=missing))
    strange = int(cells["n"].sum() - placed["n"].sum())
    if strange:
        notes.append(
            say("{n} dossiers are left out: they end before their reception or outside the calendar.", n=strange)
        )
    return notes
