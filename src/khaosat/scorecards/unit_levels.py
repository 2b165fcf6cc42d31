"""The level of government a unit belongs to, told from the first words of its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pandas as pd

from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import current_language


def level_of(unit: object, given: Mapping[str, str] | None = None) -> str | None:
    """``province``, ``district`` or ``commune``: as given, else by the name; nothing for an unrecorded unit.

    >>> level_of("UBND phường Bến Nghé"), level_of("Sở Tư pháp"), level_of(None)
    ('commune', 'province', None)
    """
    if unit is None or pd.isna(unit) or str(unit) == "":  # type: ignore[call-overload]
        return None
    name, prefixes = str(unit), _prefixes()
    if given is not None and name in given:
        if given[name] not in prefixes:
            raise KhaosatError(f"{name}: unknown level {given[name]!r}: one of {', '.join(prefixes)}")
        return given[name]
    start = name.casefold()
    return next(level for level, starts in prefixes.items() if start.startswith(starts))


def level_words() -> dict[str, str]:
    """Levels in the reader's words."""
    table = read_table("codes/unit_levels.csv")
    return dict(zip(table["id"], table[f"label_{current_language()}"], strict=True))


@cache
def _prefixes() -> dict[str, tuple[str, ...]]:
    """First words by level; the last level takes every other name."""
    table = read_table("codes/unit_levels.csv")
    return {
        level: tuple(f"{start.casefold()} " if start else "" for start in text.split("|"))
        for level, text in zip(table["id"], table["prefix"], strict=True)
    }
