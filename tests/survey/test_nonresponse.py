from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DesignError
from khaosat.facts.language import language
from khaosat.survey import (
    adjust_nonresponse,
    calibrate,
    compare,
    crosstab_test,
    glm,
    mean,
    ordinal,
    poststratify,
    proportion,
    quantile,
    rake,
    replicates,
    total,
    trim_weights,
)

DESIGN = Design(weights="w", strata="h", clusters="c", nest=True)


def drawn(seed: int = 3, *, n: int = 400) -> Survey:
    """Everybody drawn: ten wards in each of four strata; the young answer less, and are less satisfied."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"h": np.arange(n) // (n // 4), "c": np.arange(n) // (n // 40), "w": rng.uniform(2, 9, n)})
    frame["age"] = rng.choice(["old", "young"], n)
    frame["area"] = np.where(frame["h"] < 2, "north", "south")
    frame["size"] = rng.uniform(1, 5, n)
    frame["came"] = (rng.random(n) < np.where(frame["age"] == "old", 0.85, 0.5)).astype(int)
    full = np.clip(np.round(rng.normal(np.where(frame["age"] == "old", 4, 2.8), 0.9)), 1, 5)
    frame["truth"] = full
    frame["y"] = np.where(frame["came"] == 1, full, np.nan)
    return Survey(responses=frame, design=DESIGN)


def adjusted(seed: int = 3, **options: object) -> Survey:
    return adjust_nonresponse(drawn(seed), responded="came", **({"cells": ["area", "age"]} | options))  # type: ignore[arg-type]


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_classes_keep_their_weight_and_those_who_did_not_answer_have_none(seed):
    before, after = drawn(seed), adjusted(seed, max_factor=100)
    frame = before.responses
    weights = pd.DataFrame({"d": before.arrays.weights, "w": after.arrays.weights}).groupby(
        [frame["area"], frame["age"]]
    )
    np.testing.assert_allclose(weights["w"].sum(), weights["d"].sum(), rtol=1e-12)
    assert (after.arrays.weights[frame["came"] == 0] == 0).all()


def test_the_mean_is_the_one_filled_in_class_by_class():
    survey = drawn()
    frame = survey.responses.assign(d=survey.arrays.weights)
    came = frame[frame["came"] == 1]
    of_class = came.groupby(["area", "age"])[["y", "d"]].apply(lambda part: np.average(part["y"], weights=part["d"]))
    size = frame.groupby(["area", "age"])["d"].sum()
    assert mean(adjusted(), "y").rows["estimate"].iloc[0] == pytest.approx(
        (of_class * size).sum() / size.sum(), rel=1e-12
    )


def test_it_moves_the_estimate_towards_what_everybody_would_have_said():
    survey = drawn(5, n=4000)
    everybody = mean(survey, "truth").rows["estimate"].iloc[0]
    before, after = (mean(s, "y").rows["estimate"].iloc[0] for s in (survey, adjust_nonresponse(
        survey, responded="came", cells="age")))  # fmt: skip
    assert abs(after - everybody) < 0.03 < abs(before - everybody)


def test_the_variance_is_not_that_of_respondents_with_fixed_weights():
    survey = adjusted()
    came = survey.responses["came"] == 1
    fixed = survey.responses[came].assign(w=survey.arrays.weights[came])
    known, naive = (total(s, "y").rows["se"].iloc[0] for s in (survey, Survey(responses=fixed, design=DESIGN)))
    jackknife = total(replicates(survey), "y").rows["se"].iloc[0]
    assert known == pytest.approx(jackknife, rel=0.03)
    assert abs(naive / jackknife - 1) > 0.1


@pytest.mark.parametrize(
    "estimate",
    [
        lambda s: mean(s, "y", by="area").rows["se"],
        lambda s: proportion(s, "y", at=[4, 5]).rows["se"],
        lambda s: glm(s, "y ~ age").rows["se"],
        lambda s: ordinal(s, "y ~ age").rows["se"],
    ],
    ids=["domains", "share", "glm", "ordinal"],
)
def test_linearisation_and_jackknife_agree(estimate):
    survey = adjusted()
    np.testing.assert_allclose(estimate(survey), estimate(replicates(survey)), rtol=0.06)


def test_those_who_did_not_answer_count_in_no_verb():
    survey = adjusted()
    came = int(survey.responses["came"].sum())
    for result in (mean(survey, ["y", "size"]), proportion(survey, "age", at="old"), quantile(survey, "size")):
        assert (result.rows["n"] == came).all()
        assert (result.rows["n_missing"] == 0).all()
    assert glm(survey, "size ~ age").rows["n"].iloc[0] == came
    assert crosstab_test(survey, "age", "area").rows["n"].max() <= came
    assert compare(survey, "size", groups="age").rows["n"].max() <= came
    assert any(f"{came} " in note or f"{came}," in note for note in mean(survey, "y").notes)


def test_calibration_afterwards_needs_nothing_of_those_who_did_not_answer():
    frame = drawn().responses
    frame = frame.assign(sex=np.where(frame["came"] == 1, np.where(frame["size"] > 3, "f", "m"), None))
    frame.loc[frame["came"] == 0, "size"] = np.nan
    survey = adjust_nonresponse(Survey(responses=frame, design=DESIGN), responded="came", cells="age")
    for after in (
        poststratify(survey, {"sex": {"f": 1000, "m": 900}}),
        rake(survey, {"sex": {"f": 1000, "m": 900}, "area": {"north": 800, "south": 1100}}),
        calibrate(survey, {"(Intercept)": 1900, "size": 5600}),
        calibrate(survey, {"(Intercept)": 1900}, cluster_level=True),
    ):
        assert after.arrays.weights.sum() == pytest.approx(1900, rel=1e-9)
        assert (after.arrays.weights[frame["came"] == 0] == 0).all()
        linear, again = (mean(s, "y").rows["se"].iloc[0] for s in (after, replicates(after)))
        assert linear == pytest.approx(again, rel=0.06)


def test_trimming_leaves_those_without_weight_alone():
    survey = trim_weights(adjusted(), lower=4, upper=12)
    weights = survey.arrays.weights
    came = survey.responses["came"] == 1
    assert (weights[~came] == 0).all()
    assert weights[came].min() >= 4
    assert weights.sum() == pytest.approx(adjusted().arrays.weights.sum())


def test_small_classes_are_joined_and_the_notes_say_which():
    frame = drawn().responses
    frame["group"] = np.where(np.arange(len(frame)) < 12, "few", frame["age"])
    survey = Survey(responses=frame, design=DESIGN)
    with language("en"):
        notes = mean(adjust_nonresponse(survey, responded="came", cells=["area", "group"]), "y").notes
    joined = next(note for note in notes if "joined" in note)
    assert "north / few + north / old" in joined


def test_propensity_classes_come_from_a_model_of_response():
    survey = adjusted(cells=None, propensity="age + size + area", classes=4)
    frame = survey.responses.assign(f=survey.arrays.weights / drawn().arrays.weights)
    factors = frame[frame["came"] == 1].groupby("age")["f"].mean()
    assert 2 <= frame.loc[frame["came"] == 1, "f"].round(9).nunique() <= 4
    assert factors["young"] > factors["old"] + 0.3
    assert mean(survey, "y").rows["se"].iloc[0] == pytest.approx(
        mean(replicates(survey), "y").rows["se"].iloc[0], rel=0.05
    )


def test_the_scale_of_the_weights_does_not_matter_and_the_weights_do():
    frame = drawn().responses
    results = [
        mean(
            adjust_nonresponse(Survey(responses=frame.assign(w=w), design=DESIGN), responded="came", cells="age"), "y"
        ).rows
        for w in (frame["w"], 7 * frame["w"], 1.0)
    ]
    pd.testing.assert_frame_equal(results[0], results[1])
    assert abs(results[0]["estimate"].iloc[0] - results[2]["estimate"].iloc[0]) > 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": None}, "one of the two"),
        ({"propensity": "age"}, "one of the two"),
        ({"cells": ["nowhere"]}, "nowhere"),
        ({"responded": "y"}, "rows say neither"),
        ({"responded": "nobody"}, "nobody responded"),
        ({"cells": "gaps"}, "gaps: 2 respondents"),
        ({"cells": None, "propensity": "gaps"}, "gaps: 2 respondents"),
        ({"max_factor": 1.05}, "max_factor"),
        ({"min_respondents": 9999}, "min_respondents=9,999"),
        ({"min_respondents": 0, "classes": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_adjusted_is_said(options, message):
    frame = drawn().responses.assign(nobody=0, gaps="a")
    frame.loc[[0, 1], "gaps"] = None
    frame.loc[frame.index % 2 == 0, "gaps"] = frame["gaps"].where(frame["gaps"].isna(), "b")
    survey = Survey(responses=frame, design=DESIGN)
    with language("en"), pytest.raises(DesignError, match=message):
        adjust_nonresponse(survey, **({"responded": "came", "cells": ["age"]} | options))


def test_every_fault_of_a_call_comes_at_once():
    with language("en"), pytest.raises(DesignError) as found:
        adjust_nonresponse(drawn(), responded="nowhere", cells=["elsewhere"], max_factor=0.5)
    assert all(word in str(found.value) for word in ("nowhere", "elsewhere", "max_factor"))


def test_it_is_done_once():
    with language("en"), pytest.raises(DesignError, match="already"):
        adjust_nonresponse(adjusted(), responded="came", cells="age")


def test_a_replicate_in_which_nobody_of_a_class_answered_is_refused():
    frame = drawn().responses
    frame["group"] = np.where(frame["c"] == 0, "one ward", "rest")
    frame.loc[(frame["c"] == 0), "came"] = 1
    frame.loc[frame["c"] == 1, "group"] = np.where(frame.loc[frame["c"] == 1, "came"] == 1, "rest", "one ward")
    survey = adjust_nonresponse(
        Survey(responses=frame, design=DESIGN), responded="came", cells="group", min_respondents=2
    )
    with language("en"), pytest.raises(DesignError, match="nobody of some class"):
        replicates(survey)


def test_the_column_of_response_may_have_any_name():
    survey = drawn()
    renamed = Survey(responses=survey.responses.rename(columns={"came": "có trả lời"}), design=survey.design)
    found = adjust_nonresponse(renamed, responded="có trả lời", propensity="area + age")
    plain = adjust_nonresponse(survey, responded="came", propensity="area + age")
    np.testing.assert_allclose(found.arrays.weights, plain.arrays.weights)
