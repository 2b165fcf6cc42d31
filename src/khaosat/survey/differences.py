"""Differences as readers see them: those of shares in percentage points, not in per cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Differences(SurveyResult):
    """Results whose ``estimate`` is a difference, in rows a share's as 0.01 for one percentage point."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """The differences with their intervals; the line is no difference."""
        from khaosat.show.plots import intervals

        worded = self._worded()
        ax = intervals(worded.rows[~self._small_cells()], keys=worded.keys, unit="score", ax=ax)
        ax.axvline(0, color="0.4", linewidth=0.8, zorder=0)
        ax.set_xlabel(self._difference_label())
        return ax

    def _worded(self) -> SurveyResult:
        """Keys in words, differences of shares in percentage points."""
        worded = super()._worded()
        if self.unit != "share":
            return worded
        return replace(
            worded, rows=worded.rows.assign(**{c: 100 * worded.rows[c] for c in ("estimate", "low", "high")})
        )

    def _columns(self) -> Sequence[Column]:
        decimals = 1 if self.unit == "share" else 2
        own = {
            "estimate": {"kind": "number", "decimals": decimals, "label": self._difference_label()},
            "interval": {"kind": "interval", "decimals": decimals},
        }
        return [replace(column, **own.get(column.key, {})) for column in super()._columns()]  # type: ignore[arg-type]

    def _difference_label(self) -> str:
        return say("Difference (percentage points)") if self.unit == "share" else term("difference")
