"""Where the time of each step goes: waiting, handling, pauses."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import StepResult, clock_words, hours, largest_first, no_steps, step_window
from khaosat.engine.query import ask, group_columns
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = ("queueing", "handling", "paused")
_MEASURES = ("n", "mean", "median", "p90", "sum")
_PLOTTED = 15


@dataclass(frozen=True, eq=False, kw_only=True)
class StepsProfile(StepResult):
    """Times of steps in worked hours: by…, ``n``, and of ``queueing``, ``handling`` and ``paused`` each ``<part>_n,
    <part>_mean, <part>_median, <part>_p90, <part>_sum``; ``begun`` (not ended), ``due, late, late_share`` (ended steps
    with a due date of their own, and those that ended after it). The largest sum of queueing and handling first.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Mean worked hours of each group, cut into waiting, handling and pauses."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, GREY, ORANGE, WIDTH, theme

        rows = self.worded()[~self._small_cells()].head(_PLOTTED)
        keys = list(self.by)
        labels = (
            [textwrap.fill(" · ".join(row), 44) for row in rows[keys].itertuples(index=False)]
            if keys
            else [say("All steps")] * len(rows)
        )
        place, left = np.arange(len(rows))[::-1], np.zeros(len(rows))
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.36 * len(rows) + 1.1)))
            for part, colour in zip(PARTS, (ORANGE, BLUE, GREY), strict=True):
                width = rows[f"{part}_mean"].fillna(0).to_numpy(float)
                ax.barh(place, width, left=left, color=colour, height=0.62, label=_part_words(part))
                left = left + width
            for y, total in zip(place, left, strict=True):
                ax.annotate(
                    number(total, 1), (total, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
                )
            ax.set_yticks(place, labels)
            ax.set_xlim(0, max([1.0, *left]) * 1.15)
            ax.set_xlabel(say("Mean (working hours)"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
        return ax

    def _columns(self) -> Sequence[Column]:
        times = [
            Column(name=f"{part}_{measure}", kind="number", decimals=1, label=words, group=_part_words(part))
            for part in PARTS
            for measure, words in (("mean", say("Mean")), ("median", say("Median")), ("p90", say("Nine in ten below")))
        ]
        own = say("Own due date")
        return [
            *self._key_columns(),
            Column(name="n", kind="int", label=say("Times done")),
            *times,
            Column(name="due", kind="int", group=own, label=say("Times done")),
            Column(name="late_share", kind="percent", decimals=1, group=own, label=say("Share late")),
        ]


def steps_profile(
    log: DossierLog, *, by: str | Sequence[str] | None = "step", period: Period | str | None = None
) -> StepsProfile:
    """How long each step waits, is handled and is paused, in worked hours.

    ``from the end of all before to the end of the step = queueing + handling + paused``

    Parameters
    ----------
    log
        The dossiers and their steps.
    by
        ``step``, ``unit`` and columns of ``dossiers``.
    period
        The period in which a step ended; all of the log by default.

    Returns
    -------
    StepsProfile
        by…, ``n``, measures of each part, ``begun, due, late, late_share``.

    Notes
    -----
    A step queues from the end of all steps before it (the first from reception) to its own beginning. Pauses are what
    the dossier spent with its applicant: steps with such a status (``facts/rules/pausing_statuses.csv``) and requests
    for supplements; they are taken off queueing and handling. Where a source records one moment of a step only, all of
    its time is queueing and its handling is missing. A step that ends before it starts has no handling time.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> rows = steps_profile(example_steps()).rows.set_index("step")
    >>> rows.loc["Lấy ý kiến phối hợp", ["queueing_mean", "handling_mean", "late"]].tolist()
    [0.5, 37.5, 1.0]
    """
    columns = group_columns(by, steps=True)
    span, slots = step_window(log, period)
    rows = ask(step_engine(log, pauses=True), "steps_profile", by=columns, **slots)
    for part in PARTS:
        for measure in _MEASURES[1:]:
            rows[f"{part}_{measure}"] = hours(rows[f"{part}_{measure}"])
    counts = ["begun", "due", "late"]
    rows[counts] = rows[counts].fillna(0).astype("int64")
    rows["late_share"] = share(rows["late"], rows["due"])
    rows["spent"] = rows["queueing_sum"].fillna(0) + rows["handling_sum"].fillna(0)
    rows = largest_first(rows, (), size="spent", names=columns)
    measured = [f"{part}_{measure}" for part in PARTS for measure in _MEASURES]
    notes = [clock_words(log), *_notes(int(rows["n"].sum()), int(rows["handling_n"].sum())), *span.notes(),
             *no_steps(log, rows[rows["n"] > 0], span)]  # fmt: skip
    return StepsProfile(
        rows=rows[[*columns, "n", *measured, "begun", "due", "late", "late_share"]], by=columns, unit="days",
        notes=tuple(notes), source=log.source,
        title=say("Where the time of steps goes, in working hours{by}, {period}", by=by_words(columns),
                  period=span.label),
    )  # fmt: skip


def _notes(steps: int, handled: int) -> list[str]:
    notes = [
        say("Waiting: from the end of all steps before (the first step: from reception) to the beginning. Paused: "
            "while the dossier was with its applicant."),
    ]  # fmt: skip
    if steps and not handled:
        notes.append(say("The source records one moment of each step: its handling is part of the waiting."))
    elif handled < steps:
        notes.append(
            say("{n} of {steps} steps have no handling time: a start or an end is missing, or the end lies before the "
                "start.", n=steps - handled, steps=steps)
        )  # fmt: skip
    return notes


def _part_words(part: str) -> str:
    return {"queueing": say("Waiting"), "handling": say("Handling"), "paused": say("Paused")}[part]
