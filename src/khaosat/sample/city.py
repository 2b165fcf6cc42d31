"""The invented city: who decides what, where people live, and how fast each office really is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from khaosat.facts import read_table
from khaosat.sample.clock import Floats, Ints
from khaosat.sample.draw import lognormal, shares, stream
from khaosat.sample.settings import Settings, settings

STRATA = ("noi_do", "do_thi", "nong_thon")
"""Inner city, outer city, countryside: the survey's strata."""

_CITY_STREAM = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class City:
    """Offices, procedures and people of the invented city.

    Parameters
    ----------
    settings, truths
        ``facts/sample/city.toml`` and ``truths.toml``.
    units
        One row an office: departments, wards, districts, wards before the merger, the tax office. Columns ``code``,
        ``name``, ``kind``, ``officers``, ``speed`` (true multiplier of handling time).
    wards, fields, procedures, steps
        The fact tables with numbers as numbers; ``procedures`` has ``field_index`` and ``department_index`` (-1 if the
        ward decides).
    """

    settings: Settings
    truths: Settings
    units: pd.DataFrame
    wards: pd.DataFrame
    fields: pd.DataFrame
    procedures: pd.DataFrame
    steps: pd.DataFrame

    @cached_property
    def first_ward(self) -> int:
        """Unit number of the first ward."""
        return int(np.flatnonzero(self.units["kind"] == "ward")[0])

    @cached_property
    def tax(self) -> int:
        """Unit number of the tax office."""
        return len(self.units) - 1

    @cached_property
    def district_of(self) -> Ints:
        """Unit number of the district that a ward lay in before the merger."""
        number = {name: i for i, name in enumerate(self.units["name"])}
        return self.wards["district"].map(number).to_numpy(dtype=np.int64)

    @cached_property
    def before(self) -> tuple[Ints, Ints]:
        """For each ward, the unit number of its first predecessor and how many it has."""
        count = np.array([len(names.split(";")) for names in self.wards["before"]], dtype=np.int64)
        start = int(np.flatnonzero(self.units["kind"] == "ward_before")[0])
        first: Ints = start + np.cumsum(count) - count
        return first, count

    @cached_property
    def home(self) -> Floats:
        """Cumulative shares of the wards in the dossiers of each field."""
        volume = self.wards["volume"].to_numpy(dtype=np.float64)
        rural = (self.wards["stratum"] == "nong_thon").to_numpy()
        table = volume * np.where(rural, self.fields["rural"].to_numpy()[:, None], 1.0)
        decoy = (self.wards["code"] == str(self.truths.whole("decoy_unit.ward"))).to_numpy()
        table[np.ix_((self.fields["id"] == "land").to_numpy(), decoy)] *= self.truths.number("decoy_unit.land")
        return shares(table)

    @cached_property
    def consulted(self) -> Floats:
        """Cumulative shares of the departments asked for an opinion, by procedure."""
        number = {name: i for i, name in enumerate(self.units["id"])}
        table = np.zeros((len(self.procedures), len(number)))
        for row, text in enumerate(self.procedures["agencies"]):
            for pair in filter(None, text.split(";")):
                agency, weight = pair.split(":")
                table[row, number[agency]] = float(weight)
        return shares(table)

    @cached_property
    def first_officer(self) -> Ints:
        """Number of each unit's first officer in the city's list of officers."""
        officers = self.units["officers"].to_numpy(dtype=np.int64)
        first: Ints = np.cumsum(officers) - officers + 1
        return first

    def field_numbers(self, names: list[str]) -> Ints:
        """Positions of the named fields."""
        order = {name: i for i, name in enumerate(self.fields["id"])}
        return np.array([order[name] for name in names], dtype=np.int64)


def load_city(seed: int) -> City:
    """The city of ``facts/sample/``; the seed decides how fast each office is.

    >>> city = load_city(2026)
    >>> city.units["kind"].value_counts()[["department", "ward"]].tolist()
    [19, 168]
    """
    city, truths = settings("city"), settings("truths")
    wards = _numbers("wards", "population villages volume officers")
    for planted in ("slow_unit", "decoy_unit"):
        wards.loc[wards["code"] == str(truths.whole(f"{planted}.ward")), "volume"] = truths.number(f"{planted}.volume")
    fields = _numbers("fields", "utilisation rural online supplement")
    units = _units(city, wards)
    procedures = _numbers("procedures", "legal_days volume business consult site fee")
    procedures["field_index"] = procedures["field"].map({name: i for i, name in enumerate(fields["id"])})
    department = {name: i for i, name in enumerate(units["id"])} | {"": -1}
    procedures["department_index"] = procedures["department"].map(department).astype(np.int64)
    units["speed"] = _speeds(units, seed=seed, city=city, truths=truths)
    steps = _numbers("steps", "share minutes spread status seq")
    return City(
        settings=city, truths=truths, units=units, wards=wards, fields=fields, procedures=procedures, steps=steps
    )


def _numbers(name: str, columns: str) -> pd.DataFrame:
    table = read_table(f"sample/{name}.csv")
    return table.assign(**{column: pd.to_numeric(table[column]) for column in columns.split()})


def _units(city: Settings, wards: pd.DataFrame) -> pd.DataFrame:
    prefix = city.text("prefix")
    departments = _numbers("departments", "officers").assign(kind="department")
    departments["code"] = prefix + "." + departments["code"]
    now = wards[["name", "officers"]].assign(id="", kind="ward", code=prefix + "." + wards["code"])
    names = wards["district"].drop_duplicates().to_list()
    districts = pd.DataFrame({"name": names, "officers": 24, "id": "", "kind": "district"})
    districts["code"] = [f"{prefix}.{20 + i}" for i in range(len(names))]
    old = wards[["district", "before"]].assign(before=wards["before"].str.split(";")).explode("before")
    serial = old.groupby("district").cumcount() + 1
    codes = old["district"].map(dict(zip(names, districts["code"], strict=True))) + serial.map(".{:02d}".format)
    earlier = pd.DataFrame({"name": old["before"] + ", " + old["district"], "officers": 4, "id": "", "code": codes})
    tax = pd.DataFrame({"name": [city.text("tax")], "officers": 20, "id": "tax", "code": "T01", "kind": "tax"})
    parts = [departments, now, districts, earlier.assign(kind="ward_before"), tax]
    return pd.concat(parts, ignore_index=True)[["id", "code", "name", "kind", "officers"]]


def _speeds(units: pd.DataFrame, *, seed: int, city: Settings, truths: Settings) -> Floats:
    rng = stream(seed, _CITY_STREAM)
    spread = {"ward": city.number("units.ward_spread"), "department": city.number("units.department_spread")}
    sigma = np.array([spread.get(kind, 0.0) for kind in units["kind"]])
    speed = lognormal(rng, sigma, shape=len(units))
    code = city.text("prefix") + "."
    speed[units["code"] == f"{code}{truths.whole('slow_unit.ward')}"] = truths.number("slow_unit.factor")
    speed[units["code"] == f"{code}{truths.whole('decoy_unit.ward')}"] = 1.0
    return speed


def crosswalk(city: City) -> pd.DataFrame:
    """Which offices of before the merger became which of after it.

    Returns
    -------
    ``MaDonViCu, TenDonViCu, CapCu, MaDonViMoi, TenDonViMoi, TyLe, NgayHieuLuc``: a ward of before has one successor; a
    district hands its work to each of its wards, ``TyLe`` being the ward's share of the population.
    """
    wards, units = city.wards, city.units
    first, count = city.before
    new = np.repeat(np.arange(len(wards)), count)
    old = first[new] + np.concatenate([np.arange(n) for n in count])
    share = wards["population"] / wards.groupby("district")["population"].transform("sum")
    pairs = pd.DataFrame({
        "old": np.concatenate([old, city.district_of]),
        "new": np.concatenate([new, np.arange(len(wards))]) + city.first_ward,
        "TyLe": np.concatenate([np.ones(len(old)), share.round(4)]),
    }).sort_values(["old", "new"], ignore_index=True)  # fmt: skip
    before, after = (units.loc[pairs[side]].reset_index(drop=True) for side in ("old", "new"))
    return pd.DataFrame({
        "MaDonViCu": before["code"], "TenDonViCu": before["name"],
        "CapCu": before["kind"].map({"district": "HUYEN", "ward_before": "XA"}),
        "MaDonViMoi": after["code"], "TenDonViMoi": after["name"], "TyLe": pairs["TyLe"],
        "NgayHieuLuc": city.settings.day("merger").strftime("%Y%m%d"),
    })  # fmt: skip
