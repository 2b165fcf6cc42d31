"""A unit's sheet where data are thin: nothing of few dossiers or few people is told, and nothing can be worked out."""

from pathlib import Path

import pandas as pd
import pytest

from khaosat.domain.period import Period
from khaosat.facts.language import language
from khaosat.report.unit_book import UnitBook
from khaosat.report.unit_section import UnitSheet, unit_actions, unit_dossiers, unit_method, unit_summary
from khaosat.settings import CitySettings
from khaosat.workspace import Workspace

QUARTER = "2026-Q3"


@pytest.fixture(autouse=True)
def _english():
    with language("en"):
        yield


def book(**frames) -> UnitBook:
    """A book of unit A with 30 dossiers, 6 of them late, and unit B with 4."""
    now = pd.DataFrame(
        {"numerator": [6, 1], "denominator": [30, 4], "closed": [30, 4], "received": [30, 4], "open": [2, 9],
         "open_overdue": [1, 7]}, index=["A", "B"],
    )  # fmt: skip
    trend = pd.DataFrame(
        [("", "2026-Q2", 100, 0.9), ("", QUARTER, 100, 0.95), ("A", "2026-Q2", 4, 0.5), ("A", QUARTER, 30, 0.8),
         ("B", QUARTER, 4, 0.75)], columns=["unit", "period", "denominator", "estimate"],
    )  # fmt: skip
    trend = trend.assign(numerator=0, low=trend["estimate"] - 0.05, high=trend["estimate"] + 0.05)
    procedures = pd.DataFrame(
        [("A", "P1", 5, 20), ("A", "P2", 1, 8), ("A", "P3", 0, 2), ("B", "P1", 1, 4)],
        columns=["unit", "procedure_name", "numerator", "denominator"],
    )
    delays = pd.DataFrame(
        [("A", "A", "Appraise", 3, 3, 20), ("B", "A", "Appraise", 3, 3, 4), ("A", "C", "Consult", 5, 5, 9),
         ("A", "C", "Visit", 4, 4, 9)], columns=["responsible_unit", "unit", "step", "estimate", "late", "n"],
    )  # fmt: skip
    comparison = pd.DataFrame({"flag": ["usual"], "numerator": [6], "expected": [5.1]}, index=["A"])
    answers = pd.DataFrame(
        [("", "whole", "Overall", 0.8, 0.7, 0.9, 90), ("A", "whole", "Overall", 0.7, 0.6, 0.85, 12),
         ("A", "factor", "Access", 0.6, 0.4, 0.7, 12), ("A", "factor", "Fees", 0.1, 0.0, 0.2, 9),
         ("B", "whole", "Overall", 0.2, 0.1, 0.3, 9)],
        columns=["unit", "level", "label", "estimate", "low", "high", "n"],
    )  # fmt: skip
    made = {"now": now, "trend": trend, "procedures": procedures, "delays": delays, "comparison": comparison,
            "satisfaction": answers, **frames}  # fmt: skip
    city = CitySettings(name="X", parent_agency="P", agency="G", place="X")
    workspace = Workspace(root=Path(), city=city)
    return UnitBook(workspace=workspace, period=Period(QUARTER), wave=QUARTER, target=0.95, **made)


def words(section) -> str:
    blocks = section.blocks()
    items = [run["text"] for block in blocks for item in block.get("items", []) for run in item]
    return "\n".join(items + [run["text"] for block in blocks for run in block.get("runs", [])])


def tables(section):
    return [block for block in section.blocks() if block["kind"] == "table"]


def test_the_sheet_says_the_share_the_place_and_the_complaint_with_enough_answers():
    sheet = UnitSheet(book=book(), unit="A")
    text = words(unit_summary(sheet))
    assert "30 dossiers, 80.0% of them on time (6 late)" in text
    assert "95.0%" in text
    assert "cannot be told apart from them (6 late; such dossiers come to 5.1 in the city)" in text
    assert "“Access” (60.0%)" in text
    assert "Fees" not in text, "nine people are too few"


def test_steps_of_the_unit_count_whoever_answers_for_the_dossier():
    text = words(unit_dossiers(UnitSheet(book=book(), unit="A")))
    assert "“Appraise”: 6 late dossiers" in text
    assert "“Consult” at C: 5" in text
    assert "Visit" not in text, "four dossiers are too few"


def test_procedures_too_small_to_show_cannot_be_worked_out_from_the_total():
    (table,) = tables(unit_dossiers(UnitSheet(book=book(), unit="A")))
    assert [row[:3] for row in table["raw"]] == [["P1", 20, 5], ["Other procedures (2)", 10, 1]]


def test_a_unit_with_few_dossiers_says_so_and_nothing_else():
    sheet = UnitSheet(book=book(), unit="B")
    text = words(unit_summary(sheet)) + words(unit_dossiers(sheet)) + words(unit_actions(sheet))
    assert "fewer than 5 dossiers" in text
    assert "fewer than 10 respondents" in text
    assert not tables(unit_dossiers(sheet))
    assert not [block for block in unit_summary(sheet).blocks() if block["kind"] == "figure"]
    for told in ("75", "7 overdue", "20.0%"):
        assert told not in text


def test_the_figure_leaves_out_periods_of_few_dossiers():
    (figure,) = [b for b in unit_summary(UnitSheet(book=book(), unit="A")).blocks() if b["kind"] == "figure"]
    assert "in 1 periods" in figure["alt"]
    assert "80.0%" in figure["title"]


def test_actions_and_method_stand():
    sheet = UnitSheet(book=book(), unit="A")
    assert "Close the 1 overdue" in words(unit_actions(sheet))
    assert "“Access”" in words(unit_actions(sheet))
    assert "30/9/2026" in words(unit_method(sheet)).replace("30/09", "30/9") or "2026" in words(unit_method(sheet))
