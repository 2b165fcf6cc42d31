"""The paths of dossiers through their steps: which there are, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog, Engine
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words, sorted_groups
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import (
    DAY,
    SECOND,
    StepResult,
    bars,
    clock_words,
    hours,
    no_steps,
    step_window,
)
from khaosat.engine.query import ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LISTED = 20
_LONG = 8
"""Steps above which a path is shortened on an axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Variants(StepResult):
    """The commonest paths: by…, ``steps`` (a tuple), ``n, share, cumulative_share, median_seconds,
    median_worked_hours``.

    Parameters
    ----------
    totals
        by…, ``variants`` (how many different paths there are in all) and ``dossiers``.
    """

    totals: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """The groups and the path."""
        return [*self.by, "steps"]

    def worded(self) -> pd.DataFrame:
        """The rows with paths as text and calendar time in days."""
        rows = super().worded()
        nameless = say("(not recorded)")
        rows["steps"] = [" → ".join(step or nameless for step in steps) for steps in rows["steps"]]
        return rows.assign(
            length=[len(steps) for steps in self.rows["steps"]], median_days=rows["median_seconds"] / DAY
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """The commonest paths as bars, each with its share and that of the paths down to it."""
        rows = self.worded()[~self._small_cells()]
        words = [
            say("{share} (together {sum})", share=percent(row["share"]), sum=percent(row["cumulative_share"]))
            for row in rows.to_dict("records")
        ]
        labels = [_shortened(steps) for steps in rows["steps"]]
        return bars(labels, list(rows["n"]), words=words, x_label=say("Dossiers"), ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="steps"),
            Column(name="length", kind="int", label=say("Number of steps")),
            Column(name="n", kind="int", label=say("Dossiers")),
            Column(name="share", kind="percent", decimals=1),
            Column(name="cumulative_share", kind="percent", decimals=1),
            Column(name="median_days", kind="number", decimals=1, label=say("Median (calendar days)")),
            Column(name="median_worked_hours", kind="number", decimals=1, label=say("Median (working hours)")),
        ]


@dataclass(frozen=True, eq=False, kw_only=True)
class Durations(StepResult):
    """How long dossiers take: by…, ``n, mean_seconds, median_seconds, p90_seconds, max_seconds, mean_worked_hours,
    median_worked_hours, p90_worked_hours, moments`` (dossiers all of whose steps lie in one moment), ``n_missing``.
    """

    def worded(self) -> pd.DataFrame:
        """The rows with calendar time in days."""
        rows = super().worded()
        return rows.assign(
            **{f"{name}_days": rows[f"{name}_seconds"] / DAY for name in ("mean", "median", "p90", "max")}
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Median worked time of each group as a bar, with the time that nine in ten stay below."""
        rows = self.worded()[~self._small_cells()].dropna(subset=["median_worked_hours"])
        rows = rows.sort_values("median_worked_hours", ascending=False, kind="stable")
        labels = (
            [" · ".join(row) for row in rows[list(self.by)].itertuples(index=False)]
            if self.by
            else [say("All dossiers")] * len(rows)
        )
        words = [
            say("{hours} (nine in ten below {high})", hours=number(row["median_worked_hours"], 1),
                high=number(row["p90_worked_hours"], 1)) for row in rows.to_dict("records")
        ]  # fmt: skip
        return bars(
            labels, list(rows["median_worked_hours"]), words=words, x_label=say("Median (working hours)"), ax=ax
        )

    def _columns(self) -> Sequence[Column]:
        calendar, worked = say("Calendar days"), say("Working hours")
        return [
            *self._key_columns(),
            Column(name="n", kind="int", label=say("Dossiers")),
            Column(name="mean_days", kind="number", decimals=1, group=calendar, label=say("Mean")),
            Column(name="median_days", kind="number", decimals=1, group=calendar, label=say("Median")),
            Column(name="p90_days", kind="number", decimals=1, group=calendar, label=say("Nine in ten below")),
            Column(name="max_days", kind="number", decimals=1, group=calendar, label=say("Longest")),
            Column(name="mean_worked_hours", kind="number", decimals=1, group=worked, label=say("Mean")),
            Column(name="median_worked_hours", kind="number", decimals=1, group=worked, label=say("Median")),
            Column(name="p90_worked_hours", kind="number", decimals=1, group=worked, label=say("Nine in ten below")),
        ]


def variants(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    top: int = LISTED,
) -> Variants:
    """The commonest paths of dossiers through their steps, and how many different ones there are.

    Parameters
    ----------
    log
        The dossiers and their steps.
    period
        The period in which a dossier's last step ended; all of the log by default.
    by
        Columns of ``dossiers`` to group by.
    top
        At most so many paths of each group.

    Returns
    -------
    Variants
        by…, ``steps`` (a tuple), ``n, share, cumulative_share`` (of all dossiers of the group), ``median_seconds``
        (calendar time from the first to the last recorded moment), ``median_worked_hours``; field ``totals``.

    Notes
    -----
    Paths are told apart by random sums (``engine/queries/walks.sql``): no engine orders text inside a group as
    another does, and sums are several times faster. Among a million different paths two are taken for one with a
    probability below 10⁻¹⁵; the weights are the same in every run.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> result = variants(example_steps(), top=1)
    >>> int(result.totals["variants"].iloc[0]), result.rows["steps"].iloc[0][:2]
    (3, ('Tiếp nhận', 'Thẩm định'))
    """
    if top < 1:
        raise KhaosatError(f"top is {top}: list at least one path")
    columns = group_columns(by)
    span, slots = step_window(log, period)
    engine = step_engine(log, walks=True)
    found = sorted_groups(ask(engine, "variants", by=columns, top=top, **slots), columns)
    rows = found.assign(steps=pd.Series(_steps_of(engine, list(found["example"])), index=found.index, dtype=object))
    rows["share"] = share(rows["n"], rows["dossiers"])
    sums = rows.groupby(list(columns), dropna=False, sort=False)["n"].cumsum() if columns else rows["n"].cumsum()
    rows["cumulative_share"] = share(sums, rows["dossiers"])
    rows["median_seconds"] = rows["median_us"] / SECOND
    rows["median_worked_hours"] = hours(rows["median_worked"])
    totals = rows[[*columns, "variants", "dossiers"]].drop_duplicates().reset_index(drop=True)
    if totals.empty and not columns:
        totals = pd.DataFrame({"variants": [0], "dossiers": [0]})
    notes = [
        say("{n} different paths of {dossiers} dossiers; the commonest are listed.",
            n=int(totals["variants"].sum()), dossiers=int(totals["dossiers"].sum())),
        clock_words(log), *span.notes(), *no_steps(log, rows, span),
    ]  # fmt: skip
    names = ["steps", "n", "share", "cumulative_share", "median_seconds", "median_worked_hours"]
    return Variants(
        rows=rows[[*columns, *names]], by=columns, unit="count", totals=totals, notes=tuple(notes), source=log.source,
        title=say("The commonest paths of dossiers{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip


def durations(
    log: DossierLog, *, period: Period | str | None = None, by: str | Sequence[str] | None = None
) -> Durations:
    """How long dossiers take from the beginning of their first step to the last recorded moment of their steps.

    Parameters
    ----------
    log, period, by
        As in :func:`variants`.

    Returns
    -------
    Durations
        by…, ``n``, mean, median, 90th percentile and maximum in calendar seconds, and in worked hours.

    Notes
    -----
    Steps only: what lies between reception and the first step is not in it, and dossiers that go on count with what
    they have, so that long ones look short. Percentiles interpolate between neighbours (Hyndman and Fan's type 7).
    Worked time is the sum over steps of the wait since the step before and the handling: parallel steps count each.

    References
    ----------
    Hyndman and Fan (1996), The American Statistician 50, 361-365.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> durations(example_steps()).rows[["n", "median_seconds"]].values.tolist()
    [[3.0, 198000.0]]
    """
    columns = group_columns(by)
    span, slots = step_window(log, period)
    rows = sorted_groups(ask(step_engine(log, walks=True), "durations", by=columns, **slots), columns)
    for name in ("mean", "median", "p90", "max"):
        rows[f"{name}_seconds"] = rows[f"{name}_us"].astype("float64") / SECOND
    for name in ("mean", "median", "p90"):
        rows[f"{name}_worked_hours"] = hours(rows[f"{name}_worked"])
    rows["n_missing"] = rows["n"] - rows["timed"]
    rows["moments"] = rows["moments"].fillna(0).astype("int64")
    names = ["n", "mean_seconds", "median_seconds", "p90_seconds", "max_seconds", "mean_worked_hours",
             "median_worked_hours", "p90_worked_hours", "moments", "n_missing"]  # fmt: skip
    return Durations(
        rows=rows[[*columns, *names]], by=columns, unit="days", source=log.source,
        notes=(clock_words(log), *span.notes(), *no_steps(log, rows[rows["n"] > 0], span)),
        title=say("From the first step to the last{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip


def _steps_of(engine: Engine, examples: list[str]) -> list[tuple[str | None, ...]]:
    """The path of each dossier."""
    if not examples:
        return []
    frame = ask(engine, "variant_steps", examples=sorted(set(examples))).sort_values(["dossier_id", "seq"])
    names = frame["step"].astype(object).where(frame["step"].notna(), None)
    paths = {str(dossier): tuple(part) for dossier, part in names.groupby(frame["dossier_id"])}
    return [paths[example] for example in examples]


def _shortened(path: str) -> str:
    """A path for an axis: its beginning and its end if it is long."""
    steps = path.split(" → ")
    if len(steps) <= _LONG:
        return path
    return say(
        "{first} → … {n} steps … → {last}", first=" → ".join(steps[:2]), n=len(steps) - 4, last=" → ".join(steps[-2:])
    )
