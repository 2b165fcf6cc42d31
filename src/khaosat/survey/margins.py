"""Known totals, read against the answers: which respondent counts towards which total, and every way they disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DesignError
from khaosat.facts.language import number, say
from khaosat.stats.calibration import indicators
from khaosat.survey.answers import ordered_levels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Variable = str | tuple[str, ...]
Counts = Mapping[object, float] | pd.Series
"""Known number of each level; a tuple of levels where several columns are crossed."""

INTERCEPT = ("(Intercept)", "Intercept", "1")
_AGREE = 1e-8
"""Relative distance at which two totals of the same population count as one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Margin:
    """A classification of the respondents with the known number of each level.

    Parameters
    ----------
    name
        Its columns, in words.
    levels, targets
        Levels and their known numbers.
    codes
        Level of each respondent; -1 where it is missing or not among the levels.
    """

    name: str
    levels: tuple[object, ...]
    targets: Floats
    codes: Codes


def margins_of(survey: Survey, targets: Mapping[Variable, Counts]) -> list[Margin]:
    """The margins, if they fit the respondents and each other.

    Raises
    ------
    DesignError
        With every fault: columns that are not there, missing answers, levels that only one side has, numbers that are
        not positive, margins with different sums.
    """
    faults: list[str] = []
    found = [margin for variable, counts in targets.items() if (margin := _margin(survey, variable, counts, faults))]
    faults += [] if targets else [say("No totals are given: name at least one column with the number of each level.")]
    faults += _different_sums({margin.name: float(margin.targets.sum()) for margin in found})
    refuse(faults)
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Totals:
    """Calibration variables and their known totals, one column of ``x`` each."""

    labels: tuple[str, ...]
    targets: Floats
    x: csr_array


def totals_of(survey: Survey, totals: Mapping[Variable, float | Counts] | pd.Series) -> Totals:
    """Calibration variables from totals: levels with numbers, numeric columns, or the terms of a linear model.

    A key with a number is ``"(Intercept)"``, a numeric column, a column followed by one of its levels (``stypeH``,
    ``stype[T.H]``), or several of these joined by ``:``.

    Raises
    ------
    DesignError
        With every fault.
    """
    from scipy.sparse import csr_array, hstack

    faults: list[str] = []
    labels: list[str] = []
    parts: list[csr_array] = []
    targets: list[float] = []
    sums: dict[str, float] = {}
    for variable, known in dict(totals).items():
        if isinstance(known, Mapping | pd.Series):
            margin = _margin(survey, variable, known, faults)
            if margin is not None:
                labels += [f"{margin.name}={level}" for level in margin.levels]
                parts.append(indicators([np.maximum(margin.codes, 0)], sizes=[len(margin.levels)]))
                targets += margin.targets.tolist()
                sums[margin.name] = float(margin.targets.sum())
        else:
            values = _term(survey, str(variable), faults)
            target = _count(known)
            if not np.isfinite(target):
                faults.append(say("The total of {name} is {value!r}, which is no number.", name=variable, value=known))
            labels.append(str(variable))
            parts.append(csr_array(values[:, None]))
            targets.append(target)
            if str(variable) in INTERCEPT:
                sums[str(variable)] = target
    faults += [] if labels or faults else [say("No totals are given: name at least one variable with its total.")]
    faults += _different_sums(sums)
    refuse(faults)
    return Totals(labels=tuple(labels), targets=np.array(targets), x=csr_array(hstack(parts, format="csr")))


def refuse(faults: Sequence[str]) -> None:
    """Raise with every fault, if there is one."""
    if faults:
        head = say("The totals do not fit the survey ({n} faults):", n=len(faults))
        raise DesignError("\n".join([head, *(f"- {fault}" for fault in faults)]))


def _margin(survey: Survey, variable: Variable, counts: object, faults: list[str]) -> Margin | None:
    """A margin; its faults are added to the list."""
    columns = [variable] if isinstance(variable, str) else list(variable)
    name = " × ".join(map(str, columns))
    absent = [column for column in columns if column not in survey.responses]
    faults += [say("Column {column} is not in the responses: name a column that is.", column=c) for c in absent]
    if not isinstance(counts, Mapping | pd.Series):
        faults.append(say("{name}: give the number of each level, as in {example}.", name=name, example="{'A': 100}"))
        return None
    if absent:
        return None
    codes, present = _crossed(survey.responses.loc[survey.responding], columns)
    levels = tuple(counts.keys())
    targets = np.array([_count(counts[level]) for level in levels], dtype=float)
    faults += _level_faults(name, codes, present=present, levels=levels, targets=targets)
    place = {level: position for position, level in enumerate(levels)}
    lookup = np.array([*(place.get(level, -1) for level in present), -1], dtype=np.intp)
    everybody = np.zeros(survey.n, dtype=np.intp)  # without a weight it does not matter which level one is in
    everybody[survey.responding] = lookup[codes]
    return Margin(name=name, levels=levels, targets=targets, codes=everybody)


def _crossed(responses: pd.DataFrame, columns: Sequence[str]) -> tuple[Codes, list[object]]:
    """Code of each respondent's combination of levels, and the combinations that occur."""
    found = [ordered_levels(responses[column]) for column in columns]
    if len(found) == 1:
        return found[0][0], list(found[0][1])
    table = np.column_stack([codes for codes, _ in found])
    complete = (table >= 0).all(axis=1)
    pairs, place = np.unique(table[complete], axis=0, return_inverse=True)
    codes = np.full(len(responses), -1, dtype=np.intp)
    codes[complete] = place.reshape(-1)
    return codes, [tuple(levels[i] for (_, levels), i in zip(found, row, strict=True)) for row in pairs]


def _level_faults(
    name: str, codes: Codes, *, present: Sequence[object], levels: Sequence[object], targets: Floats
) -> Iterator[str]:
    missing = int((codes < 0).sum())
    if missing:
        yield _no_value(name, missing)
    unknown = [level for level in present if level not in levels]
    if unknown:
        yield say(
            "{name}: the responses have levels without a known number: {levels}.",
            name=name, levels=", ".join(map(str, unknown)),
        )  # fmt: skip
    wrong = [level for level, target in zip(levels, targets, strict=True) if not (np.isfinite(target) and target > 0)]
    if wrong:
        yield say(
            "{name}: the known number of {levels} is not a positive number.",
            name=name, levels=", ".join(map(str, wrong)),
        )  # fmt: skip
    empty = [level for level in levels if level not in present and level not in wrong]
    if empty:
        yield say(
            "{name}: nobody in the responses is {levels}, so that no weight can meet the number; join levels.",
            name=name, levels=", ".join(map(str, empty)),
        )  # fmt: skip


def _different_sums(sums: Mapping[str, float]) -> list[str]:
    """A fault if the margins are not about the same population."""
    known = {name: value for name, value in sums.items() if np.isfinite(value)}
    if len(known) < 2 or max(known.values()) - min(known.values()) <= _AGREE * max(map(abs, known.values())):
        return []
    listed = "; ".join(f"{name}: {number(value, 2)}" for name, value in known.items())
    return [say("The margins add up to different populations ({sums}): correct the numbers.", sums=listed)]


def _term(survey: Survey, term: str, faults: list[str]) -> Floats:
    """Values of a term of a linear model."""
    values, responses = np.ones(survey.n), survey.responses.loc[survey.responding]
    if term in INTERCEPT:
        return values
    for part in [term] if term in responses else term.split(":"):
        factor = _factor(responses, part)
        if isinstance(factor, str):
            faults.append(factor)
        else:
            values[survey.responding] *= factor
    return values


def _factor(responses: pd.DataFrame, name: str) -> Floats | str:
    """Values of a numeric column, or of a column followed by one of its levels; else what is wrong."""
    if name in responses:
        values = responses[name]
        if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
            return say("{name} is not numeric: give the number of each of its levels.", name=name)
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        wrong = int((~np.isfinite(numbers)).sum())
        if wrong:
            return _no_value(name, wrong)
        return np.asarray(numbers, dtype=float)
    for column in sorted((str(c) for c in responses.columns if name.startswith(str(c))), key=len, reverse=True):
        rest = name[len(column) :].removeprefix("[").removesuffix("]").removeprefix("T.")
        levels = {str(level): level for level in ordered_levels(responses[column])[1]}
        if rest in levels:
            missing = int(responses[column].isna().sum())
            if missing:
                return _no_value(column, missing)
            return np.asarray(responses[column] == levels[rest], dtype=float)
    return say("{name} is neither a column of the responses nor a column followed by one of its levels.", name=name)


def _no_value(name: str, n: int) -> str:
    return say("{name}: {n} respondents have no value; fill it in or leave them out first.", name=name, n=n)


def _count(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
