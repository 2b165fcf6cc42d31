"""Do drivers find what was planted? Invented cities, surveys of each, and what is true of the whole city.

``python benchmarks/drivers_study.py``. No times are measured. What it found: docs/methods/dong-luc.md.

The planted effect of a factor is what ``drivers`` says of 40,000 answers in the same city: coefficients of latent
scores (``facts/sample/truths.toml``) become percentage points only together with the city's share of dissatisfied
answers.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import khaosat as ks
from khaosat.sample.answers import Opinions
from khaosat.sample.run import prepare, write_quarter
from khaosat.sample.settings import settings
from khaosat.sample.survey import write_wave
from khaosat.sample.write import QUESTIONNAIRE

QUARTER = "2026-Q3"
DESIGN = ks.Design(
    weights="weight", strata="stratum", clusters=["psu", "ssu", "response_id"],
    fpc=["n_wards", "n_villages", "n_people"], nest=True, lonely_psu="adjust",
)  # fmt: skip
COLUMNS = ["estimate", "low", "high", "share", "share_low", "share_high", "rank", "verdict", "p_value"]


def surveys(seed: int, sizes: list[int]) -> Iterator[ks.Survey]:
    """Surveys of so many people each in the city of a seed, drawn one by one."""
    questionnaire = ks.load_questionnaire(QUESTIONNAIRE)
    run = prepare((QUARTER,), waves=(QUARTER,), dossiers=2_000, survey=max(sizes), seed=seed, batch_size=100_000)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / "survey").mkdir()
        (out / "dossiers").mkdir()
        write_quarter(run, QUARTER, out=out / "dossiers", file_format="parquet", written=lambda _: None)
        opinions = Opinions.of(run.city, questionnaire, seed=seed)
        for number, people in enumerate(sizes):
            write_wave(
                opinions, run.pools[0], number=number, people=people, seed=seed, out=out, file_format="parquet"
            )  # fmt: skip
            frame = pd.read_parquet(next((out / "survey").glob("*.parquet")))
            numbers = ["weight", "n_wards", "n_villages", "n_people"]
            frame[numbers] = frame[numbers].apply(pd.to_numeric)
            yield ks.Survey(responses=frame, questionnaire=questionnaire, design=DESIGN)


def city(seed: int, *, samples: int, people: int, population: int) -> pd.DataFrame:
    """What is found in surveys of a city beside what is true of it, a row a survey and factor."""
    true, *found = (
        ks.drivers(survey, cross_check=False).rows.set_index("variable")[COLUMNS]
        for survey in surveys(seed, [population, *[people] * samples])
    )
    true = true[["estimate", "share"]].add_suffix("_true")
    return pd.concat([rows.join(true).assign(seed=seed, sample=i).reset_index() for i, rows in enumerate(found)])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a factor: planted coefficient, true effect, coverage, how often it ranks first and is called important."""
    planted = settings("truths").table("survey.drivers")
    rows = rows.assign(
        planted=rows["variable"].map(planted),
        covers=rows["estimate_true"].between(rows["low"], rows["high"]),
        covers_share=rows["share_true"].between(rows["share_low"], rows["share_high"]),
        first=rows["rank"] == 1,
        important=rows["verdict"] == "important",
        significant=rows["p_value"] < 0.05,
    )
    columns = ["planted", "estimate_true", "estimate", "share_true", "share", "covers", "covers_share", "first",
               "important", "significant"]  # fmt: skip
    return rows.groupby("variable", sort=False)[columns].mean()


def main() -> None:
    """Run the study and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=20)
    parser.add_argument("--samples", type=int, default=10, help="surveys of each city")
    parser.add_argument("--people", type=int, default=1_200)
    parser.add_argument("--population", type=int, default=40_000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="CSV of all surveys")
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.cities)
    rows = pd.concat(
        [city(seed, samples=asked.samples, people=asked.people, population=asked.population) for seed in seeds]
    )
    if asked.out:
        rows.to_csv(asked.out, index=False)
    print(summary(rows).round(4).to_string())


if __name__ == "__main__":
    main()
