"""Bottlenecks: overruns add up, against counting dossier by dossier, what was planted comes first, edges."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import open_log
from khaosat.dossiers import bottleneck_findings, bottlenecks, on_time
from khaosat.dossiers.frames import example_steps, log_from_frames
from khaosat.dossiers.window import window
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.errors import KhaosatError
from khaosat.io import read_dossiers

AS_OF = dt.datetime(2026, 12, 31, 17)
MONDAY = pd.Timestamp("2026-06-01")
PAUSE = "supplement_requested"
STEPS = ["dossier_id", "seq", "step", "unit", "status", "started_at", "finished_at", "due_at"]
DOSSIERS = ["dossier_id", "procedure", "received_at", "due_at", "finished_at", "status"]
HOURS = ["waiting_hours", "handover_hours", "handling_hours", "outside_hours", "paused_hours"]


def make(dossiers, steps, **more):
    """A log of short rows, in place of the one before it."""
    frames = {"dossiers": pd.DataFrame(dossiers, columns=DOSSIERS), "steps": pd.DataFrame(steps, columns=STEPS)}
    for frame in frames.values():
        for name in {"received_at", "due_at", "finished_at", "started_at"} & set(frame.columns):
            frame[name] = pd.to_datetime(frame[name])
    return open_log(engine(), {**frames, **more}, as_of=AS_OF, calendar=CALENDAR)


@cache
def engine():
    """One engine for all logs of short rows: a new one takes half a second."""
    return DuckDBEngine(threads=1)


@pytest.fixture(scope="module", autouse=True)
def _close_engine():
    yield
    engine().close()
    engine.cache_clear()


CALENDAR = WorkCalendar.vietnam()
SAMPLE = Path(__file__).parents[2] / "data/sample/dossiers"


@pytest.fixture(scope="module")
def city():
    """The sample city, whose slow department is known."""
    log = read_dossiers(sorted(SAMPLE.iterdir()))
    yield log
    log.engine.close()


_moment = st.integers(0, 12 * 6).map(lambda n: MONDAY + pd.Timedelta(hours=4 * n))


@st.composite
def histories(draw):
    """Up to five dossiers of two procedures, with steps that overlap, precede reception or outlast the end."""
    dossiers, steps = [], []
    for i in range(draw(st.integers(1, 5))):
        received, end = sorted([draw(_moment), draw(_moment)])
        dossiers.append(
            (f"D{i}", draw(st.sampled_from(["P", "Q"])), received, draw(st.none() | _moment), end, "finished")
        )
        for seq in range(draw(st.integers(0, 4))):
            begin, finish = sorted([draw(_moment), draw(_moment)])
            times = draw(st.sampled_from([(begin, finish), (None, finish), (begin, None)]))
            steps.append(
                (
                    f"D{i}",
                    seq,
                    draw(st.sampled_from(["a", "b", None])),
                    draw(st.sampled_from(["U", "V"])),
                    draw(st.sampled_from(["processing", "processing", PAUSE])),
                    *times,
                    draw(st.none() | _moment),
                )
            )
    return dossiers, steps


def worked(start, end):
    """Worked seconds between two moments, by the calendar itself."""
    return round(60 * float(CALENDAR.worked_minutes(start, max(start, end))))


def step_times(dossier, steps):
    """Of each step (key, active, paused, own limit), counted moment by moment."""
    _, procedure, received, _, end, _ = dossier
    furthest, found = received, []
    for _, _, step, unit, status, start, finish, due in steps:
        begin, stop = start or finish, finish or start
        arrived = furthest
        furthest = max(furthest, stop)
        if begin >= end and stop > end:
            continue
        queued = worked(arrived, min(max(begin, arrived), end)) if arrived < end else 0
        handled = worked(max(begin, arrived), min(stop, end)) if max(begin, arrived) < min(stop, end) else 0
        pause = status == PAUSE
        paused = handled if pause and start and finish else 0
        limit = worked(arrived, due) if due is not None and not pause else 0
        found.append({"procedure": procedure, "step": step, "unit": unit, "active": queued + handled - paused,
                      "paused": paused, "limit": limit, "pause": pause})  # fmt: skip
    return found


def reference(dossiers, steps, by, how):
    """Avoidable late dossiers and overrun by group, one dossier at a time."""
    closed = [dossier for dossier in dossiers if dossier[3] is not None]
    times = {dossier[0]: step_times(dossier, [s for s in steps if s[0] == dossier[0]]) for dossier in closed}
    samples = defaultdict(list)
    for found in times.values():
        for step in found:
            samples[step["procedure"], step["step"]].append(step["active"])
    medians = {key: sorted(values)[(len(values) - 1) // 2] for key, values in samples.items()}
    avoidable, overruns = defaultdict(int), defaultdict(int)
    for name, procedure, received, due, end, _ in closed:
        if end <= due:
            continue
        due = max(due, received)
        overrun, term, found = worked(due, end), worked(received, due), times[name]
        weights = [0 if s["pause"] else s["limit"] or medians[s["procedure"], s["step"]] for s in found]
        rounded = [floor(Fraction(term * sum(weights[:k]), sum(weights)) + Fraction(49999, 100000))
                   for k in range(len(weights) + 1)] if sum(weights) else [0] * (len(weights) + 1)  # fmt: skip
        outside = worked(received, end) - sum(s["active"] + s["paused"] for s in found)
        left = 0 if sum(weights) else term
        parts = [(s, s["active"] - (b - a), s["paused"]) for s, (a, b) in zip(found, pairwise(rounded), strict=True)]
        if outside or not sum(weights):
            parts.append(({"procedure": procedure, "step": None, "unit": None, "pause": True}, outside - left, 0))
        saved = defaultdict(int)
        for s, excess, paused in parts:
            over = excess if how == "legal" else 0 if s["pause"] else s["active"] - medians[s["procedure"], s["step"]]
            saved[s[by]] += max(over, 0)
            overruns[s[by]] += excess + paused
        assert sum(excess + paused for _, excess, paused in parts) == overrun
        for key, value in saved.items():
            avoidable[key] += value > 0 and value >= overrun
    return dict(avoidable), dict(overruns)


@settings(max_examples=25)
@given(history=histories(), by=st.sampled_from(["step", "unit", "procedure"]), how=st.sampled_from(["legal", "median"]))
def test_it_is_what_counting_dossier_by_dossier_gives(history, by, how):
    log = make(*history)
    found = bottlenecks(log, by=by, reference=how)
    avoidable, overruns = reference(*history, by, how)
    rows = found.rows[found.rows["late"] > 0]
    keys = [None if pd.isna(key) else key for key in rows[by]]
    assert dict(zip(keys, rows["estimate"], strict=True)) == avoidable
    assert dict(zip(keys, (rows["overrun_hours"] * 3600).round(), strict=True)) == overruns


@settings(max_examples=15)
@given(history=histories())
def test_overruns_add_up_and_no_more_is_avoidable_than_late(history):
    log = make(*history)
    found = bottlenecks(log, by=["procedure", "step", "unit"])
    rows, total = found.rows, found.total.iloc[0]
    assert rows["overrun_hours"].sum() == pytest.approx(total["overrun_hours"], abs=1e-6)
    parts = rows[HOURS].sum(axis=1) - rows["unused_hours"]
    np.testing.assert_allclose(parts, rows["overrun_hours"], atol=1e-6)
    assert (rows[[*HOURS, "unused_hours"]] >= 0).all(axis=None)
    assert (rows[["at_legal", "at_median"]].max(axis=1) <= rows["late"]).all()
    assert ((rows["low"] <= rows["estimate"]) & (rows["estimate"] <= rows["high"])).all()
    assert total["late"] == on_time(log).rows["numerator"].sum()
    assert list(rows["estimate"]) == sorted(rows["estimate"], reverse=True)


def late_by_consultation(consulted="2026-06-12 17:00"):
    """Four dossiers alike, the last of which waits for an opinion; due after five working days."""
    dossiers, steps = [], []
    for i in range(4):
        opinion = consulted if i == 3 else "2026-06-04 17:00"
        end = pd.Timestamp(opinion) + pd.Timedelta(hours=16)
        dossiers.append((f"D{i}", "P", "2026-06-01 08:00", "2026-06-08 17:00", end, "finished"))
        steps += [
            (f"D{i}", 1, "appraise", "U", "processing", "2026-06-01 08:00", "2026-06-02 17:00", None),
            (f"D{i}", 2, "consult", "V", "processing", "2026-06-03 08:00", opinion, None),
            (f"D{i}", 3, "sign", "U", "processing", pd.Timestamp(opinion), end, None),
        ]
    return dossiers, steps


def test_a_step_at_its_median_avoids_nothing_and_the_slow_one_all():
    rows = bottlenecks(make(*late_by_consultation()), reference="median").rows.set_index("step")
    assert rows["estimate"].to_dict() == {"consult": 1, "sign": 0, "appraise": 0}
    assert rows.loc["consult", "n"] == 4
    assert (
        rows.loc["consult", "median_hours"] == 16.0
    )  # from the opening of the office on the 3rd to the end of the 4th


def test_a_supplement_is_the_applicants_time_and_is_what_a_moved_deadline_pays_for():
    dossiers, steps = late_by_consultation()
    asked = pd.DataFrame({"dossier_id": ["D3"], "requested_at": [pd.Timestamp("2026-06-03 08:00")],
                          "completed_at": [pd.Timestamp("2026-06-12 17:00")], "reason": ["x"]})  # fmt: skip
    found = bottlenecks(make(dossiers, steps, supplements=asked))
    assert found.rows["estimate"].sum() == 0
    assert found.rows.set_index("step").loc["consult", "paused_hours"] == 63.5
    assert found.total[["late", "by_pause"]].iloc[0].tolist() == [1, 1]
    moved = bottlenecks(make(dossiers, steps, supplements=asked), deadline="portal")
    assert moved.total["late"].tolist() == [0]


def test_waiting_after_another_unit_is_a_handover():
    dossiers, steps = late_by_consultation()
    steps[10] = (*steps[10][:5], pd.Timestamp("2026-06-12 15:00"), *steps[10][6:])
    rows = bottlenecks(make(dossiers, steps)).rows.set_index("step")
    assert rows.loc["consult", "handover_hours"] > 0
    assert rows["waiting_hours"].sum() == 0


def test_a_step_with_a_limit_is_held_against_it():
    dossiers, steps = late_by_consultation()
    limited = [(*row[:7], "2026-06-04 17:00") if row[2] == "consult" else row for row in steps]
    without, within = bottlenecks(make(dossiers, steps)), bottlenecks(make(dossiers, limited))
    assert any("thời hạn riêng của bước (33%" in note for note in within.notes)
    assert any("không có thời hạn riêng" in note for note in without.notes)
    assert without.total.equals(within.total)


def test_the_interval_is_what_resampling_dossiers_gives(receipt):
    row = bottlenecks(receipt, by="unit").rows.iloc[0]
    closed = int(bottlenecks(receipt, by="unit").total["closed"].iloc[0])
    draws = np.random.default_rng(1).binomial(closed, row["estimate"] / closed, 20_000)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert row["low"] == pytest.approx(low, rel=0.06)
    assert row["high"] == pytest.approx(high, rel=0.06)


def test_the_planted_slow_agency_comes_first(city):
    for by in ("step", "unit", ["step", "unit"], ["procedure", "step", "unit"]):
        first = bottlenecks(city, by=by).rows.iloc[0]
        assert first.get("step", "Lấy ý kiến phối hợp") == "Lấy ý kiến phối hợp"
        assert first.get("unit", "Sở Quy hoạch - Kiến trúc") == "Sở Quy hoạch - Kiến trúc"
    agency = bottlenecks(city, by=["step", "unit"], reference="median").rows.iloc[0]
    assert agency["unit"] == "Sở Quy hoạch - Kiến trúc"


def test_findings_say_who_must_act(city):
    found = bottleneck_findings(city, top=3)
    first = found.rows.iloc[0]
    assert first["unit"] == "Sở Quy hoạch - Kiến trúc"
    assert found.rows["rank"].tolist() == [1, 2, 3]
    assert list(found.rows["estimate"]) == sorted(found.rows["estimate"], reverse=True)
    assert first["unit"] in found.sentences[0]
    assert str(first["estimate"]) in found.sentences[0]
    assert first["procedure_late"] <= first["estimate"]
    assert len(bottleneck_findings(city, top=1).rows) == 1
    with pytest.raises(KhaosatError, match="top"):
        bottleneck_findings(city, top=0)


def test_every_late_dossier_of_a_quarter_is_timed_or_said_not_to_be(city):
    total = bottlenecks(city, period="2026-Q2").total.iloc[0]
    assert total["late"] + total["n_missing"] == on_time(city, period="2026-Q2").rows["numerator"].sum()


def test_nothing_to_attribute_is_said():
    dossier = ("D", "P", "2026-06-01 08:00", None, "2026-06-03 08:00", "finished")
    step = ("D", 1, "a", "U", "processing", "2026-06-01 08:00", "2026-06-03 08:00", None)
    without_deadline = bottlenecks(make([dossier], [step]))
    assert without_deadline.rows.empty
    assert without_deadline.total[["closed", "late"]].iloc[0].tolist() == [0, 0]
    on_time_only = bottlenecks(make([(*dossier[:3], "2026-06-05 17:00", *dossier[4:])], [step]))
    assert on_time_only.rows[["estimate", "late"]].iloc[0].tolist() == [0, 0]
    assert pd.isna(on_time_only.rows["share"].iloc[0])
    assert "Không có hồ sơ nào giải quyết trễ hạn" in on_time_only.notes[-1]
    frame = pd.DataFrame([dossier], columns=DOSSIERS).assign(due_at="2026-06-02 08:00")
    for name in ("received_at", "due_at", "finished_at"):
        frame[name] = pd.to_datetime(frame[name])
    no_steps = bottlenecks(log_from_frames({"dossiers": frame}, as_of=AS_OF))
    assert no_steps.rows.empty
    assert no_steps.total["late"].tolist() == [1]


def test_a_dossier_of_one_step_owes_all_to_it():
    dossier = ("D", "P", "2026-06-01 08:00", "2026-06-02 17:00", "2026-06-04 17:00", "finished")
    step = ("D", 1, "a", "U", "processing", "2026-06-01 08:00", "2026-06-04 17:00", None)
    row = bottlenecks(make([dossier], [step])).rows.iloc[0]
    assert row[["estimate", "overrun_hours", "handling_hours"]].tolist() == [1, 16.0, 16.0]


def test_late_outside_office_hours_is_no_overrun_of_anyone():
    dossier = ("D", "P", "2026-06-01 08:00", "2026-06-02 17:00", "2026-06-02 20:00", "finished")
    step = ("D", 1, "a", "U", "processing", "2026-06-01 08:00", "2026-06-02 20:00", None)
    found = bottlenecks(make([dossier], [step]))
    assert found.total[["late", "overrun_hours"]].iloc[0].tolist() == [1, 0.0]
    assert found.rows["estimate"].tolist() == [0]


@pytest.mark.parametrize("call", [{"by": None}, {"by": []}, {"by": "officer"}, {"reference": "mean"}])
def test_wrong_calls(call):
    with pytest.raises(KhaosatError):
        bottlenecks(example_steps(), **call)


def test_the_tables_are_made_anew_for_another_period(city):
    first = bottlenecks(city, period="2026-Q1").total
    bottlenecks(city, period="2026-Q2")
    assert bottlenecks(city, period="2026-Q1").total.equals(first)
    assert window(city, "2026-Q1").label in bottlenecks(city, period="2026-Q1").title
