from __future__ import annotations

import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.errors import WorkspaceError
from khaosat.io.intake import ingest
from khaosat.io.responses import ingest_responses, open_responses
from khaosat.io.store import read_manifest
from tests.io.exports import ho_so, write


@pytest.fixture(scope="module")
def questionnaire():
    return load_questionnaire("sipas_2023")


def export(path, questionnaire, *, count=5, wave=None, **changes):
    item = questionnaire.items("satisfaction")[0]
    frame = pd.DataFrame({"respondent_id": range(count), item: [4] * count})
    if wave is not None:
        frame["dot"] = wave
    frame.assign(**changes).to_csv(path, index=False)
    return path


def test_answers_are_stored_by_wave_once(tmp_path, questionnaire):
    store = tmp_path / "store"
    first = export(tmp_path / "a.csv", questionnaire)
    report = ingest_responses(first, store=store, questionnaire=questionnaire, wave="2026-Q3")
    assert (report.counts["responses_read"], report.counts["responses_stored"]) == (5, 5)
    again = ingest_responses(first, store=store, questionnaire=questionnaire, wave="2026-Q3")
    assert (again.added, again.skipped) == ((), ("a.csv",))
    answers = open_responses(store, wave="2026-Q3")
    assert answers["respondent_id"].tolist() == list("01234")
    assert answers[questionnaire.items("satisfaction")[0]].tolist() == [4] * 5
    assert answers["source_row"].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(WorkspaceError, match="2026-Q3"):
        open_responses(store, wave="2026-Q4")


def test_a_corrected_export_of_a_wave_takes_the_place_of_the_old_one(tmp_path, questionnaire):
    store = tmp_path / "store"
    for count in (5, 7):
        path = export(tmp_path / "a.csv", questionnaire, count=count)
        report = ingest_responses(path, store=store, questionnaire=questionnaire, wave="q3")
    assert "replaced_file" in report.faults["fault"].tolist()
    export(tmp_path / "b.csv", questionnaire, count=3)
    ingest_responses(tmp_path / "b.csv", store=store, questionnaire=questionnaire, wave="q3")
    assert open_responses(store)["source_file"].value_counts().to_dict() == {"a.csv": 7, "b.csv": 3}


def test_the_wave_may_be_a_column(tmp_path, questionnaire):
    path = export(tmp_path / "a.csv", questionnaire, count=4, wave=["I", "I", "II", None])
    options = {"questionnaire": questionnaire, "wave_column": "dot"}
    report = ingest_responses(path, store=tmp_path / "one", **options)
    assert report.counts["responses_quarantined"] == 1
    assert report.faults[["row", "fault"]].to_numpy().tolist()[-1] == [4, "missing_wave"]
    assert len(open_responses(tmp_path / "one", wave="I")) == 2
    ingest_responses(path, store=tmp_path / "two", wave="III", **options)
    assert len(open_responses(tmp_path / "two", wave="III")) == 1


def test_answers_and_dossiers_share_a_store(tmp_path, questionnaire):
    store = tmp_path / "store"
    ingest(write(tmp_path / "h1.csv", [ho_so("H29-1")]), store=store)
    ingest_responses(export(tmp_path / "a.csv", questionnaire), store=store, questionnaire=questionnaire, wave="q3")
    ingest(write(tmp_path / "h2.csv", [ho_so("H29-2")]), store=store)
    assert len(open_responses(store)) == 5
    from khaosat.io.dossier_files import open_store

    assert open_store(store).counts["dossiers_stored"] == 2


def test_a_file_that_is_no_survey_is_a_fault(tmp_path, questionnaire):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    report = ingest_responses(path, store=tmp_path / "store", questionnaire=questionnaire, wave="q3")
    assert report.added == ()
    assert (report.faults["severity"] == "refused").all()
    assert len(report.faults)


def test_files_of_one_name_in_two_folders_are_two_until_one_is_corrected(tmp_path, questionnaire):
    for folder, count in (("p1", 3), ("p2", 4)):
        (tmp_path / folder).mkdir()
        export(tmp_path / folder / "phieu.csv", questionnaire, count=count)
    options = {"store": tmp_path / "store", "questionnaire": questionnaire, "wave": "q3"}
    report = ingest_responses(tmp_path, **options)
    assert report.added == ("p1/phieu.csv", "p2/phieu.csv")
    assert "replaced_file" not in report.faults["fault"].tolist()
    export(tmp_path / "p1/phieu.csv", questionnaire, count=6)
    ingest_responses([tmp_path / "p1", tmp_path / "p2"], **options)
    found = open_responses(tmp_path / "store")["source_file"].value_counts().to_dict()
    assert found == {"p1/phieu.csv": 6, "p2/phieu.csv": 4}


def test_refused_rows_are_kept_with_their_content(tmp_path, questionnaire):
    item = questionnaire.items("satisfaction")[0]
    path = tmp_path / "phieu.csv"
    lines = ["mã phiếu,mã phiếu,dot," + item, "01,a,I,4", "01,b,I,5", "03,c,,3", "lẻ,4", "04,d,I,44", "05,e,I,4"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = ingest_responses(
        path, store=tmp_path / "store", questionnaire=questionnaire, wave_column="dot",
        columns={"mã phiếu": "response_id"},
    )  # fmt: skip
    assert [report.counts[name] for name in ("read", "stored", "quarantined")] == [6, 3, 3]
    manifest = read_manifest(tmp_path / "store")
    rows = pd.concat(map(pd.read_parquet, manifest.paths("quarantine/responses", tmp_path / "store")))
    assert rows[["file", "table", "row", "faults", "content"]].to_numpy().tolist() == [
        ["phieu.csv", "responses", 2, "repeated_respondent",
         f'{{"mã phiếu": "01", "mã phiếu": "b", "dot": "I", "{item}": "5"}}'],
        ["phieu.csv", "responses", 3, "missing_wave",
         f'{{"mã phiếu": "03", "mã phiếu": "c", "dot": null, "{item}": "3"}}'],
        ["phieu.csv", "responses", 4, "broken_record", "lẻ,4"],
    ]  # fmt: skip
    assert set(rows["source"]) == set(manifest.sources)
    faults = pd.concat(map(pd.read_parquet, manifest.paths("faults/responses", tmp_path / "store")))
    assert faults.loc[faults["fault"] == "off_scale", ["row", "value"]].to_numpy().tolist() == [[5, "44"]]


def test_a_survey_that_cannot_be_used_is_named(tmp_path, questionnaire):
    (tmp_path / "trong.csv").write_bytes(b"")
    report = ingest_responses(tmp_path, store=tmp_path / "store", questionnaire=questionnaire, wave="q3")
    assert report.refused == ("trong.csv",)
    assert report.summary() == "Số tệp không đọc được: 1 (trong.csv)."


def test_a_replaced_file_can_come_back_and_a_locked_one_is_not_replaced(tmp_path, questionnaire, monkeypatch):
    options = {"store": tmp_path / "store", "questionnaire": questionnaire, "wave": "q3"}
    for folder, count in (("p1", 3), ("p2", 4)):
        (tmp_path / folder).mkdir()
        ingest_responses(export(tmp_path / folder / "phieu.csv", questionnaire, count=count), **options)
    assert len(open_responses(tmp_path / "store")) == 4
    report = ingest_responses([tmp_path / "p1", tmp_path / "p2"], **options)  # as its warning advises
    assert report.added == ("p1/phieu.csv",)
    assert len(open_responses(tmp_path / "store")) == 7
    opened = type(tmp_path).open

    def locked(self, *given, **named):
        if self.parent.name == "p2":
            raise PermissionError(13, "Permission denied")
        return opened(self, *given, **named)

    export(tmp_path / "p1/phieu.csv", questionnaire, count=2)
    monkeypatch.setattr(type(tmp_path), "open", locked)
    report = ingest_responses([tmp_path / "p1", tmp_path / "p2"], **options)
    assert (report.added, report.refused) == (("p1/phieu.csv",), ("p2/phieu.csv",))
    assert 4 in open_responses(tmp_path / "store")["source_file"].value_counts().tolist()


def test_what_was_set_aside_of_a_replaced_file_goes_with_it(tmp_path, questionnaire):
    store = tmp_path / "store"
    for ids in ([1, 1, 2], [1, 3, 2]):
        path = export(tmp_path / "a.csv", questionnaire, count=3, respondent_id=ids)
        ingest_responses(path, store=store, questionnaire=questionnaire, wave="q3")
    manifest = read_manifest(store)
    assert "quarantine/responses" not in manifest.files
    assert [entry["counts"]["stored"] for entry in manifest.sources.values()] == [3]
