"""The invented city and its clock, as the dossiers show them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.calendar import WorkCalendar
from khaosat.facts import read_table
from khaosat.facts.language import sort_key
from khaosat.sample.city import load_city
from khaosat.sample.clock import OfficeClock
from tests.sample.conftest import SAMPLE, moments

MERGER = pd.Timestamp("2025-07-01")


def in_office(times: pd.Series) -> pd.Series:
    """Whether a moment lies on a working day within office hours, both ends included."""
    calendar = WorkCalendar.vietnam()
    minute = times.dt.hour * 60 + times.dt.minute + times.dt.second / 60
    inside = np.logical_or.reduce([(minute >= start) & (minute <= end) for start, end in calendar.sessions])
    return calendar.is_working(times).astype(bool) & inside


def test_offices_and_names():
    city = load_city(1)
    assert city.units["kind"].value_counts()[["department", "ward"]].to_list() == [19, 168]
    kinds = city.wards["kind"].value_counts().to_dict()
    assert kinds == {"Phường": 113, "Xã": 54, "Đặc khu": 1}
    assert city.units["code"].is_unique
    assert city.units["name"].is_unique
    for _, names in city.wards.groupby("kind")["name"]:
        assert list(names) == sorted(names, key=sort_key)


def test_procedures_are_about_sixty_and_complete():
    city = load_city(1)
    assert 55 <= len(city.procedures) <= 75
    assert city.procedures["code"].is_unique
    assert city.procedures["code"].str.fullmatch(r"\d\.\d{6}").all()
    assert city.procedures["field_index"].notna().all()
    assert ((city.procedures["level"] == "department") == (city.procedures["department_index"] >= 0)).all()
    asked = city.procedures["consult"] > 0
    assert (city.procedures["agencies"] != "").eq(asked).all()


def test_steps_stand_in_the_order_the_simulation_expects():
    assert read_table("sample/steps.csv")["id"].to_list() == [
        "receive", "assign", "appraise", "supplement_1", "recheck_1", "supplement_2", "recheck_2", "consult", "site",
        "fee", "sign", "return",
    ]  # fmt: skip


def test_the_office_clock_agrees_with_the_calendar():
    calendar = WorkCalendar.vietnam()
    clock = OfficeClock.of(calendar, first=dt.date(2025, 1, 2))
    seconds = np.random.default_rng(1).integers(0, clock.day * 300, 500)
    civil = clock.civil(seconds).astype("M8[s]")
    worked = calendar.worked_minutes(np.full(500, np.datetime64("2025-01-02T00:00:00")), civil)
    assert worked * 60 == pytest.approx(seconds)
    assert [clock.at(moment) for moment in civil.tolist()] == seconds.tolist()


def test_every_step_is_done_in_office_hours(steps):
    assert in_office(steps["start"]).all()
    assert in_office(steps["end"].dropna()).all()
    assert (steps["end"].dropna() > steps["start"][steps["end"].notna()]).all()


def test_counters_receive_on_working_days_only_and_the_internet_at_any_time(dossiers):
    assert in_office(dossiers["NgayTiepNhan"]).all()
    online = dossiers["KenhThucHien"] == "2"
    assert in_office(dossiers.loc[~online, "NgayNopHoSo"]).all()
    outside = ~in_office(dossiers.loc[online, "NgayNopHoSo"])
    assert 0.25 < outside.mean() < 0.5
    assert (dossiers["NgayNopHoSo"] <= dossiers["NgayTiepNhan"]).all()


def test_tet_is_a_gap(dossiers):
    received = dossiers["NgayTiepNhan"]
    assert not received.between("2026-02-14", "2026-02-22 23:59:59").any()
    assert not received.between("2025-01-25", "2025-02-02 23:59:59").any()
    assert (received.dt.date == dt.date(2026, 1, 10)).any(), "a Saturday that makes up for 2 January"


def test_identifiers_carry_the_day_of_reception(dossiers):
    assert dossiers["MaHoSo"].str.fullmatch(r"H99(\.\d+)+-\d{6}-\d{4,8}").all()
    assert (dossiers["MaHoSo"].str.extract(r"-(\d{6})-")[0] == dossiers["NgayTiepNhan"].dt.strftime("%y%m%d")).all()


def test_first_term_is_the_legal_term_and_the_first_day_is_not_counted(dossiers):
    due = WorkCalendar.vietnam().add_working_days(dossiers["NgayTiepNhan"], dossiers["SoNgayXuLy"].astype(int))
    assert (due == dossiers["first_due"].dt.normalize()).all()
    assert (dossiers["first_due"].dt.strftime("%H:%M") == "17:00").all()


def test_online_share_rises(dossiers):
    share = (dossiers["KenhThucHien"] == "2").groupby(dossiers["NgayTiepNhan"].dt.to_period("Q")).mean()
    assert share.iloc[-1] > share.iloc[0] + 0.25
    assert set(dossiers["KenhThucHien"]) == {"1", "2", "3"}


def test_nothing_after_the_snapshot(dossiers, steps, tables, truth):
    snapshot = pd.Timestamp(truth["snapshot"])
    assert snapshot == pd.Timestamp("2026-09-30 23:59:59")
    for column in ("NgayTiepNhan", "NgayKetThucXuLy", "NgayTra"):
        assert (dossiers[column].dropna() <= snapshot).all()
    assert (steps["start"] <= snapshot).all()
    assert (steps["end"].dropna() <= snapshot).all()
    assert (moments(tables["LichSuHenTra"]["NgayDoiHen"]) <= snapshot).all()


def test_states_agree_with_dates(dossiers):
    ended = dossiers["TrangThaiHoSo"].isin(["3", "7", "8", "9", "10"])
    assert (ended == dossiers["ended"]).all()
    assert (dossiers["NgayTra"].notna() == (dossiers["TrangThaiHoSo"] == "10")).all()
    assert (dossiers["NgayTuChoi"].notna() == (dossiers["TrangThaiHoSo"] == "3")).all()
    assert {"4", "5", "6"} <= set(dossiers.loc[~dossiers["ended"], "TrangThaiHoSo"])
    old = dossiers["NgayTiepNhan"] < "2026-01-01"
    assert 10 < (old & ~dossiers["ended"]).sum() < 120, "zombies"


def test_the_merger_changes_units_on_its_day(dossiers, steps):
    crosswalk = pd.read_csv(SAMPLE / "don-vi.csv", dtype=str)
    old, new = set(crosswalk["TenDonViCu"]), set(crosswalk["TenDonViMoi"])
    assert not old & new
    received_after = dossiers["NgayTiepNhan"] >= MERGER
    assert not dossiers.loc[received_after, ["DonViXuLy", "NoiNopHoSo"]].isin(old).any(axis=None)
    assert not dossiers.loc[~received_after, "NoiNopHoSo"].isin(new).any()
    assert not steps.loc[steps["start"] >= MERGER, "PhongBanXuLy"].isin(old).any()
    assert not steps.loc[steps["start"] < MERGER, "PhongBanXuLy"].isin(new).any()
    both = (
        steps["PhongBanXuLy"].isin(old).groupby(steps["MaHoSo"]).any()
        & steps["PhongBanXuLy"].isin(new).groupby(steps["MaHoSo"]).any()
    )
    assert both.sum() > 10, "dossiers under way on the day pass to the new unit"


def test_the_crosswalk_covers_the_whole_city():
    crosswalk = pd.read_csv(SAMPLE / "don-vi.csv")
    assert crosswalk["TenDonViMoi"].nunique() == 168
    districts = crosswalk[crosswalk["CapCu"] == "HUYEN"]
    assert districts.groupby("TenDonViCu")["TyLe"].sum().sub(1).abs().max() < 0.01
    assert (crosswalk.loc[crosswalk["CapCu"] == "XA", "TyLe"] == 1).all()


def test_officers_are_codes_and_personal_columns_absent(steps, dossiers):
    assert steps["NguoiXuLy"].str.fullmatch(r"CB\d{4}").all()
    assert not {"ChuHoSo", "SoDienThoai", "Email", "MaDoiTuong"} & set(dossiers.columns)
