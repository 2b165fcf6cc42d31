"""The committed sample, read plainly with pandas: no reader of khaosat stands between the tests and the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.sample import write_sample
from tests.shared import ROOT

SAMPLE = ROOT / "data" / "sample"
TABLES = ("HoSo", "TienTrinh", "DanhSachHoSoBoSung", "LichSuHenTra")


def read(folder: Path, table: str) -> pd.DataFrame:
    """All quarters of a table, with the file and row (from 1) each line stands in."""
    frames = []
    for path in sorted((folder / "dossiers").glob(f"{table}-*")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frames.append(frame.assign(file=f"dossiers/{path.name}", row=np.arange(1, len(frame) + 1)))
    return pd.concat(frames, ignore_index=True)


def moments(text: pd.Series) -> pd.Series:
    """yyyyMMddHHmmss as a time; empty is missing, anything else raises."""
    return pd.to_datetime(text.where(text != ""), format="%Y%m%d%H%M%S")


@pytest.fixture(scope="session")
def truth() -> dict:
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    return {name: read(SAMPLE, name) for name in TABLES}


@pytest.fixture(scope="session")
def clean(tables, truth) -> dict[str, pd.DataFrame]:
    """The tables without the rows that truth.json lists as faulty."""
    faulty = pd.DataFrame(truth["faults"]["rows"])[["file", "row"]].assign(faulty=True)
    cleaned = {}
    for name, frame in tables.items():
        marked = frame.merge(faulty, on=["file", "row"], how="left")
        cleaned[name] = marked[marked["faulty"].isna()].drop(columns="faulty").reset_index(drop=True)
    return cleaned


@pytest.fixture(scope="session")
def dossiers(clean, tables) -> pd.DataFrame:
    """One row a dossier with times as times, ``first_due`` (before any change), ``late``, ``ended``."""
    frame = clean["HoSo"].copy()
    for column in frame.columns[frame.columns.str.startswith("Ngay")]:
        frame[column] = moments(frame[column])
    changes = pd.concat([tables["DanhSachHoSoBoSung"], tables["LichSuHenTra"]])
    earlier = moments(changes["NgayHenTraTruoc"]).groupby(changes["MaHoSo"]).min()
    frame["first_due"] = frame["MaHoSo"].map(earlier).fillna(frame["NgayHenTra"])
    frame["ended"] = frame["NgayKetThucXuLy"].notna()
    frame["late"] = frame["NgayKetThucXuLy"].dt.normalize() > frame["first_due"]
    return frame


@pytest.fixture(scope="session")
def steps(clean) -> pd.DataFrame:
    frame = clean["TienTrinh"].copy()
    return frame.assign(start=moments(frame["NgayBatDau"]), end=moments(frame["ThoiDiemXuLy"]))


@pytest.fixture(scope="session")
def waves() -> dict[str, pd.DataFrame]:
    """The survey by wave, all text."""
    files = sorted((SAMPLE / "survey").glob("khao-sat-*"))
    return {path.name[9:16]: pd.read_csv(path, dtype=str, keep_default_na=False) for path in files}


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A small city of two quarters, written in many batches."""
    out = tmp_path_factory.mktemp("small")
    write_sample(out, dossiers=900, survey=90, quarters=("2025-Q2", "2025-Q3"), waves=("2025-Q3",), batch_size=60)
    return out
