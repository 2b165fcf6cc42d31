"""A process map: boxes for steps, arrows for what follows what, in layers from the start to the end."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts.language import number, percent, say
from khaosat.show.theme import GREY, INK, WIDTH, theme
from khaosat.stats.layering import compact, layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = NDArray[np.float64]

_BETWEEN = 0.38  # inches from layer to layer, where the lines turn
_BOX = (0.78, 1.45)  # narrowest and widest box, inches
_GAP = 0.09  # between boxes and lines side by side, inches
_LINE = 0.118  # inches a line of text
_NARROW, _WIDE = 0.85, 1.25  # in narrow boxes each count has a line of its own, in wide ones all stand in one
_FONT = 6.5
_LABELLED = 14
_PAPER = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
_ENDS = 0.07  # radius of start and end, inches
SHOWN = 0.05
"""Hours: shorter times, under three minutes, are not written."""
_DARKEST = 0.5  # of the colour scale: darker, black words could not be read on it


@dataclass(frozen=True, eq=False, kw_only=True)
class _Layout:
    """Places and sizes of nodes (inches), the layer of each (``depth``), the bends of edges between them, and how far
    from the middle of each layer its boxes ``reach``."""

    nodes: Points
    sizes: Points
    depth: NDArray[np.int64]
    bends: list[Points]
    reach: Points


def process_map(nodes: pd.DataFrame, edges: pd.DataFrame, *, colour_label: str, ax: Axes | None = None) -> Axes:
    """Draw a graph from top to bottom.

    Parameters
    ----------
    nodes
        ``label, n`` (size of the box), ``value`` (0..1 or missing: its colour), ``hours`` (how long it takes),
        ``repeats`` (how often straight after itself); the last two rows are the start and the end.
    edges
        ``source, target`` (positions of nodes), ``n`` (width of the arrow), ``label`` (words on it), ``rank`` (which
        labels come first when there is no room for all).
    colour_label
        What the colour means.
    ax
        Where to draw; a figure of its own by default.
    """
    import matplotlib.pyplot as plt

    placed = _places(nodes, edges)
    low, high = _extent(placed)
    with theme():
        if ax is None:
            width, height = high - low
            _, ax = plt.subplots(figsize=(max(WIDTH, width), height + 0.1))
        ax.set_xlim(low[0], high[0])
        ax.set_ylim(low[1], high[1])
        ax.set_aspect("equal")
        ax.axis("off")
        _draw_edges(ax, edges, placed)
        _draw_nodes(ax, nodes, placed)
        if nodes["value"].notna().any():
            _legend(ax, nodes["value"].max(), colour_label)
    return ax


def _places(nodes: pd.DataFrame, edges: pd.DataFrame) -> _Layout:
    """Layers and their order by Sugiyama's method; then as narrow and straight as boxes and lines allow."""
    size, ends = len(nodes), edges[["source", "target"]].to_numpy(dtype=np.int64).reshape(-1, 2)
    depth = layers(ends[:, 0], ends[:, 1], n=edges["n"], start=size - 2, size=size)
    depth[-1] = max(depth[:-1].max() + 1, 1)
    every, chains = _ordered(depth, ends, edges["n"].to_numpy(float))
    level = every[:, 1].astype(int)
    rows = [
        sorted(np.flatnonzero(level == layer).tolist(), key=lambda i: every[i, 0]) for layer in range(depth[-1] + 1)
    ]
    most = max(sum(i < size - 2 for i in row) for row in rows)
    box = min(_BOX[1], max(_BOX[0], (WIDTH - 0.6) / max(most, 1) - 2 * _GAP))
    heavy = 0.3 + edges["n"].to_numpy(float) / max(edges["n"].max(), 1)
    pairs = [(i, j, pull * (1 + (i >= size) + (j >= size)) ** 2)
             for chain, pull in zip(chains, heavy, strict=True) for i, j in pairwise(chain)]  # fmt: skip
    room = np.where(np.arange(len(every)) < size - 2, box, np.where(np.arange(len(every)) < size, 0.3, 0.02))
    x = compact(rows, room, pairs=[pair[:2] for pair in pairs], pull=[pair[2] for pair in pairs], gap=_GAP)
    sizes = _sizes(nodes, box)
    reach = np.array([sizes[depth == layer, 1].max(initial=0.0) / 2 for layer in range(depth[-1] + 1)])
    middle = -np.cumsum(reach + np.r_[0.0, reach[:-1]] + _BETWEEN)
    places = np.column_stack([x, middle[level]])
    return _Layout(nodes=places[:size], sizes=sizes, depth=depth, bends=[places[chain[1:-1]] for chain in chains],
                   reach=reach)  # fmt: skip


def _ordered(depth: NDArray[np.int64], ends: NDArray[np.int64], n: Points) -> tuple[Points, list[list[int]]]:
    """Order and layer of each node and of each bend of a line, and the points that each line goes through."""
    import igraph

    graph = igraph.Graph(n=len(depth), edges=ends.tolist(), directed=True)
    layout = graph.layout_sugiyama(layers=depth.tolist(), weights=n.tolist(), maxiter=500)
    bends = [np.array(bend, dtype=float).reshape(-1, 2) for bend in layout.edge_routing]
    firsts = len(depth) + np.cumsum([0, *map(len, bends)])
    chains = [[i, *range(first, last), j] for (i, j), (first, last) in zip(ends, pairwise(firsts), strict=True)]
    return np.concatenate([np.array(layout.coords, dtype=float).reshape(-1, 2), *bends]), chains


def _extent(placed: _Layout) -> tuple[Points, Points]:
    """Corners of the drawing, with room for the words beside start and end and for the legend."""
    corners = [
        placed.nodes - placed.sizes / 2,
        placed.nodes + placed.sizes / 2,
        *placed.bends,
        placed.nodes[-2:] + [0.9, 0],
    ]
    every = np.concatenate(corners)
    low, high = every.min(axis=0) - [0.08, 0.55], every.max(axis=0) + [0.08, 0.08]
    spare = max(0.0, WIDTH - (high[0] - low[0])) / 2
    return low - [spare, 0], high + [spare, 0]


def _sizes(nodes: pd.DataFrame, box: float) -> Points:
    """Width and height of each box: the width grows with the root of the volume, the height with the words."""
    n = nodes["n"].to_numpy(float)
    part = np.sqrt(n / n[:-2].max(initial=1.0))
    widths = box * (0.74 + 0.26 * part)
    lines = [len(_text(row, width)) for row, width in zip(nodes.to_dict("records"), widths, strict=True)]
    sizes = np.column_stack([widths, np.array(lines) * _LINE + 0.1])
    sizes[-2:] = 2 * _ENDS
    return sizes


def _text(row: Mapping[Hashable, Any], width: float) -> list[tuple[str, bool]]:
    """The lines of a box and whether they are part of its name: then how often, how slow and how late."""
    name = textwrap.wrap(row["label"], max(9, int(width * 16.5)), max_lines=4, placeholder="…") or [""]
    often = (
        say("{n} ({again} again)", n=int(row["n"]), again=int(row["repeats"])) if row["repeats"] else number(row["n"])
    )
    slow = [say("{n} h", n=number(row["hours"], 1))] if row["hours"] >= SHOWN else []
    late = [say("{share} late", share=percent(row["value"], 0))] if pd.notna(row["value"]) else []
    counts = [often, *slow, *late] if width < _NARROW else [often, " · ".join([*slow, *late])]
    if width > _WIDE:
        counts = [" · ".join([often, *slow, *late])]
    return [*((line, True) for line in name), *((line, False) for line in counts if line)]


def _draw_nodes(ax: Axes, nodes: pd.DataFrame, placed: _Layout) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    last = len(nodes) - 2
    for i, row in enumerate(nodes.to_dict("records")):
        (x, y), (width, height) = placed.nodes[i], placed.sizes[i]
        if i >= last:
            ax.add_patch(Circle((x, y), _ENDS, facecolor=INK if i == last else "white", edgecolor=INK, linewidth=1.6))
            ax.text(x + 0.12, y, f"{row['label']} ({number(row['n'])})", va="center", fontsize=_FONT)
            continue
        ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height,
                                    boxstyle="round,pad=0,rounding_size=0.05",
                                    facecolor=_colour(row["value"], nodes["value"].max()), edgecolor=INK,
                                    linewidth=0.7, zorder=3))  # fmt: skip
        for line, (words, is_name) in enumerate(_text(row, width)):
            ax.text(x, y + height / 2 - 0.05 - (line + 0.5) * _LINE, words, ha="center", va="center", zorder=4,
                    fontsize=_FONT if is_name else _FONT - 0.5, fontweight="bold" if is_name else "normal")  # fmt: skip


def _draw_edges(ax: Axes, edges: pd.DataFrame, placed: _Layout) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    largest = max(edges["n"].max(), 1) if len(edges) else 1
    lines = [_line(placed, int(i), int(j), bends)
             for i, j, bends in zip(edges["source"], edges["target"], placed.bends, strict=True)]  # fmt: skip
    written: list[Points] = []
    for i in edges["rank"].argsort():  # words where most time is lost find room first
        row, points = edges.iloc[i], lines[i]
        spot = _room(points, written) if row["label"] and row["rank"] < _LABELLED else None
        width, colour = 0.5 + 3.5 * row["n"] / largest, GREY if spot is None else INK
        way = np.sign(points[0, 1] - points[-1, 1])
        head, side = np.array([0.0, way * (0.06 + 0.012 * width)]), np.array([0.028 + 0.007 * width, 0.0])
        tip = points[-1].copy()
        points[-1] += head
        points[-2, 1] = way * max(way * points[-2, 1], way * points[-1, 1])
        ax.add_patch(PathPatch(Path(*_curve(points)), linewidth=width, edgecolor=colour, facecolor="none", zorder=1,
                               alpha=0.6 if spot is None else 0.8))  # fmt: skip
        ax.add_patch(Polygon([tip, tip + head + side, tip + head - side], facecolor=colour, edgecolor="none", zorder=2))
        if spot is not None:
            written.append(spot)
            ax.text(
                spot[0], spot[1], row["label"], ha="center", va="center", fontsize=_FONT - 0.5, zorder=5, bbox=_PAPER
            )


def _line(placed: _Layout, source: int, target: int, bends: Points) -> Points:
    """The points of a line: straight past the boxes of a layer, turning between layers; a little aside if it rises."""
    way = np.sign(placed.nodes[target, 1] - placed.nodes[source, 1]) or -1.0
    levels = np.linspace(placed.depth[source], placed.depth[target], len(bends) + 2).round().astype(int)
    aside = np.array([0.1 if way > 0 else 0.0, 0.0])
    points = [placed.nodes[source] + aside + [0, way * placed.sizes[source, 1] / 2]]
    for place, level in zip([placed.nodes[source] + aside, *bends, placed.nodes[target] + aside], levels, strict=True):
        edge = np.array([0.0, way * placed.reach[level]])
        points += [place - edge, place + edge]
    points.append(placed.nodes[target] + aside - [0, way * placed.sizes[target, 1] / 2])
    return np.array([points[0], *points[2:-2], points[-1]])


def _room(points: Points, taken: list[Points]) -> Points | None:
    """The middle of the first turn of a line that no words have taken yet."""
    for spot in (points[1:-1:2] + points[2::2][: len(points[1:-1:2])]) / 2:
        if all(abs(spot[0] - other[0]) > 0.34 or abs(spot[1] - other[1]) > 0.13 for other in taken):
            return np.asarray(spot)
    return None


def _curve(points: Points) -> tuple[Points, list[int]]:
    """A smooth line through points, vertical at each of them."""
    from matplotlib.path import Path

    vertices, codes = [points[0]], [int(Path.MOVETO)]
    for here, there in zip(points[:-1], points[1:], strict=True):
        half = np.array([0.0, (there[1] - here[1]) / 2])
        vertices += [here + half, there - half, there]
        codes += [int(Path.CURVE4)] * 3
    return np.array(vertices), codes


def _colour(value: float, largest: float) -> tuple[float, ...] | str:
    """White for none, darker for more: told apart in grey print too."""
    import matplotlib as mpl

    if pd.isna(value) or not largest:
        return "white"
    return tuple(mpl.colormaps["Oranges"](_DARKEST * value / largest))


def _legend(ax: Axes, largest: float, label: str) -> None:
    import matplotlib as mpl

    if not largest:
        return
    left, bottom = ax.get_xlim()[0], ax.get_ylim()[0]
    inset = ax.inset_axes((left + 0.1, bottom + 0.32, 1.4, 0.1), transform=ax.transData)
    inset.imshow(np.linspace(0, _DARKEST, 64)[None, :], cmap=mpl.colormaps["Oranges"], vmin=0, vmax=1, aspect="auto",
                 extent=(0, largest * 100, 0, 1))  # fmt: skip
    inset.set_yticks([])
    inset.grid(False)
    inset.set_xticks([0, largest * 100], [percent(0, 0), percent(largest, 0)], fontsize=_FONT)
    inset.set_xlabel(label, fontsize=_FONT, labelpad=1, loc="left")
