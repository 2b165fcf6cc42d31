from __future__ import annotations

import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.errors import WorkspaceError
from khaosat.io.intake import ingest
from khaosat.io.responses import ingest_responses, open_responses
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
        ingest_responses(path, store=store, questionnaire=questionnaire, wave="q3")
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
