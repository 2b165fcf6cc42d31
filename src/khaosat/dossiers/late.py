"""Which dossiers are late, and which procedures or units most of them come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import Definition, deadline_words
from khaosat.dossiers.gate import officers_gate
from khaosat.dossiers.lateness import on_time
from khaosat.dossiers.result import DossierResult, by_words
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, ask
from khaosat.errors import KhaosatError
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LISTED = 50
MOVED = ("effective", "portal")
"""Deadlines that may differ from every appointment: the rows say why."""
_PRIVATE = ("dossier_id", "officer")


@dataclass(frozen=True, eq=False, kw_only=True)
class LateList(DossierResult):
    """Late dossiers, the latest first.

    ``procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at, due_at,
    finished_at`` (missing: still open), ``working_days_late, worked_hours_late, unit, step`` (where it last was); an
    internal list has ``dossier_id`` first and ``officer`` last. By the effective or the portal's deadline, also
    ``effective_reason`` or ``portal_reason``: why it is not the first appointment.
    """

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""  # a list by order of the committee, without ids

    @property
    def keys(self) -> list[str]:
        """What names a dossier: its id, or its procedure in a list without ids."""
        return ["dossier_id" if "dossier_id" in self.rows else "procedure_name"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """How late the listed dossiers are, as a histogram of working days."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, WIDTH, theme

        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 2.6))
            days = self.rows["working_days_late"].dropna().to_numpy(float)
            if len(days):
                ax.hist(days, bins="sturges", color=BLUE, edgecolor="white")
            ax.set_xlabel(say("Working days late"))
            ax.set_ylabel(say("Dossiers"))
        return ax

    def _columns(self) -> Sequence[Column]:
        columns = [
            Column(name="procedure_name"),
            Column(name="responsible_unit"),
            Column(name="received_at", kind="date"),
            Column(name="due_at", kind="date"),
            Column(name="finished_at", kind="date"),
            Column(name="working_days_late", kind="int"),
            Column(name="step"),
            *(Column(name=f"{deadline}_reason") for deadline in MOVED if f"{deadline}_reason" in self.rows),
        ]
        if "dossier_id" in self.rows:
            named = [Column(name="officer")] if "officer" in self.rows else []
            columns = [Column(name="dossier_id"), *columns, *named]
        return columns


@dataclass(frozen=True, eq=False, kw_only=True)
class LatePareto(DossierResult):
    """Where late dossiers come from: by…, ``numerator, denominator, estimate, low, high, n, share, cumulative_share``.

    ``share`` is the group's part of all late dossiers, ``cumulative_share`` that of the groups down to it.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bars of late dossiers, the largest on top, each with the cumulative share."""
        import textwrap

        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, WIDTH, theme

        rows = self.worded()[~self._small_cells()]
        labels = [textwrap.fill(" · ".join(row), 44) for row in rows[list(self.by)].itertuples(index=False)]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.36 * len(rows) + 0.8)))
            place = np.arange(len(rows))[::-1]
            ax.barh(place, rows["numerator"], color=BLUE, height=0.65)
            for y, late, part in zip(place, rows["numerator"], rows["cumulative_share"], strict=True):
                words = say("{late} (together {share})", late=int(late), share=percent(part))
                ax.annotate(words, (late, y), xytext=(4, 0), textcoords="offset points", va="center")
            ax.set_yticks(place, labels)
            ax.set_xlim(0, max(1, rows["numerator"].max() if len(rows) else 1) * 1.45)
            ax.set_xlabel(say("Late dossiers"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share late")),
            self._interval(),
            Column(name="share", kind="percent", decimals=1),
            Column(name="cumulative_share", kind="percent", decimals=1),
        ]


def late_list(
    log: DossierLog,
    *,
    top: int | None = None,
    internal: bool = False,
    period: Period | str | None = None,
    deadline: Deadline = "original",
) -> LateList:
    """The late dossiers themselves: closed late in the period, or open and overdue at its end.

    Parameters
    ----------
    log
        The dossiers.
    top
        At most so many, the latest first; None: 50.
    internal
        With dossier ids and officers' names: not for publication. The names stay out where the quality gate
        (:func:`khaosat.dossiers.dossier_quality`) is closed.
    period
        All of the log by default.
    deadline
        As in :func:`khaosat.dossiers.on_time`.

    Returns
    -------
    LateList
        Working days late are those after the due date up to the end (or the period's end); 0: late on the due day.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> late_list(example_log(), internal=True).rows[["dossier_id", "working_days_late"]].values.tolist()
    [['D', 31], ['B', 2]]
    """
    limit = LISTED if top is None else top
    if limit < 1:
        raise KhaosatError(f"top is {top}: list at least one dossier")
    span = window(log, period)
    rows = ask(log.engine, "late_list", deadline=deadline, ended=ENDED, start=span.start, finish=span.finish,
               now=span.now, last=span.last, as_of=span.as_of, top=limit)  # fmt: skip
    rows["worked_seconds_late"] = rows["worked_seconds_late"].astype("float64") / 3600
    rows = rows.rename(
        columns={"deadline": "due_at", "closed_at": "finished_at", "worked_seconds_late": "worked_hours_late"}
    )
    rows["working_days_late"] = rows["working_days_late"].astype("Int64")
    rows = rows.rename(columns={"reason": f"{deadline}_reason"}) if deadline in MOVED else rows.drop(columns="reason")
    blocked = officers_gate(log).words() if internal else []
    if not internal:
        rows = rows.drop(columns=list(_PRIVATE))
    elif blocked:
        rows = rows.drop(columns="officer")
    notes = [
        deadline_words(deadline),
        say("At most {n} dossiers, the latest first; no finishing date: still open.", n=limit),
        say("Internal: holds dossier codes and officers' names, not for publication.")
        if internal
        else say("Dossier codes and officers' names are left out."),
        *blocked,
        *span.notes(),
    ]
    if rows.empty:
        notes.append(say("No dossier was late in {period}.", period=span.label))
    return LateList(
        rows=rows, unit="days", title=say("The latest of the late dossiers, {period}", period=span.label),
        notes=tuple(notes), source=log.source,
    )  # fmt: skip


def late_pareto(
    log: DossierLog,
    by: str | Sequence[str] = "procedure_name",
    *,
    period: Period | str | None = None,
    top: int = 10,
    definition: Definition = "closed",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> LatePareto:
    """The groups that most late dossiers come from, largest first, with the cumulative share of all late dossiers.

    Parameters
    ----------
    log, period, definition, deadline, level
        As in :func:`khaosat.dossiers.on_time`.
    by
        Columns to group by.
    top
        At most so many groups.

    Returns
    -------
    LatePareto
        Groups with at least one late dossier.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> late_pareto(example_log(), "field", definition="gia_lai").rows[["field", "cumulative_share"]].values.tolist()
    [['Đất đai', 1.0]]
    """
    result = on_time(log, period=period, by=by, definition=definition, deadline=deadline, level=level)
    total = int(result.rows["numerator"].sum())
    rows = result.rows[result.rows["numerator"] > 0]
    rows = rows.sort_values(["numerator", "denominator"], ascending=[False, True], kind="stable")
    rows = rows.assign(share=rows["numerator"] / max(total, 1))
    rows = rows.assign(cumulative_share=rows["numerator"].cumsum() / max(total, 1))
    kept = rows.head(top).reset_index(drop=True)
    notes = [*result.notes]
    if len(rows) > len(kept):
        notes.append(
            say("{n} more groups have {late} late dossiers together.", n=len(rows) - len(kept),
                late=total - int(kept["numerator"].sum()))
        )  # fmt: skip
    names = [*result.by, "numerator", "denominator", "estimate", "low", "high", "n", "n_missing", "share",
             "cumulative_share"]  # fmt: skip
    return LatePareto(
        rows=kept[names],
        by=result.by,
        level=level,
        title=say("Where late dossiers come from{by}, {period}", by=by_words(result.by),
                  period=window(log, period).label),
        notes=tuple(notes), source=log.source,
    )  # fmt: skip
