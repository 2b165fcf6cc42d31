"""The figures of a policy: a series beside what it would have been, and effects by time since adoption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from khaosat.facts.language import date, number, say
from khaosat.show.theme import BLUE, GREY, INK, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from khaosat.evaluate.policy_result import PolicyEffect

_MOST_TICKS = 12


def interrupted_series(result: PolicyEffect, *, ax: Axes | None = None) -> Axes:
    """Observed points, the model, what would have been without the policy with its interval, and the day."""
    import matplotlib.pyplot as plt

    times = 100.0 if result.binomial else 1.0
    series = result.series
    place = np.arange(len(series))
    after = series["after"].to_numpy(dtype=bool)
    values = {
        name: times * series[name].to_numpy(float) for name in ("observed", "fitted", "counterfactual", "low", "high")
    }
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.2))
        used = series["used"].to_numpy(dtype=bool)
        ax.scatter(place[used], values["observed"][used], s=14, color=INK, zorder=3)
        ax.scatter(place[~used], values["observed"][~used], s=14, facecolor="none", edgecolor=GREY, zorder=3)
        if np.isfinite(values["fitted"]).any():
            for side in (~after, after):  # the line breaks where the policy begins
                ax.plot(place[side], np.where(used, values["fitted"], np.nan)[side], color=BLUE, linewidth=1.6)
            ax.plot(place[after], values["counterfactual"][after], color=VERMILION, linestyle="--", linewidth=1.4)
            ax.fill_between(place[after], values["low"][after], values["high"][after], color=VERMILION, alpha=0.12,
                            linewidth=0)  # fmt: skip
            _label_ends(ax, float(place[-1]), values["fitted"][-1], values["counterfactual"][-1])
            if times == 100.0:
                _limit(ax, values)
        _mark_day(ax, float(np.argmax(after)) - 0.5, date(result.when))
        _axis(ax, [str(period) for period in series["period"]])
        ax.set_ylabel(say("Share (%)") if result.binomial else say("Value"))
    return ax


def event_study(result: PolicyEffect, *, ax: Axes | None = None) -> Axes:
    """Effects by periods since adoption with intervals; those before it should lie around zero."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    times = 100.0 if result.binomial else 1.0
    events = result.events
    since = events["since"].to_numpy(float)
    estimate, low, high = (times * events[name].to_numpy(float) for name in ("estimate", "low", "high"))
    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(WIDTH, 3.2))
        for group, colour in ((since < 0, GREY), (since >= 0, BLUE)):
            ax.vlines(since[group], low[group], high[group], color=colour, linewidth=1.4)
            ax.scatter(since[group], estimate[group], color=colour, s=20, zorder=3)
        ax.axhline(0, color=INK, linewidth=0.8)
        _mark_day(ax, -0.5, say("the policy begins"))
        ax.grid(axis="y", color="#E3E3E3")
        ax.set_xlabel(say("Periods since adoption (grey: before, should lie around zero)"))
        ax.set_ylabel(say("Change (percentage points)") if result.binomial else say("Change"))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.xaxis.set_major_formatter(lambda value, _: number(value))
        ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
    return ax


def _label_ends(ax: Axes, x: float, fitted: float, counterfactual: float) -> None:
    above = fitted > counterfactual
    for value, words, colour, up in ((fitted, say("as it is"), BLUE, above),
                                     (counterfactual, say("without the policy"), VERMILION, not above)):  # fmt: skip
        ax.annotate(words, (x, value), xytext=(6, 4 if up else -4), textcoords="offset points", color=colour,
                    va="bottom" if up else "top", annotation_clip=False)  # fmt: skip


def _limit(ax: Axes, values: dict[str, np.ndarray]) -> None:
    """Shares below zero are not drawn, nor does a wide interval dwarf the points."""
    lines = np.concatenate([values[name] for name in ("observed", "fitted", "counterfactual")])
    highest = float(np.nanmax(lines))
    lowest = float(np.nanmin(lines))
    room = 0.25 * max(highest - lowest, 1e-9)
    ax.set_ylim(lowest - room if lowest < 0 else max(lowest - room, 0.0), highest + room)


def _mark_day(ax: Axes, x: float, words: str) -> None:
    ax.axvline(x, color=GREY, linestyle=":", linewidth=1.4)
    ax.annotate(words, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(-4, -2), textcoords="offset points",
                ha="right", va="top", color="#555555", fontsize=8)  # fmt: skip


def _axis(ax: Axes, names: list[str]) -> None:
    every = max(1, -(-len(names) // _MOST_TICKS))
    shown = np.arange(len(names))[::-1][::every][::-1]
    words = [f"{name[5:]}/{name[2:4]}" if len(name) == 7 and "Q" not in name else name for name in names]
    ax.set_xticks(shown, [words[i] for i in shown], rotation=0 if len(words[0]) <= 7 else 30)
    ax.grid(axis="x", visible=False)
    ax.grid(axis="y", color="#E3E3E3")
    ax.margins(x=0.02)
    ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
