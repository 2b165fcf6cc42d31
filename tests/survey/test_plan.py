"""Sample plans meet their margin with the fewest answers; draws come again and have the probabilities they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError, DesignError
from khaosat.survey import mean, proportion, sample_plan, total
from tests.survey.surveys import questionnaire


def dossiers(n: int = 4000, seed: int = 0) -> pd.DataFrame:
    """A list of dossiers by field and village, with days and fees."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "dossier_id": [f"H{i:06d}" for i in rng.permutation(n)],
        "field": rng.choice(["Đất đai", "Hộ tịch", "Y tế"], n, p=[0.6, 0.3, 0.1]),
        "days": rng.gamma(2, 5, n), "fee": rng.lognormal(3, 1, n),
    })  # fmt: skip
    frame["village"] = frame["field"] + rng.integers(0, 25, n).astype(str)
    return frame


LIST = dossiers()


def test_a_plan_without_strata_is_the_textbook_size() -> None:
    people = pd.DataFrame({"id": range(1000)})
    plan = sample_plan(people, margin=0.05)
    assert plan.rows[["population", "n", "invited"]].to_numpy().tolist() == [[1000, 278, 278]]
    assert plan.rows["margin"].iloc[0] <= 0.05
    assert sample_plan(people, margin=0.05, share=0.9).rows["n"].iloc[0] == 122  # 138.3/(1 + 137.3/1000)
    assert sample_plan(people, margin=0.05, deff=2, response=0.7).rows[["n", "invited"]].to_numpy().tolist() == [
        [435, 622]
    ]


@settings(max_examples=25)
@given(
    st.sampled_from(["proportional", "neyman", "power", "equal"]), st.floats(0.02, 0.2), st.floats(0.6, 3),
    st.floats(0.5, 1), st.integers(2, 30),
)  # fmt: skip
def test_the_margin_is_met_and_one_answer_less_misses_it(
    allocation: str, margin: float, deff: float, response: float, minimum: int
) -> None:
    options = {"strata": "field", "deff": deff, "response": response, "allocation": allocation, "minimum": minimum}
    options["share"] = {"Đất đai": 0.8, "Hộ tịch": 0.9, "Y tế": 0.6}
    try:
        plan = sample_plan(LIST, margin=margin, **options)
    except DesignError:
        most = (LIST.groupby("field").size() * response).astype(int).sum()
        assert sample_plan(LIST, n=int(most), **options).overall["margin"].iloc[0] > margin
        return
    found = plan.overall.iloc[0]
    assert found["margin"] <= margin
    assert found[["n", "invited", "population"]].tolist() == plan.rows[["n", "invited", "population"]].sum().tolist()
    assert (plan.rows["n"] >= minimum).all()
    assert (plan.rows["invited"] <= plan.rows["population"]).all()
    np.testing.assert_array_equal(plan.rows["invited"], np.ceil(plan.rows["n"] / response - 1e-9))
    if found["n"] > 3 * minimum:
        assert sample_plan(LIST, n=int(found["n"]) - 1, **options).overall["margin"].iloc[0] > margin * 0.995


def test_the_margin_is_that_of_the_estimate() -> None:
    """Asked with the answers planned for, the survey has the standard error that the plan said."""
    plan = sample_plan(LIST, strata="field", n=600, sd="days")
    drawn = plan.draw("dossier_id")
    survey = Survey(responses=drawn, design=Design(weights="weight", strata="field", fpc="population"))
    assert mean(survey, "days").rows["se"].iloc[0] * 1.96 == pytest.approx(plan.overall["margin"].iloc[0], rel=0.1)
    assert total(survey, "days").rows["estimate"].iloc[0] == pytest.approx(LIST["days"].sum(), rel=0.1)
    assert plan.unit == "score"


def test_a_margin_for_every_stratum() -> None:
    plan = sample_plan(LIST, strata="field", margin=0.06, target="stratum", share=0.8)
    assert (plan.rows["margin"] <= 0.06).all()
    for row in plan.rows.itertuples():
        alone = sample_plan(LIST[LIST["field"] == row.field], margin=0.06, share=0.8)
        assert alone.rows["n"].iloc[0] == row.n


def test_what_the_last_wave_said_is_taken() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"field": np.repeat(["Đất đai", "Hộ tịch", "Y tế"], 200), "c": np.repeat(np.arange(60), 10)})
    frame["q"] = (rng.random(600) < np.repeat(rng.uniform(0.4, 1, 60), 10)).astype(int)
    last = Survey(responses=frame.assign(w=20.0), design=Design(weights="w", strata="field", clusters="c"))
    by_field = proportion(last, "q", at=1, by="field", deff=True)
    whole = proportion(last, "q", at=1, deff=True)
    plan = sample_plan(LIST, strata="field", margin=0.04, share=by_field, deff=by_field)
    assert plan.rows["deff"].tolist() == by_field.rows["deff"].tolist()
    told = sample_plan(LIST, strata="field", margin=0.04, share=whole, deff=whole)
    assert told.rows["deff"].tolist() == pytest.approx([whole.rows["deff"].iloc[0]] * 3)
    assert told.overall["n"].iloc[0] > sample_plan(LIST, strata="field", margin=0.04, share=whole).overall["n"].iloc[0]
    with pytest.raises(DesignError, match="deff"):
        sample_plan(LIST, margin=0.04, deff=last)  # no questionnaire
    asked = pd.DataFrame({item: rng.integers(1, 6, 300) for item in questionnaire().items()})
    wave = Survey(
        responses=asked.assign(c=np.arange(300) // 10), questionnaire=questionnaire(), design=Design(clusters="c")
    )
    assert 0.5 < sample_plan(LIST, margin=0.04, deff=wave).rows["deff"].iloc[0] < 1.6


def test_two_stages() -> None:
    plan = sample_plan(LIST, strata="field", margin=0.06, clusters="village", per_cluster=12, rho=0.05, response=0.8)
    rows = plan.rows
    assert (rows["n"] == rows["clusters_drawn"] * 12).all()
    assert (rows["clusters_drawn"] <= rows["clusters"]).all()
    assert (rows["clusters_drawn"] >= 2).all()
    assert rows["deff"].tolist() == pytest.approx([1 + 11 * 0.05] * 3)
    assert plan.overall["margin"].iloc[0] <= 0.06
    drawn = plan.draw("dossier_id")
    found = drawn.groupby("field")["village"].nunique().loc[rows["field"]]
    assert found.tolist() == rows["clusters_drawn"].tolist()
    sizes = drawn.groupby("village").size()
    room = LIST.groupby("village").size().loc[sizes.index]
    assert (sizes == np.minimum(15, room)).all()
    full = drawn[drawn["village"].map(room) >= 15]
    np.testing.assert_allclose(full["weight"].groupby(full["field"]).std(), 0, atol=1e-9)  # weights itself


def test_draws_do_not_depend_on_the_order_of_the_list() -> None:
    for options in ({}, {"clusters": "village", "per_cluster": 10, "rho": 0.02}):
        plan = sample_plan(LIST, strata="field", n=400, **options)
        mixed = replace(plan, frame=LIST.sample(frac=1, random_state=9))
        for method in ("simple", "systematic"):
            first = plan.draw("dossier_id", method=method, rng=np.random.default_rng(3))
            again = mixed.draw("dossier_id", method=method, rng=np.random.default_rng(3))
            pd.testing.assert_frame_equal(first, again)
            other = plan.draw("dossier_id", method=method, rng=np.random.default_rng(4))
            assert set(first["dossier_id"]) != set(other["dossier_id"])
    plan = sample_plan(LIST, n=50)
    pd.testing.assert_frame_equal(plan.draw("dossier_id"), plan.draw("dossier_id"))


def test_everyone_is_drawn_as_often_as_said() -> None:
    people = dossiers(60, seed=2)
    plan = sample_plan(people, strata="field", n=12, response=0.8)
    counts = pd.Series(0.0, index=people["dossier_id"])
    rng, times = np.random.default_rng(1), 250
    for _ in range(times):
        drawn = plan.draw("dossier_id", rng=rng)
        counts[drawn["dossier_id"]] += 1 / times
    said = people["field"].map(plan.rows.set_index("field").eval("invited / population"))
    assert np.abs(counts.to_numpy() - said.to_numpy()).max() < 4.5 * np.sqrt(0.25 / times)


def test_sizes_draw_in_proportion_and_the_largest_for_certain() -> None:
    people = dossiers(300, seed=3)
    people.loc[7, "fee"] = people["fee"].sum()
    plan = sample_plan(people, n=30)
    drawn = plan.draw("dossier_id", method="pps", measure="fee", order="field")
    assert len(drawn) == 30
    giant = drawn[drawn["dossier_id"] == people.loc[7, "dossier_id"]].iloc[0]
    assert (giant["inclusion_probability"], giant["weight"], giant["certainty"]) == (1, 1, True)
    assert (drawn["fee"] * drawn["weight"]).sum() == pytest.approx(people["fee"].sum())
    others = drawn[~drawn["certainty"]]
    assert np.ptp(others["inclusion_probability"] / others["fee"]) < 1e-9


def test_a_systematic_draw_spreads_over_its_order() -> None:
    plan = sample_plan(LIST, n=80)
    drawn = plan.draw("dossier_id", method="systematic", order=["field", "days"])
    expected = 80 * LIST["field"].value_counts(normalize=True)
    assert (np.abs(drawn["field"].value_counts() - expected) <= 1).all()


def test_strata_stand_in_vietnamese_order_and_the_list_is_left_alone() -> None:
    before = LIST.copy()
    plan = sample_plan(LIST, strata="field", n=90)
    assert plan.rows["field"].tolist() == ["Đất đai", "Hộ tịch", "Y tế"]
    drawn = plan.draw("dossier_id")
    assert list(drawn.columns) == [*LIST.columns, "population", "inclusion_probability", "weight", "certainty"]
    assert drawn.groupby("field")["weight"].sum().to_dict() == pytest.approx(LIST.groupby("field").size().to_dict())
    pd.testing.assert_frame_equal(LIST, before)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["margin"]),
        ({"margin": 0.05, "n": 10}, ["margin"]),
        ({"margin": 0}, ["margin"]),
        ({"n": 0}, ["n "]),
        ({"n": 10**6}, ["1.000.000"]),
        ({"n": 9, "share": 1.2, "deff": -1, "response": 0, "minimum": 0}, ["share", "deff", "response", "minimum"]),
        ({"margin": 0.05, "share": {"Y tế": 0.5}}, ["Đất đai", "Hộ tịch"]),
        ({"margin": 0.05, "share": 0.5, "sd": 1}, ["sd"]),
        ({"margin": 0.05, "sd": "village"}, ["village"]),
        ({"margin": 0.05, "clusters": "village"}, ["rho"]),
        ({"margin": 0.05, "clusters": "days", "per_cluster": 5, "rho": 2}, ["rho"]),
        ({"margin": 0.01, "maximum": 20}, ["0,"]),
        ({"margin": 0.01, "target": "stratum", "response": 0.3}, ["Y tế"]),
        ({"n": 500, "minimum": 3000}, ["Y tế"]),
        ({"n": 500, "strata": ["field", "nowhere"]}, ["nowhere"]),
    ],
)  # fmt: skip
def test_wrong_plans_name_every_fault(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(DesignError) as told:
        sample_plan(LIST, **({"strata": "field"} | options))
    assert all(word in str(told.value) for word in words)


def test_bad_lists() -> None:
    alone = LIST.assign(field=LIST["field"].where(LIST.index > 0, "Một"))
    for frame, words in (
        (alone, "Một"), (LIST.iloc[:0], "trống"), (LIST.assign(field=LIST["field"].where(LIST.index > 2)), "3"),
    ):  # fmt: skip
        with pytest.raises(DesignError, match=words):
            sample_plan(frame, strata="field", n=50)
    astride = LIST.assign(village="V")
    with pytest.raises(DesignError, match="V"):
        sample_plan(astride, strata="field", n=50, clusters="village", per_cluster=5, rho=0)


def test_bad_draws_name_every_fault() -> None:
    frame = pd.concat([LIST, LIST.head(2)], ignore_index=True).assign(weight=1)
    frame.loc[5, "dossier_id"] = None
    with pytest.raises(DataError) as told:
        sample_plan(frame, n=50).draw("dossier_id", method="pps", measure="field")
    assert all(word in str(told.value) for word in ("weight", LIST["dossier_id"].iloc[0], "field", "1 dòng"))
    plan = sample_plan(LIST, n=50)
    for wrong in ({"ids": "nowhere"}, {"ids": "dossier_id", "method": "pps"}, {"ids": "dossier_id", "measure": "fee"}):
        with pytest.raises(DataError):
            plan.draw(**wrong)
    with pytest.raises(ValueError, match="method"):
        plan.draw("dossier_id", method="all")
    with pytest.raises(DataError):
        sample_plan(LIST, n=50, clusters="village", per_cluster=5, rho=0).draw(
            "dossier_id", method="pps", measure="fee"
        )


def test_table_and_figure() -> None:
    plan = sample_plan(LIST, strata="field", margin=0.05, response=0.9)
    table = plan.table()
    assert table.cells[-1][0] == "Cả các tầng"
    assert table.raw[-1][2] == plan.rows["n"].sum()
    assert [column.heading for column in table.columns][1:4] == ["Tổng thể", "Số phiếu cần có", "Số cần mời"]
    ax = plan.plot()
    np.testing.assert_allclose(ax.lines[0].get_xdata(), plan.rows["margin"] * 100)
    assert [text.get_text() for text in ax.get_yticklabels()] == plan.rows["field"].tolist()
    assert any("90%" in note for note in plan.notes)
    assert sample_plan(LIST, n=10).table().cells[0][0] == "Cả danh sách"


def test_a_margin_of_a_share_is_a_share_and_that_of_a_mean_is_not() -> None:
    people = pd.DataFrame({"days": np.arange(1000) % 30})
    with pytest.raises(DesignError, match="margin không thể bằng 5"):
        sample_plan(people, margin=5)
    assert sample_plan(people, margin=1.5, sd="days").overall["margin"].iloc[0] <= 1.5
