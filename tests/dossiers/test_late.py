"""late_list and late_pareto: order, days, privacy, and the answer's size."""

from __future__ import annotations

import pandas as pd
import pytest

from khaosat.dossiers import late_list, late_pareto, on_time
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import KhaosatError
from khaosat.facts.language import language
from tests.dossiers.conftest import AS_OF, EDGES


def test_edges_latest_first(edges):
    rows = late_list(edges, period="2026-Q2", internal=True).rows
    assert rows[["dossier_id", "working_days_late"]].to_numpy().tolist() == [
        ["overdue", 26],
        ["waiting", 11],
        ["paused", 3],
        ["withdrawn", 1],
        ["moved", 1],
        ["second", 0],
    ]
    assert rows.loc[rows["finished_at"].isna(), "dossier_id"].tolist() == ["overdue", "waiting"]


def test_it_lists_what_on_time_counts(receipt):
    for period in ("2011-Q2", None):
        counts = on_time(receipt, period=period).rows.iloc[0]
        rows = late_list(receipt, period=period, top=10_000).rows
        assert rows["finished_at"].notna().sum() == counts["numerator"]
        assert rows["finished_at"].isna().sum() == counts["open_overdue"]


def test_days_are_those_of_the_calendar(receipt):
    rows = late_list(receipt, top=20).rows
    ends = rows["finished_at"].fillna(pd.Timestamp(receipt.as_of))
    days = receipt.calendar.working_days_between(rows["due_at"], ends)
    assert rows["working_days_late"].tolist() == days.tolist()
    assert rows["working_days_late"].is_monotonic_decreasing


def test_public_list_holds_no_code_and_no_name(receipt):
    public, internal = late_list(receipt, top=3), late_list(receipt, top=3, internal=True)
    assert {"dossier_id", "officer"} & set(public.rows.columns) == set()
    assert set(internal.rows.columns) - set(public.rows.columns) == {"dossier_id", "officer"}
    page = public.table()._repr_html_()
    assert not any(name in page for name in [*internal.rows["dossier_id"], *internal.rows["officer"].dropna()])
    assert internal.rows["dossier_id"].iloc[0] in internal.table()._repr_html_()


def test_step_and_officer_are_those_of_the_last_step(edges):
    steps = pd.DataFrame(
        {"dossier_id": "overdue", "seq": [2, 1, 3], "step": ["b", "a", "c"], "officer": ["B", "A", "C"]}
    )
    log = log_from_frames({"dossiers": EDGES, "steps": steps}, as_of=AS_OF)
    row = late_list(log, period="2026-Q2", internal=True).rows.iloc[0]
    assert (row["dossier_id"], row["step"], row["officer"]) == ("overdue", "c", "C")


def test_top_limits_and_must_be_positive(receipt):
    assert len(late_list(receipt).rows) == 50
    assert len(late_list(receipt, top=1).rows) == 1
    with pytest.raises(KhaosatError, match="at least one"):
        late_list(receipt, top=0)


def test_nothing_late_is_a_note(edges):
    with language("en"):
        result = late_list(edges, period="2019-Q1")
        assert result.rows.empty
        assert "No dossier was late" in result.notes[-1]
        assert result.table().cells == ()
    result.plot()


def test_pareto_orders_and_adds_up(receipt):
    result = late_pareto(receipt, by="responsible_unit", top=3)
    rows = result.rows
    assert rows["numerator"].is_monotonic_decreasing
    assert rows["share"].cumsum().tolist() == pytest.approx(rows["cumulative_share"].tolist())
    assert rows["cumulative_share"].iloc[-1] == pytest.approx(rows["numerator"].sum() / 377)
    with language("en"):
        notes = late_pareto(receipt, by="responsible_unit", top=3).notes
    assert f"have {377 - rows['numerator'].sum()} late dossiers together" in notes[-1]


def test_pareto_of_everything_ends_at_one(receipt):
    rows = late_pareto(receipt, by=["responsible_unit", "channel"], top=1000, period="2011-Q2").rows
    assert rows["cumulative_share"].iloc[-1] == 1
    assert rows["numerator"].sum() == 105


def test_pareto_plot_has_a_bar_a_group(receipt):
    result = late_pareto(receipt, by="channel")
    ax = result.plot()
    assert [bar.get_width() for bar in ax.patches] == result.rows["numerator"].tolist()
    assert ax.texts[0].get_text().startswith("313 (cộng dồn ")


def test_pareto_without_late_dossiers(edges):
    result = late_pareto(edges, period="2019-Q1")
    assert result.rows.empty
    assert result.table().cells == ()
    result.plot()
