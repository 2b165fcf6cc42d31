"""Which steps and units make dossiers late: the overrun laid to each, and how many dossiers it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.overruns import overrun_engine
from khaosat.dossiers.result import by_words, sorted_groups
from khaosat.dossiers.step_result import StepResult, clock_words, hours, no_steps
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import Deadline, ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Reference = Literal["legal", "median"]
"""The time a step is held against: its part of the legal term, or the median of that step of that procedure."""
PARTS = ("waiting", "handover", "handling", "outside", "paused")
"""What an overrun is made of; time left over of an allowance (``unused``) is taken off."""
_COUNTS = ("at_legal", "at_median", "late")
_HOURS = ("overrun", *PARTS, "unused")
_PLOTTED = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Bottlenecks(StepResult):
    """Late dossiers that a group could have avoided, the most first.

    by…, ``estimate`` (avoidable late dossiers by the chosen reference), ``low, high, share`` (of all late dossiers),
    ``n`` (closed dossiers that passed), ``late`` (of them), ``at_legal, at_median`` (avoidable by either reference),
    ``overrun_hours`` (worked hours of late dossiers) = ``waiting_hours + handover_hours + handling_hours +
    outside_hours + paused_hours - unused_hours``, ``mean_hours, median_hours`` (worked time of the group in a passing
    dossier, without pauses).

    Parameters
    ----------
    reference
        ``legal`` or ``median``.
    total
        One row: ``closed`` (with a deadline), ``late``, ``overrun_hours`` (the sum of that of the rows), ``by_pause``
        (late dossiers whose pauses alone are as long as the overrun), ``n_missing`` (late dossiers not timed).
    """

    reference: Reference
    total: pd.DataFrame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Avoidable late dossiers as bars with intervals and their share of all late ones, the most on top."""
        import textwrap

        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, INK, WIDTH, theme

        rows = self.worded()[~self._small_cells()].head(_PLOTTED)
        rows = rows[rows["estimate"] > 0]
        labels = [textwrap.fill(" · ".join(row), 46) for row in rows[self.keys].itertuples(index=False)]
        lines = sum(label.count("\n") + 1 for label in labels)
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.16 * lines + 0.16 * len(rows) + 0.8)))
            place = np.arange(len(rows))[::-1]
            ax.barh(place, rows["estimate"], color=BLUE, height=0.62)
            ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=1.2)
            for y, row in zip(place, rows.to_dict("records"), strict=True):
                words = say("{n} ({share} of all late)", n=int(row["estimate"]), share=percent(row["share"], 0))
                ax.annotate(words, (row["high"], y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
            ax.set_yticks(place, labels, fontsize=8)
            ax.set_xlim(0, max([1.0, *rows["high"]]) * 1.5)
            ax.set_xlabel(say("Avoidable late dossiers"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
        return ax

    def _columns(self) -> Sequence[Column]:
        avoidable, overrun = say("Avoidable late dossiers"), say("Overrun of late dossiers (working hours)")
        return [
            *self._key_columns(),
            Column(name="estimate", kind="int", group=avoidable, label=say("Number")),
            Column(name=("low", "high"), kind="interval", group=avoidable,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="share", kind="percent", decimals=1, group=avoidable, label=say("Of all late")),
            Column(name="late", kind="int"),
            Column(name="n", kind="int", label=say("Dossiers passing")),
            Column(name="overrun_hours", kind="number", group=overrun, label=say("Together")),
            *(Column(name=f"{part}_hours", kind="number", group=overrun, label=part_words(part)) for part in PARTS),
            Column(name="unused_hours", kind="number", group=overrun, label=say("Allowance not used")),
            Column(name="median_hours", kind="number", decimals=1),
        ]  # fmt: skip


def bottlenecks(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] = "step",
    reference: Reference = "legal",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> Bottlenecks:
    """Late dossiers that would have been on time had a step, unit or other group kept to its time.

    ``overrun of a dossier = sum over its steps of (worked time - allowance)``, and allowances sum to the legal term; a
    dossier is avoidable by a group if ``sum over the steps of the group of max(0, time - reference) >= overrun``.

    Parameters
    ----------
    log
        The dossiers and their steps.
    period
        The period in which dossiers were closed; all of the log by default.
    by
        ``step``, ``unit`` and columns of ``dossiers``; ``["procedure", "step", "unit"]`` to drill down.
    reference
        ``legal``: what the steps of the group may take of the legal term; ``median``: what the same step of the same
        procedure takes in half of the closed dossiers.
    deadline
        As in :func:`khaosat.dossiers.on_time`.
    level
        Coverage of the intervals.

    Returns
    -------
    Bottlenecks
        by…, ``estimate, low, high, share, n, late, at_legal, at_median``, parts of the overrun in worked hours,
        ``mean_hours, median_hours``; field ``total``.

    Notes
    -----
    Arithmetic on recorded times, no causal claim. A dossier may be avoidable by several groups, or by none alone, so
    the estimates of rows do not add up; the overruns do. Allowances are the time limits of the steps where recorded
    (the worked time from a step's arrival to its own due date), else the median of the step in its procedure, scaled so
    that they sum to the term from reception to deadline. Handling uses an allowance up first, then waiting, then
    waiting after a change of units (``handover``). Time with the applicant is no office's to avoid: it has no allowance
    but what the deadline was moved by, and counts in the overrun only. ``outside``: time that no step covers.

    The interval is Wilson's on all closed dossiers: what resampling dossiers gives, since the avoidable are then
    binomial, but with limits that hold near 0. The medians are taken as given.

    References
    ----------
    Wilson (1927), JASA 22, 209-212; Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 5.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> found = bottlenecks(example_steps())  # none of the three dossiers is late
    >>> found.rows.set_index("step").loc["Lấy ý kiến phối hợp", ["estimate", "n", "median_hours"]].tolist()
    [0.0, 1.0, 38.0]
    """
    if reference not in get_args(Reference):
        raise KhaosatError(f"reference is {reference!r}: it must be {' or '.join(get_args(Reference))}")
    columns, span = group_columns(by, steps=True), window(log, period)
    if not columns:
        raise KhaosatError("name at least one column in `by`: bottlenecks are sought among groups")
    engine = overrun_engine(log, span, deadline)
    # As objects, since pandas cannot join empty columns of texts.
    passed, blamed = (ask(engine, query, by=columns).astype(dict.fromkeys(columns, object))
                      for query in ("passing", "bottlenecks"))  # fmt: skip
    rows = passed.merge(blamed, on=list(columns), how="outer")
    rows, (limited, steps) = _measured(rows), rows[["by_limit", "steps"]].sum()
    flow = count_late(log, "lateness", span, deadline=deadline).iloc[0]
    total = _total(
        ask(engine, "late_totals"), closed=int(flow["closed_denominator"]), late=int(flow["closed_numerator"])
    )
    rows = _ranked(rows, columns, reference=reference, total=total.iloc[0], level=level)
    if "steps" not in log.tables:
        rows = rows.iloc[:0]
    notes = [
        *_meaning(reference, total.iloc[0]), *_allowance_words(int(limited), int(steps)),
        say("Interval: Wilson on all closed dossiers, {level}; it takes dossiers as independent and the medians as "
            "given.", level=percent(level, 0)),
        deadline_words(deadline), clock_words(log), *_left_out(total.iloc[0], int(flow["open_overdue"])),
        *span.notes(), *_nothing(log, rows, total.iloc[0], span),
    ]  # fmt: skip
    return Bottlenecks(
        rows=rows, by=columns, level=level, unit="count", reference=reference, total=total, notes=tuple(notes),
        source=log.source,
        title=say("Bottlenecks{by}: late dossiers that could have been avoided, {period}", by=by_words(columns),
                  period=span.label),
    )  # fmt: skip


def _measured(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts as whole numbers and seconds as hours, nothing late being 0."""
    counts = [*_COUNTS, *_HOURS, "n", "total"]
    rows = rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in counts})
    # Time that no step covers is looked for in late dossiers only.
    rows["n"] = rows[["n", "late"]].max(axis=1)
    for name in _HOURS:
        rows[f"{name}_hours"] = hours(rows[name])
    rows["mean_hours"] = hours(rows["total"]) / rows["n"].where(rows["median"].notna())
    rows["median_hours"] = hours(rows["median"])
    return rows


def _total(found: pd.DataFrame, *, closed: int, late: int) -> pd.DataFrame:
    found = found.fillna(0).astype("int64")
    return pd.DataFrame({
        "closed": closed, "late": found["late"], "overrun_hours": hours(found["overrun"]),
        "by_pause": found["by_pause"], "n_missing": late - found["late"],
    })  # fmt: skip


def _ranked(
    rows: pd.DataFrame, columns: Sequence[str], *, reference: Reference, total: pd.Series, level: float
) -> pd.DataFrame:
    rows = sorted_groups(rows, columns).assign(estimate=lambda found: found[f"at_{reference}"])
    rows = rows.sort_values(["estimate", "overrun"], ascending=False, kind="stable").reset_index(drop=True)
    low, high = wilson(rows["estimate"], total["closed"], level=level)
    rows = rows.assign(low=low * total["closed"], high=high * total["closed"],
                       share=share(rows["estimate"], total["late"]))  # fmt: skip
    names = ["estimate", "low", "high", "share", "n", "late", "at_legal", "at_median",
             *(f"{name}_hours" for name in (*_HOURS, "mean", "median"))]  # fmt: skip
    return rows[[*columns, *names]]


def _meaning(reference: Reference, total: pd.Series) -> list[str]:
    held = (
        say("its part of the legal term") if reference == "legal" else say("the median of the same step and procedure")
    )
    notes = [
        say("Avoidable: dossiers closed late that would have been on time had the steps of the row taken at most "
            "{held}, all else as recorded. This is arithmetic on recorded times, not proof of a cause; a dossier may "
            "be avoidable in several rows, so the numbers of rows do not add up.", held=held),
        say("Overrun: worked time beyond the deadline, laid to the steps in excess of their allowances; it adds up "
            "to {all} working hours over all late dossiers. Where a step took less than its allowance, the rest is "
            "taken off.",
            all=number(total["overrun_hours"])),
    ]  # fmt: skip
    if total["by_pause"]:
        notes.append(
            say("Time with the applicant is in the overrun and not in the avoidable: in {n} of {late} late dossiers it "
                "alone is as long as the overrun.", n=int(total["by_pause"]), late=int(total["late"]))
        )  # fmt: skip
    return notes


def _allowance_words(limited: int, steps: int) -> list[str]:
    if not steps:
        return []
    if not limited:
        return [say("The source has no time limits of steps: the legal term is shared out by the medians of the "
                    "steps of a procedure.")]  # fmt: skip
    return [say("The legal term is shared out by the steps' own time limits ({share} of the steps of late dossiers), "
                "else by the median of the same step and procedure.", share=percent(limited / steps, 0))]  # fmt: skip


def _left_out(total: pd.Series, open_overdue: int) -> list[str]:
    notes = []
    if open_overdue:
        notes.append(
            say("{n} open dossiers that are overdue are not counted: their steps have not ended.", n=open_overdue)
        )
    if total["n_missing"]:
        notes.append(
            say("{n} late dossiers could not be timed: they ended before reception or outside the calendar.",
                n=int(total["n_missing"]))
        )  # fmt: skip
    return notes


def _nothing(log: DossierLog, rows: pd.DataFrame, total: pd.Series, span: Window) -> list[str]:
    if rows.empty:
        return no_steps(log, rows, span)
    return [] if total["late"] else [say("No dossier was closed late in {period}.", period=span.label)]


def part_words(part: str) -> str:
    """A part of the overrun in the reader's words."""
    return {
        "waiting": say("Waiting"), "handover": say("Waiting after a handover"), "handling": say("Handling"),
        "outside": say("Outside the steps"), "paused": say("With the applicant"),
    }[part]  # fmt: skip
