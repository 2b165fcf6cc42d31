"""Figures of a report's first page: the index over the waves, dossiers on time over the periods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts.language import number, percent, say
from khaosat.report.quarter import TREND_PERIODS, Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.theme import BLUE, HALF, INK, VERMILION, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WAVES = 6


def main_figures(quarter: Quarter, *, dossiers: bool = True) -> tuple[Figure, ...]:
    """What the report is about in one look: both main indicators side by side, or the one there is."""
    waves = index_rows(quarter)
    periods = trend_rows(quarter) if dossiers and quarter.has_dossiers else pd.DataFrame()
    half = len(waves) > 0 and len(periods) > 0
    return tuple(_figures(quarter, waves, periods, half=half))


def _figures(quarter: Quarter, waves: pd.DataFrame, periods: pd.DataFrame, *, half: bool) -> Iterator[Figure]:
    if len(waves):
        yield _index_figure(quarter, waves, half=half)
    if len(periods):
        yield _on_time_figure(quarter, periods, half=half)


def index_rows(quarter: Quarter) -> pd.DataFrame:
    """The index of the last waves up to the report's, oldest first."""
    from khaosat.survey import satisfaction_index

    columns = ["period", "estimate", "low", "high", "n"]
    if quarter.survey is None:
        return pd.DataFrame(columns=columns)
    rows = []
    for wave in [w for w in quarter.workspace.waves() if w <= quarter.wave][-_WAVES:]:
        known = quarter.index if wave == quarter.wave else None
        found = known or satisfaction_index(quarter.workspace.answers(wave), rule=quarter.rule)
        total = found.rows[found.rows["level"] == "index"].iloc[0]
        rows.append({"period": wave, **{name: total[name] for name in columns[1:]}})
    return pd.DataFrame(rows, columns=columns)


def trend_rows(quarter: Quarter) -> pd.DataFrame:
    """On-time share (definition ``closed``) of the last periods, oldest first, where any dossier was closed."""
    from khaosat.dossiers import on_time

    periods = [quarter.period]
    while len(periods) < TREND_PERIODS:
        periods.insert(0, periods[0].previous)
    rows = []
    for period in periods:
        row = on_time(quarter.log_or_fail, period=period).rows.iloc[0]
        if row["denominator"]:
            rows.append(
                {
                    "period": str(period), "numerator": row["denominator"] - row["numerator"],
                    "denominator": row["denominator"], "estimate": 1 - row["estimate"],
                    "low": 1 - row["high"], "high": 1 - row["low"],
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["period", "numerator", "denominator", "estimate", "low", "high"])


def _index_figure(quarter: Quarter, rows: pd.DataFrame, *, half: bool) -> Figure:
    first, last = rows.iloc[0], rows.iloc[-1]
    values = {"wave": last["period"], "share": percent(last["estimate"])}
    return draw(
        draw_trend(rows, label=say("Satisfied (%)"), half=half),
        title=say("Satisfaction index, wave {wave}: {share}", **values),
        alt=say(
            "Line chart of the satisfaction index of {n} waves with 95% intervals. First {first}, last {share}.",
            n=len(rows), first=percent(first["estimate"]), share=values["share"],
        ),
        notes=(say("n = {n} respondents in the last wave.", n=int(last["n"])),),
        source=quarter.workspace.source,
        half=half,
    )  # fmt: skip


def _on_time_figure(quarter: Quarter, rows: pd.DataFrame, *, half: bool) -> Figure:
    last = rows.iloc[-1]
    values = {"share": percent(last["estimate"], 2), "target": percent(quarter.target), "period": last["period"]}
    met = last["estimate"] >= quarter.target
    return draw(
        draw_trend(rows, label=say("On time (%)"), target=quarter.target, half=half),
        title=say("{period}: {share} of closed dossiers on time, target of {target} met", **values)
        if met
        else say("{period}: {share} of closed dossiers on time, target of {target} missed", **values),
        alt=say(
            "Line chart of the on-time share of {n} periods with 95% intervals and the target of {target}. First "
            "{first}, last {share}.",
            n=len(rows),
            first=percent(rows.iloc[0]["estimate"], 2),
            target=values["target"],
            share=values["share"],
        ),
        notes=(say("n = {n} dossiers closed in the last period.", n=int(last["denominator"])),),
        source=quarter.workspace.source,
        half=half,
    )


def draw_trend(rows: pd.DataFrame, *, label: str, target: float | None = None, half: bool = False) -> Axes:
    """Shares over time with their intervals, each written at its point; the target as a line.

    Parameters
    ----------
    rows
        ``period, estimate, low, high``; an estimate that is not there leaves a gap.
    label
        Of the upright axis.
    """
    import matplotlib.pyplot as plt

    with theme():
        _, ax = plt.subplots(figsize=(HALF, 2.1) if half else (WIDTH, 2.2))
        place = np.arange(len(rows))
        shares, low, high = (rows[name].to_numpy(float) * 100 for name in ("estimate", "low", "high"))
        ax.grid(axis="x", visible=False)
        ax.grid(axis="y", color="#E3E3E3")
        ax.vlines(place, low, high, color=BLUE, alpha=0.5, linewidth=2)
        ax.plot(place, shares, "o-", color=BLUE, markersize=4)
        floor, top = _limits(low, high, shares, target)
        every = -(-len(rows) // 4) if half else 1
        for x in _told(shares) if half else place:
            if np.isfinite(shares[x]):
                at = low[x] if np.isfinite(low[x]) else shares[x]
                ax.annotate(percent(shares[x] / 100), (x, at), xytext=(0, -10), textcoords="offset points",
                            ha="center", color=INK, fontsize=8)  # fmt: skip
        if target is not None:
            ax.axhline(target * 100, color=VERMILION, linewidth=1.2, linestyle="--")
            ax.annotate(say("target {target}", target=percent(target)), (-0.4, target * 100), xytext=(0, 3),
                        textcoords="offset points", color=VERMILION, fontsize=8)  # fmt: skip
        ax.set_xticks(place[::-1][::every], rows["period"].iloc[::-1].iloc[::every])
        ax.set_xlim(-0.5, len(rows) - 0.5)
        ax.set_ylim(floor, top)
        ax.set_ylabel(label)
        ax.yaxis.set_major_formatter(lambda value, _: number(value))
    return ax


def _told(shares: np.ndarray) -> list[int]:
    """The points that a narrow figure has room to write a number at: the first, the lowest and the last."""
    known = np.flatnonzero(np.isfinite(shares))
    return sorted({int(known[0]), int(known[np.argmin(shares[known])]), int(known[-1])}) if len(known) else []


def _limits(low: np.ndarray, high: np.ndarray, shares: np.ndarray, target: float | None) -> tuple[float, float]:
    """Room for the labels under the lowest point and over the target."""
    marks = np.concatenate([low, high, shares, [] if target is None else [target * 100]])
    marks = marks[np.isfinite(marks)]
    if not len(marks):
        return 0.0, 100.0
    lowest, highest = float(marks.min()), float(marks.max())
    room = max(highest - lowest, 1.0)
    return lowest - 0.25 * room, min(highest + 0.12 * room, 103.0)
