"""Faults and gaps of the data, as a Result like any other: one row a check, whatever the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.survey import Survey
from khaosat.dossiers import dossier_quality
from khaosat.dossiers.quality import check_columns
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.results import Result
from khaosat.show.table import Column
from khaosat.survey import answer_quality


@dataclass(frozen=True, eq=False, kw_only=True)
class DataQuality(Result):
    """Checks of the answers: ``check, label, numerator, denominator, estimate``."""

    @property
    def keys(self) -> list[str]:
        """What was checked."""
        return ["label"]

    def _columns(self) -> Sequence[Column]:
        return check_columns()


def data_quality(noun: Survey | DossierLog) -> Result:
    """What is missing, doubtful or broken in a survey or a dossier log.

    Parameters
    ----------
    noun
        A survey with its questionnaire: blank, don't-know and off-scale answers of all items together, straight lines
        and duplicates (:func:`khaosat.survey.answer_quality` has them by item and by interviewer). A dossier log:
        :func:`khaosat.dossiers.dossier_quality`, with what was found on reading.

    Returns
    -------
    Result
        ``check, label, numerator, denominator, estimate`` (share); nothing is dropped because of a check.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> list(data_quality(example_log()).rows.columns[:1])
    ['check']
    """
    if isinstance(noun, DossierLog):
        return dossier_quality(noun)
    found = answer_quality(noun)
    sums = found.rows.groupby("check", sort=False)[["numerator", "denominator"]].sum().reset_index()
    sums["estimate"] = sums["numerator"] / sums["denominator"].where(sums["denominator"] > 0)
    sums.insert(1, "label", [term(check) for check in sums["check"]])
    notes = (
        say("Blank, don't-know and off-scale answers are counted over all questions asked, others over respondents."),
        *found.notes,
    )
    return DataQuality(rows=sums, title=found.title, notes=notes)
