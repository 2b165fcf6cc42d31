"""deadlines and every verb by the effective and the portal's deadline: SQL is the plain rule of one dossier."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.deadlines import Change, three_deadlines
from khaosat.domain.dossiers import DossierLog, open_log
from khaosat.dossiers import backlog, deadlines, late_list, late_rates, on_time
from khaosat.dossiers.frames import log_from_frames
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.engine.query import render
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from tests.dossiers.conftest import dossiers
from tests.engine.datafusion_engine import DataFusionEngine

START = dt.datetime(2025, 6, 16)  # the rule changes on 1/7/2025
AS_OF = dt.datetime(2025, 8, 31, 12)
HOURS = """office,valid_from,valid_to,day,kind,sessions
Sở A,,,sat,work,07:30-11:30
Sở B,2025-07-01,,fri,off,
"""


@pytest.fixture(scope="module")
def calendar(tmp_path_factory) -> WorkCalendar:
    file = tmp_path_factory.mktemp("offices") / "offices.csv"
    file.write_text(HOURS, encoding="utf-8")
    return WorkCalendar.vietnam().with_offices(file)


@pytest.fixture(scope="module", params=[DuckDBEngine, DataFusionEngine])
def engine(request):
    engine = request.param()
    yield engine
    engine.close()


def _moments(days: int) -> st.SearchStrategy[dt.datetime]:
    return st.integers(0, days * 8).map(lambda n: START + dt.timedelta(hours=3 * n))


@st.composite
def cases(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """Up to eight dossiers with up to three requests and re-appointments each, on few days, so that all coincides."""
    rows, asked, moved = [], [], []
    for i in range(draw(st.integers(1, 8))):
        name, received = f"D{i}", draw(_moments(30))
        first = draw(st.none() | _moments(45))
        rows.append(
            {
                "dossier_id": name, "received_at": received, "first_due_at": first,
                "due_at": first or draw(st.none() | _moments(45)), "finished_at": draw(st.none() | _moments(70)),
                "responsible_unit": draw(st.sampled_from(["Sở A", "Sở B", "Sở C", None])), "status": "processing",
            }
        )  # fmt: skip
        asked += [(name, draw(_moments(40)), draw(st.none() | _moments(60))) for _ in range(draw(st.integers(0, 3)))]
        for _ in range(draw(st.integers(0, 2))):
            moved.append((name, draw(_moments(45)), draw(st.none() | _moments(75)), draw(st.none() | _moments(45))))
    times = ["received_at", "first_due_at", "due_at", "finished_at", "requested_at", "completed_at", "changed_at",
             "new_due_at", "apology_sent_at"]  # fmt: skip
    frames = {
        "dossiers": pd.DataFrame(rows),
        "supplements": pd.DataFrame(asked, columns=["dossier_id", "requested_at", "completed_at"]),
        "appointments": pd.DataFrame(moved, columns=["dossier_id", "changed_at", "new_due_at", "apology_sent_at"]),
    }
    return {
        name: frame.astype({c: "datetime64[us]" for c in times if c in frame})
        for name, frame in frames.items()
    }  # fmt: skip


def computed(log: DossierLog) -> pd.DataFrame:
    return log.engine.query(render("deadlines", as_of=log.as_of)).to_pandas().set_index("dossier_id").sort_index()


def moment(value: object) -> dt.datetime | None:
    return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()


@settings(max_examples=35, deadline=None)
@given(frames=cases())
def test_the_query_is_the_rule_of_one_dossier(engine, calendar, frames):
    log = open_log(engine, frames, calendar=calendar, as_of=AS_OF)
    answer = computed(log)
    for row in frames["dossiers"].to_dict("records"):
        due = moment(row["first_due_at"]) or moment(row["due_at"])
        told = answer.loc[row["dossier_id"]]
        if due is None:
            assert told[["original_due", "effective_due", "portal_due"]].isna().all()
            continue
        own = {name: frame[frame["dossier_id"] == row["dossier_id"]] for name, frame in frames.items()}
        expected = three_deadlines(
            moment(row["received_at"]), due, as_of=AS_OF, closed_at=moment(row["finished_at"]),
            supplements=[(moment(a), moment(b)) for _, a, b in own["supplements"].itertuples(index=False)],
            changes=[Change(moment(c), moment(n), moment(s))
                     for _, c, n, s in own["appointments"].itertuples(index=False)],
            calendar=calendar.of(row["responsible_unit"]),
        )  # fmt: skip
        assert moment(told["original_due"]) == expected.original
        assert moment(told["effective_due"]) == expected.effective
        assert moment(told["portal_due"]) == expected.portal
        reasons = ["rule", "portal_rule", "effective_reason", "portal_reason"]
        assert told[reasons].tolist() == [getattr(expected, name) for name in reasons]


@settings(max_examples=15, deadline=None)
@given(frames=cases())
def test_what_must_hold_of_any_log(calendar, frames):
    with_all = open_log(_shared_engine(), frames, calendar=calendar, as_of=AS_OF)
    answer = computed(with_all).dropna(subset=["original_due"])
    assert (answer["effective_due"] >= answer["original_due"]).all()
    alone = answer[answer["portal_reason"] != "second_request"]
    assert (alone["portal_due"] >= alone["original_due"]).all()
    same = answer[answer["effective_reason"] == "none"]
    assert (same["effective_due"] == same["original_due"]).all()
    result = deadlines(with_all)
    found = result.rows.set_index("deadline")
    why = result.why.rows[["late_original", "late_effective", "late_portal", "excused_effective", "excused_portal",
                           "charged_portal", "n"]].sum()  # fmt: skip
    late = found["numerator"]
    assert late["original"] - late["effective"] == why["excused_effective"] >= 0
    assert late["original"] - late["portal"] == why["excused_portal"] - why["charged_portal"]
    assert late.tolist() == why[["late_original", "late_effective", "late_portal"]].tolist()
    assert (found["denominator"] == why["n"]).all()
    ended = frames["dossiers"]["finished_at"]
    if (ended.isna() | (ended >= frames["dossiers"]["received_at"])).all():  # else it was in hand in no period
        for deadline in ("original", "effective", "portal"):
            assert (
                on_time(with_all, definition="gia_lai", deadline=deadline).rows["numerator"].iloc[0] == late[deadline]
            )
    plain = open_log(_shared_engine(), {"dossiers": frames["dossiers"]}, calendar=calendar, as_of=AS_OF)
    three = computed(plain)
    assert three["original_due"].equals(three["effective_due"])
    assert three["original_due"].equals(three["portal_due"])


_ENGINES: list[DuckDBEngine] = []


def _shared_engine() -> DuckDBEngine:
    if not _ENGINES:
        _ENGINES.append(DuckDBEngine(threads=1))
    return _ENGINES[0]


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    while _ENGINES:
        _ENGINES.pop().close()


@pytest.fixture(scope="module")
def four() -> DossierLog:
    """One dossier a case: plain, restarted, asked too late, asked twice; all end on Friday 20/3/2026 at 09:00."""
    frame = dossiers(
        *[
            (name, "2026-03-02 08:00", "2026-03-09 17:00", "2026-03-20 09:00", "returned", {"field": field})
            for name, field in (("plain", "A"), ("restart", "A"), ("too_late", "B"), ("twice", "B"))
        ]
    )
    asked = pd.DataFrame(
        [
            ("restart", "2026-03-04 08:00", "2026-03-16 08:00"),
            ("too_late", "2026-03-09 08:00", "2026-03-20 08:00"),
            ("twice", "2026-03-03 08:00", "2026-03-18 08:00"),
            ("twice", "2026-03-19 08:00", "2026-03-19 09:00"),
        ],
        columns=["dossier_id", "requested_at", "completed_at"],
    )
    for name in ("requested_at", "completed_at"):
        asked[name] = pd.to_datetime(asked[name]).astype("datetime64[us]")
    return log_from_frames({"dossiers": frame, "supplements": asked}, as_of=dt.datetime(2026, 4, 1))


def test_late_by_each_deadline_and_by_how_much(four):
    rows = deadlines(four, period="2026-Q1").rows.set_index("deadline")
    assert rows["numerator"].to_dict() == {"original": 4, "effective": 2, "portal": 2}
    assert rows["denominator"].tolist() == [4, 4, 4]
    # 9/3 17:00 to 20/3 09:00: nine working days, eight whole days and an hour and a half
    assert rows.loc["original", ["working_days_late", "worked_hours_late"]].tolist() == [9, 65.5]
    # the portal's: the plain dossier as before, the one asked twice from 19/3 08:00: 9.5 h to 20/3 09:00
    assert rows.loc["portal", ["working_days_late", "worked_hours_late"]].tolist() == [5, (65.5 + 9) / 2]
    why = deadlines(four, period="2026-Q1").why.rows.set_index(["effective_reason", "portal_reason"])
    assert why["n"].to_dict() == {
        ("none", "none"): 1, ("request_not_counted", "pause"): 1, ("restart", "pause"): 1,
        ("restart", "second_request"): 1,
    }  # fmt: skip
    assert why["excused_effective"].tolist() == [0, 0, 1, 1]
    assert set(why["rule"]) == {"nd118_2025"}


def test_verbs_take_the_computed_deadlines(four):
    late = {
        name: on_time(four, deadline=name).rows["numerator"].iloc[0] for name in ("original", "effective", "portal")
    }
    assert late == {"original": 4, "effective": 2, "portal": 2}
    by = on_time(four, deadline="effective", by="field").rows
    assert by["numerator"].tolist() == [1, 1]
    listed = late_list(four, deadline="effective", internal=True).rows
    assert listed[["dossier_id", "effective_reason"]].to_numpy().tolist() == [
        ["plain", "none"], ["too_late", "request_not_counted"],
    ]  # fmt: skip
    assert listed["worked_hours_late"].tolist() == [65.5, 65.5]
    portal = late_list(four, deadline="portal", internal=True).rows
    assert portal[["dossier_id", "portal_reason"]].to_numpy().tolist() == [
        ["plain", "none"],
        ["twice", "second_request"],
    ]
    assert "effective_reason" not in late_list(four).rows
    stock = backlog(four, deadline="effective", until="2026-03").rows
    assert stock["overdue"].tolist() == [0]


def test_the_portal_s_own_indicator_is_not_relieved_twice(four):
    rates = {name: late_rates(four, deadline=name).rows.set_index("definition") for name in ("original", "portal")}
    assert rates["portal"].loc["portal_766", "numerator"] == rates["original"].loc["portal_766", "numerator"] == 2
    assert rates["portal"].loc["gia_lai", "numerator"] == 2  # the same rule, told as a date


def test_the_receipt_log_has_neither_rule_nor_supplement(receipt):
    rows = deadlines(receipt).rows
    assert rows["numerator"].tolist() == [416, 416, 416]  # receipt_due.json: 377 closed late and 39 open overdue
    assert rows["denominator"].tolist() == [1434] * 3


def test_groups_and_notes(four):
    result = deadlines(four, by="field")
    assert result.rows[["field", "deadline"]].to_numpy().tolist()[:3] == [
        ["A", "original"],
        ["A", "effective"],
        ["A", "portal"],
    ]
    assert result.rows.groupby("deadline")["n"].sum().tolist() == [4, 4, 4]
    notes = " ".join(result.notes)
    assert "Nghị định 118/2025/NĐ-CP" in notes
    assert "Mức bằng chứng D" in notes
    assert "Trong 4 hồ sơ trễ so với lần hẹn đầu, 2 hồ sơ không trễ theo hạn hiệu lực" in notes
    assert result.table().cells[0][1] == "Hạn gốc (lần hẹn đầu)"


def test_dossiers_older_than_the_rules_are_named():
    frame = dossiers(("old", "2017-03-02 08:00", "2017-03-09 17:00", "2017-03-20 09:00", "returned", {}))
    asked = pd.DataFrame({"dossier_id": ["old"], "requested_at": pd.to_datetime(["2017-03-03"]),
                          "completed_at": pd.to_datetime(["2017-03-19"])})  # fmt: skip
    result = deadlines(log_from_frames({"dossiers": frame, "supplements": asked}, as_of=dt.datetime(2017, 4, 1)))
    assert result.rows["numerator"].tolist() == [1, 1, 1]
    assert result.why.rows[["rule", "portal_rule"]].isna().all(axis=None)
    assert any("trước khi có quy tắc" in note for note in result.notes)


def test_every_reason_has_words(four):
    for column in ("effective_reason", "portal_reason"):
        told = set(read_table(f"codes/{column}.csv")["id"])
        assert set(deadlines(four).why.rows[column]) <= told


def test_queries_that_know_appointments_only_refuse_the_others():
    with pytest.raises(KhaosatError, match="appointments only"):
        render("portal_766", deadline="effective", as_of=AS_OF)
    with pytest.raises(KhaosatError, match="deadlines' needs as_of"):
        render("lateness", deadline="portal")
