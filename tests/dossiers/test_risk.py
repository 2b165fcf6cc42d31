"""at_risk and back_test: nothing of the future enters, the public baselines are beaten, thin logs get a word."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from khaosat.dossiers import at_risk, back_test
from khaosat.dossiers.frames import log_from_frames
from khaosat.dossiers.risk_fit import better, by_dossier, recorded_in_time
from khaosat.dossiers.risk_past import HALF_LIFE, PERIOD, SMOOTH, past_rates
from khaosat.dossiers.risk_walk import Walk, walk
from khaosat.dossiers.snapshots import NOW, TEXTS, snapshots
from khaosat.errors import KhaosatError
from khaosat.facts.language import language
from khaosat.io.dossier_files import read_dossiers
from tests.shared import shared

AS_OF = dt.datetime(2026, 7, 1, 8)


def city(n: int = 600, *, late: float = 0.3, seed: int = 5, units: int = 2) -> pd.DataFrame:
    """Dossiers with 10-day terms; those of field B are late four times as often as those of field A."""
    rng = np.random.default_rng(seed)
    received = pd.Timestamp("2025-07-01 08:00") + pd.to_timedelta(np.sort(rng.uniform(0, 360, n)), unit="D")
    slow = rng.random(n) < 0.5
    is_late = rng.random(n) < np.where(slow, 1.6 * late, 0.4 * late)
    finished = received + pd.to_timedelta(
        np.where(is_late, rng.uniform(14.5, 25, n), rng.uniform(2, 13.5, n)), unit="D"
    )
    return pd.DataFrame({
        "dossier_id": [f"D{i}" for i in range(n)], "field": np.where(slow, "B", "A"),
        "procedure_name": np.where(slow, "B", "A"), "responsible_unit": [f"U{i % units}" for i in range(n)],
        "received_at": received, "due_at": received + pd.Timedelta(days=14),
        "finished_at": finished.where(finished < AS_OF), "status": np.where(finished < AS_OF, "finished", "processing"),
    })  # fmt: skip


def log_of(frame: pd.DataFrame, **tables: pd.DataFrame):
    return log_from_frames({"dossiers": frame, **tables}, as_of=AS_OF)


def test_the_public_baselines_are_met_on_the_same_dossiers():
    """A lower Brier score at each elapsed share, and calibrated over all of them."""
    reference = pd.DataFrame(json.loads(shared("reference/logs/receipt_prefix_baseline.json").read_text()))
    log = read_dossiers(shared("data/permits/receipt.csv.gz"), mapping="receipt")
    whole = back_test(log).rows
    rows = whole.iloc[:-1]
    assert rows[["n_train", "n_test"]].to_numpy().tolist() == reference[["n_train", "n_test"]].to_numpy().tolist()
    np.testing.assert_allclose(rows["late"], reference["late_test"], atol=5e-4)
    np.testing.assert_allclose(rows["brier_base"], reference["brier_base"], atol=6e-5)
    assert (rows["brier"] < rows["brier_base"]).all()
    assert (rows["brier"] < reference["brier"]).all()
    assert whole.iloc[-1]["ece"] < 0.05
    log.engine.close()


def test_what_was_known_at_the_split_is_enough_on_the_public_log():
    """A field that came into use in mid 2011 was filled in afterwards for dossiers still open: late ones. Learning from
    that, the chances known at the split were worse than a constant (Brier 0.33 against 0.21)."""
    log = read_dossiers(shared("data/permits/receipt.csv.gz"), mapping="receipt")
    rows = back_test(log, labels="known").rows
    assert (rows["brier"] < rows["brier_base"]).all()
    assert rows.iloc[-1]["ece"] < 0.05
    log.engine.close()


def test_a_field_filled_in_afterwards_teaches_nothing():
    frame = pd.DataFrame({
        "nth": np.arange(400), "percent": 0, "received_second": np.arange(400.0),
        **{name: pd.Series(["A"] * 400, dtype="object") for name in TEXTS},
    })  # fmt: skip
    late = (np.arange(400) < 300) & (np.arange(400) % 10 != 0)
    frame.loc[late, "receiving_unit"] = None  # recorded of one in ten before the 300th reception, of all after
    frame.loc[np.arange(400) % 3 > 0, "applicant_type"] = None  # recorded of one in three throughout
    found = recorded_in_time(frame[frame["nth"] < 350], frame)
    assert found["receiving_unit"].notna().sum() == 50
    assert found["applicant_type"].notna().sum() == frame.loc[:349, "applicant_type"].notna().sum()
    assert found["procedure"].notna().all()


def test_chances_of_a_test_dossier_know_no_outcome_that_came_later():
    """Outcomes of dossiers that fell due after a stretch began are turned round: its chances stay what they were."""
    history = snapshots(log_of(city(900)), percents=[0, 25, 50, 75])
    before = walk(history, split=0.6, known_only=True)
    received = before.frame["received_second"]
    last = received[received >= before.cut].quantile(0.75)
    early = before.frame[before.frame["received_second"] < last]
    turned = history.copy()
    unknown = turned["due_second"] >= last
    turned.loc[unknown, "is_late"] = 1 - turned.loc[unknown, "is_late"]
    after = walk(turned, split=0.6, known_only=True).frame
    same = after[after["received_second"] < last]
    np.testing.assert_array_equal(same["chance"].to_numpy(), early["chance"].to_numpy())
    assert early["chance"].notna().sum() > 300


def test_what_happens_later_changes_no_feature():
    """The same dossiers, once as they ended and once cut off at a moment: what was known before it is the same."""
    frame = city(200)
    cut = dt.datetime(2026, 1, 15, 12)
    steps = pd.DataFrame({
        "dossier_id": np.repeat(frame["dossier_id"], 3), "seq": np.tile([1, 2, 3], len(frame)),
        "step": np.tile(["Tiếp nhận", "Thẩm định", "Ký"], len(frame)),
        "started_at": np.repeat(frame["received_at"].to_numpy(), 3)
        + np.tile([0, 24, 96], len(frame)) * np.timedelta64(1, "h"),
    })  # fmt: skip
    steps["finished_at"] = steps["started_at"] + pd.Timedelta(hours=20)
    asked = pd.DataFrame(
        {"dossier_id": frame["dossier_id"], "requested_at": frame["received_at"] + pd.Timedelta(days=3)}
    )
    asked["completed_at"] = asked["requested_at"] + pd.Timedelta(days=2)
    then = frame[frame["received_at"] <= cut].copy()
    open_then = ~(then["finished_at"] <= cut)
    then.loc[open_then, ["finished_at", "status"]] = [pd.NaT, "processing"]
    known = steps[steps["started_at"] <= cut].copy()
    known.loc[known["finished_at"] > cut, "finished_at"] = pd.NaT
    requests = asked[asked["requested_at"] <= cut].copy()
    requests.loc[requests["completed_at"] > cut, "completed_at"] = pd.NaT
    whole = log_of(frame, steps=steps, supplements=asked)
    early = log_from_frames({"dossiers": then, "steps": known, "supplements": requests}, as_of=cut)
    outcome = ["closed_second", "is_late", "closed_days", "seen_days"]
    moment = (cut - dt.datetime(1970, 1, 1)).total_seconds()
    a, b = (snapshots(log, percents=[0, 25, 50, 90]) for log in (whole, early))
    a = a[a["at_second"] <= moment].drop(columns=outcome).reset_index(drop=True)
    pd.testing.assert_frame_equal(a, b.drop(columns=outcome), check_dtype=False)
    assert a["begun"].max() == 3
    assert a["awaited"].max() == 1


def test_the_chance_follows_what_makes_dossiers_late():
    result = at_risk(log_of(city()), internal=True, top=1000)
    assert result.rows["estimate"].between(0, 1).all()
    timely = result.rows[result.rows["remaining_days"] > 0]
    means = timely.groupby("field")["estimate"].mean()
    assert means["B"] > means["A"] + 0.2
    assert (result.rows["low_at"].dropna() <= result.rows["high_at"].loc[result.rows["low_at"].notna()]).all()
    whole = result.validation.rows.iloc[-1]
    assert whole["brier"] < whole["brier_base"]
    assert "dossier_id" not in at_risk(log_of(city())).rows
    assert (at_risk(log_of(city()), horizon=3).rows["remaining_days"] <= 3).all()


@pytest.mark.parametrize("late", [0.0, 0.625])
def test_no_late_dossier_or_only_late_ones(late):
    frame = city(120, late=late)
    if late:
        frame = frame[frame["field"] == "B"]
    result = at_risk(log_of(frame))
    timely = result.rows[result.rows["remaining_days"] > 0]["estimate"]
    assert len(timely)
    assert (timely > 0.95).all() if late else (timely < 0.05).all()


def test_thin_logs_get_a_word():
    with language("en"):
        assert "Too few dossiers" in " ".join(at_risk(log_of(city(10))).notes)
        half = city(400)
        half.loc[half.index % 2 == 0, "due_at"] = pd.NaT
        assert "have no due date" in " ".join(at_risk(log_of(half)).notes)
        closed = city(300)
        closed = closed[closed["finished_at"].notna()]
        empty = at_risk(log_of(closed))
        assert empty.rows.empty
        assert "No open dossier" in " ".join(empty.notes)


@pytest.mark.parametrize("wrong", [{"elapsed": [1.0]}, {"elapsed": []}, {"split": 1.0}, {"labels": "x"}])
def test_wrong_calls_are_refused(wrong):
    with pytest.raises(KhaosatError):
        back_test(log_of(city(5)), **wrong)


def test_the_snapshot_is_scored_once_a_dossier():
    log = log_of(city(300))
    current = snapshots(log, percents=[NOW])
    assert len(current) == current["nth"].nunique() == city(300)["finished_at"].isna().sum()


@pytest.mark.parametrize("moment", [dt.time(12), dt.time(23, 59, 59)])
def test_the_day_of_the_snapshot_is_day_0_at_noon_and_at_its_end(moment):
    """30 September 2026 is a Wednesday: two working days before Friday, three after Sunday."""
    due = [dt.datetime(2026, 10, 2, 17), dt.datetime(2026, 9, 27, 17)]
    frame = pd.DataFrame({"dossier_id": ["a", "b"], "received_at": [dt.datetime(2026, 9, 21, 8)] * 2, "due_at": due})
    log = log_from_frames({"dossiers": frame}, as_of=dt.datetime.combine(dt.date(2026, 9, 30), moment))
    rows = at_risk(log, internal=True).rows.set_index("dossier_id")["remaining_days"]
    assert rows.to_dict() == {"a": 2, "b": -3}
    assert len(at_risk(log, horizon=1).rows) == 0
    log.engine.close()


def test_a_band_covers_what_it_says():
    """The end of dossiers still open at an earlier snapshot lies in nine bands of ten, whoever was open then."""
    frame = city(2400)
    cut = dt.datetime(2026, 3, 1, 8)
    then = frame[frame["received_at"] <= cut].copy()
    then.loc[~(then["finished_at"] <= cut), ["finished_at", "status"]] = [pd.NaT, "processing"]
    rows = at_risk(log_from_frames({"dossiers": then}, as_of=cut), internal=True, top=5000).rows
    ends = rows["dossier_id"].map(frame.set_index("dossier_id")["finished_at"]).dt.normalize()
    inside = (rows["low_at"] <= ends) & ~(rows["high_at"] < ends)
    assert len(rows) > 60
    assert 0.8 <= inside.mean() <= 1.0


def looked_at(n: int = 4000) -> pd.DataFrame:
    """Dossiers with their true chances: half of the timely ones are done before the second look at them."""
    rng = np.random.default_rng(8)
    chance = rng.uniform(0.1, 0.6, n)
    late = (rng.random(n) < chance).astype(float)
    first = pd.DataFrame({"nth": np.arange(n), "percent": 0, "is_late": late, "chance": chance})
    # Of those still open then: p late, (1 - p) / 2 timely.
    second = first.assign(percent=50, chance=2 * chance / (1 + chance))[(late > 0) | (rng.random(n) < 0.5)]
    return pd.concat([first, second], ignore_index=True)


def test_true_chances_keep_their_word_though_late_dossiers_are_looked_at_more_often():
    """To count each dossier once, however often it is looked at, would tell that true chances are too high."""
    frame = looked_at()
    gap = frame["is_late"] - frame["chance"]
    mean, se = by_dossier(gap, frame["nth"])
    assert abs(mean) < 2.5 * se < 0.03
    assert gap.groupby(frame["nth"]).mean().mean() < -3 * se
    scored = frame.assign(raw=frame["chance"], scaled=frame["chance"] / 2, due_second=0.0)
    assert Walk(frame=scored, cut=0.0, dropped=()).scaling(1.0) == (0.0, 1.0)
    assert not better(frame, (frame["chance"] / 2).to_numpy(), frame["chance"].to_numpy())
    assert better(frame, frame["chance"].to_numpy(), (frame["chance"] / 2).to_numpy())


def test_standard_errors_know_that_looks_at_a_dossier_go_together():
    frame = looked_at(500)
    twice = pd.concat([frame, frame])
    gap = frame["is_late"] - frame["chance"]
    assert by_dossier(pd.concat([gap, gap]), twice["nth"]) == pytest.approx(by_dossier(gap, frame["nth"]))
    assert np.isnan(by_dossier(gap[:1], frame["nth"][:1])[1])


def test_past_rates_by_hand_know_earlier_periods_alone():
    counts = pd.DataFrame({
        "name": ["unit"] * 4, "value": ["u", "v", "u", "u"], "period": [0, 0, 1, 2], "n": [40, 60, 10, 99],
        "late": [30, 6, 1, 99],
    })  # fmt: skip
    frame = pd.DataFrame({
        "at_second": [1 * PERIOD * 86400, 2 * PERIOD * 86400, 2 * PERIOD * 86400], "unit": ["u", "u", "new"],
        "procedure": None, "receiving_unit": None,
    })  # fmt: skip
    found = past_rates(counts, frame)
    fading = 0.5 ** (PERIOD / HALF_LIFE)
    base = np.array([(36 + 5) / (100 + 10)] + 2 * [(36 * fading + 1 + 5) / (100 * fading + 10 + 10)])
    late, n = np.array([30, 30 * fading + 1, 0]), np.array([40, 40 * fading + 10, 0])
    rate = (late + SMOOTH * base) / (n + SMOOTH)
    np.testing.assert_allclose(found["past_all"], np.log(base / (1 - base)))
    np.testing.assert_allclose(found["past_unit"], np.log(rate / (1 - rate)) - np.log(base / (1 - base)), atol=1e-12)
    assert (found["past_procedure"] == 0).all()
    empty = past_rates(counts.iloc[:0], frame)
    assert (empty == 0).all(axis=None)


def test_past_rates_of_a_log_count_what_fell_due():
    log = log_of(city(500))
    found = snapshots(log, percents=[0, NOW])
    first = found[found["percent"] == 0].sort_values("nth")
    assert (first["past_all"].iloc[:5] == 0).all()  # nothing had fallen due yet: one half, as good as nothing known
    frame = city(500)
    last = found[found["percent"] == NOW].iloc[0]
    start = (last["at_second"] // 86400 // PERIOD) * PERIOD * 86400
    due = (frame["due_at"] - pd.Timestamp(1970, 1, 1)).dt.total_seconds()
    known = frame[due < start]
    weight = np.exp2(-(start / 86400 / PERIOD - 1 - due[due < start] // 86400 // PERIOD) * PERIOD / HALF_LIFE)
    late = ~(known["finished_at"] <= known["due_at"])
    share = ((weight * late).sum() + 5) / (weight.sum() + 10)
    assert last["past_all"] == pytest.approx(np.log(share / (1 - share)))


def test_a_log_without_steps_whose_lateness_moves_is_followed():
    """Kinds of dossiers whose chances of being late move in time: late lately tells more than late ever."""
    rng = np.random.default_rng(6)
    n, kinds = 6000, 12
    received = pd.Timestamp("2023-07-01 08:00") + pd.to_timedelta(np.sort(rng.uniform(0, 1090, n)), unit="D")
    kind = rng.integers(0, kinds, n)
    turn = np.asarray((received - received[0]).days) / 1090 * 3
    odds = -1 + 1.8 * np.sin(turn + kind * 2 * np.pi / kinds)
    late = rng.random(n) < 1 / (1 + np.exp(-odds))
    finished = received + pd.to_timedelta(np.where(late, rng.uniform(10.5, 20, n), rng.uniform(1, 9, n)), unit="D")
    frame = pd.DataFrame({
        "dossier_id": [f"D{i}" for i in range(n)], "procedure": [f"K{k}" for k in kind],
        "received_at": received, "due_at": received + pd.Timedelta(days=10),
        "finished_at": finished.where(finished < AS_OF), "status": np.where(finished < AS_OF, "finished", "processing"),
    })  # fmt: skip
    history = snapshots(log_of(frame), percents=[0, 50])
    walked = walk(history, split=0.7, known_only=False)
    assert "past_procedure" not in walked.dropped
    test = walked.frame[(walked.frame["received_second"] >= walked.cut) & (walked.frame["percent"] == 0)]
    ever = history[(history["percent"] == 0) & (history["received_second"] < walked.cut)]
    simple = test["procedure"].map(ever.groupby("procedure")["is_late"].mean())
    loss = [((test["is_late"] - chance) ** 2).mean() for chance in (test["chance"], simple)]
    assert loss[0] < 0.95 * loss[1]
