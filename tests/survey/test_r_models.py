"""Models equal R: svyglm, svyolr, polr and clm; open cases, and three stages (tests/reference/survey_models.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.survey.models import glm
from khaosat.survey.ordinal_model import ordinal
from khaosat.survey.replication import replicates
from khaosat.survey.weighting import calibrate
from tests.shared import shared

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
OURS = pd.read_csv(REFERENCE / "survey_models.csv", dtype={"term": str})
MEALS = ["[0,25]", "(25,50]", "(50,75]", "(75,100]"]
LINKS = {"logistic": "logit", "probit": "probit", "cloglog": "cloglog"}
TOLERANCE = 1e-6


@cache
def cases(file: str) -> dict[str, dict]:
    text = shared(f"reference/survey/{file}.json").read_text(encoding="utf-8")
    return {case["id"]: case["value"] for case in json.loads(text)["cases"]}


@cache
def schools() -> Survey:
    frame = pd.read_csv(shared("reference/survey/data/apistrat.csv"))
    frame["sw"] = (frame["sch.wide"] == "Yes").astype(int)
    frame["mealcat"] = pd.cut(frame["meals"], [0, 25, 50, 75, 100], labels=MEALS, include_lowest=True)
    frame["perf5"] = pd.cut(frame["api00"], [0, 500, 575, 650, 750, 1000], labels=[1, 2, 3, 4, 5])
    return Survey(responses=frame, design=Design(weights="pw", strata="stype", fpc="fpc"))


def same(found: object, expected: object, rtol: float = TOLERANCE) -> None:
    values = list(expected.values()) if isinstance(expected, dict) else expected
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(values, float), rtol=rtol, atol=1e-300)


GLMS = {
    "glm_gaussian": ("api00 ~ ell + meals + mobility", {}),
    "glm_logit": ("sch.wide ~ ell + meals + mobility", {"family": "binomial"}),
    "glm_probit": ("sw ~ ell + meals", {"family": "binomial", "link": "probit"}),
    "glm_factor": ("api00 ~ stype + emer + I(meals/10)", {}),
    "glm_domain": ("api00 ~ ell + meals", {"where": "stype == 'E'"}),
}


@pytest.mark.parametrize("case", GLMS)
def test_svyglm(case: str) -> None:
    formula, options = GLMS[case]
    value, result = cases("survey_models")[f"strat.{case}"], glm(schools(), formula, **options)
    assert result.rows["term"].tolist() == list(value["coef"])
    same(result.rows["estimate"], value["coef"])
    same(result.rows["se"], value["se"])
    same(result.covariance, value["vcov"])
    same(result.rows["t"], value["t"])
    same(result.rows["p_value"], value["p"])
    same(result.rows[["low", "high"]], value["ci_t"]["values"])
    same(
        result.fit[["deviance", "null_deviance", "dispersion"]].iloc[0],
        [value[k] for k in ("deviance", "null_deviance", "dispersion")],
    )
    assert set(result.rows["df"]) == {value["df_resid"]}


SVYOLR = [("mealcat ~ avg.ed + mobility + stype", "mealcat", link) for link in LINKS]
SVYOLR += [("perf5 ~ ell + meals + mobility", "perf5", link) for link in ("logistic", "probit")]


@pytest.mark.parametrize(("formula", "name", "link"), SVYOLR)
def test_svyolr(formula: str, name: str, link: str) -> None:
    value = cases("survey_models")[f"strat.olr_{name}_{link}"]
    result = ordinal(schools(), formula, link=LINKS[link])
    assert result.rows["term"].tolist() == value["vcov_names"]
    same(result.rows["estimate"], value["coef"] | value["zeta"])
    same(result.rows["se"], value["se_all"])
    same(result.fit["deviance"], [value["deviance"]])
    assert set(result.rows["df"]) == {value["df_resid"]}
    # R's confint takes normal quantiles
    z = 1.959963984540054
    same(
        np.column_stack(
            [result.rows["estimate"] - z * result.rows["se"], result.rows["estimate"] + z * result.rows["se"]]
        ),
        value["ci"]["values"],
        1e-5,
    )
    # every element of the covariance, on the scale of its standard errors
    scale = np.sqrt(np.outer(np.diag(value["vcov"]), np.diag(value["vcov"])))
    np.testing.assert_allclose(result.covariance / scale, value["vcov"] / scale, atol=TOLERANCE)
    exact = ordinal(schools(), formula, link=LINKS[link], hessian="analytic").rows
    same(exact["se"], value["se_all"], 2e-3)
    assert not np.allclose(exact["se"], result.rows["se"], rtol=1e-9)


def test_svyolr_on_clusters_with_missing_answers() -> None:
    frame = pd.read_csv(shared("reference/survey/data/apiclus1.csv"))
    frame["mealcat"] = pd.cut(frame["meals"], [0, 25, 50, 75, 100])
    survey = Survey(responses=frame, design=Design(weights="pw", clusters="dnum", fpc="fpc"))
    value = cases("survey_models")["clus1.olr_helppage"]
    result = ordinal(survey, "mealcat ~ avg.ed + mobility + stype")
    same(result.rows["estimate"], value["tight"]["coef"] | value["tight"]["zeta"])
    same(result.rows["se"], value["tight"]["se_all"])
    assert set(result.rows["n"]) == {value["n_used"]}
    assert set(result.rows["n_missing"]) == {len(frame) - value["n_used"]}


def test_weights_without_the_design_give_the_same_point_and_another_error() -> None:
    value = cases("survey_models")["strat.polr_weighted_naive"]
    rows = ordinal(schools(), "perf5 ~ ell + meals + mobility").rows
    same(rows["estimate"], value["coef"] | value["zeta"], 1e-6)
    assert (np.abs(rows["se"].to_numpy() / np.array(list(value["se"].values())) - 1) > 0.02).all()


def test_polr_housing() -> None:
    frame = pd.read_csv(shared("reference/survey/data/housing.csv"))
    orders = {"Sat": ["Low", "Medium", "High"], "Infl": ["Low", "Medium", "High"],
              "Type": ["Tower", "Apartment", "Atrium", "Terrace"], "Cont": ["Low", "High"]}  # fmt: skip
    for name, order in orders.items():
        frame[name] = pd.Categorical(frame[name], order, ordered=True)
    value = cases("ordinal")["housing.polr_logistic"]
    people = frame.loc[frame.index.repeat(frame["Freq"])].reset_index(drop=True)
    for survey in (Survey(responses=frame, design=Design(weights="Freq")), Survey(responses=people)):
        result = ordinal(survey, "Sat ~ Infl + Type + Cont")
        assert result.rows["term"].tolist() == list(value["se"])
        same(result.rows["estimate"], value["coef"] | value["zeta"])
    same(result.fit["deviance"], [value["deviance"]])
    # a design of 1,681 people drawn one by one estimates what the model assumes
    same(result.rows["se"], value["se"], 0.05)


def test_clm_wine() -> None:
    frame = pd.read_csv(shared("reference/survey/data/wine.csv"))
    value = cases("ordinal")["wine.clm"]
    result = ordinal(Survey(responses=frame), "rating ~ temp + contact", hessian="analytic")
    rows = result.rows.set_index("term")["estimate"]
    same(rows[list(value["alpha"])], value["alpha"])
    same(rows[list(value["beta"])], value["beta"])
    same(result.fit["deviance"], [-2 * value["logLik"]])


# Three stages ---------------------------------------------------------------------------------------------------------


@cache
def drawn(case: str) -> Survey:
    frame = pd.read_csv(REFERENCE / "survey_fpc_data.csv")
    frame["level"] = pd.cut(frame["y"], [0, 1, 3, 4, 5], labels=["low", "middle", "good", "best"])
    design = Design(
        weights="weight", strata="stratum", clusters=["ward", "village", "person"],
        fpc=["n_wards", "n_villages", "n_people"], nest=True,
    )  # fmt: skip
    if case == "jackknife":
        return replicates(drawn("with_replacement"), method="jackknife")
    if case == "with_replacement":
        design = Design(weights="weight", strata="stratum", clusters="ward", nest=True)
    survey = Survey(responses=frame, design=Design() if case == "unweighted" else design)
    return calibrate(survey, {"group": {"a": 500, "b": 600, "c": 900}}) if case == "calibrated" else survey


FORMULAS = {
    "gaussian": ("y ~ x*group", {}),
    "gaussian_origin": ("y ~ group - 1", {}),
    "gaussian_main": ("y ~ x + group", {}),
    "binomial": ("I(y >= 4) ~ x + group", {"family": "binomial"}),
    "cloglog": ("I(y >= 4) ~ x", {"family": "binomial", "link": "cloglog"}),
    "poisson": ("y ~ x + group", {"family": "poisson"}),
}


@pytest.mark.parametrize(
    ("case", "model"), OURS.loc[OURS["case"] != "unweighted", ["case", "model"]].drop_duplicates().to_numpy().tolist()
)
def test_three_stages(case: str, model: str) -> None:
    expected = OURS[(OURS["case"] == case) & (OURS["model"] == model)]
    where = "group != 'c'" if case.endswith("two_groups") else None
    if model.startswith("ordinal"):
        _, link, hessian = model.split("_")
        rows = ordinal(drawn(case), "level ~ x + group", link=LINKS[link], hessian=hessian, where=where).rows
    else:
        formula, options = FORMULAS[model]
        rows = glm(drawn(case), formula, where=where, **options).rows
    assert rows["term"].tolist() == expected["term"].tolist()
    # svyolr's optim stops about 2e-8 from the maximum
    away = np.abs(rows["estimate"].to_numpy() - expected["estimate"].to_numpy())
    assert (away <= TOLERANCE * expected["se"].to_numpy()).all()
    same(rows["se"], expected["se"])
    assert rows["df"].tolist() == expected["df"].tolist()


def test_loglog_is_what_polr_calls_cloglog() -> None:
    expected = OURS[OURS["model"] == "polr_cloglog"]
    rows = ordinal(drawn("unweighted"), "level ~ x + group", link="loglog").rows
    same(rows["estimate"], expected["estimate"])
