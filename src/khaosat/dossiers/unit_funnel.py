"""The funnel plot of a comparison of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.dossiers.unit_verdicts import FAR, NEAR, limit_lines
from khaosat.facts.language import number, percent, say
from khaosat.show.theme import BLUE, GREY, INK, VERMILION, WIDTH, theme
from khaosat.stats.funnel import Overdispersion, Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 8


def funnel(
    rows: pd.DataFrame, *, name: str, city: float, spread: Spread, how: Overdispersion, ax: Axes | None = None
) -> Axes:
    """Standardised shares against sizes; limits of 95 % dashed, of 99.8 % solid; units beyond them by name."""
    import matplotlib.pyplot as plt

    points = rows[rows["raw"].isin(["far_above", "above", "usual", "below", "far_below"])].dropna(
        subset=["rate", "size"]
    )
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.6))
        ax.grid(axis="both", visible=True)
        top = float(points["size"].max()) if len(points) else 100.0
        if 0 < city < 1:
            size = np.geomspace(max(float(points["size"].min()) * 0.8, 2.0) if len(points) else 5.0, top * 1.08, 300)
            for level, style in ((NEAR, "--"), (FAR, "-")):
                ends = limit_lines(city, size, spread, how=how, level=level)
                for end in ends:
                    ax.plot(size, end * 100, color=GREY, linestyle=style, linewidth=0.9)
                ax.annotate(
                    percent(level, 0 if level == NEAR else 1),
                    (size[-1], ends[1][-1] * 100),
                    xytext=(3, 0),
                    textcoords="offset points",
                    fontsize=7,
                    color=GREY,
                    va="center",
                    annotation_clip=False,
                )
            ax.axhline(city * 100, color=INK, linewidth=0.9)
        out = points["raw"].isin(["far_above", "above", "below", "far_below"]).to_numpy()
        far = points["raw"].isin(["far_above", "far_below"]).to_numpy()
        ax.plot(points["size"][~out], points["rate"][~out] * 100, "o", color=BLUE, markersize=3.2, alpha=0.6)
        ax.plot(points["size"][out], points["rate"][out] * 100, "o", color=VERMILION, markersize=4.5)
        named = points[out].assign(far=far[out], distance=points["z"][out].abs())
        for _, row in named.sort_values(["far", "distance"], ascending=False).head(_NAMED).iterrows():
            right = row["size"] > 0.6 * top
            ax.annotate(
                row[name],
                (row["size"], row["rate"] * 100),
                xytext=(-6 if right else 6, 4),
                textcoords="offset points",
                ha="right" if right else "left",
                fontsize=8,
                color=VERMILION,
            )
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0, top=max(1.0, *(points["rate"] * 100 * 1.15), city * 200 if city == city else 1.0)
                    if len(points) else None)  # fmt: skip
        ax.set_xlabel(say("Dossiers of average risk"))
        ax.set_ylabel(say("Standardised share late (%)"))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
    return ax
