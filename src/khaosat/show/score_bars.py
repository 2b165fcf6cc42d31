"""Points against their maxima: the one-page figure of a scorecard."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from khaosat.facts.language import number, say
from khaosat.show.theme import BLUE, GREY, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTERS = 46


def score_bars(
    labels: Sequence[str], *, scores: NDArray[np.float64], maxima: NDArray[np.float64], ax: Axes | None = None
) -> Axes:
    """A bar a line: the share of the maximum that was earned, with the points written beside it.

    Bars are as long as the share, so that a component of 2 points can be read as well as one of 20; what has no data
    has no bar and says so.
    """
    import matplotlib.pyplot as plt

    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.36 * len(labels) + 0.8)))
        place = np.arange(len(labels))[::-1]
        known = np.isfinite(scores)
        ax.barh(place[known], 100.0, height=0.62, color="#EDEDED", edgecolor=GREY, linewidth=0.5)
        share = np.divide(100 * scores, maxima, out=np.zeros(len(scores)), where=known & (maxima > 0))
        ax.barh(place[known], share[known], height=0.62, color=BLUE)
        for y, score, most, there in zip(place, scores, maxima, known, strict=True):
            words = say("{score} of {most}", score=number(score, 2), most=number(most)) if there else say("no data")
            ax.text(102, y, words, va="center", ha="left", color="black" if there else GREY, fontsize=8)
        ax.set_yticks(place, [textwrap.fill(label, _LETTERS) for label in labels], fontsize=8)
        ax.set_xlim(0, 128)
        ax.set_ylim(-0.6, len(labels) - 0.4)
        ax.set_xticks([0, 20, 40, 60, 80, 100])
        ax.set_xlabel(say("Share of the maximum (%)"))
    return ax


def word_bars(
    labels: Sequence[str],
    *,
    values: NDArray[np.float64],
    words: Sequence[str],
    axis: str,
    decimals: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """A bar a line with its value and a word, which says in text what a colour would."""
    import matplotlib.pyplot as plt

    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.34 * len(labels) + 0.8)))
        place = np.arange(len(labels))[::-1]
        ax.barh(place, values, height=0.62, color=BLUE)
        for y, value, word in zip(place, values, words, strict=True):
            text = f"{number(float(value), decimals)} · {word}" if word else number(float(value), decimals)
            ax.annotate(text, (max(float(value), 0.0), y), xytext=(4, 0), textcoords="offset points", va="center",
                        fontsize=8)  # fmt: skip
        ax.set_yticks(place, [textwrap.fill(label, _LETTERS) for label in labels], fontsize=8)
        ax.set_xlim(min(0.0, *values, 0.0), 1.45 * max([*values, 1e-9]))
        ax.set_ylim(-0.6, max(len(labels), 1) - 0.4)
        ax.set_xlabel(axis)
        ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
    return ax
