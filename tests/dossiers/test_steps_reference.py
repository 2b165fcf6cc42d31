"""Two public municipal logs, brought in by mapping files only, against what pm4py counted in them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import khaosat as ks
from tests.shared import ROOT, shared

LOGS = {
    "receipt": ("data/permits/receipt.csv.gz", "receipt"),
    "bpic15_5": ("data/permits/bpic15_5.parquet", ROOT / "tests/real/mappings/bpic15_5.toml"),
}


@pytest.fixture(scope="module", params=LOGS)
def case(request):
    path, mapping = LOGS[request.param]
    log = ks.read_dossiers(shared(path), mapping=mapping)
    yield log, json.loads(shared(f"reference/logs/{request.param}.json").read_text())
    log.engine.close()


def test_every_event_is_a_step(case):
    log, reference = case
    assert log.counts["steps_stored"] == reference["n_events"]
    assert log.counts["dossiers_stored"] == reference["n_cases"]
    assert log.counts["quarantined"] == 0


def test_variants(case):
    log, reference = case
    result = ks.variants(log, top=10)
    assert result.totals.to_dict("records") == [{"variants": reference["n_variants"], "dossiers": reference["n_cases"]}]
    expected = [(tuple(steps), n) for steps, n in reference["top10_variants"]]
    found = list(zip(result.rows["steps"], result.rows["n"], strict=True))
    assert [n for _, n in found] == [n for _, n in expected]
    assert {pair for pair in expected if pair[1] > 1} <= set(found), "equally rare ones may be others"


def test_durations(case):
    log, reference = case
    row, expected = ks.durations(log).rows.iloc[0], reference["case_duration_s"]
    for name in ("mean", "median", "p90", "max"):
        assert row[f"{name}_seconds"] == pytest.approx(expected[name], rel=1e-12, abs=1e-6)
    assert row["moments"] == expected["n_zero"]


def test_directly_follows(case):
    log, reference = case
    result = ks.directly_follows(log)
    rows = result.rows.set_index(["source", "target"])
    assert len(rows) == reference["dfg_edges"]
    assert {tuple(edge): n for edge, n in reference["dfg_freq_top10"]} == {
        tuple(edge): rows.loc[tuple(edge), "n"] for edge, _ in reference["dfg_freq_top10"]
    }
    for edge, expected in reference["dfg_perf_top10"]:
        found = rows.loc[tuple(edge)]
        assert found["mean_seconds"] == pytest.approx(expected["mean"], rel=1e-12, abs=1e-6)
        assert found["median_seconds"] == pytest.approx(expected["median"], rel=1e-12, abs=1e-6)
    for edge, days in reference["dfg_total_wait_top10"]:
        assert rows.loc[tuple(edge), "mean_seconds"] * rows.loc[tuple(edge), "n"] / 86400 == pytest.approx(days)
    ends = result.ends.set_index("step")
    for name, column in (("start_activities", "starts"), ("end_activities", "ends")):
        assert ends.loc[list(reference[name]), column].to_dict() == reference[name]
        assert ends[column].sum() == reference["n_cases"]


def test_rework(case):
    log, reference = case
    found = ks.rework(log).rows.set_index("step")["dossiers"]
    expected = reference["rework_cases_per_activity"]
    assert found.loc[list(expected)].to_dict() == expected
    assert not (set(found[found > min(expected.values())].index) - set(expected)), "the reference lists the largest"


def test_handovers(case):
    log, reference = case
    rows = ks.handovers(log, of="officer").rows
    share = rows.set_index(["source", "target"])["share"]
    for pair, expected in reference["handover_top10"]:
        assert share[tuple(pair)] == pytest.approx(expected, rel=1e-12)
    assert rows["n"].sum() == reference["handover_pairs_total"]
    changes = rows[rows["source"] != rows["target"]]
    assert changes["n"].sum() == reference["handover_events_between_different_resources"]


def test_steps_with_due_dates_of_their_own(case):
    log, reference = case
    row = ks.steps_profile(log, by=None).rows.iloc[0]
    if reference["log"] == "receipt":
        assert (row["due"], row["handling_n"]) == (0, 0), "it records neither due dates nor starts of steps"
        return
    events = pd.read_parquet(shared(LOGS["bpic15_5"][0])).dropna(subset=["dueDate"])
    assert (row["due"], row["late"]) == (2868, (events["time:timestamp"] > events["dueDate"]).sum())


def test_officers_are_numbers_in_a_table_and_in_no_figure(case):
    log, _ = case
    result = ks.handovers(log, of="officer")
    names = set(result.rows["source"]) | set(result.rows["target"])
    words = [cell for row in result.table().cells for cell in row]
    axis = [label.get_text() for label in result.plot().get_yticklabels()]
    assert not names & set(words)
    assert not any(name in label for name in names for label in axis)
    assert words[:2] == ["Người xử lý 1", "Người xử lý 1"]


def test_an_xes_file_says_the_same_as_a_table(tmp_path):
    from tests.io.xes_files import write_xes

    events = pd.read_parquet(shared("data/permits/bpic15_5.parquet"))
    events = events[events["case:concept:name"].isin(events["case:concept:name"].unique()[:100])]
    columns = ["case:concept:name", "case:startDate", "concept:name", "org:resource", "time:timestamp"]
    write_xes(tmp_path / "log.xes.gz", events[columns])
    events.to_parquet(tmp_path / "log.parquet")
    logs = [
        ks.read_dossiers(tmp_path / "log.xes.gz", mapping="xes", personal=True),
        ks.read_dossiers(tmp_path / "log.parquet", mapping=LOGS["bpic15_5"][1]),
    ]
    for verb in (ks.variants, ks.directly_follows, ks.rework, lambda log: ks.handovers(log, of="officer")):
        first, second = (verb(log).rows for log in logs)
        shared_columns = [name for name in first if "worked" not in name]
        pd.testing.assert_frame_equal(first[shared_columns], second[shared_columns])
    for log in logs:
        log.engine.close()
