"""What a procedure costs people: time, papers, visits, fees, before and after simplification, against the goal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import number, percent, say
from khaosat.io.cost_file import CostSheet, read_cost_sheet
from khaosat.results import Result
from khaosat.scorecards.rules import exact, rule_set, source_words
from khaosat.scorecards.targets import light_words, verdict
from khaosat.show.table import Column, Table, make_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL = "total"
STAGES = ("before", "after")
MEASURES = ("hours", "papers", "visits", "fee", "cost")
_NUMBERS = ("hours", "papers", "visits", "fee", "other_cost", "frequency", "applicants")


@dataclass(frozen=True, eq=False, kw_only=True)
class ComplianceCost(Result):
    """Cost of procedures: ``procedure, measure, basis, before, after, difference, reduction, target, light``.

    ``measure`` is ``hours, papers, visits, fee`` (VND) or ``cost`` (VND a year); ``basis`` is ``case`` (one case of a
    procedure) or ``year``. The rows named ``total`` are all procedures over a year. ``reduction`` is a share; only the
    yearly cost has a ``target`` and a ``light``.
    """

    @property
    def keys(self) -> list[str]:
        """Procedure and measure."""
        return ["procedure", "measure"]

    def table(self) -> Table:
        """Before and after, in words."""
        return make_table(self.worded(), self._columns(), title=self.title, notes=self.notes, source=self.source)

    def worded(self) -> pd.DataFrame:
        """The rows with measures and verdicts in words."""
        names = {"hours": say("Hours"), "papers": say("Papers"), "visits": say("Visits"), "fee": say("Fees (VND)"),
                 "cost": say("Compliance cost (VND)")}  # fmt: skip
        bases = {"case": say("a case"), "year": say("a year")}
        rows = self.rows.copy()
        rows["procedure"] = rows["procedure"].replace(TOTAL, say("All procedures"))
        return rows.assign(measure=rows["measure"].map(names), basis=rows["basis"].map(bases),
                           light=rows["light"].map({**light_words(), "": ""}))  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """How much of the yearly cost is left, a bar a procedure, with the verdict in words."""
        from khaosat.show.score_bars import word_bars

        rows = self.worded()[(self.rows["measure"] == "cost").to_numpy()].dropna(subset=["reduction"])
        return word_bars(list(rows["procedure"]), values=100 * rows["reduction"].to_numpy(float),
                         words=list(rows["light"]), axis=say("Cut of the yearly cost (%)"), ax=ax)  # fmt: skip

    def _columns(self) -> Sequence[Column]:
        values = self.rows[["before", "after"]].to_numpy(float)
        decimals = 0 if (values == values.round()).all(where=~pd.isna(values)) else 1
        return [
            Column(name="procedure", label=say("Procedure")),
            Column(name="measure", label=say("Cost item")),
            Column(name="basis", label=say("For")),
            Column(name="before", kind="number", decimals=decimals, label=say("Before")),
            Column(name="after", kind="number", decimals=decimals, label=say("After")),
            Column(name="difference", kind="number", decimals=decimals),
            Column(name="reduction", kind="percent", decimals=1),
            Column(name="light", label=say("Verdict")),
        ]


def compliance_cost(
    work: str | Path | pd.DataFrame, *, income_per_hour: float | None = None, goal: float | None = None
) -> ComplianceCost:
    """What procedures cost people before and after simplification, held against the goal for the cut.

    ``cost = sum over activities of (hours * income_per_hour + fee + other_cost) * frequency * applicants``.

    Parameters
    ----------
    work
        A workbook made from :func:`khaosat.write_cost_template`, or its rows: ``procedure, stage`` (``before`` or
        ``after``), ``activity, hours, papers, visits, fee, other_cost, frequency, applicants``.
    income_per_hour
        Mean income of a person in an hour of work, VND; goes before the workbook's. Without it there is no cost.
    goal
        Share by which the yearly cost is to be cut; by default that of ``facts/rules/targets.csv``.

    Returns
    -------
    ComplianceCost
        ``procedure, measure, basis, before, after, difference, reduction, target, light``.

    Notes
    -----
    An empty number is 0, an empty frequency 1; empty applicants leave the yearly cost without data.

    References
    ----------
    Công văn 28/CCTTHC (2010); Thông tư 03/2022/TT-BTP; method: ``docs/methods/chi-phi-tuan-thu.md``.

    Examples
    --------
    >>> work = pd.DataFrame({"procedure": ["Khai sinh"] * 2, "stage": ["before", "after"], "hours": [4, 3],
    ...                      "fee": [10000, 10000], "applicants": [1000, 1000]})
    >>> rows = compliance_cost(work, income_per_hour=50000).rows
    >>> rows[rows["measure"] == "cost"][["procedure", "before", "after", "light"]].values.tolist()
    [['Khai sinh', 210000000.0, 160000000.0, 'met'], ['total', 210000000.0, 160000000.0, 'met']]
    """
    sheet = CostSheet(rows=work, income_per_hour=None) if isinstance(work, pd.DataFrame) else read_cost_sheet(work)
    rows = _checked(sheet.rows)
    income = sheet.income_per_hour if income_per_hour is None else income_per_hour
    if income is not None and not (math.isfinite(income) and income > 0):
        raise DataError(say("The income per hour must be above 0, not {value}.", value=repr(income)))
    target = _goal() if goal is None else (exact(goal) or Fraction(0))
    per_year = _per_year(rows, income)
    lines = [
        _line(name, measure, basis, table, target)
        for name, measure, basis, table in _tables(rows, per_year)
    ]  # fmt: skip
    columns = ["procedure", "measure", "basis", "before", "after", "difference", "reduction", "target", "light"]
    return ComplianceCost(
        rows=pd.DataFrame(lines, columns=columns), unit="count", title=say("Compliance cost of procedures"),
        notes=_notes(rows, per_year, income, target),
        source="" if isinstance(work, pd.DataFrame) else say("Source: {files}.", files=Path(work).name),
    )  # fmt: skip


def _checked(given: pd.DataFrame) -> pd.DataFrame:
    """The rows with numbers as numbers; every fault at once, by line."""
    lacking = [name for name in ("procedure", "stage") if name not in given]
    if lacking:
        raise DataError(say("The frame lacks the columns {columns}.", columns=", ".join(lacking)))
    rows = given.reset_index(drop=True).reindex(columns=["procedure", "stage", *_NUMBERS]).copy()
    lines = given["row"].to_numpy() if "row" in given else range(1, len(given) + 1)
    words = {say("before"): "before", say("after"): "after", **{stage: stage for stage in STAGES}}
    rows["stage"] = [words.get(str(text).strip().casefold(), "") for text in rows["stage"]]
    rows["procedure"] = ["" if pd.isna(name) else str(name).strip() for name in given["procedure"]]
    numbers = rows[list(_NUMBERS)].apply(pd.to_numeric, errors="coerce")
    wrong = (numbers.isna() & rows[list(_NUMBERS)].notna()) | (numbers < 0) | (numbers == math.inf)
    faults = []
    for place, line in enumerate(lines):
        if not rows["procedure"].iloc[place]:
            faults.append(say("Line {line} names no procedure.", line=str(line)))
        if not rows["stage"].iloc[place]:
            faults.append(say("Line {line}: the stage is neither before nor after simplification.", line=str(line)))
        for name in wrong.columns[wrong.iloc[place]]:
            message = "Line {line}, {column}: {value} is not a number of at least 0."
            faults.append(say(message, line=str(line), column=name, value=repr(rows[name].iloc[place])))
    if faults:
        raise DataError("\n".join(faults))
    numbers = numbers.astype("float64")
    empty = {name: 0.0 for name in _NUMBERS if name not in ("frequency", "applicants")} | {"frequency": 1.0}
    return rows.assign(**numbers.fillna(empty))


def _per_year(rows: pd.DataFrame, income: float | None) -> pd.DataFrame:
    """The rows with each measure over a year; the cost is unknown without the income of an hour."""
    times = rows["frequency"] * rows["applicants"]
    paid = rows["fee"] + rows["other_cost"]
    # without any hour the income does not matter
    worked = rows["hours"] * income if income is not None else rows["hours"].where(rows["hours"] == 0)
    yearly = {name: rows[name] * times for name in ("hours", "papers", "visits", "fee")}
    return rows[["procedure", "stage"]].assign(**yearly, cost=(worked + paid) * times)


def _tables(rows: pd.DataFrame, per_year: pd.DataFrame) -> list[tuple[str, str, str, pd.Series]]:
    """For each procedure and measure, and for all, the sums by stage; a sum with an unknown part is unknown."""
    found = []
    for name in dict.fromkeys(rows["procedure"]):
        case, year = rows[rows["procedure"] == name], per_year[per_year["procedure"] == name]
        for measure in MEASURES:
            part, basis = (year, "year") if measure == "cost" else (case, "case")
            found.append((name, measure, basis, _sums(part, measure)))
    both = {name for name in dict.fromkeys(rows["procedure"]) if set(_stages(rows, name)) == set(STAGES)}
    whole = per_year[per_year["procedure"].isin(both)]  # a procedure with one stage cannot be compared
    return found + [(TOTAL, measure, "year", _sums(whole, measure)) for measure in MEASURES]


def _stages(rows: pd.DataFrame, procedure: str) -> list[str]:
    return cast(list[str], rows.loc[rows["procedure"] == procedure, "stage"].unique().tolist())


def _sums(part: pd.DataFrame, measure: str) -> pd.Series:
    return part.groupby("stage")[measure].agg(lambda values: values.sum(skipna=False)).reindex(STAGES)


def _line(procedure: str, measure: str, basis: str, sums: pd.Series, target: Fraction) -> dict[str, object]:
    before, after = float(sums["before"]), float(sums["after"])
    reduction = (before - after) / before if before > 0 else float("nan")
    known = not math.isnan(reduction)
    held = measure == "cost"
    value = None if not known else 1 - Fraction(after) / Fraction(before)
    return {
        "procedure": procedure, "measure": measure, "basis": basis, "before": before, "after": after,
        "difference": after - before, "reduction": reduction, "target": float(target) if held else float("nan"),
        "light": verdict(value, target, comparison=">=", near=0.0) if held else "",
    }  # fmt: skip


def _goal() -> Fraction:
    settings, table = rule_set("compliance_cost"), read_table("rules/targets.csv")
    row = table[(table["set"] == settings["target_set"]) & (table["indicator"] == settings["target_indicator"])].iloc[0]
    return exact(row["value"]) or Fraction(0)


def _notes(rows: pd.DataFrame, per_year: pd.DataFrame, income: float | None, target: Fraction) -> tuple[str, ...]:
    settings = rule_set("compliance_cost")
    notes = [say("Yearly cost = (hours × income per hour + fees + other cost) × times a year × applicants a year."),
             say("Goal: the yearly cost cut by at least {share}.", share=percent(float(target), 0))]  # fmt: skip
    if income is not None:
        notes.append(say("Income per hour: {value} VND.", value=number(income)))
    elif per_year["cost"].isna().any():
        notes.append(say("The income per hour is not given: no cost where work takes time."))
    if rows["applicants"].isna().any():
        notes.append(say("Applicants a year are not given for some activities: no yearly figures there."))
    single = [name for name in dict.fromkeys(rows["procedure"]) if len(_stages(rows, name)) < len(STAGES)]
    if single:
        notes.append(say("Only one stage is described, so these are in no total: {list}.", list=", ".join(single)))
    return (*notes, source_words(source=str(settings["source"]), since=settings["valid_from"],
                                 grade=str(settings["grade"])))  # fmt: skip
