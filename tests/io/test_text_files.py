from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.errors import DataError
from khaosat.io.text_files import sniff, utf8_copy

TEXT = "Mã hồ sơ;Đơn vị\nH29.1;Sở Xây dựng\nH29.2;Phường Bến Nghé\n"


def cp1258(text: str) -> bytes:
    """Vietnamese as old Windows programs write it: base letters composed, tones as combining marks after them."""
    tones = {chr(0x300), chr(0x301), chr(0x303), chr(0x309), chr(0x323)}
    out = []
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(mark for mark in parts if mark in tones)
        out.append(unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in tones)) + tone)
    return "".join(out).encode("cp1258")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode("utf-8"), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (cp1258(TEXT), "cp1258"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16-le bare", "utf-16-be bare", "cp1258"],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_encoding_is_recognised_and_copied(tmp_path, content, encoding, compressed):
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(content) if compressed else content)
    form = sniff(path)
    assert (form.encoding, form.delimiter, form.compression) == (encoding, ";", "gzip" if compressed else "")
    assert form.has_rows
    copy = utf8_copy(path, tmp_path / "copies").read_bytes().decode("utf-8")
    assert unicodedata.normalize("NFC", copy) == TEXT


def test_a_plain_file_is_not_copied(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(TEXT, encoding="utf-8")
    assert utf8_copy(path, tmp_path / "copies") == path
    assert not (tmp_path / "copies").exists()


def test_one_bad_byte_after_megabytes_of_good_utf8_does_not_turn_it_into_cp1258(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"H29.{n};Sở Xây dựng\n" for n in range(100_000)).encode()
    assert len(rows) > 2 << 20
    path.write_bytes(b"Ma;Ten\n" + rows + b"H29.x;S\xe1 X\n")
    form = sniff(path)
    assert (form.encoding, form.damaged) == ("utf-8", True)
    lines = utf8_copy(path, tmp_path / "copies").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "H29.x;S\ufffd X"
    assert lines[1] == "H29.0;Sở Xây dựng"


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_delimiters(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    path.write_text(f'a{delimiter}b{delimiter}c\n1{delimiter}"x, y; z"{delimiter}2,5\n', encoding="utf-8")
    assert sniff(path).delimiter == delimiter
    assert sniff(path).header == ("a", "b", "c")


def test_a_header_alone_has_no_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n\n  \n", encoding="utf-8")
    assert not sniff(path).has_rows


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf \n", "empty_file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01", "not_text"),
        (b"a,b\n1,\x00\x01\x02\n", "not_text"),
        (gzip.compress(TEXT.encode())[:-12], "not_text"),
    ],
    ids=["empty", "blank", "picture", "zero bytes", "cut gzip"],
)
def test_what_is_no_text_is_refused_with_its_fault(tmp_path, content, code):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        sniff(path)
    assert error.value.faults["fault"].tolist() == [code]
    assert "a.csv" in str(error.value)


@given(
    st.lists(st.text("aăâđêôơưáàảãạếộữỳ ,;'0123456789", min_size=1, max_size=30), min_size=2, max_size=20),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_the_copy_is_the_text(tmp_path_factory, lines, encoding):
    folder: Path = tmp_path_factory.mktemp("text")
    text = "id,ten\n" + "\n".join(lines) + "\n"
    (folder / "a.csv").write_bytes(text.encode(encoding))
    assert utf8_copy(folder / "a.csv", folder / "copies").read_text(encoding="utf-8") == text
