"""Late shares under scenarios, as readers see them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.dossiers.result import DossierResult
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIf(DossierResult):
    """Late shares of a period under scenarios, the first row without a change.

    ``scenario, observed`` (late share of the dossiers closed in the period), ``estimate`` (simulated late share),
    ``se`` (standard deviation over replications), ``low, high``, ``difference`` (from the first row), ``low_difference,
    high_difference``, ``avoided`` (late dossiers fewer in the period), ``low_avoided, high_avoided``, ``verdict``,
    ``n`` (dossiers simulated), ``n_missing`` (closed dossiers that could not be timed).

    Parameters
    ----------
    reproduced
        Whether the first row comes as near to ``observed`` as ``tolerance`` asks; without it nothing is compared.
    tolerance
        How far they may lie apart.
    stations
        ``unit, step, servers, explained, officers, n``: queues for hands that the simulation holds.
    replications
        How many were run.
    """

    reproduced: bool
    tolerance: float
    stations: pd.DataFrame
    replications: int

    @property
    def keys(self) -> list[str]:
        """The scenario."""
        return ["scenario"]

    def worded(self) -> pd.DataFrame:
        """The rows with verdicts in words and differences in percentage points."""
        rows = super().worded()
        points = {name: 100 * rows[name] for name in ("difference", "low_difference", "high_difference")}
        return rows.assign(verdict=[verdict_words(name) for name in rows["verdict"]], **points)

    def finding(self) -> str:
        """What the scenarios come to, in one sentence."""
        if not self.reproduced:
            return say("The simulation does not reproduce the period: no scenario is judged")
        fewer = self.rows[self.rows["verdict"] == "fewer"].sort_values("difference", kind="stable")
        if len(fewer):
            best = fewer.iloc[0]
            return say("Most help: {scenario} (late share {points} percentage points)",
                       scenario=best["scenario"], points=number(100 * best["difference"], 1))  # fmt: skip
        more = self.rows[self.rows["verdict"] == "more"].sort_values("difference", ascending=False, kind="stable")
        if len(more):
            worst = more.iloc[0]
            return say("Harm: {scenario} (late share up by {points} percentage points)",
                       scenario=worst["scenario"], points=number(100 * worst["difference"], 1))  # fmt: skip
        return say("No scenario surely changes the late share")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Differences from the period as it is, in percentage points, with intervals; the finding as title."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, INK, WIDTH, theme

        rows = self.rows.iloc[1:]
        rows = rows[rows["difference"].notna()].sort_values("difference", kind="stable")
        labels = [textwrap.fill(str(name), 44) for name in rows["scenario"]]
        lines = sum(label.count("\n") + 1 for label in labels)
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.7, 0.18 * lines + 0.2 * len(rows) + 1.0)))
            place = np.arange(len(rows))[::-1]
            ax.axvline(0, color=INK, linewidth=0.8)
            ax.hlines(place, 100 * rows["low_difference"], 100 * rows["high_difference"], color=BLUE, linewidth=1.6,
                      alpha=0.55)  # fmt: skip
            ax.plot(100 * rows["difference"], place, "o", color=BLUE, markersize=5)
            for y, row in zip(place, rows.to_dict("records"), strict=True):
                words = say("{n} late dossiers", n=_signed(-row["avoided"]))
                ax.annotate(words, (1.0, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
                            textcoords="offset points", va="center", fontsize=8, annotation_clip=False)  # fmt: skip
            ax.set_yticks(place, labels, fontsize=8)
            ax.set_ylim(-0.7, len(rows) - 0.3)
            ax.set_xlabel(say("Change of the late share (percentage points)"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
            ax.set_title(textwrap.fill(self.finding(), 52), loc="left", fontsize=9)
        return ax

    def _small_cells(self) -> pd.Series:
        """Scenarios are all about the same dossiers: none is a small cell that another would give away."""
        return pd.Series(False, index=self.rows.index)

    def _columns(self) -> Sequence[Column]:
        share, change = say("Late share"), say("Change (percentage points)")
        level = say("{level} interval", level=percent(self.level, 0))
        return [
            Column(name="scenario"),
            Column(name="observed", kind="percent", decimals=1, group=share),
            Column(name="estimate", kind="percent", decimals=1, group=share, label=say("Simulated")),
            Column(name=("low", "high"), kind="interval_percent", decimals=1, group=share, label=level),
            Column(name="difference", kind="number", decimals=1, group=change),
            Column(name=("low_difference", "high_difference"), kind="interval", decimals=1, group=change,
                   label=level),
            Column(name="avoided", kind="int", label=say("Late dossiers avoided in the period")),
            Column(name="verdict"),
        ]  # fmt: skip


def verdict_words(verdict: str) -> str:
    """A verdict in the reader's words."""
    return {
        "base": "–", "fewer": say("Fewer late dossiers"), "more": say("More late dossiers"),
        "no_difference": say("No sure difference"), "no_queue": say("Cannot be told: the log shows no queue there"),
        "not_reproduced": say("Not judged: the period is not reproduced"),
    }[verdict]  # fmt: skip


def _signed(value: float) -> str:
    """A whole number with its sign, ``+`` included."""
    return f"{'+' if round(value) > 0 else ''}{number(round(value))}"
