"""What is drawn of a graph: enough flow, no node in the air, layers from the start down, nothing overlaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.layering import compact, layers
from khaosat.stats.main_flow import main_flow


@st.composite
def graphs(draw):
    """Edges among up to eight nodes, a start and an end."""
    nodes = draw(st.integers(1, 8))
    pairs = [(i, j) for i in [*range(nodes), nodes] for j in [*range(nodes), nodes + 1] if (i, j) != (nodes, nodes + 1)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=20))
    flow = draw(st.lists(st.integers(1, 50), min_size=len(chosen), max_size=len(chosen)))
    return nodes, np.array(chosen), np.array(flow)


def reached(ends, edges, root):
    """Nodes that edges lead to from a root."""
    seen, fresh = {root}, {root}
    while fresh:
        fresh = {int(j) for i, j in ends[edges] if i in fresh} - seen
        seen |= fresh
    return seen


@given(graph=graphs(), coverage=st.sampled_from([0.1, 0.5, 0.9, 1.0]), most=st.integers(1, 8))
def test_every_kept_node_has_a_way_from_the_start_and_to_the_end(graph, coverage, most):
    nodes, ends, flow = graph
    kept, edges = main_flow(ends[:, 0], ends[:, 1], n=flow, nodes=nodes, coverage=coverage, most=most)
    inner = set(np.flatnonzero(kept[:-2]).tolist())
    assert len(inner) <= most
    assert kept[ends[edges]].all()
    assert inner <= reached(ends, edges, nodes)
    assert inner <= reached(ends[:, ::-1], edges, nodes + 1)
    inside = kept[ends].all(axis=1)
    assert flow[edges].sum() >= coverage * flow[inside].sum() - 1e-9


def test_with_room_for_all_every_node_on_a_way_is_kept():
    kept, edges = main_flow([2, 0, 1, 0, 2], [0, 1, 3, 3, 1], n=[9, 8, 8, 1, 1], nodes=2, coverage=0.5)
    assert kept.all()
    assert edges.tolist() == [True, True, True, False, False]


@given(graph=graphs())
def test_layers_go_down_but_for_edges_that_close_a_circle(graph):
    nodes, ends, flow = graph
    depth = layers(ends[:, 0], ends[:, 1], n=flow, start=nodes, size=nodes + 2)
    assert depth[nodes] == 0
    up = depth[ends[:, 0]] >= depth[ends[:, 1]]
    for source, target in ends[up]:
        assert int(source) in reached(ends, np.ones(len(ends), dtype=bool), int(target))
    # Every node but those of the first layer lies right below one that leads to it.
    for node in np.flatnonzero(depth > 0):
        assert depth[ends[ends[:, 1] == node, 0]].tolist().count(depth[node] - 1) > 0


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    links=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=12),
)
def test_neighbours_never_touch(sizes, links):
    firsts = np.cumsum([0, *sizes])
    rows = [list(range(first, last)) for first, last in zip(firsts[:-1], firsts[1:], strict=True)]
    count = int(firsts[-1])
    pairs = [(i % count, j % count) for i, j in links if i % count != j % count]
    widths = 1.0 + np.arange(count) % 3
    x = compact(rows, widths, pairs=pairs, pull=np.ones(len(pairs)), gap=0.25)
    for row in rows:
        for i, j in zip(row, row[1:], strict=False):
            assert x[j] - x[i] >= (widths[i] + widths[j]) / 2 + 0.25 - 1e-9


def test_a_chain_is_a_straight_line():
    x = compact([[0], [1], [2]], [1.0, 2.0, 1.0], pairs=[(0, 1), (1, 2)], pull=[1, 1], gap=0.1)
    assert np.ptp(x) == pytest.approx(0, abs=1e-9)
