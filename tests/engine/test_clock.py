"""The office clock and the term of working days in SQL are those of the calendar, on DuckDB and on DataFusion."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import Engine
from khaosat.dossiers.frames import log_from_frames
from khaosat.engine.duckdb import DuckDBEngine
from tests.engine.datafusion_engine import DataFusionEngine

HOURS = """office,valid_from,valid_to,day,kind,sessions
Sở A,2024-01-01,,sat,duty,07:30-11:30
Sở A,2025-06-01,2025-08-31,mon-fri,work,07:00-11:30 13:30-17:00
Sở B,,,sat-sun,work,08:00-10:00
"""
CLOCK = """
WITH placed AS (
  SELECT intervals.*, COALESCE(offices.office, '') AS office,
    CAST(EXTRACT(HOUR FROM a) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM a) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM a)) AS BIGINT) AS s0,
    CAST(EXTRACT(HOUR FROM b) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM b) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM b)) AS BIGINT) AS s1
  FROM intervals LEFT JOIN offices ON intervals.unit = offices.unit
)
SELECT id,
  c1.cum_minutes * 60 + GREATEST(LEAST(s1, c1.close_1 * 60) - c1.open_1 * 60, 0)
    + GREATEST(LEAST(s1, c1.close_2 * 60) - c1.open_2 * 60, 0)
    - (c0.cum_minutes * 60 + GREATEST(LEAST(s0, c0.close_1 * 60) - c0.open_1 * 60, 0)
    + GREATEST(LEAST(s0, c0.close_2 * 60) - c0.open_2 * 60, 0)) AS worked,
  due.day AS due, c1.day_index - c0.day_index AS days
FROM placed
LEFT JOIN calendar c0 ON placed.office = c0.office AND CAST(a AS DATE) = c0.day
LEFT JOIN calendar c1 ON placed.office = c1.office AND CAST(b AS DATE) = c1.day
LEFT JOIN calendar due ON placed.office = due.office AND due.day_index = c0.day_index + n AND due.is_work = 1
ORDER BY id ASC NULLS LAST
"""


@pytest.fixture(scope="module")
def calendar(tmp_path_factory) -> WorkCalendar:
    file = tmp_path_factory.mktemp("offices") / "offices.csv"
    file.write_text(HOURS, encoding="utf-8")
    return WorkCalendar.vietnam().with_offices(file)


@pytest.fixture(scope="module")
def intervals() -> pd.DataFrame:
    rng = np.random.default_rng(2026)
    n = 20_000
    since = np.datetime64("2023-01-01", "s").astype("int64")
    frame = pd.DataFrame({
        "id": np.arange(n),
        "unit": rng.choice(np.array(["Sở A", "Sở B", "Phường C", None], dtype=object), n),
        "a": (since + rng.integers(0, 4 * 365 * 86_400, n)).astype("datetime64[s]").astype("datetime64[us]"),
        "n": rng.integers(1, 61, n),
    })  # fmt: skip
    frame["b"] = frame["a"] + pd.to_timedelta(rng.integers(-10 * 86_400, 90 * 86_400, n), unit="s")
    frame.loc[::97, "b"] = pd.NaT
    frame.loc[5, "a"] = pd.Timestamp("2031-05-01")  # beyond every calendar
    return frame


@pytest.fixture(params=[DuckDBEngine, DataFusionEngine])
def engine(request) -> Iterator[Engine]:
    engine = request.param()
    yield engine
    engine.close()


def test_the_clock_and_the_term_in_sql(engine, calendar, intervals):
    log = log_from_frames({"dossiers": pd.DataFrame()}, as_of=pd.Timestamp("2026-01-01"), calendar=calendar)
    for name in ("calendar", "offices"):
        engine.register(name, log.engine.query(f"SELECT * FROM {name}"))
    log.engine.close()
    engine.register("intervals", pa.Table.from_pandas(intervals.astype({"unit": "string"}), preserve_index=False))
    answer = engine.query(CLOCK).to_pandas()
    worked, due, days = (
        pd.Series(index=intervals.index, dtype=kind) for kind in ("float64", "datetime64[us]", "Int64")
    )
    for unit, rows in intervals.groupby("unit", dropna=False):
        own = calendar.of(None if pd.isna(unit) else unit)
        worked.loc[rows.index] = own.worked_minutes(rows["a"], rows["b"]) * 60
        due.loc[rows.index] = own.add_working_days(rows["a"], rows["n"])
        days.loc[rows.index] = own.working_days_between(rows["a"], rows["b"])
    assert worked.isna().sum() == answer["worked"].isna().sum() > 200
    # Minutes are told as floats, whole seconds become exact again by rounding.
    np.testing.assert_allclose(worked, worked.round(), atol=1e-6)
    np.testing.assert_array_equal(answer["worked"].to_numpy(float), worked.round().to_numpy())
    pd.testing.assert_series_equal(pd.to_datetime(answer["due"]).astype("datetime64[us]"), due, check_names=False)
    assert answer["days"].astype("Int64").equals(days)
