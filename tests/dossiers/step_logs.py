"""Random logs of steps for hypothesis: few moments, names and officers, so that every coincidence happens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import DossierLog, open_log
from khaosat.engine.duckdb import DuckDBEngine

AS_OF = dt.datetime(2026, 4, 30, 23, 59, 59)
_START = dt.datetime(2026, 3, 30)
# Every 5 hours over 10 days, and odd microseconds: hits sessions, nights, a weekend, and days off at the end of April.
_moments = st.integers(0, 48).map(lambda n: _START + dt.timedelta(hours=5 * n, microseconds=123456 * (n % 2)))
_names = st.sampled_from(["Tiếp nhận", "Thẩm định", "Lấy ý kiến", "NA", None])
_units = st.sampled_from(["Sở 'A'", "Sở B", "NA", None])
_officers = st.sampled_from(["o1", "o2", "o3", "Chuyên viên", " ", None])
TIMES = ("started_at", "finished_at", "due_at")


@dataclass(frozen=True, eq=False)
class StepLogs:
    """One random log; the frames hold what an honest count may look at, in the order of the steps."""

    dossiers: pd.DataFrame
    steps: pd.DataFrame
    supplements: pd.DataFrame

    def log(self) -> DossierLog:
        """The log, its steps in another order than theirs."""
        frames = {"dossiers": self.dossiers, "steps": self.steps.iloc[::-1], "supplements": self.supplements}
        return open_log(engine(), frames, calendar=calendar(), as_of=AS_OF)


@st.composite
def step_logs(draw: st.DrawFn, *, supplements: bool = False) -> StepLogs:
    """Up to 5 dossiers of up to 6 steps."""
    owners, rows, asked = [], [], []
    for i in range(draw(st.integers(0, 5))):
        name = f"D{i}" if i else "NA"
        owners.append((name, draw(st.sampled_from(["Đất đai", "Hộ tịch", None])), draw(st.none() | _moments)))
        for seq in range(1, 1 + draw(st.integers(0, 6))):
            rows.append((name, seq, draw(_names), draw(_units), draw(_officers), draw(st.none() | _moments),
                         draw(st.none() | _moments), draw(st.none() | _moments),
                         draw(st.sampled_from(["processing", "supplement_requested", None]))))  # fmt: skip
        for _ in range(draw(st.integers(0, 3)) if supplements else 0):
            asked.append((name, draw(_moments), draw(st.none() | _moments)))
    columns = ["dossier_id", "seq", "step", "unit", "officer", *TIMES, "status"]
    steps = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(TIMES, "datetime64[us]"))
    dossiers = pd.DataFrame(owners, columns=["dossier_id", "field", "received_at"])
    requests = pd.DataFrame(asked, columns=["dossier_id", "requested_at", "completed_at"])
    return StepLogs(
        dossiers.astype({"received_at": "datetime64[us]"}),
        steps,
        requests.astype({"requested_at": "datetime64[us]", "completed_at": "datetime64[us]"}),
    )


_cache: list[DuckDBEngine] = []


def engine() -> DuckDBEngine:
    """One engine for all random logs."""
    if not _cache:
        _cache.append(DuckDBEngine(threads=1))
    return _cache[0]


def close_engine() -> None:
    """Close the engine of the random logs."""
    while _cache:
        _cache.pop().close()


def calendar() -> WorkCalendar:
    """Viet Nam's."""
    return WorkCalendar.vietnam()


def ended(steps: pd.DataFrame) -> pd.DataFrame:
    """The steps with the moments at which they begin and end, as `spans` has them, worked out plainly."""
    began = steps["started_at"].fillna(steps["finished_at"])
    end = steps["finished_at"].fillna(steps["started_at"])
    return steps.assign(began=began, ended=end.where(~(end < began), began))
