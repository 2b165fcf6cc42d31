"""Small exports of a one-stop system in the national exchange schema."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

Row = Mapping[str, str]

HO_SO = (
    "MaHoSo", "MaTTHC", "TenTTHC", "TenLinhVuc", "KenhThucHien", "ChuHoSo", "LoaiDoiTuong", "NgayNopHoSo",
    "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "NgayTra", "NgayKetThucXuLy", "DonViXuLy", "NoiNopHoSo",
    "SoNgayXuLy",
)  # fmt: skip
TIEN_TRINH = (
    "MaHoSo", "NguoiXuLy", "ChucDanh", "ThoiDiemXuLy", "PhongBanXuLy", "NoiDungXuLy", "TrangThai", "NgayBatDau",
    "NgayKetThucTheoQuyDinh",
)  # fmt: skip


def ho_so(number: str, **changes: str) -> dict[str, str]:
    """A dossier without fault."""
    row = {
        "MaHoSo": number, "MaTTHC": "1.004", "TenTTHC": "Cấp giấy phép xây dựng", "TenLinhVuc": "Xây dựng",
        "KenhThucHien": "2", "ChuHoSo": "Nguyễn Văn An", "LoaiDoiTuong": "1", "NgayNopHoSo": "20260701080000",
        "NgayTiepNhan": "20260701083000", "NgayHenTra": "20260710170000", "TrangThaiHoSo": "9", "NgayTra": "",
        "NgayKetThucXuLy": "20260709100000", "DonViXuLy": "Sở Xây dựng", "NoiNopHoSo": "Trung tâm PVHCC",
        "SoNgayXuLy": "7",
    }  # fmt: skip
    return row | changes


def buoc(number: str, name: str = "Thẩm định", **changes: str) -> dict[str, str]:
    """A step of a dossier without fault."""
    row = {
        "MaHoSo": number, "NguoiXuLy": "Trần Thị Bình", "ChucDanh": "Chuyên viên", "ThoiDiemXuLy": "20260703090000",
        "PhongBanXuLy": "Phòng Cấp phép", "NoiDungXuLy": name, "TrangThai": "4", "NgayBatDau": "20260702080000",
        "NgayKetThucTheoQuyDinh": "20260705170000",
    }  # fmt: skip
    return row | changes


def write(
    path: Path, rows: Iterable[Row], *, header: Iterable[str] = HO_SO, delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """Rows as CSV; a bare encoding such as ``utf-16-le`` writes no byte-order mark."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(header), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path
