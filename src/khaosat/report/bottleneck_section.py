"""Where late dossiers could be avoided: the steering committee's brief, and a section of the quarterly report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from khaosat.facts.language import number, percent, say
from khaosat.report.quarter import Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.plots import page_axes
from khaosat.show.section import Part, Section
from khaosat.show.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from khaosat.dossiers.priorities import BottleneckFindings

FIRST = 5
REPLAYED = 3
"""Bottlenecks for which the period is replayed."""


def bottlenecks(quarter: Quarter, *, figure: bool = True, table: bool = True) -> Section:
    """The first bottlenecks in sentences, figure and table: step, unit, evidence, who must act."""
    from khaosat.dossiers import bottleneck_findings

    if not quarter.has_dossiers:
        return Section((Text(sentences=(_none(quarter),)),))
    found = bottleneck_findings(quarter.log_or_fail, period=quarter.period, top=FIRST)
    if found.rows.empty:
        return Section((Text(sentences=(_none(quarter), *found.notes)),))
    parts: list[Part] = [Text(sentences=tuple(found.sentences))]
    if figure:
        parts.append(_ranked(quarter, found))
    if table:
        parts.append(replace(found, source=quarter.workspace.source).table())
    return Section(tuple(parts))


def _ranked(quarter: Quarter, found: BottleneckFindings) -> Figure:
    rows = found.rows
    ax = found.plot(page_axes(0.2 * len(rows) + 0.7))
    ax.set_xlabel(say("Avoidable late dossiers"))
    return draw(
        ax,
        title=say(
            "First bottleneck in {period}: “{step}” at {unit}, {n} late dossiers avoidable",
            period=quarter.period.label,
            step=rows["step"].iloc[0],
            unit=rows["unit"].iloc[0],
            n=int(rows["estimate"].iloc[0]),
        ),
        alt=say(
            "Dot chart of avoidable late dossiers with 95% confidence intervals: {list}.",
            list="; ".join(
                f"{row['step']}, {row['unit']}: {number(row['estimate'])} ({percent(row['share'])})"
                for _, row in rows.iterrows()
            ),
        ),
        source=quarter.workspace.source,
    )


def remedies(quarter: Quarter) -> Section:
    """What each of the first bottlenecks would give back in its own legal time: the period replayed without it."""
    from khaosat.dossiers import bottleneck_findings, what_if

    if not quarter.has_dossiers:
        return Section((Text(sentences=(_none(quarter),)),))
    log = quarter.log_or_fail
    first = bottleneck_findings(log, period=quarter.period, top=REPLAYED).rows
    asked = [{"legal_time": row["step"], "unit": row["unit"]} for _, row in first.iterrows()]
    if not asked:
        return Section((Text(sentences=(_none(quarter),)),))
    found = what_if(log, asked, period=quarter.period)
    if not found.reproduced:
        return Section((Text(sentences=(f"{found.finding()}.",)),))
    how = say("Computed by replaying the dossiers closed in the period {n} times; what comes with the change is not "
              "in it (officers moved, new delays elsewhere).", n=found.replications)  # fmt: skip
    return Section((Text(sentences=(*(_remedy(row) for _, row in found.rows.iloc[1:].iterrows()), how)),))


def _remedy(row: pd.Series) -> str:
    if row["verdict"] != "fewer":
        return say("{scenario}: no sure change of the late share.", scenario=row["scenario"])
    return say(
        "{scenario}: about {n} late dossiers fewer in the period ({low}–{high}), the late share down by {points} "
        "percentage points.",
        scenario=row["scenario"], n=number(row["avoided"]), low=number(row["low_avoided"]),
        high=number(row["high_avoided"]), points=number(-100 * row["difference"], 1),
    )  # fmt: skip


def process(quarter: Quarter) -> Section:
    """The map of the steps: how many dossiers pass where, how long they wait, how many of them end late."""
    from khaosat.dossiers import process_map

    if not quarter.has_dossiers:
        return Section((Text(sentences=(_none(quarter),)),))
    found = process_map(quarter.log_or_fail, period=quarter.period)
    if found.rows.empty:
        return Section((Text(sentences=found.notes),))
    return Section((replace(found, source=quarter.workspace.source).figure(),))


def _none(quarter: Quarter) -> str:
    if not quarter.has_dossiers:  # where nothing was looked at, nothing was found either way
        return say("No dossier was received, open or closed in {period}.", period=quarter.period.label)
    return say("No bottleneck was found in {period}.", period=quarter.period.label)
