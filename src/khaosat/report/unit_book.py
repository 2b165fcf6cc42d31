"""What the sheets of all units draw on: computed once for the city, small enough to hand to other processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.period import Period
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import current_language, say
from khaosat.report.quarter import TREND_PERIODS, Quarter, gather
from khaosat.survey.driver_scores import SERVICE
from khaosat.workspace import Workspace

if TYPE_CHECKING:
    from khaosat.domain.dossiers import DossierLog
    from khaosat.domain.survey import Survey

UNIT = "responsible_unit"
_KEYS = ["responsible_unit", "unit", "step"]
_SUMS = ["estimate", "late", "n"]
_ANSWERS = ["unit", "level", "label", "estimate", "low", "high", "n"]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitBook:
    """Results of a period for every unit, as plain frames.

    Parameters
    ----------
    now
        One row a unit: ``numerator`` (late), ``denominator``, ``closed, received, open, open_overdue``.
    trend
        ``unit, period, numerator, denominator, estimate`` (share on time), ``low, high``; unit ``""`` is the city.
    procedures
        ``unit, procedure_name, numerator, denominator, estimate`` (share late).
    delays
        ``responsible_unit, unit, step, estimate`` (avoidable late dossiers), ``late, n``.
    comparison
        Rows of :func:`khaosat.dossiers.compare_units`.
    satisfaction
        ``unit, level`` (``whole``, ``factor``), ``label, estimate, low, high, n``; unit ``""`` is the city.
    notes
        Why something is not there.
    """

    workspace: Workspace
    period: Period
    wave: str
    now: pd.DataFrame
    trend: pd.DataFrame
    procedures: pd.DataFrame
    delays: pd.DataFrame
    comparison: pd.DataFrame
    satisfaction: pd.DataFrame
    target: float
    notes: tuple[str, ...] = field(default=())

    @property
    def units(self) -> list[str]:
        """Units with a dossier closed, received or open in the period, in Vietnamese order."""
        from khaosat.facts.language import sort_key

        return sorted(self.now.index, key=sort_key)

    @property
    def largest(self) -> str:
        """The unit with most closed dossiers."""
        if self.now.empty:
            raise DataError(say("No dossier was received, open or closed in {period}.", period=self.period.label))
        return str(self.now["denominator"].idxmax())


_shared: dict[tuple[str, str, str], UnitBook] = {}


def share_book(book: UnitBook | None) -> None:
    """Hand a ready book to this process: its sheets ask nothing of the store."""
    _shared.clear()
    if book is not None:
        _shared[_place(book.period, book.wave)] = book


def unit_book(period: str, *, wave: str = "") -> UnitBook:
    """The book of a period: the one handed to this process, or made from the workspace around the notebook."""
    quarter = gather(period, wave=wave, by=UNIT)
    given = _shared.get(_place(quarter.period, quarter.wave))
    return given if given is not None else make_book(quarter)


def _place(period: Period, wave: str) -> tuple[str, str, str]:
    return str(period), wave, current_language()


def make_book(quarter: Quarter) -> UnitBook:
    """Ask the store once for all that the sheets of its units say."""
    if quarter.log is None:
        raise DataError(say("The store holds no dossiers."))
    log, period = quarter.log, quarter.period
    satisfaction, notes = _satisfaction(quarter)
    delays, delay_notes = _delays(log, period)
    return UnitBook(
        workspace=quarter.workspace, period=period, wave=quarter.wave, now=_now(log, period), trend=_trend(log, period),
        procedures=_procedures(log, period), delays=delays, comparison=_comparison(log, period),
        satisfaction=satisfaction, target=quarter.target, notes=(*notes, *delay_notes),
    )  # fmt: skip


def _now(log: DossierLog, period: Period) -> pd.DataFrame:
    from khaosat.dossiers import on_time

    rows = on_time(log, period=period, by=UNIT).rows.dropna(subset=[UNIT])
    columns = ["numerator", "denominator", "closed", "received", "open", "open_overdue"]
    rows = rows[(rows["closed"] + rows["received"] + rows["open"]) > 0]
    return rows.set_index(UNIT)[columns]


def _trend(log: DossierLog, period: Period) -> pd.DataFrame:
    from khaosat.dossiers import on_time

    parts: list[pd.DataFrame] = []
    for _ in range(TREND_PERIODS):
        for by in (None, UNIT):
            rows = on_time(log, period=period, by=by).rows
            rows = rows.assign(unit="") if by is None else rows.dropna(subset=[UNIT]).rename(columns={UNIT: "unit"})
            parts.insert(0, rows[rows["denominator"] > 0].assign(period=str(period)))
        period = period.previous
    rows = pd.concat(parts, ignore_index=True)
    on = rows.assign(estimate=1 - rows["estimate"], low=1 - rows["high"], high=1 - rows["low"])
    return on[["unit", "period", "numerator", "denominator", "estimate", "low", "high"]]


def _procedures(log: DossierLog, period: Period) -> pd.DataFrame:
    from khaosat.dossiers import on_time

    rows = on_time(log, period=period, by=[UNIT, "procedure_name"]).rows.rename(columns={UNIT: "unit"})
    rows = rows[rows["denominator"] > 0].dropna(subset=["unit", "procedure_name"])
    return rows[["unit", "procedure_name", "numerator", "denominator", "estimate", "n"]]


def _delays(log: DossierLog, period: Period) -> tuple[pd.DataFrame, list[str]]:
    from khaosat.dossiers import bottlenecks

    try:
        rows = bottlenecks(log, period=period, by=_KEYS).rows.dropna(subset=_KEYS)
    except KhaosatError as error:  # no steps recorded: the rest of the sheet stands
        return pd.DataFrame(columns=[*_KEYS, *_SUMS]), [str(error)]
    return rows[[*_KEYS, *_SUMS]], []


def _comparison(log: DossierLog, period: Period) -> pd.DataFrame:
    from khaosat.dossiers import compare_units

    return compare_units(log, by=UNIT, period=period).rows.set_index(UNIT)


def _satisfaction(quarter: Quarter) -> tuple[pd.DataFrame, list[str]]:
    """Satisfaction with services as a whole and with each factor, of the city and of units the wave knows."""
    empty = pd.DataFrame(columns=_ANSWERS)
    survey = quarter.survey
    if survey is None:
        return empty, [say("No survey wave belongs to {period}; satisfaction is not reported.",
                           period=quarter.period.label)]  # fmt: skip
    if UNIT not in survey.responses:
        return empty, [say("The wave does not say which unit an answer is about.")]
    return pd.concat([_answers(quarter, survey, by=None), _answers(quarter, survey, by=UNIT)], ignore_index=True), []


def _answers(quarter: Quarter, survey: Survey, *, by: str | None) -> pd.DataFrame:
    """Of a questionnaire with a part that offices answer for, that part alone: policies are not the unit's."""
    from khaosat.survey import proportion, satisfaction_index

    questionnaire = survey.questionnaire
    if questionnaire is None:
        return pd.DataFrame(columns=_ANSWERS)
    part = SERVICE if SERVICE in questionnaire.parts else ""
    asked = (questionnaire.overall_of(part) if part else None) or questionnaire.overall
    parts = []
    if asked is not None:
        whole = proportion(survey, asked, at=list(questionnaire.satisfied(asked)), by=by).rows
        parts.append(whole.assign(level="whole", label=questionnaire.label(asked)))
    index = satisfaction_index(survey, by=by, rule=quarter.rule).rows
    factors = index[index["level"] == "factor"]
    if part:
        factors = factors[[questionnaire.part_of(str(name)) == part for name in factors["id"]]]
    parts.append(factors.assign(label=[questionnaire.label(name) for name in factors["id"]]))
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(unit="") if by is None else rows.dropna(subset=[by]).rename(columns={by: "unit"})
    return rows[_ANSWERS]
