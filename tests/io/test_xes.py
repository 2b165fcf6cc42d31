"""XES logs: steps from transitions, moments in civil time, nothing read that is not asked for, broken files refused."""

from __future__ import annotations

import datetime as dt
import gzip

import pandas as pd
import pytest

import khaosat as ks
from khaosat.io.xes import _traces, is_xml
from tests.io.xes_files import HEAD, write_xes


def event(step, moment, *, transition="complete", **more):
    keys = {"concept:name": step, "lifecycle:transition": transition, **more}
    inside = "".join(f'<string key="{name}" value="{value}"/>' for name, value in keys.items())
    return f'<event>{inside}<date key="time:timestamp" value="{moment}"/></event>'


def log_of(*events, trace='<string key="concept:name" value="NA"/>'):
    return f"{HEAD}<trace>{trace}{''.join(events)}</trace></log>"


def read(tmp_path, text, *, name="log.xes", **more):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return ks.read_dossiers(path, mapping="xes", **more)


def steps(log):
    sql = "SELECT dossier_id, step, unit, officer, started_at, finished_at FROM steps ORDER BY dossier_id, seq"
    return log.engine.query(sql).to_pylist()


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz", "log.xml", "log"])
def test_a_start_is_joined_to_its_completion(tmp_path, name):
    text = log_of(
        event("Thẩm định &amp; ký", "2026-04-01T08:00:00.500+07:00", transition="start", **{"org:group": "Sở A"}),
        event("Khác", "2026-04-01T02:00:00Z"),
        event("Thẩm định &amp; ký", "2026-04-01T09:00:00.000+07:00", **{"org:group": "Sở A"}),
        event("Thẩm định &amp; ký", "2026-04-02T09:00:00.000+07:00"),
        event("Trả", "2026-04-03T09:00:00.000+07:00", transition="START"),
    )
    log = read(tmp_path, text, name=name)
    found = {(row["step"], row["started_at"], row["finished_at"]) for row in steps(log)}
    day = dt.datetime(2026, 4, 1, 8)
    assert found == {
        ("Thẩm định & ký", day.replace(microsecond=500_000), dt.datetime(2026, 4, 1, 9)),
        ("Khác", None, dt.datetime(2026, 4, 1, 9)),
        ("Thẩm định & ký", None, dt.datetime(2026, 4, 2, 9)),
        ("Trả", dt.datetime(2026, 4, 3, 9), None),
    }
    assert {row["dossier_id"] for row in steps(log)} == {"NA"}
    assert log.as_of == dt.datetime(2026, 4, 3, 9)


def test_starts_and_completions_are_paired_in_their_order(tmp_path):
    moments = zip(("start", "start", "complete", "complete"), (8, 9, 10, 11), strict=True)
    text = log_of(*(event("x", f"2026-04-01T{hour:02}:00:00+07:00", transition=kind) for kind, hour in moments))
    found = [(row["started_at"].hour, row["finished_at"].hour) for row in steps(read(tmp_path, text))]
    assert found == [(8, 10), (9, 11)]


def test_reception_is_the_first_moment_whatever_its_offset(tmp_path):
    text = log_of(event("b", "2026-10-25T02:30:00+01:00"), event("a", "2026-10-25T02:45:00+02:00"))
    log = read(tmp_path, text)
    assert log.engine.query("SELECT received_at FROM dossiers")["received_at"].to_pylist() == [
        dt.datetime(2026, 10, 25, 7, 45)
    ]


def test_attributes_of_a_trace_its_globals_and_nested_ones(tmp_path):
    trace = (
        '<string key="concept:name" value="A"><string key="concept:name" value="nested"/></string>'
        '<date key="startDate" value="2026-03-30T08:00:00+07:00"/><list key="l"><values><string key="concept:name" '
        'value="in a list"/></values></list>'
    )
    log = read(tmp_path, log_of(event("x", "2026-04-01T08:00:00+07:00"), trace=trace))
    assert log.engine.query("SELECT dossier_id, received_at FROM dossiers").to_pylist() == [
        {"dossier_id": "A", "received_at": dt.datetime(2026, 3, 30, 8)}
    ]
    assert [row["step"] for row in steps(log)] == ["x"]


def test_names_of_people_are_read_only_if_asked_for(tmp_path):
    text = log_of(event("x", "2026-04-01T08:00:00+07:00", **{"org:resource": "Nguyễn Văn A"}))
    assert steps(read(tmp_path, text))[0]["officer"] is None
    assert steps(read(tmp_path, text, personal=True))[0]["officer"] == "Nguyễn Văn A"


def test_what_is_no_step_is_left_out_and_said(tmp_path):
    text = log_of(
        event("x", "2026-04-01T07:00:00+07:00", transition="schedule"),
        event("x", "2026-04-01T07:30:00+07:00", transition="schedule"),
        event("x", "2026-04-01T08:00:00+07:00"),
    ).replace("</log>", "<trace><string key='concept:name' value='empty'/></trace></log>")
    log = read(tmp_path, text)
    assert len(steps(log)) == 1
    found = log.faults[log.faults["fault"] == "left_out"]
    assert sorted(found["value"]) == ["schedule: 2", "trace without events: 1"]
    assert set(found["severity"]) == {"warning"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE log [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><log>&b;</log>', "document type"),
        ('<!DOCTYPE log SYSTEM "file:///etc/hostname"><log/>', "document type"),
        ("<html><body/></html>", "<html>"),
        (HEAD + "<trace><event>", "no element found"),
        ("<log>" + "<list>" * 100 + "</list>" * 100 + "</log>", "nested"),
        ("<log/>", None),
    ],
)
def test_other_xml_is_refused_with_the_reason(tmp_path, text, reason):
    with pytest.raises(ks.DataError, match=reason):
        read(tmp_path, text)


def test_a_cut_off_archive_is_refused(tmp_path):
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(log_of(event("x", "2026-04-01T08:00:00+07:00")).encode())[:-10])
    with pytest.raises(ks.DataError, match="log.xes.gz"):
        ks.read_dossiers(path, mapping="xes")


def test_traces_come_before_the_file_is_read_to_its_end(tmp_path):
    path = tmp_path / "log.xes"
    trace = f"<trace><string key='concept:name' value='A'/>{event('x', '2026-04-01T08:00:00+07:00')}</trace>"
    path.write_text("<log>" + trace * 2000 + "<broken", encoding="utf-8")
    found = _traces(path, "log.xes")
    assert next(found)[0] == {"concept:name": "A"}
    with pytest.raises(ks.DataError):
        list(found)


def test_tables_are_not_taken_for_xml(tmp_path):
    for name, content in (
        ("a.csv", b"MaHoSo,x\n<1,2\n"),
        ("b.gz", gzip.compress(b"MaHoSo")),
        ("c", b""),
        ("d", b"\x1f\x8b!"),
    ):
        (tmp_path / name).write_bytes(content)
        assert not is_xml(tmp_path / name)


def test_a_folder_of_logs_is_read(tmp_path):
    events = pd.DataFrame({
        "case:concept:name": ["A", "A", "B"], "concept:name": ["x", "y", "x"],
        "time:timestamp": pd.to_datetime(["2026-04-01 08:00", "2026-04-02 08:00", "2026-04-03 08:00"], utc=True),
    })  # fmt: skip
    write_xes(tmp_path / "one.xes", events[:2])
    write_xes(tmp_path / "two.xes.gz", events[2:])
    log = ks.read_dossiers(tmp_path, mapping="xes")
    assert log.counts["dossiers_stored"] == 2
    assert ks.variants(log).rows["steps"].tolist() == [("x", "y"), ("x",)]
