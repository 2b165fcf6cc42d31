"""How long dossiers take to their result, open ones and those that end without a result counted as what they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.waits_words import outcome_words, tests_words, unit_words, wait_notes
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.stats.survival import Incidence, complementary_interval, incidence, quantile_time
from khaosat.stats.survival_tests import GroupTest, gray, log_rank

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TimeUnit = Literal["working_days", "days"]
COMPETING = ("withdrawn", "not_accepted", "stopped")
"""Ends that are no result: a dossier that has met one will never have a result."""
QUANTILES = (0.25, 0.5, 0.75, 0.9)
INSTANT = dt.timedelta(microseconds=1)
_MEASURES = {**dict.fromkeys(["time", "at_risk", "events"], "int64"),
             **dict.fromkeys(["estimate", "se", "low", "high", "open"], "float64"), "n": "int64"}  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeToResult(DossierResult):
    """Share of dossiers that have ended in each way by each day.

    ``rows``: by…, ``outcome`` (``result, withdrawn, not_accepted, stopped``; those that occur), ``time, at_risk,
    events, estimate`` (share that has ended so by then), ``se, low, high, open`` (share still in hand: the Kaplan-Meier
    curve of all ends), ``n`` (dossiers of the group).

    Parameters
    ----------
    quantiles
        by…, ``probability, estimate, low, high``: days by which so many of the dossiers have their result; NaN: not yet
        known.
    tests
        ``test, outcome, statistic, df, p_value``: do the groups differ? ``log_rank`` for all ends together (``any``),
        ``gray`` for each of several ends.
    term
        Median number of days from reception to the first appointment; NaN if none is known.
    time_unit
        ``working_days`` or ``days``.
    """

    quantiles: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    term: float = float("nan")
    time_unit: TimeUnit = "working_days"

    @property
    def keys(self) -> list[str]:
        """The groups and how a dossier ended."""
        return [*self.by, "outcome"]

    def worded(self) -> pd.DataFrame:
        """The rows with ends in words."""
        rows = super().worded()
        return rows.assign(outcome=[outcome_words(name) for name in rows["outcome"]])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Results by days of the largest groups, or each end without groups; the usual legal term as a line."""
        from khaosat.dossiers.waits_plot import incidence_curves

        hidden = self._small_cells()
        return incidence_curves(
            self.worded().assign(raw=self.rows["outcome"])[~hidden], by=self.by, term=self.term,
            x_label=unit_words(self.time_unit), ax=ax,
        )  # fmt: skip

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="outcome"),
            Column(name="time", kind="int", label=unit_words(self.time_unit)),
            Column(name="at_risk", kind="int"),
            Column(name="events", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Ended so by then")),
            self._interval(),
            Column(name="open", kind="percent", decimals=1, label=say("Still in hand")),
        ]

    def _small_cells(self) -> pd.Series:
        """The gate is for groups: a curve of the whole city is no small cell, however few end on a day."""
        return super()._small_cells() if self.by else pd.Series(False, index=self.rows.index)


def time_to_result(
    log: DossierLog,
    *,
    by: str | Sequence[str] | None = None,
    unit: TimeUnit = "working_days",
    period: Period | str | None = None,
    level: float = 0.95,
) -> TimeToResult:
    r"""Share of dossiers with a result by so many days, without waiting for the slow ones to end.

    :math:`F_k(t) = \sum_{t_j \le t} S(t_{j-1})\, d_{kj}/n_j`: the Aalen-Johansen estimate; with results as the only way
    to end it is one minus Kaplan and Meier's.

    Parameters
    ----------
    log
        The dossiers.
    by
        Columns to group by.
    unit
        ``working_days`` of the responsible unit's office, or ``days`` of the calendar; both after the day of reception.
    period
        Dossiers received then, followed to the end of the log; by default all.
    level
        Coverage of the intervals.

    Returns
    -------
    TimeToResult
        by…, ``outcome, time, at_risk, events, estimate, se, low, high, open, n``; one row a day on which a dossier of
        the group ended; ``quantiles`` and ``tests`` beside it.

    Notes
    -----
    Open dossiers count up to the snapshot; leaving them out shows offices faster than they are. Withdrawn, refused and
    stopped dossiers will never have a result: taking them for open ones would overstate the share with a result.
    Interval: log-log of the share still without that end, with Greenwood's variance or its counterpart for several
    ends; the quantiles' by inverting it. Tests need two groups.

    References
    ----------
    Kaplan and Meier (1958), JASA 53, 457-481. Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150.
    Gray (1988), Annals of Statistics 16, 1141-1154.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> time_to_result(example_log()).rows[["time", "at_risk", "events", "estimate"]].values.tolist()
    [[9.0, 4.0, 1.0, 0.25], [12.0, 3.0, 2.0, 0.75]]
    """
    check_unit(unit)
    columns, span = group_columns(by), window(log, period)
    counts = ask(
        log.engine,
        "time_to_result",
        by=columns,
        ended=ENDED,
        competing=COMPETING,
        start=span.start,
        finish=span.finish,
        known=span.known,
        last=span.known - INSTANT,
        working=unit == "working_days",
    )
    placed = counts[counts["days"].ge(0).fillna(False)].astype({"days": "int64"})
    groups = split(placed, columns)
    ways = [way for way in ("result", *COMPETING) if way in set(placed["outcome"])]
    curves = [(key, part, _curve(part, ways)) for key, part in groups]
    tests = _tests([part for _, part in groups], ways)
    terms = ask(log.engine, "terms", deadline="original", start=span.start, finish=span.finish,
                working=unit == "working_days")  # fmt: skip
    quantiles = [_quantiles(key, curve, ways, level=level) for key, _, curve in curves]
    found = pd.DataFrame(
        [row for rows in quantiles for row in rows], columns=[*columns, "probability", "estimate", "low", "high"]
    )
    return TimeToResult(
        rows=_rows(curves, ways, by=columns, level=level),
        by=columns, level=level, quantiles=found, tests=tests, term=_median_term(terms), time_unit=unit,
        title=say("Time to the result{by}, dossiers received in {period}", by=by_words(columns), period=span.label),
        notes=(*wait_notes(log, counts, found, unit=unit, by=columns, level=level), *tests_words(tests), *span.notes()),
        source=log.source,
    )  # fmt: skip


def check_unit(unit: str) -> None:
    """Refuse another unit of time than those known."""
    if unit not in get_args(TimeUnit):
        raise KhaosatError(f"unit is {unit!r}: it must be {' or '.join(get_args(TimeUnit))}")


def split(frame: pd.DataFrame, by: tuple[str, ...]) -> list[tuple[tuple[object, ...], pd.DataFrame]]:
    """The parts of a frame by group, in dictionary order; all of it where there is no group to form."""
    if not by:
        return [((), frame)] if len(frame) else []
    codes = frame.groupby(list(by), dropna=False, sort=False).ngroup().to_numpy()
    keys = sorted_groups(frame[list(by)].assign(group=codes).drop_duplicates("group"), by)
    return [(tuple(row[name] for name in by), frame[codes == row["group"]]) for row in keys.to_dict("records")]


def _curve(part: pd.DataFrame, ways: Sequence[str]) -> Incidence:
    days, place = np.unique(part["days"].to_numpy(), return_inverse=True)
    counts = np.zeros((len(days), len(ways) + 1), dtype=np.int64)
    np.add.at(counts, (place, pd.Index([*ways, "open"]).get_indexer(pd.Index(part["outcome"]))), part["n"].to_numpy())
    return incidence(days, counts[:, :-1], counts[:, -1])


def _rows(
    curves: Sequence[tuple[tuple[object, ...], pd.DataFrame, Incidence]],
    ways: Sequence[str],
    *,
    by: tuple[str, ...],
    level: float,
) -> pd.DataFrame:
    """The curves one after the other, as one frame: a frame for each would cost more than the curves do."""
    names, values = [], []
    for key, part, curve in curves:
        n = part["n"].sum()
        for k, way in enumerate(ways):
            if not curve.events[:, k].any():
                continue
            low, high = complementary_interval(curve.share[:, k], curve.se[:, k], level=level)
            measures = (curve.time, curve.at_risk, curve.events[:, k], curve.share[:, k], curve.se[:, k], low, high)
            values.append(np.column_stack([*measures, curve.open, np.full(len(low), n)]))
            names += [(*key, way)] * len(low)
    if not values:
        return _no_rows(by)
    measured = pd.DataFrame(np.concatenate(values), columns=list(_MEASURES)).astype(_MEASURES)
    return pd.concat([pd.DataFrame(names, columns=[*by, "outcome"]), measured], axis=1)


def _no_rows(by: tuple[str, ...]) -> pd.DataFrame:
    kinds = {**dict.fromkeys([*by, "outcome"], "str"), **_MEASURES}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _quantiles(
    key: tuple[object, ...], curve: Incidence, ways: Sequence[str], *, level: float
) -> list[tuple[object, ...]]:
    """Days by which parts of the dossiers have a result; the ends of the interval are where its bounds get there."""
    nothing = np.zeros(len(curve.time))
    share, se = (values[:, 0] if "result" in ways else nothing for values in (curve.share, curve.se))
    low, high = (np.nan_to_num(bound, nan=-1.0) for bound in complementary_interval(share, se, level=level))
    return [(*key, p, *(quantile_time(curve.time, bound, p) for bound in (share, high, low))) for p in QUANTILES]


def _tests(parts: Sequence[pd.DataFrame], ways: Sequence[str]) -> pd.DataFrame:
    found: list[tuple[str, str, GroupTest]] = []
    if len(parts) > 1:
        days = np.unique(np.concatenate([part["days"].to_numpy() for part in parts]))
        counted = {way: _by_group(parts, days, way) for way in (*ways, "open")}
        leaving = sum(counted.values(), np.zeros((len(days), len(parts))))
        ends = leaving - counted["open"]
        found.append(("log_rank", "any", log_rank(ends, leaving)))
        if len(ways) > 1:
            found += [("gray", way, gray(counted[way], ends - counted[way], leaving)) for way in ways]
    return pd.DataFrame(
        [(test, way, *values) for test, way, values in found],
        columns=["test", "outcome", "statistic", "df", "p_value"],
    )


def _by_group(parts: Sequence[pd.DataFrame], days: np.ndarray, outcome: str) -> np.ndarray:
    columns = []
    for part in parts:
        some = part["outcome"].to_numpy() == outcome
        place = np.searchsorted(days, part["days"].to_numpy()[some])
        columns.append(np.bincount(place, part["n"].to_numpy()[some], minlength=len(days)))
    return np.column_stack(columns)


def _median_term(terms: pd.DataFrame) -> float:
    known = terms[terms["term"].ge(0).fillna(False)].sort_values("term")
    if not len(known):
        return float("nan")
    reached = known["n"].cumsum() >= known["n"].sum() / 2
    return float(known.loc[reached, "term"].iloc[0])
