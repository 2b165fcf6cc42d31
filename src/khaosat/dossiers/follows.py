"""Which step follows which: the directly-follows graph of a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words, sorted_groups
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import (
    DAY,
    SECOND,
    StepResult,
    bars,
    clock_words,
    group_totals,
    hours,
    largest_first,
    no_steps,
    step_window,
)
from khaosat.engine.query import ask, group_columns
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class DirectlyFollows(StepResult):
    """Pairs of neighbouring steps, the commonest first.

    by…, ``source, target, n, share`` (of all pairs of the group), ``mean_seconds, median_seconds`` (calendar time from
    the end of the one to the beginning of the other), ``mean_worked_hours, median_worked_hours`` (the same on the
    office clock), ``n_missing`` (pairs whose times are not known).

    Parameters
    ----------
    ends
        by…, ``step, starts, ends``: how many dossiers begin and end with each step.
    """

    ends: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """The groups and the pair."""
        return [*self.by, "source", "target"]

    def worded(self) -> pd.DataFrame:
        """The rows with words where there is no name, and with calendar time in days too."""
        rows = super().worded()
        return rows.assign(mean_days=rows["mean_seconds"] / DAY, median_days=rows["median_seconds"] / DAY)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The commonest pairs as bars, each with its median worked time."""
        rows = self.worded()[~self._small_cells()]
        words = [
            say("{n} · median {hours} working hours", n=int(n), hours=number(time, 1)) if pd.notna(time) else number(n)
            for n, time in zip(rows["n"], rows["median_worked_hours"], strict=True)
        ]
        labels = [" · ".join([*row[:-2], " → ".join(row[-2:])]) for row in rows[self.keys].itertuples(index=False)]
        return bars(labels, list(rows["n"]), words=words, x_label=say("Transitions"), ax=ax)

    def _columns(self) -> Sequence[Column]:
        calendar, worked = say("Calendar days"), say("Working hours")
        return [
            *self._key_columns(),
            Column(name="source", label=say("Step before")),
            Column(name="target", label=say("Step after")),
            Column(name="n", kind="int", label=say("Transitions")),
            Column(name="share", kind="percent", decimals=1),
            Column(name="mean_days", kind="number", decimals=1, group=calendar, label=say("Mean")),
            Column(name="median_days", kind="number", decimals=1, group=calendar, label=say("Median")),
            Column(name="mean_worked_hours", kind="number", decimals=1, group=worked, label=say("Mean")),
            Column(name="median_worked_hours", kind="number", decimals=1, group=worked, label=say("Median")),
        ]


def directly_follows(
    log: DossierLog, *, period: Period | str | None = None, by: str | Sequence[str] | None = None
) -> DirectlyFollows:
    """How often each step follows each other one, and after how long.

    ``time = max(0, beginning of the second step - end of the first)``

    Parameters
    ----------
    log
        The dossiers and their steps.
    period
        The period in which the second step ended; all of the log by default.
    by
        Columns of ``dossiers`` to group by.

    Returns
    -------
    DirectlyFollows
        by…, ``source, target, n, share, mean_seconds, median_seconds, mean_worked_hours, median_worked_hours,
        n_missing``; field ``ends``. Calendar times are in seconds, so that they can be held against other software.

    Notes
    -----
    Steps follow each other by the source's sequence number; without one, by time, and at equal times by name. A step
    of which one moment is recorded begins and ends with it: the time to it then holds its handling. Steps that overlap
    are 0 apart.

    References
    ----------
    van der Aalst (2016), Process Mining, 2nd ed., ch. 6.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> directly_follows(example_steps()).rows[["source", "target", "n", "mean_seconds"]].head(2).values.tolist()
    [['Tiếp nhận', 'Thẩm định', 3, 63600.0], ['Thẩm định', 'Trả kết quả', 2, 144000.0]]
    """
    columns = group_columns(by)
    span, slots = step_window(log, period)
    engine = step_engine(log)
    rows = ask(engine, "directly_follows", by=columns, **slots)
    rows["share"] = share(rows["n"], group_totals(rows["n"], rows, columns))
    for name in ("mean", "median"):
        rows[f"{name}_seconds"] = rows[f"{name}_us"] / SECOND
        rows[f"{name}_worked_hours"] = hours(rows[f"{name}_worked"])
    rows["n_missing"] = rows["n"] - rows["timed"]
    names = [*columns, "source", "target", "n", "share", "mean_seconds", "median_seconds", "mean_worked_hours",
             "median_worked_hours", "n_missing"]  # fmt: skip
    rows = largest_first(rows[names], columns, size="n", names=["source", "target"])
    notes = [
        say("Time from the end of one step to the beginning of the next; where only one moment of a step is recorded, "
            "it holds the handling of the next."),
        clock_words(log), *span.notes(), *no_steps(log, rows, span),
    ]  # fmt: skip
    return DirectlyFollows(
        rows=rows, by=columns, unit="count", notes=tuple(notes), source=log.source,
        ends=sorted_groups(ask(engine, "path_ends", by=columns, **slots), [*columns, "step"]),
        title=say("Which step follows which{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip
