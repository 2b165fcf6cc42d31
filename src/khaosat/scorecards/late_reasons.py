"""Why dossiers are late, by the reasons that offices record for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.facts import privacy_threshold
from khaosat.facts.language import percent, say
from khaosat.scorecards.late_words import cause_of, causes, fault_words, generic_reasons
from khaosat.scorecards.rules import in_force, rule_notes
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

READ = 20_000
"""At most so many different reasons are read, the commonest first."""
_LISTED = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class LateCauses(DossierResult):
    """Recorded causes: by…, ``cause, label, fault`` (``subjective, objective, unknown``), ``numerator, denominator``
    (late dossiers with a reason), ``estimate, low, high, n, n_missing`` (late ones without), ``generic`` (of the
    numerator, reasons that say nothing).

    Parameters
    ----------
    reasons
        ``reason, cause, n, share, is_generic``: the commonest reasons, those given often enough to name nobody.
    faults
        ``fault, numerator, denominator, estimate, low, high``: the causes by whose they are, all groups together.
    """

    reasons: pd.DataFrame
    faults: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """The groups and the cause."""
        return [*self.by, "cause"]

    def worded(self) -> pd.DataFrame:
        """The rows with faults in words."""
        rows = super().worded()
        return rows.assign(fault=rows["fault"].map(fault_words()))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Shares of the recorded causes with intervals, the commonest on top."""
        from khaosat.show.plots import intervals

        rows = self.worded()[~self._small_cells()].dropna(subset=["estimate"])
        rows = rows.sort_values("estimate", ascending=False, kind="stable").head(20)
        ax = intervals(rows, keys=[*self.by, "label"], unit="share", ax=ax)
        ax.set_xlabel(say("Of the late dossiers with a recorded reason (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="label", label=say("Recorded cause")),
            Column(name="fault", label=say("Subjective or objective")),
            Column(name="numerator", kind="int", label=say("Dossiers")),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share")),
            self._interval(),
            Column(name="generic", kind="int"),
        ]


def late_causes(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> LateCauses:
    """The causes that offices record for late dossiers, by phrases anybody can read.

    ``estimate = dossiers of the cause / late dossiers with a recorded reason``.

    Parameters
    ----------
    log
        The dossiers and their appointments.
    period
        Late: closed in it after the first appointment, or open and overdue at its end. All of the log by default.
    by
        Columns of ``dossiers`` to group by.
    level
        Coverage of the interval (Wilson).

    Returns
    -------
    LateCauses
        A row a group and cause that was recorded, the commonest first; fields ``reasons`` and ``faults``.

    Notes
    -----
    The reason is that of the first entry on the appointment that gives one; it belongs to the first cause of
    ``facts/rules/late_causes.csv`` of which a phrase stands in it. A recorded reason is what the office says, not what
    happened: :func:`khaosat.bottlenecks` measures where the time went.

    References
    ----------
    Da Nang, 2023-04-21; Directive 06/CT-UBND of Ho Chi Minh City, 2023-10-18; ``docs/methods/xin-loi.md``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> late_causes(example_log()).rows.empty
    True
    """
    columns, span = group_columns(by), window(log, period)
    found = ask(log.engine, "late_reasons", by=columns, deadline="original", ended=ENDED, start=span.start,
                finish=span.finish, now=span.now, top=READ)  # fmt: skip
    found["n"] = found["n"].astype("int64")
    given = found[found["reason"].notna()].assign(cause=lambda frame: [cause_of(text) for text in frame["reason"]])
    given["is_generic"] = given["reason"].isin(generic_reasons())
    return LateCauses(
        rows=_rows(found, given, columns, level=level), reasons=_reasons(given), faults=_faults(given, level=level),
        by=columns, level=level, source=log.source,
        title=say("Recorded causes of late dossiers{by}, {period}", by=by_words(columns), period=span.label),
        notes=(*_notes(log, found, given, level=level), deadline_words("original"),
               *rule_notes(in_force("late_causes", None), None), *span.notes()),
    )  # fmt: skip


def _rows(found: pd.DataFrame, given: pd.DataFrame, by: tuple[str, ...], *, level: float) -> pd.DataFrame:
    names = causes().rename(columns={"id": "cause"})
    counted = given.assign(generic=given["n"].where(given["is_generic"], 0))
    rows = counted.groupby([*by, "cause"], sort=False, dropna=False)[["n", "generic"]].sum().reset_index()
    rows = rows.rename(columns={"n": "numerator"}).merge(names, on="cause", how="left")
    every = found.assign(bare=found["n"].where(found["reason"].isna(), 0), all=0)
    sums = every.groupby([*by, "all"], sort=False, dropna=False)[["n", "bare"]].sum().reset_index()
    rows = rows.assign(all=0).merge(sums, on=[*by, "all"], how="left")
    rows["denominator"] = rows["n"] - rows["bare"]
    rows["estimate"] = share(rows["numerator"], rows["denominator"])
    rows["low"], rows["high"] = wilson(rows["numerator"], rows["denominator"], level=level)
    rows["n_missing"], rows["n"] = rows["bare"], rows["denominator"]
    rows = rows.sort_values(["numerator", "cause"], ascending=[False, True], kind="stable").reset_index(drop=True)
    columns = [*by, "cause", "label", "fault", "numerator", "denominator", "estimate", "low", "high", "n", "n_missing",
               "generic"]  # fmt: skip
    return sorted_groups(rows, by)[columns]


def _reasons(given: pd.DataFrame) -> pd.DataFrame:
    sums = given.groupby(["reason", "cause", "is_generic"], sort=False)["n"].sum().reset_index()
    sums["share"] = share(sums["n"], [sums["n"].sum()] * len(sums))
    sums = sums[sums["n"] >= privacy_threshold("dossiers")].sort_values(["n", "reason"], ascending=[False, True])
    return sums.head(_LISTED).reset_index(drop=True)[["reason", "cause", "n", "share", "is_generic"]]


def _faults(given: pd.DataFrame, *, level: float) -> pd.DataFrame:
    fault = causes().set_index("id")["fault"]
    sums = given.groupby(given["cause"].map(fault))["n"].sum().reindex(list(fault_words()), fill_value=0)
    total = [int(sums.sum())] * len(sums)
    low, high = wilson(sums, total, level=level)
    return pd.DataFrame({
        "fault": sums.index, "numerator": sums.to_numpy(), "denominator": total, "estimate": share(sums, total),
        "low": low, "high": high,
    })  # fmt: skip


def _notes(log: DossierLog, found: pd.DataFrame, given: pd.DataFrame, *, level: float) -> list[str]:
    late, said = int(found["n"].sum()), int(given["n"].sum())
    if "appointments" not in log.tables:
        return [say("The source has no table of appointments: no data, which is not 0.")]
    if not late:
        return [say("No dossier was late.")]
    notes = [
        say("{said} of {late} late dossiers have a recorded reason; shares are of these.", said=said, late=late),
        say("What the office wrote, not what was measured: the bottlenecks of the steps show where the time went."),
        say("A reason belongs to the first cause of the list of which a phrase stands in it. Interval: Wilson, "
            "{level}.", level=percent(level, 0)),
    ]  # fmt: skip
    if said:
        generic = int(given.loc[given["is_generic"], "n"].sum())
        notes.insert(1, say("{share} of these reasons say nothing in particular: such a cause may hide another.",
                            share=percent(generic / said)))  # fmt: skip
    if len(found) >= READ:
        notes.append(say("Only the {n} commonest reasons were read.", n=READ))
    return notes
