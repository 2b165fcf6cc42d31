"""Vietnamese text in one form: composed letters, one place for the tone mark, no diacritics where asked."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD])
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_NEW_STYLE = re.compile(rf"(?<![qQ])([oO])([aAeE])([{_TONES}])(?!\w)|(?<![qQ])([uU])([yY])([{_TONES}])(?!\w)")
_OLD_QUY = re.compile(rf"([qQ][uU])([{_TONES}])([yY])(?!\w)")


def one_form(text: str) -> str:
    """NFC, no invisible characters, single spaces, and the tone mark where most people put it (``hòa``, ``thủy``).

    >>> one_form("hoà  khoẻ, thuý"), one_form("quý toàn"), one_form("qúy")
    ('hòa khỏe, thúy', 'quý toàn', 'quý')
    """
    parts = unicodedata.normalize("NFD", text.translate(_INVISIBLE))
    # ê, ô, ơ and ư are one letter: put them together before looking at what stands beside the tone mark.
    letters = re.sub(rf"(\w)([{_TONES}])([\u0302\u0306\u031b])", r"\1\3\2", parts)
    moved = _NEW_STYLE.sub(
        lambda m: f"{m[1]}{m[3]}{m[2]}" if m[1] else f"{m[4]}{m[6]}{m[5]}", letters
    )  # fmt: skip
    moved = _OLD_QUY.sub(r"\1\3\2", moved)
    return " ".join(unicodedata.normalize("NFC", moved).split())


def without_marks(text: str) -> str:
    """Letters without diacritics, ``đ`` as ``d``.

    >>> without_marks("Đúng hẹn")
    'Dung hen'
    """
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return bare.replace("đ", "d").replace("Đ", "D")


def has_marks(text: str) -> bool:
    """Whether a text is written with Vietnamese diacritics at all.

    >>> has_marks("tre hen"), has_marks("trễ hẹn")
    (False, True)
    """
    return without_marks(text) != unicodedata.normalize("NFC", text)
