"""Surges: how many dossiers come in, against what came in before and against what a unit closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.months import flows, short_name
from khaosat.dossiers.result import FlowResult, Freq, by_words
from khaosat.dossiers.window import window
from khaosat.engine.query import group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share
from khaosat.stats.control_limits import baseline, count_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = {"month": 6, "quarter": 4}
"""Months or quarters of history below which there are no limits."""
MOST = {"month": 36, "quarter": 12}
"""How far history goes back."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Surges(FlowResult):
    """Arrivals against their own history: by…, ``month`` (or ``quarter``), ``received, expected, low, high, ratio,
    flag`` (``surge``, ``drop`` or empty), ``closed, capacity, over_capacity, working_days, history, seasonal, n``.

    ``ratio = received / expected``; ``capacity`` is what the group closes in so many working days, by the median of the
    months before; ``n = received``.
    """

    def worded(self) -> pd.DataFrame:
        """The rows with flags in words and months as people write them."""
        rows = super().worded()
        words = {"surge": say("surge"), "drop": say("drop"), "": ""}
        shown = rows[self.freq].map(short_name) if self.freq == "month" else rows[self.freq]
        return rows.assign(**{self.freq: shown, "flag": rows["flag"].map(words)})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Arrivals over time within their limits, flagged ones named; of several groups, the one with most surges."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, GREY, VERMILION, WIDTH, theme

        rows, name = _busiest(self.worded(), list(self.by))
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 2.8))
            place = np.arange(len(rows))
            ax.grid(axis="x", visible=False)
            ax.fill_between(place, rows["low"], rows["high"], color=GREY, alpha=0.25, linewidth=0, label=say("limits"))
            ax.plot(place, rows["capacity"], color=GREY, linestyle="--", linewidth=1, label=say("capacity"))
            ax.plot(place, rows["received"], color=BLUE, marker="o", markersize=3, label=say("received"))
            for i in np.flatnonzero(rows["flag"] != ""):
                words = f"{rows[self.freq].iloc[i]}: {number(int(rows['received'].iloc[i]))}"
                ax.plot(i, rows["received"].iloc[i], "o", color=VERMILION, markersize=6)
                ax.annotate(words, (i, rows["received"].iloc[i]), xytext=(0, 7), textcoords="offset points",
                            ha="center", color=VERMILION, fontsize=8)  # fmt: skip
            shown = place[::-1][:: max(1, -(-len(rows) // 12))][::-1]
            ax.set_xticks(shown, [str(rows[self.freq].iloc[i]) for i in shown], rotation=30, ha="right")
            ax.set_ylim(bottom=0)
            ax.margins(y=0.15)
            ax.set_ylabel(say("Dossiers"))
            ax.set_title(name)
            ax.yaxis.set_major_formatter(lambda value, _: number(value))
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1) if not name else (0, 1.08), ncols=3, fontsize=8)
        return ax

    def _columns(self) -> Sequence[Column]:
        history, work = say("By its own history"), say("Against capacity")
        return [
            *self._key_columns(),
            Column(name=self.freq),
            Column(name="received", kind="int"),
            Column(name="expected", kind="number", decimals=0, group=history),
            Column(name=("low", "high"), kind="interval", decimals=0, group=history, label=say("Limits")),
            Column(name="ratio", kind="number", decimals=2, group=history),
            Column(name="flag", group=history, label=say("Flag")),
            Column(name="closed", kind="int", group=work),
            Column(name="capacity", kind="number", decimals=0, group=work),
        ]

    def _small_cells(self) -> pd.Series:
        """The gate is for groups: the whole city is no small cell, however slow a month was."""
        return super()._small_cells() if self.by else pd.Series(False, index=self.rows.index)


def surges(
    log: DossierLog, *, by: str | Sequence[str] | None = None, freq: Freq = "month", level: float = 0.99
) -> Surges:
    """Months in which more dossiers came in than the months before let expect, or more than the office closes.

    ``expected = working days x rate before``, limits by a negative binomial distribution around it.

    Parameters
    ----------
    log
        The dossiers.
    by
        Columns of ``dossiers`` to group by.
    freq
        ``month`` or ``quarter``.
    level
        Share of months that lie within the limits when nothing happens.

    Returns
    -------
    Surges
        by…, ``month`` (``2026-07``) or ``quarter``, counts, limits and flags; a group begins with its first dossier. No
        limits where a group has fewer than 6 months (4 quarters) behind it.

    Notes
    -----
    Each month is judged by those before it only, at most three years of them: what is known when it ends. The history
    is used as it is, past surges included, which widens the limits. Where each month of the year has been seen twice,
    the expectation is that of the same months. Capacity is the median of dossiers closed per working day over the
    months before: an office that never had more to do shows less than it can.

    References
    ----------
    Farrington, Andrews, Beale and Catchpole (1996), JRSS A 159, 547-563.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> surges(example_log()).rows[["month", "received"]].head(2).values.tolist()
    [['2026-03', 1], ['2026-04', 2]]
    """
    if not 0 < level < 1:
        raise KhaosatError(f"level is {level}: it lies between 0 and 1")
    columns = group_columns(by)
    rows, left_out = flows(log, by=columns, freq=freq)
    parts = (
        [_judged(part, freq) for _, part in rows.groupby(list(columns), dropna=False, sort=False)]
        if columns
        else [_judged(rows, freq)]
    )
    rows = pd.concat(parts, ignore_index=True) if parts else _judged(rows, freq)
    rows["low"], rows["high"] = count_limits(rows["expected"], rows.pop("variance"), level=level)
    rows["ratio"] = share(rows["received"], rows["expected"].fillna(0))
    above, below = rows["received"] > rows["high"], rows["received"] < rows["low"]
    rows["flag"] = np.select([above, below], ["surge", "drop"], default="")
    rows["over_capacity"] = rows["received"] > rows["capacity"]
    rows["n"] = rows["received"]
    names = [freq, "received", "expected", "low", "high", "ratio", "flag", "closed", "capacity", "over_capacity",
             "working_days", "history", "seasonal", "n"]  # fmt: skip
    return Surges(
        rows=rows[[*columns, *names]], by=columns, level=level, freq=freq, unit="count", source=log.source,
        notes=tuple(_notes(log, rows, freq=freq, level=level, left_out=left_out)),
        title=say("Dossiers received against their own history{by}", by=by_words(columns)),
    )  # fmt: skip


def _judged(rows: pd.DataFrame, freq: Freq) -> pd.DataFrame:
    """One group's months with what was expected of each, and its capacity."""
    parts = np.array([name[-2:] for name in rows[freq]], dtype=object)
    found = baseline(rows["received"], rows["working_days"], season=pd.factorize(parts)[0], least=LEAST[freq],
                     most=MOST[freq])  # fmt: skip
    speed = pd.Series(share(rows["closed"], rows["working_days"]), index=rows.index)
    usual = speed.shift().expanding(min_periods=LEAST[freq]).median()
    return rows.assign(
        expected=found.mean, variance=found.variance, history=found.history, seasonal=found.seasonal,
        capacity=usual * rows["working_days"],
    )  # fmt: skip


def _notes(log: DossierLog, rows: pd.DataFrame, *, freq: Freq, level: float, left_out: int) -> list[str]:
    judged = int(rows["high"].notna().sum())
    notes = [
        say("Expected: the rate per working day before, times the working days; limits: negative binomial, {level}. If "
            "nothing happened, about {n} of {judged} would be flagged all the same.", level=percent(level, 0),
            n=number((1 - level) * judged, 1), judged=judged),
        say("Capacity: median of dossiers closed per working day before, times the working days."),
        *window(log, None).notes(),
    ]  # fmt: skip
    if not judged:
        notes.append(
            say("The log is too short for limits: they need {n} {freq} of history.", n=LEAST[freq], freq=_words(freq))
        )
    if left_out:
        notes.append(
            say("{n} dossiers are in no count: they have no reception date, or have ended without an end date.",
                n=left_out)
        )  # fmt: skip
    return notes


def _words(freq: Freq) -> str:
    return say("months") if freq == "month" else say("quarters")


def _busiest(rows: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, str]:
    """The rows of the group with most flags, and what it is called."""
    if not by or rows.empty:
        return rows, ""
    size = rows.assign(flagged=rows["flag"] != "").groupby(by, sort=False)[["flagged", "received"]].sum()
    names = size.sort_values(["flagged", "received"], ascending=False, kind="stable").index[0]
    wanted = names if isinstance(names, tuple) else (names,)
    chosen = np.logical_and.reduce([rows[column] == name for column, name in zip(by, wanted, strict=True)])
    return rows[chosen], " · ".join(wanted)
