"""Column names of a source, matched without regard to case, diacritics, spaces and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def header_key(text: str) -> str:
    """What two spellings of one name have in common.

    >>> header_key("Mã hồ sơ") == header_key("MaHoSo") == header_key("ma_ho_so")
    True
    """
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(letter for letter in plain if letter.isalnum())


def merged_header(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """One name a column from a header of two rows in which cells are merged.

    A cell merged downwards has its name in the upper row only; under a cell merged sideways the lower row has the name.

    >>> merged_header(["Mã hồ sơ", "Ngày", ""], ["", "tiếp nhận", "hẹn trả"])
    ['Mã hồ sơ', 'tiếp nhận', 'hẹn trả']
    """
    width = max(len(upper), len(lower))
    pairs = zip(_padded(upper, width), _padded(lower, width), strict=True)
    return [below or above for above, below in pairs]


def spanned_header(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Like :func:`merged_header`, but a cell merged sideways lends its words to the names under it.

    >>> spanned_header(["Mã hồ sơ", "Ngày", ""], ["", "tiếp nhận", "hẹn trả"])
    ['Mã hồ sơ', 'Ngày tiếp nhận', 'Ngày hẹn trả']
    """
    width = max(len(upper), len(lower))
    names, span = [], ""
    for above, below in zip(_padded(upper, width), _padded(lower, width), strict=True):
        span = above or (span if below else "")
        names.append(f"{span} {below}".strip())
    return names


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]
