"""The stretch of time that numbers are about, cut off where the log ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.facts.language import date, say

_BEGINNING = dt.datetime(1900, 1, 1)
_LAST_SECOND = dt.timedelta(seconds=1)  # a snapshot of 23:59:59 is one of the whole day
_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Moments ``start <= t < finish``; open dossiers are judged at ``now``.

    Parameters
    ----------
    now
        The period's end, or the snapshot if that comes first.
    as_of
        The snapshot, the last moment the log knows of; what happens at that very moment is known.
    """

    period: Period | None
    start: dt.datetime
    finish: dt.datetime
    now: dt.datetime
    as_of: dt.datetime

    @property
    def known(self) -> dt.datetime:
        """First moment the log knows nothing of."""
        return self.as_of + _INSTANT

    @property
    def last(self) -> dt.datetime:
        """Last moment of the window: its date is the last day that counts."""
        return self.finish - _INSTANT

    @property
    def unfinished(self) -> bool:
        """Whether the log stops before the period does."""
        return self.period is not None and self.as_of + _LAST_SECOND < self.period.end

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
                moment=f"{date(self.as_of)} {self.as_of:%H:%M}",
            )
        ]


def window(log: DossierLog, period: Period | str | None) -> Window:
    """The window of a period in a log; without a period, all that the log knows."""
    known = log.as_of + _INSTANT
    if period is None:
        return Window(period=None, start=_BEGINNING, finish=known, now=log.as_of, as_of=log.as_of)
    span = as_period(period)
    return Window(
        period=span,
        start=span.start,
        finish=min(span.end, known),
        now=min(span.end, log.as_of),
        as_of=log.as_of,
    )
