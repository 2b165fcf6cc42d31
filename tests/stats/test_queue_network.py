"""Queues: known answers of queueing theory, identities that hold path by path, servers found again."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.queue_network import Routes, fifo_waits, fitted_servers, network_waits


def erlang_c_wait(rate: float, service: float, servers: int) -> float:
    """Mean wait of M/M/c: Erlang's C formula over the free capacity."""
    load = rate * service
    last = load**servers / factorial(servers) / (1 - load / servers)
    busy = last / (sum(load**k / factorial(k) for k in range(servers)) + last)
    return busy * service / (servers - load)


@pytest.mark.parametrize(("servers", "service"), [(1, 0.7), (3, 2.4), (8, 6.0)])
def test_waits_of_exponential_queues_are_erlangs(servers, service):
    rng = np.random.default_rng(3)
    means = []
    for _ in range(12):
        arrival = np.cumsum(rng.exponential(1.0, 8000))
        means.append(fifo_waits(arrival, rng.exponential(service, 8000), servers=servers)[800:].mean())
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert np.mean(means) == pytest.approx(erlang_c_wait(1.0, service, servers), abs=3.5 * error)
    assert error < 0.1 * np.mean(means)  # an interval so wide that anything lies in it would prove nothing


def test_two_stations_in_line_are_two_queues_of_their_own():
    # Burke (1956): what leaves M/M/c is Poisson again, so the second wait is Erlang's too.
    rng = np.random.default_rng(5)
    n, means = 6000, []
    for _ in range(12):
        arrival = np.cumsum(rng.exponential(1.0, n))
        routes = Routes(first=np.arange(0, 2 * n + 1, 2), station=np.tile([0, 1], n), before=np.zeros(2 * n),
                        service=rng.exponential(np.tile([0.6, 1.4], n)))  # fmt: skip
        means.append(network_waits(arrival, np.arange(n), routes=routes, servers=[1, 2])[600:].mean())
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    expected = erlang_c_wait(1.0, 0.6, 1) + erlang_c_wait(1.0, 1.4, 2)
    assert np.mean(means) == pytest.approx(expected, abs=3.5 * error)


_jobs = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), min_size=1, max_size=30)


@given(jobs=_jobs, servers=st.integers(1, 4))
def test_waits_are_those_of_a_clock_that_ticks(jobs, servers):
    jobs = sorted(jobs)
    arrival, service = (np.array(column, dtype=float) for column in zip(*jobs, strict=True))
    free, waits = [0.0] * servers, []
    for moment, work in jobs:  # the definition, one job after the other
        desk = min(range(servers), key=free.__getitem__)
        start = max(moment, free[desk])
        free[desk] = start + work
        waits.append(start - moment)
    assert fifo_waits(arrival, service, servers=servers).tolist() == waits


@given(jobs=_jobs, servers=st.integers(1, 4))
def test_one_more_server_makes_nobody_wait_longer(jobs, servers):
    arrival, service = (np.array(column, dtype=float) for column in zip(*sorted(jobs), strict=True))
    more, fewer = (fifo_waits(arrival, service, servers=count) for count in (servers + 1, servers))
    assert (more <= fewer).all()


@given(jobs=_jobs, servers=st.integers(1, 4))
def test_littles_law(jobs, servers):
    arrival, service = (np.array(column, dtype=float) for column in zip(*sorted(jobs), strict=True))
    waits = fifo_waits(arrival, service, servers=servers)
    # The area under the number waiting, counted moment by moment, is the sum of the waits.
    moments = np.unique(np.concatenate([arrival, arrival + waits]))
    waiting = [((arrival <= moment) & (arrival + waits > moment)).sum() for moment in moments[:-1]]
    assert np.dot(waiting, np.diff(moments)) == pytest.approx(waits.sum())


def test_delay_between_stations_is_kept_and_other_kinds_share_the_queue():
    routes = Routes(first=np.array([0, 2, 2, 3]), station=np.array([0, 1, 1]), before=np.array([1.0, 2.0, 0.0]),
                    service=np.array([3.0, 5.0, 10.0]))  # fmt: skip
    # The first joins station 1 at 1+3+2 = 6, when the third, there since 0, is busy until 10.
    waits = network_waits(np.zeros(3), np.array([0, 1, 2]), routes=routes, servers=[1, 1])
    assert waits.tolist() == [4.0, 0.0, 0.0]


@pytest.mark.parametrize("servers", [1, 2, 5, 9])
def test_the_servers_behind_waits_are_found(servers):
    rng = np.random.default_rng(servers)
    arrival, service = np.cumsum(rng.exponential(1.0, 800)), rng.exponential(0.85 * servers, 800)
    waited = np.rint(fifo_waits(arrival, service, servers=servers))  # as a log that knows no fractions has them
    found, explained = fitted_servers(arrival, service, waited=waited)
    assert found == servers
    assert explained > 0.9


def test_waits_that_no_number_of_servers_explains_are_no_queue():
    rng = np.random.default_rng(1)
    arrival, service = np.cumsum(rng.exponential(1.0, 300)), np.full(300, 0.01)
    assert fitted_servers(arrival, service, waited=np.full(300, 4.0)) == (0, 0.0)
    assert fitted_servers(arrival[:0], service[:0], waited=service[:0]) == (0, 0.0)
