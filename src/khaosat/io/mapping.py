"""Mappings: how a source's columns, codes, times and zone become khaosat's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from khaosat.io.headers import header_key

CODED = ("status", "channel", "applicant_type")
"""Canonical columns whose values are codes: the ids of ``facts/codes/<column>.csv``."""


@dataclass(frozen=True, kw_only=True)
class SourceColumn:
    """Where one canonical column comes from.

    Parameters
    ----------
    names
        Column names of the source, in order of preference: the first that is not empty counts, row by row.
    codes
        Spelling in the source (:func:`header_key`) → canonical code; empty for columns without codes.
    blank
        What an empty cell means; a code.
    """

    names: tuple[str, ...]
    codes: Mapping[str, str]
    blank: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """One canonical table of a source.

    Parameters
    ----------
    columns
        Canonical name → where it comes from.
    required
        Canonical columns that a file must have to serve this table.
    one_per_dossier
        The file repeats the dossier on each of its rows (an event log); the first row of each counts.
    """

    columns: Mapping[str, SourceColumn]
    required: tuple[str, ...]
    one_per_dossier: bool = False

    def missing(self, header: Iterable[str]) -> list[str]:
        """Required columns that a header lacks, as the source would call them."""
        present = {header_key(name) for name in header}
        columns = [self.columns[name] for name in self.required]
        return [c.names[0] for c in columns if not any(header_key(name) in present for name in c.names)]

    def found(self, header: Iterable[str]) -> int:
        """How many of the table's columns a header has."""
        present = {header_key(name) for name in header}
        return sum(any(header_key(name) in present for name in c.names) for c in self.columns.values())


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceMapping:
    """A source's columns, codes, times and zone; made by ``load_mapping``.

    Parameters
    ----------
    id, source
        What it is called and where the format is written down.
    zone
        Zone of the local civil time that the tables hold.
    stored_in
        Zone of the source's times that carry none.
    times
        Formats of its times (strptime); ISO 8601 is always understood.
    nulls
        Texts that mean nothing, besides the empty one.
    tables
        Canonical table → how it is read.
    personal
        Columns that hold personal data, by :func:`header_key`.
    digest
        SHA-256 of the file.
    """

    id: str
    source: str
    zone: str
    stored_in: str
    times: tuple[str, ...]
    nulls: tuple[str, ...]
    tables: Mapping[str, SourceTable]
    personal: frozenset[str]
    digest: str

    def serves(self, header: Sequence[str]) -> list[str]:
        """Tables whose required columns are all in a header."""
        return [name for name, table in self.tables.items() if not table.missing(header)]

    def nearest(self, header: Sequence[str]) -> str | None:
        """The table that a header resembles most; None if it has nothing but, perhaps, the dossier's number."""
        name = max(self.tables, key=lambda table: self.tables[table].found(header))
        return name if self.tables[name].found(header) > 1 else None

    @cached_property
    def _names(self) -> frozenset[str]:
        """Every column that some table takes."""
        columns = (column for table in self.tables.values() for column in table.columns.values())
        return frozenset(header_key(name) for column in columns for name in column.names)

    def knows(self, name: str) -> bool:
        """Whether a column of the source goes into a table."""
        return header_key(name) in self._names

    def is_personal(self, name: str) -> bool:
        """Whether a column of the source holds personal data."""
        return header_key(name) in self.personal
