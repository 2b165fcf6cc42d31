"""The words around the time to a result."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.facts import read_table
from khaosat.facts.language import current_language, number, percent, say


def outcome_words(outcome: str) -> str:
    """An end in the reader's words."""
    if outcome == "result":
        return say("Result")
    if outcome == "any":
        return say("Any end")
    table = read_table("codes/status.csv")
    return str(table.set_index("id")[f"label_{current_language()}"][outcome])


def unit_words(unit: str) -> str:
    """The unit of time, for an axis or a column."""
    return say("Working days since reception") if unit == "working_days" else say("Days since reception")


def wait_notes(
    log: DossierLog, counts: pd.DataFrame, quantiles: pd.DataFrame, *, unit: str, by: Sequence[str], level: float
) -> list[str]:
    """What was counted, what is open, and half of the results by when."""
    notes = [
        say("Time runs in whole working days after the day of reception, by calendar {name}.", name=log.calendar.name)
        if unit == "working_days"
        else say("Time runs in days of the calendar after the day of reception.")
    ]
    size = counts.groupby("outcome")["n"].sum() if len(counts) else pd.Series(dtype="int64")
    still, total = int(size.get("open", 0)), int(size.sum())
    if not total:
        return [*notes, say("No dossier was received in this time.")]
    notes.append(say("{open} of {n} dossiers are still open and count up to the snapshot.", open=still, n=total))
    without = {str(name): int(n) for name, n in size.items() if name not in ("open", "result")}
    if without:
        listed = ", ".join(f"{outcome_words(name).lower()}: {number(n)}" for name, n in without.items())
        notes.append(say("Ends without a result compete with the result ({listed}): Aalen-Johansen.", listed=listed))
    else:
        notes.append(say("Results are the only end: the share is one minus Kaplan and Meier's estimate."))
    strange = int(counts.loc[~counts["days"].ge(0).fillna(False), "n"].sum())
    if strange:
        notes.append(
            say("{n} dossiers are left out: they end before their reception or outside the calendar.", n=strange)
        )
    if not by and len(quantiles):
        notes.append(_median_words(quantiles, unit=unit, level=level))
    notes.append(say("Interval: log-log, {level}.", level=percent(level, 0)))
    return notes


def tests_words(tests: pd.DataFrame) -> list[str]:
    """The tests as sentences."""
    sentences = []
    for test, outcome, p_value in zip(tests["test"], tests["outcome"], tests["p_value"], strict=True):
        if pd.isna(p_value):
            continue
        p = f"< {number(0.001, 3)}" if p_value < 0.001 else f"= {number(p_value, 3)}"
        words = "Log-rank test that all groups wait equally long: p {p}."
        if test == "gray":
            words = "Gray's test that the groups have equally many of the end {outcome}: p {p}."
        sentences.append(say(words, p=p, outcome=outcome_words(outcome).lower()))
    return sentences


def _median_words(quantiles: pd.DataFrame, *, unit: str, level: float) -> str:
    half = quantiles[quantiles["probability"] == 0.5].iloc[0]
    if pd.isna(half["estimate"]):
        return say("Fewer than half of the dossiers have a result yet: the median is not known.")
    days, low, high = (number(value, 0 if value == round(value) else 1) if pd.notna(value) else "…"
                       for value in (half["estimate"], half["low"], half["high"]))  # fmt: skip
    words = "Half of the dossiers have their result by {days} days ({level} interval {low} to {high})."
    if unit == "working_days":
        words = "Half of the dossiers have their result by {days} working days ({level} interval {low} to {high})."
    return say(words, days=days, low=low, high=high, level=percent(level, 0))
