"""Published results of SIPAS, for context: what the ministry announced, with source and grade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.errors import DataError
from khaosat.facts import read_table, term
from khaosat.facts.language import date, number, say
from khaosat.results import Result
from khaosat.show.table import Column, Table
from khaosat.survey.series_breaks import series_breaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SURE = ("A", "B")
"""Grades of figures that a public source gives."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedIndex(Result):
    """Published values.

    ``rows``: ``year, indicator`` (``index``, a part or a factor of the questionnaire), ``statistic`` (``value``: the
    country; ``max``, ``min``: of provinces), ``place``, ``estimate`` (share), ``questionnaire, break_before`` (whether
    the series breaks before that year), ``grade`` (A official … D inference), ``source, note``.
    """

    def table(self) -> Table:
        """The rows in words."""
        rows = self.rows.assign(
            year=self.rows["year"].astype(str), statistic=[term(name) for name in self.rows["statistic"]],
            indicator=[_word(*pair) for pair in zip(self.rows["indicator"], self.rows["questionnaire"], strict=True)],
        )  # fmt: skip
        return super(PublishedIndex, replace(self, rows=rows)).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """The country's index by year; the line is cut where the series breaks, uncertain figures are hollow."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, GREY, WIDTH, theme

        rows = self.rows[(self.rows["indicator"] == "index") & (self.rows["statistic"] == "value")].sort_values("year")
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 3.0))
            for _, part in rows.groupby(rows["break_before"].cumsum()):
                ax.plot(part["year"], 100 * part["estimate"], color=BLUE, linewidth=1.6, zorder=1)
            for year, share, grade in zip(rows["year"], rows["estimate"], rows["grade"], strict=True):
                inside = BLUE if grade in _SURE else "white"
                ax.plot(year, 100 * share, "o", color=BLUE, markerfacecolor=inside, markersize=6)
                ax.annotate(number(100 * share, 2), (year, 100 * share), xytext=(0, 7), textcoords="offset points",
                            ha="center", fontsize=8)  # fmt: skip
            for year in rows.loc[rows["break_before"], "year"]:
                ax.axvline(year - 0.5, color=GREY, linestyle="--", linewidth=1)
                ax.annotate(say("new method"), (year - 0.5, 0.03), xycoords=("data", "axes fraction"), xytext=(4, 0),
                            textcoords="offset points", color=GREY, fontsize=8)  # fmt: skip
            ax.set_xticks(rows["year"])
            ax.margins(y=0.18)
            ax.set_ylabel(say("Satisfaction index (%)"))
            ax.set_xlabel(say("Hollow: from no public source that was read"))
            ax.grid(False, axis="x")
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="year", label=say("Year")),
            Column(name="indicator"),
            Column(name="statistic", label=say("What")),
            Column(name="place", label=say("Place")),
            Column(name="estimate", kind="percent", decimals=2, label=term("value")),
            Column(name="grade", label=say("Evidence")),
            Column(name="source", label=say("Source")),
            Column(name="note", label=say("Note")),
        ]


def published_index(year: int | Iterable[int] | None = None, *, indicator: str | None = None) -> PublishedIndex:
    """National results of SIPAS as they were announced, with source and grade of evidence.

    Parameters
    ----------
    year
        One year or several; None: all.
    indicator
        ``index``, ``policy``, ``service``, a factor such as ``access``, or ``no_harassment``; None: all.

    Returns
    -------
    PublishedIndex
        ``year, indicator, statistic, place, estimate, questionnaire, break_before, grade, source, note``.

    Raises
    ------
    DataError
        If nothing is known for it.

    Notes
    -----
    For context, not for tests: neither samples nor formulas are public, so no interval can be given. Values before and
    after 2022 are not comparable. A year for which no source was found (2017, 2018, 2021) has no value here.

    Examples
    --------
    >>> published_index(2024, indicator="index").rows[["statistic", "estimate", "grade"]].values.tolist()
    [['value', 0.8394, 'B'], ['max', 0.9059, 'B']]
    """
    table = read_table("published/sipas_national.csv")
    rows = table.assign(
        year=table["year"].astype(int), estimate=np.round(table["value"].astype(float) / 100, 6),
        break_before=table["break_before"] == "1",
    )  # fmt: skip
    years = None if year is None else [year] if isinstance(year, int | np.integer) else list(year)
    chosen = pd.Series(True, index=rows.index)
    if years is not None:
        chosen &= rows["year"].isin(years)
    if indicator is not None:
        chosen &= rows["indicator"] == indicator
    rows = rows[chosen].reset_index(drop=True)
    if rows.empty:
        raise DataError(
            say("No published value of {indicator} is known for {years}.", indicator=indicator or term("index"),
                years=", ".join(map(str, years or [])) or "–")
        )  # fmt: skip
    columns = ["year", "indicator", "statistic", "place", "estimate", "questionnaire", "break_before", "grade"]
    return PublishedIndex(
        rows=rows[[*columns, "source", "note"]], title=say("Published national results of SIPAS"), notes=_notes(rows),
    )  # fmt: skip


def _notes(rows: pd.DataFrame) -> tuple[str, ...]:
    first, last = int(rows["year"].min()), int(rows["year"].max())
    between = [one for one in series_breaks() if first < one.day.year + (one.day.month > 1) and one.day.year <= last]
    unsure = int((~rows["grade"].isin(_SURE)).sum())
    notes = [
        say("Announced figures, without intervals: neither samples nor formulas are public."),
        *(say("The series breaks on {day}: {label} (grade {grade}).", day=date(one.day), label=one.label,
              grade=one.grade) for one in between),
    ]  # fmt: skip
    if unsure:
        notes.append(
            say("{n} figures come from no public source that was read (grade C or D): check before quoting.", n=unsure)
        )
    return tuple(notes)


def _word(indicator: str, questionnaire: str) -> str:
    label = load_questionnaire(questionnaire).label(indicator)
    return term(indicator) if label == indicator else label
