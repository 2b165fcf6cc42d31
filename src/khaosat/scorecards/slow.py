"""Who is to be named as slow: units in public, officials only inside the house and only from records fit for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.gate import officers_gate, placeholder_officers
from khaosat.dossiers.result import DossierResult
from khaosat.dossiers.step_grain import pausing_statuses, step_engine
from khaosat.dossiers.unit_comparison import STRATA, compare_units
from khaosat.dossiers.window import Window, window
from khaosat.engine.query import ask
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import number, percent, say
from khaosat.show.blocks import MIME
from khaosat.show.table import Column
from khaosat.stats.binomial import share, wilson
from khaosat.stats.standardised import exact_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 0.01
LEAST = 30
_JUDGED = ("far_above", "above", "usual", "below", "far_below")
_ROWS = ["numerator", "denominator", "share", "estimate", "low", "high", "city", "excess", "n"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SlowUnits(DossierResult):
    """Units, or officials, surely later than the city: ``responsible_unit`` (or ``officer, unit``), ``numerator,
    denominator, share`` (late, as counted), ``estimate`` (share late for dossiers of the city's mix; of officials as
    counted), ``low, high`` (together for all that were compared), ``city, excess`` (``estimate - city``), ``n``.

    Parameters
    ----------
    compared
        How many had enough dossiers to be compared.
    """

    compared: int = 0

    @property
    def keys(self) -> list[str]:
        """Who is named."""
        return list(self.by)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Shares late with their intervals, the highest excess on top, and the city's share."""
        from khaosat.show.plots import intervals
        from khaosat.show.theme import VERMILION

        rows = self.worded()
        ax = intervals(rows, keys=self.keys, unit="share", ax=ax)
        if len(rows):
            city = 100 * float(rows["city"].iloc[0])
            ax.axvline(city, color=VERMILION, linestyle="--", linewidth=1.2)
            ax.annotate(say("city: {share}", share=percent(city / 100)), (city, ax.get_ylim()[1]), xytext=(0, 3),
                        textcoords="offset points", color=VERMILION, annotation_clip=False)  # fmt: skip
        ax.set_xlabel(say("Late (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        named = "officer" in self.by
        label = say("Share late") if named else say("Share late at the city's mix of dossiers")
        return [
            *self._key_columns(),
            Column(name="numerator", kind="int", label=say("Late")),
            Column(name="denominator", kind="int", label=say("Dossiers")),
            *([] if named else [Column(name="share", kind="percent", decimals=1, label=say("Share late"))]),
            Column(name="estimate", kind="percent", decimals=1, label=label),
            Column(name=("low", "high"), kind="interval_percent", decimals=1,
                   label=say("{level} interval, together", level=percent(self.level, 0))),
            Column(name="city", kind="percent", decimals=1, label=say("City")),
        ]  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class SlowOfficials(SlowUnits):
    """Officials surely later than the others: internal, and left out of every report.

    It has no twin for reports: a notebook shows it, and whatever is built of that notebook does not hold it.
    """

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {kind: shown for kind, shown in super()._repr_mimebundle_(include, exclude).items() if kind != MIME}


def slow_units(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    officials: bool = False,
    internal: bool = False,
    margin: float = MARGIN,
    least: int = LEAST,
    strata: Sequence[str] = STRATA,
    level: float = 0.95,
) -> SlowUnits:
    r"""Units whose late share is above the city's by more than a margin, chance and mix of dossiers allowed for.

    Named where the lower limit of :math:`(O_u/E_u)\,L/N` is above :math:`L/N` + margin; nobody is named by rank.

    Parameters
    ----------
    log
        The dossiers; for officials also their steps.
    period
        Dossiers closed then; all of the log by default.
    officials
        Officials in place of units: late steps of their own, other people's waits left out. Needs ``internal``.
    internal
        That the reader knows the list is not for publication.
    margin
        How far above, in shares (a proposal of khaosat, evidence grade D).
    least
        Closed dossiers below which nobody is named (evidence grade D).
    strata
        What makes dossiers comparable, as in :func:`khaosat.compare_units`; units only.
    level
        Coverage of all intervals together (Bonferroni).

    Returns
    -------
    SlowUnits
        Those named, the highest excess first; often nobody.

    Raises
    ------
    KhaosatError
        For officials without ``internal``.

    Notes
    -----
    Officials are shown only where the quality gate (:func:`khaosat.dossiers.dossier_quality`) is open. Intervals: of
    units the exact Poisson limits of the ratio of late to expected, of officials Wilson's.

    References
    ----------
    Directive 06/CT-UBND of Ho Chi Minh City, 2023-10-18; ``docs/methods/xin-loi.md``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> slow_units(example_log()).rows.empty
    True
    """
    if least < 1 or not 0 <= margin < 1:
        raise KhaosatError(f"least is {least} and margin is {margin}: at least 1, and from 0 to below 1")
    if officials and not internal:
        raise KhaosatError(
            say("A list of officials is internal: ask for it with internal=True, and do not publish it.")
        )
    if officials:
        return _officials(log, window(log, period), margin=margin, least=least, level=level)
    found = compare_units(log, period=period, strata=strata, few=least, small=min(10, least), level=level)
    rows = found.rows[found.rows["flag"].isin(_JUDGED)]
    low, high = exact_limits(rows["numerator"], level=_each(len(rows), level))
    rows = rows.assign(denominator=rows["n"], city=found.city, estimate=rows["rate"],
                       low=(low / rows["expected"] * found.city).clip(upper=1.0),
                       high=(high / rows["expected"] * found.city).clip(upper=1.0))  # fmt: skip
    own = int((found.rows["flag"] == "alone").sum())
    alone = [say("{n} units are not judged: no other unit has dossiers like most of theirs.", n=own)] if own else []
    return SlowUnits(
        rows=_named(rows, ("responsible_unit",), margin=margin), by=("responsible_unit",), compared=len(rows),
        level=level, source=log.source,
        title=say("Units surely later than the city, {period}", period=window(log, period).label),
        notes=(*_notes(len(rows), city=found.city, margin=margin, least=least, level=level), *alone,
               say("The mix of dossiers is allowed for: what the same dossiers would come to at the city's rates."),
               *window(log, period).notes()),
    )  # fmt: skip


def _officials(log: DossierLog, span: Window, *, margin: float, least: int, level: float) -> SlowOfficials:
    blocked = officers_gate(log).words()
    rows = ask(
        step_engine(log), "officer_lateness", start=span.start, finish=span.finish, least=least,
        placeholders=placeholder_officers(), pausing=pausing_statuses(),
        names=[name.lower() for name in read_table("codes/consultation_steps.csv")["name"]],
    )  # fmt: skip
    if blocked:
        rows = rows.iloc[:0]
    counts = ["n", "late", "officers", "all_n", "all_late"]
    rows = rows.astype(dict.fromkeys(counts, "int64"))
    rows = rows.assign(numerator=rows["late"], denominator=rows["n"], share=share(rows["late"], rows["n"]))
    low, high = wilson(rows["late"], rows["n"], level=_each(len(rows), level))
    rows = rows.assign(estimate=rows["share"], low=low, high=high, city=share(rows["all_late"], rows["all_n"]))
    city = float(rows["city"].iloc[0]) if len(rows) else float("nan")
    return SlowOfficials(
        rows=_named(rows, ("officer", "unit"), margin=margin), by=("officer", "unit"), compared=len(rows), level=level,
        source=log.source, title=say("INTERNAL – officials surely later than the others, {period}", period=span.label),
        notes=(say("INTERNAL, NOT FOR PUBLICATION: names officials. A late step is no proof of fault."), *blocked,
               *_notes(len(rows), city=city, margin=margin, least=least, level=level),
               say("Late: a step of the official's own ended after its due date; waits for other agencies and for the "
                   "applicant, and names that stand for nobody, are left out."), *span.notes()),
    )  # fmt: skip


def _each(compared: int, level: float) -> float:
    """Coverage of each interval so that all of them together have ``level``."""
    return 1 - (1 - level) / max(compared, 1)


def _named(rows: pd.DataFrame, by: tuple[str, ...], *, margin: float) -> pd.DataFrame:
    rows = rows.assign(excess=rows["estimate"] - rows["city"])
    slow = rows[rows["low"] > rows["city"] + margin]
    slow = slow.sort_values(["excess", *by], ascending=[False, *(True for _ in by)], kind="stable")
    return slow.reset_index(drop=True)[[*by, *_ROWS]]


def _notes(compared: int, *, city: float, margin: float, least: int, level: float) -> list[str]:
    notes = [
        say("Named: at least {least} closed dossiers, and the lower limit of the late share above that of all by more "
            "than {points} percentage points (both proposals, evidence grade D); not by rank.", least=least,
            points=number(100 * margin, 1)),
        say("{n} were compared; the limits hold for all of them together at {level} (Bonferroni).", n=compared,
            level=percent(level, 0)),
    ]  # fmt: skip
    if compared:
        notes.append(say("Late of all: {share}.", share=percent(city, 2)))
    return notes
