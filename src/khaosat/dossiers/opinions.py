"""Consultations between agencies: opinions asked for, answered late, never answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words, sorted_groups
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import StepResult, hours
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rule = Literal["name", "away_and_back"]
COUNTS = ("asked", "in_time", "late", "not_answered", "pending", "undated")


@dataclass(frozen=True, eq=False, kw_only=True)
class Consultations(StepResult):
    """Opinions asked of other agencies: by…, ``asked, in_time, late, not_answered, pending, undated``, ``numerator,
    denominator, estimate, low, high, n, median_worked_hours``.

    ``asked`` is the sum of the five after it: answered by the due date, after it, not answered though the due date is
    over or the dossier has ended, not yet due, and answered without a due date. ``estimate`` is the share that failed:
    ``(late + not_answered) / (in_time + late + not_answered)``; ``n = asked``.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share answered late or not at all, with its interval, the worst on top."""
        from khaosat.show.plots import intervals

        rows = self.worded().assign(all=say("All consultations"))[~self._small_cells()].dropna(subset=["estimate"])
        rows = rows.sort_values("estimate", ascending=False, kind="stable").head(20)
        ax = intervals(rows, keys=self.keys or ["all"], unit="share", ax=ax)
        ax.set_xlabel(say("Answered late or not at all (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="asked", kind="int", label=say("Opinions asked")),
            *(Column(name=name, kind="int") for name in COUNTS[1:]),
            Column(name="estimate", kind="percent", decimals=1, label=say("Late or not answered")),
            self._interval(),
            Column(name="median_worked_hours", kind="number", decimals=1, label=say("Median (working hours)")),
        ]


def consultations(
    log: DossierLog,
    *,
    by: str | Sequence[str] | None = "unit",
    period: Period | str | None = None,
    rule: Rule = "name",
    steps: Sequence[str] | None = None,
    level: float = 0.95,
) -> Consultations:
    """Which agencies answer in time when another asks for their opinion, which late, which not at all.

    Parameters
    ----------
    log
        The dossiers and their steps.
    by
        ``unit`` (the agency asked), ``step`` and columns of ``dossiers``.
    period
        The period in which the opinion was asked; all of the log by default.
    rule
        What a consultation is: ``name``, a step with one of the names in ``steps``; ``away_and_back``, a step at
        another unit than the one before it, from which the dossier returns to that unit or has not returned yet.
    steps
        Names of steps, without regard to case; by default ``facts/codes/consultation_steps.csv``.
    level
        Coverage of the interval (Wilson).

    Returns
    -------
    Consultations
        by…, counts, ``numerator, denominator, estimate, low, high, n, median_worked_hours`` (from asking to answer).

    Notes
    -----
    An answer is held against the due date of the step. Opinions without an answer are judged at the end of the period.
    ``away_and_back`` also finds other errands, such as the tax office's.

    References
    ----------
    Directive 06/CT-UBND of Ho Chi Minh City, 2023-10-18 (weak co-ordination between agencies); Da Nang, 2023-04-21
    (co-ordinating bodies slow or silent).

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> consultations(example_steps()).rows[["unit", "asked", "late", "estimate"]].values.tolist()
    [['Phòng Quy hoạch', 1, 1, 1.0]]
    """
    if rule not in get_args(Rule):
        raise KhaosatError(f"unknown rule {rule!r}: {' or '.join(get_args(Rule))}")
    columns, span = group_columns(by, steps=True), window(log, period)
    names = list(read_table("codes/consultation_steps.csv")["name"]) if steps is None else list(steps)
    if rule == "name" and not names:
        raise KhaosatError("steps is empty: name at least one step")
    rows = ask(step_engine(log), "consultations", by=columns, by_name=rule == "name", start=span.start,
               names=[name.strip().lower() for name in names] or [""], finish=span.finish, now=span.now)  # fmt: skip
    rows[list(COUNTS)] = rows[list(COUNTS)].fillna(0).astype("int64")
    rows["numerator"] = rows["late"] + rows["not_answered"]
    rows["denominator"] = rows["numerator"] + rows["in_time"]
    rows["estimate"] = share(rows["numerator"], rows["denominator"])
    rows["low"], rows["high"] = wilson(rows["numerator"], rows["denominator"], level=level)
    rows["n"] = rows["asked"]
    rows["median_worked_hours"] = hours(rows["median_worked"])
    rows = sorted_groups(rows, columns).sort_values("numerator", ascending=False, kind="stable").reset_index(drop=True)
    ends = ["numerator", "denominator", "estimate", "low", "high", "n", "median_worked_hours"]
    return Consultations(
        rows=rows[[*columns, *COUNTS, *ends]], by=columns, level=level, source=log.source,
        notes=tuple([*_notes(log, rows, rule=rule, names=names, level=level), *span.notes()]),
        title=say("Opinions asked of other agencies{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip


def _notes(log: DossierLog, rows: pd.DataFrame, *, rule: Rule, names: Sequence[str], level: float) -> list[str]:
    asked = int(rows["asked"].sum())
    if rule == "name":
        choice = say("A consultation is a step with one of {n} names, such as “{name}”.", n=len(names), name=names[0])
    else:
        choice = say(
            "A consultation is a step at another unit from which the dossier comes back, or has not come back."
        )
    notes = [choice, say("Interval: Wilson, {level}.", level=percent(level, 0))]
    if "steps" not in log.tables:
        notes.append(say("The source has no table of steps."))
    elif not asked:
        notes.append(say("No such step is in the log: name its consultations, or go by units (away_and_back)."))
    if rows["undated"].sum():
        notes.append(say("{n} were answered but had no due date; they are in no share.", n=int(rows["undated"].sum())))
    return notes
