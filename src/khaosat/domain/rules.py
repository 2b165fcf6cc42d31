"""The dated rules by which a due date moves: which of them is in force when a dossier is received."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from khaosat.domain.calendar_table import DAYS
from khaosat.errors import FactsError
from khaosat.facts import read_table
from khaosat.facts.language import Lang, current_language, say

DEADLINES = ("effective", "portal")


@dataclass(frozen=True, kw_only=True)
class DeadlineRule:
    """A rule in force for dossiers received from ``valid_from`` to ``valid_to``.

    Parameters
    ----------
    id, deadline
        What it is called, and which deadline it moves: ``effective`` or ``portal``.
    supplement_days
        A supplement restarts the term if it is asked within so many working days of reception.
    notice_days
        A re-appointment counts if it is made so many working days before the deadline.
    apology
        Whether it needs an apology sent by then.
    grade
        Of the evidence, A to E.
    """

    id: str
    deadline: str
    valid_from: dt.date
    valid_to: dt.date
    supplement_days: int | None
    notice_days: int | None
    apology: bool
    grade: str
    names: dict[Lang, str]
    words: dict[Lang, str]

    @property
    def name(self) -> str:
        """What the rule is called."""
        return self.names[current_language()]

    @property
    def label(self) -> str:
        """What the rule says."""
        return self.words[current_language()]


def deadline_rules(place: str | Path | None = None) -> tuple[DeadlineRule, ...]:
    """The rules of ``facts/rules/deadline_rules.csv``, or of a city's own table in that format.

    Raises
    ------
    FactsError
        With every fault of the file.

    Examples
    --------
    >>> [rule.id for rule in deadline_rules()]
    ['nd61_2018', 'nd118_2025', 'qd766_2022']
    """
    return _built_in() if place is None else _rules(read_table(Path(place)), str(place))


def rule_in_force(rules: Sequence[DeadlineRule], deadline: str, day: dt.date) -> DeadlineRule | None:
    """The rule for a deadline of dossiers received on a day; None if there is none yet.

    >>> rule_in_force(deadline_rules(), "effective", dt.date(2025, 6, 30)).id
    'nd61_2018'
    """
    fitting = (rule for rule in rules if rule.deadline == deadline and rule.valid_from <= day <= rule.valid_to)
    return next(fitting, None)


def rule_days(rules: Sequence[DeadlineRule]) -> pd.DataFrame:
    """One row a day from 2009 to 2030 with the rules in force, for an engine to join with the day of reception.

    Returns
    -------
    ``day``, ``rule, supplement_days, notice_days, apology`` (0 or 1) of the effective deadline, ``portal_rule``;
    missing before the first rule.
    """
    frame = pd.DataFrame({"day": DAYS.astype("datetime64[us]")})
    frame["rule"], frame["portal_rule"] = pd.array([None] * len(DAYS), "str"), pd.array([None] * len(DAYS), "str")
    for name in ("supplement_days", "notice_days", "apology"):
        frame[name] = pd.array([pd.NA] * len(DAYS), "Int64")
    for rule in rules:
        on = (np.datetime64(rule.valid_from, "D") <= DAYS) & (np.datetime64(rule.valid_to, "D") >= DAYS)
        if rule.deadline == "portal":
            frame.loc[on, "portal_rule"] = rule.id
            continue
        frame.loc[on, "rule"] = rule.id
        for name in ("supplement_days", "notice_days", "apology"):
            value = getattr(rule, name)
            frame.loc[on, name] = pd.NA if value is None else int(value)
    return frame


@cache
def _built_in() -> tuple[DeadlineRule, ...]:
    return _rules(read_table("rules/deadline_rules.csv"), "deadline_rules.csv")


def _rules(table: pd.DataFrame, file: str) -> tuple[DeadlineRule, ...]:
    rules, faults = [], []
    for row, cells in enumerate(table.to_dict("records"), start=1):
        try:
            rules.append(_rule({str(name): str(value) for name, value in cells.items()}))
        except (KeyError, ValueError) as error:
            faults.append(say("Row {row}: {reason}", row=row, reason=str(error)))
    for deadline in DEADLINES:
        spans = sorted((rule.valid_from, rule.valid_to, rule.id) for rule in rules if rule.deadline == deadline)
        faults += [
            say("{rule} and {other} are in force on the same day.", rule=first[2], other=second[2])
            for first, second in zip(spans, spans[1:], strict=False)
            if second[0] <= first[1]
        ]
    if faults:
        head = say("Table of deadline rules {file} has {n} faults:", file=file, n=len(faults))
        raise FactsError("\n".join([head, *(f"- {fault}" for fault in faults)]))
    return tuple(rules)


def _rule(cells: dict[str, str]) -> DeadlineRule:
    if cells["deadline"] not in DEADLINES:
        raise ValueError(f"deadline {cells['deadline']!r}: {' or '.join(DEADLINES)}")
    return DeadlineRule(
        id=cells["id"],
        deadline=cells["deadline"],
        valid_from=dt.date.fromisoformat(cells["valid_from"]),
        valid_to=dt.date.fromisoformat(cells["valid_to"]) if cells["valid_to"] else dt.date.max,
        supplement_days=int(cells["supplement_days"]) if cells["supplement_days"] else None,
        notice_days=int(cells["notice_days"]) if cells["notice_days"] else None,
        apology=cells["apology"] == "1",
        grade=cells["grade"],
        names={"vi": cells["name_vi"], "en": cells["name_en"]},
        words={"vi": cells["label_vi"], "en": cells["label_en"]},
    )
