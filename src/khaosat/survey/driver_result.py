"""What goes with being dissatisfied, from several sides: what :func:`khaosat.survey.drivers` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts.language import number, say
from khaosat.show.table import Column, Table
from khaosat.survey.importance_result import ImportanceResult
from khaosat.survey.performance_map import PerformanceMap
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EFFECT = ("estimate", "low", "high", "per_sd", "per_sd_low", "per_sd_high")

Verdict = Literal["important", "opposite", "small", "unclear"]


@dataclass(frozen=True, eq=False, kw_only=True)
class DriversResult(SurveyResult):
    """What dissatisfaction goes with.

    ``rows``, one a predictor: ``variable``, ``estimate`` (average marginal effect: change of the share dissatisfied per
    point of the score), ``se, low, high, df, n`` (respondents with a view)``, n_missing, sd`` (of the score),
    ``per_sd, per_sd_low, per_sd_high`` (the change per standard deviation; these intervals hold for all rows together),
    ``p_value, p_adjusted`` (Holm), ``verdict`` (``important``: the whole interval per standard deviation is beyond the
    smallest change that matters; ``opposite``: likewise, but higher scores go with more dissatisfaction; ``small``: it
    is all within it; else ``unclear``), ``share, share_low, share_high, rank, rank_low, rank_high`` (importance).

    Parameters
    ----------
    effects
        Effects of all that is in the model, covariates too: ``variable, contrast, estimate, se, low, high, df,
        p_value``.
    importance
        Parts of R² of the predictors beyond the covariates.
    ipa
        Importance against performance.
    cross_check
        ``variable, linear, boosted`` (shares of the loss of R² when shuffled, in units held out), ``rank_linear,
        rank_boosted, difference, low, high, agrees``; empty where it was not made.
    proportional_odds
        Test of equal slopes at all thresholds, as of :func:`khaosat.survey.ordinal`.
    collinearity
        ``variable, vif``.
    """

    effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    importance: ImportanceResult
    ipa: PerformanceMap
    cross_check: pd.DataFrame = field(default_factory=pd.DataFrame)
    proportional_odds: pd.DataFrame = field(default_factory=pd.DataFrame)
    collinearity: pd.DataFrame = field(default_factory=pd.DataFrame)

    def table(self) -> Table:
        """The effects in percentage points, the most important first."""
        points = {name: 100 * self.rows[name] for name in _EFFECT}
        return super(DriversResult, replace(self, rows=self.rows.assign(**points))).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Change of the share dissatisfied per standard deviation of each score, the most important first."""
        from matplotlib.ticker import MaxNLocator

        from khaosat.show.plots import intervals
        from khaosat.show.theme import BLUE, GREY

        published = replace(self, rows=self.rows[~self._small_cells()])
        shown = published._worded().rows
        shown = shown.assign(estimate=shown["per_sd"], low=shown["per_sd_low"], high=shown["per_sd_high"])
        ax = intervals(shown, keys=["variable"], unit="share", ax=ax)
        family = ax.get_yticklabels()[0].get_fontfamily() if len(shown) else None
        verdicts = published.rows.sort_values("rank", kind="stable")["verdict"]
        for place, verdict, value in zip(range(len(shown))[::-1], verdicts, shown["estimate"], strict=True):
            colour = BLUE if verdict in ("important", "opposite") else GREY
            ax.plot([100 * value], [place], "o", color=colour, markersize=6)
            ax.annotate(number(100 * value, 1), (100 * value, place), xytext=(0, 5), textcoords="offset points",
                        ha="center", fontsize=8, color=colour, fontfamily=family)  # fmt: skip
        ax.axvline(0, color="0.4", linewidth=0.8, zorder=0)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        ax.set_ylim(-0.7, len(shown) - 0.1)
        ax.set_xlabel(say("Change of the share dissatisfied\nper standard deviation of the score (percentage points)"))
        return ax

    def _worded(self) -> SurveyResult:
        """A copy with labels and verdicts in words, the most important first."""
        worded = super()._worded()
        words = verdict_words()
        rows = worded.rows.assign(verdict=[words[verdict] for verdict in self.rows["verdict"]])
        return replace(worded, rows=rows.sort_values("rank", kind="stable", ignore_index=True))

    def _columns(self) -> Sequence[Column]:
        points = say("Per point of the score (percentage points)")
        spread = say("Per standard deviation (percentage points)")
        return [
            Column(name="variable"),
            Column(name="estimate", kind="number", decimals=1, group=points),
            Column(name=("low", "high"), kind="interval", decimals=1, group=points),
            Column(name="per_sd", kind="number", decimals=1, group=spread, label=say("Change")),
            Column(name=("per_sd_low", "per_sd_high"), kind="interval", decimals=1, group=spread),
            Column(name="verdict"),
            Column(name="share", kind="percent", decimals=0, label=say("Weight")),
            Column(name=("rank_low", "rank_high"), kind="interval", label=say("Ranks it may have")),
            Column(name="n", kind="int"),
        ]


def verdict_words() -> dict[str, str]:
    """Verdicts on an effect, in words."""
    return {
        "important": say("important"), "opposite": say("opposite"), "small": say("small"), "unclear": say("unclear"),
    }  # fmt: skip


def verdicts(low: NDArray[np.float64], high: NDArray[np.float64], *, smallest: float) -> list[Verdict]:
    """What intervals of a change say against the smallest change that matters.

    >>> verdicts(np.array([-0.05, 0.02, -0.005, -0.03]), np.array([-0.02, 0.04, 0.004, 0.01]), smallest=0.01)
    ['important', 'opposite', 'small', 'unclear']
    """
    found: list[Verdict] = []
    for one, other in zip(low, high, strict=True):
        if other < -smallest:
            found.append("important")
        elif one > smallest:
            found.append("opposite")
        elif -smallest <= one and other <= smallest:
            found.append("small")
        else:
            found.append("unclear")
    return found
