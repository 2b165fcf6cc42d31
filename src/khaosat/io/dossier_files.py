"""Dossier logs from files, or from a store, as a DossierLog."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.domain.dossiers import SCHEMA, DossierLog, Engine, open_log
from khaosat.domain.faults import frame
from khaosat.engine.choose import EngineName, open_engine
from khaosat.errors import DataError, WorkspaceError
from khaosat.facts.language import say
from khaosat.io.fault_tables import worded
from khaosat.io.intake import ingest
from khaosat.io.mapping import SourceMapping
from khaosat.io.sources import Sources
from khaosat.io.store import Manifest, disk_errors, read_manifest

if TYPE_CHECKING:
    import pandas as pd

    from khaosat.domain.calendar import WorkCalendar
    from khaosat.domain.rules import DeadlineRule


def read_dossiers(
    path: Sources,
    *,
    mapping: str | Path | SourceMapping = "dvcqg",
    as_of: dt.datetime | None = None,
    calendar: WorkCalendar | None = None,
    engine: EngineName = "duckdb",
    personal: bool = False,
    memory_limit: str = "1GB",
) -> DossierLog:
    """A dossier log from its files: read, checked, and held for as long as the log lives.

    Parameters
    ----------
    path
        A file, a folder, a list of them, or files by table (``{"dossiers": "a.csv", "steps": "b.csv"}``). CSV (comma,
        semicolon, tab, bar; UTF-8, UTF-16, Windows-1258; gzip), XLSX, Parquet, or XES (gzip).
    mapping
        What the source's columns mean: a built-in id (``dvcqg``, ``receipt``, ``xes``) or a TOML file.
    as_of
        The moment of the snapshot; by default the last moment that the files know of (not counting due dates).
    calendar
        Working days and hours; by default those of Viet Nam.
    engine
        Where the tables are held.
    personal
        Keep personal columns (officers' names). Off, they are not even read.
    memory_limit
        For reading and for the engine.

    Returns
    -------
    DossierLog
        ``faults`` says what is wrong and was refused, ``counts`` how many rows were read, stored and quarantined, and
        as ``fault_<code>`` how many faults of each kind there are (``faults`` holds the first of very many).

    Raises
    ------
    DataError
        No dossier can be read; with every fault.

    Notes
    -----
    The same as ``ingest`` into a store of its own, which is removed with the log.
    """
    with disk_errors(Path(tempfile.gettempdir())):
        root = Path(tempfile.mkdtemp(prefix="khaosat-"))
    try:
        report = ingest(path, store=root, mapping=mapping, personal=personal, memory_limit=memory_limit)
        if "dossiers" not in read_manifest(root).files:
            raise _nothing_read(report.faults)
        log = open_store(root, calendar=calendar, as_of=as_of, engine=engine, memory_limit=memory_limit)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    weakref.finalize(log.engine, shutil.rmtree, root, ignore_errors=True)
    return log


def open_store(
    store: str | Path,
    *,
    calendar: WorkCalendar | None = None,
    rules: Sequence[DeadlineRule] | None = None,
    as_of: dt.datetime | None = None,
    engine: EngineName | Engine = "duckdb",
    memory_limit: str = "1GB",
    source: str = "",
    seen_as: str = "",
) -> DossierLog:
    """The dossier log of a store, as its manifest stands now.

    Parameters
    ----------
    store
        Folder of the store.
    calendar, as_of, memory_limit
        As in :func:`read_dossiers`.
    rules
        By which due dates move; those built in by default.
    engine
        Where the tables are held: a name, or an engine that is open already, such as a ``SparkEngine``.
    source
        Where the data come from, in the reader's words; by default the names of the files.
    seen_as
        The folder of the store as the engine sees it, where that is another address (``s3a://bucket/store``).

    Raises
    ------
    WorkspaceError
        There is no store, or no dossier in it.
    """
    from khaosat.domain.calendar import WorkCalendar

    root = Path(store).resolve()
    manifest = read_manifest(root)
    if "dossiers" not in manifest.files:
        raise WorkspaceError(say("There is no dossier in the store {path}: run khaosat ingest.", path=str(root)))
    faults, fault_counts = _faults(manifest, root)
    held = open_engine(engine, memory_limit=memory_limit) if isinstance(engine, str) else engine
    place = seen_as.rstrip("/") or root
    try:
        return open_log(
            held,
            {table: manifest.paths(table, place) for table in SCHEMA if table in manifest.files},
            calendar=calendar or WorkCalendar.vietnam(),
            rules=rules,
            as_of=as_of or dt.datetime.fromisoformat(manifest.as_of),
            source=source or ", ".join(str(entry["file"]) for entry in manifest.dossier_sources),
            faults=faults,
            counts=_counts(manifest) | fault_counts,
        )
    except BaseException:
        held.close()
        raise


def _faults(manifest: Manifest, root: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Faults of the store (of each kind and file the first, in words), and how many there are of each kind."""
    import duckdb

    paths = manifest.paths("faults", root)
    if not paths:
        return frame([]), {}
    with duckdb.connect() as database:
        relation = f"read_parquet({paths})"
        kinds = database.execute(f"SELECT fault, count(*) FROM {relation} GROUP BY fault ORDER BY fault").fetchall()
        return worded(database, relation), {f"fault_{code}": int(count) for code, count in kinds}


def _counts(manifest: Manifest) -> dict[str, int]:
    total: Counter[str] = Counter()
    for entry in manifest.dossier_sources:
        counts = entry["counts"]
        if isinstance(counts, dict):
            total.update(counts)
    return dict(total)


def _nothing_read(faults: pd.DataFrame) -> DataError:
    reasons = faults.loc[faults["severity"] == "refused", "message"].drop_duplicates()
    first = " ".join(reasons.head(3)) or " ".join(faults["message"].head(1))
    return DataError(say("No dossier could be read. {reasons}", reasons=first), faults)
