"""Stacked bars of shares that make up a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from khaosat.facts.language import number
from khaosat.show.theme import BLUE, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM = 0.06
"""Share of the width below which a number does not fit into its bar."""
_LINE = 60
"""Letters of a legend that fit on one line."""


def stacked_bars(
    shares: NDArray[np.float64],
    *,
    rows: Sequence[str],
    parts: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One bar a row, cut into parts; shades run from light to dark in the order of the parts."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    shades = sns.light_palette(BLUE, n_colors=len(parts) + 1)[1:]
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.36 * len(rows) + 1.1)))
        place, left = np.arange(len(rows))[::-1], np.zeros(len(rows))
        for part, (name, shade) in enumerate(zip(parts, shades, strict=True)):
            width = 100 * shares[:, part]
            ax.barh(place, width, left=left, height=0.7, color=shade, label=name, edgecolor="white", linewidth=0.6)
            ink = "white" if sum(shade[:3]) < 1.6 else "black"
            for y, x, value in zip(place, left, width, strict=True):
                if value >= 100 * _ROOM:
                    ax.text(x + value / 2, y, number(value, 0), ha="center", va="center", color=ink, fontsize=8)
            left = left + width
        ax.set_yticks(place, rows)
        ax.set_xlim(0, 100)
        ax.set_xlabel("%")
        ax.grid(False)
        across = len(parts) if sum(map(len, parts)) <= _LINE else 2
        if len(parts):
            ax.legend(title=title, loc="lower left", bbox_to_anchor=(0, 1), ncols=across, fontsize=8)
    return ax
