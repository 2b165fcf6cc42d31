"""A handful of faulty rows, so that quarantine has something to show; every one of them is listed in truth.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from khaosat.facts import read_table
from khaosat.sample.arrivals import Batch
from khaosat.sample.draw import stream
from khaosat.sample.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

_FAULT_STREAM = 4
_SERIAL = 900_000  # no office gives out that many numbers a day


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of faulty row: which cell of which table gets which text; in a row of its own or in an existing one."""

    kind: str
    table: str
    column: str
    value: str
    extra_row: bool


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A faulty row as written: ``row`` counts data rows from 1."""

    kind: str
    file: str
    row: int
    column: str
    value: str

    def as_dict(self) -> dict[str, object]:
        """For truth.json."""
        return asdict(self)


def kinds() -> list[Kind]:
    """The kinds of ``facts/sample/faults.csv``.

    >>> [kind.column for kind in kinds()][:2]
    ['NgayTiepNhan', 'TrangThaiHoSo']
    """
    rows = read_table("sample/faults.csv").to_dict("records")
    return [
        Kind(**{str(k): str(v) for k, v in row.items() if k != "extra_row"}, extra_row=row["extra_row"] == "1")
        for row in rows
    ]


def plan_faults(batches: Sequence[Batch], *, city: Settings, seed: int) -> dict[int, list[tuple[Kind, int]]]:
    """Which batch gets which faulty rows: kind and running number, by batch number."""
    sizes = np.array([batch.size for batch in batches])
    rng = stream(seed, _FAULT_STREAM)
    plan: dict[int, list[tuple[Kind, int]]] = defaultdict(list)
    wanted = [kind for kind in kinds() if kind.table != "khao-sat"]
    repeated = [kind for kind in wanted for _ in range(city.whole("faults.per_kind"))]
    for serial, kind in enumerate(repeated):
        plan[int(rng.choice(len(batches), p=sizes / sizes.sum()))].append((kind, serial))
    return plan


def plant(
    tables: dict[str, pa.Table], faults: list[tuple[Kind, int]], *, written: dict[str, int], files: dict[str, str],
    rng: np.random.Generator,
) -> tuple[dict[str, pa.Table], list[Planted]]:  # fmt: skip
    """Put faulty rows into a batch.

    Parameters
    ----------
    tables
        Rows of the batch by table.
    faults
        Kinds to plant, each with its running number.
    written, files
        Rows already in each table's file, and the file's name.

    Returns
    -------
    The tables with the faults, and where they are.
    """
    planted: list[Planted] = []
    taken: dict[str, set[int]] = defaultdict(set)
    for kind, serial in faults:
        table = tables[kind.table]
        eligible = [row for row in _eligible(table, kind) if row not in taken[kind.table]]
        if not eligible:  # a log of a few dossiers: fewer faults
            continue
        row = int(rng.choice(eligible))
        taken[kind.table].add(row)
        value = _value(table, kind, row=row, serial=_SERIAL + serial)
        if kind.extra_row:
            tables[kind.table] = _append(table, kind, row=row, value=value, serial=_SERIAL + serial)
            row = tables[kind.table].num_rows - 1
            taken[kind.table].add(row)
        else:
            tables[kind.table] = _put(table, kind.column, row=row, value=value)
        at = written[kind.table] + row + 1
        planted.append(Planted(kind=kind.kind, file=files[kind.table], row=at, column=kind.column, value=value))
    return tables, planted


def _eligible(table: pa.Table, kind: Kind) -> list[int]:
    """Rows whose cell is not empty, so that the fault is the only thing wrong with them; of dossiers, ended ones."""
    import pyarrow.compute as pc

    column = "NgayKetThucXuLy" if kind.table == "HoSo" else kind.column
    filled = pc.not_equal(table[column], "")
    return [int(row) for row in np.flatnonzero(filled.to_numpy())]


def _value(table: pa.Table, kind: Kind, *, row: int, serial: int) -> str:
    if kind.kind == "duplicate_id":
        return str(table["MaHoSo"][row].as_py())
    return kind.value.format(serial=serial)


def _append(table: pa.Table, kind: Kind, *, row: int, value: str, serial: int) -> pa.Table:
    """A copy of a row, under a number of its own, with the fault in it: real dossiers stay whole."""
    import pyarrow as pa

    copy = table.slice(row, 1)
    if kind.table == "HoSo":
        office, day, _ = copy["MaHoSo"][0].as_py().rsplit("-", 2)
        copy = _put(copy, "MaHoSo", row=0, value=f"{office}-{day}-{serial}")
    return pa.concat_tables([table, _put(copy, kind.column, row=0, value=value)])


def _put(table: pa.Table, column: str, *, row: int, value: str) -> pa.Table:
    import pyarrow as pa

    cells = table[column].to_pylist()
    cells[row] = value
    return table.set_column(table.schema.get_field_index(column), column, pa.array(cells, type=pa.string()))
