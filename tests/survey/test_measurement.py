"""`reliability`, `factor_structure`, `dif`: weights and order, skip rules, planted faults, thin data in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.results import Result
from khaosat.survey import dif, factor_structure, rake, reliability, replicates
from tests.survey.surveys import questionnaire

ITEMS = ["q0", "q1", "q2", "q3", "q4"]
DESIGN = Design(weights="w", strata="h", clusters="c")


@pytest.fixture(autouse=True)
def english() -> object:
    with language("en"):
        yield


def answers(seed: int = 0, n: int = 400) -> pd.DataFrame:
    """Five items of one factor in 40 clusters, a group of three levels, uneven weights."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(n) % 40
    z = rng.normal(size=n) + rng.normal(size=40)[cluster] * 0.5
    frame = pd.DataFrame({f"q{j}": np.digitize(z + rng.normal(size=n), [-1.5, -0.5, 0.5, 1.5]) + 1 for j in range(5)})
    return frame.assign(c=cluster, h=cluster // 10, w=rng.uniform(1, 5, n), g=rng.choice(["a", "b", "c"], n))


def drawn(seed: int = 0, n: int = 400) -> Survey:
    return Survey(responses=answers(seed, n), design=DESIGN)


def said(result: Result, text: str) -> bool:
    return any(text in note for note in result.notes)


VERBS: dict[str, Callable[[Survey], Result]] = {
    "reliability": lambda s: reliability(s, ITEMS),
    "ordinal reliability": lambda s: reliability(s, ITEMS, correlation="polychoric"),
    "structure": lambda s: factor_structure(s, {"a": ITEMS[:2], "b": ITEMS[2:]}, draws=5),
    "pearson structure": lambda s: factor_structure(s, ITEMS, correlation="pearson", draws=5),
    "dif": lambda s: dif(s, "g", items=ITEMS),
}


def numbers(result: Result) -> np.ndarray:
    return result.rows.select_dtypes("number").to_numpy(float)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_gives_rows_table_and_figure(verb: str) -> None:
    survey = drawn()
    before = survey.responses.copy()
    result = VERBS[verb](survey)
    pd.testing.assert_frame_equal(survey.responses, before)
    assert len(result.rows)
    assert len(result.table().cells) in (1, 5)
    axes = result.plot()
    assert axes.get_lines()
    plt.close(axes.figure)


def test_two_clusters_and_answers_that_share_little_are_still_written() -> None:
    """One degree of freedom: a limit of omega far below 0 says no more than 0, and was too long for a table."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=40) / 2
    frame = pd.DataFrame({f"q{j}": np.digitize(z + rng.normal(size=40), [-1, 0, 1]) + 1 for j in range(4)})
    frame = frame.assign(c=np.arange(40) % 2, w=1.0)
    result = reliability(Survey(responses=frame, design=Design(weights="w", clusters="c")), ITEMS[:4])
    row = result.rows.iloc[0]
    assert row["df"] == 1
    assert row["omega_low"] == 0
    assert row["omega_low"] <= row["omega"] <= row["omega_high"] <= 1
    assert result.table().cells


@pytest.mark.parametrize("verb", VERBS)
def test_unit_of_weights_and_order_of_rows_do_not_matter_but_weights_do(verb: str) -> None:
    survey = drawn(1)
    found = numbers(VERBS[verb](survey))
    scaled = replace(survey, responses=survey.responses.assign(w=survey.responses["w"] * 1000))
    np.testing.assert_allclose(numbers(VERBS[verb](scaled)), found, rtol=1e-6, atol=1e-9)
    shuffled = survey.responses.sample(frac=1, random_state=1).reset_index(drop=True)
    if "structure" not in verb:  # shuffles of the parallel analysis depend on the order
        again = numbers(VERBS[verb](replace(survey, responses=shuffled)))
        np.testing.assert_allclose(again, found, rtol=1e-6, atol=1e-9)
    equal = replace(survey, responses=survey.responses.assign(w=1.0))
    assert not np.allclose(numbers(VERBS[verb](equal)), found, rtol=1e-4, equal_nan=True)


def test_whole_weights_are_repeated_respondents() -> None:
    frame = answers(2).assign(w=np.random.default_rng(3).integers(1, 4, 400))
    survey = Survey(responses=frame, design=Design(weights="w"))
    people = Survey(responses=frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True))
    for correlation in ("pearson", "polychoric"):
        one, many = (reliability(s, ITEMS, correlation=correlation).rows.iloc[0] for s in (survey, people))
        assert one["alpha"] == pytest.approx(many["alpha"], rel=1e-8)
        assert one["omega"] == pytest.approx(many["omega"], rel=1e-6)


@pytest.mark.parametrize("correlation", ["pearson", "polychoric"])
def test_errors_agree_with_leaving_clusters_out(correlation: str) -> None:
    """The linearised error against the jackknife that estimates alpha and omega anew without each cluster."""
    survey = drawn(4)
    row = reliability(survey, ITEMS, correlation=correlation).rows.iloc[0]
    found = []
    for cluster in range(40):
        out = survey.responses["c"] == cluster
        same_stratum = survey.responses["h"] == cluster // 10
        frame = survey.responses.assign(w=survey.responses["w"] * np.where(same_stratum, 10 / 9, 1))[~out]
        again = Survey(responses=frame.reset_index(drop=True), design=DESIGN)
        found.append(
            reliability(again, ITEMS, correlation=correlation).rows.iloc[0][["alpha", "omega"]].to_numpy(float)
        )
    table = np.array(found).reshape(4, 10, 2)
    jackknife = np.sqrt(0.9 * ((table - table.mean(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)))
    np.testing.assert_allclose(row[["se", "omega_se"]].to_numpy(float), jackknife, rtol=0.03)


def test_replicates_and_raking_are_taken() -> None:
    survey = drawn(5)
    plain = reliability(survey, ITEMS).rows.iloc[0]
    again = reliability(replicates(survey), ITEMS).rows.iloc[0]
    assert again["se"] == pytest.approx(plain["se"], rel=0.05)  # found anew in every replicate: near Taylor, not equal
    assert again["se"] != plain["se"]
    shares = survey.responses["g"].value_counts().to_dict()
    raked = reliability(rake(survey, {"g": {level: 7 * n + 500 for level, n in shares.items()}}), ITEMS).rows.iloc[0]
    assert raked["alpha"] != plain["alpha"]
    assert raked["se"] > 0


def test_interval_follows_the_design() -> None:
    plain, by_design = Survey(responses=answers()), drawn()
    assert said(reliability(plain, ITEMS), "Feldt")
    assert not said(reliability(by_design, ITEMS), "Feldt")
    rows = [reliability(plain, ITEMS, ci=ci).rows.iloc[0] for ci in ("feldt", "design")]
    assert rows[0]["alpha"] == rows[1]["alpha"]
    assert rows[0]["low"] != rows[1]["low"]
    for row in rows:
        assert row["low"] < row["alpha"] < row["high"] < 1


# Who is asked ---------------------------------------------------------------------------------------------------------


def asked(n: int = 300) -> Survey:
    """A questionnaire with a factor f asked after a complaint only; don't know is 9."""
    rng = np.random.default_rng(6)
    z = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            item: np.digitize(z + rng.normal(size=n), [-1.5, -0.5, 0.5, 1.5]) + 1.0
            for item in ("p1", "p2", "s1", "s2", "f1")
        }
    )
    frame["complained"] = np.where(rng.random(n) < 0.2, 1, 2)
    frame.loc[frame["complained"] == 2, "f1"] = np.nan
    frame.loc[:4, "p1"] = 9
    frame.loc[5:6, "p1"] = np.nan
    return Survey(responses=frame, questionnaire=questionnaire())


def test_factors_of_the_questionnaire_skip_rules_and_dont_know() -> None:
    survey = asked()
    rows = reliability(survey).rows.set_index("factor")
    assert rows.index.tolist() == ["p", "s", "f"]
    assert rows.loc["p", ["n", "n_missing"]].tolist() == [293, 7]
    assert rows.loc["f", "n_missing"] == 0  # not asked is not missing
    assert rows.loc["f", "n"] <= (survey.responses["complained"] == 1).sum()
    structure = factor_structure(survey, draws=5)
    assert structure.rows["item"].tolist() == ["p1", "p2", "s1", "s2"]
    assert structure.rows["n_missing"].tolist() == [7, 0, 0, 0]
    assert said(structure, "not everybody was asked: Feedback")
    complainers = factor_structure(survey, where="complained == 1", draws=5)
    assert "f1" in complainers.rows["item"].tolist()
    assert reliability(survey).table().cells[0][0] == "Policy factor"


def test_a_domain_is_not_another_sample() -> None:
    survey = drawn(7)
    inside = survey.responses["g"] != "a"
    domain = reliability(survey, ITEMS, where="g != 'a'").rows.iloc[0]
    subset = reliability(replace(survey, responses=survey.responses[inside].reset_index(drop=True)), ITEMS).rows.iloc[0]
    assert domain["alpha"] == pytest.approx(subset["alpha"], rel=1e-12)
    assert domain["n"] == inside.sum()


# Thin and odd data ----------------------------------------------------------------------------------------------------


def test_odd_items_are_told() -> None:
    frame = answers().assign(same=3, turned=lambda f: 6 - f["q0"], gone=np.nan)
    survey = Survey(responses=frame)
    idle = reliability(survey, [*ITEMS, "same", "gone"])
    assert idle.rows.loc[0, "items"] == 5
    assert said(idle, "no two different answers to same, gone")
    two = reliability(survey, ITEMS[:2]).rows.iloc[0]
    r = frame[ITEMS[:2]].cov().to_numpy()
    assert two["alpha"] == pytest.approx(2 * 2 * r[0, 1] / r.sum())
    assert np.isnan(two["omega"])
    assert said(reliability(survey, ITEMS[:2]), "too few for omega")
    one = reliability(survey, ["q0"])
    assert one.rows["alpha"].isna().all()
    assert said(one, "fewer than two items")
    cancelled = reliability(survey, ["q0", "turned"])
    assert cancelled.rows["alpha"].isna().all()
    assert said(cancelled, "does not vary")
    negative = reliability(survey, ["q0", "turned", "q1"])
    assert negative.rows.loc[0, "alpha"] < 0
    assert negative.rows.loc[0, "high"] < 1
    assert said(negative, "runs against the other items")
    assert said(reliability(Survey(responses=answers(n=40)), ITEMS, acceptable=0.99), "habit, not a rule")
    twice = reliability(survey.__class__(responses=frame.assign(copy=frame["q0"])), ["q0", "copy", "q1"],
                        correlation="polychoric")  # fmt: skip
    assert said(twice, "q0 – copy")


def test_no_degrees_of_freedom_no_interval() -> None:
    frame = answers().assign(c=1)
    survey = Survey(responses=frame, design=Design(weights="w", clusters="c", lonely_psu="adjust"))
    row = reliability(survey, ITEMS).rows.iloc[0]
    assert np.isfinite(row["alpha"])
    assert row["df"] == 0
    assert np.isnan(row[["low", "high", "omega_low", "omega_high"]].to_numpy(float)).all()
    tests = dif(survey, "g", items=ITEMS)
    assert tests.rows["p_value"].isna().all()
    assert set(tests.rows["flag"]) == {"untested"}
    assert said(tests, "Not tested")
    structure = factor_structure(survey, ITEMS, draws=5)
    assert structure.rows[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: reliability(s, ["zz", "yy", "q0", "q0"]), ["zz", "yy", "q0 is named twice"]),
        (lambda s: reliability(s), ["Without a questionnaire"]),
        (lambda s: reliability(s, []), ["without items"]),
        (lambda s: reliability(s, ["g", "q0"]), ["g is not numeric"]),
        (lambda s: reliability(s, ITEMS, correlation="x", missing="y"), ["correlation='x'", "missing='y'"]),
        (lambda s: factor_structure(s, ITEMS[:2]), ["needs three items"]),
        (lambda s: factor_structure(s, ITEMS, factors=0), ["at least 1"]),
        (lambda s: factor_structure(s, ["w", "q0", "q1"], correlation="polychoric"), ["w has more than 20"]),
        (lambda s: dif(s, "nobody", items=ITEMS), ["nobody"]),
        (lambda s: dif(s, "g", items=ITEMS, where="g == 'a'"), ["fewer than two groups"]),
        (lambda s: dif(s, "g", items=["q0"]), ["two items that vary"]),
        (lambda s: dif(s, "g", items=ITEMS, alpha=2), ["alpha lies between"]),
    ],
)
def test_wrong_calls_are_told_in_words(call: Callable[[Survey], Result], words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        call(drawn())
    for word in words:
        assert word in str(error.value)


def test_empty_surveys() -> None:
    empty = Survey(responses=answers().iloc[:0])
    rows = reliability(empty, ITEMS).rows
    assert rows["alpha"].isna().all()
    assert rows.loc[0, "n"] == 0
    for call in (lambda: factor_structure(empty, ITEMS), lambda: dif(empty, "g", items=ITEMS)):
        with pytest.raises(DataError):
            call()


# Structure ------------------------------------------------------------------------------------------------------------


def two_factors(n: int = 600, phi: float = 0.3) -> Survey:
    rng = np.random.default_rng(8)
    z = rng.multivariate_normal([0, 0], [[1, phi], [phi, 1]], n)
    columns = {f"q{j}": np.digitize(1.3 * z[:, j // 3] + rng.normal(size=n), [-1.5, 0, 1.5]) for j in range(6)}
    return Survey(responses=pd.DataFrame(columns))


def test_a_planted_structure_is_found_and_a_wrong_one_rejected() -> None:
    survey, six = two_factors(), [f"q{j}" for j in range(6)]
    right = factor_structure(survey, {"a": six[:3], "b": six[3:]}, draws=30)
    assert right.roots["kept"].sum() == 2
    assert right.rows["found"].nunique() == 2
    assert right.rows.groupby("factor")["found"].nunique().tolist() == [1, 1]
    assert right.fit["p_value_scaled"].iloc[0] > 0.01
    assert right.factor_correlations["estimate"].iloc[0] == pytest.approx(0.3, abs=0.12)
    wrong = factor_structure(survey, {"a": six[::2], "b": six[1::2]}, draws=5)
    assert wrong.fit["p_value_scaled"].iloc[0] < 1e-6
    assert wrong.fit["cfi"].iloc[0] < right.fit["cfi"].iloc[0]
    assert right.exploratory.shape == (6, 2)
    np.testing.assert_allclose(np.diag(right.exploratory_correlations), 1)


def test_parallel_analysis_is_seeded() -> None:
    survey, six = two_factors(), [f"q{j}" for j in range(6)]
    first, again = (factor_structure(survey, six, draws=5).roots for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = factor_structure(survey, six, draws=5, rng=np.random.default_rng(9)).roots
    assert (other["random_mean"] != first["random_mean"]).any()
    np.testing.assert_array_equal(other["root"], first["root"])


def test_correlations_that_contradict_each_other_are_smoothed_and_said() -> None:
    rng = np.random.default_rng(10)
    frame = pd.DataFrame(rng.integers(1, 4, (14, 8)), columns=[f"q{j}" for j in range(8)])
    result = factor_structure(Survey(responses=frame), list(frame), draws=5)
    assert said(result, "smoothed")
    assert np.isfinite(result.rows["msa"]).all()
    many = factor_structure(two_factors(), [f"q{j}" for j in range(4)], factors=9, draws=5)
    assert many.exploratory.shape[1] == 1


def test_no_model_for_one_item_a_factor() -> None:
    result = factor_structure(two_factors(), {"a": ["q0"], "b": ["q1"], "c": ["q2"]}, draws=5)
    assert result.fit.empty
    assert result.rows["estimate"].isna().all()
    assert said(result, "No confirmatory model")
    assert said(result, "one item")


# Item functioning -----------------------------------------------------------------------------------------------------


def biased(shift: float = 1.5, n: int = 900) -> pd.DataFrame:
    """Item q0 is answered higher by b at the same satisfaction; q1 tells little of a's satisfaction."""
    rng = np.random.default_rng(11)
    z, group = rng.normal(size=n), rng.choice(["a", "b"], n)
    cuts = [-1.5, -0.5, 0.5, 1.5]
    frame = pd.DataFrame({f"q{j}": np.digitize(1.5 * z + rng.normal(size=n), cuts) for j in range(8)})
    frame["q0"] = np.digitize(1.5 * z + shift * (group == "b") + rng.normal(size=n), cuts)
    frame["q1"] = np.digitize(np.where(group == "b", 2.5, 0.2) * z + rng.normal(size=n), cuts)
    return frame.assign(g=group, w=rng.uniform(1, 2, n), c=np.arange(n) % 60)


EIGHT = [f"q{j}" for j in range(8)]


@pytest.mark.parametrize("design", [Design(), Design(weights="w", clusters="c")])
def test_planted_differences_are_found(design: Design) -> None:
    result = dif(Survey(responses=biased(), design=design), "g", items=EIGHT)
    rows = result.rows.set_index(["item", "kind"])
    flagged = result.rows[(result.rows["kind"] == "any") & result.rows["flag"].isin(["moderate", "large"])]["item"]
    assert set(flagged) == {"q0", "q1"}
    assert rows.loc[("q0", "uniform"), "p_adjusted"] < 1e-4
    assert rows.loc[("q1", "nonuniform"), "p_adjusted"] < 1e-4
    assert rows.loc[("q0", "nonuniform"), "p_adjusted"] > 0.01
    shift = result.groups.query("item == 'q0' and kind == 'uniform'").iloc[0]
    assert (shift["group"], shift["reference"]) == ("b", "a")
    assert shift["low"] > 0
    assert (rows["p_adjusted"] >= rows["p_value"] - 1e-15).all()
    assert said(result, "Left out of the score")
    assert said(result, "Compare groups on these items with care")


def test_purification_takes_the_bias_out_of_the_other_items() -> None:
    survey = Survey(responses=biased(3.0))
    cleared, raw = (dif(survey, "g", items=EIGHT, purify=rounds) for rounds in (10, 0))
    clean = [f"q{j}" for j in range(2, 8)]

    def spill(result: Result) -> float:
        rows = result.groups[(result.groups["kind"] == "uniform") & result.groups["item"].isin(clean)]
        return float(rows["estimate"].mean())

    assert abs(spill(cleared)) < abs(spill(raw)) / 3
    assert said(raw, "not cleared")


def test_groups_turned_round_turn_signs_only() -> None:
    frame = biased()
    turned = frame.assign(g=frame["g"].map({"a": "z", "b": "b"}))
    one, other = (dif(Survey(responses=f), "g", items=EIGHT) for f in (frame, turned))
    np.testing.assert_allclose(one.rows["statistic"], other.rows["statistic"], rtol=1e-6, atol=1e-8)
    uniform = [result.groups.query("kind == 'uniform'")["estimate"].to_numpy() for result in (one, other)]
    np.testing.assert_allclose(uniform[0], -uniform[1], rtol=1e-6, atol=1e-9)


def test_two_items_cannot_be_cleared() -> None:
    """Of two items at the same sum, one answered higher is the other answered lower."""
    result = dif(Survey(responses=biased(3.0)), "g", items=["q0", "q2"])
    assert set(result.rows.query("kind == 'any'")["flag"]) == {"large"}
    assert said(result, "had to stay in the score")


def test_adjustments_and_effects_are_choices() -> None:
    survey = Survey(responses=biased())
    by = {adjust: dif(survey, "g", items=EIGHT, adjust=adjust, purify=0).rows["p_adjusted"].to_numpy()
          for adjust in ("holm", "benjamini_hochberg", "none")}  # fmt: skip
    assert (by["holm"] >= by["benjamini_hochberg"] - 1e-15).all()
    assert (by["benjamini_hochberg"] >= by["none"] - 1e-15).all()
    sizes = {
        e: dif(survey, "g", items=EIGHT, effect=e, purify=0).rows["effect"].max() for e in ("nagelkerke", "mcfadden")
    }
    assert sizes["nagelkerke"] > sizes["mcfadden"] > 0
    rest = dif(survey, "g", items=EIGHT, score="rest", purify=0)
    assert said(rest, "other items")
    lone = dif(Survey(responses=biased().assign(g=["x"] + ["y"] * 899)), "g", items=EIGHT)
    assert set(lone.rows.query("kind == 'any'")["flag"]) == {"untested"}


# What is said ---------------------------------------------------------------------------------------------------------


def test_heywood_cases_are_told() -> None:
    rng = np.random.default_rng(15)
    z = rng.multivariate_normal(np.zeros(3), [[1, 0.75, 0.75], [0.75, 1, 0.4], [0.75, 0.4, 1]], 800)
    survey = Survey(responses=pd.DataFrame(z, columns=["x", "y", "z"]))
    assert said(reliability(survey, ["x", "y", "z"]), "x without variance of its own (Heywood")
    structure = factor_structure(survey, ["x", "y", "z"], draws=5)
    assert said(structure, "Heywood")
    assert said(structure, "as many parameters as correlations")


def test_factors_hardly_told_apart_and_items_left_out_are_told() -> None:
    survey = two_factors(phi=0.97)
    columns = {"a": ["q0", "q1", "q2"], "b": ["q3", "q4", "q5", "same"]}
    told = factor_structure(
        Survey(responses=survey.responses.assign(same=1)),
        columns,
        missing="complete",
        correlation="polychoric",
        draws=5,
    )
    for text in ("Hardly told apart", "No two different answers to same", "The 600 respondents", "chosen for this"):
        assert said(told, text)
    small = asked()
    less = replace(small, responses=small.responses.drop(columns="p2"))
    for result in (reliability(less), factor_structure(less, draws=5), dif(less, "complained")):
        assert said(result, "1 items have no column and are left out: p2")
    with pytest.raises(DataError, match="no item of the factors"):
        reliability(replace(small, responses=small.responses[["complained"]]))
    assert said(dif(less, "complained"), "Too few items or answers to test: Policy factor; Feedback")


def test_what_item_tests_say_of_groups() -> None:
    frame = biased()
    frame.loc[:9, "g"] = None
    some = dif(Survey(responses=frame.iloc[:120].assign(same=1)), "g", items=[*EIGHT, "same"], purify=1)
    assert said(some, "10 respondents without a value to group by")
    assert said(some, "No two different answers to same")
    few = dif(Survey(responses=frame.iloc[10:90]), "g", items=EIGHT)
    assert said(few, "Groups of fewer than 50 respondents")
    unfinished = dif(Survey(responses=biased()), "g", items=EIGHT, purify=1)
    assert said(unfinished, "Still flagged items in the score after 1 rounds")


def test_one_biased_item_of_a_short_scale_does_not_bring_down_the_others() -> None:
    survey = Survey(responses=biased(3.0))
    four = ["q0", "q2", "q3", "q4"]
    raw, cleared = (dif(survey, "g", items=four, purify=rounds, grades=(0.01, 0.07)) for rounds in (0, 10))
    flagged = [set(r.rows.query("kind == 'any' and flag != 'negligible'")["item"]) for r in (raw, cleared)]
    assert flagged[0] > {"q0"}
    assert flagged[1] == {"q0"}
