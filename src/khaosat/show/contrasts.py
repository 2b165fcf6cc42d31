"""Groups beside everybody else."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts.language import number, percent, say
from khaosat.show.theme import GREY, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def group_and_rest(rows: pd.DataFrame, *, empty: str, label: str, ax: Axes | None = None) -> Axes:
    """A dot with its interval for each ``rule``, and a ring for ``rest``; ``empty`` as a sentence without rows."""
    import matplotlib.pyplot as plt

    names = [textwrap.fill(str(rule), 46) for rule in rows["rule"]]
    lines = sum(name.count("\n") + 1 for name in names)
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.3 * len(rows) + 0.18 * lines + 0.9)))
        if rows.empty:
            ax.set_axis_off()
            ax.text(0.5, 0.5, empty, ha="center", va="center", transform=ax.transAxes)
            return ax
        place = np.arange(len(rows))[::-1]
        value, low, high, rest = (100 * rows[name].to_numpy(float) for name in ("estimate", "low", "high", "rest"))
        ax.hlines(place, low, high, color=VERMILION, linewidth=1.6, alpha=0.55)
        ax.plot(value, place, "o", color=VERMILION, markersize=6)
        ax.plot(rest, place, "o", markerfacecolor="white", markeredgecolor=GREY, markersize=6)
        for y, x, other in zip(place, value, rest, strict=True):
            ax.annotate(percent(x / 100), (x, y), xytext=(0, 6), textcoords="offset points", ha="center",
                        color=VERMILION, fontweight="bold")  # fmt: skip
            ax.annotate(percent(other / 100), (other, y), xytext=(0, 6), textcoords="offset points", ha="center",
                        color="#555555")  # fmt: skip
        ax.annotate(say("○ all others"), (0.99, 0.02), xycoords="axes fraction", ha="right", fontsize=8,
                    color="#555555")  # fmt: skip
        ax.set_yticks(place, names)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        ax.set_xlim(left=0)
        ax.set_xlabel(label)
        ax.xaxis.set_major_formatter(lambda tick, _: number(tick) if tick == round(tick) else "")
    return ax
