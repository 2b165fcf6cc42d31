"""time_to_result, nowcast, lateness_drivers, compare_units: by hand, on the permit log, planted, at the edges."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import khaosat as ks
from khaosat.dossiers.driver_cells import coded, driver_cells
from khaosat.dossiers.driver_model import drive
from khaosat.dossiers.unit_strata import coarse_enough, own_part
from khaosat.dossiers.window import window
from khaosat.errors import KhaosatError
from khaosat.stats.survival import incidence
from tests.shared import shared

AS_OF = dt.datetime(2026, 6, 30, 23, 59, 59)


def city(n=2400, *, late=None, units=6, slow=2.5, seed=4):
    """Dossiers of two procedures, one often late; unit 0 is slow, unit 1 has mostly what is often late."""
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n)
    hard = rng.random(n) < np.where(unit == 1, 0.9, 0.3)
    chance = np.where(hard, 0.2, 0.04) * np.where(unit == 0, slow, 1.0)
    is_late = rng.random(n) < chance if late is None else np.full(n, late)
    received = pd.Timestamp("2025-10-01 08:00") + pd.to_timedelta(rng.integers(0, 220, n), "D")
    due = received + pd.Timedelta(days=14)
    frame = pd.DataFrame({
        "dossier_id": [f"D{i}" for i in range(n)], "procedure": np.where(hard, "hard", "easy"),
        "field": "Đất đai", "responsible_unit": [f"Unit {u}" for u in unit],
        "channel": rng.choice(["direct", "online"], n), "received_at": received, "due_at": due,
        "finished_at": due + pd.to_timedelta(np.where(is_late, 3, -3), "D"), "status": "finished",
    })  # fmt: skip
    return ks.log_from_frames({"dossiers": frame}, as_of=AS_OF), frame


def test_the_curve_of_the_permit_log_is_kaplan_and_meiers(receipt):
    rows = ks.time_to_result(receipt, unit="days").rows
    frame = receipt.engine.query("SELECT received_at, finished_at FROM dossiers").to_pandas()
    end = frame["finished_at"].fillna(pd.Timestamp(receipt.as_of))
    days = (end.dt.normalize() - frame["received_at"].dt.normalize()).dt.days
    frame, days = frame[days >= 0], days[days >= 0]  # one ends before its reception
    table = pd.crosstab(days, frame["finished_at"].notna()).reindex(columns=[True, False], fill_value=0)
    expected = incidence(table.index.to_numpy(), table[True].to_numpy()[:, None], table[False].to_numpy())
    np.testing.assert_allclose(rows["estimate"], 1 - expected.open, atol=1e-12)
    assert rows["events"].sum() == frame["finished_at"].notna().sum()
    assert set(rows["outcome"]) == {"result"}


def test_working_days_are_those_of_the_calendar(receipt):
    rows = ks.time_to_result(receipt).rows
    frame = receipt.engine.query(
        "SELECT received_at, finished_at FROM dossiers WHERE finished_at IS NOT NULL"
    ).to_pandas()
    days = receipt.calendar.working_days_between(frame["received_at"], frame["finished_at"])
    assert rows.set_index("time")["events"].to_dict() == pd.Series(days[days >= 0]).value_counts().to_dict()


def test_withdrawn_dossiers_compete_with_results(edges):
    found = ks.time_to_result(edges)
    last = found.rows.groupby("outcome").tail(1).set_index("outcome")
    assert set(last.index) == {"result", "withdrawn"}
    assert last["estimate"].sum() + last["open"].iloc[-1] == pytest.approx(1)
    assert any("Aalen" in note for note in found.notes)
    tests = ks.time_to_result(edges, by="field").tests
    assert tests["test"].tolist() == ["log_rank", "gray", "gray"]


def test_a_nowcast_without_open_dossiers_is_the_plain_share():
    log, frame = city()
    row = ks.nowcast(log, period="2025-Q4").rows.iloc[0]
    chosen = frame[frame["received_at"] < "2026-01-01"]
    assert row["estimate"] == pytest.approx((chosen["finished_at"] <= chosen["due_at"]).mean())
    assert (row["se"], row["undecided"], row["n"]) == (0, 0, len(chosen))


def test_a_nowcast_uses_nothing_after_the_snapshot():
    log, frame = city()
    early = dt.datetime(2026, 2, 10, 23, 59, 59)
    cut = replace(log, as_of=early)
    later = frame["finished_at"] > early
    blind = frame.assign(finished_at=frame["finished_at"].mask(later), status=frame["status"].mask(later, "processing"))
    blind = blind[blind["received_at"] <= early]
    known = ks.log_from_frames({"dossiers": blind}, as_of=early)
    for asked in (
        {"period": "2026-Q1"},
        {"recent": 60, "within": 12, "unit": "days"},
        {"recent": 60, "by": "procedure"},
    ):
        pd.testing.assert_frame_equal(ks.nowcast(cut, **asked).rows, ks.nowcast(known, **asked).rows)


def test_nowcasts_are_right_on_average_where_the_ended_alone_are_not():
    errors, naive, covered = [], [], 0
    for seed in range(6):
        log, frame = city(1500, seed=seed)
        chosen = frame[(frame["received_at"] >= "2026-01-01") & (frame["received_at"] < "2026-01-25")]
        truth = (chosen["finished_at"] <= chosen["due_at"]).mean()
        cut = replace(log, as_of=dt.datetime(2026, 1, 24, 23, 59, 59))
        row = ks.nowcast(cut, period="2026-01").rows.iloc[0]
        errors.append(row["estimate"] - truth)
        naive.append(row["ended_only"] - truth)
        covered += row["low"] <= truth <= row["high"]
    assert abs(np.mean(errors)) < 0.02
    assert np.mean(naive) > 0.05
    assert covered >= 5


def test_the_permit_logs_nowcasts_are_nearer_than_the_ended_alone(receipt):
    """Within 4.5 points of the truth by elapsed days; the specification says why not always within 3."""
    for case in json.loads(shared("reference/logs/receipt_censoring_bias.json").read_text(encoding="utf-8")):
        cut = replace(receipt, as_of=dt.datetime.fromisoformat(case["snapshot"]))
        row = ks.nowcast(cut, recent=120, within=56, unit="days").rows.iloc[0]
        assert row["n"] == case["n"]
        assert abs(row["estimate"] - case["true_done56"]) < 0.045 < case["naive_done56"] - case["true_done56"]
        if case["snapshot"] > "2011-06":  # by then the log tells how its pace changes
            assert row["low"] <= case["true_done56"] <= row["high"]


def test_drivers_find_what_was_planted_and_not_what_comes_with_it():
    log, _ = city()
    rows = ks.lateness_drivers(log).rows.set_index(["factor", "level"])
    assert rows.loc[("procedure", "hard"), "low"] > 0.08
    assert rows.loc[("responsible_unit", "Unit 0"), "low"] > rows.loc[("responsible_unit", "Unit 1"), "high"]
    assert (rows["late"] <= rows["n"]).all()


def test_the_fit_to_cells_is_the_one_to_rows():
    import statsmodels.api as sm

    log, _ = city(800)
    cells, _ = driver_cells(log, window(log, None), deadline="original", procedures=5)
    factors = coded(cells, ["procedure", "channel"], units=3)
    found = drive(cells, factors, link="logit", level=0.95, quarters=1).coefficients
    late = np.concatenate([np.repeat([1.0, 0.0], [row.late, row.n - row.late]) for row in cells.itertuples()])
    codes = [np.repeat(factor.code, cells["n"]) for factor in factors]
    by_row = sm.GLM(late, np.column_stack([np.ones(len(late)), *codes]).astype(float), family=sm.families.Binomial())
    np.testing.assert_allclose(found["estimate"], by_row.fit(tol=1e-14).params, atol=1e-8)


def test_standardised_ratios_by_hand():
    log, frame = city(900)
    found = ks.compare_units(log, strata=("procedure",), small=1, few=1).rows.set_index("responsible_unit")
    frame = frame.assign(late=frame["finished_at"] > frame["due_at"])
    rate = frame.groupby("procedure")["late"].transform("mean")
    sums = frame.assign(expected=rate).groupby("responsible_unit").agg(o=("late", "sum"), e=("expected", "sum"))
    np.testing.assert_allclose(found["expected"].reindex(sums.index), sums["e"], atol=1e-9)
    np.testing.assert_allclose(found["estimate"].reindex(sums.index), sums["o"] / sums["e"], atol=1e-9)
    assert found["expected"].sum() == pytest.approx(found["numerator"].sum())


def test_the_slow_unit_is_found_and_the_one_with_hard_dossiers_is_not():
    log, _ = city(4000, units=12)
    found = ks.compare_units(log).rows.set_index("responsible_unit")
    assert found.loc["Unit 0", "flag"] == "far_above"
    assert found["share"].drop("Unit 0").idxmax() == "Unit 1"
    assert found.loc["Unit 1", "flag"] == "usual"
    assert found.loc["Unit 0", "rank"] == 1
    assert (found["rank_low"] <= found["rank"]).all()


def test_small_units_are_pooled_and_units_with_little_data_not_ranked():
    log, frame = city(600)
    frame["responsible_unit"] = ["A"] * 540 + ["B"] * 20 + [f"C{i // 4}" for i in range(40)]
    found = ks.compare_units(ks.log_from_frames({"dossiers": frame}, as_of=AS_OF)).rows.set_index("responsible_unit")
    assert found.loc["B", "flag"] == "insufficient"
    assert pd.isna(found.loc["B", "rank"])
    assert (found.loc["small_units", "units"], found.loc["small_units", "n"]) == (10, 40)


@pytest.mark.parametrize("late", [True, False])
def test_all_late_or_none(late):
    log, _ = city(300, late=late)
    compared = ks.compare_units(log)
    assert compared.rows["rank"].isna().all() or late
    assert set(compared.rows["flag"]) <= {"", "usual", "insufficient", "alone", "small_units"}
    assert len(ks.lateness_drivers(log).rows) == 0
    assert ks.nowcast(log).rows["estimate"].iloc[0] == (0.0 if late else 1.0)


def test_one_unit_and_half_without_a_deadline():
    log, frame = city(400, units=1)
    assert ks.compare_units(log).rows["flag"].tolist() == ["alone"]
    half = frame.assign(due_at=frame["due_at"].mask(np.arange(400) % 2 == 0))
    log = ks.log_from_frames({"dossiers": half}, as_of=AS_OF)
    assert ks.nowcast(log).rows[["n", "n_missing"]].to_numpy().tolist() == [[200, 200]]
    assert ks.compare_units(log).rows["n_missing"].sum() == 200
    assert ks.lateness_drivers(log).rows["n"].max() <= 200


def test_a_month_without_arrivals_is_no_row(receipt):
    empty = replace(receipt, as_of=dt.datetime(2012, 3, 1))
    assert len(ks.nowcast(empty, period="2012-02").rows) == 0
    assert len(ks.compare_units(empty, period="2014-02").rows) == 0
    assert len(ks.time_to_result(empty, period="2012-02").rows) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda log: ks.time_to_result(log, unit="weeks"),
        lambda log: ks.nowcast(log, within=-1),
        lambda log: ks.nowcast(log, period="2026-Q1", recent=10),
        lambda log: ks.lateness_drivers(log, factors=["officer"], link="probit"),
        lambda log: ks.compare_units(log, by="officer"),
        lambda log: ks.compare_units(log, few=3, small=5),
    ],
)
def test_wrong_calls_are_refused(edges, call):
    with pytest.raises(KhaosatError):
        call(edges)


def test_small_cities_are_compared_in_coarser_kinds_by_auto_alone():
    log, _ = city(120)
    fine, auto, coarse = (
        ks.compare_units(log, strata=strata, small=1, few=1).rows.set_index("responsible_unit")["expected"].sort_index()
        for strata in (("procedure", "channel", "month"), "auto", ("procedure", "channel"))
    )
    assert (auto - coarse).abs().max() < 1e-9 < (auto - fine).abs().max()


def test_the_own_part_of_a_yardstick_by_hand():
    counts = pd.DataFrame({"unit": ["u", "v", "u"], "kind": ["a", "a", "b"], "n": [30, 10, 10]})
    # u: (30²/40 + 10²/10) / 40, v: (10²/40) / 10
    assert own_part(counts, by="unit", strata=("kind",), few=20) == pytest.approx(32.5 / 40)
    assert own_part(counts, by="unit", strata=("kind",), few=1) == pytest.approx((32.5 / 40 + 0.25) / 2)
    assert coarse_enough(counts, by="unit", ladder=[("kind",), ()], few=1) == ()
