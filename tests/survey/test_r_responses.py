"""Careless answers, non-response and partial proportional odds: equal to R (tests/reference/survey_responses.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.stats.careless import item_pairs
from khaosat.survey import adjust_nonresponse, mean, ordinal, poststratify, replicates, response_quality, total

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "survey_responses.csv").set_index("case")
ITEMS = [f"i{k}" for k in range(1, 7)]
DESIGN = Design(weights="w", strata="stratum", clusters="ward", nest=True)


@pytest.fixture(scope="module")
def responses() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survey_responses_data.csv")


@pytest.mark.parametrize(
    "indicator", ["mahad", "irv", "longstring", "avgstr", "psychsyn", "evenodd"]
)  # of psych::outlier, sd, rle and cor
def test_careless_indices_equal_r(indicator: str, responses: pd.DataFrame) -> None:
    blocks = {"a": ["i1", "i2"], "b": ["i3", "i4"], "c": ["i5", "i6"]}
    found = response_quality(Survey(responses=responses.head(60)), items=blocks).respondents[indicator]
    np.testing.assert_allclose(found, EXPECTED.loc[indicator, "value"], rtol=1e-9, atol=1e-12)


def test_pairs_of_synonyms_equal_r(responses: pd.DataFrame) -> None:
    assert item_pairs(responses.head(60)[ITEMS].to_numpy(float)).sum() == EXPECTED.loc["pairs", "value"]


@pytest.fixture(scope="module")
def adjusted(responses: pd.DataFrame) -> Survey:
    # R knows the answers of those who did not come; here they are blank, and must not be needed
    silent = responses.assign(y=responses["y"].where(responses["came"] == 1))
    drawn = Survey(responses=silent, design=DESIGN)
    return adjust_nonresponse(drawn, responded="came", cells=["area", "online"], min_respondents=5)


@pytest.mark.parametrize("case", ["taylor", "jackknife"])
def test_nonresponse_in_classes_equals_r(case: str, adjusted: Survey) -> None:
    survey = replicates(adjusted) if case == "jackknife" else adjusted
    found = pd.concat([mean(survey, "y").rows, mean(survey, "y", where="age > 45").rows, total(survey, "y").rows])
    expected = EXPECTED.loc[case].set_index("name").loc[["mean", "older", "total"]]
    np.testing.assert_allclose(found["estimate"], expected["value"], rtol=1e-12)
    np.testing.assert_allclose(found["se"], expected["se"], rtol=1e-9)


def test_poststratified_after_nonresponse_equals_r(adjusted: Survey) -> None:
    sizes = {0: 0.55 * 2600, 1: 0.45 * 2600}
    after = poststratify(adjusted, {"online": sizes})
    expected = EXPECTED.loc["poststratified"]
    again = mean(replicates(after), "y").rows.iloc[0]
    assert again["estimate"] == pytest.approx(expected["value"], rel=1e-12)
    assert again["se"] == pytest.approx(expected["se"], rel=1e-9)
    linear = mean(after, "y").rows.iloc[0]
    assert linear["se"] == pytest.approx(expected["se"], rel=0.05)  # linearisation and jackknife differ a little


@pytest.mark.parametrize(
    ("case", "link", "partial"),
    [
        ("vgam_online", "logit", ["online"]),
        ("vgam_both", "logit", ["online", "age"]),
        ("vgam_probit", "probit", ["online"]),
    ],
)
def test_free_slopes_equal_vgam(case: str, link: str, partial: list[str], responses: pd.DataFrame) -> None:
    result = ordinal(Survey(responses=responses, design=DESIGN), "y ~ online + age", link=link, partial=partial)
    expected = EXPECTED.loc[case].set_index("name")["value"]
    found = result.rows.set_index("term")["estimate"]
    for name, value in expected.drop("loglik").items():
        assert found[own_name(str(name))] == pytest.approx(value, rel=1e-7, abs=1e-9), name
    assert -result.fit["deviance"].iloc[0] / 2 == pytest.approx(expected["loglik"], rel=1e-10)


def test_standard_errors_of_free_slopes_follow_the_design_as_in_r(responses: pd.DataFrame) -> None:
    result = ordinal(Survey(responses=responses, design=DESIGN), "y ~ online + age", partial=["online"])
    expected = EXPECTED.loc["design_online"].set_index("name")["se"]
    found = result.rows.set_index("term")["se"]
    for name, value in expected.items():
        assert found[own_name(str(name))] == pytest.approx(value, rel=1e-5), name  # R's Hessian is by differences


def own_name(name: str) -> str:
    """VGAM's ``online:2`` and ``(Intercept):2`` as they are called here."""
    term, _, cut = name.partition(":")
    if not cut:
        return term
    threshold = f"{cut}|{int(cut) + 1}"
    return threshold if term == "(Intercept)" else f"{term} ({threshold})"
