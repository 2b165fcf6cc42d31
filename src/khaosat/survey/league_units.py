"""Direct estimates of units with the joint covariance that pooling and ranking go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.intervals import ShareInterval
from khaosat.stats.taylor import cell_units
from khaosat.stats.variance_function import SamplingVariances, sampling_variances
from khaosat.survey.answers import Level, level_answers, numeric_answers
from khaosat.survey.cells import cells_of, sample_of
from khaosat.survey.covariances import design_covariance, group_means
from khaosat.survey.means import mean
from khaosat.survey.proportions import proportion
from khaosat.survey.result import SurveyResult

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Smooth = Literal["unstable", "all", "none"]

FEW_UNITS = 10
"""A variance from fewer primary units than this is too unstable to stand by itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """The units of a league table.

    Parameters
    ----------
    direct
        Direct estimates, one row a unit.
    sampling
        Variances to pool and rank with.
    covariance
        The same with what units share: correlations by the design, between units whose variance is their own.
    weight
        Sum of the weights behind each estimate.
    """

    direct: SurveyResult
    sampling: SamplingVariances
    covariance: Floats
    weight: Floats

    @property
    def estimate(self) -> Floats:
        """Direct estimates."""
        return self.direct.rows["estimate"].to_numpy(dtype=float)

    @property
    def together(self) -> float:
        """The direct estimate of all units together."""
        there = np.isfinite(self.estimate)
        return float(np.average(self.estimate[there], weights=self.weight[there])) if there.any() else float("nan")

    @property
    def known(self) -> Rows:
        """Units with an estimate and a variance."""
        return np.isfinite(self.estimate) & np.isfinite(self.sampling.variance)


def direct_units(
    survey: Survey,
    variable: str,
    *,
    by: str | Sequence[str],
    at: Level | Sequence[Level] | None,
    where: str | None,
    level: float,
    ci: ShareInterval,
    smooth: Smooth,
) -> Units:
    """Means or shares of the units and their joint covariance."""
    if at is None:
        direct = mean(survey, variable, by=by, where=where, level=level)
        answer = numeric_answers(survey, variable)
        values = np.where(answer.valid, answer.numbers, 0.0)
    else:
        direct = proportion(survey, variable, at=at, by=by, where=where, level=level, ci=ci)
        answer = level_answers(survey, variable)
        counted = list(cast("Sequence[Level]", at)) if pd.api.types.is_list_like(at) else [cast(Level, at)]
        values = answer.among(counted)
    cells = cells_of(survey, by=by, where=where)
    code, weights = np.where(answer.valid, cells.code, -1), survey.arrays.weights
    inside = code >= 0
    size = cells.sum(weights, answer.valid)
    squares = cells.sum(weights**2, answer.valid)
    primary = cell_units(code, n_cells=cells.n, drawn=sample_of(survey))
    sampling = _sampling(
        direct, np.divide(size**2, squares, where=squares > 0, out=np.zeros(cells.n)), primary, smooth, at is not None
    )
    _, influence = group_means(values, weights, group=code, n_groups=cells.n)
    joint = design_covariance(survey, influence, inside=inside) if cells.n else np.zeros((0, 0))
    return Units(direct=direct, sampling=sampling, covariance=_covariance(joint, sampling), weight=size)


def covariate_matrix(covariates: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Covariates of the units in their order, with a constant.

    Raises
    ------
    DataError
        With every fault: units that are not there or there twice, columns that are no numbers or have gaps.
    """
    labels = pd.MultiIndex.from_frame(units) if units.shape[1] > 1 else pd.Index(units.iloc[:, 0])
    faults = [
        say("Covariate {column} is not numeric.", column=name)
        for name in covariates
        if not pd.api.types.is_numeric_dtype(covariates[name])
    ]
    twice = covariates.index[covariates.index.duplicated()].unique()
    if len(twice):
        faults.append(say("Units more than once among the covariates: {units}.", units=", ".join(map(str, twice))))
    absent = [str(label) for label in labels if label not in covariates.index]
    if absent:
        faults.append(say("Units without covariates: {units}.", units=", ".join(absent)))
    if not faults:
        found = covariates.loc[labels].astype(float)
        gaps = [str(label) for label in labels[~np.isfinite(found.to_numpy()).all(axis=1)]]
        if not gaps:
            found.insert(0, "(Intercept)", 1.0)
            return found
        faults.append(say("Units with a covariate missing: {units}.", units=", ".join(gaps)))
    raise DataError("\n".join(faults))


def _sampling(
    direct: SurveyResult, effective_n: Floats, primary: NDArray[np.int64], smooth: Smooth, share: bool
) -> SamplingVariances:
    """Variances of the units that have an estimate; those without variance, and what ``smooth`` asks for, smoothed."""
    estimate, own = (direct.rows[name].to_numpy(dtype=float) for name in ("estimate", "se"))
    variance = own**2
    there = np.isfinite(estimate)
    by_chance = there & (primary > 0)
    none = by_chance & (~np.isfinite(variance) | (primary == 1) | (variance <= 1e-20 * (1 + estimate**2)))
    if smooth == "none":
        variance = np.where(none, np.nan, variance)
        return SamplingVariances(variance=variance, smoothed=np.zeros(len(none), bool), df=_own_df(primary))
    chosen = by_chance if smooth == "all" else none | (by_chance & (primary < FEW_UNITS))
    found = sampling_variances(
        estimate[there], np.where(none, 0.0, variance)[there], effective_n=effective_n[there],
        primary_units=primary[there], smooth=chosen[there], share=share,
    )  # fmt: skip
    spread = {name: np.full(len(there), np.nan) for name in ("variance", "df")}
    smoothed = np.zeros(len(there), dtype=bool)
    spread["variance"][there], spread["df"][there], smoothed[there] = found.variance, found.df, found.smoothed
    return SamplingVariances(variance=spread["variance"], smoothed=smoothed, df=spread["df"])


def _own_df(primary: NDArray[np.int64]) -> Floats:
    return np.where(primary == 0, np.inf, primary - 1.0)


def _covariance(joint: Floats, sampling: SamplingVariances) -> Floats:
    """Covariance with the variances to go on with.

    Few primary units tell nothing of a correlation, so smoothed units have none: what they share with others would
    make differences smaller, as a rule, and is not counted on.
    """
    own = np.sqrt(np.diag(joint))
    use = (own > 0) & ~sampling.smoothed & np.isfinite(sampling.variance)
    inverse = np.divide(1.0, own, where=use, out=np.zeros_like(own))
    sd = np.sqrt(sampling.variance)
    result = joint * np.outer(inverse * np.where(use, sd, 0.0), inverse * np.where(use, sd, 0.0))
    np.fill_diagonal(result, sampling.variance)
    return result
