from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from khaosat.dossiers import dossier_quality
from khaosat.errors import DataError, WorkspaceError
from khaosat.io import merge as merge_module
from khaosat.io import store as store_module
from khaosat.io.dossier_files import open_store
from khaosat.io.fault_tables import SHOWN
from khaosat.io.intake import ingest
from khaosat.io.merge import Merge
from khaosat.io.store import StoreWriter, file_digest, read_manifest, writing
from tests.io.exports import TIEN_TRINH, buoc, ho_so, write


def rows(log, table="dossiers", order="dossier_id"):
    return log.engine.query(f"SELECT * FROM {table} ORDER BY {order}").to_pylist()


def content(store):
    """Every byte of a store but the lock's."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def quarter(folder, *, name="q3", first=1, count=40, **changes):
    """Files of a quarter: dossiers received in three months, two steps each."""
    folder.mkdir(exist_ok=True)
    numbers = range(first, first + count)
    write(folder / f"hoso-{name}.csv", [
        ho_so(f"H29-{n:04}", NgayTiepNhan=f"2026{7 + n % 3:02}01083000", NgayHenTra=f"2026{7 + n % 3:02}10170000",
              NgayNopHoSo=f"2026{7 + n % 3:02}01080000", NgayKetThucXuLy=f"2026{7 + n % 3:02}09100000") | changes
        for n in numbers
    ])  # fmt: skip
    write(folder / f"tientrinh-{name}.csv", [
        buoc(f"H29-{n:04}", step, NgayBatDau=f"2026{7 + n % 3:02}0{day}080000",
             ThoiDiemXuLy=f"2026{7 + n % 3:02}0{day}090000")
        for n in numbers for day, step in ((2, "Tiếp nhận"), (3, "Thẩm định"))
    ], header=TIEN_TRINH)  # fmt: skip
    return folder


def test_the_store_is_arranged_by_table_and_month_of_reception(tmp_path):
    report = ingest(quarter(tmp_path / "raw"), store=tmp_path / "store")
    months = ["2026-07", "2026-08", "2026-09"]
    assert sorted(path.name for path in (tmp_path / "store/dossiers").iterdir()) == months
    assert sorted(path.name for path in (tmp_path / "store/steps").iterdir()) == months
    log = open_store(tmp_path / "store")
    assert (len(rows(log)), len(rows(log, "steps"))) == (40, 80)
    assert log.as_of == dt.datetime(2026, 9, 9, 10)
    assert (report.counts["read"], report.counts["stored"], report.counts["quarantined"]) == (120, 120, 0)
    assert log.counts == report.counts
    assert report.added == ("hoso-q3.csv", "tientrinh-q3.csv")
    assert "120" not in report.summary()
    assert "40" in report.summary()


def test_a_second_ingest_changes_no_byte(tmp_path):
    raw = quarter(tmp_path / "raw")
    before_raw = content(raw)
    ingest(raw, store=tmp_path / "store")
    before = content(tmp_path / "store")
    report = ingest(raw, store=tmp_path / "store")
    assert report.added == ()
    assert report.skipped == ("hoso-q3.csv", "tientrinh-q3.csv")
    assert report.summary() == "Không có gì mới: cả 2 tệp đã có trong kho."
    assert content(tmp_path / "store") == before
    assert content(raw) == before_raw


def test_the_same_content_under_another_name_is_the_same_source(tmp_path):
    raw = quarter(tmp_path / "raw")
    ingest(raw, store=tmp_path / "store")
    shutil.copy(raw / "hoso-q3.csv", raw / "ban-sao.csv")
    assert ingest(raw, store=tmp_path / "store").added == ()


def test_the_same_sources_give_the_same_bytes(tmp_path):
    raw = quarter(tmp_path / "raw", count=500)
    for name in ("one", "two"):
        ingest(raw, store=tmp_path / name)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_dossier_in_two_snapshots_counts_once_as_the_newer_says(tmp_path):
    old = write(tmp_path / "a.csv", [
        ho_so("H29-1", NgayKetThucXuLy="", TrangThaiHoSo="4", NgayHenTra="20260710170000"), ho_so("H29-2"),
    ])  # fmt: skip
    new = write(tmp_path / "b.csv", [
        ho_so("H29-1", NgayKetThucXuLy="20260805100000", NgayHenTra="20260806170000"), ho_so("H29-3"),
    ])  # fmt: skip
    together, newest_last, newest_first = tmp_path / "s1", tmp_path / "s2", tmp_path / "s3"
    ingest([old, new], store=together)
    ingest(old, store=newest_last)
    ingest(new, store=newest_last)
    ingest(new, store=newest_first)
    ingest(old, store=newest_first)
    for store in (together, newest_last, newest_first):
        log = open_store(store)
        assert [row["dossier_id"] for row in rows(log)] == ["H29-1", "H29-2", "H29-3"]
        first = rows(log)[0]
        assert (first["status"], first["finished_at"]) == ("finished", dt.datetime(2026, 8, 5, 10))
        assert first["due_at"] == dt.datetime(2026, 8, 6, 17)
        assert first["first_due_at"] == dt.datetime(2026, 7, 10, 17)  # only the older snapshot knew it
        history = read_manifest(store).paths("history/dossiers", store)
        (past,) = duckdb.read_parquet(history).fetchall()
        assert past[0] == "H29-1"
        assert (log.counts["stored"], log.counts["quarantined"]) == (4, 0)
        assert log.as_of == dt.datetime(2026, 8, 5, 10)


def test_an_older_snapshot_that_changes_nothing_loses_nothing(tmp_path):
    """The month's file is then written again with the same bytes, under the same name."""
    store = tmp_path / "store"
    for name, day in (("b", 16), ("a", 11), ("a2", 14)):
        exported = [ho_so("H29-1", NgayKetThucXuLy=f"202608{day}100000")]
        ingest(write(tmp_path / f"{name}.csv", exported + [ho_so("H29-2")] * (name == "b")), store=store)
    found = rows(open_store(store))
    assert [(row["dossier_id"], row["source_file"]) for row in found] == [("H29-1", "b.csv"), ("H29-2", "b.csv")]
    manifest = read_manifest(store)
    assert sum(file.rows for file in manifest.files["history/dossiers"]) == 2
    assert not set(manifest.retired) & {file.path for files in manifest.files.values() for file in files}


def test_steps_of_two_snapshots_are_joined_and_none_counts_twice(tmp_path):
    store = tmp_path / "store"
    done = {"NgayBatDau": "20260702080000", "ThoiDiemXuLy": "20260702090000"}
    hers = {"NgayBatDau": "20260703080000"}
    for name, moment, steps in (
        ("a", "20260704080000", [buoc("H29-1", "Tiếp nhận", **done), buoc("H29-1", "Ký", **done),
                                 buoc("H29-1", "Ký", **done), buoc("H29-1", "Thẩm định", **hers, ThoiDiemXuLy="")]),
        ("b", "20260709080000", [buoc("H29-1", "Tiếp nhận", **done), buoc("H29-1", "Ký", **done),
                                 buoc("H29-1", "Ký", **done), buoc("H29-1", "Thẩm định", **hers),
                                 buoc("H29-1", "Trả", NgayBatDau="20260705080000", ThoiDiemXuLy="20260705090000")]),
    ):  # fmt: skip
        write(tmp_path / f"hoso-{name}.csv", [ho_so("H29-1", NgayKetThucXuLy="", NgayTra="", NgayNopHoSo=moment)])
        write(tmp_path / f"buoc-{name}.csv", steps, header=TIEN_TRINH)
        ingest([tmp_path / f"hoso-{name}.csv", tmp_path / f"buoc-{name}.csv"], store=store)
    kept = rows(open_store(store), "steps", "seq")
    assert [row["step"] for row in kept] == ["Tiếp nhận", "Ký", "Ký", "Thẩm định", "Trả"]
    assert [row["seq"] for row in kept] == [1, 2, 3, 4, 5]
    assert kept[3]["finished_at"] == dt.datetime(2026, 7, 3, 9)
    assert open_store(store).counts["steps_stored"] == 9


def test_steps_may_come_after_their_dossiers(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    write(tmp_path / "buoc.csv", [buoc("H29-1"), buoc("H29-2")], header=TIEN_TRINH)
    ingest(tmp_path / "hoso.csv", store=tmp_path / "store")
    report = ingest(tmp_path / "buoc.csv", store=tmp_path / "store")
    assert report.counts["steps_stored"] == report.counts["steps_quarantined"] == 1
    assert report.faults["fault"].tolist() == ["without_dossier"]


def test_a_later_file_of_changes_moves_back_the_first_appointment(tmp_path):
    header = ("MaHoSo", "NgayDoiHen", "NgayHenTraTruoc", "NgayHenTraMoi")
    change = ("H29-1", "20260705080000", "20260706170000", "20260710170000")
    write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2")])
    write(tmp_path / "hen.csv", [dict(zip(header, change, strict=True))], header=header)
    ingest(tmp_path / "hoso.csv", store=tmp_path / "store")
    ingest(tmp_path / "hen.csv", store=tmp_path / "store")
    found = [row["first_due_at"].day for row in rows(open_store(tmp_path / "store"))]
    assert found == [6, 10]


def test_quarantine_holds_the_content_without_personal_columns(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", NgayTiepNhan="?", NgayHenTra="!")])
    path.write_text(path.read_text(encoding="utf-8") + "lẻ,Nguyễn Văn An\n", encoding="utf-8")
    ingest(path, store=tmp_path / "store")
    files = read_manifest(tmp_path / "store").paths("quarantine", tmp_path / "store")
    first, second = duckdb.read_parquet(files).fetchall()
    assert first[:4] == ("hoso.csv", "dossiers", 2, "bad_date")
    assert first[5] == second[5] == file_digest(path)
    kept = json.loads(first[4])
    assert (kept["MaHoSo"], kept["NgayTiepNhan"], kept["NgayHenTra"]) == ("H29-2", "?", "!")
    assert "ChuHoSo" not in kept
    assert second[:5] == ("hoso.csv", "dossiers", 3, "broken_record", "")
    assert not any(b"Nguy\xe1\xbb\x85n" in data for data in content(tmp_path / "store").values())
    log = open_store(tmp_path / "store")
    assert log.faults["fault"].tolist() == ["bad_date", "bad_date", "broken_record"]
    assert (log.counts["read"], log.counts["quarantined"]) == (3, 2)


def test_a_changed_mapping_is_said(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    ingest(path, store=tmp_path / "store")
    from khaosat.facts import locate

    (tmp_path / "moi.toml").write_bytes(locate("mappings/dvcqg.toml").read_bytes() + b"\n# v2\n")
    report = ingest(path, store=tmp_path / "store", mapping=tmp_path / "moi.toml")
    assert report.faults["fault"].tolist() == ["mapping_changed"]


def test_a_moment_in_the_future_does_not_date_the_log(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", NgayKetThucXuLy="20980709100000")])
    report = ingest(path, store=tmp_path / "store")
    assert report.faults["fault"].tolist() == ["future_time"]
    assert open_store(tmp_path / "store").as_of == dt.datetime(2026, 7, 9, 10)


def test_an_old_reader_survives_the_next_ingest(tmp_path):
    store = tmp_path / "store"
    ingest(write(tmp_path / "a.csv", [ho_so("H29-1", NgayKetThucXuLy="")]), store=store)
    reader = open_store(store)
    ingest(write(tmp_path / "b.csv", [ho_so("H29-1", NgayKetThucXuLy="20260712100000")]), store=store)
    assert rows(reader)[0]["finished_at"] is None
    assert rows(open_store(store))[0]["finished_at"] is not None
    ingest(write(tmp_path / "c.csv", [ho_so("H29-2", NgayKetThucXuLy="20260713100000")]), store=store)
    assert len(list((store / "dossiers").rglob("*.parquet"))) == 2


def test_one_writer_at_a_time(tmp_path):
    raw = quarter(tmp_path / "raw")
    with writing(tmp_path / "store"), pytest.raises(WorkspaceError, match="khác đang ghi"):
        ingest(raw, store=tmp_path / "store")
    assert ingest(raw, store=tmp_path / "store").added


def test_an_empty_and_a_damaged_store(tmp_path):
    with pytest.raises(WorkspaceError, match="khaosat ingest"):
        open_store(tmp_path / "nothing")
    (tmp_path / "manifest.json").write_text("{half", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="hỏng"):
        open_store(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(WorkspaceError, match="khuôn dạng 99"):
        open_store(tmp_path)


class Stop(Exception):
    pass


def stopping(after):
    """A function's stand-in that works ``after`` times and then stops the ingest."""
    calls = iter(range(10_000))

    def wrap(function):
        def stand_in(*given, **options):
            if next(calls) >= after:
                raise Stop
            return function(*given, **options)

        return stand_in

    return wrap


@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (StoreWriter, "keep", 0), (StoreWriter, "keep", 1), (StoreWriter, "keep", 4), (StoreWriter, "commit", 0),
        (Merge, "_first_dues", 0), (Merge, "_write", 3), (store_module.os, "fsync", 2), (store_module.os, "replace", 0),
        (store_module.os, "replace", 3), (merge_module.Merge, "extend", 0),
    ],
)  # fmt: skip
def test_an_ingest_that_stops_leaves_the_store_as_it_was(tmp_path, monkeypatch, owner, name, after):
    store = tmp_path / "store"
    ingest(quarter(tmp_path / "raw", name="q2", NgayKetThucXuLy=""), store=store)
    before = content(store)
    log = rows(open_store(store))
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stopping(after)(getattr(owner, name)))
        with pytest.raises(Stop):
            ingest(quarter(tmp_path / "raw", name="q3", first=20), store=store)
    assert rows(open_store(store)) == log
    assert {path: content(store)[path] for path in before} == before
    report = ingest(tmp_path / "raw", store=store)
    assert report.added == ("hoso-q3.csv", "tientrinh-q3.csv")
    clean = tmp_path / "clean"
    (tmp_path / "raw2").mkdir()
    for file in sorted((tmp_path / "raw").glob("*-q2.csv")):
        shutil.copy(file, tmp_path / "raw2")
    ingest(tmp_path / "raw2", store=clean)
    ingest(tmp_path / "raw", store=clean)
    assert content(store) == content(clean)


def test_half_a_store_without_manifest_is_no_store(tmp_path):
    store = tmp_path / "store"
    ingest(quarter(tmp_path / "raw"), store=store)
    (store / "manifest.json").unlink()
    with pytest.raises(WorkspaceError):
        open_store(store)
    report = ingest(tmp_path / "raw", store=store)
    assert report.counts["stored"] == 120
    assert len(list(store.rglob("*.parquet"))) == 6


def test_progress_runs_to_its_end(tmp_path):
    seen = []
    ingest(quarter(tmp_path / "raw"), store=tmp_path / "store", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


def test_files_that_cannot_be_read_are_named_and_come_in_once_they_can(tmp_path, monkeypatch):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    (tmp_path / "hong.xlsx").write_bytes(b"PK\x03\x04hong")
    (tmp_path / "~$khoa.xlsx").write_bytes(b"Excel")
    opened = Path.open

    def refuse(self, *given, **options):
        if self.name == "hoso.csv":
            raise PermissionError(13, "Permission denied")
        return opened(self, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        report = ingest(tmp_path, store=tmp_path / "store")
    assert report.refused == ("hoso.csv", "hong.xlsx")
    assert report.faults["fault"].tolist() == ["unreadable_file", "not_text"]
    assert report.summary() == "Số tệp không đọc được: 2 (hoso.csv, hong.xlsx)."
    report = ingest(tmp_path, store=tmp_path / "store")
    assert (report.added, report.refused) == ((path.name,), ("hong.xlsx",))
    report = ingest(tmp_path, store=tmp_path / "store")
    assert report.summary().splitlines() == [
        "Không có gì mới: cả 1 tệp đã có trong kho.",
        "Số tệp không đọc được: 1 (hong.xlsx).",
    ]


def test_a_folder_without_data_or_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match="không có tệp dữ liệu"):
        ingest(tmp_path / "raw", store=tmp_path / "store")

    def closed(place):
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(DataError, match="Không mở được .*raw"):
        ingest(tmp_path / "raw", store=tmp_path / "store")


@pytest.mark.parametrize("error", [OSError, duckdb.IOException])
def test_a_full_disk_is_said_and_changes_nothing(tmp_path, monkeypatch, error):
    store = tmp_path / "store"
    ingest(quarter(tmp_path / "raw", name="q2"), store=store)
    before = content(store)

    def full(*given, **options):
        raise error("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Merge, "_write", full)
        with pytest.raises(WorkspaceError, match="dung lượng đĩa"):
            ingest(quarter(tmp_path / "raw", name="q3", first=20), store=store)
    assert content(store) == before


def test_faults_of_a_refused_file_are_those_of_the_last_try(tmp_path):
    (tmp_path / "trong.csv").write_bytes(b"")
    for number in (1, 2, 3):
        write(tmp_path / f"hoso{number}.csv", [ho_so(f"H29-{number}")])
        ingest(tmp_path, store=tmp_path / "store")
    assert open_store(tmp_path / "store").counts["fault_empty_file"] == 1
    (tmp_path / "trong.csv").unlink()
    write(tmp_path / "hoso4.csv", [ho_so("H29-4")])
    ingest(tmp_path, store=tmp_path / "store")
    assert "fault_empty_file" not in open_store(tmp_path / "store").counts


def test_faults_are_counted_to_the_last_one(tmp_path):
    count = SHOWN + 50
    write(tmp_path / "hoso.csv", [ho_so(f"H29-{number}", KenhThucHien="9") for number in range(count)])
    ingest(tmp_path / "hoso.csv", store=tmp_path / "store")
    log = open_store(tmp_path / "store")
    assert (len(log.faults), log.counts["fault_bad_code"]) == (SHOWN, count)
    found = dossier_quality(log).rows.set_index("check")
    assert found.loc["bad_code", ["numerator", "denominator", "estimate"]].tolist() == [count, count, 1]
