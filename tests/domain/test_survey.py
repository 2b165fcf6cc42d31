from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DesignError
from khaosat.facts.language import language


def frame(**columns: object) -> pd.DataFrame:
    base = {
        "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "w": [2.0, 2.0, 3.0, 3.0, 4.0, 4.0], "h": ["A", "A", "A", "B", "B", "B"],
        "c": [1, 1, 2, 3, 4, 4], "n": [10, 10, 10, 20, 20, 20],
    }  # fmt: skip
    return pd.DataFrame({**base, **columns})


def faults_of(design: Design, **columns: object) -> str:
    with language("en"), pytest.raises(DesignError) as caught:
        Survey(responses=frame(**columns), design=design)
    return str(caught.value)


def test_without_a_design_every_respondent_is_a_unit_of_weight_one() -> None:
    arrays = Survey(responses=frame()).arrays
    assert arrays.weights.tolist() == [1.0] * 6
    assert (arrays.n_strata, arrays.n_units) == ((1,), (6,))
    assert np.isinf(arrays.populations[0]).all()


def test_names_may_be_one_or_several() -> None:
    one = Survey(responses=frame(), design=Design(weights="w", strata="h", clusters="c", fpc="n")).arrays
    several = Survey(responses=frame(), design=Design(weights="w", strata=["h"], clusters=("c",), fpc=["n"])).arrays
    assert one.n_units == several.n_units == (4,)
    np.testing.assert_array_equal(one.populations[0], several.populations[0])


def test_weights_follow_from_population_sizes_stage_by_stage() -> None:
    design = Design(strata="h", clusters=["c", "y"], fpc=["n", "m"])
    survey = Survey(responses=frame(m=[4, 4, 5, 6, 8, 8]), design=design)
    # A: 2 of 10 clusters, in them 2 of 4 and 1 of 5; B: 2 of 20, in them 1 of 6 and 2 of 8.
    assert survey.arrays.weights.tolist() == [10, 10, 25, 60, 40, 40]


def test_fractions_and_sizes_say_the_same() -> None:
    sizes = Survey(responses=frame(), design=Design(strata="h", clusters="c", fpc="n")).arrays
    fractions = Survey(
        responses=frame(f=[0.2] * 3 + [0.1] * 3), design=Design(strata="h", clusters="c", fpc="f")
    ).arrays
    np.testing.assert_allclose(sizes.populations[0], fractions.populations[0])
    np.testing.assert_allclose(sizes.weights, fractions.weights)


def test_units_below_the_first_stage_belong_to_the_unit_above() -> None:
    survey = Survey(responses=frame(v=[1, 2, 1, 1, 1, 2]), design=Design(clusters=["c", "v"]))
    assert survey.arrays.n_units == (4, 6)


def test_numbers_that_start_again_in_every_stratum_need_nest() -> None:
    again = [1, 1, 2, 1, 2, 2]
    assert "2 units of c lie in more than one stratum (1, 2)" in faults_of(Design(strata="h", clusters="c"), c=again)
    nested = Survey(responses=frame(c=again), design=Design(strata="h", clusters="c", nest=True))
    assert nested.arrays.n_units == (4,)


def test_all_faults_come_at_once() -> None:
    text = faults_of(
        Design(weights="w", strata="h", clusters="c", fpc="n"),
        w=[0, -1, np.nan, 1, 1, 1], c=[1, 1, 2, 2, 3, 3], n=[10, 11, 10, 1, 1, 1],
    )  # fmt: skip
    assert "The survey design has 4 faults" in text
    assert "1 units of c lie in more than one stratum (2)" in text
    assert "Weight w is missing or not a number in 1 rows (row 3)" in text
    assert "Weight w is zero or negative in 2 rows (row 1, 2)" in text
    assert "fpc column n changes within a stratum in 1 rows (row 2)" in text


@pytest.mark.parametrize(
    ("design", "columns", "told"),
    [
        (Design(weights="weight"), {}, "Column weight is not in the responses"),
        (Design(strata="h"), {"h": ["A", None, "A", "B", None, "B"]}, "Column h is empty in 2 rows (row 2, 5)"),
        (Design(strata="h", fpc="n"), {"n": [10, 10, 10, 0.5, 0.5, 0.5]}, "mixes population sizes and fractions"),
        (Design(strata="h", fpc="n"), {"n": [2, 2, 2, 9, 9, 9]}, "smaller than the number of units sampled in 3 rows"),
        (Design(strata="h", fpc="n"), {"n": [10, 10, 10, -1, -1, -1]}, "not positive in 3 rows"),
        (Design(strata="h", fpc="n"), {"n": ["10", "10", "10", "x", "x", "x"]}, "not a number"),
        (Design(weights="w"), {"w": ["2", "3", "many", "1", "1", "1"]}, "missing or not a number in 1 rows (row 3)"),
        (Design(clusters=["c", "y"], fpc="n"), {"n": 10}, "stage 2 has no finite fpc"),
    ],
)
def test_a_fault_is_named_with_its_rows(design: Design, columns: dict[str, object], told: str) -> None:
    assert told in faults_of(design, **columns)


def test_a_repeated_column_is_a_fault() -> None:
    double = pd.concat([frame(), frame()[["w"]]], axis=1)
    with language("en"), pytest.raises(DesignError, match="Column w is there 2 times"):
        Survey(responses=double, design=Design(weights="w"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lonely_psu": "ignore"}, "lonely_psu is 'ignore'"),
        ({"fpc": ["n", "m"]}, "fpc names 2 columns but the sample has 1 stages"),
        ({"clusters": "c", "strata": ["h", "g"]}, "strata names 2 columns"),
        ({"replicate_weights": ["r1", "r2"], "weights": "w"}, "replicate_weights and replicate_method together"),
        ({"replicate_method": "jackknife"}, "replicate_weights and replicate_method together"),
        ({"replicate_weights": ["r1"], "replicate_method": "brr"}, "need the weights of the whole sample"),
        ({"replicate_method": "magic"}, "replicate_method is 'magic'"),
    ],
)
def test_a_design_that_contradicts_itself_is_refused(options: dict[str, object], told: str) -> None:
    with language("en"), pytest.raises(DesignError) as caught:
        Design(**options)
    assert told in str(caught.value)


def test_nouns_are_frozen_and_the_frame_is_left_alone() -> None:
    responses = frame()
    before = responses.copy(deep=True)
    survey = Survey(responses=responses, design=Design(weights="w", strata="h", clusters="c", fpc="n"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        survey.design = Design()
    pd.testing.assert_frame_equal(responses, before)
    assert len({survey, survey}) == 1


def test_a_survey_shows_its_counts_and_roles() -> None:
    survey = Survey(responses=frame(), design=Design(weights="w", strata="h", clusters="c"))
    with language("en"):
        shown = survey._repr_html_()
    assert "6 respondents" in shown
    assert "2 strata, 4 primary units" in shown
    assert "<li>Weights: w</li>" in shown


def test_a_survey_may_be_empty() -> None:
    survey = Survey(responses=frame().iloc[:0], design=Design(weights="w", strata="h", clusters="c", fpc="n"))
    assert (survey.n, survey.arrays.n_units) == (0, (0,))


def test_columns_of_a_design_include_its_replicate_weights() -> None:
    design = Design(weights="w", clusters=["c", "v"], replicate_weights=["r1", "r2"], replicate_method="brr")
    assert design.columns == ("w", "c", "v", "r1", "r2")
