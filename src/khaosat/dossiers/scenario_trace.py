"""What a simulation takes from the log: routes with their times, arrivals, and the stations where hands were short."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.overruns import overrun_engine
from khaosat.dossiers.step_grain import pausing_statuses
from khaosat.dossiers.window import Window
from khaosat.engine.query import Deadline, ask
from khaosat.facts import read_table
from khaosat.stats.queue_network import fitted_servers

LEAST_WAITED = 10
"""So many visits must have waited at a station before its servers are estimated."""
OWN_STRATUM = 10
"""Units with so many closed dossiers lend each other none."""
MOST_DRAWN = 100_000
"""At most so many dossiers are drawn from; of more, every k-th by its id."""
_LEAD = dt.timedelta(days=92)


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """A period of a log, ready to be simulated; times in worked seconds.

    Parameters
    ----------
    dossiers
        One row a dossier closed in the period: ``unit, overrun`` (above 0: late), ``stratum``.
    visits
        One row a step of them, in order: ``dossier`` (row of ``dossiers``), ``step, unit, waiting, handling, paused,
        allowance, is_pause, station`` (row of ``stations``; -1: no queue).
    arrivals
        One row a dossier received in the period or shortly before: ``unit, received, counted, stratum``.
    stations
        One row a queue for hands: ``unit, step, servers, explained`` (part of the waiting that the queue explains),
        ``officers, n``.
    modulus
        Of how many closed dossiers one is in ``dossiers``.
    """

    dossiers: pd.DataFrame
    visits: pd.DataFrame
    arrivals: pd.DataFrame
    stations: pd.DataFrame
    modulus: int


def trace(log: DossierLog, span: Window, *, deadline: Deadline, closed: int) -> Trace:
    """The trace of a period in which ``closed`` dossiers were closed."""
    engine = overrun_engine(log, span, deadline)
    modulus = -(-closed // MOST_DRAWN) or 1
    lead = min(span.finish - span.start, _LEAD) if span.period is not None else dt.timedelta(0)
    dossiers = ask(engine, "what_if_dossiers", modulus=modulus)
    visits = ask(engine, "what_if_visits", modulus=modulus)
    arrivals = ask(engine, "what_if_arrivals", deadline=deadline, since=span.start - lead, start=span.start,
                   finish=span.finish, as_of=span.as_of)  # fmt: skip
    placeholders = [name.lower() for name in read_table("codes/placeholder_officers.csv")["name"]]
    joined = ask(engine, "what_if_stations", since=span.start - lead, finish=span.finish, least=LEAST_WAITED,
                 pausing=pausing_statuses(), placeholders=placeholders)  # fmt: skip
    stations = _stations(joined)
    return Trace(
        dossiers=_timed(dossiers), visits=_placed(visits, dossiers, stations), arrivals=arrivals, stations=stations,
        modulus=modulus,
    )  # fmt: skip


def strata(trace: Trace) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Which dossiers may stand in for an arrival: those of its unit, or of all small units together.

    Returns
    -------
    tuple
        Rows of ``trace.dossiers`` of each stratum, and the stratum of each arrival.
    """
    sizes = trace.dossiers["unit"].value_counts()
    own = sorted(sizes.index[sizes >= OWN_STRATUM])
    place = {unit: number for number, unit in enumerate(own, start=1)}
    of_dossier = trace.dossiers["unit"].map(place).fillna(0).to_numpy(np.int64)
    pools = [np.flatnonzero(of_dossier == number) for number in range(len(own) + 1)]
    if not len(pools[0]):
        pools[0] = np.arange(len(trace.dossiers))
    return pools, trace.arrivals["unit"].map(place).fillna(0).to_numpy(np.int64)


def _timed(dossiers: pd.DataFrame) -> pd.DataFrame:
    """Late is what the calendar says: a minute after the office has closed is late, by no worked time."""
    overrun = dossiers["overrun"].to_numpy(np.float64)
    late = dossiers["is_late"].to_numpy() == 1
    return dossiers.assign(overrun=np.where(late, np.maximum(overrun, 1.0), np.minimum(overrun, 0.0)))


def _stations(joined: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (unit, step), visits in joined.groupby(["unit", "step"], sort=True):
        arrival, service, waited = (visits[name].to_numpy(np.float64) for name in ("joined", "handled", "waited"))
        servers, explained = fitted_servers(arrival, service, waited=waited)
        if servers:
            rows.append((unit, step, servers, explained, int(visits["officers"].iloc[0]), len(visits)))
    return pd.DataFrame(rows, columns=["unit", "step", "servers", "explained", "officers", "n"])


def _placed(visits: pd.DataFrame, dossiers: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Visits with the rows of their dossiers and stations and the part of the legal term that is theirs."""
    places = stations.assign(station=np.arange(len(stations)))[["unit", "step", "station"]]
    visits = visits.astype({"unit": object, "step": object})
    visits = visits.merge(places.astype({"unit": object, "step": object}), on=["unit", "step"], how="left")
    station = visits["station"].fillna(-1).to_numpy(np.int64)
    rows = np.searchsorted(dossiers["nth"].to_numpy(), visits["nth"].to_numpy())
    visits = visits.assign(dossier=rows, station=np.where(visits["is_pause"] == 1, -1, station))
    return visits.assign(allowance=_allowances(visits, dossiers))


def _allowances(visits: pd.DataFrame, dossiers: pd.DataFrame) -> NDArray[np.float64]:
    """As in ``bottlenecks``: a step's own time limit, else its median in the procedure, scaled to the legal term."""
    active = (visits["waiting"] + visits["handling"]).astype("float64")
    row = visits["dossier"].to_numpy()
    procedure = dossiers["procedure_key"].to_numpy()[row]
    # The lower median, a time that was really taken.
    usual = active.groupby([procedure, visits["step"]]).transform(lambda times: times.quantile(0.5, "lower"))
    weight = visits["allotted"].astype("float64").fillna(usual).where(visits["is_pause"] == 0, 0.0)
    sums = pd.DataFrame({"weight": weight, "paused": visits["paused"]}).groupby(row).transform("sum")
    term, moved = (dossiers[name].to_numpy(np.float64)[row] for name in ("term", "moved"))
    shared = term - np.minimum(moved, sums["paused"].to_numpy(np.float64))
    whole = sums["weight"].to_numpy(np.float64)
    allowed: NDArray[np.float64] = np.zeros(len(visits))
    np.divide(shared * weight.to_numpy(), whole, out=allowed, where=whole > 0)
    return allowed
