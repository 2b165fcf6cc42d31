"""Difference in differences: units that a policy reached against those that it did not reach, or not yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from khaosat.errors import DataError, KhaosatError
from khaosat.evaluate.policy_cells import Cells
from khaosat.evaluate.policy_checks import (
    Robust,
    Setting,
    average,
    check_rows,
    check_words,
    event_rows,
    few_units,
    placebo_dates,
    placebo_units,
    ways,
    widest,
)
from khaosat.evaluate.policy_its import placebo_words
from khaosat.evaluate.policy_result import PolicyEffect, cautious_note, checked, detectable_words, line
from khaosat.facts.language import say
from khaosat.stats.imputation import Imputed, Panel, impute
from khaosat.stats.intervals import t_interval
from khaosat.stats.odds_panel import log_odds_ratio

Scale = Literal["share", "odds"]


def differences(
    cells: Cells, days: Mapping[object, dt.date], *, gap: int, scale: Scale, errors: Robust, leads: int | None,
    level: float, permutations: int, rng: np.random.Generator,
) -> PolicyEffect:  # fmt: skip
    """Effects in units by the day on which each adopted the policy; units without a day never did."""
    if scale not in get_args(Scale) or errors not in get_args(Robust):
        raise KhaosatError("scale must be share or odds; errors auto, unit or dispersion")
    if scale == "odds" and not cells.binomial:
        raise DataError(say("An odds ratio needs counts: numerator and denominator."))
    setting = _setting(cells, days)
    panel = setting.panel
    since = panel.since
    if gap:
        setting = replace(setting, panel=panel.keep((since < 0) | (since >= gap)))
        panel = setting.panel
    fitted = impute(panel)
    rows, notes = _rows(fitted, scale=scale, errors=errors, level=level)
    events = event_rows(fitted, errors=errors, leads=leads, level=level)
    mean = average(fitted, panel.treated, errors=errors, level=level)
    checks = check_rows(setting, mean, leads=leads, errors=errors, level=level, permutations=permutations, rng=rng)
    placebos = pd.concat([placebo_dates(setting, errors=errors, level=level),
                          placebo_units(setting, errors=errors, level=level)], ignore_index=True)  # fmt: skip
    size = checked(checks, "detectable", "estimate")
    all_notes = [
        *cells.notes, *_assumed(setting, fitted, gap=gap, errors=errors), *notes, *check_words(checks),
        *placebo_words(placebos), *detectable_words(size, binomial=cells.binomial), cautious_note(),
    ]  # fmt: skip
    return PolicyEffect(
        rows=rows.assign(n_missing=cells.empty)[
            ["effect", "estimate", "se", "low", "high", "df", "n", "n_missing", "p_value"]
        ],
        title="", notes=tuple(all_notes), method="did", when=min(days.values()), binomial=cells.binomial, level=level,
        series=_series(setting, fitted), events=events, checks=checks, placebos=placebos, source=cells.source,
        unit="share" if cells.binomial else "score",
    )  # fmt: skip


def _setting(cells: Cells, days: Mapping[object, dt.date]) -> Setting:
    frame = cells.frame
    units = tuple(pd.unique(frame["unit"]))
    unknown = [str(unit) for unit in days if unit not in set(units)]
    if unknown:
        raise DataError(
            say("The series has no unit {units}; it has {known}.", units=", ".join(unknown),
                known=", ".join(str(unit) for unit in units[:20]))
        )  # fmt: skip
    if len(units) < 2:
        raise DataError(say("Difference in differences needs at least two units; this series has {n}.", n=len(units)))
    if not days:
        raise DataError(say("No unit is treated: name them in treated, or give a day for each unit in when."))
    first = int(frame["period"].min())
    last = int(frame["period"].max())
    adopted = np.array([cells.first_after(days[unit]) - first if unit in days else np.inf for unit in units])
    if not ((adopted > 0) & (adopted <= last - first)).any():
        raise DataError(
            say("{day} lies outside the series, which runs from {first} to {last}: nothing can be said of before and "
                "after.", day=min(days.values()).isoformat(), first=cells.name(first), last=cells.name(last))
        )  # fmt: skip
    codes = {unit: code for code, unit in enumerate(units)}
    panel = Panel(
        y=frame["y"].to_numpy(float), weights=frame["weight"].to_numpy(float),
        unit=frame["unit"].map(codes).to_numpy(dtype=np.int64), period=frame["period"].to_numpy(dtype=np.int64) - first,
        adopted=adopted, binomial=cells.binomial,
    )  # fmt: skip
    return Setting(panel=panel, units=units, first=first, cells=cells)


def _rows(fitted: Imputed, *, scale: Scale, errors: Robust, level: float) -> tuple[pd.DataFrame, list[str]]:
    panel = fitted.panel
    if scale == "share":
        found = average(fitted, panel.treated, errors=errors, level=level)
        n = int((fitted.known | ~panel.treated).sum())
        notes = [] if np.isfinite(found[1]) else [say("There is no standard error: too few units, or no variation.")]
        return pd.DataFrame([line(*found, level=level, n=n, effect="average")]), notes
    every = {one: log_odds_ratio(panel, errors=one) for one in ways(panel, errors)}
    estimate, se, df = widest([found for found, _ in every.values()], level=level)
    cells = next(iter(every.values()))[1]
    row = line(estimate, se, df, level=level, n=int(cells.sum()), effect="odds_ratio")
    low, high = t_interval(estimate, se, df=df, level=level)
    ratio = {"estimate": float(np.exp(estimate)), "low": float(np.exp(low)), "high": float(np.exp(high))}
    notes = [
        say("Odds ratio of treated cells (quasi-binomial, units and periods held equal), the same for all; its "
            "interval is made on the log scale, its standard error is that of the ratio. Checks and placebos are those "
            "of the difference of shares.")
    ]  # fmt: skip
    out = int((~cells).sum())
    if out:
        notes.append(say("{n} cells of units or periods where none or all are counted say nothing of odds.", n=out))
    if len(np.unique(panel.adopted[np.isfinite(panel.adopted)])) > 1:
        notes.append(say("Adoption at several dates: where the effect differs by time, one ratio mixes them badly."))
    if not np.isfinite(estimate):
        notes.append(say("There is no odds ratio: nothing is left to compare, or a group has no case at all."))
    return pd.DataFrame([row | ratio | {"se": ratio["estimate"] * se}]), notes


def _assumed(setting: Setting, fitted: Imputed, *, gap: int, errors: Robust) -> list[str]:
    panel = setting.panel
    ever = np.isfinite(panel.adopted)
    notes = [
        say("{treated} units are treated, {never} never; effects are imputed from cells not (yet) treated (Borusyak, "
            "Jaravel and Spiess), each cell weighs by its cases.", treated=int(ever.sum()), never=int((~ever).sum())),
        say("Assumed: without the policy treated and other units would have moved in parallel, nobody acted before the "
            "date, and units not treated felt nothing of it."),
    ]  # fmt: skip
    if gap:
        notes.append(say("The first {n} periods after are left out as a time of phasing in.", n=gap))
    lost = int((panel.treated & ~fitted.known).sum())
    if lost:
        notes.append(
            say("{n} treated cells have nothing to be compared with (no untreated period of the unit, or no untreated "
                "unit in the period) and are left out.", n=lost)
        )  # fmt: skip
    if errors == "dispersion":
        notes.append(
            say("Errors: cells taken as independent, with more variation than chance alone (dispersion); correlation "
                "within a unit would make the interval too narrow.")
        )  # fmt: skip
    elif few_units(panel):
        notes.append(
            say("Few units ({treated} treated, {never} never): errors by unit are rough; read the permutation p-value "
                "beside them.", treated=int(ever.sum()), never=int((~ever).sum()))
        )  # fmt: skip
        if errors == "auto":
            notes.append(
                say("Of errors by unit and errors from the dispersion of the cells, the wider interval is given.")
            )
    return notes


def _series(setting: Setting, fitted: Imputed) -> pd.DataFrame:
    """Observed and expected of treated and other units by period, by weight."""
    panel = setting.panel
    ever = np.isfinite(panel.adopted)[panel.unit]
    expected = np.where(panel.treated, fitted.expected, panel.y)
    table = pd.DataFrame({"period": panel.period + setting.first, "group": np.where(ever, "treated", "others"),
                          "weight": panel.weights, "observed": panel.y * panel.weights,
                          "counterfactual": expected * panel.weights})  # fmt: skip
    sums = table.groupby(["group", "period"], as_index=False)[["weight", "observed", "counterfactual"]].sum(min_count=1)
    sums[["observed", "counterfactual"]] = sums[["observed", "counterfactual"]].div(sums["weight"], axis=0)
    return sums.assign(period=[setting.cells.name(int(period)) for period in sums["period"]])
