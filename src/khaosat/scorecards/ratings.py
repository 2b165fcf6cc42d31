"""Ratings of agencies by the nine indices of Thông tư 01/2018/TT-VPCP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import pandas as pd

from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import date, say
from khaosat.results import Result
from khaosat.scorecards.banding import band_of, bands_of
from khaosat.scorecards.rules import exact, half_up, in_force, label, last_day, rule_set, source_words
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMES = ("tt01_2018",)
INDEX = "index_{}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Ratings(Result):
    """Agencies, the best first: ``agency, n, index_1 … index_9, score, max_score, band, label, legacy``.

    ``n`` counts the rows (dossiers) of the agency; an index without any points leaves the agency without a score.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Total points as bars, each with its class in words."""
        from khaosat.show.score_bars import word_bars

        rows = self.rows.dropna(subset=["score"])
        return word_bars(list(rows["agency"]), values=rows["score"].to_numpy(float), words=list(rows["label"]),
                         axis=say("Points of {most}", most=18), decimals=1, ax=ax)  # fmt: skip

    def _columns(self) -> Sequence[Column]:
        names = [name for name in self.rows.columns if name.startswith("index_")]
        group = say("Indices")
        return [
            Column(name="agency"),
            Column(name="n", kind="int", label=say("Rows")),
            *(Column(name=name, kind="number", decimals=1, label=name.removeprefix("index_"), group=group)
              for name in names),
            Column(name="score", kind="number", decimals=1),
            Column(name="label", label=say("Class")),
        ]  # fmt: skip


def rate_agencies(frame: pd.DataFrame, scheme: str = "tt01_2018", *, period: Period | str | None = None) -> Ratings:
    """Points of agencies on nine indices, and their class.

    ``index i = round1(sum of points / dossiers)``, halves up; ``score = sum of indices``.

    Parameters
    ----------
    frame
        ``agency`` and ``index_1`` … ``index_9`` (or ``1`` … ``9``), points 0, 1 or 2: a row a dossier. Indices 5, 6, 8
        and 9 are the agency's: the same in all its rows, or given in one of them. An agency with one row may give
        averages (0 to 2). A missing point is no point, never 2.
    scheme
        ``tt01_2018``.
    period
        What the points are about; from 1 July 2025 the scheme is a legacy one.

    Returns
    -------
    Ratings
        ``agency, n, index_1 … index_9, score, max_score, band, label, legacy``.

    References
    ----------
    Thông tư 01/2018/TT-VPCP, Điều 13-15; method: ``docs/methods/xep-loai.md``.

    Examples
    --------
    >>> frame = pd.DataFrame({"agency": ["Sở A", "Sở A"], **{f"index_{i}": [2, 2] for i in range(1, 10)}})
    >>> rate_agencies(frame.assign(index_1=[2, 1])).rows[["agency", "index_1", "score", "band"]].values.tolist()
    [['Sở A', 1.5, 17.5, 'excellent']]
    """
    if scheme not in SCHEMES:
        raise KhaosatError(f"unknown scheme {scheme!r}: one of {', '.join(SCHEMES)}")
    span = None if period is None else as_period(period)
    settings, indices = rule_set(scheme), in_force(scheme, span)
    most, decimals = int(str(settings["most_points"])), int(str(settings["decimals"]))
    points = _points(frame, indices, most=most)
    bands = bands_of(scheme)
    legacy = span is None or last_day(span) >= cast(dt.date, settings["legacy_from"])
    lines = []
    for agency, group in points.groupby("agency", sort=False):
        means = {INDEX.format(row["id"]): _index(group[row["id"]], decimals) for _, row in indices.iterrows()}
        known = [value for value in means.values() if value is not None]
        total = sum(known, Decimal(0)) if len(known) == len(means) else None
        found = band_of(None if total is None else Fraction(total), bands)
        lines.append({"agency": agency, "n": len(group), **means, "score": total, "max_score": most * len(means),
                      "band": found.id if found else "", "label": found.label if found else say("no data"),
                      "legacy": legacy})  # fmt: skip
    rows = pd.DataFrame(lines, columns=["agency", "n", *(INDEX.format(i) for i in indices["id"]), "score", "max_score",
                                        "band", "label", "legacy"])  # fmt: skip
    numbers = [name for name in rows.columns if name.startswith("index_")] + ["score", "max_score"]
    rows = rows.astype({**dict.fromkeys(numbers, "float64"), "n": "int64", "legacy": "bool"})
    rows = rows.sort_values("score", ascending=False, kind="stable", na_position="last", ignore_index=True)
    return Ratings(rows=rows, unit="score", title=_title(span), notes=_notes(rows, indices, settings))


def _index(points: pd.Series, decimals: int) -> Decimal | None:
    """The mean of the points there are, rounded half-up; nothing where there are none."""
    known = [value for value in map(exact, points) if value is not None]
    return half_up(sum(known, Fraction(0)) / len(known), decimals) if known else None


def _points(frame: pd.DataFrame, indices: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """The points by agency, columns named by index; every fault at once."""
    named = {str(column): frame[column] for column in frame.columns}
    faults = [] if "agency" in named else [say("The frame lacks the columns {columns}.", columns="agency")]
    found = {}
    for index in indices["id"]:
        column = next((name for name in (INDEX.format(index), index) if name in named), None)
        if column is None:
            faults.append(say("The frame lacks the columns {columns}.", columns=INDEX.format(index)))
        else:
            found[index] = pd.to_numeric(named[column], errors="coerce").where(named[column].notna())
            wrong = named[column].notna() & ~found[index].between(0, most)
            if wrong.any():
                faults.append(say("Index {index} has {n} values outside 0 to {most}.", index=index, n=int(wrong.sum()),
                                  most=most))  # fmt: skip
    if faults:
        raise DataError("\n".join(faults))
    points = pd.DataFrame({"agency": named["agency"].astype(str), **found})
    faults = _of_agency(points, indices, most=most)
    if faults:
        raise DataError("\n".join(faults))
    return points


def _of_agency(points: pd.DataFrame, indices: pd.DataFrame, *, most: int) -> list[str]:
    """Indices of the agency must not differ between its rows; points of a dossier are whole."""
    faults = []
    whole = set(range(most + 1))
    for agency, rows in points.groupby("agency", sort=False):
        for index, scope in zip(indices["id"], indices["scope"], strict=True):
            values = set(rows[index].dropna())
            if scope == "agency" and len(values) > 1:
                faults.append(say("{agency}: index {index} is the agency's, and differs between its rows.",
                                  agency=agency, index=index))  # fmt: skip
            if scope == "dossier" and len(rows) > 1 and not values <= whole:
                faults.append(say("{agency}: index {index} of a dossier is 0, 1 or 2.", agency=agency, index=index))
    return faults


def _title(period: Period | None) -> str:
    title = say("Rating of agencies by Circular 01/2018/TT-VPCP")
    return title if period is None else f"{title}, {period.label}"


def _notes(rows: pd.DataFrame, indices: pd.DataFrame, settings: dict[str, object]) -> tuple[str, ...]:
    names = "; ".join(f"{row['id']} {label(row)}" for _, row in indices.iterrows())
    notes = [
        say("Indices: {list}.", list=names),
        say("Each index is rounded half-up to one decimal before it is added; missing points are no points."),
    ]
    without = int(rows["score"].isna().sum())
    if without:
        notes.append(say("{n} agencies lack an index: no score, no class.", n=without))
    if rows["legacy"].any():
        notes.append(
            say(
                "Legacy scheme: Decree 118/2025/NĐ-CP replaced Decree 61/2018/NĐ-CP on {day}; whether these classes "
                "still hold was not found.",
                day=date(cast(dt.date, settings["legacy_from"])),
            )
        )
    return (*notes, source_words(source=str(settings["source"]), since=settings["valid_from"],
                                 grade=str(settings["grade"])))  # fmt: skip
