"""Who is really slow: units compared on dossiers of the same kind, with what chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import Definition, deadline_words, meaning
from khaosat.dossiers.result import DossierResult, by_words, sorted_groups
from khaosat.dossiers.unit_strata import (
    LADDER,
    OWN_PART,
    SMALL_UNITS,
    coarse_enough,
    expected_late,
    own_part,
    stratum_counts,
)
from khaosat.dossiers.unit_verdicts import judged, with_change, with_ranks
from khaosat.dossiers.unit_words import comparison_notes, verdict_words
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, group_columns
from khaosat.errors import KhaosatError
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.funnel import Overdispersion, Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RatioLimits = Literal["exact", "byar"]
STRATA = ("procedure", "channel", "month")
_ROWS = [
    "numerator",
    "n",
    "share",
    "expected",
    "estimate",
    "low",
    "high",
    "rate",
    "rate_low",
    "rate_high",
    "pooled",
    "pooled_low",
    "pooled_high",
    "z",
    "near_low",
    "near_high",
    "far_low",
    "far_high",
    "flag",
    "rank",
    "rank_low",
    "rank_high",
    "previous",
    "change",
    "change_low",
    "change_high",
    "size",
    "alone",
    "units",
    "n_missing",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitComparison(DossierResult):
    """Units and how late they are for the dossiers they have.

    ``rows``: the unit, ``numerator`` (late), ``n`` (judged), ``share`` (raw), ``expected`` (late at the city's rates
    for such dossiers), ``estimate`` (ratio late to expected), ``low, high``; ``rate, rate_low, rate_high`` (ratio
    times the city's share: standardised); ``pooled, pooled_low, pooled_high`` (ratio shrunk towards the others); ``z``
    (of the funnel), ``near_low, near_high`` (95 %) and ``far_low, far_high`` (99.8 %): limits of ``rate``; ``flag``
    (``far_above, above, usual, below, far_below``; not judged: ``insufficient, alone, small_units``, empty); ``rank``
    (1: highest ratio), ``rank_low, rank_high``; ``previous`` (ratio of the period before), ``change`` (ratio of both),
    ``change_low, change_high``; ``size`` (dossiers of average risk), ``alone`` (share of its dossiers with no like
    elsewhere), ``units, n_missing``.

    Parameters
    ----------
    city
        Share late of all.
    spread
        How much more units differ than by chance.
    overdispersion
        How the limits take it in.
    """

    city: float = float("nan")
    spread: Spread = Spread(1.0, 0.0)
    overdispersion: Overdispersion = "additive"

    _counted: ClassVar = "dossiers"

    def worded(self) -> pd.DataFrame:
        """The rows with verdicts in words."""
        rows = super().worded()
        name = self.by[0]
        small = say("Small units ({n})", n=int(self.rows.loc[self.rows[name] == SMALL_UNITS, "units"].sum()))
        units = [small if raw == SMALL_UNITS else word for raw, word in zip(self.rows[name], rows[name], strict=True)]
        rows[name], rows["flag"] = units, rows["flag"].map(verdict_words)
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """Funnel: standardised share by size, with limits; units outside by name."""
        from khaosat.dossiers.unit_funnel import funnel

        rows = self.worded().assign(raw=self.rows["flag"])[~self._small_cells()]
        return funnel(rows, name=self.by[0], city=self.city, spread=self.spread, how=self.overdispersion, ax=ax)

    def _columns(self) -> Sequence[Column]:
        count, ratio, rank = say("Dossiers"), say("Late to expected"), say("Rank")
        change = say("Against the period before")
        return [
            *self._key_columns(),
            Column(name="n", kind="int", group=count),
            Column(name="numerator", kind="int", group=count, label=say("Late")),
            Column(name="expected", kind="number", decimals=1, group=count),
            Column(name="share", kind="percent", decimals=1, label=say("Share late")),
            Column(name="rate", kind="percent", decimals=1, label=say("Standardised share")),
            Column(name="estimate", kind="number", decimals=2, group=ratio, label=say("Ratio")),
            Column(name=("low", "high"), kind="interval", decimals=2, group=ratio),
            Column(name="pooled", kind="number", decimals=2, group=ratio, label=say("Pooled ratio")),
            Column(name="flag", label=say("Verdict")),
            Column(name="rank", kind="int", group=rank),
            Column(name=("rank_low", "rank_high"), kind="interval", group=rank, label=say("Possible")),
            Column(name="change", kind="number", decimals=2, group=change, label=say("Times the ratio")),
            Column(name=("change_low", "change_high"), kind="interval", decimals=2, group=change),
        ]


def compare_units(
    log: DossierLog,
    *,
    by: str = "responsible_unit",
    period: Period | str | None = None,
    strata: Sequence[str] | Literal["auto"] = STRATA,
    definition: Definition = "closed",
    deadline: Deadline = "original",
    limits: RatioLimits = "exact",
    overdispersion: Overdispersion = "additive",
    few: int = 30,
    small: int = 10,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> UnitComparison:
    r"""Late dossiers of units against what the same dossiers would come to at the city's rates.

    :math:`E_u = \sum_s n_{us} L_s/N_s` over strata s (indirect standardisation), ratio :math:`O_u/E_u`, standardised
    share :math:`(O_u/E_u)\,L/N`.

    Parameters
    ----------
    log
        The dossiers.
    by
        What the units are.
    period
        Dossiers closed then (by ``definition``); its predecessor is what the change is measured against. By default
        all, without a change.
    strata
        Columns whose combinations make dossiers comparable; ``field`` in place of ``procedure`` if none is recorded.
        ``auto``: the finest of procedure × channel × month, procedure × channel, procedure and field in which no more
        than a quarter of the middle unit's yardstick is its own dossiers (small cities).
    definition, deadline
        As in :func:`khaosat.on_time`.
    limits
        Of the ratio: ``exact`` Poisson or ``byar``.
    overdispersion
        Funnel limits widened by variance between units (``additive``), by a factor (``multiplicative``), or not.
    few
        Units with fewer dossiers are not judged, ranked neither best nor worst.
    small
        Units with fewer dossiers are one row together.
    level
        Coverage of the intervals.
    rng
        Of the bootstrap of rank sets; by default of a fixed seed.

    Returns
    -------
    UnitComparison
        One row a unit, highest ratio first; those not judged last.

    Notes
    -----
    The city's rates include the unit itself, so a large unit is drawn towards 1; one with more than half of its
    dossiers in strata mostly its own is not judged. Pooled ratios: empirical Bayes, gamma-Poisson. Funnel:
    interpolated binomial quantiles at :math:`E_u/(L/N)` dossiers of average risk, spread between units from winsorised
    z-scores. Change: exact conditional interval of the ratio of ratios.

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202. Clayton and Kaldor (1987), Biometrics 43, 671-681.
    Mogstad, Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, 476-518.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> compare_units(example_log(), by="field", small=1, few=1).rows[["field", "numerator", "n"]].values.tolist()
    [['Đất đai', 1, 2], ['Hộ tịch', 0, 1]]
    """
    _check(by, strata, limits=limits, overdispersion=overdispersion, few=few, small=small)
    span = window(log, period)
    ladder = [_strata(log, rung, by) for rung in (LADDER if strata == "auto" else (tuple(strata),))]
    notes = list(dict.fromkeys(note for _, words in ladder for note in words))
    finest = tuple(dict.fromkeys(name for rung, _ in ladder for name in rung))
    counts = stratum_counts(log, period, by=by, strata=finest, definition=definition, deadline=deadline)
    used = coarse_enough(counts, by=by, ladder=[rung for rung, _ in ladder], few=few)
    notes += _own_words(own_part(counts, by=by, strata=used, few=few))
    sums = expected_late(counts, by=by, strata=used, pooled=small)
    total = int(counts["n"].sum())
    city = int(counts["late"].sum()) / total if total else float("nan")
    rows, spread, model = judged(
        sums, by=by, city=city, few=few, limits=limits, overdispersion=overdispersion, level=level
    )
    rows = with_ranks(rows, city=city, level=level, rng=np.random.default_rng(20) if rng is None else rng)
    before = None if period is None else as_period(period).previous
    earlier = sums.iloc[:0]
    if before is not None:
        earlier = expected_late(
            stratum_counts(log, before, by=by, strata=used, definition=definition, deadline=deadline),
            by=by, strata=used, pooled=small,
        )  # fmt: skip
    rows = with_change(rows, earlier, by=by, level=level)
    rows = rows.rename(columns={"observed": "numerator", "missing": "n_missing"})
    rows["share"] = rows["numerator"] / rows["n"].where(rows["n"] > 0)
    judged_ones = rows[rows["rank"].notna()].sort_values("estimate", ascending=False, kind="stable")
    others = sorted_groups(rows[rows["rank"].isna()], (by,))  # by name: an order by ratio would rank them
    rows = pd.concat([judged_ones, others], ignore_index=True)[[by, *_ROWS]]
    return UnitComparison(
        rows=rows,
        by=(by,),
        level=level,
        city=city,
        spread=spread,
        overdispersion=overdispersion,
        source=log.source,
        title=say("Late dossiers against what is expected{by}, {period}", by=by_words((by,)), period=span.label),
        notes=(
            meaning(definition).words(),
            deadline_words(deadline),
            *comparison_notes(
                rows,
                used,
                city=city,
                spread=spread,
                how=overdispersion,
                model=model,
                few=few,
                small=small,
                before=before,
                level=level,
            ),
            *notes,
            *span.notes(),
        ),
    )


def _own_words(part: float) -> list[str]:
    if not part > OWN_PART:
        return []
    return [
        say("Dossiers of a kind are few: about {part} of what a unit is held against are its own dossiers, which draws "
            "its ratio to 1; coarser strata, or strata=\"auto\", tell units apart better.", part=percent(part, 0))
    ]  # fmt: skip


def _check(by: str, strata: Sequence[str], *, limits: str, overdispersion: str, few: int, small: int) -> None:
    group_columns(by), group_columns(() if strata == "auto" else strata)
    for name, value, kinds in (("limits", limits, RatioLimits), ("overdispersion", overdispersion, Overdispersion)):
        if value not in get_args(kinds):
            raise KhaosatError(f"{name} is {value!r}: it must be {' or '.join(get_args(kinds))}")
    if small < 1 or few < small:
        raise KhaosatError(f"small is {small} and few is {few}: at least 1, and few no smaller than small")


def _strata(log: DossierLog, strata: Sequence[str], by: str) -> tuple[tuple[str, ...], list[str]]:
    """The strata that the log can tell apart, without the column that makes the units."""
    notes: list[str] = []
    used = [name for name in strata if name != by]
    if "procedure" in used:
        known = log.engine.query("SELECT count(procedure) AS n FROM dossiers WHERE procedure <> ''")["n"][0].as_py()
        if not known:
            used = ["field" if name == "procedure" else name for name in used if name != "field"]
            notes = [say("No procedure is recorded: dossiers are comparable by field instead.")]
    return group_columns([name for name in used if name != by]), notes
