"""Sections V and VI: what the data are worth, and which rules the numbers rest on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from khaosat.facts import privacy_threshold, read_table, term
from khaosat.facts.language import date, percent, say
from khaosat.report import findings
from khaosat.report.quarter import Quarter
from khaosat.show.section import Part, Section
from khaosat.show.table import Table
from khaosat.show.text import Text

if TYPE_CHECKING:
    from khaosat.results import Result

CHECKS = 15


def quality(quarter: Quarter) -> Section:
    """What was found wrong or missing in the log and in the answers."""
    from khaosat.quality import data_quality

    parts: list[Part] = []
    for noun in (quarter.log, quarter.survey):
        if noun is not None:
            result = data_quality(noun)
            name = say("Dossiers") if noun is quarter.log else say("Answers")
            parts.append(_told(result, name))
            if (result.rows["numerator"] > 0).any():
                parts.append(_found(quarter, result))
    if not parts:
        parts.append(Text(sentences=(say("The store holds no data."),)))
    return Section(tuple(parts))


def _told(result: Result, noun: str) -> Text:
    some = result.rows[result.rows["numerator"] > 0].sort_values("estimate", ascending=False, kind="stable")
    first = ("", 0.0) if some.empty else (str(some["label"].iloc[0]), float(some["estimate"].iloc[0]))
    text = findings.quality_sentence(noun, found=len(some), checks=len(result.rows), first=first[0], share=first[1])
    return Text(sentences=(text,))


def _found(quarter: Quarter, result: Result) -> Table:
    """The checks that found something; how many found nothing is said."""
    rows = result.rows
    some = rows[rows["numerator"] > 0]
    first = some.sort_values("estimate", ascending=False, kind="stable").head(CHECKS).reset_index(drop=True)
    shown = replace(result, rows=first, source=quarter.workspace.source)
    if len(some) > len(first):
        shown = shown.note(say("{n} more checks found less.", n=len(some) - len(first)))
    return shown.note(say("{n} other checks found nothing.", n=len(rows) - len(some))).table()


def method(quarter: Quarter, *, survey: bool = True) -> Section:
    """The rules behind the numbers, each with its source and how sure it is; without those of a ``survey`` not used."""
    boxes: list[Part] = []
    if survey and quarter.survey is not None:
        boxes.append(Text(sentences=_survey_rules(quarter), form="box", title=say("Satisfaction survey")))
    if quarter.log is not None:
        boxes.append(Text(sentences=_dossier_rules(quarter), form="box", title=say("Dossiers")))
    boxes.append(Text(sentences=_common_rules(), form="box", title=say("Publication")))
    return Section(tuple(boxes))


def _survey_rules(quarter: Quarter) -> tuple[str, ...]:
    survey = quarter.survey_or_fail
    questionnaire, design = survey.questionnaire, survey.design
    lines = []
    if questionnaire is not None:
        lines.append(
            say(
                "Questionnaire: {title} (evidence grade {grade}). Source: {source}",
                title=questionnaire.title,
                grade=questionnaire.grade or "–",
                source=questionnaire.source,
            )
        )
        lines.append(say("The official rule for the index was not found; the one used stands under its table."))
    lines.append(
        say(
            "Sampling design: weights {weights}; strata {strata}; stages {clusters}; lonely units: {lonely}. Intervals "
            "follow the design (Taylor linearisation, t with design degrees of freedom).",
            **{role: ", ".join(design.roles.get(role, ())) or "–" for role in ("weights", "strata", "clusters")},
            lonely=term(design.lonely_psu),
        )
    )
    lines.append(say("Don't-know and blank answers are left out question by question and counted as missing."))
    return tuple(lines)


def _dossier_rules(quarter: Quarter) -> tuple[str, ...]:
    log = quarter.log_or_fail
    return (
        say("The log is known up to {moment}.", moment=f"{date(log.as_of)} {log.as_of:%H:%M}"),
        say(
            "A dossier is late when it is closed after its first due date, to the second. Other official definitions "
            "are in the table of late rates; they give different numbers by design."
        ),
        say("Intervals of dossier rates: Wilson, 95%; they describe chance variation, not errors of recording."),
        say(
            "Target of {target} on time: {source} (evidence grade {grade}).",
            target=percent(quarter.target),
            source=quarter.target_fact["source"],
            grade=quarter.target_fact["grade"],
        ),
        *_calendar_rules(quarter),
    )


def _calendar_rules(quarter: Quarter) -> list[str]:
    calendar, settings = quarter.log_or_fail.calendar, quarter.workspace.dossiers
    lines = []
    if calendar.known_from is not None and calendar.known_to is not None:
        lines.append(
            say(
                "Working days follow the office calendar, known from {first} to {last}.",
                first=date(calendar.known_from),
                last=date(calendar.known_to),
            )
        )
        if (
            quarter.period.start.date() < calendar.known_from
            or quarter.period.end.date() > calendar.known_to + dt.timedelta(1)
        ):
            lines.append(say("Part of the period lies outside: its movable holidays count as working days."))
    if settings.make_up_days:
        lines.append(say("Saturdays worked in exchange for a day off count as working days."))
    else:
        lines.append(say("Saturdays worked in exchange for a day off do not count as working days."))
    if settings.culture_day:
        lines.append(say("24/11 (Vietnamese Culture Day) is a day off from 2026 (evidence grade C; a setting)."))
    else:
        lines.append(say("24/11 (Vietnamese Culture Day) is a working day (enactment not confirmed; a setting)."))
    return lines


def _common_rules() -> tuple[str, ...]:
    return (
        say(
            "Cells with fewer than {respondents} respondents or {dossiers} dossiers are suppressed (proposed "
            "threshold, evidence grade {grade}).",
            respondents=privacy_threshold("respondents"),
            dossiers=privacy_threshold("dossiers"),
            grade=read_table("rules/privacy.csv")["grade"].iloc[0],
        ),
        say("No official and no applicant is named. Associations are not causes."),
        say(
            "Evidence grades: A official text, B press report of an official result, C practice of other systems, "
            "D our inference, E recollection."
        ),
    )
