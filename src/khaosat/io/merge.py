"""Accepted rows into the store: by dossier, the newest snapshot counts and older ones become history.

A dossier is known by (dossier_id, snapshot). Its steps, supplements and re-appointments are known by what they are and
when they began, so that a newer export of the same step replaces the older one and an export of later steps only adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from khaosat.domain.dossiers import SCHEMA
from khaosat.io.casts import literal
from khaosat.io.checks import CHILDREN
from khaosat.io.staging import Staging
from khaosat.io.store import Manifest, StoredFile, StoreWriter

_BEGINNING = "coalesce(started_at, finished_at)"
_IDENTITY = {
    "dossiers": "dossier_id",
    "steps": f"dossier_id, step, {_BEGINNING}",
    "supplements": "dossier_id, requested_at",
    "appointments": "dossier_id, changed_at",
}
"""What makes a child row the same in two snapshots; the n-th of several like ones is the n-th again."""
_NTH = "row_number() OVER (PARTITION BY generation, file, source_file, snapshot_at, {identity} ORDER BY source_row)"
_OLD_DUES = " UNION ALL ".join(
    f"SELECT dossier_id, old_due_at AS due FROM accepted_{table} WHERE old_due_at IS NOT NULL"
    for table in ("supplements", "appointments")
)
_ORDER = {
    "dossiers": "dossier_id",
    "steps": "dossier_id, seq",
    "supplements": "dossier_id, requested_at, source_file, source_row",
    "appointments": "dossier_id, changed_at, source_file, source_row",
}


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Brings what a staging area accepted into a store.

    Parameters
    ----------
    staging
        Holds ``accepted_<table>``.
    writer, manifest
        The store as it is.
    advance
        Called with (done, total) as files are written.
    """

    staging: Staging
    writer: StoreWriter
    manifest: Manifest
    advance: Callable[[int, int], None]

    def run(self) -> Manifest:
        """Write the files of the next state of the store; its manifest, not yet committed."""
        tables = ["dossiers", *(table for table in CHILDREN if self.staging.count(f"accepted_{table}"))]
        replaced = {table: self._pool(table) for table in tables}
        self._first_dues()
        plan = [
            (table, part, month)
            for table in tables
            for part in ("current", "past")
            for month in self._months(f"{part}_{table}")
        ]
        manifest = self.manifest
        written, kept = dict.fromkeys(tables, 0), set[str]()
        for done, (table, part, month) in enumerate(plan):
            folder = table if part == "current" else f"history/{table}"
            file = self._write(self._select(table, part, month), f"{folder}/{month}")
            # A month about which an older snapshot says nothing new gives the same bytes, so the same file again.
            manifest = manifest.with_files(folder, [file], without={file.path})
            kept.add(file.path)
            written[table] += file.rows
            self.advance(done + 1, len(plan))
        for table, paths in replaced.items():
            before = sum(file.rows for file in self.manifest.files.get(table, []) if file.path in paths)
            accepted = self.staging.count(f"accepted_{table}")
            if written[table] != before + accepted:
                raise RuntimeError(
                    f"{table}: wrote {written[table]} rows for {before} replaced and {accepted} new ones"
                )
            manifest = manifest.with_files(table, [], without=paths - kept)
        return replace(manifest, retired=tuple(sorted(set[str]().union(*replaced.values()) - kept)))

    def extend(self, folder: str, relation: str, *, kept: str, manifest: Manifest) -> Manifest:
        """Add a relation of the staging area to a part of the store that is kept in one file.

        ``kept`` is a condition on the rows that are there already.
        """
        before = self.manifest.paths(folder, self.writer.root)
        rows = f"FROM {relation}"
        if before:
            rows = f"(FROM read_parquet({_list(before)}) old WHERE {kept}) UNION ALL BY NAME ({rows})"
        if not before and not self.staging.count(relation):
            return manifest
        new = self._write(rows, folder)
        replaced = {file.path for file in self.manifest.files.get(folder, [])} - {new.path}
        manifest = manifest.with_files(folder, [new], without=replaced | {new.path})
        return replace(manifest, retired=tuple(sorted({*manifest.retired, *replaced})))

    def _pool(self, table: str) -> set[str]:
        """The views ``current_<table>`` and ``past_<table>``; the stored files that they take the place of."""
        execute = self.staging.database.execute
        affected = self._affected(table)
        pool = f"SELECT *, 1 AS generation FROM accepted_{table}"
        if affected:
            pool += (
                " UNION ALL BY NAME SELECT * EXCLUDE (filename), -1 AS file, 0 AS generation, "
                "regexp_extract(filename, '([^/]+)/[^/]+$', 1) AS month "
                f"FROM read_parquet({_list(affected)}, filename = true)"
            )
        execute(f"CREATE OR REPLACE VIEW pool_{table} AS {pool}")
        # Whether a dossier comes from several snapshots is asked only where it can be: the question costs a pass.
        once = not affected and table != "dossiers" and self._files(table) < 2
        several = "count(*) > 1" if table == "dossiers" else "min(file) <> max(file)"
        execute(
            f"CREATE OR REPLACE TABLE again_{table} AS SELECT dossier_id FROM pool_{table} "
            + ("WHERE false" if once else f"GROUP BY dossier_id HAVING {several}")
        )
        self._rank(table)
        return {Path(path).relative_to(self.writer.root.as_posix()).as_posix() for path in affected}

    def _affected(self, table: str) -> list[str]:
        """Stored files with dossiers about which the accepted rows say something new."""
        stored = self.manifest.paths(table, self.writer.root)
        if not stored:
            return []
        touched = [f"SELECT dossier_id FROM accepted_{table}"]
        if table == "dossiers":
            touched += [f"SELECT dossier_id FROM ({_OLD_DUES})"]
        rows = self.staging.database.execute(
            f"SELECT DISTINCT filename FROM read_parquet({_list(stored)}, filename = true) "
            f"SEMI JOIN ({' UNION ALL '.join(touched)}) USING (dossier_id) ORDER BY filename"
        ).fetchall()
        return [str(row[0]) for row in rows]

    def _rank(self, table: str) -> None:
        """Of rows that are the same in several snapshots the newest counts."""
        execute = self.staging.database.execute
        identity = _IDENTITY[table]
        nth = "1" if table == "dossiers" else _NTH.format(identity=identity)
        execute(
            f"""
            CREATE OR REPLACE TABLE ranked_{table} AS
            SELECT *, row_number() OVER (PARTITION BY {identity}, nth ORDER BY snapshot_at DESC, generation DESC,
                                         file DESC, source_row DESC) AS standing
            FROM (
                SELECT *, {nth} AS nth
                FROM pool_{table} SEMI JOIN again_{table} USING (dossier_id)
            )
            """
        )
        ranked = f"SELECT * EXCLUDE (nth, standing) FROM ranked_{table} WHERE standing"
        execute(
            f"CREATE OR REPLACE VIEW current_{table} AS FROM pool_{table} ANTI JOIN again_{table} USING (dossier_id) "
            f"UNION ALL BY NAME {ranked} = 1"
        )
        execute(f"CREATE OR REPLACE VIEW past_{table} AS {ranked} > 1")

    def _first_dues(self) -> None:
        """The table ``first_dues``: the first appointment of dossiers whose appointment changed."""
        self.staging.database.execute(
            "CREATE OR REPLACE TABLE first_dues AS SELECT dossier_id, min(due) AS first_due FROM ("
            f"{_OLD_DUES} UNION ALL SELECT dossier_id, coalesce(first_due_at, due_at) FROM ranked_dossiers"
            ") GROUP BY dossier_id"
        )

    def _select(self, table: str, part: str, month: str) -> str:
        """SQL of one file: the canonical columns of a month, in order."""
        columns = list(SCHEMA[table])
        rows = f"{part}_{table}"
        values = dict(zip(columns, columns, strict=True)) | {"snapshot_at": "snapshot_at"}
        if table == "dossiers":
            values["first_due_at"] = "least(coalesce(first_due_at, due_at), first_due)"
            rows += " LEFT JOIN first_dues USING (dossier_id)"
        elif table == "steps" and part == "current":
            values["seq"] = (
                f"CAST(row_number() OVER (PARTITION BY dossier_id ORDER BY {_BEGINNING} NULLS LAST, seq NULLS LAST, "
                "snapshot_at, source_file, source_row) AS INTEGER)"
            )
        selected = ", ".join(f"{value} AS {name}" for name, value in values.items())
        return f"SELECT {selected} FROM {rows} WHERE month = {literal(month)} ORDER BY {_ORDER[table]}"

    def _write(self, rows: str, folder: str) -> StoredFile:
        draft = self.writer.staging / "next.parquet"
        count = self.staging.database.execute(
            f"COPY ({rows}) TO {literal(draft.as_posix())} (FORMAT PARQUET, COMPRESSION ZSTD)"
        ).fetchall()[0][0]
        return self.writer.keep(draft, folder, rows=int(count))

    def _months(self, relation: str) -> list[str]:
        rows = self.staging.database.execute(f"SELECT DISTINCT month FROM {relation} ORDER BY month").fetchall()
        return [str(row[0]) for row in rows]

    def _files(self, table: str) -> int:
        return int(self.staging.database.execute(f"SELECT count(DISTINCT file) FROM accepted_{table}").fetchall()[0][0])


def _list(paths: list[str]) -> str:
    return "[" + ", ".join(map(literal, paths)) + "]"
