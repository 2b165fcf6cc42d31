"""Rows set aside only because their dossier was not there: tried again when a later ingest brings dossiers."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from khaosat.facts import read_table
from khaosat.io.casts import literal
from khaosat.io.checks import CHILDREN
from khaosat.io.raw_files import RawTable
from khaosat.io.staging import Staging
from khaosat.io.store import Manifest

_REASON = "without_dossier"


def stage_waiting(staging: Staging, manifest: Manifest, root: Path) -> None:
    """Put them among the rows of this ingest, from their content in the quarantine and under their old row numbers.

    The table ``waiting`` names them (source, "table", row). A source that was read with another mapping stays aside.
    """
    execute = staging.database.execute
    execute(
        'CREATE OR REPLACE TABLE waiting (source VARCHAR, file VARCHAR, "table" VARCHAR, "row" BIGINT, content JSON)'
    )
    paths = manifest.paths("quarantine", root)
    known = [d for d, entry in manifest.sources.items() if entry.get("mapping_digest") == staging.mapping.digest]
    if not (paths and known and staging.count("staged_dossiers")):
        return
    kinds = read_table("codes/faults.csv")
    graver = set(kinds.loc[kinds["severity"] == "refused", "fault"]) - {_REASON}
    execute(
        f"""
        INSERT INTO waiting SELECT source, file, "table", "row", content FROM read_parquet({_list(paths)})
        WHERE "table" IN ({_items(CHILDREN)}) AND source IN ({_items(known)})
          AND list_contains(string_split(faults, ' '), {literal(_REASON)})
          AND NOT list_has_any(string_split(faults, ' '), {_list(sorted(graver))})
        """
    )
    groups = execute(
        'SELECT DISTINCT source, file, "table", json_keys(content) AS header FROM waiting ORDER BY ALL'
    ).fetchall()
    for number, (source, file, table, header) in enumerate(groups):
        name = f"waiting_{number}"
        cells = ", ".join(f"cells[{place + 1}] AS c{place}" for place in range(len(header)))
        where = f'source = {literal(source)} AND file = {literal(file)} AND "table" = {literal(table)}'
        execute(
            f"CREATE TABLE {name} AS SELECT row, {cells} FROM (SELECT \"row\", json_extract_string(content, '$.*') AS "
            f"cells FROM waiting WHERE {where} AND json_keys(content) = {_list(header)})"
        )
        snapshot = cast(str, manifest.sources[source].get("snapshot", ""))
        staging.take(RawTable(name=name, file=file, header=tuple(header), source=source, snapshot=snapshot), table)


def _items(texts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(map(literal, texts))


def _list(texts: list[str]) -> str:
    return f"[{_items(texts)}]"
