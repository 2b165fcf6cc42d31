"""What results on dossiers share: code words in tables, group keys, the privacy gate on dossier counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts import read_table, term
from khaosat.facts.language import Lang, current_language, percent, say, sort_key
from khaosat.results import Result
from khaosat.show.table import Column, Table

Freq = Literal["month", "quarter"]

_CODED = ("channel", "applicant_type", "status", "deadline", "effective_reason", "portal_reason")


@dataclass(frozen=True, eq=False, kw_only=True)
class DossierResult(Result):
    """A result whose rows are groups of dossiers.

    Parameters
    ----------
    by
        The columns that form the groups; the first columns of ``rows``.
    level
        Coverage of the intervals.
    """

    by: tuple[str, ...] = ()
    level: float = 0.95

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = "dossiers"

    @property
    def keys(self) -> list[str]:
        """The columns that form the groups."""
        return list(self.by)

    def table(self) -> Table:
        """The rows as a reader sees them: codes in words, small groups suppressed and said to be."""
        return super(DossierResult, replace(self, rows=self.worded())).table()

    def worded(self) -> pd.DataFrame:
        """The rows with codes in words and a word where a group is not recorded."""
        rows = self.rows.copy()
        for column in {*self.by, *_CODED} & set(rows.columns):
            words = _code_words(column, current_language()) if column in _CODED else {}
            missing = say("(not recorded)") if column in self.by else None
            rows[column] = [missing if pd.isna(v) or v == "" else words.get(str(v), str(v)) for v in rows[column]]
        return rows

    def _key_columns(self) -> list[Column]:
        return [Column(name=name) for name in self.by]

    def _interval(self, group: str = "") -> Column:
        label = say("{level} confidence interval", level=percent(self.level, 0))
        return Column(name=("low", "high"), kind="interval_percent", decimals=1, label=label, group=group)


@dataclass(frozen=True, eq=False, kw_only=True)
class FlowResult(DossierResult):
    """A result with a row for each group of dossiers and month or quarter.

    Parameters
    ----------
    freq
        ``month`` or ``quarter``: the name of the time column.
    """

    freq: Freq

    @property
    def keys(self) -> list[str]:
        """The groups and the time column."""
        return [*self.by, self.freq]


def by_words(by: Sequence[str]) -> str:
    """``by`` in words, for titles: "" without groups."""
    if not by:
        return ""
    return say(" by {columns}", columns=", ".join(term(name).lower() for name in by))


def sorted_groups(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Rows in dictionary order of their groups, unrecorded groups last, whatever order an engine gave."""
    if not by or rows.empty:
        return rows
    # lexsort takes the first key last.
    order = np.lexsort([_ranks(rows[column]) for column in reversed(by)])
    return rows.iloc[order].reset_index(drop=True)


def _ranks(column: pd.Series) -> NDArray[np.intp]:
    """Each value's place in the dictionary; words are compared once each, not once a row."""
    codes, values = pd.factorize(column)
    words = [str(value) for value in values]
    ranks = np.full(len(words) + 1, len(words))  # the code of a missing value is -1: the last place
    ranks[sorted(range(len(words)), key=lambda i: (sort_key(words[i]), words[i]))] = np.arange(len(words))
    return ranks[codes]


@cache
def _code_words(column: str, lang: Lang) -> dict[str, str]:
    table = read_table(f"codes/{column}.csv")
    return dict(zip(table["id"], table[f"label_{lang}"], strict=True))
