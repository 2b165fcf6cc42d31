"""Identities that hold for every sample: several routes to one number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.survey import mean, proportion, ratio, total
from tests.survey.surveys import DESIGN, drawn

seeds = st.integers(0, 10_000)
NUMBERS = ["estimate", "se", "low", "high"]


def with_columns(survey: Survey, **columns: object) -> Survey:
    return Survey(responses=survey.responses.assign(**columns), design=survey.design)


def close(a: object, b: object) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9, atol=1e-11)


@given(seeds, st.floats(0.01, 1000))
def test_scaling_the_weights_scales_totals_and_leaves_means(seed: int, factor: float) -> None:
    survey = drawn(seed)
    scaled = with_columns(survey, w=survey.responses["w"] * factor)
    close(mean(scaled, "y").rows[NUMBERS], mean(survey, "y").rows[NUMBERS])
    close(total(scaled, "y").rows[NUMBERS], total(survey, "y").rows[NUMBERS] * factor)


@given(seeds)
def test_order_of_the_respondents_does_not_matter(seed: int) -> None:
    survey = drawn(seed)
    mixed = Survey(responses=survey.responses.sample(frac=1, random_state=seed), design=DESIGN)
    close(mean(mixed, ["y", "x"], by="g").rows[NUMBERS], mean(survey, ["y", "x"], by="g").rows[NUMBERS])


@given(seeds)
def test_totals_of_groups_add_up_to_the_total(seed: int) -> None:
    survey = drawn(seed)
    close(total(survey, "x", by="g").rows["estimate"].sum(), total(survey, "x").rows["estimate"].iloc[0])


@given(seeds)
def test_a_domain_is_the_whole_sample_with_zeros_outside(seed: int) -> None:
    """Mean of a domain = ratio of two totals over everyone = total with zeros / number."""
    survey = drawn(seed)
    inside = (survey.responses["g"] == "a").astype(float)
    zeros = with_columns(survey, top=survey.responses["x"] * inside, inside=inside)
    domain = mean(survey, "x", where="g == 'a'").rows
    close(domain[NUMBERS], ratio(zeros, "top", "inside").rows[NUMBERS])
    close(domain[NUMBERS], mean(survey, "x", by="g").rows.query("g == 'a'")[NUMBERS])
    close(total(survey, "x", where="g == 'a'").rows[NUMBERS], total(zeros, "top").rows[NUMBERS])


@given(seeds)
def test_a_share_is_the_mean_of_an_indicator_and_shares_add_to_one(seed: int) -> None:
    survey = drawn(seed)
    y = survey.responses["y"]
    flagged = with_columns(survey, high=y.ge(4).astype(float).where(y.notna()))
    share = proportion(survey, "y", at=[4, 5], ci="wald").rows
    as_mean = mean(flagged, "high").rows
    close(share[["estimate", "se"]], as_mean[["estimate", "se"]])
    if 0 < share["estimate"].iloc[0] < 1:  # where all answer alike a share has no interval of this kind
        close(share[["low", "high"]], as_mean[["low", "high"]])
    shares = proportion(survey, "y", by="g").rows
    close(shares.groupby("g")["estimate"].sum(), np.ones(shares["g"].nunique()))
    assert (shares.groupby("g")["numerator"].sum() == shares.groupby("g")["denominator"].first()).all()


@given(seeds)
def test_two_copies_of_a_sample_as_two_strata_halve_the_variance(seed: int) -> None:
    survey = drawn(seed, design=Design(weights="w", strata="h", clusters="c", nest=True))
    twice = pd.concat([survey.responses, survey.responses.assign(h=survey.responses["h"] + 10)])
    both = mean(Survey(responses=twice, design=survey.design), "x").rows
    one = mean(survey, "x").rows
    close(both["estimate"], one["estimate"])
    close(both["se"] ** 2, one["se"] ** 2 / 2)
    assert both["df"].iloc[0] == 2 * one["df"].iloc[0]


@given(seeds)
def test_without_strata_and_clusters_it_is_the_textbook_mean(seed: int) -> None:
    survey = drawn(seed, design=Design())
    x = survey.responses["x"]
    rows = mean(survey, "x").rows
    close(rows["estimate"], [x.mean()])
    close(rows["se"], [x.sem()])


@given(seeds)
def test_weights_change_the_answer(seed: int) -> None:
    weighted = drawn(seed)
    plain = Survey(responses=weighted.responses, design=Design(strata="h", clusters="c", nest=True))
    for verb, variable in ((mean, "x"), (total, "x")):
        assert verb(weighted, variable).rows["estimate"].iloc[0] != verb(plain, variable).rows["estimate"].iloc[0]


@given(seeds)
def test_answers_and_missing_answers_add_up(seed: int) -> None:
    survey = drawn(seed)
    rows = mean(survey, "y", by="g").rows
    assert (rows["n"] + rows["n_missing"]).sum() == survey.n
    assert rows["n_missing"].sum() == survey.responses["y"].isna().sum()


def test_inputs_are_never_written_to() -> None:
    survey = drawn(1)
    before = survey.responses.copy(deep=True)
    mean(survey, ["y", "x"], by=["g", "h"], where="x > 1", deff=True)
    total(survey, "y", deff="replace")
    ratio(survey, "y", "x", by="g")
    proportion(survey, "y", deff=True)
    proportion(survey, "y", at=[4, 5], by="g", domain_df=True)
    pd.testing.assert_frame_equal(survey.responses, before)


@pytest.mark.parametrize("lonely", ["remove", "adjust", "average", "certainty"])
def test_lonely_rules_agree_where_no_stratum_is_lonely(lonely: str) -> None:
    survey = drawn(3)
    other = Survey(
        responses=survey.responses,
        design=Design(weights="w", strata="h", clusters="c", fpc="big_n", nest=True, lonely_psu=lonely),
    )
    plain = Survey(
        responses=survey.responses, design=Design(weights="w", strata="h", clusters="c", fpc="big_n", nest=True)
    )
    close(mean(other, "x").rows[NUMBERS], mean(plain, "x").rows[NUMBERS])
