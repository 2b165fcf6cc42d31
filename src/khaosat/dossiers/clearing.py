"""Clearance: how long the dossiers in hand would take at the speed at which they are closed."""

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
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Clearance(FlowResult):
    """Stock, flows and speed: by…, ``month`` (or ``quarter``), ``carried, received, closed, open, difference,
    working_days, clearance_rate, clearance_days, overdue, n``.

    ``difference = carried + received - closed - open``; ``clearance_rate = closed / received``; ``clearance_days`` are
    the working days that the open ones take at the speed of the month; ``n = carried + received``.
    """

    def worded(self) -> pd.DataFrame:
        """The rows with months as people write them."""
        rows = super().worded()
        return rows.assign(month=rows["month"].map(short_name)) if self.freq == "month" else rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """Working days to clear the stock over time, all groups together."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, WIDTH, theme

        sums = self.rows.groupby(self.freq, sort=True)[["open", "closed"]].sum()
        days = self.rows.groupby(self.freq, sort=True)["working_days"].max()
        rows = pd.DataFrame({"days": share(sums["open"] * days, sums["closed"])}, index=sums.index)
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 2.6))
            place = np.arange(len(rows))
            ax.grid(axis="x", visible=False)
            ax.plot(place, rows["days"], color=BLUE, marker="o", markersize=3)
            known = np.flatnonzero(rows["days"].notna())
            for i in known[-1:]:
                ax.annotate(number(rows["days"].iloc[i], 1), (i, rows["days"].iloc[i]), xytext=(6, 0), va="center",
                            textcoords="offset points", color=BLUE, annotation_clip=False)  # fmt: skip
            shown = place[::-1][:: max(1, -(-len(rows) // 12))][::-1]
            names = [short_name(name) if self.freq == "month" else name for name in rows.index]
            ax.set_xticks(shown, [names[i] for i in shown], rotation=30, ha="right")
            ax.set_ylim(bottom=0)
            ax.set_ylabel(say("Working days to clear"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name=self.freq),
            *(Column(name=name, kind="int") for name in ("carried", "received", "closed", "open", "overdue")),
            Column(name="clearance_rate", kind="percent", decimals=1),
            Column(name="clearance_days", kind="number", decimals=1),
        ]

    def _small_cells(self) -> pd.Series:
        """The gate is for groups: the whole city is no small cell, however slow a month was."""
        return super()._small_cells() if self.by else pd.Series(False, index=self.rows.index)


def clearance(log: DossierLog, *, by: str | Sequence[str] | None = None, freq: Freq = "month") -> Clearance:
    """How fast the stock is worked off: closed against received, and the working days to clear what is open.

    ``open = carried + received - closed``, ``clearance_days = open / (closed / working days)``

    Parameters
    ----------
    log
        The dossiers.
    by
        Columns of ``dossiers`` to group by.
    freq
        ``month`` or ``quarter``.

    Returns
    -------
    Clearance
        by…, ``month`` (``2026-07``) or ``quarter``; NaN where nothing was closed or received.

    Notes
    -----
    The time that a newcomer would wait if the office took dossiers in their order and its speed stayed: Little's law
    with the stock at the end and the speed of the month. It is no forecast.

    References
    ----------
    Little (1961), Operations Research 9, 383-387; the clearance rate and disposition time of courts: CEPEJ (2018),
    European judicial systems, glossary.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> clearance(example_log()).rows[["month", "open", "clearance_days"]].round(1).values.tolist()[1]
    ['2026-04', 0, 0.0]
    """
    columns = group_columns(by)
    rows, left_out = flows(log, by=columns, freq=freq)
    rows["n"] = rows["carried"] + rows["received"]
    rows["difference"] = rows["n"] - rows["closed"] - rows["open"]
    rows["clearance_rate"] = share(rows["closed"], rows["received"])
    rows["clearance_days"] = share(rows["open"] * rows["working_days"], rows["closed"])
    names = [freq, "carried", "received", "closed", "open", "difference", "working_days", "clearance_rate",
             "clearance_days", "overdue", "n"]  # fmt: skip
    notes = [
        say("Working days to clear: open dossiers at the end, at the speed of the month or quarter. A clearance rate "
            "above 100%: the stock falls."),
        *window(log, None).notes(),
    ]  # fmt: skip
    idle = int((rows["closed"] == 0).sum())
    if idle:
        notes.append(say("No time to clear in {n} rows: nothing was closed.", n=idle))
    if left_out:
        notes.append(
            say("{n} dossiers are in no count: they have no reception date, or have ended without an end date.",
                n=left_out)
        )  # fmt: skip
    return Clearance(
        rows=rows[[*columns, *names]], by=columns, freq=freq, unit="count", notes=tuple(notes), source=log.source,
        title=say("Working off the stock of dossiers{by}", by=by_words(columns)),
    )  # fmt: skip
