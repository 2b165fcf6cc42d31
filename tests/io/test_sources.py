"""Files that a caller means."""

from __future__ import annotations

from khaosat.io.check import check_files
from khaosat.io.intake import ingest
from tests.io.exports import HO_SO, TIEN_TRINH, buoc, ho_so, write


def test_files_of_one_name_are_told_apart(tmp_path):
    for folder in ("t7", "t8"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "hs.csv", [ho_so(f"H-{folder}", NgayTiepNhan="x")])
    report = ingest(tmp_path, store=tmp_path / "store")
    assert report.added == ("t7/hs.csv", "t8/hs.csv")
    assert report.faults["file"].tolist() == ["t7/hs.csv", "t8/hs.csv"]


def test_one_file_may_be_named_for_several_tables(tmp_path):
    both = [ho_so("H29-1") | buoc("H29-1", "Tiếp nhận"), ho_so("H29-2") | buoc("H29-2", "Tiếp nhận")]
    path = write(tmp_path / "chung.csv", both, header=dict.fromkeys((*HO_SO, *TIEN_TRINH)))
    report = ingest({"dossiers": path, "steps": path}, store=tmp_path / "store")
    assert (report.counts["dossiers_stored"], report.counts["steps_stored"]) == (2, 2)
    assert report.added == ("chung.csv",)


def test_a_store_among_its_sources_is_no_source(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    ingest(tmp_path, store=tmp_path / "store")
    report = ingest(tmp_path, store=tmp_path / "store")
    assert (report.skipped, report.refused) == (("hoso.csv",), ())


def test_looking_tells_files_of_one_name_apart_too(tmp_path):
    for folder in ("t7", "t8"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hs.csv").write_bytes(b"")
    assert check_files(tmp_path)["file"].tolist() == ["t7/hs.csv", "t8/hs.csv"]
