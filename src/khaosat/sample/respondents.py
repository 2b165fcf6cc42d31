"""Whom the survey asks: strata, wards, villages, people; and which of the city's dossiers they filed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.period import Period
from khaosat.sample.cases import CITIZEN, Cases
from khaosat.sample.changes import Changes
from khaosat.sample.city import STRATA, City
from khaosat.sample.clock import Ints, OfficeClock
from khaosat.sample.draw import chance
from khaosat.sample.work import FINISHED, Work

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, kw_only=True)
class Wave:
    """One wave of the survey, by the quarter of its fieldwork."""

    quarter: str
    fieldwork: dt.date

    @classmethod
    def of(cls, quarter: str, *, day: int) -> Wave:
        """The wave whose fieldwork begins on a day of the quarter's last month.

        >>> Wave.of("2026-Q3", day=10).fieldwork
        datetime.date(2026, 9, 10)
        """
        end = Period(quarter).end - dt.timedelta(days=1)
        return cls(quarter=quarter, fieldwork=end.date().replace(day=day))


class Pool:
    """Dossiers of citizens that a wave may be linked to: received in the 12 months before fieldwork, and finished.

    Keeps a simple random sample of at most ``size`` of them, so memory does not grow with the log.
    """

    def __init__(self, wave: Wave, *, clock: OfficeClock, size: int) -> None:
        self.wave = wave
        self._clock, self._size = clock, size
        self._until = clock.index(wave.fieldwork) * clock.day
        year_before = wave.fieldwork - dt.timedelta(days=365)
        self._since = clock.index(year_before) * clock.day
        self._frames: list[pd.DataFrame] = []

    def add(
        self, cases: Cases, work: Work, *, dossier_id: pa.Array, changes: Changes, city: City, rng: np.random.Generator
    ) -> None:
        """Look through a batch."""
        key = rng.random(cases.size)
        known = (work.outcome == FINISHED) & (work.ended < self._until) & (cases.received >= self._since)
        rows = np.flatnonzero(known & (cases.applicant == CITIZEN))
        if not len(rows):
            return
        after = self._until >= self._clock.index(city.settings.day("merger")) * self._clock.day
        late = np.maximum(work.ended[rows] // self._clock.day - changes.first[rows], 0)
        found = pd.DataFrame({
            "key": key[rows],
            "dossier_id": dossier_id.take(rows).to_pylist(),
            "ward": cases.ward[rows],
            "unit": cases.responsible[int(after)][rows],
            "field": cases.field[rows],
            "late_days": late,
        })  # fmt: skip
        self._frames.append(found)
        if sum(map(len, self._frames)) > 2 * self._size:
            self._frames = [self.frame().nsmallest(self._size, "key")]

    def frame(self) -> pd.DataFrame:
        """``dossier_id, ward, unit, field, late_days`` and a random ``key``."""
        columns = ["key", "dossier_id", "ward", "unit", "field", "late_days"]
        return pd.concat(self._frames, ignore_index=True) if self._frames else pd.DataFrame(columns=columns)


def draw_sample(city: City, *, people: int, rng: np.random.Generator) -> pd.DataFrame:
    """A multistage sample: wards within strata, villages within wards, adults within villages, without replacement.

    Returns
    -------
    One row a person: ``stratum, ward, village`` (numbers), population sizes ``n_wards, n_villages, n_people`` of the
    three stages, and ``weight``, the inverse of the probability of selection.
    """
    settings = city.settings
    people_wanted, villages_wanted = (
        settings.whole("survey.people_per_village"),
        settings.whole("survey.villages_per_ward"),
    )
    wards = _choose_wards(city, n=max(round(people / (people_wanted * villages_wanted)), 2 * len(STRATA)), rng=rng)
    villages = _choose_villages(city, wards, per_ward=villages_wanted, people=people, rng=rng)
    share, rest = divmod(people, len(villages))
    asked = np.full(len(villages), share)
    asked[rng.permutation(len(villages))[:rest]] += 1
    if (asked > villages["n_people"]).any():
        raise ValueError(f"a survey of {people} is more than the sampled villages have people; ask for fewer answers")
    rows = villages.loc[villages.index.repeat(asked)].reset_index(drop=True)
    stages = rows["n_wards"] / rows["m_wards"] * rows["n_villages"] / rows["m_villages"]
    rows["weight"] = stages * rows["n_people"] / np.repeat(asked, asked)
    return rows.drop(columns=["m_wards", "m_villages"])


def _choose_wards(city: City, *, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Wards of each stratum in proportion to its people, at least two."""
    population = city.wards.groupby("stratum")["population"].sum()
    chosen = []
    for stratum in STRATA:
        inside = np.flatnonzero(city.wards["stratum"] == stratum)
        m = int(np.clip(round(n * population[stratum] / population.sum()), 2, len(inside)))
        picked = np.sort(rng.choice(inside, m, replace=False))
        chosen.append(pd.DataFrame({"stratum": stratum, "ward": picked, "n_wards": len(inside), "m_wards": m}))
    return pd.concat(chosen, ignore_index=True)


def _choose_villages(
    city: City, wards: pd.DataFrame, *, per_ward: int, people: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Villages of each ward: ``per_ward`` of them, or more when the villages would be too small for the survey."""
    number = city.wards["villages"].to_numpy(dtype=np.int64)[wards["ward"]]
    size = city.wards["population"].to_numpy()[wards["ward"]] * city.settings.number("survey.adults") / number
    needed = int(np.ceil(people / len(wards) / (0.5 * size.min())))
    rows = wards.assign(n_villages=number, m_villages=np.minimum(number, max(per_ward, needed)))
    chosen = [np.sort(rng.choice(n, m, replace=False)) + 1 for n, m in zip(number, rows["m_villages"], strict=True)]
    rows = rows.assign(mean_people=size).loc[rows.index.repeat(rows["m_villages"])].reset_index(drop=True)
    rows["village"] = np.concatenate(chosen)
    rows["n_people"] = (rows["mean_people"] * rng.uniform(0.8, 1.2, len(rows))).round().astype(np.int64)
    return rows.drop(columns="mean_people")


def link_dossiers(sample: pd.DataFrame, pool: pd.DataFrame, *, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Give a share of the people a dossier that someone of their ward filed; none where the pool has run out.

    Returns
    -------
    The sample with ``dossier_id`` (empty if none), ``unit``, ``field`` (-1) and ``late_days`` (0).
    """
    wants = chance(rng, share, n=len(sample))
    turn: Ints = np.full(len(sample), -1)
    turn[wants] = sample[wants].groupby("ward").cumcount()
    ranked = pool.sort_values("key")
    ranked = ranked.assign(turn=ranked.groupby("ward").cumcount().astype(np.int64)).drop(columns="key")
    ranked = ranked.astype({"ward": np.int64})
    linked = sample.assign(turn=turn).merge(ranked, on=["ward", "turn"], how="left").drop(columns="turn")
    filled = linked.assign(
        dossier_id=linked["dossier_id"].fillna(""),
        unit=pd.to_numeric(linked["unit"]).fillna(-1).astype(np.int64),
        field=pd.to_numeric(linked["field"]).fillna(-1).astype(np.int64),
        late_days=pd.to_numeric(linked["late_days"]).fillna(0).astype(np.int64),
    )
    return filled
