"""Data files as raw tables: every column text, every row numbered, whatever the file's format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.io.bounds import check_cells
from khaosat.io.clean_csv import CleanCSV, clean_text
from khaosat.io.refusals import refusal
from khaosat.io.text_files import first_bytes, sniff, utf8_copy
from khaosat.io.workbooks import clean_sheets
from khaosat.io.xes import clean_xes, is_xml

if TYPE_CHECKING:
    import duckdb

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".txt", ".xlsx", ".parquet", ".xes", ".xes.gz")
"""What a folder of sources may hold; what a file is, its bytes say."""


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A file, or a sheet of a workbook, as the DuckDB table ``name``: columns ``row``, ``c0``, ``c1`` …

    Parameters
    ----------
    name
        Of the DuckDB table.
    file
        What faults call it: the file's name, with the sheet's where there are several.
    header
        Column names of the source; a personal column that is not wanted is ``""`` and was not read.
    broken
        Records that do not fit the header, by row number, as they stand in the file.
    has_personal
        The source holds personal columns that are not wanted, so its broken records must not be copied.
    source
        SHA-256 of the file.
    snapshot
        The last moment that the file knows of (ISO 8601), where that was found before.
    left_out
        What of the file is no row, counted by what it is.
    """

    name: str
    file: str
    header: tuple[str, ...]
    broken: Sequence[tuple[int, str]] = field(default=())
    has_personal: bool = False
    source: str = ""
    snapshot: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RawReader:
    """Reads files into a DuckDB database.

    Parameters
    ----------
    database
        An open connection.
    folder
        For temporary copies.
    is_header, knows
        Whether a row of a sheet is the header, and a name in it that of a column.
    is_personal
        Whether a column is personal and not wanted.
    """

    database: duckdb.DuckDBPyConnection
    folder: Path
    is_header: Callable[[Sequence[str]], bool]
    knows: Callable[[str], object]
    is_personal: Callable[[str], bool]

    def read(self, path: Path, *, name: str, file: str) -> Iterator[RawTable]:
        """The tables of a file that faults call ``file``, one by one; DataError with the fault if it cannot be read."""
        magic = first_bytes(path, 4, file=file)
        if magic == b"PAR1":
            yield self._parquet(path, name, file)
        elif magic == b"PK\x03\x04":
            yield from self._workbook(path, name, file)
        elif is_xml(path):
            yield self._xes(path, name, file)
        else:
            yield self._text(path, name, file)

    def _text(self, path: Path, name: str, file: str) -> RawTable:
        form = sniff(path, file=file)
        table = self._table(name, file=file, header=form.header)
        if not self.is_header(form.header):
            return table  # of no use, so not worth reading
        utf8 = utf8_copy(path, self.folder / name, form=form)
        try:
            if self._whole(utf8, name, header=form.header, delimiter=form.delimiter):
                return table
            clean = clean_text(utf8, self.folder / f"{name}.csv", delimiter=form.delimiter)
        finally:
            if utf8 != path:
                utf8.unlink()
        return self._clean(clean, name, file=file)

    def _whole(self, path: Path, name: str, *, header: Sequence[str], delimiter: str) -> bool:
        """Read a text without looking at its records; False where some of them might have been lost."""
        import duckdb

        source = f"read_csv({_quoted(path)}, header = true, auto_detect = false, quote = '\"', escape = '\"'"
        try:
            self.database.execute(
                f"CREATE OR REPLACE TABLE {name}_all AS "
                f"SELECT {self._kept(header)} FROM {source}, delim = {_quoted(delimiter)}, columns = {_types(header)})"
            )
            counts = self.database.execute(
                f"SELECT (SELECT count(*) FROM {name}_all), count(line) FROM read_csv({_quoted(path)}, "
                "header = false, auto_detect = false, delim = '\x01', quote = '', columns = {'line': 'VARCHAR'})"
            ).fetchall()[0]
        except duckdb.Error:
            return False
        if counts[0] + 1 != counts[1]:
            return False
        self._number(name, "rowid + 1", header)
        return True

    def _workbook(self, path: Path, name: str, file: str) -> Iterator[RawTable]:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        sheets = clean_sheets(path, folder, file=file, is_header=self.is_header, knows=self.knows)
        for number, (title, clean) in enumerate(sheets):
            yield self._clean(clean, f"{name}_{number}", file=file if len(sheets) == 1 else f"{file}[{title}]")

    def _xes(self, path: Path, name: str, file: str) -> RawTable:
        def wanted(column: str) -> bool:
            return bool(self.knows(column)) and not self.is_personal(column)

        clean, left_out = clean_xes(path, self.folder / f"{name}.csv", knows=wanted, file=file)
        return replace(self._clean(clean, name, file=file), left_out=left_out)

    def _clean(self, clean: CleanCSV, name: str, *, file: str) -> RawTable:
        types = "{'row': 'BIGINT', " + _types(clean.header).removeprefix("{")
        table = self._table(name, file=file, header=clean.header, broken=clean.broken)
        if self.is_header(clean.header):
            self.database.execute(
                f"CREATE OR REPLACE TABLE {name}_all AS SELECT row, {self._kept(clean.header)} FROM read_csv("
                f"{_quoted(clean.path)}, header = false, auto_detect = false, quote = '\"', escape = '\"', "
                f"new_line = '\\r\\n', columns = {types})"  # else that of the first cell which has one is taken
            )
            self._number(name, "row", clean.header)
        clean.path.unlink()
        return table

    def _parquet(self, path: Path, name: str, file: str) -> RawTable:
        import duckdb

        source = f"read_parquet({_quoted(path)}, file_row_number = true)"
        try:
            described = self.database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            rows = self.database.execute(f"SELECT num_rows FROM parquet_file_metadata({_quoted(path)})").fetchall()
        except duckdb.Error as error:
            raise refusal("not_text", file) from error
        check_cells(int(rows[0][0]), len(described), path=path, file=file)
        types = {str(column): str(kind) for column, kind, *_ in described if column != "file_row_number"}
        header = list(types)
        table = self._table(name, file=file, header=header)
        if not self.is_header(header):
            return table
        cells = ", ".join(
            f"{_parquet_text(column, types[column])} AS c{number}"
            for number, column in enumerate(header)
            if not self.is_personal(column)
        )
        try:
            self.database.execute(
                f"CREATE TABLE {name}_all AS SELECT file_row_number + 1 AS row, {cells} FROM {source}"
            )
        except duckdb.Error as error:
            if isinstance(error, duckdb.OutOfMemoryException):
                raise
            raise refusal("not_text", file) from error
        self._number(name, "row", header)
        return table

    def _table(
        self, name: str, *, file: str, header: Sequence[str], broken: Sequence[tuple[int, str]] = ()
    ) -> RawTable:
        hidden = [self.is_personal(column) for column in header]
        kept = tuple("" if hide else column for column, hide in zip(header, hidden, strict=True))
        return RawTable(name=name, file=file, header=kept, broken=broken, has_personal=any(hidden))

    def _kept(self, header: Sequence[str]) -> str:
        return ", ".join(f"c{number}" for number, column in enumerate(header) if not self.is_personal(column))

    def _number(self, name: str, row: str, header: Sequence[str]) -> None:
        """The table under its own name: numbered, without rows in which every cell is empty."""
        cells = self._kept(header)
        self.database.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT {row} AS row, {cells} FROM {name}_all "
            f"WHERE coalesce({cells}) IS NOT NULL"
        )


def source_files(folder: Path) -> list[Path]:
    """The data files of a folder and those below it, in order of their names; not what Excel writes while it is open.

    Raises
    ------
    DataError
        A folder may not be read, so that files would be missed.
    """

    def stop(error: OSError) -> None:
        raise refusal("unreadable_file", str(error.filename), value=error.strerror) from error

    found = [Path(place) / name for place, _, names in os.walk(folder, onerror=stop) for name in names]
    return sorted(path for path in found if path.name.lower().endswith(SUFFIXES) and not path.name.startswith("~$"))


def _parquet_text(column: str, kind: str) -> str:
    """SQL of a column as text. A date kept as a time, as data frames do, has midnight in it: that is the date."""
    name = '"' + column.replace('"', '""') + '"'
    text = f"CAST({name} AS VARCHAR)"
    if not kind.startswith("TIMESTAMP") or "TIME ZONE" in kind or "TZ" in kind:
        return text
    return f"CASE WHEN {name} = date_trunc('day', {name}) THEN CAST(CAST({name} AS DATE) AS VARCHAR) ELSE {text} END"


def _types(header: Sequence[str]) -> str:
    return "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(header))) + "}"


def _quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"
