"""backlog: by hand, against counting one by one, and against on_time."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given

from khaosat.domain.period import Period
from khaosat.dossiers import backlog, on_time
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import KhaosatError
from khaosat.facts.language import language
from tests.dossiers.conftest import AS_OF, EDGES
from tests.dossiers.logs import logs

NAMES = ["month", "received", "closed", "open", "overdue"]


def test_edges_by_hand(edges):
    assert backlog(edges).rows[NAMES].to_numpy().tolist() == [
        ["2026-02", 1, 0, 1, 1],
        ["2026-03", 1, 1, 1, 0],
        ["2026-04", 4, 4, 1, 0],
        ["2026-05", 6, 6, 1, 1],
        ["2026-06", 3, 0, 4, 2],
        ["2026-07", 1, 1, 4, 3],
    ]


def test_the_last_appointment_moves_the_overdue(edges):
    """One dossier was open past its first appointment, at no month's end past its last: only the first counts it."""
    frame = EDGES.assign(
        first_due_at=EDGES["due_at"].where(EDGES["dossier_id"] != "overdue", pd.Timestamp("2026-05-20"))
    )
    log = log_from_frames({"dossiers": frame.assign(due_at=pd.Timestamp("2026-12-31"))}, as_of=AS_OF)
    assert backlog(log).rows["overdue"].iloc[-1] == 3
    assert backlog(log, deadline="latest").rows["overdue"].iloc[-1] == 0


def test_receipt_ends_with_the_open_and_overdue_of_the_reference(receipt):
    rows = backlog(receipt).rows
    assert rows[["open", "overdue"]].iloc[-1].tolist() == [105, 39]
    assert rows["received"].sum() == 1434
    assert rows["closed"].sum() == 1329


def test_quarters_end_where_their_last_months_do(receipt):
    months = backlog(receipt).rows.set_index("month")
    quarters = backlog(receipt, freq="quarter").rows.set_index("quarter")
    assert quarters.loc["2011-Q2", ["open", "overdue"]].tolist() == months.loc["2011-06", ["open", "overdue"]].tolist()
    assert quarters.loc["2011-Q2", "received"] == months.loc["2011-04":"2011-06", "received"].sum()


def test_groups_start_with_their_first_dossier_and_sum_to_the_whole(edges):
    rows = backlog(edges, by="field").rows
    first = rows.groupby("field", dropna=False)["month"].min()
    assert first.to_dict()["Xây dựng"] == "2026-05"
    sums = rows.groupby("month")[NAMES[1:]].sum().reset_index()
    pd.testing.assert_frame_equal(sums, backlog(edges).rows[NAMES], check_dtype=False)


@given(random=logs())
def test_stocks_equal_counting_one_by_one(random):
    rows = backlog(random.ordered).rows
    cases = random.frame
    for row in rows.itertuples():
        end = Period(row.month).end
        held = (cases["received_at"] < end) & ~(cases["finished_at"] < end)
        assert row.open == held.sum()
        assert row.overdue == (held & (cases["due_at"] < end)).sum()
    known = cases[cases["received_at"] < "2026-04-01"]
    assert rows["received"].sum() == len(known)


@given(random=logs())
def test_the_stock_at_a_period_s_end_is_that_of_on_time(random):
    log = random.ordered
    stocks = backlog(log, by="field").rows
    parts = on_time(log, period="2026-02", by="field").rows
    at_end = stocks[stocks["month"] == "2026-02"]
    assert at_end[["open", "overdue"]].sum().tolist() == parts[["open", "open_overdue"]].sum().tolist()


def test_empty_log_and_undated_dossiers():
    log = log_from_frames({"dossiers": EDGES[EDGES["dossier_id"].isin(["registered", "lost"])]}, as_of=AS_OF)
    with language("en"):
        result = backlog(log, by="field")
        assert result.rows.empty
        assert result.table().cells == ()
        assert result.notes[0].startswith("No dossier was in hand")
        assert result.notes[1].startswith("2 dossiers are in no count")
    assert result.rows.columns.tolist() == ["field", "month", "received", "closed", "open", "overdue", "n"]
    result.plot()


def test_plot_names_each_line_at_its_end(receipt):
    ax = backlog(receipt, by="channel").plot()
    assert [text.get_text() for text in ax.texts] == ["đang giải quyết: 105", "quá hạn: 39"]
    assert ax.lines[0].get_ydata()[-1] == 105
    assert ax.get_xticklabels()[-1].get_text() == "01/12"


def test_a_slow_month_of_the_city_is_shown_that_of_a_group_is_not(edges):
    assert all("…" not in row for row in backlog(edges).table().cells)
    assert any("…" in row for row in backlog(edges, by="field").table().cells)


def test_only_known_columns_group(edges):
    with pytest.raises(KhaosatError, match="cannot group by"):
        backlog(edges, by="month; SELECT 1")


def test_a_wrong_step_is_refused(edges):
    with pytest.raises(KhaosatError, match="month or quarter"):
        backlog(edges, freq="week")
    with pytest.raises(KhaosatError, match="the rows are months already"):
        backlog(edges, by="month")


def test_rows_end_with_the_period_asked_for(edges):
    every = backlog(edges)
    some = backlog(edges, until="2026-Q2")
    assert some.rows["month"].iloc[-1] == "2026-06"
    assert some.rows.equals(every.rows[every.rows["month"] <= "2026-06"].reset_index(drop=True))
    assert len(some.notes) < len(every.notes), "only the last month of the log is the snapshot"
