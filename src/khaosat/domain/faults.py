"""The frame of faults: what is wrong with input data, row by row, and what to do about it."""

from __future__ import annotations

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
    table = read_table("codes/faults.csv").set_index("fault")
    if code not in table.index:
        raise FactsError(f"fault code {code!r} is not in facts/codes/faults.csv")
    entry = table.loc[code]
    template = str(entry[f"message_{current_language()}"])
    words = {"file": file, "row": row, "column": column, "value": value, **details}
    return {
        "file": file, "row": row, "column": column, "value": str(value), "fault": code,
        "severity": str(entry["severity"]), "message": template.format(**words),
    }  # fmt: skip


def frame(faults: list[dict[str, object]]) -> pd.DataFrame:
    """The frame of faults, with its columns even when there are none.

    >>> frame([]).empty
    True
    """
    return pd.DataFrame(faults, columns=list(COLUMNS))
