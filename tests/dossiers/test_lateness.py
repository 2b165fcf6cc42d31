"""on_time and late_rates: the public log's reference numbers, the edges of every definition, and identities."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.period import Period
from khaosat.dossiers import backlog, late_rates, on_time
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import KhaosatError
from khaosat.facts.language import language
from tests.dossiers.conftest import AS_OF, EDGES, SUPPLEMENTS
from tests.dossiers.logs import logs
from tests.shared import shared

COUNTS = ["numerator", "denominator", "n", "n_missing", "carried", "received", "closed", "open", "open_overdue"]
DEFINITIONS = ["closed", "gia_lai", "due_base", "cohort", "portal_766", "form_06a"]


# --- the public permit log ---


@pytest.mark.parametrize("quarter", range(5))
def test_receipt_equals_the_reference_in_every_quarter(receipt, quarter):
    expected = json.loads(shared("reference/logs/receipt_late_rates.json").read_text())[quarter]
    start = pd.Timestamp(expected["period"][:10])
    result = late_rates(receipt, period=f"{start.year}-Q{start.quarter}")
    stocks = result.stocks.iloc[0]
    rates = result.rows.set_index("definition")
    for name in ("carried", "received", "closed", "open", "open_overdue"):
        assert stocks[name] == expected[name]
    assert stocks["in_hand"] == expected["need"]
    assert stocks["difference"] == 0
    assert rates.loc["closed", "numerator"] == expected["closed_late"]
    letters = {
        "closed": "A_late_of_closed",
        "gia_lai": "B_gialai",
        "due_base": "C_due_base",
        "cohort": "D_cohort_received",
    }
    for definition, letter in letters.items():
        assert round(rates.loc[definition, "estimate"], 4) == expected[letter]


def test_receipt_as_a_whole(receipt):
    row = on_time(receipt).rows.iloc[0]
    assert row[["received", "closed", "numerator", "open", "open_overdue"]].tolist() == [1434, 1329, 377, 105, 39]


def test_receipt_by_channel_counts_every_dossier_once(receipt):
    rows = on_time(receipt, by="channel", definition="gia_lai").rows.set_index("channel")
    assert rows["received"].to_dict() == {"direct": 109, "email": 21, "internal": 1, "online": 1250, "post": 53}
    assert rows.loc["post", "estimate"] == pytest.approx(0.32075471698113206, rel=1e-12)


# --- every edge by hand (the dossiers are explained in conftest) ---

BY_HAND = {
    # late, of, not judged, open and overdue
    "closed": (4, 7, 3, 2),
    "gia_lai": (6, 10, 4, 2),
    "due_base": (6, 9, 4, 2),
    "cohort": (7, 9, 4, 2),
    "portal_766": (6, 12, 2, 1),
    "form_06a": (2, 10, 0, 1),
}


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_edges_of_each_definition(edges, definition):
    row = on_time(edges, period="2026-Q2", definition=definition).rows.iloc[0]
    late, base, missing, overdue = BY_HAND[definition]
    assert row[COUNTS].tolist() == [late, base, base, missing, 1, 13, 10, 4, overdue]
    assert row["estimate"] == late / base
    assert row["on_time"] == 1 - late / base


def test_side_by_side_equals_one_by_one(edges):
    rows = late_rates(edges, period="2026-Q2").rows
    assert rows["definition"].tolist() == DEFINITIONS
    for _, row in rows.iterrows():
        alone = on_time(edges, period="2026-Q2", definition=row["definition"]).rows.iloc[0]
        assert row[["numerator", "denominator", "low", "high"]].tolist() == (
            alone[["numerator", "denominator", "low", "high"]].tolist()
        )


def test_the_last_appointment_forgives_what_the_first_does_not(edges):
    first = on_time(edges, period="2026-Q2").rows.iloc[0]
    last = on_time(edges, period="2026-Q2", deadline="latest").rows.iloc[0]
    assert (first["numerator"], last["numerator"]) == (4, 3)


def test_groups_come_in_dictionary_order_with_the_unrecorded_last(edges):
    rows = on_time(edges, period="2026-Q2", by="field").rows
    assert rows["field"].tolist()[:3] == ["Đất đai", "Hộ tịch", "Xây dựng"]
    assert pd.isna(rows["field"].iloc[3])
    assert rows[["numerator", "denominator", "n_missing"]].to_numpy().tolist() == [
        [2, 4, 0],
        [1, 1, 3],
        [1, 2, 0],
        [0, 0, 0],
    ]
    assert np.isnan(rows["estimate"].iloc[3])  # nothing closed: no rate, not a rate of 0


def test_month_is_the_month_of_reception(edges):
    rows = on_time(edges, period="2026-Q2", by="month").rows
    assert rows["month"].tolist() == ["2026-03", "2026-04", "2026-05", "2026-06"]
    assert rows["closed"].tolist() == [1, 4, 5, 0]


def test_an_unfinished_period_stops_at_the_snapshot_and_says_so(edges):
    result = on_time(edges, period="2026-Q3")
    assert result.rows.iloc[0][["carried", "received", "closed", "open", "open_overdue"]].tolist() == [4, 1, 1, 4, 3]
    with language("en"):
        assert any("provisional" in note for note in on_time(edges, period="2026-Q3").notes)
        assert not any("provisional" in note for note in on_time(edges, period="2026-Q2").notes)


@pytest.mark.parametrize("period", ["2019-Q1", "2025"])
def test_a_period_without_data_has_no_rate_and_a_note(edges, period):
    with language("en"):
        result = on_time(edges, period=period)
        assert result.rows["n"].tolist() == [0]
        assert result.rows["estimate"].isna().all()
        assert any("No dossier was in hand" in note for note in result.notes)
        assert on_time(edges, period=period, by="field").rows.empty
        assert on_time(edges, period=period, by="field").table().cells == ()


def test_what_is_in_no_count_is_named(edges):
    with language("en"):
        note = "2 dossiers are in no count"
        assert any(note in line for line in on_time(edges, period="2026-Q2").notes)
        assert any(note in line for line in late_rates(edges, period="2026-Q2").notes)


def test_every_rate_says_what_its_denominator_is(edges):
    for lang in ("vi", "en"):
        with language(lang):
            rows = late_rates(edges, period="2026-Q2").rows
            for _, row in rows.iterrows():
                first = on_time(edges, period="2026-Q2", definition=row["definition"]).notes[0]
                assert row["base"] in first
                assert row["label"] in first
    assert rows["base"].is_unique


def test_a_mismatch_is_named_not_hidden():
    """Ended in March, received in April: it came into the quarter but neither left it nor stayed."""
    frame = EDGES[EDGES["dossier_id"] == "exact"].assign(finished_at=pd.Timestamp("2026-03-15"))
    log = log_from_frames({"dossiers": frame}, as_of=AS_OF)
    with language("en"):
        result = late_rates(log, period="2026-Q2")
        assert result.stocks["difference"].tolist() == [1]
        assert "do not reconcile: 1 dossiers" in result.notes[0]
        assert any("do not reconcile" in note for note in on_time(log, period="2026-Q2").notes)


def test_supplement_status_counts_only_where_the_status_is_known():
    """Without a supplement table the status says who waits, but only at the snapshot, whose status it is."""
    log = log_from_frames({"dossiers": EDGES}, as_of=pd.Timestamp("2026-06-30 23:59:59.999999").to_pydatetime())
    later = log_from_frames({"dossiers": EDGES}, as_of=AS_OF)
    assert on_time(log, period="2026-Q2", definition="form_06a").rows["open_overdue"].tolist() == [1]
    assert on_time(later, period="2026-Q2", definition="form_06a").rows["open_overdue"].tolist() == [2]


def test_the_snapshot_itself_is_known():
    """What is dated exactly at the snapshot has happened; what is due exactly then is not overdue yet."""
    frame = EDGES[EDGES["dossier_id"].isin(["exact", "early"])].copy()
    frame["finished_at"] = [pd.Timestamp(AS_OF), pd.NaT]
    frame["due_at"] = [pd.Timestamp("2026-04-15"), pd.Timestamp(AS_OF)]
    frame["status"] = ["finished", "processing"]
    row = on_time(log_from_frames({"dossiers": frame}, as_of=AS_OF)).rows.iloc[0]
    assert row[["closed", "numerator", "open", "open_overdue"]].tolist() == [1, 1, 1, 0]


def test_a_snapshot_of_the_last_second_is_one_of_the_whole_day():
    """Due dates without hours lie at 23:59:59: open then, they are overdue, as they are for a later snapshot."""
    frame = EDGES[EDGES["dossier_id"].isin(["overdue", "early"])].assign(finished_at=pd.NaT, status="processing")
    frame["due_at"] = [pd.Timestamp("2026-06-30 23:59:59"), pd.Timestamp("2026-06-30 17:00")]
    for as_of in ("2026-06-30 23:59:59", "2026-07-31 17:00"):
        log = log_from_frames({"dossiers": frame}, as_of=dt.datetime.fromisoformat(as_of))
        for definition in ("closed", "form_06a"):
            row = on_time(log, period="2026-Q2", definition=definition).rows.iloc[0]
            assert row[["open", "open_overdue"]].tolist() == [2, 2]
        assert on_time(log, period="2026-Q2", definition="cohort").rows["numerator"].tolist() == [2]
    at_noon = log_from_frames({"dossiers": frame}, as_of=dt.datetime(2026, 6, 30, 12))
    assert on_time(at_noon, period="2026-Q2").rows["open_overdue"].tolist() == [0]
    last = backlog(log_from_frames({"dossiers": frame}, as_of=dt.datetime(2026, 6, 30, 23, 59, 59))).rows.iloc[-1]
    assert last[["month", "open", "overdue"]].tolist() == ["2026-06", 2, 2]


def test_a_period_after_the_snapshot_holds_what_is_carried_into_it(edges):
    """Received, closed or due after the snapshot is hearsay, even where the rows are there."""
    rows = on_time(edges, period="2026-Q4").rows.iloc[0]
    known = on_time(edges).rows.iloc[0]
    assert rows["carried"] == rows["open"] == known["open"]
    assert rows[["received", "closed", "denominator"]].tolist() == [0, 0, 0]
    assert rows["open_overdue"] == known["open_overdue"]
    late = EDGES.assign(received_at=pd.Timestamp("2026-08-15"), finished_at=pd.NaT)
    assert on_time(log_from_frames({"dossiers": late}, as_of=AS_OF), period="2026-Q4").rows["carried"].tolist() == [0]
    with language("en"):
        assert "ends on 31/07/2026 17:00, before the period does" in on_time(edges, period="2026-Q4").notes[-2]


def test_columns_are_those_of_the_contract(edges):
    rate = ["numerator", "denominator", "estimate"]
    stocks = ["carried", "received", "closed", "open", "open_overdue"]
    assert on_time(edges, by="field").rows.columns.tolist() == [
        "field", *rate, "on_time", "low", "high", "n", "n_missing", *stocks,
    ]  # fmt: skip
    assert late_rates(edges).rows.columns.tolist() == [
        "definition", "label", *rate, "low", "high", "n", "n_missing", "base", "compared",
    ]  # fmt: skip


def test_no_dossier_at_all():
    log = log_from_frames({"dossiers": EDGES.head(0)}, as_of=AS_OF)
    assert on_time(log, by=["field", "channel"]).rows.empty
    assert on_time(log).rows[COUNTS].to_numpy().sum() == 0
    assert late_rates(log).rows["estimate"].isna().all()
    assert len(late_rates(log).table().cells) == 6


# --- wrong calls ---


@pytest.mark.parametrize(
    "by", ["nothing", "field; DROP VIEW dossiers", "dossier_id", "officer", ["field", "field"], ["field", "1) --"]]
)
def test_only_known_columns_group(edges, by):
    with pytest.raises(KhaosatError, match="cannot group by"):
        on_time(edges, by=by)
    assert on_time(edges).rows["received"].tolist() == [16]


def test_unknown_definition_and_deadline_are_refused(edges):
    with pytest.raises(KhaosatError, match="closed, gia_lai"):
        on_time(edges, definition="best")
    with pytest.raises(KhaosatError, match="original or effective or portal or latest"):
        on_time(edges, deadline="first")
    with pytest.raises(ValueError, match="is not a period"):
        on_time(edges, period="Q2/2026")


def test_a_name_that_looks_like_sql_is_only_a_name(edges):
    name = "Sở'; DROP VIEW dossiers; --"
    log = log_from_frames({"dossiers": EDGES.assign(responsible_unit=name)}, as_of=AS_OF)
    rows = on_time(log, by="responsible_unit").rows
    assert rows["responsible_unit"].tolist() == [name]
    assert on_time(log).rows["received"].tolist() == [16]
    cells = on_time(log, by="responsible_unit").table()._repr_html_()
    assert "Sở&#x27;; DROP" in cells


def test_inputs_are_left_as_they_were(edges):
    before, supplements = EDGES.copy(deep=True), SUPPLEMENTS.copy(deep=True)
    late_rates(edges)
    pd.testing.assert_frame_equal(EDGES, before)
    pd.testing.assert_frame_equal(SUPPLEMENTS, supplements)


# --- what a reader sees ---


def test_table_words_codes_and_hides_small_groups(receipt):
    table = on_time(receipt, by="channel").table()
    assert [row[0] for row in table.cells] == [
        "Trực tiếp",
        "Thư điện tử",
        "Nội bộ cơ quan",
        "Trực tuyến",
        "Bưu chính công ích",
    ]
    assert table.cells[2][1:] == ("…",) * (len(table.columns) - 1)
    assert table.cells[0][:4] == ("Trực tiếp", "39", "107", "36,4%")
    assert {column.group for column in table.columns} == {"", "Trễ hạn", "Hồ sơ"}


def test_the_interval_is_named_by_its_level(edges):
    headings = [column.heading for column in on_time(edges, period="2026-Q2", level=0.9).table().columns]
    assert "Khoảng tin cậy 90%" in headings


def test_plot_shows_the_worst_on_top_and_the_target(receipt):
    result = on_time(receipt, by="channel")
    ax = result.plot(target=0.995)
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == ["Trực tiếp", "Bưu chính công ích", "Trực tuyến"]  # two groups are too small to show
    dots = ax.lines[0]
    assert np.allclose(sorted(dots.get_xdata()), sorted(result.rows.loc[[0, 3, 4], "estimate"] * 100))
    assert ax.lines[1].get_xdata() == pytest.approx([0.5, 0.5])
    assert on_time(receipt).plot().get_yticklabels()[0].get_text() == "Tất cả hồ sơ"


# --- identities, on any log ---


@given(random=logs(), definition=st.sampled_from(DEFINITIONS), deadline=st.sampled_from(["original", "latest"]))
def test_stocks_reconcile_and_shares_are_shares(random, definition, deadline):
    log, previous = random.ordered, None
    for period in ("2026-01", "2026-02", "2026-03"):
        row = on_time(log, period=period, definition=definition, deadline=deadline).rows.iloc[0]
        assert row["carried"] + row["received"] == row["closed"] + row["open"]
        assert previous is None or row["carried"] == previous["open"]
        assert 0 <= row["numerator"] <= row["denominator"]
        if row["denominator"]:
            assert 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1
        previous = row


@given(random=logs(), period=st.sampled_from(["2026-01", "2026-02", None]))
def test_a_broken_log_still_gives_shares_and_names_the_rest(random, period):
    """Ends before receptions: the shares stay shares, the remainder is counted."""
    with language("en"):
        result = late_rates(random.broken, period=period)
    assert (result.rows["numerator"] <= result.rows["denominator"]).all()
    stocks = result.stocks.iloc[0]
    assert stocks["carried"] + stocks["received"] - stocks["closed"] - stocks["open"] == stocks["difference"] >= 0
    assert ("do not reconcile" in result.notes[0]) == (stocks["difference"] > 0)


@given(random=logs(), definition=st.sampled_from(DEFINITIONS), by=st.sampled_from(["field", ("channel", "month")]))
def test_groups_sum_to_the_whole_in_any_order(random, definition, by):
    log = random.ordered
    whole = on_time(log, period="2026-02", definition=definition).rows[COUNTS].sum()
    parts = on_time(log, period="2026-02", definition=definition, by=by).rows
    assert parts[COUNTS].sum().tolist() == whole.tolist()
    shuffled = on_time(random.shuffled, period="2026-02", definition=definition, by=by).rows
    pd.testing.assert_frame_equal(parts, shuffled)


@given(random=logs())
def test_counts_equal_counting_one_by_one(random):
    """The SQL against the definitions of lateness.md written down dossier by dossier."""
    span = Period("2026-02")
    log = random.ordered
    row = {d: on_time(log, period=span, definition=d).rows.iloc[0] for d in ("closed", "gia_lai", "due_base")}
    late = base = overdue = in_hand = 0
    for case in random.frame.itertuples():
        received, due, end = case.received_at, case.due_at, case.finished_at
        closed = pd.notna(end) and span.start <= end < span.end
        still = pd.isna(end) or end >= span.end
        if pd.isna(due) or received >= span.end or (pd.notna(end) and end < span.start):
            continue
        in_hand += 1
        base += closed
        late += closed and end > due
        overdue += still and due < span.end
    assert row["closed"][["numerator", "denominator"]].tolist() == [late, base]
    assert row["gia_lai"][["numerator", "denominator"]].tolist() == [late + overdue, in_hand]
    assert row["due_base"][["numerator", "denominator"]].tolist() == [late + overdue, base + overdue]
