"""Late dossiers of units against what dossiers like theirs come to in the whole city."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import Definition, meaning
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline

SMALL_UNITS = "small_units"
"""The row of units that are too small to stand alone."""


def stratum_counts(
    log: DossierLog, period: Period | str | None, *, by: str, strata: Sequence[str], definition: Definition,
    deadline: Deadline,
) -> pd.DataFrame:  # fmt: skip
    """Late and judged dossiers by unit and stratum: ``by, *strata, late, n``, and ``missing`` (no due date)."""
    columns = (by, *strata)
    counts = count_late(log, meaning(definition).query, window(log, period), by=columns, deadline=deadline)
    counts = counts.rename(columns={f"{definition}_numerator": "late", f"{definition}_denominator": "n",
                                    f"{definition}_missing": "missing"})  # fmt: skip
    counts = counts[[*columns, "late", "n", "missing"]]
    counts[list(columns)] = counts[list(columns)].astype("string").fillna("")
    return counts[(counts["n"] > 0) | (counts["missing"] > 0)].reset_index(drop=True)


def expected_late(counts: pd.DataFrame, *, by: str, strata: Sequence[str], pooled: int) -> pd.DataFrame:
    r"""Observed and expected late dossiers of units: ``by, observed, expected, n, missing, alone, units``.

    :math:`E_u = \sum_s n_{us} \cdot L_s/N_s` with the city's late and judged dossiers of the stratum, the unit's own
    among them. ``alone`` is the part of the unit's dossiers in strata that are mostly its own: of these it is compared
    with itself. Units with fewer than ``pooled`` dossiers are one row.
    """
    whole = counts.assign(kind=0).groupby([*strata, "kind"])
    late, n = (whole[name].transform("sum").to_numpy(float) for name in ("late", "n"))
    rate = np.divide(late, n, where=n > 0, out=np.zeros(len(counts)))
    cells = counts.assign(expected=counts["n"] * rate, alone=np.where(2 * counts["n"] > n, counts["n"], 0))
    sizes = cells.groupby(by)["n"].sum()
    small = set(sizes.index[sizes < pooled])
    cells["units"] = cells[by]
    if len(small) > 1:
        cells[by] = cells[by].where(~cells[by].isin(small), SMALL_UNITS)
    sums = cells.groupby(by).agg(
        observed=("late", "sum"), expected=("expected", "sum"), n=("n", "sum"), missing=("missing", "sum"),
        alone=("alone", "sum"), units=("units", "nunique"),
    )  # fmt: skip
    sums["alone"] = sums["alone"] / sums["n"].where(sums["n"] > 0)
    return sums.reset_index()
