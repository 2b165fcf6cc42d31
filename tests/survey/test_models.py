"""Models of survey answers: identities, categorical terms, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError, DesignError
from khaosat.facts.language import language
from khaosat.survey import mean
from khaosat.survey.models import glm
from khaosat.survey.ordinal_model import ordinal
from khaosat.survey.replication import replicates
from khaosat.survey.weighting import rake
from tests.survey.surveys import drawn, questionnaire

seeds = st.integers(0, 10_000)
NUMBERS = ["estimate", "se", "low", "high", "t"]


def frame(seed: int = 1, n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"h": np.arange(n) % 3, "c": np.arange(n) % 24, "w": rng.uniform(1, 6, n)})
    data["x"] = rng.normal(2, 1, n)
    data["g"] = rng.choice(["Đống Đa", "Dĩ An", "Ba Đình"], n)
    latent = 0.8 * data["x"] + (data["g"] == "Dĩ An") + rng.logistic(0, 1, n) + data["w"] / 4
    data["q"] = np.digitize(latent, [1, 2, 3.2, 4.5]) + 1
    data["yes"] = np.where(latent > 3, "có", "không")
    return data


DESIGN = Design(weights="w", strata="h", clusters="c")


def survey(seed: int = 1, **columns: object) -> Survey:
    return Survey(responses=frame(seed).assign(**columns), design=DESIGN)


def close(a: object, b: object, rtol: float = 1e-8) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=rtol, atol=1e-10)


# Identities -----------------------------------------------------------------------------------------------------------


@given(seeds)
def test_a_dummy_is_the_difference_of_domain_means(seed: int) -> None:
    sample = drawn(seed, n_strata=3)
    rows = glm(sample, "y ~ 0 + g").rows.set_index("term")
    means = mean(sample, "y", by="g").rows.set_index("g")
    answered = means[means["n"] > 0]
    close(rows["estimate"], answered["estimate"])
    close(rows["se"], answered["se"])
    slopes = glm(sample, "y ~ g").rows["estimate"].to_numpy()
    close(slopes[1:], answered["estimate"].to_numpy()[1:] - answered["estimate"].iloc[0])


@settings(max_examples=20)
@given(seeds, st.floats(0.01, 1000))
def test_the_scale_of_the_weights_and_the_order_of_rows_do_not_matter(seed: int, factor: float) -> None:
    sample = survey(seed)
    scaled = Survey(
        responses=sample.responses.assign(w=sample.responses["w"] * factor).sample(frac=1, random_state=seed),
        design=DESIGN,
    )
    for family, outcome in (("gaussian", "q"), ("binomial", "yes"), ("poisson", "q")):
        close(*(glm(s, f"{outcome} ~ x + g", family=family).rows[NUMBERS] for s in (sample, scaled)), 1e-6)
    close(*(ordinal(s, "q ~ x + g").rows[NUMBERS] for s in (sample, scaled)), 1e-6)


@settings(max_examples=20)
@given(seeds, st.sampled_from(["logit", "probit"]))
def test_levels_turned_round_turn_the_signs(seed: int, link: str) -> None:
    forth, back = (ordinal(s, "q ~ x + g", link=link, hessian="analytic").rows for s in (
        survey(seed), survey(seed, q=-frame(seed)["q"])))  # fmt: skip
    slopes = forth["term"].str.contains("|", regex=False).to_numpy()
    close(forth.loc[~slopes, ["estimate", "se"]], back.loc[~slopes, ["estimate", "se"]] * [-1, 1], 1e-6)
    close(forth.loc[slopes, ["estimate", "se"]], back.loc[slopes, ["estimate", "se"]][::-1] * [-1, 1], 1e-6)


def test_cloglog_and_loglog_are_mirrors() -> None:
    one = ordinal(survey(), "q ~ x", link="cloglog", hessian="analytic").rows
    other = ordinal(survey(q=-frame()["q"]), "q ~ x", link="loglog", hessian="analytic").rows
    close(one.loc[0, ["estimate", "se"]], other.loc[0, ["estimate", "se"]] * [-1, 1], 1e-7)


def test_units_of_measurement_do_not_matter() -> None:
    """R's difference step would be far too long for minutes in millions: the exact Hessian is taken, and said."""
    small, large = survey(), survey(x=frame()["x"] * 1e6)
    close(glm(small, "q ~ x").rows["t"], glm(large, "q ~ x").rows["t"])
    result = ordinal(large, "q ~ x")
    close(ordinal(small, "q ~ x", hessian="analytic").rows["t"], result.rows["t"], 1e-7)
    assert any("svyolr" in note for note in result.notes)
    assert not any("svyolr" in note for note in ordinal(small, "q ~ x").notes)


def test_two_levels_are_a_logit_model() -> None:
    two, logit = ordinal(survey(), "yes ~ x", hessian="analytic"), glm(survey(), "yes ~ x", family="binomial")
    close(two.rows.loc[0, ["estimate", "se"]], logit.rows.loc[1, ["estimate", "se"]], 1e-5)
    assert two.proportional_odds.empty


def test_weights_change_the_answer() -> None:
    unweighted = Survey(responses=frame(), design=Design(strata="h", clusters="c"))
    for one, other in (
        (glm(survey(), "q ~ x").rows, glm(unweighted, "q ~ x").rows),
        (ordinal(survey(), "q ~ x").rows, ordinal(unweighted, "q ~ x").rows),
        (ordinal(survey(), "q ~ x").marginal_effects, ordinal(unweighted, "q ~ x").marginal_effects),
        (ordinal(survey(), "q ~ x").predicted, ordinal(unweighted, "q ~ x").predicted),
    ):
        assert not np.allclose(one["estimate"], other["estimate"], rtol=1e-4)
        assert not np.allclose(one["se"], other["se"], rtol=1e-4)


def test_a_domain_keeps_the_whole_design() -> None:
    """A stratum of which the domain has one unit still has the others: no lonely unit, as with a subset of rows."""
    data = frame()
    inside = (data["h"] > 0) | (data["c"] == 0)
    rows = glm(survey(inside=inside), "q ~ x", where="inside == True").rows
    assert np.isfinite(rows["se"]).all()
    with pytest.raises(DesignError):
        glm(Survey(responses=data[inside], design=DESIGN), "q ~ x")


def test_jackknife_fits_again() -> None:
    sample = survey()
    made = replicates(sample, method="jackknife")
    for model in (lambda s: glm(s, "yes ~ x", family="binomial").rows, lambda s: ordinal(s, "q ~ x").rows):
        taylor, jackknife = model(sample), model(made)
        close(taylor["estimate"], jackknife["estimate"])
        close(taylor["se"], jackknife["se"], 0.05)
        assert not np.allclose(taylor["se"], jackknife["se"], rtol=1e-4)


def test_a_model_knows_of_raking() -> None:
    """The mean of a raked survey by another route; the totals raked to have no error."""
    margin = {"g": {"Ba Đình": 200.0, "Dĩ An": 300.0, "Đống Đa": 400.0}}
    raked = rake(survey(), margin)
    whole, alone = glm(raked, "q ~ 1").rows.loc[0], mean(raked, "q").rows.loc[0]
    close(whole[["estimate", "se"]], alone[["estimate", "se"]])
    certain = glm(raked.__class__(responses=raked.responses.assign(is_a=(raked.responses["g"] == "Dĩ An") * 1.0),
                                  design=DESIGN, adjustments=raked.adjustments), "is_a ~ 1").rows.loc[0]  # fmt: skip
    close(certain["estimate"], 1 / 3)
    assert certain["se"] < 1e-8
    assert not np.allclose(ordinal(raked, "q ~ x").rows["se"], ordinal(survey(), "q ~ x").rows["se"], rtol=1e-4)


def test_replicates_that_lack_an_answer_are_told() -> None:
    data = frame()
    data["q"] = np.where(data["c"] == 0, 1, np.maximum(data["q"], 2))
    made = replicates(Survey(responses=data, design=DESIGN), method="jackknife")
    with pytest.raises(DataError, match="1 "):
        ordinal(made, "q ~ x")


def test_replicate_columns_bring_their_degrees_of_freedom() -> None:
    data = frame()
    columns = [f"r{j}" for j in range(8)]
    for j, name in enumerate(columns):
        data[name] = data["w"] * np.where(data["c"] % 8 == j, 0, 8 / 7)
    design = Design(weights="w", replicate_weights=columns, replicate_method="jackknife")
    rows = glm(Survey(responses=data, design=design), "q ~ x + g").rows
    assert set(rows["df"]) == {8 - 1 - 3}


@pytest.mark.parametrize("model", [lambda s: glm(s, "yes ~ x", family="binomial"), lambda s: ordinal(s, "q ~ x")])
def test_an_extreme_fit_that_is_finite_is_kept(model: Callable[[Survey], object]) -> None:
    far = frame()["x"].where(np.arange(240) > 0, 60.0 if frame()["q"].iloc[0] > 3 else -60.0)
    assert np.isfinite(model(survey(x=far)).rows["se"]).all()


def test_a_fit_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khaosat.stats.ordinal._ROUNDS", 1)
    monkeypatch.setattr("khaosat.stats.glm._ROUNDS", 1)
    for model in (lambda: glm(survey(), "q ~ x", family="poisson"), lambda: ordinal(survey(), "q ~ x")):
        with pytest.raises(DataError):
            model()


# Consequences of a cumulative model -----------------------------------------------------------------------------------


def test_marginal_effects_and_predictions_add_up() -> None:
    result = ordinal(survey(), "q ~ x + g")
    effects, predicted = result.marginal_effects, result.predicted
    close(effects.groupby(["variable", "contrast"])["estimate"].sum(), np.zeros(3))
    close(predicted.groupby(["variable", "value"], sort=False)["estimate"].sum(), np.ones(7))
    at = predicted[predicted["variable"] == "g"].pivot_table(index="value", columns="level", values="estimate")
    found = effects[effects["contrast"] == "Dĩ An - Ba Đình"].set_index("level")["estimate"]
    close(found, at.loc["Dĩ An"] - at.loc["Ba Đình"])
    assert predicted["low"].between(0, predicted["estimate"]).all()


def test_a_marginal_effect_by_hand() -> None:
    """Mean of -f(θ₁ - xβ)β over the weights, its error by taking every cluster out once."""
    result = ordinal(survey(), "q ~ x", hessian="analytic")
    beta, first = result.rows["estimate"].iloc[:2]
    share = 1 / (1 + np.exp(-(first - frame()["x"] * beta)))
    by_hand = np.average(-share * (1 - share) * beta, weights=frame()["w"])
    row = result.marginal_effects.iloc[0]
    close(row["estimate"], by_hand, 1e-6)
    left_out = []
    for cluster in range(24):
        data = frame()
        same_stratum = data["h"] == cluster % 3
        data["w"] = np.where(same_stratum, data["w"] * 8 / 7, data["w"])
        part = Survey(responses=data[data["c"] != cluster], design=DESIGN)
        left_out.append(ordinal(part, "q ~ x").marginal_effects["estimate"].iloc[0])
    parts = pd.Series(left_out).groupby(np.arange(24) % 3)
    jackknife = np.sqrt((parts.apply(lambda part: ((part - by_hand) ** 2).sum()) * 7 / 8).sum())
    close(row["se"], jackknife, 0.05)


def test_the_average_prediction_is_near_the_observed_distribution() -> None:
    """For the logit the likelihood equations make it close, not equal."""
    result = ordinal(survey(), "q ~ x + g")
    observed = frame().groupby("q")["w"].sum() / frame()["w"].sum()
    average = result.predicted[result.predicted["variable"] == ""]["estimate"].to_numpy()
    np.testing.assert_allclose(average, observed, atol=0.02)


def test_unequal_slopes_are_found_and_equal_ones_are_not() -> None:
    rng = np.random.default_rng(5)
    n = 2400
    data = pd.DataFrame({"c": np.arange(n) % 120, "x": rng.normal(0, 1, n), "z": rng.normal(0, 1, n)})
    noise = rng.logistic(0, 1, n)
    data["even"] = np.digitize(data["x"] + data["z"] + noise, [-1, 0, 1.5])
    # z moves people up from the lowest level, and not between the others
    data["uneven"] = np.where(data["x"] + 2 * data["z"] + noise < -1, 0, np.digitize(data["x"] + noise, [0, 1.5]) + 1)
    sample = Survey(responses=data, design=Design(clusters="c"))
    even = ordinal(sample, "even ~ x + z").proportional_odds
    result = ordinal(sample, "uneven ~ x + z")
    uneven = result.proportional_odds.set_index("term")
    assert even["term"].tolist() == ["", "x", "z"]
    assert (even["p_value"] > 0.01).all()
    assert uneven.loc["", "p_value"] < 1e-6
    assert uneven.loc["z", "p_value"] < 1e-6
    assert uneven.loc["", "df1"] == 4
    assert uneven.loc["", "df2"] == 119 - 2 - 4 + 1
    assert any(note.startswith(("The slopes differ", "Hệ số")) for note in result.notes)


# Terms ----------------------------------------------------------------------------------------------------------------


def test_words_are_in_vietnamese_order_and_the_first_is_the_reference() -> None:
    result = glm(survey(), "q ~ g*x")
    assert result.rows["term"].tolist() == ["(Intercept)", "gDĩ An", "gĐống Đa", "x", "gDĩ An:x", "gĐống Đa:x"]


def test_numbers_in_c_and_profile_questions_have_a_coefficient_a_level() -> None:
    data = frame().rename(columns={"q": "p1"})
    data["complained"] = np.where(data["yes"] == "có", 1, 2)
    data["s1"] = np.where(np.arange(len(data)) % 10 == 0, 9, data["p1"])
    sample = Survey(responses=data, design=DESIGN, questionnaire=questionnaire())
    assert glm(sample, "p1 ~ complained").rows["term"].tolist() == ["(Intercept)", "complained2"]
    assert glm(sample, "x ~ p1").rows["term"].tolist() == ["(Intercept)", "p1"]
    assert glm(sample, "x ~ C(p1)").rows["term"].tolist()[1:] == [f"C(p1){j}" for j in (2, 3, 4, 5)]
    rows = glm(sample, "s1 ~ x").rows
    assert (rows.loc[0, "n"], rows.loc[0, "n_missing"]) == (216, 24)  # 9 is "don't know"
    with language("en"):
        table = glm(sample, "p1 ~ complained").table()
        assert [row[0] for row in table.cells] == ["Constant", "Complained: No"]


def test_a_level_that_nobody_chose_has_no_threshold() -> None:
    data = frame()
    data["p1"] = data["q"].replace(2, 3)
    sample = Survey(responses=data, design=DESIGN, questionnaire=questionnaire())
    result = ordinal(sample, "p1 ~ x")
    assert result.rows["term"].tolist() == ["x", "1|3", "3|4", "4|5"]


def test_a_calculated_outcome_keeps_its_fractions() -> None:
    whole, halves = (ordinal(survey(), f"{outcome} ~ x").rows for outcome in ("q", "I(q/2)"))
    close(whole["estimate"], halves["estimate"])
    assert halves["term"].tolist() == ["x", "0.5|1", "1|1.5", "1.5|2", "2|2.5"]


def test_skipped_questions_are_not_missing() -> None:
    data = frame()
    data["complained"] = np.where(np.arange(len(data)) % 4, 1, 2)
    data["f1"] = data["q"].where(data["complained"] == 1)
    rows = glm(Survey(responses=data, design=DESIGN, questionnaire=questionnaire()), "x ~ f1").rows
    assert (rows.loc[0, "n"], rows.loc[0, "n_missing"]) == (180, 0)


def test_no_degrees_of_freedom_no_p_value() -> None:
    few = Survey(responses=frame().assign(c=np.arange(240) % 6, h=np.arange(240) % 3), design=DESIGN)
    for result in (glm(few, "q ~ x + g + w"), ordinal(few, "q ~ x + g + w")):
        assert (result.rows["df"] <= 0).all()
        assert result.rows[["low", "high", "p_value"]].isna().all(axis=None)
        assert result.rows["se"].notna().all()
        assert result.table().cells


# Wrong calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "options", "word"),
    [
        ("q ~ nothing", {}, "nothing"), ("nothing ~ x", {}, "nothing"), ("one ~ x", {}, "one"), ("q ~ one", {}, "one"),
        ("q ~ only", {}, "only"), ("q ~ x + double", {}, "double"), ("q ~ g + twin", {}, "twin"),
        ("q ~ blank", {}, "blank"), ("q ~ log(zero)", {}, "log(zero)"), ("q ~ I(x/zero)", {}, "I(x/zero)"),
        ("q ~ x", {"where": "x > 100"}, "q ~ x"), ("q ~ x", {"family": "gamma"}, "gamma"),
        ("q ~ x", {"family": "poisson", "link": "logit"}, "logit"), ("q ~ x", {"family": "binomial"}, "q"),
        ("sure ~ tell + x", {"family": "binomial"}, "tell"), ("sure ~ x + group", {"family": "binomial"}, "group3"),
        ("x ~ q", {"family": "poisson"}, "x"), ("q ~ 0", {}, "q ~ 0"), ("g ~ x", {}, "g"),
        ("only ~ x", {"family": "binomial"}, "only"),
        ("sure ~ tell", {"family": "binomial", "link": "probit"}, "tell"),
        ("sure ~ tell", {"family": "binomial", "link": "cloglog"}, "tell"),
        ("count ~ group", {"family": "poisson"}, "count"),
    ],
)  # fmt: skip
def test_wrong_glm_calls_are_told_in_words(formula: str, options: dict, word: str) -> None:
    with pytest.raises(DataError, match=r".") as error:
        glm(hard(), formula, **options)
    assert word in str(error.value)


@pytest.mark.parametrize(
    ("formula", "options", "word"),
    [
        ("one ~ x", {}, "one"), ("x ~ q", {}, "x"), ("q ~ x - 1", {}, "q ~ x - 1"), ("q ~ x", {"link": "log"}, "log"),
        ("q ~ x", {"hessian": "numeric"}, "numeric"), ("I(x*10) ~ g", {}, "I(x*10)"),
        ("q ~ exact", {}, "exact"), ("q ~ x + apart", {}, "apartb"), ("q ~ x + apart", {"link": "cloglog"}, "apartb"),
        ("q ~ x + apart", {"link": "probit"}, "apartb"),
    ],
)  # fmt: skip
def test_wrong_ordinal_calls_are_told_in_words(formula: str, options: dict, word: str) -> None:
    with pytest.raises(DataError, match=r".") as error:
        ordinal(hard(), formula, **options)
    assert word in str(error.value)


def hard() -> Survey:
    """Columns that no model can carry."""
    data = frame()
    data = data.assign(
        one=3, only="A", twin=data["g"] + "!", blank=np.nan, zero=np.where(data["q"] > 2, 1, 0),
        exact=data["q"] * 2.0, apart=np.where(data["q"] == 5, "b", "a"),
    )  # fmt: skip
    data["group"] = pd.Categorical(np.where(data["x"] > 3, "3", np.where(np.arange(len(data)) % 2, "1", "2")))
    data["sure"] = np.where(data["x"] > 3, 1, (data["w"] > 3).astype(int))
    data["tell"] = np.where(data["sure"] == 1, 1.0, -1.0) * data["w"]
    data["count"] = np.where(data["group"] == "3", 0, data["q"])
    data["x"] = data["x"] - 2
    data["double"] = 2 * data["x"] + 1
    return Survey(responses=data, design=DESIGN)


# Tables and figures ---------------------------------------------------------------------------------------------------


def test_results_show_themselves_and_leave_the_frame_alone() -> None:
    before = frame()
    sample = Survey(responses=before.copy(), design=DESIGN)
    for result in (glm(sample, "yes ~ x + g", family="binomial"), ordinal(sample, "q ~ x + g")):
        assert list(result.rows.columns) == [
            "term", "estimate", "se", "low", "high", "df", "n", "n_missing", "t", "p_value",
        ]  # fmt: skip
        names = [column.key for column in result.table().columns]
        assert names == ["term", "estimate", "se", "interval", "t", "p_value"]
        ax = result.plot()
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert labels == ["x", "g: Dĩ An", "g: Đống Đa"]
        np.testing.assert_allclose(
            ax.lines[0].get_xdata(), result.rows.loc[result.rows["term"].isin(["x", "gDĩ An", "gĐống Đa"]), "estimate"]
        )
        ax.figure.clear()
    pd.testing.assert_frame_equal(sample.responses, before)
