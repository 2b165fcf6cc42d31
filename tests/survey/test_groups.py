"""Differences between groups: a regression on dummies, other routes to one number, weak groups, words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from khaosat.domain.survey import Design, Survey
from khaosat.facts.language import language
from khaosat.survey import compare, mean, proportion
from khaosat.survey.covariances import design_covariance
from tests.survey.surveys import drawn, questionnaire


@given(seed=st.integers(0, 40))
def test_pairs_are_the_coefficients_of_a_regression_on_dummies(seed: int) -> None:
    survey = drawn(seed, n_strata=3)
    frame, weights = survey.responses, survey.arrays.weights
    x = np.column_stack([np.ones(survey.n), frame["g"] == "b", frame["g"] == "c"]).astype(float)
    inverse = np.linalg.inv(x.T @ (weights[:, None] * x))
    beta = inverse @ x.T @ (weights * frame["x"])
    influence = (weights * (frame["x"] - x @ beta)).to_numpy()[:, None] * x @ inverse
    matrix = design_covariance(survey, influence, inside=np.ones(survey.n, dtype=bool))
    rows = compare(survey, "x", groups="g", reference="a").rows
    np.testing.assert_allclose(rows["estimate"], beta[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows["se"], np.sqrt(np.diag(matrix)[1:]), rtol=1e-9)


@given(seed=st.integers(0, 40))
def test_sides_are_the_estimates_of_the_groups(seed: int) -> None:
    survey = drawn(seed)
    for found, whole in (
        (compare(survey, "y", groups="g"), mean(survey, "y", by="g")),
        (compare(survey, "y", groups="g", at=[4, 5]), proportion(survey, "y", at=[4, 5], by="g")),
    ):
        known = whole.rows.set_index("g")["estimate"]
        np.testing.assert_allclose(found.rows["estimate_a"], known.loc[found.rows["group"]])
        np.testing.assert_allclose(found.rows["estimate_b"], known.loc[found.rows["reference"]])
        np.testing.assert_allclose(found.rows["estimate"], found.rows["estimate_a"] - found.rows["estimate_b"])


def test_strata_as_groups_are_independent() -> None:
    survey = drawn(7)
    row = compare(survey, "x", groups="h").rows.iloc[0]
    assert row["se"] == pytest.approx(np.hypot(*mean(survey, "x", by="h").rows["se"]))


@given(seed=st.integers(0, 40), test=st.sampled_from(["wilcoxon", "median", "kruskal"]))
def test_rank_tests_see_the_order_only(seed: int, test: str) -> None:
    survey = drawn(seed, n_strata=3)
    mapped = Survey(responses=survey.responses.assign(x=np.exp(survey.responses["x"])), design=survey.design)
    there, here = (compare(s, "x", groups="g", test=test) for s in (mapped, survey))
    pd.testing.assert_frame_equal(there.rows, here.rows)
    assert here.rows[["low", "high"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(there.overall, here.overall)


def test_with_two_groups_all_groups_equal_is_the_pair() -> None:
    survey = drawn(9, n_strata=3)
    for test in ("t", "wilcoxon", "median", "kruskal"):
        result = compare(survey, "x", groups="g", where="g != 'c'", test=test)
        assert result.overall.loc[0, "statistic"] == pytest.approx(result.rows.loc[0, "statistic"] ** 2)
        assert result.overall.loc[0, "p_value"] == pytest.approx(result.rows.loc[0, "p_value"])


def test_in_a_large_simple_sample_the_tests_come_near_the_classical_ones() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"g": rng.choice(["a", "b", "c"], 3000), "x": rng.normal(size=3000)})
    frame["x"] += 0.05 * (frame["g"] == "b")
    a, b, c = (frame.loc[frame["g"] == g, "x"] for g in "abc")
    survey = Survey(responses=frame)
    welch = compare(survey, "x", groups="g").rows.iloc[0]
    assert welch["p_value"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=0.01)
    ranks = compare(survey, "x", groups="g", test="wilcoxon").rows.iloc[0]
    assert ranks["p_value"] == pytest.approx(stats.mannwhitneyu(a, b).pvalue, rel=0.03)
    together = compare(survey, "x", groups="g", test="kruskal").overall.iloc[0]
    assert together["p_value"] == pytest.approx(stats.kruskal(a, b, c).pvalue, rel=0.03)


def test_adjusted_within_a_variable_and_a_group_of_by() -> None:
    survey = drawn(11, n_strata=3)
    rows = compare(survey, ["x", "y"], groups="g", by="h").rows
    assert list(rows.columns[:4]) == ["variable", "h", "group", "reference"]
    for _, family in rows.groupby(["variable", "h"]):
        assert family["p_adjusted"].min() == pytest.approx(min(family["p_value"].min() * len(family), 1))


def test_an_empty_group_is_no_group_and_one_group_has_no_pair() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, np.nan, np.nan], "g": ["a", "a", "b", "c", "c"], "one": "a"})
    with language("en"):
        result, alone = (compare(Survey(responses=frame), "x", groups=g) for g in ("g", "one"))
        nobody = compare(Survey(responses=frame.assign(x=np.nan)), "x", groups="g")
    assert result.rows[["group", "reference"]].to_numpy().tolist() == [["b", "a"]]
    for empty, name in ((alone, "x"), (nobody, "x")):
        assert empty.rows.empty
        assert f"{name}: fewer than two groups have answers; there is nothing to compare." in empty.notes
        empty.table()


def test_equal_answers_within_groups_leave_nothing_to_test() -> None:
    frame = pd.DataFrame({"x": [1, 1, 1, 2, 2, 2], "g": list("aaabbb")})
    with language("en"):
        result = compare(Survey(responses=frame), "x", groups="g")
    assert result.rows[["statistic", "p_value", "p_adjusted"]].isna().all(axis=None)
    assert "1 pairs have no variance within the groups: there is no test." in result.notes


def test_groups_of_one_unit_have_no_interval() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, 5], "g": list("aabb"), "v": 1})
    result = compare(Survey(responses=frame, design=Design(clusters="v", lonely_psu="remove")), "x", groups="g")
    assert result.rows[["low", "high", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("options", [{"reference": "z"}, {"test": "anova"}, {"test": "wilcoxon", "at": [5]}])
def test_wrong_calls_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="reference|test|at counts"):
        compare(drawn(1), "y", groups="g", **options)


def test_calls_that_mix_surveys_and_groups_are_refused() -> None:
    survey = drawn(1)
    for arguments, options in (
        ((survey, survey, "y"), {"groups": "g"}),
        ((survey, "y"), {}),
        ((survey, survey, "y"), {"test": "wilcoxon"}),
        ((survey, survey, "y"), {"reference": "a"}),
    ):
        with pytest.raises(TypeError, match="groups="):
            compare(*arguments, **options)


def test_table_and_figure_use_the_words_of_the_questionnaire() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"complained": rng.integers(1, 3, 90), "p1": rng.integers(1, 6, 90)})
    survey = Survey(responses=frame, questionnaire=questionnaire())
    result = compare(survey, "p1", groups="complained", at=[4, 5])
    table = result.table()
    assert table.cells[0][:3] == ("Câu p1", "Không", "Có")
    assert [column.heading for column in table.columns][:3] == ["Chỉ tiêu", "Có phản ánh", "Nhóm đối chiếu"]
    assert [label.get_text() for label in result.plot().get_yticklabels()] == ["Câu p1 · Không · Có"]
    ranks = compare(survey, "p1", groups="complained", test="wilcoxon").table()
    assert not any(column.key == "interval" for column in ranks.columns)
