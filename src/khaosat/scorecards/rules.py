"""Rule sets in force, and the exact arithmetic that official scores are rounded by."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from decimal import Decimal
from fractions import Fraction
from typing import cast

import pandas as pd

from khaosat.domain.period import Period
from khaosat.errors import KhaosatError
from khaosat.facts import locate, read_table
from khaosat.facts.language import current_language, date, say


def in_force(name: str, period: Period | None, *, of: str = "") -> pd.DataFrame:
    """Rows of ``rules/<name>.csv`` valid at the end of a period, of one set where the file holds several.

    Without a period, or where none was valid then, today's rows, of a set that is out of force the latest:
    :func:`rule_notes` says so, since an old log may well be held against today's rules.

    >>> len(in_force("qd766", Period("2026-Q3")))
    21
    """
    rows = read_table(f"rules/{name}.csv")
    if of:
        known = dict.fromkeys(rows["set"])
        rows = rows[rows["set"] == of]
        if rows.empty:
            raise KhaosatError(f"there is no set {of!r} in rules/{name}.csv: one of {', '.join(known)}")
    today = rows["valid_to"] == ""
    valid = today if period is None else _valid(rows, period)
    if not valid.any():
        valid = today
    if not valid.any():
        valid = rows["valid_from"] == rows["valid_from"].max()
    return rows[valid].reset_index(drop=True)


def rule_notes(rows: pd.DataFrame, period: Period | None) -> list[str]:
    """Where rules come from, and that they were not in force where they were not."""
    first, grades = rows.iloc[0], ", ".join(sorted(set(rows["grade"])))
    return [source_words(source=first["source"], since=first["valid_from"], grade=grades), *force_notes(rows, period)]


def force_notes(rows: pd.DataFrame, period: Period | None) -> list[str]:
    """That rules were not in force at the end of a period, where they were not."""
    if period is None or _valid(rows, period).any():
        return []
    return [say("This rule was not in force at the end of {period}: a comparison only.", period=period.label)]


def rule_set(name: str) -> dict[str, object]:
    """What ``rules/<name>.toml`` says for the whole rule set.

    >>> rule_set("qd766")["decimals"]
    2
    """
    return tomllib.loads(locate(f"rules/{name}.toml").read_text(encoding="utf-8"))


def last_day(period: Period) -> dt.date:
    """The last day of a period.

    >>> last_day(Period("2026-H1"))
    datetime.date(2026, 6, 30)
    """
    return (period.end - dt.timedelta(days=1)).date()


def source_words(*, source: str, since: object, grade: str) -> str:
    """Where a rule comes from, since when, and how well that is known: for notes and method boxes."""
    day = since if isinstance(since, dt.date) else dt.date.fromisoformat(str(since))
    return say("Rule: {source}; in force since {day}; evidence grade {grade}.", source=source, day=date(day),
               grade=grade)  # fmt: skip


def label(row: pd.Series) -> str:
    """A fact's label in the current language."""
    return cast(str, row[f"label_{current_language()}"])


def exact(value: object) -> Fraction | None:
    """A count or score as the fraction it was written as; None for what is missing.

    >>> exact(0.995), exact(float("nan"))
    (Fraction(199, 200), None)
    """
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Fraction):
        return value
    # numpy's numbers are written as plain ones; repr of a float is the shortest decimal that is this float
    return Fraction(Decimal(str(value)))


def half_up(value: Fraction, decimals: int) -> Decimal:
    """A number rounded to ``decimals``, halves away from zero, without a detour over binary fractions.

    >>> half_up(Fraction(6, 1200), 2), half_up(Fraction(-1, 8), 2)
    (Decimal('0.01'), Decimal('-0.13'))
    """
    whole = math.floor(abs(value) * 10**decimals + Fraction(1, 2))
    return Decimal(whole if value >= 0 else -whole).scaleb(-decimals)


def _valid(rows: pd.DataFrame, period: Period) -> pd.Series:
    day = last_day(period).isoformat()
    return (rows["valid_from"] <= day) & ((rows["valid_to"] == "") | (rows["valid_to"] >= day))
