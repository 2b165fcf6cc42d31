"""The figure of satisfaction by working days late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.evaluate.linkage import DAYS_LATE
from khaosat.facts.language import number, percent, say
from khaosat.show.theme import BLUE, GREY, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TALLEST = 0.16
"""Height of the bars of respondents, as a part of the figure."""


def lateness_curve(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Predicted share satisfied by days late with its interval; below, how many respondents were that late."""
    import matplotlib.pyplot as plt

    days = curve[DAYS_LATE].to_numpy(float)
    share, low, high = (100 * curve[name].to_numpy(float) for name in ("estimate", "low", "high"))
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.4))
        ax.fill_between(days, low, high, color=BLUE, alpha=0.18, linewidth=0)
        ax.plot(days, share, color=BLUE, linewidth=1.8)
        for place, align, above in ((0, "left", 7), (len(days) - 1, "right", -16)):
            ax.annotate(
                percent(share[place] / 100), (days[place], share[place]), xytext=(0, above), ha=align, color=BLUE,
                textcoords="offset points", fontweight="bold",
            )  # fmt: skip
        _bars(ax, days, curve["respondents"].to_numpy(float))
        ax.set_ylim(0, 100)
        ax.set_xlabel(say("Working days late"))
        ax.set_ylabel(say("Share satisfied (%)"))
        ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
    return ax


def _bars(ax: Axes, days: np.ndarray, respondents: np.ndarray) -> None:
    """Respondents by days late, small at the bottom; those in time are said in words, or they would dwarf the rest."""
    late = days > 0
    most = max(respondents[late].max(initial=0.0), 1.0)
    ax.bar(days[late], 100 * _TALLEST * respondents[late] / most, width=0.6, color=GREY, alpha=0.7)
    words = say("Bars: respondents that late ({late} in all; {on_time} in time)", late=int(respondents[late].sum()),
                on_time=int(respondents[~late].sum()))  # fmt: skip
    ax.annotate(words, (0.99, _TALLEST + 0.02), xycoords="axes fraction", ha="right", fontsize=8, color="#555555")
