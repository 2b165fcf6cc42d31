"""Duties on late dossiers, recorded causes and slow units: by hand, against planted truths, and what stays inside."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import khaosat as ks
from khaosat.facts import read_table
from khaosat.scorecards.late_words import cause_of
from khaosat.show.blocks import MIME

AS_OF = dt.datetime(2026, 9, 30, 23, 59, 59)
PERIOD = "2026-Q3"


def log(dossiers: list[tuple], changes: list[tuple] | None = None, *, steps: pd.DataFrame | None = None):
    """Dossiers as (id, received, due, finished, unit), changes as (id, changed, old, new, reason, apology)."""
    names = ["dossier_id", "received_at", "first_due_at", "finished_at", "responsible_unit"]
    tables = {"dossiers": _moments(pd.DataFrame(dossiers, columns=names)).assign(
        status=["finished" if row[3] else "processing" for row in dossiers], field="Đất đai", procedure="1.001",
        channel="online")}  # fmt: skip
    if changes is not None:
        names = ["dossier_id", "changed_at", "old_due_at", "new_due_at", "reason", "apology_sent_at"]
        tables["appointments"] = _moments(pd.DataFrame(changes, columns=names))
    if steps is not None:
        tables["steps"] = steps
    return ks.log_from_frames(tables, as_of=AS_OF, source="Sở Tư pháp")


def _moments(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.columns[frame.columns.str.endswith("_at")]:
        frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame


# Due Monday 2026-08-10 17:00: what is sent from Friday's end to Sunday is still a working day before.
DUE, LATER = "2026-08-10 17:00", "2026-08-20 17:00"
WHY = "Chờ Sở Xây dựng trả lời văn bản lấy ý kiến số 12"
CASES = {
    "good": ([("2026-08-07 16:00", DUE, LATER, WHY, "2026-08-07 16:30")], "2026-08-19"),
    "same_day": ([("2026-08-10 08:00", DUE, LATER, WHY + "3", "2026-08-10 08:30")], "2026-08-19"),
    "weekend": ([("2026-08-08 08:00", DUE, LATER, WHY + "4", "2026-08-08 08:30")], "2026-08-19"),
    "no_letter": ([("2026-08-07 16:00", DUE, LATER, WHY, None)], "2026-08-19"),
    "no_date": ([("2026-08-07 16:00", DUE, None, WHY + "5", "2026-08-07 16:30")], "2026-08-19"),
    "generic": ([("2026-08-07 16:00", DUE, LATER, "Do khối lượng hồ sơ nhiều.", "2026-08-07 16:30")], "2026-08-19"),
    "broken": ([("2026-08-07 16:00", DUE, LATER, WHY + "6", "2026-08-07 16:30")], "2026-08-21"),
    "twice": ([("2026-08-07 16:00", DUE, LATER, WHY + "7", "2026-08-07 16:30"),
               ("2026-08-19 16:00", LATER, "2026-09-01 17:00", WHY + "8", "2026-08-19 16:30")], "2026-08-31"),
    "to_come": ([("2026-08-07 16:00", DUE, "2026-10-05 17:00", WHY + "9", "2026-08-07 16:30")], None),
    "silent": ([], None),
}  # fmt: skip
EXPECTED = {
    "sent": (8, 10), "in_time": (7, 10), "with_reason": (8, 10), "with_date": (7, 10), "contents": (7, 10),
    "specific": (7, 10), "once": (9, 10), "kept": (5, 7), "fulfilled": (3, 10),
}  # fmt: skip


@pytest.fixture(scope="module")
def hand():
    dossiers = [
        (name, "2026-07-27 08:00", DUE, end and f"{end} 10:00", "Phường Bến") for name, (_, end) in CASES.items()
    ]
    dossiers.append(("on_time", "2026-07-27 08:00", DUE, "2026-08-10 17:00", "Phường Bến"))
    return log(dossiers, [(name, *change) for name, (changes, _) in CASES.items() for change in changes])


def test_every_duty_is_counted_as_by_hand(hand):
    rows = ks.apology_duty(hand, period=PERIOD).rows.set_index("duty")
    found = {duty: (int(row["numerator"]), int(row["denominator"])) for duty, row in rows.iterrows()}
    assert found == EXPECTED
    assert rows["n"].eq(10).all()
    assert ((rows["low"] <= rows["estimate"]) & (rows["estimate"] <= rows["high"])).all()


def test_a_sentence_in_every_letter_is_boiler_plate_from_five_letters_on():
    def specific(n):
        names = [f"d{i}" for i in range(n)]
        made = log([(name, "2026-07-27 08:00", DUE, "2026-08-19 10:00", "A") for name in names],
                   [(name, "2026-08-07 16:00", DUE, LATER, WHY + ("," if i % 2 else ""), "2026-08-07 16:30")
                    for i, name in enumerate(names)])  # fmt: skip
        rows = ks.apology_duty(made, period=PERIOD).rows.set_index("duty")
        return int(rows.loc["specific", "numerator"])

    assert (specific(4), specific(5)) == (4, 0)


def test_groups_add_up_and_small_ones_are_hidden(hand):
    by = ks.apology_duty(hand, period=PERIOD, by=["responsible_unit", "status"])
    whole = ks.apology_duty(hand, period=PERIOD).rows.set_index("duty")["numerator"]
    assert by.rows.groupby("duty")["numerator"].sum().to_dict() == whole.to_dict()
    hidden = {cells[1] for cells in by.table().cells if "…" in cells}
    assert hidden  # two dossiers are still open


def test_without_appointments_there_is_no_data_and_not_zero():
    made = log([("a", "2026-07-27 08:00", DUE, "2026-08-19 10:00", "A")])
    result = ks.apology_duty(made, period=PERIOD)
    assert result.rows["estimate"].isna().all()
    assert result.rows["numerator"].isna().all()
    assert result.rows["n"].eq(1).all()
    assert "không phải bằng 0" in " ".join(result.notes)
    assert "–" in result.table().cells[0]


def test_the_rule_of_the_period_is_cited(hand):
    old, new = (" ".join(ks.apology_duty(hand, period=period).notes) for period in ("2024-Q1", "2026-Q3"))
    assert "61/2018" in old
    assert "88/2025" in new
    assert "88/2025" not in old


RECORDED = read_table("sample/reasons.csv").query("text != 'Do khối lượng hồ sơ nhiều'")[["id", "text"]]


@pytest.mark.parametrize(("cause", "text"), RECORDED.to_numpy().tolist())
def test_plain_reasons_fall_under_their_cause(cause, text):
    assert cause_of(text) == cause_of(text.upper()) == cause


def test_a_reason_without_diacritics_is_read_and_an_unknown_one_is_other():
    assert cause_of("lanh dao di cong tac") == "NHAN_SU"
    assert cause_of("vì vậy") == "KHAC"


def test_causes_are_shares_of_the_dossiers_with_a_reason(hand):
    result = ks.late_causes(hand, period=PERIOD)
    rows = result.rows.set_index("cause")
    assert rows["numerator"].to_dict() == {"PHOI_HOP": 8, "QUA_TAI": 1}
    assert rows["denominator"].eq(9).all()
    assert rows["n_missing"].eq(1).all()
    assert rows["generic"].to_dict() == {"PHOI_HOP": 0, "QUA_TAI": 1}
    assert result.faults.set_index("fault")["numerator"].to_dict() == {"subjective": 8, "objective": 1, "unknown": 0}
    assert ks.late_causes(hand, period=PERIOD, by="status").rows["numerator"].sum() == 9


def units(late: dict[str, tuple[int, int]], **more):
    rows = []
    for unit, (bad, all_) in late.items():
        for place in range(all_):
            end = f"2026-08-{11 if place < bad else 10} 10:{place // 60:02d}:{place % 60:02d}"  # no batch of closes
            rows.append((f"{unit}-{place}", "2026-07-27 08:00", DUE, end, unit))
    return log(rows, **more)


def test_a_unit_is_slow_beyond_chance_and_not_by_rank():
    made = units({"Chậm": (30, 60), "Nhỏ": (20, 29), "Sát": (7, 60), "A": (40, 800), "B": (40, 800)})
    result = ks.slow_units(made, period=PERIOD)
    assert result.rows["responsible_unit"].tolist() == ["Chậm"]
    row = result.rows.iloc[0]
    assert (row["numerator"], row["denominator"], row["share"]) == (30, 60, 0.5)
    assert row["city"] == pytest.approx(137 / 1749)
    assert row["city"] + 0.01 < row["low"] < row["estimate"] < row["high"]
    assert ks.slow_units(made, period=PERIOD, margin=0.6).rows.empty
    equal = units({name: (5, 100) for name in "ABCDEF"})
    assert ks.slow_units(equal, period=PERIOD).rows.empty


def officials(late: dict[str, tuple[int, int]], *, placeholder: int = 0):
    rows = []
    for name, (bad, all_) in late.items():
        rows += [(f"{name}-{i}", 1, name, "Thẩm định", "2026-08-07 17:00",
                  "2026-08-10 09:00" if i < bad else "2026-08-06 09:00") for i in range(all_)]  # fmt: skip
        # the wait for another agency is nobody's delay here
        rows += [
            (f"{name}-{i}", 2, name, "Lấy ý kiến phối hợp", "2026-08-03 17:00", "2026-08-10 09:00") for i in range(all_)
        ]
    first = next(iter(late))
    rows += [
        (f"{first}-{i % 40}", 3 + i, "Chuyên viên", "Trình ký", None, "2026-08-10 09:30") for i in range(placeholder)
    ]
    steps = pd.DataFrame(rows, columns=["dossier_id", "seq", "officer", "step", "due_at", "finished_at"]).assign(
        unit="P"
    )
    steps["started_at"] = "2026-08-03 08:00"
    return units({name: (0, all_) for name, (_, all_) in late.items()}, steps=_moments(steps))


def test_a_log_older_than_the_duties_is_held_against_todays():
    made = log([("old", "2011-04-01 08:00", "2011-05-02 17:00", "2011-05-09 09:00", "Sở A")])
    result = ks.apology_duty(made, period="2011-Q2")
    assert result.rows["duty"].tolist() == ks.apology_duty(made, period="2026-Q3").rows["duty"].tolist()
    assert set(result.rows["denominator"]) == {0, 1}  # no new date to keep
    assert any("chỉ để so sánh" in note for note in result.notes)


LATE = {"Nguyễn Văn An": (30, 40), "Trần Thị Bé": (20, 25), "Lê Văn Cò": (4, 200), "Phạm Thị Dần": (4, 200)}


def test_officials_are_named_only_inside_and_only_from_enough_dossiers():
    made = officials(LATE)
    with pytest.raises(ks.KhaosatError, match="internal=True"):
        ks.slow_units(made, period=PERIOD, officials=True)
    result = ks.slow_units(made, period=PERIOD, officials=True, internal=True)
    assert result.rows["officer"].tolist() == ["Nguyễn Văn An"]  # 25 dossiers are too few for the second
    assert result.rows["share"].tolist() == [0.75]
    assert result.compared == 3
    assert "NỘI BỘ" in result.title
    assert "KHÔNG CÔNG BỐ" in result.notes[0]
    assert "KHÔNG CÔNG BỐ" in result._repr_html_()
    assert MIME not in result._repr_mimebundle_()  # a report is built of these twins alone


def test_a_closed_gate_names_nobody():
    result = ks.slow_units(officials(LATE, placeholder=400), period=PERIOD, officials=True, internal=True)
    assert result.rows.empty
    assert any("Không công bố số liệu theo cán bộ" in note for note in result.notes)


def test_internal_procedures_run_through_the_same_verbs():
    frame = pd.DataFrame({
        "dossier_id": ["a", "b", "c"], "channel": ["internal", "internal", "online"],
        "applicant_type": ["agency", "agency", "citizen"], "received_at": "2026-07-27 08:00", "due_at": DUE,
        "finished_at": ["2026-08-11 10:00", "2026-08-07 10:00", "2026-08-07 10:00"], "status": "finished",
        "responsible_unit": "Sở Nội vụ",
    })  # fmt: skip
    made = ks.log_from_frames({"dossiers": _moments(frame)}, as_of=AS_OF)
    for column, kind in (("channel", "internal"), ("applicant_type", "agency")):
        rows = ks.on_time(made, period=PERIOD, by=column).rows.set_index(column)
        assert (rows.loc[kind, "numerator"], rows.loc[kind, "denominator"]) == (1, 2)
    inside = ks.log_from_frames({"dossiers": _moments(frame[frame["channel"] == "internal"])}, as_of=AS_OF)
    assert ks.late_rates(inside, period=PERIOD).rows["denominator"].max() == 2
    found = ks.against_targets(inside, "hcmc_ct06_2023", values={"internal_cut": (3, 20)}).rows.set_index("indicator")
    assert found.loc["internal_cut", "light"] == "missed"
    assert {"internal_reviewed", "internal_cut"} <= set(found.index)
