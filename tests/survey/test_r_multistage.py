"""Two and three stages, finite populations and lonely units: equal to R survey 4.1-1 (tests/reference/survey_fpc.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.survey import mean, ratio, total

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "survey_fpc.csv")
STAGES = {"clusters": ["ward", "village", "person"], "fpc": ["n_wards", "n_villages", "n_people"]}
ONE = {"strata": "stratum", "clusters": "ward", "nest": True}
DESIGNS = {
    "one_stage": Design(weights="weight", fpc="n_wards", **ONE),
    "two_stages": Design(
        weights="weight", strata="stratum", clusters=["ward", "village"], fpc=["n_wards", "n_villages"], nest=True
    ),
    "three_stages": Design(weights="weight", strata="stratum", nest=True, **STAGES),
    "weights_from_fpc": Design(strata="stratum", nest=True, **STAGES),
    "with_replacement": Design(weights="weight", **ONE),
    "fractions": Design(weights="weight", fpc="f1", **ONE),
}


def design_of(case: str) -> Design:
    if case.startswith("lonely"):
        rule = case.rsplit("_", 1)[1]
        if "village" in case:
            return Design(
                weights="weight", strata="stratum", clusters=["ward", "hamlet"], fpc=["n_wards", "n_villages"],
                nest=True, lonely_psu=rule,
            )  # fmt: skip
        fpc = "n_pair" if "fpc" in case else None
        return Design(weights="weight", strata="pair", clusters="ward", fpc=fpc, nest=True, lonely_psu=rule)
    return DESIGNS[case.split("_group_")[0]]


def where_of(case: str) -> str | None:
    if "_group_" in case:
        return f"group == {case[-1]!r}"
    return "stratum != 3" if "domain" in case else None


@pytest.fixture(scope="module")
def responses() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survey_fpc_data.csv")


@pytest.mark.parametrize("case", EXPECTED["case"].unique())
def test_estimates_and_standard_errors_equal_r(case: str, responses: pd.DataFrame) -> None:
    survey = Survey(responses=responses, design=design_of(case))
    options = {"where": where_of(case), "domain_df": True}
    found = pd.concat(
        [
            mean(survey, "y", **options).rows,
            total(survey, "x", **options).rows,
            ratio(survey, "y", "x", **options).rows,
        ]
    )
    expected = EXPECTED[EXPECTED["case"] == case]
    assert expected["estimator"].tolist() == ["mean", "total", "ratio"]
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-12, err_msg=column)


def test_every_lonely_rule_and_every_kind_of_design_is_covered() -> None:
    cases = set(EXPECTED["case"])
    rules = {case.rsplit("_", 1)[1] for case in cases if case.startswith("lonely")}
    assert rules == {"remove", "adjust", "average", "certainty"}
    assert set(DESIGNS) <= cases
