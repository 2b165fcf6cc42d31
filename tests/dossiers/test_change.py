"""compare_periods: the two shares, their difference, its interval."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from khaosat.dossiers import compare_periods, on_time
from khaosat.facts.language import language


def test_both_shares_are_those_of_on_time(receipt):
    row = compare_periods(receipt, "2011-Q4", "2011-Q3").rows.iloc[0]
    this, other = (on_time(receipt, period=period).rows.iloc[0] for period in ("2011-Q4", "2011-Q3"))
    assert (row["estimate"], row["other"]) == (this["estimate"], other["estimate"])
    assert row["difference"] == pytest.approx(55 / 271 - 100 / 295)
    expected = confint_proportions_2indep(55, 271, 100, 295, method="newcomb", compare="diff")
    assert (row["low"], row["high"]) == pytest.approx(expected)
    assert row["high"] < 0
    assert row["p_value"] < 0.05


def test_without_another_period_it_is_the_one_before(receipt):
    default = compare_periods(receipt, "2011-Q2").rows
    given = compare_periods(receipt, "2011-Q2", "2011-Q1").rows
    assert default.equals(given)
    backwards = compare_periods(receipt, "2011-Q1", "2011-Q2").rows.iloc[0]
    assert backwards["difference"] == -given["difference"].iloc[0]
    assert backwards["low"] == pytest.approx(-given["high"].iloc[0])


def test_a_group_of_one_period_only_has_no_difference(edges):
    rows = compare_periods(edges, "2026-Q2", "2026-Q1", by="field").rows
    assert rows["field"].tolist() == ["Đất đai", "Hộ tịch", "Xây dựng"]
    assert rows["other_denominator"].tolist() == [1, 0, 0]
    assert np.isnan(rows["difference"].iloc[1])
    assert rows["estimate"].iloc[1] == 1


def test_no_data_in_either_period(edges):
    result = compare_periods(edges, "2019-Q2")
    assert result.rows[["difference", "low", "high", "p_value"]].isna().all(axis=None)
    assert result.table().cells[0][2] == "–"
    result.plot()


def test_overlapping_stocks_are_only_indicative(receipt):
    with language("en"):
        assert "only indicative" in compare_periods(receipt, "2011-Q2", definition="gia_lai").notes[-1]
        assert "only indicative" not in compare_periods(receipt, "2011-Q2").notes[-1]


def test_plot_marks_no_change(receipt):
    ax = compare_periods(receipt, "2011-Q2", by="channel").plot()
    assert [line for line in ax.lines if list(line.get_xdata()) == [0, 0]]
