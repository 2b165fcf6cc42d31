"""Targets: values from the log or given, compared exactly; what has no data says so; trend and forecast."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import khaosat as ks
from khaosat.facts import read_table
from khaosat.facts.language import language
from khaosat.scorecards.targets import verdict


def steady(quarters: dict[str, tuple[int, int]]) -> ks.DossierLog:
    """A log that closes so many dossiers on time, and late, in the first month of each quarter."""
    rows = []
    for quarter, (on_time, late) in quarters.items():
        start = pd.Timestamp(ks.Period(quarter).start)
        for place in range(on_time + late):
            due = start + pd.Timedelta(days=5)
            end = due + pd.Timedelta(days=2 if place >= on_time else -1)
            rows.append((f"{quarter}-{place}", start, due, end, "returned"))
    columns = ["dossier_id", "received_at", "due_at", "finished_at", "status"]
    last = ks.Period(max(quarters)).end - dt.timedelta(seconds=1)
    return ks.log_from_frames({"dossiers": pd.DataFrame(rows, columns=columns)}, as_of=last, source="Sở Tư pháp")


LOG = {"2025-Q3": (90, 10), "2025-Q4": (180, 20), "2026-Q1": (91, 9), "2026-Q2": (95, 5), "2026-Q3": (99, 1)}


def row(result, indicator="on_time") -> pd.Series:
    return result.rows.set_index("indicator").loc[indicator]


def test_every_target_of_the_city_has_a_row_and_no_data_is_not_zero():
    result = ks.against_targets(steady(LOG), "hcmc_2024", period="2026-Q3")
    facts = read_table("rules/targets.csv").query("set == 'hcmc_2024'")
    assert result.rows["indicator"].tolist() == facts["indicator"].tolist()
    empty = result.rows[result.rows["indicator"] != "on_time"]
    assert empty["estimate"].isna().all()
    assert set(empty["light"]) == {"no_data"}
    assert [cells[6] for cells in result.table().cells][1:] == ["không có dữ liệu"] * 8
    assert any("không phải bằng 0" in note for note in result.notes)


def test_the_value_is_the_on_time_share_of_the_quarter():
    log = steady(LOG)
    found = row(ks.against_targets(log, period="2026-Q3"))
    expected = ks.on_time(log, period="2026-Q3").rows.iloc[0]
    assert found["estimate"] == expected["on_time"] == 0.99
    assert (found["low"], found["high"]) == pytest.approx((1 - expected["high"], 1 - expected["low"]))
    assert found["gap"] == pytest.approx(-0.005)
    assert (found["light"], found["source"]) == ("near", "log")
    assert found["previous"] == 0.95
    assert found["change"] == pytest.approx(0.04)
    assert found["trend"] == "flat"  # 95 and 99 of a hundred: the interval holds 0


def test_a_clear_rise_is_one():
    log = steady({"2026-Q1": (300, 100), "2026-Q2": (400, 0)})
    assert row(ks.against_targets(log, period="2026-Q2"))["trend"] == "up"
    assert row(ks.against_targets(log, period="2026-Q1"))["trend"] == "unknown"


@pytest.mark.parametrize(
    ("pair", "light"),
    [
        ((995, 1000), "met"),
        ((9949, 10000), "near"),
        ((985, 1000), "near"),
        ((984, 1000), "missed"),
        ((0, 0), "no_data"),
    ],
)
def test_the_verdict_is_exact(pair, light):
    found = row(ks.against_targets(None, values={"on_time": pair}))
    assert found["light"] == light


def test_how_near_is_near_can_be_said():
    assert row(ks.against_targets(None, values={"on_time": (94, 100)}, near=0.06))["light"] == "near"


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_higher_value_never_has_a_worse_verdict(one, other):
    order = ["missed", "near", "met"]
    found = [order.index(verdict(Fraction(n, 1000), Fraction(99, 100), comparison=">=", near=0.01))
             for n in sorted((one, other))]  # fmt: skip
    assert found == sorted(found)
    assert verdict(Fraction(1, 10), Fraction(2, 10), comparison="<=", near=0.0) == "met"


def test_given_values_go_before_the_log():
    result = ks.against_targets(steady(LOG), period="2026-Q3", values={"on_time": (1, 2), "online_full": (8, 10)})
    assert (row(result)["estimate"], row(result)["source"]) == (0.5, "given")
    assert (row(result, "online_full")["light"], row(result, "online_full")["trend"]) == ("met", "unknown")


def test_the_directive_of_2023():
    result = ks.against_targets(None, "hcmc_ct06_2023", values={"late_explained": (9, 10)})
    assert result.rows["target"].tolist() == [0.5, 0.2, 0.2, 1.0]
    assert row(result, "late_explained")["light"] == "missed"


def test_wrong_calls_are_refused_all_at_once():
    with language("en"), pytest.raises(ks.DataError) as caught:
        ks.against_targets(None, values={"on_time": (3, 2), "other": (1, 2), "online_full": (0.5, 2)})
    assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(ks.KhaosatError, match="no set 'hanoi'"):
        ks.against_targets(None, "hanoi")


def test_targets_that_were_not_yet_set_are_a_comparison_only():
    notes = ks.against_targets(steady(LOG), period="2023-Q1").notes
    assert any("chỉ để so sánh" in note for note in notes)


# Forecast ------------------------------------------------------------------------------------------------------------


def test_the_forecast_adds_the_volume_of_last_year_at_the_share_of_the_last_quarters():
    found = row(ks.against_targets(steady(LOG), period="2026-Q3"))
    share = (180 + 91 + 95 + 99) / (200 + 300)
    assert found["forecast"] == pytest.approx((285 + 200 * share) / (300 + 200))
    assert found["forecast_low"] < found["forecast"] < found["forecast_high"] <= 1
    assert found["forecast_low"] >= 285 / 500


def test_the_year_that_is_over_is_what_it_is():
    found = row(ks.against_targets(steady(LOG), period="2025-Q4"))
    assert found["forecast"] == found["forecast_low"] == found["forecast_high"] == pytest.approx(270 / 300)


def test_two_quarters_give_a_forecast_without_an_interval():
    log = steady({"2026-Q1": (9, 1), "2026-Q2": (8, 2)})
    found = row(ks.against_targets(log, period="2026-Q2"))
    assert found["forecast"] == pytest.approx(0.85)
    assert math.isnan(found["forecast_low"])


def test_a_month_forecasts_from_the_quarters_that_have_ended():
    log = steady(LOG)
    assert row(ks.against_targets(log, period="2026-07"))["forecast"] == row(
        ks.against_targets(log, period="2026-Q2")
    )["forecast"]  # fmt: skip
    assert math.isnan(row(ks.against_targets(log, period="2026-01"))["forecast"])
    assert math.isnan(row(ks.against_targets(log))["forecast"])


def test_the_quarters_behind_the_forecast_are_there():
    history = ks.against_targets(steady(LOG), period="2026-Q3").history
    assert history["period"].tolist() == ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"]
    assert history["numerator"].tolist() == [180, 91, 95, 99]
    assert ((history["low"] < history["estimate"]) & (history["estimate"] < history["high"])).all()
