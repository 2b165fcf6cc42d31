"""The same questions written by hand for polars, pandas and pm4py; for ``engine_speed.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

AS_OF = "2027-06-30 17:00:00"
PM4PY = """
import json, sys, time
import pandas as pd, pm4py
from pm4py.util import constants
constants.SHOW_PROGRESS_BAR = False
columns = ["dossier_id", "seq", "step", "unit", "finished_at"]
began = time.perf_counter(), time.process_time()
steps = pd.read_parquet(sys.argv[1] + "/steps.parquet", columns=columns)
steps = steps[steps["dossier_id"] < sys.argv[2]].sort_values(["dossier_id", "seq"]).reset_index(drop=True)
steps["finished_at"] = steps["finished_at"].dt.tz_localize("UTC")
names = ["case:concept:name", "seq", "concept:name", "org:resource", "time:timestamp"]
log = steps.set_axis(names, axis=1)
calls = {
    "directly_follows": lambda: (pm4py.discover_dfg(log), pm4py.discover_performance_dfg(log)),
    "variants": lambda: pm4py.get_variants(log),
    "durations": lambda: pm4py.get_all_case_durations(log),
    "handovers": lambda: pm4py.discover_handover_of_work_network(log),
    "rework": lambda: pm4py.get_rework_cases_per_activity(log),
}
found = {"reading": [time.perf_counter() - began[0], time.process_time() - began[1]]}
for name, call in calls.items():
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    found[name] = [time.perf_counter() - wall, time.process_time() - cpu]
print(json.dumps(found))
"""
"""Program for a Python that has pm4py: wall and CPU seconds of reading and sorting the steps, and of each answer."""


def of_polars(folder: Path) -> dict[str, Callable[[], object]]:
    """Lazy queries on the same Parquet files, streaming where that is quicker."""
    import polars as pl

    def late() -> object:
        closed, due = pl.coalesce("finished_at", "returned_at"), pl.coalesce("first_due_at", "due_at")
        as_of = pl.lit(AS_OF).str.to_datetime()
        rows = pl.scan_parquet(folder / "dossiers.parquet").with_columns(closed=closed, due=due)
        month = pl.col("received_at").dt.truncate("1mo").alias("month")
        return rows.group_by("responsible_unit", "procedure", month).agg(
            n=pl.len(), closed=pl.col("closed").count(), open=pl.col("closed").is_null().sum(),
            late=(pl.col("closed") > pl.col("due")).sum(), missing=pl.col("due").is_null().sum(),
            base=(pl.col("closed").is_not_null() & pl.col("due").is_not_null()).sum(),
            overdue=(pl.col("closed").is_null() & (pl.col("due") < as_of)).sum(),
        ).collect(engine="streaming")  # fmt: skip

    def follows() -> object:
        spans = pl.scan_parquet(folder / "spans.parquet")
        times = [("us", "gap_us"), ("worked", "gap_seconds")]
        pairs = spans.filter(pl.col("seq") > 1).group_by("previous_step", "step").agg(
            pl.len(), pl.col("gap_us").count().alias("timed"),
            *(pl.col(column).mean().alias(f"mean_{unit}") for unit, column in times),
            *(pl.col(column).median().alias(f"median_{unit}") for unit, column in times),
        )  # fmt: skip
        ends = spans.group_by("step").agg(starts=(pl.col("seq") == 1).sum(), ends=pl.col("is_last").sum())
        return pl.collect_all([pairs, ends], engine="streaming")

    def profile() -> object:
        spans = pl.scan_parquet(folder / "spans.parquet")
        pauses = pl.scan_parquet(folder / "pauses.parquet")
        spans = spans.join(pauses, on=["dossier_id", "seq"], how="left").with_columns(
            queueing=pl.col("waiting_seconds") - pl.col("of_waiting").fill_null(0),
            handling=pl.col("handling_seconds") - pl.col("of_handling").fill_null(0),
            paused=pl.col("of_waiting").fill_null(0) + pl.col("of_handling").fill_null(0),
        )  # fmt: skip
        measures = [
            measure
            for part in ("queueing", "handling", "paused")
            for measure in (
                pl.col(part).count().name.suffix("_n"), pl.col(part).sum().name.suffix("_sum"),
                pl.col(part).mean().name.suffix("_mean"), pl.col(part).median().name.suffix("_median"),
                pl.col(part).quantile(0.9, "linear").name.suffix("_p90"),
            )
        ]  # fmt: skip
        due = pl.col("step_due_at").is_not_null() & pl.col("finished_at").is_not_null()
        late = (pl.col("finished_at") > pl.col("step_due_at")).sum()
        return spans.group_by("step").agg(pl.len(), *measures, due=due.sum(), late=late).collect(engine="streaming")

    return {"on_time, unit × procedure × month": late, "directly_follows": follows, "steps_profile": profile}


def of_pandas(folder: Path) -> dict[str, Callable[[], object]]:
    """Frames read from the same files, with the columns that are needed."""
    import pandas as pd

    def late() -> object:
        names = ["responsible_unit", "procedure", "received_at", "finished_at", "returned_at", "first_due_at", "due_at"]
        rows = pd.read_parquet(folder / "dossiers.parquet", columns=names)
        closed, due = rows["finished_at"].fillna(rows["returned_at"]), rows["first_due_at"].fillna(rows["due_at"])
        rows = rows.assign(
            month=rows["received_at"].dt.to_period("M").dt.to_timestamp(), late=closed > due, closed=closed.notna(),
            missing=due.isna(), base=closed.notna() & due.notna(), overdue=closed.isna() & (due < pd.Timestamp(AS_OF)),
        )  # fmt: skip
        measures = ["late", "closed", "missing", "base", "overdue"]
        return rows.groupby(["responsible_unit", "procedure", "month"])[measures].sum()

    def follows() -> object:
        names = ["seq", "previous_step", "step", "gap_us", "gap_seconds", "is_last"]
        spans = pd.read_parquet(folder / "spans.parquet", columns=names)
        pairs = spans[spans["seq"] > 1].groupby(["previous_step", "step"])[["gap_us", "gap_seconds"]]
        ends = spans.assign(is_first=spans["seq"] == 1).groupby("step")[["is_first", "is_last"]].sum()
        return pairs.agg(["size", "count", "mean", "median"]), ends

    def profile() -> object:
        names = ["dossier_id", "seq", "step", "waiting_seconds", "handling_seconds", "finished_at", "step_due_at"]
        spans = pd.read_parquet(folder / "spans.parquet", columns=names)
        spans = spans.merge(pd.read_parquet(folder / "pauses.parquet"), on=["dossier_id", "seq"], how="left")
        waiting, handling = spans["of_waiting"].fillna(0), spans["of_handling"].fillna(0)
        spans = spans.assign(queueing=spans["waiting_seconds"] - waiting, handling=spans["handling_seconds"] - handling,
                             paused=waiting + handling, late=spans["finished_at"] > spans["step_due_at"],
                             due=spans["finished_at"].notna() & spans["step_due_at"].notna())  # fmt: skip
        groups = spans.groupby("step")
        parts = groups[["queueing", "handling", "paused"]]
        return parts.agg(["count", "sum", "mean", "median"]), parts.quantile(0.9), groups[["due", "late"]].sum()

    return {"on_time, unit × procedure × month": late, "directly_follows": follows, "steps_profile": profile}
