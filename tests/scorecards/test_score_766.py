"""Quyết định 766 against points that the portal published, its defaults, and what must hold of any score."""

from __future__ import annotations

import csv
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import khaosat as ks
from khaosat.facts import read_table
from khaosat.facts.language import language
from tests.scorecards.logs import AS_OF, ROWS
from tests.shared import ROOT

COMPONENTS = read_table("rules/qd766.csv")["id"].tolist()
MAXIMA = dict(zip(COMPONENTS, read_table("rules/qd766.csv")["max_score"].astype(float), strict=True))


def published() -> dict[tuple[str, str], tuple[float, dict[str, tuple[int | None, int | None]]]]:
    """By agency and group: the points the portal published, and the counts behind them."""
    found: dict = {}
    with (ROOT / "tests/reference/qd766_portal.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts = found.setdefault((row["agency"], row["group"]), (float(row["portal_score"]), {}))[1]
            counts[row["component"]] = tuple(int(row[n]) if row[n] else None for n in ("numerator", "denominator"))
    return found


PUBLISHED = published()
PROVINCE = {name: pair for (agency, _), (_, counts) in PUBLISHED.items() if agency == "UBND tỉnh Phú Thọ"
            for name, pair in counts.items()}  # fmt: skip


def score(counts, **options) -> pd.Series:
    """Points by component, the total included."""
    return ks.score_766(counts, **options).rows.set_index("component")["score"]


def test_the_province_has_the_points_the_portal_published():
    result = ks.score_766(PROVINCE)
    assert result.groups["score"].tolist() == [7.96, 17.35, 8.41, 6.67, 8.75, 12.25]
    assert result.groups["max_score"].tolist() == [18, 20, 12, 10, 22, 18]
    last = result.rows.iloc[-1]
    assert (last["component"], last["score"], last["max_score"]) == ("total", 61.39, 100)


@pytest.mark.parametrize(("agency", "group"), PUBLISHED, ids=" ".join)
def test_each_agency_has_the_points_the_portal_published(agency, group):
    points, counts = PUBLISHED[agency, group]
    # 3.3 alone needs the 1.4 of the same agency; where nothing was received we say no data and the portal 0
    extra = {"1.4": PROVINCE["1.4"]} if group == "3a" else {}
    rows = ks.score_766({**counts, **extra}).rows.set_index("component")
    total = rows.loc["total", "score"] - (6 if extra else 0)
    if counts == {"2.1": (0, 0)}:
        assert math.isnan(total)
    else:
        assert round(total, 2) == points


def test_without_dossiers_there_is_no_progress_which_is_not_the_worst():
    result = ks.score_766({"2.1": (0, 0), "5.2": (1, 2)})
    first = result.rows.iloc[0]
    assert math.isnan(first["score"])
    assert first["flag"] == "no_data"
    assert result.rows.iloc[-1][["score", "max_score"]].tolist() == [3, 6]
    assert any("Cổng in 0 điểm" in note for note in result.notes)


def test_nothing_to_count_is_scored_as_the_portal_does():
    rows = ks.score_766({"5.2": (0, 0), "5.3": (None, 0), "5.4": (0, 0), "4.certified": (None, None)}).rows
    assert rows.set_index("component")["score"].to_dict() == {
        "4.certified": 2, "5.2": 6, "5.3": 6, "5.4": 0, "total": 14
    }  # fmt: skip
    assert set(rows["flag"].iloc[:-1]) == {"default"}


@pytest.mark.parametrize("pair", [None, (None, None), (float("nan"), 5), (3, None), (pd.NA, pd.NA)])
@pytest.mark.parametrize("component", [name for name in COMPONENTS if name != "4.certified"])
def test_unknown_is_no_data_and_not_zero(component, pair):
    result = ks.score_766({component: pair})
    assert result.rows["score"].isna().all()
    assert result.rows["flag"].iloc[0] == "no_data"
    assert "không có dữ liệu" in result.table().cells[0]


def test_online_dossiers_count_as_far_as_they_are_synchronised():
    # 6 * (40/100 * 1/2) / 0.5
    assert score({"1.4": (50, 100), "3.3": (40, 100)})["3.3"] == 2.4
    assert score({"1.4": (100, 100), "3.3": (40, 100)})["3.3"] == 4.8
    assert math.isnan(score({"1.4": (None, None), "3.3": (40, 100)})["3.3"])
    alone = ks.score_766({"3.3": (40, 100)})
    assert alone.rows["score"].iloc[0] == 4.8
    assert any("mức cao nhất có thể" in note for note in alone.notes)


def test_halves_are_rounded_up_without_binary_fractions():
    assert score({"1.1": (1, 1200)})["1.1"] == 0.01  # exactly 0.005
    assert score({"2.1": (29, 4000)})["2.1"] == 0.15  # exactly 0.145; as binary fractions 0.1449999…


def test_the_total_adds_rounded_components():
    # three thirds of 0.005: each is 0.01, together 0.03 and not 0.015
    assert score({"1.1": (1, 1200), "4.results": (1, 1200), "5.2": (1, 1200)})["total"] == 0.03


counts = st.integers(0, 10**6)


@given(st.sampled_from(COMPONENTS), counts, counts, st.integers(1, 10**6))
def test_a_higher_rate_never_scores_less_and_never_more_than_the_maximum(component, one, other, total):
    low, high = sorted((min(one, total), min(other, total)))
    points = [score({component: (n, total)})[component] for n in (low, high)]
    assert 0 <= points[0] <= points[1] <= MAXIMA[component]


@given(st.dictionaries(st.sampled_from(COMPONENTS), st.tuples(st.none() | counts, st.none() | counts), min_size=1))
def test_the_total_is_the_sum_of_what_has_data(pairs):
    rows = ks.score_766(pairs).rows
    parts, total = rows.iloc[:-1], rows.iloc[-1]
    known = parts.dropna(subset=["score"])
    assert list(parts["component"]) == [name for name in COMPONENTS if name in pairs]
    assert (known["score"] <= known["max_score"]).all()
    if known.empty:
        assert math.isnan(total["score"])
    else:
        assert total["score"] == pytest.approx(known["score"].sum())
        assert total["max_score"] == known["max_score"].sum()


def test_a_rate_over_100_percent_is_capped_and_said():
    result = ks.score_766({"1.4": (120, 100)})
    assert result.rows.iloc[0][["score", "flag"]].tolist() == [6, "capped"]
    assert result.rows["rate"].iloc[0] == 1.2


def test_every_wrong_count_is_told_at_once():
    with language("en"), pytest.raises(ks.DataError) as caught:
        ks.score_766({"9.9": (1, 2), "2.1": (-1, 2), "5.2": "many", "5.3": (1, 2, 3), "5.4": (True, 1)})
    assert len(str(caught.value).splitlines()) == 5


def test_only_a_commune_gets_the_maximum_of_what_does_not_apply():
    rows = ks.score_766({"2.1": (1, 2)}, unit="commune", not_applicable=["3.1"]).rows
    assert rows[["component", "score", "flag"]].to_numpy().tolist()[1] == ["3.1", 2.0, "not_applicable"]
    assert rows["score"].iloc[-1] == 12
    with pytest.raises(ks.KhaosatError, match="cấp xã"):
        ks.score_766({"2.1": (1, 2)}, not_applicable=["3.1"])
    with pytest.raises(ks.KhaosatError, match="unknown unit"):
        ks.score_766({"2.1": (1, 2)}, unit="village")


def months(numbers) -> pd.DataFrame:
    return pd.DataFrame([("2.1", n, 100, month) for month, n in numbers.items()],
                        columns=["component", "numerator", "denominator", "period"])  # fmt: skip


@pytest.mark.parametrize("period", [None, "2026-Q3"])
def test_months_do_not_average_into_a_quarter(period):
    with pytest.raises(ks.KhaosatError, match="Không lấy trung bình"):
        ks.score_766(months({"2026-07": 79, "2026-08": 78, "2026-09": 83}), period=period)


def test_a_month_is_not_a_quarter():
    one = months({"2026-07": 79})
    assert score(one, period="2026-07")["2.1"] == 15.8
    with pytest.raises(ks.KhaosatError, match="Không lấy trung bình"):
        ks.score_766(one, period="2026-Q3")


def test_satisfaction_is_called_what_it_is():
    result = ks.score_766({"5.4": (9, 10)})
    assert "không trễ" in result.table().cells[0][0]
    assert any("không phải kết quả khảo sát" in note for note in result.notes)


def test_a_log_gives_what_it_can():
    log = ks.log_from_frames({"dossiers": ROWS}, as_of=AS_OF, source="Sở Tư pháp")
    result = ks.score_766(log, period="2026-Q3", given={"1.4": (1, 2)})
    rows = result.rows.set_index("component")
    assert rows["source"].to_dict() == {"1.4": "given", "2.1": "log", "3.3": "log", "total": ""}
    # six in hand with a due date: two closed late (one by two hours), one open and overdue; five received, three online
    assert rows.loc["2.1", ["numerator", "denominator"]].tolist() == [3, 6]
    assert rows.loc["3.3", ["numerator", "denominator", "score"]].tolist() == [3, 5, 3.6]
    late = ks.on_time(log, period="2026-Q3", definition="portal_766").rows.iloc[0]
    assert rows.loc["2.1", "rate"] == pytest.approx(late["on_time"])
    assert result.source == "Sở Tư pháp"
    with pytest.raises(ks.KhaosatError, match="phải có kỳ"):
        ks.score_766(log)


def test_the_quarter_of_a_log_is_not_the_mean_of_its_months():
    """An open late dossier is recounted each month: why months may not be averaged."""
    log = ks.log_from_frames({"dossiers": ROWS}, as_of=AS_OF)
    rates = [ks.score_766(log, period=f"2026-{month:02d}").rows["rate"].iloc[0] for month in (7, 8, 9)]
    quarter = ks.score_766(log, period="2026-Q3").rows["rate"].iloc[0]
    assert abs(sum(rates) / 3 - quarter) > 0.05


# Rankings ------------------------------------------------------------------------------------------------------------


def agencies() -> pd.DataFrame:
    rows = [(agency, name, *pair) for (agency, _), (_, part) in PUBLISHED.items() for name, pair in part.items()]
    frame = pd.DataFrame(rows, columns=["agency", "component", "numerator", "denominator"])
    inherited = [(agency, name, *PROVINCE[name]) for agency in frame["agency"].unique()[:-1] for name in ("1.1", "1.3")]
    return pd.concat([frame[frame["agency"] != "UBND tỉnh Phú Thọ"],
                      pd.DataFrame(inherited, columns=frame.columns)])  # fmt: skip


def test_units_are_ranked_without_what_they_inherit():
    result = ks.rank_766(agencies(), unit="department", period="2026-Q3")
    rows = result.rows.set_index("agency")
    assert rows.loc["Sở Ngoại vụ", ["score", "max_score", "n_components"]].tolist() == [10, 20, 1]
    assert rows["estimate"].dropna().is_monotonic_decreasing
    assert rows.loc["Thanh tra tỉnh", "left_out"] == "2.1"
    assert pd.isna(rows.loc["Thanh tra tỉnh", "rank"])
    assert any("1.1, 1.2, 1.3, 1.4" in note for note in result.notes)
    whole = ks.rank_766(agencies(), unit="province").rows.set_index("agency")
    assert whole.loc["Sở Ngoại vụ", "max_score"] == 28


def test_equal_shares_have_the_same_rank():
    frame = pd.DataFrame([("A", "2.1", 1, 2), ("B", "2.1", 2, 4), ("C", "2.1", 1, 4)],
                         columns=["agency", "component", "numerator", "denominator"])  # fmt: skip
    assert ks.rank_766(frame).rows["rank"].tolist() == [1, 1, 3]
