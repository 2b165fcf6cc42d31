"""Reads the dated hours of single offices: Saturday mornings, summer hours, make-up days; every fault at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.calendar_table import DAYS, FIRST_DAY, LAST_DAY, four_columns, parse_sessions
from khaosat.domain.office_clock import Hours
from khaosat.errors import FactsError
from khaosat.facts import read_table
from khaosat.facts.language import say

Bools = NDArray[np.bool_]

KINDS = ("work", "duty", "off")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(rf"({'|'.join(_WEEKDAYS)})(?:-({'|'.join(_WEEKDAYS)}))?")
_COLUMNS = ("office", "valid_from", "valid_to", "day", "kind", "sessions")

_WEEKDAY: NDArray[np.int64] = (DAYS.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday


@dataclass(frozen=True, eq=False, kw_only=True)
class _Rule:
    """One row: an office's hours on some days; ``dated`` if it names one date."""

    row: int
    office: str
    days: Bools
    weekdays: tuple[int, ...]
    kind: str
    times: tuple[int, ...]

    @property
    def dated(self) -> bool:
        return not self.weekdays


def read_offices(place: Path, *, works: Bools, hours: Hours) -> dict[str, tuple[Bools, Hours]]:
    """Working days and hours of each office of a table, on top of the city's; the city's own under the name ``""``.

    Parameters
    ----------
    place
        As described at :meth:`khaosat.domain.calendar.WorkCalendar.with_offices`.
    works, hours
        The city's.

    Raises
    ------
    FactsError
        With every fault of the file.
    """
    frame = _read(place, _COLUMNS)
    rules, faults = [], []
    for row, cells in enumerate(frame[list(_COLUMNS)].itertuples(index=False, name=None), start=1):
        found = list(_cell_faults(row, dict(zip(_COLUMNS, cells, strict=True))))
        faults += found
        if not found:
            rules.append(_rule(row, dict(zip(_COLUMNS, cells, strict=True))))
    faults += _overlaps(rules)
    _refuse(place, faults)
    city = _apply([rule for rule in rules if not rule.office], works, hours)
    offices = sorted({rule.office for rule in rules if rule.office})
    return {"": city, **{name: _apply([rule for rule in rules if rule.office == name], *city) for name in offices}}


def read_units(place: Path, *, offices: set[str]) -> dict[str, str]:
    """Office of each unit, from a CSV with the columns ``unit`` and ``office``."""
    frame = _read(place, ("unit", "office"))
    twice = frame["unit"][frame["unit"].duplicated()].unique()
    faults = [say("Unit {unit} is there twice.", unit=unit) for unit in twice]
    unknown = sorted(set(frame["office"]) - offices)
    faults += [say("Office {office} has no hours in the table of offices.", office=repr(office)) for office in unknown]
    _refuse(place, faults)
    return dict(zip(frame["unit"], frame["office"], strict=True))


def _apply(rules: list[_Rule], works: Bools, hours: Hours) -> tuple[Bools, Hours]:
    """Weekday rules first, then the dates."""
    days, times = works.copy(), hours.copy()
    make_up = works & (_WEEKDAY >= 5)
    for rule in sorted(rules, key=lambda rule: rule.dated):
        on = rule.days
        if not rule.dated:
            weekday = np.isin(_WEEKDAY, rule.weekdays)
            on = on & ((weekday & ~make_up & (works | (_WEEKDAY >= 5))) | (make_up & (0 in rule.weekdays)))
        days[on] = rule.kind == "work"
        times[:, on] = np.array(rule.times, dtype=np.int64)[:, None]
    days.flags.writeable = times.flags.writeable = False
    return days, times


def _rule(row: int, cells: dict[str, str]) -> _Rule:
    since = np.datetime64(cells["valid_from"], "D") if cells["valid_from"] else FIRST_DAY
    until = np.datetime64(cells["valid_to"], "D") if cells["valid_to"] else LAST_DAY
    days: Bools = (since <= DAYS) & (until >= DAYS)
    weekdays = _weekdays(cells["day"])
    if not weekdays:
        days = np.datetime64(cells["day"], "D") == DAYS
    times = four_columns(parse_sessions(cells["sessions"].split())) if cells["sessions"] else (0, 0, 0, 0)
    return _Rule(
        row=row, office=cells["office"], days=days, weekdays=weekdays, kind=cells["kind"], times=times
    )  # fmt: skip


def _weekdays(text: str) -> tuple[int, ...]:
    """Numbers of the weekdays of ``mon`` or ``mon-fri`` (Monday is 0); none for anything else."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return ()
    first = _WEEKDAYS.index(match[1])
    return tuple(range(first, _WEEKDAYS.index(match[2] or match[1]) + 1))


def _cell_faults(row: int, cells: dict[str, str]) -> Iterator[str]:
    dates = {name: cells[name] for name in ("valid_from", "valid_to") if cells[name]}
    if not _weekdays(cells["day"]):
        dates["day"] = cells["day"]
    wrong = [name for name, text in dates.items() if not _is_date(text)]
    for name in wrong:
        yield say("Row {row}: {column} {value} is not a date such as 2026-09-02 in 2009-2030.", row=row, column=name,
                  value=repr(cells[name]))  # fmt: skip
    if not wrong and cells["valid_from"] and cells["valid_to"] and cells["valid_to"] < cells["valid_from"]:
        yield say("Row {row}: valid_to lies before valid_from.", row=row)
    if cells["kind"] not in KINDS:
        yield say("Row {row}: kind {value} must be one of {kinds}.", row=row, value=repr(cells["kind"]),
                  kinds=", ".join(KINDS))  # fmt: skip
    if (cells["kind"] == "off") != (cells["sessions"] == ""):
        yield say("Row {row}: a day off has no office hours, any other day has some.", row=row)
    if cells["sessions"]:
        try:
            parse_sessions(cells["sessions"].split())
        except FactsError as error:
            yield say("Row {row}: {reason}", row=row, reason=str(error))


def _overlaps(rules: list[_Rule]) -> Iterator[str]:
    """Two rows of one office that say something of the same day."""
    for i, rule in enumerate(rules):
        for other in rules[:i]:
            if rule.office != other.office or rule.dated != other.dated:
                continue
            shared = rule.days & other.days
            if not rule.dated:
                shared = shared & np.isin(_WEEKDAY, rule.weekdays) & np.isin(_WEEKDAY, other.weekdays)
            if shared.any():
                yield say("Rows {row} and {other} both say the hours of {day}.", row=other.row, other=rule.row,
                          day=str(DAYS[shared][0]))  # fmt: skip


def _read(place: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not place.is_file():
        raise FactsError(say("{file} is not there.", file=place))
    frame = read_table(place)
    _refuse(place, [say("Column {column} is missing.", column=name) for name in columns if name not in frame])
    return frame


def _refuse(place: Path, faults: list[str]) -> None:
    if faults:
        head = say("Table of offices {file} has {n} faults:", file=place.name, n=len(faults))
        raise FactsError("\n".join([head, *(f"- {fault}" for fault in faults)]))


def _is_date(text: str) -> bool:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10 and bool(FIRST_DAY <= np.datetime64(day, "D") <= LAST_DAY)
