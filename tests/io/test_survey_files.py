"""Survey exports as offices send them: every format and every fault, and no respondent lost without a word."""

from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design
from khaosat.errors import DataError, DesignError
from khaosat.facts.language import language
from khaosat.io.survey_files import load_responses, read_survey
from tests.survey.surveys import questionnaire

FORM = questionnaire()
HEADER = ["response_id", "p1", "p2", "s1", "s2", "f1", "complained", "weight"]
ROWS = [
    ["A1", "5", "4", "3", "2", "1", "1", "1.5"],
    ["A2", "4", "", "9", "5", "", "2", "2.25"],
    ["NA", "1", "2", "3", "4", "5", "1", "3"],
]
ABSENT = "overall, p0, age, wishes, comment"


def table(rows: list[list[str]] = ROWS, header: list[str] = HEADER, delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(cells) for cells in [header, *rows]) + "\n"


def write(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "phieu.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def load(path: Path, **options: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    with language("en"):
        return load_responses(path, questionnaire=FORM, **options)


def kinds(faults: pd.DataFrame) -> list[str]:
    return sorted(set(faults["fault"]) - {"missing_items"})


def check_rows(responses: pd.DataFrame) -> None:
    assert responses["response_id"].tolist() == ["A1", "A2", "NA"]
    assert responses["s1"].tolist() == [3, 9, 3]
    assert responses["p2"].isna().tolist() == [False, True, False]
    assert str(responses["p2"].dtype) == "Int64"
    assert responses["weight"].tolist() == [1.5, 2.25, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258"])
def test_text_in_any_encoding_and_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    responses, faults = load(write(tmp_path, table(delimiter=delimiter), encoding=encoding))
    check_rows(responses)
    assert kinds(faults) == []


def test_answers_in_words_from_the_old_code_page(tmp_path: Path) -> None:
    """Windows-1258 writes tones as combining marks."""
    rows = [
        ["A1", "Ha\u0300i lo\u0300ng", "R\u00e2\u0301t kh\u00f4ng ha\u0300i lo\u0300ng", "3", "2", "1", "Co\u0301", "1"]
    ]
    responses, faults = load(write(tmp_path, table(rows), encoding="cp1258"))
    assert responses[["p1", "p2", "complained"]].iloc[0].tolist() == [4, 1, 1]
    assert kinds(faults) == []


def test_compressed_text(tmp_path: Path) -> None:
    path = tmp_path / "phieu.csv.gz"
    path.write_bytes(gzip.compress(table().encode()))
    check_rows(load(path)[0])


def frame() -> pd.DataFrame:
    numbers = pd.DataFrame(ROWS, columns=HEADER)
    return numbers.assign(**{name: pd.to_numeric(numbers[name]) for name in HEADER[1:]})


def test_parquet(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "phieu.parquet")
    check_rows(load(tmp_path / "phieu.parquet")[0])


def test_stata(tmp_path: Path) -> None:
    import pyreadstat

    pyreadstat.write_dta(frame(), str(tmp_path / "phieu.dta"))
    check_rows(load(tmp_path / "phieu.dta")[0])


def test_spss_takes_codes_and_keeps_a_dont_know_that_it_declares_missing(tmp_path: Path) -> None:
    import pyreadstat

    data = frame().rename(columns={"p1": "V7"})
    data.loc[2, "s2"] = 99
    pyreadstat.write_sav(
        data, str(tmp_path / "phieu.sav"), column_labels=["", "Question p1", *[""] * 6],
        variable_value_labels={"s1": {1: "Rất không hài lòng", 9: "Không biết"}},
        missing_ranges={"s1": [9], "s2": [{"lo": 90, "hi": 99}], "weight": [3]},
    )  # fmt: skip
    responses, faults = load(tmp_path / "phieu.sav")
    assert responses["s1"].tolist() == [3, 9, 3]
    assert responses["s2"].isna().tolist() == [False, False, True]
    assert responses["p1"].tolist() == [5, 4, 1]  # found by its variable label
    assert responses["weight"].isna().tolist() == [False, False, True]
    assert kinds(faults) == []


def workbook(folder: Path, rows: list[list[object]], merged: list[str] = ()) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    book.save(folder / "phieu.xlsx")
    return folder / "phieu.xlsx"


def numbers() -> list[list[object]]:
    return [[row[0], *(float(cell) if cell else None for cell in row[1:])] for row in ROWS]


def test_workbook(tmp_path: Path) -> None:
    responses, faults = load(workbook(tmp_path, [HEADER, *numbers()]))
    check_rows(responses)
    assert kinds(faults) == []


def test_workbook_with_a_title_and_merged_header_cells(tmp_path: Path) -> None:
    above = ["Mã phiếu", "Chính sách", None, "Phục vụ", None, None, "Khác", None]
    below = [None, *HEADER[1:]]
    title = ["PHIẾU KHẢO SÁT", *[None] * 7]
    path = workbook(tmp_path, [title, above, below, *numbers()], ["A1:H1", "A2:A3", "B2:C2", "D2:F2", "G2:H2"])
    responses, faults = load(path, columns={"Mã phiếu": "response_id"})
    check_rows(responses)
    assert kinds(faults) == []


def test_a_merged_cell_over_two_columns_leaves_one_without_a_name_and_says_so(tmp_path: Path) -> None:
    header = [*HEADER[:3], None, *HEADER[4:]]
    responses, faults = load(workbook(tmp_path, [header, *numbers()], ["C1:D1"]))
    assert kinds(faults) == ["unnamed_column"]
    assert "column number 4" in faults.loc[faults["fault"] == "unnamed_column", "message"].iloc[0]
    assert "s1" not in responses
    assert len(responses) == 3


def test_columns_are_found_by_mapping_name_and_label_whatever_the_spelling(tmp_path: Path) -> None:
    header = ["RESPONSE ID", "Câu 1.1", unicodedata.normalize("NFD", "câu p2"), "QUESTION S1", "S2 ", "f1",
              "Co phan anh", unicodedata.normalize("NFD", "Trọng số")]  # fmt: skip
    responses, faults = load(
        write(tmp_path, table(header=header)),
        columns={"cau 1.1": "p1", "Trọng số": "weight", "response id": "response_id", "Câu 9": "p0"},
    )
    check_rows(responses)
    assert kinds(faults) == ["missing_mapped_column"]
    assert faults.loc[faults["fault"] == "missing_items", "value"].iloc[0] == ABSENT


def test_columns_that_are_no_questions_are_kept_and_exact_names_win(tmp_path: Path) -> None:
    header = ["response_id", "Câu p1", "p1", "unit", "ward", "weight", "dossier_id", "ngày"]
    rows = [["A1", "1", "5", unicodedata.normalize("NFD", "Sở Xây dựng"), "01", "1.234,5", "H29-1", "x"]]
    responses, faults = load(write(tmp_path, table(rows, header, ";")))
    assert responses.iloc[0].tolist() == ["A1", 5, "Sở Xây dựng", "01", 1234.5, "H29-1", "x"]
    assert kinds(faults) == ["repeated_column"]
    assert faults.loc[faults["fault"] == "repeated_column", "column"].iloc[0] == "Câu p1"


@pytest.mark.parametrize(
    ("text", "code"),
    [("4", 4), ("4.0", 4), ("4,0", 4), (" 4 ", 4), ("Hài lòng", 4), ("hài lòng", 4), ("HAI LONG", 4), ("Satisfied", 4),
     ("4 - Hài lòng", 4), ("4. Hài lòng", 4), ("(4) hài lòng", 4), ("4:Satisfied", 4), ("4 Hài lòng", 4), ("04", 4),
     ("Hài lòng (4)", 4), ("Hài lòng ", 4), ("5 – Rất hài lòng", 5), ("9_Không biết", 9),
     (unicodedata.normalize("NFD", "Rất hài lòng"), 5), ("Không biết", 9), ("don’t know", 9), ("", None)],
)  # fmt: skip
def test_an_answer_is_a_code_or_a_label(tmp_path: Path, text: str, code: int | None) -> None:
    rows = [["A1", text, "4", "3", "2", "1", "1", "1"]]
    responses, faults = load(write(tmp_path, table(rows, delimiter=";")))
    assert responses["p1"].astype(object).where(responses["p1"].notna(), None).tolist() == [code]
    assert kinds(faults) == []


def test_an_answer_off_the_scale_is_blanked_and_the_rest_of_200_columns_kept(tmp_path: Path) -> None:
    names = [f"extra_{place}" for place in range(200 - len(HEADER))]
    rows = [[*row, *["7"] * len(names)] for row in ROWS]
    rows[1][3] = "44"
    responses, faults = load(write(tmp_path, table(rows, [*HEADER, *names])))
    fault = faults[faults["fault"] == "off_scale"].iloc[0]
    assert fault[["file", "row", "column", "value", "severity"]].tolist() == ["phieu.csv", 2, "s1", "44", "blanked"]
    assert "row 2, column s1: 44" in fault["message"]
    assert responses.isna().sum().sum() == 3  # this one and the two that were blank
    assert responses.shape == (3, 200)


def test_other_kinds_of_questions(tmp_path: Path) -> None:
    header = ["p1", "p2", "age", "wishes", "comment"]
    rows = [
        ["5", "4", "34", "1 2", " tốt "],
        ["5", "4", "34.5", "3", ""],
        ["5", "4", "", "Faster", "NA"],
        ["5", "4", "40", "2;1", "-"],
        ["5", "4", "1e3", " ", "x"],
    ]
    responses, faults = load(write(tmp_path, table(rows, header)))
    assert responses["age"].astype("float").fillna(-1).tolist() == [34, -1, -1, 40, -1]
    assert responses["wishes"].fillna("").tolist() == ["1 2", "", "1", "2 1", ""]
    assert responses["comment"].fillna("").tolist() == ["tốt", "", "NA", "-", "x"]
    assert faults.loc[faults["severity"] == "blanked", ["row", "column", "fault"]].to_numpy().tolist() == [
        [2, "age", "not_whole"], [5, "age", "not_whole"], [2, "wishes", "off_scale"],
    ]  # fmt: skip


def test_truths_are_codes_and_an_empty_column_stays(tmp_path: Path) -> None:
    data = pd.DataFrame({"p1": [5, 4], "p2": [3, 3], "complained": [True, True], "note": ["", None]})
    data.to_parquet(tmp_path / "phieu.parquet")
    responses, _ = load(tmp_path / "phieu.parquet")
    assert responses["complained"].tolist() == [1, 1]
    assert responses["note"].isna().all()


def test_a_repeated_respondent_is_refused_within_a_wave_only(tmp_path: Path) -> None:
    header = [*HEADER, "wave"]
    rows = [
        [*ROWS[0], "1"],
        [*ROWS[1], "1"],
        [*ROWS[0], "1"],
        [*ROWS[0], "2"],
        ["", *ROWS[0][1:], "1"],
        ["", *ROWS[0][1:], "1"],
    ]
    responses, faults = load(write(tmp_path, table(rows, header)))
    assert responses.index.tolist() == [1, 2, 4, 5, 6]
    fault = faults[faults["severity"] == "refused"].iloc[0]
    assert fault[["row", "column", "value", "fault"]].tolist() == [3, "response_id", "A1", "repeated_respondent"]


def test_a_broken_record_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    rows = [ROWS[0], ["A2", "4"], ROWS[2]]
    responses, faults = load(write(tmp_path, table(rows)))
    assert responses.index.tolist() == [1, 3]
    assert faults.loc[faults["fault"] == "broken_record", ["row", "value"]].to_numpy().tolist() == [[2, "A2,4"]]


def test_rows_in_equal_rows_kept_and_refused(tmp_path: Path) -> None:
    rows = [*ROWS, ["A2", "4"], ROWS[0], ["A9", *ROWS[0][1:-1], "0"], ["A8", *ROWS[0][1:-1], "nhiều"]]
    path = write(tmp_path, table(rows))
    with language("en"):
        survey = read_survey(path, questionnaire=FORM, design=Design(weights="weight"))
    refused = survey.faults[survey.faults["severity"] == "refused"]
    assert survey.n + refused["row"].nunique() == len(rows)
    assert refused.set_index("row")["fault"].to_dict() == {
        4: "broken_record", 5: "repeated_respondent", 6: "bad_weight", 7: "bad_weight",
    }  # fmt: skip


def test_decimal_commas_in_weights(tmp_path: Path) -> None:
    rows = [[*row[:-1], row[-1].replace(".", ",")] for row in ROWS]
    survey = read_survey(
        write(tmp_path, table(rows, delimiter=";")), questionnaire=FORM, design=Design(weights="weight")
    )
    assert survey.arrays.weights.tolist() == [1.5, 2.25, 3]


def test_a_row_without_its_stratum_is_refused_once(tmp_path: Path) -> None:
    header = ["p1", "p2", "h", "c", "w"]
    rows = [["5", "4", "A", "1", "1"], ["5", "4", "", "", "1"], ["5", "4", "A", "2", "1"]]
    survey = read_survey(
        write(tmp_path, table(rows, header)), questionnaire=FORM, design=Design(weights="w", strata="h", clusters="c")
    )
    assert survey.n == 2
    assert kinds(survey.faults) == ["missing_design_value"]
    assert (survey.faults["fault"] == "missing_design_value").sum() == 1


def refusal(path: Path, **options: object) -> DataError:
    with language("en"), pytest.raises(DataError) as caught:
        read_survey(path, questionnaire=FORM, **options)
    assert caught.value.faults is not None
    return caught.value


def test_a_missing_design_column_is_refused_with_all_of_them(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, table()), design=Design(weights="w", strata="h", clusters="response_id"))
    assert error.faults.loc[error.faults["severity"] == "refused", "column"].tolist() == ["w", "h"]
    assert "lacks column w" in str(error)
    assert "lacks column h" in str(error)


def test_a_design_that_contradicts_itself_is_a_design_error(tmp_path: Path) -> None:
    header, rows = ["p1", "p2", "h", "c"], [["5", "4", "A", "1"], ["5", "4", "B", "1"]]
    with pytest.raises(DesignError):
        read_survey(write(tmp_path, table(rows, header)), questionnaire=FORM, design=Design(strata="h", clusters="c"))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, "")).faults["fault"].tolist() == ["empty_file"]
    assert refusal(workbook(tmp_path, [])).faults["fault"].tolist() == ["empty_file"]


@pytest.mark.parametrize("name", ["a.parquet", "a.sav", "a.xlsx", "a.dta"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    start = {"a.parquet": b"PAR1", "a.sav": b"$FL2", "a.xlsx": b"PK\x03\x04", "a.dta": b"<stata_dta>"}[name]
    (tmp_path / name).write_bytes(start + b"\x00\x01\x02" * 20)
    assert refusal(tmp_path / name).faults["fault"].tolist() == ["not_text"]


def test_a_header_without_rows_is_an_empty_frame_and_no_survey(tmp_path: Path) -> None:
    path = write(tmp_path, ",".join(HEADER) + "\n")
    responses, faults = load(path)
    assert responses.empty
    assert list(responses.columns) == HEADER
    assert kinds(faults) == ["no_respondents"]
    assert "no_respondents" in refusal(path).faults["fault"].tolist()


def test_another_file_than_a_survey_is_refused(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "MaHoSo,NgayTiepNhan\n1,20260101\n"))
    assert "no_questions" in error.faults["fault"].tolist()


def test_questions_without_a_column_are_one_warning_that_names_them(tmp_path: Path) -> None:
    _, faults = load(write(tmp_path, table()))
    missing = faults[faults["fault"] == "missing_items"]
    assert missing[["severity", "value"]].to_numpy().tolist() == [["warning", ABSENT]]


def test_the_raw_file_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path, table(), encoding="utf-16")
    before = path.read_bytes()
    load(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_built_in_questionnaire_by_its_id(tmp_path: Path) -> None:
    path = write(tmp_path, "access_1,gender\n5,1\n4,2\n")
    with pytest.raises(DataError):
        read_survey(path, questionnaire="sipas_2017", columns={"gender": "x", "access_1": "y"})


def test_many_faults_of_one_column_are_all_there(tmp_path: Path) -> None:
    rows = [[str(number), "77", "4", "3", "2", "1", "1", "1"] for number in range(500)]
    responses, faults = load(write(tmp_path, table(rows)))
    assert (faults["fault"] == "off_scale").sum() == 500
    assert responses["p1"].isna().all()
    np.testing.assert_array_equal(faults.loc[faults["fault"] == "off_scale", "row"], np.arange(1, 501))


@pytest.mark.parametrize("text", ["4 - Rất hài lòng", "Hài lòng (5)", "6 - Hài lòng", "4 năm", "1 - 2 lần", "4 -"])
def test_a_code_that_its_words_contradict_is_no_answer(tmp_path: Path, text: str) -> None:
    responses, faults = load(write(tmp_path, table([["A1", text, "4", "3", "2", "1", "1", "1"]])))
    assert responses["p1"].isna().all()
    assert kinds(faults) == ["off_scale"]


def test_a_code_with_other_words_is_read_and_said_once(tmp_path: Path) -> None:
    rows = [[f"A{number}", "4 - Khá hài lòng", "4", "3", "2", "1", "1", "1"] for number in range(3)]
    responses, faults = load(write(tmp_path, table(rows)))
    assert responses["p1"].tolist() == [4, 4, 4]
    assert faults.loc[faults["fault"] == "other_label", ["row", "column", "value", "severity"]].to_numpy().tolist() == [
        [1, "p1", "4 - Khá hài lòng", "warning"]
    ]


def test_several_answers_with_their_labels(tmp_path: Path) -> None:
    labels = FORM.choice_labels("wishes")
    assert len(labels) > 1
    text = "; ".join(f"{code} - {label}" for code, label in labels.items())
    rows = [["5", "4", text], ["5", "4", "1. a 2. b"]]
    responses, faults = load(write(tmp_path, table(rows, ["p1", "p2", "wishes"])))
    assert responses["wishes"].fillna("").tolist() == [" ".join(map(str, labels)), ""]
    assert faults.loc[faults["fault"] == "off_scale", "row"].tolist() == [2]


def test_a_design_column_called_like_a_question_is_refused(tmp_path: Path) -> None:
    header = ["p1", "p2", "s1", "w"]
    path = write(tmp_path, table([["5", "4", "3", "1"], ["5", "4", "2", "1"]], header))
    error = refusal(path, design=Design(weights="w", clusters="s1"))
    assert error.faults.loc[error.faults["severity"] == "refused", ["column", "fault"]].to_numpy().tolist() == [
        ["s1", "design_is_question"]
    ]
    survey = read_survey(
        path, questionnaire=FORM, design=Design(weights="w", clusters="cluster"), columns={"s1": "cluster"}
    )
    assert "s1" not in survey.responses
    read_survey(  # a question about the respondent may be a stratum
        write(tmp_path, table([["5", "4", "30"], ["5", "4", "30"]], ["p1", "p2", "age"])),
        questionnaire=FORM, design=Design(strata="age"),
    )  # fmt: skip


def test_faults_of_a_design_name_the_column_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, table([[*ROWS[0][:-1], "0"], ROWS[1]], [*HEADER[:-1], "Trọng số"]))
    survey = read_survey(path, questionnaire=FORM, design=Design(weights="weight"), columns={"Trọng số": "weight"})
    assert survey.faults.loc[survey.faults["fault"] == "bad_weight", "column"].tolist() == ["Trọng số"]


def test_a_second_sheet_with_questions_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = workbook(tmp_path, [HEADER, *numbers()])
    book = load_workbook(path)
    for title, row in (("Phường B", HEADER), ("Ghi chú", ["người nhập", "ngày"])):
        book.create_sheet(title).append(row)
    book.save(path)
    responses, faults = load(path)
    assert len(responses) == 3
    assert faults.loc[faults["fault"] == "unread_sheet", "value"].tolist() == ["Phường B"]


def test_a_path_that_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Không có tệp"):
        read_survey(tmp_path / "x.csv", questionnaire=FORM)
    with pytest.raises(DataError, match="là một thư mục"):
        read_survey(tmp_path, questionnaire=FORM)


def test_a_file_without_rows_says_why_it_cannot_be_used(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, table([])))
    assert "has a header and no answers" in str(error)
