"""Faults kept as tables: codes in the store, words when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.faults import COLUMNS
from khaosat.facts import read_table
from khaosat.facts.language import current_language

if TYPE_CHECKING:
    import duckdb

    from khaosat.io.staging import Staging

SHOWN = 10_000
"""Faults of one kind in one file that a frame of faults holds; counts count them all, the store keeps them all."""


def write_faults(faults: pd.DataFrame, path: Path) -> None:
    """Faults as a CSV file for a spreadsheet program, which would run a text that begins like a formula.

    Such texts get a leading apostrophe, as people write them by hand to keep them texts; numbers stay as they are.
    """
    safe = faults.copy()
    for column in safe.columns[safe.dtypes.map(pd.api.types.is_string_dtype)]:
        texts = safe[column]
        number = pd.to_numeric(texts, errors="coerce").notna()
        safe[column] = texts.mask(texts.str.match(r"[=+\-@\t\r]", na=False) & ~number, "'" + texts)
    safe.to_csv(path, index=False, encoding="utf-8-sig")


def name_kinds(database: duckdb.DuckDBPyConnection) -> None:
    """The table ``kinds`` of a database: fault codes with severity and words, in the current language."""
    table = read_table("codes/faults.csv")
    rows = table[["fault", "severity", f"message_{current_language()}"]].to_numpy().tolist()
    database.execute("CREATE OR REPLACE TEMP TABLE kinds (fault VARCHAR, severity VARCHAR, template VARCHAR)")
    database.executemany("INSERT INTO kinds VALUES (?, ?, ?)", rows)


def worded(database: duckdb.DuckDBPyConnection, relation: str) -> pd.DataFrame:
    """Faults (``file, row, column, value, fault``) as the frame of faults, ordered by file and row."""
    name_kinds(database)
    frame: pd.DataFrame = database.sql(
        f"""
        SELECT file, "row", "column", coalesce(value, '') AS value, fault, severity,
               replace(replace(replace(replace(template, '{{file}}', file), '{{row}}', CAST("row" AS VARCHAR)),
                       '{{column}}', "column"), '{{value}}', coalesce(value, '')) AS message
        FROM (FROM {relation} QUALIFY row_number() OVER (PARTITION BY file, fault ORDER BY "row", "column") <= {SHOWN})
        JOIN kinds USING (fault)
        ORDER BY file, "row", "column", fault
        """
    ).to_df()
    return frame[list(COLUMNS)]


def gather_faults(staging: Staging) -> None:
    """The table ``all_faults`` of a staging area: those of rows (with their table) and those of whole files."""
    execute = staging.database.execute
    execute("CREATE OR REPLACE TEMP TABLE names (number INTEGER, name VARCHAR, source VARCHAR)")
    names = [[number, raw.file, raw.source] for number, raw in enumerate(staging.tables)]
    if names:
        staging.database.executemany("INSERT INTO names VALUES (?, ?, ?)", names)
    execute(
        'CREATE OR REPLACE TABLE all_faults AS SELECT name AS file, "row", "column", value, fault, "table", source '
        'FROM faults JOIN names ON number = file ORDER BY name, "row", "column", fault'
    )
    columns = ("file", "row", "column", "value", "fault", "source")
    whole = [[found[name] for name in columns] for found in staging.file_faults]
    if whole:
        staging.database.executemany("INSERT INTO all_faults VALUES (?, ?, ?, ?, ?, '', ?)", whole)
