"""Survey exports as frames, whatever the format: text, workbook, Parquet, SPSS, Stata."""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.faults import fault, faults
from khaosat.io.bounds import check_cells
from khaosat.io.clean_csv import CleanCSV, clean_text
from khaosat.io.refusals import refusal
from khaosat.io.store import disk_errors
from khaosat.io.text_files import first_bytes, sniff, utf8_copy
from khaosat.io.workbooks import clean_sheets

if TYPE_CHECKING:
    import pyarrow

Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class RawSurvey:
    """A file as it stands.

    Parameters
    ----------
    header
        Column names, with repetitions.
    columns
        The columns, in the same order.
    rows
        Number of each row in the file, from 1 below the header.
    labels
        Variable labels, where the format has them.
    missing
        Codes that the file itself declares missing, as ranges, by place of the column (SPSS).
    faults
        Records that do not fit the header.
    """

    header: tuple[str, ...]
    columns: list[pd.Series]
    rows: list[int]
    labels: tuple[str, ...]
    missing: dict[int, Ranges]
    faults: list[dict[str, object]]

    @property
    def records(self) -> int:
        """How many records the file has, broken ones included."""
        return len(self.rows) + sum(found["fault"] == "broken_record" for found in self.faults)

    def content(self, row: int) -> str:
        """A row as it stands, by the names of the file's columns, as JSON."""
        place = bisect_left(self.rows, row)
        cells = (column.iloc[place] for column in self.columns)
        values = (None if pd.isna(cell) else str(cell) for cell in cells)
        pairs = (f"{_json(name)}: {_json(value)}" for name, value in zip(self.header, values, strict=True))
        return "{" + ", ".join(pairs) + "}"


def read_raw(
    path: Path, *, file: str, is_header: Callable[[Sequence[str]], bool], knows: Callable[[str], object]
) -> RawSurvey:
    """Read a file, which faults call ``file``, by what its bytes say it is.

    Raises
    ------
    DataError
        If the file is empty or cannot be read.
    """
    magic = first_bytes(path, 11, file=file)
    if magic[:4] == b"PAR1":
        return _parquet(path, file)
    if magic[:4] in (b"$FL2", b"$FL3"):
        return _spss(path, file)
    if magic == b"<stata_dta>" or (magic[:1] in b"\x6c\x6e\x6f\x71\x72\x73" and path.suffix.lower() == ".dta"):
        return _stata(path, file)
    with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if magic[:4] == b"PK\x03\x04":
            sheets = clean_sheets(path, folder, file=file, is_header=is_header, knows=knows)
            first, *others = [sheet for sheet in sheets if is_header(sheet[1].header)] or sheets[:1]
            return _clean(first[1], file, found=[fault("unread_sheet", file=file, value=title) for title, _ in others])
        form = sniff(path, file=file)
        utf8 = utf8_copy(path, folder / "utf8", form=form)
        return _clean(clean_text(utf8, folder / "clean.csv", delimiter=form.delimiter), file)


def _clean(clean: CleanCSV, file: str, *, found: Sequence[dict[str, object]] = ()) -> RawSurvey:
    from pyarrow import csv, string

    names = ["row", *(str(place) for place in range(len(clean.header)))]
    rows, texts = [row for row, _ in clean.broken], [text for _, text in clean.broken]
    broken = [*found, *faults("broken_record", file=file, rows=rows, column="", values=texts)]
    if clean.path.stat().st_size == 0:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in names})
        return _raw(empty.drop(columns="row"), header=clean.header, rows=[], found=broken)
    table = csv.read_csv(
        clean.path,
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={name: string() for name in names}, strings_can_be_null=True, null_values=[""]
        ),
    ).to_pandas()
    numbers = table.pop("row").astype(int).tolist()
    return _raw(table, header=clean.header, rows=numbers, found=broken)


def _parquet(path: Path, file: str) -> RawSurvey:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as opened:
            check_cells(opened.metadata.num_rows, len(opened.schema_arrow), path=path, file=file)
            table = _flat(opened.read()).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise refusal("not_text", file) from error
    return _raw(table, header=tuple(map(str, table.columns)))


def _flat(table: pyarrow.Table) -> pyarrow.Table:
    """Lists, records and bytes, which are no answers, as the text that shows them."""
    import pyarrow

    for place, field in enumerate(table.schema):
        kind = field.type
        if pyarrow.types.is_nested(kind) or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind):
            texts = [None if cell is None else str(cell) for cell in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pyarrow.array(texts, pyarrow.string()))
    return table


def _spss(path: Path, file: str) -> RawSurvey:
    """SPSS: codes, not value labels. Codes declared missing come too, since a don't-know code often is one."""
    import pyreadstat

    try:
        _, about = pyreadstat.read_sav(path, metadataonly=True)
        check_cells(about.number_rows or 0, about.number_columns or 0, path=path, file=file)
        table, about = pyreadstat.read_sav(path, user_missing=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise refusal("not_text", file) from error
    header = tuple(about.column_names)
    missing = {header.index(name): _numeric(ranges) for name, ranges in about.missing_ranges.items()}
    return _raw(table, header=header, labels=tuple(label or "" for label in about.column_labels), missing=missing)


def _numeric(ranges: Iterable[object]) -> Ranges:
    """Ranges of numbers; codes in letters are not answers anyway."""
    pairs = [(found["lo"], found["hi"]) for found in ranges if isinstance(found, dict)]
    return tuple((float(low), float(high)) for low, high in pairs if not isinstance(low, str))


def _stata(path: Path, file: str) -> RawSurvey:
    import pyreadstat

    try:
        table, about = pyreadstat.read_dta(path)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise refusal("not_text", file) from error
    return _raw(table, header=tuple(about.column_names), labels=tuple(label or "" for label in about.column_labels))


def _raw(
    table: pd.DataFrame,
    *,
    header: tuple[str, ...],
    rows: list[int] | None = None,
    labels: tuple[str, ...] = (),
    missing: dict[int, Ranges] | None = None,
    found: list[dict[str, object]] | None = None,
) -> RawSurvey:
    return RawSurvey(
        header=tuple(name.strip() for name in header),
        columns=[table.iloc[:, place].reset_index(drop=True) for place in range(table.shape[1])],
        rows=list(range(1, len(table) + 1)) if rows is None else rows,
        labels=labels,
        missing=missing or {},
        faults=found or [],
    )


def _json(value: str | None) -> str:
    return json.dumps(value, ensure_ascii=False)
