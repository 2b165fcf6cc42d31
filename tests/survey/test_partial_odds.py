from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.stats.ordinal import fit_ordinal
from khaosat.stats.partial_ordinal import crossing, fit_partial, partial_shares
from khaosat.survey import glm, ordinal, replicates

DESIGN = Design(weights="w", strata="h", clusters="c", nest=True)


def answers(seed: int = 11, *, n: int = 600, bend: float = 1.6) -> Survey:
    """``online`` moves the upper thresholds more than the lower one (by ``bend``); ``age`` moves all alike."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"h": np.arange(n) // (n // 3), "c": np.arange(n) // (n // 60), "w": rng.uniform(1, 6, n)})
    frame["online"] = rng.integers(0, 2, n)
    frame["age"] = rng.normal(0, 1, n)
    noise = rng.logistic(0, 1, n) + 0.6 * frame["age"]
    step = np.column_stack(
        [noise + slope * frame["online"] > cut for slope, cut in ((0.2, -1.5), (bend, 0.6), (bend, 2.2))]
    )
    frame["y"] = 1 + step.sum(axis=1)
    return Survey(responses=frame, design=DESIGN)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(["logit", "probit", "cloglog", "loglog"]))
def test_freeing_a_slope_never_lowers_the_likelihood_and_scores_vanish(seed, link):
    frame = answers(seed, n=240).responses
    y, x = frame["y"].to_numpy() - 1, frame[["online", "age"]].to_numpy(float)
    weights = frame["w"].to_numpy()
    equal = fit_ordinal(y, x, weights=weights, link=link)
    free = fit_partial(y, x, free=np.array([True, False]), weights=weights, link=link)
    assert free.converged
    assert free.log_likelihood >= equal.log_likelihood - 1e-9
    np.testing.assert_allclose(free.influence.sum(axis=0), 0, atol=1e-7)


def test_no_free_slope_is_the_cumulative_model():
    frame = answers().responses
    y, x, w = frame["y"].to_numpy() - 1, frame[["online", "age"]].to_numpy(float), frame["w"].to_numpy()
    equal, none = fit_ordinal(y, x, weights=w), fit_partial(y, x, free=np.zeros(2, dtype=bool), weights=w)
    np.testing.assert_allclose(none.coef, equal.coef, rtol=1e-9)
    np.testing.assert_allclose(none.influence, equal.influence, atol=1e-9)


def test_free_slopes_of_a_yes_no_term_are_those_of_separate_logits():
    """Saturated in one two-level term, each threshold is fitted exactly: the slope is its log odds ratio."""
    survey = answers()
    rows = ordinal(survey, "y ~ online", partial=["online"]).rows.set_index("term")
    for cut in (1, 2, 3):
        single = glm(survey, f"I(y > {cut}) ~ online", family="binomial").rows.set_index("term")
        for column in ("estimate", "se"):
            assert rows.loc[f"online ({cut}|{cut + 1})", column] == pytest.approx(
                single.loc["online", column], rel=1e-6
            )
        assert -rows.loc[f"{cut}|{cut + 1}", "estimate"] == pytest.approx(
            single.loc["(Intercept)", "estimate"], rel=1e-6
        )


def test_standard_errors_agree_with_the_jackknife():
    survey = answers()
    linear, again = (ordinal(s, "y ~ online + age", partial=["online"]) for s in (survey, replicates(survey)))
    np.testing.assert_allclose(linear.rows["se"], again.rows["se"], rtol=0.06)
    np.testing.assert_allclose(linear.marginal_effects["se"], again.marginal_effects["se"], rtol=0.06)


def test_marginal_effects_are_differences_of_the_fitted_shares_and_cancel_out():
    survey = answers()
    result = ordinal(survey, "y ~ online + age", partial=["online"])
    frame, w = survey.responses, survey.responses["w"].to_numpy()
    x = frame[["online", "age"]].to_numpy(float)
    fit = fit_partial(frame["y"].to_numpy() - 1, x, free=np.array([True, False]), weights=w)
    effects = result.marginal_effects.set_index(["variable", "level"])
    step = 1e-4 * frame["online"].std(ddof=0)
    up, down = (partial_shares(np.column_stack([x[:, 0] + s, x[:, 1]]), fit, weights=w)[0] for s in (step, -step))
    np.testing.assert_allclose(effects.loc["online", "estimate"], (up - down) / (2 * step), rtol=1e-6)
    assert effects["estimate"].groupby("variable").sum().abs().max() < 1e-9
    observed = frame.groupby("y")["w"].sum() / w.sum()
    as_is = result.predicted[result.predicted["variable"] == ""]["estimate"].to_numpy()
    assert as_is == pytest.approx(observed.to_numpy(), abs=0.01)


def test_influence_on_the_shares_is_their_derivative_by_the_weights():
    frame = answers(n=60).responses
    y, x, w = frame["y"].to_numpy() - 1, frame[["online", "age"]].to_numpy(float), frame["w"].to_numpy()
    free = np.array([True, False])

    def shares(weights: np.ndarray) -> np.ndarray:
        return partial_shares(x, fit_partial(y, x, free=free, weights=weights), weights=weights)[0]

    found = partial_shares(x, fit_partial(y, x, free=free, weights=w), weights=w)[1]
    for i in (0, 17, 59):
        step = np.where(np.arange(60) == i, 1e-4 * w[i], 0.0)
        np.testing.assert_allclose(found[i], (shares(w + step) - shares(w - step)) / 2e-4, rtol=1e-3, atol=1e-7)


def test_weights_change_the_answer_and_their_scale_does_not():
    survey = answers()
    frame = survey.responses
    rows = [
        ordinal(Survey(responses=frame.assign(w=w), design=DESIGN), "y ~ online + age", partial=["online"]).rows
        for w in (frame["w"], 3 * frame["w"], 1.0)
    ]
    np.testing.assert_allclose(rows[0][["estimate", "se"]], rows[1][["estimate", "se"]], rtol=1e-7)
    assert np.abs(rows[0]["estimate"] - rows[2]["estimate"]).max() > 0.01


def test_auto_frees_what_fails_and_says_that_it_chose():
    with language("en"):
        result = ordinal(answers(n=1200), "y ~ online + age", partial="auto")
        none = ordinal(answers(2, bend=0.2), "y ~ online + age", partial="auto")
    assert [t for t in result.rows["term"] if t.startswith(("online", "age"))] == [
        "online (1|2)", "online (2|3)", "online (3|4)", "age",
    ]  # fmt: skip
    assert any("chosen because" in note for note in result.notes)
    assert list(none.rows["term"]) == ["online", "age", "1|2", "2|3", "3|4"]
    assert any("none is free" in note for note in none.notes)


def test_degrees_of_freedom_pay_for_every_slope():
    survey = answers()
    assert ordinal(survey, "y ~ online + age").rows["df"].iloc[0] == 60 - 3 - 2
    assert ordinal(survey, "y ~ online + age", partial=["online"]).rows["df"].iloc[0] == 60 - 3 - 4


def test_a_term_of_several_columns_is_freed_as_a_whole():
    survey = answers()
    frame = survey.responses.assign(area=np.array(["a", "b", "c"])[np.arange(600) % 3])
    terms = ordinal(Survey(responses=frame, design=DESIGN), "y ~ area + age", partial=["area"]).rows["term"]
    assert list(terms)[:6] == [f"area{level} ({cut})" for level in "bc" for cut in ("1|2", "2|3", "3|4")]


def test_crossing_slopes_are_told():
    counts = {0.0: (10, 40, 10), 1.0: (30, 3, 27), 2.0: (2, 0, 2)}  # nobody at 2 holds the middle answer's share up
    x = np.repeat(list(counts), [sum(part) for part in counts.values()])
    y = np.concatenate([np.repeat([1, 2, 3], part) for part in counts.values()])
    fit = fit_partial(y - 1, x[:, None], free=np.array([True]), weights=np.ones(len(y)))
    assert crossing(x[:, None], fit).tolist() == (x == 2).tolist()
    with language("en"):
        notes = ordinal(Survey(responses=pd.DataFrame({"y": y, "x": x})), "y ~ x", partial=["x"]).notes
    assert any(note.startswith("4 respondents are given a negative share") for note in notes)


def test_unknown_terms_and_separated_answers_are_refused():
    with language("en"), pytest.raises(DataError, match="partial names sex; the terms"):
        ordinal(answers(), "y ~ online + age", partial=["sex"])
    frame = answers().responses
    frame["sure"] = (frame["y"] == 4).astype(int)
    with language("en"), pytest.raises(DataError, match="sure"):
        ordinal(Survey(responses=frame), "y ~ sure + age", partial=["sure"])


def test_with_two_answers_there_is_one_threshold_and_nothing_to_free():
    survey = answers()
    two = Survey(responses=survey.responses.assign(y=(survey.responses["y"] > 2).astype(int)), design=DESIGN)
    assert list(ordinal(two, "y ~ online", partial=["online"]).rows["term"]) == ["online", "0|1"]


def test_table_and_figure_name_the_thresholds():
    result = ordinal(answers(), "y ~ online + age", partial=["online"])
    assert [row[0] for row in result.table().cells][:4] == [
        "online (ngưỡng 1|2)", "online (ngưỡng 2|3)", "online (ngưỡng 3|4)", "age",
    ]  # fmt: skip
    ax = result.plot()
    assert len(ax.get_yticks()) == 4
    plt.close(ax.figure)


def test_true_is_no_choice_of_terms():
    with language("en"), pytest.raises(DataError, match="partial=True is not known: use None, auto, online, age"):
        ordinal(answers(), "y ~ online + age", partial=True)


def test_no_test_of_proportional_odds_where_one_threshold_is_separated():
    """Nobody with ``sure`` is at or below the first threshold, yet one slope for all thresholds is finite."""
    rng = np.random.default_rng(8)
    sure = np.arange(300) % 3 == 0
    y = np.where(sure, rng.integers(1, 4, 300), rng.integers(0, 4, 300))
    survey = Survey(responses=pd.DataFrame({"y": y, "sure": sure.astype(int), "x": rng.normal(size=300)}))
    result = ordinal(survey, "y ~ sure + x")
    assert np.isfinite(result.rows[["estimate", "se"]].to_numpy()).all()
    tests = result.proportional_odds
    assert tests["term"].tolist() == ["", "sure", "x"]
    assert tests[["statistic", "p_value"]].isna().all(axis=None)
    joined = ordinal(Survey(responses=survey.responses.assign(y=np.maximum(y, 1))), "y ~ sure + x").proportional_odds
    assert joined["p_value"].notna().all()
