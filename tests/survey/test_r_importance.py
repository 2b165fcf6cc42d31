"""Parts of R² equal relaimpo's on the open case, and R's lm, polr and survey with weights (reference/importance.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.survey import importance, replicates
from tests.shared import shared

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
FOUND = pd.read_csv(REFERENCE / "importance.csv")
PREDICTORS = ["a", "b", "c", "e"]


@cache
def survey() -> Survey:
    frame = pd.read_csv(REFERENCE / "importance_data.csv")
    return Survey(responses=frame, design=Design(weights="weight", strata="stratum", clusters="psu"))


def expected(case: str, column: str = "estimate") -> list[float]:
    return FOUND.loc[FOUND["case"] == case, column].tolist()


def test_relaimpo() -> None:
    frame = pd.read_csv(shared("reference/survey/data/swiss.csv"))
    case = json.loads(shared("reference/survey/importance.json").read_text(encoding="utf-8"))["cases"][0]["value"]
    result = importance(Survey(responses=frame), "Fertility", list(case["lmg"]))
    np.testing.assert_allclose(result.rows["estimate"], list(case["lmg"].values()), rtol=1e-10)
    np.testing.assert_allclose(result.rows["share"], list(case["lmg_share"].values()), rtol=1e-10)
    assert result.fit.loc[0, "r2"] == pytest.approx(case["r2"], rel=1e-12)


def test_weighted_parts_with_taylor_standard_errors() -> None:
    rows = importance(survey(), "y", PREDICTORS).rows
    np.testing.assert_allclose(rows["estimate"], expected("linear_taylor"), rtol=1e-10)
    np.testing.assert_allclose(rows["se"], expected("linear_taylor", "se"), rtol=1e-7)  # numerical derivatives in R
    unweighted = Survey(responses=survey().responses, design=Design(strata="stratum", clusters="psu"))
    np.testing.assert_allclose(importance(unweighted, "y", PREDICTORS).rows["estimate"], expected("unweighted"), 1e-10)


def test_jackknife_takes_the_whole_calculation() -> None:
    result = importance(replicates(survey()), "y", PREDICTORS)
    np.testing.assert_allclose(result.rows["estimate"], expected("linear_jackknife"), rtol=1e-10)
    np.testing.assert_allclose(result.rows["se"], expected("linear_jackknife", "se"), rtol=1e-10)
    np.testing.assert_allclose(result.rows["share_se"], expected("share_jackknife", "se"), rtol=1e-10)
    assert result.fit.loc[0, "se"] == pytest.approx(expected("r2_jackknife", "se")[0], rel=1e-10)


def test_mcfadden() -> None:
    rows = importance(survey(), "level", PREDICTORS, model="ordinal").rows
    np.testing.assert_allclose(rows["estimate"], expected("ordinal"), rtol=1e-6)


def test_blocks_and_their_division() -> None:
    result = importance(survey(), "y", PREDICTORS, blocks={"ab": ["a", "b"]})
    assert result.rows["variable"].tolist() == ["ab", "c", "e"]
    np.testing.assert_allclose(result.rows["estimate"], expected("blocks"), rtol=1e-10)
    assert result.within[["block", "variable"]].to_numpy().tolist() == [["ab", "a"], ["ab", "b"]]
    np.testing.assert_allclose(result.within["estimate"], expected("owen"), rtol=1e-10)


def test_what_is_always_in_comes_first() -> None:
    result = importance(survey(), "y", ["a", "b", "c"], always=["e"])
    np.testing.assert_allclose(result.rows["estimate"], expected("beyond_e"), rtol=1e-10)
    fit = result.fit.loc[0]
    assert result.rows["estimate"].sum() == pytest.approx(fit["r2"] - fit["r2_always"])
