"""Compliance cost: the formula by hand, the template there and back, and what is unknown stays unknown."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from openpyxl import load_workbook

import khaosat as ks
from khaosat.facts import read_table
from khaosat.facts.language import language

WORK = pd.DataFrame(
    [
        ("Khai sinh", "before", 2.0, 3, 2, 0, 20000, 1000), ("Khai sinh", "before", 1.0, 0, 1, 10000, 0, 1000),
        ("Khai sinh", "after", 1.5, 1, 0, 10000, 5000, 1000),
        ("Xây dựng", "before", 10, 8, 3, 75000, 0, 50), ("Xây dựng", "after", 9, 8, 3, 75000, 0, 50),
    ],
    columns=["procedure", "stage", "hours", "papers", "visits", "fee", "other_cost", "applicants"],
)  # fmt: skip


def value(result, procedure, measure) -> pd.Series:
    return result.rows.set_index(["procedure", "measure"]).loc[(procedure, measure)]


def test_by_hand():
    result = ks.compliance_cost(WORK, income_per_hour=50000)
    birth = value(result, "Khai sinh", "cost")
    assert (birth["before"], birth["after"]) == ((3 * 50000 + 10000 + 20000) * 1000, (1.5 * 50000 + 15000) * 1000)
    assert birth["reduction"] == pytest.approx(0.5)
    assert (birth["target"], birth["light"]) == (0.2, "met")
    assert value(result, "Khai sinh", "hours")[["before", "after", "basis"]].tolist() == [3, 1.5, "case"]
    assert value(result, "Khai sinh", "visits")[["before", "after", "reduction"]].tolist() == [3, 0, 1]
    building = value(result, "Xây dựng", "cost")
    assert building["light"] == "missed"
    total = value(result, "total", "cost")
    assert total["before"] == birth["before"] + building["before"]
    assert value(result, "total", "hours")["before"] == 3 * 1000 + 10 * 50


def test_exactly_the_goal_is_met():
    work = pd.DataFrame({"procedure": "A", "stage": ["before", "after"], "fee": [100, 80], "applicants": 1})
    assert value(ks.compliance_cost(work), "A", "cost")["light"] == "met"
    assert value(ks.compliance_cost(work, goal=0.3), "A", "cost")[["target", "light"]].tolist() == [0.3, "missed"]


def test_the_frequency_counts_and_is_one_where_empty():
    work = WORK.assign(frequency=[2, 2, 2, None, None])
    once, twice = (value(ks.compliance_cost(w, income_per_hour=1), "Khai sinh", "cost")["before"] for w in (WORK, work))
    assert twice == 2 * once


def test_without_the_income_of_an_hour_there_is_no_cost_where_work_takes_time():
    result = ks.compliance_cost(WORK)
    assert math.isnan(value(result, "Khai sinh", "cost")["before"])
    assert value(result, "Khai sinh", "cost")["light"] == "no_data"
    assert value(result, "Khai sinh", "hours")["before"] == 3
    assert any("Chưa có mức thu nhập" in note for note in result.notes)


def test_without_applicants_there_are_no_yearly_figures():
    result = ks.compliance_cost(WORK.assign(applicants=[None, 1000, 1000, 50, 50]), income_per_hour=1)
    assert math.isnan(value(result, "Khai sinh", "cost")["before"])
    assert math.isnan(value(result, "total", "cost")["before"])
    assert any("số đối tượng" in note for note in result.notes)


def test_a_procedure_with_one_stage_is_in_no_total():
    result = ks.compliance_cost(WORK.iloc[:4], income_per_hour=50000)
    assert value(result, "total", "cost")["before"] == value(result, "Khai sinh", "cost")["before"]
    assert any("Xây dựng" in note for note in result.notes)
    assert value(result, "Xây dựng", "cost")["light"] == "no_data"


def test_every_fault_is_told_with_its_line():
    wrong = WORK.assign(stage=["before", "later", "after", "before", "after"], hours=["x", 1, -1, 1, 1])
    with language("en"), pytest.raises(ks.DataError) as caught:
        ks.compliance_cost(wrong)
    assert [line.split(":")[0].split(",")[0] for line in str(caught.value).splitlines()] == [
        "Line 1",
        "Line 2",
        "Line 3",
    ]
    with pytest.raises(ks.DataError, match="lớn hơn 0"):
        ks.compliance_cost(WORK, income_per_hour=0)
    with language("en"), pytest.raises(ks.DataError, match="lacks the columns stage"):
        ks.compliance_cost(WORK.drop(columns="stage"))


# The workbook --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_template_filled_in_gives_the_same_as_its_rows(tmp_path, lang):
    with language(lang):
        path = ks.write_cost_template(tmp_path / "chi-phi.xlsx")
    book = load_workbook(path)
    sheet, parameters = book.worksheets[:2]
    columns = read_table("codes/cost_columns.csv")["id"].tolist()
    stages = {"before": "Trước", "after": "sau"} if lang == "vi" else {"before": "before", "after": "After"}
    for line, row in enumerate(WORK.to_dict("records"), 2):
        for column, name in enumerate(columns, 1):
            cell = stages[row["stage"]] if name == "stage" else row.get(name)
            sheet.cell(line, column, cell)
    parameters["B2"] = 50000
    book.save(path)
    with language(lang):
        read, rows = ks.compliance_cost(path), ks.compliance_cost(WORK, income_per_hour=50000)
    pd.testing.assert_frame_equal(read.rows, rows.rows)
    assert "chi-phi.xlsx" in read.source


def test_an_empty_template_says_so(tmp_path):
    result = ks.compliance_cost(ks.write_cost_template(tmp_path / "a.xlsx"))
    assert result.rows["procedure"].tolist() == ["total"] * 5
    assert set(result.rows["light"]) == {"", "no_data"}


def test_a_fault_names_the_line_of_the_sheet(tmp_path):
    path = ks.write_cost_template(tmp_path / "a.xlsx")
    book = load_workbook(path)
    book.worksheets[0].append(["Khai sinh", "sau", "Nộp", "nhiều"])
    book.save(path)
    with pytest.raises(ks.DataError, match="Dòng 2, cột hours: 'nhiều'"):
        ks.compliance_cost(path)


def test_what_is_no_such_workbook_is_refused(tmp_path):
    (tmp_path / "a.xlsx").write_text("not a workbook")
    pd.DataFrame({"x": [1]}).to_excel(tmp_path / "b.xlsx", index=False)
    for name, told in (("a.xlsx", "cannot be read as a workbook"), ("b.xlsx", "no sheet with the columns")):
        with language("en"), pytest.raises(ks.DataError, match=told):
            ks.compliance_cost(tmp_path / name)
    with language("en"), pytest.raises(ks.DataError, match="cannot be read"):
        ks.compliance_cost(tmp_path / "nowhere.xlsx")
