"""What results on steps share: the window of a step, words for steps without a name, times in days and hours, bars."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import DossierResult, sorted_groups
from khaosat.dossiers.window import Window, window
from khaosat.facts.language import number, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SECOND = 1_000_000
"""Microseconds in a second."""
HOUR = 3600
"""Seconds in an hour."""
DAY = 86400
"""Seconds in a day of the calendar."""
_NAMES = ("step", "source", "target", "unit")
_PLOTTED = 15
_LETTER = 0.019
"""Width of a letter at the end of a bar, as a part of the axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StepResult(DossierResult):
    """A result whose rows are about steps; steps without a name are said to have none."""

    def worded(self) -> pd.DataFrame:
        """The rows with codes in words and a word for steps and units that are not recorded."""
        rows = super().worded()
        for column in set(_NAMES) & set(rows.columns):
            rows[column] = [
                say("(not recorded)") if pd.isna(name) or name == "" else str(name) for name in rows[column]
            ]
        return rows


class Slots(TypedDict):
    """Which steps a query takes: all, or those that ended from ``start`` to before ``finish``."""

    whole: bool
    start: dt.datetime
    finish: dt.datetime


def step_window(log: DossierLog, period: Period | str | None) -> tuple[Window, Slots]:
    """The window, and the slots of queries that take all steps or those that ended in a period."""
    span = window(log, period)
    return span, {"whole": period is None, "start": span.start, "finish": span.finish}


def no_steps(log: DossierLog, rows: pd.DataFrame, span: Window) -> list[str]:
    """Why there are no rows."""
    if len(rows):
        return []
    if "steps" not in log.tables:
        return [say("The source has no table of steps.")]
    return [say("No step ended in {period}.", period=span.label)]


def clock_words(log: DossierLog) -> str:
    """By which clock worked time runs."""
    name = say("of Viet Nam") if log.calendar.name == "vn" else log.calendar.name
    if log.calendar.offices:
        return say("Worked time is office time of the unit of the step, by calendar {name}.", name=name)
    return say("Worked time is office time by calendar {name}.", name=name)


def bars(
    labels: Sequence[str], values: Sequence[float], *, words: Sequence[str], x_label: str, ax: Axes | None = None
) -> Axes:
    """One bar a row with its words at the end, the first on top; at most 15."""
    import matplotlib.pyplot as plt

    from khaosat.show.theme import BLUE, WIDTH, theme

    wrapped = [textwrap.fill(label, 52) for label in labels[:_PLOTTED]]
    lines = sum(label.count("\n") + 1 for label in wrapped)
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.2 * lines + 0.16 * len(wrapped) + 0.8)))
        place = np.arange(len(wrapped))[::-1]
        ax.barh(place, values[:_PLOTTED], color=BLUE, height=0.62)
        for y, value, text in zip(place, values, words, strict=False):
            ax.annotate(text, (value, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
        ax.set_yticks(place, wrapped, fontsize=8)
        ax.set_xlim(0, _room(values[:_PLOTTED], words))
        ax.set_xlabel(x_label)
        ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
    return ax


def _room(values: Sequence[float], words: Sequence[str]) -> float:
    """Where the axis must end so that the words at the ends of the bars lie inside it."""
    needed = [value / (1 - min(0.8, _LETTER * len(text))) for value, text in zip(values, words, strict=False)]
    return max([1.0, *needed]) * 1.02


def hours(seconds: pd.Series) -> pd.Series:
    """Worked seconds as hours."""
    return seconds.astype("float64") / HOUR


def largest_first(rows: pd.DataFrame, by: Sequence[str], *, size: str, names: Sequence[str]) -> pd.DataFrame:
    """Rows by group in dictionary order, in each group the largest first, equal ones by name."""
    named = sorted_groups(rows, names).sort_values(size, ascending=False, kind="stable")
    return sorted_groups(named, by).reset_index(drop=True)


def group_totals(values: pd.Series, rows: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """The sum of values over each row's group."""
    if not by:
        return pd.Series(values.sum(), index=values.index)
    return values.groupby([rows[name] for name in by], dropna=False).transform("sum")
