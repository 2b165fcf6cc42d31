from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.survey import adjust_nonresponse, answer_quality, mean, replicates, response_quality, satisfaction_index

SIPAS = load_questionnaire("sipas_2023")
ITEMS = SIPAS.items("satisfaction")
ASKED = [name for name in ITEMS if name not in SIPAS.items(factor="feedback")]


def sipas(seed: int = 1, *, n: int = 120) -> Survey:
    """Answers of people who are more or less satisfied, 12 wards of 10; interviewers have two wards each."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(3.6, 0.7, n)[:, None]
    frame = pd.DataFrame(np.clip(np.round(mood + rng.normal(0, 0.7, (n, len(ITEMS)))), 1, 5), columns=ITEMS)
    for name in SIPAS.items("perception"):
        frame[name] = rng.choice([1, 2, 3], n).astype(str) if SIPAS.kind(name) == "select_multiple" else 1.0
    frame["gave_feedback"] = 2
    frame[SIPAS.items(factor="feedback")] = np.nan
    frame = frame.assign(
        ward=np.arange(n) // 10, interviewer=np.arange(n) // 20, w=rng.uniform(5, 30, n), minutes=rng.normal(30, 3, n)
    )
    return Survey(responses=frame, questionnaire=SIPAS, design=Design(weights="w", clusters="ward"))


def changed(survey: Survey, rows: list[int], items: list[str], value: object) -> Survey:
    frame = survey.responses.copy()
    frame.loc[rows, items] = value
    return Survey(responses=frame, questionnaire=SIPAS, design=survey.design)


def graded(result: object, indicator: str) -> list[int]:
    return np.flatnonzero(result.flags[indicator] == 2).tolist()


def test_one_answer_to_everything_is_what_answer_quality_calls_a_straight_line():
    survey = changed(sipas(), [3, 50], ASKED, 4)
    result = response_quality(survey)
    line = answer_quality(survey).rows.set_index("check").loc["straight_line"]
    assert graded(result, "irv") == [3, 50]
    assert line["numerator"] == 2
    assert (result.flags.loc[[3, 50], "grade"] == "strong").all()


def test_a_copied_interview_is_found_with_its_original_and_nobody_else():
    survey = sipas()
    frame = survey.responses.copy()
    answers = [*ITEMS, *SIPAS.items("perception")]
    frame.loc[7, answers] = frame.loc[2, answers].to_numpy()
    frame.loc[7, "s1_1"] = 1 + frame.loc[2, "s1_1"] % 5
    survey = Survey(responses=frame, questionnaire=SIPAS, design=survey.design)
    result = response_quality(survey, interviewer="interviewer")
    assert graded(result, "match") == [2, 7]
    common = frame.loc[2, answers].notna().sum()
    assert result.respondents.loc[7, "match"] == pytest.approx((common - 1) / common)
    by = result.interviewers.set_index("interviewer")
    assert by["match"].tolist() == [2, 0, 0, 0, 0, 0]
    assert by["n"].tolist() == [20] * 6
    assert by.loc[0, "estimate"] == pytest.approx((by.loc[0, "watch"] + by.loc[0, "strong"]) / 20)


def test_copies_by_another_interviewer_are_not_compared():
    frame = sipas().responses.copy()
    frame.loc[100, ITEMS] = frame.loc[2, ITEMS].to_numpy()
    found = response_quality(Survey(responses=frame, questionnaire=SIPAS), interviewer="interviewer")
    assert found.flags["match"].max() == 0


def test_items_not_asked_are_neither_blank_nor_the_end_of_a_string():
    survey = sipas()
    before = response_quality(survey).respondents
    assert (before["blank"] == 0).all()
    asked = changed(survey, list(range(120)), ["gave_feedback"], 1)
    after = response_quality(asked).respondents
    assert after["blank"].to_numpy() == pytest.approx(4 / len(ITEMS))


def test_blank_and_dont_know_are_shares_of_items_asked():
    survey = changed(changed(sipas(), [0], ITEMS[:14], np.nan), [1], ITEMS[:28], 9)
    found = response_quality(survey)
    asked = len(ITEMS) - 4
    assert found.respondents.loc[0, "blank"] == pytest.approx(14 / asked)
    assert found.respondents.loc[1, "dont_know"] == pytest.approx(28 / asked)
    assert found.flags.loc[0, "blank"] == 1
    assert found.flags.loc[1, "dont_know"] == 2


def test_durations_are_held_against_their_median():
    survey = sipas()
    fast = changed(changed(survey, [4], ["minutes"], 12.0), [5], ["minutes"], 5.0)
    result = response_quality(fast, duration="minutes")
    assert result.flags.loc[[4, 5], "duration"].tolist() == [1, 2]
    assert (result.flags["duration"] > 0).sum() == 2
    as_times = Survey(
        responses=fast.responses.assign(minutes=pd.to_timedelta(fast.responses["minutes"], unit="min")),
        questionnaire=SIPAS, design=survey.design,
    )  # fmt: skip
    assert response_quality(as_times, duration="minutes").flags["duration"].equals(result.flags["duration"])


def test_rows_count_the_flags_and_watch_includes_strong():
    survey = changed(changed(sipas(), [0], ITEMS[:14], np.nan), [1], ITEMS[:40], np.nan)
    result = response_quality(survey)
    rows = result.rows.set_index(["indicator", "grade"])
    assert rows.loc[("blank", "watch"), "numerator"] == 2
    assert rows.loc[("blank", "strong"), "numerator"] == 1
    assert rows.loc[("blank", "watch"), "threshold"] == 0.2
    assert rows.loc[("any", "strong"), "numerator"] == (result.flags["grade"] == "strong").sum()
    assert rows.loc[("any", "watch"), "numerator"] == (result.flags["grade"] != "").sum()


def test_two_families_make_a_respondent_strong_and_two_signs_of_one_do_not():
    limits = {"blank": (0.1, None), "dont_know": (0.1, None), "mahad": (None, None), "evenodd": (None, None)}
    survey = changed(changed(sipas(), [0, 1], ITEMS[:10], np.nan), [0], ITEMS[10:20], 9)
    quick = changed(survey, [1], ["minutes"], 12.0)
    result = response_quality(quick, duration="minutes", thresholds=limits)
    assert result.flags.loc[[0, 1], "grade"].tolist() == ["watch", "strong"]


def test_sensitivity_is_the_index_of_a_domain_and_nothing_is_dropped():
    survey = changed(sipas(), [3, 50, 61], ASKED, 1)
    result = response_quality(survey)
    table = result.sensitivity.set_index(["excluded", "id"])
    whole = satisfaction_index(survey).rows.set_index("id")
    frame = survey.responses.assign(kept=(result.flags["grade"] != "strong").astype(int))
    domain = satisfaction_index(
        Survey(responses=frame, questionnaire=SIPAS, design=survey.design), where="kept == 1"
    ).rows.set_index("id")
    for name in ("index", "policy", "service"):
        for column in ("estimate", "se", "low", "high", "n"):
            assert table.loc[("none", name), column] == pytest.approx(whole.loc[name, column], rel=1e-12)
            assert table.loc[("strong", name), column] == pytest.approx(domain.loc[name, column], rel=1e-12)
    assert table.loc[("none", "index"), "n"] == 120
    assert table.loc[("strong", "index"), "difference"] > 0


def test_the_error_of_the_difference_agrees_with_the_jackknife():
    survey = changed(sipas(), [3, 50, 61, 77], ASKED, 1)
    linear, again = (response_quality(s).sensitivity for s in (survey, replicates(survey)))
    pd.testing.assert_series_equal(linear["difference"], again["difference"])
    np.testing.assert_allclose(linear["difference_se"].dropna(), again["difference_se"].dropna(), rtol=0.15)


def test_weights_change_the_sensitivity_and_not_the_flags():
    survey = sipas()
    even = Survey(responses=survey.responses, questionnaire=SIPAS, design=Design(clusters="ward"))
    a, b = response_quality(survey), response_quality(even)
    assert a.flags.equals(b.flags)
    assert abs(a.sensitivity.loc[0, "estimate"] - b.sensitivity.loc[0, "estimate"]) > 1e-4


def test_without_a_questionnaire_the_items_are_named_and_their_means_compared():
    survey = sipas()
    bare = Survey(responses=survey.responses, design=survey.design)
    with pytest.raises(DataError, match="items"):
        response_quality(bare)
    result = response_quality(bare, items={"a": ITEMS[:4], "b": ITEMS[4:8]})
    first = result.sensitivity.iloc[0]
    assert (first["excluded"], first["level"], first["id"]) == ("none", "item", ITEMS[0])
    assert first["estimate"] == pytest.approx(mean(bare, ITEMS[0]).rows["estimate"].iloc[0])


def test_who_did_not_respond_at_all_shows_no_sign():
    frame = sipas().responses.assign(came=1)
    frame.loc[[0, 1], "came"] = 0
    frame.loc[[0, 1], ITEMS] = np.nan
    survey = adjust_nonresponse(
        Survey(responses=frame, questionnaire=SIPAS, design=Design(weights="w", clusters="ward")),
        responded="came", cells="ward", min_respondents=5,
    )  # fmt: skip
    result = response_quality(survey)
    assert result.flags.loc[[0, 1], "grade"].tolist() == ["", ""]
    assert result.rows["denominator"].max() == 118


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": {"speed": (1, 2)}}, "speed"),
        ({"interviewer": "who"}, "who"),
        ({"duration": "interviewer_name"}, "interviewer_name"),
        ({"items": ["s1_1"]}, "two items"),
    ],
)
def test_wrong_calls_say_what_is_wrong(options, message):
    survey = sipas()
    named = Survey(responses=survey.responses.assign(interviewer_name="A"), questionnaire=SIPAS)
    with language("en"), pytest.raises(DataError, match=message):
        response_quality(named, **options)


def test_everybody_answering_alike_breaks_nothing():
    frame = pd.DataFrame(4, index=range(30), columns=ITEMS).assign(gave_feedback=1)
    result = response_quality(Survey(responses=frame, questionnaire=SIPAS))
    assert (result.flags["grade"] == "strong").all()
    left = result.sensitivity[result.sensitivity["excluded"] == "strong"]
    assert left["estimate"].isna().all()
    assert (left["n"] == 0).all()
    assert not any("nan" in note.lower() for note in result.notes)


def test_table_and_figure_hold_no_respondent():
    result = response_quality(sipas(), interviewer="interviewer")
    table = result.table()
    assert len(table.cells) == len(result.rows)
    assert "respondents" not in repr(result)
    ax = result.plot()
    assert len(ax.get_yticks()) == result.rows["indicator"].nunique()
    plt.close(ax.figure)


def test_one_block_cannot_show_straight_lines_and_that_is_said():
    survey = sipas()
    bare = Survey(responses=survey.responses, design=survey.design)
    with language("en"):
        one, many = (
            response_quality(bare, items={str(k): ITEMS[4 * k : 4 * k + 4] for k in range(blocks)}) for blocks in (1, 4)
        )
    assert [any("Straight lines are told from 3 blocks" in note for note in r.notes) for r in (one, many)] == [1, 0]
