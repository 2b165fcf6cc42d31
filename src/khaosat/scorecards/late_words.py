"""What a recorded reason for lateness says: its cause by phrases anybody can read, and whether it says anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import pandas as pd

from khaosat.domain.vietnamese import has_marks, one_form, without_marks
from khaosat.facts import read_table
from khaosat.facts.language import current_language, say

OTHER = "KHAC"


@dataclass(frozen=True, kw_only=True)
class _Rule:
    id: str
    marked: re.Pattern[str]
    bare: re.Pattern[str]


def cause_of(reason: str) -> str:
    """The first cause of ``facts/rules/late_causes.csv``, in its order, of which a phrase stands in the reason.

    Phrases match whole words. A reason without any diacritics is read without them.

    >>> [cause_of(text) for text in ("Chờ cơ quan thuế", "chua nhan duoc y kien cua co quan phoi hop", "tại vì")]
    ['CHO_NVTC', 'PHOI_HOP', 'KHAC']
    """
    text = one_form(reason).lower()
    bare = not has_marks(text)
    return next((rule.id for rule in _rules() if (rule.bare if bare else rule.marked).search(text)), OTHER)


def generic_reasons() -> list[str]:
    """Reasons that say nothing, of late dossiers and of supplements, as the queries compare them.

    >>> "khách quan" in generic_reasons()
    True
    """
    tables = [read_table(f"codes/{name}.csv") for name in ("generic_late_reasons", "generic_reasons")]
    return sorted({reason for table in tables for reason in table["reason"]})


def causes() -> pd.DataFrame:
    """The causes in order: ``id, label, fault``."""
    table = read_table("rules/late_causes.csv")
    return table[["id", "fault"]].assign(label=table[f"label_{current_language()}"])


def fault_words() -> dict[str, str]:
    """Whose a cause is, in words."""
    return {"subjective": say("subjective"), "objective": say("objective"), "unknown": say("not clear")}


@cache
def _rules() -> tuple[_Rule, ...]:
    table = read_table("rules/late_causes.csv")
    return tuple(
        _Rule(id=line["id"], marked=_pattern(one_form(line["phrases"])), bare=_pattern(without_marks(line["phrases"])))
        for line in table.to_dict("records")
        if line["phrases"]
    )


def _pattern(phrases: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(phrase) for phrase in phrases.split('|'))})(?!\w)")
