"""A city of few dossiers, with people in every column that may hold them, and its quarterly report."""

from __future__ import annotations

import csv
import gzip
import os
import shutil

import pytest

from khaosat.report import build
from khaosat.sample import write_sample
from khaosat.workspace import Workspace
from tests.shared import ROOT

PERSONAL = ("ChuHoSo", "SoDienThoai", "SoDinhDanh", "Email", "TrichYeuHoSo", "GhiChu", "NguoiXuLy")
PLANTED = {
    "ChuHoSo": "Nguyễn Thị Quỳnh Giao", "SoDienThoai": "0903987654", "SoDinhDanh": "079188012345",
    "Email": "quynhgiao@example.vn", "TrichYeuHoSo": "Đơn của bà Quỳnh Giao", "GhiChu": "gọi bà Giao trước 9 giờ",
    "NguoiXuLy": "Lương Văn Trác", "ho_ten": "Phạm Kỳ Duyên", "dien_thoai": "0918123789",
    "comment": "Tôi là Phạm Kỳ Duyên, số 0918123789, cán bộ Trác nhận tiền",
}  # fmt: skip
SECRETS = {
    "KHAOSAT_SMTP_USER": "may-bao-cao",
    "KHAOSAT_SMTP_PASSWORD": "mat-khau-thu-9f3a",
    "PGPASSWORD": "mat-khau-csdl-7c2b",
}


@pytest.fixture(scope="session")
def thin_city(tmp_path_factory):
    """The workspace, read in."""
    root = tmp_path_factory.mktemp("thin-city")
    write_sample(root / "data/sample", dossiers=900, survey=150, seed=7)
    for path in (root / "data/sample").rglob("*.csv.gz"):
        columns = PERSONAL if "HoSo-" in path.name else ("NguoiXuLy",) if "TienTrinh" in path.name else ()
        _plant(path, ("ho_ten", "dien_thoai", "comment") if "khao-sat" in path.name else columns)
    shutil.copy(ROOT / "khaosat.toml", root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    workspace = Workspace.find(root)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="session")
def report(thin_city):
    """The folder of the quarterly report, made where passwords are in the environment."""
    before = dict(os.environ)
    os.environ.update(SECRETS)
    try:
        return build(thin_city, "2026-Q3").folder
    finally:
        os.environ.clear()
        os.environ.update(before)


def _plant(path, names):
    """The same people in these columns of every row; a column that is not there is added."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not names:
        return
    planted = {name: PLANTED[name] for name in names}
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys([*rows[0], *names])))
        writer.writeheader()
        writer.writerows({**row, **planted} for row in rows)
