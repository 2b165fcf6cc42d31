"""`importance`: what parts of R² must satisfy, what is refused, and what is said."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.survey import importance, rake, replicates

seeds = st.integers(0, 10_000)
DESIGN = Design(weights="w", strata="h", clusters="c")


def frame(seed: int = 1, n: int = 240, p: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"h": np.arange(n) % 3, "c": np.arange(n) % 36, "w": rng.uniform(1, 6, n)})
    x = rng.normal(size=(n, 1)) + rng.normal(size=(n, p)) + (data["c"].to_numpy() % 5)[:, None] / 5
    data[[f"x{j}" for j in range(p)]] = x
    data["g"] = rng.choice(["Ba Đình", "Dĩ An", "Đống Đa"], n)
    latent = x[:, :3] @ [0.8, 0.4, 0.1] + (data["g"] == "Dĩ An") + rng.normal(0, 1.5, n)
    data["y"] = latent + data["w"] * x[:, 0] / 4
    data["q"] = np.digitize(data["y"], [-2, 0, 2, 4]) + 1
    return data


def survey(seed: int = 1, **columns: object) -> Survey:
    return Survey(responses=frame(seed).assign(**columns), design=DESIGN)


NAMES = ["x0", "x1", "x2", "x3"]


@settings(max_examples=25)
@given(seeds, st.sampled_from(["linear", "ordinal"]))
def test_parts_are_not_negative_and_sum_to_r_squared(seed: int, model: str) -> None:
    result = importance(survey(seed), "q", [*NAMES[:3], "g"], model=model)
    rows, r2 = result.rows, result.fit.loc[0, "r2"]
    assert rows["estimate"].sum() == pytest.approx(r2)
    assert (rows["estimate"] > -1e-12).all()
    assert rows["share"].sum() == pytest.approx(1)
    inside = rows["low"].notna()
    assert (rows.loc[inside, "low"] > 0).all()
    assert (rows.loc[inside, "high"] < 1).all()
    assert rows["estimate"].between(rows["low"], rows["high"]).all()
    assert rows["rank"].between(rows["rank_low"], rows["rank_high"]).all()


@settings(max_examples=10)
@given(seeds)
def test_order_of_rows_and_predictors_units_and_scale_of_weights_do_not_matter(seed: int) -> None:
    data = frame(seed)
    moved = data.assign(w=data["w"] * 7, x1=data["x1"] * 1000 - 5, y=-data["y"]).sample(frac=1, random_state=seed)
    one = importance(survey(seed), "y", NAMES).rows.set_index("variable")
    other = importance(Survey(responses=moved, design=DESIGN), "y", NAMES[::-1]).rows.set_index("variable").loc[NAMES]
    columns = ["estimate", "share", "se", "share_se", "low", "high"]
    np.testing.assert_allclose(one[columns], other[columns], rtol=1e-8)


def test_weights_change_every_answer() -> None:
    plain = Survey(responses=frame(), design=Design(strata="h", clusters="c"))
    for model in ("linear", "ordinal"):
        one, other = (importance(s, "q", NAMES, model=model).rows for s in (survey(), plain))
        for column in ("estimate", "share", "se", "share_se"):
            assert not np.allclose(one[column], other[column], rtol=1e-3)


def test_a_logistic_model_is_the_ordinal_one_of_two_levels() -> None:
    two = survey(yes=(frame()["q"] > 2))
    one, other = (importance(two, "yes", NAMES, model=model).rows for model in ("logistic", "ordinal"))
    pd.testing.assert_frame_equal(one, other)
    with pytest.raises(DataError, match="logistic"):
        importance(survey(), "q", NAMES, model="logistic")


def test_levels_of_a_predictor_are_one_player() -> None:
    coded = survey(code=frame()["g"].map({"Ba Đình": 1, "Dĩ An": 2, "Đống Đa": 3}))
    words, codes = importance(survey(), "y", ["x0", "g"]).rows, importance(coded, "y", ["x0", "C(code)"]).rows
    np.testing.assert_allclose(words["estimate"], codes["estimate"])
    assert importance(coded, "y", ["x0", "code"]).rows.loc[1, "estimate"] < words.loc[1, "estimate"]


def test_linearised_and_replicated_errors_agree() -> None:
    made = replicates(survey())
    taylor, jackknife = importance(survey(), "y", NAMES).rows, importance(made, "y", NAMES).rows
    np.testing.assert_allclose(taylor["se"], jackknife["se"], rtol=0.15)
    assert not np.allclose(taylor["se"], jackknife["se"], rtol=1e-4)
    ordinal = importance(made, "q", NAMES, model="ordinal")
    assert not any("không được ước lượng lại" in note for note in ordinal.notes)
    linearised = importance(survey(), "q", NAMES, model="ordinal").rows
    np.testing.assert_allclose(ordinal.rows["se"], linearised["se"], rtol=0.15)


def test_replicates_that_lack_a_level_are_told() -> None:
    data = frame().assign(g=np.where(frame()["c"] == 5, "Hiếm", frame()["g"]))
    with pytest.raises(DataError, match="1 .* 36 "):
        importance(replicates(Survey(responses=data, design=DESIGN)), "y", ["x0", "g"])


def test_the_variance_knows_of_raking() -> None:
    raked = rake(survey(), {"g": {"Ba Đình": 200.0, "Dĩ An": 300.0, "Đống Đa": 400.0}})
    one, other = importance(raked, "y", [*NAMES, "g"]).rows, importance(survey(), "y", [*NAMES, "g"]).rows
    assert not np.allclose(one["se"], other["se"], rtol=1e-3)


def test_pairs_compare_by_the_covariance() -> None:
    result = importance(survey(), "y", NAMES)
    pair = result.pairs.set_index(["variable", "other"]).loc[("x0", "x3")]
    v, rows = result.covariance, result.rows.set_index("variable")
    assert pair["estimate"] == pytest.approx(rows.loc["x0", "estimate"] - rows.loc["x3", "estimate"])
    assert pair["se"] ** 2 == pytest.approx(v.loc["x0", "x0"] + v.loc["x3", "x3"] - 2 * v.loc["x0", "x3"])
    assert pair["p_greater"] > 0.99
    assert pair["p_value"] == pytest.approx(2 * (1 - pair["p_greater"]))
    assert len(result.pairs) == 6


def many(p: int = 15) -> Survey:
    return Survey(responses=frame(p=p), design=DESIGN)


def test_beyond_twelve_predictors_orders_are_drawn_and_their_error_is_shown() -> None:
    names = [f"x{j}" for j in range(15)]
    one, again = importance(many(), "y", names, draws=5), importance(many(), "y", names, draws=5)
    pd.testing.assert_frame_equal(one.rows, again.rows)
    other = importance(many(), "y", names, draws=5, rng=np.random.default_rng(9)).rows
    error = one.rows["mc_se"]
    assert error.between(1e-7, 0.02).all()
    assert (np.abs(one.rows["estimate"] - other["estimate"]) <= 6 * np.hypot(error, other["mc_se"])).all()
    assert not np.allclose(one.rows["estimate"], other["estimate"], rtol=1e-9)
    assert one.rows["estimate"].sum() == pytest.approx(one.fit.loc[0, "r2"])
    assert one.fit.loc[0, "n_orders"] == 150
    assert any("chọn ngẫu nhiên 150 thứ tự" in note for note in one.notes)
    assert "Sai số do chọn thứ tự" in one.table()._repr_html_()
    assert (importance(many(), "y", names[:12]).rows["mc_se"] == 0).all()


def test_many_predictors_in_few_blocks_are_exact() -> None:
    names = [f"x{j}" for j in range(15)]
    blocks = {"one": names[:5], "two": names[5:10], "three": names[10:]}
    result = importance(many(), "y", names, blocks=blocks)
    assert result.rows["variable"].tolist() == list(blocks)
    assert (result.rows["mc_se"] == 0).all()
    sums = result.within.groupby("block", sort=False)["estimate"].sum()
    np.testing.assert_allclose(sums, result.rows["estimate"])


def test_a_domain_keeps_the_whole_design() -> None:
    inside = (frame()["h"] > 0) | (frame()["c"] == 0)
    rows = importance(survey(inside=inside), "y", NAMES, where="inside == True").rows
    assert np.isfinite(rows["se"]).all()
    assert rows["n"].unique().tolist() == [int(inside.sum())]


def test_without_association_the_parts_are_said_to_mean_nothing() -> None:
    rng = np.random.default_rng(4)
    result = importance(survey(y=rng.normal(size=240)), "y", ["x0", "x3"])
    assert any("ngẫu nhiên" in note for note in result.notes)
    assert not any("mức ngẫu nhiên" in note for note in importance(survey(), "y", NAMES).notes)


def test_too_few_units_for_the_predictors_leave_no_interval() -> None:
    small = Survey(responses=frame().assign(c=frame()["c"] % 6), design=DESIGN)
    result = importance(small, "y", NAMES)
    assert result.rows[["low", "high"]].isna().all(axis=None)
    assert result.rows["estimate"].gt(0).all()
    assert set(result.rows["rank_low"]) == {1}
    assert set(result.rows["rank_high"]) == {4}
    assert any("quá ít đơn vị mẫu" in note for note in result.notes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: importance(survey(y=1.0), "y", NAMES), "y giống nhau"),
        (lambda: importance(survey(x0=2.0), "y", NAMES), "x0 chỉ có một giá trị"),
        (lambda: importance(survey(x0=np.nan), "y", NAMES), "Không có phiếu nào"),
        (lambda: importance(survey(x3=frame()["x0"] * 2 + frame()["x1"]), "y", NAMES), "x3 được suy ra hoàn toàn"),
        (lambda: importance(survey(x0=frame()["q"] * 1.0), "q", NAMES, model="ordinal"), "x0 .* cho biết chắc chắn"),
        (lambda: importance(survey(), "y", ["x0", "x0"]), "một lần.*: x0"),
        (lambda: importance(survey(), "y", ["x0", "y"]), "một lần.*: y"),
        (lambda: importance(survey(), "y", []), "yếu tố"),
        (lambda: importance(survey(), "y", ["nowhere"]), "nowhere"),
        (lambda: importance(survey(), "y", NAMES, blocks={"b": ["x0", "g"]}), "xem lại g"),
        (lambda: importance(survey(), "y", NAMES, blocks={"b": ["x0"], "c": ["x0"]}), "xem lại x0"),
        (lambda: importance(survey(), "y", NAMES, blocks={"b": []}), "xem lại b"),
        (lambda: importance(survey(), "y", NAMES, model="tree"), "tree"),
        (lambda: importance(survey(), "g", NAMES), "g không phải là số"),
    ],
)
def test_refused_with_a_word(call, words: str) -> None:
    with pytest.raises(DataError, match=words):
        call()


def test_columns_with_odd_names() -> None:
    data = frame().rename(columns={"x0": "Câu 1.1", "x1": "x.1", "y": "hài lòng"})
    rows = importance(Survey(responses=data, design=DESIGN), "hài lòng", ["Câu 1.1", "x.1", "x2"]).rows
    np.testing.assert_allclose(rows["estimate"], importance(survey(), "y", NAMES[:3]).rows["estimate"])


def test_table_and_figure_run_from_the_largest() -> None:
    result = importance(survey(), "y", NAMES[::-1])
    cells = result.table().cells
    assert [row[0] for row in cells] == result.rows.sort_values("estimate", ascending=False)["variable"].tolist()
    axes = result.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == [row[0] for row in cells]
    assert any(text.get_text().endswith("%") for text in axes.texts)
    with language("en"):
        assert "cause" in importance(survey(), "y", NAMES).notes[0]


def test_names_that_python_reads_otherwise_are_columns_all_the_same() -> None:
    strange = dict(zip(NAMES[:3], ["class", unicodedata.normalize("NFD", "tiếp_cận"), "m²"], strict=True))
    there = Survey(responses=frame().rename(columns=strange), design=DESIGN)
    found, plain = importance(there, "y", list(strange.values())).rows, importance(survey(), "y", NAMES[:3]).rows
    assert found["variable"].tolist() == list(strange.values())
    np.testing.assert_allclose(found[["estimate", "se"]], plain[["estimate", "se"]], rtol=1e-10)


def test_one_predictor_may_be_named_by_itself() -> None:
    assert importance(survey(), "y", "x0").rows.equals(importance(survey(), "y", ["x0"]).rows)
