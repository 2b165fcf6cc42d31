"""Counts of one agency and one period out of a frame, such as the one read from portal files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from khaosat.domain.period import Period
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import say
from khaosat.scorecards.components import Component, Count, read_counts, score_component

NEEDED = ("component", "numerator", "denominator")


@dataclass(frozen=True, kw_only=True)
class PortalCounts:
    """Counts by component, of whom they are, and what has to be said of them."""

    counts: Mapping[str, Count]
    agency: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""


def portal_counts(
    frame: pd.DataFrame, rules: Mapping[str, Component], *, unit: str, period: Period | None
) -> PortalCounts:
    """The counts of the one agency of this kind in a frame ``component, numerator, denominator``; more may stand in it.

    Raises
    ------
    DataError
        Columns are lacking, or a component is there twice.
    KhaosatError
        There are several periods, several agencies or none.
    """
    rows = one_period(frame, period)
    if "unit" in rows:
        rows = rows[rows["unit"] == unit]
    agencies = list(dict.fromkeys(rows["agency"])) if "agency" in rows else [""]
    if len(agencies) != 1:
        raise KhaosatError(
            say("The frame holds {n} agencies of the kind {unit}: keep one, or rank them with ks.rank_766.",
                n=len(agencies), unit=unit)
        )  # fmt: skip
    counts = agency_counts(rows, rules)
    notes = [*_provisional(rows), *_portal_says_otherwise(rows, rules, counts)]
    return PortalCounts(counts=counts, agency=str(agencies[0]), notes=tuple(notes), source=_files(rows))


def one_period(frame: pd.DataFrame, period: Period | None) -> pd.DataFrame:
    """The rows, if they are all about one period, and about the one asked for.

    Months have recounted open late dossiers, so that neither their mean nor their sum is the quarter.
    """
    lacking = [name for name in NEEDED if name not in frame]
    if lacking:
        raise DataError(say("The frame lacks the columns {columns}.", columns=", ".join(lacking)))
    if "period" not in frame:
        return frame
    periods = sorted({str(text) for text in frame["period"].dropna() if str(text)})
    if len(periods) > 1 or (period is not None and periods not in ([], [str(period)])):
        raise KhaosatError(
            say("The counts are about {periods}: a scorecard is about one period. Months are neither averaged nor "
                "added up into a quarter, since a dossier that stays late is counted in each of them; get the "
                "quarter's own counts.", periods=", ".join(periods))
        )  # fmt: skip
    return frame


def agency_counts(rows: pd.DataFrame, rules: Mapping[str, Component]) -> dict[str, Count]:
    """Counts by component of the rows of one agency; unknown numbers stay unknown."""
    twice = sorted(set(rows.loc[rows["component"].duplicated(), "component"].astype(str)))
    if twice:
        raise DataError(say("These components are there more than once: {list}.", list=", ".join(twice)))
    pairs = {
        str(name): (_known(numerator), _known(denominator))
        for name, numerator, denominator in rows[list(NEEDED)].itertuples(index=False)
    }
    counts = read_counts(pairs, rules, source="given")
    if "source" not in rows:
        return counts
    sources = dict(zip(rows["component"].astype(str), rows["source"].astype(str), strict=True))
    return {name: replace(count, source=sources[name]) for name, count in counts.items()}


def _known(value: object) -> object:
    return None if pd.isna(value) else value  # type: ignore[call-overload]


def _provisional(rows: pd.DataFrame) -> list[str]:
    if "quality" not in rows:
        return []
    marked = rows.loc[rows["quality"].fillna("").astype(str) != "", "component"]
    if marked.empty:
        return []
    return [say("The portal marks these counts as provisional: {list}.", list=", ".join(dict.fromkeys(marked)))]


def _portal_says_otherwise(
    rows: pd.DataFrame, rules: Mapping[str, Component], counts: Mapping[str, Count]
) -> list[str]:
    """Components whose published points are not those computed here: the rule has changed, or the file has."""
    if "portal_score" not in rows:
        return []
    published = rows.set_index("component")["portal_score"].dropna().astype(float)
    points = {
        name: score_component(rules[name], counts).points for name, count in counts.items() if count.rate is not None
    }
    differ = [
        name
        for name, earned in points.items()
        if earned is not None and name in published and abs(float(earned) - published[name]) > 0.005
    ]
    if not differ:
        return []
    return [say("The points computed differ from the portal's own at {list}: check the rule.", list=", ".join(differ))]


def _files(rows: pd.DataFrame) -> str:
    files = list(dict.fromkeys(rows["file"].astype(str))) if "file" in rows else []
    return say("Source: {files}.", files=", ".join(files)) if files else ""
