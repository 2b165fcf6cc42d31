"""The report on the danger of being late: what is published, what is internal, and what is said without data."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from khaosat.domain.period import Period
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import WorkspaceError
from khaosat.report import bottleneck_section, risk_section, wave_section
from khaosat.report.driver_section import dissatisfaction
from khaosat.report.quarter import Quarter
from khaosat.show.table import Table
from khaosat.workspace import Workspace

AS_OF = dt.datetime(2026, 9, 30, 23, 59, 59)


def open_rows() -> pd.DataFrame:
    """As `at_risk` lists them: 14 at one unit (one overdue, two in danger), 3 and 2 at two small ones."""
    units = ["Phòng A"] * 14 + ["Phòng B"] * 3 + ["Phòng C"] * 2
    n = len(units)
    due = [pd.Timestamp("2026-09-01")] + [pd.Timestamp("2026-10-09")] * (n - 1)
    return pd.DataFrame({
        "dossier_id": [f"H{i:03d}" for i in range(n)], "procedure_name": "Thủ tục X", "unit": units, "due_at": due,
        "remaining_days": [-20] + [7] * (n - 1), "estimate": [1.0, 0.9, 0.6] + [0.1] * (n - 3),
    })  # fmt: skip


@pytest.fixture
def quarter(tmp_path) -> Quarter:
    settings = '[city]\nname = "X"\nparent_agency = "A"\nagency = "B"\nplace = "C"\n'
    (tmp_path / "khaosat.toml").write_text(settings, encoding="utf-8")
    quarter = Quarter(workspace=Workspace.find(tmp_path), period=Period("2026-Q3"), wave="", by="responsible_unit")
    dossiers = pd.DataFrame({
        "dossier_id": ["a"], "received_at": [dt.datetime(2026, 7, 1, 8)], "due_at": [dt.datetime(2026, 7, 9, 17)],
        "finished_at": [dt.datetime(2026, 7, 8, 9)], "responsible_unit": ["Phòng A"], "status": ["finished"],
    })  # fmt: skip
    quarter.__dict__["log"] = log_from_frames({"dossiers": dossiers}, as_of=AS_OF)
    yield quarter
    quarter.log_or_fail.engine.close()


def test_counts_are_published_by_unit_with_small_cells_suppressed(quarter):
    rows = open_rows()
    rows["is_overdue"] = rows["due_at"] < pd.Timestamp(AS_OF)
    rows["is_likely"] = ~rows["is_overdue"] & (rows["estimate"] >= 0.5)
    table = risk_section._counts(quarter, rows, "unit")
    assert table.cells[0] == ("Phòng A", "14", "1", "2", "2,6")
    assert table.cells[1][1:] == table.cells[2][1:] == ("…",) * 4
    assert not any(identity in str(table.cells) for identity in rows["dossier_id"])


def test_the_groups_left_out_are_one_row_and_nothing_is_lost(quarter):
    rows = pd.concat([open_rows().assign(unit=f"Phòng {i:02d}") for i in range(20)], ignore_index=True)
    rows = rows.assign(is_overdue=False, is_likely=rows["estimate"] >= 0.5)
    table = risk_section._counts(quarter, rows, "unit")
    assert len(table.raw) == risk_section.GROUPS + 1
    assert sum(int(line[1]) for line in table.raw) == len(rows)


def test_the_sentence_counts_overdue_and_endangered_apart(quarter):
    rows = open_rows()
    rows["is_overdue"] = rows["due_at"] < pd.Timestamp(AS_OF)
    rows["is_likely"] = ~rows["is_overdue"] & (rows["estimate"] >= 0.5)
    told = risk_section._danger_words(rows, quarter)
    assert "19 hồ sơ có hạn đang mở: 1 đã quá hạn; trong 18 hồ sơ còn lại, 2 hồ sơ" in told


def test_a_wrong_file_of_scenarios_is_said_and_stops_nothing(quarter):
    section = risk_section.scenarios(quarter, file="absent.toml")
    assert "absent.toml" in section.parts[0].sentences[0]


def test_remedies_give_numbers_only_where_they_are_sure():
    row = pd.Series({"scenario": "Bước A", "verdict": "fewer", "avoided": 51.4, "low_avoided": 38.0,
                     "high_avoided": 67.2, "difference": -0.013})  # fmt: skip
    told = bottleneck_section._remedy(row)
    assert told == "Bước A: bớt khoảng 51 hồ sơ trễ hạn trong kỳ (38–67), tỷ lệ trễ hạn giảm 1,3 điểm phần trăm."
    row["verdict"] = "no_difference"
    assert bottleneck_section._remedy(row) == "Bước A: chưa chắc tỷ lệ trễ hạn thay đổi."


def test_a_log_without_bottlenecks_has_no_remedies(quarter):
    assert "Không tìm thấy điểm nghẽn" in bottleneck_section.remedies(quarter).parts[0].sentences[0]


@pytest.mark.parametrize("name", ["durations", "causes", "compared_units", "scenarios"])
def test_a_log_with_one_dossier_gives_words_and_tables(quarter, name):
    section = getattr(risk_section, name)(quarter)
    assert section.blocks()
    assert all(table.cells for table in section.parts if isinstance(table, Table))


@pytest.mark.parametrize("name", ["endangered", "trust", "durations", "causes", "compared_units", "scenarios"])
def test_a_period_without_dossiers_says_so(quarter, name):
    empty = Quarter(workspace=quarter.workspace, period=Period("2020-Q1"), wave="", by="responsible_unit")
    empty.__dict__["log"] = quarter.log
    section = getattr(risk_section, name)(empty)
    assert "không có hồ sơ nào" in section.parts[0].sentences[0]


def test_the_beginning_of_a_notebooks_name_is_enough_where_it_is_the_only_one(quarter):
    folder = quarter.workspace.root / "notebooks"
    folder.mkdir()
    for name in ("nguy-co-tre-han", "tre-han", "tre-han-thang"):
        (folder / f"{name}.ipynb").write_text("{}", encoding="utf-8")
    assert quarter.workspace.notebook("nguy-co").stem == "nguy-co-tre-han"
    assert quarter.workspace.notebook("tre-han").stem == "tre-han"  # a whole name is nobody's beginning
    with pytest.raises(WorkspaceError):
        quarter.workspace.notebook("tre-ha")


def test_what_a_city_without_a_survey_or_without_dossiers_reads_is_not_an_empty_section(quarter):
    wave = "Không có đợt khảo sát nào thuộc quý III năm 2026; mục này để trống."
    sections = [wave_section.league(quarter, "field"), wave_section.gatherings(quarter), wave_section.care(quarter),
                wave_section.measurement(quarter), dissatisfaction(quarter)]  # fmt: skip
    assert {section.parts[0].sentences for section in sections} == {(wave,)}
    empty = Quarter(workspace=quarter.workspace, period=Period("2020-Q1"), wave="", by="responsible_unit")
    empty.__dict__["log"] = quarter.log
    for name in ("bottlenecks", "remedies", "process"):
        words = getattr(bottleneck_section, name)(empty).parts[0].sentences[0]
        assert words.startswith("Không có hồ sơ nào được tiếp nhận"), name


def test_a_table_without_rows_is_not_printed(quarter):
    """Of 60 dossiers every third is late, at whatever unit and by whatever channel."""
    days = [dt.datetime(2026, 7, 1, 8) + dt.timedelta(days=i) for i in range(60)]
    late = [5 if i % 3 == 0 else 1 for i in range(60)]
    dossiers = pd.DataFrame({
        "dossier_id": [f"H{i}" for i in range(60)], "received_at": days,
        "responsible_unit": ["Phòng A", "Phòng A", "Phòng A", "Phòng B", "Phòng B", "Phòng B"] * 10,
        "due_at": [day + dt.timedelta(days=3) for day in days], "status": "finished",
        "finished_at": [day + dt.timedelta(days=n) for day, n in zip(days, late, strict=True)],
        "channel": ["direct", "online"] * 30, "procedure": "1.1",
    })  # fmt: skip
    quarter.__dict__["log"] = log_from_frames({"dossiers": dossiers}, as_of=AS_OF)
    section = risk_section.causes(quarter)
    figure, *rest = section.parts
    assert "chắc chắn" in figure.title
    assert ". ." not in figure.alt
    assert not any(isinstance(part, Table) for part in rest)
