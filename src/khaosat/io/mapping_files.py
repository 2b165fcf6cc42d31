"""Reads mapping files (TOML). A mapping is checked whole: every fault of it is in the one error."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

from khaosat.domain.dossiers import SCHEMA
from khaosat.errors import FactsError
from khaosat.facts import locate, read_table
from khaosat.facts.language import say
from khaosat.io.headers import header_key
from khaosat.io.mapping import CODED, SourceColumn, SourceMapping, SourceTable

_KEYS = {"id", "source", "zone", "stored_in", "times", "nulls", "codes", "personal", *SCHEMA}
_TABLE_KEYS = {"required", "one_per_dossier", "columns"}
_COLUMN_KEYS = {"from", "codes", "blank"}
_TIME = re.compile(r"(?:%[YmdHMSfzbBpIy]|[^%])+")
_DERIVED = {"source_file", "source_row"}


def load_mapping(mapping: str | Path | SourceMapping) -> SourceMapping:
    """A mapping: built in (``dvcqg``, ``receipt``, ``xes``) or one's own TOML file.

    Parameters
    ----------
    mapping
        A built-in id, or a path that ends in ``.toml``.

    Raises
    ------
    FactsError
        The file is not there or is wrong; every fault of it is named.

    Examples
    --------
    >>> load_mapping("dvcqg").tables["steps"].columns["step"].names
    ('NoiDungXuLy',)
    """
    if isinstance(mapping, SourceMapping):
        return mapping
    place: Path | Traversable = Path(mapping)
    if isinstance(mapping, str) and not mapping.endswith(".toml"):
        place = locate(f"mappings/{mapping}.toml")
    try:
        text = place.read_bytes()
        content = tomllib.loads(text.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FactsError(
            say("Mapping {mapping} cannot be read: {reason}", mapping=str(mapping), reason=str(error))
        ) from error
    reader = _Reader()
    result = reader.mapping(content, digest=hashlib.sha256(text).hexdigest())
    if reader.faults:
        head = say("Mapping {mapping} has {n} faults:", mapping=str(mapping), n=len(reader.faults))
        raise FactsError("\n".join([head, *(f"- {fault}" for fault in reader.faults)]))
    return result


class _Reader:
    """Turns parsed TOML into a mapping and keeps every fault met on the way."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def mapping(self, content: Mapping[str, object], *, digest: str) -> SourceMapping:
        self._unknown(content, _KEYS, "")
        zone = self._zone(content, "zone", default="")
        times = self._texts(content, "times", "")
        wrong = [text for text in times if not _TIME.fullmatch(text)]
        self.faults += [say("times: {value} is not a time format", value=repr(text)) for text in wrong]
        system = self._text(content, "codes", "", default="")
        tables = {name: self._table(content, name, system) for name in SCHEMA if name in content}
        if "dossiers" not in tables:
            self.faults.append(say("the table [dossiers] is missing"))
        return SourceMapping(
            id=self._text(content, "id", ""), source=self._text(content, "source", ""), zone=zone,
            stored_in=self._zone(content, "stored_in", default=zone), times=times,
            nulls=self._texts(content, "nulls", ""), tables=tables, digest=digest,
            personal=frozenset(map(header_key, self._texts(content, "personal", ""))),
        )  # fmt: skip

    def _table(self, content: Mapping[str, object], name: str, system: str) -> SourceTable:
        table = self._section(content, name, "")
        self._unknown(table, _TABLE_KEYS, f"{name}.")
        given = self._section(table, "columns", f"{name}.")
        self._unknown(given, set(SCHEMA[name]) - _DERIVED, f"{name}.columns.")
        required = self._texts(table, "required", f"{name}.") or ("dossier_id",)
        place = f"{name}.required"
        self.faults += [
            say("{place}: {value} is not in {columns}", place=place, value=column, columns=f"{name}.columns")
            for column in required
            if column not in given
        ]
        if "dossier_id" not in required:
            self.faults.append(say("{place} must have dossier_id", place=place))
        once = table.get("one_per_dossier", False)
        if not isinstance(once, bool):
            self.faults.append(say("{place} must be true or false", place=f"{name}.one_per_dossier"))
        columns = {c: self._column(given, c, f"{name}.columns.", system) for c in SCHEMA[name] if c in given}
        return SourceTable(columns=columns, required=required, one_per_dossier=bool(once))

    def _column(self, given: Mapping[str, object], column: str, place: str, system: str) -> SourceColumn:
        value = given[column]
        entry = value if isinstance(value, dict) else {"from": value}
        self._unknown(entry, _COLUMN_KEYS, f"{place}{column}.")
        names = entry.get("from")
        names = [names] if isinstance(names, str) else names
        if not (isinstance(names, list) and names and all(isinstance(name, str) and name for name in names)):
            self.faults.append(say("{place} must be a column name or a list of them", place=f"{place}{column}"))
            names = ["?"]
        if column not in CODED:
            self.faults += [
                say("{place} has no codes: drop {key}", place=f"{place}{column}", key=key)
                for key in ("codes", "blank")
                if key in entry
            ]
            return SourceColumn(names=tuple(names), codes={})
        ids, codes = self._codes(column, system)
        own = self._section(entry, "codes", f"{place}{column}.") if "codes" in entry else {}
        blank = self._text(entry, "blank", f"{place}{column}.", default="")
        wrong = {str(code) for code in own.values()} | ({blank} if blank else set())
        self.faults += [
            say("{place}: {value} is not one of {known}", place=f"{place}{column}", value=repr(c), known=", ".join(ids))
            for c in sorted(wrong - set(ids))
        ]
        return SourceColumn(
            names=tuple(names), codes=codes | {header_key(k): str(v) for k, v in own.items()}, blank=blank
        )

    def _codes(self, column: str, system: str) -> tuple[list[str], dict[str, str]]:
        """Canonical ids of a coded column, and what may stand for them: id, words, the code system's own code."""
        table = read_table(f"codes/{column}.csv")
        spellings = ["id", "label_vi", "label_en"]
        if system and system in table:
            spellings.append(system)
        elif system:
            self.faults.append(
                say("codes: {file} has no column {value}", file=f"facts/codes/{column}.csv", value=repr(system))
            )
        codes = {header_key(text): id_ for s in spellings for id_, text in zip(table["id"], table[s], strict=True)}
        return list(table["id"]), {key: id_ for key, id_ in codes.items() if key}

    def _zone(self, content: Mapping[str, object], key: str, *, default: str) -> str:
        zone = self._text(content, key, "", default=default)
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError):  # unknown, a folder of zones, no name of a zone at all
            self.faults.append(say("{place} must be a time zone such as Asia/Ho_Chi_Minh", place=key))
        return zone

    def _text(self, content: Mapping[str, object], key: str, place: str, *, default: str | None = None) -> str:
        value = content.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            self.faults.append(say("{place} must be a text", place=f"{place}{key}"))
            return ""
        return value

    def _texts(self, content: Mapping[str, object], key: str, place: str) -> tuple[str, ...]:
        value = content.get(key, [])
        if not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
            self.faults.append(say("{place} must be a list of texts", place=f"{place}{key}"))
            return ()
        return tuple(value)

    def _section(self, content: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
        value = content.get(key)
        if not isinstance(value, dict):
            self.faults.append(say("{place} must be a table", place=f"{place}{key}"))
            return {}
        return value

    def _unknown(self, content: Mapping[str, object], known: set[str], place: str) -> None:
        self.faults += [
            say("{place} is not known; known: {known}", place=f"{place}{key}", known=", ".join(sorted(known)))
            for key in content
            if key not in known
        ]
