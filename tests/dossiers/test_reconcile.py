"""reconcile: published tables that add up, and those that do not, by name; dates against moments in late_rates."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.dossiers import late_rates, on_time, reconcile
from khaosat.errors import DataError, KhaosatError
from khaosat.facts import read_table

VINH_PHUC = pd.DataFrame(  # Q3/2021, as the province published it
    {"carried": [2191], "received": [14043], "in_hand": [16234], "due": [14101], "on_time": [14064], "late": [37]}
)


def test_a_published_table_that_adds_up():
    found = reconcile(VINH_PHUC)
    assert found.passed
    assert found.rows["check"].tolist() == ["in_hand", "due_parts"]
    assert found.rows["difference"].tolist() == [0, 0]
    assert found.notes == ("Bảng số liệu khớp: 2 phép đối chiếu.",)


def test_a_dashboard_that_loses_dossiers_is_named():
    found = reconcile(pd.DataFrame({"Tỉnh": ["Toàn tỉnh"], "in_hand": [257141], "closed": [200000], "open": [47529]}))
    assert not found.passed
    row = found.rows.iloc[0]
    assert row[["check", "row", "parts", "total", "difference"]].tolist() == [
        "accounted", "Toàn tỉnh", 247529, 257141, 9612,
    ]  # fmt: skip
    assert "9.612" in found.notes[1]
    assert "Toàn tỉnh" in found.notes[1]


def test_headings_and_numbers_as_printed():
    table = pd.DataFrame(
        {
            "Đơn vị": ["Sở A", "Sở B", "Tổng cộng"],
            "Kỳ trước": ["1.000", "1.191", "2.191"],
            "Mới": ["10.043", "4.000", "14.043"],
            "Tổng": ["11.043", "5.191", "16.235"],
        }
    )
    found = reconcile(table, columns={"Kỳ trước": "carried", "Mới": "received", "Tổng": "in_hand"})
    wrong = found.rows[~found.rows["passed"]]
    assert wrong[["check", "row", "difference"]].to_numpy().tolist() == [
        ["in_hand", "Tổng cộng", 1], ["total_row", "Tổng cộng", 1],
    ]  # fmt: skip
    assert (found.rows["check"] == "total_row").sum() == 3


def test_one_s_own_identity_and_total_row():
    table = pd.DataFrame({"unit": ["a", "b", "All"], "x": [1, 2, 3], "y": [4, 5, 9], "z": [5, 7, 13]})
    found = reconcile(table, identities={"z": ["x", "y"]}, total="all")
    assert found.rows.loc[found.rows["check"] == "z", "difference"].tolist() == [0, 0, 1]
    totals = found.rows[found.rows["check"] == "total_row"]
    assert totals["difference"].tolist() == [0, 0, 1]


def test_a_missing_cell_is_not_checked():
    table = pd.DataFrame({"carried": [1, None], "received": [2, 5], "in_hand": [3, 6]})
    assert reconcile(table).rows["row"].tolist() == ["dòng 1"]


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (pd.DataFrame({"carried": [1]}), "carried"),
        (pd.DataFrame({"carried": ["1,5"], "received": [2], "in_hand": [3]}), "1,5"),
        (pd.DataFrame({"carried": [1.5], "received": [2], "in_hand": [3]}), "1.5"),
        (pd.DataFrame({"carried": pd.Series(dtype=int)}), "carried"),
    ],
)
def test_what_cannot_be_checked_is_refused(table, match):
    with pytest.raises(DataError, match=match):
        reconcile(table)


def test_two_columns_of_one_meaning_and_an_absent_total_are_refused():
    with pytest.raises(DataError, match="carried"):
        reconcile(VINH_PHUC.assign(again=1), columns={"again": "carried"})
    with pytest.raises(DataError, match="Cả tỉnh"):
        reconcile(VINH_PHUC, total="Cả tỉnh")


@given(parts=st.lists(st.tuples(*[st.integers(0, 10**6)] * 4), min_size=1, max_size=6), error=st.integers(-5, 5))
def test_exactly_the_wrong_total_is_found(parts, error):
    table = pd.DataFrame(parts, columns=["closed_on_time", "closed_late", "open_in_time", "open_overdue"])
    table["closed"] = table["closed_on_time"] + table["closed_late"]
    table["open"] = table["open_in_time"] + table["open_overdue"]
    table.loc[0, "closed"] += error
    found = reconcile(table)
    assert found.passed == (error == 0)
    wrong = found.rows[~found.rows["passed"]]
    assert wrong["difference"].tolist() == [error] * (error != 0)


def test_every_identity_is_of_known_columns_with_words():
    table = read_table("rules/identities.csv")
    words = set(read_table("glossary.csv")["identifier"])
    named = {name for row in table.to_dict("records") for name in f"{row['parts']} {row['total']}".split()}
    assert named <= words


def test_a_log_reconciles(receipt):
    assert reconcile(late_rates(receipt, period="2011-Q2").stocks).passed
    by = on_time(receipt, period="2011-Q2", by="field").rows
    assert reconcile(by).passed


# Dates against moments ---------------------------------------------------------------------------------------------


def test_dates_are_milder_than_moments_by_what_ends_late_on_the_due_day(edges):
    moments = late_rates(edges, period="2026-Q2").rows.set_index("definition")
    dates = late_rates(edges, period="2026-Q2", compare="dates").rows.set_index("definition")
    for definition in ("closed", "gia_lai", "due_base", "cohort"):
        assert moments.loc[definition, "numerator"] - dates.loc[definition, "numerator"] == 1  # the one of a second
        assert dates.loc[definition, "compared"] == "dates"
    for definition, own in (("portal_766", "timestamps"), ("form_06a", "dates")):
        assert dates.loc[definition].equals(moments.loc[definition])
        assert dates.loc[definition, "compared"] == own
    assert (
        on_time(edges, period="2026-Q2", compare="dates").rows["numerator"].iloc[0] == dates.loc["closed", "numerator"]
    )


def test_the_comparison_is_checked_and_said(edges):
    with pytest.raises(KhaosatError, match="timestamps or dates"):
        on_time(edges, compare="days")
    assert any("So sánh theo ngày" in note for note in on_time(edges, compare="dates").notes)
    assert not any("So sánh theo ngày" in note for note in on_time(edges, compare="dates", definition="form_06a").notes)
