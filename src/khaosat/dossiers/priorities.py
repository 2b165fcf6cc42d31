"""What the committee reads of the bottlenecks: the first few, with their evidence and who must act."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.attribution import Bottlenecks, Reference, bottlenecks, part_words
from khaosat.dossiers.step_result import StepResult
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.errors import KhaosatError
from khaosat.facts import privacy_threshold
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column

_OFFICE_PARTS = ("waiting", "handover", "handling")
_KEYS = ["step", "unit"]


@dataclass(frozen=True, eq=False, kw_only=True)
class BottleneckFindings(StepResult):
    """The first bottlenecks: ``rank, unit`` (who must act), ``step, estimate, low, high, share, n, late,
    overrun_hours, part`` (what most of the overrun is), ``part_hours, procedure_name, procedure_late`` (the procedure
    with most of the avoidable late dossiers, and how many), ``sentence``.
    """

    @property
    def keys(self) -> list[str]:
        """What names a finding."""
        return ["rank", "unit", "step"]

    @property
    def sentences(self) -> list[str]:
        """One sentence a finding, in order."""
        return list(self.rows["sentence"])

    def worded(self) -> pd.DataFrame:
        """The rows with the part in words."""
        rows = super().worded()
        return rows.assign(part=[part_words(part) for part in rows["part"]])

    def _columns(self) -> Sequence[Column]:
        avoidable = say("Avoidable late dossiers")
        return [
            Column(name="rank", kind="int"),
            Column(name="unit", label=say("Who must act")),
            Column(name="step"),
            Column(name="estimate", kind="int", group=avoidable, label=say("Number")),
            Column(name=("low", "high"), kind="interval", group=avoidable,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="share", kind="percent", decimals=1, group=avoidable, label=say("Of all late")),
            Column(name="part", label=say("Most of the overrun")),
            Column(name="procedure_name", label=say("Procedure most affected")),
        ]  # fmt: skip


def bottleneck_findings(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    top: int = 5,
    reference: Reference = "legal",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> BottleneckFindings:
    """The bottlenecks that cost most late dossiers: step and unit, evidence, and who must act, ready for a report.

    Parameters
    ----------
    log, period, reference, deadline, level
        As in :func:`khaosat.dossiers.bottlenecks`.
    top
        At most so many; pairs of step and unit that make no dossier late, or have too few to be published, are left
        out.

    Returns
    -------
    BottleneckFindings
        One row a finding, the gravest first; ``sentences`` for the text.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> bottleneck_findings(example_steps()).rows.empty
    True
    """
    if top < 1:
        raise KhaosatError(f"top is {top}: name at least one bottleneck")
    found = bottlenecks(log, period=period, by=_KEYS, reference=reference, deadline=deadline, level=level)
    detail = bottlenecks(log, period=period, by=[*_KEYS, "procedure_name"], reference=reference, deadline=deadline)
    rows = found.rows[(found.rows["estimate"] > 0) & (found.rows["n"] >= privacy_threshold("dossiers"))].dropna(
        subset=_KEYS
    )
    rows = rows.head(top).reset_index(drop=True)
    rows = rows.assign(rank=rows.index + 1, **_part(rows), **_procedure(rows, detail))
    rows["sentence"] = [_sentence(row) for row in rows.to_dict("records")]
    names = ["rank", "unit", "step", "estimate", "low", "high", "share", "n", "late", "overrun_hours", "part",
             "part_hours", "procedure_name", "procedure_late", "sentence"]  # fmt: skip
    return BottleneckFindings(
        rows=rows[names], level=level, unit="count", notes=found.notes, source=found.source,
        title=say("Bottlenecks to be removed first, {period}", period=window(log, period).label),
    )  # fmt: skip


def _part(rows: pd.DataFrame) -> dict[str, pd.Series]:
    hours = rows[[f"{part}_hours" for part in _OFFICE_PARTS]].set_axis(list(_OFFICE_PARTS), axis=1)
    return {"part": hours.idxmax(axis=1) if len(hours) else pd.Series(dtype=object), "part_hours": hours.max(axis=1)}


def _procedure(rows: pd.DataFrame, detail: Bottlenecks) -> dict[str, pd.Series]:
    """Of each row, the procedure with most of its avoidable dossiers, and how many they are."""
    first = detail.rows.dropna(subset=["procedure_name"]).drop_duplicates(_KEYS)
    joined = rows[_KEYS].merge(first, on=_KEYS, how="left")
    return {"procedure_name": joined["procedure_name"], "procedure_late": joined["estimate"].fillna(0).astype("int64")}


def _sentence(row: Mapping[Hashable, Any]) -> str:
    values = {
        "rank": int(row["rank"]), "step": row["step"], "unit": row["unit"], "n": int(row["estimate"]),
        "low": number(row["low"]), "high": number(row["high"]), "share": percent(row["share"], 1),
        "hours": number(row["part_hours"]), "part": part_words(str(row["part"])).lower(),
        "procedure": row["procedure_name"], "most": int(row["procedure_late"]),
    }  # fmt: skip
    if row["procedure_late"] < privacy_threshold("dossiers"):  # too few to be counted in public
        return say("{rank}. “{step}” at {unit}: {n} late dossiers ({low}–{high}; {share} of all late ones) would "
                   "have been on time had the step kept to its time; {part} alone is {hours} working hours over.",
                   **values)  # fmt: skip
    return say("{rank}. “{step}” at {unit}: {n} late dossiers ({low}–{high}; {share} of all late ones) would have "
               "been on time had the step kept to its time; {part} alone is {hours} working hours over; most "
               "affected is “{procedure}” ({most} dossiers).", **values)  # fmt: skip
