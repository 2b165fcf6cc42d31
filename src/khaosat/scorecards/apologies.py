"""What is owed for a late dossier: an apology in time, its three contents, one re-appointment, the new date kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts import privacy_threshold
from khaosat.facts.language import percent, say
from khaosat.scorecards.late_words import generic_reasons
from khaosat.scorecards.rules import force_notes, in_force, label
from khaosat.show.privacy import small_cells
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FULFILLED = "fulfilled"
TEMPLATE_LETTERS = 5
"""A sentence in fewer letters than this is a coincidence, not a template; a convention of khaosat."""
_GROUPS_SHOWN = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class ApologyDuty(DossierResult):
    """Duties on late dossiers: by…, ``duty, label, numerator`` (dossiers that meet it), ``denominator, estimate, low,
    high, n`` (late dossiers), ``n_missing`` (of ``n``, those that the duty cannot be judged for).

    ``duty``: ``sent, in_time, with_reason, with_date, contents, specific, once, kept, fulfilled``. Where the source
    keeps no appointments, numerators and shares are missing, which is not 0.
    """

    @property
    def keys(self) -> list[str]:
        """The groups and the duty."""
        return [*self.by, "duty"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Shares that meet each duty; by group, the share that meets them all, the lowest on top."""
        from khaosat.show.plots import intervals

        rows = self.worded()[~self._small_cells()].dropna(subset=["estimate"])
        keys = ["label"]
        if self.by:
            rows = rows[rows["duty"] == FULFILLED].sort_values("estimate", kind="stable").head(_GROUPS_SHOWN)
            keys = list(self.by)
        ax = intervals(rows, keys=keys, unit="share", ax=ax)
        ax.set_xlabel(say("All duties met (% of late dossiers)") if self.by else say("Met (%)"))
        ax.set_xlim(-3, 103)
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="label", label=say("Duty")),
            Column(name="numerator", kind="int", label=say("Met")),
            Column(name="denominator", kind="int", label=say("Judged")),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share met")),
            self._interval(),
        ]

    def _small_cells(self) -> pd.Series:
        """Every row of a group with too few late dossiers; the city's own rows are no group."""
        if not self.by or self.rows.empty:
            return pd.Series(False, index=self.rows.index)
        place = self.rows.groupby(list(self.by), sort=False, dropna=False).ngroup()
        sizes = self.rows.groupby(place, sort=False)["n"].first()
        return place.map(small_cells(sizes, threshold=privacy_threshold("dossiers"))).astype(bool)


def apology_duty(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    template_share: float | None = None,
    level: float = 0.95,
) -> ApologyDuty:
    """Whether late dossiers got the apology, the reason and the new date that are owed for them.

    ``estimate = numerator / denominator``; the denominator is every late dossier, for ``kept`` those with a new date
    that has come.

    Parameters
    ----------
    log
        The dossiers and their appointments.
    period
        Late: closed in it after the first appointment, or open and overdue at its end. All of the log by default.
    by
        Columns of ``dossiers`` to group by.
    template_share
        A reason word for word in at least this share of the letters that give one, and in five, is boiler-plate; by
        default as in ``facts/rules/apology_duties.csv`` (evidence grade D).
    level
        Coverage of the interval (Wilson).

    Returns
    -------
    ApologyDuty
        A row a group and duty.

    Notes
    -----
    The letter is the first apology sent. In time: so many working days before the first appointment as the rule in
    force on the day of reception asks. A dossier never re-appointed meets ``once``; the first new date is the one to
    keep. A new date that has not come breaks nothing in ``fulfilled``.

    References
    ----------
    Decree 61/2018/NĐ-CP, article 19.9; Directive 06/CT-UBND of Ho Chi Minh City, 2023-10-18;
    ``docs/methods/xin-loi.md``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> apology_duty(example_log(), period="2026-Q2").rows[["duty", "numerator", "denominator"]].values.tolist()[0]
    ['sent', <NA>, 2]
    """
    columns, span = group_columns(by), window(log, period)
    asked = None if period is None else as_period(period)
    duties = in_force("apology_duties", asked)
    limits = duties.set_index("id")["limit"]
    part = float(limits["specific"]) if template_share is None else template_share
    if not 0 < part <= 1:
        raise KhaosatError(f"template_share is {template_share}: it must be above 0 and at most 1")
    counts = ask(
        log.engine, "apology_duty", by=columns, deadline="original", ended=ENDED, start=span.start, finish=span.finish,
        now=span.now, notice=int(limits["in_time"]), most=int(limits["once"]), generic=generic_reasons(),
        least=TEMPLATE_LETTERS, permille=round(1000 * part),
    )  # fmt: skip
    numbers = [name for name in counts.columns if name not in columns]
    counts[numbers] = counts[numbers].fillna(0).astype("int64")
    rows = _rows(sorted_groups(counts, columns), columns, duties, recorded="appointments" in log.tables, level=level)
    return ApologyDuty(
        rows=rows, by=columns, level=level, source=log.source,
        title=say("Duties on late dossiers: apology, reason, new date{by}, {period}", by=by_words(columns),
                  period=span.label),
        notes=(deadline_words("original"), *_notes(log, int(counts["late"].sum()), part=part, level=level),
               *_sources(duties), *force_notes(duties, asked), *span.notes()),
    )  # fmt: skip


def _rows(
    counts: pd.DataFrame, by: tuple[str, ...], duties: pd.DataFrame, *, recorded: bool, level: float
) -> pd.DataFrame:
    """A row a group and duty; counts of nothing recorded are missing."""
    parts = []
    for _, duty in duties.iterrows():
        met = counts[duty["id"]]
        base = counts["promised"] if duty["id"] == "kept" else counts["late"]
        known = np.full(len(counts), recorded)
        low, high = wilson(met, base, level=level)
        parts.append(
            counts[list(by)].assign(
                duty=duty["id"], label=label(duty), numerator=met.astype("Int64").where(known), denominator=base,
                estimate=np.where(known, share(met, base), np.nan), low=np.where(known, low, np.nan),
                high=np.where(known, high, np.nan), n=counts["late"],
                n_missing=counts["late"] - (base if recorded else 0),
            )
        )  # fmt: skip
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def _notes(log: DossierLog, late: int, *, part: float, level: float) -> list[str]:
    notes = [
        say("Late: closed in the period after the deadline, or open and overdue at its end; each duty is over all of "
            "them, the new date over those re-appointed to a date that has come."),
        say("A reason is boiler-plate if it is one of {n} phrases that say nothing, or stands word for word in at "
            "least {share} of the letters and in {letters} (evidence grade D).", n=len(generic_reasons()),
            share=percent(part, 0), letters=TEMPLATE_LETTERS),
        say("Interval: Wilson, {level}.", level=percent(level, 0)),
    ]  # fmt: skip
    if not late:
        return [say("No dossier was late."), *notes]
    if "appointments" not in log.tables:
        notes.insert(0, say("The source has no table of appointments: no data, which is not 0."))
    elif not log.engine.query("SELECT count(apology_sent_at) AS n FROM appointments")["n"][0].as_py():
        notes.insert(0, say("No apology is recorded anywhere in the log: check that the source keeps their dates."))
    return notes


def _sources(duties: pd.DataFrame) -> list[str]:
    """What the duties rest on: each source once, with its grade."""
    grades = duties.groupby("source", sort=False)["grade"].first()
    listed = "; ".join(f"{source} ({grade})" for source, grade in grades.items())
    return [say("Rules, with their evidence grades: {list}.", list=listed)]
