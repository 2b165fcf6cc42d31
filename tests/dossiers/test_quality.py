"""dossier_quality: what is known of the public log, every check on a planted record, faults of ingest."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from khaosat.domain import faults
from khaosat.dossiers import dossier_quality, late_list
from khaosat.dossiers.frames import log_from_frames
from khaosat.dossiers.gate import officers_gate
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import language
from tests.dossiers.conftest import AS_OF, EDGES, dossiers


def found(log) -> dict[str, tuple[int, int]]:
    rows = dossier_quality(log).rows.set_index("check")
    return {check: (int(row["numerator"]), int(row["denominator"])) for check, row in rows.iterrows()}


def test_receipt_has_the_traps_its_readme_names(receipt):
    checks = found(receipt)
    assert checks["step_before_reception"] == (12, 8577)
    assert checks["step_after_end"] == (180, 8577)
    assert checks["one_step"] == (116, 1434)
    assert checks["closed_before_received"] == (2, 1329)
    assert checks["no_deadline"] == (0, 1434)


def test_tables_the_source_lacks_are_named_not_checked(receipt):
    with language("en"):
        result = dossier_quality(receipt)
    assert set(result.rows["table"]) == {"dossiers", "steps"}
    assert "re-appointments" in result.notes[-1]
    assert result.table().cells[0][0] == "Dossiers without a reception date"


def test_dates_and_statuses_that_do_not_fit(edges):
    checks = found(edges)
    assert checks["no_reception"] == (1, 18)
    assert checks["no_deadline"] == (5, 18)
    assert checks["no_end_date"] == (1, 13)
    assert checks["no_end_status"] == (0, 12)


def test_planted_records():
    frame = dossiers(
        *[(f"batch{i}", "2026-05-04 08:00", "2026-05-18", "2026-05-16 09:00:00", "finished", {}) for i in range(3)],
        *[(f"pair{i}", "2026-05-04 08:00", "2026-05-18", "2026-05-15 09:00:00", "finished", {}) for i in range(2)],
        ("unsaid", "2026-05-04 08:00", "2026-05-18", "2026-05-19 09:00", None, {}),
        ("evening", "2026-05-04 20:00", "2026-05-01", "2026-05-03 09:00", "processing", {}),
    )
    steps = pd.DataFrame(
        {
            "dossier_id": ["batch0", "batch1", "batch1", "nobody"],
            "seq": [1, 1, 2, 1],
            "officer": ["CÁN BỘ MỘT CỬA ", "Trần Văn A", None, "chuyên viên"],
            "started_at": pd.to_datetime(["2026-05-05", "2026-05-06", "2026-05-07", "2026-05-05"]),
            "finished_at": pd.to_datetime(["2026-05-06", "2026-05-05", None, None]),
        }
    )
    moves = pd.DataFrame(
        {
            "dossier_id": ["batch0", "batch0", "batch1"],
            "changed_at": pd.to_datetime(["2026-05-19", "2026-05-20", "2026-05-17"]),
            "old_due_at": pd.to_datetime(["2026-05-18", "2026-05-25", "2026-05-18"]),
        }
    )
    checks = found(log_from_frames({"dossiers": frame, "steps": steps, "appointments": moves}, as_of=AS_OF))
    expected = {
        "batch_close": (3, 7),
        "day_off_close": (4, 7),  # Saturday 16/5 three times, Sunday 3/5
        "evening_reception": (1, 7),
        "due_before_received": (1, 7),
        "closed_before_received": (1, 7),
        "no_end_status": (1, 6),
        "step_without_dossier": (1, 4),
        "step_backwards": (1, 4),
        "placeholder_officer": (2, 3),
        "one_step": (2, 3),
        "changed_after_expiry": (1, 3),
        "changed_repeatedly": (1, 2),
    }
    assert {check: checks[check] for check in expected} == expected


def test_faults_of_ingest_are_counted_by_code(edges):
    frame = faults.frame([faults.fault("empty_file", file="a.csv"), faults.fault("empty_file", file="b.csv")])
    rows = dossier_quality(dataclasses.replace(edges, faults=frame, counts={"read": 20})).rows
    row = rows[rows["table"] == "ingest"].iloc[0]
    assert row[["check", "numerator", "denominator", "estimate"]].tolist() == ["empty_file", 2, 20, 0.1]
    assert "tệp rỗng" in row["label"]


def test_an_empty_log_has_no_shares():
    log = log_from_frames({"dossiers": EDGES.head(0)}, as_of=AS_OF)
    rows = dossier_quality(log).rows
    assert rows["numerator"].sum() == 0
    assert rows["estimate"].isna().all()
    dossier_quality(log).plot()


def test_every_check_has_words_and_a_source():
    table = read_table("rules/quality_checks.csv")
    assert table["id"].is_unique
    for column in ("label_vi", "label_en", "source", "valid_from"):
        assert (table[column] != "").all()


def test_signs_of_invented_and_hurried_dossiers():
    frame = dossiers(
        # the code says 4/5/2026: right, one day early (a UTC slip), and codes that carry no date
        ("H1-260504-0001", "2026-05-04 08:00", "2026-05-18", "2026-05-18 16:30", "returned", {"returned_at": "x"}),
        ("H1-260503-0002", "2026-05-04 08:10", "2026-05-18", "2026-05-18 09:00", "returned", {}),
        ("H1-26A504-0003", "2026-05-04 02:00", None, "2026-05-04 02:00:40", "finished", {}),
        # one dossier under two codes: the same second, procedure and place
        ("H1-260505-0004", "2026-05-05 09:15:07", "2026-05-19", None, "processing", {}),
        ("H1-260505-9999", "2026-05-05 09:15:07", "2026-05-19", "2026-05-05 09:15:50", "processing", {}),
        # a date without an hour is no night reception and no close at once
        ("plain", "2026-05-06", "2026-05-20", "2026-05-06", "finished", {"first_due_at": "2026-05-13"}),
    )
    frame["procedure"], frame["receiving_unit"], frame["responsible_unit"] = "P", "Phường A", "Phường A"
    frame["returned_at"] = pd.to_datetime(frame["returned_at"].where(frame["returned_at"] != "x", "2026-05-19 08:00"))
    checks = found(log_from_frames({"dossiers": frame}, as_of=AS_OF))
    expected = {
        "id_date_mismatch": (1, 4),
        "no_return_date": (3, 4),
        "night_reception": (1, 5),
        "closed_at_once": (2, 4),
        "undated_closed_at_once": (1, 1),
        "twin_dossier": (2, 5),
        "due_moved": (1, 5),
        "last_hours_close": (0, 4),  # appointments at midnight: the office has closed long before
    }
    assert {check: checks[check] for check in expected} == expected
    frame["due_at"] += pd.Timedelta(hours=17)
    checks = found(log_from_frames({"dossiers": frame}, as_of=AS_OF))
    assert checks["last_hours_close"] == (1, 4)  # 16:30 is half an hour before 17:00, 09:00 is seven


def test_return_dates_are_asked_only_where_they_are_recorded():
    frame = dossiers(("a", "2026-05-04 08:00", "2026-05-18", "2026-05-18 16:30", "returned", {}))
    assert found(log_from_frames({"dossiers": frame}, as_of=AS_OF))["no_return_date"] == (0, 0)


def test_supplements_late_again_and_out_of_order():
    frame = dossiers(
        ("a", "2026-05-04 08:00", "2026-05-11 17:00", "2026-05-25 09:00", "returned", {}),
        ("b", "2026-05-04 08:00", "2026-05-11 17:00", "2026-05-12 09:00", "returned", {}),
        ("c", "2026-05-04 08:00", None, None, "processing", {}),
    )
    asked = pd.DataFrame(
        [
            ("a", "2026-05-07 09:00", "2026-05-08 09:00"),  # third working day: in time
            ("a", "2026-05-08 10:00", "2026-05-09 09:00"),  # fourth: just after
            ("b", "2026-05-11 09:00", None),  # the due day
            ("b", "2026-05-12 10:00", None),  # after the due date and the end
            ("c", "2026-05-05 09:00", None),
            ("nobody", "2026-05-05 09:00", None),
        ],
        columns=["dossier_id", "requested_at", "completed_at"],
    )
    for name in ("requested_at", "completed_at"):
        asked[name] = pd.to_datetime(asked[name]).astype("datetime64[us]")
    checks = found(log_from_frames({"dossiers": frame, "supplements": asked}, as_of=AS_OF))
    expected = {
        "supplement_late": (3, 5),
        "supplement_just_after_limit": (1, 5),
        "supplement_last_day": (1, 4),
        "supplement_after_due": (1, 4),
        "supplement_after_end": (1, 4),
        "supplement_unanswered": (2, 4),
        "supplement_again": (2, 3),
    }
    assert {check: checks[check] for check in expected} == expected


def test_apologies_are_asked_only_where_they_are_recorded():
    moves = pd.DataFrame({"dossier_id": ["a", "b"], "changed_at": pd.to_datetime(["2026-05-10", "2026-05-10"])})
    log = log_from_frames({"dossiers": EDGES.head(1), "appointments": moves}, as_of=AS_OF)
    assert found(log)["changed_without_apology"] == (0, 0)
    moves["apology_sent_at"] = pd.to_datetime(["2026-05-09", None])
    log = log_from_frames({"dossiers": EDGES.head(1), "appointments": moves}, as_of=AS_OF)
    assert found(log)["changed_without_apology"] == (1, 2)


def test_examples_are_places_in_the_source_not_people():
    frame = dossiers(*[(f"d{i}", "2026-05-04 08:00", None, None, "processing", {}) for i in range(4)])
    frame["source_file"], frame["source_row"] = ["b.csv", "a.csv", "a.csv", "b.csv"], [7, 3, 12, 1]
    result = dossier_quality(log_from_frames({"dossiers": frame}, as_of=AS_OF))
    examples = result.rows.set_index("check")["examples"]
    assert examples["no_deadline"] == "a.csv #12; b.csv #7"
    assert examples["no_reception"] == ""
    assert [cells[2] for cells in result.examples().cells] == ["a.csv #12; b.csv #7"]
    assert not any("d0" in text for text in examples)


# The gate ----------------------------------------------------------------------------------------------------------


def _steps(placeholders: int) -> pd.DataFrame:
    """Ten steps, so many of them by a placeholder."""
    officers = ["Chuyên viên"] * placeholders + ["Trần Văn A"] * (10 - placeholders)
    days = pd.to_datetime(["2026-05-05"] * 10)
    return pd.DataFrame({"dossier_id": "overdue", "seq": range(1, 11), "officer": officers, "started_at": days,
                         "finished_at": days, "step": "Thẩm định"})  # fmt: skip


def test_the_gate_opens_up_to_its_limit_and_no_further():
    for placeholders, passed in ((1, True), (2, False)):
        log = log_from_frames({"dossiers": EDGES, "steps": _steps(placeholders)}, as_of=AS_OF)
        result = dossier_quality(log)
        assert (result.passed, result.gate.passed) == (passed, passed)
        assert officers_gate(log).passed == passed
        pd.testing.assert_frame_equal(officers_gate(log).rows, result.gate.rows)
        assert any("theo cán bộ" in note for note in result.notes) != passed
        listed = late_list(log, internal=True)
        assert ("officer" in listed.rows) == passed
        assert "dossier_id" in listed.rows
        assert any("Không công bố số liệu theo cán bộ" in note for note in listed.notes) != passed


def test_a_limit_of_one_s_own():
    log = log_from_frames({"dossiers": EDGES, "steps": _steps(2)}, as_of=AS_OF)
    result = dossier_quality(log, limits={"placeholder_officer": 0.2})
    assert result.passed
    row = (
        dossier_quality(log, limits={"placeholder_officer": 0.1})
        .gate.rows.set_index("check")
        .loc["placeholder_officer"]
    )
    assert (row["limit"], row["estimate"], row["grade"], row["passed"]) == (0.1, 0.2, "", False)
    with pytest.raises(KhaosatError, match="no limit can be set for day_off"):
        dossier_quality(log, limits={"day_off": 0.1})


def test_what_was_not_recorded_blocks_nothing(edges):
    gate = officers_gate(edges)
    assert gate.passed
    assert gate.words() == []


def test_every_gate_names_a_check_and_its_grade():
    table = read_table("rules/quality_gate.csv")
    assert set(table["id"]) <= set(read_table("rules/quality_checks.csv")["id"])
    assert table["grade"].isin(list("ABCDE")).all()
    assert table["limit"].astype(float).between(0, 1).all()
