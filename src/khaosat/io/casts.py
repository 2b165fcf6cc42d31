"""SQL that turns a source's texts into canonical values, and names each text that would not turn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from khaosat.domain.dossiers import SCHEMA
from khaosat.io.headers import header_key
from khaosat.io.mapping import CODED, SourceColumn, SourceMapping

_DUE = ("first_due_at", "due_at", "old_due_at", "new_due_at")
"""Ends of terms: one that is a date without a time of day lasts to the end of it (Civil Code, article 148.6)."""
_SPACE = " \t\r\n\u00a0\u200b\ufeff"
_ENDS = "!-\u009f\u00a1-\u02ff\u1e00-\u1eff"
CLEAN = f"[{_ENDS}]([ -\u02ff\u1e00-\u1eff]*[{_ENDS}])?"
"""Texts of Latin letters that are in NFC and trimmed already: to ask costs a tenth of making it so."""
_ISO = [f"%Y-%m-%d{gap}%H:%M{tail}" for gap in " T" for tail in (":%S", ":%S.%f", "")]
_ISO_ZONED = [f"%Y-%m-%d{gap}%H:%M:%S{tail}%z" for gap in " T" for tail in ("", ".%f")]
_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_YEARS = "BETWEEN 1990 AND 2099"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One canonical column in SQL.

    Parameters
    ----------
    text
        The source's text, trimmed and in NFC, from its columns ``c0`` …; NULL where there is none.
    origin
        Name of the source's column, likewise.
    value
        The canonical value, from a column ``r_<name>`` that holds the text.
    """

    text: str
    origin: str
    value: str


def cells(
    mapping: SourceMapping, table: str, *, header: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> dict[str, Cell]:
    """The canonical columns of a table that a header has; ``known`` holds the codes of each coded column by text."""
    result = {}
    for name, column in mapping.tables[table].columns.items():
        texts = source_texts(column, header, nulls=mapping.nulls)
        if texts:
            result[name] = Cell(
                text=f"coalesce({', '.join(texts.values())})",
                origin=_origin(texts),
                value=_value(table, name, mapping, column, known.get(name, {})),
            )
    return result


def source_texts(column: SourceColumn, header: Sequence[str], *, nulls: Sequence[str]) -> dict[str, str]:
    """The source's columns of one canonical column, each with the SQL of its text."""
    where = {header_key(name): number for number, name in reversed(list(enumerate(header))) if name}
    found = {}
    for name in column.names:
        number = where.get(header_key(name))
        if number is not None:
            cleaned = f"nullif(trim(nfc_normalize(c{number}), {literal(_SPACE)}), '')"
            text = f"CASE WHEN regexp_full_match(c{number}, {literal(CLEAN)}) THEN c{number} ELSE {cleaned} END"
            for null in nulls:
                text = f"nullif({text}, {literal(null)})"
            found[header[number]] = text
    return found


def typed_rows(raw: str, table: str, *, found: Mapping[str, Cell], faults: str) -> str:
    """SQL of the rows of a raw table with ``v_<name>`` (values), ``r_<name>`` (texts) and ``faults``, a list."""
    texts = ", ".join(f"{cell.text} AS r_{name}, {cell.origin} AS o_{name}" for name, cell in found.items())
    values = ", ".join(f"{cell.value} AS u_{name}" for name, cell in found.items())
    likely = ", ".join(f"{_likely(table, name)} AS v_{name}" for name in found)
    return (
        f"SELECT *, {faults} AS faults FROM (SELECT *, {likely} FROM (SELECT *, {values} FROM ("
        f"SELECT row, {texts} FROM {raw})))"
    )


def _likely(table: str, name: str) -> str:
    """SQL of a value; a time far off any dossier's is none."""
    return f"CASE WHEN year(u_{name}) {_YEARS} THEN u_{name} END" if SCHEMA[table][name] == "time" else f"u_{name}"


def literal(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def time_value(text: str, *, mapping: SourceMapping, end_of_day: bool = False) -> str:
    """SQL of the local civil time that a text names, NULL if it names none between 1990 and 2099."""
    formats = [*mapping.times, *_ISO, *_ISO_ZONED, "%Y-%m-%d"]
    zoned = [f for f in formats if "%z" in f]
    timed = [f for f in formats if "%z" not in f and re.search("%[HI]", f)]
    dated = [f for f in formats if "%z" not in f and not re.search("%[HI]", f)]
    local = _parsed(text, timed)
    if mapping.stored_in != mapping.zone:
        local = f"timezone({literal(mapping.zone)}, timezone({literal(mapping.stored_in)}, {local}))"
    instant = f"timezone({literal(mapping.zone)}, {_parsed(f'''replace({text}, 'Z', '+00')''', zoned)})"
    day = _parsed(text, dated) + (" + INTERVAL 86399 SECOND" if end_of_day else "")
    return f"coalesce({local}, {instant}, {day})"


def _parsed(text: str, formats: Sequence[str]) -> str:
    """SQL that tries formats in turn; those without separators need their full width (DuckDB reads a short one)."""
    compact = [f for f in formats if re.fullmatch("(%[YmdHMS])+", f)]
    tries = [
        f"CASE WHEN length({text}) = {sum(_WIDTHS[letter] for letter in f[1::2])} "
        f"THEN try_strptime({text}, {literal(f)}) END"
        for f in compact
    ]
    spaced = [literal(f) for f in dict.fromkeys(formats) if f not in compact]
    return f"coalesce({', '.join([*tries, f'try_strptime({text}, [{chr(44).join(spaced)}])'])})"


def _value(table: str, name: str, mapping: SourceMapping, column: SourceColumn, known: Mapping[str, str]) -> str:
    text = f"r_{name}"
    if name in CODED:
        cases = "".join(f" WHEN {literal(source)} THEN {literal(code)}" for source, code in known.items())
        value = f"CASE {text}{cases} ELSE NULL END" if cases else "CAST(NULL AS VARCHAR)"
        return f"CASE WHEN {text} IS NULL THEN {literal(column.blank)} ELSE {value} END" if column.blank else value
    match SCHEMA[table][name]:
        case "time":
            return time_value(text, mapping=mapping, end_of_day=name in _DUE)
        case "integer":
            number = f"try_cast(replace({text}, ',', '.') AS DOUBLE)"
            whole = f"{number} BETWEEN 0 AND 99999 AND {number} = floor({number})"
            return f"CASE WHEN {whole} THEN CAST({number} AS INTEGER) END"
        case _:
            return f"CASE WHEN NOT contains({text}, '\ufffd') THEN {text} END"


def _origin(texts: Mapping[str, str]) -> str:
    """SQL of the source column's name: the first that is not empty, else the first."""
    names = list(texts)
    cases = "".join(f" WHEN {texts[name]} IS NOT NULL THEN {literal(name)}" for name in names)
    return f"CASE{cases} ELSE {literal(names[0])} END" if len(names) > 1 else literal(names[0])
