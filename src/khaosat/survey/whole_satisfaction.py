"""The question on satisfaction as a whole, and which of its answers count as satisfied."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.survey.answers import Level


def whole_satisfaction(
    survey: Survey, outcome: str | None, at: Level | Sequence[Level] | None
) -> tuple[str, tuple[Level, ...]]:
    """The question and its satisfied answers: those named, else the questionnaire's.

    Raises
    ------
    DataError
        If neither names a question that the answers have, or satisfied answers.

    Examples
    --------
    >>> whole_satisfaction(Survey(responses=pd.DataFrame({"q": [5, 2]})), "q", [4, 5])
    ('q', (4, 5))
    """
    asked = survey.questionnaire
    question = outcome if outcome is not None else asked.overall if asked is not None else None
    if question is None or question not in survey.responses:
        raise DataError(
            say("There is no question on satisfaction as a whole: name a column of the answers in outcome.")
        )
    if at is not None:
        several = pd.api.types.is_list_like(at)
        return question, tuple(at) if several else (at,)  # type: ignore[arg-type, return-value]
    known = asked.satisfied(question) if asked is not None and question in asked.items() else ()
    if not known:
        raise DataError(
            say("Which answers to {outcome} count as satisfied is not known: list them in at.", outcome=question)
        )
    return question, known
