"""Learning lateness from snapshots: what helps in later dossiers, how good the chances are, when they drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.risk_past import PAST
from khaosat.dossiers.snapshots import SITUATION, TEXTS, numbers
from khaosat.stats.censored_bands import Bands, residual_bands
from khaosat.stats.forecast_checks import auc, brier, ece, precision_at, stability_index
from khaosat.stats.risk_model import UNCHANGED, RiskModel, fit_risk, rescaled

Floats = NDArray[np.float64]

LEAST_KIND = 20
"""So many late and so many timely dossiers are needed to tell dossiers apart."""
LEAST_LATER = 50
"""So many of each kind open in the last part of the term are needed to learn from these alone."""
LEAST_KNOWN = 30
"""So many dossiers whose outcome is known are needed to state a chance at all."""
CAPACITY = 0.1
"""Share of dossiers that precision is about unless the office says how many it can look after."""
RECENT_DAYS = 92
AT_RECEPTION = ("procedure", "field", "unit", "receiving_unit", "channel", "applicant_type")
"""Categories of the dossier itself, which the log states without a time."""
_TIME = 50
_LATE = 70
"""From this share of the term (percent) on, what the dossiers that were open so late say counts one half by itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Risk:
    """A fitted chance of being late; without ``model`` the overall share.

    Parameters
    ----------
    dropped
        Features that did not help in later dossiers.
    later
        The same model taught on the last part of the term alone; None where too few were open then.
    scaling
        By which log odds are shifted and stretched to keep their word (:func:`khaosat.stats.risk_model.recalibration`).
    """

    model: RiskModel | None
    base: float
    dropped: tuple[str, ...] = ()
    later: RiskModel | None = None
    scaling: tuple[float, float] = UNCHANGED

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Chance of each snapshot."""
        if self.model is None:
            return np.full(len(frame), self.base)
        x, texts = self.features(frame), frame[list(TEXTS)]
        chance = self.model.predict(x, texts)
        late = (x["share"] >= _LATE / 100).to_numpy(bool)
        if self.later is not None and late.any():
            chance[late] = (chance[late] + self.later.predict(x[late], texts[late])) / 2
        return rescaled(chance, self.scaling)

    def scaled(self, scaling: tuple[float, float]) -> Risk:
        """The same with chances recalibrated."""
        return replace(self, scaling=scaling)

    def features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The numbers that the model uses."""
        return numbers(frame).drop(columns=list(self.dropped))


def taught(frame: pd.DataFrame, dropped: tuple[str, ...], *, seen: pd.DataFrame) -> Risk:
    """Fit on snapshots whose outcome is known, of all that were ``seen`` by then.

    With too few late or timely dossiers the chance is the overall share.
    """
    known = learnable(frame)
    cases = known.drop_duplicates("nth")
    late, n = int(cases["is_late"].sum()), len(cases)
    if min(late, n - late) < LEAST_KIND:
        return Risk(model=None, base=(late + 0.5) / (n + 1) if n >= LEAST_KNOWN else np.nan)
    x, texts = numbers(known).drop(columns=list(dropped)), recorded_in_time(known, seen)
    last = (known["percent"] >= _LATE).to_numpy(bool)
    kinds = known[last].drop_duplicates("nth")["is_late"].value_counts()
    later = _fitted(known[last], x[last], texts[last]) if len(kinds) == 2 and kinds.min() >= LEAST_LATER else None
    return Risk(model=_fitted(known, x, texts), base=float(known["is_late"].mean()), dropped=dropped, later=later)


def _fitted(known: pd.DataFrame, x: pd.DataFrame, texts: pd.DataFrame) -> RiskModel:
    # Few dossiers are still open late in their term: alike, they would have no say among the many early ones.
    weight = known.groupby("percent")["nth"].transform("size").to_numpy(float) ** -0.5
    event, case = known["is_late"].to_numpy(float), known["nth"].to_numpy("int64")
    return fit_risk(x, texts, event=event, case=case, weight=weight / weight.mean())


def recorded_in_time(known: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Categories to learn from: what was filled in afterwards is missing.

    A field that is recorded of less than half as many dossiers of a time (50 receptions) as it is at best (ninth decile
    of such times) was not in use then: of those dossiers it is known because they were still open when it came into
    use, which tells that they are late.
    """
    texts = known[list(TEXTS)].copy()
    cases = seen.drop_duplicates("nth").sort_values("nth")
    time = np.arange(len(cases)) // _TIME
    of_case = pd.Series(time, index=cases["nth"])
    for name in AT_RECEPTION:
        share = cases[name].notna().groupby(time).mean()
        usual = float(np.quantile(share.to_numpy(float), 0.9)) if len(share) else 0.0
        texts[name] = texts[name].mask(known["nth"].map(of_case).map(share).to_numpy(float) < usual / 2)
    return texts


def better(after: pd.DataFrame, new: Floats, old: Floats) -> bool:
    """Whether the Brier score falls by more than two standard errors over dossiers.

    Each snapshot counts alike: late dossiers are looked at more often than timely ones, and to count each dossier once
    would take from the late ones their weight at the shares of the term at which both are still open.
    """
    mean, se = by_dossier((after["is_late"] - old) ** 2 - (after["is_late"] - new) ** 2, after["nth"])
    return mean > 2 * se


def by_dossier(value: pd.Series, nth: pd.Series) -> tuple[float, float]:
    """Mean over snapshots and its standard error, snapshots of a dossier not being independent (linearised ratio)."""
    grouped = value.groupby(nth)
    sums, sizes = grouped.sum(), grouped.size()
    if len(sums) < 2:  # one dossier has no spread, and a share of no spread is no proof of none
        return float(value.mean()) if len(value) else np.nan, np.nan
    mean = float(sums.sum() / sizes.sum())
    rest = (sums - mean * sizes).to_numpy(float)
    return mean, float(np.sqrt(len(rest) / (len(rest) - 1) * (rest**2).sum()) / sizes.sum())


def quality(
    known: pd.DataFrame, *, cut: float, percents: Sequence[int], known_only: bool, capacity: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of quality by elapsed share (the last: all together), and the scored test snapshots.

    The constant that chances are held against is the share late of the first part; with ``known_only`` of those due
    before the first test dossier came in.
    """
    first = known["received_second"] < cut
    train, test = known[first], known[~first & known["percent"].isin(percents)]
    learnt = train[train["due_second"] < cut] if known_only else train
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
    mean, se = by_dossier(lately["is_late"] - lately["chance"], lately["nth"])
    before = test.drop(index=lately.index)["chance"].dropna().to_numpy(float)
    moved = stability_index(before, lately["chance"].to_numpy(float))
    return pd.DataFrame({
        "measure": ["late_minus_expected", "stability_index"],
        "estimate": [mean, moved],
        "low": [mean - 1.96 * se, np.nan],
        "high": [mean + 1.96 * se, np.nan],
        "limit": [0.05, 0.25],
        "n": [lately["nth"].nunique(), len(lately)],
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
    names = tuple(name for name in numbers(learn.head(1)).columns if name not in (*SITUATION, *PAST))
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


def learnable(frame: pd.DataFrame) -> pd.DataFrame:
    """Snapshots within the term whose outcome is known."""
    return frame[frame["is_late"].notna() & (frame["percent"] >= 0) & (frame["percent"] < 100)]


def both_kinds(frame: pd.DataFrame) -> bool:
    """Whether there are late and timely ones."""
    return bool(len(frame)) and bool(0 < frame["is_late"].mean() < 1)
