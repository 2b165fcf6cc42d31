"""The figure of a league table."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts.language import number, percent, say
from khaosat.show.theme import BLUE, GREY, INK, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_APART = 0.17
"""How far the direct estimate lies above the line of its unit, and the pooled one below."""
_LINE = 90
"""Letters on a line below the figure."""


def league_plot(
    rows: pd.DataFrame, *, units: Sequence[str], unit: str, together: float, below: str, crowded: bool, ax: Axes | None
) -> Axes:
    """One line a unit: interval and dot of the direct estimate, diamond of the pooled one, ranks at the right."""
    import matplotlib.pyplot as plt

    scale, n = (100.0 if unit == "share" else 1.0), len(rows)
    pitch, letters = (0.158, 7.0) if crowded else (0.27, 8.5)
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.8, pitch * n + 1.2)))
        place = np.arange(n)[::-1]
        pooled = "pooled" in rows and bool(rows["pooled"].notna().any())
        above = place + (_APART if pooled else 0.0)
        ax.hlines(above, rows["low"] * scale, rows["high"] * scale, color=BLUE, linewidth=1.4, alpha=0.5)
        ax.plot(rows["estimate"] * scale, above, "o", color=BLUE, markersize=3.8, label=say("Direct estimate"))
        if pooled:
            below_it, ends = place - _APART, (rows["pooled_low"] * scale, rows["pooled_high"] * scale)
            ax.hlines(below_it, *ends, color=VERMILION, linewidth=1.0, alpha=0.5)
            ax.plot(rows["pooled"] * scale, below_it, "D", color=VERMILION, markersize=3.0, fillstyle="none",
                    label=say("Pooled estimate"))  # fmt: skip
        if np.isfinite(together):
            words = percent(together, 1) if unit == "share" else number(together, 2)
            ax.axvline(together * scale, color=GREY, linewidth=0.9, linestyle="--", zorder=0,
                       label=say("All units: {value}", value=words))  # fmt: skip
        ax.set_yticks(place, unit_names(rows, units), fontsize=letters)
        ax.set_ylim(-0.7, n + 0.4)
        across = ax.get_yaxis_transform()
        for y, rank, interval, group in zip(
            place, rows["rank_text"], rows["rank_range"], rows["group_text"], strict=True
        ):
            ax.text(
                1.02, y, f"{rank}  ({interval})  {group}", transform=across, va="center", fontsize=letters, color=INK
            )
        ax.text(1.02, n - 0.15, say("Rank (interval)"), transform=across, va="center", fontsize=letters, weight="bold")
        ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
        ax.set_xlabel("\n".join(["%" if unit == "share" else say("Mean"), *wrap(below, _LINE)]), fontsize=letters)
        ax.tick_params(axis="x", labelsize=letters)
        # Ends where the dots end: to the left there is room above the names of units.
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=letters, borderaxespad=0.2)
    return ax


def unit_names(rows: pd.DataFrame, units: Sequence[str]) -> list[str]:
    """Names of units, of several columns joined.

    >>> unit_names(pd.DataFrame({"ward": ["A"], "field": ["Đất đai"]}), ["ward", "field"])
    ['A · Đất đai']
    """
    return [" · ".join(map(str, key)) for key in rows[list(units)].itertuples(index=False)]
