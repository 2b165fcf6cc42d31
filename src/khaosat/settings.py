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

    ``make_up_days`` and ``culture_day`` are those of :meth:`khaosat.domain.calendar.WorkCalendar.vietnam`; ``offices``
    and ``office_units`` name the tables of :meth:`khaosat.domain.calendar.WorkCalendar.with_offices`, and
    ``deadline_rules`` a table of one's own in the format of ``facts/rules/deadline_rules.csv``.
    ``engine`` is ``duckdb``, or ``spark`` at ``engine_address`` (``sc://host:15002``).
    """

    sources: tuple[str, ...] = ()
    mapping: str = "dvcqg"
    as_of: dt.datetime | None = None
    calendar: str = ""
    make_up_days: bool = True
    culture_day: bool = False
    offices: str = ""
    office_units: str = ""
    deadline_rules: str = ""
    engine: str = "duckdb"
    engine_address: str = ""
    memory_limit: str = "1GB"
    personal: bool = False


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """``[postgres]``: dossiers in a PostgreSQL database, read besides the files of ``[dossiers] sources``.

    ``uri`` is ``postgresql://user@host:5432/database`` and holds no password: that stands in the environment variable
    ``password_env``. ``tables`` names the table or view of each canonical table: ``{dossiers = "motcua.ho_so"}``.
    """

    uri: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    password_env: str = "PGPASSWORD"


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
    """``[store]``: where checked data are kept; ``seen_as`` is the folder's address for an engine on other machines."""

    folder: str = "data/store"
    seen_as: str = ""


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """``[schedule]``: what ``khaosat report --due`` does when nobody watches.

    ``quarterly`` and ``monthly`` name the notebooks due after each quarter and month, from the ``wait``-th working day
    after its end; ``catch_up`` ended periods are looked back at. ``ingest`` takes new files in first. ``keep`` finished
    reports stay of each notebook and language (0: all).
    """

    quarterly: tuple[str, ...] = ("bao-cao-quy",)
    monthly: tuple[str, ...] = ()
    wait: int = 3
    catch_up: int = 2
    ingest: bool = True
    keep: int = 0


@dataclass(frozen=True, kw_only=True)
class NotifySettings:
    """``[notify]``: who is told of an unattended run; nothing is sent unless an address stands here.

    ``when`` is ``always``, ``change`` (something was built or went wrong) or ``failure``. Mail goes from ``mail_from``
    to ``mail_to`` through ``smtp`` (``host:port``; ``smtp_security`` is ``starttls``, ``tls`` or ``none``), with user
    and password from KHAOSAT_SMTP_USER and KHAOSAT_SMTP_PASSWORD; ``webhook`` is sent the status as JSON.
    """

    when: str = "change"
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    smtp: str = ""
    smtp_security: str = "starttls"
    webhook: str = ""


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
