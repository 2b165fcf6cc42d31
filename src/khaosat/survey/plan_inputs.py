"""What a sample plan is told, checked and laid out by stratum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.facts.language import number, say
from khaosat.results import Result
from khaosat.survey.answers import ordered_levels
from khaosat.survey.proportions import proportion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ByStratum = float | Mapping[object, float] | Result
WHOLE = "stratum"
"""Key column of a plan without strata."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Strata:
    """The strata of a list.

    Parameters
    ----------
    keys
        Their names, one row a stratum, in order.
    code
        The stratum of each row of the list.
    population
        Rows of the list in each.
    """

    keys: pd.DataFrame
    code: NDArray[np.intp]
    population: Ints

    @property
    def labels(self) -> list[str]:
        """Names for messages."""
        return [" · ".join(map(str, key)) for key in self.keys.itertuples(index=False)]


def strata_of(frame: pd.DataFrame, columns: Sequence[str], faults: list[str]) -> Strata:
    """Strata by the values of some columns; what is wrong with them is added to ``faults``."""
    absent = [name for name in columns if name not in frame]
    if absent:
        faults.append(say("The list has no column {columns}.", columns=", ".join(absent)))
    elif columns and frame[list(columns)].isna().any(axis=None):
        n = int(frame[list(columns)].isna().any(axis=1).sum())
        faults.append(say("{n} rows of the list have no stratum.", n=n))
    if frame.empty:
        faults.append(say("The list is empty: there is nobody to draw."))
    if faults or not columns:
        keys = pd.DataFrame({WHOLE: [say("Whole list")]})
        return Strata(keys=keys, code=np.zeros(len(frame), dtype=np.intp), population=np.array([len(frame)]))
    places = [ordered_levels(frame[name]) for name in columns]
    combinations, code = np.unique(np.column_stack([codes for codes, _ in places]), axis=0, return_inverse=True)
    keys = pd.DataFrame({name: [places[j][1][i] for i in combinations[:, j]] for j, name in enumerate(columns)})
    code = code.reshape(-1).astype(np.intp)
    found = Strata(keys=keys, code=code, population=np.bincount(code).astype(np.int64))
    alone = [label for label, people in zip(found.labels, found.population, strict=True) if people == 1]
    if alone:
        faults.append(say("Strata with one row, which have no variance: {strata}; join them.", strata=", ".join(alone)))
    return found


def by_stratum(
    given: ByStratum, strata: Strata, *, name: str, column: str, holds: Callable[[Floats], NDArray[np.bool_]],
    faults: list[str],
) -> Floats:  # fmt: skip
    """One value a stratum from a number, a mapping, or a result of the last wave; faults are added to ``faults``."""
    values = np.full(len(strata.population), np.nan)
    told = _from_result(given, strata, column) if isinstance(given, Result) else given
    if told is None:
        text = "{name}: the result has no column {column} with one row, or one row a stratum."
        faults.append(say(text, name=name, column=column))
        return np.ones_like(values)
    if isinstance(told, Mapping):
        keys = [key[0] if len(key) == 1 else key for key in strata.keys.itertuples(index=False, name=None)]
        values = np.array([told.get(key, np.nan) for key in keys], dtype=float)
    else:
        values[:] = told
    absent = [label for label, value in zip(strata.labels, values, strict=True) if np.isnan(value)]
    if absent:
        faults.append(say("{name} is not known for: {strata}.", name=name, strata=", ".join(absent)))
    fit = holds(values)
    wrong = values[~np.isnan(values) & ~fit]
    if len(wrong):
        faults.append(say("{name} cannot be {value}.", name=name, value=number(float(wrong[0]), 2)))
    return np.where(fit, values, 1.0)


def _from_result(result: Result, strata: Strata, column: str) -> float | Mapping[object, float] | None:
    rows, keys = result.rows, list(strata.keys.columns)
    if column not in rows:
        return None
    if len(rows) == 1:
        return float(rows[column].iloc[0])
    if set(keys) <= set(rows.columns) and not rows.duplicated(keys).any():
        labels = rows[keys[0]] if len(keys) == 1 else pd.MultiIndex.from_frame(rows[keys])
        return dict(zip(labels, rows[column].astype(float), strict=True))
    return None


def last_deff(survey: Survey, faults: list[str]) -> float:
    """Mean design effect of the shares satisfied over the questions of the last wave.

    Against draws with replacement, so that a survey whose weights do not tell the population's size has one too.
    """
    asked = survey.questionnaire
    effects = []
    if asked is not None:
        items = [item for item in asked.items(block="satisfaction") if item in survey.responses]
        shares = (proportion(survey, item, at=asked.satisfied(item), deff="replace") for item in items)
        effects = [float(share.rows["deff"].iloc[0]) for share in shares]
    known = [effect for effect in effects if np.isfinite(effect)]
    if not known:
        faults.append(say("deff: the survey has no questions to take a design effect from; give a number or a result."))
        return 1.0
    return float(np.mean(known))


def spread_of_column(frame: pd.DataFrame, name: str, strata: Strata, faults: list[str]) -> tuple[Floats, Floats]:
    """Standard deviation and mean of a numeric column in each stratum."""
    if name not in frame or not pd.api.types.is_numeric_dtype(frame[name]):
        faults.append(say("sd: the list has no numeric column {column}.", column=name))
        return np.ones(len(strata.population)), np.ones(len(strata.population))
    groups = cast("pd.Series", frame[name].astype(float)).groupby(strata.code)
    sd, means = groups.std(ddof=1).to_numpy(dtype=float), groups.mean().to_numpy(dtype=float)
    if not np.isfinite(sd).all():
        faults.append(say("sd: column {column} has too few values in some strata.", column=name))
    return np.nan_to_num(sd, nan=1.0), np.nan_to_num(means, nan=1.0)


def cluster_sizes(frame: pd.DataFrame, clusters: str, strata: Strata, faults: list[str]) -> pd.Series:
    """Rows of each cluster, by number of its stratum and cluster."""
    if clusters not in frame:
        faults.append(say("The list has no column {columns}.", columns=clusters))
        return pd.Series(dtype=np.int64)
    if frame[clusters].isna().any():
        faults.append(say("{n} rows of the list have no cluster.", n=int(frame[clusters].isna().sum())))
    sizes = frame.groupby([strata.code, clusters], observed=True).size()
    names = sizes.index.get_level_values(1)
    astride = names[names.duplicated()].unique()
    if len(astride):
        shown = ", ".join(map(str, astride[:5]))
        faults.append(say("{n} clusters lie in several strata: {clusters}.", n=len(astride), clusters=shown))
    return sizes


def whole_number(value: object, *, name: str, least: int, faults: list[str]) -> None:
    """Add a fault unless a value is None or a whole number that is large enough."""
    if value is not None and not (isinstance(value, int | np.integer) and int(value) >= least):
        faults.append(say("{name} must be a whole number, at least {least}.", name=name, least=least))
