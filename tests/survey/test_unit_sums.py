"""Means and shares from sums by unit are those of the respondents one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design
from khaosat.stats.stages import sample
from khaosat.stats.taylor import cell_units, held_units
from khaosat.survey import mean, proportion, replicates
from khaosat.survey.answers import numeric_answers
from khaosat.survey.cells import cells_of
from khaosat.survey.unit_sums import UnitSums, cell_means, common_part
from tests.survey.surveys import DESIGN, drawn


@pytest.mark.parametrize("by", [None, "g", ["g", "h"]])
@pytest.mark.parametrize("design", [DESIGN, Design(weights="w"), Design(weights="w", strata="h")])
def test_sums_by_unit_are_respondents_one_by_one(design: Design, by: str | list[str] | None) -> None:
    survey = drawn(5, n_strata=3, design=replace(design, lonely_psu="adjust"))
    cells, answer = cells_of(survey, by=by, where="x > 1.5"), numeric_answers(survey, "y")
    sums = UnitSums.of(survey, cells)
    assert sums is not None
    fast = cell_means(survey, cells, sums, answer=answer, values=answer.numbers, centre=2.5)
    slow = cell_means(survey, cells, None, answer=answer, values=answer.numbers)
    for name in ("value", "se", "n", "units"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-12, atol=1e-15, err_msg=name)


def test_a_large_common_part_costs_no_digits() -> None:
    survey = drawn(5, n_strata=3)
    plain = mean(survey, "x").rows.iloc[0]
    moved = mean(replace(survey, responses=survey.responses.assign(x=survey.responses["x"] + 2e9)), "x").rows.iloc[0]
    assert moved["se"] == pytest.approx(plain["se"], rel=1e-6)
    assert common_part(np.array([np.nan])) == 0.0


def test_units_are_told_apart_by_codes_of_any_size() -> None:
    strata, units = np.array([1, 0, 1, 0, 1]), np.array([7, 5, 9, 10**12, 7])
    drawn_units = sample([strata], [units], populations=[np.full(5, np.inf)])
    small = sample([strata], [np.array([1, 0, 2, 3, 1])], populations=[np.full(5, np.inf)])
    assert drawn_units.df == small.df == 2
    np.testing.assert_array_equal(drawn_units.unit[[0, 4]], drawn_units.unit[0])
    cells = np.array([0, 0, 0, -1, 0])
    held = np.zeros((4, 1), dtype=bool)
    held[drawn_units.unit[cells == 0]] = True
    assert held_units(held, drawn=drawn_units) == cell_units(cells, n_cells=1, drawn=drawn_units) == [3]


def test_replicates_by_unit_are_replicates_by_respondent() -> None:
    survey = replicates(drawn(4, n_strata=4, design=Design(weights="w", strata="h", clusters="c", nest=True)))
    made = survey.replicates
    assert made is not None
    assert made.multipliers is not None
    whole = replace(survey, replicates=replace(made, multipliers=None))
    for by in (None, "g"):
        pd.testing.assert_frame_equal(
            proportion(survey, "y", by=by).rows, proportion(whole, "y", by=by).rows, rtol=1e-10
        )  # fmt: skip


def test_whole_numbers_with_gaps_and_words_have_the_levels_that_occur() -> None:
    survey = drawn(4, n_strata=2)
    coded = replace(
        survey, responses=survey.responses.assign(q=np.resize(np.array([1, 5, 2], dtype=np.int8), survey.n))
    )
    assert proportion(coded, "q").rows["level"].tolist() == [1, 2, 5]
    assert proportion(coded, "q", at=[5, 2]).rows["numerator"].item() == (coded.responses["q"] > 1).sum()
