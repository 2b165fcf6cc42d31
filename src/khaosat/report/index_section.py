"""Section II: the satisfaction index, its factors, its weakest items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts import privacy_threshold
from khaosat.facts.language import number, percent, say
from khaosat.report import findings
from khaosat.report.headline import label_of
from khaosat.report.quarter import Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.privacy import suppression_note
from khaosat.show.section import Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text
from khaosat.show.theme import BLUE, GREY, WIDTH, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WEAKEST_ITEMS = 10
NAMED = 3


def no_wave(quarter: Quarter) -> Section:
    """That there is no survey to tell of, instead of an empty section."""
    text = say("No survey wave belongs to {period}; this section is empty.", period=quarter.period.label)
    return Section((Text(sentences=(text,)),))


def satisfaction(quarter: Quarter) -> Section:
    """The index, its parts and factors with their changes, and the items people are least satisfied with."""
    if quarter.survey is None:
        return no_wave(quarter)
    rows = _compared(quarter)
    factors = rows[(rows["level"] == "factor") & ~rows["hidden"]].dropna(subset=["estimate"]).sort_values("estimate")
    figures = [_factor_figure(quarter, rows, factors=factors)] if len(factors) else []
    items = _weakest(rows)
    named = list(items[["label", "estimate"]].head(NAMED).itertuples(index=False, name=None))
    words = [Text(sentences=(findings.weakest_sentence(named),))] if named else []
    return Section((_index_table(quarter, rows), *words, *figures, _item_table(quarter, items)))


def _compared(quarter: Quarter) -> pd.DataFrame:
    """Rows of the index with labels and the change since the wave before."""
    rows = quarter.index.rows.copy()
    rows["label"] = [label_of(quarter, name) for name in rows["id"]]
    changes = next(iter(quarter.index_changes.values()), None)
    for column in ("estimate", "low", "high"):
        rows[f"change_{column}"] = np.nan if changes is None else rows["id"].map(changes[column]) * 100
    rows["hidden"] = quarter.hidden
    rows["verdict"] = [
        "…" if hidden else findings.verdict(low, high)
        for hidden, low, high in zip(rows["hidden"], rows["change_low"], rows["change_high"], strict=True)
    ]
    return rows


def _columns(quarter: Quarter, first: str) -> list[Column]:
    columns = [
        Column(name="label", label=first),
        Column(name="n", kind="int"),
        Column(name="n_missing", kind="int"),
        Column(name="estimate", kind="percent", decimals=1, label=say("Satisfied")),
        Column(name=("low", "high"), kind="interval_percent", decimals=1),
    ]
    if quarter.index_changes:
        since = next(iter(quarter.index_changes))
        columns += [
            Column(
                name="change_estimate", kind="number", decimals=1, label=say("Change on {since} (points)", since=since)
            ),
            Column(name="verdict", label=say("Conclusion")),
        ]
    return columns


def _index_table(quarter: Quarter, rows: pd.DataFrame) -> Table:
    shown = rows[rows["level"].isin(("index", "part", "factor"))]
    order = {"index": 0, "part": 1, "factor": 2}
    shown = shown.sort_values("level", key=lambda level: level.map(order), kind="stable")
    return make_table(
        shown,
        _columns(quarter, say("Index, part, factor")),
        title=say("Satisfaction index and its factors, wave {wave}", wave=quarter.wave),
        notes=(*quarter.index.notes, *_multiplicity(quarter, len(shown)), *_suppression(shown)),
        source=quarter.workspace.source,
        hide=shown["hidden"],
    )


def _suppression(shown: pd.DataFrame) -> list[str]:
    return [suppression_note(privacy_threshold("respondents"))] if shown["hidden"].any() else []


def _multiplicity(quarter: Quarter, comparisons: int) -> list[str]:
    if not quarter.index_changes:
        return []
    return [say("{n} changes are tested one by one: about one in twenty looks real by chance.", n=comparisons)]


def _weakest(rows: pd.DataFrame) -> pd.DataFrame:
    items = rows[(rows["level"] == "item") & ~rows["hidden"]].dropna(subset=["estimate"])
    return items.nsmallest(WEAKEST_ITEMS, "estimate")


def _item_table(quarter: Quarter, shown: pd.DataFrame) -> Table:
    return make_table(
        shown,
        _columns(quarter, say("Question")),
        title=say("The {n} questions people are least satisfied with, wave {wave}", n=len(shown), wave=quarter.wave),
        notes=[say("Satisfied: answered “satisfied” or “very satisfied”, of those who gave a valid answer.")],
        source=quarter.workspace.source,
    )


def _factor_figure(quarter: Quarter, rows: pd.DataFrame, *, factors: pd.DataFrame) -> Figure:
    lowest, highest = factors.iloc[0], factors.iloc[-1]
    return draw(
        _draw_factors(factors, index=float(rows.loc[rows["level"] == "index", "estimate"].iloc[0])),
        title=say(
            "Satisfaction by factor, wave {wave}: lowest “{label}” ({share})",
            wave=quarter.wave,
            label=lowest["label"],
            share=percent(lowest["estimate"]),
        ),
        alt=say(
            "Dot chart of {n} factors with 95% confidence intervals. Lowest: {low_label}, {low}; highest: "
            "{high_label}, {high}. A vertical line marks the whole index.",
            n=len(factors),
            low_label=lowest["label"],
            low=percent(lowest["estimate"]),
            high_label=highest["label"],
            high=percent(highest["estimate"]),
        ),
        notes=(
            say("Dots: share satisfied; lines: 95% confidence intervals; n = {n} respondents.", n=int(rows["n"].max())),
        ),
        source=quarter.workspace.source,
    )


def _draw_factors(rows: pd.DataFrame, *, index: float) -> Axes:
    import textwrap

    import matplotlib.pyplot as plt

    with theme():
        _, ax = plt.subplots(figsize=(WIDTH, 0.185 * len(rows) + 0.65))
        place = np.arange(len(rows))
        ax.axvline(index * 100, color=GREY, linewidth=1, linestyle="--")
        ax.annotate(
            say("index {share}", share=percent(index)),
            (index * 100, len(rows) - 0.35),
            xytext=(4, 0),
            textcoords="offset points",
            color=GREY,
        )
        ax.hlines(place, rows["low"] * 100, rows["high"] * 100, color=BLUE, linewidth=2, alpha=0.5)
        ax.plot(rows["estimate"] * 100, place, "o", color=BLUE, markersize=5)
        ax.set_yticks(place, [textwrap.shorten(label, 52, placeholder=" …") for label in rows["label"]])
        ax.set_ylim(-0.6, len(rows) + 0.1)
        ax.set_xlabel(say("Satisfied (%)"))
        ax.xaxis.set_major_formatter(lambda value, _: number(value))
    return ax
