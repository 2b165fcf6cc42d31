"""Replicate weights: equal to Taylor where theory says so, raked in every replicate, read from columns, or refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.domain.weighting import Replicates
from khaosat.errors import DesignError
from khaosat.facts.language import language
from khaosat.stats.taylor import covariance
from khaosat.survey import mean, poststratify, proportion, rake, ratio, replicates, total, trim_weights
from khaosat.survey.cells import sample_of
from tests.survey.surveys import drawn

seeds = st.integers(0, 10_000)
NUMBERS = ["estimate", "se", "low", "high"]
ONE_STAGE = Design(weights="w", strata="h", clusters="c", nest=True)
WITH_FPC = Design(weights="w", strata="h", clusters="c", fpc="big_n", nest=True)


def close(a: object, b: object, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=rtol, atol=atol)


def paired(seed: int, n_strata: int = 5) -> Survey:
    """Two primary units in every stratum."""
    survey = drawn(seed, n_strata=n_strata, design=ONE_STAGE)
    return Survey(responses=survey.responses.query("c < 2"), design=ONE_STAGE)


# Replicates and Taylor -----------------------------------------------------------------------------------------------


@given(seeds, st.sampled_from([ONE_STAGE, WITH_FPC]))
def test_the_jackknife_of_a_total_is_taylor(seed: int, design: Design) -> None:
    survey = drawn(seed, n_strata=3, design=design)
    again = replicates(survey)
    close(total(again, ["x", "y"], by="g").rows[NUMBERS], total(survey, ["x", "y"], by="g").rows[NUMBERS])


@given(seeds, st.sampled_from(["brr", "fay"]), st.integers(2, 9))
def test_balanced_half_samples_of_a_total_are_taylor(seed: int, method: str, n_strata: int) -> None:
    survey = paired(seed, n_strata)
    again = replicates(survey, method=method)
    close(total(again, ["x", "y"], by="g").rows[NUMBERS], total(survey, ["x", "y"], by="g").rows[NUMBERS])


@given(seeds)
def test_a_sample_without_clusters_jackknifes_to_the_textbook_mean(seed: int) -> None:
    survey = drawn(seed, design=Design())
    close(mean(replicates(survey), "x").rows["se"], [survey.responses["x"].sem()])


def test_bootstrap_comes_near_taylor_and_the_seed_decides() -> None:
    survey = drawn(2, n_strata=8, design=WITH_FPC)
    options = {"method": "bootstrap", "n": 4000}
    found = total(replicates(survey, rng=np.random.default_rng(1), **options), "x").rows
    close(found["se"], total(survey, "x").rows["se"], rtol=0.05)
    again = total(replicates(survey, rng=np.random.default_rng(1), **options), "x").rows
    pd.testing.assert_frame_equal(found, again)
    assert replicates(survey, method="bootstrap").replication.n == 500


@given(seeds)
def test_influence_values_under_replicates_are_taylor_for_one_stage(seed: int) -> None:
    """Estimates without a formula of their own take the covariance of their influence values over the replicates."""
    survey = drawn(seed, n_strata=3, design=WITH_FPC)
    z = survey.responses[["x", "h"]].to_numpy(dtype=float) * survey.arrays.weights[:, None]
    close(covariance(z, drawn=sample_of(replicates(survey))), covariance(z, drawn=sample_of(survey)))


# Calibrated replicates -----------------------------------------------------------------------------------------------


@given(seeds)
def test_raking_replicates_and_replicating_the_raked_are_one_thing(seed: int) -> None:
    survey = drawn(seed, n_strata=4, design=ONE_STAGE)
    sizes = {"h": {0: 90, 1: 110, 2: 120, 3: 100}}
    first, last = rake(replicates(survey), sizes), replicates(rake(survey, sizes))
    close(first.replication.weights, last.replication.weights)
    close(mean(first, "x", by="g").rows[NUMBERS], mean(last, "x", by="g").rows[NUMBERS])
    for column in first.replication.weights.T:
        close(pd.Series(column).groupby(survey.responses["h"]).sum(), list(sizes["h"].values()), atol=1e-8)


def test_trimming_leaves_out_what_a_replicate_leaves_out() -> None:
    survey = replicates(drawn(3, n_strata=3, design=ONE_STAGE))
    left_out = survey.replication.weights == 0
    weights = trim_weights(survey, lower=3, upper=8).replication.weights
    assert (weights[left_out] == 0).all()
    close(weights.sum(axis=0), survey.replication.weights.sum(axis=0))


def test_a_replicate_without_a_level_is_refused_with_its_name() -> None:
    frame = pd.DataFrame({"g": ["a", "a", "b", "b", "c"], "c": [1, 2, 3, 4, 5], "q": [1, 2, 3, 4, 5]})
    survey = Survey(responses=frame, design=Design(clusters="c"))
    with language("en"), pytest.raises(DesignError, match=r"g=c: known 10\.000, reached 0\.000"):
        poststratify(replicates(survey), {"g": {"a": 20, "b": 20, "c": 10}})


def test_a_group_that_a_replicate_does_not_have_gets_no_standard_error() -> None:
    frame = pd.DataFrame({"g": ["a", "a", "b", "b", "c"], "q": [1, 2, 3, 4, 5]})
    rows = mean(replicates(Survey(responses=frame)), "q", by="g").rows
    assert rows["se"].notna().tolist() == [True, True, False]
    assert rows["estimate"].tolist() == [1.5, 3.5, 5]


# Columns that came with the data -------------------------------------------------------------------------------------


def with_columns(survey: Survey, **design: object) -> Survey:
    """The survey's replicates as columns of its responses."""
    weights = survey.replication.weights
    columns = [f"r{k}" for k in range(weights.shape[1])]
    frame = survey.responses.assign(**dict(zip(columns, weights.T, strict=True)))
    return Survey(responses=frame, design=Design(weights="w", replicate_weights=columns, **design))


@pytest.mark.parametrize(("method", "make", "design"), [
    ("jackknife", lambda: replicates(drawn(4, design=Design(weights="w", clusters="x"))), {}),
    ("jackknife", lambda: replicates(drawn(4, design=WITH_FPC)),
     {"strata": "h", "clusters": "c", "fpc": "big_n", "nest": True}),
    ("bootstrap", lambda: replicates(drawn(4, design=ONE_STAGE), method="bootstrap", n=40), {}),
    ("brr", lambda: replicates(paired(4), method="brr"), {}),
    ("fay", lambda: replicates(paired(4), method="fay", rho=0.45), {}),
])  # fmt: skip
def test_given_columns_give_what_the_replicates_gave(
    method: str, make: Callable[[], Survey], design: dict[str, object]
) -> None:
    made = make()
    survey = with_columns(made, replicate_method=method, **design)
    for rows, expected in (
        (mean(survey, ["x", "y"], by="g").rows, mean(made, ["x", "y"], by="g").rows),
        (ratio(survey, "y", "x").rows, ratio(made, "y", "x").rows),
        (proportion(survey, "y").rows, proportion(made, "y").rows),
    ):
        close(rows[["estimate", "se"]], expected[["estimate", "se"]])
    assert total(survey, "x").rows["df"].tolist() == total(made, "x").rows["df"].tolist()


def test_scales_of_the_replicates_can_be_given() -> None:
    made = replicates(drawn(4, design=ONE_STAGE))
    factors = made.replication.factors
    survey = with_columns(made, replicate_method="jackknife", replicate_scales=factors.tolist())
    close(mean(survey, "x").rows["se"], mean(made, "x").rows["se"])
    doubled = with_columns(made, replicate_method="jackknife", replicate_scales=(2 * factors).tolist())
    close(mean(doubled, "x").rows["se"], np.sqrt(2) * mean(made, "x").rows["se"])


# Refusals ------------------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> str:
    with language("en"), pytest.raises(DesignError) as caught:
        call()
    return str(caught.value)


def test_every_fault_of_given_columns_comes_at_once() -> None:
    frame = pd.DataFrame({"w": [1.0, 2.0], "r1": [1.0, None], "r2": ["x", 1.0]})
    columns = ["r1", "r2", "r2", "r9"]
    told = refused(lambda: Survey(responses=frame, design=Design(
        weights="w", replicate_weights=columns, replicate_method="brr", replicate_scales=[1.0],
    )))  # fmt: skip
    for fault in (
        "Column r9 is not in",
        "named twice",
        "weight r1 is missing",
        "weight r2 is missing",
        "has 1 numbers",
    ):
        assert fault in told, fault
    one = Design(weights="w", replicate_weights="w", replicate_method="brr")
    assert "at least two" in refused(lambda: Survey(responses=frame, design=one))


@pytest.mark.parametrize(("method", "design"), [("fay", {}), ("jackknife", {"strata": "h"})])
def test_factors_that_columns_do_not_tell_are_asked_for(method: str, design: dict[str, object]) -> None:
    made = replicates(drawn(4, design=ONE_STAGE), method="bootstrap", n=20)
    assert "give them in replicate_scales" in refused(lambda: with_columns(made, replicate_method=method, **design))


def test_every_wrong_call_is_named() -> None:
    survey = drawn(1, n_strata=4, design=ONE_STAGE)
    told = refused(lambda: replicates(survey, method="brr", n=5, rho=1))
    for fault in ("strata do not have exactly two", "n is the number of bootstrap", "rho is 1"):
        assert fault in told, fault
    assert "method is 'jack'" in refused(lambda: replicates(survey, method="jack"))
    single = Survey(responses=pd.DataFrame({"q": [1, 2], "c": [1, 1]}), design=Design(clusters="c"))
    assert "One primary unit" in refused(lambda: replicates(single))
    given_columns = with_columns(replicates(survey), replicate_method="jackknife")
    assert "names replicate weights already" in refused(lambda: replicates(given_columns))


@pytest.mark.parametrize("rule", ["fail", "average", "adjust", "remove", "certainty"])
def test_a_unit_alone_in_its_stratum(rule: str) -> None:
    frame = pd.DataFrame({"h": [1, 1, 2], "q": [1.0, 4.0, 9.0]})
    survey = Survey(responses=frame, design=Design(strata="h", lonely_psu=rule))
    if rule in ("remove", "certainty"):
        close(total(replicates(survey), "q").rows["se"], total(survey, "q").rows["se"])
    else:
        assert "1 strata have one primary unit" in refused(lambda: replicates(survey))


def test_the_notes_say_where_the_variance_comes_from() -> None:
    with language("en"):
        two_stages = drawn(4)
        assert "jackknife" in " ".join(mean(replicates(two_stages), "x").notes)
        assert "the variance below it is left out" in " ".join(mean(replicates(two_stages), "x").notes)
        pairs = Survey(responses=paired(4).responses, design=WITH_FPC)
        notes = " ".join(mean(replicates(pairs, method="brr"), "x").notes)
    assert "no finite population correction: standard errors are a little too large" in notes


def test_replicates_count_themselves() -> None:
    assert Replicates(weights=np.ones((3, 7)), factors=np.ones(7), method="brr").n == 7
