"""dossier_quality: what is known of the public log, every check on a planted record, faults of ingest."""

from __future__ import annotations

import dataclasses

import pandas as pd

from khaosat.domain import faults
from khaosat.dossiers import dossier_quality
from khaosat.dossiers.frames import log_from_frames
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
