"""A dossier log from frames at hand: for research notebooks, tests and examples."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import DossierLog, open_log
from khaosat.engine.duckdb import DuckDBEngine


def log_from_frames(
    frames: Mapping[str, pd.DataFrame], *, as_of: dt.datetime, calendar: WorkCalendar | None = None, source: str = ""
) -> DossierLog:
    """A log whose tables are frames with the canonical columns; nothing is checked or cleaned as ingest would.

    Parameters
    ----------
    frames
        ``dossiers`` and, where known, ``steps``, ``supplements``, ``appointments``; columns that are absent are empty.
    as_of
        The last moment the frames know of.
    calendar
        Working days; Viet Nam's by default.
    source
        Where the data come from.

    Examples
    --------
    >>> frame = pd.DataFrame({"dossier_id": ["A"], "received_at": [dt.datetime(2026, 7, 1, 8)]})
    >>> sorted(log_from_frames({"dossiers": frame}, as_of=dt.datetime(2026, 7, 2)).tables)
    ['dossiers']
    """
    return open_log(DuckDBEngine(), frames, calendar=calendar or WorkCalendar.vietnam(), as_of=as_of, source=source)


def example_log() -> DossierLog:
    """Five dossiers of two fields: one carried over, one late, one open overdue (for examples in docstrings)."""
    columns = ["dossier_id", "field", "received_at", "due_at", "finished_at", "status"]
    rows = [
        ("A", "Đất đai", "2026-03-20", "2026-04-03", "2026-04-02", "finished"),
        ("B", "Đất đai", "2026-04-06", "2026-04-20", "2026-04-22", "finished"),
        ("C", "Hộ tịch", "2026-04-10", "2026-05-04", "2026-04-29", "returned"),
        ("D", "Đất đai", "2026-05-05", "2026-05-19", None, "processing"),
        ("E", "Hộ tịch", "2026-06-25", "2026-07-09", None, "processing"),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("received_at", "due_at", "finished_at"):
        frame[name] = pd.to_datetime(frame[name])
    return log_from_frames({"dossiers": frame}, as_of=dt.datetime(2026, 7, 1, 8))
