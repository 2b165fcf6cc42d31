"""Bands of scores: which class a score falls into, by a dated table of lower ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.results import Result
from khaosat.scorecards.rules import exact, in_force, label, rule_notes
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Bands(Result):
    """Agencies, the best first: ``agency, score, band, label, rank, to_next`` (points up to the next band)."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Scores as bars, each with its class in words."""
        from khaosat.show.score_bars import word_bars

        rows = self.rows.dropna(subset=["score"])
        return word_bars(list(rows["agency"]), values=rows["score"].to_numpy(float), words=list(rows["label"]),
                         axis=say("Score"), decimals=2, ax=ax)  # fmt: skip

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="rank", kind="int"),
            Column(name="agency"),
            Column(name="score", kind="number", decimals=2),
            Column(name="label", label=say("Class")),
            Column(name="to_next", kind="number", decimals=2),
        ]


@dataclass(frozen=True, kw_only=True)
class Band:
    """A class and its lower end, which belongs to it; the lowest has none."""

    id: str
    label: str
    low: Fraction | None


def band(
    scores: Mapping[str, float] | pd.Series | pd.DataFrame, scheme: str, *, period: Period | str | None = None
) -> Bands:
    """The class of each score; a score is taken as it is, above 100 too.

    Parameters
    ----------
    scores
        Agency → score, or a frame ``agency, score``.
    scheme
        A set of ``facts/rules/bands.csv``: ``da_nang_2022, da_nang_2012, tt01_2018``.
    period
        What the scores are about.

    Returns
    -------
    Bands
        ``agency, score, band, label, rank, to_next``, the best first; an agency without a score has no band.

    Examples
    --------
    >>> scores = {"Cục Thuế": 67.26, "Sở Nội vụ": 101.19, "Sở Y tế": float("nan")}
    >>> band(scores, "da_nang_2022").rows[["agency", "band", "rank"]].values.tolist()
    [['Sở Nội vụ', 'excellent', 1], ['Cục Thuế', 'fair_average', 2], ['Sở Y tế', '', <NA>]]
    """
    span = None if period is None else as_period(period)
    known = bands_of(scheme, period=span)
    frame = _scores(scores)
    frame = frame.sort_values("score", ascending=False, kind="stable", na_position="last", ignore_index=True)
    found = [band_of(exact(value), known) for value in frame["score"]]
    frame["band"] = [one.id if one else "" for one in found]
    frame["label"] = [one.label if one else say("no data") for one in found]
    frame["rank"] = frame["score"].rank(method="min", ascending=False).astype("Int64")
    frame["to_next"] = [_to_next(exact(value), known) for value in frame["score"]]
    return Bands(
        rows=frame, unit="score", title=say("Agencies by class of their score"),
        notes=(say("Classes: {list}.", list=_words(known)), say("Scores above 100, by bonus points, are kept."),
               *rule_notes(in_force("bands", span, of=scheme), span)),
    )  # fmt: skip


def bands_of(scheme: str, *, period: Period | None = None) -> tuple[Band, ...]:
    """The classes of a scheme, the best first.

    >>> [one.id for one in bands_of("tt01_2018")]
    ['excellent', 'good', 'fair', 'average', 'weak']
    """
    rows = in_force("bands", period, of=scheme)
    found = [Band(id=row["band"], label=label(row), low=exact(row["low"]) if row["low"] else None)
             for _, row in rows.iterrows()]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.low is not None, one.low), reverse=True))


def band_of(score: Fraction | None, bands: Sequence[Band]) -> Band | None:
    """The class of a score, or nothing for no score; exactly the lower end belongs to the class."""
    if score is None:
        return None
    return next(one for one in bands if one.low is None or score >= one.low)


def _to_next(score: Fraction | None, bands: Sequence[Band]) -> float:
    above = [one.low for one in bands if one.low is not None and score is not None and one.low > score]
    return float(min(above) - score) if above and score is not None else float("nan")


def _scores(scores: Mapping[str, float] | pd.Series | pd.DataFrame) -> pd.DataFrame:
    if isinstance(scores, pd.DataFrame):
        lacking = [name for name in ("agency", "score") if name not in scores]
        if lacking:
            raise DataError(say("The frame lacks the columns {columns}.", columns=", ".join(lacking)))
        frame = scores[["agency", "score"]].reset_index(drop=True)
    else:
        pairs = list(scores.items())
        frame = pd.DataFrame({"agency": [str(name) for name, _ in pairs], "score": [value for _, value in pairs]})
    numbers = pd.to_numeric(frame["score"], errors="coerce").astype("float64")
    wrong = frame.loc[numbers.isna() & frame["score"].notna(), "agency"]
    if len(wrong):
        raise DataError(say("These scores are no numbers: {list}.", list=", ".join(map(str, wrong))))
    return frame.assign(score=numbers)


def _words(bands: Sequence[Band]) -> str:
    words = []
    for one, above in zip(bands, [None, *bands], strict=False):
        if one.low is None:
            words.append(
                say("{label}: below {low}", label=one.label, low=number(float(above.low or 0)) if above else "")
            )
        else:
            words.append(say("{label}: from {low}", label=one.label, low=number(float(one.low))))
    return "; ".join(words)
