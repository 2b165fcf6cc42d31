"""Learning lateness from snapshots: what helps in later dossiers, how good the chances are, when they drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.snapshots import SITUATION, TEXTS, numbers
from khaosat.stats.censored_bands import Bands, residual_bands
from khaosat.stats.forecast_checks import auc, brier, ece, precision_at, stability_index
from khaosat.stats.risk_model import RiskModel, fit_risk, platt_scaling, rescaled

Floats = NDArray[np.float64]

LEAST_KIND = 20
"""So many late and so many timely dossiers are needed to tell dossiers apart."""
LEAST_KNOWN = 30
"""So many dossiers whose outcome is known are needed to state a chance at all."""
CAPACITY = 0.1
"""Share of dossiers that precision is about unless the office says how many it can look after."""
RECENT_DAYS = 92
_HELD_OUT = 0.8


@dataclass(frozen=True, eq=False, kw_only=True)
class Risk:
    """A fitted chance of being late; without ``model`` the overall share.

    Parameters
    ----------
    dropped
        Features that did not help in later dossiers.
    platt
        Shift and slope of the log odds by which chances keep their word in later dossiers; (0, 1) changes nothing.
    """

    model: RiskModel | None
    base: float
    dropped: tuple[str, ...] = ()
    platt: tuple[float, float] = (0.0, 1.0)

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Chance of each snapshot."""
        if self.model is None:
            return np.full(len(frame), self.base)
        return rescaled(self.model.predict(self.features(frame), frame[list(TEXTS)]), self.platt)

    def features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The numbers that the model uses."""
        return numbers(frame).drop(columns=list(self.dropped))


def fit(frame: pd.DataFrame) -> Risk:
    """Fit on snapshots whose outcome is known.

    What a model of the earlier dossiers says of the last fifth decides: load and season enter, and the chances are
    recalibrated (Platt), if the Brier score there falls by more than two standard errors (over dossiers).
    """
    known = _learnable(frame)
    cases = known.drop_duplicates("nth")
    late, n = int(cases["is_late"].sum()), len(cases)
    if min(late, n - late) < LEAST_KIND:
        return Risk(model=None, base=(late + 0.5) / (n + 1) if n >= LEAST_KNOWN else np.nan)
    cut = cases["received_second"].quantile(_HELD_OUT)
    before, after = known[known["due_second"] < cut], known[known["received_second"] >= cut]
    dropped: tuple[str, ...] = SITUATION
    platt = (0.0, 1.0)
    if _both_kinds(before) and _both_kinds(after):
        chance, full = (_fitted(before, names).predict(after) for names in (SITUATION, ()))
        if _better(after, full, chance):
            dropped, chance = (), full
        found = platt_scaling(after["is_late"].to_numpy(float), chance)
        if _better(after, rescaled(chance, found), chance):
            platt = found
    return replace(_fitted(known, dropped), platt=platt)


def _better(after: pd.DataFrame, new: Floats, old: Floats) -> bool:
    """Whether the Brier score falls by more than two standard errors over dossiers."""
    gain = ((after["is_late"] - old) ** 2 - (after["is_late"] - new) ** 2).groupby(after["nth"]).mean()
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


def back_test(
    frame: pd.DataFrame, *, percents: Sequence[int], split: float, known_only: bool, capacity: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of quality by elapsed share (the last: all together), and the scored test snapshots with their ``chance``.

    Dossiers are split at the quantile ``split`` of their reception. With ``known_only`` the model learns from those due
    before the split alone, else from all of the first part, whose outcome may have become known later.
    """
    known = _learnable(frame)
    cases = known[known["percent"] == 0]
    cut = cases["received_second"].quantile(split) if len(cases) else 0
    first = known["received_second"] < cut
    train, test = known[first], known[~first & known["percent"].isin(percents)]
    learnt = train[train["due_second"] < cut] if known_only else train
    chance = fit(learnt).predict(test) if len(test) else np.empty(0)
    test = test.assign(chance=chance)
    rows = []
    for percent in (*percents, None):
        part = test if percent is None else test[test["percent"] == percent]
        base = learnt if percent is None else learnt[learnt["percent"] == percent]
        n_train = len(train if percent is None else train[train["percent"] == percent])
        rows.append({"elapsed": np.nan if percent is None else percent / 100, "n_train": n_train, "n_test": len(part),
                     **_quality(part, base, capacity)})  # fmt: skip
    return pd.DataFrame(rows), test


def _quality(part: pd.DataFrame, base: pd.DataFrame, capacity: int | None) -> dict[str, float]:
    event, chance = part["is_late"].to_numpy(float), part["chance"].to_numpy(float)
    if not len(part) or np.isnan(chance).any():
        names = ("late", "auc", "brier", "brier_base", "ece", "precision_top")
        return {**dict.fromkeys(names, np.nan), "late": float(event.mean()) if len(part) else np.nan}
    shares = base.groupby("percent")["is_late"].mean()
    constant = part["percent"].map(shares).fillna(base["is_late"].mean()).to_numpy(float)
    top = capacity or max(1, round(CAPACITY * len(part)))
    return {
        "late": float(event.mean()), "auc": auc(event, chance), "brier": brier(event, chance),
        "brier_base": brier(event, constant), "ece": ece(event, chance),
        "precision_top": precision_at(event, chance, top=top),
    }  # fmt: skip


def drift(test: pd.DataFrame, *, now: int) -> pd.DataFrame:
    """``measure, estimate, low, high, limit, n, refit``: late against expected lately, and how the chances moved."""
    last = test["due_second"].max() if len(test) else now
    lately = test[test["due_second"] >= min(last, now) - RECENT_DAYS * 86400].dropna(subset=["chance"])
    gap = (lately["is_late"] - lately["chance"]).groupby(lately["nth"]).mean()
    # One dossier has no spread, and a share of no spread is no proof of none.
    se = float(gap.std() / np.sqrt(len(gap))) if len(gap) > 1 else np.nan
    mean = float(gap.mean()) if len(gap) else np.nan
    before = test.drop(index=lately.index)["chance"].dropna().to_numpy(float)
    moved = stability_index(before, lately["chance"].to_numpy(float))
    return pd.DataFrame({
        "measure": ["late_minus_expected", "stability_index"],
        "estimate": [mean, moved],
        "low": [mean - 1.96 * se, np.nan],
        "high": [mean + 1.96 * se, np.nan],
        "limit": [0.05, 0.25],
        "n": [len(gap), len(lately)],
        "refit": [abs(mean) > max(0.05, 1.96 * se), moved > 0.25],
    })  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Finish:
    """Predicts working days to the end with a band by unit; made by :func:`fit_finish`."""

    trees: Any
    names: tuple[str, ...]
    bands: Bands

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Working days to come: one column a probability of the bands; infinite where the log does not reach so far."""
        centre = _log_days(self.trees, numbers(frame)[list(self.names)])
        return np.asarray(np.expm1(np.maximum(centre[:, None] + self.bands.of(_units(frame)), 0)))


def fit_finish(frame: pd.DataFrame, *, probs: Sequence[float]) -> Finish | None:
    """Learn from three dossiers of four, calibrate on the fourth with those still open; None with too few of them."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    ended = frame["closed_second"].notna()
    days = frame["closed_days"].where(ended, frame["seen_days"])
    known = frame[days.notna()]
    apart = pd.Series(pd.factorize(known["nth"])[0] % 4 == 3, index=known.index)
    learn = known[~apart & ended[known.index]]
    if learn["nth"].nunique() < LEAST_KNOWN or known[apart & ended[known.index]]["nth"].nunique() < LEAST_KNOWN:
        return None
    names = tuple(name for name in numbers(learn.head(1)).columns if name not in SITUATION)
    trees = HistGradientBoostingRegressor(
        max_iter=80, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=40, early_stopping=False, random_state=0
    )
    with threadpool_limits(1):
        trees.fit(numbers(learn)[list(names)], np.log1p(days[learn.index].clip(lower=0)))
    rest = known[apart]
    residual = np.log1p(days[rest.index].clip(lower=0)).to_numpy(float) - _log_days(trees, numbers(rest)[list(names)])
    bands = residual_bands(residual, ended[rest.index].to_numpy(bool), _units(rest), probs=probs)
    return Finish(trees=trees, names=names, bands=bands)


def _units(frame: pd.DataFrame) -> list[object]:
    """The group of the bands: the unit, and overdue dossiers apart, whose ends are another matter."""
    late = np.where(frame["at_second"] >= frame["due_second"], "late", "timely")
    return list(zip(frame["unit"].fillna(""), late, strict=True))


def _log_days(trees: Any, x: pd.DataFrame) -> Floats:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.asarray(trees.predict(x), dtype=np.float64) if len(x) else np.empty(0)


def _learnable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["is_late"].notna() & (frame["percent"] >= 0) & (frame["percent"] < 100)]


def _both_kinds(frame: pd.DataFrame) -> bool:
    return bool(len(frame)) and 0 < frame["is_late"].mean() < 1


def _fitted(known: pd.DataFrame, dropped: tuple[str, ...]) -> Risk:
    event = known["is_late"].to_numpy(float)
    x = numbers(known).drop(columns=list(dropped))
    model = fit_risk(x, known[list(TEXTS)], event=event, case=known["nth"].to_numpy("int64"))
    return Risk(model=model, base=float(event.mean()), dropped=dropped)
