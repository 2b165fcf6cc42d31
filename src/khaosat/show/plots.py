"""Figures that several results share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import number
from khaosat.show.theme import BLUE, HALF, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def intervals(rows: pd.DataFrame, *, keys: list[str], unit: str, ax: Axes | None = None) -> Axes:
    """Estimates as dots with their intervals, one line a row, in the order of the rows."""
    import matplotlib.pyplot as plt

    scale = 100.0 if unit == "share" else 1.0
    labels = [" · ".join(str(row[key]) for key in keys) for _, row in rows.iterrows()]
    estimate = rows["estimate"].to_numpy(float) * scale
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.3 * len(rows) + 0.9)))
        place = np.arange(len(rows))[::-1]
        if {"low", "high"} <= set(rows.columns):
            low, high = (rows[c].to_numpy(float) * scale for c in ("low", "high"))
            ax.hlines(place, low, high, color=BLUE, linewidth=1.6, alpha=0.55)
        ax.plot(estimate, place, "o", color=BLUE, markersize=5)
        ax.set_yticks(place, labels)
        ax.set_ylim(-0.7, len(rows) - 0.3)
        ax.set_xlabel(f"{term('estimate')} (%)" if unit == "share" else term("estimate"))
        ax.xaxis.set_major_formatter(
            lambda value, _: number(value, 0 if abs(value) >= 10 or value == round(value) else 1)
        )
    return ax


def page_axes(height: float, *, half: bool = False) -> Axes:
    """Axes as wide as a page, or half of it, for a result to be drawn on lower than it draws itself for a screen."""
    import matplotlib.pyplot as plt

    with theme():
        return plt.subplots(figsize=(HALF if half else WIDTH, height))[1]
