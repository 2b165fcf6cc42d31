"""Do 95% intervals cover 95% of the time? Samples drawn again and again from one fixed city, whose truth is known.

``python benchmarks/coverage_study.py``. No times are measured. What it found: docs/methods/coverage.md.

The city is made as the sample's is (``khaosat.sample.answers``): what a person feels is ward + village + person, cut
into five answers. Every sample has three stages: wards by stratum, two villages of each, eight people of each village.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pandas as pd

import khaosat as ks
from khaosat.sample.settings import settings

SEED = 2026
WARDS = (48, 65, 55)
"""Wards of each stratum, as in the sample city."""
VILLAGES, PEOPLE = (13, 40), (40, 160)
"""Fewest and most villages of a ward, people of a village."""
UNITS = 8
"""Agencies that serve people of all wards, to be ranked."""
PER_VILLAGE = 8
CUTS = (0.03, 0.10, 0.30, 0.75)
"""Shares of people at or below answers 1 to 4: the lowest is rare."""
LOADING = 0.8
ITEMS = ["q1", "q2", "q3", "q4", "q5"]
MODEL = "q1 ~ x + group"
SCENARIOS = {"60": 20, "12": 4}
"""Primary units in all: wards drawn in each of the three strata."""
DESIGN = ks.Design(
    weights="weight", strata="stratum", clusters=["ward", "village", "person"],
    fpc=["n_wards", "n_villages", "n_people"],
)  # fmt: skip


def city(rng: np.random.Generator) -> pd.DataFrame:
    """Everybody, village by village: where they live, who serves them, what they would answer."""
    truths = settings("truths")
    of_ward, of_village = truths.number("survey.ward_variance"), truths.number("survey.village_variance")
    stratum = np.repeat(np.arange(len(WARDS)), WARDS)
    villages = rng.integers(*VILLAGES, len(stratum), endpoint=True)
    ward = np.repeat(np.arange(len(stratum)), villages)
    people = rng.integers(*PEOPLE, len(ward), endpoint=True)
    village = np.repeat(np.arange(len(ward)), people)
    n, ward_of = len(village), ward[village]
    unit, group, x = rng.integers(0, UNITS, n), (rng.random(n) < 0.2).astype(int), rng.standard_normal(n)
    place = of_ward**0.5 * rng.standard_normal(len(stratum))[ward] + of_village**0.5 * rng.standard_normal(len(ward))
    felt = place[village] + (1 - of_ward - of_village) ** 0.5 * rng.standard_normal(n)
    felt += 0.3 * x - 0.2 * group + np.linspace(-0.4, 0.4, UNITS)[unit]
    latent = LOADING * felt + (1 - LOADING**2) ** 0.5 * rng.standard_normal((len(ITEMS), n))
    bounds = NormalDist(sigma=float(latent.std()))
    answers = 1 + np.searchsorted([bounds.inv_cdf(cut) for cut in CUTS], latent)
    return pd.DataFrame({
        "stratum": stratum[ward_of], "ward": ward_of, "village": village, "person": np.arange(n), "unit": unit,
        "n_wards": np.array(WARDS)[stratum[ward_of]], "n_villages": villages[ward_of], "n_people": people[village],
        "group": group, "x": x, **dict(zip(ITEMS, answers, strict=True)),
    })  # fmt: skip


def samples(people: pd.DataFrame, *, wards: int, rng: np.random.Generator) -> Iterator[ks.Survey]:
    """Surveys of so many wards a stratum, without end."""
    first = people.drop_duplicates("village").set_index("village")[["person", "n_people", "ward", "stratum"]]
    villages = first.groupby("ward").groups
    strata = first.groupby("stratum")["ward"].unique()
    start, size = first["person"].to_numpy(), first["n_people"].to_numpy()
    while True:
        places = [
            village
            for stratum in strata
            for ward in rng.choice(stratum, wards, replace=False)
            for village in rng.choice(villages[ward], 2, replace=False)
        ]
        rows = [start[village] + rng.choice(size[village], PER_VILLAGE, replace=False) for village in places]
        frame = people.iloc[np.concatenate(rows)].reset_index(drop=True)
        weight = frame["n_wards"] / wards * frame["n_villages"] / 2 * frame["n_people"] / PER_VILLAGE
        yield ks.Survey(responses=frame.assign(weight=weight), design=DESIGN)


def quick(survey: ks.Survey) -> Iterator[tuple[str, pd.DataFrame]]:
    """Means and shares."""
    yield "mean", ks.mean(survey, "q1").rows
    yield "share", ks.proportion(survey, "q1", at=[4, 5]).rows
    yield "share in a domain (20%)", ks.proportion(survey, "q1", at=[4, 5], where="group == 1").rows
    yield "rare share (3%), logit", ks.proportion(survey, "q1", at=1).rows
    yield "rare share (3%), beta", ks.proportion(survey, "q1", at=1, ci="beta").rows


def slow(survey: ks.Survey) -> Iterator[tuple[str, pd.DataFrame]]:
    """The ordinal model's slopes, alpha and ranks."""
    try:
        slopes = ks.ordinal(survey, MODEL).rows.set_index("term")
    except ks.DataError:  # an answer too rare in this sample: no finite estimate, so no interval
        slopes = pd.DataFrame(np.nan, index=["x", "group"], columns=["estimate", "low", "high"])
    yield "ordinal: x", slopes.loc[["x"]]
    yield "ordinal: group", slopes.loc[["group"]]
    yield "alpha", ks.reliability(survey, ITEMS).rows
    ranks = ks.league_table(survey, "q1", by="unit", shrink=False, min_n=1).rows.sort_values("unit")
    yield (
        "ranks of 8 agencies, jointly",
        ranks[["rank", "rank_low", "rank_high"]].set_axis(["estimate", "low", "high"], axis=1),
    )


def truth(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """The same figures of everybody."""
    everybody = ks.Survey(responses=people)
    known = {}
    for name, rows in (*quick(everybody), *slow(everybody)):
        column = "alpha" if "alpha" in rows else "estimate"
        known[name] = rows[column].to_numpy(dtype=float)
    return known


def covered(rows: pd.DataFrame, true: np.ndarray) -> bool | None:
    """Whether every interval holds its true value; None where there is no interval."""
    low, high = rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float)
    if np.isnan(low).any():
        return None
    return bool(((low <= true) & (true <= high)).all())


def study(*, many: int, few: int) -> pd.DataFrame:
    """Coverage of every estimator in every scenario, with its Monte Carlo error."""
    people = city(np.random.default_rng(SEED))
    known, hits = truth(people), []
    for units, wards in SCENARIOS.items():
        drawn = samples(people, wards=wards, rng=np.random.default_rng([SEED, wards]))
        for number in range(many):
            survey = next(drawn)
            found = [*quick(survey), *(slow(survey) if number < few else ())]
            hits += [(units, name, covered(rows, known[name])) for name, rows in found]
    table = pd.DataFrame(hits, columns=["primary units", "estimate", "covered"])
    grouped = table.assign(covered=table["covered"].astype("float")).groupby(["primary units", "estimate"], sort=False)
    share, n = grouped["covered"].mean(), grouped["covered"].count()
    missing = grouped["covered"].size() - n
    error = (share * (1 - share) / n) ** 0.5
    return pd.DataFrame({"coverage": share, "error": error, "samples": n, "without interval": missing}).reset_index()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2_000, help="samples for means and shares")
    parser.add_argument("--slow", type=int, default=500, help="samples for models, alpha and ranks")
    chosen = parser.parse_args()
    print(study(many=chosen.samples, few=chosen.slow).to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
