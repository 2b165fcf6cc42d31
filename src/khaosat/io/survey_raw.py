"""Survey exports as frames, whatever the format: text, workbook, Parquet, SPSS, Stata."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from khaosat.domain.faults import fault, faults, frame
from khaosat.errors import DataError
from khaosat.io.clean_csv import CleanCSV, clean_sheets, clean_text
from khaosat.io.text_files import sniff, utf8_copy

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


def read_raw(path: Path, *, is_header: Callable[[Sequence[str]], bool]) -> RawSurvey:
    """Read a file by what its bytes say it is.

    Raises
    ------
    DataError
        If the file is empty or cannot be read.
    """
    with path.open("rb") as file:
        magic = file.read(11)
    if magic[:4] == b"PAR1":
        return _parquet(path)
    if magic[:4] in (b"$FL2", b"$FL3"):
        return _spss(path)
    if magic == b"<stata_dta>" or (magic[:1] in b"\x6c\x6e\x6f\x71\x72\x73" and path.suffix.lower() == ".dta"):
        return _stata(path)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if magic[:4] == b"PK\x03\x04":
            return _clean(_workbook(path, folder, is_header), path.name)
        form = sniff(path)
        utf8 = utf8_copy(path, folder / "utf8")
        return _clean(clean_text(utf8, folder / "clean.csv", delimiter=form.delimiter), path.name)


def refused(code: str, file: str) -> DataError:
    """A DataError about a whole file, with its fault."""
    found = fault(code, file=file)
    return DataError(str(found["message"]), frame([found]))


def _workbook(path: Path, folder: Path, is_header: Callable[[Sequence[str]], bool]) -> CleanCSV:
    """The first sheet that holds questions, or else the first that holds anything."""
    try:
        sheets = [clean for _, clean in clean_sheets(path, folder, is_header=is_header)]
    except (BadZipFile, KeyError, ValueError) as error:
        raise refused("not_text", path.name) from error
    if not sheets:
        raise refused("empty_file", path.name)
    return next((sheet for sheet in sheets if is_header(sheet.header)), sheets[0])


def _clean(clean: CleanCSV, file: str) -> RawSurvey:
    from pyarrow import csv, string

    names = ["row", *(str(place) for place in range(len(clean.header)))]
    broken = faults(
        "broken_record", file=file, rows=[row for row, _ in clean.broken], column="",
        values=[text for _, text in clean.broken],
    )  # fmt: skip
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
    rows = table.pop("row").astype(int).tolist()
    return _raw(table, header=clean.header, rows=rows, found=broken)


def _parquet(path: Path) -> RawSurvey:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise refused("not_text", path.name) from error
    return _raw(table, header=tuple(map(str, table.columns)))


def _spss(path: Path) -> RawSurvey:
    """SPSS: codes, not value labels. Codes declared missing come too, since a don't-know code often is one."""
    import pyreadstat

    try:
        table, about = pyreadstat.read_sav(path, user_missing=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise refused("not_text", path.name) from error
    header = tuple(about.column_names)
    missing = {header.index(name): _numeric(ranges) for name, ranges in about.missing_ranges.items()}
    return _raw(table, header=header, labels=tuple(label or "" for label in about.column_labels), missing=missing)


def _numeric(ranges: Iterable[object]) -> Ranges:
    """Ranges of numbers; codes in letters are not answers anyway."""
    pairs = [(found["lo"], found["hi"]) for found in ranges if isinstance(found, dict)]
    return tuple((float(low), float(high)) for low, high in pairs if not isinstance(low, str))


def _stata(path: Path) -> RawSurvey:
    import pyreadstat

    try:
        table, about = pyreadstat.read_dta(path)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise refused("not_text", path.name) from error
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
