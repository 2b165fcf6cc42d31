from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from khaosat.domain.survey import Design, Survey
from khaosat.facts.language import language
from khaosat.survey import compare, compare_index, mean, proportion, satisfaction_index
from tests.survey.surveys import questionnaire

RNG = np.random.default_rng(5)
NEW = pd.DataFrame({"y": RNG.normal(3.4, 1, 80), "g": RNG.choice(["a", "b"], 80), "q": RNG.integers(2, 6, 80)})
OLD = pd.DataFrame({"y": RNG.normal(3.0, 2, 50), "g": RNG.choice(["a", "c"], 50), "q": RNG.integers(1, 5, 50)})


def test_two_simple_random_samples_are_welchs_t_test() -> None:
    row = compare(Survey(responses=NEW), Survey(responses=OLD), "y").rows.iloc[0]
    known = stats.ttest_ind(NEW["y"], OLD["y"], equal_var=False)
    interval = known.confidence_interval(0.95)
    expected = [NEW["y"].mean() - OLD["y"].mean(), interval.low, interval.high, known.df, known.statistic, known.pvalue]
    found = row[["estimate", "low", "high", "df", "statistic", "p_value"]].astype(float)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert row[["n_a", "n_b", "n"]].tolist() == [80, 50, 50]


def test_shares_are_subtracted_with_both_sides_shown() -> None:
    a, b = Survey(responses=NEW), Survey(responses=OLD, design=Design(clusters="g"))
    row = compare(a, b, "q", at=[4, 5]).rows.iloc[0]
    one, two = (proportion(s, "q", at=[4, 5]).rows.iloc[0] for s in (a, b))
    assert row["estimate"] == pytest.approx(one["estimate"] - two["estimate"])
    assert row["se"] == pytest.approx(np.hypot(one["se"], two["se"]))
    assert row[["estimate_a", "estimate_b"]].tolist() == [one["estimate"], two["estimate"]]
    assert min(one["df"], two["df"]) <= row["df"] <= one["df"] + two["df"]


def test_the_other_way_round_changes_the_sign_only() -> None:
    a, b = Survey(responses=NEW), Survey(responses=OLD)
    there, back = compare(a, b, ["y", "q"]).rows, compare(b, a, ["y", "q"]).rows
    np.testing.assert_allclose(there["estimate"], -back["estimate"])
    np.testing.assert_allclose(there["low"], -back["high"])
    np.testing.assert_allclose(there["p_value"], back["p_value"])


def test_groups_that_only_one_wave_has_are_left_out_and_said() -> None:
    with language("en"):
        result = compare(Survey(responses=NEW), Survey(responses=OLD), "y", by="g")
    assert result.rows["g"].tolist() == ["a"]
    assert "2 lines that only one of the surveys has are left out." in result.notes


def test_without_freedom_there_is_no_verdict() -> None:
    alone = Survey(responses=NEW.assign(c=1), design=Design(clusters="c", lonely_psu="remove"))
    row = compare(alone, Survey(responses=OLD), "y").rows.iloc[0]
    assert np.isnan(row[["low", "high", "df", "p_value"]].astype(float)).all()
    assert row["estimate"] == pytest.approx(mean(alone, "y").rows.loc[0, "estimate"] - OLD["y"].mean())


def test_a_share_of_all_has_no_verdict() -> None:
    """Its standard error of 0 is no certainty: five of five against four of five is not significant."""
    wave = Survey(responses=pd.DataFrame({"q": [5] * 5}))
    with language("en"):
        result = compare(wave, Survey(responses=OLD), "q", at=[4, 5])
    assert result.rows[["low", "high", "p_value"]].isna().all(axis=None)
    assert "1 differences have no interval, since one of the two estimates has none." in result.notes


def test_the_index_of_answers_without_a_questionnaire_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a survey with a questionnaire"):
        compare_index(Survey(responses=NEW), Survey(responses=OLD))


def test_every_line_of_the_index_is_compared_by_one_rule() -> None:
    items = ["p1", "p2", "s1", "s2", "f1"]
    frames = [pd.DataFrame({item: RNG.integers(low, 6, 60) for item in items}).assign(complained=1) for low in (2, 1)]
    new, old = (
        Survey(responses=frame, questionnaire=questionnaire(index_rule=rule))
        for frame, rule in zip(frames, ("mean_of_factors", "pooled_items"), strict=True)
    )
    rows = compare_index(new, old).rows.set_index("id")
    a, b = (satisfaction_index(s, rule="mean_of_factors").rows.set_index("id") for s in (new, old))
    assert rows.index.tolist() == a.index.tolist()
    np.testing.assert_allclose(rows["estimate"], a["estimate"] - b["estimate"])
    table = compare_index(new, old).table()
    assert {"estimate_a", "estimate_b", "p_value"} <= {column.key for column in table.columns}
