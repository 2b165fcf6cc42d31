"""Tests between the groups of one variable in one cell: the regression of answers, or their rank scores, on groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.contingency import wald_statistic
from khaosat.stats.intervals import t_interval
from khaosat.stats.p_values import f_p_value, holm, t_p_value
from khaosat.stats.ranks import rank_scores
from khaosat.survey.answers import Answers, Level
from khaosat.survey.cells import Cells, freedom
from khaosat.survey.covariances import design_covariance, group_means

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
GroupTest = Literal["t", "wilcoxon", "median", "kruskal"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupTests:
    """The groups of one variable in one cell.

    Parameters
    ----------
    survey
        Answers and design.
    values
        What is compared, a number a respondent.
    answer, member
        Who has a valid answer, and who is in which group.
    inside
        Respondents in the cell.
    test
        What is compared: ``values`` (``t``), or their rank scores in each pair (``wilcoxon``, ``median``) or among all
        groups (``kruskal``).
    """

    survey: Survey
    values: Floats
    answer: Answers
    member: Answers
    inside: NDArray[np.bool_]
    test: GroupTest

    @cached_property
    def code(self) -> Codes:
        """Group of each respondent with an answer; -1 for the others."""
        counted = self.inside & self.answer.valid & self.member.valid
        return np.where(counted, np.nan_to_num(self.member.numbers), -1).astype(np.intp)

    @cached_property
    def present(self) -> list[int]:
        """Groups that somebody with an answer is in."""
        return [int(group) for group in np.unique(self.code) if group >= 0]

    def pairs(self, *, reference: Level | None, level: float) -> pd.DataFrame:
        """A row a pair: the later group less the earlier one, or each less the reference; Holm's adjustment."""
        pairs = [(later, earlier) for earlier, later in combinations(self.present, 2)]
        if reference is not None:
            base = self.member.levels.index(reference)
            pairs = [(group, base) for group in self.present if group != base and base in self.present]
        names, n, missing = (
            self.member.levels,
            self._count(self.code),
            self._count(self._asked) - self._count(self.code),
        )
        a, b = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        found = np.array(list(self._differences(pairs)), dtype=float).reshape(-1, 3)
        difference, se = found[:, 0] - found[:, 1], np.sqrt(np.maximum(found[:, 2], 0))
        statistic = np.divide(difference, se, where=se > 0, out=np.full(len(pairs), np.nan))
        df = self.df(2 if self._pairwise else len(self.present))
        low, high = t_interval(difference, se, df=df if self.test == "t" else 0, level=level)
        p_value = t_p_value(statistic, df)
        return pd.DataFrame(
            {"group": [names[group] for group in a], "reference": [names[group] for group in b],
             "estimate": difference, "se": se, "low": low, "high": high, "df": df, "n": np.minimum(n[a], n[b]),
             "n_missing": missing[a] + missing[b], "statistic": statistic, "p_value": p_value,
             "p_adjusted": holm(p_value), "estimate_a": found[:, 0], "estimate_b": found[:, 1], "n_a": n[a],
             "n_b": n[b]}
        )  # fmt: skip

    def overall(self) -> dict[str, object]:
        """The test that all groups are equal; ranks are those among all groups."""
        k = max(len(self.present) - 1, 0)
        df, statistic, p_value = self.df(k + 1), np.nan, np.nan
        if k and df > 0:
            means, matrix = self._means(self.present)
            contrasts = np.column_stack([-np.ones(k), np.eye(k)])
            statistic = wald_statistic(contrasts @ means, contrasts @ matrix @ contrasts.T)
            p_value = f_p_value(statistic / k, k, df)
        return {"statistic": statistic, "df1": k, "df2": df, "p_value": p_value, "n": int((self.code >= 0).sum())}

    def df(self, n_groups: int) -> int:
        """Degrees of freedom of the design less the groups beyond the first; 0 if all answers lie in one unit."""
        everyone = Cells(keys=pd.DataFrame(index=range(1)), code=np.where(self.inside, 0, -1).astype(np.intp))
        whole = int(freedom(self.survey, everyone, domain_df=False, answered=self.code >= 0)[0])
        return max(whole - (n_groups - 1), 0)

    @property
    def _pairwise(self) -> bool:
        return self.test in ("wilcoxon", "median")

    @property
    def _asked(self) -> Codes:
        counted = self.inside & self.answer.asked & self.member.valid
        return np.where(counted, np.nan_to_num(self.member.numbers), -1).astype(np.intp)

    def _count(self, code: Codes) -> NDArray[np.int64]:
        return np.bincount(code[code >= 0], minlength=len(self.member.levels)).astype(np.int64)

    def _differences(self, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float, float]]:
        """Both means of each pair and the variance of their difference."""
        together = self._means(self.present) if pairs and not self._pairwise else None
        for pair in pairs:
            means, matrix = together or self._means(pair)
            i, j = (0, 1) if together is None else (self.present.index(pair[0]), self.present.index(pair[1]))
            yield means[i], means[j], matrix[i, i] + matrix[j, j] - 2 * matrix[i, j]

    def _means(self, groups: Sequence[int]) -> tuple[Floats, Floats]:
        """Means of some groups, with scores from ranks among them, and their covariance."""
        place = np.full(len(self.member.levels) + 1, -1, dtype=np.intp)
        place[list(groups)] = np.arange(len(groups))
        code, weights, values = place[self.code], self.survey.arrays.weights, self.values
        rows = np.flatnonzero(code >= 0)
        if self.test != "t":
            values = np.zeros(len(code))
            values[rows] = rank_scores(self.values[rows], weights[rows], median=self.test == "median")
        means, influence = group_means(values, weights, group=code, n_groups=len(groups))
        return means, design_covariance(self.survey, influence, inside=code >= 0)
