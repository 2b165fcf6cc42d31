"""What a sample plan returns, and the draw of its sample from the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.results import Result
from khaosat.show.blocks import ColumnKind
from khaosat.show.table import Column, Table, make_table
from khaosat.survey.plan_draw import Selection, draw_sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class SamplePlan(Result):
    """How many to ask in each stratum, and the sample itself.

    ``rows``: strata columns, ``population`` (with clusters ``clusters, clusters_drawn``), ``n, invited, deff, margin``.

    Parameters
    ----------
    overall
        All strata together, one row.
    frame
        The list to draw from.
    strata, clusters
        Its columns.
    """

    overall: pd.DataFrame = field(default_factory=pd.DataFrame)
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    strata: tuple[str, ...] = ()
    clusters: str | None = None

    @property
    def keys(self) -> list[str]:
        """Columns that name a stratum."""
        return list(self.rows.columns)[: list(self.rows.columns).index("population")]

    def draw(
        self, ids: str, *, method: Selection = "simple", measure: str | None = None,
        order: str | Sequence[str] | None = None, rng: np.random.Generator | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Draw those to invite.

        Parameters
        ----------
        ids
            Column of the list that tells its rows apart. The draw depends on ids and ``rng``, not on the list's order.
        method
            ``simple`` random, ``systematic``, or ``pps``: systematic with probabilities in proportion to ``measure``,
            units too large for that being taken for certain. With clusters: within each cluster, ``simple`` or
            ``systematic``; the clusters themselves are drawn in proportion to their rows.
        measure
            Positive numeric column, for ``pps``.
        order
            Columns to sort by before a systematic draw, so that it spreads over them; then by ids.
        rng
            Source of randomness; None: a fixed seed, so that the same list gives the same sample.

        Returns
        -------
        pandas.DataFrame
            Rows of the list in the order of strata and ids, with ``population`` (of the stratum),
            ``inclusion_probability``, ``weight`` (its inverse) and ``certainty``. With clusters also
            ``cluster_probability``.

        Raises
        ------
        DataError
            With every fault: ids missing or twice, a measure that is not positive, columns in the way.

        Examples
        --------
        >>> from khaosat.survey import sample_plan
        >>> frame = pd.DataFrame({"dossier_id": range(100), "ward": ["A"] * 60 + ["B"] * 40})
        >>> drawn = sample_plan(frame, strata="ward", n=10).draw("dossier_id")
        >>> drawn.groupby("ward")["weight"].agg(["size", "sum"]).values.tolist()
        [[6.0, 60.0], [4.0, 40.0]]
        """
        source = rng if rng is not None else np.random.default_rng(0)
        return draw_sample(self.frame, self.rows, strata=self.strata, clusters=self.clusters, ids=ids, method=method,
                           measure=measure, order=order, rng=source)  # fmt: skip

    def table(self) -> Table:
        """The plan with a last line for all strata together."""
        rows = self.rows
        if len(rows) > 1:
            last = self.overall.assign(**{key: "" for key in self.keys} | {self.keys[0]: say("All strata")})
            rows = pd.concat([rows.astype({key: object for key in self.keys}), last], ignore_index=True)
        return make_table(rows, self._columns(), title=self.title, notes=self.notes, source=self.source)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Expected margin of each stratum with its number of answers; the line is the margin of all together."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, VERMILION, WIDTH, theme

        scale = 100.0 if self.unit == "share" else 1.0
        rows, n = self.rows, len(self.rows)
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.27 * n + 1.1)))
            place, value = np.arange(n)[::-1], rows["margin"].to_numpy(dtype=float) * scale
            ax.hlines(place, 0, value, color=BLUE, linewidth=1.4, alpha=0.5)
            ax.plot(value, place, "o", color=BLUE, markersize=4.5)
            across = ax.get_yaxis_transform()
            for y, count in zip(place, rows["n"], strict=True):
                ax.text(1.02, y, say("{n} answers", n=int(count)), transform=across, va="center", fontsize=8)
            together = float(self.overall["margin"].iloc[0]) * scale
            label = say("All strata: ±{margin}", margin=number(together, 1 if self.unit == "share" else 2))
            ax.axvline(together, color=VERMILION, linewidth=1, linestyle="--", label=label)
            ax.set_yticks(place, [" · ".join(map(str, key)) for key in rows[self.keys].itertuples(index=False)])
            ax.set_ylim(-0.7, n - 0.3)
            ax.set_xlim(left=0)
            ax.xaxis.set_major_formatter(
                lambda x, _: number(x, 0 if x == round(x) else 1 if self.unit == "share" else 2)
            )
            ax.set_xlabel(
                say("Expected margin of error, ± percentage points") if self.unit == "share" else term("margin")
            )
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8)
        return ax

    def _columns(self) -> Sequence[Column]:
        kind: ColumnKind = "percent" if self.unit == "share" else "number"
        counts = [name for name in ("population", "clusters", "clusters_drawn", "n", "invited") if name in self.rows]
        labels = {"n": say("Answers wanted"), "clusters": say("Clusters in the list")}
        return [
            *(Column(name=key) for key in self.keys),
            *(Column(name=name, kind="int", label=labels.get(name, "")) for name in counts),
            Column(name="deff", kind="number", decimals=2),
            Column(name="margin", kind=kind, decimals=1 if self.unit == "share" else 2),
        ]
