"""Calibrated weights: totals are met, the variance knows of them, and what cannot be met is refused in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import khaosat as ks
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DesignError
from khaosat.facts.language import language
from khaosat.survey import (
    calibrate,
    mean,
    poststratify,
    proportion,
    rake,
    ratio,
    satisfaction_index,
    total,
    trim_weights,
)
from tests.survey.surveys import DESIGN, drawn, questionnaire

seeds = st.integers(0, 10_000)
NUMBERS = ["estimate", "se", "low", "high"]


def close(a: object, b: object, rtol: float = 1e-9, atol: float = 1e-11) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=rtol, atol=atol)


def margin(survey: Survey, column: str, seed: int, size: float) -> dict[object, float]:
    """Targets near the sample's own sizes that add up to ``size``."""
    own = pd.Series(survey.arrays.weights).groupby(survey.responses[column].to_numpy()).sum()
    moved = own * np.random.default_rng(seed).uniform(0.8, 1.25, len(own))
    return (moved / moved.sum() * size).to_dict()


def margins(survey: Survey, seed: int) -> dict[str, dict[object, float]]:
    table = survey.responses.groupby(["h", "g"]).size()
    assume(len(table) == survey.responses["h"].nunique() * survey.responses["g"].nunique())
    return {"h": margin(survey, "h", seed, 500), "g": margin(survey, "g", seed + 1, 500)}


# What calibration promises -------------------------------------------------------------------------------------------


@given(seeds)
def test_raked_margins_equal_their_targets_and_have_no_variance(seed: int) -> None:
    survey = drawn(seed, n_strata=3)
    targets = margins(survey, seed)
    flags = {f"is_{k}": (survey.responses[c] == k).astype(float) for c, sizes in targets.items() for k in sizes}
    flagged = Survey(responses=survey.responses.assign(**flags), design=DESIGN)
    known = [size for sizes in targets.values() for size in sizes.values()]
    before = total(flagged, list(flags)).rows["se"].max()
    raked = rake(flagged, targets)
    rows = total(raked, list(flags)).rows
    close(rows["estimate"], known, rtol=0, atol=1e-8)
    first = rows["variable"].isin(["is_0", "is_1", "is_2"])  # taken out at once; the next margin in ten rounds, nearly
    assert rows.loc[first, "se"].max() <= 1e-9 * before
    assert rows["se"].max() <= 0.05 * before
    rows = total(calibrate(flagged, targets, method="raking"), list(flags)).rows
    close(rows["estimate"], known, rtol=1e-11)
    assert rows["se"].max() <= 1e-6 * before
    assert (raked.arrays.weights > 0).all()


@given(seeds, st.sampled_from(["linear", "raking", "logit"]))
def test_calibrated_totals_equal_their_targets(seed: int, method: str) -> None:
    survey = drawn(seed)
    w, x = survey.arrays.weights, survey.responses["x"].to_numpy()
    known = {"(Intercept)": w.sum() * 1.02, "x": (w * x).sum() * 1.03}
    done = calibrate(survey, known, method=method, bounds=(0.3, 4) if method == "logit" else None)
    rows = total(done, "x").rows
    close([done.arrays.weights.sum(), rows["estimate"].iloc[0]], list(known.values()), rtol=1e-11)
    close(rows["se"], [0], atol=1e-8)


@given(seeds, st.sampled_from(["linear", "raking", "logit"]))
def test_calibrating_on_what_the_weights_give_already_changes_no_weight(seed: int, method: str) -> None:
    survey = drawn(seed)
    w, x = survey.arrays.weights, survey.responses["x"].to_numpy()
    own = {"(Intercept)": w.sum(), "x": (w * x).sum(), "g": pd.Series(w).groupby(survey.responses["g"]).sum()}
    close(calibrate(survey, own, method=method, bounds=(0.5, 2)).arrays.weights, w)


@given(seeds, st.floats(0.01, 100))
def test_scale_of_the_weights_is_irrelevant_to_raking(seed: int, factor: float) -> None:
    survey = drawn(seed, n_strata=3)
    targets = margins(survey, seed)
    scaled = Survey(responses=survey.responses.assign(w=survey.responses["w"] * factor), design=DESIGN)
    one, other = rake(survey, targets), rake(scaled, targets)
    close(one.arrays.weights, other.arrays.weights)
    for verb in (mean, total):
        close(verb(one, ["y", "x"], by="g").rows[NUMBERS], verb(other, ["y", "x"], by="g").rows[NUMBERS], 1e-8, 1e-9)


@given(seeds)
def test_several_roads_to_one_calibration(seed: int) -> None:
    """Poststratification = raking one margin = linear calibration on the levels; raking = calibration by exp."""
    survey = drawn(seed, n_strata=3)
    targets = margins(survey, seed)
    one = {"g": targets["g"]}
    post = poststratify(survey, one)
    rows = mean(post, "x", by="h").rows
    close(rows[NUMBERS], mean(calibrate(survey, one), "x", by="h").rows[NUMBERS], 1e-8, 1e-9)
    close(rows["estimate"], mean(rake(survey, one), "x", by="h").rows["estimate"])
    close(rake(survey, targets).arrays.weights, calibrate(survey, targets, method="raking").arrays.weights, 1e-8)


@given(seeds)
def test_cluster_level_gives_one_factor_to_a_unit_and_meets_the_totals(seed: int) -> None:
    survey = drawn(seed, n_strata=3)
    w, x = survey.arrays.weights, survey.responses["x"].to_numpy()
    done = calibrate(
        survey, {"(Intercept)": w.sum() * 1.05, "x": (w * x).sum() * 1.06}, cluster_level=True
    )  # fmt: skip
    factors = pd.Series(done.arrays.weights / w).groupby(survey.arrays.units[0])
    close(factors.max(), factors.min())
    close(total(done, "x").rows["estimate"], [(w * x).sum() * 1.06])


@given(seeds)
def test_order_of_the_respondents_does_not_matter(seed: int) -> None:
    survey = drawn(seed, n_strata=3)
    targets = margins(survey, seed)
    mixed = Survey(responses=survey.responses.sample(frac=1, random_state=seed), design=DESIGN)
    close(mean(rake(mixed, targets), "y", by="g").rows[NUMBERS], mean(rake(survey, targets), "y", by="g").rows[NUMBERS])


# Every estimator takes it --------------------------------------------------------------------------------------------


def indexed(seed: int = 3) -> Survey:
    form = questionnaire(index_rule="mean_of_factors")
    survey = drawn(seed, n_strata=3)
    rng = np.random.default_rng(seed)
    answers = pd.DataFrame({item: rng.integers(1, 6, survey.n) for item in ("p1", "p2", "s1", "s2")})
    whole = pd.concat([survey.responses, answers], axis=1)
    factors = [(whole[pair] >= 4).mean(axis=1) for pair in (["p1", "p2"], ["s1", "s2"])]
    return Survey(responses=whole.assign(score=sum(factors) / 2), questionnaire=form, design=DESIGN)


@pytest.mark.parametrize("change", [
    lambda s: rake(s, {"h": {0: 120, 1: 150, 2: 110}, "g": {"a": 130, "b": 140, "c": 110}}),
    lambda s: ks.replicates(poststratify(s, {"g": {"a": 130, "b": 140, "c": 110}})),
    lambda s: ks.replicates(s, method="bootstrap", n=30, rng=np.random.default_rng(4)),
])  # fmt: skip
def test_the_index_of_complete_answers_is_a_mean_under_every_weighting(change: Callable[[Survey], Survey]) -> None:
    survey = change(indexed())
    rows = satisfaction_index(survey, rule="mean_of_factors", ci="wald").rows
    score = mean(survey, "score").rows
    close(rows.loc[rows["id"] == "index", NUMBERS], score[NUMBERS])
    items = rows.set_index("id").loc[["p1", "s2"]]
    close(items[NUMBERS], proportion(survey, ["p1", "s2"], at=[4, 5], ci="wald").rows[NUMBERS])


def test_forgetting_the_raking_gives_other_standard_errors() -> None:
    survey = drawn(5, n_strata=3)
    raked = rake(survey, {"g": margin(survey, "g", 1, 500)})
    naive = Survey(responses=survey.responses.assign(w=raked.arrays.weights), design=DESIGN)
    for verb, variables in ((mean, "x"), (total, "x"), (proportion, "y")):
        known, fixed = verb(raked, variables).rows, verb(naive, variables).rows
        close(known["estimate"], fixed["estimate"])
        assert not np.allclose(known["se"], fixed["se"], rtol=1e-3)
    assert ratio(raked, "y", "x").rows["se"].iloc[0] != ratio(naive, "y", "x").rows["se"].iloc[0]


def test_the_notes_say_what_was_done() -> None:
    survey = indexed()
    with language("en"):
        done = trim_weights(rake(survey, {"g": {"a": 130, "b": 140, "c": 110}}), lower=1, upper=12)
        notes = " ".join(mean(done, "x").notes)
        negative = calibrate(survey, {"(Intercept)": survey.arrays.weights.sum(), "x": 60})
    assert "raked to g" in notes
    assert "trimmed to" in notes
    assert (negative.arrays.weights < 0).any()
    with language("en"):
        assert "calibrated weights are negative" in " ".join(mean(negative, "y").notes)
    with language("vi"):
        assert "hiệu chỉnh theo biên (raking) g" in " ".join(mean(done, "x").notes)


def test_inputs_are_never_written_to() -> None:
    survey = drawn(1)
    before, weights = survey.responses.copy(deep=True), survey.arrays.weights.copy()
    targets = {"g": margin(survey, "g", 1, 500)}
    done = rake(poststratify(survey, targets), targets, trim=(1, 50))
    calibrate(done, {"x": 900.0}, cluster_level=True)
    pd.testing.assert_frame_equal(survey.responses, before)
    close(survey.arrays.weights, weights)
    assert survey.adjustments == ()
    assert len(done.adjustments) == 3


@given(seeds)
def test_strict_trimming_keeps_the_sum_and_the_bounds(seed: int) -> None:
    survey = drawn(seed)
    w = survey.arrays.weights
    lower, upper = np.quantile(w, 0.1), np.quantile(w, 0.9)
    done = trim_weights(survey, lower=lower, upper=upper, strict=True).arrays.weights
    close(done.sum(), w.sum())
    assert done.min() > lower - 1e-9
    assert done.max() < upper + 1e-9


# What cannot be ------------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> str:
    with language("en"), pytest.raises(DesignError) as caught:
        call()
    return str(caught.value)


def test_every_fault_of_the_margins_comes_at_once() -> None:
    frame = pd.DataFrame({"a": ["x", "y", None, "z"], "b": [1, 1, 2, 2], "q": [1, 2, 3, 4]})
    survey = Survey(responses=frame)
    told = refused(lambda: rake(survey, {
        "a": {"x": 10, "y": -1, "w": 5}, "b": {1: 30, 2: "many"}, "c": {"u": 1}, "q": 7,
    }))  # fmt: skip
    for fault in (
        "a: 1 respondents have no value", "a: the responses have levels without a known number: z",
        "a: the known number of y is not a positive", "a: nobody in the responses is w",
        "b: the known number of 2 is not a positive",
        "Column c is not in the responses", "q: give the number of each level",
    ):  # fmt: skip
        assert fault in told, fault
    assert told.startswith("The totals do not fit the survey (7 faults)")


def test_margins_of_different_populations_are_refused() -> None:
    survey = Survey(responses=pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"]}))
    told = refused(lambda: rake(survey, {"a": {"x": 10, "y": 20}, "b": {"u": 10, "v": 30}}))
    assert "a: 30.00; b: 40.00" in told
    told = refused(lambda: calibrate(survey, {"(Intercept)": 31, "a": {"x": 10, "y": 20}}))
    assert "different populations" in told


def test_every_fault_of_the_totals_comes_at_once() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "age": [20.0, np.nan]})
    told = refused(lambda: calibrate(Survey(responses=frame), {"a": 3, "age": 50, "aq": 2, "(Intercept)": "many"}))
    for fault in (
        "a is not numeric",
        "age: 1 respondents have no value",
        "aq is neither a column",
        "'many', which is no",
    ):
        assert fault in told, fault


def test_every_wrong_option_is_named() -> None:
    survey = Survey(responses=pd.DataFrame({"a": [1.0, 2.0]}))
    told = refused(lambda: calibrate(survey, {"a": 3}, method="magic", bounds=(1.2, 2), cluster_level=True))
    for fault in ("method is 'magic'", "either side of 1", "needs a design with clusters"):
        assert fault in told, fault
    assert "needs finite bounds" in refused(lambda: calibrate(survey, {"a": 3}, method="logit"))
    assert "takes one classification" in refused(lambda: poststratify(survey, {"a": {1: 1}, "b": {1: 1}}))
    assert "No totals" in refused(lambda: rake(survey, {}))
    assert "No totals" in refused(lambda: calibrate(survey, {}))
    assert "cannot be trimmed" in refused(lambda: trim_weights(survey, lower=3, upper=2))


def test_margins_that_no_weights_meet_are_named_with_what_was_reached() -> None:
    """Only x is u and only y is v, so that the two margins contradict each other."""
    survey = Survey(responses=pd.DataFrame({"a": ["x", "x", "y"], "b": ["u", "u", "v"]}))
    told = refused(lambda: rake(survey, {"a": {"x": 10, "y": 20}, "b": {"u": 12, "v": 18}}))
    assert "totals cannot be met" in told
    assert "a=x: known 10.000, reached 12.000" in told


def test_bounds_that_are_too_narrow_are_refused() -> None:
    survey = Survey(responses=pd.DataFrame({"a": ["x", "x", "y"]}))
    told = refused(lambda: calibrate(survey, {"a": {"x": 10, "y": 1}}, bounds=(0.5, 1.5)))
    assert "a=x: known 10.000, reached 3.000" in told


def test_names_of_levels_and_products_are_understood_as_in_a_model_formula() -> None:
    survey = drawn(4)
    w, frame = survey.arrays.weights, survey.responses
    known = {
        "(Intercept)": w.sum() * 1.1,
        "gb": 40.0,
        "g[T.c]": 50.0,
        "x:h": float((w * frame["x"] * frame["h"]).sum()),
    }
    done = calibrate(survey, known).arrays.weights
    found = [
        done.sum(),
        done[frame["g"] == "b"].sum(),
        done[frame["g"] == "c"].sum(),
        (done * frame["x"] * frame["h"]).sum(),
    ]
    close(found, list(known.values()))


def test_a_second_calibration_stands_on_the_first() -> None:
    """Calibrated again on the same totals: nothing changes, not the variance either."""
    survey = drawn(6, n_strata=3)
    targets = {"g": margin(survey, "g", 2, 500)}
    once = poststratify(survey, targets)
    twice = poststratify(once, targets)
    close(mean(twice, ["x", "y"], by="h").rows[NUMBERS], mean(once, ["x", "y"], by="h").rows[NUMBERS])


def test_no_domain_is_left_out_of_a_wide_table() -> None:
    """More cells than are computed at once give what each gives alone."""
    survey = drawn(8, n_strata=12, design=Design(weights="w", strata="h", clusters="c", nest=True))
    done = poststratify(survey, {"g": margin(survey, "g", 2, 900)})
    wide = total(done, "x", by=["h", "g"]).rows
    assert len(wide) > 16
    for row in wide.itertuples():
        alone = total(done, "x", where=f"h == {row.h} and g == {row.g!r}").rows
        close(alone[NUMBERS], wide.loc[[row.Index], NUMBERS])


def test_adjusted_weights_stay_with_their_respondents() -> None:
    survey = poststratify(drawn(1), {"g": margin(drawn(1), "g", 1, 500)})
    for made in (survey, ks.replicates(drawn(1))):
        assert "other respondents" in refused(lambda made=made: replace(made, responses=made.responses.iloc[:-1]))
