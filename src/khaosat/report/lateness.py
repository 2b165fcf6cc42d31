"""Sections III and IV: dossiers on time, where they are late, and what is still open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import percent, say
from khaosat.report import findings
from khaosat.report.quarter import Quarter
from khaosat.report.trends import trend_rows
from khaosat.show.figure import draw
from khaosat.show.plots import page_axes
from khaosat.show.section import Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text

if TYPE_CHECKING:
    from khaosat.results import Result

TOP_GROUPS = 12
TOP_PROCEDURES = 10
NAMED = 4
MONTHS_SHOWN = 13


def punctuality(quarter: Quarter) -> Section:
    """The on-time rate over the last periods and by every official definition."""
    from khaosat.dossiers import late_rates

    if not quarter.has_dossiers:
        return _nothing(quarter)
    trend = trend_rows(quarter)
    rates = _sourced(quarter, late_rates(quarter.log_or_fail, period=quarter.period))
    shares = rates.rows["estimate"].dropna()
    if trend.empty or shares.empty:  # dossiers are open, but none was ever closed
        return Section((rates.table(),))
    own = float(quarter.on_time["estimate"])
    told = findings.definitions_sentence(float(shares.min()), float(shares.max()), own)
    return Section((Text(sentences=(told,)), _trend_table(quarter, trend), rates.table()))


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
    return Section((Text(sentences=(_most_late(result, by),)), shown.table()))


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
        result.plot(page_axes(0.31 * count + 0.6)),
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
        shown.plot(page_axes(2.1)),
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


def _most_late(result: Result, by: str) -> str:
    """The groups with most late dossiers in a sentence; those too small to publish are among the others."""
    hidden = result.table().hidden
    rows = result.rows[[i not in hidden for i in range(len(result.rows))]].dropna(subset=[by])
    first = rows[rows["numerator"] > 0].sort_values("numerator", ascending=False, kind="stable").head(NAMED)
    named = [(str(r[by]), int(r["numerator"]), int(r["denominator"])) for _, r in first.iterrows()]
    left = int(result.rows["numerator"].sum()) - sum(late for _, late, _ in named)
    return findings.groups_sentence(named, others=len(result.rows) - len(named), others_late=left)


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


def _sourced(quarter: Quarter, result: Result) -> Result:
    return replace(result, source=result.source or quarter.workspace.source)


def _not_recorded(column: str) -> str:
    return say("The source does not record: {column}.", column=term(column).lower())


def _nothing(quarter: Quarter) -> Section:
    text = say("No dossier was received, open or closed in {period}.", period=quarter.period.label)
    return Section((Text(sentences=(text,)),))
