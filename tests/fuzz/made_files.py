"""Files as hypothesis makes them: right in parts, wrong in every way that offices, programs and disks have of being so.

``KHAOSAT_FUZZ=10000`` makes that many, shared out over the tests; the suite makes few.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import openpyxl
import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from pyarrow import parquet

FILES = int(os.environ.get("KHAOSAT_FUZZ", "120"))
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258", "latin-1")
FORMS = (
    "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y",
    "%m/%d/%Y", "%d/%m/%y", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S+07:00",
    "ngày %d tháng %m năm %Y", "%Hh%M ngày %d/%m/%Y", "%H giờ %M phút, %d/%m/%Y", "%Y/%m/%d", "%d %b %Y", "%G-W%V-%u",
)  # fmt: skip
LONG = "(a very long text)"
NONSENSE = (
    "", " ", "\u00a0", "\u200b", "\ufeff", "NULL", "#N/A", "-", "=1+1", "=cmd|'/c calc'!A1", "@SUM(A1:A9)", "+84 28",
    '"', 'a"b', '""', '"mở', "đóng\"", "a\nb", "a\r\nb", "\r", "x\x00y", "\x1b[31m", "\x0c", "1e308", "-1e400", "NaN",
    "inf",     "9" * 400, "0" * 60 + "1", "-1", "1.5", "1,5", "1.234,5", "٣", "²", "①",
    "31/02/2026", "29/02/2025", "00/00/0000", "99999999999999",
    "0001-01-01", "9999-12-31", "-4713-01-01", "2026-13-01 25:61:61", "45123", "45123.75", "1767225600000", "12:30",
    "hôm qua", "\ufffd", "😀", "\u202eabc", "<script>alert(1)</script>", "{{x}}", "{file}", "%s", "'; DROP TABLE x; --",
    "\\N", "\\", "ệ", "a,b;c|d\te", LONG,
)  # fmt: skip


def budget(share: float) -> settings:
    """Settings of a test that takes this share of all the files made."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    phases = (Phase.explicit, Phase.reuse, Phase.generate)  # files are small; to shrink one takes longer than all tests
    count = max(1, round(FILES * share))
    return settings(max_examples=count, phases=phases, deadline=None, suppress_health_check=slow)


@dataclass(frozen=True)
class Made:
    """A file: its name, its bytes, and how many records a reader must find in it (None: no telling any more)."""

    name: str
    content: bytes
    records: int | None

    def __repr__(self) -> str:
        return f"Made({self.name!r}, {self.content[:2000]!r}, {self.records})"


def moments() -> st.SearchStrategy[str]:
    """Dates in every form."""
    times = st.datetimes(dt.datetime(2025, 6, 1), dt.datetime(2026, 10, 1))
    return st.builds(lambda moment, form: moment.strftime(form), times, st.sampled_from(FORMS))


def nonsense() -> st.SearchStrategy[str]:
    """What cells should not hold and do."""
    return st.sampled_from(NONSENSE).map(lambda text: "x" * 70_000 if text == LONG else text)


def cells(good: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Mostly good values of a column."""
    return st.one_of(good, good, good, good, good, nonsense(), st.text(max_size=12), moments())


def tables(columns: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[tuple[list[str], list[list[str]]]]:
    """A header and rows: columns in any order, some absent, twice, without a name or misspelt."""

    @st.composite
    def table(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
        names = draw(st.permutations(list(columns))) if draw(st.integers(0, 3)) else list(columns)
        kept = names if draw(st.integers(0, 4)) else names[: draw(st.integers(0, len(names)))]
        again = draw(st.lists(st.sampled_from(kept), max_size=2)) if kept and not draw(st.integers(0, 5)) else []
        more = draw(st.lists(st.sampled_from(["", "Ghi chú khác", "x,y", 'q"', "a\nb"]), max_size=2))
        source = [*kept, *again, *more]
        header = [draw(st.sampled_from(_spellings(name))) if not draw(st.integers(0, 4)) else name for name in source]
        rows = draw(st.lists(st.tuples(*(columns.get(name, nonsense()) for name in source)), max_size=8))
        return header, [list(row) for row in rows]

    return table()


@st.composite
def files(draw: st.DrawFn, columns: Mapping[str, st.SearchStrategy[str]], *, counted: Sequence[str]) -> Made:
    """A file of these columns in some format; a record counts if one of the ``counted`` columns has something in it."""
    header, rows = draw(tables(columns))
    kind = draw(st.sampled_from(["csv", "csv", "csv", "csv", "csv.gz", "xlsx", "parquet", "junk"]))
    known = [place for place, name in enumerate(header) if name in counted]
    count: int | None = sum(any(row[place].strip(" \r\n\x00") for place in known) for row in rows)
    if kind == "junk":
        starts = st.sampled_from(
            [b"", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08", b"\xff\xfe", b"$FL2", b"<?xml", b"\x00", b"<stata_dta>"]
        )
        name = draw(st.sampled_from(["a.csv", "a.xlsx", "a.parquet", "a.sav", "a.dta", "a.xes", "a.csv.gz"]))
        return Made(name, draw(starts) + draw(st.binary(max_size=200)), None)
    if kind == "xlsx":
        content = _workbook(header, rows, draw)
        count = None
    elif kind == "parquet":
        content = _parquet(header, rows, draw)
        count = None
    else:
        content, faithful = _text(header, rows, draw)
        count = count if faithful else None
        content = gzip.compress(content, mtime=0) if kind == "csv.gz" else content
    damaged = _damaged(content, draw)
    return Made(f"a.{kind}", damaged, count if damaged == content else None)


def _spellings(name: str) -> list[str]:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return ["", name.upper(), f"  {name} ", snake, snake.replace("_", " "), unicodedata.normalize("NFD", name),
            name.replace("a", "ạ"), f"\ufeff{name}"]  # fmt: skip


def _text(header: list[str], rows: list[list[str]], draw: st.DrawFn) -> tuple[bytes, bool]:
    """A text, and whether its records can be counted in it: some encodings lose letters, and breaks in cells split."""
    encoding = draw(st.sampled_from(ENCODINGS))
    delimiter, end = draw(st.sampled_from(",,,;\t|")), draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=delimiter, lineterminator=end, quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    )
    writer.writerows([header, *rows])
    text = out.getvalue()
    if not draw(st.integers(0, 5)):  # lines that no program writes
        lines = (f'"{end}', f"x{end}", f"{delimiter * 40}1{end}", f'a{delimiter}"b"c{end}', "\x00", '"' + "x" * 200_000)
        text += draw(st.sampled_from(lines))
        return _encoded(text, encoding), False
    split = re.compile(r'[\r\n"\x0b\x0c\x1c-\x1e\x85\u2028\u2029\x00]').search
    whole = not any(split(cell) for row in [header, *rows] for cell in row)
    return _encoded(text, encoding), whole and encoding.startswith("utf")


def _encoded(text: str, encoding: str) -> bytes:
    if encoding == "cp1258":  # its tones are marks of their own, after letters that have hats and horns
        keep = {"ă", "â", "ê", "ô", "ơ", "ư", "đ"}
        text = "".join(c if c in keep else unicodedata.normalize("NFD", c) for c in unicodedata.normalize("NFC", text))
    return text.encode(encoding, errors="replace")


def _workbook(header: list[str], rows: list[list[str]], draw: st.DrawFn) -> bytes:
    """A workbook: title rows, numbers and moments as such, rows that end early, formulas, sheets more."""
    book = openpyxl.Workbook(write_only=True)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 0]))):
        sheet = book.create_sheet()
        for row in [["BÁO CÁO"]] * draw(st.integers(0, 2)) + [header, *rows]:
            typed = [_cell(cell) if row is not header else _legal(cell) for cell in row]
            sheet.append(typed[: draw(st.integers(1, len(typed)))] if typed and not draw(st.integers(0, 5)) else typed)
    if not book.worksheets:
        book.create_sheet()
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _legal(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)[:32_767]


def _cell(text: str) -> object:
    if re.fullmatch(r"[1-9]\d{0,14}", text):
        return int(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return dt.datetime.fromisoformat(text) if text > "1900-03-01" else text
        except ValueError:
            return text
    return {"NaN": 1.5, "inf": True, "": None}.get(text, _legal(text))


def _parquet(header: list[str], rows: list[list[str]], draw: st.DrawFn) -> bytes:
    """A Parquet file: texts, or other types that a column of texts never has."""
    arrays = []
    for place in range(len(header)):
        values = [row[place].encode("utf-8", "replace").decode() or None for row in rows]
        others = (
            pa.array([1 << 62] * len(rows)), pa.array([float("nan")] * len(rows)), pa.array([b"\xff"] * len(rows)),
            pa.array([[1, 2]] * len(rows), pa.list_(pa.int64())), pa.nulls(len(rows)), pa.array([True] * len(rows)),
            pa.array([dt.datetime(2026, 7, 1, tzinfo=dt.UTC)] * len(rows), pa.timestamp("ns", "UTC")),
            pa.array([dt.datetime(1, 1, 1)] * len(rows), pa.timestamp("us")), pa.array([{"a": 1}] * len(rows)),
            pa.array([dt.time(1, 2)] * len(rows)), pa.array([dt.timedelta(1)] * len(rows)),
            pa.array(["9", "8"] * (len(rows) // 2) + ["7"] * (len(rows) % 2)).dictionary_encode(),
        )  # fmt: skip
        arrays.append(pa.array(values, pa.string()) if draw(st.integers(0, 6)) else draw(st.sampled_from(others)))
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, names=header), out)
    return out.getvalue()


def _damaged(content: bytes, draw: st.DrawFn) -> bytes:
    """The bytes, one time in four not as they were written."""
    where = round(draw(st.floats(0, 1)) * len(content))  # a workbook holds the clock, so its length varies
    match draw(st.integers(0, 15)):
        case 0:
            return content[:where]
        case 1:
            return content[:where] + draw(st.binary(min_size=1, max_size=4)) + content[where + 4 :]
        case 2:
            return content[:where] + b"\x00" * draw(st.integers(1, 40)) + content[where:]
        case 3:
            return content + draw(st.binary(max_size=60))
        case _:
            return content


def swapped_part(book: bytes, part: str, text: bytes) -> bytes:
    """A workbook with another text in one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, text if name == part else old.read(name))
    return out.getvalue()
