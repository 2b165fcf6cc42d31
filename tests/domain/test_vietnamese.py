"""One form of Vietnamese text: however it was typed, the same words come out the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.vietnamese import has_marks, one_form, without_marks

WORDS = ["hòa", "khỏe", "thủy", "tùy", "xòe", "hoàn", "khoảng", "quý", "quà", "thuế", "nghĩa", "giờ", "được", "người",
         "loài", "ngoằn", "ngoèo", "chuyển", "nguyễn", "HÒA", "Thủy", "oai", "uyên", "quỳ", "tuyển"]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_words_in_the_usual_style_stay_however_they_are_composed(word, form):
    assert one_form(unicodedata.normalize(form, word)) == word


@pytest.mark.parametrize(
    ("typed", "usual"),
    [("hoà", "hòa"), ("khoẻ", "khỏe"), ("thuỷ", "thủy"), ("tuỳ", "tùy"), ("HOÀ", "HÒA"), ("Hoá đơn", "Hóa đơn"),
     ("qúy", "quý"), ("toà án", "tòa án"), ("uỷ ban", "ủy ban"), ("xoá", "xóa"), ("loè", "lòe")],
)  # fmt: skip
def test_the_other_style_becomes_the_usual_one(typed, usual):
    assert one_form(typed) == usual
    assert one_form(unicodedata.normalize("NFD", typed)) == usual


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_one_form_is_one_form(text):
    once = one_form(text)
    assert one_form(once) == once
    assert "  " not in once


def test_invisible_characters_and_spaces_go():
    assert one_form("\ufeffhồ\u200b sơ \n\t trễ ") == "hồ sơ trễ"


def test_letters_without_marks():
    assert without_marks("Đường Nguyễn Thị Minh Khai, ướt") == "Duong Nguyen Thi Minh Khai, uot"
    assert not has_marks("tre hen, 2 lan!")
    assert has_marks("đi")
