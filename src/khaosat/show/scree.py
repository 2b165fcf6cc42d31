"""Roots of a correlation matrix against random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.show.theme import BLUE, GREY, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 15


def scree(roots: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Roots in falling order with the bound that random ones rarely exceed; those kept are filled."""
    import matplotlib.pyplot as plt

    shown = roots.head(_MOST)
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.0))
        ax.plot(shown["component"], shown["root"], color=BLUE, linewidth=1.2)
        for kept, face in ((True, BLUE), (False, "white")):
            part = shown[shown["kept"] == kept]
            ax.plot(part["component"], part["root"], "o", color=BLUE, markerfacecolor=face, markersize=5)
        ax.plot(shown["component"], shown["random_high"], color=GREY, linewidth=1.2, linestyle="--")
        first, last = shown.iloc[0], shown.iloc[-1]
        ax.annotate(say("answers"), (first["component"], first["root"]), xytext=(8, -3), textcoords="offset points",
                    color=BLUE, fontsize=8)  # fmt: skip
        ax.annotate(say("shuffled answers, 95 %"), (last["component"], last["random_high"]), xytext=(0, 12),
                    textcoords="offset points", ha="right", color=GREY, fontsize=8)  # fmt: skip
        ax.set_xticks(shown["component"])
        ax.grid(axis="y")
        ax.set_xlabel(term("component"))
        ax.set_ylabel(term("root"))
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
    return ax
