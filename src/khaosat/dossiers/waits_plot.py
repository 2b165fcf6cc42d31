"""Curves of the share that has ended by so many days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts.language import number, say
from khaosat.show.theme import GREY, INK, PALETTE, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CURVES = 6
_APART = 5.5
"""Percentage points between two labels at the right."""


def incidence_curves(
    rows: pd.DataFrame, *, by: Sequence[str], term: float, x_label: str, ax: Axes | None = None
) -> Axes:
    """One step curve a group (results only) or, without groups, an end; named at its last point."""
    import matplotlib.pyplot as plt

    shown = rows[rows["raw"] == "result"] if by else rows
    names = list(by) or ["outcome"]
    largest = shown.drop_duplicates(names).nlargest(_CURVES, "n", keep="first")[names]
    curves = [(" · ".join(map(str, key)), shown[(shown[names] == list(key)).all(axis=1)])
              for key in largest.itertuples(index=False, name=None)]  # fmt: skip
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.4))
        ax.grid(axis="both", visible=True)
        for (_, curve), color in zip(curves, PALETTE, strict=False):
            x, y, low, high = (
                np.concatenate([[0.0], curve[name].to_numpy(float) * scale])
                for name, scale in (("time", 1), ("estimate", 100), ("low", 100), ("high", 100))
            )
            ax.step(x, y, where="post", color=color, linewidth=1.6)
            ax.fill_between(x, low, high, step="post", color=color, alpha=0.15, linewidth=0)
        ends = [(float(curve["estimate"].iloc[-1]) * 100, name, color)
                for (name, curve), color in zip(curves, PALETTE, strict=False)]  # fmt: skip
        for place, (_, name, color) in zip(_spread([end[0] for end in ends]), ends, strict=True):
            ax.annotate(
                name,
                (1.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                color=color,
                va="center",
                fontsize=8,
                annotation_clip=False,
            )
        if np.isfinite(term):
            ax.axvline(term, color=GREY, linestyle="--", linewidth=1)
            ax.text(term, 103, say("median legal term: {days}", days=number(term)), color=INK, fontsize=8, ha="left")
        ax.set_ylim(0, 102)
        ax.set_xlim(left=0)
        ax.set_xlabel(x_label)
        ax.set_ylabel(say("Have a result (%)") if by else say("Have ended so (%)"))
        ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
        ax.yaxis.set_major_formatter(lambda value, _: number(value))
    return ax


def _spread(heights: Sequence[float]) -> list[float]:
    """Heights moved apart, from the lowest up, so that labels do not cover each other."""
    placed = np.array(heights, dtype=float)
    order = np.argsort(placed, kind="stable")
    for lower, upper in zip(order[:-1], order[1:], strict=True):
        placed[upper] = max(placed[upper], placed[lower] + _APART)
    if len(placed) and placed.max() > 100:  # the stack hangs from the top where it would rise above it
        top = 100.0
        for at in order[::-1]:
            placed[at] = min(placed[at], top)
            top = placed[at] - _APART
    return [float(height) for height in placed]
