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
    "at_risk": lambda log: verbs.at_risk(log),
    "at_risk internal": lambda log: verbs.at_risk(log, internal=True, horizon=20),
    "back_test": lambda log: verbs.back_test(log),
    "on_time": lambda log: verbs.on_time(log),
    "on_time by": lambda log: verbs.on_time(log, by=["field", "status"], definition="portal_766"),
    "on_time effective": lambda log: verbs.on_time(log, by="field", deadline="effective", definition="due_base"),
    "late_rates": lambda log: verbs.late_rates(log, period="2026-Q2"),
    "late_rates portal": lambda log: verbs.late_rates(log, deadline="portal", compare="dates"),
    "backlog": lambda log: verbs.backlog(log),
    "backlog effective": lambda log: verbs.backlog(log, deadline="effective"),
    "backlog by": lambda log: verbs.backlog(log, by="field", freq="quarter"),
    "late_list": lambda log: verbs.late_list(log),
    "late_list internal": lambda log: verbs.late_list(log, internal=True),
    "late_list portal": lambda log: verbs.late_list(log, deadline="portal"),
    "late_pareto": lambda log: verbs.late_pareto(log, by="field"),
    "compare_periods": lambda log: verbs.compare_periods(log, "2026-Q2"),
    "compare_periods by": lambda log: verbs.compare_periods(log, "2026-Q2", by="field"),
    "deadlines": lambda log: verbs.deadlines(log),
    "deadlines by": lambda log: verbs.deadlines(log, by=["field", "status"], period="2026-Q2"),
    "deadlines why": lambda log: verbs.deadlines(log, by="field").why,
    "dossier_quality": lambda log: verbs.dossier_quality(log),
    "variants": lambda log: verbs.variants(log),
    "variants by": lambda log: verbs.variants(log, by="field", period="2026-Q2", top=2),
    "durations": lambda log: verbs.durations(log, by="field"),
    "directly_follows": lambda log: verbs.directly_follows(log),
    "directly_follows by": lambda log: verbs.directly_follows(log, by=["field", "month"], period="2026-Q2"),
    "handovers": lambda log: verbs.handovers(log),
    "handovers by": lambda log: verbs.handovers(log, of="officer", by="field", period="2026-Q2"),
    "rework": lambda log: verbs.rework(log),
    "steps_profile": lambda log: verbs.steps_profile(log),
    "steps_profile by": lambda log: verbs.steps_profile(log, by=["unit", "field"], period="2026-Q2"),
    "supplement_loops": lambda log: verbs.supplement_loops(log),
    "supplement_loops by": lambda log: verbs.supplement_loops(log, by="field", period="2026-Q2"),
    "consultations": lambda log: verbs.consultations(log),
    "consultations by": lambda log: verbs.consultations(log, by=["step", "field"], rule="away_and_back"),
    "batching": lambda log: verbs.batching(log),
    "batching by": lambda log: verbs.batching(log, by=None, steps=["Trình ký"]),
    "surges": lambda log: verbs.surges(log),
    "surges by": lambda log: verbs.surges(log, by="field", freq="quarter"),
    "clearance": lambda log: verbs.clearance(log),
    "clearance by": lambda log: verbs.clearance(log, by="field", freq="quarter"),
    "reconcile": lambda log: verbs.reconcile(verbs.late_rates(log).stocks, source=log.source),
    "time_to_result": lambda log: verbs.time_to_result(log),
    "time_to_result by": lambda log: verbs.time_to_result(log, by=["field", "month"], unit="days", period="2026-Q2"),
    "nowcast": lambda log: verbs.nowcast(log),
    "nowcast by": lambda log: verbs.nowcast(log, by="field", within=10, unit="days", recent=60),
    "nowcast effective": lambda log: verbs.nowcast(log, period="2026-Q2", deadline="effective"),
    "lateness_drivers": lambda log: verbs.lateness_drivers(log),
    "lateness_drivers effective": lambda log: verbs.lateness_drivers(log, period="2026-Q2", deadline="effective"),
    "compare_units": lambda log: verbs.compare_units(log),
    "compare_units by": lambda log: verbs.compare_units(log, by="field", period="2026-Q2", few=1, small=1),
    "bottlenecks": lambda log: verbs.bottlenecks(log),
    "bottlenecks by": lambda log: verbs.bottlenecks(log, by=["field", "step", "unit"], reference="median"),
    "bottlenecks effective": lambda log: verbs.bottlenecks(log, by="month", deadline="effective", period="2026-Q2"),
    "bottleneck_findings": lambda log: verbs.bottleneck_findings(log),
    "process_map": lambda log: verbs.process_map(log),
    "what_if": lambda log: verbs.what_if(log, [{"arrivals": 1.5}], replications=20),
    "what_if effective": lambda log: verbs.what_if(log, [], replications=20, period="2026-Q2", deadline="effective"),
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
