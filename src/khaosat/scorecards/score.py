"""The scorecard of Quyết định 766: from counts at hand, from portal files, or from the log as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.errors import KhaosatError
from khaosat.facts.language import say
from khaosat.results import Result
from khaosat.scorecards.components import (
    Component,
    Count,
    Score,
    components,
    full_score,
    read_counts,
    score_component,
    settings,
)
from khaosat.scorecards.log_counts import counts_from_log
from khaosat.scorecards.portal_counts import PortalCounts, portal_counts
from khaosat.scorecards.rules import half_up
from khaosat.scorecards.score_words import component_names, group_names, remark_words, score_notes, source_names
from khaosat.show.table import Column, Table, make_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL = "total"


@dataclass(frozen=True, eq=False, kw_only=True)
class Score766(Result):
    """One agency's points: ``component, numerator, denominator, rate, score, max_score, source, flag``.

    The total stands last: the sum of the rounded components that have data, out of their maxima. ``source`` is
    ``given``, ``portal`` or ``log``; ``flag`` is ``no_data``, ``default`` (points by rule where nothing was counted),
    ``capped`` (a rate over 100 %), ``not_applicable`` or empty.

    Parameters
    ----------
    groups
        ``group, label, score, max_score``: the points of each group of components.
    """

    groups: pd.DataFrame

    def table(self) -> Table:
        """The scorecard with components, sources and remarks in words."""
        return make_table(self.worded(), self._columns(), title=self.title, notes=self.notes, source=self.source)

    def worded(self) -> pd.DataFrame:
        """The rows with components, sources and remarks in words."""
        names = {**component_names(), TOTAL: say("Total of the components with data")}
        rows = self.rows.copy()
        rows["component"] = rows["component"].map(names)
        rows["source"] = rows["source"].map(source_names()).fillna("")
        rows["flag"] = rows["flag"].map(remark_words()).fillna("")
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """One page: a bar a component, its points against its maximum, with the numbers written out."""
        from khaosat.show.score_bars import score_bars

        rows = self.worded()
        scores, maxima = rows["score"].to_numpy(float), rows["max_score"].to_numpy(float)
        return score_bars(list(rows["component"]), scores=scores, maxima=maxima, ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="component"),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="rate", kind="percent", decimals=2),
            Column(name="score", kind="number", decimals=2),
            Column(name="max_score", kind="number"),
            Column(name="source", label=say("From")),
            Column(name="flag"),
        ]


def score_766(
    counts: Mapping[str, object] | pd.DataFrame | DossierLog,
    *,
    unit: str = "province",
    period: Period | str | None = None,
    given: Mapping[str, object] | None = None,
    not_applicable: Sequence[str] = (),
) -> Score766:
    """Points of an agency by Quyết định 766/QĐ-TTg, component by component.

    ``score = round2(max * min(1, rate / threshold))``, halves up; the rate of 3.3 is multiplied by that of 1.4.

    Parameters
    ----------
    counts
        Component id → ``(numerator, denominator)``, of all components or of a part; ``None`` in it is "not known" and
        never 0. Or the frame of :func:`khaosat.read_portal_766`; or a log, which gives 2.1 and 3.3.
    unit
        ``province``, ``ministry``, ``department`` or ``commune``.
    period
        What the counts are about; a log needs it. The rules in force at its end are used.
    given
        Further components, as in ``counts``, for what a portal file or a log does not hold.
    not_applicable
        Components that a commune has no such work for: they get their maximum.

    Returns
    -------
    Score766
        ``component, numerator, denominator, rate, score, max_score, source, flag``, the total last; field ``groups``.

    Raises
    ------
    DataError
        Unknown components, or counts that are none; all of them at once.
    KhaosatError
        Counts of several periods or agencies: months are never averaged or added up into a quarter.

    Notes
    -----
    Component 5.4, which the portal calls satisfaction, hardly differs from the on-time share 2.1: it is no survey.

    References
    ----------
    Quyết định 766/QĐ-TTg ngày 23/6/2022; method: ``docs/methods/bo-chi-so-766.md``.

    Examples
    --------
    >>> rows = score_766({"2.1": (403016, 464494), "5.2": (None, None)}).rows
    >>> rows[["component", "score", "max_score"]].values.tolist()
    [['2.1', 17.35, 20.0], ['5.2', nan, 6.0], ['total', 17.35, 20.0]]
    """
    if unit not in settings().units:
        raise KhaosatError(f"unknown unit {unit!r}: one of {', '.join(settings().units)}")
    span = None if period is None else as_period(period)
    rules = components(span)
    found = _found(counts, rules, unit=unit, period=span)
    known = {**found.counts, **read_counts(given or {}, rules, source="given")}
    pairs = {name: known[name] for name in rules if name in known}
    scores = {name: score_component(rules[name], pairs) for name in pairs}
    scores |= _not_applicable(not_applicable, rules, unit=unit)
    rows = _rows(rules, pairs, scores)
    return Score766(
        rows=rows,
        groups=_groups(rules, scores),
        unit="score",
        title=_title(found.agency, span),
        notes=(*found.notes, *score_notes(rows, rules, unit=unit, period=span)),
        source=found.source,
    )


def points(scores: Mapping[str, Score], rules: Mapping[str, Component]) -> tuple[Decimal | None, Decimal]:
    """The sum of rounded points and of the maxima, over the components that have data."""
    earned = {name: score.points for name, score in scores.items() if score.points is not None}
    most = sum((half_up(rules[name].most, settings().decimals) for name in earned), Decimal(0))
    return (sum(earned.values(), Decimal(0)) if earned else None), most


def _found(
    counts: Mapping[str, object] | pd.DataFrame | DossierLog,
    rules: Mapping[str, Component],
    *,
    unit: str,
    period: Period | None,
) -> PortalCounts:
    if isinstance(counts, DossierLog):
        return counts_from_log(counts, period=period)
    if isinstance(counts, pd.DataFrame):
        return portal_counts(counts, rules, unit=unit, period=period)
    return PortalCounts(counts=read_counts(counts, rules, source="given"))


def _not_applicable(names: Sequence[str], rules: Mapping[str, Component], *, unit: str) -> dict[str, Score]:
    if names and unit not in settings().full_if_not_applicable:
        raise KhaosatError(say("Only a commune gets the maximum of components that do not apply to it."))
    unknown = [name for name in names if name not in rules]
    if unknown:
        raise KhaosatError(
            say("There is no component {name}; known: {known}.", name=", ".join(unknown), known=", ".join(rules))
        )
    return {name: full_score(rules[name]) for name in names}


def _rows(rules: Mapping[str, Component], pairs: Mapping[str, Count], scores: Mapping[str, Score]) -> pd.DataFrame:
    unknown = Count(numerator=None, denominator=None, source="given")
    lines: list[dict[str, object]] = []
    for name in (name for name in rules if name in scores):
        count, score = pairs.get(name, unknown), scores[name]
        lines.append(
            {
                "component": name, "numerator": count.numerator, "denominator": count.denominator, "rate": count.rate,
                "score": score.points, "max_score": rules[name].most, "source": count.source, "flag": score.flag,
            }
        )  # fmt: skip
    total, most = points(scores, rules)
    lines.append({"component": TOTAL, "score": total, "max_score": most, "source": "", "flag": ""})
    columns = ["component", "numerator", "denominator", "rate", "score", "max_score", "source", "flag"]
    numbers = dict.fromkeys(columns[1:6], "float64")
    return pd.DataFrame(lines, columns=columns).astype(numbers)


def _groups(rules: Mapping[str, Component], scores: Mapping[str, Score]) -> pd.DataFrame:
    names = group_names()
    lines = []
    for group in dict.fromkeys(rule.group for rule in rules.values()):
        part = {name: score for name, score in scores.items() if rules[name].group == group}
        if part:
            total, most = points(part, rules)
            lines.append({"group": group, "label": names[group], "score": total, "max_score": most})
    rows = pd.DataFrame(lines, columns=["group", "label", "score", "max_score"])
    return rows.astype({"score": "float64", "max_score": "float64"})


def _title(agency: str, period: Period | None) -> str:
    title = say("Scorecard by Decision 766")
    return ", ".join(part for part in (title, agency, period.label if period else "") if part)
