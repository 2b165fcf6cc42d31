"""The stretch of time that numbers are about, cut off where the log ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.facts.language import date, say

_BEGINNING = dt.datetime(1900, 1, 1)
_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Moments ``start <= t < finish``; open dossiers are judged at ``now``.

    Parameters
    ----------
    now
        The period's end, or ``as_of`` if that comes first.
    as_of
        The snapshot, at which open dossiers of the whole log are judged. A snapshot of 23:59:59 is one of the whole
        day: they are judged at its end, as they are in a period that ends with that day.
    known
        First moment the log knows nothing of; what happens at the very moment of the snapshot is known.
    """

    period: Period | None
    start: dt.datetime
    finish: dt.datetime
    now: dt.datetime
    as_of: dt.datetime
    known: dt.datetime

    @property
    def last(self) -> dt.datetime:
        """Last moment of the window: its date is the last day that counts."""
        return self.finish - _INSTANT

    @property
    def unfinished(self) -> bool:
        """Whether the log stops before the period does."""
        return self.period is not None and self.known < self.period.end

    @property
    def at_snapshot(self) -> bool:
        """Whether the window reaches the snapshot, so that statuses are those of its end."""
        return self.finish >= self.known

    @property
    def label(self) -> str:
        """The window in words, for titles."""
        return say("all of the log") if self.period is None else self.period.label

    def notes(self) -> list[str]:
        """A warning where the period has not ended."""
        if not self.unfinished:
            return []
        return [
            say(
                "The log ends on {moment}, before the period does: the numbers are provisional.",
                moment=f"{date(self.last)} {self.last:%H:%M}",
            )
        ]


def window(log: DossierLog, period: Period | str | None) -> Window:
    """The window of a period in a log; without a period, all that the log knows."""
    as_of, known = log.as_of, log.as_of + _INSTANT
    next_second = as_of.replace(microsecond=0) + dt.timedelta(seconds=1)
    if next_second.date() > as_of.date():
        as_of = known = next_second
    if period is None:
        return Window(period=None, start=_BEGINNING, finish=known, now=as_of, as_of=as_of, known=known)
    span = as_period(period)
    return Window(
        period=span,
        start=min(span.start, known),  # of a period that has not begun, only what is carried into it is known
        finish=min(span.end, known),
        now=min(span.end, as_of),
        as_of=as_of,
        known=known,
    )
