"""What response_quality returns: signs by indicator, and frames about respondents that stay inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts import read_table, term
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


GRADES = ("watch", "strong")
"""Grades of a sign, the weaker first."""
ANY = "any"
"""The respondent as a whole, among the indicators."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ResponseQuality(SurveyResult):
    """Signs of careless answers.

    ``rows``: ``indicator`` (``any``: the respondent as a whole), ``grade`` (``watch``: this threshold or the stronger
    one reached; ``strong``), then ``estimate`` (share of those who can be told), ``n, numerator, denominator,
    threshold, evidence`` (grade of the source of the threshold, A to E).

    Parameters
    ----------
    respondents
        Indicators of every respondent, indexed as the responses: ``blank, dont_know, straightline, longstring, avgstr,
        irv, mahad, mahad_p, psychsyn, psychant, evenodd``, and ``match, duration`` where asked for. Not for
        publication.
    flags
        Grade by indicator, 0 (no sign, or not to be told), 1 (watch) or 2 (strong), and ``grade`` of the respondent as
        a whole (empty, ``watch`` or ``strong``). Not for publication.
    sensitivity
        Overall estimates with everybody and without those graded: ``excluded`` (``none, strong, watch``), ``level, id,
        estimate, se, low, high, df, n, n_missing, difference, difference_se``.
    interviewers
        By interviewer: respondents ``n``, how many of them are graded ``watch`` and ``strong``, ``estimate`` (share
        graded), and those with a sign by indicator. Not for publication.
    """

    respondents: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    flags: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    interviewers: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share of respondents with each sign, the strong ones darker; numbers are those of respondents."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, SKY, WIDTH, theme

        names = list(dict.fromkeys(self.rows["indicator"]))[::-1]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 0.32 * len(names) + 1.2))
            for grade, colour in zip(GRADES, (SKY, BLUE), strict=True):
                rows = self.rows[self.rows["grade"] == grade]
                share = 100 * rows["estimate"].fillna(0).to_numpy(float)
                ax.barh(
                    [names.index(name) for name in rows["indicator"]],
                    share,
                    height=0.7,
                    color=colour,
                    label=term(grade),
                    edgecolor="white",
                    linewidth=0.6,
                )
            widest = self.rows.sort_values("estimate").drop_duplicates("indicator", keep="last")
            for _, row in widest[widest["estimate"].notna()].iterrows():
                place = names.index(row["indicator"])
                ax.annotate(
                    say("{n} respondents", n=int(row["numerator"])), (100 * row["estimate"], place), xytext=(4, 0),
                    textcoords="offset points", va="center", fontsize=8,
                )  # fmt: skip
            ax.set_yticks(range(len(names)), [term(name) for name in names])
            ax.set_xlabel(f"{term('estimate')} (%)")
            ax.margins(x=0.18)
            ax.set_xlim(left=0)
            ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
            ax.legend(loc="lower right", fontsize=8)
        return ax

    def _worded(self) -> SurveyResult:
        words = {str(row["id"]): row for _, row in thresholds().iterrows()}
        shown = [
            _condition(words[name]["side"], words[name]["unit"], value) if name in words else "–"
            for name, value in zip(self.rows["indicator"], self.rows["threshold"], strict=True)
        ]
        rows = self.rows.assign(
            indicator=[term(name) for name in self.rows["indicator"]],
            grade=[term(grade) for grade in self.rows["grade"]], threshold=shown,
        )  # fmt: skip
        return replace(self, rows=rows)

    def _columns(self) -> Sequence[Column]:
        first = [Column(name="indicator", label=say("Sign")), Column(name="grade"), Column(name="threshold")]
        return [*first, *(column for column in super()._columns() if column.key not in ("indicator", "grade", "n"))]


def thresholds() -> pd.DataFrame:
    """Default thresholds of every sign, with their sources."""
    return read_table("rules/response_quality.csv")


def _condition(side: str, unit: str, value: float) -> str:
    """A threshold in words.

    >>> _condition("above", "share", 0.85)
    '≥ 85%'
    """
    sign = "≥" if side == "above" else "≤"
    if unit == "share":
        return f"{sign} {percent(value, 0)}"
    return f"{sign} {number(value, 3 if unit == 'p_value' else 1 if value % 1 else 0)}"
