"""The stock: how many dossiers are open, and how many of them overdue, at the end of each month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.result import FlowResult, Freq, by_words, sorted_groups
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import Deadline, ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import date, number, say
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CODES = {"month": "M", "quarter": "Q"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Backlog(FlowResult):
    """Stocks by month or quarter: by…, ``month`` (or ``quarter``), ``received, closed, open, overdue, n``.

    ``n`` is what was in hand during the step: open before it plus received in it.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Open and overdue dossiers over time, all groups together, each line named at its end."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, VERMILION, WIDTH, theme

        rows = self.rows.groupby(self.freq, sort=True)[["open", "overdue"]].sum()
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 2.8))
            ax.grid(axis="x", visible=False)
            ax.grid(axis="y", color="#E3E3E3")
            place = np.arange(len(rows))
            for column, colour, words in (("open", BLUE, say("open")), ("overdue", VERMILION, say("overdue"))):
                ax.plot(place, rows[column], color=colour, marker="o", markersize=3)
                if len(rows):
                    last = int(rows[column].iloc[-1])
                    ax.annotate(f"{words}: {number(last)}", (place[-1], last), xytext=(6, 0), color=colour,
                                textcoords="offset points", va="center", annotation_clip=False)  # fmt: skip
            every = max(1, -(-len(rows) // 12))
            shown = place[::-1][::every][::-1]
            ax.set_xticks(shown, [_short(str(rows.index[i])) for i in shown])
            ax.margins(x=0.02)
            ax.set_ylim(bottom=0)
            ax.set_ylabel(say("Dossiers"))
            ax.yaxis.set_major_formatter(lambda value, _: number(value))
        return ax

    def _columns(self) -> Sequence[Column]:
        flow, stock = say("In the month") if self.freq == "month" else say("In the quarter"), say("At its end")
        return [
            *self._key_columns(),
            Column(name=self.freq),
            Column(name="received", kind="int", group=flow),
            Column(name="closed", kind="int", group=flow),
            Column(name="open", kind="int", group=stock),
            Column(name="overdue", kind="int", group=stock),
        ]

    def worded(self) -> pd.DataFrame:
        """The rows with months as people write them: ``07/2026``."""
        rows = super().worded()
        if self.freq == "month":
            rows["month"] = [f"{month[5:]}/{month[:4]}" for month in rows["month"]]
        return rows

    def _small_cells(self) -> pd.Series:
        """The gate is for groups: the whole city is no small cell, however slow a month was."""
        return super()._small_cells() if self.by else pd.Series(False, index=self.rows.index)


def backlog(
    log: DossierLog,
    *,
    by: str | Sequence[str] | None = None,
    freq: Freq = "month",
    until: Period | str | None = None,
    deadline: Deadline = "original",
) -> Backlog:
    """Received and closed dossiers of each month, and what is open and overdue at its end.

    ``open_t = open_{t-1} + received_t - closed_t``; overdue likewise, from dossiers that expire and those that leave.

    Parameters
    ----------
    log
        The dossiers.
    by
        Columns of ``dossiers`` to group by.
    freq
        ``month`` or ``quarter``.
    until
        The period with which the rows end; by default they go on to the snapshot.
    deadline
        As in :func:`khaosat.dossiers.on_time`.

    Returns
    -------
    Backlog
        by…, ``month`` (``2026-07``) or ``quarter`` (``2026-Q3``), ``received, closed, open, overdue, n``. A group's
        rows begin with its first dossier; all end with the month of the snapshot, whose stocks are those at it.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> backlog(example_log()).rows[["month", "open", "overdue"]].values.tolist()
    [['2026-03', 1, 0], ['2026-04', 0, 0], ['2026-05', 1, 1], ['2026-06', 2, 1], ['2026-07', 2, 1]]
    """
    columns, span = group_columns(by), window(log, None)
    if freq not in get_args(Freq):
        raise KhaosatError(f"freq is {freq!r}: it must be {' or '.join(get_args(Freq))}")
    if freq in columns:
        raise KhaosatError(f"the rows are {freq}s already: group by something else than {freq!r}")
    flows = ask(log.engine, "backlog", by=columns, deadline=deadline, ended=ENDED, step=freq, known=span.known,
                as_of=span.as_of)  # fmt: skip
    left_out = int(flows["left_out"].fillna(0).sum())
    flows = flows.dropna(subset=["step"])
    rows = sorted_groups(_running(flows, columns, span, freq), [*columns, freq])
    last = min(span.last, as_period(until).end - dt.timedelta(microseconds=1)) if until is not None else span.last
    end = _name(pd.Period(last, freq=_CODES[freq]), freq)
    rows = rows[rows[freq].astype(str) <= end].reset_index(drop=True)
    notes = [deadline_words(deadline)]
    if last == span.last:
        moment = f"{date(log.as_of)} {log.as_of:%H:%M}"
        notes.append(say("The last row is the state at the snapshot, {moment}.", moment=moment))
    if rows.empty:
        notes = [say("No dossier was in hand in {period}.", period=span.label)]
    if left_out:
        notes.append(
            say("{n} dossiers are in no count: they have no reception date, or have ended without an end date.",
                n=left_out)
        )  # fmt: skip
    title = say("Open and overdue dossiers at the end of each month{by}", by=by_words(columns))
    if freq == "quarter":
        title = say("Open and overdue dossiers at the end of each quarter{by}", by=by_words(columns))
    return Backlog(
        rows=rows, by=columns, freq=freq, unit="count", title=title, notes=tuple(notes), source=log.source
    )  # fmt: skip


def _running(flows: pd.DataFrame, by: tuple[str, ...], span: Window, freq: Freq) -> pd.DataFrame:
    """Running sums of the flows over every step from a group's first dossier to the snapshot."""
    code = _CODES[freq]
    steps = pd.PeriodIndex(pd.to_datetime(flows["step"]), freq=code)
    names = ["received", "closed", "overdue_in", "overdue_out"]
    groups = flows.groupby(list(by), dropna=False, sort=False).ngroup() if by else pd.Series(0, index=flows.index)
    last = pd.Period(span.last, freq=code)
    every = pd.period_range(steps.min() if len(steps) else last, last, freq=code)
    grid = pd.MultiIndex.from_product([groups.unique(), every], names=["group", freq])
    dense = flows[names].set_axis(pd.MultiIndex.from_arrays([groups, steps], names=["group", freq]))
    dense = dense.reindex(grid, fill_value=0).astype("int64")
    totals = dense.groupby("group", sort=False).cumsum()
    rows = dense[["received", "closed"]].copy()
    rows["open"] = totals["received"] - totals["closed"]
    rows["overdue"] = totals["overdue_in"] - totals["overdue_out"]
    rows["n"] = rows["open"] + rows["closed"]
    rows = rows[totals["received"] > 0].reset_index()
    labels = flows.assign(group=groups).drop_duplicates("group").set_index("group")[list(by)]
    periods = pd.PeriodIndex(rows[freq])
    rows[freq] = [_name(period, freq) for period in periods]
    return pd.concat([labels.loc[rows["group"]].reset_index(drop=True), rows.drop(columns="group")], axis=1)


def _name(period: pd.Period, freq: Freq) -> str:
    """``2026-07`` or ``2026-Q3``: sorts as it passes."""
    return f"{period.year}-Q{period.quarter}" if freq == "quarter" else f"{period.year}-{period.month:02d}"


def _short(step: str) -> str:
    """A month or quarter as a figure's axis has room for it: ``07/26``, ``Q3/26``."""
    year, part = step.split("-")
    return f"{part}/{year[2:]}"
