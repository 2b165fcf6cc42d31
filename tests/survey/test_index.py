"""The satisfaction index by every rule, against sums done by hand, and its variance by another route."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.facts.language import language
from khaosat.survey import proportion, ratio, satisfaction_index
from tests.survey.surveys import questionnaire

ANSWERS = pd.DataFrame({
    "overall": [5, 4, 4, 2], "p0": [4, 4, 4, 1], "p1": [5, 4, 3, 9], "p2": [4, 2, 2, 2], "s1": [5, 5, 5, 1],
    "s2": [4, 3, None, 9], "f1": [5, None, 2, None], "complained": [1, 2, 1, 2],
})  # fmt: skip
ITEMS = {"p1": 2 / 3, "p2": 1 / 4, "s1": 3 / 4, "s2": 1 / 2, "f1": 1 / 2}
COUNTS = {"p1": (2, 3), "p2": (1, 4), "s1": (3, 4), "s2": (1, 2), "f1": (1, 2)}


def survey(responses: pd.DataFrame = ANSWERS, **options: object) -> Survey:
    return Survey(responses=responses, questionnaire=questionnaire(**options))


def values(result) -> dict[str, float]:
    assert result.rows["id"].is_unique
    return result.rows.set_index("id")["estimate"].to_dict()


def test_items_are_shares_of_valid_answers_under_every_rule() -> None:
    for rule in ("pooled_items", "mean_of_factors"):
        found = values(satisfaction_index(survey(), rule=rule))
        assert {item: found[item] for item in ITEMS} == pytest.approx(ITEMS)


def test_pooled_items_count_every_answer_alike() -> None:
    found = values(satisfaction_index(survey(), rule="pooled_items"))
    assert found["p"] == found["policy"] == pytest.approx(3 / 7)
    assert found["s"] == pytest.approx(4 / 6)
    assert found["service"] == pytest.approx(5 / 8)
    assert found["index"] == pytest.approx(8 / 15)


def test_means_of_factors_and_parts() -> None:
    factors = {"p": (2 / 3 + 1 / 4) / 2, "s": (3 / 4 + 1 / 2) / 2, "f": 1 / 2}
    found = values(satisfaction_index(survey(), rule="mean_of_factors"))
    assert {name: found[name] for name in factors} == pytest.approx(factors)
    assert found["policy"] == 0.75  # asked about as a whole
    assert found["service"] == pytest.approx((factors["s"] + factors["f"]) / 2)
    assert found["index"] == pytest.approx(sum(factors.values()) / 3)
    assert values(satisfaction_index(survey(), rule="mean_of_parts"))["index"] == pytest.approx(
        (0.75 + found["service"]) / 2
    )


def test_the_overall_question_and_explicit_weights() -> None:
    asked = satisfaction_index(survey(overall="overall"), rule="asked").rows.iloc[0]
    assert (asked["level"], asked["id"], asked["estimate"], asked["denominator"]) == ("index", "index", 0.75, 4)
    found = values(satisfaction_index(survey(), rule={"policy": 5, "service": 3}))
    assert found["index"] == pytest.approx((5 * found["policy"] + 3 * found["service"]) / 8)


def test_rows_stand_in_order_with_their_bases() -> None:
    rows = satisfaction_index(survey()).rows
    assert list(rows.columns) == [
        "level", "id", "estimate", "se", "low", "high", "df", "n", "n_missing", "numerator", "denominator",
    ]  # fmt: skip
    assert rows["id"].tolist() == ["index", "policy", "p", "p1", "p2", "service", "s", "s1", "s2", "f", "f1"]
    by_id = rows.set_index("id")
    assert {i: tuple(by_id.loc[i, ["numerator", "denominator"]]) for i in COUNTS} == COUNTS
    assert by_id.loc["f1", ["n", "n_missing"]].tolist() == [2, 0]  # two were not asked
    assert by_id.loc["s2", ["n", "n_missing"]].tolist() == [2, 2]
    assert by_id.loc["s", ["n", "n_missing", "numerator", "denominator"]].tolist() == [4, 0, 4, 6]


def test_notes_say_the_rule_and_what_is_missing() -> None:
    with language("en"):
        own, chosen = (satisfaction_index(survey(), rule=rule).notes for rule in (None, "mean_of_factors"))
        absent = satisfaction_index(survey(ANSWERS.drop(columns="s2"))).notes
    assert "evidence grade D" in own[0]
    assert "chosen for this analysis" in chosen[0]
    assert "2 item answers were not asked for, by skip rule; they are not missing." in own
    assert any(note.startswith("Item answers: 18 asked for, 3 of them") for note in own)
    assert "1 items have no column and are left out: s2." in absent


def test_groups_and_an_item_that_a_group_did_not_answer() -> None:
    twice = pd.concat([ANSWERS.assign(g="a"), ANSWERS.assign(g="b", s2=None)])
    with language("en"):
        result = satisfaction_index(survey(twice), by="g", rule="mean_of_factors")
    rows = result.rows.set_index(["g", "id"])
    assert rows.loc[("a", "s"), "estimate"] == pytest.approx(5 / 8)
    assert rows.loc[("b", "s"), "estimate"] == pytest.approx(3 / 4)
    assert np.isnan(rows.loc[("b", "s2"), "estimate"])
    assert "1 times an item or factor nobody in the group answered is left out of a mean." in result.notes
    pooled = satisfaction_index(survey(twice), by="g").rows.set_index(["g", "id"])
    whole = satisfaction_index(survey(twice), where="g == 'a'").rows.set_index("id")
    assert pooled.loc[("a", "index"), "se"] == pytest.approx(whole.loc["index", "se"])


def test_respondents_without_a_group_are_counted() -> None:
    with language("en"):
        notes = satisfaction_index(survey(ANSWERS.assign(g=["a", "a", None, "b"])), by="g").notes
    assert "1 respondents without a value to group by are left out." in notes


def test_an_explicit_weight_needs_its_part() -> None:
    twice = pd.concat([ANSWERS.assign(g="a"), ANSWERS.assign(g="b", p0=None)])
    rows = satisfaction_index(survey(twice), by="g", rule={"policy": 1, "service": 1}).rows.set_index(["g", "id"])
    assert rows.loc[("a", "index"), "estimate"] > 0
    assert np.isnan(rows.loc[("b", "index"), "estimate"])
    no_policy = ANSWERS.drop(columns=["p0", "p1", "p2"])
    with pytest.raises(ValueError, match="no item of the parts"):
        satisfaction_index(survey(no_policy), rule={"policy": 1, "service": 1})


@pytest.mark.parametrize(
    ("options", "rule", "told"),
    [
        ({}, "median", "rule must be one of"),
        ({}, {"policy": 1}, "weights must be positive and name the parts"),
        ({}, {"policy": 1, "service": -1}, "weights must be positive"),
        ({}, "asked", "no answers to a question about satisfaction as a whole"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(options: dict, rule: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        satisfaction_index(survey(**options), rule=rule)


def test_parts_cannot_be_averaged_where_there_are_none() -> None:
    parts = questionnaire()
    flat = replace(
        parts,
        questions=parts.questions.assign(part=""),
        factor_table=parts.factor_table[~parts.factor_table["id"].isin(["policy", "service"])].assign(part=""),
    )
    bare = Survey(responses=ANSWERS, questionnaire=flat)
    assert "part" not in set(satisfaction_index(bare, rule="mean_of_factors").rows["level"])
    with pytest.raises(ValueError, match="has no parts"):
        satisfaction_index(bare, rule="mean_of_parts")


def test_it_needs_a_questionnaire_and_items() -> None:
    with pytest.raises(ValueError, match="needs a survey with a questionnaire"):
        satisfaction_index(Survey(responses=ANSWERS))
    with pytest.raises(ValueError, match="no satisfaction item of small"):
        satisfaction_index(survey(ANSWERS[["complained"]]))


@given(st.integers(0, 10_000))
def test_standard_errors_by_another_route(seed: int) -> None:
    """Pooled lines are ratios of sums over items; a mean over items all answered is the mean of a sum of indicators."""
    rng = np.random.default_rng(seed)
    n = 60
    frame = pd.DataFrame({name: rng.choice([1, 2, 3, 4, 5, 9], n) for name in ("p1", "p2", "s1", "s2")})
    frame = frame.assign(f1=rng.integers(1, 6, n), complained=1, w=rng.uniform(1, 5, n), c=np.arange(n) // 5)
    design = Design(weights="w", clusters="c")
    rows = satisfaction_index(Survey(responses=frame, questionnaire=questionnaire(), design=design)).rows
    items = ["p1", "p2", "s1", "s2", "f1"]
    hits, valid = frame[items].isin([4, 5]), frame[items].isin([1, 2, 3, 4, 5])
    sums = frame.assign(hits=hits.sum(axis=1), answers=valid.sum(axis=1))
    route = ratio(Survey(responses=sums, design=design), "hits", "answers").rows
    np.testing.assert_allclose(
        rows.loc[0, ["estimate", "se"]].astype(float), route.loc[0, ["estimate", "se"]].astype(float)
    )

    full = frame.assign(**{item: frame[item].replace(9, 3) for item in items})
    means = satisfaction_index(
        Survey(responses=full, questionnaire=questionnaire(), design=design), rule="mean_of_factors"
    ).rows.set_index("id")
    share = full[items].isin([4, 5]).astype(float)
    index = (share[["p1", "p2"]].mean(axis=1) + share[["s1", "s2"]].mean(axis=1) + share["f1"]) / 3
    direct = ratio(Survey(responses=full.assign(index=index, one=1.0), design=design), "index", "one").rows
    np.testing.assert_allclose(
        means.loc["index", ["estimate", "se"]].astype(float), direct.loc[0, ["estimate", "se"]].astype(float)
    )


def test_items_equal_proportions_and_table_words() -> None:
    many = pd.concat([ANSWERS] * 10, ignore_index=True)
    rows = satisfaction_index(survey(many)).rows.set_index("id")
    share = proportion(survey(many), "p1", at=[4, 5]).rows.iloc[0]
    columns = ["estimate", "se", "low", "high", "n", "n_missing"]
    np.testing.assert_allclose(rows.loc["p1", columns].astype(float), share[columns].astype(float))
    table = satisfaction_index(survey(many)).table()
    assert table.cells[0][:2] == ("Chỉ số chung", "Chỉ số chung")
    assert table.cells[3][:2] == ("Tiêu chí", "Câu p1")
