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


def example_steps() -> DossierLog:
    """Three dossiers and their steps: one that comes back for a second look, one that is done in two steps."""
    columns = ["dossier_id", "seq", "step", "unit", "started_at", "finished_at", "due_at"]
    rows = [
        ("A", 1, "Tiếp nhận", "Bộ phận một cửa", "2026-04-01 08:00", "2026-04-01 08:30", None),
        ("A", 2, "Thẩm định", "Phòng Đất đai", "2026-04-01 13:00", "2026-04-03 11:00", "2026-04-06 17:00"),
        ("A", 3, "Lấy ý kiến phối hợp", "Phòng Quy hoạch", "2026-04-03 13:00", "2026-04-10 09:00", "2026-04-08 17:00"),
        ("A", 4, "Thẩm định", "Phòng Đất đai", "2026-04-10 13:00", "2026-04-10 16:00", "2026-04-13 17:00"),
        ("A", 5, "Trả kết quả", "Bộ phận một cửa", "2026-04-13 08:00", "2026-04-13 09:00", None),
        ("B", 1, "Tiếp nhận", "Bộ phận một cửa", "2026-04-06 08:00", "2026-04-06 08:20", None),
        ("B", 2, "Thẩm định", "Phòng Đất đai", "2026-04-07 08:00", "2026-04-07 16:00", "2026-04-09 17:00"),
        ("B", 3, "Trả kết quả", "Bộ phận một cửa", "2026-04-08 08:00", "2026-04-08 08:30", None),
        ("C", 1, "Tiếp nhận", "Bộ phận một cửa", "2026-04-08 08:00", "2026-04-08 08:10", None),
        ("C", 2, "Thẩm định", "Phòng Đất đai", "2026-04-09 09:00", "2026-04-10 15:00", "2026-04-14 17:00"),
    ]
    steps = pd.DataFrame(rows, columns=columns)
    for name in ("started_at", "finished_at", "due_at"):
        steps[name] = pd.to_datetime(steps[name])
    ends = steps.groupby("dossier_id", sort=True).agg(
        received_at=("started_at", "min"), finished_at=("finished_at", "max")
    )
    dossiers = ends.reset_index().assign(field="Đất đai", status="finished", due_at=pd.Timestamp("2026-04-13 17:00"))
    asked = pd.DataFrame({
        "dossier_id": ["B"], "reason": ["Bổ sung hồ sơ."], "requested_at": [dt.datetime(2026, 4, 7, 9)],
        "completed_at": [dt.datetime(2026, 4, 7, 15)],
    })  # fmt: skip
    return log_from_frames(
        {"dossiers": dossiers, "steps": steps, "supplements": asked}, as_of=dt.datetime(2026, 5, 4, 8)
    )
