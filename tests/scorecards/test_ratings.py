"""Ratings by Thông tư 01/2018 and bands: the edges of every class, half-up rounding, and what was published."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import khaosat as ks
from khaosat.facts import read_table
from khaosat.facts.language import language

INDICES = [f"index_{number}" for number in range(1, 10)]


def frame(**points) -> pd.DataFrame:
    """One agency with the points 2 but for those given."""
    size = max([len(value) for value in points.values() if isinstance(value, list)], default=1)
    return pd.DataFrame({"agency": "Sở A", **dict.fromkeys(INDICES, 2), **points}, index=range(size))


def test_every_published_score_of_da_nang_falls_into_its_class():
    published = read_table("published/da_nang_2022.csv")
    rows = ks.band(dict(zip(published["agency"], published["score"].astype(float), strict=True)), "da_nang_2022").rows
    assert rows.set_index("agency")["band"].to_dict() == dict(zip(published["agency"], published["band"], strict=True))
    assert rows["score"].tolist() == [101.19, 98.81, 88.29, 86.51, 86.06, 76.32, 73.34, 67.26, 62.46]
    labels = rows.set_index("agency")["label"]
    assert labels[["Sở Nội vụ", "Quận Sơn Trà", "Huyện Hòa Vang", "Sở Y tế"]].tolist() == [
        "Xuất sắc", "Tốt", "Khá", "Trung bình khá"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "edges"),
    [("da_nang_2022", [90, 80, 70, 60, 50]), ("da_nang_2012", [90, 80, 70, 60]), ("tt01_2018", [15, 12, 9, 6])],
)
def test_the_lower_end_belongs_to_the_class(scheme, edges):
    names = read_table("rules/bands.csv").query("set == @scheme")["band"].tolist()
    rows = ks.band({f"{edge}": edge for edge in edges} | {f"{edge}-": edge - 0.01 for edge in edges}, scheme).rows
    found = rows.set_index("agency")["band"]
    assert [found[f"{edge}"] for edge in edges] == names[:-1]
    assert [found[f"{edge}-"] for edge in edges] == names[1:]
    assert rows.set_index("agency")["to_next"][f"{edges[0]}-"] == pytest.approx(0.01)


def test_an_agency_without_a_score_has_no_class():
    result = ks.band(pd.DataFrame({"agency": ["A", "B"], "score": [np.nan, 5.0]}), "da_nang_2022")
    assert result.rows["band"].tolist() == ["failing", ""]
    assert result.table().cells[1][3] == "không có dữ liệu"


def test_wrong_bands_are_refused():
    with pytest.raises(ks.KhaosatError, match="no set 'hue'"):
        ks.band({"A": 1.0}, "hue")
    with language("en"), pytest.raises(ks.DataError, match="no numbers: A"):
        ks.band({"A": "many"}, "da_nang_2022")


def test_bands_out_of_force_are_a_comparison_only():
    old = ks.band({"A": 95.0}, "da_nang_2012", period="2026-Q3")
    assert old.rows["band"].tolist() == ["very_good"]
    assert any("chỉ để so sánh" in note for note in old.notes)
    assert not any("chỉ để so sánh" in note for note in ks.band({"A": 95.0}, "da_nang_2022", period="2026-Q3").notes)


def test_indices_are_rounded_half_up_before_they_are_added():
    # 1.25 is 1.3 and 1.75 is 1.8: together 17.1 and not 17.0
    rows = ks.rate_agencies(frame(index_1=[2, 2, 1, 0], index_7=[2, 2, 2, 1])).rows
    assert rows[["index_1", "index_7", "score", "max_score", "n"]].to_numpy().tolist() == [[1.3, 1.8, 17.1, 18, 4]]


@pytest.mark.parametrize(
    ("points", "band"), [(15, "excellent"), (14.9, "good"), (12, "good"), (9, "fair"), (6, "average")]
)
def test_exactly_the_lower_end_is_in_the_class(points, band):
    """A one-stop system seen in production put exactly 15 points into the lowest class."""
    lost = 18 - points
    losses = [min(2.0, max(0.0, lost - 2 * place)) for place in range(9)]
    given_points = {name: 2 - round(loss, 1) for name, loss in zip(INDICES, losses, strict=True)}
    assert ks.rate_agencies(frame(**given_points)).rows[["score", "band"]].to_numpy().tolist() == [[points, band]]


def test_a_missing_point_is_no_point_and_never_two():
    rows = ks.rate_agencies(frame(index_1=[0, None, None, None])).rows
    assert rows["index_1"].tolist() == [0]
    whole = ks.rate_agencies(frame(index_5=[None])).rows.iloc[0]
    assert math.isnan(whole["score"])
    assert (whole["band"], whole["label"]) == ("", "không có dữ liệu")


def test_an_index_of_the_agency_may_stand_in_one_row():
    assert ks.rate_agencies(frame(index_8=[1, None, None])).rows["index_8"].tolist() == [1]


def test_the_scheme_is_a_legacy_one_after_its_ground_was_replaced():
    old, new = (ks.rate_agencies(frame(), period=period) for period in ("2025-Q2", "2025-Q3"))
    assert (old.rows["legacy"].tolist(), new.rows["legacy"].tolist()) == ([False], [True])
    assert any("Nghị định 118/2025" in note for note in new.notes)
    assert not any("Nghị định 118/2025" in note for note in old.notes)


def test_every_fault_is_told_at_once():
    wrong = frame(index_1=[3, 1], index_2=["x", 1]).drop(columns=["index_9"])
    with language("en"), pytest.raises(ks.DataError) as caught:
        ks.rate_agencies(wrong)
    assert len(str(caught.value).splitlines()) == 3
    with language("en"), pytest.raises(ks.DataError, match="index 5 is the agency's"):
        ks.rate_agencies(frame(index_5=[0, 2]))
    with language("en"), pytest.raises(ks.DataError, match="index 1 of a dossier is 0, 1 or 2"):
        ks.rate_agencies(frame(index_1=[0.5, 2]))
    with pytest.raises(ks.KhaosatError, match="unknown scheme"):
        ks.rate_agencies(frame(), "tt02_2018")


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 2])] * 5), min_size=1, max_size=20))
def test_more_points_never_rate_lower(dossiers):
    whole = frame(**{INDICES[place]: [row[i] for row in dossiers] for i, place in enumerate((0, 1, 2, 3, 6))})
    better = whole.assign(index_1=[min(2, point + 1) for point in whole["index_1"]])
    first, second = (ks.rate_agencies(points).rows["score"].iloc[0] for points in (whole, better))
    assert 8 <= first <= second <= 18
