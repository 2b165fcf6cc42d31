"""Sections of the monthly report: thin data in words, no dossier and no official named."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from khaosat import report
from khaosat.domain.period import Period
from khaosat.dossiers.frames import log_from_frames
from khaosat.report.quarter import Quarter

SECTIONS = ["apologies", "form_06a", "late_dossiers", "late_reasons", "scorecard", "slow", "targets"]
AS_OF = dt.datetime(2026, 9, 30, 23, 59, 59)


def month(frame: pd.DataFrame, **tables: pd.DataFrame) -> Quarter:
    log = log_from_frames({"dossiers": frame, **tables}, as_of=AS_OF)
    workspace = SimpleNamespace(log=lambda: log, waves=list, source="", targets=SimpleNamespace(set="hcmc_2024"))
    return Quarter(workspace=workspace, period=Period("2026-09"), wave="", by="field")


def dossiers(n: int) -> pd.DataFrame:
    return pd.DataFrame({
        "dossier_id": [f"MÃ-{i}" for i in range(n)], "field": "Đất đai", "responsible_unit": "Phường Bến",
        "received_at": pd.Timestamp("2026-08-31 08:00"), "due_at": pd.Timestamp("2026-09-10 17:00"),
        "finished_at": pd.to_datetime(["2026-09-11 09:00" if i < 6 else "2026-09-09 09:00" for i in range(n)]),
        "status": "finished",
    })  # fmt: skip


def text(section) -> str:
    return str(section.blocks())


@pytest.mark.parametrize("name", SECTIONS)
def test_a_month_without_dossiers_says_so(name):
    blocks = getattr(report, name)(month(dossiers(0))).blocks()
    assert blocks
    if name != "targets":
        assert [block["kind"] for block in blocks] == ["paragraph"]


@pytest.mark.parametrize("name", SECTIONS)
def test_no_section_names_a_dossier(name):
    frame = dossiers(40)
    frame.loc[39, "finished_at"] = pd.NaT  # ended, nobody knows when: the form names it to those who submit it
    words = text(getattr(report, name)(month(frame)))
    assert "MÃ-" not in words
    if name == "form_06a":
        assert "Biểu chưa khớp: 1 lỗi" in words


def test_without_appointments_there_is_a_table_and_no_figure():
    blocks = report.apologies(month(dossiers(40))).blocks()
    assert [block["kind"] for block in blocks] == ["table"]
    assert "không phải bằng 0" in text(report.late_reasons(month(dossiers(40))))


def test_the_title_says_how_many_got_an_apology():
    moved = pd.DataFrame({
        "dossier_id": ["MÃ-0", "MÃ-1", "MÃ-2"], "changed_at": pd.Timestamp("2026-09-09 08:00"),
        "new_due_at": pd.Timestamp("2026-09-14 17:00"), "reason": ["Chờ cơ quan thuế", "Lỗi phần mềm", "quá tải"],
        "apology_sent_at": pd.Timestamp("2026-09-09 09:00"),
    })  # fmt: skip
    report_month = month(dossiers(40), appointments=moved)
    figure = report.apologies(report_month).blocks()[0]
    assert figure["kind"] == "figure"
    assert "50,0% hồ sơ trễ hạn có thư xin lỗi" in figure["title"]
    assert "0,0%" in text(report.late_reasons(report_month))
