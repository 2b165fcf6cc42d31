"""A change taken apart: parts add up exactly, the total is that of ``compare``, weights and designs count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.oaxaca import OaxacaBlinder

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.survey import compare, decompose_change, replicates
from tests.survey.surveys import drawn, questionnaire

METHODS = ["kitagawa", "twofold", "threefold"]


def wave(seed: int, shift: float = 0.0) -> Survey:
    rng = np.random.default_rng(seed)
    n = 240
    frame = pd.DataFrame({"c": np.arange(n) // 12, "g": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
                          "x": rng.normal(shift, 1, n), "w": rng.uniform(1, 5, n)})  # fmt: skip
    frame["q"] = np.clip(np.round(3 + (frame["g"] == "a") + 0.5 * frame["x"] + rng.normal(0, 1, n)), 1, 5)
    return Survey(responses=frame, design=Design(weights="w", clusters="c"))


@given(seeds=st.tuples(st.integers(0, 300), st.integers(301, 600)), method=st.sampled_from(METHODS))
@settings(max_examples=40)
def test_parts_add_up_to_the_change_that_compare_gives(seeds, method):
    a, b = (drawn(seed) for seed in seeds)
    try:
        rows = decompose_change(a, b, "y", by="x" if method != "kitagawa" else "g", method=method).rows
    except DataError:
        return  # a regression on one or two respondents
    total = rows.loc[rows["component"] == "total", "estimate"].iloc[0]
    sums = rows[(rows["group"] == "") & (rows["component"] != "total")]
    assert sums["estimate"].sum() == pytest.approx(total, abs=1e-9)
    for kind, lines in rows[rows["group"] != ""].groupby("component"):
        whole = sums.loc[sums["component"] == kind, "estimate"].iloc[0]
        assert lines["estimate"].sum() == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("at", [None, [4, 5]])
def test_the_total_is_the_difference_of_compare_with_its_interval(method, at):
    a, b = wave(1, 0.3), wave(2)
    known = compare(a, b, "q", at=at).rows.iloc[0]
    row = decompose_change(a, b, "q", by="g", method=method, at=at).rows.iloc[0]
    for name in ("estimate", "se", "low", "high", "df", "p_value"):
        assert row[name] == pytest.approx(known[name], rel=1e-9), name


@pytest.mark.parametrize("method", METHODS)
def test_the_other_way_round_changes_the_sign_of_the_total(method):
    a, b = wave(1, 0.3), wave(2)
    there, back = (decompose_change(*pair, "q", by="g", method=method).rows.iloc[0] for pair in ((a, b), (b, a)))
    assert there["estimate"] == pytest.approx(-back["estimate"])
    assert there["se"] == pytest.approx(back["se"])


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_near_those_of_the_jackknife(method):
    """Leaving units out and decomposing again; influence is the first-order part of that."""
    a, b = wave(3, 0.4), wave(4)
    rows = decompose_change(a, b, "q", by=["g"], method=method).rows
    variance = np.zeros(len(rows))
    for side, (kept, other) in enumerate(((a, b), (b, a))):
        units, again = sorted(kept.responses["c"].unique()), []
        for unit in units:
            less = Survey(
                responses=kept.responses[kept.responses["c"] != unit].reset_index(drop=True), design=kept.design
            )
            pair = (less, other) if side == 0 else (other, less)
            again.append(decompose_change(*pair, "q", by=["g"], method=method).rows["estimate"].to_numpy())
        variance += (len(units) - 1) / len(units) * ((np.array(again) - np.mean(again, axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(rows["se"], np.sqrt(variance), rtol=0.12, atol=2e-4)


def test_replicate_weights_give_the_variance_where_there_are_some():
    a, b = wave(1, 0.3), wave(2)
    plain, again = (
        decompose_change(*pair, "q", by="g").rows["se"] for pair in ((a, b), (replicates(a), replicates(b)))
    )
    np.testing.assert_allclose(plain, again, rtol=0.02)
    assert not plain.equals(again)


def test_unweighted_threefold_equals_statsmodels_with_levels_as_dummies():
    a, b = (Survey(responses=wave(seed, shift).responses) for seed, shift in ((1, 0.5), (2, 0.0)))
    rows = decompose_change(a, b, "q", by=["g", "x"], method="threefold").rows.set_index(["component", "group"])
    frames = [s.responses for s in (a, b)]
    both = pd.concat(frames)
    x = np.column_stack([np.ones(len(both)), both["g"] == "b", both["g"] == "c", both["x"],
                         np.repeat([0.0, 1.0], [len(f) for f in frames])]).astype(float)  # fmt: skip
    known = OaxacaBlinder(both["q"].to_numpy(), x, 4, swap=False).three_fold().params
    found = [rows.loc[(kind, ""), "estimate"] for kind in ("endowments", "coefficients", "interaction", "total")]
    np.testing.assert_allclose(found, known, rtol=1e-9)


def test_intervals_cover_a_planted_mix_and_level():
    """Groups of 0.7 and 0.3 with rates 0.4 apart: a mix of 0.16; a level of 0.1 in both groups."""
    covered = np.zeros(2)
    for seed in range(150):
        rng = np.random.default_rng(seed)

        def people(share: float, base: float) -> Survey:
            g = rng.random(500) < share  # noqa: B023
            return Survey(responses=pd.DataFrame({"g": g.astype(int), "q": rng.random(500) < base + 0.4 * g}))  # noqa: B023

        rows = decompose_change(people(0.7, 0.3), people(0.3, 0.2), "q", by="g", at=[True]).rows
        parts = rows[rows["group"] == ""].set_index("component")
        covered += [parts.loc[kind, "low"] <= truth <= parts.loc[kind, "high"] for kind, truth in
                    (("mix", 0.16), ("level", 0.1))]  # fmt: skip
    assert (covered >= 0.9 * 150).all()
    assert (covered <= 149).all()


def test_shares_are_read_in_percentage_points_and_groups_in_words():
    frame = pd.DataFrame({"complained": [1, 2] * 40, "s1": [5, 2, 4, 4] * 20})
    a, b = (Survey(responses=f, questionnaire=questionnaire()) for f in (frame, frame.assign(s1=[4, 2, 2, 4] * 20)))
    result = decompose_change(a, b, "s1", by="complained", at=[4, 5])
    assert result.rows["estimate"].iloc[0] == pytest.approx(0.25)
    cells = result.table().cells
    assert cells[0][:3] == ("Tổng thay đổi", "", "25,00")
    assert [row[1] for row in cells[3:5]] == ["Có", "Không"]
    assert result.plot().get_xlabel() == "Phần của thay đổi (điểm phần trăm)"


def test_a_level_that_one_wave_lacks():
    a = wave(1)
    b = Survey(responses=a.responses.assign(g=a.responses["g"].replace("c", "b")), design=a.design)
    with language("en"):
        result = decompose_change(a, b, "q", by="g")
        assert any("one wave only" in note for note in result.notes)
        assert (
            result.rows.loc[(result.rows["component"] == "level") & (result.rows["group"] == "c"), "estimate"].item()
            == 0
        )
        with pytest.raises(DataError, match="level that nobody"):
            decompose_change(a, b, "q", by="g", method="twofold")


def test_wrong_calls_are_told_in_words():
    a = wave(1)
    with language("en"):
        with pytest.raises(DataError, match="is not known: use kitagawa, twofold, threefold"):
            decompose_change(a, a, "q", by="g", method="shapley")
        with pytest.raises(DataError, match="at least one column"):
            decompose_change(a, a, "q", by=[])
        with pytest.raises(DataError, match="which is too many"):
            decompose_change(a, a, "q", by="x")
        with pytest.raises(DataError, match="No respondent of one of the waves"):
            decompose_change(a, a, "q", by="g", where="c > 999")


def test_one_unit_has_no_interval():
    frame = pd.DataFrame({"q": [1, 2, 3, 4], "g": list("aabb"), "c": 1})
    one = Survey(responses=frame, design=Design(clusters="c", lonely_psu="remove"))
    rows = decompose_change(one, one, "q", by="g").rows
    assert rows[["low", "high", "p_value"]].isna().all(axis=None)
