"""What can be wrong with the tables of a questionnaire, all of it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from khaosat.facts.language import say

if TYPE_CHECKING:
    from khaosat.domain.questionnaire import Questionnaire

IndexRule = Literal["asked", "pooled_items", "mean_of_factors", "mean_of_parts"]
Block = Literal["satisfaction", "perception", "expectation", "profile"]

_ROLES = ("", "satisfied", "dont_know")
_WORDINGS = ("", "official", "khaosat")
_COLUMNS = {
    "questions": ("type", "name", "block", "label::vi", "label::en", "part", "factor", "relevant", "wording"),
    "choices": ("list_name", "name", "label::vi", "label::en", "role"),
    "factor_table": ("id", "part", "label::vi", "label::en"),
}
_TYPE = re.compile(r"(?:select_one|select_multiple) (?P<list>\S+)|integer|text")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CODE = re.compile(r"-?\d+")
_TERM = re.compile(r"\$\{(\w+)\}\s*=\s*(?:'(-?\d+)'|(-?\d+))|selected\(\s*\$\{(\w+)\}\s*,\s*'(-?\d+)'\s*\)")


def skip_rule(relevant: str) -> tuple[str, frozenset[int]] | None:
    """The column and values of an XLSForm ``relevant`` expression; None where it is empty.

    Understood are ``${q} = '1'``, ``selected(${q}, '1')`` and several of them on one question joined by ``or``.

    >>> skip_rule("${b5_gate} = '1'")
    ('b5_gate', frozenset({1}))

    Raises
    ------
    ValueError
        If the expression is none of these.
    """
    if not relevant.strip():
        return None
    columns, values = set(), set()
    for term in re.split(r"\s+or\s+", relevant.strip()):
        match = _TERM.fullmatch(term)
        if match is None:
            raise ValueError(f"cannot read the skip rule {relevant!r}")
        columns.add(match[1] or match[4])
        values.add(int(match[2] or match[3] or match[5]))
    if len(columns) > 1:
        raise ValueError(f"the skip rule {relevant!r} names more than one question")
    return columns.pop(), frozenset(values)


def questionnaire_faults(questionnaire: Questionnaire) -> list[str]:
    """Every fault of a questionnaire's tables, in the reader's words; empty when all is well."""
    missing = [
        say("Table {table} has no column {column}.", table=table, column=column)
        for table, columns in _COLUMNS.items()
        for column in columns
        if column not in getattr(questionnaire, table).columns
    ]
    if missing:  # the other checks need the columns
        return missing
    questions, choices, factors = questionnaire.questions, questionnaire.choices, questionnaire.factor_table
    return [
        *_choice_faults(choices),
        *_factor_faults(factors),
        *_question_faults(questions, choices),
        *_place_faults(questions, factors),
        *_skip_faults(questions, choices),
        *_index_faults(questionnaire),
    ]


def _choice_faults(choices: pd.DataFrame) -> Iterator[str]:
    for row, code, name, role in zip(
        _rows(choices), choices["name"], choices["list_name"], choices["role"], strict=True
    ):
        if not _CODE.fullmatch(code):
            yield say("choices, row {row}: code {value} is not a whole number.", row=row, value=_shown(code))
        if role not in _ROLES:
            yield say("choices, row {row}: unknown role {value}.", row=row, value=_shown(role))
        if not name:
            yield say("choices, row {row}: no {column}.", row=row, column="list_name")
    for row, key in _repeated(choices, ["list_name", "name"]):
        yield say("choices, row {row}: {value} is there twice.", row=row, value=_shown(key))
    yield from _unlabelled("choices", choices)


def _factor_faults(factors: pd.DataFrame) -> Iterator[str]:
    for row, key in _repeated(factors, ["id"]):
        yield say("factors, row {row}: {value} is there twice.", row=row, value=_shown(key))
    yield from _unlabelled("factors", factors)


def _question_faults(questions: pd.DataFrame, choices: pd.DataFrame) -> Iterator[str]:
    lists = set(choices["list_name"])
    for row, name, kind, wording in zip(
        _rows(questions), questions["name"], questions["type"], questions["wording"], strict=True
    ):
        match = _TYPE.fullmatch(kind)
        if not _NAME.fullmatch(name):
            yield say("questions, row {row}: name {value} is not letters, digits and _.", row=row, value=_shown(name))
        if match is None:
            yield say("questions, row {row}: unknown type {value}.", row=row, value=_shown(kind))
        elif match["list"] and match["list"] not in lists:
            yield say("questions, row {row}: list {value} is not in choices.", row=row, value=_shown(match["list"]))
        if wording not in _WORDINGS:
            yield say("questions, row {row}: unknown wording {value}.", row=row, value=_shown(wording))
    for row, key in _repeated(questions, ["name"]):
        yield say("questions, row {row}: {value} is there twice.", row=row, value=_shown(key))
    yield from _unlabelled("questions", questions)


def _place_faults(questions: pd.DataFrame, factors: pd.DataFrame) -> Iterator[str]:
    """Blocks, factors and parts that questions name."""
    part_of = dict(zip(factors["id"], factors["part"], strict=True))
    parts = {"", *factors["part"]}
    for row, name, block, factor, part in zip(
        _rows(questions), questions["name"], questions["block"], questions["factor"], questions["part"], strict=True
    ):
        if block not in get_args(Block):
            yield say("questions, row {row}: unknown block {value}.", row=row, value=_shown(block))
        if factor and factor not in part_of:
            yield say("questions, row {row}: factor {value} is not in factors.", row=row, value=_shown(factor))
        elif part not in parts or (factor and part and part != part_of[factor]):
            yield say("questions, row {row}: part {value} does not fit factors.", row=row, value=_shown(part))
        if name in part_of:
            yield say("questions, row {row}: {value} is also the name of a factor.", row=row, value=_shown(name))


def _skip_faults(questions: pd.DataFrame, choices: pd.DataFrame) -> Iterator[str]:
    list_of = dict(zip(questions["name"], questions["type"].str.partition(" ")[2], strict=True))
    codes = set(zip(choices["list_name"], choices["name"], strict=True))
    for row, text in zip(_rows(questions), questions["relevant"], strict=True):
        try:
            rule = skip_rule(text)
        except ValueError:
            yield say(
                "questions, row {row}: cannot read {value}; write relevant as ${{question}} = '1'.",
                row=row, value=_shown(text),
            )  # fmt: skip
            continue
        if rule is None:
            continue
        gate, values = rule
        if gate not in list_of:
            yield say("questions, row {row}: relevant names the unknown question {value}.", row=row, value=_shown(gate))
            continue
        for value in sorted(values):
            if (list_of[gate], str(value)) not in codes:
                yield say(
                    "questions, row {row}: {value} is not an answer to {question}.",
                    row=row, value=_shown(str(value)), question=gate,
                )  # fmt: skip


def _index_faults(questionnaire: Questionnaire) -> Iterator[str]:
    questions, choices, rule = questionnaire.questions, questionnaire.choices, questionnaire.index_rule
    asked = questions[questions["block"] == "satisfaction"]
    positive = set(choices.loc[choices["role"] == "satisfied", "list_name"])
    for name, kind in zip(asked["name"], asked["type"], strict=True):
        if not kind.startswith("select_one ") or kind.partition(" ")[2] not in positive:
            yield say("Satisfaction item {value} has no answer that counts as satisfied.", value=name)
    if rule not in get_args(IndexRule):
        yield say("Unknown index rule {value}.", value=_shown(rule))
    if questionnaire.overall is not None and questionnaire.overall not in set(asked["name"]):
        yield say("The overall question {value} is not a satisfaction item.", value=_shown(questionnaire.overall))
    if rule == "asked" and questionnaire.overall is None:
        yield say("Index rule {value} needs an overall question.", value=rule)
    if rule == "mean_of_parts" and not set(questionnaire.factor_table["part"]) - {""}:
        yield say("Index rule {value} needs parts.", value=rule)
    since, until = questionnaire.valid_from, questionnaire.valid_to
    if since and until and until < since:
        yield say("valid_to {value} lies before valid_from.", value=until.isoformat())


def _unlabelled(table: str, frame: pd.DataFrame) -> Iterator[str]:
    for row, vi, en in zip(_rows(frame), frame["label::vi"], frame["label::en"], strict=True):
        if not (vi or en):
            yield say("{table}, row {row}: no label.", table=table, row=row)


def _repeated(frame: pd.DataFrame, key: list[str]) -> Iterator[tuple[int, str]]:
    rows = frame.assign(_row=_rows(frame))[frame.duplicated(key)]
    for _, entry in rows.iterrows():
        yield int(entry["_row"]), " ".join(str(entry[column]) for column in key)


def _rows(frame: pd.DataFrame) -> range:
    """Data rows count from 1, as in the frame of data faults."""
    return range(1, len(frame) + 1)


def _shown(text: str) -> str:
    return f"“{text}”"
