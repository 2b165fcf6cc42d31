"""Open comments: causes by phrases a reader can check, shares by the design, agreement measured, nothing verbatim."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.personal_data import scrub
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import language
from khaosat.stats.agreement import cohen_kappa
from khaosat.survey import comments, proportion
from khaosat.survey.comment_causes import cause_table, code_causes, rule_causes
from khaosat.survey.comment_words import plain, vectorizer
from tests.shared import ROOT
from tests.survey.surveys import questionnaire

LABELLED = pd.read_csv(ROOT / "tests" / "data" / "comments_labelled.csv", keep_default_na=False)
"""Invented comments and the causes that a person read in them, before any phrase of the frame was written."""


def causes_of(text: str) -> list[str]:
    causes, table = rule_causes([plain(scrub(text).text)])
    return [cause for cause, hit in zip(causes, table[0], strict=True) if hit]


def asked(n: int = 300, seed: int = 0) -> Survey:
    """Some of the comments, given to respondents in clusters; a third wrote nothing."""
    rng = np.random.default_rng(seed)
    row = rng.integers(0, len(LABELLED), n)
    text = LABELLED["comment"].to_numpy(dtype=object)[row]
    text[rng.random(n) < 0.33] = None
    codes = LABELLED["causes"].replace("", "KHAC").to_numpy(dtype=object)[row]
    frame = pd.DataFrame({"comment": text, "codes": codes, "unit": rng.choice(["A", "B"], n), "c": np.arange(n) // 10,
                          "w": rng.uniform(1, 9, n)})  # fmt: skip
    return Survey(responses=frame, design=Design(weights="w", clusters="c"))


@pytest.mark.parametrize(
    ("text", "causes"),
    [("Hồ sơ trễ hẹn", ["TRE_HEN"]), ("HỒ SƠ TRỄ HẸN!!!", ["TRE_HEN"]), ("ho so tre hen", ["TRE_HEN"]),
     ("Thủ tục đơn giản hoá đi", ["THU_TUC"]), ("Thủ tục đơn giản hóa đi", ["THU_TUC"]), ("không rườm rà", []),
     ("thủ tục không còn rườm rà", []), ("tthc rườm rà, cb hách dịch", ["THU_TUC", "THAI_DO"]),
     ("chưa hài lòng", []), ("mong cán bộ vui vẻ", []), ("vui vẻ hơn với dân", ["THAI_DO"]),
     ("cán bộ vui vẻ", ["HAI_LONG"]),
     ("trả không đúng hẹn", ["TRE_HEN"]), ("trả hồ sơ đúng hẹn", []), ("đề nghị trả đúng hẹn", ["TRE_HEN"]),
     ("chậm trả hồ sơ", ["TRE_HEN"]), ("bị trả hồ sơ", ["BO_SUNG_NHIEU"]),
     ("giải quyết hồ sơ đất chậm", ["TRE_HEN"]), ("giải quyết một hai ba bốn chậm", []), ("ghé thăm", []),
     ("Không thông báo gì", ["THONG_BAO"]), ("", [])],
)  # fmt: skip
def test_phrases_mean_what_the_frame_says(text, causes):
    assert causes_of(text) == causes


def test_every_cause_of_the_frame_is_found_by_each_of_its_own_phrases():
    for line in cause_table().to_dict("records"):
        for phrase in line["phrases"].split("|"):
            if line["kind"] == "complaint":
                assert line["id"] in causes_of(phrase.replace("*", "một hai")), phrase


def test_agreement_with_the_labelled_comments_is_what_the_method_page_says():
    """The figure as it is: one person invented the comments, read them and wrote the phrases, so others get less."""
    texts = [plain(scrub(text).text) for text in LABELLED["comment"]]
    causes, table = rule_causes(texts)
    people = np.array([[cause in codes.split() for cause in causes] for codes in LABELLED["causes"]])
    kappa, _ = cohen_kappa(table, people)
    assert len(LABELLED) == 155
    assert kappa == pytest.approx(0.90, abs=0.005)
    page = (ROOT / "docs" / "methods" / "y-kien-mo.md").read_text(encoding="utf-8")
    assert "155" in page
    assert "0,90" in page


def test_labels_are_of_the_frame():
    assert set(" ".join(LABELLED["causes"]).split()) <= set(cause_table()["id"])


def test_shares_are_those_of_proportion_among_people_who_wrote():
    survey = asked()
    rows = comments(survey).rows.set_index("cause")
    late = survey.responses["comment"].map(lambda text: pd.notna(text) and "TRE_HEN" in causes_of(text))
    nothing = survey.responses["comment"].isin(["Không", "Không có ý kiến"]) | survey.responses["comment"].isna()
    marked = Survey(responses=survey.responses.assign(late=late.astype(int), wrote=1 - nothing), design=survey.design)
    known = proportion(marked, "late", at=[1], where="wrote == 1").rows.iloc[0]
    for name in ("estimate", "se", "low", "high", "df", "n", "numerator"):
        assert rows.loc["TRE_HEN", name] == pytest.approx(known[name]), name
    assert rows.loc["TRE_HEN", "n_missing"] == nothing.sum()
    assert (rows["estimate"].diff().dropna() <= 1e-12).all()


def test_groups_and_weights():
    survey = asked()
    rows = comments(survey, by="unit", where="unit in ['A', 'B']").rows
    assert set(rows["unit"]) == {"A", "B"}
    per_unit = rows.groupby("unit")[["n", "n_missing"]].first().sum(axis=1)
    assert per_unit.to_dict() == survey.responses["unit"].value_counts().to_dict()
    of_a = comments(survey, where="unit == 'A'").rows.set_index("cause")["estimate"]
    pd.testing.assert_series_equal(
        of_a.sort_index(),
        rows[rows["unit"] == "A"].set_index("cause").loc[of_a.index, "estimate"].sort_index(),
    )
    with language("en"), pytest.raises(DataError, match="Nobody wrote"):
        comments(survey, where="unit == 'C'")
    even = comments(Survey(responses=survey.responses)).rows
    assert not np.allclose(even["estimate"].head(3), comments(survey).rows["estimate"].head(3))


def test_the_model_learns_what_phrases_cannot_know():
    """People's codes teach a word that no phrase has."""
    texts = ["xyz gì đó", "abc gì đó"] * 40 + ["xyz thật"]
    causes, _ = rule_causes([])
    given = np.zeros((81, len(causes)), dtype=bool)
    given[:80:2, causes.index("TRE_HEN")] = True
    coding = code_causes(texts, given=given, known=np.arange(81) < 80, segment="syllables")
    assert coding.table[80].tolist() == [cause == "TRE_HEN" for cause in causes]
    assert coding.by_model[80]
    assert not coding.by_rule.any()


def test_peoples_codes_count_as_they_are_and_agreement_is_measured():
    survey = asked()
    frame = survey.responses.copy()
    frame.loc[frame.index >= 200, "codes"] = None
    found = comments(Survey(responses=frame, design=survey.design), codes="codes")
    coders = dict(zip(found.coded["coder"], found.coded["n"], strict=True))
    wrote = ~(frame["comment"].isin(["Không", "Không có ý kiến"]) | frame["comment"].isna())
    assert coders["people"] == (wrote & frame["codes"].notna()).sum()
    assert sum(coders.values()) == wrote.sum()
    line = found.agreement.set_index("cause").loc["all"]
    assert 0.75 < line["estimate"] < 1
    assert line["n"] == coders["people"]
    assert (found.agreement["people"].iloc[1:].sum()) == line["people"]


def test_topics_add_up_and_repeat():
    survey = asked(300)
    first, again = (comments(survey).topics for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert 2 <= len(first) <= 10
    assert first["estimate"].sum() <= 1 + 1e-9
    assert first["label"].is_unique
    by = comments(survey, by="unit").topics
    np.testing.assert_allclose(by.groupby("topic")["numerator"].sum(), first.set_index("topic")["numerator"])


def test_nothing_verbatim_and_nobody_named_by_default():
    survey = asked(600)
    frame = survey.responses.copy()
    frame.loc[frame.index < 60, "comment"] = "Chị Lan 0912345678 hướng dẫn không rõ hồ sơ H29.12-261008-0975"
    named = Survey(responses=frame, design=survey.design)
    quiet, loud = comments(named), comments(named, verbatim=True)
    assert quiet.examples.empty
    assert not loud.examples.empty
    page = quiet.table()._repr_html_() + quiet.topics.to_csv() + loud.examples.to_csv()
    assert not re.search(r"\blan\b(?!=)|0912345678|261008|h29", page, re.IGNORECASE)
    assert dict(zip(quiet.personal["kind"], quiet.personal["n"], strict=True)) == {
        "dossier": 60,
        "phone": 60,
        "name": 60,
    }
    assert not any("hướng dẫn không rõ" in str(value) for value in quiet.rows.to_numpy().ravel())


def test_words_of_the_library_and_a_clear_word_without_it(monkeypatch):
    pytest.importorskip("underthesea")
    words = vectorizer("words", fewest=1).build_analyzer()
    assert words("hồ sơ trễ hẹn , cán bộ hướng dẫn không rõ ràng") == [
        "hồ_sơ",
        "trễ",
        "hẹn",
        "cán_bộ",
        "hướng_dẫn",
        "không",
        "rõ_ràng",
    ]
    monkeypatch.setitem(sys.modules, "underthesea", None)
    monkeypatch.setattr("khaosat.survey.comment_words.find_spec", lambda name: None)
    with language("en"), pytest.raises(KhaosatError, match=r"install khaosat\[text\]"):
        comments(asked(), segment="words")


def test_tables_and_figures_are_in_words():
    questioned = Survey(responses=asked().responses, questionnaire=questionnaire())
    found = comments(questioned)
    assert found.table().cells[0][0] in set(cause_table()["label_vi"])
    assert found.plot().get_xlabel() == "Tỷ lệ trong số người ghi ý kiến (%)"
    small = comments(Survey(responses=asked(36).responses), by="c")
    assert small.table().hidden


def test_few_or_no_comments():
    few = comments(Survey(responses=pd.DataFrame({"comment": ["Hồ sơ trễ hẹn", None]})))
    assert few.topics.empty
    assert any("Không tìm chủ đề" in note for note in few.notes)
    with language("en"):
        with pytest.raises(DataError, match="Nobody wrote anything in comment"):
            comments(Survey(responses=pd.DataFrame({"comment": [None, "không", "..."]})))
        with pytest.raises(DataError, match="Column opinion is not in the responses"):
            comments(asked(), "opinion")
        with pytest.raises(DataError, match="ABC are no causes of the code frame"):
            comments(Survey(responses=asked().responses.assign(codes="abc")), codes="codes")
        with pytest.raises(DataError, match="use words, syllables"):
            comments(asked(), segment="letters")
