"""Units pooled with each other: the area-level model of a league table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.stats.small_area import AreaMethod, Benchmark, FayHerriot, benchmarked, fay_herriot
from khaosat.survey.league_units import Units

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

_SPARE = 3
"""Units needed beyond the coefficients: with fewer, pooling does worse than the direct estimates (James-Stein)."""
_ROUGH = 10
"""With fewer spare units than this the mean squared errors are rough."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool:
    """Units and how they are pooled.

    Parameters
    ----------
    units
        Direct estimates and their variances.
    covariates
        With a constant, one row a unit; None: a constant only.
    method, benchmark, level
        As in :func:`khaosat.survey.league_table`.
    """

    units: Units
    covariates: pd.DataFrame | None
    method: AreaMethod
    benchmark: Benchmark
    level: float

    @cached_property
    def model(self) -> FayHerriot | None:
        """The model, fitted to the units that have a sampling error; None where they are too few."""
        matrix = self._matrix
        if self._used.sum() < matrix.shape[1] + _SPARE:
            return None
        if np.linalg.matrix_rank(matrix[self._used]) < matrix.shape[1]:
            raise DataError(say("The covariates follow from each other: leave one out."))
        return fay_herriot(
            self.units.estimate[self._used],
            self.units.sampling.variance[self._used],
            covariates=matrix[self._used],
            method=self.method,
        )

    @cached_property
    def columns(self) -> dict[str, Floats]:
        """Columns of the pooled estimates; a unit counted in full keeps its own."""
        units, model, used = self.units, self.model, self._used
        names = ("synthetic", "pooled", "pooled_se", "pooled_low", "pooled_high", "shrinkage", "benchmarked")
        columns = {name: np.full(len(used), np.nan) for name in names}
        if model is None:
            return columns
        columns["synthetic"] = np.where(units.known, self._matrix @ model.coefficients, np.nan)
        exact = units.known & ~used
        for name, fitted, whole in (
            ("pooled", model.pooled, units.estimate[exact]),
            ("pooled_se", np.sqrt(model.mse), 0.0),
            ("shrinkage", model.shrinkage, 1.0),
        ):
            columns[name][used], columns[name][exact] = fitted, whole
        middle, se = columns["pooled"], columns["pooled_se"]
        columns["pooled_low"], columns["pooled_high"] = (
            share_interval(middle, se, df=np.inf, n=np.inf, level=self.level)
            if self._share
            else t_interval(middle, se, df=np.inf, level=self.level)
        )
        known = units.known
        columns["benchmarked"][known] = benchmarked(
            middle[known], units.estimate[known], weights=units.weight[known], method=self.benchmark
        )
        return columns

    @property
    def fit(self) -> pd.DataFrame:
        """One row: ``method, between_variance, units, together``."""
        between, n = (np.nan, 0) if self.model is None else (self.model.between, len(self.model.pooled))
        row = {"method": self.method, "between_variance": between, "units": n, "together": self.units.together}
        return pd.DataFrame([row])

    @property
    def coefficients(self) -> pd.DataFrame:
        """``term, estimate, se`` of the constant and the covariates."""
        if self.model is None:
            return pd.DataFrame(columns=["term", "estimate", "se"])
        terms = ["(Intercept)"] if self.covariates is None else list(self.covariates.columns)
        se = np.sqrt(np.diag(self.model.covariance))
        return pd.DataFrame({"term": terms, "estimate": self.model.coefficients, "se": se})

    def words(self) -> Iterator[str]:
        """What was done, and how far it can be trusted."""
        model, share = self.model, self._share
        if model is None:
            yield say("Too few units to pool their estimates.")
            return
        spread = np.sqrt(model.between)
        yield say(
            "Pooled estimates: Fay–Herriot model, variance between units by {method}; units differ by {spread} "
            "(standard deviation). The less a unit's own sample tells, the more its pooled estimate leans on others.",
            method={"reml": "REML", "ml": "ML", "fh": "Fay–Herriot", "prasad_rao": "Prasad–Rao"}[self.method],
            spread=say("{n} percentage points", n=number(100 * spread, 1)) if share else number(spread, 2),
        )  # fmt: skip
        if model.between == 0:
            yield say(
                "Units differ no more than by the chance of sampling: pooled estimates lean on the others only, and "
                "their standard errors are rough."
            )
        if len(model.pooled) - len(model.coefficients) < _ROUGH:
            yield say("Pooled from {n} units only: standard errors of pooled estimates are rough.", n=len(model.pooled))
        yield say(
            "Benchmarked estimates add up to the direct estimate of all units together ({method}).",
            method=say("all times one factor") if self.benchmark == "ratio" else say("all plus one amount"),
        )
        given = np.concatenate([self.columns["pooled"], self.columns["benchmarked"]])
        outside = int(((given < 0) | (given > 1)).sum())
        if share and outside:
            yield say("{n} pooled or benchmarked shares lie outside 0–100%: the model does not fit.", n=outside)

    @property
    def _used(self) -> Rows:
        return self.units.known & (self.units.sampling.variance > 0)

    @property
    def _matrix(self) -> Floats:
        if self.covariates is None:
            return np.ones((len(self.units.weight), 1))
        return self.covariates.to_numpy(dtype=float)

    @property
    def _share(self) -> bool:
        return self.units.direct.unit == "share"
