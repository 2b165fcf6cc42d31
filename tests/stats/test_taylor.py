"""The variance core against formulae written by hand (Särndal, Swensson and Wretman 1992, ch. 4), and identities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from khaosat.stats.stages import sample
from khaosat.stats.taylor import LonelyPSUError, cell_df, cell_units, cell_variance, covariance

INF = np.inf


def codes(*values: int) -> NDArray[np.intp]:
    return np.array(values, dtype=np.intp)


def drawn(strata, units, populations):
    return sample(strata, units, populations=[np.asarray(p, dtype=float) for p in populations])


def one_cell(scores, design, lonely="fail") -> float:
    cells = np.zeros(len(scores), dtype=np.intp)
    return float(cell_variance(np.asarray(scores, float), cells, n_cells=1, drawn=design, lonely=lonely)[0])


def test_simple_random_sample_without_replacement() -> None:
    y, size = np.array([3.0, 7.0, 8.0, 12.0]), 20
    design = drawn([np.zeros(4, dtype=np.intp)], [np.arange(4)], [[size] * 4])
    assert one_cell(size / 4 * y, design) == pytest.approx(size**2 * (1 - 4 / size) * y.var(ddof=1) / 4, rel=1e-14)


def test_two_stages_written_out() -> None:
    """V = N²(1-f) s_t²/n + N/n Σ M_c²(1-f_c) s_c²/m_c for totals of clusters (Särndal et al., 4.3.20)."""
    big_n, big_m = 6, np.array([8, 5, 10])
    y = [np.array([1.0, 4.0]), np.array([2.0, 3.0, 7.0]), np.array([5.0, 9.0])]
    unit = np.repeat(np.arange(3), [len(part) for part in y])
    rows = len(unit)
    weight = np.concatenate([np.full(len(part), big_n / 3 * m / len(part)) for part, m in zip(y, big_m, strict=True)])
    design = drawn([np.zeros(rows, dtype=np.intp), unit], [unit, np.arange(rows)], [[big_n] * rows, big_m[unit]])
    totals = np.array([m * part.mean() for part, m in zip(y, big_m, strict=True)])
    first = big_n**2 * (1 - 3 / big_n) * totals.var(ddof=1) / 3
    second = sum(m**2 * (1 - len(p) / m) * p.var(ddof=1) / len(p) for p, m in zip(y, big_m, strict=True))
    assert one_cell(weight * np.concatenate(y), design) == pytest.approx(first + big_n / 3 * second, rel=1e-13)


def test_units_drawn_are_counted_below_a_census() -> None:
    """Stratum 0: both clusters of two taken, so their parts count; stratum 1: two clusters of five, so they count."""
    stratum, unit = codes(0, 0, 0, 0, 1, 1, 1), codes(0, 0, 1, 1, 2, 2, 3)
    person = np.arange(7)
    design = drawn([stratum, unit], [unit, person], [[2, 2, 2, 2, 5, 5, 5], [9] * 7])
    cells = codes(0, 0, 1, 2, 3, 3, 2)
    assert cell_units(cells, n_cells=5, drawn=design).tolist() == [2, 1, 2, 1, 0]
    everyone = drawn([stratum, unit], [unit, person], [[2] * 7, [2, 2, 2, 2, 2, 2, 1]])
    assert cell_units(cells, n_cells=5, drawn=everyone).tolist() == [0] * 5


def test_a_census_of_the_clusters_leaves_only_the_second_stage() -> None:
    """If all clusters are in, they are strata."""
    unit = codes(0, 0, 0, 1, 1, 1)
    rows = np.arange(6)
    both = drawn([np.zeros(6, dtype=np.intp), unit], [unit, rows], [[2] * 6, [9] * 6])
    strata = drawn([unit], [rows], [[9] * 6])
    scores = [1.0, 5.0, 2.0, 8.0, 3.0, 3.0]
    assert one_cell(scores, both) == pytest.approx(one_cell(scores, strata), rel=1e-14)


def test_a_first_stage_with_replacement_stands_for_the_stages_below() -> None:
    unit, rows = codes(0, 0, 1, 1, 2), np.arange(5)
    deep = drawn([np.zeros(5, dtype=np.intp), unit], [unit, rows], [[INF] * 5, [4] * 5])
    flat = drawn([np.zeros(5, dtype=np.intp)], [unit], [[INF] * 5])
    scores = [1.0, -2.0, 4.0, 0.0, 3.0]
    assert one_cell(scores, deep) == one_cell(scores, flat)
    assert len(deep.stages) == 1


def test_degrees_of_freedom_are_units_less_strata() -> None:
    design = drawn([codes(0, 0, 0, 1, 1, 1)], [codes(0, 0, 1, 2, 3, 4)], [[INF] * 6])
    assert design.df == 3
    cells = codes(0, 0, 0, -1, 1, 1)
    assert cell_df(cells, n_cells=2, drawn=design).tolist() == [1, 1]


class TestLonelyUnits:
    """Stratum 1 has one unit."""

    design = drawn([codes(0, 0, 0, 1)], [codes(0, 1, 2, 3)], [[INF] * 4])
    scores = np.array([2.0, -1.0, -4.0, 3.0])
    rest = 3 / 2 * ((3.0) ** 2 + 0 + 3.0**2)

    def test_fail_names_a_respondent_of_the_stratum(self) -> None:
        with pytest.raises(LonelyPSUError) as caught:
            one_cell(self.scores, self.design)
        assert (caught.value.stage, caught.value.row) == (1, 3)

    @pytest.mark.parametrize(("rule", "extra"), [("remove", 0.0), ("certainty", 0.0), ("adjust", 9.0)])
    def test_rules(self, rule: str, extra: float) -> None:
        assert one_cell(self.scores, self.design, rule) == pytest.approx(self.rest + extra)

    def test_average_takes_the_mean_of_the_others(self) -> None:
        assert one_cell(self.scores, self.design, "average") == pytest.approx(2 * self.rest)

    def test_a_domain_that_does_not_touch_the_stratum_is_estimated(self) -> None:
        cells = codes(0, 0, 0, -1)
        found = cell_variance(self.scores, cells, n_cells=1, drawn=self.design, lonely="fail")
        assert found[0] == pytest.approx(self.rest)
        averaged = cell_variance(self.scores, cells, n_cells=1, drawn=self.design, lonely="average")
        assert averaged[0] == pytest.approx(self.rest)

    def test_average_of_nothing_is_refused(self) -> None:
        alone = drawn([codes(0, 1)], [codes(0, 1)], [[INF] * 2])
        with pytest.raises(LonelyPSUError):
            one_cell([1.0, 2.0], alone, "average")

    def test_a_stratum_of_one_that_was_taken_is_certain(self) -> None:
        design = drawn([codes(0, 0, 0, 1)], [codes(0, 1, 2, 3)], [[9, 9, 9, 1]])
        assert one_cell(self.scores, design) == pytest.approx(self.rest * (1 - 3 / 9))

    def test_a_lonely_village_is_named_by_its_stage(self) -> None:
        ward, rows = codes(0, 0, 1), np.arange(3)
        design = drawn([np.zeros(3, dtype=np.intp), ward], [ward, rows], [[5] * 3, [4] * 3])
        with pytest.raises(LonelyPSUError) as caught:
            one_cell([1.0, 2.0, 3.0], design)
        assert (caught.value.stage, caught.value.row) == (2, 2)

    def test_a_lonely_ward_is_named_by_one_of_its_people(self) -> None:
        ward, rows = codes(0, 0, 1, 1, 2, 2), np.arange(6)
        design = drawn([codes(0, 0, 0, 0, 1, 1), ward], [ward, rows], [[5] * 6, [4] * 6])
        with pytest.raises(LonelyPSUError) as caught:
            one_cell(np.arange(6.0), design)
        assert (caught.value.stage, caught.value.row) == (1, 4)


@st.composite
def designs(draw):
    n = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    unit = np.arange(n) // draw(st.integers(1, 3))
    stratum = unit // 4 // draw(st.integers(1, 3))
    last = stratum == stratum.max()
    stratum[last] -= int(len(np.unique(unit[last])) == 1 and stratum.max() > 0)
    population = np.full(n, float(n + draw(st.integers(0, 50)))) if draw(st.booleans()) else np.full(n, INF)
    return n, rng, stratum.astype(np.intp), unit.astype(np.intp), population


@given(designs())
def test_order_of_the_rows_does_not_matter(given_design) -> None:
    n, rng, stratum, unit, population = given_design
    scores, cells = rng.normal(size=n), rng.integers(-1, 3, n)
    order = rng.permutation(n)
    design = drawn([stratum], [unit], [population])
    mixed = drawn([stratum[order]], [unit[order]], [population[order]])
    np.testing.assert_allclose(
        cell_variance(scores, cells, n_cells=3, drawn=design, lonely="adjust"),
        cell_variance(scores[order], cells[order], n_cells=3, drawn=mixed, lonely="adjust"),
        rtol=1e-10, atol=1e-14,
    )  # fmt: skip


@given(designs())
def test_cells_are_zeros_outside_and_the_diagonal_of_the_covariance(given_design) -> None:
    n, rng, stratum, unit, population = given_design
    scores, cells = rng.normal(size=n), rng.integers(-1, 3, n)
    design = drawn([stratum], [unit], [population])
    wide = np.column_stack([np.where(cells == cell, scores, 0.0) for cell in range(3)])
    matrix = covariance(wide, drawn=design, lonely="remove")
    np.testing.assert_allclose(
        cell_variance(scores, cells, n_cells=3, drawn=design, lonely="remove"), np.diag(matrix), rtol=1e-10, atol=1e-14
    )
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-10


@given(designs())
def test_many_cells_are_the_same_in_portions(given_design) -> None:
    from khaosat.stats import taylor

    n, rng, stratum, unit, population = given_design
    scores, cells = rng.normal(size=n), rng.integers(-1, 5, n)
    design = drawn([stratum], [unit], [population])
    whole = cell_variance(scores, cells, n_cells=5, drawn=design, lonely="average" if stratum.max() else "remove")
    limit, taylor._CELLS_AT_ONCE = taylor._CELLS_AT_ONCE, 1
    try:
        parts = cell_variance(scores, cells, n_cells=5, drawn=design, lonely="average" if stratum.max() else "remove")
    finally:
        taylor._CELLS_AT_ONCE = limit
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_an_empty_sample_has_no_variance_and_no_freedom() -> None:
    nothing = np.zeros(0, dtype=np.intp)
    design = drawn([nothing], [nothing], [np.zeros(0)])
    assert design.df == 0
    assert cell_variance(np.zeros(0), nothing, n_cells=2, drawn=design).tolist() == [0.0, 0.0]
    assert covariance(np.zeros((0, 2)), drawn=design).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert cell_df(nothing, n_cells=1, drawn=design).tolist() == [0]
