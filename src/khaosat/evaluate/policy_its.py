"""Interrupted time series: does a series take another level or another slope from a day on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from khaosat.errors import DataError, KhaosatError
from khaosat.evaluate.policy_cells import Cells
from khaosat.evaluate.policy_result import PolicyEffect, cautious_note, checked, detectable, detectable_words, line
from khaosat.facts.language import number, say
from khaosat.stats.interrupted import AutoregressiveFit, fit_autoregressive, ljung_box
from khaosat.stats.intervals import t_interval

Season = Literal["auto", "none", "harmonics", "months"]
Floats = np.ndarray

FEWEST = 4
"""Points needed before and after."""
_SEASONAL_FROM, _TWO_PAIRS_FROM = 24, 36
_PLACEBO_POINTS = 6
_LAGS = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """Columns of time: 1, time, after, time since, then the season."""

    time: np.ndarray
    start: int
    waves: int
    places: tuple[int, ...]
    origin: int
    per_year: float

    def columns(self, *, treated: bool = True) -> Floats:
        """The design; ``treated=False``: as if nothing had begun."""
        t = self.time.astype(float)
        after = (t >= self.start) * float(treated)
        parts = [np.ones(len(t)), t - self.origin, after, after * (t - self.start)]
        for k in range(1, self.waves + 1):
            angle = 2 * np.pi * k * t / self.per_year
            parts += [np.sin(angle), np.cos(angle)]
        parts += [(self.time % round(self.per_year) == place).astype(float) for place in self.places]
        return np.column_stack(parts)


def interrupted(
    cells: Cells, control: Cells | None, *, day: dt.date, gap: int, season: Season, level: float
) -> PolicyEffect:
    """Effects on one series, or on its difference from a control series."""
    frame = cells.together() if control is None else _difference(cells, control)
    start = cells.first_after(day)
    _check_window(frame, cells, start=start, day=day)
    used = frame[(frame["period"] < start) | (frame["period"] >= start + gap)].reset_index(drop=True)
    missing = int(frame["period"].max() - frame["period"].min() + 1 - len(frame))
    notes = _notes(cells, control=control, start=start, gap=gap, missing=missing)
    before = int((used["period"] < start).sum())
    fit, model = None, _model(used, start=start, season=season, cells=cells)
    x = model.columns()
    enough = len(used) > x.shape[1] + 1 and np.linalg.matrix_rank(x) == x.shape[1]
    if min(before, len(used) - before) < FEWEST or not enough:
        notes.append(
            say("Not enough data: {before} periods before and {after} after; at least {least} each and more than the "
                "model has columns are needed, so nothing is estimated.", before=before, after=len(used) - before,
                least=FEWEST)
        )  # fmt: skip
    else:
        notes.append(_season_words(model))
        fit = fit_autoregressive(used["y"], x, time=used["period"], weights=used["weight"])
        if not fit.sigma > 0:
            notes.append(say("The series lies exactly on the model: there is no interval and no p-value."))
    rows = _rows(fit, used, model, level=level).assign(n_missing=missing)
    checks = _checks(fit, rows, used, level=level)
    mde = checked(checks, "detectable", "estimate")
    notes += [*_memory_words(checks), *detectable_words(mde, binomial=cells.binomial), cautious_note()]
    placebos = _placebos(used[used["period"] < start], cells, season=season, level=level)
    notes += placebo_words(placebos)
    columns = ["effect", "estimate", "se", "low", "high", "df", "n", "n_missing", "p_value"]
    return PolicyEffect(
        rows=rows[columns], title="", notes=tuple(notes), method="its", when=day, binomial=cells.binomial, level=level,
        series=_series(fit, frame, used, model, cells, level=level), checks=checks, placebos=placebos,
        source=cells.source, unit="share" if cells.binomial else "score",
    )  # fmt: skip


def _difference(cells: Cells, control: Cells) -> pd.DataFrame:
    """Series less control where both have cases; its variance is that of a difference of two shares."""
    if control.freq != cells.freq:
        raise DataError(say("The series and its control do not have the same kind of period."))
    both = cells.together().merge(control.together(), on="period", suffixes=("", "_control"))
    if both.empty:
        raise DataError(say("The series and its control have no period in common."))
    weight = 1 / (1 / both["weight"] + 1 / both["weight_control"])
    return both.assign(y=both["y"] - both["y_control"], weight=weight)[["period", "y", "weight"]]


def _check_window(frame: pd.DataFrame, cells: Cells, *, start: int, day: dt.date) -> None:
    if frame.empty:
        raise DataError(say("The series has no period with cases."))
    first, last = int(frame["period"].min()), int(frame["period"].max())
    if not first < start <= last:
        raise DataError(
            say("{day} lies outside the series, which runs from {first} to {last}: nothing can be said of before and "
                "after.", day=day.isoformat(), first=cells.name(first), last=cells.name(last))
        )  # fmt: skip


def _model(used: pd.DataFrame, *, start: int, season: Season, cells: Cells) -> Model:
    if season not in ("auto", "none", "harmonics", "months"):
        raise KhaosatError(f"season is {season!r}: it must be auto, none, harmonics or months")
    time = used["period"].to_numpy(dtype=np.int64)
    long = len(time) >= _SEASONAL_FROM and int(time.max() - time.min()) + 1 >= 2 * cells.per_year - 1
    most = 1 if cells.per_year == 4 else 2
    waves = min(most, 2 if len(time) >= _TWO_PAIRS_FROM else 1)
    if season == "none" or season == "months" or (season == "auto" and not long):
        waves = 0
    places: tuple[int, ...] = ()
    if season == "months" and cells.freq != "W":
        places = tuple(int(place) for place in np.unique(time % round(cells.per_year))[1:])
    return Model(time=time, start=start, origin=int(time[0]), waves=waves, places=places, per_year=cells.per_year)


def _season_words(model: Model) -> str:
    if model.places:
        return say("Season: an effect of every calendar month or quarter.")
    if model.waves:
        return say("Season: {n} pairs of sine and cosine a year.", n=model.waves)
    return say("No season in the model: less than two years, or not asked for.")


def _contrasts(used: pd.DataFrame, model: Model) -> dict[str, Floats]:
    """Each effect as a sum of coefficients; the mean is one over cases, not over periods."""
    x, plain = model.columns(), model.columns(treated=False)
    after = used["period"].to_numpy() >= model.start
    unit = np.eye(x.shape[1])
    gain = (x - plain)[after]
    weight = used["weight"].to_numpy(float)[after]
    return {"level": unit[2], "slope": unit[3], "average": np.average(gain, axis=0, weights=weight), "end": gain[-1]}


def _rows(fit: AutoregressiveFit | None, used: pd.DataFrame, model: Model, *, level: float) -> pd.DataFrame:
    nothing = (float("nan"),) * 3
    if fit is None:
        lines = [line(*nothing, level=level, n=len(used), effect=name) for name in ("level", "slope", "average", "end")]
    else:
        lines = [line(*fit.combine(c), level=level, n=len(used), effect=name)
                 for name, c in _contrasts(used, model).items()]  # fmt: skip
    return pd.DataFrame(lines)


def _checks(fit: AutoregressiveFit | None, rows: pd.DataFrame, used: pd.DataFrame, *, level: float) -> pd.DataFrame:
    mean = rows.set_index("effect").loc["average", ["se", "df"]].to_numpy(dtype=float)
    empty = float("nan")
    q, q_df, q_p, rho = empty, empty, empty, empty
    if fit is not None and fit.sigma > 0:
        rho = fit.rho
        lags = min(_LAGS, len(used) // 3)
        q, q_df, q_p = ljung_box(fit.innovations, time=used["period"], lags=lags)
    return pd.DataFrame({
        "check": ["autocorrelation", "ljung_box", "detectable"],
        "estimate": [rho, q, detectable(float(mean[0]), float(mean[1]), level=level)],
        "df": [empty, q_df, mean[1]], "p_value": [empty, q_p, empty], "n": len(used),
    })  # fmt: skip


def _memory_words(checks: pd.DataFrame) -> list[str]:
    rho, p = checked(checks, "autocorrelation", "estimate"), checked(checks, "ljung_box", "p_value")
    if not np.isfinite(rho):
        return []
    words = [
        say("Neighbouring periods: correlation {rho} (first-order autoregressive errors with noise, averaged over what "
            "both may be).", rho=number(rho, 2))
    ]  # fmt: skip
    if p < 0.05:
        words.append(
            say("Correlation is left in the residuals (Ljung-Box, p = {p}): the intervals may be too narrow.",
                p=number(p, 3))
        )  # fmt: skip
    return words


def _placebos(before: pd.DataFrame, cells: Cells, *, season: Season, level: float) -> pd.DataFrame:
    """The mean effect of days on which nothing began, from what was before the policy only."""
    lines = []
    for place in range(_PLACEBO_POINTS, len(before) - _PLACEBO_POINTS + 1):
        start = int(before["period"].iloc[place])
        model = _model(before, start=start, season=season, cells=cells)
        x = model.columns()
        if len(before) <= x.shape[1] + 1 or np.linalg.matrix_rank(x) < x.shape[1]:
            continue
        fit = fit_autoregressive(before["y"], x, time=before["period"], weights=before["weight"])
        found = fit.combine(_contrasts(before, model)["average"])
        lines.append(line(*found, level=level, n=len(before), kind="date", placebo=cells.name(start)))
    columns = ["kind", "placebo", "estimate", "se", "low", "high", "df", "n", "p_value"]
    return pd.DataFrame(lines, columns=columns)


def placebo_words(placebos: pd.DataFrame) -> list[str]:
    """How many placebos "found" something."""
    tested = placebos["p_value"].dropna()
    if tested.empty:
        return []
    return [
        say("Placebos: of {n} dates or units where nothing began, {found} come out significant at 5%; about {expected} "
            "would by chance.", n=len(tested), found=int((tested < 0.05).sum()), expected=number(0.05 * len(tested), 1))
    ]  # fmt: skip


def _notes(cells: Cells, *, control: Cells | None, start: int, gap: int, missing: int) -> list[str]:
    notes = list(cells.notes)
    notes.append(say("{period} is the first period counted as after.", period=cells.name(start)))
    if control is not None:
        notes.append(
            say("Controlled: the difference from the control series is analysed; what happened to both alike falls "
                "out, if both would have gone on in parallel.")
        )  # fmt: skip
    else:
        notes.append(
            say("Assumed: without the policy level, trend and season would have gone on, and nothing else changed on "
                "that day. No control series says whether that holds.")
        )  # fmt: skip
    if gap:
        notes.append(say("The first {n} periods after are left out as a time of phasing in.", n=gap))
    if missing:
        notes.append(say("{n} periods inside the series have no cases; they are gaps, not zeros.", n=missing))
    return notes


def _series(
    fit: AutoregressiveFit | None, frame: pd.DataFrame, used: pd.DataFrame, model: Model, cells: Cells, *, level: float
) -> pd.DataFrame:
    """Observed, fitted and counterfactual by period."""
    empty = np.full(len(frame), np.nan)
    table = pd.DataFrame({
        "period": [cells.name(int(period)) for period in frame["period"]], "observed": frame["y"].to_numpy(),
        "weight": frame["weight"].to_numpy(), "after": frame["period"].to_numpy() >= model.start,
        "used": frame["period"].isin(used["period"]).to_numpy(), "fitted": empty, "counterfactual": empty,
        "low": empty, "high": empty,
    })  # fmt: skip
    if fit is None:
        return table
    whole = replace(model, time=frame["period"].to_numpy(dtype=np.int64))
    plain = whole.columns(treated=False)
    plain_parts = [fit.combine(row) for row in plain]
    estimate, se, df = (np.array(part) for part in zip(*plain_parts, strict=True))
    low, high = t_interval(estimate, se, df=df, level=level)
    return table.assign(fitted=whole.columns() @ fit.coef, counterfactual=estimate, low=low, high=high)
