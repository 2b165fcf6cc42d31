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

Deadline = Literal["original", "effective", "portal", "latest"]
Value = str | int | bool | dt.datetime | Sequence[str] | Sequence[dt.datetime]

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

STEP_COLUMNS: Mapping[str, str] = {"step": "step", "unit": "unit"}
"""What ``by`` may name besides in queries on ``spans``: columns of its own."""

Holder = Literal["unit", "officer"]
"""Who has a dossier in hand, for queries on how it passes from one to the next."""

_DUE: Mapping[Deadline, str] = {
    "original": "COALESCE(first_due_at, due_at)",
    "latest": "COALESCE(due_at, first_due_at)",
    "effective": "effective_due",
    "portal": "portal_due",
}
_COMPUTED: Mapping[str, str] = {"effective": "effective_reason", "portal": "portal_reason"}
"""Deadlines that are no column of ``dossiers``, in whose place ``deadlines.sql`` then stands, and why they moved."""
_WITH_DOSSIERS = "LEFT JOIN dossiers ON spans.dossier_id = dossiers.dossier_id"
_SLOT = re.compile(r"\{([a-z_]+)\}")


def group_columns(by: str | Sequence[str] | None, *, steps: bool = False) -> tuple[str, ...]:
    """The columns to group by, checked against the known ones: those of dossiers, and of ``steps`` where asked for.

    >>> group_columns("field"), group_columns(None), group_columns(["field", "step"], steps=True)
    (('field',), (), ('field', 'step'))
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    known = [*COLUMNS, *(STEP_COLUMNS if steps else ())]
    if not set(names) <= set(known) or len(set(names)) < len(names):
        raise KhaosatError(f"cannot group by {list(names)}: name each once, out of {', '.join(known)}")
    return names


def ask(
    engine: Engine,
    name: str,
    *,
    by: tuple[str, ...] = (),
    deadline: Deadline | None = None,
    of: Holder | None = None,
    only: Sequence[str] = (),
    **values: Value,
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
        What counts as due: the first appointment (``original``), the last (``latest``), what the law makes of the first
        (``effective``) or what the national portal makes of it (``portal``).
    of
        Between whom dossiers pass.
    only
        Of the query's columns those of ``by`` and these; no engine works out the others. All by default.
    values
        Values of the query's other slots.
    """
    text = render(name, by=by, deadline=deadline, of=of, **values)
    if only:
        text = f"SELECT {', '.join((*by, *only))} FROM (\n{text}\n) answer"
    frame = cast(pd.DataFrame, engine.query(text).to_pandas())
    if "month" in by:
        # Words are made once a month, not once a row.
        codes, months = pd.factorize(pd.to_datetime(frame["month"]))
        frame["month"] = pd.Series(pd.DatetimeIndex(months).strftime("%Y-%m"), dtype="str").reindex(codes).array
    return frame


def render(
    name: str,
    *,
    by: tuple[str, ...] = (),
    deadline: Deadline | None = None,
    of: Holder | None = None,
    **values: Value,
) -> str:
    """The text of a query with its slots filled, each of them with something known or escaped.

    >>> "WHEN deadline < TIMESTAMP '2026-07-01 00:00:00.000000'" in render(
    ...     "form_06a", deadline="original", ended=["finished"], at_snapshot=True,
    ...     **dict.fromkeys(["start", "finish", "now"], dt.datetime(2026, 7, 1)))
    False
    """
    names = group_columns(by, steps="spans" in _source(name))
    sources = {**COLUMNS, **STEP_COLUMNS}
    slots = {
        "by": "".join(f"{column}, " for column in names),
        "by_source": "".join(f"{sources[column]} AS {column}, " for column in names),
        # Millions of steps are joined with their dossiers only if a column of theirs is asked for.
        "with_dossiers": _WITH_DOSSIERS if set(names) & set(COLUMNS) else "",
        "group_by": f"GROUP BY {', '.join(names)}" if names else "",
        **{key: literal(value) for key, value in values.items()},
    }
    if of is not None:
        if of not in get_args(Holder):
            raise KhaosatError(f"unknown holder {of!r}: {' or '.join(get_args(Holder))}")
        slots["of"] = of
    if deadline is not None:
        if deadline not in _DUE:
            raise KhaosatError(f"unknown deadline {deadline!r}: {' or '.join(get_args(Deadline))}")
        if deadline in _COMPUTED and "{dossiers}" not in _source(name):
            raise KhaosatError(f"query {name!r} knows the appointments only, not the {deadline} deadline")
        computed = f"({_filled('deadlines', slots)}) dossiers" if deadline in _COMPUTED else "dossiers"
        slots |= {"due": _DUE[deadline], "dossiers": computed, "reason": _COMPUTED.get(deadline, "'none'")}
    return _filled(name, slots)


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


def _filled(name: str, slots: Mapping[str, str]) -> str:
    text = _source(name)
    lacking = set(_SLOT.findall(text)) - set(slots)
    if lacking:
        raise KhaosatError(f"query {name!r} needs {', '.join(sorted(lacking))}")
    return _SLOT.sub(lambda match: slots[match[1]], text)


@cache
def _source(name: str) -> str:
    return (resources.files("khaosat.engine") / "queries" / f"{name}.sql").read_text(encoding="utf-8")
