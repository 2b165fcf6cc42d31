"""`drivers`, `importance_performance`, `penalty_reward`: planted effects found, nobody lost, every side consistent."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.io.survey_files import read_survey
from khaosat.survey import (
    drivers,
    glm,
    importance,
    importance_performance,
    mean,
    ordinal,
    penalty_reward,
    satisfaction_index,
)
from khaosat.survey.driver_result import verdicts
from tests.shared import shared
from tests.survey.surveys import questionnaire

DESIGN = Design(weights="w", strata="h", clusters="c")
KCMO = Path(__file__).resolve().parent.parent / "real" / "kcmo"


def frame(seed: int = 1, n: int = 900) -> pd.DataFrame:
    """Overall satisfaction rests on s (much), p (some); f is asked of those who complained and does nothing."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"h": np.arange(n) % 3, "c": np.arange(n) % 60, "w": rng.uniform(1, 5, n)})
    place = rng.normal(0, 0.3, 60)[data["c"]]
    general = rng.normal(size=n)
    latent = {name: place + 0.6 * general + 0.8 * rng.normal(size=n) for name in ("p", "s", "f")}

    def cut(values: np.ndarray) -> np.ndarray:
        return np.digitize(values, [-1.8, -1, -0.2, 1]) + 1

    for item in ("p1", "p2", "s1", "s2", "f1"):
        data[item] = cut(latent[item[0]] + 0.5 * rng.normal(size=n)).astype(float)
    data["overall"] = cut(0.9 * latent["s"] + 0.4 * latent["p"] + 0.6 * rng.normal(size=n)).astype(float)
    data["p0"] = data["p1"]
    data["complained"] = np.where(rng.random(n) < 0.25, 1, 2)
    data["age"] = rng.integers(18, 80, n)
    data.loc[data["complained"] == 2, "f1"] = np.nan
    for item in ("p1", "p2", "s1", "s2"):
        data.loc[rng.random(n) < 0.08, item] = 9
    return data


def survey(seed: int = 1, **columns: object) -> Survey:
    return Survey(
        responses=frame(seed).assign(**columns), design=DESIGN, questionnaire=questionnaire(overall="overall")
    )


@cache
def found():
    return drivers(survey())


def by_name(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.set_index("variable")


# Effects --------------------------------------------------------------------------------------------------------------


def test_what_was_planted_is_found() -> None:
    rows = by_name(found().rows)
    assert rows["verdict"].to_dict() == {"p": "important", "s": "important", "f": "unclear"}
    assert rows["rank"].to_dict() == {"p": 2, "s": 1, "f": 3}
    assert rows.loc["s", "per_sd"] < rows.loc["p", "per_sd"] < 0
    assert found().importance.rows["rank"].tolist() == found().rows["rank"].tolist()


def test_nobody_is_lost_by_a_skip_rule_and_few_by_not_knowing() -> None:
    rows = by_name(found().rows)
    asked = int((frame()["complained"] == 1).sum())
    assert 150 < rows.loc["f", "n"] <= asked
    unknown = {factor: int(frame()[[f"{factor}1", f"{factor}2"]].eq(9).all(axis=1).sum()) for factor in "ps"}
    assert min(unknown.values()) > 0
    assert set(rows["n_missing"]) == {0}
    assert {factor: 900 - rows.loc[factor, "n"] for factor in "ps"} == unknown
    assert any(note.startswith(f"Tiếp nhận phản ánh: {900 - rows.loc['f', 'n']} người") for note in found().notes)
    assert any(note.startswith(f"Nhiều nhất {max(unknown.values())} người") for note in found().notes)


def test_not_knowing_has_a_term_where_it_is_frequent_and_one_where_it_is_the_same() -> None:
    rng = np.random.default_rng(3)
    silent = rng.random(900) < 0.2
    columns = {item: frame()[item].mask(silent, 9) for item in ("s1", "s2", "p1", "p2")}
    result = drivers(survey(**columns), cross_check=False)
    terms = result.effects.loc[result.effects["contrast"] == "1 - 0", "variable"].tolist()
    assert terms[-1] == "f_not_asked"
    assert terms[0] == "p_unknown"
    assert set(result.rows["n_missing"]) == {0}
    items = drivers(survey(**{item: frame()[item].mask(silent) for item in ("s1", "s2")}), detail="items",
                    cross_check=False)  # fmt: skip
    assert (items.effects["variable"] == "s1_unknown").sum() == 1


def test_effects_are_marginal_effects_of_the_cumulative_model() -> None:
    """By the public verb, where nobody lacks a view: the share at the lowest level needs no sum."""
    data = frame().assign(f1=3.0, p=frame()["p1"].replace(9, np.nan), s=frame()["s1"].replace(9, np.nan)).dropna(
        subset=["p", "s"])  # fmt: skip
    plain = Survey(responses=data, design=DESIGN)
    result = drivers(
        plain, outcome="overall", predictors=["p", "s"], dissatisfied=[1], covariates=[], cross_check=False
    )
    effects = ordinal(plain, "overall ~ p + s", hessian="analytic").marginal_effects
    lowest = effects[effects["level"] == "1"]
    for column in ("estimate", "se", "low", "high", "df", "p_value"):
        np.testing.assert_allclose(result.rows[column], lowest[column], rtol=1e-6)
    sd = [np.sqrt(np.cov(data[name], aweights=data["w"], ddof=0)) for name in ("p", "s")]
    np.testing.assert_allclose(result.rows["per_sd"], lowest["estimate"].to_numpy() * sd, rtol=1e-6)


def test_the_effect_of_what_some_were_not_asked_is_that_among_those_asked() -> None:
    """By hand from the coefficients of the public verb, its error by leaving out each of 20 clusters."""
    data = frame().assign(c=np.arange(900) % 20).replace({item: {9: 3} for item in ("p1", "p2", "s1", "s2")})
    asked = (data["complained"] == 1).to_numpy()
    design = Design(weights="w", clusters="c")

    def by_hand(rows: pd.DataFrame, about: np.ndarray) -> float:
        f = rows["f1"].where(about, np.average(rows["f1"][about], weights=rows["w"][about]))
        made = rows.assign(
            p=(rows["p1"] + rows["p2"]) / 2, s=(rows["s1"] + rows["s2"]) / 2, f=f, not_asked=~about * 1.0
        )
        fit = ordinal(Survey(responses=made, design=design), "overall ~ p + s + f + not_asked").rows.set_index("term")
        beta = fit["estimate"].iloc[:4].to_numpy()
        q = fit.loc["3|4", "estimate"] - made[["p", "s", "f", "not_asked"]].to_numpy() @ beta
        slope = -beta[2] * np.exp(-q) / (1 + np.exp(-q)) ** 2
        return float(np.average(slope[about], weights=rows["w"][about]))

    sample = Survey(responses=data, design=design, questionnaire=questionnaire(overall="overall"))
    found = drivers(sample, covariates=[], cross_check=False)
    row = by_name(found.rows).loc["f"]
    assert row["estimate"] == pytest.approx(by_hand(data, asked), rel=1e-5)
    assert row["n"] == asked.sum()
    left_out = [by_hand(data[data["c"] != c], asked[data["c"] != c]) for c in range(20)]
    assert row["se"] == pytest.approx(np.sqrt(19 / 20 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2)), rel=0.1)


def test_weights_change_every_side() -> None:
    plain = drivers(replace(survey(), design=Design(strata="h", clusters="c")))
    for one, other in (
        (found().rows["estimate"], plain.rows["estimate"]),
        (found().rows["se"], plain.rows["se"]),
        (found().rows["share"], plain.rows["share"]),
        (found().ipa.rows["performance"], plain.ipa.rows["performance"]),
        (found().cross_check["boosted"], plain.cross_check["boosted"]),
        (found().collinearity["vif"], plain.collinearity["vif"]),
        (found().proportional_odds["statistic"], plain.proportional_odds["statistic"]),
    ):
        assert not np.allclose(one, other, rtol=1e-4)


def test_dissatisfied_is_what_does_not_count_as_satisfied() -> None:
    same = drivers(survey(), dissatisfied=[1, 2, 3], cross_check=False).rows
    pd.testing.assert_frame_equal(same, found().rows)
    strict = by_name(drivers(survey(), dissatisfied=[1, 2], cross_check=False).rows)
    assert abs(strict.loc["s", "estimate"]) < abs(by_name(found().rows).loc["s", "estimate"])
    for wrong in ([2, 3], [1, 2, 3, 4, 5], [7]):
        with pytest.raises(DataError, match="dissatisfied"):
            drivers(survey(), dissatisfied=wrong)


def test_verdicts_follow_from_intervals_and_the_smallest_change_that_matters() -> None:
    low, high = np.array([-0.1, np.nan]), np.array([-0.005, np.nan])
    assert verdicts(low, high, smallest=0.01) == ["unclear", "unclear"]
    assert verdicts(low, high, smallest=0.001) == ["important", "unclear"]
    assert drivers(survey(), smallest=0.5, cross_check=False).rows["verdict"].tolist() == ["small"] * 3


def test_covariates_hold_constant_and_lose_nobody() -> None:
    field = np.where(np.arange(900) % 3 == 0, "Đất đai", np.where(np.arange(900) % 3 == 1, "Hộ tịch", None))
    field[:4] = "Hiếm"
    result = drivers(survey(field=field), covariates=["age", "field"], cross_check=False)
    assert result.rows["n_missing"].tolist() == found().rows["n_missing"].tolist()
    contrasts = result.effects.loc[result.effects["variable"] == "field", "contrast"].tolist()
    assert len(contrasts) == 2, "Hiếm is too rare for a coefficient and joins the most frequent answer"
    assert any(name.startswith("không rõ") for name in contrasts)
    assert any("dưới 10 phiếu" in note for note in result.notes)
    assert "age" in result.effects["variable"].tolist()
    pd.testing.assert_frame_equal(
        result.effects.loc[:2, ["estimate", "low"]], result.rows[["estimate", "low"]], check_names=False
    )


def test_within_units_the_means_of_units_explain_nothing() -> None:
    """A unit that scores high on everything raises both: within units the effect is the planted one."""
    data = frame()
    unit = np.arange(900) % 12
    lift = np.where(unit < 6, 1.0, 0.0)
    data["s1"] = np.where(data["s1"] == 9, 9, np.clip(data["s1"] + lift, 1, 5))
    data["overall"] = np.clip(data["overall"] - lift, 1, 5)  # such units are liked less for another reason
    sample = Survey(responses=data.assign(unit=unit), design=DESIGN, questionnaire=questionnaire(overall="overall"))
    between, within = (by_name(drivers(sample, unit=u, cross_check=False).rows) for u in (None, "unit"))
    assert within.loc["s", "estimate"] < between.loc["s", "estimate"] - 0.01
    assert within.loc["s", "df"] == between.loc["s", "df"] - 3


def test_items_instead_of_factors_and_an_outcome_of_ones_own() -> None:
    result = drivers(survey(), detail="items", cross_check=False)
    assert result.rows["variable"].tolist() == ["p1", "p2", "s1", "s2", "f1"]
    other = drivers(survey(), outcome="p0", cross_check=False)
    assert other.rows["variable"].tolist() == ["p", "s", "f"]
    assert by_name(other.rows).loc["p", "rank"] == 1
    part = drivers(survey(), part="policy", cross_check=False)
    assert part.rows["variable"].tolist() == ["p"]
    assert part.title.endswith("Câu p0")


def test_importance_is_of_the_same_respondents_and_of_what_covariates_leave() -> None:
    data = frame().replace({"p1": {9: np.nan}, "s1": {9: np.nan}})
    plain = Survey(responses=data, design=DESIGN)
    kept = dict.fromkeys(["estimate", "share", "se", "rank", "n"])
    result = drivers(
        plain, outcome="overall", predictors=["p1", "s1"], covariates=["age"], cross_check=False,
        where="p1 >= 1 and s1 >= 1",
    ).importance.rows  # fmt: skip
    direct = importance(plain, "overall", ["p1", "s1"], always=["age"]).rows
    pd.testing.assert_frame_equal(result[list(kept)], direct[list(kept)])


# Cross-check and diagnostics ------------------------------------------------------------------------------------------


def test_trees_and_line_agree_on_straight_effects_and_disagree_on_a_joint_one() -> None:
    assert found().cross_check["agrees"].all()
    assert any("không bỏ sót" in note for note in found().notes)
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.integers(1, 6, (900, 3)), columns=["a", "b", "z"]).assign(c=np.arange(900) % 45)
    joint = 1.0 * ((data["a"] > 3) == (data["b"] > 3)) + 0.3 * (data["z"] - 3) + rng.normal(0, 0.3, 900)
    data["y"] = np.digitize(joint, [-0.3, 0.3, 0.8, 1.3])
    result = drivers(Survey(responses=data, design=Design(clusters="c")), outcome="y", predictors=["a", "b", "z"])
    assert not by_name(result.cross_check)["agrees"].all()
    assert any("che mất" in note for note in result.notes)
    assert any("không thống nhất" in note for note in result.notes)


def test_collinear_scores_are_said() -> None:
    rng = np.random.default_rng(0)
    twin = frame()["age"] / 20 + rng.normal(0, 0.05, 900)
    result = drivers(
        Survey(responses=frame().assign(twin=twin, other=frame()["age"] / 20), design=DESIGN), outcome="overall",
        predictors=["twin", "other"], covariates=[], cross_check=False,
    )  # fmt: skip
    assert result.collinearity["vif"].min() > 20
    assert any("Cộng tuyến" in note and "không đọc riêng" in note for note in result.notes)
    assert any("không đáng ngại" in note for note in found().notes)


def test_too_few_units_to_hold_out() -> None:
    small = Survey(responses=frame().assign(c=frame()["h"], h=1), design=Design(clusters="c"),
                   questionnaire=questionnaire(overall="overall"))  # fmt: skip
    result = drivers(small)
    assert result.cross_check.empty
    assert result.rows[["low", "high", "p_value"]].isna().all(axis=None)
    assert set(result.rows["verdict"]) == {"unclear"}
    assert set(result.ipa.rows["quadrant"]) == {"unclear"}
    assert any("quá ít đơn vị mẫu" in note for note in result.notes)


# The map --------------------------------------------------------------------------------------------------------------


def test_performance_is_that_of_the_index_and_importance_that_of_the_parts() -> None:
    rows = by_name(found().ipa.rows)
    index = satisfaction_index(survey()).rows.set_index("id")
    for column, name in (("estimate", "performance"), ("se", "performance_se"), ("low", "performance_low")):
        np.testing.assert_allclose(rows[name], index.loc[["p", "s", "f"], column])
    np.testing.assert_allclose(rows["importance"], found().rows["share"])
    np.testing.assert_allclose(rows["importance_se"], found().importance.rows["share_se"])
    assert rows["importance_gap"].sum() == pytest.approx(0, abs=1e-12)
    alone = importance_performance(survey()).rows
    pd.testing.assert_frame_equal(alone, found().ipa.rows)


def test_a_point_is_unclear_exactly_if_an_interval_crosses_a_line() -> None:
    for how in ("share", "effect"):
        rows = importance_performance(survey(), importance=how).rows
        crosses = np.logical_or.reduce(
            [(rows[f"{axis}_gap_low"] <= 0) & (rows[f"{axis}_gap_high"] >= 0) for axis in ("importance", "performance")]
        )
        assert ((rows["quadrant"] == "unclear") == crosses).all()


def test_the_four_quadrants() -> None:
    rng = np.random.default_rng(6)
    n = 1500
    strong, weak = (rng.integers(1, 6, (n, 2)) for _ in range(2))
    data = pd.DataFrame({
        "poor": np.maximum(strong[:, 0] - 1, 1), "good": np.minimum(strong[:, 1] + 1, 5),
        "poor_idle": np.maximum(weak[:, 0] - 1, 1), "good_idle": np.minimum(weak[:, 1] + 1, 5),
    })  # fmt: skip
    data["y"] = np.digitize(data["poor"] + data["good"] + rng.normal(size=n), [4, 5, 6, 8])
    result = importance_performance(Survey(responses=data), outcome="y", predictors=list(data.columns[:4]))
    assert by_name(result.rows)["quadrant"].to_dict() == {
        "poor": "concentrate", "good": "keep_up", "poor_idle": "low_priority", "good_idle": "overkill",
    }  # fmt: skip
    assert result.performance_scale == "score"
    np.testing.assert_allclose(
        result.rows["performance"], mean(Survey(responses=data), list(data)[:4]).rows["estimate"]
    )


def test_stated_importance() -> None:
    rng = np.random.default_rng(1)
    sample = survey(imp_p=rng.integers(1, 3, 900), imp_s=rng.integers(3, 6, 900))
    result = importance_performance(sample, stated={"s": "imp_s", "p": "imp_p"})
    assert result.rows["variable"].tolist() == ["p", "s"]
    np.testing.assert_allclose(result.rows["importance"], mean(sample, ["imp_p", "imp_s"]).rows["estimate"])
    with pytest.raises(DataError, match="nowhere"):
        importance_performance(sample, stated={"nowhere": "imp_p"})


# Penalty and reward ---------------------------------------------------------------------------------------------------


def contrast_frame(curve: dict[str, tuple[float, float]], *, n: int = 2000) -> Survey:
    rng = np.random.default_rng(8)
    data = pd.DataFrame(rng.integers(1, 6, (n, len(curve))), columns=list(curve)).assign(c=np.arange(n) % 80)
    data["y"] = 3 + rng.normal(0, 0.5, n)
    for name, (down, up) in curve.items():
        data["y"] += down * np.minimum(data[name] - 3.5, 0) + up * np.maximum(data[name] - 3.5, 0)
    return Survey(responses=data, design=Design(clusters="c"))


def test_basic_performance_and_excitement_factors() -> None:
    sample = contrast_frame({"base": (0.6, 0.0), "line": (0.3, 0.3), "joy": (0.0, 0.6), "none": (0.0, 0.0)})
    result = penalty_reward(sample, outcome="y", predictors=["base", "line", "joy", "none"])
    assert by_name(result.rows)["kind"].to_dict() == {
        "base": "basic", "line": "performance", "joy": "excitement", "none": "unclear",
    }  # fmt: skip


def test_penalties_are_coefficients_of_the_regression() -> None:
    sample = contrast_frame({"base": (0.6, 0.0), "line": (0.3, 0.3)})
    rows = by_name(penalty_reward(sample, outcome="y", predictors=["base", "line"]).rows)
    direct = glm(sample, "y ~ I(base < 3) + I(base > 4) + I(line < 3) + I(line > 4)").rows.set_index("term")
    assert rows.loc["base", "penalty"] == pytest.approx(direct.loc["I(base<3)", "estimate"])
    assert rows.loc["line", "reward_se"] == pytest.approx(direct.loc["I(line>4)", "se"])
    data = sample.responses
    means = [data.loc[on, "line"].mean() for on in (data["line"] < 3, data["line"].isin([3, 4]), data["line"] > 4)]
    by_hand = rows.loc["line", "reward"] / (means[2] - means[1]) + rows.loc["line", "penalty"] / (means[1] - means[0])
    assert rows.loc["line", "contrast"] == pytest.approx(by_hand)
    assert rows.loc["line", ["n_low", "n_high"]].tolist() == [(data["line"] < 3).sum(), (data["line"] > 4).sum()]


def test_a_side_with_few_has_no_value_and_that_is_said() -> None:
    data = frame()
    data["s1"], data["s2"] = (data[name].clip(lower=3).where(data[name] != 9, 9) for name in ("s1", "s2"))
    result = penalty_reward(Survey(responses=data, design=DESIGN, questionnaire=questionnaire(overall="overall")))
    row = by_name(result.rows).loc["s"]
    assert np.isnan(row["penalty"])
    assert np.isfinite(row["reward"])
    assert row["kind"] == "unclear"
    assert any("1 yếu tố có dưới 10 người" in note for note in result.notes)
    with pytest.raises(DataError, match="cuts"):
        penalty_reward(survey(), cuts=(0, 6))


# Weak data ------------------------------------------------------------------------------------------------------------


def test_unusable_factors_are_left_out_and_said() -> None:
    result = drivers(survey(s1=9, s2=9, f1=4.0), cross_check=False)
    assert result.rows["variable"].tolist() == ["p"]
    assert any("Yếu tố phục vụ: chỉ 0 người" in note for note in result.notes)
    assert any("Tiếp nhận phản ánh: mọi người trả lời như nhau" in note for note in result.notes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: drivers(survey(overall=4)), "overall giống nhau"),
        (lambda: drivers(survey(overall=9)), "Không ai .* overall"),
        (lambda: drivers(survey(p1=9, p2=9, s1=9, s2=9, f1=9)), "Yếu tố phục vụ: chỉ 0 người"),
        (lambda: drivers(survey(s1=frame()["p1"], s2=frame()["p2"])), "^s được suy ra hoàn toàn"),
        (lambda: drivers(survey(p1=frame()["overall"], p2=frame()["overall"])), "^p, .* cho biết chắc chắn"),
        (lambda: drivers(Survey(responses=frame())), "outcome"),
        (lambda: drivers(survey(), part="nowhere"), "nowhere"),
        (lambda: drivers(survey(), predictors=["p", "p"]), "một lần.*: p"),
        (lambda: drivers(survey(), predictors=["w"]), "thiết kế mẫu: w"),
        (lambda: drivers(survey(), outcome="nowhere", predictors=["p"]), "nowhere"),
        (lambda: drivers(survey(), where="age > 200"), "Không ai"),
        (lambda: importance_performance(survey(), importance="gut"), "gut"),
    ],
)
def test_refused_with_a_word(call, words: str) -> None:
    with pytest.raises(DataError, match=words):
        call()


def test_answers_stay_as_they_were() -> None:
    sample = survey()
    before = sample.responses.copy()
    drivers(sample, covariates=["age"], cross_check=False)
    penalty_reward(sample)
    pd.testing.assert_frame_equal(sample.responses, before)


# Words and figures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [drivers, importance_performance, penalty_reward])
def test_tables_and_figures_speak_and_small_cells_stay_hidden(verb) -> None:
    options = {"cross_check": False} if verb is drivers else {}
    result = verb(survey(), **options)
    text = result.table()._repr_html_()
    assert "Yếu tố phục vụ" in text
    assert not {"important", "unclear", "concentrate", "basic"} & set(text.replace("<", " ").replace(">", " ").split())
    shown = " ".join(t.get_text() for t in result.plot().figure.findobj(lambda o: hasattr(o, "get_text")))
    assert "Yếu tố phục vụ" in shown
    few = replace(result, rows=result.rows.assign(n=np.where(result.rows["variable"] == "f", 3, result.rows["n"])))
    assert "…" in few.table()._repr_html_()
    shown = " ".join(t.get_text() for t in few.plot().figure.findobj(lambda o: hasattr(o, "get_text")))
    assert "Tiếp nhận phản ánh" not in shown
    assert any("nguyên nhân" in note or "tác động" in note for note in result.notes)
    with language("en"):
        assert any("cause" in note or "association" in note for note in verb(survey(), **options).notes)


def test_kansas_city() -> None:
    """Real answers: streets and communication go with dissatisfaction; courts and airport do not measurably."""
    kcmo = read_survey(shared("data/kcmo/kcmo_2021q3.csv.gz"), questionnaire=KCMO)
    items = [f"q3_{i:02d}" for i in range(1, 17)]
    result = drivers(kcmo, outcome="q2_01", predictors=items, cross_check=False)
    rows = by_name(result.rows)
    assert rows["rank"].nsmallest(3).index.tolist() == ["q3_03", "q3_13", "q3_04"]
    assert rows.index[rows["verdict"] == "important"].tolist() == ["q3_03", "q3_04", "q3_13"]
    assert rows.loc["q3_03", ["n", "n_missing"]].tolist() == [1014, 15]
    assert rows.loc["q3_11", "n"] < 650, "a third do not know the courts, and stay in the model"
    assert result.importance.rows["mc_se"].between(0, 0.001, inclusive="right").all()
    complete = importance(kcmo, "q2_01", items)
    assert set(complete.rows["n"]) == {452}, "listwise more than half would be lost"


def test_penalties_need_somebody_in_between() -> None:
    rng = np.random.default_rng(5)
    people = pd.DataFrame({"x": rng.integers(0, 2, 200), "z": rng.integers(1, 6, 200), "whole": rng.normal(size=200)})
    with language("en"), pytest.raises(DataError, match=r"Nobody has a score of x from 2\.5 to 3\.8"):
        penalty_reward(Survey(responses=people), outcome="whole", predictors=["x", "z"])


def test_one_predictor_may_be_named_by_itself() -> None:
    one, listed = (drivers(survey(), predictors=named, cross_check=False).rows for named in ("p", ["p"]))
    pd.testing.assert_frame_equal(one, listed)
