"""The staging area of one reading: raw files cast to canonical rows in a DuckDB database that is thrown away after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from khaosat.domain.dossiers import SCHEMA
from khaosat.domain.faults import fault
from khaosat.engine.duckdb import hide_progress
from khaosat.errors import DataError
from khaosat.io.casts import Cell, cells, literal, source_texts, typed_rows
from khaosat.io.headers import header_key
from khaosat.io.mapping import CODED, SourceMapping
from khaosat.io.raw_files import RawReader, RawTable
from khaosat.io.row_checks import row_faults
from khaosat.io.sources import SourceFile

_SQL = {"text": "VARCHAR", "time": "TIMESTAMP", "integer": "INTEGER"}
_WIDE = {"source_row": "BIGINT"}
_FAULTS = "STRUCT(origin VARCHAR, value VARCHAR, fault VARCHAR)[]"
_FEW = 10_000
"""Different texts of a coded column that are looked at; a column with more holds no codes."""


class Staging:
    """Raw files, cast row by row.

    ``staged_<table>`` holds the rows (``file``, the canonical columns), ``faults`` what is wrong with them, ``tables``
    the raw tables by file number, ``file_faults`` what is wrong with whole files (with their ``source``, the digest),
    ``broken`` the records that fit no header (table, file, row, text; the text is empty where it holds personal data),
    ``rows`` how many rows were staged (by table and file).

    Parameters
    ----------
    folder
        For the database and temporary copies; the caller removes it.
    mapping
        How files become tables.
    personal
        Read personal columns too.
    memory_limit
        Of DuckDB; what does not fit goes to ``folder``.
    """

    def __init__(self, folder: Path, *, mapping: SourceMapping, personal: bool, memory_limit: str) -> None:
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        # In memory, with a folder for what does not fit: a database file would be compressed, logged and brought to
        # disk, at twice the time, to be thrown away.
        self.database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit, "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
            },
        )  # fmt: skip
        self.database.execute("SET TimeZone = 'UTC'")
        hide_progress(self.database)
        self.mapping = mapping
        self.tables: list[RawTable] = []
        self.file_faults: list[dict[str, object]] = []
        self.broken: list[tuple[str, int, int, str]] = []
        self.rows: Counter[tuple[str, int]] = Counter()
        self._reader = RawReader(
            database=self.database, folder=folder,
            is_header=lambda header: bool(mapping.serves(header)), knows=mapping.knows,
            is_personal=lambda name: not personal and mapping.is_personal(name),
        )  # fmt: skip
        self.database.execute(
            'CREATE TABLE faults ("table" VARCHAR, file INTEGER, "row" BIGINT, "column" VARCHAR, value VARCHAR, '
            "fault VARCHAR)"
        )
        for table, columns in SCHEMA.items():
            types = ", ".join(f"{name} {_WIDE.get(name, _SQL[kind])}" for name, kind in columns.items())
            self.database.execute(f"CREATE TABLE staged_{table} (file INTEGER, {types}, faults {_FAULTS})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()

    def add(self, file: SourceFile) -> bool:
        """Read a file into the tables it serves (or is meant for); whether it serves any. What is wrong is noted."""
        before, faults = len(self.tables), list[dict[str, object]]()
        try:
            for raw in self._reader.read(file.path, name=f"raw_{before}", file=file.label):
                faults += self._add(replace(raw, source=file.digest), file.tables)
        except DataError as error:
            if error.faults is None:
                raise
            faults += [{str(k): v for k, v in row.items()} for row in error.faults.to_dict("records")]
        self.file_faults += [{**found, "source": file.digest} for found in faults]
        return len(self.tables) > before

    def take(self, raw: RawTable, table: str) -> None:
        """Stage rows that were read, and their file looked at, before."""
        self.tables.append(raw)
        self._stage(raw, len(self.tables) - 1, table)

    def _add(self, raw: RawTable, tables: Sequence[str]) -> list[dict[str, object]]:
        """Stage a raw table; what is wrong with it as a whole."""
        serves = [name for name in self.mapping.serves(raw.header) if not tables or name in tables]
        faults = list(self._header_faults(raw, tables, served=bool(serves)))
        faults += [fault("left_out", file=raw.file, value=f"{what}: {n}") for what, n in raw.left_out.items()]
        if not serves:
            return faults
        number = len(self.tables)
        self.tables.append(raw)
        rows = sum([self._stage(raw, number, name) for name in serves])
        self._note_broken(raw, number, serves)
        if not rows and not raw.broken:
            faults.append(fault("header_only", file=raw.file))
        return faults

    def _header_faults(self, raw: RawTable, tables: Sequence[str], *, served: bool) -> Iterator[dict[str, object]]:
        counts = Counter(header_key(name) for name in raw.header if name)
        for key in (key for key, count in counts.items() if count > 1):
            name = next(name for name in raw.header if header_key(name) == key)
            yield fault("repeated_column", file=raw.file, column=name)
        if served:
            return
        nearest = self.mapping.nearest(raw.header)
        wanted = tables or ((nearest,) if nearest else ())
        for name in dict.fromkeys(name for table in wanted for name in self.mapping.tables[table].missing(raw.header)):
            yield fault("missing_column", file=raw.file, column=name)
        if not wanted:
            yield fault("unknown_file", file=raw.file)

    def _stage(self, raw: RawTable, number: int, table: str) -> int:
        """Cast a raw table; the number of rows."""
        found = cells(self.mapping, table, header=raw.header, known=self._known_codes(raw, table))
        rows = f"({typed_rows(raw.name, table, found=found, faults=row_faults(table, found))})"
        if self.mapping.tables[table].one_per_dossier:
            self.database.execute(f"CREATE OR REPLACE TEMP TABLE typed AS FROM {rows}")
            self._note_conflicts(number, table, found)
            rows = (
                "(FROM typed QUALIFY row_number() OVER "
                "(PARTITION BY coalesce(v_dossier_id, CAST(row AS VARCHAR) || chr(0)) ORDER BY row) = 1 ORDER BY row)"
            )
        values = ", ".join(f"v_{name} AS {name}" for name in found)
        self.database.execute(
            f"INSERT INTO staged_{table} BY NAME SELECT {number} AS file, {values}, "
            f"{literal(raw.file)} AS source_file, row AS source_row, faults FROM {rows}"
        )
        self.database.execute(
            f"INSERT INTO faults SELECT {literal(table)}, {number}, source_row, f.origin, f.value, f.fault FROM "
            f"(SELECT source_row, unnest(faults) AS f FROM staged_{table} WHERE file = {number} AND faults IS NOT NULL)"
        )
        self.rows[table, number] = self.count(f"staged_{table} WHERE file = {number}")
        return self.rows[table, number]

    def _known_codes(self, raw: RawTable, table: str) -> Mapping[str, Mapping[str, str]]:
        """Texts of each coded column that stand for a code."""
        known: dict[str, dict[str, str]] = {}
        for name, column in self.mapping.tables[table].columns.items():
            if name in CODED:
                known[name] = {}
                for text in source_texts(column, raw.header, nulls=self.mapping.nulls).values():
                    sql = f"SELECT DISTINCT {text} AS text FROM {raw.name} ORDER BY text LIMIT {_FEW}"
                    texts = [str(row[0]) for row in self.database.execute(sql).fetchall() if row[0] is not None]
                    codes = ((text, column.codes.get(header_key(text))) for text in texts)
                    known[name] |= {text: code for text, code in codes if code}
        return known

    def _note_conflicts(self, number: int, table: str, found: Mapping[str, Cell]) -> None:
        """A dossier whose rows in an event file disagree about it: its first row counts."""
        for name in found:
            self.database.execute(
                f"INSERT INTO faults SELECT {literal(table)}, {number}, min(row), any_value(o_{name}), min(r_{name}), "
                f"'conflicting_case' FROM typed WHERE v_dossier_id IS NOT NULL GROUP BY v_dossier_id "
                f"HAVING count(DISTINCT coalesce(r_{name}, '')) > 1 ORDER BY min(row)"
            )

    def _note_broken(self, raw: RawTable, number: int, serves: list[str]) -> None:
        """Broken records count with the table that has a row for each of the file's."""
        table = next((name for name in serves if not self.mapping.tables[name].one_per_dossier), serves[0])
        broken = [(table, number, row, "" if raw.has_personal else text) for row, text in raw.broken]
        self.broken += broken
        if broken:
            rows = [[table, number, row, text[:200]] for table, number, row, text in broken]
            self.database.executemany("INSERT INTO faults VALUES (?, ?, ?, '', ?, 'broken_record')", rows)

    def release(self, raw: RawTable) -> None:
        """Give back the room of a raw table that nothing is asked of any more."""
        self.database.execute(f"DROP TABLE IF EXISTS {raw.name}_all")

    def count(self, relation: str) -> int:
        """Rows of a relation."""
        return int(self.database.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
