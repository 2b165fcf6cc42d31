from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from khaosat.results import Result


@dataclass(frozen=True, eq=False, kw_only=True)
class Counted(Result):
    _counted: ClassVar = "respondents"


def result(n, cls=Counted):
    rows = pd.DataFrame({"unit": [f"u{i}" for i in range(len(n))], "estimate": 0.5, "se": 0.1, "low": 0.3, "high": 0.7,
                         "df": 10, "n": n, "n_missing": 0})  # fmt: skip
    return cls(rows=rows, title="T")


def test_keys_are_the_columns_before_estimate():
    assert result([50]).keys == ["unit"]


def test_small_cells_are_hidden_and_said_to_be():
    table = result([50, 3, 8, 60]).table()
    assert [row[1] for row in table.cells] == ["50,0%", "…", "…", "50,0%"]
    assert "10" in table.notes[-1]


def test_a_single_small_cell_takes_the_next_smallest_with_it():
    assert result([50, 3, 40, 60]).table().hidden == {1, 2}


def test_results_that_count_no_people_hide_nothing():
    assert result([3, 50], cls=Result).table().hidden == frozenset()


def test_note_returns_a_copy():
    first = result([50])
    second = first.note("caveat")
    assert (first.notes, second.notes) == ((), ("caveat",))


def test_the_plot_leaves_hidden_rows_out():
    import matplotlib.pyplot as plt

    ax = result([50, 3, 8, 60]).plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["u0", "u3"]
    plt.close(ax.figure)
