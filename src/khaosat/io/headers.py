"""Column names of a source, matched without regard to case, diacritics, spaces and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence


def header_key(text: str) -> str:
    """What two spellings of one name have in common.

    >>> header_key("Mã hồ sơ") == header_key("MaHoSo") == header_key("ma_ho_so")
    True
    """
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(letter for letter in plain if letter.isalnum())


def merged_header(upper: Sequence[str], lower: Sequence[str], *, knows: Callable[[str], object]) -> list[str]:
    """One name a column from a header of two rows in which cells are merged.

    A cell merged downwards has its name in the upper row only. Under a cell merged sideways stands a name of its own,
    or one that needs the words above it: column by column, the one that is known.

    >>> upper, lower = ["Mã hồ sơ", "Thủ tục", "Ngày", ""], ["", "Mã TTHC", "tiếp nhận", "hẹn trả"]
    >>> merged_header(upper, lower, knows=["Mã TTHC", "Ngày hẹn trả"].__contains__)
    ['Mã hồ sơ', 'Mã TTHC', 'tiếp nhận', 'Ngày hẹn trả']
    """
    width = max(len(upper), len(lower))
    names, span = [], ""
    for above, below in zip(padded(upper, width), padded(lower, width), strict=True):
        span = above or (span if below else "")
        both = f"{span} {below}".strip()
        names.append(both if knows(both) else below or above)
    return names


def padded(cells: Sequence[str], width: int) -> list[str]:
    """A row with the empty cells at its end that a sheet does not write down.

    >>> padded(["4"], 3)
    ['4', '', '']
    """
    return [*cells, *[""] * (width - len(cells))]
