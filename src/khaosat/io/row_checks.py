"""SQL that names the faults which a row shows by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from khaosat.domain.dossiers import SCHEMA
from khaosat.io.casts import Cell, literal
from khaosat.io.mapping import CODED

_VITAL = ("received_at", "first_due_at", "due_at", "finished_at", "snapshot_at")
"""Times of a dossier without which it would be counted wrongly: one that cannot be read refuses the row."""
_NOT_YET_RECEIVED = ("registered", "not_accepted")
_SPANS = (("started_at", "finished_at"), ("requested_at", "completed_at"))


def row_faults(table: str, found: Mapping[str, Cell]) -> str:
    """SQL of the list of a row's faults, from its ``r_`` (texts), ``o_`` (origins) and ``v_`` (values) columns.

    Each fault is a struct of ``origin`` (the source's column), ``value`` (its text) and ``fault`` (a code); a row
    without fault has NULL: to make an empty list for each would cost more than the checks.
    """
    checks = list(_checks(table, found))
    any_of_them = " OR ".join(f"coalesce({condition}, false)" for condition, _, _ in checks)
    faults = ", ".join(
        f"CASE WHEN {condition} THEN {{'origin': o_{name}, 'value': r_{name}, 'fault': {literal(code)}}} END"
        for condition, code, name in checks
    )
    return f"CASE WHEN {any_of_them} THEN list_filter([{faults}], lambda fault: fault IS NOT NULL) END"


def _checks(table: str, found: Mapping[str, Cell]) -> Iterator[tuple[str, str, str]]:
    """What is asked of a row: SQL of the condition, code of the fault, canonical column."""
    yield "v_dossier_id IS NULL", "missing_id", "dossier_id"
    for name in found:
        yield f"r_{name} IS NOT NULL AND v_{name} IS NULL", _unread(table, name), name
    for start, end in _SPANS:
        if {start, end} <= set(found):
            yield f"v_{end} < v_{start}", "negative_duration", end
    if table == "dossiers" and "received_at" in found:
        yield from _dossier_checks(found)


def _dossier_checks(found: Mapping[str, Cell]) -> Iterator[tuple[str, str, str]]:
    waiting = f"coalesce(v_status IN {_NOT_YET_RECEIVED}, false)" if "status" in found else "false"
    yield f"r_received_at IS NULL AND NOT {waiting}", "missing_received", "received_at"
    if "due_at" in found:
        yield "r_due_at IS NULL AND v_received_at IS NOT NULL", "missing_due", "due_at"
        yield _before_reception("due_at"), "due_before_received", "due_at"
    if "finished_at" in found:
        yield _before_reception("finished_at"), "finished_before_received", "finished_at"


def _before_reception(name: str) -> str:
    """SQL: earlier than reception. A time of 00:00 on the source's own clock stands for its whole day."""
    whole_day = f"(v_{name} = date_trunc('day', v_{name}) OR contains(r_{name}, '00:00:00'))"
    return f"v_{name} < v_received_at AND NOT ({whole_day} AND v_{name} + INTERVAL 1 DAY > v_received_at)"


def _unread(table: str, name: str) -> str:
    """The fault of a text that stands for no value."""
    if name in CODED:
        return "bad_code"
    kind = SCHEMA[table][name]
    if kind == "time":
        return "bad_date" if table == "dossiers" and name in _VITAL else "bad_date_cell"
    return "bad_number" if kind == "integer" else "damaged_text"
