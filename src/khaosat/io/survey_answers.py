"""From what a file says to the codes of the questionnaire; what it does not know is blanked and reported."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from khaosat.domain.faults import faults
from khaosat.domain.questionnaire import Questionnaire
from khaosat.facts.language import Lang, language
from khaosat.io.headers import header_key

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+(?:[.,]\d+)?)(?:[eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"0\d")
_IDENTIFIER = re.compile(r"(?:^|_)(?:id|code)$")
_MANY = re.compile(r"[\s,;|]+")
Faults = list[dict[str, object]]


def coded(
    values: pd.Series, item: str, *, questionnaire: Questionnaire, file: str, rows: Sequence[int], column: str
) -> tuple[pd.Series, Faults]:
    """Answers to one question as whole numbers (texts for texts and for several answers), and the cells blanked.

    Each different value is looked at once: a code (``4``, ``4.0``, ``4,0``) or the label of an answer in either
    language.
    """
    kind = questionnaire.kind(item)
    if kind == "text":
        return tidy_text(values), []
    codes, uniques = pd.factorize(values)
    known = _answers(questionnaire, item) if kind != "integer" else None
    read = [_several(value, known or {}) if kind == "select_multiple" else _one(value, known) for value in uniques]
    bad = np.array([answer is _WRONG for answer in read] + [False])[codes]
    answers = [None if answer is _WRONG else answer for answer in read] + [None]
    dtype = "str" if kind == "select_multiple" else "Int64"
    result = pd.Series(answers, dtype=dtype).take(codes).set_axis(values.index)
    wrong = np.flatnonzero(bad).tolist()
    found = faults(
        "not_whole" if kind == "integer" else "off_scale", file=file, rows=[rows[i] for i in wrong], column=column,
        values=[uniques[codes[i]] for i in wrong],
    )  # fmt: skip
    return result, found


def tidy(values: pd.Series, name: str) -> pd.Series:
    """A column that is no question: numbers if every value is one (a decimal comma too), else text in NFC.

    Identifiers stay text, and so does a column in which a number starts with a zero, since that is part of a code.

    >>> tidy(pd.Series(["12,5", "", "1.200,25"]), "weight").tolist()
    [12.5, nan, 1200.25]
    >>> tidy(pd.Series(["01", "12"]), "ward").tolist()
    ['01', '12']
    """
    if not (pd.api.types.is_string_dtype(values) or pd.api.types.is_object_dtype(values)):
        return values
    texts = tidy_text(values)
    given = texts.dropna().unique()
    if _IDENTIFIER.search(name.lower()) or not len(given):
        return texts
    if not all(_NUMBER.fullmatch(text) and not _LEADING_ZERO.match(text) for text in given):
        return texts
    numbers = {text: number(text) for text in given}
    return texts.map(numbers).astype(float)


def tidy_text(values: pd.Series) -> pd.Series:
    """Texts in NFC without outer spaces; empty ones are missing."""
    codes, uniques = pd.factorize(values)
    texts = [_nfc(value) or None for value in uniques]
    return pd.Series([*texts, None], dtype="str").take(codes).set_axis(values.index)


def number(text: str) -> float:
    """A number as Vietnamese or English files write it.

    >>> number("1.234,5"), number("0,75"), number("0.75")
    (1234.5, 0.75, 0.75)
    """
    return float(text.replace(".", "").replace(",", ".") if "," in text else text)


class _Wrong:
    """Marks a value that is no answer."""


_WRONG = _Wrong()


def _answers(questionnaire: Questionnaire, item: str) -> dict[str, int]:
    """Codes of an item by what a file may call them; labels that several answers share (but for diacritics) are not
    told apart by them.
    """
    codes = {*questionnaire.levels(item), *questionnaire.dont_know(item)}
    known: dict[str, set[int]] = {}
    for lang in get_args(Lang):
        with language(lang):
            for code, label in questionnaire.choice_labels(item).items():
                for key in (_nfc(label).casefold(), f"={header_key(label)}"):
                    known.setdefault(key, set()).add(code)
    labels = {key: min(found) for key, found in known.items() if len(found) == 1}
    return labels | {str(code): code for code in codes}


def _one(value: object, known: dict[str, int] | None) -> int | None | _Wrong:
    """A single answer: its code, None if blank; with no answers known, any whole number."""
    text = _whole(value)
    if text == "":
        return None
    if known is None:
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else _WRONG
    return known.get(text, known.get(text.casefold(), known.get(f"={header_key(text)}", _WRONG)))


def _several(value: object, known: dict[str, int]) -> str | None | _Wrong:
    """Codes of a question with several answers, as XLSForm writes them: ``1 3``."""
    text = _whole(value)
    if text == "":
        return None
    single = _one(text, known)
    codes = [single] if not isinstance(single, _Wrong) else [_one(part, known) for part in _MANY.split(text)]
    return _WRONG if any(isinstance(code, _Wrong) for code in codes) else " ".join(str(code) for code in codes)


def _whole(value: object) -> str:
    """A value as text; a whole number without decimals, whatever type or separator it came with."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return str(int(value)) if float(value).is_integer() else str(value)
    text = _nfc(value)
    return re.sub(r"[.,]0+$", "", text) if re.fullmatch(r"[+-]?\d+[.,]0+", text) else text


def _nfc(value: object) -> str:
    return unicodedata.normalize("NFC", str(value)).strip()
