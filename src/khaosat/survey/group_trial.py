"""Groups learnt on one half of the primary units and measured on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Design, Survey
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.stats.p_values import holm, t_p_value
from khaosat.stats.rule_tree import Path, grow_rules, half_units, members, shrunken_rates
from khaosat.stats.taylor import cell_df
from khaosat.survey.cells import sample_of
from khaosat.survey.covariances import design_covariance, group_means
from khaosat.survey.rule_features import Features
from khaosat.survey.where import where_rows

Rows = NDArray[np.bool_]

_SPLITS = 20
_SAME = 0.75
"""Part of two groups' members together that must be in both, for them to count as one group."""
_NUMBERS = ("estimate", "se", "low", "high", "df", "n", "n_missing", "shrunken", "rest", "difference", "difference_low",
            "difference_high", "share", "p_value", "p_adjusted", "stability", "part")  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """One search for groups: what is known of whom, and the rules of the game."""

    survey: Survey
    features: Features
    used: Rows
    unhappy: Rows
    depth: int
    least: int
    level: float
    rng: np.random.Generator

    def split(self) -> Rows:
        """The first half of those who can be used, by primary units."""
        drawn = self.survey.arrays
        return half_units(drawn.strata[0], drawn.units[0], rng=self.rng)

    def learn(self, half: Rows) -> list[tuple[Path, float]]:
        """Groups of a tree on a half, and what it makes of their rates."""
        rows = half & self.used
        return grow_rules(
            self.features.table[rows], self.unhappy[rows], weights=self.survey.arrays.weights[rows], depth=self.depth,
            least=self.least, seed=0,
        )  # fmt: skip

    def average(self, rows: Rows) -> float:
        """Weighted share not satisfied."""
        return float(np.average(self.unhappy[rows], weights=self.survey.arrays.weights[rows]))

    def measured(self) -> pd.DataFrame:
        """Groups learnt on either half with their rates on the other."""
        half = self.split()
        tables = [self._measure(self.learn(half), ~half & self.used, learnt_on=half & self.used, part=2),
                  self._measure(self.learn(~half), half & self.used, learnt_on=~half & self.used, part=1)]  # fmt: skip
        table = pd.concat(tables, ignore_index=True)
        return table.assign(p_adjusted=holm(table["p_value"].to_numpy(float)), stability=np.nan)

    def _measure(self, rules: list[tuple[Path, float]], rows: Rows, *, learnt_on: Rows, part: int) -> pd.DataFrame:
        """The rates of groups among people the tree has not seen."""
        table = self.features.table[rows]
        inside = [members(table, path) for path, _ in rules]
        big = [j for j, group in enumerate(inside) if group.sum() >= self.least]
        if not big:
            return pd.DataFrame(columns=["rule", "condition", *_NUMBERS, "path"])
        half = _half_survey(self.survey, rows)
        weights, unhappy = half.arrays.weights, self.unhappy[rows].astype(float)
        every = np.ones(len(weights), dtype=bool)
        estimates, influences, df = [], [], []
        for j in big:
            means, part_of = group_means(unhappy, weights, group=inside[j].astype(np.intp), n_groups=2)
            estimates.append((means[1], means[0], np.average(inside[j], weights=weights)))
            influences += [part_of[:, 1], part_of[:, 1] - part_of[:, 0]]
            group = np.where(inside[j], 0, -1).astype(np.intp)
            df.append(int(cell_df(group, n_cells=1, drawn=sample_of(half))[0]))
        se = np.sqrt(np.diagonal(design_covariance(half, np.column_stack(influences), inside=every))).reshape(-1, 2)
        rate, rest, share = np.array(estimates).T
        freedom, n = np.array(df), np.array([inside[j].sum() for j in big])
        low, high = share_interval(rate, se[:, 0], df=freedom, n=n, level=self.level)
        difference = rate - rest
        t = np.divide(difference, se[:, 1], where=se[:, 1] > 0, out=np.full(len(big), np.nan))
        # no variance at all, in several units: all of the group answer one way and all others the other way
        certain = (se[:, 1] == 0) & (difference != 0) & (freedom > 0)
        lower, upper = t_interval(difference, se[:, 1], df=freedom, level=self.level)
        suspected = self.average(learnt_on)
        paths = [rules[j][0] for j in big]
        measured = pd.DataFrame({
            "rule": [self.features.wording(path) for path in paths],
            "condition": [self.features.condition(path) for path in paths],
            "estimate": rate, "se": se[:, 0], "low": low, "high": high, "df": freedom, "n": n, "n_missing": 0,
            "shrunken": shrunken_rates(rate, se[:, 0], centre=self.average(rows)), "rest": rest,
            "difference": difference, "difference_low": lower, "difference_high": upper, "share": share,
            "p_value": np.where(certain, 0.0, t_p_value(t, freedom)), "part": part, "path": paths,
        })  # fmt: skip
        return measured[[rules[j][1] > suspected for j in big]]

    def stability(self, conditions: pd.Series) -> list[float]:
        """How often further splits find the same people."""
        if conditions.empty:
            return []
        groups = [where_rows(self.survey.responses, text).to_numpy(dtype=bool, na_value=False) for text in conditions]
        hits = np.zeros(len(groups))
        for _ in range(_SPLITS):
            half = self.split()
            average = self.average(half & self.used)
            found = [members(self.features.table, path) for path, rate in self.learn(half) if rate > average]
            hits += [
                any(_overlap(group & self.used, other & self.used) >= _SAME for other in found) for group in groups
            ]
        return list(hits / _SPLITS)


def _half_survey(survey: Survey, rows: Rows) -> Survey:
    """Part of the primary units as a sample of its own, its variance that between units within strata."""
    drawn = survey.arrays
    frame = pd.DataFrame({"w": drawn.weights[rows], "h": drawn.strata[0][rows], "c": drawn.units[0][rows]})
    return Survey(responses=frame, design=Design(weights="w", strata="h", clusters="c", lonely_psu="adjust"))


def _overlap(a: Rows, b: Rows) -> float:
    """Members of both as a part of those of either (Jaccard)."""
    return float((a & b).sum() / max((a | b).sum(), 1))
