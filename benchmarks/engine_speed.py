"""Dossier verbs beside a scan of their columns, polars, pandas and pm4py: ``python benchmarks/engine_speed.py``.

``--dossiers N`` (a million by default, with eight steps each); ``--folder DIR`` draws the log there, or takes the one
it finds, and keeps it. pm4py is never a dependency: ``KHAOSAT_PM4PY`` names a Python that has it, else it is left out.
Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import engine_log
import engine_rivals
import pyarrow as pa

from khaosat import dossiers
from khaosat.domain.dossiers import SCHEMA, DossierLog
from khaosat.dossiers.step_grain import step_engine
from khaosat.engine.duckdb import DuckDBEngine

DOSSIERS = 1_000_000
TURNS = 3
"""Each call is measured so often; the quickest counts."""
VERBS: dict[str, tuple[Callable[[DossierLog], object], float]] = {
    "on_time, all": (dossiers.on_time, 4),
    "on_time, by field": (lambda log: dossiers.on_time(log, by="field"), 4),
    "on_time, unit × procedure × month": (
        lambda log: dossiers.on_time(log, by=["responsible_unit", "procedure", "month"]), 6),
    "time_to_result, by field": (lambda log: dossiers.time_to_result(log, by="field"), 4),
    "directly_follows": (dossiers.directly_follows, 3),
    "variants": (dossiers.variants, 4),
    "durations": (dossiers.durations, 4),
    "handovers": (dossiers.handovers, 4),
    "rework": (dossiers.rework, 6),  # a group for each dossier and step
    "steps_profile": (dossiers.steps_profile, 4),
}  # fmt: skip
"""What is asked, and how many times the CPU of a scan it may take."""
PM4PY_DOSSIERS = 100_000
"""pm4py is asked about so many; at most linear growth is taken for more, which favours it."""
PROCESS = ("directly_follows", "variants", "durations", "handovers", "rework")
_SUM = {"VARCHAR": "sum(strlen({0}))", "TIMESTAMP": "sum(epoch_us({0}))", "DATE": "max({0})"}


@dataclass
class Listening:
    """An engine that notes down what it is asked."""

    engine: DuckDBEngine
    texts: list[str] = field(default_factory=list)

    def register(self, name: str, source: object) -> None:
        self.engine.register(name, source)  # type: ignore[arg-type]

    def materialise(self, name: str, sql: str) -> None:
        self.engine.materialise(name, sql)

    def query(self, sql: str) -> pa.Table:
        self.texts.append(sql)
        return self.engine.query(sql)

    def close(self) -> None:
        self.engine.close()


def cost(call: Callable[[], object], *, turns: int = TURNS) -> list[float]:
    """Wall and CPU seconds of a call, each at its best."""
    runs = []
    for _ in range(turns):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [min(side) for side in zip(*runs, strict=True)]


def peak() -> int:
    """The most memory this process has held, in bytes; ``getrusage`` would count that of the process it came from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def scan(engine: DuckDBEngine, sql: str) -> str:
    """The floor of a query: of every table that it names, each value of the columns that it names read and added up."""
    words = set(re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"--.*", "", sql)))
    parts = []
    for table in sorted(words & {*SCHEMA, *engine_log.GRAINS, "walks", "timed_steps", "late_steps"}):
        kinds = dict(engine.query(f"SELECT column_name, column_type FROM (DESCRIBE {table})").to_pandas().to_numpy())
        sums = [_SUM.get(kind, "sum({0})").format(name) for name, kind in kinds.items() if name in words]
        parts.append(f"(SELECT ({', '.join(sums or ['count(*)'])}) FROM {table})")
    return f"SELECT {', '.join(parts) or 1}"


def of_verb(name: str, folder: Path) -> dict[str, object]:
    """A verb, the same queries typed into DuckDB, and the scans of their columns; peak memory of the verb alone."""
    log = engine_log.opened(folder)
    listening = Listening(log.engine)  # type: ignore[arg-type]
    told = replace(log, engine=listening)
    verb = VERBS[name][0]
    verb(told)  # fills the disk cache and registers what is registered once
    most = peak()
    listening.texts.clear()
    own = cost(lambda: verb(told), turns=1)
    texts = list(listening.texts)
    best = [own, *(cost(lambda: verb(told), turns=1) for _ in range(TURNS - 1))]
    floors = [scan(listening.engine, sql) for sql in texts]
    return {
        "verb": [min(side) for side in zip(*best, strict=True)],
        "sql": cost(lambda: [log.engine.query(sql) for sql in texts]),
        "floor": cost(lambda: [log.engine.query(sql) for sql in floors]), "peak": most,
    }  # fmt: skip


def of_bottlenecks(folder: Path) -> dict[str, object]:
    """The first call, which makes the tables of closed dossiers' time, and one more that finds them made."""
    log = engine_log.opened(folder)
    first = cost(lambda: dossiers.bottlenecks(log), turns=1)
    most = peak()
    return {"verb": first, "again": cost(lambda: dossiers.bottlenecks(log, by="unit"), turns=1), "peak": most}


def of_grain(folder: Path) -> dict[str, object]:
    """Making the step grain, which a store holds ready."""
    log = engine_log.opened(folder, grains=())
    first = cost(lambda: dossiers.rework(log), turns=1)
    return {"verb": first, "peak": peak()}


def of_walks(folder: Path) -> dict[str, object]:
    """Making the paths of the dossiers, on which `variants` and `durations` rest."""
    log = engine_log.opened(folder)
    first = cost(lambda: step_engine(log, walks=True), turns=1)
    return {"verb": first, "peak": peak()}


def of_rival(rival: str, name: str, folder: Path) -> dict[str, object]:
    """The same by hand."""
    call = {"polars": engine_rivals.of_polars, "pandas": engine_rivals.of_pandas}[rival](folder)[name]
    call()
    most = peak()
    return {"verb": cost(call), "peak": most}


def child(*words: str | Path) -> dict[str, Any]:
    """One measurement in a process of its own, whose memory is its own."""
    command = [sys.executable, __file__, "--one", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(what: str, folder: str, *rest: str) -> dict[str, object]:
    """What ``child`` asks for."""
    match what:
        case "bottlenecks":
            return of_bottlenecks(Path(folder))
        case "walks":
            return of_walks(Path(folder))
        case "grain":
            return of_grain(Path(folder))
        case "polars" | "pandas":
            return of_rival(what, rest[0], Path(folder))
        case _:
            return of_verb(what, Path(folder))


def halved(folder: Path, *, dossiers: int) -> Path:
    """The first half of a log, in a folder of its own."""
    half = folder / "half"
    half.mkdir(exist_ok=True)
    last = f"H{dossiers // 2:010d}"
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(half / "spill")}) as database:
        for name in (*SCHEMA, *engine_log.GRAINS):
            rows = f"SELECT * FROM '{folder}/{name}.parquet' WHERE dossier_id < '{last}'"
            database.execute(f"COPY ({rows}) TO '{half}/{name}.parquet' (FORMAT PARQUET)")
    return half


def scans(full: dict[str, Any], half: dict[str, Any]) -> list[str]:
    """Verbs beside the scans of their columns."""
    lines = [
        "| verb | CPU s | wall s | CPU ÷ scan | goal | over its SQL, CPU ms | CPU of 2N ÷ N | peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, (_, goal) in VERBS.items():
        (wall, cpu), floor, sql = full[name]["verb"], full[name]["floor"][1], full[name]["sql"][1]
        lines.append(
            f"| {name} | {cpu:.2f} | {wall:.2f} | {cpu / floor:.1f} | {goal:g} | {1000 * (cpu - sql):.0f} "
            f"| {cpu / half[name]['verb'][1]:.1f} | {full[name]['peak'] / 1e6:.0f} |"
        )
    return lines


def beside_frames(full: dict[str, Any], folder: Path) -> list[str]:
    """The same questions by hand in polars and pandas: how many times as long they take, and their memory."""
    lines = ["| question | khaosat CPU s, wall s, MB | polars ÷: CPU, wall; MB | pandas ÷: CPU, wall; MB |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for name in engine_rivals.of_polars(folder):
        wall, cpu = full[name]["verb"]
        words = f"| {name} | {cpu:.2f}, {wall:.2f}, {full[name]['peak'] / 1e6:.0f} "
        for rival in ("polars", "pandas"):
            found = child(rival, folder, name)
            words += f"| {found['verb'][1] / cpu:.1f}, {found['verb'][0] / wall:.1f}; {found['peak'] / 1e6:.0f} "
        lines.append(words + "|")
    return lines


def beside_pm4py(full: dict[str, Any], folder: Path, *, dossiers: int) -> list[str]:
    """Five answers of process mining, pm4py's on fewer dossiers and scaled up."""
    python = os.environ.get("KHAOSAT_PM4PY")
    if not python:
        return ["pm4py was not asked: `KHAOSAT_PM4PY` names no Python that has it."]
    asked = min(PM4PY_DOSSIERS, dossiers)
    command = [python, "-W", "ignore", "-c", engine_rivals.PM4PY, str(folder), f"H{asked:010d}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    times = dossiers / asked
    lines = [f"| process mining | khaosat CPU s | pm4py CPU s, {asked:,} dossiers × {times:g} | pm4py ÷ khaosat |",
             "|---|---:|---:|---:|"]  # fmt: skip
    # khaosat reads the files in every answer; pm4py reads them once, and works on one core.
    rows = {name: (full[name]["verb"][1], found[name][1] * times) for name in PROCESS}
    rows["together"] = (sum(own for own, _ in rows.values()), sum(other for _, other in rows.values()))
    rows["together, with reading"] = (rows["together"][0], rows["together"][1] + found["reading"][1] * times)
    lines += [f"| {name} | {own:.2f} | {other:.1f} | {other / own:.0f} |" for name, (own, other) in rows.items()]
    return lines


def tables_made(folder: Path) -> list[str]:
    """What is made in the engine before the first answer."""
    grain, walks, bottlenecks = (child(name, folder) for name in ("grain", "walks", "bottlenecks"))
    rows = {"step grain, where the store does not hold it (with `rework`)": (grain, "verb"),
            "paths, before the first `variants` or `durations`": (walks, "verb"),
            "`bottlenecks`, first call": (bottlenecks, "verb"),
            "`bottlenecks` by unit, once its tables are made": (bottlenecks, "again")}  # fmt: skip
    lines = ["| made in the engine | CPU s | wall s | peak MB |", "|---|---:|---:|---:|"]
    for name, (found, which) in rows.items():
        lines.append(f"| {name} | {found[which][1]:.1f} | {found[which][0]:.1f} | {found['peak'] / 1e6:.0f} |")
    return lines


def table(*, dossiers: int = DOSSIERS, folder: Path | None = None) -> Iterator[str]:
    """All tables as lines of Markdown, each as soon as it is known."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="khaosat-engine-") as own:
            yield from table(dossiers=dossiers, folder=Path(own))
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "pauses.parquet").exists():
        engine_log.draw(folder, dossiers=dossiers)
    yield (f"Dossier engine: {dossiers:,} dossiers with {engine_log.STEPS} steps each, 1 GiB for the engine, "
           f"load {os.getloadavg()[0]:.0f} at the start.")  # fmt: skip
    half = halved(folder, dossiers=dossiers)
    full, halves = ({name: child(name, place) for name in VERBS} for place in (folder, half))
    yield from ("", *scans(full, halves))
    yield from ("", *beside_frames(full, folder))
    yield from ("", *beside_pm4py(full, folder, dossiers=dossiers))
    yield from ("", *tables_made(folder))


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dossiers", type=int, default=DOSSIERS)
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    for line in table(dossiers=given.dossiers, folder=given.folder):
        print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(*sys.argv[2:])))
    else:
        main()
