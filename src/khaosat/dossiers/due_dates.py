"""The three deadlines side by side: how many dossiers are late by each, and why the verdicts differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.domain.rules import DeadlineRule
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEADLINES = ("original", "effective", "portal")
REASONS = ("rule", "portal_rule", "effective_reason", "portal_reason")
VERDICTS = ("late_original", "late_effective", "late_portal", "excused_effective", "excused_portal", "charged_portal")
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, eq=False, kw_only=True)
class DeadlineReasons(DossierResult):
    """Why the three deadlines differ: by…, the rules in force and reasons, ``n`` and the verdicts.

    Parameters
    ----------
    rows
        by…, :data:`REASONS`, ``n, n_missing``, :data:`VERDICTS`: late by each deadline, late by the original but not
        by the effective (``excused_effective``) or the portal's (``excused_portal``), late by the portal's alone
        (``charged_portal``).
    rules
        The rules, for their names.
    """

    rules: Sequence[DeadlineRule]

    @property
    def keys(self) -> list[str]:
        """The groups, rules and reasons."""
        return [*self.by, *REASONS]

    def worded(self) -> pd.DataFrame:
        """The rows with rules by name."""
        names = {rule.id: rule.name for rule in self.rules}
        return super().worded().replace({"rule": names, "portal_rule": names})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Dossiers whose verdict changes, by reason."""
        import textwrap

        import matplotlib.pyplot as plt

        from khaosat.facts.language import number
        from khaosat.show.theme import BLUE, VERMILION, WIDTH, theme

        rows = self.worded()[~self._small_cells()]
        names = ["excused_effective", "excused_portal", "charged_portal"]
        sums = rows.groupby("effective_reason", sort=False)[names].sum()
        sums = sums[sums.sum(axis=1) > 0]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.75 * len(sums) + 1.0)))
            place = np.arange(len(sums))[::-1]
            labels = (say("no longer late by the effective deadline"), say("no longer late by the portal's"),
                      say("late by the portal's alone"))  # fmt: skip
            looks = ((BLUE, 1.0), (BLUE, 0.5), (VERMILION, 1.0))
            for i, (name, label, (colour, alpha)) in enumerate(zip(names, labels, looks, strict=True)):
                at = place + 0.25 - 0.25 * i
                ax.barh(at, sums[name], height=0.23, color=colour, alpha=alpha)
                for y, n in zip(at, sums[name], strict=True):
                    ax.annotate(f"{number(int(n))} {label}", (n, y), xytext=(4, 0), textcoords="offset points",
                                va="center", fontsize="small")  # fmt: skip
            ax.set_yticks(place, [textwrap.fill(str(reason), 30) for reason in sums.index])
            ax.set_xlim(0, 2.2 * max(1, int(sums.to_numpy().max()) if len(sums) else 1))
            ax.set_xlabel(say("Dossiers"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
        return ax

    def _columns(self) -> Sequence[Column]:
        late, moved = say("Late"), say("Change of verdict")
        return [
            *self._key_columns(),
            Column(name="rule"),
            Column(name="effective_reason"),
            Column(name="portal_reason"),
            Column(name="n", kind="int", label=say("Dossiers")),
            *(Column(name=name, kind="int", group=late) for name in VERDICTS[:3]),
            *(Column(name=name, kind="int", group=moved) for name in VERDICTS[3:]),
        ]


@dataclass(frozen=True, eq=False, kw_only=True)
class ThreeDeadlineShares(DossierResult):
    """Dossiers late by each deadline.

    by…, ``deadline, numerator, denominator, estimate`` (share late), ``low, high, n, n_missing``, and of the late the
    means ``working_days_late`` and ``worked_hours_late``.

    Parameters
    ----------
    why
        The same dossiers by rule and reason.
    """

    why: DeadlineReasons

    @property
    def keys(self) -> list[str]:
        """The groups and the deadline."""
        return [*self.by, "deadline"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Late shares by each deadline, with intervals."""
        from khaosat.show.plots import intervals

        rows = self.worded()[~self._small_cells()].dropna(subset=["estimate"])
        ax = intervals(rows, keys=self.keys, unit="share", ax=ax)
        ax.set_xlabel(say("Late (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        size = say("Late by, on average")
        return [
            *self._key_columns(),
            Column(name="deadline"),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share late")),
            self._interval(),
            Column(name="working_days_late", kind="number", decimals=1, group=size),
            Column(name="worked_hours_late", kind="number", decimals=1, group=size),
            Column(name="n_missing", kind="int"),
        ]


def deadlines(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> ThreeDeadlineShares:
    """The three deadlines compared: how many dossiers are late by each, by how much, and which verdicts change.

    ``original``: the first appointment. ``effective``: a lawful supplement starts the term anew, and one lawful
    extension counts. ``portal``: the wait for one supplement is added, a second request makes a dossier overdue.

    Parameters
    ----------
    log
        The dossiers.
    period
        ``2026-Q3`` and the like; all of the log by default.
    by
        Columns of ``dossiers`` to group by, or ``month`` (of reception).
    level
        Coverage of the interval.

    Returns
    -------
    ThreeDeadlineShares
        Three rows a group; all dossiers in hand in the period that have a due date: those closed in it are judged at
        their end, those still open at its end then. ``why`` says which rule applied and which verdicts it changed.

    Notes
    -----
    The deadlines are those known at the snapshot. :func:`khaosat.domain.deadlines.three_deadlines` computes them for
    one dossier. The effective deadline never lies before the original; the portal's may, after a second request.

    References
    ----------
    Decree 61/2018/NĐ-CP, articles 19.4 and 19.9; Decision 766/QĐ-TTg, indicator 2.1; rules with their grades in
    ``facts/rules/deadline_rules.csv``. Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> deadlines(example_log(), period="2026-Q2").rows[["deadline", "numerator", "denominator"]].values.tolist()
    [['original', 2, 5], ['effective', 2, 5], ['portal', 2, 5]]
    """
    columns, span = group_columns(by), window(log, period)
    found = ask(log.engine, "deadline_verdicts", by=columns, deadline="effective", ended=ENDED, start=span.start,
                finish=span.finish, now=span.now, last=span.last, as_of=span.as_of)  # fmt: skip
    numbers = [name for name in found.columns if name not in (*columns, *REASONS)]
    found = sorted_groups(found.astype(dict.fromkeys(numbers, "int64")), [*columns, *REASONS])
    why = DeadlineReasons(
        rows=found[[*columns, *REASONS, "n", "n_missing", *VERDICTS]], rules=log.rules, by=columns, level=level,
        source=log.source, unit="count",
        title=say("Why the deadlines differ{by}, {period}", by=by_words(columns), period=span.label),
        notes=(*_rule_words(log, found), *span.notes()),
    )  # fmt: skip
    return ThreeDeadlineShares(
        rows=_shares(found, columns, level=level),
        why=why,
        by=columns,
        level=level,
        title=say("Late dossiers by three deadlines{by}, {period}", by=by_words(columns), period=span.label),
        notes=(
            say("All dossiers in hand in the period: closed ones judged at their end, open ones at the period's end."),
            *_change_words(found),
            *_rule_words(log, found),
            say("Interval: Wilson, {level}.", level=percent(level, 0)),
            *span.notes(),
        ),
        source=log.source,
    )


def _shares(found: pd.DataFrame, by: tuple[str, ...], *, level: float) -> pd.DataFrame:
    """Three rows a group from the sums over its reasons."""
    numbers = [name for name in found.columns if name not in (*by, *REASONS)]
    if by:
        sums = found.groupby(list(by), sort=False, dropna=False)[numbers].sum().reset_index()
    else:
        sums = found[numbers].sum().to_frame().T
    parts = []
    for deadline in DEADLINES:
        late, base, clocked = sums[f"late_{deadline}"], sums["n"], sums[f"clocked_{deadline}"]
        low, high = wilson(late, base, level=level)
        part = sums[list(by)].assign(
            deadline=deadline, numerator=late, denominator=base, estimate=share(late, base), low=low, high=high, n=base,
            n_missing=sums["n_missing"], working_days_late=share(sums[f"days_{deadline}"], clocked),
            worked_hours_late=share(sums[f"seconds_{deadline}"], clocked * _SECONDS_AN_HOUR),
        )  # fmt: skip
        parts.append(part)
    rows = pd.concat(parts)
    return rows.sort_index(kind="stable").reset_index(drop=True)


def _change_words(found: pd.DataFrame) -> list[str]:
    sums = found[list(VERDICTS)].sum()
    return [
        say(
            "Of {late} dossiers late by the first appointment, {effective} are not by the effective deadline and "
            "{portal} not by the portal's; {charged} are late by the portal's alone.",
            late=int(sums["late_original"]), effective=int(sums["excused_effective"]),
            portal=int(sums["excused_portal"]), charged=int(sums["charged_portal"]),
        )
    ]  # fmt: skip


def _rule_words(log: DossierLog, found: pd.DataFrame) -> list[str]:
    """The rules that were in force, with their grades, and whether some dossiers came before them."""
    used = {*found["rule"].dropna(), *found["portal_rule"].dropna()}
    words = [
        say("Rule {label}. Grade {grade}.", label=rule.label, grade=rule.grade) for rule in log.rules if rule.id in used
    ]
    early = int(found.loc[(found[["effective_reason", "portal_reason"]] == "no_rule").any(axis=1), "n"].sum())
    if early:
        words.append(
            say("{n} dossiers were received before there was a rule: their first appointment stands.", n=early)
        )
    return words
