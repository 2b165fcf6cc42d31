"""DossierLog: what it refuses, what it registers, what it shows."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from khaosat.domain import faults
from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.dossiers import ENDED, SCHEMA, DossierLog, Engine, as_table, open_log
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import language

AS_OF = dt.datetime(2026, 7, 1, 8)
FRAME = pd.DataFrame({"dossier_id": ["NA", "null"], "received_at": pd.to_datetime(["2026-06-01 08:00", None])})


@pytest.fixture
def engine():
    engine = DuckDBEngine(threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return WorkCalendar.vietnam()


def test_ids_survive_and_absent_tables_are_empty(engine, calendar):
    log = open_log(engine, {"dossiers": FRAME}, calendar=calendar, as_of=AS_OF)
    assert log.tables == {"dossiers"}
    assert log.engine.query("SELECT dossier_id FROM dossiers").to_pydict() == {"dossier_id": ["NA", "null"]}
    for table, columns in SCHEMA.items():
        answer = log.engine.query(f"SELECT * FROM {table}")
        assert answer.column_names == list(columns)
        assert answer.num_rows == (2 if table == "dossiers" else 0)


def test_parquet_files_make_a_log(engine, calendar, tmp_path):
    file = tmp_path / "a.parquet"
    pq.write_table(as_table("dossiers", FRAME), file)
    log = open_log(engine, {"dossiers": [str(file)]}, calendar=calendar, as_of=AS_OF)
    assert log.engine.query("SELECT count(*) AS n FROM dossiers")["n"].to_pylist() == [2]


def test_the_calendar_joins_on_dates(engine, calendar):
    log = open_log(engine, {"dossiers": FRAME}, calendar=calendar, as_of=AS_OF)
    table = log.engine.query("SELECT * FROM calendar WHERE day = CAST(TIMESTAMP '2024-05-04 10:00:00' AS DATE)")
    assert table.schema.field("day").type == pa.date32()
    assert table["is_work"].to_pylist() == [1]


def test_columns_have_the_canonical_types():
    kinds = {"text": pa.string(), "time": pa.timestamp("us"), "integer": pa.int64()}
    for name, columns in SCHEMA.items():
        for frame in (pd.DataFrame(), pd.DataFrame({"dossier_id": pd.Series(dtype=object)})):
            schema = as_table(name, frame).schema
            assert {column: schema.field(column).type for column in columns} == {
                column: kinds[kind] for column, kind in columns.items()
            }


def test_missing_numbers_and_nanoseconds_and_other_columns():
    frame = FRAME.assign(legal_days=[5.0, float("nan")], note=["a", "b"])
    frame["received_at"] = frame["received_at"].astype("datetime64[ns]") + pd.Timedelta(nanoseconds=1)
    table = as_table("dossiers", frame)
    assert table["legal_days"].to_pylist() == [5, None]
    assert table["received_at"].to_pylist() == [dt.datetime(2026, 6, 1, 8), None]
    assert table.column_names[-1] == "note"


def test_times_with_a_zone_are_refused(engine, calendar):
    zoned = FRAME.assign(received_at=FRAME["received_at"].dt.tz_localize("Asia/Ho_Chi_Minh"))
    with pytest.raises(DataError, match=r"dossiers\.received_at carries a time zone"):
        as_table("dossiers", zoned)
    with pytest.raises(DataError, match="local civil time"):
        open_log(engine, {"dossiers": FRAME}, calendar=calendar, as_of=AS_OF.replace(tzinfo=dt.UTC))


def test_a_log_needs_dossiers_and_knows_its_tables(engine, calendar):
    with pytest.raises(DataError, match="needs the table 'dossiers'"):
        open_log(engine, {"steps": pd.DataFrame()}, calendar=calendar, as_of=AS_OF)
    with pytest.raises(DataError, match=r"unknown tables \['files'\]"):
        DossierLog(engine=engine, tables=frozenset({"dossiers", "files"}), calendar=calendar, as_of=AS_OF)


def test_every_lacking_column_is_named(engine, calendar):
    short = as_table("dossiers", FRAME).drop_columns(["due_at", "status"])
    with pytest.raises(DataError, match=r"dossiers\.due_at, dossiers\.status"):
        open_log(engine, {"dossiers": short}, calendar=calendar, as_of=AS_OF)


def test_logs_are_nouns_not_values(engine, calendar):
    log = open_log(engine, {"dossiers": FRAME}, calendar=calendar, as_of=AS_OF)
    assert log == log
    assert log != dataclasses.replace(log)
    assert len({log, log}) == 1
    assert isinstance(log.engine, Engine)
    with pytest.raises(dataclasses.FrozenInstanceError):
        log.as_of = AS_OF


def test_it_shows_counts_period_and_snapshot_escaped(engine, calendar):
    frame = faults.frame([faults.fault("empty_file", file="a.csv")])
    log = open_log(
        engine,
        {"dossiers": FRAME, "steps": pd.DataFrame()},
        calendar=calendar,
        as_of=AS_OF,
        source="<Sở>",
        faults=frame,
    )
    page = log._repr_html_()
    assert "&lt;Sở&gt;" in page
    assert "<li>Hồ sơ: 2</li>" in page
    assert "01/06/2026–01/06/2026" in page
    assert "01/07/2026 08:00" in page
    assert "<li>Lỗi phát hiện khi đọc: 1</li>" in page
    with language("en"):
        assert "<li>Steps: 0</li>" in log._repr_html_()


def test_an_empty_log_shows_itself(engine, calendar):
    log = open_log(engine, {"dossiers": FRAME.head(0)}, calendar=calendar, as_of=AS_OF)
    assert "<li>Hồ sơ: 0</li>" in log._repr_html_()
    assert "–" not in log._repr_html_()


def test_ended_statuses_are_those_of_the_code_table():
    codes = read_table("codes/status.csv")
    assert sorted(ENDED) == sorted(codes.loc[codes["is_end"] == "1", "id"])
