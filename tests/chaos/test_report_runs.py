"""A report run that is killed, has no room, or stands in another time zone: the last good report is as it was.

``KHAOSAT_KILLS=30`` kills more often than the suite does.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from khaosat.errors import WorkspaceError
from khaosat.report.due import run_due
from khaosat.report.outputs import damage
from khaosat.report.runner import FILES, MANIFEST, build
from khaosat.report.swap import FAILED, held
from khaosat.workspace import Workspace
from tests.report.test_runner import TABLE, run, snapshot, write_notebook
from tests.shared import ROOT
from tests.test_workspace import CITY

KILLS = min(int(os.environ.get("KHAOSAT_KILLS", "3")), 30)
NAME = "2026-Q3-nho"
WORKER = """
import sys
from khaosat.errors import KhaosatError
from khaosat.report.runner import build
from khaosat.workspace import Workspace
print("ready", flush=True)
top = {"top": int(sys.argv[2])}
try:
    build(Workspace.find(sys.argv[1]), "2026-Q3", notebook="nho", allow_unfinished=True, parameters=top)
except KhaosatError as error:
    sys.exit(str(error))
"""
SWAP = """
import os, signal, sys
from pathlib import Path
from khaosat.report.swap import held, swapped_in
target, last, seen = Path(sys.argv[1]), int(sys.argv[2]), 0
def watch(event, given):
    # Each time that anything among the reports is opened, made, renamed or removed.
    global seen
    steps = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")
    if event in steps and str(target.parent) in str(given[0]):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
with held(target), swapped_in(target) as work:
    for name in ("a.txt", "b.txt"):
        (work / name).write_text("new")
print(seen)
"""
unix = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL, no limits of files")


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A workspace with a good report."""
    root = tmp_path_factory.mktemp("chaos")
    (root / "khaosat.toml").write_text(CITY, encoding="utf-8")
    write_notebook(root, TABLE)
    run(Workspace.find(root))
    return root


@pytest.fixture
def city(first, tmp_path):
    root = tmp_path / "city"
    shutil.copytree(first, root)
    return root


def started(*words, program=WORKER, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, start_new_session=True, **options,
    )  # fmt: skip


def hidden(reports: Path) -> list[str]:
    return [path.name for path in reports.iterdir() if path.name.startswith(".") and path.is_dir()]


@unix
def test_killed_at_random_moments_the_report_is_the_old_one_or_the_new_one(city):
    reports = city / "reports"
    span = 0.0
    for number in range(KILLS):
        begun = time.monotonic()
        with started(city, 100 + number) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            ready = time.monotonic()
            try:
                process.wait(random.uniform(0.0, span) if span else 120)  # the first run tells how long one takes
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)
        span = span or time.monotonic() - ready
        assert time.monotonic() - begun < 150
        aside = reports / f".{NAME}.old"
        assert damage(reports / NAME if (reports / NAME).exists() else aside) == []
    outcome = run(Workspace.find(city), parameters={"top": 99})
    assert outcome.state == "built"
    assert damage(outcome.folder) == []
    assert hidden(reports) == []


@unix
def test_killed_between_any_two_steps_of_the_swap_nothing_is_half(tmp_path):
    """The moments that matter are too short to be hit by chance, so each is hit on purpose."""
    target = tmp_path / "reports" / "2026-Q3"
    target.mkdir(parents=True)
    for name in ("a.txt", "b.txt"):
        (target / name).write_text("old")
    touched = set()
    for last in range(1, 60):
        with started(target, last, program=SWAP) as process:
            code = process.wait(60)
        with held(target):  # as the next run begins
            state = {file.name: file.read_text() for file in target.iterdir()}
        assert state in ({"a.txt": "old", "b.txt": "old"}, {"a.txt": "new", "b.txt": "new"}), last
        assert hidden(target.parent) == []
        touched.add(state["a.txt"])
        if code == 0:
            break
        for name in ("a.txt", "b.txt"):
            (target / name).write_text("old")
    assert code == 0
    assert touched == {"old", "new"}


@unix
@pytest.mark.parametrize("kilobytes", [2, 40], ids=["notebook", "page"])
def test_a_disk_without_room_is_said_and_leaves_the_last_good_report(city, kilobytes):
    """No file may be longer than so much: the system's own error, where a small disk cannot be mounted."""
    import resource

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

    before = snapshot(city / "reports" / NAME)
    with started(city, 8, preexec_fn=no_room) as process:
        _, words = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"Traceback" not in words
    assert b"File too large" in words
    assert b"last good report" in words
    assert snapshot(city / "reports" / NAME) == before
    assert hidden(city / "reports") == []


@pytest.mark.parametrize("place", ["tempfile.mkdtemp", "filelock.FileLock.acquire", "pathlib.Path.mkdir"])
def test_reports_that_may_not_be_written_are_an_error_in_words(city, monkeypatch, place):
    """What a read-only disk answers; as root, folders without the right to write are written all the same."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", "reports")

    before = snapshot(city / "reports" / NAME)
    with monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        with pytest.raises(WorkspaceError, match="Read-only file system.*last good report is as it was"):
            build(Workspace.find(city), "2026-Q3", notebook="nho", allow_unfinished=True, parameters={"top": 8})
        if place != "tempfile.mkdtemp":
            with pytest.raises(WorkspaceError, match="Read-only file system"):
                run_due(Workspace.find(city))
    assert snapshot(city / "reports" / NAME) == before
    assert not (city / "reports" / FAILED).exists()


def test_no_room_for_the_status_is_an_error_in_words(city, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    (city / "khaosat.toml").write_text(CITY + "[schedule]\nquarterly = []\nmonthly = []\ningest = false\n")
    monkeypatch.setattr("khaosat.report.due.os.replace", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        run_due(Workspace.find(city))


@unix
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati"])
def test_the_same_bytes_in_every_time_zone(city, zone):
    before = snapshot(city / "reports" / NAME)
    shutil.rmtree(city / "reports")
    with started(city, 7, env={"TZ": zone}) as process:
        assert process.wait(120) == 0
    after = snapshot(city / "reports" / NAME)
    assert json.loads(after[MANIFEST])["inputs"] == json.loads(before[MANIFEST])["inputs"], "the code was edited"
    assert after == before
    assert set(before) >= set(FILES.values())


def test_what_is_due_goes_by_the_calendar_of_viet_nam(city):
    """Seven in the evening in Los Angeles is the next morning in Viet Nam: the third working day after the quarter."""
    settings = '[schedule]\nquarterly = ["khong-co"]\nmonthly = []\nwait = 3\ncatch_up = 1\ningest = false\n'
    (city / "khaosat.toml").write_text(CITY + settings, encoding="utf-8")
    evening = dt.datetime(2026, 10, 4, 19, tzinfo=ZoneInfo("America/Los_Angeles"))
    found = [run_due(Workspace.find(city), now=lambda at=at: at).runs[0].period for at in _days(evening)]
    assert found == ["2026-Q2", "2026-Q3"]


def _days(evening: dt.datetime) -> list[dt.datetime]:
    """The evening before the one on which it is due there, and that one."""
    return [evening - dt.timedelta(days=2), evening]
