"""How far nowcasts of the same kind would have missed at earlier moments of the log."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.outlook_cells import (
    Cells,
    Outcome,
    Within,
    ask_cells,
    courses_of,
    outcome,
    placed_cells,
    undecided,
)
from khaosat.dossiers.waits import TimeUnit
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.stats.conditional import beyond_chance

MOMENTS = 6
APART = 30
"""Days between them."""
LEAST = 3
"""Of fewer moments a variance is not told."""
_MOST = 0.95
"""So many of the undecided must have been decided since."""
_WATCHED = 2
"""So many times as long as most dossiers may still run must the log have been kept before such a moment."""
_CALENDAR = 1.5
"""Calendar days that a working day takes at most, in the long run."""


class Past(NamedTuple):
    """Variance of the share of the undecided by which nowcasts missed, beyond chance, and of how many moments."""

    variance: float
    moments: int


def past_misses(
    log: DossierLog, placed: Cells, *, start: dt.datetime, finish: dt.datetime, within: Within, unit: TimeUnit,
    deadline: Deadline,
) -> Past:  # fmt: skip
    """The nowcast of the whole log, for a window as long, at moments when what it was about has been decided since.

    Only moments before which the log had been kept long enough to know the course of dossiers.
    """
    waiting = undecided(placed[placed["of_period"] == 1])
    if not len(waiting):
        return Past(0.0, 0)
    days = _CALENDAR if unit == "working_days" else 1.0
    left = _reach(waiting["until"] - waiting["days"], waiting["n"]) * days
    course = _reach(waiting["until"], waiting["n"]) * days
    began = _first(log)
    misses = []
    for moment in range(MOMENTS):
        back = dt.timedelta(days=int(np.ceil(left)) + APART * moment)
        if began is None or log.as_of - back - dt.timedelta(days=_WATCHED * course) < began:
            break
        then, since = (
            _city(known, start=start if start < began else start - back, finish=finish - back, within=within, unit=unit,
                  deadline=deadline)
            for known in (replace(log, as_of=log.as_of - back), log)
        )  # fmt: skip
        if then.undecided:
            misses.append(
                (then.in_time + then.expected - since.in_time - since.expected, then.variance, then.undecided)
            )
    if len(misses) < LEAST:
        return Past(0.0, 0)
    gaps, variances, sizes = np.array(misses).T
    return Past(beyond_chance(gaps, variances, sizes), len(misses))


def _city(
    log: DossierLog, *, start: dt.datetime, finish: dt.datetime, within: Within, unit: TimeUnit, deadline: Deadline
) -> Outcome:
    span = window(log, None)
    cells = ask_cells(log, span, start=start, finish=min(finish, span.known), by=(), unit=unit, deadline=deadline)
    placed = placed_cells(cells, within)
    return outcome(placed[placed["of_period"] == 1], courses_of(placed, {}), within)


def _reach(days: pd.Series, n: pd.Series) -> float:
    """Days that most of the dossiers do not go beyond."""
    sizes = n.groupby(days).sum().sort_index().cumsum()
    return float(sizes.index[sizes >= _MOST * sizes.iloc[-1]][0])


def _first(log: DossierLog) -> dt.datetime | None:
    found = log.engine.query("SELECT min(received_at) AS began FROM dossiers")["began"][0].as_py()
    return found if isinstance(found, dt.datetime) else None
