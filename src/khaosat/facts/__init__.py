"""Dated, sourced facts: questionnaires, calendars, codes, rules, mappings, words. Package data and its readers.

A city's own facts live in its workspace (``data/facts/``) in the same formats; readers take a path for those.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.errors import FactsError
from khaosat.facts.language import current_language, say

if TYPE_CHECKING:
    import pandas as pd


def locate(name: str) -> Traversable:
    """A built-in fact file or folder, by its path below ``facts/``."""
    place: Traversable = resources.files(__name__)
    for part in name.split("/"):
        place = place / part
    if not (place.is_file() or place.is_dir()):
        raise FactsError(f"no built-in fact {name!r}")
    return place


def read_table(source: str | Path | Traversable) -> pd.DataFrame:
    """A fact table: UTF-8 CSV, every column text, empty cells ``""``, text in NFC.

    Raises
    ------
    FactsError
        If the file is empty, not UTF-8, names a column twice, or has rows of another length than its header (a comma
        in a label that is not in quotes): it would be read askew.

    >>> sorted(read_table("glossary.csv").columns)[:2]
    ['definition', 'identifier']
    """
    # copy-on-write: the caller's changes to the copy never reach the kept table
    return _built_in(source).copy(deep=False) if isinstance(source, str) else _read_csv(source)


@cache
def _built_in(name: str) -> pd.DataFrame:
    return _read_csv(locate(name))


def _read_csv(place: Path | Traversable) -> pd.DataFrame:
    import pandas as pd

    try:
        text = place.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FactsError(say("{file} is not UTF-8: save it as CSV UTF-8.", file=place)) from error
    lines = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if not lines:
        raise FactsError(say("{file} is empty.", file=place))
    header, *rows = [[_nfc(cell) for cell in line] for line in lines]
    if len(set(header)) < len(header):
        raise FactsError(say("{file} names a column twice: {columns}.", file=place, columns=", ".join(header)))
    askew = [str(number) for number, row in enumerate(rows, start=1) if len(row) != len(header)]
    if askew:
        raise FactsError(
            say(
                "{file} has rows longer or shorter than its header (rows {rows}): put text with a comma in quotes.",
                file=place,
                rows=", ".join(askew),
            )  # fmt: skip
        )
    return pd.DataFrame(rows, columns=header, dtype=str)


def term(identifier: str) -> str:
    """The reader's word for a public column or role (``facts/glossary.csv``); the identifier itself if unknown.

    >>> term("numerator")
    'Tử số'
    """
    words = _glossary(current_language())
    return words.get(identifier, identifier)


def privacy_threshold(what: str) -> int:
    """Smallest cell that may be published: ``respondents`` or ``dossiers`` (``facts/rules/privacy.csv``)."""
    table = read_table("rules/privacy.csv")
    return int(table.loc[table["id"] == what, "value"].iloc[0])


@cache
def _glossary(lang: str) -> dict[str, str]:
    table = read_table("glossary.csv")
    return dict(zip(table["identifier"], table[f"term_{lang}"], strict=True))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
