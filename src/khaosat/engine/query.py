"""The queries: SQL files of the portable subset with named slots, filled with known columns and literals only."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal, cast, get_args

import pandas as pd

from khaosat.domain.dossiers import Engine
from khaosat.errors import KhaosatError

Deadline = Literal["original", "latest"]
Value = str | int | bool | dt.datetime | Sequence[str]

COLUMNS: Mapping[str, str] = {
    "procedure": "procedure",
    "procedure_name": "procedure_name",
    "field": "field",
    "receiving_unit": "receiving_unit",
    "responsible_unit": "responsible_unit",
    "channel": "channel",
    "applicant_type": "applicant_type",
    "status": "status",
    "month": "CAST(date_trunc('month', received_at) AS DATE)",
}
"""What ``by`` may name, and the expression over ``dossiers`` behind it; ``month`` is the month of reception."""

_DUE: Mapping[Deadline, str] = {
    "original": "COALESCE(first_due_at, due_at)",
    "latest": "COALESCE(due_at, first_due_at)",
}
_SLOT = re.compile(r"\{([a-z_]+)\}")


def group_columns(by: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns to group by, checked against the known ones.

    >>> group_columns("field"), group_columns(None)
    (('field',), ())
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) < len(names):
        raise KhaosatError(f"cannot group by {list(names)}: name each once, out of {', '.join(COLUMNS)}")
    return names


def ask(
    engine: Engine, name: str, *, by: tuple[str, ...] = (), deadline: Deadline | None = None, **values: Value
) -> pd.DataFrame:
    """The answer to ``queries/<name>.sql`` as a frame; whole numbers stay whole, the month is text (``2026-07``).

    Parameters
    ----------
    engine
        Holds the tables.
    name
        File of the query, without ``.sql``.
    by
        Columns to group by, from :func:`group_columns`.
    deadline
        Which appointment counts as due: the first (``original``) or the last (``latest``).
    values
        Values of the query's other slots.
    """
    frame = cast(pd.DataFrame, engine.query(render(name, by=by, deadline=deadline, **values)).to_pandas())
    if "month" in by:
        frame["month"] = pd.to_datetime(frame["month"]).dt.strftime("%Y-%m")
    return frame


def render(name: str, *, by: tuple[str, ...] = (), deadline: Deadline | None = None, **values: Value) -> str:
    """The text of a query with its slots filled, each of them with something known or escaped.

    >>> "WHEN deadline < TIMESTAMP '2026-07-01 00:00:00.000000'" in render(
    ...     "form_06a", deadline="original", ended=["finished"], at_snapshot=True,
    ...     **dict.fromkeys(["start", "finish", "now"], dt.datetime(2026, 7, 1)))
    False
    """
    names = group_columns(by)
    slots = {
        "by": "".join(f"{column}, " for column in names),
        "by_source": "".join(f"{COLUMNS[column]} AS {column}, " for column in names),
        "group_by": f"GROUP BY {', '.join(names)}" if names else "",
        **{key: literal(value) for key, value in values.items()},
    }
    if deadline is not None:
        if deadline not in _DUE:
            raise KhaosatError(f"unknown deadline {deadline!r}: {' or '.join(get_args(Deadline))}")
        slots["due"] = _DUE[deadline]
    text = _source(name)
    lacking = set(_SLOT.findall(text)) - set(slots)
    if lacking:
        raise KhaosatError(f"query {name!r} needs {', '.join(sorted(lacking))}")
    return _SLOT.sub(lambda match: slots[match[1]], text)


def literal(value: Value) -> str:
    """A value as SQL text that every engine reads the same way; a list becomes the inside of ``IN (…)``.

    >>> literal(dt.datetime(2026, 7, 1)), literal("l'an"), literal(["a", "b"]), literal(True)
    ("TIMESTAMP '2026-07-01 00:00:00.000000'", "'l''an'", "'a', 'b'", 'TRUE')
    """
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case dt.datetime():
            return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return ", ".join(literal(item) for item in value)


@cache
def _source(name: str) -> str:
    return (resources.files("khaosat.engine") / "queries" / f"{name}.sql").read_text(encoding="utf-8")
