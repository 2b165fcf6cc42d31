"""Cells that a policy is judged by: units by periods, from a log by its queries or from a frame at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.definitions import Definition, deadline_words, meaning
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, ask, group_columns
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import say

Measure = Literal["late", "supplement"]
_PER_YEAR = {"M": 12.0, "Q": 4.0, "W": 365.25 / 7}
_TIMES = ("period", "month", "week", "quarter", "date")
_WARM_UP = 2
"""Months at the start of a log whose closed dossiers are only the quick ones: long ones were received before it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """``unit, period`` (ordinal), ``y, weight`` of every cell that has cases.

    Parameters
    ----------
    freq
        ``M, W`` or ``Q``.
    binomial
        Whether ``y`` is the share ``numerator / denominator`` and ``weight`` the denominator.
    empty
        Rows without cases.
    notes
        What was counted.
    """

    frame: pd.DataFrame
    freq: str
    binomial: bool
    empty: int = 0
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def per_year(self) -> float:
        """Periods in a year."""
        return _PER_YEAR[self.freq]

    def start(self, period: int) -> dt.date:
        """First day of a period."""
        return pd.Period(ordinal=period, freq=self.freq).start_time.date()

    def name(self, period: int) -> str:
        """``2026-07``, ``2026-Q3`` or the week's Monday."""
        found = pd.Period(ordinal=period, freq=self.freq)
        return {"M": f"{found:%Y-%m}", "Q": f"{found.year}-Q{found.quarter}"}.get(self.freq, f"{found.start_time:%F}")

    def first_after(self, day: dt.date) -> int:
        """The first period most of which lies on or after a day."""
        period = pd.Period(day, freq=self.freq)
        length = (period.end_time - period.start_time).days + 1
        return int(period.ordinal) + ((pd.Timestamp(day) - period.start_time).days * 2 > length)

    def of(self, units: Sequence[object]) -> Cells:
        """The cells of some units."""
        return replace(self, frame=self.frame[self.frame["unit"].isin(list(units))].reset_index(drop=True))

    def together(self) -> pd.DataFrame:
        """One row a period, units added up: ``period, y, weight``."""
        if not self.binomial:
            if self.frame["period"].duplicated().any():
                raise DataError(
                    say("Values of several units cannot be added up: name one unit, or give numerator and denominator.")
                )
            return self.frame[["period", "y", "weight"]].sort_values("period", ignore_index=True)
        sums = self.frame.assign(y=self.frame["y"] * self.frame["weight"]).groupby("period")[["y", "weight"]].sum()
        return sums.assign(y=sums["y"] / sums["weight"]).reset_index()


def from_frame(frame: pd.DataFrame, *, by: str | None) -> Cells:
    """Cells of a frame: ``period`` (or ``month, week, quarter, date``), a unit, and counts or values.

    Raises
    ------
    DataError
        With everything wrong at once.
    """
    time = next((name for name in _TIMES if name in frame), None)
    unit = by if by is not None else "unit" if "unit" in frame else None
    counted = {"numerator", "denominator"} <= set(frame.columns)
    lacking = [] if time else [" / ".join(_TIMES)]
    lacking += [] if counted or "value" in frame else ["numerator, denominator / value"]
    lacking += [unit] if unit is not None and unit not in frame else []
    if lacking or time is None:
        raise DataError(say("The series lacks the columns {columns}.", columns="; ".join(lacking)))
    periods, freq = _periods(frame[time])
    units = frame[unit].to_numpy() if unit is not None else np.full(len(frame), "")
    table = pd.DataFrame({"unit": units, "period": periods})
    if counted:
        counts = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
                  for name in ("numerator", "denominator")}  # fmt: skip
        return _counted(table.assign(**counts), freq=freq)
    weight = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(float) if "weight" in frame else 1.0
    table = table.assign(y=pd.to_numeric(frame["value"], errors="coerce").to_numpy(float), weight=weight)
    if table.duplicated(["unit", "period"]).any():
        raise DataError(say("The series has more than one value for the same unit and period."))
    full = table[np.isfinite(table["y"]) & (table["weight"] > 0)]
    return Cells(frame=full.reset_index(drop=True), freq=freq, binomial=False, empty=len(table) - len(full))


def _counted(table: pd.DataFrame, *, freq: str, notes: tuple[str, ...] = (), source: str = "") -> Cells:
    counts = table[["numerator", "denominator"]].fillna(0)
    wrong = (counts < 0).any(axis=1) | (counts["numerator"] > counts["denominator"])
    if wrong.any():
        raise DataError(
            say("{n} rows have negative counts, or a numerator above its denominator (rows {rows}).",
                n=int(wrong.sum()), rows=", ".join(str(row + 1) for row in np.flatnonzero(wrong)[:10]))
        )  # fmt: skip
    sums = table.assign(**counts).groupby(["unit", "period"], as_index=False, sort=True)[["numerator", "denominator"]]
    cells = sums.sum()
    full = cells[cells["denominator"] > 0].reset_index(drop=True)
    shares = full["numerator"] / full["denominator"]
    frame = full[["unit", "period"]].assign(y=shares, weight=full["denominator"].astype(float))
    return Cells(
        frame=frame, freq=freq, binomial=True, empty=len(cells) - len(full), notes=notes, source=source
    )  # fmt: skip


def _periods(column: pd.Series) -> tuple[np.ndarray, str]:
    """Ordinals of months, quarters or weeks; dates that are days of a month are its month, seven days apart weeks."""
    text = column.astype(str).str.strip()
    try:
        if text.str.fullmatch(r"\d{4}-?Q[1-4]").all():
            return _ordinals(text.str.replace("-", ""), "Q"), "Q"
        if text.str.fullmatch(r"\d{4}-\d{2}").all():
            return _ordinals(text, "M"), "M"
        weeks = text.str.fullmatch(r"\d{4}-?W\d{2}").all()
        stamps = (
            pd.to_datetime(text.str.replace("-", "") + "1", format="%GW%V%u")
            if weeks
            else pd.to_datetime(text.str.split("/").str[0], format="ISO8601")
        )
    except ValueError as error:
        raise DataError(
            say("Periods must be months (2026-07), quarters (2026-Q3), weeks (2026-W31) or dates.")
        ) from error
    steps = np.diff(np.unique(stamps.to_numpy("datetime64[D]").astype("int64")))
    weekly = weeks or (len(steps) > 0 and bool((steps % 7 == 0).all()) and int(steps.min()) == 7)
    freq = "W" if weekly else "M"
    return _ordinals(stamps, freq), freq


def _ordinals(values: pd.Series, freq: str) -> np.ndarray:
    return np.array([pd.Period(value, freq=freq).ordinal for value in values], dtype=np.int64)


def from_log(log: DossierLog, *, by: str | None, measure: Measure, definition: Definition, deadline: Deadline) -> Cells:
    """Cells of a log by month: of closing, or of reception for ``cohort`` and requests for supplements."""
    columns = group_columns(by)
    if measure not in ("late", "supplement"):
        raise KhaosatError(f"measure is {measure!r}: it must be late or supplement")
    whole = window(log, None)
    last = pd.Period(whole.last, freq="M")
    if whole.known < last.end_time.to_pydatetime():
        last -= 1  # a month that has not ended
    if measure == "supplement":
        asked = ask(log.engine, "supplement_loops", by=(*columns, "month"), generic=[""], start=whole.start,
                    finish=whole.finish)  # fmt: skip
        table = asked.rename(columns={"asked": "numerator", "received": "denominator"})
        notes = [say("Counted: dossiers ever asked for a supplement / dossiers received, by month of reception; those "
                     "of the last weeks may still be asked.")]  # fmt: skip
    elif definition == "cohort":
        counts = count_late(log, "lateness", whole, by=(*columns, "month"), deadline=deadline)
        table = counts.rename(columns={f"cohort_{name}": name for name in ("numerator", "denominator")})
        notes = [meaning("cohort").words(), say("Month: the month of reception."), deadline_words(deadline, "lateness")]
    else:
        table, notes = _closings(log, columns, definition=definition, deadline=deadline, last=last)
    table = table[table["month"].notna()]
    units = table[columns[0]].fillna(say("(not recorded)")).to_numpy() if columns else np.full(len(table), "")
    table = pd.DataFrame({
        "unit": units, "period": _ordinals(table["month"], "M"), "numerator": table["numerator"].to_numpy(float),
        "denominator": table["denominator"].to_numpy(float),
    })  # fmt: skip
    return _counted(table[table["period"] <= last.ordinal], freq="M", notes=tuple(notes), source=log.source)


def _closings(
    log: DossierLog, columns: tuple[str, ...], *, definition: Definition, deadline: Deadline, last: pd.Period
) -> tuple[pd.DataFrame, list[str]]:
    """Late shares of month after month, each by the definition's own query."""
    word = meaning(definition)
    notes = [word.words(), deadline_words(deadline, word.query)]
    first = log.engine.query("SELECT min(received_at) AS first FROM dossiers")["first"][0].as_py()
    lines = []
    begun = pd.Period(first, freq="M") if first is not None else last
    for month in pd.period_range(begun + _WARM_UP, last, freq="M"):
        counts = count_late(log, word.query, window(log, f"{month:%Y-%m}"), by=columns, deadline=deadline)
        lines.append(counts.assign(month=f"{month:%Y-%m}"))
    if not lines:
        raise DataError(say("The log holds no whole month after its first {n}.", n=_WARM_UP))
    notes.append(
        say("The first {n} months of the log are left out: it holds only what was received since it began, so that its "
            "first closings are the quick ones.", n=_WARM_UP)
    )  # fmt: skip
    names = {f"{definition}_{name}": name for name in ("numerator", "denominator")}
    return pd.concat(lines, ignore_index=True).rename(columns=names), notes
