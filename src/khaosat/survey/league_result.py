"""What a league table returns: units, their ranks as far as they can be told, and how both are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.show.blocks import ColumnKind
from khaosat.show.table import Column, span
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CROWDED = 25
"""More units than this get lines closer together and smaller letters."""
_NAMED = 8
"""Units not ranked that are named under the figure."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LeagueTable(SurveyResult):
    """Units, best first; units without enough data last and without a rank.

    ``rows``: ``variable``, ``by`` columns, ``estimate, se, low, high, df, n, n_missing`` (shares: ``numerator,
    denominator``), ``sampling_se``, ``synthetic, pooled, pooled_se, pooled_low, pooled_high, shrinkage, benchmarked``
    (with ``shrink``), ``rank, rank_low, rank_high, group``.

    Parameters
    ----------
    fit
        One row: ``method, between_variance, units, together``.
    coefficients
        Of the pooling model: ``term, estimate, se``.
    covariance
        Sampling covariance of the direct estimates, in the order of the ``by`` columns.
    units
        Columns that name a unit.
    together
        Direct estimate of all units together.
    """

    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    coefficients: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)
    units: tuple[str, ...] = ()
    together: float = float("nan")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Units by rank: direct estimates with intervals, pooled ones, and rank intervals in words at the right."""
        from khaosat.survey.league_plot import league_plot, unit_names

        worded = self._worded()
        shown = worded.rows[self.rows["rank"].notna() & ~self._small_cells()]
        left = unit_names(worded.rows[self.rows["rank"].isna()], self.units)
        below = ""
        if left:
            more = say(" and {n} more", n=len(left) - _NAMED) if len(left) > _NAMED else ""
            below = f"{say('Not enough data')}: {', '.join(left[:_NAMED])}{more}"
        return league_plot(shown, units=self.units, unit=self.unit, together=self.together, below=below, ax=ax,
                           crowded=len(shown) > _CROWDED)  # fmt: skip

    def _worded(self) -> LeagueTable:
        """A copy with units in words and ranks as text, blank where the privacy gate hides the unit."""
        ranked = self.rows["rank"].notna()
        shown = ranked & ~self._small_cells()
        numbers = self.rows[["rank", "rank_low", "rank_high", "group"]]
        texts = [
            (number(rank), span(number(low), number(high)), say("Group {n}", n=group)) if here else ("", "", "")
            for here, (rank, low, high, group) in zip(shown, numbers.itertuples(index=False), strict=True)
        ]
        words = pd.DataFrame(texts, columns=["rank_text", "rank_range", "group_text"], dtype=object)
        words.loc[~ranked, "group_text"] = say("Not enough data")
        return replace(self, rows=pd.concat([super()._worded().rows, words], axis=1))

    def _columns(self) -> Sequence[Column]:
        kind: ColumnKind = "percent" if self.unit == "share" else "number"
        decimals = 1 if self.unit == "share" else 2
        shown = [column for column in super()._columns() if column.key not in ("variable", "numerator", "denominator")]
        shown = [replace(c, label=say("Direct estimate")) if c.key == "estimate" else c for c in shown]
        place = 1 + next(i for i, column in enumerate(shown) if column.key == "interval")
        pooled = [Column(name="pooled", kind=kind, decimals=decimals)] if "pooled" in self.rows else []
        ranks = [
            Column(name="rank_range", label=say("Rank interval")),
            Column(name="group_text", label=say("Cannot be told apart")),
        ]
        return [Column(name="rank_text", label=term("rank")), *shown[:place], *pooled, *ranks, *shown[place:]]
