"""Random dossier logs for hypothesis: few fields, few days, so that every coincidence of dates happens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import pandas as pd
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import DossierLog, open_log
from khaosat.engine.duckdb import DuckDBEngine

AS_OF = dt.datetime(2026, 3, 31, 23, 59, 59, 999999)
_START = dt.datetime(2025, 12, 15)
_moments = st.integers(0, 120 * 4).map(lambda quarter_days: _START + dt.timedelta(hours=6 * quarter_days))
_fields = st.sampled_from(["Đất đai", "Hộ tịch", "Sở 'A'", "NA", None])
_channels = st.sampled_from(["direct", "online", None])


@dataclass(frozen=True, eq=False)
class Logs:
    """One random log, seen in several ways; the frame holds what an honest count may look at."""

    frame: pd.DataFrame
    broken_frame: pd.DataFrame
    supplements: pd.DataFrame

    @property
    def ordered(self) -> DossierLog:
        """Each dossier ends after its reception."""
        return _log(self.frame, self.supplements, "ordered")

    @property
    def shuffled(self) -> DossierLog:
        """The same in another order."""
        return _log(self.frame.iloc[::-1], self.supplements.iloc[::-1], "shuffled")

    @property
    def broken(self) -> DossierLog:
        """Dates as they fell, ends before receptions included."""
        return _log(self.broken_frame, self.supplements, "broken")


@st.composite
def logs(draw: st.DrawFn) -> Logs:
    """Up to 12 dossiers with up to 3 supplements each."""
    rows, asked = [], []
    for i in range(draw(st.integers(0, 12))):
        end = draw(st.none() | _moments)
        rows.append(
            {
                "dossier_id": f"D{i}" if i else "NA",
                "field": draw(_fields),
                "channel": draw(_channels),
                "received_at": draw(_moments),
                "due_at": draw(st.none() | _moments),
                "finished_at": end,
                "status": "supplement_requested" if end is None else draw(st.sampled_from(["finished", "withdrawn"])),
                "legal_days": draw(st.none() | st.integers(0, 20)),
            }
        )
        for _ in range(draw(st.integers(0, 3)) if draw(st.booleans()) else 0):
            asked.append((rows[-1]["dossier_id"], draw(_moments), draw(st.none() | _moments)))
    broken = pd.DataFrame(
        rows,
        columns=[
            "dossier_id", "field", "channel", "received_at", "due_at", "finished_at", "status", "legal_days",
        ],
    )  # fmt: skip
    times = {name: "datetime64[us]" for name in ("received_at", "due_at", "finished_at")}
    broken = broken.astype({**times, "legal_days": "Int64"})
    supplements = pd.DataFrame(asked, columns=["dossier_id", "requested_at", "completed_at"])
    supplements = supplements.astype({"requested_at": "datetime64[us]", "completed_at": "datetime64[us]"})
    ends = broken[["received_at", "finished_at"]].max(axis=1).where(broken["finished_at"].notna())
    return Logs(broken.assign(finished_at=ends), broken, supplements)


@cache
def _engine(name: str) -> DuckDBEngine:
    return DuckDBEngine(threads=1)


def close_engines() -> None:
    """Close the engines of all random logs."""
    for name in ("ordered", "shuffled", "broken"):
        _engine(name).close()
    _engine.cache_clear()


@cache
def _calendar() -> WorkCalendar:
    return WorkCalendar.vietnam()


def _log(frame: pd.DataFrame, supplements: pd.DataFrame, name: str) -> DossierLog:
    tables = {"dossiers": frame, "supplements": supplements}
    return open_log(_engine(name), tables, calendar=_calendar(), as_of=AS_OF)
