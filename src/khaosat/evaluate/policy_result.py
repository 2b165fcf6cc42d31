"""What is said of a policy: effects, the series behind them, what was checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from khaosat.facts.language import number, percent, say
from khaosat.results import Result
from khaosat.show.table import Column, Table
from khaosat.stats.intervals import t_interval, t_quantile
from khaosat.stats.p_values import t_p_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Method = Literal["its", "did"]
POWER = 0.8


@dataclass(frozen=True, eq=False, kw_only=True)
class PolicyEffect(Result):
    """What changed when a policy began.

    ``rows``: ``effect``, ``estimate`` (a difference of shares, 0.01 = one percentage point, or in the unit of the
    values given; of ``odds_ratio`` a ratio), ``se, low, high, df, n`` (periods, or cells of units and periods),
    ``n_missing`` (those without cases), ``p_value``.

    Parameters
    ----------
    method
        ``its`` or ``did``.
    when
        The day; of staggered adoption the first.
    series
        By ``period`` (and ``group``): ``observed, weight, after, fitted, counterfactual`` with ``low, high``.
    events
        By periods ``since`` adoption (negative: before): ``estimate, se, low, high, df, n``; of ``did``.
    checks
        ``check`` with ``estimate, df, p_value, n``: what was tested about the model, and ``detectable``, the smallest
        mean effect found with a probability of 80%.
    placebos
        ``kind`` (date, unit), ``placebo``, ``estimate, se, low, high, df, n, p_value``: the same where nothing began.
    """

    method: Method
    when: dt.date
    binomial: bool = True
    level: float = 0.95
    series: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: pd.DataFrame = field(default_factory=pd.DataFrame)
    placebos: pd.DataFrame = field(default_factory=pd.DataFrame)

    def table(self) -> Table:
        """The rows as a reader sees them, effects in words and in percentage points."""
        ratio = (self.rows["effect"] == "odds_ratio").to_numpy()
        times = np.where(ratio | (not self.binomial), 1.0, 100.0)
        words = effect_words()
        rows = self.rows.assign(effect=[words[name] for name in self.rows["effect"]])
        rows = rows.assign(**{name: rows[name] * times for name in ("estimate", "low", "high")})
        return super(PolicyEffect, replace(self, rows=rows)).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """The series with what it would have been, or the effects before and after adoption."""
        from khaosat.evaluate.policy_plot import event_study, interrupted_series

        return interrupted_series(self, ax=ax) if self.method == "its" else event_study(self, ax=ax)

    def _columns(self) -> Sequence[Column]:
        ratio = bool((self.rows["estimate"].notna()).any()) and list(self.rows["effect"]) == [
            effect_words()["odds_ratio"]
        ]
        label = say("Change (percentage points)") if self.binomial and not ratio else say("Change")
        decimals = 2 if ratio or not self.binomial else 1
        return [
            Column(name="effect", label=say("What changed")),
            Column(name="estimate", kind="number", decimals=decimals, label=say("Odds ratio") if ratio else label),
            Column(name=("low", "high"), kind="interval", decimals=decimals,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="df", kind="number", decimals=1),
            Column(name="n", kind="int", label=say("Periods") if self.method == "its" else say("Units × periods")),
            Column(name="p_value", kind="p_value", decimals=3),
        ]  # fmt: skip


def effect_words() -> dict[str, str]:
    """What each effect is called."""
    return {
        "level": say("Step at the start"),
        "slope": say("Change of trend per period"),
        "average": say("Mean of all periods after"),
        "end": say("In the last period"),
        "odds_ratio": say("Odds ratio"),
    }


def line(estimate: float, se: float, df: float, *, level: float, n: int, **keys: object) -> dict[str, object]:
    """A row of an estimate with its interval and p-value."""
    low, high = t_interval(estimate, se, df=df, level=level)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = float(t_p_value(np.divide(estimate, se), df))
    return {**keys, "estimate": estimate, "se": se, "low": float(low), "high": float(high), "df": df, "n": n,
            "p_value": p}  # fmt: skip


def checked(checks: pd.DataFrame, name: str, column: str) -> float:
    """A number of one check; NaN if it was not made."""
    found = checks.loc[checks["check"] == name, column].to_numpy(dtype=float)
    return float(found[0]) if len(found) else float("nan")


def detectable(se: float, df: float, *, level: float) -> float:
    """The smallest effect that a test at this level finds with a probability of :data:`POWER`."""
    half = t_quantile(level, df) + t_quantile(2 * POWER - 1, df)
    return float(half * se)


def detectable_words(size: float, *, binomial: bool) -> list[str]:
    """How small an effect could have been seen, as a sentence."""
    if not np.isfinite(size):
        return []
    amount = say("{n} percentage points", n=number(100 * size, 1)) if binomial else number(size, 2)
    return [
        say("Data like these find a mean effect of {size} or more with a probability of {power}; a smaller one can "
            "easily stay unseen.", size=amount, power=percent(POWER, 0))
    ]  # fmt: skip


def cautious_note() -> str:
    """What no such figure can say."""
    return say(
        "This is an association in time under the assumptions named, no proof that the policy caused the change."
    )
