"""How many dossiers are late, by one definition and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import Definition, Meaning, deadline_words, meaning
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import Deadline, Value, ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STOCKS = ("carried", "received", "closed", "open", "open_overdue")
RATE = ("numerator", "denominator", "estimate", "low", "high", "n", "n_missing")
Comparison = Literal["timestamps", "dates"]
"""What is held against the deadline: the moment, or only its day (late by an hour on the due day is then on time)."""
SMALL_GROUP = 30
PLOTTED_GROUPS = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class LateShares(DossierResult):
    """Shares of late dossiers: by…, :data:`RATE` with ``on_time`` after ``estimate`` (share late), :data:`STOCKS`."""

    def plot(self, ax: Axes | None = None, *, target: float | None = None) -> Axes:
        """Late shares with intervals, the worst group on top.

        Parameters
        ----------
        target
            Share that should be on time; its late share is drawn as a line.
        """
        from khaosat.show.plots import intervals
        from khaosat.show.theme import VERMILION

        rows = self.worded().assign(all=say("All dossiers"))[~self._small_cells()].dropna(subset=["estimate"])
        rows = rows.nlargest(PLOTTED_GROUPS, "numerator", keep="all").head(PLOTTED_GROUPS)
        rows = rows.sort_values("estimate", ascending=False, kind="stable")
        ax = intervals(rows, keys=self.keys or ["all"], unit="share", ax=ax)
        if target is not None:
            ax.axvline((1 - target) * 100, color=VERMILION, linestyle="--", linewidth=1.2)
            ax.text((1 - target) * 100, ax.get_ylim()[1], say("target: at most {share}", share=percent(1 - target)),
                    color=VERMILION, va="bottom", ha="left")  # fmt: skip
        ax.set_xlabel(say("Late (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        late, flow = say("Late"), say("Dossiers")
        return [
            *self._key_columns(),
            Column(name="numerator", kind="int", group=late),
            Column(name="denominator", kind="int", group=late),
            Column(name="estimate", kind="percent", decimals=1, group=late, label=say("Share late")),
            self._interval(late),
            *(Column(name=name, kind="int", group=flow) for name in STOCKS),
            Column(name="n_missing", kind="int"),
        ]


def on_time(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    definition: Definition = "closed",
    deadline: Deadline = "original",
    compare: Comparison = "timestamps",
    level: float = 0.95,
) -> LateShares:
    """Share of late dossiers, and of those on time, by one definition.

    ``estimate = numerator / denominator``, ``on_time = 1 - estimate``.

    Parameters
    ----------
    log
        The dossiers.
    period
        ``2026-Q3`` and the like; all of the log by default.
    by
        Columns of ``dossiers`` to group by, or ``month`` (of reception).
    definition
        What late means: ``closed, gia_lai, due_base, cohort, portal_766, form_06a``; the notes say it in words.
    deadline
        ``original``: the first appointment; ``effective``: what the law makes of it after a supplement or an
        extension; ``portal``: with the time of a supplement taken off; ``latest``: the last appointment.
    compare
        ``timestamps`` or ``dates``, for the first four definitions; ``portal_766`` compares timestamps and ``form_06a``
        dates by what they are.
    level
        Coverage of the interval.

    Returns
    -------
    LateShares
        by…, ``numerator, denominator, estimate`` (the share late), ``on_time, low, high, n, n_missing, carried,
        received, closed, open, open_overdue``; groups with no dossier in the period are left out.

    Notes
    -----
    Wilson's interval, which rests on no standard error and no degrees of freedom: it takes the period's dossiers as
    drawn from the way the office works; as a count of this period the share is exact.
    ``carried + received = closed + open``; a remainder is named in the notes.

    References
    ----------
    Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> on_time(example_log(), period="2026-Q2").rows[["numerator", "denominator", "closed", "open"]].values.tolist()
    [[1, 3, 3, 2]]
    """
    word, span, columns = meaning(definition), window(log, period), group_columns(by)
    parts = [f"{definition}_{part}" for part in ("numerator", "denominator", "missing")]
    counts = count_late(
        log, word.query, span, by=columns, deadline=deadline, compare=compare, only=[*STOCKS, "left_out", *parts]
    )
    left_out = int(counts["left_out"].sum())
    in_hand = counts["carried"] + counts["received"] > 0
    if columns and not in_hand.all():
        counts = counts[in_hand]
    counts = sorted_groups(counts, columns)
    rates = rate(counts, definition, level=level)
    rates.insert(RATE.index("low"), "on_time", 1 - rates["estimate"])
    rows = pd.concat([counts[list(columns)], rates, counts[list(STOCKS)]], axis=1)
    return LateShares(
        rows=rows,
        by=columns,
        level=level,
        title=say("Late dossiers{by}, {period}", by=by_words(columns), period=span.label),
        notes=(
            word.words(),
            deadline_words(deadline, word.query),
            *compare_words(compare, word.query),
            *_notes(rows, word, span, level),
            *left_out_words(left_out),
        ),
        source=log.source,
    )


def count_late(
    log: DossierLog,
    query: str,
    span: Window,
    *,
    by: tuple[str, ...] = (),
    deadline: Deadline,
    compare: Comparison = "timestamps",
    only: Sequence[str] = (),
) -> pd.DataFrame:
    """The counts behind the definitions of one query, as whole numbers; all of them, or ``only`` some."""
    if compare not in get_args(Comparison):
        raise KhaosatError(f"compare is {compare!r}: it must be {' or '.join(get_args(Comparison))}")
    if query == "portal_766" and deadline != "latest":
        deadline = "original"  # its own rule takes the supplement off; it must not be taken off twice
    values: dict[str, Value] = {"start": span.start, "finish": span.finish, "now": span.now, "last": span.last,
                                "known": span.known, "as_of": span.as_of, "at_snapshot": span.at_snapshot,
                                "by_dates": compare == "dates"}  # fmt: skip
    frame = ask(log.engine, query, by=by, deadline=deadline, of=None, ended=ENDED, only=only, **values)
    numbers = [column for column in frame.columns if column not in by and frame[column].dtype != "int64"]
    # A sum over no row at all is null in SQL.
    frame[numbers] = frame[numbers].fillna(0).astype("int64")
    return frame


def rate(counts: pd.DataFrame, definition: str, *, level: float) -> pd.DataFrame:
    """The columns :data:`RATE` of one definition."""
    late, base = counts[f"{definition}_numerator"], counts[f"{definition}_denominator"]
    low, high = wilson(late, base, level=level)
    return pd.DataFrame({
        "numerator": late, "denominator": base, "estimate": share(late, base), "low": low, "high": high, "n": base,
        "n_missing": counts[f"{definition}_missing"],
    })  # fmt: skip


def compare_words(compare: Comparison, *queries: str) -> list[str]:
    """What was compared, where the definitions leave a choice."""
    if "lateness" not in queries or compare == "timestamps":
        return []
    return [say("Dates are compared: what ends later on the due day is on time.")]


def _notes(rows: pd.DataFrame, word: Meaning, span: Window, level: float) -> list[str]:
    notes = [say("Interval: Wilson, {level}.", level=percent(level, 0))]
    total = rows[[*STOCKS, "n_missing"]].sum()
    if not total["carried"] + total["received"]:
        notes.append(say("No dossier was in hand in {period}.", period=span.label))
    if total["n_missing"]:
        words = "{n} dossiers without a due date are in neither numerator nor denominator."
        if word.id == "portal_766":
            words = "{n} dossiers without due date and legal term are in neither numerator nor denominator."
        notes.append(say(words, n=int(total["n_missing"])))
    if word.id in ("closed", "form_06a") and total["open"]:
        notes.append(
            say(
                "{open} dossiers were still open at the end, {overdue} of them overdue; they are not in this share.",
                open=int(total["open"]),
                overdue=int(total["open_overdue"]),
            )
        )
    small = int(((rows["n"] > 0) & (rows["n"] < SMALL_GROUP)).sum()) if len(rows) > 1 else 0
    if small:
        notes.append(
            say("{n} groups have fewer than {small} dossiers: read their intervals, not their ranks.", n=small,
                small=SMALL_GROUP)
        )  # fmt: skip
    if "month" in rows:
        notes.append(say("Month: the month of reception."))
    difference = int(total["carried"] + total["received"] - total["closed"] - total["open"])
    return [*notes, *mismatch(difference), *span.notes()]


def mismatch(difference: int) -> list[str]:
    """A sentence where stocks and flows do not add up."""
    if not difference:
        return []
    return [
        say(
            "The stocks do not reconcile: {n} dossiers received in the period are dated as ended before it began.",
            n=difference,
        )
    ]


def left_out_words(n: int) -> list[str]:
    """A sentence on dossiers that no count can place."""
    if not n:
        return []
    return [say("{n} dossiers are in no count: they have no reception date, or have ended without an end date.", n=n)]
