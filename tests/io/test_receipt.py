"""The public Dutch permit log, held against what others counted in it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from khaosat.io.dossier_files import read_dossiers
from tests.shared import shared


@pytest.fixture(scope="module")
def log():
    return read_dossiers(shared("data/permits/receipt.csv.gz"), mapping="receipt")


def one(log, sql):
    (row,) = log.engine.query(sql).to_pylist()
    return row


def test_every_dossier_and_step_is_there(log):
    reference = json.loads(shared("reference/logs/receipt.json").read_text())
    assert one(log, "SELECT count(*) AS n FROM dossiers")["n"] == reference["n_cases"] == 1434
    assert one(log, "SELECT count(*) AS n FROM steps")["n"] == reference["n_events"] == 8577
    assert log.counts["dossiers_quarantined"] == log.counts["steps_quarantined"] == 0
    assert log.as_of == dt.datetime(2012, 1, 23, 14, 42, 54, 644000)
    variants = "SELECT string_agg(step, '>' ORDER BY seq) AS variant FROM steps GROUP BY dossier_id"
    assert one(log, f"SELECT count(DISTINCT variant) AS n FROM ({variants})")["n"] == reference["n_variants"]


def test_late_and_open(log):
    late = "SELECT count(*) FILTER (WHERE finished_at > due_at) AS late, count(finished_at) AS closed FROM dossiers"
    assert one(log, late) == {"late": 377, "closed": 1329}
    overdue = (
        f"SELECT count(*) FILTER (WHERE due_at < TIMESTAMP '{log.as_of}') AS overdue, count(*) AS open FROM dossiers "
        "WHERE finished_at IS NULL"
    )
    assert one(log, overdue) == {"overdue": 39, "open": 105}


def test_every_quarter(log):
    for quarter in json.loads(shared("reference/logs/receipt_late_rates.json").read_text()):
        start, end = (f"TIMESTAMP '{day}'" for day in quarter["period"].split(".."))
        counted = {
            "carried": f"received_at < {start} AND (finished_at IS NULL OR finished_at >= {start})",
            "received": f"received_at >= {start} AND received_at < {end}",
            "closed": f"finished_at >= {start} AND finished_at < {end}",
            "closed_late": f"finished_at >= {start} AND finished_at < {end} AND finished_at > due_at",
            "open": f"received_at < {end} AND (finished_at IS NULL OR finished_at >= {end})",
            "open_overdue": f"due_at < {end} AND received_at < {end} AND (finished_at IS NULL OR finished_at >= {end})",
        }
        columns = ", ".join(f"count(*) FILTER (WHERE {test}) AS {name}" for name, test in counted.items())
        found = one(log, f"SELECT {columns} FROM dossiers")
        assert found == {name: quarter[name] for name in found}


def test_its_known_traps_are_warnings(log):
    found = log.faults.groupby("fault").size().to_dict()
    assert found == {"step_before_received": 12, "step_after_end": 180}
    assert set(log.faults["severity"]) == {"warning"}


def test_channels(log):
    rows = log.engine.query("SELECT channel, count(*) AS n FROM dossiers GROUP BY channel ORDER BY n DESC").to_pylist()
    assert {row["channel"] for row in rows} == {"online", "direct", "post", "email", "internal"}
    assert rows[0]["channel"] == "online"
