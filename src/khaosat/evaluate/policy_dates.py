"""Policies by name and by day, and which others fall into a window (``facts/published/policies.csv``)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import current_language, date, say

Moment = str | dt.date
"""A day (``2024-06-28``) or the name of a policy (``merger_2025``)."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What began on a day; without a label a day that the caller named."""

    day: dt.date
    id: str = ""
    label: str = ""
    grade: str = ""
    source: str = ""

    def words(self) -> str:
        """The day, and what began on it."""
        return f"{date(self.day)} ({self.label})" if self.label else date(self.day)


def policies() -> tuple[Policy, ...]:
    """Policies known by name, by day.

    >>> [policy.id for policy in policies()]
    ['directive_2023', 'plan_2024', 'merger_2025']
    """
    rows = read_table("published/policies.csv").sort_values("when").to_dict("records")
    return tuple(
        Policy(day=dt.date.fromisoformat(row["when"]), id=row["id"], label=row[f"label_{current_language()}"],
               grade=row["grade"], source=row["source"])
        for row in rows
    )  # fmt: skip


def as_policy(when: Moment) -> Policy:
    """The policy with this name, or on this day if one is known, or the day alone.

    >>> as_policy("merger_2025").day, as_policy("2026-01-01").label
    (datetime.date(2025, 7, 1), '')
    """
    known = policies()
    for policy in known:
        if when == policy.id:
            return policy
    stamp = pd.to_datetime(when if isinstance(when, dt.date) else str(when), format="ISO8601", errors="coerce")
    if pd.isna(stamp):
        raise DataError(
            say("{when!r} is neither a day such as 2024-06-28 nor the name of a policy: {known}.", when=str(when),
                known=", ".join(policy.id for policy in known))
        )  # fmt: skip
    day = stamp.date()
    return next((policy for policy in known if policy.day == day), Policy(day=day))


def others_between(first: dt.date, last: dt.date, *, but: set[dt.date]) -> list[str]:
    """Sentences on other known policies that began in a window."""
    return [
        say("Also in the window: {policy}. Its effect cannot be told from that of the policy asked about.",
            policy=policy.words())
        for policy in policies()
        if first < policy.day <= last and policy.day not in but
    ]  # fmt: skip
