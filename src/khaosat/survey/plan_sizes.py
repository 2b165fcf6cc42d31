"""The sizes of a planned sample by stratum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.errors import DesignError
from khaosat.facts.language import number, say
from khaosat.stats.allocation import allocate, margins, overall_margin, sizes_for_margin, smallest
from khaosat.survey.plan_inputs import Strata

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Target = Literal["overall", "stratum"]

LEAST = 2
"""Respondents, or clusters, that a stratum needs for a variance."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Strata, what is known of them, and the bounds of their sizes."""

    strata: Strata
    sd: Floats
    deff: Floats
    response: Floats
    shares: Floats
    low: int
    high: int | None
    cluster_sizes: pd.Series | None
    per_cluster: int
    level: float

    def sizes(self, margin: float | None, n: int | None, *, target: Target) -> Ints:
        """Answers by stratum.

        Raises
        ------
        DesignError
            If no sample within the bounds does what is asked.
        """
        low, high = self._bounds()
        if n is not None:
            if not low.sum() <= n <= high.sum():
                text = "n is {n}: with these strata, bounds and response it can be {least} to {most}."
                raise DesignError(say(text, n=n, least=int(low.sum()), most=int(high.sum())))
            return self._whole_clusters(allocate(n, self.shares, low=low, high=high))
        wanted = float(margin or 0)
        best = self.margins(high)
        if target == "stratum":
            short = [label for label, reach in zip(self.strata.labels, best, strict=True) if reach > wanted]
            if short:
                raise DesignError(say("The margin cannot be met in: {strata}; ask for a wider one, or join them.",
                                      strata=", ".join(short)))  # fmt: skip
            people = self.strata.population.astype(float)
            needed = sizes_for_margin(wanted, people, self.sd, deff=self.deff, level=self.level)
            return self._whole_clusters(np.clip(needed, low, high))
        if self.together(high) > wanted:
            text = "The margin cannot be met: the largest sample there can be has {margin}."
            raise DesignError(say(text, margin=number(self.together(high), 4)))

        def fits(size: int) -> bool:
            return self.together(allocate(size, self.shares, low=low, high=high)) <= wanted

        least = smallest(fits, low=int(low.sum()), high=int(high.sum()))
        while not fits(least):  # rounding makes the margin a little uneven in n
            least += 1
        return self._whole_clusters(allocate(least, self.shares, low=low, high=high))

    @cached_property
    def clusters(self) -> Ints | None:
        """Clusters in each stratum."""
        if self.cluster_sizes is None:
            return None
        strata = self.cluster_sizes.index.get_level_values(0)
        return np.bincount(strata, minlength=len(self.sd)).astype(np.int64)

    @property
    def small_clusters(self) -> int:
        """Clusters with fewer rows than are to be invited in each."""
        if self.cluster_sizes is None:
            return 0
        strata = self.cluster_sizes.index.get_level_values(0)
        return int((self.cluster_sizes.to_numpy() < self._each[strata]).sum())

    def margins(self, sizes: Ints) -> Floats:
        """Margin of each stratum by itself."""
        return margins(
            sizes.astype(float), self.strata.population.astype(float), self.sd, deff=self.deff, level=self.level
        )

    def together(self, sizes: Ints) -> float:
        """Margin of all strata together."""
        people = self.strata.population.astype(float)
        return overall_margin(sizes.astype(float), people, self.sd, deff=self.deff, level=self.level)

    def rows(self, sizes: Ints) -> pd.DataFrame:
        """The plan, a row a stratum."""
        columns: dict[str, object] = {"population": self.strata.population}
        if self.clusters is not None:
            columns |= {"clusters": self.clusters, "clusters_drawn": -(-sizes // self.per_cluster)}
        columns |= {"n": sizes, "invited": self._invited(sizes), "deff": self.deff, "margin": self.margins(sizes)}
        return pd.concat([self.strata.keys, pd.DataFrame(columns)], axis=1)

    def overall(self, sizes: Ints) -> pd.DataFrame:
        """All strata together, one row."""
        rows = self.rows(sizes)
        counts = [name for name in ("population", "clusters", "clusters_drawn", "n", "invited") if name in rows]
        return rows[counts].sum().to_frame().T.assign(margin=self.together(sizes))

    def _invited(self, sizes: Ints) -> Ints:
        """How many to ask for so many answers; with clusters, the same number in each cluster."""
        if self.clusters is None:
            return np.ceil(sizes / self.response - 1e-9).astype(np.int64)
        invited: Ints = np.minimum(-(-sizes // self.per_cluster) * self._each, self.strata.population)
        return invited

    @property
    def _each(self) -> Ints:
        """How many to invite in each cluster."""
        return np.ceil(self.per_cluster / self.response - 1e-9).astype(np.int64)

    def _bounds(self) -> tuple[Ints, Ints]:
        """Least and most answers in each stratum; clusters come whole.

        Raises
        ------
        DesignError
            If a stratum cannot give the least.
        """
        most = np.floor(self.strata.population * self.response + 1e-9).astype(np.int64)
        most = most if self.high is None else np.minimum(most, self.high)
        least = np.full(len(most), self.low)
        if self.clusters is not None:
            most = np.minimum(most, self.clusters * self.per_cluster)
            least = np.maximum(least, np.minimum(LEAST, self.clusters) * self.per_cluster)
        short = [label for label, a, b in zip(self.strata.labels, least, most, strict=True) if a > b]
        if short:
            raise DesignError(say("Too few to draw from, with this response and these bounds: {strata}.",
                                  strata=", ".join(short)))  # fmt: skip
        return least, most

    def _whole_clusters(self, sizes: Ints) -> Ints:
        if self.clusters is None:
            return sizes
        whole: Ints = np.minimum(-(-sizes // self.per_cluster), self.clusters) * self.per_cluster
        return whole
