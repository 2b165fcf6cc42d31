"""Values against their targets, with the verdict in words beside the colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from khaosat.facts.language import percent, say
from khaosat.show.theme import GREEN, GREY, INK, ORANGE, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"met": GREEN, "near": ORANGE, "missed": VERMILION, "no_data": GREY}
_MARKS = {"met": "o", "near": "D", "missed": "X", "no_data": "o"}
_LETTERS = 40


def target_marks(
    labels: Sequence[str],
    *,
    values: NDArray[np.float64],
    targets: NDArray[np.float64],
    lights: Sequence[str],
    words: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """A line an indicator: a mark at its value, a bar at its target, and its verdict in words."""
    import matplotlib.pyplot as plt

    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.46 * len(labels) + 0.9)))
        place = np.arange(len(labels))[::-1]
        ax.hlines(place, 0, 100, color="#EDEDED", linewidth=5)
        ax.plot(100 * targets, place, "|", color=INK, markersize=15, markeredgewidth=2)
        for y, value, light, word in zip(place, values, lights, words, strict=True):
            text = word
            if np.isfinite(value):
                ax.plot(100 * value, y, _MARKS[light], color=_COLOURS[light], markersize=8)
                text = f"{percent(float(value), 1)} · {word}"
            ax.text(104, y, text, va="center", ha="left", fontsize=8, color=INK if np.isfinite(value) else GREY)
        ax.set_yticks(place, [textwrap.fill(label, _LETTERS) for label in labels], fontsize=8)
        ax.set_xlim(0, 155)
        ax.set_xticks([0, 20, 40, 60, 80, 100])
        ax.set_ylim(-0.7, max(len(labels), 1) - 0.3)
        ax.set_xlabel(say("% (upright line: target)"))
    return ax
