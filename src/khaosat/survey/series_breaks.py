"""Where the SIPAS series breaks, and whether a break lies between two surveys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from khaosat.domain.period import Period, as_period
from khaosat.domain.survey import Survey
from khaosat.facts import read_table
from khaosat.facts.language import current_language, date, say

Periods = tuple[Period | str, Period | str]


@dataclass(frozen=True, kw_only=True)
class Break:
    """A day from which figures are no longer comparable with those before (``facts/published/series_breaks.csv``)."""

    id: str
    day: dt.date
    block: str
    label: str
    grade: str
    source: str


def series_breaks(block: str = "") -> tuple[Break, ...]:
    """Breaks of the index (no block), or of one block of the questionnaire by itself.

    >>> [found.id for found in series_breaks()]
    ['households_2022', 'policies_2023', 'two_tiers_2025']
    """
    table = read_table("published/series_breaks.csv")
    rows = table[table["block"] == block].to_dict("records")
    return tuple(
        Break(
            id=row["id"], day=dt.date.fromisoformat(row["date"]), block=block,
            label=row[f"label_{current_language()}"], grade=row["grade"], source=row["source"],
        )
        for row in rows
    )  # fmt: skip


def wave_of(survey: Survey) -> Period | None:
    """The period of a survey whose ``wave`` column says so, the same for everybody."""
    if "wave" not in survey.responses:
        return None
    waves = survey.responses["wave"].dropna().astype(str).unique()
    try:
        return Period(waves[0]) if len(waves) == 1 else None
    except ValueError:
        return None


def break_notes(survey_a: Survey, survey_b: Survey, *, periods: Periods | None) -> Iterator[str]:
    """Notes on the breaks between two surveys: other questionnaires, and days on which the series breaks."""
    first, second = (survey.questionnaire for survey in (survey_a, survey_b))
    if first is not None and second is not None and first.id != second.id:
        yield say(
            "The surveys use different questionnaires ({first}, {second}): the difference is one of method too.",
            first=first.id, second=second.id,
        )  # fmt: skip
    known = [as_period(period) for period in periods] if periods else [wave_of(survey_a), wave_of(survey_b)]
    spans = sorted((period.start.date(), period.end.date()) for period in known if period is not None)
    if len(spans) < 2:
        return
    for found in series_breaks():
        if spans[0][0] < found.day < spans[1][1]:
            yield say(
                "Break of the series on {day} between the two: {label} (grade {grade}; {source}). The difference is "
                "not a change of opinion alone.",
                day=date(found.day), label=found.label, grade=found.grade, source=found.source,
            )  # fmt: skip
