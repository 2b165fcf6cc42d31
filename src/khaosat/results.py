"""Result: the one shape that every verb returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import pandas as pd

from khaosat.facts import privacy_threshold
from khaosat.show.blocks import ColumnKind
from khaosat.show.privacy import small_cells, suppression_note
from khaosat.show.table import Column, Table, make_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ESTIMATE = ("estimate", "se", "low", "high", "df", "n", "n_missing")
"""Columns of every estimate, after its keys."""

Unit = Literal["share", "score", "count", "days"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Estimates with their words: what every verb returns.

    Parameters
    ----------
    rows
        One tidy row an estimate, full precision: key columns, then ``estimate, se, low, high, df, n, n_missing``.
    title
        What the rows say, with period and population.
    notes
        Caveats and choices that altered the numbers; they print under the table and reach the reader.
    source
        Where the data come from.
    unit
        What ``estimate`` measures: ``share`` (0..1, printed as a percentage), ``score``, ``count`` or ``days``.
    """

    rows: pd.DataFrame
    title: str
    notes: tuple[str, ...] = ()
    source: str = ""
    unit: Unit = "share"

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""
    """What ``n`` counts, for the privacy gate; empty where rows count no people."""

    def table(self) -> Table:
        """The rows as a reader sees them; small cells are suppressed and said to be."""
        hide = self._small_cells()
        notes = self.notes
        if hide.any():
            notes = (*notes, suppression_note(privacy_threshold(self._counted)))
        return make_table(self.rows, self._columns(), title=self.title, notes=notes, source=self.source, hide=hide)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The estimates with their intervals, in the house theme."""
        from khaosat.show.plots import intervals

        hide = self._small_cells()
        return intervals(self.rows[~hide], keys=self.keys, unit=self.unit, ax=ax)

    def note(self, text: str) -> Self:
        """A copy with one more note."""
        return replace(self, notes=(*self.notes, text))

    @property
    def keys(self) -> list[str]:
        """Key columns: those before ``estimate``."""
        names = list(self.rows.columns)
        return names[: names.index("estimate")] if "estimate" in names else names[:1]

    def _columns(self) -> Sequence[Column]:
        """Columns to show; subclasses say it better."""
        kind: ColumnKind = "percent" if self.unit == "share" else "number"
        decimals = {"share": 1, "score": 2, "count": 0, "days": 1}[self.unit]
        span: ColumnKind = "interval_percent" if self.unit == "share" else "interval"
        columns = [Column(name=key) for key in self.keys]
        columns += [Column(name=c, kind="int") for c in ("numerator", "denominator") if c in self.rows]
        if "estimate" in self.rows:
            columns.append(Column(name="estimate", kind=kind, decimals=decimals))
        if {"low", "high"} <= set(self.rows.columns):
            columns.append(Column(name=("low", "high"), kind=span, decimals=decimals))
        columns += [Column(name=c, kind="int") for c in ("n", "n_missing") if c in self.rows]
        return columns

    def _small_cells(self) -> pd.Series:
        """Rows the privacy gate suppresses: too few cases, and those that would give them away."""
        none = pd.Series(False, index=self.rows.index)
        if not self._counted or "n" not in self.rows or len(self.rows) < 2:
            return none
        return small_cells(self.rows["n"], threshold=privacy_threshold(self._counted), keys=self.rows[self.keys])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return self.table()._repr_mimebundle_()

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()
