"""No hidden row can be worked out from the total of its table, or from the totals of its rows and columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from khaosat.show.privacy import small_cells

SIZES = st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 9, 10, 11, 30, 200]), min_size=1, max_size=12)


def is_safe(sizes, hide, *, threshold: int) -> None:
    """What a total tells of its hidden rows is nothing of few: two or more, with enough cases between them."""
    small = (sizes > 0) & (sizes < threshold)
    assert not (small & ~hide).any(), "a small row is shown"
    assert not (hide & (sizes == 0)).any(), "an empty row tells of nobody"
    left = (sizes > 0) & ~hide
    if small.any() and left.any():
        assert hide.sum() >= 2
        assert sizes[hide].sum() >= threshold


@given(sizes=SIZES, threshold=st.sampled_from([5, 10]))
def test_rows_of_one_total(sizes, threshold):
    counts = pd.Series(sizes, index=[f"u{n}" for n in range(len(sizes))])
    hide = small_cells(counts, threshold=threshold)
    assert hide.index.equals(counts.index)
    is_safe(counts.to_numpy(), hide.to_numpy(), threshold=threshold)
    if not ((counts > 0) & (counts < threshold)).any():
        assert not hide.any(), "nothing is hidden without a reason"


@given(rows=st.integers(2, 4), columns=st.integers(2, 4), data=st.data())
def test_rows_and_columns_of_a_table_in_long_form(rows, columns, data):
    sizes = data.draw(st.lists(st.sampled_from([0, 3, 12, 20, 50]), min_size=rows * columns, max_size=rows * columns))
    keys = pd.DataFrame([(a, b) for a in range(rows) for b in range(columns)], columns=["unit", "answer"])
    hide = small_cells(pd.Series(sizes), threshold=10, keys=keys)
    table, hidden = (np.asarray(x).reshape(rows, columns) for x in (sizes, hide))
    for line, gone in [*zip(table, hidden, strict=True), *zip(table.T, hidden.T, strict=True)]:
        is_safe(line, gone, threshold=10)


def test_the_smallest_rows_go_with_it_and_the_first_of_equals():
    assert small_cells(pd.Series([50, 3, 40, 40]), threshold=10).tolist() == [False, True, True, False]
    assert small_cells(pd.Series([50, 3, 4, 40]), threshold=10).tolist() == [False, True, True, True]
    assert small_cells(pd.Series([50, 3, 8, 40]), threshold=10).tolist() == [False, True, True, False]


def test_a_unit_hidden_in_each_of_its_rows_does_not_cover_for_itself():
    """Two rows of one unit are two hidden rows, and each of the two totals still tells of it."""
    keys = pd.DataFrame({"question": ["a", "a", "a", "b", "b", "b"], "unit": [1, 2, 3] * 2})
    hide = small_cells(pd.Series([3, 40, 50, 9, 41, 50]), threshold=10, keys=keys)
    assert hide.tolist() == [True, True, False, True, True, False]


def test_a_large_row_hidden_for_one_total_is_not_left_over_in_another():
    """By the second column 40 is all that is missing from 100, and by the first unit 3 all that is missing from 43."""
    keys = pd.DataFrame({"unit": ["a", "a", "b", "b"], "answer": [1, 2, 1, 2]})
    assert small_cells(pd.Series([3, 40, 50, 60]), threshold=10, keys=keys).all()
    wider = pd.DataFrame([(unit, answer) for unit in "abc" for answer in (1, 2, 3)], columns=["unit", "answer"])
    hide = small_cells(pd.Series([3, 40, 70, 50, 60, 80, 90, 95, 99]), threshold=10, keys=wider)
    assert hide.tolist() == [True, True, False, True, True, False, False, False, False]
