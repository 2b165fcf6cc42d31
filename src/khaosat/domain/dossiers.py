"""DossierLog: the dossiers of a one-stop system, held by an engine, as they stood at one moment."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import pandas as pd

from khaosat.domain.faults import frame as fault_frame
from khaosat.domain.rules import DeadlineRule, deadline_rules, rule_days
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import date, number, say

if TYPE_CHECKING:
    import pyarrow as pa

    from khaosat.domain.calendar import WorkCalendar

ColumnType = Literal["text", "time", "integer"]


def _typed(text: str, *, times: str = "", integers: str = "") -> dict[str, ColumnType]:
    return {
        name: "time" if name in times.split() else "integer" if name in integers.split() else "text"
        for name in text.split()
    }


SCHEMA: Mapping[str, Mapping[str, ColumnType]] = {
    "dossiers": _typed(
        "dossier_id procedure procedure_name field receiving_unit responsible_unit channel applicant_type "
        "submitted_at received_at first_due_at due_at finished_at returned_at status legal_days snapshot_at "
        "source_file source_row",
        times="submitted_at received_at first_due_at due_at finished_at returned_at snapshot_at",
        integers="legal_days source_row",
    ),
    "steps": _typed(
        "dossier_id seq step unit officer status started_at finished_at due_at source_file source_row",
        times="started_at finished_at due_at",
        integers="seq source_row",
    ),
    "supplements": _typed(
        "dossier_id requested_at completed_at reason old_due_at new_due_at source_file source_row",
        times="requested_at completed_at old_due_at new_due_at",
        integers="source_row",
    ),
    "appointments": _typed(
        "dossier_id changed_at old_due_at new_due_at reason apology_sent_at source_file source_row",
        times="changed_at old_due_at new_due_at apology_sent_at",
        integers="source_row",
    ),
}
"""Canonical columns of each table and what they hold; times are local civil time without a zone."""

GRAINS = ("spans", "pauses")
"""Tables at step grain that ``engine/queries/<name>.sql`` makes of the others; a store may hold them ready."""

ENDED = ("finished", "not_accepted", "returned", "stopped", "withdrawn")
"""Statuses of a dossier that is no longer in hand."""


@runtime_checkable
class Engine(Protocol):
    """What khaosat asks of a query engine."""

    def register(self, name: str, source: Sequence[str] | pa.Table) -> None:
        """Make Parquet files (paths or globs) or an Arrow table known as ``name``, in place of what had that name."""

    def query(self, sql: str) -> pa.Table:
        """Answer one SELECT of the portable subset."""

    def close(self) -> None:
        """Give back memory and files."""


@runtime_checkable
class Materialising(Protocol):
    """An engine that can keep an answer where the data are; of others the answer passes through the client."""

    def materialise(self, name: str, sql: str) -> None:
        """Keep the answer of one SELECT as the table ``name``, in place of what had that name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DossierLog:
    """Dossiers and what happened to them, known up to ``as_of``; made by :func:`open_log` or ``read_dossiers``.

    Parameters
    ----------
    engine
        Holds the tables ``dossiers``, ``steps``, ``supplements``, ``appointments``, ``calendar`` (one row an office and
        day), ``offices`` (which office each unit works at; empty where all keep the city's hours) and
        ``deadline_rules`` (the rules in force on each day).
    tables
        Those of the first four that the source really has; the others are registered empty.
    calendar
        Working days and hours.
    rules
        By which due dates move; those built in by default.
    grains
        Those of :data:`GRAINS` that the engine holds already; the others are made when a verb asks for them.
    as_of
        The moment of the snapshot: the last moment the log knows of, in local civil time.
    source
        Where the data come from, in the reader's words.
    faults
        What ingest found wrong (``khaosat.domain.faults``).
    counts
        Rows read, stored and quarantined by ingest.

    Raises
    ------
    DataError
        If ``dossiers`` is absent, a table lacks a canonical column, or ``as_of`` carries a time zone.
    """

    engine: Engine
    tables: frozenset[str]
    calendar: WorkCalendar
    as_of: dt.datetime
    source: str = ""
    faults: pd.DataFrame = field(default_factory=lambda: fault_frame([]))
    counts: Mapping[str, int] = field(default_factory=dict)
    rules: Sequence[DeadlineRule] = field(default_factory=deadline_rules)
    grains: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        unknown = self.tables - set(SCHEMA)
        if unknown:
            raise DataError(f"unknown tables {sorted(unknown)}: a dossier log has {', '.join(SCHEMA)}")
        if "dossiers" not in self.tables:
            raise DataError("a dossier log needs the table 'dossiers'")
        if self.as_of.tzinfo is not None:
            raise DataError(f"as_of {self.as_of} carries a time zone: give local civil time without one")
        lacking = [f"{table}.{column}" for table in sorted(self.tables) for column in self._lacking(table)]
        if lacking:
            raise DataError(f"the dossier log lacks these columns: {', '.join(lacking)}")

    def _lacking(self, table: str) -> list[str]:
        present = set(self.engine.query(f"SELECT * FROM {table} WHERE 1 = 0").column_names)
        return [column for column in SCHEMA[table] if column not in present]

    def _repr_html_(self) -> str:
        lines = [f"{term(table)}: {number(self._count(table))}" for table in SCHEMA if table in self.tables]
        span = self.engine.query("SELECT min(received_at) AS first, max(received_at) AS last FROM dossiers").to_pylist()
        if span[0]["first"] is not None:
            lines.append(say("Received: {first}–{last}", first=date(span[0]["first"]), last=date(span[0]["last"])))
        lines.append(say("Known up to: {moment}", moment=f"{date(self.as_of)} {self.as_of:%H:%M}"))
        if len(self.faults):
            lines.append(say("Faults found on reading: {n}", n=len(self.faults)))
        items = "".join(f"<li>{html.escape(line)}</li>" for line in (*lines, self.source) if line)
        return f"<p><strong>{html.escape(say('Dossier log'))}</strong></p><ul>{items}</ul>"

    def _count(self, table: str) -> int:
        return int(self.engine.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py())


def open_log(
    engine: Engine,
    sources: Mapping[str, Sequence[str] | pa.Table | pd.DataFrame],
    *,
    calendar: WorkCalendar,
    as_of: dt.datetime,
    source: str = "",
    faults: pd.DataFrame | None = None,
    counts: Mapping[str, int] | None = None,
    rules: Sequence[DeadlineRule] | None = None,
) -> DossierLog:
    """Register tables in an engine and name them a log.

    Parameters
    ----------
    engine
        Where the tables go; the log keeps it.
    sources
        Table name → Parquet paths or globs, an Arrow table, or a frame (columns it lacks are filled with nothing);
        of :data:`GRAINS`, paths or Arrow tables.
    calendar, as_of, source, faults, counts, rules
        As in :class:`DossierLog`.

    Examples
    --------
    >>> from khaosat.domain.calendar import WorkCalendar
    >>> from khaosat.engine.duckdb import DuckDBEngine
    >>> moment = dt.datetime(2026, 7, 1, 8)
    >>> frame = pd.DataFrame({"dossier_id": ["NA"], "received_at": [moment]})
    >>> log = open_log(DuckDBEngine(), {"dossiers": frame}, calendar=WorkCalendar.vietnam(), as_of=moment)
    >>> log.engine.query("SELECT dossier_id FROM dossiers").to_pylist()
    [{'dossier_id': 'NA'}]
    """
    for name in SCHEMA:
        given = sources.get(name)
        engine.register(name, as_table(name, pd.DataFrame() if given is None else given)
                        if given is None or isinstance(given, pd.DataFrame) else given)  # fmt: skip
    grains = {name: sources[name] for name in GRAINS if name in sources}
    for name, ready in grains.items():
        engine.register(name, ready)
    known = deadline_rules() if rules is None else rules
    engine.register("calendar", _by_day(calendar.frame()))
    engine.register("offices", _offices_table(calendar))
    engine.register("deadline_rules", _by_day(rule_days(known)))
    return DossierLog(
        engine=engine, tables=frozenset(sources) - set(GRAINS), grains=frozenset(grains), calendar=calendar,
        as_of=as_of, source=source,
        faults=fault_frame([]) if faults is None else faults, counts=dict(counts or {}), rules=known,
    )  # fmt: skip


def as_table(name: str, frame: pd.DataFrame) -> pa.Table:
    """A frame as the canonical Arrow table ``name``; canonical columns that it lacks are empty, others are kept.

    >>> as_table("steps", pd.DataFrame({"dossier_id": ["A"], "seq": [1]})).schema.field("seq").type
    DataType(int64)
    """
    import pyarrow as pa

    kinds = {"text": pa.string(), "time": pa.timestamp("us"), "integer": pa.int64()}
    columns = {}
    for column, kind in SCHEMA[name].items():
        if column not in frame:
            columns[column] = pa.nulls(len(frame), kinds[kind])
            continue
        if isinstance(frame[column].dtype, pd.DatetimeTZDtype):
            raise DataError(f"{name}.{column} carries a time zone: convert it to local civil time first")
        columns[column] = pa.Array.from_pandas(frame[column], type=kinds[kind], safe=False)
    extra = [column for column in frame.columns if column not in columns]
    columns |= {column: pa.Array.from_pandas(frame[column]) for column in extra}
    return pa.table(columns)


def _by_day(frame: pd.DataFrame) -> pa.Table:
    """A table of days with ``day`` as a date, so that every engine joins it on CAST(moment AS DATE)."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table.set_column(table.column_names.index("day"), "day", table["day"].cast(pa.date32()))


def _offices_table(calendar: WorkCalendar) -> pa.Table:
    """``unit`` and ``office``; a unit without a row works by the rows of ``calendar`` whose office is empty.

    The first row is of no unit: of an empty table DuckDB takes every join with it to have no rows, and plans the joins
    after it for none.
    """
    import pyarrow as pa

    units, offices = [None, *calendar.units.keys()], ["", *calendar.units.values()]
    return pa.table({"unit": pa.array(units, pa.string()), "office": pa.array(offices, pa.string())})
