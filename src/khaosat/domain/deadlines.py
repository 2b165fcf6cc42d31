"""The three deadlines of one dossier: original, effective, portal.

What verbs count is computed in the engine (``engine/queries/deadlines.sql``); :func:`three_deadlines` says the same of
one dossier in plain Python, to explain a single case and to hold the query against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pandas as pd

from khaosat.domain.rules import DEADLINES, DeadlineRule, deadline_rules, rule_in_force

if TYPE_CHECKING:
    from khaosat.domain.calendar import WorkCalendar

Moment: TypeAlias = dt.datetime

_NEVER = dt.datetime.max


class Change(NamedTuple):
    """A re-appointment."""

    changed_at: Moment
    new_due_at: Moment | None
    apology_sent_at: Moment | None


class ThreeDeadlines(NamedTuple):
    """What :func:`three_deadlines` finds; reasons are codes of ``effective_reason.csv`` and ``portal_reason.csv``."""

    original: Moment
    effective: Moment
    portal: Moment
    rule: str | None
    portal_rule: str | None
    effective_reason: str
    portal_reason: str


def three_deadlines(
    received_at: Moment,
    due_at: Moment,
    *,
    as_of: Moment,
    closed_at: Moment | None = None,
    supplements: Sequence[tuple[Moment, Moment | None]] = (),
    changes: Sequence[Change] = (),
    calendar: WorkCalendar,
    rules: Sequence[DeadlineRule] | None = None,
) -> ThreeDeadlines:
    """The three deadlines of one dossier, as known at ``as_of``.

    Parameters
    ----------
    received_at, due_at
        Reception and first appointment.
    closed_at
        When it ended; None: open.
    supplements
        Requests and completions.
    changes
        Re-appointments.
    calendar
        Of the office that is responsible.
    rules
        Those built in by default.

    Notes
    -----
    Effective: if the first supplement was asked within ``supplement_days`` working days of reception and before the
    due date, the term (working days from reception to appointment) starts anew on the day it is complete, and ends at
    the hour of the appointment; a term within one day keeps its length in hours. Then the first re-appointment, if it
    was made in time. Never before the original. Portal: the original plus the time waited for the first supplement, by
    the calendar; a second request makes the dossier overdue at once. Requests and re-appointments made before reception
    or after the end do not count; an unanswered request lasts to the end of the dossier, or to ``as_of``.

    References
    ----------
    Decree 61/2018/NĐ-CP, articles 19.4 and 19.9; Decision 766/QĐ-TTg, indicator 2.1.

    Examples
    --------
    >>> from khaosat.domain.calendar import WorkCalendar
    >>> at = dt.datetime
    >>> found = three_deadlines(
    ...     at(2026, 3, 2, 8), at(2026, 3, 9, 17), supplements=[(at(2026, 3, 4, 9), at(2026, 3, 10, 9))],
    ...     as_of=at(2026, 4, 1), calendar=WorkCalendar.vietnam())
    >>> found.effective, found.portal
    (datetime.datetime(2026, 3, 17, 17, 0), datetime.datetime(2026, 3, 15, 17, 0))
    """
    known = deadline_rules() if rules is None else rules
    law, practice = (rule_in_force(known, deadline, received_at.date()) for deadline in DEADLINES)
    end = closed_at or _NEVER
    asked = sorted((since, until or _NEVER) for since, until in supplements if received_at <= since < end)
    moved = sorted((change for change in changes if received_at <= change.changed_at < end), key=_order)
    wait = None
    if asked:
        since, until = asked[0]
        wait = since, until if until < end else closed_at or as_of
    restarted = _restarted(received_at, due_at, wait, law=law, calendar=calendar)
    in_force = max(due_at, restarted or due_at)
    extended = _extended(moved[0], in_force, law=law, calendar=calendar) if moved else None
    portal, portal_reason = _portal(due_at, wait, again=asked[1][0] if len(asked) > 1 else None, rule=practice)
    return ThreeDeadlines(
        original=due_at, effective=extended or in_force, portal=portal,
        rule=law.id if law else None, portal_rule=practice.id if practice else None,
        effective_reason=_reason(restarted, extended, asked=bool(asked), moved=bool(moved), law=law),
        portal_reason=portal_reason,
    )  # fmt: skip


def _restarted(
    received_at: Moment,
    due_at: Moment,
    wait: tuple[Moment, Moment] | None,
    *,
    law: DeadlineRule | None,
    calendar: WorkCalendar,
) -> Moment | None:
    """The due date after a lawful supplement; None if none was lawful."""
    if wait is None or law is None or law.supplement_days is None or wait[0] > due_at or wait[1] < wait[0]:
        return None
    if calendar.working_days_between(received_at, wait[0]) > law.supplement_days:
        return None
    term = calendar.working_days_between(received_at, due_at)
    if term < 1:
        return wait[1] + (due_at - received_at)
    day = calendar.add_working_days(wait[1], term)
    return due_at if pd.isna(day) else dt.datetime.combine(day.date(), due_at.time())


def _extended(change: Change, in_force: Moment, *, law: DeadlineRule | None, calendar: WorkCalendar) -> Moment | None:
    """The new appointment, if it was made in time and with an apology; None otherwise."""
    if law is None or law.notice_days is None or change.new_due_at is None or change.new_due_at <= in_force:
        return None
    notice = change.changed_at
    if law.apology:
        if change.apology_sent_at is None:
            return None
        notice = max(notice, change.apology_sent_at)
    return change.new_due_at if calendar.working_days_between(notice, in_force) >= law.notice_days else None


def _portal(
    due_at: Moment, wait: tuple[Moment, Moment] | None, *, again: Moment | None, rule: DeadlineRule | None
) -> tuple[Moment, str]:
    if wait is None or rule is None:
        return due_at, "none" if wait is None else "no_rule"
    paused = due_at + max(wait[1] - wait[0], dt.timedelta())
    if again is not None:
        return min(paused, again), "second_request"
    return paused, "pause"


def _reason(
    restarted: Moment | None, extended: Moment | None, *, asked: bool, moved: bool, law: DeadlineRule | None
) -> str:
    if restarted and extended:
        return "restart_extension"
    if restarted or extended:
        return "restart" if restarted else "extension"
    if law is None and (asked or moved):
        return "no_rule"
    if asked:
        return "request_not_counted"
    return "extension_not_counted" if moved else "none"


def _order(change: Change) -> tuple[Moment, ...]:
    return change.changed_at, change.new_due_at or _NEVER, change.apology_sent_at or _NEVER
