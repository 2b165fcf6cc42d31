"""Factor analyses of one set of items: the questionnaire's own structure, and what the answers show by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.exploratory import (
    Extracted,
    Extraction,
    extract,
    most_factors,
    random_roots,
    sampling_adequacy,
    smoothed,
    sphericity,
)
from khaosat.stats.factor_fit import fit_indices, srmr
from khaosat.stats.factor_model import FactorFit, fit_factors
from khaosat.stats.intervals import t_interval
from khaosat.stats.item_moments import ItemMoments
from khaosat.stats.rotation import Rotation
from khaosat.survey.scales import ScaleAnswers

Floats = NDArray[np.float64]

_QUANTILE = 0.95
"""A component counts if its root exceeds this quantile of random ones (Glorfeld 1995)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Confirmed:
    """The model in which every item belongs to its own factor.

    Parameters
    ----------
    loadings
        ``item, estimate, se, low, high``, standardised.
    factor_correlations
        ``factor_a, factor_b, estimate, se, low, high``.
    fit
        One row of indices.
    fitted
        The model, None if it could not be fitted.
    left_out
        Factors with one item.
    """

    loadings: pd.DataFrame
    factor_correlations: pd.DataFrame
    fit: pd.DataFrame
    fitted: FactorFit | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorAnalysis:
    """Answers to some items with their correlations.

    Parameters
    ----------
    survey, answers, moments
        Who, what, and the correlations with their influence values.
    factor_of
        The factor that each item is meant to belong to.
    df, level
        For intervals.
    """

    survey: Survey
    answers: ScaleAnswers
    moments: ItemMoments
    factor_of: Mapping[str, str]
    df: int
    level: float

    @property
    def n(self) -> int:
        """Respondents behind every correlation: the fewest of any pair."""
        return int(self.moments.n_pairs.min())

    def matrix(self) -> tuple[Floats, bool]:
        """The correlations, and whether they had to be smoothed."""
        found = smoothed(self.moments.matrix)
        return found, found is not self.moments.matrix

    def adequacy(self) -> tuple[pd.DataFrame, Floats]:
        """One row on whether factors are worth looking for; the measure by item."""
        matrix = self.matrix()[0]
        kmo, items = sampling_adequacy(matrix)
        statistic, df, p_value = sphericity(matrix, self.n)
        row = {"kmo": [kmo], "statistic": [statistic], "df": [df], "p_value": [p_value], "n": [self.n]}
        return pd.DataFrame(row), items

    def roots(self, *, draws: int, rng: np.random.Generator) -> pd.DataFrame:
        """Roots of the Pearson correlations beside those of shuffled answers; ``kept`` counts from the first on."""
        used = self.answers.used
        numbers, weights = self.answers.numbers[used], self.survey.arrays.weights[used]
        own, random = random_roots(numbers, weights, draws=draws, rng=rng)
        high = np.quantile(random, _QUANTILE, axis=0)
        kept = np.cumprod(own > high).astype(bool)
        return pd.DataFrame(
            {"component": np.arange(1, len(own) + 1), "root": own, "random_mean": random.mean(axis=0),
             "random_high": high, "kept": kept}
        )  # fmt: skip

    def explore(self, m: int, *, extraction: Extraction, rotation: Rotation) -> Extracted:
        """What m factors look like, or as many as the items can carry; three can carry one."""
        m = min(m, most_factors(len(self.answers.items)))
        return extract(self.matrix()[0], m, method=extraction, rotation=rotation)

    def confirm(self) -> Confirmed:
        """Fit the structure that the items were written for."""
        groups = [self.factor_of[item] for item in self.answers.items]
        names = [name for name in dict.fromkeys(groups) if groups.count(name) > 1]
        alone = tuple(name for name in dict.fromkeys(groups) if groups.count(name) == 1)
        kept = [j for j, name in enumerate(groups) if name in names]
        blank = pd.DataFrame({"item": list(self.answers.items)})
        blank = blank.assign(**dict.fromkeys(("estimate", "se", "low", "high"), np.nan))
        none = Confirmed(loadings=blank, factor_correlations=_correlation_rows([], []), fit=pd.DataFrame(),
                         left_out=alone)  # fmt: skip
        if not names or (len(names) == 1 and len(kept) < 3):
            return none
        moments = self.moments.of(kept)
        if not moments.thresholds:  # maximum likelihood needs a positive definite matrix
            moments = replace(moments, matrix=smoothed(moments.matrix))
        fitted = self._fitted(moments, np.array([names.index(groups[j]) for j in kept], dtype=np.intp))
        if fitted is None:
            return none
        loadings = blank.copy()
        loadings.loc[kept, ["estimate", "se", "low", "high"]] = self._loadings(moments, fitted)
        return Confirmed(
            loadings=loadings, factor_correlations=self._between(moments, fitted, names),
            fit=self._indices(moments, fitted), fitted=fitted, left_out=alone,
        )  # fmt: skip

    def _fitted(self, moments: ItemMoments, factor_of: NDArray[np.intp]) -> FactorFit | None:
        p, variances = len(moments.matrix), None
        if moments.thresholds:
            variances = np.zeros((p, p))
            variances[np.triu_indices(p)] = variances.T[np.triu_indices(p)] = moments.variance
        fitted = fit_factors(moments.matrix, factor_of, variances=variances)
        return fitted if fitted.converged else None

    def _loadings(self, moments: ItemMoments, fitted: FactorFit) -> Floats:
        """Standardised loadings with intervals: the influence of the item's own variance is counted."""
        p = len(fitted.loadings)
        upper = np.triu_indices(p)
        size = np.sqrt(np.diagonal(fitted.implied))
        own = moments.influence[:, upper[0] == upper[1]]
        influence = (moments.influence @ fitted.slopes[:p].T) / size - fitted.loadings / (2 * size**3) * own
        return self._with_intervals(fitted.loadings / size, influence)

    def _between(self, moments: ItemMoments, fitted: FactorFit, names: Sequence[str]) -> pd.DataFrame:
        p, m = len(fitted.loadings), len(names)
        first, second = np.triu_indices(m, 1)
        if not len(first):
            return _correlation_rows([], [])
        influence = moments.influence @ fitted.slopes[p : p + len(first)].T
        rows = self._with_intervals(fitted.factor_correlations[first, second], influence)
        return _correlation_rows(
            [(names[a], names[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)], rows
        )

    def _with_intervals(self, values: Floats, influence: Floats) -> Floats:
        se = np.sqrt(np.diagonal(self.answers.spread(self.survey)(influence)))
        low, high = t_interval(values, se, df=self.df, level=self.level)
        return np.column_stack([values, se, low, high])

    def _indices(self, moments: ItemMoments, fitted: FactorFit) -> pd.DataFrame:
        spread = self.answers.spread(self.survey) if self.df > 0 else _none
        plain, corrected = fit_indices(moments, fitted, n=self.n, covariance=spread)
        scaled = {f"{name}_scaled": value for name, value in asdict(corrected).items() if name not in ("df",)}
        return pd.DataFrame([asdict(plain) | {"srmr": srmr(moments, fitted), "n": self.n} | scaled])


def _none(influence: Floats) -> Floats:
    """No covariance: one unit shows nothing of how much units differ."""
    return np.zeros((influence.shape[1], influence.shape[1]))


def _correlation_rows(pairs: Sequence[tuple[str, str]], rows: Floats | Sequence[float]) -> pd.DataFrame:
    found = np.asarray(rows, dtype=float).reshape(-1, 4)
    return pd.DataFrame(
        {"factor_a": [a for a, _ in pairs], "factor_b": [b for _, b in pairs],
         **dict(zip(("estimate", "se", "low", "high"), found.T, strict=True))}
    )  # fmt: skip
