"""The part of a directed graph that carries most of its flow, small enough to be drawn. Arrays in, arrays out."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def main_flow(
    source: ArrayLike, target: ArrayLike, *, n: ArrayLike, nodes: int, coverage: float = 0.9, most: int = 30
) -> tuple[Mask, Mask]:
    """Which nodes and edges to keep: the largest, and with each of them a way from the start and one to the end.

    Nodes are taken by the flow into them as long as they are at most ``most``, each with the nodes of its widest ways;
    then edges between them, the largest first, until they carry ``coverage`` of the flow between them, and those of the
    ways.

    Parameters
    ----------
    source, target
        Ends of the edges: 0 to ``nodes - 1``; ``nodes`` is the start and ``nodes + 1`` the end.
    n
        Flow of each edge.
    nodes
        How many nodes there are besides start and end.
    coverage
        Part of the flow that the drawn edges carry at least.
    most
        Largest number of nodes.

    Returns
    -------
    Masks over nodes (start and end are the last two, always kept) and over edges.

    Notes
    -----
    The widest way is the one whose smallest edge is largest. Nodes that cannot be reached, or from which there is no
    way to the end, are left out.

    References
    ----------
    Pollack (1960), Operations Research 8, 733-736.

    Examples
    --------
    >>> kept, edges = main_flow([2, 0, 1, 0], [0, 1, 3, 3], n=[9, 8, 8, 1], nodes=2)
    >>> edges.tolist()
    [True, True, True, False]
    """
    ends = np.stack([np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)])
    flow = np.asarray(n, dtype=np.float64)
    there, back = (
        _widest(ends, flow, root=nodes, size=nodes + 2),
        _widest(ends[::-1], flow, root=nodes + 1, size=nodes + 2),
    )
    into = np.bincount(ends[1], weights=flow, minlength=nodes + 2)[:nodes]
    kept, ways = {nodes, nodes + 1}, set[int]()
    for node in np.argsort(-into, kind="stable"):
        path = [*_way(int(node), ends[0], there), *_way(int(node), ends[1], back)]
        if there[node] < 0 or back[node] < 0:
            continue
        passed = {int(node), *ends[:, path].ravel().tolist()}
        if len(kept | passed) <= most + 2:
            kept |= passed
            ways |= set(path)
    node_mask = np.isin(np.arange(nodes + 2), list(kept))
    inside = node_mask[ends[0]] & node_mask[ends[1]]
    order = np.argsort(-np.where(inside, flow, 0.0), kind="stable")
    before = np.cumsum(np.where(inside, flow, 0.0)[order]) - np.where(inside, flow, 0.0)[order]
    edge_mask = np.zeros(flow.size, dtype=bool)
    edge_mask[order] = before < coverage * flow[inside].sum()
    edge_mask[list(ways)] = True
    return node_mask, edge_mask & inside


def _widest(ends: Ints, flow: NDArray[np.float64], *, root: int, size: int) -> Ints:
    """Of each node, the last edge on its widest way from the root; -1 if there is none (and for the root)."""
    leaving: list[list[int]] = [[] for _ in range(size)]
    for edge, start in enumerate(ends[0]):
        leaving[start].append(edge)
    last, done = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=bool)
    queue = [(-np.inf, 0, root, -1)]  # widest first, then with fewest edges
    while queue:
        width, steps, node, edge = heapq.heappop(queue)
        if done[node]:
            continue
        done[node], last[node] = True, edge
        for following in leaving[node]:
            if flow[following] > 0:
                heapq.heappush(queue, (max(width, -flow[following]), steps + 1, int(ends[1][following]), following))
    return last


def _way(node: int, starts: Ints, last: Ints) -> list[int]:
    """Edges on the way of a node, found backwards."""
    edges = []
    while last[node] >= 0:
        edges.append(int(last[node]))
        node = int(starts[last[node]])
    return edges
