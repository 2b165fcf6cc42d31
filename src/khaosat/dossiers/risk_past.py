"""How often dossiers of a kind, a unit, a place of reception had been late lately, as known at a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERIOD = 30
"""Days of a period; a moment knows of the periods before its own."""
HALF_LIFE = 365
"""Days after which an outcome counts one half."""
SMOOTH = 20.0
"""So many dossiers of the overall share are added to each."""
_BASE = 5.0
"""So many late and so many timely dossiers are added to all."""
_NAMES = ("procedure", "unit", "receiving_unit")
PAST = (*(f"past_{name}" for name in _NAMES), "past_all")
"""Log odds of being late lately: of each against all, and of all."""


def past_rates(counts: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns :data:`PAST` of snapshots, from ``engine/queries/risk_past.sql``: of all dossiers, not of a sample.

    Outcomes that fell due in periods before the one of the moment, weighted by :math:`2^{-age/365}`.

    Examples
    --------
    >>> counts = pd.DataFrame({"name": ["unit"], "value": ["u"], "period": [0], "n": [90], "late": [85]})
    >>> frame = pd.DataFrame({"at_second": [0, PERIOD * 86400], "unit": "u", "procedure": None, "receiving_unit": None})
    >>> past_rates(counts, frame)[["past_unit", "past_all"]].round(1).values.tolist()
    [[0.0, 0.0], [0.5, 2.2]]
    """
    now = (frame["at_second"] // 86400 // PERIOD).to_numpy("int64")
    periods = [*counts["period"].tolist(), *now.tolist()]
    first = min(periods, default=0)
    length = max(periods, default=0) - first + 1
    place = np.maximum(now - first - 1, 0)
    whole = _weighed(counts[counts["name"] == "unit"].assign(value=""), pd.Index([""]), first, length)
    # Before the first period has passed nothing is known.
    late, n = (np.where(now > first, part[0, place], 0.0) for part in whole)
    base = (late + _BASE) / (n + 2 * _BASE)
    found = {}
    for name in _NAMES:
        part = counts[counts["name"] == name]
        values = pd.Index(part["value"].unique())
        sums = _weighed(part, values, first, length)
        code = values.get_indexer(frame[name].fillna("").to_numpy())
        late, n = (np.where((code >= 0) & (now > first), table[code, place], 0.0) for table in sums)
        found[f"past_{name}"] = _log_odds((late + SMOOTH * base) / (n + SMOOTH)) - _log_odds(base)
    return pd.DataFrame({**found, "past_all": _log_odds(base)}, index=frame.index)


def _weighed(counts: pd.DataFrame, values: pd.Index, first: int, length: int) -> tuple[Floats, Floats]:
    """Late ones and all up to the end of each period, older ones with less weight: one row a value."""
    late, n = np.zeros((len(values) + 1, length)), np.zeros((len(values) + 1, length))
    cell = (values.get_indexer(pd.Index(counts["value"])), (counts["period"] - first).to_numpy("int64"))
    np.add.at(late, cell, counts["late"].to_numpy(float))
    np.add.at(n, cell, counts["n"].to_numpy(float))
    fading = 0.5 ** (PERIOD / HALF_LIFE)
    for i in range(1, length):
        late[:, i] += fading * late[:, i - 1]
        n[:, i] += fading * n[:, i - 1]
    return late, n


def _log_odds(p: Floats) -> Floats:
    return np.asarray(np.log(p / (1 - p)))
