"""Rows whose dossier comes later: set aside with their content, and stored by the ingest that brings it."""

from __future__ import annotations

import duckdb
import pytest

from khaosat.facts import locate
from khaosat.io.dossier_files import open_store
from khaosat.io.intake import ingest
from khaosat.io.store import read_manifest
from tests.io.exports import TIEN_TRINH, buoc, ho_so, write


def rows(store, table):
    order = "dossier_id, snapshot_at" if table == "dossiers" else "dossier_id, seq"
    columns = "* EXCLUDE (snapshot_at)"
    paths = read_manifest(store).paths(table, store)
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({paths}) ORDER BY {order}").fetchall()


def aside(store):
    paths = read_manifest(store).paths("quarantine", store)
    return duckdb.sql(f'SELECT file, "table", "row", faults FROM read_parquet({paths}) ORDER BY ALL').fetchall()


@pytest.fixture
def raw(tmp_path):
    steps = [
        buoc("H29-1", "Tiếp nhận"), buoc("H29-2"), buoc("H29-1", NgayBatDau="?", NgayKetThucTheoQuyDinh='"x"'),
        buoc("H29-1", ThoiDiemXuLy="", NgayBatDau=""), buoc(""),
    ]  # fmt: skip
    write(tmp_path / "buoc.csv", steps, header=(*TIEN_TRINH, "NoiDungXuLy"))  # a repeated header loses nothing
    write(tmp_path / "hoso1.csv", [ho_so("H29-1")])
    write(tmp_path / "hoso2.csv", [ho_so("H29-2"), ho_so("H29-3", NgayTiepNhan="x")])
    return tmp_path


def test_steps_that_come_before_their_dossiers_are_stored_when_these_come(raw):
    store = raw / "store"
    first = ingest(raw / "buoc.csv", store=store)
    assert (first.counts["steps_stored"], first.counts["steps_quarantined"]) == (0, 5)
    second = ingest(raw / "hoso1.csv", store=store)
    assert second.counts["taken_up"] == 3
    assert second.counts["read"] == 1
    assert second.faults.empty  # what is wrong with the older file was said before
    assert "3" in second.summary().splitlines()[-1]
    assert aside(store) == [("buoc.csv", "steps", 2, "without_dossier"), ("buoc.csv", "steps", 5, "missing_id")]
    assert ingest(raw / "hoso2.csv", store=store).counts["taken_up"] == 1
    ingest([raw / "buoc.csv", raw / "hoso1.csv", raw / "hoso2.csv"], store=raw / "once")
    assert rows(store, "steps") == rows(raw / "once", "steps")
    assert aside(store) == aside(raw / "once")
    late, once = open_store(store), open_store(raw / "once")
    assert late.counts == once.counts
    assert late.counts["steps_quarantined"] == 1
    shown = ["file", "row", "column", "value", "fault"]
    assert late.faults[shown].to_numpy().tolist() == once.faults[shown].to_numpy().tolist()


def test_an_older_reader_still_finds_the_quarantine_it_knew(raw):
    store = raw / "store"
    ingest(raw / "buoc.csv", store=store)
    (before,) = read_manifest(store).paths("quarantine", store)
    ingest(raw / "hoso1.csv", store=store)
    assert len(duckdb.sql(f"FROM '{before}'")) == 5


def test_a_row_read_with_another_mapping_stays_aside(raw):
    (raw / "moi.toml").write_bytes(locate("mappings/dvcqg.toml").read_bytes() + b"\n# v2\n")
    ingest(raw / "buoc.csv", store=raw / "store")
    report = ingest(raw / "hoso1.csv", store=raw / "store", mapping=raw / "moi.toml")
    assert "taken_up" not in report.counts
    assert len(aside(raw / "store")) == 5


def test_a_waiting_step_keeps_the_moment_of_its_own_export(raw):
    """An older export must not win over a newer one because it was taken up later."""
    old = buoc("H29-1", "Ký", NgayBatDau="20260702080000", ThoiDiemXuLy="20260702090000", TrangThai="1")
    write(raw / "cu.csv", [old, buoc("H29-9", ThoiDiemXuLy="20260801090000")], header=TIEN_TRINH)
    write(raw / "moi.csv", [old | {"TrangThai": "2"}, buoc("H29-9", ThoiDiemXuLy="20260701090000")], header=TIEN_TRINH)
    for name in ("cu", "moi"):
        ingest(raw / f"{name}.csv", store=raw / "store")
    ingest(raw / "hoso1.csv", store=raw / "store")
    (step,) = rows(raw / "store", "steps")
    assert "registered" in step  # cu.csv knows of August
