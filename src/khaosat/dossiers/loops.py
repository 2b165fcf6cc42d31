"""Requests for supplements: how often, how late and with what words applicants are sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import ask, group_columns
from khaosat.facts import privacy_threshold, read_table
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COUNTS = ("asked", "asked_again", "requests", "repeats", "generic", "last_day", "first_requests", "after_term",
           "answered", "received")  # fmt: skip
_REASONS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class SupplementLoops(DossierResult):
    """Requests for supplements: by…, ``asked`` (dossiers), ``asked_again, estimate, low, high, n, requests, repeats,
    generic, generic_share, last_day, last_day_share, first_requests, after_term, after_term_share, answered,
    mean_days, median_days`` (working days from a request to its completion), ``received``.

    ``estimate = asked_again / asked`` and ``n = asked``.

    Parameters
    ----------
    reasons
        ``reason, n, share, is_generic``: the commonest reasons word for word, those given often enough to name nobody.
    """

    reasons: pd.DataFrame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share of dossiers asked more than once, with its interval."""
        from khaosat.show.plots import intervals

        rows = self.worded().assign(all=say("All dossiers"))[~self._small_cells()].dropna(subset=["estimate"])
        rows = rows.sort_values("estimate", ascending=False, kind="stable").head(20)
        ax = intervals(rows, keys=self.keys or ["all"], unit="share", ax=ax)
        ax.set_xlabel(say("Asked more than once (% of dossiers asked)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        dossiers, requests, wait = say("Dossiers"), say("Requests"), say("Working days until supplied")
        return [
            *self._key_columns(),
            Column(name="asked", kind="int", group=dossiers),
            Column(name="asked_again", kind="int", group=dossiers),
            Column(name="estimate", kind="percent", decimals=1, group=dossiers, label=say("Share asked again")),
            self._interval(dossiers),
            Column(name="requests", kind="int", group=requests, label=say("In all")),
            Column(name="generic_share", kind="percent", decimals=1, group=requests),
            Column(name="last_day_share", kind="percent", decimals=1, group=requests),
            Column(name="after_term_share", kind="percent", decimals=1, group=requests),
            Column(name="mean_days", kind="number", decimals=1, group=wait, label=say("Mean")),
            Column(name="median_days", kind="number", decimals=1, group=wait, label=say("Median")),
        ]


def supplement_loops(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> SupplementLoops:
    """How often applicants are asked for supplements, again, on the last day, and for reasons that say nothing.

    Parameters
    ----------
    log
        The dossiers and their supplements.
    period
        The period in which a request was made; all of the log by default.
    by
        Columns of ``dossiers`` to group by.
    level
        Coverage of the interval of the share asked again (Wilson).

    Returns
    -------
    SupplementLoops
        by…, counts and shares; field ``reasons``.

    Notes
    -----
    A dossier is asked again if a request of the period was not its first. A reason says nothing if it is empty or, full
    stops aside, one of ``facts/codes/generic_reasons.csv``. The last day is that of the deadline as it was then, or
    later. Only first requests are held against the days a rule gives for checking (``facts/rules/deadline_rules.csv``).

    References
    ----------
    Decree 61/2018/NĐ-CP, article 17 (guide once and fully) and article 19.4; Directive 06/CT-UBND of Ho Chi Minh City,
    2023-10-18 (notices that come late or are generic).

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> supplement_loops(example_steps()).rows[["asked", "asked_again", "generic"]].values.tolist()
    [[1, 0, 1]]
    """
    columns, span = group_columns(by), window(log, period)
    generic = list(read_table("codes/generic_reasons.csv")["reason"])
    rows = sorted_groups(
        ask(log.engine, "supplement_loops", by=columns, generic=generic, start=span.start, finish=span.finish), columns
    )
    rows[list(_COUNTS)] = rows[list(_COUNTS)].fillna(0).astype("int64")
    if columns:
        rows = rows[rows["asked"] > 0].reset_index(drop=True)
    reasons = ask(log.engine, "supplement_reasons", generic=generic, least=privacy_threshold("dossiers"), top=_REASONS,
                  start=span.start, finish=span.finish)  # fmt: skip
    reasons.insert(2, "share", share(reasons["n"], [rows["requests"].sum()] * len(reasons)))
    rows["n"] = rows["asked"]
    rows["estimate"] = share(rows["asked_again"], rows["asked"])
    rows["low"], rows["high"] = wilson(rows["asked_again"], rows["asked"], level=level)
    rows["generic_share"] = share(rows["generic"], rows["requests"])
    rows["last_day_share"] = share(rows["last_day"], rows["requests"])
    rows["after_term_share"] = share(rows["after_term"], rows["first_requests"])
    rows["mean_days"] = share(rows["days_sum"].fillna(0), rows["answered"])
    rows["median_days"] = rows["days_median"].astype("float64")
    names = ["asked", "asked_again", "estimate", "low", "high", "n", "requests", "repeats", "generic", "generic_share",
             "last_day", "last_day_share", "first_requests", "after_term", "after_term_share", "answered", "mean_days",
             "median_days", "received"]  # fmt: skip
    return SupplementLoops(
        rows=rows[[*columns, *names]], by=columns, level=level,
        reasons=reasons.assign(is_generic=reasons["is_generic"] == 1),
        notes=tuple([*_notes(log, rows), *span.notes()]), source=log.source,
        title=say("Requests for supplements{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip


def _notes(log: DossierLog, rows: pd.DataFrame) -> list[str]:
    if "supplements" not in log.tables:
        return [say("The source has no table of supplements.")]
    asked, received = int(rows["asked"].sum()), int(rows["received"].sum())
    notes = [
        say("A reason is generic if it is empty or only says that something is missing (list of {n} phrases, evidence "
            "grade D).", n=len(read_table("codes/generic_reasons.csv"))),
        say("Last day: asked on the day of the deadline or after it. After the checking time: first requests later "
            "than the working days that the rule in force gives."),
    ]  # fmt: skip
    if asked and received:
        notes.append(say("{asked} dossiers were asked, {share} of as many as were received in the period.", asked=asked,
                         share=percent(asked / received)))  # fmt: skip
    return notes
