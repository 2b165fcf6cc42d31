"""Whose answer counts: don't know, blanks, skip rules, answers off the scale, words, groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError, DesignError
from khaosat.facts.language import language
from khaosat.survey import mean, proportion, total
from tests.survey.surveys import questionnaire


def answers(**columns: object) -> Survey:
    return Survey(responses=pd.DataFrame(columns), questionnaire=questionnaire())


def test_dont_know_blank_and_off_scale_are_missing_and_told_apart() -> None:
    with language("en"):
        result = proportion(answers(s1=[5, 4, 3, 9, None, 7]), "s1", at=[4, 5])
    row = result.rows.iloc[0]
    assert (row["n"], row["n_missing"], row["numerator"], row["denominator"]) == (3, 3, 2, 3)
    assert row["estimate"] == pytest.approx(2 / 3)
    assert any("3 answers are missing (1 don't know, 1 off the scale, 1 blank)" in note for note in result.notes)


def test_an_interval_at_the_edge_rests_on_the_valid_answers() -> None:
    """Twelve satisfied of twelve valid answers; the eighty-eight who did not know add no evidence."""
    row = proportion(answers(s1=[5] * 12 + [9] * 88), "s1", at=[4, 5], ci="beta").rows.iloc[0]
    alone = proportion(answers(s1=[5] * 12), "s1", at=[4, 5], ci="beta").rows.iloc[0]
    assert row["low"] < 0.8
    assert row["low"] == pytest.approx(alone["low"])


def test_nobody_and_one_respondent() -> None:
    survey = Survey(responses=pd.DataFrame({"y": [4.0, 2.0, 5.0, None], "g": ["a", "a", "b", "c"]}))
    with language("en"):
        result = mean(survey, "y", by="g")
        nobody = proportion(survey, "y", at=[4, 5], where="y > 9")
    rows = result.rows.set_index("g")
    assert rows["n"].tolist() == [2, 1, 0]
    assert rows["estimate"].tolist() == pytest.approx([3, 5, np.nan], nan_ok=True)
    assert rows.loc["b", ["low", "high"]].isna().all()
    assert rows.loc["b", "df"] == 0
    assert any(note.startswith("1 lines rest on answers from one sampled unit") for note in result.notes)
    assert nobody.rows[["estimate", "low"]].isna().all(axis=None)
    assert nobody.rows["n"].tolist() == [0]
    assert "No respondent satisfies the condition." in nobody.notes
    assert "1 respondents lack a value that the condition asks for and are left out." in nobody.notes


def test_groups_cannot_be_called_like_columns_of_results() -> None:
    survey = Survey(responses=pd.DataFrame({"y": [4, 2], "level": ["a", "b"]}))
    with language("en"), pytest.raises(DataError, match="Groups cannot be called level"):
        proportion(survey, "y", by="level")


def test_a_skipped_question_is_not_missing() -> None:
    survey = answers(complained=[1, 1, 2, 2, None], f1=[5, 9, None, 4, 3])
    with language("en"):
        result = mean(survey, "f1")
    row = result.rows.iloc[0]
    assert (row["estimate"], row["n"], row["n_missing"]) == (5, 1, 1)
    assert "Question f1: 3 respondents were not asked; they are not missing." in result.notes


def test_without_at_every_answer_of_the_scale_has_a_row() -> None:
    rows = proportion(answers(s1=[5, 5, 3, 9]), "s1").rows
    assert rows["level"].tolist() == [1, 2, 3, 4, 5]
    assert rows["estimate"].tolist() == pytest.approx([0, 0, 1 / 3, 0, 2 / 3])


def test_answers_may_be_counted_from_any_collection() -> None:
    survey = answers(s1=[5, 5, 3, 9])
    for counted in ([4, 5], (4, 5), {4, 5}, np.array([4, 5]), pd.Series([4, 5])):
        assert proportion(survey, "s1", at=counted).rows.loc[0, "estimate"] == pytest.approx(2 / 3)
    assert proportion(answers(word=["một", "hai"]), "word", at="một").rows.loc[0, "estimate"] == 0.5


def test_codes_read_as_text_are_codes() -> None:
    assert mean(answers(s1=["5", "4", "x", None]), "s1").rows.loc[0, ["estimate", "n_missing"]].tolist() == [4.5, 2]


def test_answers_that_the_scale_does_not_have_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match=r"\[6\] are not answers of 's1'"):
        proportion(answers(s1=[5, 4]), "s1", at=[5, 6])
    with pytest.raises(ValueError, match="ci must be one of"):
        proportion(answers(s1=[5, 4]), "s1", at=5, ci="exact")


def test_words_truths_and_categories() -> None:
    frame = pd.DataFrame({
        "word": ["Ấp", "An toàn", "Đất", None], "truth": [True, False, True, True],
        "size": pd.Categorical(["big", "small", "big", "small"], categories=["small", "middle", "big"]),
    })  # fmt: skip
    survey = Survey(responses=frame)
    assert proportion(survey, "word").rows["level"].tolist() == ["An toàn", "Ấp", "Đất"]
    assert proportion(survey, "truth", at=True).rows.loc[0, "estimate"] == 0.75
    assert mean(survey, "truth").rows.loc[0, "estimate"] == 0.75
    assert proportion(survey, "size").rows["level"].tolist() == ["small", "big"]
    assert proportion(survey, "word", at="Ấp").rows.loc[0, ["numerator", "denominator"]].tolist() == [1, 3]
    with language("en"), pytest.raises(DataError, match="word is not numeric: use proportion"):
        mean(survey, "word")
    with language("en"), pytest.raises(DataError, match="Column speed is not in the responses"):
        mean(survey, "speed")


def test_groups_come_in_order_and_those_without_one_are_counted() -> None:
    frame = pd.DataFrame(
        {"y": [1.0, 2, 3, 4, 5], "ward": ["Đa Kao", "Bến Nghé", None, "Ấp", "An"], "age": [10, 9, 2, 2, 9]}
    )
    with language("en"):
        result = mean(Survey(responses=frame), "y", by=["ward", "age"])
    assert list(result.rows.columns[:4]) == ["variable", "ward", "age", "estimate"]
    assert result.rows["ward"].tolist() == ["An", "Ấp", "Bến Nghé", "Đa Kao"]
    assert "1 respondents without a value to group by are left out." in result.notes


def test_a_group_in_which_nobody_answered_keeps_its_row() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, np.nan, np.nan], "g": ["a", "a", "b", "b"]})
    rows = mean(Survey(responses=frame), "y", by="g", deff=True).rows
    assert rows["n"].tolist() == [2, 0]
    assert rows["n_missing"].tolist() == [0, 2]
    assert rows.loc[1, ["estimate", "se", "low", "high", "deff"]].isna().all()


@pytest.mark.parametrize("where", [None, "y > 100"])
def test_nobody_at_all_gives_no_estimate_and_no_crash(where: str | None) -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0], "g": ["a", "b"]})
    survey = Survey(responses=frame if where else frame.iloc[:0])
    row = mean(survey, "y", where=where).rows.iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["estimate"])
    assert mean(survey, "y", by="g", where=where).rows.empty
    assert np.isnan(proportion(survey, "y", at=1.0, where=where).rows.loc[0, "estimate"])
    assert total(survey, "y", where=where).rows.loc[0, "n"] == 0


def test_a_lonely_stratum_is_named() -> None:
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4, 5], "h": ["A", "A", "A", "A", "B"], "c": [1, 1, 2, 2, 3]})
    survey = Survey(responses=frame, design=Design(strata="h", clusters="c"))
    with language("en"), pytest.raises(DesignError, match="Stratum h=B has only one unit at stage 1"):
        mean(survey, "y")
    removed = Survey(responses=frame, design=Design(strata="h", clusters="c", lonely_psu="remove"))
    with language("en"):
        notes = mean(removed, "y").notes
    assert any(note.startswith("1 strata have one unit only; rule applied:") for note in notes)
    assert any("degrees of freedom" in note for note in notes)


def test_shares_of_nothing_and_everything_say_that_they_have_no_interval() -> None:
    survey = Survey(responses=pd.DataFrame({"y": [1, 1, 1, 1]}))
    with language("en"):
        logit, beta = (proportion(survey, "y", at=1, ci=ci) for ci in ("logit", "beta"))
    assert np.isnan(logit.rows.loc[0, "low"])
    assert any("ci='beta'" in note for note in logit.notes)
    assert beta.rows.loc[0, ["low", "high"]].tolist() == pytest.approx([0.025 ** (1 / 4), 1])


def test_tables_speak_the_questionnaires_words_and_rows_keep_codes() -> None:
    survey = answers(s1=[5, 4] * 10, complained=[1] * 20)
    with language("vi"):
        result = proportion(survey, "s1", by="complained")
        table = result.table()
    assert result.rows["complained"].unique().tolist() == [1]
    assert [row[:3] for row in table.cells][-1] == ("Câu s1", "Có", "Rất hài lòng")
    assert [column.heading for column in table.columns][1] == "Có phản ánh"
    assert "Student" in " ".join(table.notes)


def test_the_figure_draws_an_interval_a_row() -> None:
    import matplotlib.pyplot as plt

    axes = mean(answers(s1=[5, 4, 3] * 10, s2=[1, 2, 3] * 10), ["s1", "s2"]).plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Câu s1", "Câu s2"]
    plt.close("all")


def test_the_table_shows_the_design_effect_that_was_asked_for() -> None:
    table = mean(answers(s1=[5, 4, 3, 2] * 5), "s1", deff="replace").table()
    assert table.columns[-1].key == "deff"
    assert table.cells[0][-1] == "1,00"


def test_answers_that_nobody_gave_are_a_share_of_zero_and_a_note() -> None:
    survey = Survey(responses=pd.DataFrame({"y": ["a", "b"], "blank": [None, None]}))
    with language("en"):
        result = proportion(survey, "y", at="c")
    assert result.rows.loc[0, "estimate"] == 0
    assert "y: nobody gave any of the answers counted." in result.notes
    assert proportion(survey, "blank").rows.empty


def test_small_groups_are_suppressed_in_the_table_only() -> None:
    survey = Survey(responses=pd.DataFrame({"y": [1.0, 2.0] * 20, "g": ["a"] * 25 + ["b"] * 12 + ["c"] * 3}))
    result = mean(survey, "y", by="g")
    assert result.table().hidden == {1, 2}
    assert result.rows["estimate"].notna().all()


def test_numbers_held_as_objects_are_numbers() -> None:
    plain, held = [1.0, 2.0, 5.0, np.nan], pd.Series([1, 2.0, 5, pd.NA], dtype=object)
    there = answers(q=held, g=["a", "a", "b", "b"])
    assert mean(there, "q").rows.equals(mean(answers(q=plain), "q").rows)
    assert proportion(there, "q").rows["level"].tolist() == [1, 2, 5]


def test_a_column_of_nothing_has_no_estimate() -> None:
    rows = mean(answers(q=pd.Series([None, None, None], dtype=object)), "q").rows
    assert rows["n"].tolist() == [0]
    assert np.isnan(rows["estimate"][0])


def test_truth_values_with_none_among_them_have_a_mean_as_nullable_ones_do() -> None:
    values = [True, None, False, True, True]
    by_type = [mean(Survey(responses=pd.DataFrame({"q": pd.Series(values, dtype=kind)})), "q").rows.iloc[0]
               for kind in (object, "boolean")]  # fmt: skip
    assert [(row["estimate"], row["n"], row["n_missing"]) for row in by_type] == [(0.75, 4, 1)] * 2


@pytest.mark.parametrize("odd", [1.5, np.inf])
def test_a_number_that_is_no_code_of_several_choices_is_off_the_scale(odd: float) -> None:
    with language("en"):
        result = proportion(answers(wishes=[1.0, 2.0, odd, None]), "wishes")
    assert result.rows[["estimate", "n", "n_missing"]].to_numpy().tolist() == [[0.5, 2, 2], [0.5, 2, 2]]
    assert any("1 off the scale, 1 blank" in note for note in result.notes)
