"""Agencies ranked by what they themselves answer for in Quyết định 766."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import say
from khaosat.results import Result
from khaosat.scorecards.components import Component, components, score_component, settings
from khaosat.scorecards.portal_counts import agency_counts, one_period
from khaosat.scorecards.rules import in_force, rule_notes
from khaosat.scorecards.score import points
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTTED = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Ranking766(Result):
    """Agencies, the best first: ``agency, estimate, score, max_score, rank, n_components, left_out``.

    ``estimate`` is the share of the points that can be had, ``left_out`` the components of this agency without data.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Points against what can be had; the lowest agencies where there are many."""
        from khaosat.show.score_bars import score_bars

        rows = self.rows.dropna(subset=["estimate"]).tail(PLOTTED)
        scores, maxima = rows["score"].to_numpy(float), rows["max_score"].to_numpy(float)
        return score_bars([str(name) for name in rows["agency"]], scores=scores, maxima=maxima, ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="rank", kind="int"),
            Column(name="agency"),
            Column(name="score", kind="number", decimals=2),
            Column(name="max_score", kind="number"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share of the maximum")),
            Column(name="n_components", kind="int"),
            Column(name="left_out"),
        ]


def rank_766(frame: pd.DataFrame, *, unit: str = "commune", period: Period | str | None = None) -> Ranking766:
    """Agencies of one kind ranked by their share of the points of Quyết định 766 that can be had.

    ``estimate = score / max_score`` over the components with data that are the agency's own.

    Parameters
    ----------
    frame
        ``agency, component, numerator, denominator``, and ``unit`` where agencies of several kinds are in it, as
        :func:`khaosat.read_portal_766` gives; of one period.
    unit
        ``department``, ``commune`` (components inherited from the province are dropped), ``province``, ``ministry``.
    period
        What the counts are about.

    Returns
    -------
    Ranking766
        The best first; equal shares have the same rank; without any data there is no rank.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "agency": ["Sở A", "Sở A", "Sở B"], "component": ["1.1", "2.1", "2.1"],
    ...     "numerator": [54, 156, 1353], "denominator": [54, 161, 1484]})
    >>> rank_766(frame, unit="department").rows[["agency", "score", "max_score", "rank"]].values.tolist()
    [['Sở A', 19.38, 20.0, 1], ['Sở B', 18.23, 20.0, 2]]
    """
    if unit not in settings().units:
        raise KhaosatError(f"unknown unit {unit!r}: one of {', '.join(settings().units)}")
    span = None if period is None else as_period(period)
    if "agency" not in frame:
        raise DataError(say("The frame lacks the columns {columns}.", columns="agency"))
    rows = one_period(frame, span)
    rows = rows[rows["unit"] == unit] if "unit" in rows else rows
    rules = components(span)
    own = rules if unit in settings().root_units else {k: rule for k, rule in rules.items() if not rule.inherited}
    keys = ["agency_id", "agency"] if "agency_id" in rows else ["agency"]  # two communes may share a name
    lines = [_line(str(key[-1]), group, rules, own) for key, group in rows.groupby(keys, sort=False, dropna=False)]
    ranked = pd.DataFrame(lines, columns=["agency", "estimate", "score", "max_score", "n_components", "left_out"])
    ranked = ranked.astype({"estimate": "float64", "score": "float64", "max_score": "float64"})
    ranked.insert(4, "rank", ranked["estimate"].rank(method="min", ascending=False).astype("Int64"))
    ranked = ranked.sort_values("estimate", ascending=False, kind="stable", na_position="last", ignore_index=True)
    return Ranking766(
        rows=ranked, unit="share", title=_title(span), notes=_notes(ranked, rules, own, span),
    )  # fmt: skip


def _line(
    agency: str, rows: pd.DataFrame, rules: Mapping[str, Component], own: Mapping[str, Component]
) -> dict[str, object]:
    """One agency; an inherited synchronised share still enters 3.3, whose points are the agency's own."""
    counts = agency_counts(rows, rules)
    scores = {name: score_component(own[name], counts) for name in counts if name in own}
    total, most = points(scores, rules)
    known = [name for name, score in scores.items() if score.points is not None]
    return {
        "agency": agency, "estimate": None if total is None else total / most, "score": total, "max_score": most,
        "n_components": len(known), "left_out": ", ".join(name for name in scores if name not in known),
    }  # fmt: skip


def _title(period: Period | None) -> str:
    title = say("Ranking by Decision 766")
    return title if period is None else f"{title}, {period.label}"


def _notes(
    ranked: pd.DataFrame, rules: Mapping[str, Component], own: Mapping[str, Component], period: Period | None
) -> tuple[str, ...]:
    notes = []
    dropped = [name for name in rules if name not in own]
    if dropped:
        notes.append(say("Left out because every unit has the province's numbers there: {list}.",
                         list=", ".join(dropped)))  # fmt: skip
    if len(set(ranked["max_score"])) > 1:
        notes.append(say("Agencies have data for different components; the share of the maximum is compared."))
    notes.append(say("Neighbouring ranks often differ by less than chance: read the points, not the places."))
    return (*notes, *rule_notes(in_force("qd766", period), period))
