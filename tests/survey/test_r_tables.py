"""Quantiles, tables, tests between groups, variances of a two-stage sample: equal to R survey (survey_tables.R)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.stats.moments import population_covariance
from khaosat.survey.covariances import design_covariance
from khaosat.survey.crosstab import crosstab_test
from khaosat.survey.groups import compare_groups
from khaosat.survey.quantiles import quantile

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "survey_tables.csv")
KNOWN = {key: values["value"].to_numpy() for key, values in EXPECTED.groupby(["case", "what"], sort=False)}
SHARES = [f"{name} {pair}" for name in ("two", "one") for pair in ("age+sex", "age+q", "q+sex")]
BETWEEN = [f"{name} {variable}" for name in ("two", "one") for variable in ("days", "q")]
DESIGNS = {
    "two": Design(
        weights="weight", strata="district", clusters=["ward", "household"], fpc=["n_wards", "n_households"], nest=True
    ),
    "one": Design(weights="weight", strata="district", clusters="ward", nest=True),
}
WHERE = {"two": None, "women": "sex == 'female'", "rare": "age == '60+' and q == 5"}
QUANTILES = [case for case in EXPECTED["case"].unique() if case.endswith((" mean", " beta"))]


@cache
def survey(design: str) -> Survey:
    return Survey(responses=pd.read_csv(REFERENCE / "survey_tables_data.csv"), design=DESIGNS[design])


@pytest.mark.parametrize("case", QUANTILES)
def test_quantiles(case: str) -> None:
    name, variable, rule, interval = case.split()
    options = {
        "rule": rule,
        "ci": "woodruff" if interval == "mean" else "beta",
        "where": WHERE[name],
        "domain_df": True,
    }
    rows = quantile(survey("two"), variable, probs=KNOWN[case, "prob"].tolist(), **options).rows
    np.testing.assert_allclose(rows["estimate"], KNOWN[case, "estimate"], rtol=1e-12)
    for column in ("low", "high", "se"):
        np.testing.assert_allclose(rows[column], KNOWN[case, column], rtol=1e-9, err_msg=column)


@pytest.mark.parametrize("case", SHARES)
def test_weighted_tables_and_tests_of_independence(case: str) -> None:
    design, pair = case.split()
    row, column = pair.split("+")
    for statistic in ("F", "Chisq", "Wald", "adjWald", "saddlepoint"):
        result = crosstab_test(survey(design), row, column, statistic=statistic, where="q > 0")
        found = {name: result.rows.loc[0, name] for name in ("statistic", "df1", "df2", "p_value")}
        left_out = {"Chisq": ["df2"], "saddlepoint": ["df1", "df2"]}.get(statistic, [])
        numbers = [value for name, value in found.items() if name not in left_out]
        # R looks for the saddlepoint's root no closer than 1e-8
        np.testing.assert_allclose(numbers, KNOWN[case, statistic], rtol=1e-6 if statistic == "saddlepoint" else 1e-9)
    np.testing.assert_allclose(result.counts.to_numpy().ravel(), KNOWN[case, "table"], rtol=1e-12)


@pytest.mark.parametrize("case", BETWEEN)
def test_differences_between_groups(case: str) -> None:
    design, variable = case.split()
    row = compare_groups(survey(design), variable, groups="sex").rows.iloc[0]
    found = row[["estimate", "statistic", "df", "p_value", "low", "high"]].astype(float)
    np.testing.assert_allclose(found, KNOWN[case, "t"], rtol=1e-9)
    for test in ("wilcoxon", "median"):
        row = compare_groups(survey(design), variable, groups="sex", test=test).rows.iloc[0]
        found = row[["estimate", "statistic", "df", "p_value"]].astype(float)
        np.testing.assert_allclose(found, KNOWN[case, test], rtol=1e-9)
    overall = compare_groups(survey(design), variable, groups="age", test="kruskal").overall
    np.testing.assert_allclose(overall.loc[0, ["statistic", "df1", "p_value"]].astype(float), KNOWN[case, "kruskal"])
    overall = compare_groups(survey(design), variable, groups="age").overall
    found = overall.loc[0, ["statistic", "df1", "df2", "p_value"]].astype(float)
    np.testing.assert_allclose(found, KNOWN[case, "equal"], rtol=1e-9)


def test_population_variances_and_their_standard_errors() -> None:
    s = survey("two")
    inside = s.responses[["days", "q"]].notna().all(axis=1).to_numpy()
    answers = s.responses.loc[inside, ["days", "q"]].to_numpy(float)
    matrix, influence = population_covariance(answers, s.arrays.weights[inside])
    everyone = np.zeros((s.n, 4))
    everyone[inside] = influence
    np.testing.assert_allclose(matrix.ravel(), KNOWN["two", "variance"], rtol=1e-12)
    se = np.sqrt(np.diag(design_covariance(s, everyone, inside=inside)))
    np.testing.assert_allclose(se, KNOWN["two", "variance_se"], rtol=1e-12)


def test_every_reference_is_used() -> None:
    used = {*QUANTILES, *SHARES, *BETWEEN, "two"}
    assert set(EXPECTED["case"]) == used
