"""Verbs on steps against plain pandas on random logs, by hand where the rule is ours, and who may be named."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import khaosat as ks
from khaosat.dossiers.frames import example_steps, log_from_frames
from khaosat.dossiers.gate import officers_gate
from khaosat.facts import read_table
from tests.dossiers.step_logs import AS_OF, close_engine, ended, step_logs

NOBODY = {None, "", "chuyên viên", "cán bộ một cửa"}


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    close_engine()


def paths(steps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The steps of each dossier in order."""
    return {name: part.sort_values("seq") for name, part in ended(steps).groupby("dossier_id")}


def plain(values) -> list:
    return [None if pd.isna(value) else value for value in values]


@given(step_logs())
@settings(max_examples=30)
def test_variants_rework_and_edges_are_those_counted_plainly(logs):
    log, walks = logs.log(), paths(logs.steps)
    counted = Counter(tuple(plain(walk["step"])) for walk in walks.values())
    found = ks.variants(log, top=100)
    assert dict(zip(found.rows["steps"], found.rows["n"], strict=True)) == counted
    assert found.totals.iloc[0].to_dict() == {"variants": len(counted), "dossiers": len(walks)}
    assert found.rows["n"].is_monotonic_decreasing
    again = Counter()
    for walk in walks.values():
        again.update(step for step, n in Counter(plain(walk["step"])).items() if n > 1)
    rework = ks.rework(log).rows
    assert dict(zip(plain(rework["step"]), rework["dossiers"], strict=True)) == again
    gaps: dict[tuple, list] = {}
    for walk in walks.values():
        for first, second in pairwise(walk.to_dict("records")):
            gap = (second["began"] - first["ended"]).total_seconds()
            pair = tuple(plain([first["step"], second["step"]]))
            gaps.setdefault(pair, []).append(max(gap, 0.0) if gap == gap else np.nan)
    edges = ks.directly_follows(log).rows
    rows = {tuple(plain([row["source"], row["target"]])): row for row in edges.to_dict("records")}
    assert {pair: row["n"] for pair, row in rows.items()} == {pair: len(times) for pair, times in gaps.items()}
    for pair, times in gaps.items():
        known = [time for time in times if time == time]
        row = rows[pair]
        assert row["n_missing"] == len(times) - len(known)
        expected = [np.mean(known), np.median(known)] if known else [np.nan, np.nan]
        np.testing.assert_allclose([row["mean_seconds"], row["median_seconds"]], expected, rtol=1e-12)
    assert edges["share"].sum() == pytest.approx(1) or edges.empty


@given(step_logs(), st.sampled_from(["unit", "officer"]))
@settings(max_examples=30)
def test_handovers_pass_over_nobody_and_see_what_comes_straight_back(logs, of):
    pairs, back, to_and_fro = Counter(), Counter(), 0
    nobody = NOBODY if of == "officer" else {None, ""}
    for walk in paths(logs.steps).values():
        held = [h for h in plain(walk[of]) if (h.strip().lower() if h else None) not in nobody]
        pairs.update(pairwise(held))
        runs = [holder for holder, _ in groupby(held)]
        returns = [(a, b) for a, b, c in zip(runs, runs[1:], runs[2:], strict=False) if a == c]
        back.update(returns)
        to_and_fro += bool(returns)
    result = ks.handovers(logs.log(), of=of)
    rows = result.rows.set_index(["source", "target"])
    assert rows["n"].to_dict() == pairs
    assert rows["returns"][rows["returns"] > 0].to_dict() == back
    assert result.totals["ping_pong"].iloc[0] == to_and_fro
    np.testing.assert_allclose(rows["share"], [n / pairs.total() for n in rows["n"]])


@given(step_logs())
@settings(max_examples=15)
def test_groups_and_periods_are_the_whole_cut_up(logs):
    log = logs.log()
    for verb in (ks.directly_follows, ks.handovers, ks.steps_profile):
        whole = verb(log).rows["n"].sum()
        by = {"by": ["step", "field"]} if verb is ks.steps_profile else {"by": "field"}
        assert verb(log, **by).rows["n"].sum() == whole
        dated = sum(verb(log, period=month).rows["n"].sum() for month in ("2026-03", "2026-04"))
        undated = ended(logs.steps)["ended"].isna().sum()
        assert dated <= whole <= dated + undated


@given(step_logs())
@settings(max_examples=20)
def test_a_profile_holds_every_step_and_its_own_due_date(logs):
    rows = ks.steps_profile(logs.log(), by="step").rows
    steps = logs.steps
    assert rows["n"].sum() == len(steps)
    whole = steps.dropna(subset=["started_at", "finished_at"])
    assert rows["handling_n"].sum() == (whole["finished_at"] >= whole["started_at"]).sum()
    with_due = steps.dropna(subset=["finished_at", "due_at"])
    assert rows["due"].sum() == len(with_due)
    assert rows["late"].sum() == (with_due["finished_at"] > with_due["due_at"]).sum()
    for part in ("queueing", "handling", "paused"):
        known = rows.dropna(subset=[f"{part}_mean"])
        np.testing.assert_allclose(known[f"{part}_mean"] * known[f"{part}_n"], known[f"{part}_sum"])
        assert (known[f"{part}_mean"] >= 0).all()


def test_one_step_dossiers_have_a_path_and_no_edge():
    steps = pd.DataFrame(
        {"dossier_id": ["A", "B"], "seq": 1, "step": "x", "finished_at": pd.Timestamp("2026-04-01 08:00")}
    )
    log = log_from_frames({"dossiers": pd.DataFrame({"dossier_id": ["A", "B"]}), "steps": steps}, as_of=AS_OF)
    assert ks.variants(log).rows[["steps", "n"]].to_numpy().tolist() == [[("x",), 2]]
    assert ks.directly_follows(log).rows.empty
    assert ks.durations(log).rows[["mean_seconds", "moments"]].to_numpy().tolist() == [[0.0, 2]]


def test_a_path_of_many_groups_lists_the_top_of_each():
    steps = pd.DataFrame({"dossier_id": [*"ABCD"], "seq": 1, "step": [*"xyzz"]})
    dossiers = pd.DataFrame({"dossier_id": [*"ABCD"], "field": ["1", "1", "2", "2"]})
    result = ks.variants(log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=AS_OF), by="field", top=1)
    assert result.rows[["field", "steps", "n", "share"]].to_numpy().tolist() == [
        ["1", ("x",), 1, 0.5],
        ["2", ("z",), 2, 1.0],
    ]
    assert result.totals["variants"].tolist() == [2, 1]


@pytest.mark.parametrize("call", [
    lambda log: ks.variants(log, top=0),
    lambda log: ks.directly_follows(log, by="step"),
    lambda log: ks.directly_follows(log, by="officer"),
    lambda log: ks.steps_profile(log, by="officer"),
    lambda log: ks.handovers(log, of="step"),
    lambda log: ks.handovers(log, of="officer; DROP"),
    lambda log: ks.consultations(log, rule="x"),
    lambda log: ks.consultations(log, steps=[]),
    lambda log: ks.batching(log, steps=[]),
    lambda log: ks.batching(log, by="officer"),
    lambda log: ks.surges(log, level=1),
    lambda log: ks.surges(log, freq="week"),
    lambda log: ks.clearance(log, by="month"),
])  # fmt: skip
def test_wrong_calls_are_refused(call):
    with pytest.raises(ks.KhaosatError):
        call(example_steps())


OFFICERS = pd.DataFrame({
    "dossier_id": [f"D{i // 3}" for i in range(30)], "seq": [1, 2, 3] * 10, "step": [*"xyx"] * 10,
    "officer": ["Lê Thị A", "Trần B", "Lê Thị A"] * 10,
    "finished_at": pd.date_range("2026-04-01 08:00", periods=30, freq="h"),
})  # fmt: skip


def officers_log(steps=OFFICERS):
    dossiers = pd.DataFrame({"dossier_id": steps["dossier_id"].unique(), "received_at": dt.datetime(2026, 4, 1)})
    return log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=AS_OF)


def test_officers_are_named_only_in_an_internal_table():
    public, internal = (ks.handovers(officers_log(), of="officer", internal=yes) for yes in (False, True))
    assert public.rows.equals(internal.rows), "rows are for research"
    assert "Lê Thị A" not in public._repr_html_()
    assert "Người xử lý 1" in public._repr_html_()
    assert "Lê Thị A" in internal._repr_html_()
    assert any("nội bộ" in note for note in internal.notes)


def test_the_quality_gate_keeps_officers_numbered_where_names_stand_for_nobody():
    log = officers_log(OFFICERS.assign(officer=["Lê Thị A", "Chuyên viên", "Chuyên viên"] * 10))
    result = ks.handovers(log, of="officer", internal=True)
    assert not result.internal
    assert "Lê Thị A" not in result._repr_html_()
    assert set(officers_gate(log).words()) <= set(result.notes)


def test_small_numbers_of_handovers_are_hidden():
    steps = OFFICERS.assign(unit=["Sở A", "Sở B", "Sở A"] * 10)
    steps.loc[0, "unit"] = "Sở C"
    table = ks.handovers(officers_log(steps)).table()
    hidden = {row[1] if row[0] == "Sở C" else row[0]: row[2] for row in table.cells if "Sở C" in row[:2]}
    assert set(hidden.values()) == {"…"}


def test_a_source_without_steps_says_so():
    log = log_from_frames({"dossiers": pd.DataFrame({"dossier_id": ["A"]})}, as_of=AS_OF)
    for verb in (ks.variants, ks.durations, ks.directly_follows, ks.handovers, ks.rework, ks.steps_profile):
        assert "Nguồn dữ liệu không có bảng các bước xử lý." in verb(log).notes
    assert "Nguồn dữ liệu không có bảng yêu cầu bổ sung." in ks.supplement_loops(log).notes


def consulted(rows, as_of=AS_OF, finished=None):
    """Opinions asked of Sở B by Sở A: (asked, due, answered)."""
    steps = []
    for i, (asked, due, answered) in enumerate(rows):
        base = {"dossier_id": f"D{i}", "due_at": None}
        steps += [
            {**base, "seq": 1, "step": "Thẩm định", "unit": "Sở A", "started_at": asked, "finished_at": asked},
            {**base, "seq": 2, "step": " LẤY Ý KIẾN ", "unit": "Sở B", "started_at": asked, "finished_at": answered,
             "due_at": due},
        ]  # fmt: skip
        if answered:
            steps.append({**base, "seq": 3, "step": "Trình ký", "unit": "Sở A", "started_at": answered})
    frame = pd.DataFrame(steps)
    for name in ("started_at", "finished_at", "due_at"):
        frame[name] = pd.to_datetime(frame[name])
    dossiers = pd.DataFrame({"dossier_id": [f"D{i}" for i in range(len(rows))], "finished_at": pd.Timestamp(finished)})
    return log_from_frames({"dossiers": dossiers, "steps": frame}, as_of=as_of)


@pytest.mark.parametrize("rule", ["name", "away_and_back"])
def test_every_opinion_asked_is_in_one_of_five_classes(rule):
    log = consulted([
        ("2026-04-01 08:00", "2026-04-03 17:00", "2026-04-03 17:00"),  # in time: at the very moment
        ("2026-04-01 08:00", "2026-04-03 17:00", "2026-04-03 17:01"),
        ("2026-04-01 08:00", "2026-04-03 17:00", None),
        ("2026-04-01 08:00", "2026-05-29 17:00", None),
        ("2026-04-01 08:00", None, "2026-04-02 08:00"),
        ("2026-04-01 08:00", None, None),
    ])  # fmt: skip
    row = ks.consultations(log, rule=rule).rows.iloc[0]
    assert row["unit"] == "Sở B"
    assert [row[name] for name in ("asked", "in_time", "late", "not_answered", "pending", "undated")] == [
        6,
        1,
        1,
        1,
        2,
        1,
    ]
    assert (row["numerator"], row["denominator"]) == (2, 3)
    assert row["median_worked_hours"] == 23.5, "of 8, 23.5 and 23.5"


def test_an_answer_after_the_period_is_none_at_its_end():
    log = consulted([("2026-03-30 08:00", "2026-03-31 17:00", "2026-04-01 08:00")])
    assert ks.consultations(log, period="2026-03").rows[["not_answered", "late"]].to_numpy().tolist() == [[1, 0]]
    assert ks.consultations(log).rows[["not_answered", "late"]].to_numpy().tolist() == [[0, 1]]


def test_a_dossier_that_ended_without_the_opinion_never_got_it():
    log = consulted([("2026-04-01 08:00", None, None)], finished="2026-04-10 08:00")
    assert ks.consultations(log).rows[["not_answered", "pending"]].to_numpy().tolist() == [[1, 0]]


def test_names_of_consultations_are_ones_own_choice():
    log = consulted([("2026-04-01 08:00", None, None)])
    assert ks.consultations(log, steps=["thẩm ĐỊNH"]).rows["unit"].tolist() == ["Sở A"]
    nothing = ks.consultations(log, steps=["Hỏi"])
    assert nothing.rows.empty
    assert any("away_and_back" in note for note in nothing.notes)


def asked(rows):
    """Supplements: (dossier, asked, completed, reason) of dossiers received on Wednesday 1 April, due on the 15th."""
    requests = pd.DataFrame(rows, columns=["dossier_id", "requested_at", "completed_at", "reason"])
    for name in ("requested_at", "completed_at"):
        requests[name] = pd.to_datetime(requests[name])
    names = sorted(set(requests["dossier_id"]) | {"none"})
    dossiers = pd.DataFrame({
        "dossier_id": names, "received_at": pd.Timestamp("2026-04-01 08:00"), "field": "f",
        "first_due_at": pd.Timestamp("2026-04-15 17:00"), "due_at": pd.Timestamp("2026-05-15 17:00"),
    })  # fmt: skip
    return log_from_frames({"dossiers": dossiers, "supplements": requests}, as_of=AS_OF)


def test_loops_by_hand():
    log = asked([
        ("A", "2026-04-06 08:00", "2026-04-08 08:00", "Bổ sung hồ sơ."),  # the third working day: in time; generic
        ("A", "2026-04-15 09:00", None, "Bổ sung bản vẽ mặt bằng"),  # again, on the last day, unanswered
        ("B", "2026-04-07 08:00", "2026-04-07 10:00", "  "),  # the fourth working day; no reason
        ("C", "2026-03-31 08:00", None, None),  # in March: not of April
        ("C", "2026-04-20 08:00", "2026-04-21 08:00", "Bổ sung chữ ký"),  # again; after the deadline
        ("D", None, None, "x"),
    ])  # fmt: skip
    row = ks.supplement_loops(log, period="2026-04").rows.iloc[0].to_dict()
    expected = {"asked": 3, "asked_again": 2, "requests": 4, "repeats": 2, "generic": 2, "last_day": 2, "n": 3,
                "first_requests": 2, "after_term": 1, "answered": 3, "mean_days": 1.0, "median_days": 1.0,
                "received": 5}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["estimate"] == pytest.approx(2 / 3)
    assert row["low"] < row["estimate"] < row["high"]


def test_a_reason_is_shown_only_if_enough_gave_it():
    rows = [(f"D{i}", f"2026-04-{2 + i:02} 08:00", None, "Thiếu bản vẽ" if i < 5 else "Ông Nguyễn Văn X thiếu chữ ký")
            for i in range(9)]  # fmt: skip
    reasons = ks.supplement_loops(asked(rows)).reasons
    assert reasons[["reason", "n", "is_generic"]].to_numpy().tolist() == [["Thiếu bản vẽ", 5, False]]


def test_phrases_that_say_nothing_are_in_the_form_they_are_compared_in():
    phrases = read_table("codes/generic_reasons.csv")["reason"]
    assert phrases.tolist() == [phrase.strip().lower().replace(".", "") for phrase in phrases]
    assert phrases.is_unique
    names = read_table("codes/consultation_steps.csv")["name"]
    assert names.tolist() == [name.strip().lower() for name in names]
    assert set(read_table("rules/pausing_statuses.csv")["status"]) <= set(read_table("codes/status.csv")["id"])
