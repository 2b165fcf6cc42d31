"""Text files as offices export them: which encoding, which delimiter, compressed or not; and the same text as UTF-8."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.io.bounds import bounded
from khaosat.io.refusals import refusal

Encoding = Literal["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1258"]
Compression = Literal["", "gzip"]

_BLOCK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_BOMS: tuple[tuple[bytes, Encoding], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes([*range(0x00, 0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)])
"""Bytes that no text in a one-byte encoding or UTF-8 has."""


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How a text file is written.

    Parameters
    ----------
    encoding
        As Python names it; a byte-order mark is not part of the text (see :func:`utf8_copy`).
    delimiter
        Comma, semicolon, tab or bar.
    compression
        ``gzip`` or nothing.
    header
        The first record.
    has_rows
        Whether anything follows the header.
    damaged
        The file is UTF-8 but for some bytes; those read as U+FFFD, the replacement character.
    """

    encoding: Encoding
    delimiter: str
    compression: Compression
    header: tuple[str, ...]
    has_rows: bool
    damaged: bool = False


def sniff(path: str | Path, *, file: str = "") -> TextFormat:
    """Encoding, delimiter and compression of a text file, from its bytes and not from its name.

    The whole file is read, since one bad byte can come late. Without a byte-order mark it is UTF-16 when every other
    byte is mostly zero, else UTF-8 when that decodes, else UTF-8 with damaged bytes when good multi-byte letters
    outnumber bad ones, else Windows-1258 (the old Vietnamese code page). Faults call it ``file``, else by its name.

    Raises
    ------
    DataError
        The file is empty, or is not text in any of these encodings.
    """
    path = Path(path)
    file = file or path.name
    compression: Compression = "gzip" if first_bytes(path, 2, file=file) == b"\x1f\x8b" else ""
    read = partial(_blocks, path, compression, file=file)
    try:
        with closing(read()) as blocks:
            start = next(blocks, b"")
        found = _encoding(read, start=start)
    except (EOFError, OSError, zlib.error):
        if not compression:
            raise
        found = None
    if found is None:
        raise refusal("not_text", file)
    encoding, damaged = found
    text = _without_bom(start).decode(encoding.removesuffix("-sig"), errors="ignore").removeprefix("\ufeff")
    if not text.strip():
        raise refusal("empty_file", file)
    records = text if len(start) < _BLOCK else text[: text.rfind("\n") + 1] or text
    delimiter = _delimiter(records)
    lines = records.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        header = next((row for row in reader if any(row)), [])
    except csv.Error as error:  # a field longer than any name
        raise refusal("not_text", file) from error
    return TextFormat(
        encoding=encoding, delimiter=delimiter, compression=compression, header=tuple(cell.strip() for cell in header),
        has_rows=any(map(str.strip, lines[reader.line_num :])), damaged=damaged,
    )  # fmt: skip


def first_bytes(path: Path, count: int, *, file: str) -> bytes:
    """The beginning of a file.

    Raises
    ------
    DataError
        The file is not there, is a folder, or may not be read.
    """
    try:
        with path.open("rb") as opened:
            return opened.read(count)
    except FileNotFoundError as error:
        raise DataError(say("{path} does not exist.", path=str(path))) from error
    except IsADirectoryError as error:
        raise DataError(say("{path} is a folder: name a file in it.", path=str(path))) from error
    except OSError as error:
        raise refusal("unreadable_file", file, value=error.strerror) from error


def utf8_copy(path: str | Path, folder: str | Path, *, form: TextFormat | None = None) -> Path:
    """The same text as plain UTF-8 in ``folder``; the path itself when the file already is that.

    Notes
    -----
    ``form`` is what :func:`sniff` says, if that was asked already. Read and written in blocks of 1 MiB. Line ends and
    delimiter stay. Bytes that are no text become U+FFFD.
    Windows-1258 writes tones as combining marks, so the text still has to be brought to NFC.
    """
    path, folder = Path(path), Path(folder)
    form = form or sniff(path)
    if form.encoding == "utf-8" and not form.compression and not form.damaged:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.name.removesuffix('.gz')}.utf8.csv"
    decode = codecs.getincrementaldecoder(form.encoding.removesuffix("-sig"))("replace").decode
    with target.open("wb") as copy:
        for number, block in enumerate(_blocks(path, form.compression, file=path.name)):
            text = decode(block)
            copy.write((text.removeprefix("\ufeff") if number == 0 else text).encode("utf-8", "replace"))
        copy.write(decode(b"", True).encode("utf-8", "replace"))
    return target


Read = Callable[[], Generator[bytes, None, None]]
"""Reads a file from its beginning, in blocks."""


def _blocks(path: Path, compression: Compression, *, file: str) -> Generator[bytes, None, None]:
    with gzip.open(path) if compression else path.open("rb") as opened:
        yield from bounded(iter(partial(opened.read, _BLOCK), b""), path, file=file)


def _encoding(read: Read, *, start: bytes) -> tuple[Encoding, bool] | None:
    """The encoding, and whether some of its bytes are damaged; None if it is no text."""
    candidate = next((name for bom, name in _BOMS if start.startswith(bom)), None) or _utf16_by_zeros(start)
    if candidate in ("utf-16-le", "utf-16-be"):
        return (candidate, False) if _decodes(read, candidate) else None
    unicode: Encoding = candidate or "utf-8"
    is_utf8 = _is_utf8(read)
    if is_utf8 is None:
        return None
    if is_utf8:
        return unicode, False
    good, bad = _letters(read)
    if candidate or good > bad:
        return unicode, True
    return ("cp1258", False) if _decodes(read, "cp1258") else None


def _utf16_by_zeros(start: bytes) -> Encoding | None:
    """UTF-16 without a mark: ASCII (digits, delimiters) has a zero in every other byte, text has no lone zeros."""
    pairs = len(start) // 2
    if not pairs:
        return None
    even, odd = start[0 : 2 * pairs : 2].count(0) / pairs, start[1 : 2 * pairs : 2].count(0) / pairs
    if odd > 0.2 and even < 0.01:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 and odd < 0.01 else None


def _is_utf8(read: Read) -> bool | None:
    """Whether a file is UTF-8; None if it has bytes that no text has."""
    decode = codecs.getincrementaldecoder("utf-8")("strict").decode
    good = True
    for block in read():
        if len(block.translate(None, _CONTROLS)) < len(block):
            return None
        try:
            good = good and decode(block) is not None
        except UnicodeDecodeError:
            good = False
    try:
        decode(b"", True)
    except UnicodeDecodeError:
        good = False
    return good


def _decodes(read: Read, encoding: str) -> bool:
    decode = codecs.getincrementaldecoder(encoding)("strict").decode
    try:
        for block in read():
            decode(block)
        decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _letters(read: Read) -> tuple[int, int]:
    """Good multi-byte letters and bad bytes, read as UTF-8."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    good = bad = 0
    for block in read():
        text = decode(block)
        replaced = text.count("\ufffd")
        bad += replaced
        good += sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - replaced
    return good, bad


def _delimiter(text: str) -> str:
    """The delimiter that splits most of the first records into as many fields as the header, and into most fields."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            rows = [row for row in csv.reader(text[:65536].splitlines(keepends=True), delimiter=delimiter) if any(row)]
        except csv.Error:
            return 0.0, 0
        width = len(rows[0]) if rows else 0
        agree = Counter(len(row) for row in rows)[width] / max(len(rows), 1)
        return (agree * (width - 1), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=score)


def _without_bom(start: bytes) -> bytes:
    return next((start[len(bom) :] for bom, _ in _BOMS if start.startswith(bom)), start)
