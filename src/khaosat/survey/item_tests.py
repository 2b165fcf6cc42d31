"""Tests of one scale's items for different functioning between groups, the score cleared of items that do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.intervals import t_interval
from khaosat.stats.item_bias import EffectSize, NestedFits, benjamini_hochberg, nested_fits
from khaosat.stats.ordinal import OrdinalFit
from khaosat.stats.p_values import chi2_p_value, holm, t_p_value
from khaosat.stats.wald import wald_test
from khaosat.survey.model_result import model_covariance, model_df
from khaosat.survey.scales import ScaleAnswers

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
DifTest = Literal["wald", "likelihood_ratio"]
Score = Literal["total", "rest"]
Adjustment = Literal["holm", "benjamini_hochberg", "none"]

KINDS = {"uniform": (0, 1), "nonuniform": (1, 2), "any": (0, 2)}
"""What each test compares: models with score, and group, and their product."""
_LEAST = 2
"""Items that stay in a score whatever is flagged."""
FLAGGED = ("moderate", "large")
"""Grades of items that are answered differently."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DifOptions:
    """How items are tested and graded; parameters of :func:`khaosat.survey.dif`."""

    test: DifTest
    score: Score
    effect: EffectSize
    grades: tuple[float, float]
    alpha: float
    adjust: Adjustment
    level: float

    def adjusted(self, p_values: pd.Series) -> Floats:
        """P-values adjusted over the items."""
        p = p_values.to_numpy(float)
        if self.adjust == "none":
            return p
        return holm(p) if self.adjust == "holm" else benjamini_hochberg(p)

    def flag(self, p_adjusted: float, effect: float) -> str:
        """Grade of one item by significance and size together."""
        if not (np.isfinite(p_adjusted) and np.isfinite(effect)):
            return "untested"
        if p_adjusted >= self.alpha or effect < self.grades[0]:
            return "negligible"
        return "moderate" if effect < self.grades[1] else "large"


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaleTests:
    """One scale.

    Parameters
    ----------
    survey, name, answers
        The scale and the answers to all of its items, of respondents whose group is known.
    group, levels
        Place of each respondent's group, and the groups in order; the first is what the others are compared with.
    options
        How items are tested.
    """

    survey: Survey
    name: str
    answers: ScaleAnswers
    group: Codes
    levels: tuple[str, ...]
    options: DifOptions
    weights: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", self.survey.arrays.weights[self.answers.used])

    def run(self, out: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows and coefficients of all items, the score made of those that are not out."""
        anchors = [name for name in self.answers.items if name not in out]
        rows: list[dict[str, object]] = []
        coefficients: list[dict[str, object]] = []
        for item in self.answers.items:
            fits = self._fits(item, anchors)
            rows += [self._row(item, kind, fits) for kind in KINDS]
            coefficients += [row for kind in ("uniform", "nonuniform") for row in self._coefficients(item, kind, fits)]
        return pd.DataFrame(rows), pd.DataFrame(coefficients)

    def _fits(self, item: str, anchors: Sequence[str]) -> NestedFits | None:
        """The three models; None where the score or the groups do not vary."""
        place = self.answers.items.index(item)
        wanted = {name for name in anchors if name != item} | ({item} if self.options.score == "total" else set())
        columns = [j for j, name in enumerate(self.answers.items) if name in wanted]
        used = self.answers.used
        if len(np.unique(self.group[used])) < len(self.levels):
            return None
        score = self.answers.numbers[used][:, columns].mean(axis=1)
        share = self.weights / self.weights.sum()
        away = score - share @ score
        size = float(np.sqrt(share @ away**2))
        if size < 1e-12:
            return None
        groups = (self.group[used][:, None] == np.arange(1, len(self.levels))).astype(float)
        y = self.answers.places[used, place]
        return nested_fits(y, away / size, groups, self.weights)

    def _row(self, item: str, kind: str, fits: NestedFits | None) -> dict[str, object]:
        small, large = KINDS[kind]
        statistic, df1, df2, p_value = self._test(kind, fits)
        return {
            "factor": self.name, "item": item, "kind": kind, "statistic": statistic, "df1": df1, "df2": df2,
            "p_value": p_value, "effect": fits.gain(small, large, self.options.effect) if fits else np.nan,
            "n": self.answers.n, "n_missing": self.answers.n_missing,
        }  # fmt: skip

    def _test(self, kind: str, fits: NestedFits | None) -> tuple[float, int, float, float]:
        small, large = KINDS[kind]
        terms = (len(self.levels) - 1) * (large - small)
        if fits is None:
            return np.nan, terms, np.nan, np.nan
        if self.options.test == "likelihood_ratio":
            statistic = fits.fall(small, large)
            return statistic, terms, np.nan, chi2_p_value(statistic, terms)
        fit = fits.fits[large]
        if fit is None:
            return np.nan, terms, np.nan, np.nan
        places = self._places(kind)
        return wald_test(fit.coef[places], self._covariance(fit, places), df=self._df(large))

    def _places(self, kind: str) -> list[int]:
        """Places of the coefficients that a test is about, in the larger of its models."""
        k = len(self.levels) - 1
        return list(range(1 + k if kind == "nonuniform" else 1, 1 + k if kind == "uniform" else 1 + 2 * k))

    def _covariance(self, fit: OrdinalFit, places: list[int]) -> Floats:
        return model_covariance(self.survey, fit.influence[:, places], used=self.answers.used)

    def _df(self, model: int) -> int:
        return model_df(self.survey, self.answers.used, slopes=1 + model * (len(self.levels) - 1))

    def _coefficients(self, item: str, kind: str, fits: NestedFits | None) -> list[dict[str, object]]:
        """Log odds ratios of each group against the first, given the score; products are by its standard deviation."""
        model = KINDS[kind][1]
        fit, places, k = fits.fits[model] if fits else None, self._places(kind), len(self.levels) - 1
        value, se = (fit.coef[places], np.sqrt(np.diagonal(self._covariance(fit, places)))) if fit else (
            np.full(k, np.nan), np.full(k, np.nan))  # fmt: skip
        df = self._df(model) if self.answers.n else 0
        low, high = t_interval(value, se, df=df, level=self.options.level)
        t = np.divide(value, se, where=se > 0, out=np.full(k, np.nan))
        p_value = t_p_value(t, df)
        return [
            {"factor": self.name, "item": item, "kind": kind, "group": self.levels[j + 1], "reference": self.levels[0],
             "estimate": value[j], "se": se[j], "low": low[j], "high": high[j], "df": df, "n": self.answers.n,
             "p_value": p_value[j]}
            for j in range(k)
        ]  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Purified:
    """Tests of all scales once the score is clear.

    Parameters
    ----------
    rows, coefficients
        As :meth:`ScaleTests.run` has them, with ``p_adjusted`` and ``flag``.
    out
        Items that were not in the score.
    tangled
        Scales with flagged items in the score that could not leave it, since two must stay.
    settled
        Whether no other flagged item could leave the score.
    """

    rows: pd.DataFrame
    coefficients: pd.DataFrame
    out: frozenset[str]
    tangled: tuple[str, ...]
    settled: bool


def purified(tests: Sequence[ScaleTests], options: DifOptions, *, most: int) -> Purified:
    """Test; of each scale the flagged item with the largest effect leaves the score; test again until none is left.

    One at a time, since a biased item spills over to the others of a short scale, which are then flagged in its stead.
    """
    out: frozenset[str] = frozenset()
    for turn in range(most + 1):
        found = [one.run(out) for one in tests]
        rows = pd.concat([part for part, _ in found], ignore_index=True)
        adjusted = rows.groupby("kind", sort=False)["p_value"].transform(options.adjusted)
        flags = [options.flag(p, size) for p, size in zip(adjusted, rows["effect"], strict=True)]
        place = list(rows.columns).index("effect")
        rows.insert(place, "p_adjusted", adjusted)
        rows.insert(place + 2, "flag", flags)
        whole = rows[(rows["kind"] == "any") & rows["flag"].isin(FLAGGED) & ~rows["item"].isin(out)]
        large = {one.name for one in tests if sum(name not in out for name in one.answers.items) > _LEAST}
        worst = whole[whole["factor"].isin(large)].sort_values("effect", kind="stable").groupby("factor").tail(1)
        if worst.empty or turn == most:
            break
        out = out | set(worst["item"])
    tangled = tuple(name for name in dict.fromkeys(whole["factor"]) if name not in large)
    coefficients = pd.concat([part for _, part in found], ignore_index=True)
    return Purified(rows=rows, coefficients=coefficients, out=out, tangled=tangled, settled=worst.empty)
