"""What stands around the index: perception and expectation blocks, skip pattern, breaks of series, published values."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import language
from khaosat.survey import block_summary, compare_index, proportion, published_index, replicates, satisfaction_index
from khaosat.survey.series_breaks import series_breaks

NEW, OLD = load_questionnaire("sipas_2023"), load_questionnaire("sipas_2017")


def survey(questionnaire=NEW, *, wave: str | None = None, seed: int = 1, n: int = 60, **columns: object) -> Survey:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.integers(2, 6, n) for name in questionnaire.items("satisfaction")})
    frame = frame.assign(w=rng.uniform(1, 9, n), ward=np.arange(n) // 5, **columns)
    if wave:
        frame["wave"] = wave
    return Survey(responses=frame, questionnaire=questionnaire, design=Design(weights="w", clusters="ward"))


# --- blocks A and C


def test_perception_shares_are_those_of_valid_answers():
    found = block_summary(survey(a5=[1] * 40 + [2] * 12 + [3] * 3 + [9] * 4 + [None]), block="perception")
    rows = found.rows.set_index("level")
    assert rows["numerator"].to_dict() == {1: 40, 2: 12, 3: 3}
    assert (rows["denominator"] == 55).all()
    assert (rows["n_missing"] == 5).all()
    assert rows["estimate"].sum() == pytest.approx(1)


def test_a_question_that_takes_several_counts_each_choice_of_those_who_chose():
    chosen = ["1 5"] * 20 + ["5"] * 20 + ["10 5 7"] * 10 + [None] * 10
    cases = survey(c=chosen)
    rows = block_summary(cases, block="expectation").rows.set_index("level")
    weights = cases.arrays.weights
    for level, who in {1: slice(0, 20), 5: slice(0, 50), 7: slice(40, 50), 10: slice(40, 50)}.items():
        assert rows.loc[level, "estimate"] == pytest.approx(weights[who].sum() / weights[:50].sum())
    assert rows.loc[[2, 3, 4, 6, 8, 9], "numerator"].sum() == 0
    assert (rows["denominator"] == 50).all()
    by_hand = proportion(cases, "c", at=[1, 7])  # anybody who chose one of them, once
    assert by_hand.rows["numerator"].iloc[0] == 30


def test_choices_agree_with_a_column_of_zeros_and_ones_under_the_design():
    chosen = ["1 5"] * 20 + ["5"] * 20 + ["10 5 7"] * 20
    cases = survey(c=chosen, five=[int("1" in text.split()) for text in chosen])
    for one in (cases, replicates(cases)):
        several = block_summary(one, block="expectation").rows.set_index("level").loc[1]
        single = proportion(one, "five", at=1).rows.iloc[0]
        for column in ("estimate", "se", "low", "high", "df", "n"):
            assert several[column] == pytest.approx(single[column], rel=1e-12)


def test_codes_that_are_no_answer_are_missing_and_said_to_be():
    with language("en"):
        found = block_summary(survey(c=["77"] * 5 + ["1"] * 55), block="expectation")
    assert (found.rows["n"] == 55).all()
    assert any("5 off the scale" in note for note in found.notes)


def test_one_choice_each_may_come_as_numbers():
    rows = block_summary(survey(c=[1.0] * 30 + [2.0] * 29 + [np.nan]), block="expectation").rows.set_index("level")
    assert rows["numerator"].head(2).tolist() == [30, 29]


def test_the_expectation_block_carries_its_own_break():
    with language("en"):
        notes = block_summary(survey(c=["1"] * 60), block="expectation").notes
    assert "2024" in notes[0]
    assert "59–67%" in notes[0]


@pytest.mark.parametrize(("block", "message"), [("hopes", "one of its blocks"), ("expectation", "no closed question")])
def test_what_is_no_block_is_refused(block, message):
    with language("en"), pytest.raises(DataError, match=message):
        block_summary(survey(), block=block)


def test_the_figure_orders_choices_and_keeps_scales():
    cases = survey(c=["1 5"] * 20 + ["5"] * 40, a5=[1, 2, 3] * 20)
    ax = block_summary(cases, block="expectation").plot()
    first, second = (label.get_text().replace("\n", " ") for label in ax.get_yticklabels()[:2])
    assert (first, second) == tuple(NEW.choice_labels("c")[code] for code in (5, 1))
    plt.close(ax.figure)
    ax = block_summary(cases, block="perception").plot()
    shown = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    assert shown == [NEW.choice_labels("a5")[code] for code in (1, 2, 3)]
    plt.close(ax.figure)


# --- the index of both instruments


def test_factor_five_is_asked_of_those_who_gave_feedback_only():
    cases = survey(gave_feedback=[1] * 15 + [2] * 45)
    rows = satisfaction_index(cases).rows.set_index("id")
    items = NEW.items(factor="feedback")
    assert (rows.loc[items, "n"] == 15).all()
    assert (rows.loc[items, "n_missing"] == 0).all()
    first = cases.responses.iloc[:15]
    share = np.average(first["s5_1"].isin([4, 5]), weights=first["w"])
    assert rows.loc["s5_1", "estimate"] == pytest.approx(share)


def test_in_2017_nobody_is_known_to_have_skipped_factor_five():
    rows = satisfaction_index(survey(OLD)).rows.set_index("id")
    assert (rows.loc[OLD.items(factor="feedback"), "n"] == 60).all()


@pytest.mark.parametrize("questionnaire", [OLD, NEW], ids=["2017", "2023"])
def test_the_rule_decides_the_index_and_stands_in_the_notes(questionnaire):
    cases = survey(questionnaire)
    found = {}
    with language("en"):
        for rule in ("asked", "pooled_items", "mean_of_factors", "mean_of_parts"):
            result = satisfaction_index(cases, rule=rule)
            found[rule] = result.rows.loc[0, "estimate"]
            assert result.notes[0].startswith("Index: ")
    assert found["asked"] == pytest.approx(
        np.average(cases.responses["overall"].isin([4, 5]), weights=cases.arrays.weights)
    )
    assert len({round(value, 12) for value in found.values()}) >= 3


def test_weights_between_the_bounds_of_the_published_figures_give_the_published_index():
    """domain.md 1.5: P weighs 0.615 to 0.640; the plain mean of the parts misses the index of 2024."""
    for year in (2023, 2024):
        value = published_index(year).rows.query("statistic == 'value'").set_index("indicator")["estimate"]
        for weight in (0.615, 0.640):
            made = weight * value["policy"] + (1 - weight) * value["service"]
            assert made == pytest.approx(value["index"], abs=2.5e-4)
    assert abs((value["policy"] + value["service"]) / 2 - value["index"]) > 2e-4


# --- breaks of series


def notes_of(first: Survey, second: Survey, **options: object) -> tuple[str, ...]:
    with language("en"):
        return compare_index(first, second, **options).notes  # type: ignore[arg-type]


def test_a_comparison_across_two_tier_government_says_so():
    across = notes_of(survey(wave="2025-Q3"), survey(wave="2025-Q2", seed=2))
    assert "two-tier" in across[0]
    assert "grade B" in across[0]
    assert not any("Break" in note for note in notes_of(survey(wave="2026-Q3"), survey(wave="2025-Q3", seed=2)))
    assert "two-tier" in notes_of(survey(), survey(seed=2), periods=("2026", "2024"))[0]


def test_a_year_in_which_the_series_breaks_is_on_both_sides_of_it():
    assert "two-tier" in notes_of(survey(wave="2026-Q1"), survey(wave="2025", seed=2))[0]


def test_other_questionnaires_and_every_break_between_are_told():
    notes = notes_of(survey(wave="2024"), survey(OLD, wave="2021"))
    assert "sipas_2023, sipas_2017" in notes[0]
    assert [word in note for word, note in zip(("households", "nine groups"), notes[1:3], strict=True)] == [True, True]


def test_the_difference_itself_is_as_before():
    a, b = survey(wave="2025-Q3"), survey(wave="2025-Q2", seed=2)
    plain = [Survey(responses=s.responses.drop(columns="wave"), questionnaire=NEW, design=s.design) for s in (a, b)]
    pd.testing.assert_frame_equal(compare_index(a, b).rows, compare_index(*plain).rows)


def test_breaks_are_dated_sourced_and_graded():
    table = read_table("published/series_breaks.csv")
    assert set(table["grade"]) <= set("ABCDE")
    assert {one.day.isoformat() for one in series_breaks()} >= {"2022-01-01", "2025-07-01"}
    assert [one.id for one in series_breaks("expectation")] == ["expectations_2024"]


# --- published values


def test_published_values_are_those_of_the_table_with_source_and_grade():
    rows = published_index().rows
    values = rows[(rows["indicator"] == "index") & (rows["statistic"] == "value")].set_index("year")
    assert values.loc[[2022, 2023, 2024], "estimate"].tolist() == [0.8008, 0.8266, 0.8394]
    assert values.index[values["break_before"]].tolist() == [2022]
    assert (rows["source"] != "").all()
    assert values.index.tolist() == [2019, 2020, 2022, 2023, 2024]  # no value without a source
    assert "E" not in set(rows["grade"])


def test_published_notes_tell_breaks_within_the_years_shown_and_doubtful_figures():
    with language("en"):
        assert any("households" in note for note in published_index([2020, 2022], indicator="index").notes)
        assert not any("households" in note for note in published_index([2023, 2024], indicator="index").notes)
        assert any("check before quoting" in note for note in published_index(2022).notes)


def test_unknown_years_are_refused():
    with language("en"), pytest.raises(DataError, match="2031"):
        published_index(2031)
    with pytest.raises(DataError):
        published_index(2021)


def test_the_line_is_cut_at_the_break():
    ax = published_index().plot()
    lines = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) > 1 and line.get_linestyle() == "-"]
    assert sorted(len(x) for x in lines) == [2, 3]
    plt.close(ax.figure)
