"""Sections of the report on one survey wave: groups compared, where dissatisfaction gathers, what answers are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from khaosat.errors import KhaosatError
from khaosat.facts import term
from khaosat.facts.language import percent, say
from khaosat.report.index_section import no_wave
from khaosat.report.quarter import Quarter
from khaosat.show.figure import draw
from khaosat.show.section import Part, Section
from khaosat.show.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from khaosat.results import Result


def league(quarter: Quarter, by: str) -> Section:
    """Units by satisfaction with the service as a whole, with the ranks that the data allow."""
    from khaosat.survey import league_table

    survey = quarter.survey
    if survey is None:
        return no_wave(quarter)
    if survey.questionnaire is None or survey.questionnaire.overall is None:
        return Section((Text(sentences=(say("The wave asks no question about the service as a whole."),)),))
    item = survey.questionnaire.overall
    at = survey.questionnaire.satisfied(item)
    return Section(tuple(_parts(quarter, lambda: league_table(survey, item, by=by, at=list(at)), _league)))


def _league(quarter: Quarter, found: Result) -> Iterator[Part]:
    ranked = found.rows.dropna(subset=["rank"])
    groups = int(ranked["group"].nunique()) if len(ranked) else 0
    title = say("{n} groups cannot be told apart by their answers", n=len(ranked))
    if groups > 1:
        title = say(
            "{n} groups fall into {groups} tiers; within a tier no order is certain", n=len(ranked), groups=groups
        )
    if len(ranked) > 1:
        yield draw(
            found.plot(),
            title=title,
            alt=say(
                "Dot chart of {n} groups by {by}, with 95% confidence intervals and the ranks possible for each. "
                "Highest {high}, lowest {low}.",
                n=len(ranked),
                by=", ".join(term(name).lower() for name in found.keys[1:]),
                high=percent(ranked["estimate"].max()),
                low=percent(ranked["estimate"].min()),
            ),
            source=quarter.workspace.source,
        )
    yield found.table()


def gatherings(quarter: Quarter) -> Section:
    """Groups whose dissatisfaction is higher than that of the rest, found on one half and confirmed on the other."""
    from khaosat.survey import where_dissatisfied

    if quarter.survey is None:
        return no_wave(quarter)
    survey = quarter.survey
    return Section(tuple(_parts(quarter, lambda: where_dissatisfied(survey), _gatherings)))


def _gatherings(quarter: Quarter, found: Result) -> Iterator[Part]:
    """The groups, or in words that none was confirmed."""
    yield found.table() if len(found.rows) else Text(sentences=found.notes)


def measurement(quarter: Quarter) -> Section:
    """How consistently each factor's questions measure one thing."""
    from khaosat.survey import reliability

    if quarter.survey is None:
        return no_wave(quarter)
    survey = quarter.survey
    return Section(tuple(_parts(quarter, lambda: reliability(survey), lambda _, found: iter((found.table(),)))))


def care(quarter: Quarter) -> Section:
    """Signs of careless answers; nobody is left out because of them."""
    from khaosat.survey import response_quality

    if quarter.survey is None:
        return no_wave(quarter)
    survey = quarter.survey
    return Section(tuple(_parts(quarter, lambda: response_quality(survey), lambda _, found: iter((found.table(),)))))


def _parts(
    quarter: Quarter, ask: Callable[[], Result], show: Callable[[Quarter, Result], Iterator[Part]]
) -> Iterator[Part]:
    """What ``show`` makes of an answer, or why there is none: the other sections of the report stand."""
    try:
        found = ask()
    except KhaosatError as error:
        yield Text(sentences=(say("No result: {reason}", reason=error),))
        return
    yield from show(quarter, replace(found, source=quarter.workspace.source))
