"""Tests of independence: what they do not depend on, weak tables, words, figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DesignError
from khaosat.facts.language import language
from khaosat.survey import crosstab_test, proportion, rake, replicates
from tests.survey.surveys import drawn, questionnaire

NUMBERS = ["statistic", "df1", "df2", "p_value", "deff"]
STATISTICS = ["F", "Chisq", "Wald", "adjWald", "saddlepoint"]


@pytest.mark.parametrize("statistic", STATISTICS)
@given(seed=st.integers(0, 30))
def test_names_order_and_unit_of_weights_do_not_matter(statistic: str, seed: int) -> None:
    survey = drawn(seed, n_strata=4)
    frame = survey.responses.assign(y=survey.responses["y"] > 2)
    changed = frame.assign(g=frame["g"].map({"a": "z", "b": "m", "c": "k"}), y=~frame["y"], w=3 * frame["w"])
    there, here = (
        crosstab_test(Survey(responses=f, design=survey.design), "g", "y", statistic=statistic)
        for f in (changed.sample(frac=1, random_state=seed), frame)
    )
    np.testing.assert_allclose(there.rows[NUMBERS].astype(float), here.rows[NUMBERS].astype(float), rtol=1e-6)
    turned = crosstab_test(survey, "y", "g", statistic=statistic).rows[NUMBERS].astype(float)
    np.testing.assert_allclose(
        turned, crosstab_test(survey, "g", "y", statistic=statistic).rows[NUMBERS].astype(float), rtol=1e-6
    )


@given(seed=st.integers(0, 30))
def test_counts_are_the_shares_of_the_population(seed: int) -> None:
    survey = drawn(seed)
    counts = crosstab_test(survey, "g", "y").counts
    rows = proportion(survey, "y", by="g").rows.set_index(["g", "level"])["estimate"].unstack()  # noqa: PD010
    shares = counts.div(counts.sum(axis=1), axis=0)
    np.testing.assert_allclose(shares, rows.loc[shares.index, shares.columns], rtol=1e-12)


def test_clusters_make_the_test_more_careful() -> None:
    rng = np.random.default_rng(12)
    village = np.repeat(np.arange(30), 20)
    mood = rng.random(30)[village]
    frame = pd.DataFrame({"v": village, "side": village % 2, "happy": rng.random(600) < mood})
    alone, together = (
        crosstab_test(Survey(responses=frame, design=d), "side", "happy").rows.iloc[0]
        for d in (Design(), Design(clusters="v"))
    )
    assert together["deff"] > 3 * alone["deff"]
    assert together["p_value"] > alone["p_value"]


def test_missing_answers_are_counted() -> None:
    survey = drawn(3)
    result = crosstab_test(survey, "g", "y")
    assert result.rows.loc[0, "n_missing"] == survey.responses["y"].isna().sum()
    assert result.rows.loc[0, "n"] == result.sizes.to_numpy().sum()
    assert any("y:" in note for note in result.notes)


def test_one_answer_or_none_leaves_nothing_to_test() -> None:
    frame = pd.DataFrame({"one": 1, "two": [1, 2] * 10, "none": np.nan})
    with language("en"):
        for column in ("one", "none"):
            result = crosstab_test(Survey(responses=frame), "two", column)
            assert np.isnan(result.rows.loc[0, "p_value"])
            assert any(note.startswith("No test: one of the two") for note in result.notes)
            result.table()


def test_too_few_units_give_no_verdict() -> None:
    survey = drawn(5)
    with language("en"):
        result = crosstab_test(survey, "y", "g", statistic="adjWald")
    assert np.isnan(result.rows.loc[0, "p_value"])
    assert any("too few units" in note for note in result.notes)
    perfect = pd.DataFrame({"one": [1, 2] * 20, "two": [1, 2] * 20})
    assert np.isnan(crosstab_test(Survey(responses=perfect), "one", "two").rows.loc[0, "p_value"])


@pytest.mark.parametrize(("arguments", "options"), [(("g", "g"), {}), (("g", "y"), {"statistic": "Pearson"})])
def test_wrong_calls_are_refused(arguments: tuple[str, str], options: dict) -> None:
    with pytest.raises(ValueError, match="row and column|statistic"):
        crosstab_test(drawn(1), *arguments, **options)


def test_table_and_figure_show_row_shares_and_hide_small_rows() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"ward": ["A"] * 80 + ["B"] * 60 + ["C"] * 3, "p1": rng.integers(1, 6, 143)})
    result = crosstab_test(Survey(responses=frame, questionnaire=questionnaire()), "ward", "p1")
    table = result.table()
    assert [column.heading for column in table.columns][1:3] == ["Rất không hài lòng", "Không hài lòng"]
    assert [row[0] for row in table.cells] == ["A", "B", "C", "Chung"]
    assert table.hidden == {1, 2}  # C is small; without B it could be taken from the whole
    shares = [row[1:-1] for i, row in enumerate(table.raw) if i not in table.hidden]
    np.testing.assert_allclose(np.array(shares, dtype=float).sum(axis=1), 1)
    ax = result.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "Chung"]
    assert ax.get_legend().get_title().get_text() == "Câu p1"
    widths = [bar.get_width() for bar in ax.patches]
    assert sum(widths) == pytest.approx(200)


def test_whole_codes_of_a_column_with_gaps_are_written_whole() -> None:
    table = crosstab_test(drawn(3), "g", "y").table()
    assert [column.heading for column in table.columns][1:-1] == ["1", "2", "3", "4", "5"]


def test_the_variance_knows_of_raking_and_replicates() -> None:
    survey = drawn(8, n_strata=4)
    plain = crosstab_test(survey, "g", "h").rows.iloc[0]
    raked = crosstab_test(rake(survey, {"g": {"a": 40, "b": 50, "c": 60}}), "g", "h").rows.iloc[0]
    assert raked["statistic"] != pytest.approx(plain["statistic"], rel=1e-3)
    again = crosstab_test(replicates(survey), "g", "h")
    assert again.rows.loc[0, "statistic"] == pytest.approx(plain["statistic"], rel=0.25)
    assert any("jackknife" in note.lower() for note in again.notes)


def test_a_stratum_with_one_unit_is_refused_as_by_every_verb() -> None:
    frame = pd.DataFrame({"h": [1, 1, 1, 2], "g": list("abab"), "y": [1, 2, 2, 1]})
    with pytest.raises(DesignError, match="h=2"):
        crosstab_test(Survey(responses=frame, design=Design(strata="h")), "g", "y")


def test_columns_of_few_respondents_are_hidden_with_the_next_rarest() -> None:
    frame = pd.DataFrame({"ward": ["A", "B"] * 60, "kind": ["x"] * 60 + ["y"] * 35 + ["z"] * 22 + ["rare"] * 3})
    result = crosstab_test(Survey(responses=frame), "ward", "kind")
    table = result.table()
    shares = {column.heading: [row[place] for row in table.cells] for place, column in enumerate(table.columns)}
    assert all("%" not in cell for name in ("rare", "z") for cell in shares[name])
    assert all("%" in cell for name in ("x", "y") for cell in shares[name])
    assert any("10" in note and "cột" in note for note in table.notes)
    ax = result.plot()
    assert len(ax.containers) == 2


@pytest.mark.parametrize(("row", "column"), [("few", "few"), ("few", "nobody"), ("nobody", "few")])
def test_a_table_without_an_answer_to_show_has_an_empty_figure(row: str, column: str) -> None:
    frame = pd.DataFrame({"few": [1, 2, 3] * 3, "other": [1, 1, 2] * 3, "nobody": np.nan})
    result = crosstab_test(Survey(responses=frame), row if row != column else "other", column)
    assert not result.plot().patches
    assert not any("%" in cell for line in result.table().cells for cell in line)
