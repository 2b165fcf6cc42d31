"""Cells of dossiers alike in all that is known of them, and their levels coded for a model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.dossiers.window import Window
from khaosat.engine.query import Deadline, ask
from khaosat.facts import read_table

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FACTORS = ("procedure", "field", "channel", "applicant_type", "responsible_unit", "workload", "season", "supplements",
           "consultations")  # fmt: skip
"""What is known of a dossier."""
FEWEST = 5
"""A level needs so many late dossiers and so many in time; others are pooled."""
OTHER = "other"
MISSING = ""
TET_BEFORE, TET_AFTER = 15, 7
"""Days around the holiday of Tết that count as its season: reception before its first and after its last day off."""
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "workload": ("normal",), "season": ("ordinary",), "supplements": ("0",),
    "consultations": ("0",),
}  # fmt: skip
_ORDERED: Mapping[str, tuple[str, ...]] = {"workload": ("low", "normal", "high", "very_high")}


@dataclass(frozen=True, eq=False, kw_only=True)
class Factor:
    """Levels of one thing known of dossiers; the first is the reference.

    Parameters
    ----------
    name
        Column.
    levels
        Codes of the source, :data:`OTHER` for pooled ones, :data:`MISSING` for none recorded.
    code
        Level of each cell.
    pooled
        How many levels were pooled.
    """

    name: str
    levels: tuple[str, ...]
    code: Codes
    pooled: int


def driver_cells(
    log: DossierLog, span: Window, *, deadline: Deadline, procedures: int
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Counts by cell, the most frequent procedures apart, and the names of these."""
    top = ask(log.engine, "procedures", start=span.start, finish=span.finish, top=procedures)
    cells = ask(
        log.engine, "lateness_cells", deadline=deadline, ended=ENDED, start=span.start, finish=span.finish,
        known=span.known, as_of=span.as_of,
        # An empty list of SQL literals would be no list.
        procedures=[*top["procedure"].astype(str), ""], tet=tet_days(),
        names=list(read_table("codes/consultation_steps.csv")["name"].str.strip().str.lower()),
    )  # fmt: skip
    names = {str(code): str(code) if pd.isna(name) else str(name)
             for code, name in zip(top["procedure"], top["procedure_name"], strict=True)}  # fmt: skip
    return cells, names


def tet_days() -> list[dt.datetime]:
    """Days of the season of Tết of all years whose days off are known, from the dated table of days off.

    >>> dt.datetime(2026, 2, 2) in tet_days(), dt.datetime(2026, 3, 2) in tet_days()
    (True, False)
    """
    table = read_table("calendars/vn.csv")
    off = pd.to_datetime(table.loc[table["name_en"] == "Tết holiday", "day"])
    days: list[dt.datetime] = []
    for _, year in off.groupby(off.dt.year):
        first, last = year.min() - pd.Timedelta(days=TET_BEFORE), year.max() + pd.Timedelta(days=TET_AFTER)
        days += [day.to_pydatetime() for day in pd.date_range(first, last)]
    return days


def coded(cells: pd.DataFrame, names: Sequence[str], *, units: int) -> list[Factor]:
    """The factors that have two levels or more with enough dossiers of either kind."""
    found = [_factor(cells, name, units=units) for name in names]
    return [factor for factor in found if len(factor.levels) > 1]


def model_matrix(factors: Sequence[Factor]) -> tuple[Floats, list[list[int]]]:
    """A constant and a column for each level but the first; where the columns of each level stand, -1 for none."""
    columns, places = [np.ones(len(factors[0].code))], []
    for factor in factors:
        first = len(columns)
        columns += [(factor.code == level).astype(float) for level in range(1, len(factor.levels))]
        places.append([-1, *range(first, len(columns))])
    return np.column_stack(columns), places


def _factor(cells: pd.DataFrame, name: str, *, units: int) -> Factor:
    text = cells[name].astype("string").fillna(MISSING).astype(str)
    if name == "procedure":
        text = text.where(text != "", OTHER)
    if name == "responsible_unit":
        largest = cells.groupby(text)["n"].sum().nlargest(units).index
        text = text.where(text.isin(largest), OTHER)
    sums = cells.assign(on_time=cells["n"] - cells["late"]).groupby(text)[["n", "late", "on_time"]].sum()
    sparse = sums.index[(sums["late"] < FEWEST) | (sums["on_time"] < FEWEST)]
    n_pooled = len(sparse)
    if n_pooled:
        text = text.where(~text.isin(sparse), OTHER)
        sums = cells.assign(on_time=cells["n"] - cells["late"]).groupby(text)[["n", "late", "on_time"]].sum()
    reference = next((level for level in _REFERENCES.get(name, ()) if level in sums.index), "")
    if not reference:  # the most frequent; of units, all others together may be it
        named = sums if name == "responsible_unit" or len(sums) < 2 else sums.drop(index=OTHER, errors="ignore")
        reference = str(named["n"].idxmax())
    if OTHER in sums.index and reference != OTHER and sums.loc[OTHER, ["late", "on_time"]].min() < FEWEST:
        # All rare levels together are still too few to have an effect of their own.
        text = text.where(text != OTHER, reference)
        sums = sums.drop(index=OTHER)
    rest = [level for level in _ORDERED.get(name, sorted(sums.index)) if level in sums.index]
    rest = [level for level in rest if level not in (reference, OTHER)]
    levels = (reference, *rest, *([OTHER] if OTHER in sums.index and reference != OTHER else []))
    return Factor(
        name=name, levels=levels, code=pd.Index(levels).get_indexer(pd.Index(text)).astype(np.intp), pooled=n_pooled
    )  # fmt: skip
