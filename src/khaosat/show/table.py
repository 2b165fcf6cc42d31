"""A table: raw values and the text a reader sees, side by side."""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import current_language, date, number, percent, say
from khaosat.show.blocks import MIME, Block, ColumnKind, ColumnSpec, TableBlock
from khaosat.show.head import HeadCell, head_rows
from khaosat.show.text import notes_list

NO_VALUE = "–"
"""What an absent value looks like: never 0, never empty."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column of a table is named and written.

    Parameters
    ----------
    name
        Column of the frame; an interval takes two: ``(low, high)``.
    kind
        ``text | int | number | percent | p_value | date | interval | interval_percent`` (shares are 0..1 in the frame).
    label
        Heading; by default the reader's word for ``name`` in the glossary.
    decimals
        Digits after the comma.
    group
        Heading spanning neighbouring columns of the same group.
    """

    name: str | tuple[str, str]
    kind: ColumnKind = "text"
    label: str = ""
    decimals: int = 0
    group: str = ""

    @property
    def key(self) -> str:
        """Name in the block: the frame's column, or ``interval``."""
        return self.name if isinstance(self.name, str) else "interval"

    @property
    def heading(self) -> str:
        """Label as printed."""
        return self.label or term(self.key)


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A formatted table, as JupyterLab shows it and the report prints it."""

    title: str
    columns: tuple[Column, ...]
    raw: tuple[tuple[object, ...], ...]
    cells: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    source: str = ""
    hidden: frozenset[int] = field(default=frozenset())
    """Rows whose values the privacy gate suppressed."""

    def block(self) -> TableBlock:
        """JSON twin for the report."""
        return {
            "kind": "table",
            "title": self.title,
            "columns": self._specs(),
            "cells": [list(row) for row in self.cells],
            "raw": [list(row) for row in self.raw],
            "notes": list(self.notes),
            "source": self.source,
        }

    def blocks(self) -> list[Block]:
        """The block in a list, as every displayed part gives it."""
        return [self.block()]

    def _specs(self) -> list[ColumnSpec]:
        return [
            {"name": c.key, "label": c.heading, "type": c.kind, "decimals": c.decimals, "group": c.group}
            for c in self.columns
        ]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/plain": self.title, "text/html": self._repr_html_(), MIME: self.blocks()}

    def _repr_html_(self) -> str:
        styles = [_style(c.kind, [row[j] for row in self.cells]) for j, c in enumerate(self.columns)]
        body = "".join(
            "<tr>"
            + "".join(f'<td style="{style}">{html.escape(x)}</td>' for style, x in zip(styles, row, strict=True))
            + "</tr>"
            for row in self.cells
        )
        return (
            f'<table lang="{current_language()}" class="khaosat"><caption style="font-weight:bold;text-align:left">'
            f"{html.escape(self.title)}</caption><thead>{self._head()}</thead><tbody>{body}</tbody></table>"
            f"{notes_list(self.notes, source=self.source)}"
        )

    def _head(self) -> str:
        rows = head_rows(self._specs())
        lines = [
            "".join(self._head_cell(cell, is_group=cell["rowspan"] < len(rows) - level) for cell in row)
            for level, row in enumerate(rows)
        ]
        return "".join(f"<tr>{line}</tr>" for line in lines)

    def _head_cell(self, cell: HeadCell, *, is_group: bool) -> str:
        label, kind = html.escape(cell["label"]), self.columns[cell["column"]].kind
        if is_group:
            style = f"text-align:center;background:{_RULE}"
            return f'<th scope="colgroup" colspan="{cell["colspan"]}" style="{style}">{label}</th>'
        style = f"text-align:{_align(kind)};vertical-align:bottom"
        return f'<th scope="col" rowspan="{cell["rowspan"]}" style="{style}">{label}</th>'


def make_table(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    title: str,
    notes: Sequence[str] = (),
    source: str = "",
    hide: pd.Series | None = None,
) -> Table:
    """Format a frame once, for every place that will show it.

    Parameters
    ----------
    frame
        Tidy rows at full precision.
    columns
        What to show, in order.
    title, notes, source
        Words around the table.
    hide
        Boolean by row: the numbers of these rows are replaced by ``…`` (privacy gate); text stays.

    Examples
    --------
    >>> frame = pd.DataFrame({"field": ["Đất đai"], "estimate": [0.2837]})
    >>> make_table(frame, [Column(name="field"), Column(name="estimate", kind="percent", decimals=1)], title="T").cells
    (('Đất đai', '28,4%'),)
    """
    hidden = frozenset(int(i) for i in range(len(frame)) if hide is not None and bool(hide.iloc[i]))
    values = [_values(frame, column) for column in columns]
    raw, cells = [], []
    for i in range(len(frame)):
        line = [column_values[i] for column_values in values]
        masked = [v if i not in hidden or c.kind == "text" else None for c, v in zip(columns, line, strict=True)]
        raw.append(tuple(masked))
        cells.append(
            tuple(
                "…" if i in hidden and c.kind != "text" else write(v, c.kind, c.decimals)
                for c, v in zip(columns, line, strict=True)
            )
        )
    return Table(
        title=title, columns=tuple(columns), raw=tuple(raw), cells=tuple(cells), notes=tuple(notes), source=source,
        hidden=hidden,
    )  # fmt: skip


def write(value: object, kind: ColumnKind, decimals: int = 0) -> str:
    """One value as a reader sees it.

    >>> write([0.801, 0.846], "interval_percent", 1)
    '80,1–84,6%'
    """
    if value is None or (isinstance(value, list) and any(v is None for v in value)):
        return NO_VALUE
    match kind:
        case "int":
            return number(cast(float, value))
        case "number":
            return number(cast(float, value), decimals)
        case "percent":
            return percent(cast(float, value), decimals)
        case "p_value":  # a printed zero would say impossible
            smallest = 10**-decimals
            p = cast(float, value)
            return f"<{number(smallest, decimals)}" if p < smallest else number(p, decimals)
        case "interval":
            low, high = cast(list[float], value)
            return span(number(low, decimals), number(high, decimals))
        case "interval_percent":
            low, high = cast(list[float], value)
            return span(percent(low, decimals).removesuffix("%"), percent(high, decimals))
        case "date":
            return date(dt.date.fromisoformat(str(value)[:10]))
        case "text":
            return str(value)


def span(low: str, high: str) -> str:
    """Two written numbers as an interval; with a minus sign in it, a word stands for the dash.

    >>> span("1,0", "2,0"), span("−2,0", "−1,0")
    ('1,0–2,0', '−2,0 đến −1,0')
    """
    if "−" in low + high:
        return say("{low} to {high}", low=low, high=high)
    return f"{low}–{high}"


# Letters of a text column that stay together in a narrow window; beyond it the table scrolls.
_NARROWEST = 16

# A line under the label of a group; borders of neighbouring groups would meet.
_RULE = "linear-gradient(currentColor,currentColor) bottom/calc(100% - 1em) 1px no-repeat"


# Inline, since JupyterLab aligns every cell to the right; colours stay the theme's, light or dark.
def _style(kind: ColumnKind, texts: Sequence[str]) -> str:
    """Style of a column's cells: numbers never break, and names stay readable in a narrow window."""
    if kind == "text":
        return f"text-align:left;min-width:{min(_NARROWEST, max(map(len, texts), default=0))}ch"
    return f"text-align:{_align(kind)};white-space:nowrap;font-variant-numeric:tabular-nums"


def _align(kind: ColumnKind) -> str:
    return "left" if kind in ("text", "date") else "right"


def _values(frame: pd.DataFrame, column: Column) -> list[object]:
    if not isinstance(column.name, str):
        low, high = (_values(frame, Column(name=name, kind="number")) for name in column.name)
        return [[a, b] for a, b in zip(low, high, strict=True)]
    series = frame[column.name]
    if column.kind in ("text", "date"):
        if pd.api.types.is_datetime64_any_dtype(series):
            return [None if pd.isna(v) else v.isoformat() for v in series]
        return [None if pd.isna(v) else str(v) for v in series]
    return [_plain(v) for v in series]


def _plain(value: object) -> float | int | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return None
    as_float = float(cast(float, value))
    if not math.isfinite(as_float):
        return None
    return int(as_float) if as_float.is_integer() and not isinstance(value, float) else as_float
