"""The sections of ``khaosat.toml``, typed; a file is read whole and every fault of it named at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import Any, get_origin, get_type_hints

from khaosat.facts.language import say


@dataclass(frozen=True, kw_only=True)
class CitySettings:
    """``[city]``: who reports."""

    name: str
    parent_agency: str
    agency: str
    place: str


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """``[report]``: how the report is made."""

    notebook: str = "bao-cao-quy"
    language: str = "vi"
    folder: str = "reports"
    source: str = ""
    signer: str = ""
    recipients: tuple[str, ...] = ()
    wave: str = ""


@dataclass(frozen=True, kw_only=True)
class DossierSettings:
    """``[dossiers]``: where dossier logs come from and how they are read.

    ``make_up_days`` and ``culture_day`` are those of :meth:`khaosat.domain.calendar.WorkCalendar.vietnam`.
    """

    sources: tuple[str, ...] = ()
    mapping: str = "dvcqg"
    as_of: dt.datetime | None = None
    calendar: str = ""
    make_up_days: bool = True
    culture_day: bool = False
    engine: str = "duckdb"
    memory_limit: str = "1GB"
    personal: bool = False


@dataclass(frozen=True, kw_only=True)
class SurveySettings:
    """``[survey]``: where answers come from, the questionnaire, the sampling design.

    ``wave_column`` names the column that holds each answer's wave; ``wave`` is the wave of all sources without one.
    """

    sources: tuple[str, ...] = ()
    questionnaire: str = "sipas_2023"
    index_rule: str = ""
    wave: str = ""
    wave_column: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    design: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """``[targets]``: which set of targets the city is held against."""

    set: str = "hcmc_2024"


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """``[store]``: where checked data are kept."""

    folder: str = "data/store"


def read_section(section: type, table: object, *, name: str, faults: list[str]) -> Any:
    """One section from its TOML table; what is wrong with it is appended to ``faults`` and gives None.

    >>> faults = []
    >>> read_section(TargetSettings, {"sett": 1}, name="targets", faults=faults)
    >>> faults
    ["[targets] không có khóa 'sett'; các khóa đã biết: set"]
    """
    if not isinstance(table, dict):
        faults.append(say("[{name}] must be a table", name=name))
        return None
    hints = get_type_hints(section)
    known = {f.name: f for f in fields(section)}
    before = len(faults)
    faults += [
        say("[{name}] {key} is not a known key; known: {known}", name=name, key=repr(key), known=", ".join(known))
        for key in table
        if key not in known
    ]
    faults += [
        say("[{name}] {key} is missing", name=name, key=repr(key))
        for key, f in known.items()
        if key not in table and f.default is MISSING and f.default_factory is MISSING
    ]
    values = {}
    for key in known.keys() & table.keys():
        kind = hints[key] if isinstance(hints[key], UnionType) else get_origin(hints[key]) or hints[key]
        value = tuple(table[key]) if kind is tuple and isinstance(table[key], list) else table[key]
        if not isinstance(value, kind):
            faults.append(
                say("[{name}] {key} = {value} has the wrong type", name=name, key=key, value=repr(table[key]))
            )
        elif kind is tuple and not all(isinstance(v, str) for v in value):
            faults.append(say("[{name}] {key} must be a list of texts", name=name, key=key))
        else:
            values[key] = value
    return section(**values) if len(faults) == before else None
