"""Where the nodes of a layered drawing go: layers without upward detours, and places that keep edges short."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


def layers(source: ArrayLike, target: ArrayLike, *, n: ArrayLike, start: int, size: int) -> Ints:
    """Layer of each node: the longest way from the start without edges that lead back.

    An edge leads back if it ends at a node that a walk from the start, along the largest edges first, is still on its
    way from; the rest has no cycles.

    Examples
    --------
    >>> layers([0, 1, 2, 2], [1, 2, 1, 3], n=[5, 5, 1, 4], start=0, size=4).tolist()
    [0, 1, 2, 3]
    """
    ends = np.stack([np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)])
    leaving: list[list[int]] = [[] for _ in range(size)]
    for edge in np.argsort(-np.asarray(n, dtype=float), kind="stable"):
        leaving[ends[0, edge]].append(int(ends[1, edge]))
    state, finished = np.zeros(size, dtype=np.int64), list[int]()  # 0 not seen, 1 on the way, 2 done
    forward: list[list[int]] = [[] for _ in range(size)]
    for root in (start, *range(size)):
        stack = [(root, iter(leaving[root]))] if state[root] == 0 else []
        state[root] = max(state[root], 1)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                finished.append(node)
                stack.pop()
            elif state[following] != 1:
                forward[node].append(following)
                if state[following] == 0:
                    state[following] = 1
                    stack.append((following, iter(leaving[following])))
    depth = np.zeros(size, dtype=np.int64)
    for node in reversed(finished):
        for following in forward[node]:
            depth[following] = max(depth[following], depth[node] + 1)
    return depth


def compact(
    rows: list[list[int]], widths: ArrayLike, *, pairs: ArrayLike, pull: ArrayLike, gap: float
) -> NDArray[np.float64]:
    """Places along the layers, in the given order, so that joined points lie as near below each other as they can.

    Minimises ``sum of pull |x_i - x_j|`` over pairs such that neighbours of a layer do not touch: a linear programme.

    Parameters
    ----------
    rows
        The points of each layer, from left to right.
    widths
        Room that each point takes.
    pairs
        Joined points, two columns.
    pull
        How much each pair wants to be straight.
    gap
        Room between neighbours.

    References
    ----------
    Gansner, Koutsofios, North, Vo (1993), IEEE Transactions on Software Engineering 19, 214-230, section 4.

    Examples
    --------
    >>> compact([[0], [1, 2]], [1.0, 1.0, 1.0], pairs=[[0, 1], [0, 2]], pull=[1, 5], gap=0.5).round(6).tolist()
    [1.5, 0.0, 1.5]
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    room, joined = np.asarray(widths, dtype=float), np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    beside = np.array([pair for row in rows for pair in zip(row, row[1:], strict=False)], dtype=np.int64).reshape(-1, 2)

    def difference(of: Ints) -> csr_array:
        line = np.arange(len(of))
        values = np.r_[np.ones(len(of)), -np.ones(len(of))]
        return csr_array((values, (np.r_[line, line], np.r_[of[:, 0], of[:, 1]])), shape=(len(of), len(room)))

    apart, along = difference(beside), difference(joined)
    slack = eye_array(len(joined))
    found = linprog(
        np.r_[np.full(len(room), 1e-6), np.asarray(pull, dtype=float)],
        A_ub=vstack([
            hstack([apart, csr_array((len(beside), len(joined)))]), hstack([along, -slack]), hstack([-along, -slack]),
        ]),
        b_ub=np.r_[-(room[beside].sum(axis=1) / 2 + gap), np.zeros(2 * len(joined))],
        bounds=(0, None),
    )  # fmt: skip
    return np.asarray(found.x[: len(room)])
