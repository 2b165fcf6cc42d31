"""Dated, sourced facts: questionnaires, calendars, codes, rules, mappings, words. Package data and its readers.

A city's own facts live in its workspace (``data/facts/``) in the same formats; readers take a path for those.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.errors import FactsError
from khaosat.facts.language import current_language

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

    >>> sorted(read_table("glossary.csv").columns)[:2]
    ['definition', 'identifier']
    """
    import pandas as pd

    place = locate(source) if isinstance(source, str) else source
    with place.open("rb") as file:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", comment=None)
    frame = frame.rename(columns=_nfc)
    for column in frame.columns:
        frame[column] = frame[column].map(_nfc)
    return frame


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
