"""DuckDBEngine: the three methods of the protocol, offline and in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from khaosat.domain.dossiers import Engine
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.errors import KhaosatError


@pytest.fixture
def engine():
    engine = DuckDBEngine(threads=1)
    yield engine
    engine.close()


def setting(engine: DuckDBEngine, name: str) -> str:
    return engine.query(f"SELECT current_setting('{name}') AS value")["value"][0].as_py()


def test_it_is_an_engine(engine):
    assert isinstance(engine, Engine)


def test_a_name_takes_arrow_or_parquet_and_forgets_what_it_had(engine, tmp_path):
    file = tmp_path / "Sở 'A'.parquet"  # a quote in a path must not end the text
    pq.write_table(pa.table({"id": ["NA", None]}), file)
    for source, rows in (
        (pa.table({"id": ["x"]}), [{"id": "x"}]),
        ([str(file)], [{"id": "NA"}, {"id": None}]),
        ([str(file), str(file)], [{"id": "NA"}, {"id": None}] * 2),
        (pa.table({"id": ["y"]}), [{"id": "y"}]),
    ):
        engine.register("t", source)
        assert engine.query("SELECT * FROM t").to_pylist() == rows


def test_globs_and_folder_names_add_no_column(engine, tmp_path):
    for month in ("2026-01", "2026-02"):
        folder = tmp_path / f"month={month}"
        folder.mkdir()
        pq.write_table(pa.table({"id": [month]}), folder / "part.parquet")
    engine.register("t", [str(tmp_path / "*" / "*.parquet")])
    assert engine.query("SELECT * FROM t ORDER BY id").to_pydict() == {"id": ["2026-01", "2026-02"]}


@pytest.mark.parametrize("name", ["t; DROP", 'a"b', "Dossiers", "", "1t"])
def test_table_names_are_plain(engine, name):
    with pytest.raises(KhaosatError, match="not a table name"):
        engine.register(name, pa.table({"id": [1]}))


@pytest.mark.parametrize("source", [[], "a.parquet"])
def test_paths_are_a_list_of_at_least_one(engine, source):
    with pytest.raises(KhaosatError, match="at least one Parquet path"):
        engine.register("t", source)


def test_memory_and_threads_are_bounded_and_nothing_is_downloaded(engine):
    small = DuckDBEngine(memory_limit="100MB", threads=1)
    assert setting(small, "memory_limit") == "95.3 MiB"
    assert setting(small, "threads") == 1
    assert setting(engine, "autoinstall_known_extensions") is False
    assert setting(engine, "autoload_known_extensions") is False
    small.close()


def test_it_spills_into_a_folder_of_its_own_and_removes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = DuckDBEngine(memory_limit="20MB", threads=1)
    spill = Path(setting(engine, "temp_directory"))
    table = engine.query("SELECT range AS n, CAST(range AS VARCHAR) AS text FROM range(2000000) ORDER BY text DESC")
    assert table.num_rows == 2_000_000
    assert spill.is_dir()
    engine.close()
    assert not spill.exists()
    assert list(tmp_path.iterdir()) == []
