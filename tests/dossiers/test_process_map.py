"""The process map: its numbers are those of the other verbs, the drawing says them, and it stays small."""

from __future__ import annotations

import datetime as dt

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from khaosat.dossiers import bottlenecks, directly_follows, process_map
from khaosat.dossiers.frames import example_steps, log_from_frames
from khaosat.errors import KhaosatError
from khaosat.facts import privacy_threshold


def test_its_numbers_are_those_of_the_verbs_behind_it(receipt):
    found = process_map(receipt)
    pairs = found.rows.dropna(subset=["source", "target"])
    follows = directly_follows(receipt).rows
    assert dict(zip(zip(pairs["source"], pairs["target"], strict=True), pairs["n"], strict=True)) == dict(
        zip(zip(follows["source"], follows["target"], strict=True), follows["n"], strict=True)
    )
    judged = bottlenecks(receipt, by="step").rows.dropna(subset=["step"]).set_index("step")
    nodes = found.nodes.set_index("step")
    shared = nodes.index.intersection(judged.index)
    assert (nodes.loc[shared, "late"] == judged.loc[shared, "late"]).all()
    into = found.rows.groupby("target")["n"].sum()
    assert (nodes["n"] == into[nodes.index]).all()
    assert (
        found.rows.loc[found.rows["source"].isna(), "n"].sum() == found.rows.loc[found.rows["target"].isna(), "n"].sum()
    )


def test_the_figure_is_drawn_with_words_and_is_the_same_every_time(receipt):
    first, second = process_map(example_steps()).figure(), process_map(example_steps()).figure()
    assert first.svg == second.svg
    assert "4 bước" in first.alt
    assert "27 bước" in process_map(receipt).alt()


def test_boxes_do_not_overlap_and_start_is_on_top(receipt):
    from matplotlib.patches import Circle, FancyBboxPatch

    ax = process_map(receipt).plot()
    boxes = [
        box.get_extents().transformed(ax.transData.inverted()) for box in ax.patches if isinstance(box, FancyBboxPatch)
    ]
    assert len(boxes) == 27
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    circles = [circle.center[1] for circle in ax.patches if isinstance(circle, Circle)]
    assert max(circles) > max(box.y1 for box in boxes)
    assert min(circles) < min(box.y0 for box in boxes)
    plt.close("all")


def test_few_steps_and_transitions_can_be_asked_for(receipt):
    small = process_map(receipt, steps=5, coverage=0.5)
    assert small.nodes["drawn"].sum() <= 5
    names = set(small.nodes.loc[small.nodes["drawn"], "step"])
    drawn = small.rows[small.rows["drawn"]]
    assert set(drawn["source"].dropna()) | set(drawn["target"].dropna()) <= names
    assert len(small.rows) == len(process_map(receipt).rows)


def test_a_step_after_itself_is_a_number_in_its_box():
    steps = pd.DataFrame({"dossier_id": ["A"] * 3, "seq": [1, 2, 3], "step": ["a", "a", None], "unit": "U",
                          "started_at": pd.date_range("2026-06-01 08:00", periods=3, freq="h"),
                          "finished_at": pd.date_range("2026-06-01 09:00", periods=3, freq="h")})  # fmt: skip
    frame = pd.DataFrame({"dossier_id": ["A"], "received_at": [dt.datetime(2026, 6, 1, 8)]})
    log = log_from_frames({"dossiers": frame, "steps": steps}, as_of=dt.datetime(2026, 7, 1))
    found = process_map(log)
    assert found.nodes[["step", "n", "repeats"]].to_numpy().tolist() == [["a", 2, 1], ["", 1, 0]]
    words = [text.get_text() for text in found.plot().texts]
    assert "(không ghi)" in words
    assert any("1 lần lặp lại" in text for text in words)
    plt.close("all")
    log.engine.close()


def test_a_period_without_steps_is_an_empty_map():
    found = process_map(example_steps(), period="2030-Q1")
    assert found.rows.empty
    assert found.notes
    assert "NaN" not in " ".join([*found.notes, found.alt()])
    plt.close(found.plot().figure)


@pytest.mark.parametrize("call", [{"coverage": 0}, {"coverage": 1.1}, {"steps": 0}])
def test_wrong_calls(call):
    with pytest.raises(KhaosatError, match="give a share"):
        process_map(example_steps(), **call)


def test_lateness_of_too_few_dossiers_is_not_shown(receipt):
    found = process_map(receipt)
    rare = set(found.nodes.loc[found.nodes["dossiers"].between(1, privacy_threshold("dossiers") - 1), "step"])
    assert rare
    boxes = found._boxes().set_index("step")
    assert boxes.loc[sorted(rare), "late_share"].isna().all()
    assert not any(name in found.alt() for name in rare)
