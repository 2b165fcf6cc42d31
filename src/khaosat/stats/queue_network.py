"""Queues at stations with several servers, first come first served: waits by the exact recursion, no clock to tick.

The next visit in time takes the server that is free first: ``start = max(join, earliest free)``. In order of joining
this gives the waits of G/G/c queues exactly (Kiefer and Wolfowitz 1955); a heap of who joins next carries it over a
network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOO_LONG = 1.25
"""A fitted number of servers may make visits wait so much longer than they did."""
EXPLAINED = 0.5
"""It must explain at least so much of how long they waited."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Routes:
    """The visits of kinds of jobs, kind after kind.

    Parameters
    ----------
    first
        Place of the first visit of each kind; one more at the end.
    station
        Where each visit is.
    before
        Time from the end of the visit before (from the arrival, for the first) to joining the queue.
    service
        Time in service.
    """

    first: Ints
    station: Ints
    before: Floats
    service: Floats


def network_waits(arrival: Floats, kind: Ints, *, routes: Routes, servers: Sequence[int]) -> Floats:
    """How long each job waits in all its queues together.

    Parameters
    ----------
    arrival
        When each job arrives.
    kind
        Its kind, a place in ``routes.first``.
    routes
        The visits of each kind.
    servers
        Servers at each station, at least one.

    Returns
    -------
    ndarray
        Waiting of each job, in the unit of ``arrival``.

    Notes
    -----
    Stations are empty at the start. Two that join at once are served in the order of the jobs.

    References
    ----------
    Kiefer and Wolfowitz (1955), On the theory of queues with many servers, Trans. AMS 78, 1-18.

    Examples
    --------
    >>> one_visit = Routes(first=np.array([0, 1]), station=np.array([0]), before=np.zeros(1), service=np.array([5.0]))
    >>> network_waits(np.array([0.0, 1.0, 2.0]), np.zeros(3, dtype=int), routes=one_visit, servers=[1])
    array([0., 4., 8.])
    """
    first, station = routes.first.tolist(), routes.station.tolist()
    before, service = routes.before.tolist(), routes.service.tolist()
    kinds = kind.tolist()
    waited = [0.0] * len(kinds)
    free = [[-np.inf] * count for count in servers]
    # Tuples compare by time, then job: the order of service.
    joins = [(moment + before[first[k]], job, first[k]) for job, (moment, k) in enumerate(
        zip(arrival.tolist(), kinds, strict=True)) if first[k] < first[k + 1]]  # fmt: skip
    heapify(joins)
    while joins:
        now, job, visit = joins[0]
        desks = free[station[visit]]
        start = desks[0]
        if start > now:
            waited[job] += start - now
        else:
            start = now
        end = start + service[visit]
        heapreplace(desks, end)
        visit += 1
        if visit < first[kinds[job] + 1]:
            heapreplace(joins, (end + before[visit], job, visit))
        else:
            heappop(joins)
    return np.array(waited)


def fifo_waits(arrival: Floats, service: Floats, *, servers: int) -> Floats:
    """Waits of visits at one station, in the order given.

    >>> fifo_waits(np.array([0.0, 1.0, 2.0]), np.array([5.0, 5.0, 5.0]), servers=2)
    array([0., 0., 3.])
    """
    n = len(arrival)
    each = Routes(first=np.arange(n + 1), station=np.zeros(n, dtype=np.int64), before=np.zeros(n), service=service)
    return network_waits(arrival, np.arange(n), routes=each, servers=[servers])


def fitted_servers(arrival: Floats, service: Floats, *, waited: Floats) -> tuple[int, float]:
    """Servers with whom visits would have waited most nearly as long, on average, as they did.

    Parameters
    ----------
    arrival, service, waited
        When each visit joined the queue, how long it was served and how long it had waited before.

    Returns
    -------
    tuple
        Servers and the part of the waiting that they explain (at most 1); (0, 0.0) where no number of servers explains
        :data:`EXPLAINED` of it without going beyond :data:`TOO_LONG`: nobody waited for want of a server.

    Notes
    -----
    The mean wait falls with every server more, so the number is found by bisection. The mean does not depend on the
    order of service as long as that does not look at service times and nobody idles while others wait (conservation of
    work).

    References
    ----------
    Kleinrock (1976), Queueing Systems II, sec. 3.4.

    Examples
    --------
    >>> moments, work = np.arange(50.0), np.full(50, 3.5)
    >>> fitted_servers(moments, work, waited=fifo_waits(moments, work, servers=3))
    (3, 1.0)
    >>> fitted_servers(moments, work, waited=np.zeros(50))
    (0, 0.0)
    """
    seen = float(waited.mean()) if len(waited) else 0.0
    if seen <= 0:
        return 0, 0.0

    def mean_wait(servers: int) -> float:
        return float(fifo_waits(arrival, service, servers=servers).mean())

    low, high = 0, _most_at_once(arrival + waited, service)  # with `low` they wait too long, with `high` not at all
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if mean_wait(middle) <= seen else (middle, high)
    tried = {count: mean_wait(count) for count in (low, high) if count}
    best = min(tried, key=lambda count: abs(tried[count] - seen))
    if not EXPLAINED * seen <= tried[best] <= TOO_LONG * seen:
        return 0, 0.0
    return best, min(tried[best] / seen, 1.0)


def _most_at_once(start: Floats, service: Floats) -> int:
    """Most visits in service at one moment; one that ends as another begins is gone."""
    moments = np.concatenate([start + service, start])
    steps = np.concatenate([-np.ones(len(start)), np.ones(len(start))])[np.argsort(moments, kind="stable")]
    return max(int(np.cumsum(steps).max(initial=0)), 1)
