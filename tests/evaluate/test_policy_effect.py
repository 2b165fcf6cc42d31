"""`policy_effect`: planted steps and ratios found, what is left out and why, logs and frames, bad calls in words."""

import datetime as dt

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import khaosat as ks
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import DataError, KhaosatError
from khaosat.evaluate.policy_dates import as_policy, policies

MONTHS = [str(month) for month in pd.period_range("2023-01", periods=30, freq="M")]


@pytest.fixture(autouse=True)
def english():
    with ks.language("en"):
        yield


def one_series(effect=-0.06, *, seed=1, n=400, months=MONTHS, when="2024-07"):
    rng = np.random.default_rng(seed)
    after = np.array(months) >= when
    rate = 0.16 + 0.0005 * np.arange(len(months)) + effect * after
    return pd.DataFrame({"month": months, "numerator": rng.binomial(n, rate), "denominator": n})


def city(ratio=0.5, *, seed=1, units=12, treated=5, when=15, cases=150):
    rng = np.random.default_rng(seed)
    odds = np.exp(rng.normal(-1.5, 0.3, units))[:, None] * np.exp(rng.normal(0, 0.1, 24))
    after = (np.arange(units) < treated)[:, None] & (np.arange(24) >= when)
    odds = odds * np.where(after, ratio, 1.0)
    late = rng.binomial(cases, odds / (1 + odds))
    return pd.DataFrame({
        "unit": np.repeat([f"u{i}" for i in range(units)], 24), "month": MONTHS[:24] * units,
        "numerator": late.ravel(), "denominator": cases,
    })  # fmt: skip


TREATED = [f"u{i}" for i in range(5)]


def test_a_planted_step_is_found_and_a_control_keeps_it():
    series = one_series(n=4000)
    found = ks.policy_effect(series, when="2024-07-01").rows.set_index("effect")
    assert found.loc["average", "low"] < -0.06 < found.loc["average", "high"]
    assert found.loc["average", "p_value"] < 0.05
    assert (found["n"] == 30).all()
    control = one_series(effect=0.0, seed=9, n=4000)
    both = ks.policy_effect(series, when="2024-07-01", control=control)
    assert both.rows.set_index("effect").loc["average", "p_value"] < 0.05
    assert any("difference from the control" in note for note in both.notes)


def test_a_series_on_broken_lines_gives_back_its_lines():
    t = np.arange(20)
    value = 5 + 0.5 * t - np.where(t >= 12, 2 + 0.25 * (t - 12), 0) + 1e-6 * np.random.default_rng(0).normal(size=20)
    series = pd.DataFrame({"period": MONTHS[:20], "value": value})
    found = ks.policy_effect(series, when="2024-01-01").rows.set_index("effect")["estimate"]
    assert found.to_dict() == pytest.approx({"level": -2, "slope": -0.25, "average": -2.875, "end": -3.75}, abs=1e-4)


def test_the_average_is_one_over_cases():
    t = np.arange(20)
    value = 5.0 - np.where(t >= 12, t - 12, 0) + 1e-6 * np.random.default_rng(0).normal(size=20)
    series = pd.DataFrame({"period": MONTHS[:20], "value": value, "weight": np.where(t == 19, 9, 1)})
    found = ks.policy_effect(series, when="2024-01-01").rows.set_index("effect")["estimate"]
    assert found["average"] == pytest.approx(-(sum(range(7)) + 9 * 7) / 16, abs=1e-4)


def test_the_period_of_the_day_counts_where_most_of_it_lies():
    series = one_series()
    for day, first in (("2024-07-01", "2024-07"), ("2024-06-28", "2024-07"), ("2024-07-09", "2024-07")):
        found = ks.policy_effect(series, when=day).series
        assert found.loc[found["after"], "period"].iloc[0] == first
    weeks = pd.DataFrame({"week": pd.date_range("2024-01-01", periods=60, freq="7D").astype(str),
                          "value": np.random.default_rng(1).normal(size=60)})  # fmt: skip
    found = ks.policy_effect(weeks, when="2024-06-28").series  # a Friday: most of its week is before
    assert found.loc[found["after"], "period"].iloc[0] == "2024-07-01"


def test_gap_and_missing_months_and_months_without_cases():
    series = one_series()
    series.loc[3, ["numerator", "denominator"]] = 0
    series = series.drop(index=[7])
    found = ks.policy_effect(series, when="2024-07-01", gap=2)
    assert set(found.rows["n"]) == {26}
    assert set(found.rows["n_missing"]) == {2}
    assert any("first 2 periods" in note for note in found.notes)
    assert any("gaps, not zeros" in note for note in found.notes)
    assert (~found.series["used"]).sum() == 2


def test_season_is_stated_and_taken_off():
    wave = 3 * np.sin(2 * np.pi * np.arange(30) / 12)
    noise = np.random.default_rng(4).normal(size=30) * 0.1
    series = pd.DataFrame({"month": MONTHS, "value": 10 + wave + noise})
    plain, seasonal, months = (ks.policy_effect(series, when="2024-07-01", season=season)
                               for season in ("none", "auto", "months"))  # fmt: skip
    at = [found.rows.set_index("effect").loc["average", "se"] for found in (plain, seasonal, months)]
    assert at[1] < at[0] / 3
    assert at[2] < at[0]
    assert any("sine" in note for note in seasonal.notes)
    assert any("No season" in note for note in plain.notes)
    assert any("calendar month" in note for note in months.notes)


def test_too_little_and_flat_data_are_said_not_estimated():
    few = ks.policy_effect(one_series(months=MONTHS[:21]), when="2024-07-01")
    assert few.rows["estimate"].isna().all()
    assert any("Not enough data" in note for note in few.notes)
    flat = ks.policy_effect(one_series().assign(numerator=0), when="2024-07-01")
    assert (flat.rows["estimate"] == 0).all()
    assert flat.rows[["se", "low", "high", "p_value"]].isna().all(axis=None)
    months = ks.policy_effect(one_series(months=MONTHS[:14]), when="2023-08-01", season="months")
    assert months.rows["estimate"].isna().all()
    for found in (few, flat, months):
        assert found.table().cells
        plt.close(found.plot().figure)


def test_wrong_calls_are_named():
    series = one_series()
    for day in ("2019-01-01", "2031-01-01", "2023-01-01"):
        with pytest.raises(DataError, match="lies outside the series"):
            ks.policy_effect(series, when=day)
    with pytest.raises(DataError, match="plan_2024"):
        ks.policy_effect(series, when="no such thing")
    with pytest.raises(DataError, match="numerator, denominator / value"):
        ks.policy_effect(series[["month"]], when="2024-07-01")
    wrong = series.assign(numerator=[1, -1, 999, *[1] * 27])
    with pytest.raises(DataError, match="rows 2, 3"):
        ks.policy_effect(wrong, when="2024-07-01")
    with pytest.raises(DataError, match="months"):
        ks.policy_effect(series.assign(month="first"), when="2024-07-01")
    with pytest.raises(DataError, match="no period with cases"):
        ks.policy_effect(series.iloc[:0], when="2024-07-01")
    with pytest.raises(DataError, match="no unit u99"):
        ks.policy_effect(city(), when="2024-04-01", method="did", treated=["u99"])
    with pytest.raises(DataError, match="no other is left"):
        ks.policy_effect(one_series().assign(unit="a"), when="2024-07-01", treated=["a"], control="others")
    with pytest.raises(DataError, match="at least two units"):
        ks.policy_effect(one_series().assign(unit="a"), when="2024-07-01", method="did", treated=["a"])
    with pytest.raises(DataError, match="name them in treated"):
        ks.policy_effect(city(), when="2024-04-01", method="did")
    with pytest.raises(KhaosatError, match="its or did"):
        ks.policy_effect(series, when="2024-07-01", method="rdd")
    values = city().assign(value=0.1).drop(columns=["numerator", "denominator"])
    with pytest.raises(DataError, match="needs counts"):
        ks.policy_effect(values, when="2024-04-01", method="did", treated=TREATED, scale="odds")


def test_the_input_is_left_alone():
    series = one_series()
    before = series.copy()
    ks.policy_effect(series, when="2024-07-01")
    pd.testing.assert_frame_equal(series, before)


def test_differences_find_a_planted_ratio_and_the_same_on_both_scales():
    table = city()
    share = ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, permutations=99)
    odds = ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, scale="odds", permutations=0)
    assert share.rows["p_value"].iloc[0] < 0.01
    assert share.rows["estimate"].iloc[0] < -0.05
    row = odds.rows.iloc[0]
    assert row["low"] < 0.5 < row["high"] < 1
    checks = share.checks.set_index("check")
    assert checks.loc["permutation", "p_value"] <= 0.02
    assert checks.loc["pretrend", "p_value"] > 0.01
    assert 0 < checks.loc["detectable", "estimate"] < 0.1
    assert set(share.placebos["kind"]) == {"date", "unit"}
    assert (share.events.loc[share.events["since"] >= 0, "estimate"] < 0.02).all()
    assert odds.table().cells[0][1].startswith("0.")


def test_days_by_unit_are_the_same_as_one_day_for_all_of_them():
    table = city()
    one = ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, permutations=0)
    each = ks.policy_effect(table, when=dict.fromkeys(TREATED, "2024-04-01"), method="did", permutations=0)
    rest = pd.Index([f"u{i}" for i in range(5, 12)])
    against = ks.policy_effect(table, when="2024-04-01", method="did", control=rest, permutations=0)
    others = ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, control="others",
                              permutations=0)  # fmt: skip
    pd.testing.assert_frame_equal(one.rows, others.rows)
    pd.testing.assert_frame_equal(one.rows, each.rows)
    pd.testing.assert_frame_equal(one.rows, against.rows)


def test_with_few_units_the_wider_of_two_intervals_is_given():
    auto, unit, cells = (
        ks.policy_effect(
            city(), when="2024-04-01", method="did", treated=TREATED, permutations=0, errors=errors
        ).rows.iloc[0]
        for errors in ("auto", "unit", "dispersion")
    )
    assert auto["high"] - auto["low"] == max(unit["high"] - unit["low"], cells["high"] - cells["low"])
    many = city(units=24, treated=12)
    treated = [f"u{i}" for i in range(12)]
    auto, unit = (ks.policy_effect(many, when="2024-04-01", method="did", treated=treated, errors=errors).rows
                  for errors in ("auto", "unit"))  # fmt: skip
    pd.testing.assert_frame_equal(auto, unit)


def test_trends_that_differ_before_are_noticed():
    table = city(ratio=1.0, cases=4000)
    drift = table["unit"].isin(TREATED) * 40 * table.groupby("unit").cumcount()
    found = ks.policy_effect(table.assign(numerator=table["numerator"] + drift), when="2024-04-01", method="did",
                             treated=TREATED, errors="dispersion", permutations=0)  # fmt: skip
    assert found.checks.set_index("check").loc["pretrend", "p_value"] < 0.001
    assert any("in doubt" in note for note in found.notes)


def test_one_treated_unit_has_no_error_by_unit_but_a_permutation():
    found = ks.policy_effect(city(), when="2024-04-01", method="did", treated=["u0"], errors="unit",
                             permutations=99)  # fmt: skip
    assert np.isnan(found.rows["se"].iloc[0])
    assert np.isfinite(found.rows["estimate"].iloc[0])
    assert found.checks.set_index("check").loc["permutation", "n"] == 99
    assert any("no standard error" in note for note in found.notes)
    auto = ks.policy_effect(city(), when="2024-04-01", method="did", treated=["u0"], permutations=0)
    assert auto.rows["low"].iloc[0] < auto.rows["estimate"].iloc[0] == found.rows["estimate"].iloc[0]
    plt.close(found.plot().figure)


def test_nothing_late_at_all_is_no_effect_and_no_ratio():
    table = city().assign(numerator=0)
    share, odds = (
        ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, scale=scale, permutations=9)
        for scale in ("share", "odds")
    )
    assert share.rows["estimate"].iloc[0] == pytest.approx(0, abs=1e-12)
    row = share.rows.iloc[0]
    assert row["low"] < 0 < row["high"]  # a unit with none late is not certain to stay so
    by_unit = ks.policy_effect(table, when="2024-04-01", method="did", treated=TREATED, errors="unit", permutations=0)
    assert by_unit.rows["p_value"].isna().all()
    assert odds.rows["estimate"].isna().all()
    assert any("no odds ratio" in note for note in odds.notes)


def test_policies_have_names_and_others_in_the_window_are_said():
    assert [policy.id for policy in policies()] == ["directive_2023", "plan_2024", "merger_2025"]
    assert as_policy("plan_2024").day == as_policy("2024-06-28").day == dt.date(2024, 6, 28)
    found = ks.policy_effect(one_series(), when="plan_2024")
    assert "28/06/2024" in found.title
    assert sum("Also in the window" in note and "18/10/2023" in note for note in found.notes) == 1
    assert any("no proof" in note for note in found.notes)


def small_log(months=16, per_month=40, seed=3):
    rng = np.random.default_rng(seed)
    received = pd.to_datetime(np.repeat(pd.date_range("2025-01-06", periods=months, freq="MS"), per_month))
    late = rng.random(len(received)) < np.where(received >= pd.Timestamp("2025-10-01"), 0.1, 0.4)
    frame = pd.DataFrame({
        "dossier_id": [f"H{i}" for i in range(len(received))], "received_at": received,
        "field": np.where(np.arange(len(received)) % 2, "A", "B"), "due_at": received + pd.Timedelta(days=10),
        "finished_at": received + pd.to_timedelta(np.where(late, 20, 5), unit="D"), "status": "finished",
    })  # fmt: skip
    asked = frame[::4].assign(requested_at=frame["received_at"] + pd.Timedelta(days=1))[["dossier_id", "requested_at"]]
    end = received.max() + pd.DateOffset(months=1)
    return log_from_frames({"dossiers": frame, "supplements": asked}, as_of=end.to_pydatetime())


def test_a_log_is_counted_by_its_own_definitions():
    log = small_log()
    found = ks.policy_effect(log, when="2025-10-01")
    months = found.series.set_index("period")
    known = ks.on_time(log, period="2025-06").rows.iloc[0]
    assert months.loc["2025-06", ["observed", "weight"]].tolist() == [known["estimate"], known["denominator"]]
    assert months.index[0] == "2025-04"  # two months of warming up after the first, February
    mean = found.rows.set_index("effect").loc["average"]
    assert mean["low"] < -0.3 < mean["high"]
    cohort = ks.policy_effect(log, when="2025-10-01", definition="cohort").series.set_index("period")
    known = ks.on_time(log, by="month", definition="cohort").rows.set_index("month")
    assert cohort["observed"].to_dict() == pytest.approx(known["estimate"].reindex(cohort.index).to_dict())


def test_groups_of_a_log_add_up_and_supplements_are_counted():
    log = small_log()
    whole = ks.policy_effect(log, when="2025-10-01").series["weight"]
    parts = [ks.policy_effect(log, when="2025-10-01", by="field", treated=[field]).series["weight"] for field in "AB"]
    np.testing.assert_array_equal(whole, parts[0] + parts[1])
    asked = ks.policy_effect(log, when="2025-10-01", measure="supplement", by="field", treated=["B"]).series
    np.testing.assert_allclose(asked["observed"], 0.5)
    difference = ks.policy_effect(log, when="2025-10-01", by="field", treated=["A"], control=["B"]).series["observed"]
    rest = ks.policy_effect(log, when="2025-10-01", by="field", treated=["A"], control="others").series["observed"]
    pd.testing.assert_series_equal(rest, difference)
    with pytest.raises(DataError, match="needs the treated units"):
        ks.policy_effect(log, when="2025-10-01", by="field", control="others")
    assert difference.abs().max() < 1
    assert (difference < 0).any()


def test_a_window_and_words():
    found = ks.policy_effect(one_series(), when="2024-07-01", since="2023-06", until="2025-03")
    assert found.series["period"].iloc[[0, -1]].tolist() == ["2023-06", "2025-03"]
    cells = found.table().cells
    assert [row[0] for row in cells] == ["Step at the start", "Change of trend per period", "Mean of all periods after",
                                         "In the last period"]  # fmt: skip
    assert cells[2][1] == f"{100 * found.rows['estimate'][2]:.1f}".replace("-", "−")
    ax = found.plot()
    assert {text.get_text() for text in ax.texts} >= {"as it is", "without the policy", "01/07/2024"}
    plt.close(ax.figure)
