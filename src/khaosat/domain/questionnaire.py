"""What was asked: blocks, factors, items, answer scales, skip rules, and how the index is put together."""

from __future__ import annotations

import datetime as dt
import html
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

import pandas as pd

from khaosat.domain.questionnaire_faults import Block, IndexRule, questionnaire_faults, skip_rule
from khaosat.errors import FactsError
from khaosat.facts import locate, read_table
from khaosat.facts.language import current_language, date, say

INDEX = "index"
"""The name under which :meth:`Questionnaire.label` and the factor table know the overall index."""

_FILES = {
    "questions.csv": ("label::vi", "label::en", "part", "factor", "relevant", "wording"),
    "choices.csv": ("label::vi", "label::en", "role"),
    "factors.csv": ("id", "part", "label::vi", "label::en"),
}
"""Columns that may be left out of each file; the others are asked for by the check."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Questionnaire:
    """A questionnaire: what every question asks, how it is answered and where it stands in the index.

    Parameters
    ----------
    id
        Stable ASCII identifier, such as ``sipas_2023``.
    title_vi, title_en
        Title in both languages.
    questions
        XLSForm's first sheet: ``type`` (``select_one LIST``, ``select_multiple LIST``, ``integer``, ``text``),
        ``name``, ``label::vi``, ``label::en``, ``block`` (``satisfaction``, ``perception``, ``expectation``,
        ``profile``), ``part``, ``factor``, ``relevant``, ``wording`` (``official`` or ``khaosat``). A satisfaction
        question with a part and no factor is the part's own overall question ("nói chung").
    choices
        XLSForm's second sheet: ``list_name``, ``name`` (whole-number code), ``label::vi``, ``label::en``, ``role``
        (``satisfied`` counts as satisfied, ``dont_know`` is not an answer).
    factor_table
        ``id``, ``part``, ``label::vi``, ``label::en`` of every factor; a part is labelled by a row of its own with an
        empty ``part``, the index by the row ``index``.
    index_rule
        How the index is made from the items: ``asked`` (the overall question), ``pooled_items`` (all items of all
        factors alike), ``mean_of_factors``, ``mean_of_parts``.
    overall
        Name of the question about satisfaction as a whole; None if it was not asked.
    valid_from, valid_to
        First and last day on which the instrument was in force; None if open.
    source, grade
        Where it comes from, and how sure that is (A official text … E recollection).

    Raises
    ------
    FactsError
        With every fault of the tables, not only the first.

    Notes
    -----
    Annex and formulas of Quyết định 1001/QĐ-BNV (2023) are not public, so the index rule is a parameter. For
    ``sipas_2023`` the default is ``pooled_items``, grade D: the figures published for 2023 and 2024 imply a weight of
    the policy part in [0.615, 0.640]. The plain mean of the two parts (0.5) is therefore refuted, and pooling 32 policy
    and 19 service items (0.627) fits. The nine policy groups asked since 2023 make it 36 of 55 items (0.655); with
    parts half a point apart that moves the index by 0.02 points, far inside its interval.

    Examples
    --------
    >>> sipas = load_questionnaire("sipas_2023")
    >>> sipas.parts, len(sipas.items(part="policy")), len(sipas.items(part="service"))
    (['policy', 'service'], 36, 19)
    >>> sipas.levels("s1_1"), sipas.satisfied("s1_1"), sipas.dont_know("s1_1")
    ((1, 2, 3, 4, 5), (4, 5), (9,))
    """

    id: str
    title_vi: str
    title_en: str
    questions: pd.DataFrame
    choices: pd.DataFrame
    factor_table: pd.DataFrame
    index_rule: IndexRule = "pooled_items"
    overall: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    source: str = ""
    grade: str = ""

    def __post_init__(self) -> None:
        faults = questionnaire_faults(self)
        if faults:
            head = say("Questionnaire {id} has {n} faults:", id=self.id, n=len(faults))
            raise FactsError("\n".join([head, *(f"- {fault}" for fault in faults)]))

    @property
    def title(self) -> str:
        """Title in the reader's language."""
        return (self.title_vi if current_language() == "vi" else self.title_en) or self.id

    @property
    def factors(self) -> list[str]:
        """Identifiers of the factors that have satisfaction items, in the order asked."""
        rows = self.questions[(self.questions["block"] == "satisfaction") & (self.questions["factor"] != "")]
        return list(dict.fromkeys(rows["factor"]))

    @property
    def parts(self) -> list[str]:
        """Identifiers of the parts of those factors, in the order asked (none if the questionnaire has no parts)."""
        return list(dict.fromkeys(part for factor in self.factors if (part := self.part_of(factor))))

    def items(self, block: Block | None = None, factor: str | None = None, part: str | None = None) -> list[str]:
        """Names of the questions of a block, factor or part, in the order asked.

        The items of a part are those of its factors; its overall question is :meth:`overall_of`.
        """
        rows = self.questions
        if block is not None:
            rows = rows[rows["block"] == block]
        if factor is not None:
            rows = rows[rows["factor"] == factor]
        if part is not None:
            rows = rows[[name != "" and self.part_of(name) == part for name in rows["factor"]]]
        return list(rows["name"])

    def part_of(self, factor: str) -> str:
        """The part that a factor belongs to (``""`` if none)."""
        return self._factor_rows[factor]["part"]

    def overall_of(self, part: str) -> str | None:
        """The question that asks about a part as a whole ("nói chung"), if there is one."""
        rows = self.questions
        rows = rows[(rows["block"] == "satisfaction") & (rows["part"] == part) & (rows["factor"] == "")]
        return str(rows["name"].iloc[0]) if len(rows) else None

    def label(self, name: str) -> str:
        """Label of a question, factor, part or the index in the reader's language; the name itself if unknown."""
        row = self._question_rows.get(name) or self._factor_rows.get(name)
        if row is None:
            return self.title if name == INDEX else name
        return _label(row) or name

    def choice_labels(self, item: str) -> dict[int, str]:
        """Labels of the answers of an item by code, don't-know codes included."""
        return {code: _label(row) for code, row in self._codes(item).items()}

    def levels(self, item: str) -> tuple[int, ...]:
        """Codes that are answers (don't-know codes are not); empty for numbers and text."""
        return tuple(code for code, row in self._codes(item).items() if row["role"] != "dont_know")

    def satisfied(self, item: str) -> tuple[int, ...]:
        """Codes that count as satisfied."""
        return tuple(code for code, row in self._codes(item).items() if row["role"] == "satisfied")

    def dont_know(self, item: str) -> tuple[int, ...]:
        """Codes of "don't know" and "no opinion"."""
        return tuple(code for code, row in self._codes(item).items() if row["role"] == "dont_know")

    def relevant(self, item: str) -> tuple[str, frozenset[int]] | None:
        """Skip rule: the column and its values for which the item is asked; None if it is asked of everyone."""
        return skip_rule(self._question(item)["relevant"])

    def kind(self, item: str) -> str:
        """``select_one``, ``select_multiple``, ``integer`` or ``text``."""
        return self._question(item)["type"].split()[0]

    @cached_property
    def _question_rows(self) -> dict[str, dict[str, str]]:
        return {str(row["name"]): row for row in _records(self.questions)}

    @cached_property
    def _factor_rows(self) -> dict[str, dict[str, str]]:
        return {str(row["id"]): row for row in _records(self.factor_table)}

    @cached_property
    def _lists(self) -> dict[str, dict[int, dict[str, str]]]:
        lists: dict[str, dict[int, dict[str, str]]] = {}
        for row in _records(self.choices):
            lists.setdefault(row["list_name"], {})[int(row["name"])] = row
        return lists

    def _question(self, item: str) -> dict[str, str]:
        if item not in self._question_rows:
            raise KeyError(f"{item!r} is not a question of {self.id}")
        return self._question_rows[item]

    def _codes(self, item: str) -> dict[int, dict[str, str]]:
        _, _, name = self._question(item)["type"].partition(" ")
        return self._lists[name] if name else {}

    def _repr_html_(self) -> str:
        counts = say(
            "{questions} questions, {factors} factors, {parts} parts",
            questions=len(self.questions), factors=len(self.factors), parts=len(self.parts),
        )  # fmt: skip
        since = say("in force from {day}", day=date(self.valid_from)) if self.valid_from else ""
        lines = [counts, since, self.source]
        body = "".join(f"<li>{html.escape(line)}</li>" for line in lines if line)
        return f"<p><strong>{html.escape(self.title)}</strong></p><ul>{body}</ul>"


def load_questionnaire(id_or_folder: str | Path) -> Questionnaire:
    """A built-in questionnaire by its id, or one's own from a folder.

    Parameters
    ----------
    id_or_folder
        ``sipas_2023`` (QĐ 1001/QĐ-BNV), ``sipas_2017`` (QĐ 2640/QĐ-BNV), or a folder with ``questions.csv`` and
        ``choices.csv``; ``factors.csv`` and ``questionnaire.toml`` may be left out of a folder.

    Returns
    -------
    Questionnaire
        Checked in full.

    Examples
    --------
    >>> load_questionnaire("sipas_2017").factors
    ['access', 'procedure', 'officials', 'result', 'feedback']
    """
    folder = _folder(id_or_folder)
    about = _about(folder)
    tables = {name: _table(folder, name, columns) for name, columns in _FILES.items()}
    return Questionnaire(
        id=str(about.get("id", folder.name)),
        title_vi=str(about.get("title_vi", "")),
        title_en=str(about.get("title_en", "")),
        questions=tables["questions.csv"],
        choices=tables["choices.csv"],
        factor_table=tables["factors.csv"],
        index_rule=cast(IndexRule, about.get("index_rule", "pooled_items")),
        overall=cast("str | None", about.get("overall") or None),
        valid_from=cast("dt.date | None", about.get("valid_from")),
        valid_to=cast("dt.date | None", about.get("valid_to")),
        source=str(about.get("source", "")),
        grade=str(about.get("grade", "")),
    )


def _folder(id_or_folder: str | Path) -> Traversable:
    if isinstance(id_or_folder, str):
        built_in = locate("questionnaires")
        if id_or_folder in {place.name for place in built_in.iterdir()}:
            return built_in / id_or_folder
    folder = Path(id_or_folder)
    missing = [name for name in ("questions.csv", "choices.csv") if not (folder / name).is_file()]
    if missing:
        raise FactsError(
            say("{folder} is not a questionnaire: {files} not found.", folder=folder, files=", ".join(missing))
        )
    return folder


def _about(folder: Traversable) -> dict[str, object]:
    place = folder / "questionnaire.toml"
    if not place.is_file():
        return {}
    try:
        return tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FactsError(say("{file} cannot be read: {reason}", file=place, reason=error)) from error


def _table(folder: Traversable, name: str, optional: tuple[str, ...]) -> pd.DataFrame:
    place = folder / name
    frame = read_table(place) if place.is_file() else pd.DataFrame(columns=list(optional), dtype=str)
    return frame.assign(**{column: "" for column in optional if column not in frame.columns})


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", frame.to_dict("records"))


def _label(row: dict[str, str]) -> str:
    lang = current_language()
    return row[f"label::{lang}"] or row["label::en" if lang == "vi" else "label::vi"]
