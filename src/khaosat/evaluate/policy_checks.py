"""What is checked about differences in differences: errors for few units, trends before, placebos, permutations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from khaosat.evaluate.policy_cells import Cells
from khaosat.evaluate.policy_result import checked, detectable, line
from khaosat.facts.language import number, say
from khaosat.stats.imputation import Bools, Errors, Estimate, Imputed, Panel, impute, pretrend
from khaosat.stats.intervals import t_quantile
from khaosat.stats.wald import wald_test

Robust = Literal["auto", "unit", "dispersion"]

FEW_UNITS = 10
"""Below so many treated or other units errors by unit are too small; a permutation is reported beside them."""
_MOST_LEADS = 6
_LEAST_BEFORE = 3
_MOST_PLACEBO_UNITS = 40


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """The panel with names for its codes."""

    panel: Panel
    units: tuple[object, ...]
    first: int
    cells: Cells


def few_units(panel: Panel) -> bool:
    """Whether treated units, or others, are too few for errors by unit to be trusted."""
    ever = np.isfinite(panel.adopted)
    return bool(ever.sum() < FEW_UNITS or 0 < (~ever).sum() < FEW_UNITS)


def ways(panel: Panel, errors: Robust) -> tuple[Errors, ...]:
    """``auto``: by unit, and where units are few by dispersion as well."""
    if errors != "auto":
        return (errors,)
    return ("unit", "dispersion") if few_units(panel) else ("unit",)


def widest(found: Sequence[Estimate], *, level: float) -> Estimate:
    """The estimate with the widest interval; one without an interval only if none has one."""
    widths = [float(t_quantile(level, df) * se) if np.isfinite(se) else -1.0 for _, se, df in found]
    return found[int(np.argmax(widths))]


def average(fitted: Imputed, cells: Bools, *, errors: Robust, level: float) -> Estimate:
    """Mean effect in some treated cells, with the errors asked for."""
    return widest([fitted.average(cells, errors=one) for one in ways(fitted.panel, errors)], level=level)


def _leads(panel: Panel, leads: int | None, errors: Errors) -> int:
    """How many periods before adoption can be told from earlier ones."""
    ever = np.isfinite(panel.adopted)
    untreated = panel.since[~panel.treated & ever[panel.unit]]
    if not len(untreated):
        return 0
    most = int(-untreated.min()) - 1
    if errors == "unit":  # a joint test needs more units than leads
        present = np.unique(panel.unit)
        most = min(most, int(ever[present].sum()) - 1, *([int((~ever)[present].sum()) - 1] if (~ever).any() else []))
    return max(min(most, _MOST_LEADS if leads is None else leads), 0)


def _pretrend(panel: Panel, leads: int | None, errors: Robust) -> tuple[int, np.ndarray, np.ndarray, float]:
    way = ways(panel, errors)[-1]
    k = _leads(panel, leads, way)
    while k > 0:
        try:
            return k, *pretrend(panel, k, errors=way)
        except ValueError:
            k -= 1
    return 0, np.zeros(0), np.zeros((0, 0)), float("nan")


def event_rows(fitted: Imputed, *, errors: Robust, leads: int | None, level: float) -> pd.DataFrame:
    """Effects by periods since adoption: before it from the test of trends, from it on by imputation."""
    panel = fitted.panel
    since = panel.since
    k, coef, cov, df = _pretrend(panel, leads, errors)
    lines = [
        line(float(coef[j]), float(cov[j, j]) ** 0.5, df, level=level, n=int((since == j - k).sum()), since=j - k)
        for j in range(k)
    ]
    for time in np.unique(since[fitted.known]):
        cells = since == time
        found = average(fitted, cells, errors=errors, level=level)
        lines.append(line(*found, level=level, n=int((cells & fitted.known).sum()), since=int(time)))
    return pd.DataFrame(lines, columns=["since", "estimate", "se", "low", "high", "df", "n", "p_value"])


def check_rows(
    setting: Setting, mean: tuple[float, float, float], *, leads: int | None, errors: Robust, level: float,
    permutations: int, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """The joint test of trends before, the smallest effect that would be found, and with few units a permutation."""
    panel = setting.panel
    k, coef, cov, df = _pretrend(panel, leads, errors)
    usable = k > 0 and np.isfinite(cov).all() and np.linalg.matrix_rank(cov) == k
    statistic, _, df2, p = wald_test(coef, cov, df=df) if usable else (float("nan"),) * 4
    lines = [
        {"check": "pretrend", "estimate": statistic, "df": df2, "p_value": p, "n": k},
        {"check": "detectable", "estimate": detectable(mean[1], mean[2], level=level), "df": mean[2],
         "p_value": float("nan"), "n": len(panel.y)},
    ]  # fmt: skip
    if permutations and few_units(panel):
        p, n = _permuted(panel, mean[0], times=permutations, rng=rng)
        lines.append({"check": "permutation", "estimate": mean[0], "df": float("nan"), "p_value": p, "n": n})
    return pd.DataFrame(lines)


def _permuted(panel: Panel, estimate: float, *, times: int, rng: np.random.Generator) -> tuple[float, int]:
    """How often adoption dealt out to units at random gives an effect as large: p and how many deals told."""
    larger, told = 0, 0
    if (np.isfinite(panel.adopted)).all() and len(np.unique(panel.adopted)) == 1:
        return float("nan"), 0
    for _ in range(times):
        dealt = replace(panel, adopted=rng.permutation(panel.adopted))
        found = impute(dealt)
        weights = panel.weights * found.known
        if not weights.sum() > 0:
            continue
        told += 1
        effect = float(np.average(np.where(found.known, found.effect, 0.0), weights=weights))
        larger += abs(effect) >= abs(estimate) * (1 - 1e-9)
    return ((1 + larger) / (1 + told), told) if told else (float("nan"), 0)


def placebo_dates(setting: Setting, *, errors: Robust, level: float) -> pd.DataFrame:
    """Adoption some periods too early, judged by what came before adoption only."""
    panel, lines = setting.panel, []
    reached = (panel.adopted > 0) & (panel.adopted <= panel.period.max())
    first = int(panel.adopted[reached].min())
    before = panel.keep(~panel.treated & (panel.period < int(panel.adopted[reached].max())))
    for early in range(_LEAST_BEFORE, first - _LEAST_BEFORE + 1):
        moved = replace(before, adopted=np.where(reached, panel.adopted - early, np.inf))
        fitted = impute(moved)
        found = average(fitted, moved.treated, errors=errors, level=level)
        name = setting.cells.name(setting.first + first - early)
        lines.append(line(*found, level=level, n=len(before.y), kind="date", placebo=name))
    return _placebo_frame(lines)


def placebo_units(setting: Setting, *, errors: Robust, level: float) -> pd.DataFrame:
    """Each unit that never adopted as if it had, against the others that never did."""
    panel = setting.panel
    never = np.flatnonzero(~np.isfinite(panel.adopted))
    if not 3 <= len(never) <= _MOST_PLACEBO_UNITS:
        return _placebo_frame([])
    start = float(panel.adopted[panel.adopted > 0].min())
    others = panel.keep(np.isin(panel.unit, never))
    lines = []
    for unit in never:
        adopted = np.where(np.arange(len(panel.adopted)) == unit, start, np.inf)
        moved = replace(others, adopted=adopted)
        # One treated unit has no variation between treated units: its error can only come from dispersion.
        found = impute(moved).average(moved.treated, errors="dispersion")
        lines.append(line(*found, level=level, n=len(others.y), kind="unit", placebo=str(setting.units[unit])))
    return _placebo_frame(lines)


def _placebo_frame(lines: Sequence[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=["kind", "placebo", "estimate", "se", "low", "high", "df", "n", "p_value"])


def check_words(checks: pd.DataFrame) -> list[str]:
    """What the checks found, in sentences."""
    notes = []
    p, k = checked(checks, "pretrend", "p_value"), checked(checks, "pretrend", "n")
    if np.isfinite(p):
        words = ("Trends before ({n} periods, joint test): p = {p}; a large p-value does not show that they are "
                 "parallel.")  # fmt: skip
        if p < 0.05:
            words = "Trends before ({n} periods, joint test): p = {p}; they differ, so the effect is in doubt."
        notes.append(say(words, n=int(k), p=number(p, 3)))
    else:
        notes.append(say("Trends before cannot be tested: too few units or periods."))
    dealt = checked(checks, "permutation", "p_value")
    if np.isfinite(dealt):
        notes.append(
            say("Permutation of the dates over units ({n} times): p = {p}.", n=int(checked(checks, "permutation", "n")),
                p=number(dealt, 3))
        )  # fmt: skip
    return notes
