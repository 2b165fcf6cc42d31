"""Stocks, surges and batches: identities, and what was planted is found."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import khaosat as ks
from khaosat.dossiers.frames import log_from_frames
from tests.dossiers.logs import logs
from tests.dossiers.step_logs import calendar

CLOCK = calendar()


@given(logs())
@settings(max_examples=40)
def test_the_stock_is_what_came_less_what_went(cases):
    log = cases.ordered
    for by in (None, "field"):
        rows = ks.clearance(log, by=by).rows
        assert (rows["difference"] == 0).all()
        assert (rows["carried"] + rows["received"] - rows["closed"] == rows["open"]).all()
        assert rows["carried"].min() >= 0 if len(rows) else True
    months = ks.clearance(log).rows
    for row in months.to_dict("records"):
        whole = ks.on_time(log, period=row["month"]).rows.iloc[0]
        assert [row[name] for name in ("carried", "received", "closed", "open")] == [
            whole[name] for name in ("carried", "received", "closed", "open")
        ]


def arrivals(per_month, *, until="2026-09-30", closed_after=3):
    """So many dossiers each month from January 2025, spread over its working days, each closed some days later."""
    rows = []
    for month, n in zip(pd.period_range("2025-01", periods=len(per_month), freq="M"), per_month, strict=True):
        days = pd.date_range(month.start_time, month.end_time.normalize())
        days = days[CLOCK.is_working(days).to_numpy(dtype=bool)]
        came = days[np.arange(n) % len(days)] + pd.Timedelta(hours=9)
        ends = pd.DatetimeIndex(CLOCK.add_working_days(came, closed_after)) + pd.Timedelta(hours=9)
        rows += list(zip(came, ends, strict=True))
    frame = pd.DataFrame(rows, columns=["received_at", "finished_at"])
    as_of = dt.datetime.fromisoformat(f"{until}T23:59:59")
    frame = frame[frame["received_at"] <= as_of].reset_index(drop=True)
    frame = frame.assign(dossier_id=[f"D{i}" for i in frame.index], field="Đất đai")
    frame["finished_at"] = frame["finished_at"].where(frame["finished_at"] <= as_of)
    return log_from_frames({"dossiers": frame}, as_of=as_of)


def test_a_surge_is_flagged_and_steady_months_are_not():
    per_month = [200, 190, 210, 205, 195, 200, 207, 193, 330, 200]
    rows = ks.surges(arrivals(per_month, until="2025-10-31")).rows
    assert rows["received"].tolist() == per_month
    assert rows.loc[rows["flag"] != "", ["month", "flag"]].to_numpy().tolist() == [["2025-09", "surge"]]
    assert rows.loc[rows["month"] == "2025-09", "over_capacity"].item()
    assert rows["high"].isna().tolist() == [True] * 6 + [False] * 4


def test_working_days_are_those_the_log_covers():
    rows = ks.surges(arrivals([40] * 4, until="2025-04-10")).rows
    full = CLOCK.working_days_between("2025-02-28", "2025-03-31")
    assert rows["working_days"].tolist()[2:] == [full, CLOCK.working_days_between("2025-03-31", "2025-04-10")]
    assert any("quá ngắn" in note for note in ks.surges(arrivals([40] * 4, until="2025-04-10")).notes)


def test_at_a_steady_pace_the_time_to_clear_is_the_time_it_takes():
    """Little's law: every dossier takes 5 working days, so that is what the stock at the end of a month takes."""
    rows = ks.clearance(arrivals([440] * 12, until="2025-12-31", closed_after=5)).rows
    assert rows["clearance_days"].iloc[2:].mean() == pytest.approx(5, abs=0.5)
    assert rows["clearance_rate"].iloc[2:].mean() == pytest.approx(1, abs=0.05)


def finished(moments, unit="Sở A"):
    steps = pd.DataFrame({
        "dossier_id": [f"D{i}" for i in range(len(moments))], "seq": 1, "step": "Trình ký", "unit": unit,
        "finished_at": moments,
    })  # fmt: skip
    dossiers = pd.DataFrame({"dossier_id": steps["dossier_id"], "received_at": dt.datetime(2026, 4, 1)})
    return log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=dt.datetime(2026, 7, 31, 17))


def working_moments(n, days):
    """So many moments, spread over working days of June and July 2026 that are in ``days`` (Monday is 0)."""
    dates = pd.date_range("2026-06-01", "2026-07-31")
    dates = dates[CLOCK.is_working(dates).to_numpy(dtype=bool) & np.isin(dates.day_of_week, days)]
    return [dates[i % len(dates)] + pd.Timedelta(hours=8, minutes=3 * (i // len(dates))) for i in range(n)]


def test_signing_days_are_found_and_an_even_week_is_not_blamed():
    two = ks.batching(finished(working_moments(120, [1, 3]))).rows.iloc[0]
    assert set(two["busiest"]) == {1, 3}
    assert (two["estimate"], two["p_value"] < 1e-9) == (1.0, True)
    even = ks.batching(finished(working_moments(220, range(5)))).rows.iloc[0]
    assert even["estimate"] == pytest.approx(0.4, abs=0.03)
    assert even["p_value"] > 0.9
    assert even["same_minute"] == 0


def test_closes_in_the_same_second_are_together_and_far_beyond_chance():
    moments = [pd.Timestamp("2026-07-01 16:59:59")] * 40 + working_moments(40, range(5))
    row = ks.batching(finished(moments)).rows.iloc[0]
    assert (row["n"], row["same_minute"]) == (80, 40)
    assert row["same_minute_ratio"] > 5


def test_few_ends_have_no_busiest_days_and_days_off_are_missing():
    assert ks.batching(finished(working_moments(29, [2]))).rows["busiest"].item() == ()
    sunday = [pd.Timestamp("2026-07-05 09:00")] * 3
    assert ks.batching(finished([*working_moments(60, range(5)), *sunday])).rows["n_missing"].item() == 3


def test_only_the_steps_asked_for_count():
    log = finished(working_moments(40, [0]))
    assert ks.batching(log, steps=["TRÌNH ký "]).rows["n"].item() == 40
    assert ks.batching(log, steps=["khác"]).rows.empty


def test_worked_time_that_is_not_known_is_not_nought():
    steps = pd.DataFrame({
        "dossier_id": ["A", "A", "B", "B", "C"], "seq": [1, 2, 1, 2, 1], "step": ["a", "b", "a", "b", "a"],
        "finished_at": pd.to_datetime(["2026-06-01 08:00", "2026-06-01 10:00",
                                       "1900-01-01 00:00", "2026-06-01 10:00", None]),
    })  # fmt: skip
    frame = pd.DataFrame({"dossier_id": ["A", "B", "C"], "received_at": pd.Timestamp("2026-06-01 08:00")})
    log = log_from_frames({"dossiers": frame, "steps": steps}, as_of=dt.datetime(2026, 7, 1))
    # B began outside the calendar's years, C has no moment at all
    assert ks.durations(log).rows[["n", "mean_worked_hours", "n_missing"]].to_numpy().tolist() == [[3, 2.0, 1]]
    found = ks.variants(log).rows.set_index("n")["median_worked_hours"]
    assert found.loc[2] == 2.0
    assert np.isnan(found.loc[1])
    log.engine.close()
