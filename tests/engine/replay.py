"""Queries as verbs send them, recorded on DuckDB, to be asked again of another engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from khaosat.domain.dossiers import SCHEMA, DossierLog, Engine
from khaosat.engine.duckdb import DuckDBEngine

TABLES = (*SCHEMA, "calendar", "offices", "deadline_rules")


@dataclass
class Recorder:
    """DuckDB, with a list of all it was given, told to keep and asked, in order, and what it answered."""

    duckdb: DuckDBEngine
    events: list[tuple[str, str, pa.Table | str]] = field(default_factory=list)

    def register(self, name: str, source: pa.Table) -> None:
        self.events.append(("register", name, source))
        self.duckdb.register(name, source)

    def materialise(self, name: str, sql: str) -> None:
        self.events.append(("materialise", name, sql))
        self.duckdb.materialise(name, sql)

    def query(self, sql: str) -> pa.Table:
        answer = self.duckdb.query(sql)
        if not any(event[:2] == ("query", sql) for event in self.events):
            self.events.append(("query", sql, answer))
        return answer

    def close(self) -> None:
        self.duckdb.close()

    @property
    def texts(self) -> list[str]:
        """Every SQL text that was sent."""
        return [name if kind == "query" else str(what) for kind, name, what in self.events if kind != "register"]


def register_files(engine: Engine, log: DossierLog, folder: Path) -> None:
    """Give an engine everything that the one of a log was given when it was opened, as Parquet files."""
    for name in TABLES:
        path = folder / f"{name}.parquet"
        pq.write_table(log.engine.query(f"SELECT * FROM {name}"), path)
        engine.register(name, [path.as_posix()])


def differences(engine: Engine, log: DossierLog, recorded: Recorder, folder: Path) -> dict[str, list[str]]:
    """What another engine answers otherwise, by query; it is given the same tables and told the same things."""
    register_files(engine, log, folder)
    found = {}
    for kind, name, what in recorded.events:
        match kind:
            case "query":
                found[name] = same(what, engine.query(name))[:5]
            case "materialise":
                engine.materialise(name, what)
            case "register":
                engine.register(name, what)
    return {sql: lines for sql, lines in found.items() if lines}


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows in an order of their own, values in a form that does not depend on the engine's types."""
    rows = [tuple(_plain(value) for value in row.values()) for row in table.to_pylist()]
    return sorted(
        rows, key=lambda row: tuple(f"{value:.6e}" if isinstance(value, float) else str(value) for value in row)
    )


def _plain(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def same(first: pa.Table, second: pa.Table) -> list[str]:
    """In what two answers differ: names, whole numbers, texts and moments exactly, floats beyond 1e-12.

    DataFusion keeps six digits of a percentile's place between two values: p90, at a place of tenths, to 1e-5.
    """
    if first.column_names != second.column_names:
        return [f"columns {first.column_names} and {second.column_names}"]
    left, right = rows_of(first), rows_of(second)
    if len(left) != len(right):
        return [f"{len(left)} and {len(right)} rows"]
    near = [1e-5 if "p90" in name else 1e-12 for name in first.column_names]
    return [f"{a} and {b}" for a, b in zip(left, right, strict=True) if not all(map(_equal, a, b, near))]


def _equal(a: object, b: object, near: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=near, abs_tol=near)
    return a == b and isinstance(a, float) == isinstance(b, float)
