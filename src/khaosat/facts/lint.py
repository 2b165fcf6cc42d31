"""Checks every built-in fact file and both catalogues of words: ``python -m khaosat.facts.lint``."""

from __future__ import annotations

import ast
import datetime as dt
import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter

import pandas as pd

from khaosat.errors import FactsError
from khaosat.facts import read_table

FACTS = Path(__file__).parent
CODE = FACTS.parent

GRADES = "ABCDE"
SEVERITIES = ("refused", "blanked", "warning")
UNSOURCED = ("questionnaires", "sample")
"""Folders whose tables need no source of their own: a questionnaire's stands in its TOML, a made-up city has none."""

_KEYS = {
    "calendars/vn.csv": ["day"],
    "calendars/vn_fixed.csv": ["month_day"],
    "codes/faults.csv": ["fault"],
    "glossary.csv": ["identifier"],
    "published/sipas_national.csv": ["year", "indicator", "statistic"],
    "rules/bands.csv": ["set", "band"],
    "rules/pausing_statuses.csv": ["status"],
    "rules/targets.csv": ["set", "indicator"],
}
_PAIRS = ("label::{}", "label_{}", "term_{}", "message_{}", "name_{}")
_NEVER = dt.date.max
_TEMPLATES = (".html", ".j2", ".typ")
_SAY = re.compile(r"""say\(\s*(["'])(.+?)\1""")


def lint(facts: Path = FACTS, code: Path = CODE) -> list[str]:
    """Every finding about the fact tables below ``facts`` and the words used in ``code``; empty when all is well.

    >>> lint.__name__
    'lint'
    """
    findings: list[str] = []
    for file in sorted(facts.rglob("*")):
        if file.suffix in (".csv", ".toml", ".po"):
            name = file.relative_to(facts).as_posix()
            found = list(_text(file))
            if not found and file.suffix == ".csv":
                found = list(_table(file, name))
            elif not found and file.suffix == ".toml" and name.startswith("rules/"):
                found = list(_rule_settings(file))
            findings += [f"{name}: {finding}" for finding in found]
    return [*findings, *_catalogue(facts, code)]


def _text(file: Path) -> Iterator[str]:
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"not UTF-8 ({error})"
        return
    if text.startswith("\ufeff"):
        yield "starts with a byte order mark"
    if "\r" in text:
        yield "has carriage returns"
    for number, line in enumerate(text.splitlines(), start=1):
        if not unicodedata.is_normalized("NFC", line):
            yield f"line {number} is not in NFC"


def _table(file: Path, name: str) -> Iterator[str]:
    try:
        table = read_table(file)
    except FactsError as error:
        yield f"cannot be read ({error})"
        return
    yield from _sources(table, needed=name.split("/")[0] not in UNSOURCED)
    yield from _both_languages(table)
    yield from _periods(table, _key(name, table))
    if name.startswith("rules/"):
        if name not in _KEYS and "id" not in table.columns:
            yield "a rule needs the column id, or nothing finds two of them for the same time"
        yield from _validity(table)
    if name == "codes/faults.csv":
        yield from _fault_codes(table)


def _key(name: str, table: pd.DataFrame) -> list[str]:
    if name in _KEYS:
        return _KEYS[name]
    return ["id"] if "id" in table.columns and not name.startswith("sample/") else list(table.columns)


def _sources(table: pd.DataFrame, *, needed: bool) -> Iterator[str]:
    if "source" not in table.columns:
        if needed:
            yield "has no column source"
        return
    for row in table.index[table["source"] == ""]:
        yield f"row {row + 1} has no source"


def _both_languages(table: pd.DataFrame) -> Iterator[str]:
    for pattern in _PAIRS:
        columns = [pattern.format(lang) for lang in ("vi", "en")]
        present = [column for column in columns if column in table.columns]
        if len(present) == 1:
            yield f"has {present[0]} without its other language"
        for column in present:
            for row in table.index[table[column] == ""]:
                yield f"row {row + 1} has no {column}"


def _periods(table: pd.DataFrame, key: list[str]) -> Iterator[str]:
    """Keys are unique, or their validity dates follow each other without overlap or gap."""
    dates = {}
    for column, empty in (("valid_from", dt.date.min), ("valid_to", _NEVER)):
        if column in table.columns:
            dates[column] = [_date(text, empty) for text in table[column]]
            for row, value in enumerate(dates[column], start=1):
                if value is None:
                    yield f"row {row}: {column} {table[column].iloc[row - 1]!r} is not a date such as 2026-09-02"
    since = dates.get("valid_from", [dt.date.min] * len(table))
    until = dates.get("valid_to", [_NEVER] * len(table))
    spans = table.assign(_since=pd.Series(since, dtype=object), _until=pd.Series(until, dtype=object))
    spans = spans.dropna(subset=["_since", "_until"])
    for _, rows in spans.groupby(key, sort=False):
        named = ", ".join(str(rows[column].iloc[0]) for column in key)
        ordered = sorted(zip(rows["_since"], rows["_until"], strict=True))
        for first, last in ordered:
            if last < first:
                yield f"{named}: valid_to {last} lies before valid_from {first}"
        for (_, last), (following, _) in zip(ordered, ordered[1:], strict=False):
            if following <= last:
                yield f"{named} is there more than once for the same time"
            elif following > last + dt.timedelta(days=1):
                yield f"{named} has a gap between {last} and {following}"


def _validity(table: pd.DataFrame) -> Iterator[str]:
    """A rule says since when it holds, and how well that is known; without an end it still does."""
    lacking = [column for column in ("valid_from", "grade") if column not in table.columns]
    if lacking:
        yield f"a rule needs the columns {', '.join(lacking)}"
        return
    for row in table.index:
        if not table["valid_from"][row]:
            yield f"row {row + 1} has no valid_from"
        if table["grade"][row] not in tuple(GRADES):
            yield f"row {row + 1}: grade {table['grade'][row]!r} is not one of {', '.join(GRADES)}"


def _rule_settings(file: Path) -> Iterator[str]:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        yield f"cannot be read ({error})"
        return
    if not settings.get("source"):
        yield "has no source"
    if not isinstance(settings.get("valid_from"), dt.date):
        yield "has no valid_from that is a date"
    if settings.get("grade") not in tuple(GRADES):
        yield f"grade {settings.get('grade')!r} is not one of {', '.join(GRADES)}"


def _date(text: str, empty: dt.date) -> dt.date | None:
    if not text:
        return empty
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _fault_codes(table: pd.DataFrame) -> Iterator[str]:
    for fault, severity, vi, en in zip(
        table["fault"], table["severity"], table["message_vi"], table["message_en"], strict=True
    ):
        if severity not in SEVERITIES:
            yield f"{fault}: severity {severity!r} is not one of {', '.join(SEVERITIES)}"
        yield from (f"{fault}: {finding}" for finding in _same_fields(en, vi))


def _same_fields(en: str, vi: str) -> Iterator[str]:
    try:
        wanted, got = _fields(en), _fields(vi)
    except ValueError as error:
        yield f"{vi!r} cannot be formatted ({error})"
        return
    if wanted != got:
        yield f"{vi!r} has the fields {sorted(got)}, the English {sorted(wanted)}"


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def _catalogue(facts: Path, code: Path) -> Iterator[str]:
    """Every message said has its Vietnamese, with the same fields, and no Vietnamese is left over."""
    known: dict[str, str] = {}
    for file in sorted((facts / "locale" / "vi").glob("*.po")):
        for msgid, words in _messages(file):
            if known.setdefault(msgid, words) != words:
                yield f"{file.name}: {msgid!r} has another translation elsewhere"
            if not words:
                yield f"{file.name}: {msgid!r} has no translation"
            else:
                yield from (f"{file.name}: {finding}" for finding in _same_fields(msgid, words))
    written: set[str] = set()
    for file in sorted(code.rglob("*")):
        if file.suffix == ".py":
            tree = ast.parse(file.read_text(encoding="utf-8"))
            written |= set(_constants(tree))
            said = _said(tree)
        elif file.suffix in _TEMPLATES:
            said = {(0, match[2]) for match in _SAY.finditer(file.read_text(encoding="utf-8"))}
            written |= {msgid for _, msgid in said}
        else:
            continue
        for line, msgid in sorted(said):
            if msgid not in known:
                yield f"{file.relative_to(code).as_posix()}:{line}: {msgid!r} has no Vietnamese"
    for msgid in sorted(set(known) - written):
        yield f"locale/vi: {msgid!r} is not used"


def _messages(file: Path) -> list[tuple[str, str]]:
    from babel.messages.pofile import read_po

    with file.open("rb") as stream:
        catalogue = read_po(stream, locale="vi", abort_invalid=True)
        return [(str(message.id), str(message.string)) for message in catalogue if message.id]


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _said(tree: ast.Module) -> set[tuple[int, str]]:
    """Line and text of every message said, in place or through a name that the same function or module gives a text."""
    said: set[tuple[int, str]] = set()
    of_module = _assigned(tree.body)
    scopes = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
    for scope in scopes:
        named = of_module if scope is tree else of_module | _assigned(ast.walk(scope))
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
                given = node.args[0]
                values = named.get(given.id, []) if isinstance(given, ast.Name) else [given]
                said |= {(node.lineno, text) for value in values for text in _texts(value)}
    return said


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    named: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, []).append(node.value)
    return named


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)


def main() -> int:
    """Print every finding; 1 if there are any."""
    findings = lint()
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "facts are in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
