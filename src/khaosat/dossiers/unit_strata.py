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

LADDER = (("procedure", "channel", "month"), ("procedure", "channel"), ("procedure",), ("field",))
"""Kinds of dossiers from fine to coarse, of which ``strata="auto"`` takes the first that is not too fine."""
OWN_PART = 0.25
"""Part of a unit's yardstick that may be made of its own dossiers, in the middle unit."""
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


def own_part(counts: pd.DataFrame, *, by: str, strata: Sequence[str], few: int) -> float:
    r"""Part of a unit's own dossiers in the rates that it is held against: the median of units with ``few`` or more.

    :math:`\sum_s n_{us}^2/N_s / n_u`: with it at :math:`\pi` a unit :math:`\theta` times as late as the others comes
    out as about :math:`\theta/(1 - \pi + \pi\theta)`. It knows nothing of who is late, so choosing strata by it does
    not make units that are alike stand out.
    """
    if not len(counts):
        return float("nan")
    cells = counts.groupby([by, *strata], as_index=False)["n"].sum().assign(all_=0)
    whole = cells.groupby([*strata, "all_"])["n"].transform("sum")
    cells["own"] = cells["n"] ** 2 / whole.where(whole > 0)
    sums = cells.groupby(by)[["own", "n"]].sum()
    large = sums[sums["n"] >= few]
    return float((large["own"] / large["n"]).median()) if len(large) else float("nan")


def coarse_enough(counts: pd.DataFrame, *, by: str, ladder: Sequence[tuple[str, ...]], few: int) -> tuple[str, ...]:
    """The first rung of the ladder on which units are mostly held against others; the last where none is."""
    for rung in ladder:
        if not own_part(counts, by=by, strata=rung, few=few) > OWN_PART:
            return rung
    return tuple(ladder[-1])
