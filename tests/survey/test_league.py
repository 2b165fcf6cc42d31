"""League tables: direct estimates are those of other verbs, pooling and rank sets go by their design covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.stats.small_area import fay_herriot
from khaosat.survey import compare, league_table, mean, proportion, rake, replicates
from khaosat.survey.league_result import LeagueTable

SHARED = ["estimate", "se", "low", "high", "df", "n", "n_missing"]


def units(seed: int = 1, *, m: int = 14, n: int = 40, spread: float = 0.7, clusters: int = 0) -> Survey:
    """Answers on five points about units, with weights; units differ by ``spread``."""
    rng = np.random.default_rng(seed)
    size = rng.integers(n // 2, 2 * n, m)
    unit = np.repeat(np.arange(m), size)
    level = rng.normal(3.6, spread, m)[unit] + rng.normal(0, 1, len(unit))
    frame = pd.DataFrame({"unit": [f"U{i:02d}" for i in unit], "q": np.clip(np.round(level), 1, 5)})
    frame["w"], frame["g"] = rng.uniform(1, 6, len(frame)), rng.choice(["a", "b"], len(frame))
    frame["c"] = rng.integers(0, clusters, len(frame)) if clusters else np.arange(len(frame))
    return Survey(responses=frame, design=Design(weights="w", clusters="c"))


def league(survey: Survey, **options: object) -> LeagueTable:
    return league_table(survey, "q", **({"by": "unit", "draws": 499} | options))  # type: ignore[arg-type]


def changed(survey: Survey, **columns: object) -> Survey:
    return replace(survey, responses=survey.responses.assign(**columns))


def test_direct_estimates_are_those_of_mean_and_proportion() -> None:
    survey = units()
    for found, same in (
        (league(survey), mean(survey, "q", by="unit")),
        (league(survey, at=[4, 5], where="g == 'a'"), proportion(survey, "q", at=[4, 5], by="unit", where="g == 'a'")),
    ):
        rows = found.rows.sort_values("unit", ignore_index=True)
        pd.testing.assert_frame_equal(rows[["variable", "unit", *SHARED]], same.rows[["variable", "unit", *SHARED]])
        assert found.rows["estimate"].is_monotonic_decreasing
        assert list(found.rows.columns)[-4:] == ["rank", "rank_low", "rank_high", "group"]
    assert not set(league(survey, shrink=False).rows) & {"pooled", "synthetic", "benchmarked"}


@pytest.mark.parametrize("clusters", [0, 60])
def test_differences_have_the_standard_errors_of_compare(clusters: int) -> None:
    """Units that share primary units are not independent; the joint covariance says so."""
    survey = units(clusters=clusters, m=5)
    matrix = league(survey).covariance
    for row in compare(survey, "q", groups="unit").rows.itertuples():
        square = matrix.loc[row.group, row.group] + matrix.loc[row.reference, row.reference]
        assert np.sqrt(square - 2 * matrix.loc[row.group, row.reference]) == pytest.approx(row.se, rel=1e-9)
    if clusters:
        assert (matrix.to_numpy()[~np.eye(5, dtype=bool)] != 0).all()


@pytest.mark.parametrize("method", ["reml", "ml", "fh", "prasad_rao"])
def test_pooled_estimates_are_the_model_of_the_rows(method: str) -> None:
    found = league(units(), method=method)
    rows = found.rows
    fit = fay_herriot(rows["estimate"].to_numpy(), rows["se"].to_numpy() ** 2, method=method)
    np.testing.assert_allclose(rows["sampling_se"], rows["se"])
    np.testing.assert_allclose(rows["pooled"], fit.pooled)
    np.testing.assert_allclose(rows["pooled_se"] ** 2, fit.mse)
    np.testing.assert_allclose(rows["shrinkage"], fit.shrinkage)
    assert found.fit["between_variance"].iloc[0] == pytest.approx(fit.between)
    assert found.coefficients["estimate"].tolist() == pytest.approx(fit.coefficients)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_pooled_lies_between_and_ranks_in_their_sets(seed: int) -> None:
    rows = league(units(seed, m=7, n=14), at=[5]).rows
    ends = rows[["estimate", "synthetic"]].to_numpy()
    assert (rows["pooled"] >= ends.min(axis=1) - 1e-12).all()
    assert (rows["pooled"] <= ends.max(axis=1) + 1e-12).all()
    ranked = rows.dropna(subset="rank")
    assert ((ranked["rank_low"] <= ranked["rank"]) & (ranked["rank"] <= ranked["rank_high"])).all()
    assert ((ranked["pooled_low"] <= ranked["pooled"]) & (ranked["pooled"] <= ranked["pooled_high"])).all()


@pytest.mark.parametrize("benchmark", ["ratio", "difference"])
def test_benchmarked_estimates_add_up_to_the_whole(benchmark: str) -> None:
    survey = units()
    found = league(survey, at=[4, 5], benchmark=benchmark)
    weight = survey.responses.groupby("unit")["w"].sum().loc[found.rows["unit"]].to_numpy()
    whole = proportion(survey, "q", at=[4, 5]).rows["estimate"].iloc[0]
    assert np.average(found.rows["benchmarked"], weights=weight) == pytest.approx(whole)
    assert np.average(found.rows["pooled"], weights=weight) != pytest.approx(whole)
    assert found.together == pytest.approx(whole)


def test_weights_change_every_column_and_their_unit_none() -> None:
    survey = units()
    first, again = league(survey).rows, league(changed(survey, w=survey.responses["w"] * 7)).rows
    pd.testing.assert_frame_equal(first, again)
    other = league(changed(survey, w=1.0)).rows.set_index("unit").loc[first["unit"]]
    for column in ("estimate", "sampling_se", "pooled", "pooled_se", "shrinkage", "benchmarked"):
        assert np.abs(other[column].to_numpy() - first[column].to_numpy()).min() > 0


def test_order_of_the_respondents_does_not_matter() -> None:
    survey = units(clusters=60)
    mixed = replace(survey, responses=survey.responses.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(league(survey).rows, league(mixed).rows, rtol=1e-9)


def test_the_lowest_can_be_the_best() -> None:
    high, low = league(units()).rows, league(units(), best="low").rows
    assert low["unit"].tolist() == high["unit"].tolist()[::-1]
    assert low["rank_low"].iloc[0] == 1
    np.testing.assert_allclose(low["pooled"].to_numpy()[::-1], high["pooled"])


def test_a_seed_gives_the_same_sets_again() -> None:
    survey = units(spread=0.3)
    sets = [league(survey, rng=np.random.default_rng(5), draws=99).rows for _ in range(2)]
    pd.testing.assert_frame_equal(*sets)


def test_joint_intervals_are_wider_than_differences() -> None:
    found, simple = (league(units(), ranks=ranks).rows for ranks in ("differences", "intervals"))
    width = [(rows["rank_high"] - rows["rank_low"]).sum() for rows in (found, simple)]
    assert width[0] < width[1]
    assert "Šidák" in " ".join(league(units(), ranks="intervals").notes)


def test_a_share_of_one_is_not_certain() -> None:
    survey = units(spread=0.3)
    inside = survey.responses["unit"] == "U03"
    found = league(changed(survey, q=survey.responses["q"].mask(inside, 5)), at=[4, 5])
    row = found.rows[found.rows["unit"] == "U03"].iloc[0]
    assert (row["estimate"], row["se"], row["rank"]) == (1, 0, 1)
    assert row["sampling_se"] > 0.01
    assert 0.7 < row["pooled"] < 0.995
    assert row["pooled_low"] < row["pooled"] < row["pooled_high"] < 1
    assert any("1 đơn vị không có phương sai mẫu riêng" in note for note in found.notes)
    left = league(changed(survey, q=survey.responses["q"].mask(inside, 5)), at=[4, 5], smooth="none").rows
    assert left.loc[left["unit"] == "U03", ["pooled", "rank"]].isna().all(axis=None)


def test_few_primary_units_take_the_variance_of_a_function() -> None:
    """Three villages a unit: no unit's own variance is used, and no correlation from so few."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"unit": np.repeat(list("ABCDEFGH"), 30), "c": np.repeat(np.arange(24), 10)})
    frame["q"] = rng.integers(1, 6, len(frame))
    survey = Survey(responses=frame, design=Design(strata="unit", clusters="c"))
    few, own = league(survey), league(survey, smooth="none")
    np.testing.assert_allclose(few.rows["sampling_se"], few.rows["sampling_se"].iloc[0])
    assert few.rows["sampling_se"].iloc[0] ** 2 == pytest.approx((few.rows["se"] ** 2).mean())
    np.testing.assert_allclose(own.rows["sampling_se"], own.rows["se"])
    assert league(units(clusters=0), smooth="all").rows["sampling_se"].std() > 0


def test_units_with_too_few_answers_are_listed_without_a_rank() -> None:
    survey = units()
    few = survey.responses.groupby("unit").cumcount() >= np.where(survey.responses["unit"] == "U05", 6, 999)
    small = replace(survey, responses=survey.responses[~few])
    found = league(small)
    last = found.rows.iloc[-1]
    assert (last["unit"], last["n"]) == ("U05", 6)
    assert found.rows.iloc[-1][["rank", "rank_low", "rank_high", "group"]].isna().all()
    assert found.rows["rank"].iloc[:-1].tolist() == list(range(1, 14))
    assert np.isfinite(last["pooled"])
    cells = {row[1]: row for row in found.table().cells}
    assert "Chưa đủ dữ liệu" in cells["U05"]
    assert "…" in cells["U05"]
    assert "U05" not in [tick.get_text() for tick in found.plot().get_yticklabels()]
    assert league(small, min_n=5).rows["rank"].notna().all()


def test_covariates_say_what_the_units_do_not() -> None:
    survey = units(m=20)
    truth = mean(survey, "q", by="unit").rows.set_index("unit")["estimate"]
    frame = pd.DataFrame({"online": truth * 2 - 3, "staff": np.arange(20.0) % 3}, index=truth.index)
    found = league(survey, covariates=frame.sample(frac=1, random_state=1))
    assert found.coefficients["term"].tolist() == ["(Intercept)", "online", "staff"]
    assert found.coefficients["estimate"].tolist() == pytest.approx([1.5, 0.5, 0], abs=1e-6)
    assert found.fit["between_variance"].iloc[0] == 0
    np.testing.assert_allclose(found.rows["pooled"], found.rows["estimate"], atol=1e-6)


def test_every_fault_of_the_covariates_is_told_at_once() -> None:
    survey = units(m=6)
    index = ["U00", "U00", "U02", "U03", "U04", "U05"]
    with pytest.raises(DataError) as told:
        league(survey, covariates=pd.DataFrame({"x": range(6), "word": "a"}, index=index))
    assert all(part in str(told.value) for part in ("word", "U00", "U01"))
    names = [f"U{i:02d}" for i in range(6)]
    with pytest.raises(DataError, match="U04"):
        league(survey, covariates=pd.DataFrame({"x": [1, 2, 3, 4, np.nan, 6]}, index=names))
    with pytest.raises(DataError, match="suy ra"):
        league(survey, covariates=pd.DataFrame({"x": range(6), "y": range(6)}, index=names))


def test_units_of_several_columns() -> None:
    found = league(units(m=4, n=120), by=["unit", "g"])
    assert len(found.rows) == 8
    assert found.keys == ["variable", "unit", "g"]
    assert found.plot().get_yticklabels()[0].get_text() == " · ".join(found.rows.loc[0, ["unit", "g"]])
    frame = found.rows.set_index(["unit", "g"])[["n"]].astype(float)
    assert league(units(m=4, n=120), by=["unit", "g"], covariates=frame).coefficients["term"].tolist()[1] == "n"


def test_raked_and_replicate_weights_are_taken() -> None:
    survey = units(m=6, clusters=80)
    raked = rake(survey, {"g": {"a": 4000.0, "b": 1000.0}})
    for other in (raked, replicates(survey), replicates(raked)):
        found = league(other)
        assert found.rows["estimate"].sort_values().tolist() == mean(other, "q", by="unit").rows[
            "estimate"
        ].sort_values().tolist()  # fmt: skip
        assert np.isfinite(found.rows["pooled_se"]).all()
    assert league(raked).rows["sampling_se"].tolist() != league(survey).rows["sampling_se"].tolist()


def test_units_that_are_primary_units_are_not_ranked() -> None:
    survey = units(m=8)
    found = league(replace(survey, design=Design(weights="w", clusters="unit")))
    assert found.rows["rank"].isna().all()
    assert found.rows["pooled"].isna().all()
    assert "đơn vị mẫu cấp một" in found.notes[-1]
    assert len(found.table().cells) == 8


def test_units_counted_in_full_are_certain() -> None:
    survey = units(m=6)
    frame = survey.responses.assign(w=1.0)
    frame["big"] = frame.groupby("unit")["q"].transform("size") * np.where(frame["unit"] < "U02", 1, 50)
    found = league(Survey(responses=frame, design=Design(strata="unit", fpc="big")))
    rows = found.rows.set_index("unit")
    full = rows.loc[["U00", "U01"]]
    assert (full["sampling_se"] == 0).all()
    assert full["pooled"].tolist() == full["estimate"].tolist()
    assert (full["shrinkage"] == 1).all()
    assert rows["rank"].notna().all()


def test_thin_tables() -> None:
    survey = units(m=2)
    two = league(survey)
    assert two.rows["pooled"].isna().all()
    assert two.rows["rank"].tolist() == [1, 2]
    one = league(survey, where="unit == 'U00'").rows
    assert one[["rank", "rank_low", "rank_high", "group"]].to_numpy().tolist() == [[1, 1, 1, 1]]
    none = league(survey, where="unit == 'X'")
    assert len(none.rows) == 0
    assert none.table().cells == ()
    alike = league(changed(survey, q=4.0), at=4)
    assert alike.rows["rank"].isna().all()
    blank = league(changed(survey, q=survey.responses["q"].where(survey.responses["unit"] == "U00")))
    assert blank.rows["rank"].tolist()[0] == 1
    assert pd.isna(blank.rows["rank"].iloc[1])


def test_wrong_calls() -> None:
    survey = units(m=3)
    for wrong in ({"best": "up"}, {"ranks": "all"}, {"smooth": "yes"}, {"method": "bayes"}, {"benchmark": "no"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            league(survey, **wrong)
    with pytest.raises(ValueError, match="draws"):
        league(survey, draws=10)
    with pytest.raises(ValueError, match="by"):
        league(survey, by=[])
    with pytest.raises(DataError, match="nowhere"):
        league(survey, by="nowhere")


def test_table_and_figure_speak_vietnamese() -> None:
    found = league(units(), at=[4, 5])
    table = found.table()
    heads = [column.heading for column in table.columns]
    assert heads[:3] == ["Hạng", "Đơn vị", "Ước lượng trực tiếp"]
    assert "Không phân biệt được" in heads
    assert table.cells[0][0] == "1"
    assert table.cells[0][heads.index("Không phân biệt được")] == "Nhóm 1"
    assert table.cells[-1][heads.index("Khoảng thứ hạng")].endswith("–14")
    ax = found.plot()
    assert [text.get_text() for text in ax.get_yticklabels()][:1] == [found.rows["unit"].iloc[0]]
    dots = next(line for line in ax.lines if line.get_label() == "Ước lượng trực tiếp")
    np.testing.assert_allclose(dots.get_xdata(), found.rows["estimate"] * 100)


def test_a_level_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="level is 95"):
        league_table(Survey(responses=pd.DataFrame({"q": [1, 2], "u": ["a", "b"]})), "q", by="u", level=95)
