"""Every rule of a unit's sentences: what is said follows the numbers, and no more than they allow."""

import math

import pytest

from khaosat.facts.language import language
from khaosat.report import unit_words as words


@pytest.fixture(autouse=True)
def _english():
    with language("en"):
        yield


ROW = {"closed": 100, "numerator": 4, "denominator": 100, "open": 12, "open_overdue": 3}


def test_the_on_time_sentence_turns_the_late_count_around():
    text = words.on_time_words(ROW, city=0.97, target=0.95, period="Q3")
    assert "100 dossiers, 96.0% of them on time (4 late)" in text
    assert "meets the target" in text
    assert "97.0%" in text


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("far_above", "beyond chance"),
        ("above", "probably later"),
        ("usual", "cannot be told apart"),
        ("below", "late less often"),
        ("far_below", "late less often"),
        ("alone", "no like elsewhere"),
        ("insufficient", "not enough data"),
        ("small_units", "not enough data"),
        ("", "not enough data"),
    ],
)
def test_the_place_follows_the_verdict(flag, said):
    assert said in words.place_words({"flag": flag, "numerator": 17, "expected": 4.44})


def test_a_unit_outside_the_comparison_has_not_enough_data():
    assert "not enough data" in words.place_words(None)


@pytest.mark.parametrize(
    ("opened", "overdue", "said"), [(0, 0, "no open dossier"), (5, 0, "none of them overdue"), (5, 2, "2 of them")]
)
def test_the_stock_says_what_is_overdue(opened, overdue, said):
    assert said in words.stock_words({"open": opened, "open_overdue": overdue})


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.6, 0.8, "lower than"), (0.85, 0.95, "higher than"), (0.7, 0.9, "cannot be told apart"),
     (math.nan, math.nan, "No interval")],
)  # fmt: skip
def test_satisfaction_is_called_different_only_where_the_interval_leaves_the_city_out(low, high, said):
    assert said in words.satisfied_words({"estimate": 0.8, "low": low, "high": high, "n": 40}, city=0.83, wave="Q3")


def test_the_main_complaint_is_sure_only_below_every_other_interval():
    row = {"estimate": 0.6, "low": 0.5, "high": 0.7}
    above, near = {"low": 0.75, "high": 0.9}, {"low": 0.65, "high": 0.9}
    assert "not certain" not in words.complaint_words("A", row, others=[above])
    assert "not certain" in words.complaint_words("A", row, others=[above, near])
    assert "not certain" in words.complaint_words("A", {**row, "high": math.nan}, others=[above])
    assert "not certain" in words.complaint_words("A", row, others=[])


def test_actions_answer_what_was_found_in_order_of_urgency():
    lines = words.action_words(
        overdue=3, own=("Appraise", 7), waiting=("Consult", "Dept", 5), above=True, complaint="Access"
    )
    assert [next(w for w in ("overdue", "Appraise", "Dept", "Access") if w in line) for line in lines] == [
        "overdue", "Appraise", "Dept", "Access",
    ]  # fmt: skip
    (unknown,) = words.action_words(overdue=0, own=None, waiting=None, above=True, complaint="")
    assert "Find out why" in unknown
