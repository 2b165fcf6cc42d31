"""Form II.06a: every column by hand, its identities on any log, and doctored logs caught by name."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from openpyxl import load_workbook

import khaosat as ks
from tests.dossiers.logs import Logs, close_engines, logs
from tests.scorecards.logs import AS_OF, ROWS

COLUMNS = ["in_hand", "received_online", "received_direct", "carried", "closed", "closed_early", "closed_on_day",
           "closed_late", "open", "open_in_time", "open_overdue"]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _engines():
    yield
    close_engines()


def log_of(dossiers: pd.DataFrame, **tables: pd.DataFrame):
    return ks.log_from_frames({"dossiers": dossiers, **tables}, as_of=AS_OF, source="Sở Tư pháp")


def test_every_column_by_hand():
    rows = ks.form_06a(log_of(ROWS), period="2026-Q3").rows
    assert rows[["no", "field"]].to_numpy().tolist() == [["1", "Đất đai"], ["2", "Hộ tịch"], ["", "total"]]
    assert rows[COLUMNS].to_numpy().tolist() == [
        # late, early, stuck, undated
        [4, 1, 1, 2, 3, 1, 1, 1, 1, 0, 1],
        # hour (on the day), plain (on the day), open (its date has not come)
        [3, 2, 1, 0, 2, 0, 2, 0, 1, 1, 0],
        [7, 3, 2, 2, 5, 1, 3, 1, 2, 1, 1],
    ]


@pytest.mark.parametrize("period", ["2026-07", "2026-Q3", "2026-H2", "2026"])
def test_month_quarter_half_year_and_year(period):
    form = ks.form_06a(log_of(ROWS), period=period)
    total = form.rows.iloc[-1]
    assert form.ready
    assert total["in_hand"] == total["closed"] + total["open"]
    assert total["in_hand"] == {"2026-07": 4, "2026-Q3": 7, "2026-H2": 7, "2026": 8}[period]


def test_by_unit_and_by_level():
    levels = ks.form_06a(log_of(ROWS), period="2026-Q3", by="level")
    assert levels.rows[["level", "in_hand"]].to_numpy().tolist()[:2] == [["commune", 3], ["province", 3]]
    assert levels.rows["in_hand"].tolist() == [3, 3, 1, 7]
    assert levels.worded()["level"].tolist() == ["Cấp xã", "Cấp tỉnh", "(không ghi)", "Tổng số"]
    given_levels = ks.form_06a(log_of(ROWS), period="2026-Q3", by="level", levels={"Sở Nông nghiệp": "district"})
    assert given_levels.rows["level"].tolist()[:2] == ["commune", "district"]
    both = ks.form_06a(log_of(ROWS), period="2026-Q3", by=["level", "field"]).rows
    assert both[["level", "field", "in_hand"]].to_numpy().tolist()[:4] == [
        ["commune", "Đất đai", 1], ["commune", "Hộ tịch", 2], ["commune", "total", 3], ["province", "Đất đai", 3]
    ]  # fmt: skip
    assert both.iloc[-1][["level", "field", "in_hand"]].tolist() == ["total", "total", 7]


@settings(max_examples=40)  # each asks the engine five times
@given(logs())
def test_the_identities_hold_for_any_log_in_order(random: Logs):
    form = ks.form_06a(random.ordered, period="2026-Q1", by="field")
    rows = form.rows
    assert (rows["in_hand"] == rows[["received_online", "received_direct", "carried"]].sum(axis=1)).all()
    assert (rows["in_hand"] == rows["closed"] + rows["open"]).all()
    assert (rows["closed"] == rows[["closed_early", "closed_on_day", "closed_late"]].sum(axis=1)).all()
    assert (rows["open"] == rows["open_in_time"] + rows["open_overdue"]).all()
    assert form.ready
    late = ks.on_time(random.ordered, period="2026-Q1", definition="form_06a").rows.iloc[0]
    assert rows.iloc[-1][["closed_late", "closed", "open_overdue"]].tolist() == [
        late["numerator"], late["denominator"], late["open_overdue"]
    ]  # fmt: skip


@settings(max_examples=40)  # each asks the engine five times
@given(logs())
def test_what_ended_before_it_came_breaks_the_identity_and_is_named(random: Logs):
    form = ks.form_06a(random.broken, period="2026-Q1")
    total = form.rows.iloc[-1]
    gap = total["in_hand"] - total["closed"] - total["open"]
    named = form.faults[form.faults["fault"] == "ended_before_received"]
    assert gap == (named["total"].iloc[0] if len(named) else 0)
    assert form.ready == (gap == 0)
    frame = random.broken_frame
    in_quarter = (frame["received_at"] >= "2026-01-01") & (frame["received_at"] < "2026-04-01")
    expected = set(frame.loc[in_quarter & (frame["finished_at"] < "2026-01-01"), "dossier_id"])
    assert set(named["dossier_id"]) <= expected
    assert len(named) == min(10, len(expected))


STEPS = pd.DataFrame({"dossier_id": ROWS["dossier_id"], "seq": 1, "step": "Tiếp nhận",
                      "started_at": ROWS["received_at"]})  # fmt: skip


def test_a_lost_and_a_doubled_dossier_are_caught_by_name_although_the_totals_hold():
    doctored = pd.concat([ROWS[ROWS["dossier_id"] != "hour"], ROWS[ROWS["dossier_id"] == "plain"]])
    form = ks.form_06a(log_of(doctored, steps=STEPS), period="2026-Q3")
    total = form.rows.iloc[-1]
    assert total["in_hand"] == total["closed"] + total["open"] == 7  # the sums alone would not tell
    assert form.faults[["fault", "dossier_id", "total"]].to_numpy().tolist() == [
        ["counted_twice", "plain", 1], ["lost", "hour", 1]
    ]  # fmt: skip
    assert not form.ready
    assert any("bị đếm nhiều hơn một lần: plain" in note for note in form.notes)
    assert any("hour" in note and "không có trong danh sách hồ sơ" in note for note in form.notes)
    assert ks.form_06a(log_of(ROWS, steps=STEPS), period="2026-Q3").ready


def test_a_dossier_that_ended_nobody_knows_when_is_named():
    doctored = ROWS.assign(finished_at=ROWS["finished_at"].where(ROWS["dossier_id"] != "early"))
    form = ks.form_06a(log_of(doctored), period="2026-Q3")
    assert form.faults[["fault", "dossier_id"]].to_numpy().tolist() == [["no_end_date", "early"]]


def test_a_form_that_does_not_reconcile_is_not_written(tmp_path):
    form = ks.form_06a(log_of(pd.concat([ROWS, ROWS.head(1)])), period="2026-Q3")
    with pytest.raises(ks.DataError, match="late"):
        ks.write_form_06a(form, tmp_path / "06a.xlsx")
    assert not (tmp_path / "06a.xlsx").exists()
    ks.write_form_06a(form, tmp_path / "06a.xlsx", force=True)
    assert "KHÔNG GỬI BÁO CÁO" in " ".join(cells(tmp_path / "06a.xlsx"))


def cells(path) -> list[str]:
    return [str(cell.value) for row in load_workbook(path).active.iter_rows() for cell in row if cell.value is not None]


def test_the_workbook_has_the_official_layout_and_the_numbers(tmp_path):
    form = ks.form_06a(log_of(ROWS), period="2026-H2")
    path = ks.write_form_06a(form, tmp_path / "06a.xlsx", agency="Sở Nội vụ", receiver="UBND thành phố")
    sheet = load_workbook(path).active
    words = cells(path)
    for text in ("Biểu số II.06a/VPCP/KSTT", "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH",
                 "(Từ ngày 01/07/2026 đến ngày 31/12/2026)", "Đơn vị báo cáo: Sở Nội vụ", "Đơn vị tính: số hồ sơ TTHC",
                 "NGƯỜI LẬP BIỂU", *form.notes):  # fmt: skip
        assert text in words
    numbers = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "(1)")
    assert numbers == ("(1)", "(2)", "(3)=(4)+(5)+(6)", "(4)", "(5)", "(6)", "(7)=(8)+(9)+(10)", "(8)", "(9)", "(10)",
                       "(11)=(12)+(13)", "(12)", "(13)")  # fmt: skip
    total = next(row for row in sheet.iter_rows(values_only=True) if row[1] == "Tổng số")
    assert list(total[2:]) == form.rows.iloc[-1][COLUMNS].tolist()
    assert sheet["A1"].font.name == "Times New Roman"


def test_the_same_form_is_the_same_file(tmp_path):
    form = ks.form_06a(log_of(ROWS), period="2026-Q3")
    first, second = (ks.write_form_06a(form, tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second


def test_a_unit_called_like_a_formula_stays_text(tmp_path):
    form = ks.form_06a(log_of(ROWS.assign(field="=SUM(A1)")), period="2026-Q3")
    assert "=SUM(A1)" in cells(ks.write_form_06a(form, tmp_path / "a.xlsx"))


def test_the_public_log_reconciles(receipt):
    for period in ("2011-Q1", "2011-H1", "2011", "2011-05"):
        form = ks.form_06a(receipt, period=period)
        total = form.rows.iloc[-1]
        assert form.ready
        assert total["in_hand"] == total["closed"] + total["open"]
    expected = ks.on_time(receipt, period="2011", definition="form_06a").rows.iloc[0]
    year = ks.form_06a(receipt, period="2011").rows.iloc[-1]
    assert (year["closed_late"], year["closed"]) == (expected["numerator"], expected["denominator"])
