"""Trend figures: room for what is written, gaps where there is nothing, few numbers where there is little room."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from khaosat.report.trends import draw_trend
from khaosat.show.theme import HALF


def rows(shares):
    shares = np.array(shares, dtype=float)
    periods = [f"2026-Q{i}" for i in range(len(shares))]
    return pd.DataFrame({"period": periods, "estimate": shares, "low": shares - 0.01, "high": shares + 0.01})


def written(axes):
    return [text.get_text() for text in axes.texts]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_every_point_has_its_number_on_a_wide_figure_and_gaps_have_none():
    axes = draw_trend(rows([0.9, np.nan, 0.95]), label="y")
    assert written(axes) == ["90,0%", "95,0%"]


def test_a_narrow_figure_tells_the_first_the_lowest_and_the_last():
    axes = draw_trend(rows([0.95, 0.94, 0.90, 0.96, 0.97]), label="y", half=True)
    assert axes.figure.get_size_inches()[0] == HALF
    assert written(axes) == ["95,0%", "90,0%", "97,0%"]


def test_target_and_intervals_are_inside_the_frame():
    axes = draw_trend(rows([0.90, 0.95]), label="y", target=0.995)
    low, high = axes.get_ylim()
    assert low < 89
    assert high > 99.5
    assert any("99,5%" in text for text in written(axes))


def test_nothing_known_is_an_empty_frame():
    assert written(draw_trend(rows([np.nan, np.nan]), label="y")) == []
