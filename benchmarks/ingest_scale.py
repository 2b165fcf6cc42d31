"""Ingest of invented dossiers with eight steps each: seconds, CPU seconds and memory, at one size or several.

Run: ``python benchmarks/ingest_scale.py --dossiers 1000000 2000000 --format csv --scratch /big/disk``. The files of a
quarter each (exchange schema of the national portal) are made first and not measured. Nothing is left in the scratch
folder but what ``--keep`` asks for.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

QUARTERS = 12
STEPS = 8
"""Of each dossier. One dossier in 2,000 has no readable appointment and is set aside with its steps."""
INGEST = """
import sys
from khaosat.io import ingest
report = ingest(sys.argv[1], store=sys.argv[2], memory_limit=sys.argv[3])
print(report.summary())
"""
_STAMP = "strftime({}, '%Y%m%d%H%M%S')"


def dossiers(first: int, count: int, quarter: int) -> str:
    """SQL of the dossiers of one quarter; what a dossier looks like follows from its number alone."""
    received = f"TIMESTAMP '2023-10-01 08:00:00' + to_days(CAST({quarter} * 91 + hash(n) % 91 AS INTEGER)) + "
    received += "to_seconds(CAST(hash(n, 1) % 28800 AS BIGINT))"
    return f"""
        SELECT n, printf('H29.%02d-%06d-%08d', hash(n, 2) % 90, {quarter}, n) AS id, {received} AS received,
               CAST(2 + hash(n, 3) % 40 AS INTEGER) AS days, CAST(hash(n, 4) % 300 AS INTEGER) AS procedure
        FROM range({first}, {first + count}) t(n)
    """


def table(name: str, source: str) -> str:
    """SQL of a table in the exchange schema."""
    if name == "HoSo":
        return f"""
            SELECT id AS MaHoSo, printf('1.%06d.000.00.00.H29', procedure) AS MaTTHC,
                   printf('Thủ tục cấp giấy phép loại %d', procedure) AS TenTTHC,
                   printf('Lĩnh vực %d', procedure % 25) AS TenLinhVuc,
                   CAST(1 + hash(n, 5) % 3 AS VARCHAR) AS KenhThucHien,
                   CAST(1 + hash(n, 6) % 2 AS VARCHAR) AS LoaiDoiTuong,
                   {_STAMP.format("received - INTERVAL 1 HOUR")} AS NgayNopHoSo,
                   {_STAMP.format("received")} AS NgayTiepNhan,
                   CASE WHEN hash(n, 8) % 2000 = 0 THEN 'chưa hẹn'
                        ELSE {_STAMP.format("received + INTERVAL 15 DAY")} END AS NgayHenTra, '9' AS TrangThaiHoSo,
                   {_STAMP.format("received + to_days(days)")} AS NgayTra,
                   {_STAMP.format("received + to_days(days)")} AS NgayKetThucXuLy,
                   printf('Phòng chuyên môn số %d', hash(n, 7) % 180) AS DonViXuLy,
                   printf('Trung tâm hành chính công số %d', hash(n, 2) % 90) AS NoiNopHoSo, '10' AS SoNgayXuLy
            FROM ({source})
        """
    start = f"received + to_hours(CAST(24 * days * step // {STEPS + 1} AS INTEGER))"
    return f"""
        SELECT id AS MaHoSo, printf('Cán bộ %d', hash(n, step) % 4000) AS NguoiXuLy, 'Chuyên viên' AS ChucDanh,
               CASE WHEN hash(n, step, 3) % 1000 = 0 THEN 'chưa rõ'
                    ELSE {_STAMP.format(f"{start} + to_minutes(CAST(30 + hash(n, step, 1) % 400 AS INTEGER))")}
               END AS ThoiDiemXuLy,
               printf('Phòng chuyên môn số %d', hash(n, 7, step // 3) % 180) AS PhongBanXuLy,
               printf('Bước %d: thẩm định hồ sơ', step + hash(n, step, 2) % 2) AS NoiDungXuLy, '4' AS TrangThai,
               {_STAMP.format(start)} AS NgayBatDau,
               {_STAMP.format(f"{start} + INTERVAL 1 DAY")} AS NgayKetThucTheoQuyDinh
        FROM ({source}), range({STEPS}) s(step)
    """


def generate(folder: Path, *, count: int, form: str) -> int:
    """Write the files of every quarter; how many bytes they have."""
    folder.mkdir(parents=True)
    options = "FORMAT CSV" if form == "csv" else "FORMAT PARQUET, COMPRESSION ZSTD"
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder.parent / "spill")}) as database:
        database.execute("SET preserve_insertion_order = true")
        for quarter in range(QUARTERS):
            first, last = (count * number // QUARTERS for number in (quarter, quarter + 1))
            for name in ("HoSo", "TienTrinh"):
                rows = table(name, dossiers(first, last - first, quarter))
                database.execute(f"COPY ({rows}) TO '{folder}/{name}-{quarter:02}.{form}' ({options})")
    return sum(path.stat().st_size for path in folder.iterdir())


def ingested(raw: Path, store: Path, *, memory_limit: str) -> dict[str, float]:
    """Ingest in a process of its own: wall and CPU seconds, peak resident MB, MB of the store, rows in it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", INGEST, str(raw), str(store), memory_limit]
    subprocess.run(command, check=True, stdout=sys.stderr)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    manifest = json.loads((store / "manifest.json").read_text(encoding="utf-8"))
    rows = sum(file["rows"] for part in ("dossiers", "steps") for file in manifest["files"][part])
    return {
        "wall_s": round(wall, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "peak_mb": after.ru_maxrss // 1024,  # of the largest child so far: sizes are measured in rising order
        "store_mb": sum(path.stat().st_size for path in store.rglob("*.parquet")) // 2**20,
        "rows": rows,
    }


def main() -> None:
    """Measure each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dossiers", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--memory-limit", default="1GB")
    parser.add_argument("--scratch", type=Path, default=None)
    parser.add_argument("--keep", action="store_true", help="keep raw files and store")
    given = parser.parse_args()
    for count in sorted(given.dossiers):
        folder = Path(tempfile.mkdtemp(prefix="khaosat-scale-", dir=given.scratch))
        try:
            size = generate(folder / "raw", count=count, form=given.format)
            load = os.getloadavg()[0]
            found = ingested(folder / "raw", folder / "store", memory_limit=given.memory_limit)
            about = {"dossiers": count, "format": given.format, "raw_mb": size // 2**20, "load_before": round(load, 1)}
            print(json.dumps(about | found), flush=True)
        finally:
            if not given.keep:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
