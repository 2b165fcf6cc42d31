"""Several estimates a line, each with its interval, told apart by colour and mark."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts.language import number
from khaosat.show.theme import INK, PALETTE, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "osD^"
_LETTERS = 44
"""Letters on a line of a label."""


def paired_intervals(
    rows: pd.DataFrame,
    *,
    label: str,
    series: Mapping[str, tuple[str, str, str]],
    line: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Dots with intervals, one line a row; ``series`` names the columns estimate, low and high of each."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    labels = [fill(str(text), _LETTERS) for text in rows[label]]
    lines = sum(max(text.count("\n") + 1, 2, len(series)) for text in labels)
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.17 * lines + 1.1)))
        place = np.arange(len(rows))[::-1].astype(float)
        wide = 0.3 if len(series) < 3 else 0.54
        apart = wide / max(len(series) - 1, 1)
        for i, (name, columns) in enumerate(series.items()):
            estimate, low, high = (rows[column].to_numpy(float) for column in columns)
            at = place + (wide / 2 - apart * i if len(series) > 1 else 0.0)
            ax.hlines(at, low, high, color=PALETTE[i], linewidth=1.4, alpha=0.6)
            ax.plot(estimate, at, _MARKS[i], color=PALETTE[i], markersize=4.5, label=name)
        if line is not None:
            ax.axvline(line, color=INK, linewidth=0.9, linestyle="--", zorder=1)
        ax.set_yticks(place, labels)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(lambda value, _: number(value, 2))
        if len(series) > 1:
            ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8)
    return ax
