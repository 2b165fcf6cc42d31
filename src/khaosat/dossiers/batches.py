"""Batches: whether work ends on a few days of the week, and many pieces of it in the same minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words, sorted_groups
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import StepResult, no_steps
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share
from khaosat.stats.coincidence import busiest, expected_together, uniformity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAYS = 7
_REGULAR = 0.1
"""Part of the working days that a day of the week must have to be one of the office's days."""
_SMALL = 30
"""Ends below which the days of the week are not compared."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Batching(StepResult):
    """When work ends: by…, ``n, busiest`` (the two days of the week with most ends beyond their part of the working
    days, 0 is Monday), ``estimate`` (share of ends on them), ``expected`` (their share of working days), ``ratio,
    statistic, p_value`` (χ² of the week against its working days), ``same_minute`` (ends that share their minute with
    another of the group), ``same_minute_share, same_minute_expected, same_minute_ratio``, ``n_missing`` (ends on other
    days of the week).
    """

    def worded(self) -> pd.DataFrame:
        """The rows with names of days."""
        rows = super().worded()
        names = _day_names()
        return rows.assign(busiest=[", ".join(names[day] for day in days) for days in rows["busiest"]])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share of ends on the two busiest days, against what their number of working days would give."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, GREY, WIDTH, theme

        rows = self.worded().assign(all=say("All steps"))[~self._small_cells()].dropna(subset=["estimate"])
        rows = rows.sort_values("ratio", ascending=False, kind="stable").head(15)
        keys = [*(self.by or ["all"]), "busiest"]
        labels = [" · ".join(row) for row in rows[keys].itertuples(index=False)]
        place = np.arange(len(rows))[::-1]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.3 * len(rows) + 1.1)))
            ax.hlines(place, rows["expected"] * 100, rows["estimate"] * 100, color=GREY, linewidth=1.2)
            ax.plot(rows["expected"] * 100, place, "|", color=GREY, markersize=10, label=say("by working days"))
            ax.plot(rows["estimate"] * 100, place, "o", color=BLUE, markersize=5, label=say("ends on these days"))
            ax.set_yticks(place, labels)
            ax.set_ylim(-0.7, len(rows) - 0.3)
            ax.set_xlabel(say("Share of all ends (%)"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value))
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
        return ax

    def _columns(self) -> Sequence[Column]:
        week, minute = say("Two busiest days of the week"), say("Same minute")
        return [
            *self._key_columns(),
            Column(name="n", kind="int", label=say("Steps ended")),
            Column(name="busiest", group=week, label=say("Days of the week")),
            Column(name="estimate", kind="percent", decimals=1, group=week, label=say("Share of ends")),
            Column(name="expected", kind="percent", decimals=1, group=week, label=say("By working days")),
            Column(name="p_value", kind="p_value", decimals=3, group=week),
            Column(name="same_minute_share", kind="percent", decimals=1, group=minute, label=say("Share of ends")),
            Column(name="same_minute_expected", kind="percent", decimals=1, group=minute, label=say("By chance")),
        ]


def batching(
    log: DossierLog,
    *,
    by: str | Sequence[str] | None = "unit",
    period: Period | str | None = None,
    steps: Sequence[str] | None = None,
) -> Batching:
    """Whether work is finished in batches: on signing days, or many at once.

    Parameters
    ----------
    log
        The dossiers and their steps.
    by
        ``unit``, ``step`` and columns of ``dossiers``.
    period
        The period in which a step ended; all of the log by default.
    steps
        Names of the steps whose ends count, without regard to case (such as the signature); all by default.

    Returns
    -------
    Batching
        by…, one row a group; no shares of days where fewer than 30 steps ended.

    Notes
    -----
    The days of the week are held against the working days from the group's first end of a step to its last, those that
    are at least a tenth of them: single Saturdays in lieu are no habit. The expected share of the two busiest is thus
    about 2/5, and since they are chosen for being busy, a little more comes by chance alone: read the p-value. It takes
    ends as independent, which ends of a batch are not: it says that the week is uneven, not how strongly. Minutes are
    held against ends thrown at random into the working minutes of their day.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> batching(example_steps(), by=None).rows[["n", "same_minute"]].values.tolist()
    [[10, 0]]
    """
    if steps is not None and not steps:
        raise KhaosatError("steps is empty: name at least one step, or none for all")
    columns, span = group_columns(by, steps=True), window(log, period)
    cells = ask(step_engine(log), "batching", by=columns, every=steps is None, start=span.start, finish=span.finish,
                names=[name.strip().lower() for name in steps or [""]])  # fmt: skip
    minutes = _minutes_a_day(log)
    groups = cells.groupby(list(columns), dropna=False, sort=False) if columns else [((), cells)]
    found = [
        {**dict(zip(columns, key if isinstance(key, tuple) else (key,), strict=True)),
         **_measured(part, _working_days(log, part), minutes)} for key, part in groups
    ]  # fmt: skip
    names = ["n", "busiest", "estimate", "expected", "ratio", "statistic", "p_value", "same_minute",
             "same_minute_share", "same_minute_expected", "same_minute_ratio", "n_missing"]  # fmt: skip
    rows = sorted_groups(pd.DataFrame(found, columns=[*columns, *names]), columns)
    notes = [
        say("Days are held against the working days of each day of the week; minutes against ends at random over {n} "
            "working minutes a day.", n=minutes),
        say("p-value: χ² of all working days of the week; groups with fewer than {n} ends are not judged.", n=_SMALL),
        *span.notes(), *no_steps(log, rows[rows["n"] > 0], span),
    ]  # fmt: skip
    return Batching(
        rows=rows, by=columns, unit="share", notes=tuple(notes), source=log.source,
        title=say("Work that ends in batches{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip


def _measured(cells: pd.DataFrame, working: NDArray[np.float64], minutes: int) -> dict[str, object]:
    """The measures of one group, of its cells by day of the week and ends in a day."""
    ends = cells["per_day"] * cells["days"]
    counts = np.bincount(cells["weekday"], weights=ends, minlength=DAYS)
    n, on_days = int(ends.sum()), float(counts[working > 0].sum())
    together = int(cells["together"].sum())
    chance = float((expected_together(cells["per_day"], minutes) * cells["days"]).sum())
    two = busiest(counts, working) if on_days >= _SMALL else np.array([], dtype=np.int64)
    estimate = float(counts[two].sum()) / on_days if len(two) else np.nan
    expected = float(working[two].sum() / working.sum()) if len(two) else np.nan
    statistic, p_value = uniformity(counts, working) if len(two) else (np.nan, np.nan)
    together_share, together_expected = share([together, chance], [n, n])
    return {
        "n": n, "busiest": tuple(int(day) for day in two), "estimate": estimate, "expected": expected,
        "ratio": estimate / expected, "statistic": statistic, "p_value": p_value, "same_minute": together,
        "same_minute_share": together_share, "same_minute_expected": together_expected,
        "same_minute_ratio": together_share / together_expected if chance else np.nan, "n_missing": n - int(on_days),
    }  # fmt: skip


def _working_days(log: DossierLog, cells: pd.DataFrame) -> NDArray[np.float64]:
    """Working days of each day of the week, from the group's first end of a step to its last."""
    if cells.empty:
        return np.zeros(DAYS)
    days = pd.date_range(cells["first_day"].min(), cells["last_day"].max())
    works = log.calendar.is_working(days).to_numpy(dtype=bool, na_value=False)
    found = np.bincount(days.day_of_week[works], minlength=DAYS).astype(float)
    return np.where(found >= _REGULAR * found.sum(), found, 0.0)


def _minutes_a_day(log: DossierLog) -> int:
    """Office minutes of a usual day."""
    return sum(end - start for start, end in log.calendar.sessions)


def _day_names() -> list[str]:
    return [
        say("Monday"), say("Tuesday"), say("Wednesday"), say("Thursday"), say("Friday"), say("Saturday"), say("Sunday"),
    ]  # fmt: skip
