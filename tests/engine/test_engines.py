"""Every query file gives the same rows on DuckDB, DataFusion and Spark; a new file is found and asked by itself."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from khaosat import evaluate, scorecards
from khaosat.domain.dossiers import DossierLog, Engine
from khaosat.domain.survey import Survey
from khaosat.dossiers import bottlenecks, on_time, rework
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.engine.spark import SparkEngine
from khaosat.errors import KhaosatError
from khaosat.io import read_dossiers
from khaosat.sample import write_sample
from tests.dossiers.test_contract import CALLS
from tests.engine import spark_cluster
from tests.engine.datafusion_engine import DataFusionEngine
from tests.engine.replay import Recorder, differences, register_files


def linked_survey(log: DossierLog) -> Survey:
    """A respondent for each of some dossiers, a third of them satisfied."""
    ids = log.engine.query("SELECT dossier_id FROM dossiers ORDER BY dossier_id NULLS LAST LIMIT 300")["dossier_id"]
    frame = pd.DataFrame({"dossier_id": ids.to_pylist(), "q": [1 + i % 3 for i in range(len(ids))]})
    return Survey(responses=frame)


# What the packages above the dossier verbs ask.
ABOVE = (
    lambda log: scorecards.form_06a(log, period="2026-Q3"),
    lambda log: scorecards.score_766(log, period="2026-Q3"),
    lambda log: scorecards.apology_duty(log, period="2026-Q3", by="field"),
    lambda log: scorecards.late_causes(log, by="field"),
    lambda log: scorecards.slow_units(log, officials=True, internal=True, least=1),
    lambda log: evaluate.satisfaction_and_lateness(linked_survey(log), log, outcome="q", at=[3]),
)
QUERIES = resources.files("khaosat.engine") / "queries"


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Iterator[DossierLog]:
    """A small invented city, its steps, supplements and appointments."""
    folder = tmp_path_factory.mktemp("city")
    write_sample(folder, dossiers=800, survey=60, seed=7)
    log = read_dossiers(sorted((folder / "dossiers").iterdir()))
    yield log
    log.engine.close()


@pytest.fixture(scope="module")
def recorded(city) -> Recorder:
    """Every query that the verbs send about the city, and what DuckDB answers."""
    recorder = Recorder(city.engine)
    log = replace(city, engine=recorder)
    for call in (*CALLS.values(), *ABOVE):
        call(log)
    return recorder


@pytest.fixture(scope="module")
def cluster() -> Iterator[spark_cluster.Cluster]:
    if spark_cluster.lacking():
        pytest.skip(spark_cluster.lacking())
    with spark_cluster.cluster() as running:
        yield running


@pytest.fixture(scope="module")
def spark(cluster) -> Iterator[SparkEngine]:
    with pytest.MonkeyPatch.context() as patch:
        # A worker of pytest-xdist has no main file; PySpark then takes itself for under test and looks for its own.
        patch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
        engine = SparkEngine(cluster.address, settings={"spark.sql.files.openCostInBytes": "134217728"})
    yield engine
    engine.close()


def test_every_query_file_is_asked(recorded):
    sent = "\n".join(recorded.texts)
    titles = {file.name: file.read_text(encoding="utf-8").splitlines()[0] for file in QUERIES.iterdir()}
    assert [name for name, title in titles.items() if title not in sent] == []


def test_datafusion_gives_the_same_rows(city, recorded, tmp_path):
    engine = DataFusionEngine()
    assert isinstance(engine, Engine)
    assert differences(engine, city, recorded, tmp_path) == {}
    engine.close()


@pytest.mark.spark
def test_a_spark_cluster_gives_the_same_rows(spark, city, recorded, tmp_path):
    assert isinstance(spark, Engine)
    assert differences(spark, city, recorded, tmp_path) == {}


@pytest.mark.spark
def test_a_worker_killed_in_the_middle_changes_no_row(cluster, spark, city, tmp_path):
    register_files(spark, city, tmp_path)
    far, near = replace(city, engine=spark), replace(city, engine=city.engine)
    assert rework(far).rows.equals(rework(near).rows)  # the table of steps is kept from here on
    dossiers = city.engine.query("SELECT * FROM dossiers")
    paths = [str(tmp_path / f"{number}.parquet") for number in range(300)]  # a task each
    for path in paths:
        pq.write_table(dossiers, path)
    spark.register("dossiers", paths)
    answers = {}
    question = threading.Thread(target=lambda: answers.update(spark=on_time(far, by="field")))
    question.start()
    question.join(2)
    assert question.is_alive()  # still at work when the power goes
    cluster.kill_a_worker()
    question.join(600)  # a busy machine
    duckdb = DuckDBEngine()
    register_files(duckdb, city, tmp_path)
    duckdb.register("dossiers", paths)
    assert answers["spark"].rows.equals(on_time(replace(city, engine=duckdb), by="field").rows)
    duckdb.close()
    spark.register("dossiers", paths[:1])
    found, expected = bottlenecks(far), bottlenecks(near)  # half of the kept steps were on the lost worker
    assert expected.rows["estimate"].sum() > 0
    assert_frame_equal(found.rows, expected.rows, check_exact=False, rtol=1e-12)
    assert_frame_equal(found.total, expected.total, check_exact=False, rtol=1e-12)


@pytest.mark.spark
def test_spark_says_what_is_wrong(spark):
    with pytest.raises(KhaosatError, match="is not a table name"):
        spark.register("Bảng", pa.table({"a": [1]}))
    with pytest.raises(KhaosatError, match="at least one Parquet path"):
        spark.register("t", [])
    with pytest.raises(KhaosatError, match="no Spark Connect server answers at sc://127.0.0.1:9"):
        SparkEngine("sc://127.0.0.1:9/;token=secret")
    with pytest.raises(KhaosatError, match="'spark://host' is not the address"):
        SparkEngine("spark://host")
