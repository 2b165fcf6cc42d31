import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.facts.language import language
from khaosat.report import findings

finite = st.floats(-1, 1)


@given(finite, finite)
def test_a_change_is_called_only_when_the_interval_excludes_zero(a, b):
    low, high = sorted((a, b))
    said = findings.direction(low, high)
    assert (said == "up") == (low > 0)
    assert (said == "down") == (high < 0)


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.012, "+1,2 điểm phần trăm"), (-0.0004, "±0,0 điểm phần trăm"), (-0.02, "−2,0 điểm phần trăm")],
)
def test_points_carry_a_sign_unless_they_round_to_nothing(difference, text):
    assert findings.points(difference) == text


def test_verbs_follow_direction():
    say = [findings.change(d, d - 0.01, d + 0.01, since="quý II") for d in (0.02, -0.02, 0.0)]
    assert [text.split(" so với")[0] for text in say] == [
        "tăng có ý nghĩa thống kê", "giảm có ý nghĩa thống kê", "chưa thấy thay đổi có ý nghĩa thống kê",
    ]  # fmt: skip
    assert findings.change(0.1, math.nan, math.nan, since="quý II") == "không so sánh được với quý II"


def test_target_is_met_at_its_own_value():
    assert findings.against_target(0.995, target=0.995) == "đạt mục tiêu 99,5%"
    assert findings.against_target(0.99499, target=0.995) == "chưa đạt mục tiêu 99,5%"


def test_overlapping_extremes_are_not_ranked():
    low = {"estimate": 0.80, "low": 0.78, "high": 0.82}
    near = {"estimate": 0.82, "low": 0.80, "high": 0.84}
    far = {"estimate": 0.90, "low": 0.88, "high": 0.92}
    assert "chưa chắc chắn" in findings.extremes_sentence(("A", low), ("B", near))
    assert "chưa chắc chắn" not in findings.extremes_sentence(("A", low), ("B", far))


ROW = {"estimate": 0.05, "low": 0.04, "high": 0.06, "closed": 1010, "numerator": 50, "denominator": 1000}


def test_on_time_sentence_turns_the_late_share_around():
    text = findings.on_time_sentence(ROW, period="quý III năm 2026", target=0.995, changes=[])
    assert "đúng hạn 95,00% (50 hồ sơ trễ hạn trên 1.000" in text
    assert "chưa đạt mục tiêu 99,5%" in text


@pytest.mark.parametrize(
    ("before", "words"), [(10, "nhiều hơn đầu kỳ 2"), (14, "ít hơn đầu kỳ 2"), (12, "bằng số đầu kỳ")]
)
def test_backlog_sentence_compares_with_the_start(before, words):
    text = findings.backlog_sentence({"open": 12, "overdue": 3}, {"open": before, "overdue": 0}, period="quý III")
    assert words in text
    assert "(25,0%)" in text


def test_an_empty_backlog_divides_by_nothing():
    assert "(0,0%)" in findings.backlog_sentence({"open": 0, "overdue": 0}, None, period="quý III")


def test_english_reads_as_english():
    with language("en"):
        text = findings.concentration_sentence("Land", late=30, total_late=40, closed=100, total_closed=1000)
    assert text == (
        "Lateness concentrates in “Land”: 75.0% of all late dossiers (30 of 40) with 10.0% of the closed ones."
    )


def test_lateness_concentrates_only_above_its_share():
    share = {"total_late": 40, "total_closed": 1000}
    assert "tập trung" in findings.concentration_sentence("A", late=30, closed=100, **share)
    assert "không vượt tỷ trọng" in findings.concentration_sentence("A", late=30, closed=750, **share)


@pytest.fixture
def english():
    with language("en"):
        yield


def driver(label, verdict, per_sd, rank_high=5):
    return {"label": label, "verdict": verdict, "per_sd": per_sd, "rank_high": rank_high}


@pytest.mark.usefixtures("english")
def test_only_clear_factors_are_said_to_go_with_dissatisfaction_the_strongest_first():
    rows = [driver("A", "important", -0.02), driver("B", "unclear", -0.20), driver("C", "important", -0.05)]
    text = findings.drivers_sentence(rows)
    assert text.index("“C”") < text.index("“A”")
    assert "“B”" not in text
    assert "is not certain" in text
    assert "cause" not in text


@pytest.mark.usefixtures("english")
def test_that_a_factor_comes_first_is_said_only_where_its_rank_set_is_one():
    rows = [driver("A", "important", -0.09, rank_high=1), driver("B", "important", -0.02)]
    assert "That “A” comes first is certain" in findings.drivers_sentence(rows)


@pytest.mark.usefixtures("english")
def test_no_clear_factor_is_said_so():
    assert "No factor" in findings.drivers_sentence([driver("A", "unclear", -0.2)])


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-0.2, -0.01, "less satisfied"), (-0.2, 0.01, "No clear difference"), (0.01, 0.2, "check the linkage")],
)
@pytest.mark.usefixtures("english")
def test_late_dossiers_and_satisfaction_follow_the_interval(low, high, words):
    assert words in findings.lateness_sentence({"estimate": (low + high) / 2, "low": low, "high": high})
