"""Groups of items that are meant to measure one thing, and what respondents answered to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.stats.item_moments import ItemMoments, pearson_moments, polychoric_moments
from khaosat.survey.answers import level_answers, numeric_answers
from khaosat.survey.model_result import model_covariance

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Items = Sequence[str] | Mapping[str, Sequence[str]] | None
Correlation = Literal["pearson", "polychoric"]
Missing = Literal["complete", "pairwise"]

SCALE = "scale"
"""Name of the only scale where items were given without one."""
MOST_LEVELS = 7
"""Answers up to which an item is taken for ordered levels rather than a number."""
_MANY_LEVELS = 20
"""Answers beyond which polychoric correlations make no sense."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaleAnswers:
    """Answers to some items, those of whom the analysis is about.

    Parameters
    ----------
    items
        Items that vary, in order.
    numbers
        Respondents × items, NaN where there is no valid answer; codes as asked.
    places
        The same as places among the levels that occur, from 0; -1 where there is none.
    used
        Who is in the analysis.
    n_missing
        Respondents asked every item who are not in it.
    n_asked
        Respondents asked each item.
    idle
        Items left out because nobody or everybody gave the same answer.
    """

    items: tuple[str, ...]
    numbers: Floats
    places: NDArray[np.intp]
    used: Rows
    n_missing: int
    n_asked: NDArray[np.int64]
    idle: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Respondents in the analysis."""
        return int(self.used.sum())

    def thin_pairs(self) -> bool:
        """Whether some two items have fewer than three respondents in common."""
        valid = np.isfinite(self.numbers[self.used]).astype(int)
        return bool((valid.T @ valid < 3).any()) if len(self.items) else True

    def moments(self, survey: Survey, correlation: Correlation) -> ItemMoments:
        """Weighted correlations of the items and the influence of the used respondents on them."""
        weights = survey.arrays.weights[self.used]
        if correlation == "polychoric":
            long = [name for name, held in zip(self.items, self.places.T, strict=True) if held.max() >= _MANY_LEVELS]
            if long:
                raise DataError(
                    say("{items} has more than {n} different answers: polychoric correlations are for a few ordered "
                        "levels; use correlation='pearson'.", items=", ".join(long), n=_MANY_LEVELS)
                )  # fmt: skip
            return polychoric_moments(self.places[self.used], weights)
        return pearson_moments(self.numbers[self.used], weights)

    def spread(self, survey: Survey) -> Callable[[Floats], Floats]:
        """From influence values of the used respondents to the covariance of estimates by the design."""
        return lambda influence: model_covariance(survey, influence, used=self.used)


def scales_of(survey: Survey, items: Items) -> tuple[dict[str, list[str]], list[str]]:
    """Items by scale (the questionnaire's factors unless given), and items of factors that have no column.

    Raises
    ------
    DataError
        If there is nothing to go by, a column is not there or an item is named twice.
    """
    if items is None:
        questionnaire = survey.questionnaire
        if questionnaire is None:
            raise DataError(say("Without a questionnaire, name the items: there are no factors to go by."))
        asked = {factor: questionnaire.items(factor=factor) for factor in questionnaire.factors}
        absent = [name for names in asked.values() for name in names if name not in survey.responses]
        held = {factor: [n for n in names if n in survey.responses] for factor, names in asked.items()}
        held = {factor: names for factor, names in held.items() if names}
        if not held:
            raise DataError(say("The responses have no item of the factors of {id}.", id=questionnaire.id))
        return held, absent
    if isinstance(items, str):
        items = [items]
    named = {str(k): list(v) for k, v in items.items()} if isinstance(items, Mapping) else {SCALE: list(items)}
    every = [name for names in named.values() for name in names]
    faults = [
        say("Column {column} is not in the responses: name a column that is.", column=name)
        for name in dict.fromkeys(every)
        if name not in survey.responses
    ]
    faults += [say("Item {item} is named twice.", item=name) for name in dict.fromkeys(every) if every.count(name) > 1]
    if not every or not all(named.values()):
        faults.append(say("There is a scale without items."))
    if faults:
        raise DataError("\n".join(faults))
    return named, []


def scale_answers(survey: Survey, items: Sequence[str], *, inside: Rows, missing: Missing) -> ScaleAnswers:
    """Answers to some items.

    Parameters
    ----------
    survey
        Answers and design.
    items
        Columns.
    inside
        Whom it is about.
    missing
        ``complete``: those with a valid answer to every item; ``pairwise``: to two items at least.
    """
    found = [numeric_answers(survey, name) for name in items]
    asked = np.logical_and.reduce([answer.asked for answer in found]) & inside
    values = np.column_stack([np.where(inside, answer.numbers, np.nan) for answer in found])
    places = np.column_stack([level_answers(survey, name).numbers for name in items])
    kept = [j for j in range(len(items)) if _varies(values[:, j])]
    for _ in items:  # complete cases may leave another item without variance
        held = values[:, kept]
        used = np.isfinite(held).all(axis=1) if missing == "complete" else np.isfinite(held).sum(axis=1) > 1
        left = [j for j in kept if _varies(values[used, j])]
        if left == kept or not kept:
            break
        kept = left
    used = used & inside if kept else np.zeros(survey.n, dtype=bool)
    return ScaleAnswers(
        items=tuple(items[j] for j in kept), numbers=values[:, kept], places=_packed(places[:, kept], used),
        used=used, n_missing=int((asked & ~used).sum()),
        n_asked=np.array([int((found[j].asked & inside).sum()) for j in kept], dtype=np.int64),
        idle=tuple(name for j, name in enumerate(items) if j not in kept),
    )  # fmt: skip


def is_plain(survey: Survey) -> bool:
    """Whether the design says no more than that respondents were drawn one by one with equal chances."""
    design = survey.design
    named = (design.weights, design.strata, design.clusters, design.fpc, design.replicate_weights)
    return not any(named) and not survey.adjustments and survey.replicates is None


def check_choices(**choices: tuple[object, Sequence[object]]) -> None:
    """Refuse every argument whose value is not among those known; all at once."""
    faults = [
        say("{name}={value!r} is not known: use {known}.", name=name, value=value, known=", ".join(map(str, known)))
        for name, (value, known) in choices.items()
        if value not in known
    ]
    if faults:
        raise DataError("\n".join(faults))


def scale_word(survey: Survey, name: str) -> str:
    """A scale in the words of the questionnaire."""
    if name == SCALE:
        return term(SCALE)
    return survey.questionnaire.label(name) if survey.questionnaire else name


def _varies(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 1 and bool((known != known[0]).any())


def _packed(places: Floats, used: Rows) -> NDArray[np.intp]:
    """Places among the levels that the used respondents chose."""
    packed = np.full(places.shape, -1, dtype=np.intp)
    for j in range(places.shape[1]):
        rows = used & np.isfinite(places[:, j])
        packed[rows, j] = np.unique(places[rows, j], return_inverse=True)[1]
    return packed
