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


def deadline_words(deadline: str) -> str:
    """Which appointment the numbers are held against, as a sentence."""
    if deadline == "latest":
        return say("Deadline: the last appointment, re-appointments included.")
    return say("Deadline: the first appointment; later re-appointments do not move it.")


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
