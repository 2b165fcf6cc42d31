"""An invented log of any size for ``engine_speed.py``, drawn in DuckDB from hashes of the dossier's number."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import SCHEMA, DossierLog, open_log
from khaosat.dossiers.step_grain import step_engine
from khaosat.engine.duckdb import DuckDBEngine

AS_OF = dt.datetime(2027, 6, 30, 17)
STEPS = 8
"""Of a dossier, on average: 7, 8 and 9 by turns."""
GRAINS = ("spans", "pauses")
_NAMES = ["Tiếp nhận", "Phân công", "Thẩm định", "Lấy ý kiến phối hợp", "Tổng hợp", "Trình ký", "Ký duyệt", "Đóng dấu",
          "Trả kết quả", "Lưu hồ sơ"]  # fmt: skip
_DOSSIERS = """
SELECT i, 'H' || lpad(CAST(i AS VARCHAR), 10, '0') AS dossier_id, hash(i, 1) % 200 AS p,
  'T' || CAST(hash(i, 1) % 200 AS VARCHAR) AS procedure, 'Thủ tục số ' || CAST(hash(i, 1) % 200 AS VARCHAR)
    AS procedure_name,
  'Lĩnh vực ' || CAST(hash(i, 1) % 20 AS VARCHAR) AS field, 'Phường ' || CAST(hash(i, 2) % 126 AS VARCHAR)
    AS responsible_unit,
  TIMESTAMP '2025-01-02 08:00:00' + to_days(CAST(i * 365 // {n} AS INTEGER)) + to_seconds(hash(i, 3) % 30000)
    AS received_at,
  7 + i % 3 AS steps, 5 + hash(i, 4) % 26 AS legal_days, 3600 * (1 + hash(i, 5) % 90) AS pace
FROM range({n}) AS t(i)
"""
_TABLES = {
    "dossiers": """
SELECT dossier_id, procedure, procedure_name, field, responsible_unit AS receiving_unit, responsible_unit,
  CASE WHEN hash(i, 6) % 5 < 3 THEN 'online' ELSE 'counter' END AS channel, 'citizen' AS applicant_type,
  received_at AS submitted_at, received_at, received_at + to_days(CAST(legal_days * 7 // 5 AS INTEGER)) AS first_due_at,
  received_at + to_days(CAST(legal_days * 7 // 5 AS INTEGER)) AS due_at,
  CASE WHEN hash(i, 7) % 50 > 0 THEN received_at + to_seconds(steps * pace) END AS finished_at,
  CAST(NULL AS TIMESTAMP) AS returned_at, CASE WHEN hash(i, 7) % 50 > 0 THEN 'finished' ELSE 'processing' END AS status,
  legal_days, TIMESTAMP '2027-06-30 17:00:00' AS snapshot_at
FROM drawn""",
    "steps": """
SELECT dossier_id, j AS seq, list_extract({names}, CASE WHEN hash(i, j, 8) % 25 = 0 THEN 4 ELSE j END) AS step,
  CASE WHEN j IN (1, steps) THEN responsible_unit ELSE 'Phòng ' || CAST((p * 7 + j // 3) % 500 AS VARCHAR) END AS unit,
  'Cán bộ ' || CAST((p * 31 + j + hash(i, j, 9) % 4) % 5000 AS VARCHAR) AS officer,
  CASE WHEN hash(i, j, 10) % 40 = 0 THEN 'supplement_requested' ELSE 'done' END AS status,
  received_at + to_seconds((j - 1) * pace + hash(i, j, 11) % (pace // 2)) AS started_at,
  received_at + to_seconds((j - 1) * pace + pace // 2 + hash(i, j, 12) % (pace // 2)) AS finished_at,
  CASE WHEN j % 2 = 0 THEN received_at + to_seconds(j * pace) END AS due_at
FROM drawn, LATERAL (SELECT unnest(range(1, CAST(steps AS BIGINT) + 1)) AS j)""",
    "supplements": """
SELECT dossier_id, received_at + to_seconds(pace) AS requested_at, received_at + to_seconds(2 * pace) AS completed_at,
  'Bổ sung hồ sơ' AS reason
FROM drawn WHERE hash(i, 13) % 10 = 0""",
    "appointments": """
SELECT dossier_id, received_at + to_seconds(3 * pace) AS changed_at, received_at + to_days(45) AS new_due_at,
  'Xin lỗi và hẹn lại' AS reason
FROM drawn WHERE hash(i, 14) % 20 = 0""",
}
_TYPES = {"text": "VARCHAR", "time": "TIMESTAMP", "integer": "INTEGER"}


def draw(folder: Path, *, dossiers: int) -> None:
    """Write the four tables as Parquet, in the order of the dossiers, and the step grain that a store holds ready."""
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")}) as database:
        for name, sql in _TABLES.items():
            columns = ", ".join(
                f"CAST({column} AS {_TYPES[kind]}) AS {column}" for column, kind in SCHEMA[name].items()
            )
            database.execute(f"CREATE OR REPLACE TEMP VIEW drawn AS {_DOSSIERS.format(n=dossiers)}")
            made = database.sql(sql.format(names=_NAMES))
            lacking = "".join(f", NULL AS {column}" for column in SCHEMA[name] if column not in made.columns)
            text = f"SELECT {columns} FROM (SELECT *{lacking} FROM ({sql.format(names=_NAMES)}))"
            database.execute(f"COPY ({text}) TO '{folder}/{name}.parquet' (FORMAT PARQUET)")
    log = opened(folder, memory_limit="1GiB", grains=())
    for name in GRAINS:
        step_engine(log, pauses=True).query(f"COPY {name} TO '{folder}/{name}.parquet' (FORMAT PARQUET)")
    log.engine.close()


def opened(folder: Path, *, memory_limit: str = "1GiB", grains: tuple[str, ...] = GRAINS) -> DossierLog:
    """The log of a folder."""
    sources = {name: [f"{folder}/{name}.parquet"] for name in (*SCHEMA, *grains)}
    engine = DuckDBEngine(memory_limit=memory_limit)
    return open_log(engine, sources, calendar=WorkCalendar.vietnam(), as_of=AS_OF)
