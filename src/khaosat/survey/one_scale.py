"""Reliability of one scale, and what each of its items does to it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.consistency import (
    Omega,
    alpha,
    alpha_influence,
    feldt_interval,
    guttman_lambda6,
    omega,
    reliability_interval,
)
from khaosat.stats.item_moments import ItemMoments, replicate_covariances
from khaosat.stats.replicates import replicate_covariance
from khaosat.survey.cells import Cells, freedom
from khaosat.survey.scales import Correlation, ScaleAnswers

Floats = NDArray[np.float64]
ReliabilityInterval = Literal["feldt", "design"]

_CONSTANT = 1e-10
"""An item whose variance in a replicate is this part of that in the sample is constant there."""
_ROW = ("alpha", "se", "low", "high", "omega", "omega_se", "omega_low", "omega_high", "df", "n", "n_missing",
        "alpha_standardized", "lambda6", "average_r")  # fmt: skip


class ScaleReliability:
    """One scale: its moments and what follows from them."""

    def __init__(
        self, survey: Survey, cells: Cells, name: str, answers: ScaleAnswers, correlation: Correlation
    ) -> None:
        self.survey, self.cells, self.name, self.answers = survey, cells, name, answers
        self.moments: ItemMoments | None = None
        self.omega: Omega | None = None
        if len(answers.items) > 1 and answers.n > 2 and not answers.thin_pairs():
            self.moments = answers.moments(survey, correlation)
            self.omega = omega(self.moments)

    def row(self, how: ReliabilityInterval, level: float) -> dict[str, object]:
        """The line of the scale."""
        n, k = self.answers.n, len(self.answers.items)
        df = int(freedom(self.survey, self.cells, domain_df=False, answered=self.answers.used)[0]) if n else 0
        found = {"factor": self.name, "items": k, **dict.fromkeys(_ROW, np.nan)}
        found |= {"df": df, "n": n, "n_missing": self.answers.n_missing}
        if self.moments is None or self.omega is None:
            return found
        r, whole = self.moments.matrix, alpha(self.moments.covariance)
        value = np.array([whole, self.omega.value])
        se = np.where(np.isfinite(value), np.sqrt(np.diagonal(self._covariance(self.moments, self.omega))), np.nan)
        low, high = reliability_interval(value, se, df=df, level=level)
        low[1] = np.maximum(low[1], 0)  # omega is a share of the variance
        if how == "feldt":
            low[0], high[0] = feldt_interval(whole, n=n, k=k, level=level)
        return found | {
            "alpha": whole, "se": se[0], "low": low[0], "high": high[0],
            "omega": value[1], "omega_se": se[1], "omega_low": low[1], "omega_high": high[1],
            "alpha_standardized": alpha(r), "lambda6": guttman_lambda6(r),
            "average_r": float(r[np.triu_indices(k, 1)].mean()),
        }  # fmt: skip

    def _covariance(self, moments: ItemMoments, one: Omega) -> Floats:
        """Covariance of alpha and omega by the design: from the values in every replicate, else linearised."""
        made = self.survey.replication
        if made is None or moments.thresholds:
            influence = np.column_stack([alpha_influence(moments), one.influence])
            return self.answers.spread(self.survey)(influence)
        again = replicate_covariances(
            self.answers.numbers[self.answers.used], made.weights[self.answers.used], n_pairs=moments.n_pairs
        )
        least = _CONSTANT * moments.scale**2
        return replicate_covariance(np.array([_alpha_and_omega(s, least) for s in again]).T, factors=made.factors)

    def items(self) -> pd.DataFrame:
        """The lines of the items."""
        items, weights = self.answers.items, self.survey.arrays.weights
        valid = np.isfinite(self.answers.numbers) & self.answers.used[:, None]
        share = np.where(valid, weights[:, None], 0.0)
        share = share / np.where(share.sum(axis=0) > 0, share.sum(axis=0), np.nan)
        frame = pd.DataFrame(
            {"factor": self.name, "item": list(items), "n": valid.sum(axis=0),
             "mean": (share * np.where(valid, self.answers.numbers, 0.0)).sum(axis=0)}
        )  # fmt: skip
        blank = np.full(len(items), np.nan)
        columns = {name: blank for name in ("sd", "item_rest", "item_total", "alpha_without", "loading")}
        if self.moments is not None:
            columns |= _item_columns(self.moments, self.omega)
        return frame.assign(**columns)[["factor", "item", "mean", *columns, "n"]]

    @property
    def heywood(self) -> list[str]:
        """Items whose unique variance came out at zero or below."""
        fit = self.omega.fit if self.omega else None
        return [] if fit is None else [self.answers.items[j] for j in np.flatnonzero(fit.uniquenesses <= 0)]


def _alpha_and_omega(covariance: Floats, least: Floats) -> tuple[float, float]:
    """Alpha and omega of a covariance matrix; NaN where a replicate leaves none, omega also if an item is constant."""
    if not np.isfinite(covariance).all():
        return np.nan, np.nan
    if (np.diagonal(covariance) <= least).any():
        return alpha(covariance), np.nan
    scale = np.sqrt(np.diagonal(covariance))
    nobody = np.zeros((0, len(scale) * (len(scale) + 1) // 2))
    moments = ItemMoments(
        matrix=covariance / np.outer(scale, scale), influence=nobody, scale=scale, variance=np.zeros(nobody.shape[1]),
        n_pairs=np.zeros(covariance.shape, dtype=np.int64),
    )  # fmt: skip
    return alpha(covariance), omega(moments).value


def _item_columns(moments: ItemMoments, one: Omega | None) -> dict[str, Floats]:
    """Columns of the items that follow from the covariance matrix and the factor model."""
    s, k = moments.covariance, len(moments.matrix)
    own, with_all, total = np.diagonal(s), s.sum(axis=1), float(s.sum())
    rest = total - 2 * with_all + own
    others = [[i for i in range(k) if i != j] for j in range(k)]
    size = np.sqrt(np.diagonal(one.fit.implied)) if one and one.fit else np.ones(k)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "sd": moments.scale if not moments.thresholds else np.full(k, np.nan),
            "item_rest": np.where(rest > 0, (with_all - own) / np.sqrt(own * np.abs(rest)), np.nan),
            "item_total": np.where(total > 0, with_all / np.sqrt(own * np.abs(total)), np.nan),
            "alpha_without": np.array([alpha(s[np.ix_(rows, rows)]) for rows in others]),
            "loading": one.fit.loadings / size if one and one.fit else np.full(k, np.nan),
        }
