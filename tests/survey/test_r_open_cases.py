"""Equal to R survey on the open reference cases (shared/reference/survey)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.stats.moments import population_covariance
from khaosat.stats.taylor import covariance
from khaosat.survey import compare, crosstab_test, mean, proportion, quantile, ratio, total
from khaosat.survey.cells import cells_of, ratio_estimates, sample_of
from khaosat.survey.covariances import design_covariance, group_means
from tests.shared import shared

EXACT = 1e-11
DESIGNS = {
    "srs": ("apisrs", Design(fpc="fpc")),
    "strat": ("apistrat", Design(weights="pw", strata="stype", fpc="fpc")),
    "clus1": ("apiclus1", Design(weights="pw", clusters="dnum", fpc="fpc")),
}


@cache
def survey(design: str) -> Survey:
    name, chosen = DESIGNS[design]
    frame = pd.read_csv(shared(f"reference/survey/data/{name}.csv"))
    frame = frame.rename(columns=lambda column: column.replace(".", "_"))
    frame["five"] = pd.cut(frame["api00"], [0, 500, 575, 650, 750, 1000], labels=False) + 1
    frame["rare"] = frame["api00"] < 480
    for level in "EHM":
        frame[f"is_{level}"] = frame["stype"] == level
    return Survey(responses=frame, design=chosen)


@cache
def cases(file: str) -> dict[str, dict]:
    text = shared(f"reference/survey/{file}.json").read_text(encoding="utf-8")
    return {case["id"]: case["value"] for case in json.loads(text)["cases"]}


def same(found: Iterable[float], expected: object, rtol: float = EXACT) -> None:
    values = list(expected.values()) if isinstance(expected, dict) else expected
    # atol: the size of a stratum has a standard error of zero, of which floating point leaves 1e-13
    np.testing.assert_allclose(np.asarray(list(found), dtype=float), np.asarray(values, dtype=float), rtol, atol=1e-12)


def same_rows(rows: pd.DataFrame, value: dict) -> None:
    same(rows["estimate"], value["est"])
    same(rows["se"], value["se"])
    if "ci_t" in value:
        same(rows[["low", "high"]].to_numpy().ravel(), np.asarray(value["ci_t"]["values"]).ravel())
    if "deff" in value and "deff" in rows:
        same(rows["deff"], value["deff"])
    if "df" in value:
        same(rows["df"], [value["df"]] * len(rows))


def by_stype_mean(s: Survey, value: dict) -> None:
    rows = mean(s, "api00", by="stype", deff=True, domain_df=False).rows
    assert rows["stype"].tolist() == value["levels"]
    same(rows["estimate"], value["est"])
    same(rows["se"], value["se"])
    same(rows["deff"], value["deff"])
    same(rows["se"] / rows["estimate"], value["cv"])
    same(rows[["low", "high"]].to_numpy().ravel(), np.asarray(value["ci_t"]["values"]).ravel())


def by_stype_total(s: Survey, value: dict) -> None:
    rows = total(s, "enroll", by="stype").rows
    assert rows["stype"].tolist() == value["levels"]
    same(rows["estimate"], value["est"])
    same(rows["se"], value["se"])


def domain_schwide(s: Survey, value: dict) -> None:
    rows = mean(s, "api00", where="sch_wide == 'Yes'", deff=True, domain_df=True).rows
    same_rows(rows, value)
    assert rows["n"].tolist() == [value["n"]]


def domain_rare(s: Survey, value: dict) -> None:
    options = {"where": "stype == 'H' and awards == 'Yes'", "domain_df": True}
    rows = mean(s, "api00", **options).rows
    assert (rows.loc[0, "n"], rows.loc[0, "df"]) == (value["n"], value["degf"])
    same_rows(rows, value["mean"])
    same_rows(total(s, "enroll", **options).rows, value["total"])


def ciprop(variable: str, at: object) -> Callable[[Survey, dict], None]:
    def check(s: Survey, value: dict) -> None:
        for method, name in {"logit": "xlogit", "beta": "beta", "asin": "asin", "wald": "mean"}.items():
            rows = proportion(s, variable, at=at, ci=method).rows
            same(rows["estimate"], [value[name]["est"]])
            same(rows[["low", "high"]].iloc[0], value[name]["ci"])
            assert rows.loc[0, "numerator"] == value["n_events"]
        rows = proportion(s, variable, at=at).rows  # R's "logit" is a fitted model: its estimate is good to 1e-8 only
        same(rows[["low", "high"]].iloc[0], value["logit"]["ci"], 1e-7)
        same(rows["se"], [value["logit"]["se"]], 1e-7)

    return check


def quantiles(rule: str, ci: str = "woodruff") -> Callable[[Survey, dict], None]:
    def check(s: Survey, value: dict) -> None:
        rows = quantile(s, "api00", probs=value["p"], rule=rule, ci=ci).rows
        for column, name in {"estimate": "est", "low": "ci_l", "high": "ci_u", "se": "se"}.items():
            same(rows[column], value[name])

    return check


def difference(row: pd.Series, value: dict) -> None:
    same(row[["estimate", "statistic", "df"]], [value["estimate"], value["statistic"], value["df"]])
    same([row["p_value"]], [value["p"]], 1e-9)  # a tail of 1e-5 to 15 digits hangs on the last digits of t


def ttest(s: Survey, value: dict) -> None:
    row = compare(s, "api00", groups="sch_wide").rows.iloc[0]
    assert (row["group"], row["reference"]) == ("Yes", "No")
    difference(row, {**value, "estimate": value["diff"], "statistic": value["t"]})
    same(row[["low", "high"]], value["ci"])


def ranktest(s: Survey, value: dict) -> None:
    difference(compare(s, "api00", groups="sch_wide", test="wilcoxon").rows.iloc[0], value["wilcoxon"])
    overall = compare(s, "api00", groups="stype", test="kruskal").overall.iloc[0]
    same(overall[["df1", "statistic"]], [value["kw"]["statistic"], value["kw"]["df"]])  # R swaps the two names
    same([overall["p_value"]], [value["kw"]["p"]])


def chisq(s: Survey, value: dict) -> None:
    for statistic in ("F", "Chisq", "Wald", "adjWald", "saddlepoint"):
        row, known = crosstab_test(s, "sch_wide", "stype", statistic=statistic).rows.iloc[0], value[statistic]
        same([row["statistic"]], [known["statistic"]])
        same([row["p_value"]], [known["p"]], 1e-7 if statistic == "saddlepoint" else 1e-9)
        parameter = np.ravel(known["parameter"]) if known["parameter"] else []
        same(row[["df1", "df2"]].iloc[: len(parameter)], parameter)


def by_stype_covariance(s: Survey, value: dict) -> None:
    codes = s.responses["stype"].map({"E": 0, "H": 1, "M": 2}).to_numpy()
    _, influence = group_means(s.responses["api00"].to_numpy(float), s.arrays.weights, group=codes, n_groups=3)
    same(design_covariance(s, influence, inside=np.ones(s.n, dtype=bool)).ravel(), np.ravel(value["vcov"]))
    row = compare(s, "api00", groups="stype", reference="E").rows.iloc[0]
    assert row["group"] == "H"
    same([-row["estimate"], row["se"]], [value["contrast"]["est"], value["contrast"]["se"]])


def variances(names: list[str]) -> Callable[[Survey, dict], None]:
    def check(s: Survey, value: dict) -> None:
        matrix, influence = population_covariance(s.responses[names], s.arrays.weights)
        same(matrix.ravel(), np.ravel(value["est"]))
        found = design_covariance(s, influence, inside=np.ones(s.n, dtype=bool))
        same(found.ravel(), np.ravel(value["vcov"]) if "vcov" in value else [value["se"] ** 2])

    return check


def table(s: Survey, value: dict) -> None:
    counts = crosstab_test(s, "sch_wide", "stype").counts
    assert (counts.index.tolist(), counts.columns.tolist()) == (value["rows"], value["cols"])
    same(counts.to_numpy().ravel(), np.ravel(value["values"]))


CASES: dict[str, Callable[[Survey, object], None]] = {
    "degf": lambda s, v: same([sample_of(s).df], [v]),
    "weights_sum": lambda s, v: same([s.arrays.weights.sum()], [v]),
    "mean": lambda s, v: same_rows(mean(s, ["api00", "enroll", "meals"], deff=True).rows, v),
    "mean_api00": lambda s, v: same_rows(mean(s, "api00", deff=True).rows, v),
    "mean_api00_deff_replace": lambda s, v: same_rows(mean(s, "api00", deff="replace").rows, v),
    "total_enroll": lambda s, v: same_rows(total(s, "enroll", deff=True).rows, v),
    "prop_stype": lambda s, v: same_rows(proportion(s, "stype", ci="wald").rows, v),
    "total_stype": lambda s, v: same_rows(total(s, ["is_E", "is_H", "is_M"]).rows, v),
    "ratio": lambda s, v: same_rows(ratio(s, "api_stu", "enroll").rows, {**v, "est": [v["est"]], "se": [v["se"]]}),
    "by_stype_mean": by_stype_mean,
    "by_stype_total": by_stype_total,
    "domain_schwide": domain_schwide,
    "domain_rare": domain_rare,
    "ciprop_target": ciprop("sch_wide", "Yes"),
    "ciprop_rare": ciprop("rare", True),
    "five_point_dist": lambda s, v: same_rows(proportion(s, "five", ci="wald").rows, v),
    "five_point_mean": lambda s, v: same_rows(mean(s, "five", deff=True).rows, v),
    "quantile_math": quantiles("math"),
    "quantile_school": quantiles("school"),
    "quantile_shahvaish": quantiles("shahvaish"),
    "quantile_hf4": quantiles("hf4"),
    "quantile_hf7": quantiles("hf7"),
    "quantile_math_beta": quantiles("math", "beta"),
    "ttest": ttest,
    "ranktest": ranktest,
    "chisq": chisq,
    "table": table,
    "by_stype_covmat_contrast": by_stype_covariance,
    "var_api00": variances(["api00"]),
    "cov": variances(["api00", "api99"]),
}  # fmt: skip


@pytest.mark.parametrize("design", ["srs", "strat"])
@pytest.mark.parametrize("case", CASES)
def test_equal_to_r(design: str, case: str) -> None:
    CASES[case](survey(design), cases("survey_api")[f"{design}.{case}"])


def test_every_open_case_is_checked() -> None:
    open_cases = {name.split(".", 1)[1] for name in cases("survey_api")}
    assert open_cases == set(CASES)


def test_one_stage_clusters() -> None:
    s, value = survey("clus1"), cases("survey_calibrate_rake")["clus1.base"]
    assert sample_of(s).df == value["degf"]
    same_rows(total(s, ["enroll", "api_stu"]).rows, value["total"])
    means = value["mean"]
    rows = pd.concat([mean(s, "api00").rows, proportion(s, "stype").rows])
    same(rows["estimate"], means["est"])
    same(rows["se"], means["se"])
    same(ratio(s, "api_stu", "enroll").rows["se"], [value["ratio"]["se"]])


@pytest.mark.parametrize("design", ["srs", "strat"])
@pytest.mark.parametrize(("case", "variables"), [("mean", ["api00", "enroll", "meals"]), ("five_point_dist", None)])
def test_covariances_of_means(design: str, case: str, variables: list[str] | None) -> None:
    s, everyone = survey(design), np.ones(survey(design).n, dtype=bool)
    columns = [s.responses[v] for v in variables] if variables else [s.responses["five"] == k for k in range(1, 6)]
    influences = [
        ratio_estimates(s, cells_of(s), top=y.to_numpy(float), bottom=everyone * 1.0, valid=everyone, asked=everyone)
        for y in columns
    ]
    matrix = covariance(np.column_stack([one.influence for one in influences]), drawn=sample_of(s))
    same(matrix.ravel(), np.ravel(cases("survey_api")[f"{design}.{case}"]["vcov"]))
