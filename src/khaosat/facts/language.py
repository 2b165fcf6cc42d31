"""Words and numbers in the reader's language: Vietnamese unless told otherwise.

Source text is English and is its own message id; ``facts/locale/vi/*.po`` holds the Vietnamese. The language is a
property of the process, like a locale: the environment variable ``KHAOSAT_LANG`` sets it, :func:`language` changes it
for a block. Numbers and dates are Babel's.
"""

from __future__ import annotations

import datetime as dt
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Literal, cast

from khaosat.errors import FactsError

Lang = Literal["vi", "en"]

_language: ContextVar[Lang | None] = ContextVar("khaosat_language", default=None)

# The alphabet of TCVN/Unicode CLDR "vi": đ after d, ă â after a, and so on; tones rank only between equal words.
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_DIGITS = 400
"""Room for any float: the usual 28 digits refuse 1e30."""
_RANK = {letter: rank for rank, letter in enumerate(_ALPHABET)}
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}  # huyền hỏi ngã sắc nặng
_MARKS = {("a", "\u0306"): "ă", ("a", "\u0302"): "â", ("e", "\u0302"): "ê", ("o", "\u0302"): "ô", ("o", "\u031b"): "ơ",
          ("u", "\u031b"): "ư"}  # fmt: skip


def current_language() -> Lang:
    """Language in force: the block's, else ``KHAOSAT_LANG``, else Vietnamese.

    >>> with language("en"):
    ...     current_language()
    'en'
    """
    lang = _language.get() or os.environ.get("KHAOSAT_LANG", "vi")
    if lang not in ("vi", "en"):
        raise FactsError(f"unknown language {lang!r}: KHAOSAT_LANG must be 'vi' or 'en'")
    return cast(Lang, lang)


@contextmanager
def language(lang: Lang) -> Iterator[None]:
    """Speak ``lang`` inside the block.

    >>> with language("en"):
    ...     number(1234.5, 1)
    '1,234.5'
    """
    token = _language.set(lang)
    try:
        yield
    finally:
        _language.reset(token)


@cache
def catalogue(lang: Lang) -> dict[str, str]:
    """All messages of a language, by English message id (empty for English: the id is the text)."""
    from babel.messages.pofile import read_po

    messages: dict[str, str] = {}
    folder = resources.files("khaosat.facts") / "locale" / lang
    if not folder.is_dir():
        return messages
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".po"):
            for message in read_po(BytesIO(file.read_bytes()), locale=lang, abort_invalid=True):
                if message.id and message.string:
                    messages[str(message.id)] = unicodedata.normalize("NFC", str(message.string))
    return messages


def say(msgid: str, /, **values: object) -> str:
    """The message in the current language, its ``{fields}`` filled in.

    Whole numbers are written by the language's rules; anything that needs rounding is worded before it comes here
    (:func:`number`, :func:`percent`).

    >>> with language("en"):
    ...     say("{n} answers are missing.", n=1234)
    '1,234 answers are missing.'
    """
    text = catalogue(current_language()).get(msgid, msgid)
    words = {k: number(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in values.items()}
    return text.format(**words) if words else text


def number(value: float | Decimal, decimals: int = 0) -> str:
    """A number with the language's separators, halves rounded away from zero as spreadsheets and officials do.

    >>> number(1234567.891, 2), number(-0.125, 2)
    ('1.234.567,89', '−0,13')
    """
    from babel.numbers import format_decimal

    # repr is the shortest decimal that is this float: 0.285 is rounded as 0.285, not as 0.28499999999999998
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    with localcontext(prec=_DIGITS):
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP) + 0  # + 0: no minus zero
        text = format_decimal(rounded, format=_pattern(decimals), locale=current_language())
    return text.replace("-", "−")  # a hyphen beside an en dash of an interval cannot be read


def percent(share: float, decimals: int = 1) -> str:
    """A share (0 to 1) as a percentage.

    >>> percent(0.28367), percent(0.285, 0)
    ('28,4%', '29%')
    """
    return number(Decimal(repr(float(share))) * 100, decimals) + "%"


def date(value: dt.date) -> str:
    """A date as the country writes it.

    >>> date(dt.date(2026, 7, 1))
    '01/07/2026'
    """
    return value.strftime("%d/%m/%Y")


def sort_key(text: str) -> tuple[list[int], list[int]]:
    """Key that sorts Vietnamese words as a dictionary does (letters first, tones between equal words).

    >>> sorted(["Đất đai", "Xây dựng", "An toàn", "Ấp", "Dân tộc"], key=sort_key)
    ['An toàn', 'Ấp', 'Dân tộc', 'Đất đai', 'Xây dựng']
    """
    letters: list[int] = []
    tones: list[int] = []
    for char in unicodedata.normalize("NFC", text).lower():
        base, tone = char, 0
        if char not in _RANK:
            parts = unicodedata.normalize("NFD", char)
            tone = next((_TONES[mark] for mark in parts if mark in _TONES), 0)
            base = parts[0]
            for mark in parts[1:]:
                base = _MARKS.get((base, mark), base)
        letters.append(_RANK[base] + 0x110000 if base in _RANK else ord(base))
        tones.append(tone)
    return letters, tones


@cache
def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")
