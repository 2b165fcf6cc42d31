"""The frame of faults: what is wrong with input data, row by row, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from khaosat.errors import FactsError
from khaosat.facts import read_table
from khaosat.facts.language import current_language

COLUMNS = ("file", "row", "column", "value", "fault", "severity", "message")
"""``row`` counts data rows from 1 (the header is row 0; 0 too for a fault of the whole file); ``fault`` is a code of
``facts/codes/faults.csv``; ``severity`` is ``refused`` (the row is quarantined) or ``warning`` (kept and counted)."""


def fault(
    code: str, *, file: str = "", row: int = 0, column: str = "", value: object = "", **details: object
) -> dict[str, object]:
    """One fault as a row of the frame; its severity and words come from ``facts/codes/faults.csv``.

    >>> fault("empty_file", file="a.csv")["severity"]
    'refused'
    """
    return faults(code, file=file, rows=[row], column=column, values=[value], **details)[0]


def faults(
    code: str, *, file: str, rows: Iterable[int], column: str, values: Iterable[object], **details: object
) -> list[dict[str, object]]:
    """The same fault in several cells of a column.

    >>> [found["row"] for found in faults("bad_code", file="a.csv", rows=[3, 8], column="q", values=["x", "y"])]
    [3, 8]
    """
    table = read_table("codes/faults.csv").set_index("fault")
    if code not in table.index:
        raise FactsError(f"fault code {code!r} is not in facts/codes/faults.csv")
    template, severity = (str(table.loc[code, name]) for name in (f"message_{current_language()}", "severity"))
    return [
        {
            "file": file, "row": row, "column": column, "value": str(value), "fault": code, "severity": severity,
            "message": template.format(file=file, row=row, column=column, value=value, **details),
        }
        for row, value in zip(rows, values, strict=True)
    ]  # fmt: skip


def frame(faults: list[dict[str, object]]) -> pd.DataFrame:
    """The frame of faults, with its columns even when there are none.

    >>> frame([]).empty
    True
    """
    return pd.DataFrame(faults, columns=list(COLUMNS))
