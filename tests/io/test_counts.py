"""Rows read = rows stored + rows quarantined, whatever is wrong with them."""

from __future__ import annotations

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.io.dossier_files import open_store
from khaosat.io.intake import ingest
from khaosat.io.store import read_manifest
from tests.io.exports import TIEN_TRINH, buoc, ho_so, write

SPOILT = st.sampled_from([
    {}, {}, {}, {"MaHoSo": ""}, {"NgayTiepNhan": "x"}, {"NgayTiepNhan": ""}, {"NgayHenTra": ""},
    {"NgayHenTra": "20200101"}, {"NgayKetThucXuLy": "20200101000000"},
    {"TrangThaiHoSo": "99"}, {"KenhThucHien": ""}, {"TenTTHC": "a\nb"},
    {"DonViXuLy": 'Tổ "1", phường'}, {"SoNgayXuLy": "2,5"}, {"TrangThaiHoSo": "1", "NgayTiepNhan": ""},
])  # fmt: skip
DOSSIERS = st.lists(st.builds(lambda n, change: ho_so(f"H29-{n}") | change, st.integers(1, 6), SPOILT), max_size=12)
STEPS = st.lists(
    st.builds(
        lambda n, change: buoc(f"H29-{n}") | change,
        st.integers(1, 7),
        st.sampled_from([{}, {"MaHoSo": ""}, {"ThoiDiemXuLy": "x"}, {"NgayBatDau": "20270101000000"}]),
    ),
    max_size=12,
)
LINES = st.lists(
    st.sampled_from(["một dòng cụt", "a,b,c,d", '"H29-1', "," * 40, "x" + "," * 15 + '"', "   "]), max_size=3
)


@settings(max_examples=25)
@given(files=st.lists(st.tuples(DOSSIERS, LINES), min_size=1, max_size=2), steps=STEPS)
def test_nothing_is_lost(tmp_path_factory, files, steps):
    folder = tmp_path_factory.mktemp("mixed")
    physical = 0
    for number, (dossiers, lines) in enumerate(files):
        path = write(folder / f"hoso{number}.csv", dossiers)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        physical += len(dossiers) + len([line for line in lines if line.strip(", ")])
    write(folder / "tientrinh.csv", steps, header=TIEN_TRINH)
    report = ingest(folder, store=folder / "store")
    store = folder / "store"
    counts, manifest = report.counts, read_manifest(store)
    held = {
        part: sum(file.rows for name, entries in manifest.files.items() if name.startswith(part) for file in entries)
        for part in ("dossiers", "history/dossiers", "steps", "quarantine")
    }
    same = {tuple(row.items()) for dossiers, _ in files for row in dossiers}
    if len(files) == 1 or files[0] != files[1]:  # two files of one content are one source
        assert counts.get("dossiers_read", 0) == physical
    assert counts.get("steps_read", 0) == len(steps)
    assert counts["read"] == counts["stored"] + counts["quarantined"]
    assert held["dossiers"] + held["history/dossiers"] == counts.get("dossiers_stored", 0)
    assert held["steps"] == counts.get("steps_stored", 0)
    assert held["quarantine"] == counts["quarantined"]
    if held["quarantine"]:
        aside = duckdb.read_parquet(manifest.paths("quarantine", store)).fetchall()
        faults = {(row["file"], row["row"]) for row in report.faults.to_dict("records")}
        assert {(file, row) for file, _, row, *_ in aside} <= faults
    if held["dossiers"]:
        log = open_store(store)
        ids = [row["dossier_id"] for row in log.engine.query("SELECT dossier_id FROM dossiers").to_pylist()]
        assert len(ids) == len(set(ids)) <= len(same)
