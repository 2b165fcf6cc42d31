"""What the law asks of a period: targets, scorecard, form II.06a, and what is owed for late dossiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

from khaosat.facts.language import number, percent, say
from khaosat.report.findings import Row
from khaosat.report.quarter import Quarter
from khaosat.show.figure import draw
from khaosat.show.section import Part, Section
from khaosat.show.text import Text

if TYPE_CHECKING:
    from khaosat.results import Result

    AnyResult = TypeVar("AnyResult", bound=Result)

LISTED = 15


def targets(quarter: Quarter) -> Section:
    """The city's targets: value, gap, trend, forecast and the verdict in words."""
    from khaosat.scorecards import against_targets

    found = _sourced(quarter, against_targets(quarter.log, quarter.workspace.targets.set, period=quarter.period))
    lights = found.rows["light"].value_counts().reindex(["met", "near", "missed", "no_data"], fill_value=0)
    counts = {str(light): int(n) for light, n in lights.items()}
    verdicts = zip(found.rows["label"], found.worded()["light"], strict=True)
    figure = draw(
        found.plot(),
        title=say("{met} of {n} targets met, {near} near, {missed} missed; {no_data} without data", n=len(found.rows),
                  **counts),
        alt=say("Values against targets, a line each. {list}.", list="; ".join(": ".join(pair) for pair in verdicts)),
        source=quarter.workspace.source,
    )  # fmt: skip
    return Section((figure, found.table()))


def scorecard(quarter: Quarter) -> Section:
    """The components of Decision 766 that the log gives, with the points they come to."""
    from khaosat.scorecards import score_766

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _sourced(quarter, score_766(quarter.log_or_fail, period=quarter.period))
    known = found.rows["score"].notna()
    if not known.any():
        return Section((found.table(),))
    total = found.rows.iloc[-1]
    shown = replace(found, rows=found.rows[known].reset_index(drop=True))
    words = zip(shown.worded()["component"], shown.rows["score"], strict=True)
    figure = draw(
        shown.plot(),
        title=say("{score} of the {most} points of Decision 766 that the log can give", score=number(total["score"], 2),
                  most=int(total["max_score"])),
        alt=say("Points against maxima, a bar a component. {list}.",
                list="; ".join(f"{name}: {number(score, 2)}" for name, score in words)),
        source=quarter.workspace.source,
    )  # fmt: skip
    return Section((figure, shown.table()))


def form_06a(quarter: Quarter) -> Section:
    """Form II.06a of the period by field, as an annex."""
    from khaosat.scorecards import form_06a as official_form
    from khaosat.scorecards.form_checks import fault_notes

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _sourced(quarter, official_form(quarter.log_or_fail, period=quarter.period))
    named = set(fault_notes(found.faults))  # they name dossiers: for the office, not for a report
    shown = replace(found, notes=tuple(note for note in found.notes if note not in named))
    if not found.ready:
        shown = shown.note(say("The form does not reconcile yet: {n} faults, named to the office that submits it.",
                               n=len(found.faults)))  # fmt: skip
    return Section((shown.table(),))


def late_dossiers(quarter: Quarter) -> Section:
    """The late dossiers without their codes, the latest first."""
    from khaosat.dossiers import late_list

    if not quarter.has_dossiers:
        return _nothing(quarter)
    return Section((_sourced(quarter, late_list(quarter.log_or_fail, period=quarter.period, top=LISTED)).table(),))


def apologies(quarter: Quarter) -> Section:
    """What is owed for late dossiers: how often each duty was done."""
    from khaosat.scorecards import apology_duty

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _sourced(quarter, apology_duty(quarter.log_or_fail, period=quarter.period))
    if found.rows["estimate"].isna().all():
        return Section((found.table(),))
    met = dict(zip(found.rows["duty"], found.rows["estimate"], strict=True))
    figure = draw(
        found.plot(),
        title=say("An apology was sent for {share} of late dossiers; every duty was met for {all}",
                  share=percent(met["sent"]), all=percent(met["fulfilled"])),
        alt=say("Dot chart with intervals: shares of {n} late dossiers that meet each duty. {list}.",
                n=int(found.rows["n"].iloc[0]), list=_shares(found)),
        source=quarter.workspace.source,
    )  # fmt: skip
    return Section((figure, found.table()))


def late_reasons(quarter: Quarter) -> Section:
    """The recorded causes of late dossiers."""
    from khaosat.scorecards import late_causes

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _sourced(quarter, late_causes(quarter.log_or_fail, period=quarter.period))
    if found.rows.empty:
        return Section((Text(sentences=found.notes[:1]),))
    own = cast(Row, found.faults[found.faults["fault"] == "subjective"].iloc[0])
    sentence = say(
        "Of {n} late dossiers with a recorded reason, {share} (95% interval {low} to {high}) were late for subjective "
        "causes; the commonest cause recorded is “{cause}”.",
        n=int(own["denominator"]), share=percent(own["estimate"]), low=percent(own["low"]), high=percent(own["high"]),
        cause=found.rows["label"].iloc[0],
    )  # fmt: skip
    return Section((Text(sentences=(sentence,)), found.table()))


def slow(quarter: Quarter) -> Section:
    """Units surely later than the city; officials are never named here."""
    from khaosat.scorecards import slow_units

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _sourced(quarter, slow_units(quarter.log_or_fail, period=quarter.period))
    if found.rows.empty:
        none = say("No unit is surely later than the city as a whole.")
        return Section((Text(sentences=(none, *found.notes)),))
    names = say("{n} units were later than the city beyond chance and the mix of their dossiers.", n=len(found.rows))
    parts: tuple[Part, ...] = (Text(sentences=(names,)), found.table())
    return Section(parts)


def _shares(found: Result) -> str:
    rows = found.rows.dropna(subset=["estimate"])
    return "; ".join(f"{name}: {percent(value)}" for name, value in zip(rows["label"], rows["estimate"], strict=True))


def _sourced(quarter: Quarter, result: AnyResult) -> AnyResult:
    return replace(result, source=result.source or quarter.workspace.source)


def _nothing(quarter: Quarter) -> Section:
    text = say("No dossier was received, open or closed in {period}.", period=quarter.period.label)
    return Section((Text(sentences=(text,)),))
