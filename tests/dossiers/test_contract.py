"""What every verb on dossiers gives, whatever it is asked: rows, words, a table, a figure, its JSON twin."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from khaosat import dossiers as verbs
from khaosat.dossiers.frames import log_from_frames
from khaosat.results import Result
from khaosat.show.blocks import MIME
from tests.dossiers.conftest import AS_OF, EDGES

CALLS = {
    "on_time": lambda log: verbs.on_time(log),
    "on_time by": lambda log: verbs.on_time(log, by=["field", "status"], definition="portal_766"),
    "late_rates": lambda log: verbs.late_rates(log, period="2026-Q2"),
    "backlog": lambda log: verbs.backlog(log),
    "backlog by": lambda log: verbs.backlog(log, by="field", freq="quarter"),
    "late_list": lambda log: verbs.late_list(log),
    "late_list internal": lambda log: verbs.late_list(log, internal=True),
    "late_pareto": lambda log: verbs.late_pareto(log, by="field"),
    "compare_periods": lambda log: verbs.compare_periods(log, "2026-Q2"),
    "compare_periods by": lambda log: verbs.compare_periods(log, "2026-Q2", by="field"),
    "dossier_quality": lambda log: verbs.dossier_quality(log),
}


def test_every_verb_is_called():
    assert {call.split()[0] for call in CALLS} == set(verbs.__all__)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("rows", [len(EDGES), 1, 0])
def test_a_verb_gives_rows_words_a_table_and_a_figure(call, rows):
    log = log_from_frames({"dossiers": EDGES.head(rows)}, as_of=AS_OF, source="Sở Tư pháp")
    result = CALLS[call](log)
    assert isinstance(result, Result)
    assert set(result.keys) <= set(result.rows.columns)
    assert isinstance(result.rows.index, pd.RangeIndex)
    assert result.title
    assert all(result.notes)
    assert "{" not in result.title + "".join(result.notes)
    assert result.source == "Sở Tư pháp"
    table = result.table()
    assert len(table.cells) == len(result.rows)
    assert "Sở Tư pháp" in result._repr_html_()
    assert result._repr_mimebundle_()[MIME][0]["kind"] == "table"
    ax = result.plot()
    assert result.plot(ax) is ax
    ax.get_figure().canvas.draw()
    plt.close("all")
    assert result.note("x").notes[-1] == "x"


@pytest.mark.parametrize("call", CALLS)
def test_the_same_log_gives_the_same_rows(call, edges):
    pd.testing.assert_frame_equal(CALLS[call](edges).rows, CALLS[call](edges).rows)
