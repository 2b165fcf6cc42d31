"""The draw of a planned sample from its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import names
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.selection import inclusion_probabilities, simple_random, systematic
from khaosat.survey.plan_inputs import strata_of

Floats = NDArray[np.float64]
Selection = Literal["simple", "systematic", "pps"]

_MADE = ("population", "inclusion_probability", "weight", "certainty", "cluster_probability")


def draw_sample(
    frame: pd.DataFrame, plan: pd.DataFrame, *, strata: Sequence[str], clusters: str | None, ids: str,
    method: Selection, measure: str | None, order: str | Sequence[str] | None, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Rows of the list that are drawn, with their probabilities; see :meth:`SamplePlan.draw`."""
    _check(frame, ids=ids, method=method, measure=measure, order=names(order), clusters=clusters)
    order_by = [*dict.fromkeys([*names(order), ids])]
    listed = frame.reset_index(drop=True)
    code = pd.Series(strata_of(frame, strata, []).code)
    drawn = []
    for number, (_, wanted) in enumerate(plan.iterrows()):
        rows = listed[code == number].sort_values(order_by, key=_comparable)
        if clusters is None:
            found = _one_stage(rows, int(wanted["invited"]), method, measure, rng)
        else:
            found = _two_stages(rows, wanted, clusters, method, rng)
        found = found.assign(population=len(rows), weight=1 / found["inclusion_probability"])
        drawn.append(found.sort_values(ids, key=_comparable))
    sample = pd.concat(drawn, ignore_index=True)
    made = [name for name in _MADE if name in sample]
    return sample[[*frame.columns, *made]]


def _comparable(values: pd.Series) -> pd.Series:
    """Values in an order of their own: numbers and words mixed in a column go by their letters."""
    return values.astype(str) if values.dtype == object else values


def _one_stage(
    rows: pd.DataFrame, n: int, method: Selection, measure: str | None, rng: np.random.Generator
) -> pd.DataFrame:
    """``n`` rows by one method."""
    if method == "pps" and measure is not None:
        if n > len(rows):
            raise DataError(say("More are to be invited than the list has: {n} of {people}.", n=n, people=len(rows)))
        probability = inclusion_probabilities(rows[measure].to_numpy(dtype=float), n)
    else:
        probability = np.full(len(rows), n / len(rows))
    chosen = (
        simple_random(rng.random(len(rows)), n) if method == "simple" else systematic(probability, float(rng.random()))
    )
    return rows[chosen].assign(inclusion_probability=probability[chosen], certainty=probability[chosen] >= 1)


def _two_stages(
    rows: pd.DataFrame, wanted: pd.Series, clusters: str, method: Selection, rng: np.random.Generator
) -> pd.DataFrame:
    """Clusters in proportion to their rows, then the same number in each (all, where there are not so many)."""
    sizes = rows.groupby(clusters, sort=True, observed=True).size()
    taken = int(wanted["clusters_drawn"])
    probability = inclusion_probabilities(sizes.to_numpy().astype(float), taken)
    chosen = systematic(probability, float(rng.random()))
    each = -(-int(wanted["invited"]) // taken)
    parts = []
    for name, first in zip(sizes.index[chosen], probability[chosen], strict=True):
        members = rows[rows[clusters] == name]
        part = _one_stage(members, min(each, len(members)), method, None, rng)
        parts.append(
            part.assign(
                cluster_probability=first,
                inclusion_probability=part["inclusion_probability"] * first,
                certainty=part["certainty"] & (first >= 1),
            )
        )
    return pd.concat(parts)


def _check(
    frame: pd.DataFrame, *, ids: str, method: Selection, measure: str | None, order: Sequence[str], clusters: str | None
) -> None:
    if method not in get_args(Selection):
        raise ValueError(f"method must be one of {', '.join(get_args(Selection))}, not {method!r}")
    absent = [name for name in (ids, *names(measure), *order) if name not in frame]
    faults = [say("The list has no column {columns}.", columns=", ".join(absent))] if absent else []
    if ids in frame:
        missing, twice = int(frame[ids].isna().sum()), frame.loc[frame[ids].duplicated() & frame[ids].notna(), ids]
        if missing:
            faults.append(say("{n} rows of the list have no id in {column}.", n=missing, column=ids))
        if len(twice):
            shown = ", ".join(map(str, twice.unique()[:5]))
            faults.append(say("{n} rows of the list repeat an id: {ids}.", n=len(twice), ids=shown))
    if (method == "pps") != (measure is not None):
        faults.append(say("method='pps' and measure go together."))
    if method == "pps" and clusters is not None:
        faults.append(say("Clusters are drawn in proportion to their rows: within them choose simple or systematic."))
    if measure is not None and measure in frame:
        sizes = pd.to_numeric(frame[measure], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = int((~(np.isfinite(sizes) & (sizes > 0))).sum())
        if wrong:
            faults.append(
                say("{n} rows have no positive size in {column}: they could not be drawn.", n=wrong, column=measure)
            )
    made = [name for name in _MADE if name in frame]
    if made:
        faults.append(say("The list has columns that the draw makes: {columns}; rename them.", columns=", ".join(made)))
    if faults:
        raise DataError("\n".join(faults))
