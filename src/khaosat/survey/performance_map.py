"""Importance against performance: where improvement would pay most, and where that cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts.language import number, percent, say
from khaosat.show.blocks import ColumnKind
from khaosat.show.table import Column
from khaosat.stats.intervals import t_interval
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Quadrant = Literal["concentrate", "keep_up", "low_priority", "overkill", "unclear"]
Scale = Literal["share", "score", "points"]

_MOST_NAMED = 7
"""More points than these are numbered, with a key beside the map."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PerformanceMap(SurveyResult):
    """Importance and performance, one row a factor or item.

    ``rows``: ``variable, importance, importance_se, importance_low, importance_high, performance, performance_se,
    performance_low, performance_high``, distances from the mean of all ``importance_gap, importance_gap_low,
    importance_gap_high, performance_gap, performance_gap_low, performance_gap_high``, ``quadrant`` (``concentrate``:
    important and below the mean performance; ``keep_up``: important and above; ``low_priority``; ``overkill``: less
    important and above; ``unclear``: the interval of a distance crosses the line), ``df, n, n_missing``.

    Parameters
    ----------
    importance_scale, performance_scale
        ``share`` (0..1), ``points`` (change of a share) or ``score``.
    """

    importance_scale: Scale = "share"
    performance_scale: Scale = "share"

    def plot(self, ax: Axes | None = None) -> Axes:
        """The map: lines at the means, bars as long as the distances from them are uncertain."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, GREY, WIDTH, theme

        published = self.rows[~self._small_cells()]
        shown = replace(self, rows=published)._worded().rows
        across, up = (100.0 if scale != "score" else 1.0 for scale in (self.performance_scale, self.importance_scale))
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 4.6))
            key = len(shown) > _MOST_NAMED
            for place, (_, row) in enumerate(shown.iterrows()):
                colour = GREY if published["quadrant"].iloc[place] == "unclear" else BLUE
                x, y = across * row["performance"], up * row["importance"]
                ax.hlines(y, *_around(row, "performance", across), color=colour, alpha=0.5, linewidth=1.4)
                ax.vlines(x, *_around(row, "importance", up), color=colour, alpha=0.5, linewidth=1.4)
                ax.plot([x], [y], "o", color=colour, markersize=6)
                name = str(place + 1) if key else row["variable"]
                ax.annotate(name, (x, y), xytext=(4, 3), textcoords="offset points", fontsize=8)
            if key:
                names = "\n".join(f"{place}  {name}" for place, name in enumerate(shown["variable"], start=1))
                ax.text(1.02, 1, names, transform=ax.transAxes, va="top", fontsize=7, linespacing=1.5)
            ax.axvline(across * self.rows["performance"].mean(), color="0.4", linewidth=0.8, zorder=0)
            ax.axhline(up * self.rows["importance"].mean(), color="0.4", linewidth=0.8, zorder=0)
            ax.margins(0.12, 0.1)
            ax.grid(False)
            _name_quadrants(ax)
            ax.set_xlabel(f"{say('Performance')}: {_scale_words(self.performance_scale, say('share satisfied'))}")
            ax.set_ylabel(f"{say('Importance')}: {_scale_words(self.importance_scale, say('share of R²'))}")
        return ax

    def _worded(self) -> SurveyResult:
        worded = super()._worded()
        words = quadrant_words()
        return replace(worded, rows=worded.rows.assign(quadrant=[words[name] for name in self.rows["quadrant"]]))

    def _columns(self) -> Sequence[Column]:
        columns = [Column(name="variable")]
        for name, scale, group in (
            ("importance", self.importance_scale, say("Importance")),
            ("performance", self.performance_scale, say("Performance")),
        ):
            kind: ColumnKind = "number" if scale == "score" else "percent"
            span: ColumnKind = "interval" if scale == "score" else "interval_percent"
            decimals = 2 if scale == "score" else 1
            columns += [
                Column(name=name, kind=kind, decimals=decimals, group=group, label=say("Value")),
                Column(name=(f"{name}_low", f"{name}_high"), kind=span, decimals=decimals, group=group),
            ]
        return [*columns, Column(name="quadrant"), Column(name="n", kind="int")]


@dataclass(frozen=True, eq=False, kw_only=True)
class Axis:
    """Estimates on one axis with their covariance and their own intervals."""

    estimates: Floats
    covariance: Floats
    df: int
    low: Floats
    high: Floats
    scale: Scale

    def columns(self, name: str, *, level: float) -> dict[str, Floats]:
        """Columns of the axis, the distances from the mean of all points among them."""
        centre = np.eye(len(self.estimates)) - 1 / len(self.estimates)
        gap, variance = centre @ self.estimates, centre @ self.covariance @ centre.T
        low, high = t_interval(gap, np.sqrt(np.maximum(np.diagonal(variance), 0.0)), df=self.df, level=level)
        return {
            name: self.estimates, f"{name}_se": np.sqrt(np.diagonal(self.covariance)), f"{name}_low": self.low,
            f"{name}_high": self.high, f"{name}_gap": gap, f"{name}_gap_low": low, f"{name}_gap_high": high,
        }  # fmt: skip


def map_rows(names: Sequence[str], *, importance: Axis, performance: Axis, level: float) -> pd.DataFrame:
    """Rows of a map."""
    columns = importance.columns("importance", level=level) | performance.columns("performance", level=level)
    rows = pd.DataFrame({"variable": list(names)} | columns)
    rows = rows[sorted(rows, key=lambda name: "_gap" in str(name))]
    quadrant = [
        _quadrant(*(side(row, axis) for axis in ("importance", "performance"))) for _, row in rows.iterrows()
    ]  # fmt: skip
    return rows.assign(quadrant=quadrant)


def side(row: pd.Series, axis: str) -> int:
    """1 above the mean, -1 below, 0 if the interval of the distance crosses it or is not known."""
    if row[f"{axis}_gap_low"] > 0:
        return 1
    return -1 if row[f"{axis}_gap_high"] < 0 else 0


def _quadrant(importance: int, performance: int) -> Quadrant:
    if not importance or not performance:
        return "unclear"
    if importance > 0:
        return "concentrate" if performance < 0 else "keep_up"
    return "low_priority" if performance < 0 else "overkill"


def quadrant_words() -> dict[str, str]:
    """Quadrants of Martilla and James, in words."""
    return {
        "concentrate": say("improve first"), "keep_up": say("keep up"), "low_priority": say("low priority"),
        "overkill": say("more than needed"), "unclear": say("unclear"),
    }  # fmt: skip


def _around(row: pd.Series, axis: str, scale: float) -> tuple[float, float]:
    """Ends of the bar: the interval of the distance from the mean, around the point."""
    line = row[axis] - row[f"{axis}_gap"]
    low, high = line + row[f"{axis}_gap_low"], line + row[f"{axis}_gap_high"]
    return (scale * low, scale * high) if np.isfinite(low) else (scale * row[axis], scale * row[axis])


def _name_quadrants(ax: Axes) -> None:
    words = quadrant_words()
    corners = {"concentrate": (0.01, 0.99), "keep_up": (0.99, 0.99), "low_priority": (0.01, 0.01),
               "overkill": (0.99, 0.01)}  # fmt: skip
    for name, (x, y) in corners.items():
        ax.text(
            x, y, words[name], transform=ax.transAxes, ha="left" if x < 0.5 else "right",
            va="bottom" if y < 0.5 else "top", fontsize=9, color="0.45", style="italic",
        )  # fmt: skip


def _scale_words(scale: Scale, share: str) -> str:
    return {
        "share": f"{share} (%)", "points": say("change of the share dissatisfied (percentage points)"),
        "score": say("mean score"),
    }[scale]  # fmt: skip


def line_note(result: PerformanceMap) -> str:
    """Where the lines are."""

    def value(name: str, scale: Scale) -> str:
        mean = float(result.rows[name].mean())
        return number(mean, 2) if scale == "score" else percent(mean)

    return say(
        "The lines are the means of the points: importance {importance}, performance {performance}. A point is unclear "
        "if the interval of its distance from a line crosses that line.",
        importance=value("importance", result.importance_scale),
        performance=value("performance", result.performance_scale),
    )
