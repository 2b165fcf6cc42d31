"""The course of an indicator in the log: this period, the one before, past quarters, and where the year will end."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.stats.binomial import share, wilson
from khaosat.stats.year_end import year_end_share

NOTHING = (float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """Counts of an indicator, what they were before, and the share expected at the year's end."""

    numerator: int | None
    denominator: int | None
    n_missing: int = 0
    previous: tuple[int, int] | None = None
    history: pd.DataFrame = field(default_factory=lambda: _history([]))
    forecast: tuple[float, float, float] = NOTHING
    source: str = ""

    @classmethod
    def of(cls, numerator: int | None, denominator: int | None, *, source: str) -> Course:
        """Counts without a past."""
        return cls(numerator=numerator, denominator=denominator, source=source)

    @property
    def value(self) -> Fraction | None:
        """The share; nothing where nothing was counted."""
        return Fraction(self.numerator or 0, self.denominator) if self.denominator else None


def course(log: DossierLog, definition: str, *, period: Period | None, history: int, level: float) -> Course:
    """On-time dossiers by a definition of late whose counts add up over quarters (``closed``)."""
    now = _counts(log, definition, period)
    if period is None:
        return Course(numerator=now[0], denominator=now[1], n_missing=now[2], source="log")
    before = _counts(log, definition, period.previous)
    ended = _ended(log, period)
    past = {quarter: _counts(log, definition, quarter)[:2] for quarter in reversed(_last(ended, history))}
    return Course(
        numerator=now[0], denominator=now[1], n_missing=now[2], source="log",
        previous=(before[0], before[1]) if before[1] else None,
        history=_history([(str(quarter), *counts) for quarter, counts in past.items()], level=level),
        forecast=_forecast(log, definition, past, ended=ended, year=period.year, level=level),
    )  # fmt: skip


def _counts(log: DossierLog, definition: str, period: Period | None) -> tuple[int, int, int]:
    """On time, all that count, and those left out for want of a due date."""
    row = count_late(log, "lateness", window(log, period), deadline="original").iloc[0]
    late, base, missing = (int(row[f"{definition}_{name}"]) for name in ("numerator", "denominator", "missing"))
    return base - late, base, missing


def _ended(log: DossierLog, period: Period) -> Period:
    """The last quarter that ends with the period or before it, and that the log knows to its end."""
    last_month = Period(f"{period.end.year - (period.end.month == 1)}-{(period.end.month - 2) % 12 + 1:02d}")
    quarter = Period(f"{last_month.year}-Q{(last_month.index + 2) // 3}")
    known = window(log, None).known
    while quarter.end > period.end or quarter.end > known:
        quarter = quarter.previous
    return quarter


def _last(quarter: Period, n: int) -> list[Period]:
    quarters = [quarter]
    while len(quarters) < n:
        quarters.append(quarters[-1].previous)
    return quarters


def _forecast(
    log: DossierLog, definition: str, past: dict[Period, tuple[int, int]], *, ended: Period, year: int, level: float
) -> tuple[float, float, float]:
    """The year's share; nothing when the year's first quarter has not ended, or nothing was ever counted."""
    if ended.year != year or not any(total for _, total in past.values()):
        return NOTHING
    of_year = [Period(f"{year}-Q{index}") for index in range(1, 5)]
    so_far = [past.get(quarter) or _counts(log, definition, quarter)[:2] for quarter in of_year[: ended.index]]
    usual = sum(total for _, total in past.values()) / sum(1 for _, total in past.values() if total)
    remaining = [_counts(log, definition, quarter.year_before)[1] or usual for quarter in of_year[ended.index :]]
    return year_end_share(
        sum(count for count, _ in so_far), sum(total for _, total in so_far),
        past_counts=[count for count, _ in past.values()], past_totals=[total for _, total in past.values()],
        remaining=remaining, level=level,
    )  # fmt: skip


def _history(rows: list[tuple[str, int, int]], *, level: float = 0.95) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["period", "numerator", "denominator"])
    frame = frame.astype({"period": "object", "numerator": "int64", "denominator": "int64"})
    low, high = wilson(frame["numerator"], frame["denominator"], level=level)
    return frame.assign(estimate=share(frame["numerator"], frame["denominator"]), low=low, high=high)
