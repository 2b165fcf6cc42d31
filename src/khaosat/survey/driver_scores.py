"""What a model of satisfaction is made of: the outcome, a score a factor (or item), and who had no view on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Survey, names
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.survey.answers import Answers, numeric_answers
from khaosat.survey.driver_covariates import FEW, covariate_columns, label
from khaosat.survey.where import where_rows

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Detail = Literal["factors", "items"]

SERVICE = "service"
"""The part of a questionnaire that offices answer for; what drivers are looked for in by default."""
_MANY = 0.05
"""If more than this part of those asked have no view on a factor, they have a term of their own."""
_FEW_NOTES = 2
"""No views on more predictors than these are told together."""
_INSIDE = "_khaosat_inside"


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """A survey with scores as columns, ready for models.

    Parameters
    ----------
    survey
        The respondents and design as they were, with the outcome, the scores (at their mean for those without a view)
        and the covariates as columns; no questionnaire.
    where
        Whom it is about, in terms of those columns.
    outcome
        Name of the outcome.
    predictors
        Names of the factors, items or columns, those that can be used.
    raw
        Their scores by name; NaN for those without a view.
    marks
        Columns that mark those not asked, and those who do not know where they are many, by predictor.
    covariates
        Names of the covariate columns: words, and unit means of scores.
    notes
        How it came about, and what was left out.
    """

    survey: Survey
    where: str
    outcome: str
    predictors: tuple[str, ...]
    raw: dict[str, Floats]
    marks: dict[str, tuple[str, ...]]
    covariates: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def always(self) -> tuple[str, ...]:
        """Terms that are in every model."""
        return (*dict.fromkeys(mark for marks in self.marks.values() for mark in marks), *self.covariates)

    @property
    def complete(self) -> Rows:
        """Who is in the models: those it is about with an outcome and every covariate."""
        frame = self.survey.responses
        inside = frame[_INSIDE].fillna(False).to_numpy(dtype=bool)
        known = frame[[self.outcome, *self.predictors, *self.always]].notna().all(axis=1)
        return np.asarray(inside & known.to_numpy(), dtype=bool)

    def has_view(self, name: str) -> Rows:
        """Who has a score."""
        return np.isfinite(self.raw[name])


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice:
    """What to explain by what.

    Parameters
    ----------
    outcome, predictors, part, detail, covariates, unit, where
        As in :func:`khaosat.survey.drivers`.
    """

    outcome: str | None = None
    predictors: Sequence[str] | None = None
    part: str | None = None
    detail: Detail = "factors"
    covariates: Sequence[str] | None = None
    unit: str | None = None
    where: str | None = None


def score(survey: Survey, choice: Choice) -> Scores:
    """Make the scores that a choice asks for.

    Raises
    ------
    DataError
        If there is no outcome or no usable predictor.
    """
    outcome, names = _chosen(survey, choice)
    target = numeric_answers(survey, outcome)
    inside = _inside(survey, choice.where, target)
    rows = inside.fillna(False).to_numpy(dtype=bool) & target.valid
    if not rows.any():
        raise DataError(say("Nobody whom it is about answered {outcome}.", outcome=outcome))
    columns: dict[str, Any] = {_INSIDE: inside, outcome: target.numbers}
    raw: dict[str, Floats] = {}
    marks: dict[str, tuple[str, ...]] = {}
    unusable = []
    for name in names:
        values, asked = _values(survey, name)
        fault = _fault(survey, name, values[rows])
        if fault:
            unusable.append(fault)
            continue
        known = rows & np.isfinite(values)
        mean = np.average(values[known], weights=survey.arrays.weights[known])
        raw[name], columns[name] = values, np.where(np.isfinite(values), values, mean)
        marks[name] = _mark(columns, name, ~np.isfinite(values), asked=asked, rows=rows)
    if not raw:
        raise DataError(say("No predictor of {outcome} can be used. {faults}", outcome=outcome,
                            faults=" ".join(unusable)))  # fmt: skip
    added, more = covariate_columns(
        survey, choice.covariates, unit=choice.unit, rows=rows, scores={name: np.asarray(columns[name]) for name in raw}
    )
    frame = survey.responses.assign(**{name: pd.Series(values, index=survey.responses.index)
                                       for name, values in (columns | added).items()})  # fmt: skip
    return Scores(
        survey=replace(survey, responses=frame, questionnaire=None), where=f"{_INSIDE} == True", outcome=outcome,
        predictors=tuple(raw), raw=raw, marks=marks, covariates=tuple(added),
        notes=(*_made_of(survey, raw), *unusable, *_view_notes(survey, raw, marks=marks, rows=rows), *more),
    )  # fmt: skip


def _chosen(survey: Survey, choice: Choice) -> tuple[str, list[str]]:
    """Names of the outcome and of the predictors."""
    questionnaire = survey.questionnaire
    if choice.outcome is not None and choice.predictors is not None:
        return _checked(survey, choice.outcome, list(names(choice.predictors)))
    if questionnaire is None:
        raise DataError(say("Without a questionnaire name the outcome and the predictors."))
    if choice.part is not None and choice.part not in questionnaire.parts:
        known = ", ".join(questionnaire.parts) or "–"
        raise DataError(say("{name}={value!r} is not known: use {known}.", name="part", value=choice.part, known=known))
    part = choice.part
    if part is None and choice.outcome is None and questionnaire.overall_of(SERVICE) in survey.responses:
        part = SERVICE
    asked = questionnaire.overall_of(part) if part else None
    outcome = choice.outcome or (asked if asked in survey.responses else questionnaire.overall)
    if outcome is None or outcome not in survey.responses:
        raise DataError(
            say("{id} has no answers to a question about satisfaction as a whole: name the outcome.",
                id=questionnaire.id)
        )  # fmt: skip
    if choice.predictors is not None:
        return _checked(survey, outcome, list(names(choice.predictors)))
    factors = [f for f in questionnaire.factors if part is None or questionnaire.part_of(f) == part]
    held = {f: [i for i in questionnaire.items(factor=f) if i in survey.responses] for f in factors}
    held = {f: items for f, items in held.items() if items and outcome not in items}
    listed = list(held) if choice.detail == "factors" else [item for items in held.values() for item in items]
    return _checked(survey, outcome, listed)


def _checked(survey: Survey, outcome: str, names: list[str]) -> tuple[str, list[str]]:
    """Refuse names that are named twice, would hide the design, or of which there are none."""
    wrong = sorted({n for n in names if names.count(n) > 1 or n == outcome or n in survey.design.columns})
    if not names or wrong:
        raise DataError(
            say("Name each predictor once and apart from the outcome and the design: {names}.",
                names=", ".join(wrong) or "–")
        )  # fmt: skip
    return outcome, names


def _inside(survey: Survey, where: str | None, target: Answers) -> pd.Series:
    """Whom it is about and who was asked the outcome; missing where a missing value leaves it open."""
    index = survey.responses.index
    asked = pd.Series(target.asked & survey.responding, index=index, dtype="boolean")
    return asked if where is None else asked & pd.Series(where_rows(survey.responses, where), index=index)


def _items(questionnaire: Questionnaire | None, survey: Survey, name: str) -> list[str]:
    """The items of a factor that have a column; empty if the name is no factor."""
    if questionnaire is None or name not in questionnaire.factors:
        return []
    return [item for item in questionnaire.items(factor=name) if item in survey.responses]


def _values(survey: Survey, name: str) -> tuple[Floats, Rows]:
    """The mean of the items answered (NaN for none) and who was asked any, or the answers to one column."""
    answers = [numeric_answers(survey, item) for item in _items(survey.questionnaire, survey, name) or [name]]
    known = np.sum([answer.valid for answer in answers], axis=0)
    total = np.sum([np.where(answer.valid, answer.numbers, 0.0) for answer in answers], axis=0)
    asked = np.logical_or.reduce([answer.asked for answer in answers])
    return np.divide(total, known, where=known > 0, out=np.full(survey.n, np.nan)), asked


def _fault(survey: Survey, name: str, values: Floats) -> str:
    """Why a predictor cannot be used; empty if it can."""
    known = values[np.isfinite(values)]
    if len(known) < FEW:
        return say("{variable}: only {n} respondents have a view on it; it is left out.", variable=label(survey, name),
                   n=len(known))  # fmt: skip
    if (known == known[0]).all():
        return say("{variable}: everybody answered the same; it is left out.", variable=label(survey, name))
    return ""


def _mark(columns: dict[str, Any], name: str, blank: Rows, *, asked: Rows, rows: Rows) -> tuple[str, ...]:
    """Add columns that mark those not asked, and those who do not know if they are many; equal ones only once."""
    made = []
    kinds = {"not_asked": (blank & ~asked, FEW), "unknown": (blank & asked, _MANY * (rows & asked).sum())}
    for kind, (marked, least) in kinds.items():
        if (marked & rows).sum() < max(least, FEW):
            continue
        earlier = [column for column in columns if column.endswith(f"_{kind}")]
        same = [column for column in earlier if (columns[column][rows] == marked[rows]).all()]
        made.append(same[0] if same else f"{name}_{kind}")
        columns[made[-1]] = marked.astype(float)
    return tuple(made)


def _view_notes(
    survey: Survey, raw: dict[str, Floats], *, marks: dict[str, tuple[str, ...]], rows: Rows
) -> Iterator[str]:
    """Who has no view on what, and what becomes of them."""
    counts = {name: int((rows & ~np.isfinite(values)).sum()) for name, values in raw.items()}
    few = max((count for name, count in counts.items() if not marks[name]), default=0)
    if few:
        yield say(
            "Up to {n} respondents have no view on one of the predictors (don't know or blank): they stand at its "
            "mean.",
            n=few,
        )
    many = [name for name in raw if marks[name]]
    if len(many) > _FEW_NOTES:
        yield say(
            "On {n} predictors many have no view (not asked, don't know or blank): {least} to {most} respondents each. "
            "They stand at its mean, with a term of their own; its effect is that among those with a view.",
            n=len(many), least=min(counts[name] for name in many), most=max(counts[name] for name in many),
        )  # fmt: skip
        return
    for name in many:
        yield say(
            "{variable}: {n} respondents have no view (not asked, don't know or blank). They stand at its mean, with a "
            "term of their own; its effect is that among those with a view.",
            variable=label(survey, name), n=counts[name],
        )  # fmt: skip


def _made_of(survey: Survey, names: Iterable[str]) -> Iterator[str]:
    if any(_items(survey.questionnaire, survey, name) for name in names):
        yield say("A factor's score: mean of the items that the respondent answered.")
