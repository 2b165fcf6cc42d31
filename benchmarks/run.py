"""Measure start-up, the sample report and its skipped second run; write benchmarks/results.md. Run: ``make bench``."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import engine_speed
import psutil
import survey_speed

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.md"
KHAOSAT = [sys.executable, "-m", "khaosat"]
PERIOD = "2026-Q3"
INTERVAL = 0.02  # seconds between two looks at the memory
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command, measured: wall seconds, CPU seconds, peak bytes of it and its children together."""

    wall: float
    cpu: float
    peak: int


def measure(command: list[str], *, folder: Path) -> Run:
    """Run a command once; a failing one ends the benchmark, with what it said."""
    with tempfile.TemporaryFile() as log:
        before = os.times()
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        watched, peak = psutil.Process(process.pid), 0
        while process.poll() is None:
            peak = max(peak, resident(watched))
            time.sleep(INTERVAL)
        wall = time.perf_counter() - start
        after = os.times()
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{log.read().decode(errors='replace')}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall=wall, cpu=cpu, peak=peak)


def resident(process: psutil.Process) -> int:
    """Resident memory of a process and its children; those that end meanwhile count nothing."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def start_up(command: list[str]) -> Run:
    """Median of five runs after one that fills the disk cache."""
    measure(command, folder=ROOT)
    runs = [measure(command, folder=ROOT) for _ in range(5)]
    return Run(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak=max(run.peak for run in runs),
    )


def sample_report() -> dict[str, Run]:
    """Ingest, report and report again, on the sample in a workspace of its own."""
    with tempfile.TemporaryDirectory(prefix="khaosat-bench-") as temporary:
        workspace = Path(temporary)
        shutil.copy(ROOT / "khaosat.toml", workspace)
        for folder in ("data/sample", "notebooks"):
            shutil.copytree(ROOT / folder, workspace / folder)
        ingest = measure([*KHAOSAT, "ingest"], folder=workspace)
        report = measure([*KHAOSAT, "report", PERIOD], folder=workspace)
        manifest = workspace / "reports" / PERIOD / "manifest.json"
        built = manifest.stat().st_mtime_ns
        again = measure([*KHAOSAT, "report", PERIOD], folder=workspace)
        if manifest.stat().st_mtime_ns != built:
            raise SystemExit("the second report was built anew: the source changed meanwhile, or skipping is broken")
    return {"ingest of the sample": ingest, f"report {PERIOD}": report, f"report {PERIOD} again, skipped": again}


def office_clock(intervals: int = 10_000_000) -> dict[str, float]:
    """Worked minutes and due dates of many intervals at once, in millions a second: the best of three."""
    import numpy as np

    from khaosat.domain.calendar import WorkCalendar

    calendar, rng = WorkCalendar.vietnam(), np.random.default_rng(2026)
    first = np.datetime64("2015-01-01", "us")
    start = first + rng.integers(0, 12 * 365 * 86_400, intervals) * np.timedelta64(1_000_000, "us")
    end = start + rng.integers(0, 60 * 86_400, intervals) * np.timedelta64(1_000_000, "us")
    terms = rng.integers(1, 61, intervals)
    calls = {
        "worked minutes (numpy)": lambda: calendar.worked_minutes(start, end),
        "due dates (numpy)": lambda: calendar.add_working_days(start, terms),
    }
    return {name: intervals / 1e6 / min(seconds(call) for _ in range(3)) for name, call in calls.items()}


def seconds(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, load {load:.1f} at the start"
    )


def main() -> None:
    """Measure everything, then write the table."""
    today, where = dt.date.today().isoformat(), machine()
    runs = {
        "`import khaosat`": start_up([sys.executable, "-c", "import khaosat"]),
        "`khaosat --help`": start_up([*KHAOSAT, "--help"]),
        **sample_report(),
    }
    lines = [f"| {name} | {run.wall:.2f} | {run.cpu:.2f} | {run.peak / MEGABYTE:.0f} |" for name, run in runs.items()]
    table = ["| what | wall s | CPU s | peak MB |", "|---|---:|---:|---:|", *lines]
    head = ["# Measured", "", f"Written by `make bench` on {today}: {where}. How: [README.md](README.md).", ""]
    clock = ["", "| office clock, 10 M intervals | M/s |", "|---|---:|"]
    clock += [f"| {name} | {rate:.1f} |" for name, rate in office_clock().items()]
    clock += ["", *survey_speed.table(), "", *engine_speed.table()]
    RESULTS.write_text("\n".join([*head, *table, *clock]) + "\n", encoding="utf-8")
    print("\n".join([*table, *clock]))


if __name__ == "__main__":
    main()
