"""The model behind the drivers of lateness: fitted to counts, effects with errors by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.driver_cells import Factor, model_matrix
from khaosat.stats.binomial import share
from khaosat.stats.grouped_binomial import (
    GroupedFit,
    Link,
    cluster_covariance,
    fit_grouped,
    independent_columns,
    mean_slope,
)
from khaosat.stats.grouped_effects import Block, level_effects
from khaosat.stats.held_out_chances import boosted_chances, skill
from khaosat.stats.intervals import t_interval
from khaosat.stats.p_values import t_p_value

Floats = NDArray[np.float64]

RIDGE = 0.5
"""Penalty used where the data are separated: as if each coefficient came from a normal distribution with variance 2."""
_HELD_OUT = 0.25
_SHOWN = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Driven:
    """A fitted model of lateness.

    Parameters
    ----------
    rows
        One row a level, as :class:`khaosat.dossiers.causes.LatenessDrivers` describes.
    coefficients
        ``term, estimate, se``: of the linear predictor.
    clusters
        Units whose dossiers may be alike.
    ridge
        The penalty, 0 where none was needed.
    cells
        Rows of the fit.
    """

    rows: pd.DataFrame
    coefficients: pd.DataFrame
    clusters: int
    ridge: float
    cells: int


def drive(cells: pd.DataFrame, factors: Sequence[Factor], *, link: Link, level: float, quarters: int) -> Driven:
    """Fit lateness on the factors and say what goes with each level."""
    kinds, kind = np.unique(np.column_stack([factor.code for factor in factors]), axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    late, total = (_sums(kind, cells[name].to_numpy(float)) for name in ("late", "n"))
    shape = [Factor(name=f.name, levels=f.levels, code=kinds[:, j], pooled=f.pooled) for j, f in enumerate(factors)]
    x, places = model_matrix(shape)
    kept = independent_columns(x, total)
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    places = [[-1 if column < 0 else int(new[column]) for column in columns] for columns in places]
    x, fit, ridge = x[:, kept], *_fit(late, total, x[:, kept], link)
    unit = pd.factorize(cells["responsible_unit"], use_na_sentinel=False)[0]
    by_unit = _covariance(cells, fit, x, kind, unit)
    # An effect of one unit cannot have its error from differences between units: from its quarters instead.
    by_quarter = _covariance(
        cells,
        fit,
        x,
        kind,
        pd.factorize(cells["quarter"].astype(str) + "|" + pd.Series(unit, index=cells.index).astype(str))[0],
    )
    rows = [
        _level_row(factor, block, place, x=x, fit=fit, late=late, total=total, link=link,
                   covariance=by_quarter if factor.name == "responsible_unit" else by_unit, quarters=quarters)
        for factor, block in ((f, Block(code=f.code, columns=c)) for f, c in zip(shape, places, strict=True))
        for place in range(len(factor.levels))
    ]  # fmt: skip
    clusters = int(unit.max()) + 1
    return Driven(
        rows=_finished(pd.DataFrame(rows), df=clusters - 1, level=level),
        coefficients=pd.DataFrame({"term": _terms(shape, places), "estimate": fit.coef,
                                   "se": np.sqrt(np.diagonal(by_unit))}),
        clusters=clusters, ridge=ridge, cells=len(kinds),
    )  # fmt: skip


def held_out(cells: pd.DataFrame, factors: Sequence[Factor], *, link: Link) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both models fitted to earlier quarters and asked about later ones: their skill, and where they disagree.

    Two empty frames where there are fewer than three quarters, or one side has no late dossier or none in time.
    """
    names = ["model", "auc", "brier", "n", "late", "since"]
    nothing = (
        pd.DataFrame(columns=names),
        pd.DataFrame(columns=["factor", "level", "n", "observed", "logit", "boosted"]),
    )
    sizes = cells.groupby("quarter")["n"].sum().sort_index()
    if len(sizes) < 3:
        return nothing
    after = sizes[::-1].cumsum()[::-1] / sizes.sum()
    since = after.index[(after >= _HELD_OUT) & (np.arange(len(after)) > 0)].max()
    test = (cells["quarter"] >= since).to_numpy()
    late, total = cells["late"].to_numpy(float), cells["n"].to_numpy(float)
    sides = [(late[side].sum(), (total - late)[side].sum()) for side in (test, ~test)]
    if min(min(side) for side in sides) < 1:
        return nothing
    codes = np.column_stack([factor.code for factor in factors])
    kinds, kind = np.unique(codes[~test], axis=0, return_inverse=True)
    learnt = [_sums(kind.reshape(-1), counts[~test]) for counts in (late, total)]
    x = model_matrix(factors)[0]
    kept = independent_columns(x[~test], total[~test])
    fit = _fit(late[~test], total[~test], x[~test][:, kept], link)[0]
    chances = {
        "logit": mean_slope(x[test][:, kept] @ fit.coef, link)[0],
        "boosted": boosted_chances(kinds, *learnt, asked=codes[test]),
        "constant": np.full(int(test.sum()), late[~test].sum() / total[~test].sum()),
    }
    table = [(name, *skill(chance, late[test], total[test]), int(total[test].sum()), int(late[test].sum()), since)
             for name, chance in chances.items()]  # fmt: skip
    return pd.DataFrame(table, columns=names), _disagreements(factors, test, chances, late, total)


def _fit(late: Floats, total: Floats, x: Floats, link: Link) -> tuple[GroupedFit, float]:
    """Without a penalty if that has an answer."""
    try:
        fit = fit_grouped(late, total, x, link=link)
        if fit.converged:
            return fit, 0.0
    except np.linalg.LinAlgError:
        pass
    return fit_grouped(late, total, x, link=link, ridge=RIDGE), RIDGE


def _covariance(
    cells: pd.DataFrame, fit: GroupedFit, x: Floats, kind: NDArray[np.intp], cluster: NDArray[np.intp]
) -> Floats:
    """Sandwich: the scores of the cells as the engine counted them, each by the row of the fit that it belongs to."""
    pull = fit.slope / (fit.fitted * (1 - fit.fitted))
    residual = pull[kind] * (cells["late"].to_numpy(float) - cells["n"].to_numpy(float) * fit.fitted[kind])
    # Only sums over clusters and rows of the fit are needed, so the wide matrix is never built for all cells.
    pair, place = np.unique(np.column_stack([cluster, kind]), axis=0, return_inverse=True)
    sums = np.bincount(place.reshape(-1), weights=residual)
    leverage = x @ fit.inverse
    return cluster_covariance(sums[:, None] * leverage[pair[:, 1]], pair[:, 0])


def _level_row(
    factor: Factor, block: Block, place: int, *, x: Floats, fit: GroupedFit, late: Floats, total: Floats, link: Link,
    covariance: Floats, quarters: int,
) -> dict[str, object]:  # fmt: skip
    there = block.code == place
    n, n_late = float(total[there].sum()), float(late[there].sum())
    row: dict[str, object] = {
        "factor": factor.name, "level": factor.levels[place], "reference": factor.levels[0], "n": int(n),
        "late": int(n_late), "share": float(share(n_late, n)),
    }  # fmt: skip
    if block.columns[place] < 0:
        # The reference, or a level that the others determine: nothing to tell of the second.
        value = 0.0 if place == 0 else np.nan
        return {**row, "estimate": value, "se": np.nan, "late_per_quarter": value, "late_se": np.nan}
    average, excess = level_effects(x, fit, block, place, total=total, link=link)
    return {**row, "estimate": average.value, "se": average.se(covariance),
            "late_per_quarter": excess.value / quarters, "late_se": excess.se(covariance) / quarters}  # fmt: skip


def _finished(rows: pd.DataFrame, *, df: int, level: float) -> pd.DataFrame:
    rows["low"], rows["high"] = t_interval(rows["estimate"], rows["se"], df=df, level=level)
    rows["late_low"], rows["late_high"] = t_interval(rows["late_per_quarter"], rows["late_se"], df=df, level=level)
    rows["df"] = df
    statistic = np.divide(rows["estimate"], rows["se"], where=rows["se"] > 0, out=np.full(len(rows), np.nan))
    rows["p_value"] = t_p_value(statistic, df)
    return rows[["factor", "level", "reference", "estimate", "se", "low", "high", "df", "p_value", "n", "late", "share",
                 "late_per_quarter", "late_low", "late_high"]]  # fmt: skip


def _sums(group: NDArray[np.intp], values: Floats) -> Floats:
    return np.bincount(group, weights=values).astype(np.float64)


def _terms(factors: Sequence[Factor], places: Sequence[Sequence[int]]) -> list[str]:
    names = {0: "(Intercept)"}
    for factor, columns in zip(factors, places, strict=True):
        names |= {
            column: f"{factor.name}={level}"
            for column, level in zip(columns, factor.levels, strict=True)
            if column >= 0
        }
    return [names[place] for place in sorted(names)]


def _disagreements(
    factors: Sequence[Factor], test: NDArray[np.bool_], chances: dict[str, Floats], late: Floats, total: Floats
) -> pd.DataFrame:
    rows = []
    for factor in factors:
        code = factor.code[test]
        for place, name in enumerate(factor.levels):
            weight = np.where(code == place, total[test], 0.0)
            if weight.sum() >= 50:
                mean = {model: float(weight @ chances[model] / weight.sum()) for model in ("logit", "boosted")}
                seen = float(late[test][code == place].sum() / weight.sum())
                rows.append({"factor": factor.name, "level": name, "n": int(weight.sum()), "observed": seen, **mean})
    table = pd.DataFrame(rows, columns=["factor", "level", "n", "observed", "logit", "boosted"])
    apart = (table["logit"] - table["boosted"]).abs()
    return table.iloc[np.argsort(-apart.to_numpy(), kind="stable")].head(_SHOWN).reset_index(drop=True)
