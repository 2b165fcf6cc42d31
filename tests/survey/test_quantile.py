"""Quantiles: equivariant under monotone maps, what is refused, what is noted, how they look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.survey import Survey
from khaosat.errors import DataError, DesignError
from khaosat.facts.language import language
from khaosat.survey import calibrate, quantile
from tests.survey.surveys import drawn, questionnaire

COLUMNS = ["estimate", "low", "high"]


@given(seed=st.integers(0, 50), ci=st.sampled_from(["woodruff", "beta"]), by=st.sampled_from([None, "g"]))
def test_a_monotone_map_of_the_answers_maps_the_quantiles(seed: int, ci: str, by: str | None) -> None:
    survey = drawn(seed)
    mapped = Survey(responses=survey.responses.assign(x=np.exp(survey.responses["x"])), design=survey.design)
    there, here = (quantile(s, "x", by=by, ci=ci).rows for s in (mapped, survey))
    np.testing.assert_allclose(there[COLUMNS], np.exp(here[COLUMNS]), rtol=1e-12)


@given(seed=st.integers(0, 50))
def test_turned_round_the_scale_turns_the_quantiles(seed: int) -> None:
    survey = drawn(seed)
    turned = Survey(responses=survey.responses.assign(x=-survey.responses["x"]), design=survey.design)
    low, high = (quantile(s, "x", probs=p, rule="school").rows for s, p in ((survey, 0.25), (turned, 0.75)))
    np.testing.assert_allclose(low["estimate"], -high["estimate"])


@given(seed=st.integers(0, 50))
def test_a_group_by_itself_is_the_group_of_the_table(seed: int) -> None:
    survey = drawn(seed)
    rows = quantile(survey, "y", by="g").rows
    for group, there in rows.groupby("g"):
        here = quantile(survey, "y", where=f"g == {group!r}").rows
        np.testing.assert_allclose(there[COLUMNS].to_numpy(), here[COLUMNS].to_numpy())
    assert rows["prob"].tolist() == [0.25, 0.5, 0.75] * rows["g"].nunique()


@pytest.mark.parametrize("options", [{"probs": 1.2}, {"probs": [0.5, -0.1]}, {"probs": []}, {"ci": "wald"},
                                     {"rule": "hf3"}, {"probs": [float("nan")]}])  # fmt: skip
def test_wrong_calls_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        quantile(drawn(1), "x", **options)


def test_words_have_no_quantiles() -> None:
    with pytest.raises(DataError):
        quantile(drawn(1), "g")


def test_negative_weights_are_refused() -> None:
    survey = drawn(1)
    known = {"x": 0.05 * (survey.arrays.weights * survey.responses["x"]).sum()}
    with pytest.raises(DesignError, match="âm"):
        quantile(calibrate(survey, known), "x")


def test_don_t_know_is_not_a_nine() -> None:
    frame = pd.DataFrame({"p1": [9, 9, 9, 1, 2, 3]})
    row = quantile(Survey(responses=frame, questionnaire=questionnaire()), "p1", probs=0.5).rows.iloc[0]
    assert (row["estimate"], row["n"], row["n_missing"]) == (2, 3, 3)


def test_nobody_answered() -> None:
    survey = Survey(responses=pd.DataFrame({"x": [np.nan] * 4, "g": list("aabb")}))
    rows = quantile(survey, "x", by="g").rows
    assert rows[COLUMNS].isna().all(axis=None)
    assert rows["n"].tolist() == [0] * 6


def test_weak_quantiles_are_noted() -> None:
    few = Survey(responses=pd.DataFrame({"x": range(8), "q": [4, 5, 5, 5, 5, 5, 5, 5]}))
    with language("en"):
        far_out, tied = quantile(few, "x", probs=0.05), quantile(few, "q", probs=0.5)
        odd = quantile(few, "x", rule="shahvaish")
    assert "1 quantiles lie so far out that the sample gives no end to their interval." in far_out.notes
    assert any("that many gave" in note for note in tied.notes)
    assert any("shahvaish" in note and "prefer" in note for note in odd.notes)


def test_table_and_figure_say_the_same() -> None:
    result = quantile(drawn(4), "x", probs=[0.5, 0.125])
    table = result.table()
    assert [row[1] for row in table.cells] == ["50,0%", "12,5%"]
    ax = result.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x · 50%", "x · 12,5%"]
