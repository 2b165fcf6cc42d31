"""What the one-stop system would export of a batch at the snapshot: rows of the national exchange schema.

Every value is text, times are yyyyMMddHHmmss, codes are those of domain.md 5.3, an empty text means none. Whatever
happens after the snapshot is not in the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts import read_table
from khaosat.sample.cases import ONLINE, Cases
from khaosat.sample.changes import Change, Changes
from khaosat.sample.city import City
from khaosat.sample.clock import Ints, OfficeClock
from khaosat.sample.columns import identifiers, stamps, words
from khaosat.sample.draw import chance, pick, shares
from khaosat.sample.work import RECEIVE, REFUSED, Work

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: Mapping[str, tuple[str, ...]] = {
    "HoSo": (
        "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "LoaiDoiTuong", "NgayNopHoSo",
        "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "NgayTra", "HinhThuc", "NgayKetThucXuLy", "NgayTuChoi",
        "DonViXuLy", "NoiNopHoSo", "DuocThanhToanTrucTuyen",
        "SoNgayXuLy",
    ),
    "TienTrinh": (
        "MaHoSo", "NguoiXuLy", "ChucDanh", "ThoiDiemXuLy", "PhongBanXuLy", "NoiDungXuLy", "TrangThai", "NgayBatDau",
        "NgayKetThucTheoQuyDinh",
    ),
    "DanhSachHoSoBoSung": (
        "MaHoSo", "HoSoBoSungId", "NoiDungBoSung", "NgayBoSung", "NgayTiepNhanBoSung", "TrangThaiBoSung",
        "NgayHenTraTruoc", "NgayHenTraMoi",
    ),
    "LichSuHenTra": ("MaHoSo", "NgayDoiHen", "NgayHenTraTruoc", "NgayHenTraMoi", "LyDo", "NgayGuiThuXinLoi"),
}  # fmt: skip
"""Columns of each file: domain.md 5.1 and 5.2 without the personal ones, and the history of due dates."""

_CHANNEL_CODES = np.array(["1", "2", "3"])


@dataclass(frozen=True, eq=False, kw_only=True)
class Export:
    """The rows of a batch by table, and each dossier's identifier and status."""

    tables: dict[str, pa.Table]
    dossier_id: pa.Array
    status: Ints


def export(
    city: City, cases: Cases, *, work: Work, changes: Changes, clock: OfficeClock, now: int, rng: np.random.Generator
) -> Export:
    """The rows of a batch as they stand at office second ``now``."""
    import pyarrow as pa

    merged = clock.index(city.settings.day("merger")) * clock.day
    dossier_id = _identifiers(city, cases, clock=clock, merged=merged)
    status = _status(city, work, now=now)
    columns = {
        "HoSo": _dossiers(
            city, cases, work=work, changes=changes, status=status, clock=clock, now=now, merged=merged, rng=rng
        ),
        "TienTrinh": _steps(city, cases, work=work, clock=clock, now=now, merged=merged, rng=rng),
        "DanhSachHoSoBoSung": _supplements(changes, clock=clock, now=now, rng=rng),
        "LichSuHenTra": _appointments(city, changes, work=work, clock=clock, now=now, rng=rng),
    }
    tables = {}
    for name, (rows, values) in columns.items():
        values = {"MaHoSo": dossier_id.take(pa.array(rows)), **values}
        tables[name] = pa.table({column: values[column] for column in TABLES[name]})
    return Export(tables=tables, dossier_id=dossier_id, status=status)


def _identifiers(city: City, cases: Cases, *, clock: OfficeClock, merged: int) -> pa.Array:
    counter = np.where(cases.received >= merged, cases.receiving[1], cases.receiving[0])
    return identifiers(city.units["code"], unit=counter, day=clock.days[cases.received // clock.day])


def _status(city: City, work: Work, *, now: int) -> Ints:
    """TrangThaiHoSo at the snapshot: how the dossier ended, or the status of the step it is in."""
    begun = work.present & (work.start < now)
    current = begun.shape[1] - 1 - begun[:, ::-1].argmax(axis=1)
    step_status = city.steps["status"].to_numpy(dtype=np.int64)[current]
    inside = work.end[np.arange(len(current)), current] >= now
    in_hand = np.where(inside | (current == RECEIVE), step_status, 4)
    return np.where(work.returned < now, 10, np.where(work.ended < now, work.outcome, in_hand))


def _due_now(changes: Changes, *, now: int) -> Ints:
    due = changes.first
    for change in (*changes.supplements, *changes.appointments):
        due = np.where(change.happened & (change.moment < now), change.new, due)
    return due


def _events(rounds: tuple[Change, ...], *, now: int) -> tuple[Ints, Ints, dict[str, Ints]]:
    """The changes known by now, in order of dossier and round: dossier, round, and their dates."""
    known = np.array([change.happened & (change.asked < now) for change in rounds])
    rows, number = np.nonzero(known.T)
    dates = ("asked", "moment", "old", "new", "apology")
    seen = {name: np.array([getattr(change, name) for change in rounds])[number, rows] for name in dates}
    return rows, number, seen


def _dossiers(
    city: City, cases: Cases, *, work: Work, changes: Changes, status: Ints, clock: OfficeClock, now: int, merged: int,
    rng: np.random.Generator,
) -> tuple[Ints, dict[str, pa.Array]]:  # fmt: skip
    procedures, fields, names = city.procedures, city.fields, city.units["name"]
    late_merger = work.ended >= merged
    responsible = np.where(late_merger, cases.responsible[1], cases.responsible[0])
    receiving = np.where(cases.received >= merged, cases.receiving[1], cases.receiving[0])
    over = work.ended < now
    paid = (cases.channel == ONLINE) & chance(rng, city.settings.number("channels.paid_online"), n=cases.size)
    return np.arange(cases.size), {
        "MaTTHC": words(procedures["code"], cases.procedure),
        "TenTTHC": words(procedures["name"], cases.procedure),
        "MaLinhVuc": words(fields["code"], cases.field),
        "TenLinhVuc": words(fields["name"], cases.field),
        "KenhThucHien": words(_CHANNEL_CODES, cases.channel),
        "LoaiDoiTuong": words(np.array(["1", "2", "3", "4"]), cases.applicant),
        "NgayNopHoSo": stamps(cases.submitted),
        "NgayTiepNhan": stamps(clock.civil(cases.received)),
        "NgayHenTra": stamps(clock.closing(_due_now(changes, now=now))),
        "TrangThaiHoSo": words(np.arange(11).astype(str), status),
        "NgayTra": stamps(clock.civil(work.returned), known=work.returned < now),
        "HinhThuc": words(
            np.array(["0", "1", ""]),
            np.where(
                work.returned < now, chance(rng, city.settings.number("channels.returned_by_post"), n=cases.size), 2
            ),
        ),
        "NgayKetThucXuLy": stamps(clock.civil(work.ended), known=over),
        "NgayTuChoi": stamps(clock.civil(work.ended), known=over & (work.outcome == REFUSED)),
        "DonViXuLy": words(names, responsible),
        "NoiNopHoSo": words(names, receiving),
        "SoNgayXuLy": words(procedures["legal_days"].astype(str), cases.procedure),
        "DuocThanhToanTrucTuyen": words(
            np.array(["0", "1", "2"]),
            paid * (1 + chance(rng, city.settings.number("channels.paid_locally"), n=cases.size)),
        ),
    }


def _steps(
    city: City, cases: Cases, *, work: Work, clock: OfficeClock, now: int, merged: int, rng: np.random.Generator
) -> tuple[Ints, dict[str, pa.Array]]:
    rows, step = np.nonzero(work.present & (work.start < now))
    start, end, allowance = work.start[rows, step], work.end[rows, step], work.allowance[rows, step]
    after = (start >= merged).astype(np.int64)
    responsible = np.choose(after, [both[rows] for both in cases.responsible])
    counter = np.choose(after, [both[rows] for both in cases.receiving])
    unit = _step_units(city, step=step, counter=counter, responsible=responsible, agency=work.agency[rows])
    officer = _officers(city, rows=rows, step=step, unit=unit, n=cases.size, rng=rng)
    due = start // clock.day + -(-allowance // clock.day)
    return rows, {
        "NguoiXuLy": words([f"CB{i:04d}" for i in range(int(city.first_officer[-1]) + 30)], officer),
        "ChucDanh": words(city.steps["title"], step),
        "ThoiDiemXuLy": stamps(clock.civil(end), known=end < now),
        "PhongBanXuLy": words(city.units["name"], unit),
        "NoiDungXuLy": words(city.steps["name"], step),
        "TrangThai": words(city.steps["status"].astype(str), step),
        "NgayBatDau": stamps(clock.civil(start)),
        "NgayKetThucTheoQuyDinh": stamps(clock.closing(due), known=allowance > 0),
    }


def _step_units(city: City, *, step: Ints, counter: Ints, responsible: Ints, agency: Ints) -> Ints:
    place = city.steps["place"].to_numpy()[step]
    unit = np.where(place == "receiving", counter, responsible)
    unit = np.where(place == "consulted", agency, unit)
    return np.where(place == "tax", city.tax, unit)


def _officers(city: City, *, rows: Ints, step: Ints, unit: Ints, n: int, rng: np.random.Generator) -> Ints:
    """A quarter of a unit's officers sit at the counter, a few sign; one official keeps a dossier throughout."""
    staff = city.units["officers"].to_numpy(dtype=np.int64)[unit]
    counter, leaders = np.maximum(staff // 4, 1), np.maximum(staff // 8, 1)
    role = city.steps["role"].to_numpy()[step]
    at_counter, leads = role == "counter", role == "leader"
    first = np.where(at_counter, 0, np.where(leads, counter, counter + leaders))
    size = np.where(at_counter, counter, np.where(leads, leaders, staff - counter - leaders))
    who = np.where(at_counter, rng.random(len(rows)), rng.random(n)[rows])
    officer: Ints = city.first_officer[unit] + first + (who * size).astype(np.int64)
    return officer


def _supplements(
    changes: Changes, *, clock: OfficeClock, now: int, rng: np.random.Generator
) -> tuple[Ints, dict[str, pa.Array]]:
    table = read_table("sample/supplements.csv")
    rows, number, seen = _events(changes.supplements, now=now)
    asked, moment, old, new = (seen[name] for name in ("asked", "moment", "old", "new"))
    done = moment < now
    what = pick(rng, shares(table["share"].astype(float)), n=len(rows))
    return rows, {
        "HoSoBoSungId": words(["1", "2"], number),
        "NoiDungBoSung": words(table["text"], what),
        "NgayBoSung": stamps(clock.civil(asked)),
        "NgayTiepNhanBoSung": stamps(clock.civil(moment), known=done),
        "TrangThaiBoSung": words(["0", "1"], done.astype(np.int64)),
        "NgayHenTraTruoc": stamps(clock.closing(old)),
        "NgayHenTraMoi": stamps(clock.closing(new), known=done),
    }


def _appointments(
    city: City, changes: Changes, *, work: Work, clock: OfficeClock, now: int, rng: np.random.Generator
) -> tuple[Ints, dict[str, pa.Array]]:
    rows, _, seen = _events(changes.appointments, now=now)
    moment, old, new, apology = (seen[name] for name in ("moment", "old", "new", "apology"))
    cause = city.steps["reason"].to_numpy()[work.overrun.argmax(axis=1)][rows]
    text, reason = _reasons(cause, rng=rng)
    return rows, {
        "NgayDoiHen": stamps(clock.civil(moment)),
        "NgayHenTraTruoc": stamps(clock.closing(old)),
        "NgayHenTraMoi": stamps(clock.closing(new)),
        "LyDo": words(text, reason),
        "NgayGuiThuXinLoi": stamps(clock.civil(apology), known=apology < now),
    }


def _reasons(cause: NDArray[np.object_], *, rng: np.random.Generator) -> tuple[list[str], Ints]:
    table = read_table("sample/reasons.csv")
    share = pd.to_numeric(table["share"]).to_numpy()
    known = list(dict.fromkeys(table["id"]))
    weights = np.array([(table["id"] == name).to_numpy() * share for name in known])
    row = pd.Series(cause).map({name: i for i, name in enumerate(known)}).to_numpy(dtype=np.int64)
    return table["text"].to_list(), pick(rng, shares(weights), row=row)
