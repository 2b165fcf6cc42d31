"""Calibrated, raked, trimmed and replicate weights: equal to R survey 4.1-1 (tests/reference/survey_calibration.R)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.survey import mean, proportion, ratio, total
from khaosat.survey.replication import replicates
from khaosat.survey.weighting import calibrate, poststratify, rake, trim_weights
from tests.shared import shared

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "survey_calibration.csv")
GROUP = {"group": {"a": 950, "b": 900, "c": 1350}}
BAND = {"band": {"low": 950, "mid": 1350, "high": 900}}
STRATUM = {"stratum": {1: 1250, 2: 720, 3: 1230}}
MODEL = {"(Intercept)": 3200, "groupb": 900, "groupc": 1350, "x": 9300}
ONE = {"weights": "weight", "strata": "stratum", "clusters": "ward", "nest": True}
DESIGNS = {
    "three": Design(
        weights="weight", strata="stratum", clusters=["ward", "village", "person"],
        fpc=["n_wards", "n_villages", "n_people"], nest=True,
    ),
    "one": Design(**ONE),
    "flat": Design(**{**ONE, "weights": "ward_weight"}),
    "jkn": Design(**ONE),
    "jkn_fpc": Design(**ONE, fpc="n_wards"),
    "jk1": Design(weights="weight", clusters="ward2"),
    "given": Design(**ONE, replicate_weights=[f"b{k}" for k in range(1, 41)], replicate_method="bootstrap"),
}  # fmt: skip
Step = Callable[[Survey], Survey]


@cache
def responses() -> pd.DataFrame:
    frame = pd.read_csv(REFERENCE / "survey_fpc_data.csv")
    band = pd.cut(frame["x"], [0, 2.2, 3.4, 100], labels=["low", "mid", "high"]).astype(str)
    wards = frame.groupby(["stratum", "ward"])["weight"]
    rank = frame.groupby("stratum")["ward"].rank(method="dense")
    boot = pd.read_csv(REFERENCE / "survey_calibration_bootstrap.csv")
    return frame.assign(
        band=band, high=frame["y"].ge(4).where(frame["y"].notna()), ward_weight=wards.transform("mean"),
        ward2=frame["stratum"].astype(str) + " " + frame["ward"].astype(str), pair=rank, **dict(boot.items()),
    )  # fmt: skip


def crossed(survey: Survey) -> Survey:
    sizes = responses().groupby(["group", "stratum"])["weight"].sum() * 1.25
    return poststratify(survey, {("group", "stratum"): sizes})


def chain(*steps: Step) -> Step:
    def run(survey: Survey) -> Survey:
        for step in steps:
            survey = step(survey)
        return survey

    return run


def with_targets(verb: Callable[..., Survey], *targets: object, **options: object) -> Step:
    return lambda survey: verb(survey, *targets, **options)


RAKE = with_targets(rake, GROUP | BAND | STRATUM)
STEPS: dict[str, Step] = {
    "poststratify": with_targets(poststratify, GROUP),
    "poststratify_crossed": crossed,
    "rake": RAKE,
    "trim": with_targets(rake, GROUP | BAND | STRATUM, trim=(20, 45)),
    "trim_strict": chain(RAKE, partial(trim_weights, lower=20, upper=45, strict=True)),
    "linear": with_targets(calibrate, MODEL),
    "linear_bounded": with_targets(calibrate, MODEL, bounds=(0.8, 1.15)),
    "raking": with_targets(calibrate, MODEL, method="raking"),
    "logit": with_targets(calibrate, MODEL, method="logit", bounds=(0.75, 1.3)),
    "cluster_level": with_targets(calibrate, {"(Intercept)": 3200, "x": 9300}, cluster_level=True),
    "cluster_raking": with_targets(calibrate, {"(Intercept)": 3200, "x": 9300}, cluster_level=True, method="raking"),
}


def survey_of(case: str) -> Survey:
    if case.startswith(("brr", "fay")):
        frame = responses().query("pair <= 2")
        made = replicates(Survey(responses=frame, design=Design(**ONE)), method=case[:3])
        return rake(made, GROUP) if case.endswith("rake") else made
    name = next(name for name in sorted(DESIGNS, key=len, reverse=True) if case.startswith(name))
    survey, rest = Survey(responses=responses(), design=DESIGNS[name]), case.removeprefix(name).strip("_")
    if name == "given":
        return rake(survey, GROUP) if rest == "bootstrap_rake" else survey
    if name.startswith("jk"):
        survey = replicates(survey)
        return {"": lambda s: s, "rake": with_targets(rake, GROUP | BAND), **STEPS_OF_REPLICATES}[rest](survey)
    return STEPS[rest](survey)


STEPS_OF_REPLICATES = {name: STEPS[name] for name in ("poststratify", "linear")}


def found(survey: Survey) -> dict[str, tuple[float, float]]:
    rows = {
        "mean": mean(survey, "y").rows,
        "total": total(survey, "x").rows,
        "ratio": ratio(survey, "y", "x").rows,
        "share": proportion(survey, "high", at=True).rows,
    }
    for part in "abc":
        rows[f"mean_{part}"] = mean(survey, "y", where=f"group == {part!r}").rows
        rows[f"total_{part}"] = total(survey, "x", by="group").rows.query("group == @part")
    weights = survey.arrays.weights
    sizes = {"sum_of_weights": weights.sum(), "smallest_weight": weights.min(), "largest_weight": weights.max()}
    return {name: (float(size), np.nan) for name, size in sizes.items()} | {
        name: (row["estimate"].iloc[0], row["se"].iloc[0]) for name, row in rows.items()
    }


@pytest.mark.parametrize("case", EXPECTED["case"].unique())
def test_weights_estimates_and_standard_errors_equal_r(case: str) -> None:
    expected = EXPECTED[EXPECTED["case"] == case].set_index("statistic")
    got = pd.DataFrame(found(survey_of(case)), index=["estimate", "se"]).T.loc[expected.index]
    np.testing.assert_allclose(got["estimate"], expected["estimate"], rtol=1e-9)
    # atol: a calibrated total has a standard error of zero, of which floating point leaves 1e-9
    np.testing.assert_allclose(got["se"], expected["se"], rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize("case", ["jk1", "jkn", "three_rake", "given_bootstrap"])
def test_degrees_of_freedom_equal_r(case: str) -> None:
    df = EXPECTED[EXPECTED["case"] == case].set_index("statistic").loc["mean", "df"]
    assert mean(survey_of(case), "y").rows["df"].tolist() == [df]


@pytest.mark.parametrize("case", ["jkn_fpc", "given_bootstrap"])
def test_raking_replicates_adds_no_degrees_of_freedom(case: str) -> None:
    """R counts the rank of the raked weights instead: 8 where six units were free to vary, 37 of 40 bootstraps."""
    assert mean(survey_of(f"{case}_rake"), "y").rows["df"].tolist() == [6]


# The open cases ------------------------------------------------------------------------------------------------------

API = {"stype": {"E": 4421, "H": 755, "M": 1018}}
OPEN = {
    "clus1.base": lambda s: s,
    "clus1.poststratify_stype": lambda s: poststratify(s, API),
    "clus1.rake_stype_schwide": lambda s: rake(s, API | {"sch.wide": {"No": 1072, "Yes": 5122}}),
}


@pytest.mark.parametrize("case", OPEN)
def test_open_cases(case: str) -> None:
    text = shared("reference/survey/survey_calibrate_rake.json").read_text(encoding="utf-8")
    value = {one["id"]: one["value"] for one in json.loads(text)["cases"]}[case]
    frame = pd.read_csv(shared("reference/survey/data/apiclus1.csv"))
    survey = OPEN[case](Survey(responses=frame, design=Design(weights="pw", clusters="dnum", fpc="fpc")))
    weights = survey.arrays.weights
    same = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)
    same(weights.sum(), value["sum_w"])
    same([weights.min(), weights.max()], value["range_w"])
    same([(weights / frame["pw"]).min(), (weights / frame["pw"]).max()], value["range_g"])
    totals = total(survey, ["enroll", "api.stu"]).rows
    same(totals["estimate"], list(value["total"]["est"].values()))
    same(totals["se"], list(value["total"]["se"].values()))
    rows = pd.concat([mean(survey, "api00").rows, proportion(survey, "stype").rows])
    same(rows["estimate"], list(value["mean"]["est"].values()))
    same(rows["se"], list(value["mean"]["se"].values()))
    parts = ratio(survey, "api.stu", "enroll").rows
    same([*parts["estimate"], *parts["se"]], [value["ratio"]["est"], value["ratio"]["se"]])
    assert parts["df"].tolist() == [value["degf"]]


def test_every_open_case_is_checked() -> None:
    text = shared("reference/survey/survey_calibrate_rake.json").read_text(encoding="utf-8")
    assert {case["id"] for case in json.loads(text)["cases"]} == set(OPEN)
