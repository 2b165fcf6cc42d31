"""What truth.json says was planted can be seen in the dossiers, by simple counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.calendar import WorkCalendar
from khaosat.facts import read_table
from khaosat.sample.faulty import kinds
from tests.sample.conftest import moments


@pytest.fixture(scope="module")
def asked(dossiers, clean):
    """Whether papers were asked for, by dossier."""
    return dossiers["MaHoSo"].isin(clean["DanhSachHoSoBoSung"]["MaHoSo"])


def field_names(ids):
    names = read_table("sample/fields.csv").set_index("id")["name"]
    return set(names.loc[ids])


def test_counts_in_the_files_are_those_of_the_truth(dossiers, truth):
    told = truth["realised"]
    assert dossiers["ended"].sum() == told["ended"]
    assert (dossiers["ended"] & dossiers["late"]).sum() == told["late"]
    assert (~dossiers["ended"]).sum() == told["open"]
    overdue = ~dossiers["ended"] & (dossiers["first_due"].dt.normalize() < pd.Timestamp(truth["snapshot"]).normalize())
    assert overdue.sum() == told["open_overdue"]


def test_late_share_is_small_and_concentrated(dossiers):
    ended = dossiers[dossiers["ended"]]
    assert 0.03 < ended["late"].mean() < 0.06
    late = ended[ended["late"]]["TenLinhVuc"].value_counts(normalize=True)
    assert late.index[0] == "Đất đai"
    assert late.iloc[:2].sum() > 0.6


def test_the_slow_agency_makes_dossiers_late(dossiers, steps, truth):
    consulted = steps[steps["NoiDungXuLy"] == "Lấy ý kiến phối hợp"].set_index("MaHoSo")["PhongBanXuLy"]
    ended = dossiers[dossiers["ended"]].assign(agency=lambda d: d["MaHoSo"].map(consulted)).dropna(subset="agency")
    told = truth["realised"]["by"]["consulted_agency"]
    names = read_table("sample/departments.csv").set_index("id")["name"]
    late = ended.groupby("agency")["late"].agg(["size", "sum"])
    for agency, counts in told.items():
        assert tuple(late.loc[names[agency]]) == (counts["ended"], counts["late"])
    slow = late.loc[names[truth["planted"]["slow_agency"]["unit"]]]
    others = late.drop(names[truth["planted"]["slow_agency"]["unit"]]).sum()
    assert slow["sum"] / slow["size"] > 8 * others["sum"] / others["size"]
    avoidable = truth["realised"]["avoidable_by_step"]
    assert max(avoidable, key=avoidable.get) == truth["planted"]["slow_agency"]["step"]


def test_speed_of_units_shows_after_case_mix(dossiers, steps, clean, truth):
    """Appraisal time against the same procedures elsewhere: the slow ward is slow, the decoy is not."""
    work = steps[(steps["NoiDungXuLy"] == "Thẩm định hồ sơ") & steps["end"].notna()]
    work = work[~work["MaHoSo"].isin(clean["DanhSachHoSoBoSung"]["MaHoSo"])]
    minutes = WorkCalendar.vietnam().worked_minutes(work["start"], work["end"])
    frame = work.assign(log=np.log(minutes.clip(lower=2))).merge(
        dossiers[["MaHoSo", "MaTTHC", "DonViXuLy"]], on="MaHoSo"
    )
    frame["beyond"] = frame["log"] - frame.groupby("MaTTHC")["log"].transform("mean")
    unit = frame.groupby("DonViXuLy")["beyond"].agg(["mean", "size"])
    prefix = {row["code"]: row["name"] for row in read_table("sample/wards.csv").to_dict("records")}
    slow = unit.loc[prefix[str(truth["planted"]["slow_unit"]["ward"])]]
    decoy = unit.loc[prefix[str(truth["planted"]["decoy_unit"]["ward"])]]
    assert slow["mean"] > np.log(truth["planted"]["slow_unit"]["factor"]) - 0.25
    assert abs(decoy["mean"]) < 0.2
    speed = pd.Series(truth["true_speed"])
    enough = unit[unit["size"] >= 40].index.intersection(speed.index)
    assert np.corrcoef(unit.loc[enough, "mean"], np.log(speed[enough]))[0, 1] > 0.8


def test_the_decoy_looks_worse_than_it_is(dossiers, truth):
    ended = dossiers[dossiers["ended"] & (dossiers["NgayTiepNhan"] >= "2025-07-01")]
    prefix = {row["code"]: row["name"] for row in read_table("sample/wards.csv").to_dict("records")}
    wards = ended[ended["DonViXuLy"].isin(prefix.values())]
    decoy = wards["DonViXuLy"] == prefix[str(truth["planted"]["decoy_unit"]["ward"])]
    assert wards.loc[decoy, "late"].mean() > 1.5 * wards.loc[~decoy, "late"].mean()


def log_odds_change(asked, touched, after):
    """ln odds ratio of being asked for papers, after against before, with its standard error."""
    cells = [asked[when & touched] for when in (after, ~after)]
    (a, b), (c, d) = ((cell.sum(), (~cell).sum()) for cell in cells)
    return np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


@pytest.mark.parametrize("policy", ["policy", "null_policy"])
def test_policies_do_what_was_planted_and_no_more(dossiers, asked, truth, policy):
    planted = truth["planted"][policy]
    touched = dossiers["TenLinhVuc"].isin(field_names(planted["fields"]))
    after = dossiers["NgayTiepNhan"] >= planted["when"]
    change, se = log_odds_change(asked, touched, after)
    assert abs(change - np.log(planted["odds_ratio"])) < 3 * se
    others = ~dossiers["TenLinhVuc"].isin(field_names(truth["planted"]["policy"]["fields"]))
    control, se_control = log_odds_change(asked, others, after)
    assert abs(control) < 3 * se_control
    if policy == "policy":
        assert change < -3 * se


def test_the_surge(dossiers, truth):
    planted = truth["planted"]["surge"]
    month = dossiers["NgayTiepNhan"].dt.strftime("%Y-%m")
    land = dossiers["TenLinhVuc"] == "Đất đai"
    year_before = str(pd.Period(planted["month"]) - 12)
    both = month.isin([planted["month"], year_before])
    change, se = log_odds_change(land[both], True, month[both] == planted["month"])
    assert abs(change - np.log(planted["factor"])) < 3 * se < change
    late = dossiers[land & dossiers["ended"]].groupby(month)["late"].mean()
    assert late[planted["month"]] > 2 * late.drop(planted["month"]).median()


def test_reappointments_give_reasons_and_some_break_the_rule(clean):
    history = clean["LichSuHenTra"]
    assert (history["LyDo"] != "").all()
    assert moments(history["NgayHenTraMoi"]).gt(moments(history["NgayHenTraTruoc"])).all()
    assert history["MaHoSo"].duplicated().sum() > 3
    changed, due = moments(history["NgayDoiHen"]), moments(history["NgayHenTraTruoc"])
    assert 0.1 < (changed > due).mean() < 0.4
    assert 0.1 < (history["NgayGuiThuXinLoi"] == "").mean() < 0.5


def test_supplements_restart_the_term(clean, dossiers):
    papers = clean["DanhSachHoSoBoSung"].merge(dossiers[["MaHoSo", "SoNgayXuLy"]], on="MaHoSo")
    done = papers[papers["TrangThaiBoSung"] == "1"]
    term = done["SoNgayXuLy"].astype(int)
    restarted = WorkCalendar.vietnam().add_working_days(moments(done["NgayTiepNhanBoSung"]), term)
    assert (restarted == moments(done["NgayHenTraMoi"]).dt.normalize()).all()
    first = papers[papers["HoSoBoSungId"] == "1"]
    asked_on, due = moments(first["NgayBoSung"]).dt.normalize(), moments(first["NgayHenTraTruoc"]).dt.normalize()
    longer = first["SoNgayXuLy"].astype(int) >= 5
    assert 0.05 < (asked_on == due)[longer].mean() < 0.25
    assert (papers.groupby("MaHoSo").size() == 2).any()


def found_faults(tables):
    """Faulty rows by plain checks of one's own: (kind, file, row)."""
    dossiers, steps = tables["HoSo"], tables["TienTrinh"]
    received = pd.to_datetime(dossiers["NgayTiepNhan"], format="%Y%m%d%H%M%S", errors="coerce")
    finished, due = (moments(dossiers[name]) for name in ("NgayKetThucXuLy", "NgayHenTra"))
    in_id = dossiers["MaHoSo"].str.extract(r"-(\d{6})-\d+$")[0]
    start, end = (
        pd.to_datetime(steps[n], format="%Y%m%d%H%M%S", errors="coerce") for n in ("NgayBatDau", "ThoiDiemXuLy")
    )
    supplements, history = tables["DanhSachHoSoBoSung"], tables["LichSuHenTra"]
    unreadable = r"\d{4}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{6}|"
    checks = {
        "bad_date": (dossiers, received.isna()),
        "unknown_status": (dossiers, ~dossiers["TrangThaiHoSo"].isin([str(code) for code in range(1, 11)])),
        "unknown_channel": (dossiers, ~dossiers["KenhThucHien"].isin(["1", "2", "3"])),
        "finished_before_received": (dossiers, finished < received),
        "due_before_received": (dossiers, due < received),
        "missing_due": (dossiers, dossiers["NgayHenTra"] == ""),
        "missing_id": (dossiers, dossiers["MaHoSo"] == ""),
        "duplicate_id": (dossiers, dossiers["MaHoSo"].duplicated() & (dossiers["MaHoSo"] != "")),
        "id_date_mismatch": (dossiers, in_id.notna() & received.notna() & (in_id != received.dt.strftime("%y%m%d"))),
        "bad_step_date": (steps, (steps["ThoiDiemXuLy"] != "") & end.isna()),
        "step_ends_before_start": (steps, end < start),
        "unknown_dossier": (steps, ~steps["MaHoSo"].isin(dossiers["MaHoSo"])),
        "bad_supplement_date": (supplements, ~supplements["NgayTiepNhanBoSung"].str.fullmatch(unreadable)),
        "bad_new_due": (history, ~history["NgayHenTraMoi"].str.fullmatch(unreadable)),
    }
    return {
        (kind, row["file"], row["row"])
        for kind, (frame, faulty) in checks.items()
        for row in frame[faulty][["file", "row"]].to_dict("records")
    }


def test_faulty_rows_are_exactly_those_listed(tables, truth):
    listed = {(row["kind"], row["file"], row["row"]) for row in truth["faults"]["rows"] if "survey" not in row["file"]}
    assert found_faults(tables) == listed
    assert {row["kind"] for row in truth["faults"]["rows"]} == {kind.kind for kind in kinds()}
    assert all(count >= 5 for count in truth["faults"]["by_kind"].values())


def test_faulty_rows_of_a_small_city_are_listed_too(small):
    import json

    from tests.sample.conftest import TABLES, read

    truth = json.loads((small / "truth.json").read_text(encoding="utf-8"))
    listed = {(row["kind"], row["file"], row["row"]) for row in truth["faults"]["rows"] if "survey" not in row["file"]}
    assert found_faults({name: read(small, name) for name in TABLES}) == listed
