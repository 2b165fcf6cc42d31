"""Whether the late share moved from one period to another, or whether it only seems so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import Definition, deadline_words, meaning
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, group_columns
from khaosat.facts.language import percent, say
from khaosat.show.table import Column, Table
from khaosat.stats.binomial import newcombe, score_test, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class LateChange(DossierResult):
    """Late shares of two periods and their difference.

    by…, ``indicator, numerator, denominator, estimate, other_numerator, other_denominator, other, difference, low,
    high, p_value, n``; ``low`` to ``high`` is the interval of ``difference``, ``n`` the smaller denominator.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Differences with their intervals, in percentage points."""
        from khaosat.show.plots import intervals
        from khaosat.show.theme import GREY

        rows = self.worded()[~self._small_cells()].dropna(subset=["difference"])
        rows["indicator"] = [meaning(name).label for name in rows["indicator"]]
        keys = self.keys or ["indicator"]
        shown = rows[[*keys, "low", "high"]].assign(estimate=rows["difference"])
        ax = intervals(shown, keys=keys, unit="share", ax=ax)
        ax.axvline(0, color=GREY, linewidth=1)
        ax.set_xlabel(say("Change of the late share (percentage points)"))
        return ax

    def table(self) -> Table:
        """The rows as a reader sees them, differences in percentage points."""
        points = {name: self.rows[name] * 100 for name in ("difference", "low", "high")}
        return super(LateChange, replace(self, rows=self.rows.assign(**points))).table()

    def _columns(self) -> Sequence[Column]:
        this, before = say("This period"), say("Other period")
        return [
            *self._key_columns(),
            Column(name="numerator", kind="int", group=this),
            Column(name="denominator", kind="int", group=this),
            Column(name="estimate", kind="percent", decimals=1, group=this),
            Column(name="other_numerator", kind="int", group=before),
            Column(name="other_denominator", kind="int", group=before),
            Column(name="other", kind="percent", decimals=1, group=before),
            Column(name="difference", kind="number", decimals=1, label=say("Difference (percentage points)")),
            Column(name=("low", "high"), kind="interval", decimals=1),
            Column(name="p_value", kind="p_value", decimals=3),
        ]


def compare_periods(
    log: DossierLog,
    period: Period | str,
    other: Period | str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    definition: Definition = "closed",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> LateChange:
    """Difference of the late share between two periods, with its interval and the score test.

    ``difference = estimate - other``

    Parameters
    ----------
    log
        The dossiers.
    period, other
        The period of interest and the one it is held against; by default the period just before.
    by, definition, deadline, level
        As in :func:`khaosat.dossiers.on_time`.

    Returns
    -------
    LateChange
        One row a group that has dossiers in either period; NaN where one of them has none.

    Notes
    -----
    Newcombe's hybrid score interval: it holds its level for shares near 0, where a Wald interval does not. An interval
    that excludes 0 is what the report calls a rise or a fall. With several groups, one in twenty differs by chance.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> compare_periods(example_log(), "2026-05", "2026-04").rows[["estimate", "other"]].round(3).values.tolist()
    [[nan, 0.333]]
    """
    this = as_period(period)
    that = this.previous if other is None else as_period(other)
    word, columns = meaning(definition), group_columns(by)
    counts = [_counts(log, span, definition=definition, by=columns, deadline=deadline) for span in (this, that)]
    rows = _paired(counts[0], counts[1], columns)
    k1, n1, k2, n2 = (rows[c] for c in ("numerator", "denominator", "other_numerator", "other_denominator"))
    rows["indicator"] = definition
    rows["estimate"], rows["other"] = share(k1, n1), share(k2, n2)
    rows["difference"] = rows["estimate"] - rows["other"]
    rows["low"], rows["high"] = newcombe(k1, n1, other_count=k2, other_total=n2, level=level)
    rows["p_value"] = score_test(k1, n1, other_count=k2, other_total=n2)
    rows["n"] = rows[["denominator", "other_denominator"]].min(axis=1)
    notes = [
        word.words(),
        deadline_words(deadline),
        say("Interval of the difference: Newcombe, {level}; p-value: score test.", level=percent(level, 0)),
        *window(log, this).notes(),
    ]
    if definition not in ("closed", "form_06a", "cohort"):
        notes.append(say("Dossiers open over both periods are in both shares: the interval is only indicative."))
    names = [*columns, "indicator", "numerator", "denominator", "estimate", "other_numerator", "other_denominator",
             "other", "difference", "low", "high", "p_value", "n"]  # fmt: skip
    return LateChange(
        rows=sorted_groups(rows[names], columns),
        by=columns,
        level=level,
        title=say("Change of the late share{by}, {period} against {other}", by=by_words(columns), period=this.label,
                  other=that.label),
        notes=tuple(notes), source=log.source,
    )  # fmt: skip


def _counts(
    log: DossierLog, period: Period, *, definition: Definition, by: tuple[str, ...], deadline: Deadline
) -> pd.DataFrame:
    counts = count_late(log, meaning(definition).query, window(log, period), by=by, deadline=deadline)
    names = {f"{definition}_numerator": "numerator", f"{definition}_denominator": "denominator"}
    return counts[[*by, *names]].rename(columns=names)


def _paired(this: pd.DataFrame, that: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Both periods' counts side by side, groups without a dossier in either left out."""
    that = that.rename(columns={"numerator": "other_numerator", "denominator": "other_denominator"})
    if not by:
        return pd.concat([this, that], axis=1)
    rows = this.merge(that, on=list(by), how="outer")
    numbers = [c for c in rows.columns if c not in by]
    rows[numbers] = rows[numbers].fillna(0).astype("int64")
    return rows[(rows["denominator"] + rows["other_denominator"]) > 0].reset_index(drop=True)
