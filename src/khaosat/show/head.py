"""The head of a table as rows of cells, for every place that shows a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypedDict

from khaosat.show.blocks import ColumnSpec


class HeadCell(TypedDict):
    """A cell of a table's head."""

    label: str
    colspan: int
    rowspan: int
    column: int


def head_rows(columns: Sequence[ColumnSpec]) -> list[list[HeadCell]]:
    """The head as rows of cells: one row, or two where columns stand in groups.

    >>> columns = [{"label": "Đơn vị", "group": ""}, {"label": "Sớm", "group": "Số"}, {"label": "Muộn", "group": "Số"}]
    >>> [[(c["label"], c["colspan"], c["rowspan"]) for c in row] for row in head_rows(columns)]
    [[('Đơn vị', 1, 2), ('Số', 2, 1)], [('Sớm', 1, 1), ('Muộn', 1, 1)]]
    """
    labels = [column["label"] for column in columns]
    if not any(column["group"] for column in columns):
        return [[_cell(label, column=i) for i, label in enumerate(labels)]]
    upper: list[HeadCell] = []
    lower: list[HeadCell] = []
    for group, run in groupby(range(len(columns)), key=lambda i: columns[i]["group"]):
        members = list(run)
        if group:
            upper.append(_cell(group, column=members[0], colspan=len(members)))
            lower += [_cell(labels[i], column=i) for i in members]
        else:
            upper += [_cell(labels[i], column=i, rowspan=2) for i in members]
    return [upper, lower]


def _cell(label: str, *, column: int, colspan: int = 1, rowspan: int = 1) -> HeadCell:
    return {"label": label, "colspan": colspan, "rowspan": rowspan, "column": column}
