"""The files themselves: schema, counts, size, determinism, batches, wrong calls."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.sample import write_sample
from tests.sample.conftest import SAMPLE, read

# domain.md 5.1 and 5.2, personal columns left out, and one local extension.
EXCHANGE = {
    "HoSo": "MaHoSo MaTTHC TenTTHC MaLinhVuc TenLinhVuc KenhThucHien LoaiDoiTuong NgayNopHoSo NgayTiepNhan NgayHenTra "
    "TrangThaiHoSo NgayTra HinhThuc NgayKetThucXuLy NgayTuChoi DonViXuLy NoiNopHoSo DuocThanhToanTrucTuyen SoNgayXuLy",
    "TienTrinh": "MaHoSo NguoiXuLy ChucDanh ThoiDiemXuLy PhongBanXuLy NoiDungXuLy TrangThai NgayBatDau "
    "NgayKetThucTheoQuyDinh",
    "DanhSachHoSoBoSung": "MaHoSo HoSoBoSungId NoiDungBoSung NgayBoSung NgayTiepNhanBoSung TrangThaiBoSung "
    "NgayHenTraTruoc NgayHenTraMoi",
    "LichSuHenTra": "MaHoSo NgayDoiHen NgayHenTraTruoc NgayHenTraMoi LyDo NgayGuiThuXinLoi",
}
SMALL = {"dossiers": 900, "survey": 90, "quarters": ("2025-Q2", "2025-Q3"), "waves": ("2025-Q3",)}


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("table", EXCHANGE)
def test_columns_are_those_of_the_exchange_schema(tables, table):
    assert list(tables[table].columns) == [*EXCHANGE[table].split(), "file", "row"]


def test_the_committed_sample_is_small():
    assert sum(len(content) for content in contents(SAMPLE).values()) < 6_000_000


def test_counts(clean, dossiers, waves, truth):
    assert len(dossiers) == truth["realised"]["dossiers"] == 30_000
    assert dossiers["MaHoSo"].is_unique
    assert dossiers["NgayTiepNhan"].dt.to_period("Q").nunique() == 8
    assert {wave: len(frame) for wave, frame in waves.items()} == dict.fromkeys(truth["waves"], 1_200)
    assert set(clean["TienTrinh"]["MaHoSo"]) == set(dossiers["MaHoSo"])


def test_rows_of_every_file_are_told(tables, truth):
    written = pd.concat(tables.values()).groupby("file").size().to_dict()
    assert written == truth["rows"]


def test_survey_columns_are_those_of_the_questionnaire(waves):
    questions = load_questionnaire("sipas_2023").questions["name"].to_list()
    for frame in waves.values():
        assert list(frame.columns[-len(questions) :]) == questions


def test_the_committed_sample_is_what_the_generator_writes(tmp_path):
    """Line by line but for one in a thousand: another processor may round a logarithm the other way."""
    write_sample(tmp_path)
    made, committed = contents(tmp_path), contents(SAMPLE)
    assert made.keys() == committed.keys()
    for name in (name for name in made if name.endswith(".gz")):
        here, there = (gzip.decompress(files[name]).splitlines() for files in (made, committed))
        assert len(here) == len(there), name
        assert sum(a != b for a, b in zip(here, there, strict=True)) <= len(here) / 1000, name


def test_same_seed_same_bytes_other_seed_other_dossiers(small, tmp_path):
    write_sample(tmp_path / "again", **SMALL, batch_size=60)
    assert contents(tmp_path / "again") == contents(small)
    write_sample(tmp_path / "other", **SMALL, batch_size=60, seed=7)
    assert not read(tmp_path / "other", "HoSo").equals(read(small, "HoSo"))


def test_batches_bound_what_is_held_at_a_time(tmp_path):
    """Each batch is a row group of its own, as large as asked for or one day of dossiers, never a whole quarter."""
    told = []
    write_sample(
        tmp_path, **SMALL, batch_size=60, file_format="parquet", progress=lambda done, total: told.append((done, total))
    )
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (900, 900)
    sizes = []
    for path in sorted((tmp_path / "dossiers").glob("HoSo-*.parquet")):
        file = pq.ParquetFile(path)
        sizes += [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert len(sizes) == len(told) > 12
    assert max(sizes) < 60 + 30 + 5  # a batch may run over by its last day, and holds its faulty rows


def test_parquet_holds_the_same_rows_as_csv(small, tmp_path):
    write_sample(tmp_path, **SMALL, batch_size=60, file_format="parquet")
    for path in (small / "dossiers").glob("*.csv.gz"):
        there = pq.read_table(tmp_path / "dossiers" / path.name.replace(".csv.gz", ".parquet")).to_pandas()
        pd.testing.assert_frame_equal(there, pd.read_csv(path, dtype="str", keep_default_na=False), check_dtype=False)


def test_an_earlier_sample_is_replaced(tmp_path):
    (tmp_path / "dossiers").mkdir()
    (tmp_path / "dossiers" / "HoSo-2019-Q1.parquet").write_bytes(b"old")
    (tmp_path / "dossiers" / "mine.txt").write_text("kept")
    write_sample(tmp_path, dossiers=20, survey=0, quarters=("2026-Q3",))
    assert sorted(path.name for path in (tmp_path / "dossiers").glob("*")) == [
        "DanhSachHoSoBoSung-2026-Q3.csv.gz",
        "HoSo-2026-Q3.csv.gz",
        "LichSuHenTra-2026-Q3.csv.gz",
        "TienTrinh-2026-Q3.csv.gz",
        "mine.txt",
    ]
    assert not (tmp_path / "survey").exists()
    assert json.loads((tmp_path / "truth.json").read_text())["waves"] == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"dossiers": 0},
        {"survey": -1},
        {"batch_size": 0},
        {"quarters": ()},
        {"quarters": ("2026-07",)},
        {"quarters": ("2026-Q1", "2026-Q3")},
        {"waves": ("2026",)},
    ],
)
def test_wrong_calls_write_nothing(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"must|quarter"):
        write_sample(tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_every_folder_says_that_it_is_invented(small):
    text = (small / "README.md").read_text(encoding="utf-8")
    assert "bịa ra" in text
    assert "khaosat sample --dossiers 900 --survey 90" in text
