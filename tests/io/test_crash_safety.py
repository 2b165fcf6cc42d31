"""An ingest that is killed, meets another, or has no room leaves a store that reads as before or as after.

``KHAOSAT_KILLS=50`` kills more often than the suite does.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from khaosat.errors import WorkspaceError
from khaosat.io.dossier_files import open_store
from khaosat.io.intake import ingest
from khaosat.io.store import read_manifest, writing
from tests.io.test_store import content, quarter

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("KHAOSAT_KILLS", "12"))

WORKER = """
import os, signal, sys
from khaosat.io.intake import ingest
raw, store, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0
def watch(event, given):
    # Each time that a file of the store is opened, renamed or removed: between such points it might be half.
    global seen
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and store in str(given[0]):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
print("ready", flush=True)
ingest(raw, store=store, wait=10)
print(seen, flush=True)
"""


def started(raw, store, *, last=0):
    """An ingest in a process of its own that kills itself at its ``last`` touch of the store (0: never)."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(raw), str(store), str(last)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )


def state(store):
    """All that readers see: every row of every table, history and quarantine, and the counts."""
    import duckdb

    manifest = read_manifest(store)
    found = {}
    for part in manifest.files:
        rows = duckdb.read_parquet(manifest.paths(part, store), union_by_name=True)
        found[part] = sorted(map(repr, rows.fetchall()))
    log = open_store(store)
    counts = log.counts
    log.engine.close()
    return found, counts, manifest.as_of


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_at_random_points_the_store_reads_as_before_or_after(tmp_path):
    raw, first, store = tmp_path / "raw", tmp_path / "first", tmp_path / "store"
    ingest(quarter(raw, name="q2", NgayKetThucXuLy=""), store=first)
    quarter(raw, name="q3", first=20, count=2000)
    shutil.copytree(first, store)
    with started(raw, store) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        begun = time.perf_counter()
        touches = int(process.stdout.readline())
        lasted = time.perf_counter() - begun
    before, after = state(first), state(store)
    assert before != after
    assert len(after[0]["history/dossiers"]) == 21
    dice, ends = random.Random(20260701), []
    shutil.rmtree(store)
    shutil.copytree(first, store)
    for kill in range(KILLS):
        at_a_touch = kill % 2 == 0
        with started(raw, store, last=dice.randint(1, touches) if at_a_touch else 0) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            if not at_a_touch:
                time.sleep(dice.uniform(0, lasted))
                process.send_signal(signal.SIGKILL)
            process.wait()
            ends.append(process.returncode)
        found = state(store)
        assert found in (before, after), f"kill {kill} left a store in between"
        if found == after:  # the next one starts from the beginning again; else from what this one left behind
            shutil.rmtree(store)
            shutil.copytree(first, store)
    assert ends.count(-signal.SIGKILL) >= KILLS // 2  # those at a touch, at least
    ingest(raw, store=store)
    assert state(store) == after
    manifest = read_manifest(store)
    named = {file.path for files in manifest.files.values() for file in files} | set(manifest.retired)
    assert {path for path in content(store) if path.endswith(".parquet")} == named
    assert not (store / ".staging").exists()


def test_of_two_ingests_at_once_one_is_refused_and_one_waits(tmp_path):
    raw, store = quarter(tmp_path / "raw"), tmp_path / "store"
    with writing(store):
        with pytest.raises(WorkspaceError, match="khác đang ghi"):
            ingest(raw, store=store)
        waiting = started(raw, store)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        assert waiting.poll() is None
        assert not (store / "manifest.json").exists()
    with waiting:
        assert waiting.wait(60) == 0
    assert sum(file.rows for file in read_manifest(store).files["dossiers"]) == 40


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB of its own, and how to make it read-only; only root may mount one, and only on Linux."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small file system here")
    yield place, lambda: subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    subprocess.run(["umount", "-l", str(place)], check=True)


def refusal(raw, store, folder):
    """Exit code and words of ``khaosat ingest`` in a workspace of its own."""
    (folder / "khaosat.toml").write_text(
        '[city]\nname = "A"\nparent_agency = "B"\nagency = "C"\nplace = "D"\n'
        f'[dossiers]\nsources = ["{raw}/*.csv"]\n[store]\nfolder = "{store}"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "khaosat", "ingest", "--workspace", str(folder)]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    return done.returncode, done.stderr.decode()


def test_a_disk_that_is_full_or_read_only_is_an_error_in_words(tmp_path, small_disk):
    """The errors of the system itself, as ``khaosat ingest`` shows them; elsewhere test_store.py imitates them."""
    disk, read_only = small_disk
    raw, store = tmp_path / "raw", disk / "store"
    ingest(quarter(raw, name="q2"), store=store)
    before = state(store)
    (disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(disk).free - 12_000))
    quarter(raw, name="q3", first=2000, count=3000)
    code, words = refusal(raw, store, tmp_path)
    assert (code, "Traceback" in words) == (2, False)
    assert "những gì đã lưu vẫn như trước. Kiểm tra dung lượng đĩa" in words
    assert state(store) == before
    (disk / "ballast").unlink()
    read_only()
    code, words = refusal(raw, store, tmp_path)
    assert (code, "Traceback" in words) == (2, False)
    assert "Read-only file system" in words
    assert state(store) == before
