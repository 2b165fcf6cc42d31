"""Where dissatisfaction concentrates: a planted group is found, noise is not, rates are of people not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.survey import mean, where_dissatisfied
from tests.survey.surveys import questionnaire

DESIGN = Design(weights="w", strata="h", clusters="c")


def people(seed: int, *, planted: float = 0.0, units: int = 60) -> Survey:
    """Clusters of fifteen whose moods differ; ``planted`` more log odds of trouble for those of job a over 2."""
    rng = np.random.default_rng(seed)
    c = np.repeat(np.arange(units), 15)
    n = len(c)
    frame = pd.DataFrame({
        "c": c, "h": c % 3, "w": rng.uniform(1, 5, units)[c], "age": rng.integers(1, 6, n),
        "sex": rng.integers(1, 3, n), "job": rng.choice(list("abcde"), n), "area": rng.choice(["x", "y"], units)[c],
    })  # fmt: skip
    hit = (frame["job"] == "a") & (frame["age"] > 2)
    trouble = rng.normal(0, 0.4, units)[c] + planted * hit + rng.logistic(size=n) > 1.8
    return Survey(responses=frame.assign(q=np.where(trouble, 2, 4)), design=DESIGN)


BY = ["age", "sex", "job", "area"]


def test_noise_is_called_a_finding_in_at_most_five_percent_of_samples():
    found = [len(where_dissatisfied(people(seed), "q", by=BY, at=[4, 5]).rows) > 0 for seed in range(100)]
    assert sum(found) <= 5


def test_a_planted_group_is_found_in_words_and_as_a_condition():
    result = where_dissatisfied(people(1, planted=2.5, units=100), "q", by=BY, at=[4, 5])
    row = result.rows.iloc[0]
    assert row["condition"] == "age in [3, 4, 5] and job in ['a']"
    assert row["rule"] == "age: trừ 1 hoặc 2; job: a"
    assert row["difference"] > 0.3
    assert row["p_adjusted"] < 0.01
    assert row["stability"] >= 0.5
    assert row["low"] < row["estimate"] < row["high"]
    assert row["rest"] < row["shrunken"] <= row["estimate"]


def test_a_rate_is_that_of_the_half_that_the_rule_was_not_learnt_from():
    """Rows of both halves together hold every respondent of the group once."""
    survey = people(1, planted=2.5, units=100)
    tested = where_dissatisfied(survey, "q", by=BY, at=[4, 5]).tested
    both = tested[tested["condition"] == "age in [3, 4, 5] and job in ['a']"]
    assert sorted(both["part"]) == [1, 2]
    inside = survey.responses.eval("age >= 3 and job == 'a'")
    assert both["n"].sum() == inside.sum()
    marked = Survey(responses=survey.responses.assign(bad=(survey.responses["q"] == 2).astype(float)), design=DESIGN)
    whole = mean(marked, "bad", where="age >= 3 and job == 'a'").rows.iloc[0]
    assert both["estimate"].min() <= whole["estimate"] <= both["estimate"].max()
    assert np.hypot(*both["se"]) / 2 == pytest.approx(whole["se"], rel=0.3)


def test_weights_change_the_answer():
    survey = people(1, planted=2.5, units=100)
    even = Survey(responses=survey.responses, design=Design(strata="h", clusters="c"))
    a, b = (where_dissatisfied(s, "q", by=BY, at=[4, 5]).rows["estimate"].iloc[0] for s in (survey, even))
    assert a != b


def test_the_same_seed_gives_the_same_numbers_and_another_split_others():
    survey = people(2, planted=2.5, units=100)
    first, again = (where_dissatisfied(survey, "q", by=BY, at=[4]).rows for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = where_dissatisfied(survey, "q", by=BY, at=[4], rng=np.random.default_rng(9)).rows
    assert not other["estimate"].equals(first["estimate"])


def test_nothing_found_is_said_and_drawn():
    with language("en"):
        result = where_dissatisfied(people(0), "q", by=BY, at=[4, 5])
        assert result.rows.empty
        assert any(note.startswith("No group was found: no rule") for note in result.notes) == result.tested.empty
        assert any(note.startswith("No group was found") for note in result.notes)
        assert result.plot().texts[0].get_text() == "No group stands out."
    assert result.table().cells == ()


def test_the_questionnaires_words_and_its_questions_about_people():
    rng = np.random.default_rng(3)
    n = 800
    frame = pd.DataFrame({"complained": rng.integers(1, 3, n), "unit": np.arange(n) // 8})
    frame["overall"] = np.where((frame["complained"] == 1) & (rng.random(n) < 0.6), 2, rng.integers(3, 6, n))
    survey = Survey(
        responses=frame, questionnaire=questionnaire(overall="overall"), design=Design(clusters="unit")
    )  # fmt: skip
    result = where_dissatisfied(survey)
    assert result.table().cells[0][0] == "Có phản ánh: Có"
    assert result.plot().get_yticklabels()[0].get_text() == "Có phản ánh: Có"


def test_a_number_with_many_values_is_cut():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"income": rng.normal(100, 20, 900), "unit": np.arange(900) // 9})
    frame["q"] = np.where((frame["income"] > 115) & (rng.random(900) < 0.7), 2, 4)
    survey = Survey(responses=frame, design=Design(clusters="unit"))
    row = where_dissatisfied(survey, "q", by=["income"], at=[4]).rows.iloc[0]
    assert row["condition"].startswith("income > ")
    assert row["estimate"] > 0.5


def test_a_group_that_answers_the_other_way_to_a_man_is_found():
    frame = pd.DataFrame({"q": [1, 2] * 100, "nhóm tuổi": ["l'a", "b"] * 100})
    row = where_dissatisfied(Survey(responses=frame), "q", by=["nhóm tuổi"], at=[2]).rows.iloc[0]
    assert (row["condition"], row["estimate"], row["rest"]) == ('`nhóm tuổi` in ["l\'a"]', 1.0, 0.0)


def test_wrong_calls_are_told_in_words():
    survey = people(0)
    with language("en"):
        with pytest.raises(DataError, match="no question on satisfaction as a whole"):
            where_dissatisfied(survey)
        with pytest.raises(DataError, match="list them in at"):
            where_dissatisfied(survey, "q")
        with pytest.raises(DataError, match="list columns in by"):
            where_dissatisfied(survey, "q", at=[4])
        with pytest.raises(ValueError, match="level is 95"):
            where_dissatisfied(survey, "q", by=BY, at=[4], level=95)
        with pytest.raises(DataError, match="nothing to tell groups apart"):
            where_dissatisfied(Survey(responses=survey.responses.assign(one=1)), "q", by=["one"], at=[4])


@pytest.mark.parametrize("rows", [1, 20, 70])
def test_few_or_equal_answers_find_nothing_and_do_not_crash(rows):
    frame = people(0).responses.head(rows).assign(age=lambda f: np.arange(len(f)) % 2)
    for q in (frame["q"], 4):
        survey = Survey(responses=frame.assign(q=q), design=Design(weights="w", clusters="c"))
        if rows == 1:
            with pytest.raises(DataError):
                where_dissatisfied(survey, "q", by=["age"], at=[4])
        else:
            with language("en"):
                result = where_dissatisfied(survey, "q", by=["age"], at=[4])
            assert result.rows.empty
            assert any("no rule learnt on one half" in note for note in result.notes) == result.tested.empty
