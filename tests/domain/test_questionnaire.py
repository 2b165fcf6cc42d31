from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from khaosat.domain.questionnaire import Questionnaire, load_questionnaire
from khaosat.domain.questionnaire_faults import skip_rule
from khaosat.errors import FactsError
from khaosat.facts.language import language

QUESTIONS = """type,name,label::vi,label::en,block,part,factor,relevant,wording
select_one scale,q1,Chỗ ngồi,Seats,satisfaction,,place,,khaosat
select_one scale,q2,Thái độ,Attitude,satisfaction,,people,${gate} = '1',khaosat
select_one yes_no,gate,Có góp ý,Gave feedback,profile,,,,khaosat
integer,age,Tuổi,Age,profile,,,,khaosat
"""
CHOICES = """list_name,name,label::vi,label::en,role
scale,1,Không hài lòng,Dissatisfied,
scale,2,Hài lòng,Satisfied,satisfied
scale,9,Không biết,Don't know,dont_know
yes_no,1,Có,Yes,
yes_no,2,Không,No,
"""
FACTORS = "id,part,label::vi,label::en\nplace,,Nơi tiếp nhận,Place\npeople,,Công chức,Officials\n"


def folder(
    path: Path, questions: str = QUESTIONS, choices: str = CHOICES, factors: str = FACTORS, about: str = ""
) -> Path:
    for name, text in (("questions.csv", questions), ("choices.csv", choices), ("factors.csv", factors)):
        (path / name).write_text(text, encoding="utf-8")
    (path / "questionnaire.toml").write_text(about, encoding="utf-8")
    return path


def faults(path: Path, **files: str) -> list[str]:
    with language("en"), pytest.raises(FactsError) as caught:
        load_questionnaire(folder(path, **files))
    return [line.removeprefix("- ") for line in str(caught.value).splitlines()[1:]]


def test_sipas_2023_has_the_structure_of_the_instrument() -> None:
    sipas = load_questionnaire("sipas_2023")
    assert [len(sipas.items(factor=factor)) for factor in sipas.factors] == [4] * 9 + [3, 4, 4, 4, 4]
    assert sipas.items(block="perception") == [f"a{number}" for number in range(1, 9)]
    assert sipas.items(factor="economy") == ["p1_1", "p1_2", "p1_3", "p1_4"]
    assert sipas.items(part="service")[-1] == "s5_4"
    assert [sipas.overall_of(part) for part in sipas.parts] == ["p_overall", "s_overall"]
    assert (sipas.overall, sipas.index_rule) == ("overall", "pooled_items")
    assert len(sipas.levels("c")) == 10
    assert sipas.kind("c") == "select_multiple"
    assert "p_overall" not in sipas.items(part="policy")


def test_sipas_2023_asks_about_feedback_only_those_who_gave_it() -> None:
    sipas = load_questionnaire("sipas_2023")
    gated = [item for item in sipas.items(block="satisfaction") if sipas.relevant(item)]
    assert gated == sipas.items(factor="feedback")
    assert sipas.relevant("s5_1") == ("gave_feedback", frozenset({1}))
    assert sipas.choice_labels("gave_feedback")[1] == "Có"


def test_sipas_2017_has_22_criteria_in_five_factors() -> None:
    sipas = load_questionnaire("sipas_2017")
    assert [len(sipas.items(factor=factor)) for factor in sipas.factors] == [4, 5, 6, 3, 4]
    assert sipas.parts == ["service"]
    assert sipas.overall_of("service") is None
    assert sipas.grade == "E"


@pytest.mark.parametrize("name", ["sipas_2023", "sipas_2017"])
def test_built_in_items_share_one_five_level_scale(name: str) -> None:
    sipas = load_questionnaire(name)
    for item in sipas.items(block="satisfaction"):
        assert (sipas.levels(item), sipas.satisfied(item), sipas.dont_know(item)) == ((1, 2, 3, 4, 5), (4, 5), (9,))
    assert set(sipas.questions["wording"]) <= {"official", "khaosat"}


def test_instruments_do_not_overlap_in_time() -> None:
    old, new = load_questionnaire("sipas_2017"), load_questionnaire("sipas_2023")
    assert old.valid_to is not None
    assert new.valid_from == dt.date(2023, 12, 11) > old.valid_to


def test_labels_follow_the_language() -> None:
    sipas = load_questionnaire("sipas_2023")
    assert sipas.label("access") == "Tiếp cận dịch vụ"
    assert sipas.label("service") == "Cung ứng dịch vụ hành chính công"
    assert sipas.label("not_there") == "not_there"
    with language("en"):
        assert sipas.label("access") == "Access to services"
        assert sipas.label("overall").startswith("The service of state")
        assert sipas.title.startswith("Satisfaction Index")


def test_own_folder(tmp_path: Path) -> None:
    own = load_questionnaire(folder(tmp_path, about='id = "kc"\ntitle_en = "Kansas City"\noverall = "q1"\n'))
    assert (own.id, own.factors, own.parts) == ("kc", ["place", "people"], [])
    assert own.title == "kc"  # no Vietnamese title
    assert own.label("index") == "kc"
    assert own.levels("age") == ()
    assert own.relevant("q2") == ("gate", frozenset({1}))


def test_two_files_are_enough(tmp_path: Path) -> None:
    (tmp_path / "questions.csv").write_text("type,name,block,label::en\ninteger,age,profile,Age\n", encoding="utf-8")
    (tmp_path / "choices.csv").write_text("list_name,name\n", encoding="utf-8")
    own = load_questionnaire(str(tmp_path))
    assert own.id == tmp_path.name
    assert own.label("age") == "Age"  # falls back on the other language
    assert own.factors == []


def test_an_unknown_id_and_an_unreadable_toml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FactsError, match="questions.csv, choices.csv"):
        load_questionnaire("sipas_1999")
    with pytest.raises(FactsError, match="questionnaire.toml"):
        load_questionnaire(folder(tmp_path, about="id = "))


def test_unknown_item_is_a_wrong_call() -> None:
    with pytest.raises(KeyError, match="'q99' is not a question of sipas_2023"):
        load_questionnaire("sipas_2023").levels("q99")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    questions = QUESTIONS + (
        "select_one nowhere,q1,A,A,satisfaction,,elsewhere,,\n"
        "range,2q,,,mood,,,${nobody} = '1',\n"
        "select_one scale,place,B,B,satisfaction,top,,${gate} = '7',mine\n"
        "select_one yes_no,q4,C,C,satisfaction,,,${gate} > 1,\n"
    )
    choices = CHOICES + "scale,2,Hài lòng,Satisfied,\nscale,ten,Mười,Ten,best\n,5,,,\n"
    told = faults(
        tmp_path, questions=questions, choices=choices, factors=FACTORS + "place,,Lặp,Again\n",
        about='index_rule = "mean"\noverall = "q9"\nvalid_from = 2024-01-02\nvalid_to = 2024-01-01\n',
    )  # fmt: skip
    assert sorted(told) == sorted([
        "choices, row 7: code “ten” is not a whole number.",
        "choices, row 7: unknown role “best”.",
        "choices, row 8: no list_name.",
        "choices, row 6: “scale 2” is there twice.",
        "choices, row 8: no label.",
        "factors, row 3: “place” is there twice.",
        "questions, row 5: list “nowhere” is not in choices.",
        "questions, row 6: name “2q” is not letters, digits and _.",
        "questions, row 6: unknown type “range”.",
        "questions, row 7: unknown wording “mine”.",
        "questions, row 5: “q1” is there twice.",
        "questions, row 6: no label.",
        "questions, row 5: factor “elsewhere” is not in factors.",
        "questions, row 6: unknown block “mood”.",
        "questions, row 7: part “top” does not fit factors.",
        "questions, row 7: “place” is also the name of a factor.",
        "questions, row 6: relevant names the unknown question “nobody”.",
        "questions, row 7: “7” is not an answer to gate.",
        "questions, row 8: cannot read “${gate} > 1”; write relevant as ${question} = '1'.",
        "Satisfaction item q1 has no answer that counts as satisfied.",
        "Satisfaction item q4 has no answer that counts as satisfied.",
        "Unknown index rule “mean”.",
        "The overall question “q9” is not a satisfaction item.",
        "valid_to 2024-01-01 lies before valid_from.",
    ])  # fmt: skip


def test_missing_columns_come_first(tmp_path: Path) -> None:
    told = faults(tmp_path, questions="name,label::vi\nq1,A\n", choices="name\n1\n")
    assert told == [
        "Table questions has no column type.",
        "Table questions has no column block.",
        "Table choices has no column list_name.",
    ]


def test_a_rule_that_needs_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, about='index_rule = "mean_of_parts"') == ["Index rule mean_of_parts needs parts."]
    assert faults(tmp_path, about='index_rule = "asked"') == ["Index rule asked needs an overall question."]


def test_faults_are_worded_in_vietnamese(tmp_path: Path) -> None:
    with pytest.raises(FactsError, match="Quy tắc tính chỉ số asked cần có câu hỏi chung"):
        load_questionnaire(folder(tmp_path, about='index_rule = "asked"'))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", None),
        ("${q1} = '1'", ("q1", {1})),
        ("${q1}=1 or ${q1} = 2", ("q1", {1, 2})),
        ("selected(${q1}, '3')", ("q1", {3})),
    ],
)
def test_skip_rules_that_are_understood(text: str, rule: tuple[str, set[int]] | None) -> None:
    assert skip_rule(text) == rule


@pytest.mark.parametrize("text", ["${q1} != 1", "${q1} = '1' and ${q2} = '1'", "${q1} = '1' or ${q2} = '1'", "q1 = 1"])
def test_skip_rules_that_are_not_understood_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="skip rule"):
        skip_rule(text)


def test_a_questionnaire_from_frames_is_checked_too() -> None:
    sipas = load_questionnaire("sipas_2017")
    with pytest.raises(FactsError):
        Questionnaire(
            id="x", title_vi="", title_en="", choices=sipas.choices, factor_table=sipas.factor_table,
            questions=pd.concat([sipas.questions, sipas.questions]),
        )  # fmt: skip


def test_shows_itself() -> None:
    shown = load_questionnaire("sipas_2017")._repr_html_()
    assert "28 câu hỏi, 5 yếu tố, 1 phần" in shown
    assert "áp dụng từ ngày 10/10/2017" in shown
