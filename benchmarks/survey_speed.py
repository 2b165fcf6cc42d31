"""Survey estimates beside svy (PyPI) and R survey, in one run: ``python benchmarks/survey_speed.py``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

import khaosat as ks

ROWS, STRATA, UNITS, WARDS = 36_000, 63, 189, 63
ITEMS = [f"q{number:02d}" for number in range(1, 31)]
WIDE_ROWS, WIDE_CELLS = 5_000_000, 1_020
DESIGN = ks.Design(weights="w", strata="stratum", clusters="psu")
TURNS = 7
"""Each call is measured so often, those to be compared in turn; the quickest counts."""
R_PROGRAM = """
suppressMessages(library(survey)); frame <- read.csv(commandArgs(TRUE)[1])
design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~w, data = frame)
items <- as.formula(paste("~", paste(sprintf("q%02d", 1:30), collapse = "+")))
calls <- list(
  function() svymean(items, design),
  function() svyby(~q01, ~ward, design, svymean),
  function() svyglm(q01 ~ q02 + q03 + age, design),
  function() svyglm(y ~ q02 + q03 + age, design, family = quasibinomial()),
  function() svymean(items, as.svrepdesign(design, type = "JKn"))
)
for (call in calls) cat(min(sapply(1:3, function(i) system.time(call())[["elapsed"]])), "\\n")
"""


def answers(rng: np.random.Generator) -> pd.DataFrame:
    """30 questions, units that differ, weights, wards that cut across units."""
    unit = np.arange(ROWS) % UNITS
    place = 0.3 * rng.standard_normal(UNITS)[unit]
    frame = pd.DataFrame({
        "w": rng.uniform(0.5, 3, ROWS), "stratum": unit * STRATA // UNITS, "psu": unit,
        "ward": rng.integers(0, WARDS, ROWS), "age": rng.integers(18, 80, ROWS),
    })  # fmt: skip
    items = np.clip(np.round(3.6 + place + rng.standard_normal((len(ITEMS), ROWS))), 1, 5)
    satisfied = rng.random(ROWS) < 1 / (1 + np.exp(-0.4 * (items[0] - 3)))
    return frame.assign(**dict(zip(ITEMS, items, strict=True)), y=satisfied.astype(float))


def of_khaosat(frame: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """What is measured, here; the names are those of the table."""
    survey = ks.Survey(responses=frame, design=DESIGN)
    return {
        "30 means": lambda: ks.mean(survey, ITEMS),
        f"a mean in {WARDS} domains": lambda: ks.mean(survey, "q01", by="ward"),
        "linear model": lambda: ks.glm(survey, "q01 ~ q02 + q03 + age"),
        "logistic model": lambda: ks.glm(survey, "y ~ q02 + q03 + age", family="binomial"),
        f"{UNITS} jackknife replicates made, 30 means": lambda: ks.mean(ks.replicates(survey), ITEMS),
    }


def of_svy(frame: pd.DataFrame) -> list[Callable[[], object]]:
    """The same with svy."""
    import polars
    import svy

    data = polars.DataFrame({name: column.to_numpy() for name, column in frame.items()})
    sample = svy.Sample(data, svy.Design(wgt="w", stratum="stratum", psu="psu"))
    slopes = ["q02", "q03", "age"]

    def jackknife() -> object:
        again = svy.Sample(data, svy.Design(wgt="w", stratum="stratum", psu="psu")).weighting.create_jk_wgts()
        return again.estimation.mean(ITEMS, method="replication")

    return [
        lambda: sample.estimation.mean(ITEMS),
        lambda: sample.estimation.mean("q01", by="ward"),
        lambda: sample.glm.fit("q01", x=slopes),
        lambda: sample.glm.fit("y", x=slopes, family="binomial"),
        jackknife,
    ]


def of_r(frame: pd.DataFrame) -> list[float]:
    """Seconds of the same in R; NaN without R."""
    if not shutil.which("Rscript"):
        return [float("nan")] * 5
    with tempfile.TemporaryDirectory() as folder:
        data, program = Path(folder) / "survey.csv", Path(folder) / "survey.R"
        frame.to_csv(data, index=False)
        program.write_text(R_PROGRAM, encoding="utf-8")
        done = subprocess.run(["Rscript", program, data], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def seconds(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def side_by_side() -> list[str]:
    """Rows: seconds of each, and how many times as long the others take."""
    frame = answers(np.random.default_rng(2026))
    ours, theirs, in_r = of_khaosat(frame), of_svy(frame), of_r(frame)
    rows = []
    for (name, mine), other, r in zip(ours.items(), theirs, in_r, strict=True):
        turns = [(seconds(mine), seconds(other)) for _ in range(TURNS)]
        own, svy = (min(side) for side in zip(*turns, strict=True))
        rows.append(f"| {name} | {own:.4f} | {svy:.4f} | {r:.3f} | {svy / own:.1f} | {r / own:.0f} |")
    return rows


def wide() -> str:
    """Shares of 30 questions in 1,020 cells of five million answers; wall and CPU seconds, peak memory."""
    rng = np.random.default_rng(2026)
    unit = (np.arange(WIDE_ROWS) % UNITS).astype(np.int16)
    frame = {"w": rng.uniform(0.5, 3, WIDE_ROWS), "stratum": (unit * STRATA // UNITS).astype(np.int16), "psu": unit,
             "ward": rng.integers(0, WIDE_CELLS, WIDE_ROWS, dtype=np.int16)}  # fmt: skip
    frame |= {item: rng.integers(1, 6, WIDE_ROWS, dtype=np.int8) for item in ITEMS}
    survey = ks.Survey(responses=pd.DataFrame(frame, copy=False), design=DESIGN)
    few = ks.Survey(responses=survey.responses.iloc[:WIDE_CELLS], design=DESIGN)
    ks.proportion(few, ITEMS[0], at=[4, 5], by="ward")  # what is loaded once is not what is measured
    before, cpu = time.perf_counter(), time.process_time()
    ks.proportion(survey, ITEMS, at=[4, 5], by="ward")
    wall, cpu = time.perf_counter() - before, time.process_time() - cpu
    peak = getattr(psutil.Process().memory_info(), "peak_wset", 0) or _peak()
    return f"| 5 M × 30 questions × 1,020 cells, shares | {wall:.1f} | {cpu:.1f} | {peak / 1e6:.0f} |"


def _peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table() -> list[str]:
    """Both tables as lines of Markdown; the second in a process of its own, whose memory is its own."""
    own = subprocess.run([sys.executable, __file__, "--wide"], capture_output=True, text=True, check=True)
    head = f"| survey: {ROWS:,} rows, {STRATA} strata, {UNITS} units | s | svy s | R s | svy ÷ khaosat | R ÷ khaosat |"
    return [
        head, "|---|---:|---:|---:|---:|---:|", *side_by_side(), "",
        "| wide survey | wall s | CPU s | peak MB |", "|---|---:|---:|---:|", own.stdout.strip(),
    ]  # fmt: skip


if __name__ == "__main__":
    print(wide() if "--wide" in sys.argv else "\n".join(table()))
