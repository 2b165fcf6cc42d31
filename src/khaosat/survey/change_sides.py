"""Two waves side by side: whose answers are compared, and the parts of the change between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.decomposition import Parts, kitagawa, oaxaca_blinder
from khaosat.stats.glm import dependent_columns
from khaosat.survey.answers import Answers, Level, level_answers, numeric_answers
from khaosat.survey.cells import cells_of
from khaosat.survey.means import variable_words
from khaosat.survey.model_frame import is_categorical, level_name

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Method = Literal["kitagawa", "twofold", "threefold"]

_MOST_CELLS = 200


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One wave: answers, who is used, and the columns of ``by``."""

    survey: Survey
    used: Rows
    y: Floats
    by: dict[str, Answers]
    n_missing: int

    @classmethod
    def of(cls, survey: Survey, outcome: str, columns: Sequence[str], *, at: object, where: str | None) -> Side:
        """A wave's answers to the outcome (as numbers, or whether they are among ``at``) and to ``columns``."""
        cells = cells_of(survey, where=where)
        if at is None:
            asked = numeric_answers(survey, outcome)
            y = asked.numbers
        else:
            asked = level_answers(survey, outcome)
            y = asked.among(list(at) if pd.api.types.is_list_like(at) else [at])  # type: ignore[call-overload, list-item]
        by = {name: level_answers(survey, name) for name in columns}
        used = np.logical_and.reduce([cells.code >= 0, asked.valid, *(answers.valid for answers in by.values())])
        if not used.any():
            raise DataError(say("No respondent of one of the waves answered {outcome} and every column of by.",
                                outcome=outcome))  # fmt: skip
        missing = int((asked.asked & (cells.code >= 0) & ~used).sum())
        return cls(survey=survey, used=used, y=y[used], by=by, n_missing=missing)

    @property
    def weights(self) -> Floats:
        """Weights of the used respondents."""
        return self.survey.arrays.weights[self.used]

    def levels(self, name: str) -> list[Level]:
        """Answer of each used respondent."""
        answers = self.by[name]
        return [answers.levels[int(place)] for place in answers.numbers[self.used]]


Found = tuple[Parts, list[tuple[str, str]], NDArray[np.int64]]
"""Parts, the component and group of each, and the respondents of the smaller wave behind it."""


def parts_by_cells(sides: Sequence[Side], columns: Sequence[str], method: Method) -> Found:
    """Kitagawa's parts over the groups that the columns make together."""
    frames = [pd.DataFrame({name: side.levels(name) for name in columns}, dtype=object) for side in sides]
    both = pd.concat(frames, ignore_index=True)
    order = {name: _order([level for side in sides for level in side.by[name].levels]) for name in columns}
    places = both.apply(lambda column: column.map(order[str(column.name)]))
    cells, code = np.unique(places.to_numpy(dtype=int), axis=0, return_inverse=True)
    if len(cells) > _MOST_CELLS:
        raise DataError(say("{columns} make {n} groups, which is too many: use fewer columns or levels.",
                            columns=", ".join(columns), n=len(cells)))  # fmt: skip
    a, b = np.split(code.reshape(-1).astype(np.intp), [len(frames[0])])
    parts = kitagawa(
        sides[0].y, sides[1].y, cell_a=a, cell_b=b, weights_a=sides[0].weights, weights_b=sides[1].weights,
        n_cells=len(cells),
    )  # fmt: skip
    words = {name: [_word(sides[0].survey, name, level) for level in order[name]] for name in columns}
    names = [[words[name][place] for name, place in zip(columns, cell, strict=True)] for cell in cells]
    groups = [" · ".join(parts_of) for parts_of in names]
    n = np.minimum(*(np.bincount(side, minlength=len(cells)) for side in (a, b)))
    return parts, [*(("level", g) for g in groups), *(("mix", g) for g in groups)], np.tile(n, 2)


def parts_by_regression(sides: Sequence[Side], columns: Sequence[str], method: Method) -> Found:
    """Oaxaca-Blinder parts, each variable's columns taken together."""
    matrices = [[np.ones((len(side.y), 1))] for side in sides]
    owner = [-1]
    for place, name in enumerate(columns):
        if is_categorical(sides[0].survey, name):
            levels = list(_order([level for side in sides for level in side.levels(name)]))[1:]
            for matrix, side in zip(matrices, sides, strict=True):
                held = np.array(side.levels(name), dtype=object)
                matrix.append(np.column_stack([np.zeros((len(held), 0)), *(held == level for level in levels)]))
            owner += [place] * len(levels)
        else:
            for matrix, side in zip(matrices, sides, strict=True):
                matrix.append(numeric_answers(side.survey, name).numbers[side.used][:, None])
            owner.append(place)
    x_a, x_b = (np.hstack(matrix).astype(float) for matrix in matrices)
    for x in (x_a, x_b):
        if dependent := dependent_columns(x):
            lost = {columns[owner[j]] for j in dependent}
            raise DataError(
                say("In one of the waves {columns} follows exactly from the rest, or has a level that nobody there "
                    "chose: leave it out, join levels, or use method='kitagawa'.", columns=", ".join(sorted(lost)))
            )  # fmt: skip
    parts = oaxaca_blinder(sides[0].y, sides[1].y, x_a=x_a, x_b=x_b, weights_a=sides[0].weights,
                           weights_b=sides[1].weights, pooled=method == "twofold")  # fmt: skip
    first, rest = (
        ("explained", ["unexplained"]) if method == "twofold" else ("endowments", ["coefficients", "interaction"])
    )
    gather = np.zeros((len(parts.value), len(columns) + len(rest)))
    for j, place in enumerate(owner):
        if place >= 0:
            gather[j, place] = 1
    for j in range(len(rest)):
        gather[len(owner) + j, len(columns) + j] = 1
    together = Parts(value=parts.value @ gather, influence_a=parts.influence_a @ gather,
                     influence_b=parts.influence_b @ gather)  # fmt: skip
    keys = [*((first, variable_words(sides[0].survey, [name])) for name in columns), *((name, "") for name in rest)]
    return together, keys, np.full(len(keys), min(len(side.y) for side in sides), dtype=np.int64)


def _order(levels: Sequence[Level]) -> dict[Level, int]:
    """Place of each level: numbers by size, words as they come."""
    found = list(dict.fromkeys(levels))
    numbers = all(isinstance(level, int | float) for level in found)
    return {level: j for j, level in enumerate(sorted(found) if numbers else found)}


def _word(survey: Survey, name: str, level: Level) -> str:
    asked = survey.questionnaire
    if asked is not None and name in asked.items() and isinstance(level, int):
        return asked.choice_labels(name).get(level, level_name(level))
    return level_name(level)
