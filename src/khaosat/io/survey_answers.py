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
_LISTED = re.compile(r"[,;|]+")
_CODE_AND_LABEL = (
    re.compile(r"[\[(]?(?P<code>\d+)(?P<mark>[\s\])\-–—.:_]+)(?P<label>\S.*)"),
    re.compile(r"(?P<label>\S.*?)\s*(?P<mark>[\[(])(?P<code>\d+)[\])]"),
)
"""``4 - Hài lòng``, ``4. Hài lòng``, ``(4) Hài lòng``; ``Hài lòng (4)``."""
Faults = list[dict[str, object]]


def coded(
    values: pd.Series, item: str, *, questionnaire: Questionnaire, file: str, rows: Sequence[int], column: str
) -> tuple[pd.Series, Faults]:
    """Answers to one question as whole numbers (texts for texts and for several answers), and the cells blanked.

    Each different value is looked at once: a code (``4``, ``4.0``, ``4,0``), the label of an answer in either language,
    or both (``4 - Hài lòng``).
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
        values=[_whole(uniques[codes[i]]) for i in wrong],
    )  # fmt: skip
    for place in [place for place, answer in enumerate(read) if isinstance(answer, _OtherWords)]:
        first = [rows[int(np.argmax(codes == place))]]
        found += faults("other_label", file=file, rows=first, column=column, values=[_whole(uniques[place])])
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


class _OtherWords(int):
    """A code that stands beside words which are no label of the questionnaire."""


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
    code = known.get(str(int(text)) if text.isdecimal() else text, _labelled(text, known))
    return _code_and_label(text, known) if code is None else code


def _labelled(text: str, known: dict[str, int]) -> int | None:
    """The code of a label."""
    return known.get(text.casefold(), known.get(f"={header_key(text)}"))


def _code_and_label(text: str, known: dict[str, int]) -> int | _Wrong:
    """The code of an answer written with its label: the code counts, unless the label is that of another answer.

    Before words that are no label, only a code set off by a mark is one, and only if no other number follows: neither
    ``3 năm`` nor ``1 - 2 lần`` is an answer.
    """
    for form in _CODE_AND_LABEL:
        if found := form.fullmatch(text):
            code, label = known.get(str(int(found["code"]))), _labelled(found["label"], known)
            words = label is None and found["mark"].strip() and not re.search(r"\d", found["label"])
            if code is not None and (label == code or words):
                return code if label == code else _OtherWords(code)
    return _WRONG


def _several(value: object, known: dict[str, int]) -> str | None | _Wrong:
    """Codes of a question with several answers, as XLSForm writes them: ``1 3``."""
    text = _whole(value)
    if text == "":
        return None
    for parts in ([text], _LISTED.split(text), _MANY.split(text)):
        codes = [_one(part, known) for part in parts if part.strip()]
        if not any(isinstance(code, _Wrong) for code in codes):
            return " ".join(str(code) for code in codes)
    return _WRONG


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
