"""Whether the dossier records can be trusted: signs of manufactured, broken or back-dated entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.gate import Gate, check_rows, check_table, count_checks, gate
from khaosat.dossiers.result import DossierResult
from khaosat.facts import read_table, term
from khaosat.facts.language import current_language, say
from khaosat.show.table import Column, Table, make_table
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class DossierQuality(DossierResult):
    """Checks of the records: ``check, table, numerator, denominator, estimate, label, examples``.

    ``table`` is ``ingest`` for faults found on reading; their denominator is what was read, where that is known.
    ``examples`` are places in the source (file and row) of the first and the last such record, without personal data.

    Parameters
    ----------
    gate
        Whether output by officer may be shown; other verbs ask it.
    """

    gate: Gate

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""

    @property
    def keys(self) -> list[str]:
        """What was checked."""
        return ["label"]

    @property
    def passed(self) -> bool:
        """Whether the gate is open: no check lies above its limit."""
        return self.gate.passed

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share of records with each sign, the most frequent on top."""
        from khaosat.show.plots import intervals

        rows = self.rows[self.rows["numerator"] > 0].dropna(subset=["estimate"])
        rows = rows.sort_values("estimate", ascending=False, kind="stable")[["label", "estimate"]]
        ax = intervals(rows, keys=["label"], unit="share", ax=ax)
        ax.set_xlabel(say("Share of records (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return check_columns()

    def examples(self) -> Table:
        """Where the first and the last record with each sign stand in the source: file and row."""
        rows = self.rows[self.rows["examples"] != ""]
        columns = [Column(name="label", label=say("Check")), Column(name="numerator", kind="int", label=say("Found")),
                   Column(name="examples")]  # fmt: skip
        return make_table(rows, columns, title=say("Examples of the signs"), notes=(), source=self.source)


def check_columns() -> list[Column]:
    """How checks of data are laid out, those of answers too."""
    return [
        Column(name="label", label=say("Check")),
        Column(name="numerator", kind="int", label=say("Found")),
        Column(name="denominator", kind="int", label=say("Of")),
        Column(name="estimate", kind="percent", decimals=1, label=say("Share")),
    ]


def dossier_quality(log: DossierLog, *, limits: Mapping[str, float] | None = None) -> DossierQuality:
    """Signs that dossiers were closed in batches, back-dated, left without dates, or do not fit their steps.

    Parameters
    ----------
    log
        The dossiers; checks of tables that the source does not have are left out.
    limits
        Shares above which a check blocks output by officer, in place of those of ``facts/rules/quality_gate.csv``.

    Returns
    -------
    DossierQuality
        One row a check and one a code of fault found on reading; ``gate`` and ``passed`` say what is blocked.

    Notes
    -----
    A sign is no proof: a weekend close may be real work. ``facts/rules/quality_checks.csv`` says what each check looks
    for and which behaviour of one-stop software it comes from.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> rows = dossier_quality(example_log()).rows
    >>> rows.loc[rows["check"] == "no_deadline", ["numerator", "denominator"]].values.tolist()
    [[0.0, 5.0]]
    """
    found: dict[str, object] = {}
    for table in check_table(log)["table"].unique():
        found |= count_checks(log, str(table))
    checks = check_rows(log, found)
    asked = gate(checks, limits=limits)
    rows = pd.concat([checks, _fault_rows(log)], ignore_index=True)
    notes = [say("A sign is no proof: look at the records before you judge an office by it."), *asked.words()]
    absent = sorted({"steps", "supplements", "appointments"} - log.tables)
    if absent:
        notes.append(
            say("The source has no table of: {tables}.", tables=", ".join(term(table).lower() for table in absent))
        )
    return DossierQuality(
        rows=rows, gate=asked, title=say("Quality of the dossier records"), notes=tuple(notes), source=log.source
    )


def _fault_rows(log: DossierLog) -> pd.DataFrame:
    """Faults found on reading, by code: as counted then, since the log's frame holds only the first of very many."""
    table = read_table("codes/faults.csv")
    labels = dict(zip(table["fault"], table[f"label_{current_language()}"], strict=True))
    found = {str(code): int(count) for code, count in log.faults["fault"].value_counts(sort=False).items()}
    found |= {name.removeprefix("fault_"): count for name, count in log.counts.items() if name.startswith("fault_")}
    codes = sorted(found)
    rows = pd.DataFrame({
        "check": codes,
        "table": "ingest",
        "numerator": pd.array([found[code] for code in codes], dtype="int64"),
        "denominator": float(log.counts.get("read", np.nan)),
        "label": [say("On reading: {fault}", fault=labels[code].lower()) for code in codes],
        "examples": "",
    })  # fmt: skip
    rows.insert(4, "estimate", share(rows["numerator"], rows["denominator"]))
    return rows
