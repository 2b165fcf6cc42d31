"""Which units stand out, when sizes, dossiers and chance are taken into account."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.unit_strata import SMALL_UNITS
from khaosat.stats.funnel import Overdispersion, Spread, binomial_limits, excess_spread, inflation
from khaosat.stats.rank_sets import rank_sets
from khaosat.stats.standardised import GammaPoisson, byar_limits, exact_limits, gamma_poisson, ratio_change

Floats = NDArray[np.float64]

FAR, NEAR = 0.998, 0.95
"""Levels of the outer and inner funnel limits."""
MOSTLY_ALONE = 0.5
"""A unit more of whose dossiers have no like elsewhere is not judged."""
_DRAWS = 1_000


def judged(
    sums: pd.DataFrame, *, by: str, city: float, few: int, limits: str, overdispersion: Overdispersion, level: float
) -> tuple[pd.DataFrame, Spread, GammaPoisson | None]:  # fmt: skip
    """Ratios, limits, pooled ratios and verdicts of units."""
    rows = sums.copy()
    o, e = rows["observed"].to_numpy(float), rows["expected"].to_numpy(float)
    rows["estimate"] = np.divide(o, e, where=e > 0, out=np.full(len(rows), np.nan))
    bounds = (byar_limits if limits == "byar" else exact_limits)(o, level=level)
    rows["low"], rows["high"] = (np.divide(end, e, where=e > 0, out=np.full(len(rows), np.nan)) for end in bounds)
    for name, source in (("rate", "estimate"), ("rate_low", "low"), ("rate_high", "high")):
        rows[name] = np.minimum(rows[source] * city, 1.0)
    rows["size"] = e / city if city > 0 else np.nan
    named = (rows[by] != SMALL_UNITS).to_numpy()
    compared = named & (rows["n"] >= few).to_numpy() & (e > 0) & (rows["alone"] <= MOSTLY_ALONE).to_numpy()
    spread = _limits(rows, compared, city=city, how=overdispersion) if 0 < city < 1 else _no_limits(rows)
    model = gamma_poisson(o[named & (e > 0)], e[named & (e > 0)], level=level)
    for name in ("pooled", "pooled_low", "pooled_high"):
        rows[name] = np.nan
    if model is not None:
        rows.loc[named & (e > 0), ["pooled", "pooled_low", "pooled_high"]] = np.column_stack(
            [model.pooled, model.low, model.high]
        )
    rows["flag"] = _flags(rows, named, few=few, compared=compared)
    return rows, spread, model


def with_ranks(rows: pd.DataFrame, *, city: float, level: float, rng: np.random.Generator) -> pd.DataFrame:
    """Rank 1 for the highest ratio among the judged units, and the ranks that the data allow."""
    names = ["rank", "rank_low", "rank_high"]
    rows = rows.assign(**{name: pd.Series(pd.NA, index=rows.index, dtype="Int64") for name in names})
    some = (~rows["flag"].isin(["small_units", "insufficient", "alone", ""])).to_numpy()
    if some.sum() < 2:
        return rows
    o, e = rows.loc[some, "observed"].to_numpy(float), rows.loc[some, "expected"].to_numpy(float)
    # The square root of a count varies by 1/4 whatever its mean: no late dossier is not certain to be the best.
    stable = (np.sqrt(o) + np.sqrt(o + 1)) / (2 * np.sqrt(e))
    sets = rank_sets(
        stable, np.diag((1 - city) / (4 * e)), df=np.full(len(o), np.inf), level=level, draws=_DRAWS, rng=rng
    )
    for name, values in zip(names, (sets.rank, sets.low, sets.high), strict=True):
        rows.loc[some, name] = values
    return rows


def with_change(rows: pd.DataFrame, before: pd.DataFrame, *, by: str, level: float) -> pd.DataFrame:
    """The ratio of the period before, and by what the ratio has changed, with its exact interval."""
    found = before.set_index(by).reindex(rows[by])
    # Who is small need not be the same units twice.
    found.loc[found.index == SMALL_UNITS, ["observed", "expected"]] = np.nan
    o, e = (found[name].to_numpy(float) for name in ("observed", "expected"))
    known = np.nan_to_num(e) > 0
    rows["previous"] = np.divide(o, e, where=known, out=np.full(len(rows), np.nan))
    change = ratio_change(rows["observed"].to_numpy(float), rows["expected"].to_numpy(float),
                          other_observed=np.nan_to_num(o), other_expected=np.nan_to_num(e), level=level)  # fmt: skip
    rows["change"], rows["change_low"], rows["change_high"] = change
    return rows


def _limits(rows: pd.DataFrame, compared: NDArray[np.bool_], *, city: float, how: Overdispersion) -> Spread:
    size = rows["size"].to_numpy(float)
    variance = city * (1 - city) / np.where(size > 0, size, np.nan)
    rows["z"] = (rows["estimate"] * city - city) / np.sqrt(variance)
    spread = Spread(1.0, 0.0) if how == "none" else excess_spread(rows.loc[compared, "z"], variance[compared])
    wider = inflation(spread, variance, how=how)
    for name, at in (("near", NEAR), ("far", FAR)):
        low, high = limit_lines(city, size, spread, how=how, level=at)
        rows[f"{name}_low"], rows[f"{name}_high"] = low, high
    rows["z"] = rows["z"] / wider
    return spread


def limit_lines(
    city: float, size: Floats, spread: Spread, *, how: Overdispersion, level: float
) -> tuple[Floats, Floats]:
    """Funnel limits of the standardised share by size, widened by what units differ anyway."""
    safe = np.where(np.nan_to_num(size) > 0, size, 1.0)
    low, high = binomial_limits(city, safe, level=level)
    wider = inflation(spread, city * (1 - city) / safe, how=how)
    low, high = (np.clip(city + (end - city) * wider, 0.0, 1.0) for end in (low, high))
    there = np.nan_to_num(size) > 0
    return np.where(there, low, np.nan), np.where(there, high, np.nan)


def _no_limits(rows: pd.DataFrame) -> Spread:
    rows[["z", "near_low", "near_high", "far_low", "far_high"]] = np.nan
    return Spread(1.0, 0.0)


def _flags(rows: pd.DataFrame, named: NDArray[np.bool_], *, few: int, compared: NDArray[np.bool_]) -> list[str]:
    """The verdict on each unit, or why there is none; empty where there is no yardstick."""
    rate = rows["estimate"] * np.where(rows["size"] > 0, rows["expected"] / rows["size"], np.nan)
    inside = [
        ~named,
        (rows["n"] < few).to_numpy(),
        (rows["expected"] <= 0).to_numpy() | rows["near_low"].isna().to_numpy(),
        ~compared,
        (rate > rows["far_high"]).to_numpy(),
        (rate > rows["near_high"]).to_numpy(),
        (rate < rows["far_low"]).to_numpy(),
        (rate < rows["near_low"]).to_numpy(),
    ]
    words = ["small_units", "insufficient", "", "alone", "far_above", "above", "far_below", "below"]
    return [str(word) for word in np.select(inside, words, "usual")]
