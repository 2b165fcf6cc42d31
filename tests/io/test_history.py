"""Corrections that come later, in any order: no row is lost, the newest snapshot counts, every other is history."""

from __future__ import annotations

from collections import Counter

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.io.dossier_files import open_store
from khaosat.io.intake import ingest
from khaosat.io.store import read_manifest
from tests.io.exports import TIEN_TRINH, buoc, ho_so, write

UNITS = ("Sở Xây dựng", "Sở Nội vụ", "UBND phường 1")
CONTENT = st.dictionaries(st.integers(1, 4), st.sampled_from(UNITS), max_size=4)
SNAPSHOTS = st.lists(
    st.tuples(st.integers(10, 28), CONTENT, st.sampled_from(["", "copy", "conflict", "broken"])),
    min_size=2,
    max_size=4,
    unique_by=lambda snapshot: snapshot[0],
)


def exported(folder, day, content, spoilt):
    """Files of a snapshot of that day in August: what it says of each dossier and its one step; their rows."""
    rows = [ho_so("H29-0", NgayKetThucXuLy=f"202608{day}100000")]  # it dates the snapshot
    rows += [ho_so(f"H29-{n}", DonViXuLy=unit) for n, unit in content.items()]
    if spoilt == "copy":
        rows.append(rows[0])
    elif spoilt == "conflict":
        rows.append(rows[0] | {"TenTTHC": "khác"})
    elif spoilt == "broken":
        rows.append(ho_so("H29-9", NgayTiepNhan="?"))
    steps = [buoc(f"H29-{n}", PhongBanXuLy=unit) for n, unit in content.items()]
    steps.append(buoc("H29-0", ThoiDiemXuLy=f"202608{day}100000"))  # a file of steps is dated by its own last moment
    files = [write(folder / f"hoso-{day}.csv", rows), write(folder / f"buoc-{day}.csv", steps, header=TIEN_TRINH)]
    return files, len(rows), len(steps)


@settings(max_examples=5)
@given(snapshots=SNAPSHOTS)
def test_every_row_is_stored_once_as_current_or_as_history_or_set_aside(tmp_path_factory, snapshots):
    folder = tmp_path_factory.mktemp("late")
    store, total = folder / "store", Counter()
    for day, content, spoilt in snapshots:
        files, dossiers, steps = exported(folder, day, content, spoilt)
        report = ingest(files, store=store)
        assert (report.counts["dossiers_read"], report.counts["steps_read"]) == (dossiers, steps)
        assert report.counts["dossiers_quarantined"] == (1 if spoilt else 0)
        total.update(report.counts)
    assert total["read"] == total["stored"] + total["quarantined"]
    manifest = read_manifest(store)
    held = {part: sum(file.rows for file in files) for part, files in manifest.files.items()}
    for table in ("dossiers", "steps"):
        assert held.get(table, 0) + held.get(f"history/{table}", 0) == total[f"{table}_stored"]
    assert held.get("quarantine", 0) == total["quarantined"]
    log = open_store(store)
    for table, column in (("dossiers", "responsible_unit"), ("steps", "unit")):
        found = log.engine.query(f"SELECT dossier_id, {column} AS unit, source_file FROM {table}").to_pylist()
        newest = {f"H29-{n}": (day, unit) for day, content, _ in sorted(snapshots, key=lambda s: s[0])
                  for n, unit in content.items()}  # fmt: skip
        assert {row["dossier_id"]: row["unit"] for row in found if row["dossier_id"] != "H29-0"} == {
            dossier: unit for dossier, (_, unit) in newest.items()
        }
        assert all(row["source_file"].endswith(f"-{newest[row['dossier_id']][0]}.csv")
                   for row in found if row["dossier_id"] != "H29-0")  # fmt: skip
    log.engine.close()
    if "history/dossiers" in held:  # what was replaced says from which file and of when it was
        past = duckdb.read_parquet(manifest.paths("history/dossiers", store))
        rows = past.project("dossier_id, source_file, day(snapshot_at)").fetchall()
        assert len(set(rows)) == len(rows)
        assert all(file == f"hoso-{day}.csv" for _, file, day in rows)
