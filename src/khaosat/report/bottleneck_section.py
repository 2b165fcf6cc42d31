"""Where late dossiers could be avoided: the steering committee's brief, and a section of the quarterly report."""

from __future__ import annotations

from dataclasses import replace

from khaosat.facts.language import number, percent, say
from khaosat.report.quarter import Quarter
from khaosat.show.figure import draw
from khaosat.show.section import Part, Section
from khaosat.show.text import Text

FIRST = 5


def bottlenecks(quarter: Quarter, *, table: bool = True) -> Section:
    """The first bottlenecks in sentences, figure and table: step, unit, evidence, who must act."""
    from khaosat.dossiers import bottleneck_findings

    if not quarter.has_dossiers:
        return Section((Text(sentences=(_none(quarter),)),))
    found = bottleneck_findings(quarter.log_or_fail, period=quarter.period, top=FIRST)
    if found.rows.empty:
        return Section((Text(sentences=(_none(quarter), *found.notes)),))
    rows = found.rows
    ax = found.plot()
    ax.set_xlabel(say("Avoidable late dossiers"))
    figure = draw(
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
    parts: list[Part] = [Text(sentences=tuple(found.sentences)), figure]
    return Section((*parts, replace(found, source=quarter.workspace.source).table()) if table else tuple(parts))


def process(quarter: Quarter) -> Section:
    """The map of the steps: how many dossiers pass where, how long they wait, how many of them end late."""
    from khaosat.dossiers import process_map

    if not quarter.has_dossiers:
        return Section(())
    found = process_map(quarter.log_or_fail, period=quarter.period)
    if found.rows.empty:
        return Section((Text(sentences=found.notes),))
    return Section((replace(found, source=quarter.workspace.source).figure(),))


def _none(quarter: Quarter) -> str:
    return say("No bottleneck was found in {period}.", period=quarter.period.label)
