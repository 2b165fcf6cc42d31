"""Checks of staged rows against each other, and what becomes of each: accepted, or set aside with the reason."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from khaosat.domain.dossiers import SCHEMA
from khaosat.io.casts import literal
from khaosat.io.fault_tables import name_kinds
from khaosat.io.staging import Staging

CHILDREN = ("steps", "supplements", "appointments")
MOMENTS = {
    "dossiers": ("submitted_at", "received_at", "finished_at", "returned_at"),
    "steps": ("started_at", "finished_at"),
    "supplements": ("requested_at", "completed_at"),
    "appointments": ("changed_at",),
}
"""Times at which something happened: the last of them is the moment of a snapshot. Due dates are plans."""


def check_rows(staging: Staging, *, stored: Sequence[str] = (), now: dt.datetime | None = None) -> None:
    """Compare staged rows with each other and with dossiers already stored; accept each or set it aside.

    Afterwards the staging database has ``accepted_<table>`` (``file``, the canonical columns, ``snapshot_at``, and
    ``month``, that of the dossier's reception) and ``quarantine`` (``file``, ``source``, ``name``, ``table``, ``row``,
    ``faults``, ``content``).

    Parameters
    ----------
    staging
        Holds the rows; its ``faults`` grow.
    stored
        Parquet files of dossiers that are stored already.
    now
        Moment after which nothing can have happened yet; by default the clock's, in the mapping's zone.
    """
    execute = staging.database.execute
    name_kinds(staging.database)
    execute(
        'CREATE OR REPLACE VIEW refused AS SELECT DISTINCT "table", file, "row" AS source_row FROM faults '
        "JOIN kinds USING (fault) WHERE severity = 'refused' OR fault = 'duplicate_row'"
    )
    _find_duplicates(staging)
    moment = now or dt.datetime.now(ZoneInfo(staging.mapping.zone)).replace(tzinfo=None)
    _date_snapshots(staging, f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'")
    _accept_dossiers(staging)
    _link(staging, stored)
    _set_aside(staging)


def _find_duplicates(staging: Staging) -> None:
    """The same dossier twice in one snapshot of a file: the first row stays."""
    content = ", ".join(name for name in SCHEMA["dossiers"] if name not in ("source_file", "source_row"))
    same = "PARTITION BY file, dossier_id, snapshot_at ORDER BY source_row"
    staging.database.execute(
        f"""
        INSERT INTO faults
        WITH good AS (FROM {_good("dossiers")}),
        twice AS (SELECT file, dossier_id FROM good GROUP BY ALL HAVING count(*) > 1)
        SELECT 'dossiers', file, source_row, {_origin(staging, "dossiers", "dossier_id")}, dossier_id,
               CASE WHEN content IS NOT DISTINCT FROM original THEN 'duplicate_row' ELSE 'duplicate_conflict' END
        FROM (
            SELECT file, source_row, dossier_id, row({content}) AS content,
                   first_value(row({content})) OVER ({same}) AS original, row_number() OVER ({same}) AS copy
            FROM good SEMI JOIN twice USING (file, dossier_id)
        ) WHERE copy > 1
        """
    )


def _date_snapshots(staging: Staging, now: str) -> None:
    """The table ``snapshots``: the last moment that each file knows of; a moment still to come is a fault, and none."""
    last = []
    for table, columns in MOMENTS.items():
        for name in columns:
            last.append(f"SELECT file, max({name}) FILTER ({name} <= {now}) AS last FROM {_good(table)} GROUP BY file")
            staging.database.execute(
                f"INSERT INTO faults SELECT {literal(table)}, file, source_row, {_origin(staging, table, name)}, "
                f"CAST({name} AS VARCHAR), 'future_time' FROM {_good(table)} WHERE {name} > {now}"
            )
    staging.database.execute(
        f"CREATE OR REPLACE TABLE snapshots AS SELECT file, max(last) AS last FROM ({' UNION ALL '.join(last)}) "
        "GROUP BY file"
    )
    for number, raw in enumerate(staging.tables):
        if raw.snapshot:  # some rows of a file that had more
            staging.database.execute(
                f"UPDATE snapshots SET last = TIMESTAMP {literal(raw.snapshot)} WHERE file = {number}"
            )


def _accept_dossiers(staging: Staging) -> None:
    staging.database.execute(
        f"""
        CREATE OR REPLACE VIEW accepted_dossiers AS
        SELECT d.* EXCLUDE (faults) REPLACE (coalesce(snapshot_at, last, TIMESTAMP '1970-01-01') AS snapshot_at),
               coalesce(strftime(coalesce(received_at, submitted_at), '%Y-%m'), 'undated') AS month
        FROM {_good("dossiers")} d LEFT JOIN snapshots USING (file)
        """
    )


def _link(staging: Staging, stored: Sequence[str]) -> None:
    """Each child row with its dossier; a row whose dossier is neither here nor stored is refused."""
    columns = "dossier_id, received_at, finished_at, returned_at, snapshot_at, month"
    sources = [f"SELECT {columns} FROM accepted_dossiers"]
    if stored:
        files = ", ".join(map(literal, stored))
        month = "coalesce(strftime(coalesce(received_at, submitted_at), '%Y-%m'), 'undated') AS month"
        sources.append(f"SELECT {columns.replace('month', month)} FROM read_parquet([{files}])")
    staging.database.execute(
        "CREATE OR REPLACE TABLE owners AS SELECT dossier_id, max_by(month, snapshot_at) AS month, "
        "max_by(received_at, snapshot_at) AS owner_received, "
        "max_by(greatest(finished_at, returned_at), snapshot_at) FILTER (finished_at IS NOT NULL) AS owner_ended "
        f"FROM ({' UNION ALL '.join(sources)}) GROUP BY dossier_id"
    )
    for table in CHILDREN:
        staging.database.execute(
            f"CREATE OR REPLACE TABLE linked_{table} AS FROM {_good(table)} LEFT JOIN owners USING (dossier_id)"
        )
        staging.database.execute(f"DROP TABLE staged_{table}")  # each of its good rows is in the other now
        staging.database.execute(
            f"INSERT INTO faults SELECT {literal(table)}, file, source_row, {_origin(staging, table, 'dossier_id')}, "
            f"dossier_id, 'without_dossier' FROM linked_{table} WHERE month IS NULL"
        )
        staging.database.execute(
            f"CREATE OR REPLACE VIEW accepted_{table} AS "
            "SELECT c.* EXCLUDE (faults, owner_received, owner_ended), "
            "coalesce(last, TIMESTAMP '1970-01-01') AS snapshot_at "
            f"FROM linked_{table} c LEFT JOIN snapshots USING (file) WHERE month IS NOT NULL"
        )
    _place_steps(staging)


def _place_steps(staging: Staging) -> None:
    """Steps outside the life of their dossier: kept, and said. It ends when the result is handed over, if it was."""
    for name, other, where, code in (
        ("started_at", "finished_at", "< owner_received", "step_before_received"),
        ("finished_at", "started_at", "> owner_ended", "step_after_end"),
    ):
        time = f"coalesce({name}, {other})"
        origins = [_origin(staging, "steps", column) for column in (other, name)]
        origin = f"CASE WHEN {name} IS NULL THEN {origins[0]} ELSE {origins[1]} END"
        staging.database.execute(
            f"INSERT INTO faults SELECT 'steps', file, source_row, {origin}, CAST({time} AS VARCHAR), {literal(code)} "
            f"FROM linked_steps WHERE {time} {where}"
        )


def _set_aside(staging: Staging) -> None:
    """Refused rows with their original content, by the names of the source's columns, as JSON."""
    execute = staging.database.execute
    execute(
        'CREATE OR REPLACE TABLE quarantine (file INTEGER, source VARCHAR, name VARCHAR, "table" VARCHAR, '
        '"row" BIGINT, faults VARCHAR, content VARCHAR)'
    )
    for number, raw in enumerate(staging.tables):
        pairs = [f"{literal(name)}, c{column}" for column, name in enumerate(raw.header) if name]
        execute(
            f"""
            INSERT INTO quarantine
            SELECT {number}, {literal(raw.source)}, {literal(raw.file)}, q."table", q.source_row,
                   string_agg(DISTINCT f.fault, ' ' ORDER BY f.fault), any_value(json_object({", ".join(pairs)}))
            FROM refused q JOIN faults f ON f."table" = q."table" AND f.file = q.file AND f."row" = q.source_row
            JOIN {raw.name} r ON r.row = q.source_row
            WHERE q.file = {number} GROUP BY q."table", q.source_row ORDER BY q."table", q.source_row
            """
        )
        staging.release(raw)
    broken = [
        [number, staging.tables[number].source, staging.tables[number].file, table, row, text]
        for table, number, row, text in staging.broken
    ]
    if broken:
        staging.database.executemany("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, 'broken_record', ?)", broken)


Tally = Mapping[tuple[str, int], tuple[int, int, int]]
"""Rows read, stored and quarantined by table and file number."""


def tally(staging: Staging) -> Tally:
    """Counts of every table and file; they must add up."""
    aside: Counter[tuple[str, int]] = Counter()
    execute = staging.database.execute
    for table, file, n in execute('SELECT "table", file, count(*) FROM quarantine GROUP BY ALL').fetchall():
        aside[table, file] = n
    read = staging.rows + Counter((table, number) for table, number, *_ in staging.broken)
    counts = {}
    for table in SCHEMA:
        stored = dict(execute(f"SELECT file, count(*) FROM accepted_{table} GROUP BY file").fetchall())
        for key in [key for key in read if key[0] == table]:
            counts[key] = (read[key], stored.get(key[1], 0), aside[key])
            if counts[key][0] != counts[key][1] + counts[key][2]:
                raise RuntimeError(f"{key}: (read, accepted, quarantined) = {counts[key]} do not add up")
    return counts


def source_counts(staging: Staging, tallied: Tally, sources: Collection[str]) -> dict[str, int]:
    """Rows read, stored and quarantined of some source files, by their digests."""
    numbers = {number for number, raw in enumerate(staging.tables) if raw.source in sources}
    names = ("read", "stored", "quarantined")
    counts = dict.fromkeys(names, 0)
    for table in SCHEMA:
        rows = [tallied[table, number] for number in numbers if (table, number) in tallied]
        totals = dict(zip(names, map(sum, zip(*rows, strict=True)), strict=True)) if rows else {}
        if totals.get("read"):
            counts |= {f"{table}_{name}": n for name, n in totals.items()}
            counts |= {name: counts[name] + n for name, n in totals.items()}
    return counts


def _good(table: str) -> str:
    """SQL of the staged rows of a table that no fault refuses."""
    return f'(FROM staged_{table} ANTI JOIN (FROM refused WHERE "table" = {literal(table)}) USING (file, source_row))'


def _origin(staging: Staging, table: str, name: str) -> str:
    """SQL of what the source calls a column."""
    known = staging.mapping.tables.get(table)
    column = known.columns.get(name) if known else None
    return literal(column.names[0] if column else name)
