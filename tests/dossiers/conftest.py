"""Logs that several tests share: the public permit log, read plainly with pandas, and a hand-made one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pandas as pd
import pytest

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.frames import log_from_frames
from tests.dossiers import logs
from tests.shared import shared

_CHANNELS = {"Desk": "direct", "Internet": "online", "Post": "post", "e-mail": "email", "Intern": "internal"}


@pytest.fixture(scope="session", autouse=True)
def _close_engines() -> Iterator[None]:
    """The random logs share engines, which must not outlive the session."""
    yield
    logs.close_engines()


@pytest.fixture(scope="session")
def receipt() -> DossierLog:
    """The Dutch permit log in UTC civil time, without khaosat's own reader."""
    events = pd.read_csv(shared("data/permits/receipt.csv.gz"), dtype=str, keep_default_na=False)
    times = ["case:startdate", "case:deadline", "case:enddate", "time:timestamp"]
    for name in times:
        moments = pd.to_datetime(events[name].replace("", None), utc=True, format="ISO8601")
        events[name] = moments.dt.tz_localize(None).astype("datetime64[us]")
    cases = events.groupby("case:concept:name", sort=False).first().reset_index()
    dossiers = pd.DataFrame(
        {
            "dossier_id": cases["case:concept:name"],
            "field": cases["case:department"],
            "procedure_name": cases["case:department"],
            "responsible_unit": cases["case:group"].replace("", None),
            "channel": cases["case:channel"].map(_CHANNELS),
            "received_at": cases["case:startdate"],
            "due_at": cases["case:deadline"],
            "finished_at": cases["case:enddate"],
            "status": ["processing" if missing else "finished" for missing in cases["case:enddate"].isna()],
        }
    )
    steps = pd.DataFrame(
        {
            "dossier_id": events["case:concept:name"],
            "seq": events.groupby("case:concept:name").cumcount(),
            "step": events["concept:name"],
            "unit": events["org:group"],
            "officer": events["org:resource"],
            "finished_at": events["time:timestamp"],
        }
    )
    as_of = events["time:timestamp"].max().to_pydatetime()
    return log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=as_of, source="receipt")


def dossiers(*rows: tuple[object, ...]) -> pd.DataFrame:
    """Dossiers from short rows: id, received, due, finished, status and whatever else as a dictionary."""
    frame = pd.DataFrame(
        [
            {
                "dossier_id": name,
                "received_at": received,
                "due_at": due,
                "finished_at": finished,
                "status": status,
                **more,
            }
            for name, received, due, finished, status, more in rows
        ]
    )
    for name in ("received_at", "first_due_at", "due_at", "finished_at"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame


EDGES = dossiers(
    # carried over, closed on time / exactly at the due moment
    ("carried", "2026-03-02 08:00", "2026-04-10 17:00", "2026-04-08 10:00", "finished", {"field": "Đất đai"}),
    ("exact", "2026-04-01 08:00", "2026-04-15 17:00", "2026-04-15 17:00", "finished", {"field": "Đất đai"}),
    # late by one second on its due day: late by the clock, on time by the date
    ("second", "2026-04-01 08:00", "2026-04-15 17:00", "2026-04-15 17:00:01", "finished", {"field": "Đất đai"}),
    # late by a day; its last appointment had been moved behind its end
    (
        "moved",
        "2026-04-02 08:00",
        "2026-05-20 17:00",
        "2026-05-05 09:00",
        "returned",
        {"field": "Đất đai", "first_due_at": "2026-05-04 17:00"},
    ),
    # withdrawn after its due day: late by most formulas, on time by form II.06a
    ("withdrawn", "2026-04-03 08:00", "2026-04-17 17:00", "2026-04-20 09:00", "withdrawn", {"field": "Hộ tịch"}),
    # no due date: judged by 5 working days (9 used), by 30 (9 used), and by nothing
    ("termed", "2026-05-04 08:00", None, "2026-05-15 09:00", "finished", {"field": "Hộ tịch", "legal_days": 5}),
    ("roomy", "2026-05-04 08:00", None, "2026-05-15 09:00", "finished", {"field": "Hộ tịch", "legal_days": 30}),
    ("undated", "2026-05-04 08:00", None, "2026-05-15 09:00", "finished", {"field": "Hộ tịch"}),
    # one supplement of seven days: three days late by the clock, on time with the pause taken off
    ("paused", "2026-05-04 08:00", "2026-05-18 17:00", "2026-05-21 17:00", "finished", {"field": "Xây dựng"}),
    # two supplements: late on the portal although before its due date
    ("twice", "2026-05-04 08:00", "2026-06-30 17:00", "2026-05-29 17:00", "finished", {"field": "Xây dựng"}),
    # open at the end of June: overdue; waiting for a supplement since before its due date; not yet due; no due date
    ("overdue", "2026-05-11 08:00", "2026-05-25 17:00", None, "processing", {"field": "Xây dựng"}),
    ("waiting", "2026-06-01 08:00", "2026-06-15 17:00", None, "supplement_requested", {"field": "Xây dựng"}),
    ("early", "2026-06-29 08:00", "2026-07-13 17:00", "2026-07-20 17:00", "finished", {"field": None}),
    ("NA", "2026-06-29 08:00", None, None, "processing", {"field": None}),
    # not of this quarter: closed before it, received after it
    ("before", "2026-02-02 08:00", "2026-02-16 17:00", "2026-03-30 17:00", "finished", {"field": "Đất đai"}),
    ("after", "2026-07-02 08:00", "2026-07-16 17:00", None, "received", {"field": "Đất đai"}),
    # in no count: never received; ended, nobody knows when
    ("registered", None, None, None, "registered", {"field": "Đất đai"}),
    ("lost", "2026-04-01 08:00", "2026-04-15 17:00", None, "finished", {"field": "Đất đai"}),
)

SUPPLEMENTS = pd.DataFrame(
    [
        ("paused", "2026-05-07 08:00", "2026-05-14 08:00"),
        ("twice", "2026-05-06 08:00", "2026-05-07 08:00"),
        ("twice", "2026-05-12 08:00", "2026-05-13 08:00"),
        ("waiting", "2026-06-04 08:00", None),
    ],
    columns=["dossier_id", "requested_at", "completed_at"],
).astype({"requested_at": "datetime64[us]", "completed_at": "datetime64[us]"})

AS_OF = dt.datetime(2026, 7, 31, 17)


@pytest.fixture
def edges() -> DossierLog:
    """Eighteen dossiers, each an edge case of some definition."""
    return log_from_frames({"dossiers": EDGES, "supplements": SUPPLEMENTS}, as_of=AS_OF)
