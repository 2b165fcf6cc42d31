"""How much each predictor has to do with an outcome: what :func:`khaosat.survey.importance` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class ImportanceResult(SurveyResult):
    """Parts of R².

    ``rows``: ``variable`` (predictor or block, in the order given), ``estimate`` (part of R²; they sum to what the
    predictors explain), ``share`` (``estimate`` over that sum), ``se, low, high, df, n, n_missing`` of ``estimate``,
    ``share_se, share_low, share_high``, ``rank`` and its joint confidence set ``rank_low, rank_high``, ``mc_se`` (error
    of having drawn orders; 0 where all were taken).

    Parameters
    ----------
    pairs
        ``variable, other`` and the difference of their estimates: ``estimate, se, low, high, df, p_value, p_greater``
        (one-sided confidence that the first matters more).
    within
        Owen's division of each block among its members: ``block, variable, estimate, se, low, high``.
    fit
        ``model, r2, se, low, high, r2_always`` (of what is always in), ``n_orders`` (drawn; 0: all).
    covariance
        Design-based covariance of the estimates.
    """

    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    within: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The parts with their intervals, the largest first, with their shares beside them."""
        ax = super().plot(ax)
        shown = replace(self, rows=self.rows[~self._small_cells()])._worded().rows
        family = ax.get_yticklabels()[0].get_fontfamily() if len(shown) else None
        edge = max(100 * shown[["high", "estimate"]].max(axis=1).max(), 1e-9)
        for place, share in zip(range(len(shown))[::-1], shown["share"], strict=True):
            text = percent(share, 0) if pd.notna(share) else ""
            ax.text(1.04 * edge, place, text, va="center", fontsize=8, fontfamily=family)
        ax.text(1.04 * edge, len(shown) - 0.4, say("Weight"), va="bottom", fontsize=8, fontfamily=family)
        ax.set_xlim(0, 1.15 * edge)
        ax.set_xlabel(say("Part of the variance between people explained (%)"))
        return ax

    def _worded(self) -> SurveyResult:
        """A copy with labels, the largest first."""
        worded = super()._worded()
        return replace(worded, rows=worded.rows.sort_values("estimate", ascending=False, ignore_index=True))

    def _columns(self) -> Sequence[Column]:
        drawn = bool((self.rows["mc_se"] > 0).any())
        return [
            Column(name="variable"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Part of R²")),
            Column(name=("low", "high"), kind="interval_percent", decimals=1),
            Column(name="share", kind="percent", decimals=1, label=say("Weight")),
            Column(name="rank", kind="int"),
            Column(name=("rank_low", "rank_high"), kind="interval", label=say("Ranks it may have")),
            *([Column(name="mc_se", kind="percent", decimals=2)] if drawn else []),
            Column(name="n", kind="int", label=term("n")),
        ]
