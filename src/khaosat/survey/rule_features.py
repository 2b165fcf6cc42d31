"""What a rule about respondents can ask: yes/no features of their answers, and rules in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.rule_tree import Path
from khaosat.survey.answers import Level, level_answers, numeric_answers
from khaosat.survey.formula import quoted
from khaosat.survey.model_frame import level_name

Rows = NDArray[np.bool_]

_MOST_LEVELS = 20
"""A number with more values than this is cut at its quintiles."""
_CUTS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, eq=False, kw_only=True)
class Variable:
    """Answers that rules may ask about.

    Parameters
    ----------
    name, label
        Column, and the question in words.
    levels
        Answers, in order; the bounds (from, to) of each class if a number was cut.
    words
        Levels in words.
    place
        Level of each respondent, -1 for none.
    """

    name: str
    label: str
    levels: tuple[Level, ...] | tuple[tuple[float, float], ...]
    words: tuple[str, ...]
    place: NDArray[np.intp]

    def condition(self, kept: Sequence[int]) -> str:
        """The levels kept as an expression for ``where``."""
        name = quoted(self.name)
        if isinstance(self.levels[0], tuple):
            runs = _runs(kept)
            parts = [_between(name, self.levels[a][0], self.levels[b][1]) for a, b in runs]
            return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
        return f"{name} in {[_plain(self.levels[j]) for j in kept]}"

    def wording(self, kept: Sequence[int]) -> str:
        """The levels kept in words; the others, where they are fewer."""
        others = [j for j in range(len(self.words)) if j not in kept]
        named = others if len(others) < len(kept) else kept
        levels = say(" or ").join(self.words[j] for j in named)
        if named is others:
            return say("{variable}: except {levels}", variable=self.label, levels=levels)
        return say("{variable}: {levels}", variable=self.label, levels=levels)


@dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """Yes/no features: each stands for some levels of one variable."""

    variables: tuple[Variable, ...]
    meaning: tuple[tuple[int, frozenset[int]], ...]
    """Place of the variable, and the levels for which the feature is true."""
    table: Rows

    @property
    def complete(self) -> Rows:
        """Who answered every question that rules may ask."""
        return np.asarray(np.logical_and.reduce([variable.place >= 0 for variable in self.variables]), dtype=bool)

    def kept(self, path: Path) -> dict[int, list[int]]:
        """Levels of each variable that a path leaves."""
        left: dict[int, set[int]] = {}
        for feature, wanted in path:
            place, levels = self.meaning[feature]
            every = set(range(len(self.variables[place].words)))
            left[place] = left.get(place, every) & (levels if wanted else every - levels)
        return {place: sorted(levels) for place, levels in sorted(left.items())}

    def condition(self, path: Path) -> str:
        """The rule as an expression for ``where``."""
        return " and ".join(self.variables[place].condition(levels) for place, levels in self.kept(path).items())

    def wording(self, path: Path) -> str:
        """The rule in the words of the questionnaire."""
        return "; ".join(self.variables[place].wording(levels) for place, levels in self.kept(path).items())


def features_of(survey: Survey, by: Sequence[str]) -> Features:
    """A feature for each answer ("is a farmer") and, where answers are numbers in order, each cut ("45 or older").

    Raises
    ------
    DataError
        If no column has two different answers.
    """
    variables = [variable for name in by if len((variable := _variable(survey, name)).words) > 1]
    if not variables:
        raise DataError(
            say("None of {columns} has two different answers: there is nothing to tell groups apart by.",
                columns=", ".join(by) or "by")
        )  # fmt: skip
    meaning: list[tuple[int, frozenset[int]]] = []
    for place, variable in enumerate(variables):
        n = len(variable.words)
        single = [frozenset([j]) for j in range(n)] if n > 2 else [frozenset([1])]
        ordered = not isinstance(variable.levels[0], str | bool)
        above = [frozenset(range(j, n)) for j in range(1, n)] if ordered and n > 2 else []
        meaning += [(place, levels) for levels in dict.fromkeys([*single, *above])]
    table = np.column_stack([np.isin(variables[place].place, list(levels)) for place, levels in meaning])
    return Features(variables=tuple(variables), meaning=tuple(meaning), table=table)


def _variable(survey: Survey, name: str) -> Variable:
    answers = level_answers(survey, name)
    label = survey.questionnaire.label(name) if survey.questionnaire else name
    held = np.unique(answers.numbers[answers.valid]).astype(int)
    if len(held) > _MOST_LEVELS and not any(isinstance(level, str) for level in answers.levels):
        return _cut(survey, name, label)
    levels = tuple(answers.levels[j] for j in held)
    place = np.full(survey.n, -1, dtype=np.intp)
    place[answers.valid] = np.searchsorted(held, answers.numbers[answers.valid].astype(int))
    choices = {}
    if survey.questionnaire and name in survey.questionnaire.items():
        choices = survey.questionnaire.choice_labels(name)
    words = tuple(choices.get(level, level_name(level)) if isinstance(level, int) else level_name(level)
                  for level in levels)  # fmt: skip
    return Variable(name=name, label=label, levels=levels, words=words, place=place)


def _cut(survey: Survey, name: str, label: str) -> Variable:
    """A number with many values in five classes."""
    answers = numeric_answers(survey, name)
    inner = np.unique(np.quantile(answers.numbers[answers.valid], _CUTS))
    place = np.where(answers.valid, np.searchsorted(inner, answers.numbers, side="left"), -1).astype(np.intp)
    edges = [-np.inf, *inner.tolist(), np.inf]
    bounds = tuple(zip(edges[:-1], edges[1:], strict=True))
    words = tuple(_class_words(low, high) for low, high in bounds)
    return Variable(name=name, label=label, levels=bounds, words=words, place=place)


def _class_words(low: float, high: float) -> str:
    below, above = (number(x, 0 if x == round(x) else 1) if np.isfinite(x) else "" for x in (low, high))
    if not below:
        return say("up to {high}", high=above)
    return say("above {low}", low=below) if not above else say("above {low} up to {high}", low=below, high=above)


def _between(name: str, low: float, high: float) -> str:
    parts = [f"{name} > {low!r}"] if np.isfinite(low) else []
    parts += [f"{name} <= {high!r}"] if np.isfinite(high) else []
    return " and ".join(parts)


def _runs(kept: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbouring classes."""
    runs: list[tuple[int, int]] = []
    for j in kept:
        if runs and runs[-1][1] == j - 1:
            runs[-1] = runs[-1][0], j
        else:
            runs.append((j, j))
    return runs


def _plain(level: Level) -> Level:
    return int(level) if isinstance(level, float) and level.is_integer() else level
