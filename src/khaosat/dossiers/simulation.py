"""Replications of a period under scenarios, with the same random numbers for each, so that differences are sharp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.scenario import QUEUED, Change, Scenario
from khaosat.dossiers.scenario_trace import Trace, strata
from khaosat.stats.queue_network import Routes, network_waits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_VISITS = 12_000_000
"""Simulated visits to queues, over all replications and scenarios; of more, replications are saved."""
FEWEST = 20
"""Replications are not saved below this."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Plant:
    """The trace as one scenario has it.

    Parameters
    ----------
    overrun
        Of each dossier, without its waiting in queues; above 0 it is late.
    routes
        Its visits to queues.
    servers
        At each station.
    arrivals
        How many times each arrival comes.
    """

    overrun: Floats
    routes: Routes
    servers: list[int]
    arrivals: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Draws:
    """The random numbers of one replication, three an arrival: which dossier, whether it comes again, and when."""

    dossier: Floats
    again: Floats
    moment: Floats

    @classmethod
    def of(cls, rng: np.random.Generator, n: int) -> Draws:
        """Draw them."""
        return cls(dossier=rng.random(n), again=rng.random(n), moment=rng.random(n))


def replicate(
    trace: Trace, scenarios: Sequence[Scenario], *, replications: int, seed: int, day: float
) -> tuple[Floats, Floats, int]:
    """Late share and mean wait of each scenario (the first without a change) in each replication.

    Parameters
    ----------
    trace
        The period.
    scenarios
        What is changed.
    replications
        How many; fewer where the queues are too many for that.
    seed
        Of the random numbers.
    day
        Worked seconds of a day.

    Returns
    -------
    tuple
        Late shares and mean waiting in queues (worked seconds a dossier), scenarios by replications; replications run.
    """
    plants = [plant(trace, scenario.changes, day=day) for scenario in scenarios]
    pools, stratum = strata(trace)
    joins = len(trace.arrivals) * sum(len(each.routes.station) for each in plants) / max(len(trace.dossiers), 1)
    runs = max(min(replications, int(MOST_VISITS / max(joins, 1.0))), min(FEWEST, replications))
    received = trace.arrivals["received"].to_numpy(np.float64)
    counted = trace.arrivals["counted"].to_numpy() == 1
    late, waited = np.full((len(plants), runs), np.nan), np.full((len(plants), runs), np.nan)
    for run, source in enumerate(np.random.SeedSequence(seed).spawn(runs)):
        rng = np.random.default_rng(source)
        draws = [Draws.of(rng, len(received)) for _ in range(2)]
        for place, each in enumerate(plants):
            row, time = _jobs(each.arrivals, draws[0])
            moments = received[row] + np.where(time > 0, (_fresh(draws[1].moment[row], time) - 0.5) * day, 0.0)
            which = np.where(time > 0, _fresh(draws[1].dossier[row], time), draws[0].dossier[row])
            dossier = _draw(which, pools, stratum[row])
            waits = _waits(each, moments, dossier)
            of_period = counted[row]
            if of_period.any():
                late[place, run] = (each.overrun[dossier] + waits > 0)[of_period].mean()
                waited[place, run] = waits[of_period].mean()
    return late, waited, runs


def plant(trace: Trace, changes: Sequence[Change], *, day: float) -> Plant:
    """Apply changes to the trace."""
    visits, stations = trace.visits, trace.stations
    waiting, handling = (visits[name].to_numpy(np.float64) for name in ("waiting", "handling"))
    station = visits["station"].to_numpy(np.int64).copy()
    servers = stations["servers"].to_numpy(np.int64).copy()
    arrivals = np.ones(len(trace.arrivals))
    new_waiting, new_handling = waiting.copy(), handling.copy()
    for change in changes:
        if change.action == "arrivals":
            arrivals[_at(trace.arrivals["unit"], change.unit)] *= change.size
        elif change.action == "more_officers":
            servers += _more(stations, change)
        else:
            here = touched(visits, change)
            limit = _limit(visits, change, day)[here]
            new_handling[here] = np.minimum(new_handling[here], limit)
            new_waiting[here] = np.minimum(new_waiting[here], limit - new_handling[here])
            station[here] = -1  # they keep to their limit whatever the queue
    # What the queue explains of a wait is left to the queue.
    explained = np.append(stations["explained"].to_numpy(np.float64), 0.0)[station]
    own_wait = new_waiting * (1 - explained)
    saved = (waiting + handling - own_wait - new_handling).astype(np.float64)
    row = visits["dossier"].to_numpy(np.int64)
    overrun = trace.dossiers["overrun"].to_numpy(np.float64).copy()
    np.subtract.at(overrun, row, saved)
    delays = own_wait + visits["paused"].to_numpy(np.float64)
    routes = _routes(row, station, delays, new_handling, dossiers=len(trace.dossiers))
    return Plant(overrun=overrun, routes=routes, servers=np.maximum(servers, 1).tolist(), arrivals=arrivals)


def touched(visits: pd.DataFrame, change: Change) -> NDArray[np.bool_]:
    """Which steps a change is about."""
    here: NDArray[np.bool_] = _at(visits["unit"], change.unit) & (visits["is_pause"] == 0).to_numpy(bool)
    if change.steps:
        here = here & visits["step"].isin(change.steps).to_numpy(bool)
    return here


def answerable(trace: Trace, change: Change) -> bool:
    """Whether the log shows a queue on which the change can work."""
    if change.action not in QUEUED or not change.alters:
        return True
    if change.action == "more_officers":
        return bool(_more(trace.stations, change).any())
    if not change.unit:
        return len(trace.stations) > 0
    rows = np.flatnonzero(_at(trace.dossiers["unit"], change.unit))
    return bool((trace.visits.loc[trace.visits["dossier"].isin(rows), "station"] >= 0).any())


def _at(units: pd.Series, unit: str) -> NDArray[np.bool_]:
    return np.asarray(units == unit, dtype=bool) if unit else np.ones(len(units), dtype=bool)


def _more(stations: pd.DataFrame, change: Change) -> Ints:
    """Servers that come to each station: an officer has as many in hand at once as one has there now."""
    here = _at(stations["unit"], change.unit)
    if change.steps:
        here = here & stations["step"].isin(change.steps).to_numpy(bool)
    each = np.maximum(np.rint(stations["servers"] / stations["officers"].clip(lower=1)), 1.0)
    each = np.where(stations["officers"] > 0, each, 1.0)
    return np.where(here, change.size * each, 0).astype(np.int64)


def _limit(visits: pd.DataFrame, change: Change, day: float) -> Floats:
    """How long each step may take."""
    if change.action == "legal_time":
        return visits["allowance"].to_numpy(np.float64)
    return np.full(len(visits), change.size * day if change.action == "within_days" else 0.0)


def _routes(row: Ints, station: Ints, delays: Floats, service: Floats, *, dossiers: int) -> Routes:
    """The visits to queues; what lies between them is delay."""
    queued = station >= 0
    passed = np.cumsum(delays + np.where(queued, 0.0, service))  # all delay so far, services in queues apart
    first_visit = np.searchsorted(row, np.arange(dossiers))
    origin = np.append(passed, 0.0)[first_visit - 1] * (first_visit > 0)
    at = passed[queued] - origin[row[queued]]
    same = np.append(False, row[queued][1:] == row[queued][:-1])
    before = np.where(same, at - np.append(0.0, at[:-1]), at)
    first = np.searchsorted(row[queued], np.arange(dossiers + 1))
    return Routes(first=first, station=station[queued], before=np.maximum(before, 0.0), service=service[queued])


def _draw(uniform: Floats, pools: Sequence[Ints], stratum: Ints) -> Ints:
    """A dossier for each arrival, out of those of its stratum."""
    drawn = np.zeros(len(uniform), dtype=np.int64)
    for number, pool in enumerate(pools):
        here = stratum == number
        drawn[here] = pool[(uniform[here] * len(pool)).astype(np.int64)]
    return drawn


def _jobs(arrivals: Floats, draws: Draws) -> tuple[Ints, Ints]:
    """Which arrivals come, some of them again: their rows, and 0 for the first time."""
    whole = np.floor(arrivals).astype(np.int64)
    times = whole + (draws.again < arrivals - whole)
    row = np.repeat(np.arange(len(arrivals)), times)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)


def _fresh(uniform: Floats, time: Ints) -> Floats:
    """Other numbers for the second time an arrival comes again than for the first: steps of the golden ratio."""
    return (uniform + 0.6180339887498949 * time) % 1.0


def _waits(plant: Plant, moments: Floats, dossier: Ints) -> Floats:
    if not len(plant.routes.station):
        return np.zeros(len(dossier))
    return network_waits(moments, dossier, routes=plant.routes, servers=plant.servers)
