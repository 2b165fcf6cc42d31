"""at_risk and back_test: nothing of the future enters, the public baselines are beaten, thin logs get a word."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from khaosat.dossiers import at_risk, back_test
from khaosat.dossiers.frames import log_from_frames
from khaosat.dossiers.snapshots import NOW, snapshots
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


def test_the_public_baselines_are_beaten_on_the_same_dossiers():
    reference = pd.DataFrame(json.loads(shared("reference/logs/receipt_prefix_baseline.json").read_text()))
    log = read_dossiers(shared("data/permits/receipt.csv.gz"), mapping="receipt")
    rows = back_test(log).rows.iloc[:-1]
    assert rows[["n_train", "n_test"]].to_numpy().tolist() == reference[["n_train", "n_test"]].to_numpy().tolist()
    np.testing.assert_allclose(rows["late"], reference["late_test"], atol=5e-4)
    np.testing.assert_allclose(rows["brier_base"], reference["brier_base"], atol=6e-5)
    assert (rows["brier"] < reference["brier"]).all()
    log.engine.close()


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
