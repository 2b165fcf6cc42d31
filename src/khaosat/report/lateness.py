"""Sections III and IV: dossiers on time, where they are late, and what is still open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.report.quarter import TREND_PERIODS, Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.section import Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text
from khaosat.show.theme import BLUE, INK, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from khaosat.results import Result

TOP_GROUPS = 15
TOP_PROCEDURES = 10
MONTHS_SHOWN = 13


def punctuality(quarter: Quarter) -> Section:
    """The on-time rate over the last periods and by every official definition."""
    from khaosat.dossiers import late_rates

    if not quarter.has_dossiers:
        return _nothing(quarter)
    trend = trend_rows(quarter)
    rates = _sourced(quarter, late_rates(quarter.log_or_fail, period=quarter.period)).table()
    if trend.empty:  # dossiers are open, but none was ever closed
        return Section((rates,))
    return Section((_trend_figure(quarter, trend), _trend_table(quarter, trend), rates))


def by_group(quarter: Quarter, by: str) -> Section:
    """The late share by a column: the groups with most late dossiers first."""
    from khaosat.dossiers import on_time

    if not quarter.has_dossiers:
        return _nothing(quarter)
    result = _sourced(quarter, on_time(quarter.log_or_fail, period=quarter.period, by=by))
    if result.rows[by].isna().all():
        return Section((Text(sentences=(_not_recorded(by),)),))
    rows = result.rows.sort_values(["numerator", "denominator"], ascending=False, kind="stable")
    shown = replace(result, rows=rows.head(TOP_GROUPS).reset_index(drop=True))
    left = len(rows) - len(shown.rows)
    if left > 0:
        late = int(rows["numerator"].iloc[TOP_GROUPS:].sum())
        shown = shown.note(
            say("{n} more groups are not shown; together they have {late} late dossiers.", n=left, late=late)
        )
    return Section((shown.table(),))


def procedures(quarter: Quarter) -> Section:
    """The procedures that most late dossiers come from."""
    from khaosat.dossiers import late_pareto

    if not quarter.has_dossiers:
        return _nothing(quarter)
    pareto = late_pareto(quarter.log_or_fail, period=quarter.period, by="procedure_name", top=TOP_PROCEDURES)
    result = _sourced(quarter, pareto)
    if len(result.rows) and result.rows["procedure_name"].isna().all():
        return Section((Text(sentences=(_not_recorded("procedure_name"),)),))
    if result.rows.empty or not result.rows["numerator"].sum():
        return Section(
            (Text(sentences=(say("No closed dossier was late in {period}.", period=quarter.period.label),)),)
        )
    rows = result.rows
    count, share = len(rows), float(rows["cumulative_share"].iloc[-1])
    figure = draw(
        result.plot(),
        title=say("{n} procedures account for {share} of late dossiers", n=count, share=percent(share)),
        alt=say(
            "Bar chart of late dossiers by procedure. First: {name}, {late} late of {closed} closed; the {n} shown "
            "make up {share} of all late dossiers.",
            name=rows["procedure_name"].iloc[0],
            late=int(rows["numerator"].iloc[0]),
            closed=int(rows["denominator"].iloc[0]),
            n=count,
            share=percent(share),
        ),
        source=quarter.workspace.source,
    )
    return Section((figure, result.table()))


def open_dossiers(quarter: Quarter) -> Section:
    """What is open and overdue at the end of each month."""
    if not quarter.has_dossiers:
        return _nothing(quarter)
    result = _sourced(quarter, quarter.backlog)
    shown = replace(result, rows=result.rows.tail(MONTHS_SHOWN).reset_index(drop=True))
    first, last = shown.rows.iloc[0], shown.rows.iloc[-1]
    share = percent(last["overdue"] / last["open"]) if last["open"] else percent(0)
    figure = draw(
        shown.plot(),
        title=say(
            "At the end of {month}, {open} dossiers are open, {share} of them overdue",
            month=f"{pd.Timestamp(last['month']):%m/%Y}",
            open=int(last["open"]),
            share=share,
        ),
        alt=say(
            "Line chart of open and overdue dossiers at each month's end, {first} to {last}. At the end: {open} open, "
            "{overdue} overdue.",
            first=f"{pd.Timestamp(first['month']):%m/%Y}",
            last=f"{pd.Timestamp(last['month']):%m/%Y}",
            open=int(last["open"]),
            overdue=int(last["overdue"]),
        ),
        source=quarter.workspace.source,
    )
    return Section((figure, shown.table()))


def trend_rows(quarter: Quarter) -> pd.DataFrame:
    """On-time share (definition ``closed``) of the last periods, oldest first, where any dossier was closed."""
    from khaosat.dossiers import on_time

    periods = [quarter.period]
    while len(periods) < TREND_PERIODS:
        periods.insert(0, periods[0].previous)
    rows = []
    for period in periods:
        row = on_time(quarter.log_or_fail, period=period).rows.iloc[0]
        if row["denominator"]:
            rows.append(
                {
                    "period": str(period), "numerator": row["denominator"] - row["numerator"],
                    "denominator": row["denominator"], "estimate": 1 - row["estimate"],
                    "low": 1 - row["high"], "high": 1 - row["low"],
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["period", "numerator", "denominator", "estimate", "low", "high"])


def _trend_table(quarter: Quarter, rows: pd.DataFrame) -> Table:
    return make_table(
        rows,
        [
            Column(name="period", label=say("Period")),
            Column(name="numerator", kind="int", label=say("Closed on time")),
            Column(name="denominator", kind="int", label=say("Closed with a due date")),
            Column(name="estimate", kind="percent", decimals=2, label=say("On-time share")),
            Column(name=("low", "high"), kind="interval_percent", decimals=2),
        ],
        title=say("Closed dossiers on time, by period"),
        notes=[
            say("Numerator: closed by the original due date; denominator: closed in the period with a due date."),
            say("Target: {target}. Interval: Wilson, 95%.", target=percent(quarter.target)),
        ],
        source=quarter.workspace.source,
    )


def _trend_figure(quarter: Quarter, rows: pd.DataFrame) -> Figure:
    last = rows.iloc[-1]
    values = {"share": percent(last["estimate"], 2), "target": percent(quarter.target), "period": last["period"]}
    met = last["estimate"] >= quarter.target
    return draw(
        _draw_trend(rows, target=quarter.target),
        title=say("{period}: {share} of closed dossiers on time, target of {target} met", **values)
        if met
        else say("{period}: {share} of closed dossiers on time, target of {target} missed", **values),
        alt=say(
            "Line chart of the on-time share of {n} periods with 95% intervals and the target of {target}. First "
            "{first}, last {share}.",
            n=len(rows),
            first=percent(rows.iloc[0]["estimate"], 2),
            target=values["target"],
            share=values["share"],
        ),
        notes=(say("n = {n} dossiers closed in the last period.", n=int(last["denominator"])),),
        source=quarter.workspace.source,
    )


def _draw_trend(rows: pd.DataFrame, *, target: float) -> Axes:
    import matplotlib.pyplot as plt

    with theme():
        _, ax = plt.subplots(figsize=(WIDTH, 2.8))
        place = np.arange(len(rows))
        ax.grid(axis="x", visible=False)
        ax.grid(axis="y", color="#E3E3E3")
        ax.axhline(target * 100, color=VERMILION, linewidth=1.2, linestyle="--")
        ax.annotate(
            say("target {target}", target=percent(target)),
            (-0.45, target * 100),
            xytext=(0, 3),
            textcoords="offset points",
            color=VERMILION,
        )
        ax.vlines(place, rows["low"] * 100, rows["high"] * 100, color=BLUE, alpha=0.5, linewidth=2)
        ax.plot(place, rows["estimate"] * 100, "o-", color=BLUE, markersize=5)
        for x, share, low in zip(place, rows["estimate"], rows["low"], strict=True):
            ax.annotate(
                percent(share), (x, low * 100), xytext=(0, -11), textcoords="offset points", ha="center", color=INK
            )
        ax.set_xticks(place, rows["period"])
        ax.set_xlim(-0.5, len(rows) - 0.5)
        lowest = rows["low"].min() * 100
        ax.set_ylim(lowest - 0.15 * (100 - lowest), 100.6)  # room for the label under the lowest point
        ax.set_ylabel(say("On time (%)"))
        ax.yaxis.set_major_formatter(lambda value, _: number(value))
    return ax


def _sourced(quarter: Quarter, result: Result) -> Result:
    return replace(result, source=result.source or quarter.workspace.source)


def _not_recorded(column: str) -> str:
    return say("The source does not record: {column}.", column=term(column).lower())


def _nothing(quarter: Quarter) -> Section:
    text = say("No dossier was received, open or closed in {period}.", period=quarter.period.label)
    return Section((Text(sentences=(text,)),))
