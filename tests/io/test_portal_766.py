"""Saved answers of the national portal: counts by agency and component; null is not zero; nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import khaosat as ks
from khaosat.facts.language import language

ROOT = {"departmentId": "r", "departmentName": "UBND tỉnh"}
CHILD = {"departmentId": "c", "departmentName": "UBND xã Hy Cương"}


def metric(code, numerator, denominator, points, **more):
    return {"code": code, "numerator": numerator, "denominator": denominator, "score": points, **more}


ANSWERS = {
    "transparency": {
        "overview": {**ROOT, "departmentType": "PROVINCE", "metrics": [
            metric("PUBLISH_ON_TIME", 0, 54, 0), metric("PUBLIC_UPDATE_ON_TIME", 0, 68, 0),
            metric("PUBLIC_CONTENT_FULL", 87, 89, 1.96),
            metric("DOSSIER_SYNC", 339457, 339457, 6, dataQualityStatus="TEMP_NATIONAL_REPORT_DENOMINATOR"),
        ]},
        "evaluation": [{**CHILD, "departmentLevel": "COMMUNE", "metrics": [metric("DOSSIER_SYNC", 2195, 2195, 6)]}],
    },
    "progress": {
        "parent": {**ROOT, "totalReceived": 464494, "totalOnTime": 403016, "totalScore": 17.35},
        "children": [{**CHILD, "level": "COMMUNE", "totalReceived": 2821, "totalOnTime": 2190, "score": 15.53}],
    },
    "online": {
        "parent": {**ROOT, "authorityCount": 89, "partialCount": 31, "fullCount": 21, "onlineDossierCount": 449,
                   "onlineServiceTotal": 1884, "channelOnlineSum": 435258, "channelTotalSum": 440558,
                   "totalScore": 8.41},
        "children": [{**CHILD, "level": "COMMUNE", "totalScore": 6.37}],
    },
    "digitised": {
        "overview": {**ROOT, "metrics": [
            metric("REUSED_DIGITIZED_DATA", 64382, 464494, 0.35), metric("ELECTRONIC_CERTIFIED_COPY", None, None, 2),
            metric("SOMETHING_NEW", 1, 2, None),
        ]},
        "evaluation": [],
    },
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in ANSWERS.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"code": "OK", "data": data}), encoding="utf-8")
    return tmp_path


def test_a_folder_of_answers_is_scored(folder):
    frame = ks.read_portal_766(folder, period="2026-Q3")
    result = ks.score_766(frame, period="2026-Q3")
    points = result.rows.set_index("component")["score"].to_dict()
    assert points == {"1.1": 0, "1.2": 0, "1.3": 1.96, "1.4": 6, "2.1": 17.35, "3.1": 1.46, "3.2": 0.95, "3.3": 6,
                      "4.reuse": 0.35, "4.certified": 2, "total": 36.07}  # fmt: skip
    assert set(result.rows["source"].iloc[:-1]) == {"portal"}
    assert result.title == "Bảng điểm theo Quyết định 766/QĐ-TTg, UBND tỉnh, quý III năm 2026"
    assert any("số liệu tạm: 1.4" in note for note in result.notes)
    assert not any("khác điểm Cổng" in note for note in result.notes)
    assert "transparency.json" in result.source


def test_null_stays_unknown_and_a_missing_count_is_no_row(folder):
    frame = ks.read_portal_766(folder).set_index(["unit", "component"])
    certified = frame.loc[("province", "4.certified")]
    assert pd.isna(certified["numerator"])
    assert pd.isna(certified["denominator"])
    assert frame.loc["commune"].index.tolist() == ["2.1", "1.4"]  # files in order of their names: progress first
    assert "SOMETHING_NEW" not in frame.to_string()


def test_units_below_the_root_are_ranked_by_their_own_components(folder):
    rows = ks.rank_766(ks.read_portal_766(folder), unit="commune").rows
    assert rows[["agency", "score", "max_score"]].to_numpy().tolist() == [["UBND xã Hy Cương", 15.53, 20]]


def test_points_that_differ_from_the_portals_are_told(folder):
    frame = ks.read_portal_766(folder)
    frame.loc[frame["component"] == "1.3", "portal_score"] = 1.5
    assert any("khác điểm Cổng công bố ở 1.3" in note for note in ks.score_766(frame).notes)


def test_several_agencies_of_a_kind_have_no_one_scorecard(folder):
    frame = ks.read_portal_766(folder)
    with pytest.raises(ks.KhaosatError, match="rank_766"):
        ks.score_766(pd.concat([frame, frame.assign(agency="UBND xã khác")]), unit="commune")


def test_files_of_two_periods_contradict_each_other(folder):
    other = {"code": "OK", "data": {"parent": {**ROOT, "totalReceived": 10, "totalOnTime": 9}, "children": []}}
    (folder / "progress-month.json").write_text(json.dumps(other))
    with language("en"), pytest.raises(ks.DataError, match="2.1: progress-month.json, progress.json give different"):
        ks.read_portal_766(folder)


def test_the_same_answer_twice_is_one(folder):
    (folder / "copy.json").write_bytes((folder / "progress.json").read_bytes())
    assert len(ks.read_portal_766(folder)) == len(ks.read_portal_766([folder / f"{n}.json" for n in ANSWERS]))


def test_what_is_no_answer_is_told_all_at_once(tmp_path):
    for name, text in {"a": "{", "b": "[]", "c": '{"code": "ERROR", "data": {}}', "d": '{"data": {"x": 1}}'}.items():
        (tmp_path / f"{name}.json").write_text(text)
    with language("en"), pytest.raises(ks.DataError) as caught:
        ks.read_portal_766(tmp_path)
    assert [line[:6] for line in str(caught.value).splitlines()] == ["a.json", "b.json", "c.json", "d.json"]
    with language("en"), pytest.raises(ks.DataError, match="no JSON file"):
        ks.read_portal_766([])
