"""Dossiers from a PostgreSQL server of the test's own: on the loopback, in a throw-away folder, ended by its pid."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from khaosat.errors import WorkspaceError
from khaosat.io.dossier_files import open_store
from khaosat.io.intake import ingest
from khaosat.io.mapping_files import load_mapping
from khaosat.io.postgres import check_postgres, postgres_files
from khaosat.io.store import read_manifest
from khaosat.workspace import Workspace
from tests.io.exports import HO_SO, TIEN_TRINH, buoc, ho_so, write

SECRET = "mật khẩu/@:?#%1"
TABLES = {"dossiers": "motcua.ho_so", "steps": "motcua.tien_trinh"}


def programs():
    """Where PostgreSQL's own programs are; none of them where it is not installed."""
    places = [shutil.which("initdb"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    return next((Path(place).resolve().parent for place in places if place), None)


@pytest.fixture(scope="module")
def server():
    """The port of a server that asks for a password, and a function that runs SQL there."""
    pytest.importorskip("adbc_driver_postgresql", reason="khaosat[postgres] is not installed")
    bin_ = programs()
    if bin_ is None:
        pytest.skip("PostgreSQL's server programs (Debian: postgresql) are not installed")
    other = {"user": "nobody"} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}  # initdb refuses root
    folder = Path(tempfile.mkdtemp(prefix="khaosat-pg-"))
    (folder / "password").write_text(SECRET, encoding="utf-8")
    if other:
        for path in (folder, folder / "password"):
            shutil.chown(path, "nobody")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    data = folder / "data"
    initdb = [bin_ / "initdb", "-D", data, "-U", "khaosat", "-A", "scram-sha-256", "--pwfile", folder / "password",
              "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]  # fmt: skip
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **other)
    postgres = [bin_ / "postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", folder, "-F"]
    process = subprocess.Popen(postgres, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **other)

    def run(sql):
        command = [bin_ / "psql", "-h", "127.0.0.1", "-p", port, "-U", "khaosat", "-d", "postgres", "-qc", sql,
                   "-v", "ON_ERROR_STOP=1"]  # fmt: skip
        return subprocess.run(command, capture_output=True, env=os.environ | {"PGPASSWORD": SECRET}, text=True)

    try:
        for _ in range(300):
            if run("SELECT 1").returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise RuntimeError("the server does not answer")
        yield port, run
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


ROWS = [ho_so("H29-1"), ho_so("H29-2", NgayTiepNhan="?"), ho_so("H29-3", DonViXuLy="Sở Nội vụ")]
STEPS = [buoc("H29-1"), buoc("H29-2"), buoc("H29-3", "Ký")]


def literal(value):
    return "'" + value.replace("'", "''") + "'"


def filled(run, rows=ROWS, steps=STEPS):
    """The exchange schema as tables of text, as one-stop systems keep it."""
    sql = ["DROP SCHEMA IF EXISTS motcua CASCADE; CREATE SCHEMA motcua;"]
    for name, header, content in (("ho_so", HO_SO, rows), ("tien_trinh", TIEN_TRINH, steps)):
        columns = ", ".join(f'"{column}" text' for column in header)
        sql.append(f"CREATE TABLE motcua.{name} ({columns});")
        values = ", ".join("(" + ", ".join(literal(row[column]) for column in header) + ")" for row in content)
        sql.append(f"INSERT INTO motcua.{name} VALUES {values};")
    assert run("\n".join(sql)).returncode == 0


@pytest.fixture
def address(server, monkeypatch):
    port, _ = server
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("MOTCUA_PASSWORD", SECRET)
    return f"postgresql://khaosat@127.0.0.1:{port}/postgres"


def stored(store):
    """Every row that a store holds of dossiers and steps, without the name of the file."""
    log = open_store(store)
    return [
        log.engine.query(f"SELECT * EXCLUDE (source_file) FROM {table} ORDER BY ALL").to_pylist()
        for table in ("dossiers", "steps")
    ]


def test_a_database_gives_the_same_store_as_its_export(tmp_path, server, address):
    filled(server[1])
    write(tmp_path / "hoso.csv", ROWS)
    write(tmp_path / "buoc.csv", STEPS, header=TIEN_TRINH)
    by_files = ingest([tmp_path / "hoso.csv", tmp_path / "buoc.csv"], store=tmp_path / "a")
    (tmp_path / "khaosat.toml").write_text(
        '[city]\nname = "A"\nparent_agency = "B"\nagency = "C"\nplace = "D"\n[store]\nfolder = "b"\n'
        f'[postgres]\nuri = "{address}"\npassword_env = "MOTCUA_PASSWORD"\n'
        'tables = { dossiers = "motcua.ho_so", steps = "motcua.tien_trinh" }\n',
        encoding="utf-8",
    )
    workspace = Workspace.find(tmp_path)
    (by_base,) = workspace.ingest()
    assert by_base.counts == by_files.counts
    assert by_base.counts["dossiers_quarantined"] == by_base.counts["steps_quarantined"] == 1
    assert sorted(by_base.faults["fault"]) == sorted(by_files.faults["fault"]) == ["bad_date", "without_dossier"]
    assert stored(tmp_path / "b") == stored(tmp_path / "a")
    assert workspace.ingest()[0].added == ()  # nothing has changed there, so nothing is new
    for path in (tmp_path / "b").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert SECRET.encode() not in data
        assert "Nguyễn Văn An".encode() not in data


def test_a_later_state_of_the_database_replaces_and_keeps_the_earlier(tmp_path, server, address):
    store = tmp_path / "store"
    for ended in ("", "20260805100000"):
        filled(server[1], rows=[ho_so("H29-1", NgayKetThucXuLy=ended)], steps=STEPS[:1])
        files = postgres_files(address, TABLES, folder=tmp_path, mapping=load_mapping("dvcqg"),
                               password_env="MOTCUA_PASSWORD")  # fmt: skip
        ingest(files, store=store)
    assert stored(store)[0][0]["finished_at"] == dt.datetime(2026, 8, 5, 10)
    assert sum(file.rows for file in read_manifest(store).files["history/dossiers"]) == 1


def test_typed_columns_and_many_rows(tmp_path, server, address):
    """Instants, dates and numbers instead of texts, through a view; more rows than a batch holds."""
    made = server[1]("""
        CREATE OR REPLACE VIEW typed AS
        SELECT gen_random_uuid() AS rac, 'H-' || n AS "MaHoSo", '1.004' AS "MaTTHC",
               TIMESTAMPTZ '2026-07-01 08:30:00+07' AS "NgayTiepNhan",
               TIMESTAMP '2026-07-09 10:00' AS "NgayKetThucXuLy",
               DATE '2026-07-10' AS "NgayHenTra", 9 AS "TrangThaiHoSo", 7::numeric AS "SoNgayXuLy", 'An' AS "ChuHoSo"
        FROM generate_series(1, 50000) n
    """)
    assert made.returncode == 0, made.stderr
    files = postgres_files(address, {"dossiers": "typed"}, folder=tmp_path, mapping=load_mapping("dvcqg"),
                           password_env="MOTCUA_PASSWORD")  # fmt: skip
    report = ingest(files, store=tmp_path / "store")
    assert (report.counts["read"], report.counts["stored"]) == (50_000, 50_000)
    first = stored(tmp_path / "store")[0][0]
    assert (first["received_at"], first["finished_at"]) == (dt.datetime(2026, 7, 1, 8, 30), dt.datetime(2026, 7, 9, 10))
    assert (first["due_at"], first["legal_days"]) == (dt.datetime(2026, 7, 10, 23, 59, 59), 7)


def test_refusals_say_why_and_never_show_the_password(tmp_path, server, address, monkeypatch):
    filled(server[1])
    mapping = load_mapping("dvcqg")

    def read(uri=address, tables=TABLES):
        with pytest.raises(WorkspaceError) as error:
            postgres_files(uri, tables, folder=tmp_path, mapping=mapping, password_env="MOTCUA_PASSWORD")
        assert SECRET not in str(error.value)
        return str(error.value)

    assert "does not exist" in read(tables={"dossiers": "motcua.khong_co"})
    assert "Không đọc được cơ sở dữ liệu" in read(uri="postgresql://khaosat@127.0.0.1:1/postgres")
    monkeypatch.setenv("MOTCUA_PASSWORD", "sai-mat-khau")
    wrong = read()
    assert "password authentication failed" in wrong
    assert "sai-mat-khau" not in wrong


def test_settings_are_checked_before_anything_is_opened():
    assert check_postgres("postgresql://a@host/db", {"dossiers": "motcua.ho_so"}) == []
    for uri in ("postgresql://a:b@host/db", "postgresql://host/db?password=b"):
        assert "mật khẩu" in check_postgres(uri, TABLES)[0]
    assert len(check_postgres("mysql://a@host/db", {"x": "y", "steps": "a; DROP TABLE b"})) == 3
    assert "Chưa nêu bảng" in check_postgres("postgresql://a@host/db", {})[0]
