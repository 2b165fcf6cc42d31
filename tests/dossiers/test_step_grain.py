"""The step grain against plain Python on random logs: order, neighbours, the clocks and pauses."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

from khaosat.domain.dossiers import open_log
from khaosat.dossiers import directly_follows, steps_profile
from khaosat.dossiers.frames import example_steps, log_from_frames
from khaosat.dossiers.step_grain import step_engine
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.engine.query import render
from tests.dossiers.step_logs import AS_OF, calendar, close_engine, ended, step_logs

CLOCK = calendar()


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    close_engine()


def spans(log) -> pd.DataFrame:
    frame = step_engine(log).query("SELECT * FROM spans ORDER BY dossier_id, seq").to_pandas()
    return frame.astype(object).where(frame.notna(), None)


def worked(start, end):
    """Worked seconds between two moments cut to whole seconds; None where one is missing."""
    if start is None or end is None or pd.isna(start) or pd.isna(end):
        return None
    start, end = (pd.Timestamp(t).floor("s") for t in (start, end))
    return round(float(CLOCK.worked_minutes(start, end)) * 60) if start <= end else 0


def plainly(steps: pd.DataFrame, received: dict[str, object]) -> list[dict[str, object]]:
    rows = []
    for name, part in ended(steps).groupby("dossier_id", sort=True):
        part = part.sort_values("seq", kind="stable").to_dict("records")
        furthest = received.get(name)
        furthest = None if pd.isna(furthest) else furthest
        for i, step in enumerate(part):
            before, after = (part[i - 1] if i else None), (part[i + 1] if i + 1 < len(part) else None)
            began, end = step["began"], step["ended"]
            arrived = began if furthest is None else furthest
            gap = None if before is None or pd.isna(before["ended"]) or pd.isna(began) else began - before["ended"]
            whole = pd.notna(step["started_at"]) and pd.notna(step["finished_at"])
            concurrent = None if pd.isna(began) else worked(began, min(arrived, end)) if arrived > began else 0
            rows.append({
                "dossier_id": name, "seq": i + 1, "step": step["step"],
                "previous_officer": before and before["officer"], "next_unit": after and after["unit"],
                "is_last": int(after is None),
                "gap_us": None if gap is None else max(0, gap // dt.timedelta(microseconds=1)),
                "gap_seconds": None if gap is None else worked(before["ended"], began),
                "waiting_seconds": worked(arrived, began),
                "handling_seconds": worked(step["started_at"], step["finished_at"])
                if whole and step["started_at"] <= step["finished_at"] else None,
                "concurrent_seconds": concurrent,
            })  # fmt: skip
            if pd.notna(end):
                furthest = end if furthest is None else max(furthest, end)
    return rows


@given(step_logs())
@settings(max_examples=30)
def test_order_neighbours_and_clocks(logs):
    received = dict(zip(logs.dossiers["dossier_id"], logs.dossiers["received_at"], strict=True))
    found = spans(logs.log())
    expected = plainly(logs.steps, received)
    assert len(found) == len(expected)
    for row, plain in zip(found.to_dict("records"), expected, strict=True):
        plain = {name: None if value is None or pd.isna(value) else value for name, value in plain.items()}
        assert {name: row[name] for name in plain} == plain


@given(step_logs())
@settings(max_examples=30)
def test_times_add_up_to_the_working_time_of_the_dossier(logs):
    """Over complete steps, waiting + handling - concurrent is the clock from reception to the last moment."""
    steps = ended(logs.steps).dropna(subset=["started_at", "finished_at"])
    steps = steps[steps["started_at"] <= steps["finished_at"]].drop(columns=["began", "ended"])
    dossiers = logs.dossiers.dropna(subset=["received_at"])
    steps = steps[steps["dossier_id"].isin(dossiers["dossier_id"])]
    found = spans(replace(logs, dossiers=dossiers, steps=steps).log())
    for name, received in zip(dossiers["dossier_id"], dossiers["received_at"], strict=True):
        mine, part = found[found["dossier_id"] == name], steps[steps["dossier_id"] == name]
        if len(part):
            total = mine["waiting_seconds"].sum() + mine["handling_seconds"].sum() - mine["concurrent_seconds"].sum()
            assert total == worked(received, part["finished_at"].max())


@given(step_logs(supplements=True))
@settings(max_examples=30)
def test_pauses_are_what_requests_cover_each_moment_once(logs):
    log = logs.log()
    found = step_engine(log, pauses=True).query(
        "SELECT spans.*, of_waiting, of_handling FROM spans LEFT JOIN pauses ON spans.dossier_id = pauses.dossier_id "
        "AND spans.seq = pauses.seq ORDER BY spans.dossier_id, spans.seq"
    )
    for row in found.to_pandas().to_dict("records"):
        paused = [0 if pd.isna(row[name]) else row[name] for name in ("of_waiting", "of_handling")]
        if pd.isna(row["began_at"]):
            assert paused == [0, 0]
            continue
        if row["step_status"] == "supplement_requested":
            assert paused == [0, 0 if pd.isna(row["handling_seconds"]) else row["handling_seconds"]]
            continue
        asked = logs.supplements[logs.supplements["dossier_id"] == row["dossier_id"]]
        received = logs.dossiers.set_index("dossier_id")["received_at"][row["dossier_id"]]
        arrived = _arrival(logs, row, received)
        assert paused == [_covered(asked, arrived, row["began_at"]), _covered(asked, row["began_at"], row["ended_at"])]


def _arrival(logs, row, received):
    before = ended(logs.steps)
    before = before[(before["dossier_id"] == row["dossier_id"])].sort_values("seq").head(row["seq"] - 1)
    moments = [t for t in (received, *before["ended"]) if pd.notna(t)]
    return max(moments) if moments else row["began_at"]


def _covered(asked: pd.DataFrame, start, end) -> int:
    """Worked seconds of [start, end] in which some request was open, counted minute by minute of a merged list."""
    pieces = []
    for request in asked.to_dict("records"):
        since, until = request["requested_at"], request["completed_at"]
        if pd.notna(until) and until <= since:
            continue
        since, until = max(since, start), end if pd.isna(until) else min(until, end)
        if since < until:
            pieces.append((since, until))
    total, furthest = 0, start
    for since, until in sorted(pieces):
        total += worked(max(since, furthest), until) if until > max(since, furthest) else 0
        furthest = max(furthest, until)
    return total


def one_dossier(rows, columns, received="2026-04-01 07:30", **more):
    steps = pd.DataFrame(rows, columns=columns).assign(dossier_id="NA")
    for name in set(columns) & {"started_at", "finished_at", "due_at"}:
        steps[name] = pd.to_datetime(steps[name], format="ISO8601")
    dossiers = pd.DataFrame({"dossier_id": ["NA"], "received_at": [pd.Timestamp(received)]})
    return log_from_frames({"dossiers": dossiers, "steps": steps, **more}, as_of=AS_OF)


def test_equal_moments_are_told_apart_by_the_sequence():
    rows = [(2, "a", "2026-04-01 08:00"), (3, "b", "2026-04-01 08:00"), (1, "c", "2026-04-01 08:00")]
    assert spans(one_dossier(rows, ["seq", "step", "finished_at"]))["step"].tolist() == ["c", "a", "b"]


def test_without_a_sequence_time_decides_then_the_name():
    rows = [("b", "2026-04-01 09:00"), ("z", "2026-04-01 08:00"), ("a", "2026-04-01 09:00"), ("late", None)]
    assert spans(one_dossier(rows, ["step", "finished_at"]))["step"].tolist() == ["z", "a", "b", "late"]


def test_an_id_called_na_survives_and_so_does_a_unit():
    found = spans(one_dossier([("NA", "NA", "2026-04-01 08:00")], ["step", "unit", "finished_at"]))
    assert found[["dossier_id", "step", "unit"]].to_numpy().tolist() == [["NA", "NA", "NA"]]


def test_a_step_before_reception_takes_no_time_and_one_after_it_waits_from_it():
    rows = [(1, "2026-03-31 08:00", "2026-03-31 10:00"), (2, "2026-04-01 08:30", "2026-04-01 09:30")]
    found = spans(one_dossier(rows, ["seq", "started_at", "finished_at"]))
    assert found["waiting_seconds"].tolist() == [0, 3600]
    assert found["concurrent_seconds"].tolist() == [7200, 0]


def test_a_step_that_ends_before_it_starts_has_no_handling_time():
    rows = [(1, "2026-04-01 10:00", "2026-04-01 08:00"), (2, "2026-04-01 11:00", "2026-04-01 11:00")]
    found = spans(one_dossier(rows, ["seq", "started_at", "finished_at"]))
    assert found["handling_seconds"].tolist() == [None, 0]
    assert found["gap_us"].tolist() == [None, 3_600_000_000]


def test_microseconds_are_kept_and_leap_days_counted():
    rows = [(1, "2024-02-28 23:59:59.999999"), (2, "2024-03-01 00:00:00.000001"), (3, "2100-01-01 00:00:00")]
    found = spans(one_dossier(rows, ["seq", "finished_at"], received="2024-02-01"))
    epoch = pd.Timestamp("1970-01-01")
    expected = [(pd.Timestamp(row[1]) - epoch) // pd.Timedelta(microseconds=1) for row in rows[:2]]
    assert found["ended_us"].tolist()[:2] == expected
    assert found["gap_us"].tolist()[1] == 86_400_000_002
    assert found["gap_seconds"].tolist()[2] is None, "outside the calendar"


def test_calendar_microseconds_are_exact():
    rng = np.random.default_rng(1)
    first, last = (np.datetime64(day, "us").astype(np.int64) for day in ("1901-01-01", "2099-12-31"))
    exact = rng.integers(first, last, size=500)
    exact[::2] -= exact[::2] % 1_000_000
    found = spans(one_dossier([(i, moment.item()) for i, moment in enumerate(exact.astype("datetime64[us]"))],
                              ["seq", "finished_at"]))  # fmt: skip
    assert found["ended_us"].tolist() == exact.tolist()


def test_each_unit_works_by_its_own_office(tmp_path):
    (tmp_path / "offices.csv").write_text(
        "office,valid_from,valid_to,day,kind,sessions,source\nsat,2026-01-01,,sat,duty,07:30-11:30,test\n", "utf-8"
    )
    (tmp_path / "units.csv").write_text("unit,office,source\nSở B,sat,test\n", "utf-8")
    calendar = CLOCK.with_offices(tmp_path / "offices.csv", units=tmp_path / "units.csv")
    friday, monday = "2026-04-03 11:30", "2026-04-06 07:30"
    steps = pd.DataFrame({
        "dossier_id": ["A", "B"], "seq": 1, "unit": ["Sở A", "Sở B"], "started_at": pd.Timestamp(friday),
        "finished_at": pd.Timestamp(monday),
    })  # fmt: skip
    dossiers = pd.DataFrame({"dossier_id": ["A", "B"], "received_at": pd.Timestamp(friday)})
    log = log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=AS_OF, calendar=calendar)
    assert spans(log)["handling_seconds"].tolist() == [4 * 3600, 8 * 3600]


def test_a_store_that_holds_the_grain_is_not_asked_for_it_again():
    log = example_steps()
    ready = log.engine.query(render("spans")).set_column(2, "step", pa.array(["Bước"] * 10))
    tables = {name: log.engine.query(f"SELECT * FROM {name}") for name in ("dossiers", "steps")}
    other = open_log(DuckDBEngine(threads=1), {**tables, "spans": ready}, calendar=CLOCK, as_of=AS_OF)
    assert other.grains == {"spans"}
    assert other.tables == {"dossiers", "steps"}
    assert directly_follows(other).rows["target"].unique().tolist() == ["Bước"]
    assert steps_profile(other).rows["n"].tolist() == [10], "pauses are made of the grain at hand"
    other.engine.close()


class Passing:
    """An engine with the three methods only."""

    def __init__(self, engine):
        self.register, self.query, self.close = engine.register, engine.query, engine.close


def test_an_engine_without_materialise_gives_the_same():
    log = example_steps()
    plain = replace(log, engine=Passing(log.engine))
    pd.testing.assert_frame_equal(directly_follows(plain).rows, directly_follows(log).rows)


def test_a_log_opened_anew_in_the_same_engine_has_its_own_grain():
    engine, frames = DuckDBEngine(threads=1), {"dossiers": pd.DataFrame({"dossier_id": ["A"]})}
    for name in ("x", "y"):
        steps = pd.DataFrame({"dossier_id": ["A"] * 2, "seq": [1, 2], "step": [name, name]})
        log = open_log(engine, {**frames, "steps": steps}, calendar=CLOCK, as_of=AS_OF)
        assert directly_follows(log).rows["target"].tolist() == [name]
    engine.close()


def test_what_is_kept_is_a_file_of_the_engine_and_goes_with_it():
    engine = DuckDBEngine(threads=1)
    engine.register("t", pa.table({"n": [1, 2]}))
    for factor in (2, 3):
        engine.materialise("t", f"SELECT n * {factor} AS n FROM t")
    assert engine.query("SELECT n FROM t ORDER BY n")["n"].to_pylist() == [6, 12]
    kept = list(engine._kept.iterdir())
    assert [file.suffix for file in kept] == [".parquet"], "the one before is removed"
    engine.close()
    assert not kept[0].exists()


def test_weights_are_the_same_in_every_run():
    log = example_steps()
    weights = step_engine(log, walks=True).query("SELECT a FROM path_weights ORDER BY seq")["a"].to_numpy()
    assert len(weights) == 5
    assert np.array_equal(weights, np.random.default_rng(20260701).integers(1, 2**31, size=(5, 3))[:, 0])
