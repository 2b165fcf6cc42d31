"""The official and usual meanings of "late": one word, several formulas (``facts/rules/late_definitions.csv``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import Lang, current_language, say

Definition = Literal["closed", "gia_lai", "due_base", "cohort", "portal_766", "form_06a"]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A definition of late in the reader's words, and the query that counts it."""

    id: str
    query: str
    label: str
    numerator: str
    denominator: str

    def words(self) -> str:
        """The formula as a sentence: every rate says what stands above and below its line."""
        return say(
            "{label} = {numerator} / {denominator}.",
            label=self.label, numerator=self.numerator, denominator=self.denominator,
        )  # fmt: skip


def meaning(definition: str) -> Meaning:
    """The definition with this id, in the current language.

    >>> meaning("closed").label
    'Trễ trên hồ sơ đã giải quyết'
    """
    known = _meanings(current_language())
    if definition not in known:
        raise KhaosatError(f"unknown definition of late {definition!r}: one of {', '.join(known)}")
    return known[definition]


def meanings() -> list[Meaning]:
    """All definitions, in the order of the table."""
    return list(_meanings(current_language()).values())


def deadline_words(deadline: str, *queries: str) -> str:
    """Which deadline the numbers of some queries are held against, as a sentence or two."""
    match deadline:
        case "latest":
            words = say("Deadline: the last appointment, re-appointments included.")
        case "effective":
            words = say(
                "Deadline: the effective one, that is the first appointment after a restart by a lawful supplement and "
                "at most one lawful extension, by the rule in force on the day of reception."
            )
        case "portal":
            words = say(
                "Deadline: the portal's, that is the first appointment with the time of one supplement added; a second "
                "request makes a dossier overdue at once."
            )
        case _:
            words = say("Deadline: the first appointment; later re-appointments do not move it.")
    if deadline in ("effective", "portal") and "portal_766" in queries:
        rule = say("Indicator 2.1 of the portal keeps the first appointment: its own rule takes the supplement off.")
        words = f"{words} {rule}"
    return words


@cache
def _meanings(lang: Lang) -> dict[str, Meaning]:
    table = read_table("rules/late_definitions.csv")
    return {
        row["id"]: Meaning(
            id=row["id"],
            query=row["query"],
            label=row[f"label_{lang}"],
            numerator=row[f"numerator_{lang}"],
            denominator=row[f"denominator_{lang}"],
        )
        for row in table.to_dict("records")
    }
