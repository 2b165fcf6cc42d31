"""Whether the dossier records can be trusted: signs of manufactured, broken or back-dated entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.dossiers.result import DossierResult
from khaosat.engine.query import ask
from khaosat.facts import read_table, term
from khaosat.facts.language import current_language, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BATCH = 3
"""So many closes of one unit within one second are no longer a coincidence."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DossierQuality(DossierResult):
    """Checks of the records: ``check, table, numerator, denominator, estimate, label``.

    ``table`` is ``ingest`` for faults found on reading; their denominator is what was read, where that is known.
    """

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""

    @property
    def keys(self) -> list[str]:
        """What was checked."""
        return ["label"]

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


def check_columns() -> list[Column]:
    """How checks of data are laid out, those of answers too."""
    return [
        Column(name="label", label=say("Check")),
        Column(name="numerator", kind="int", label=say("Found")),
        Column(name="denominator", kind="int", label=say("Of")),
        Column(name="estimate", kind="percent", decimals=1, label=say("Share")),
    ]


def dossier_quality(log: DossierLog) -> DossierQuality:
    """Signs that dossiers were closed in batches, back-dated, left without dates, or do not fit their steps.

    Parameters
    ----------
    log
        The dossiers; checks of tables that the source does not have are left out.

    Returns
    -------
    DossierQuality
        One row a check and one a code of fault found on reading.

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
    checks = read_table("rules/quality_checks.csv")
    checks = checks[checks["table"].isin(log.tables)]
    found: dict[str, int] = {}
    for table in checks["table"].unique():
        found |= _counts(log, table)
    rows = pd.DataFrame({
        "check": checks["id"].to_list(),
        "table": checks["table"].to_list(),
        "numerator": [found[check] for check in checks["id"]],
        "denominator": [float(found[f"{check}_of"]) for check in checks["id"]],
        "label": checks[f"label_{current_language()}"].to_list(),
    })  # fmt: skip
    rows = pd.concat([rows, _fault_rows(log)], ignore_index=True)
    rows.insert(4, "estimate", share(rows["numerator"], rows["denominator"]))
    notes = [say("A sign is no proof: look at the records before you judge an office by it.")]
    absent = sorted({"steps", "supplements", "appointments"} - log.tables)
    if absent:
        notes.append(
            say("The source has no table of: {tables}.", tables=", ".join(term(table).lower() for table in absent))
        )
    return DossierQuality(rows=rows, title=say("Quality of the dossier records"), notes=tuple(notes), source=log.source)


def placeholder_officers() -> list[str]:
    """Names that one-stop software writes where it knows no person, in lower case.

    >>> placeholder_officers()[0]
    'chuyên viên'
    """
    return [name.lower() for name in read_table("codes/placeholder_officers.csv")["name"]]


def _counts(log: DossierLog, table: str) -> dict[str, int]:
    match table:
        case "dossiers":
            frame = ask(log.engine, "quality_dossiers", ended=ENDED, batch=BATCH)
        case "steps":
            frame = ask(log.engine, "quality_steps", placeholders=placeholder_officers())
        case _:
            frame = ask(log.engine, f"quality_{table}")
    return {str(name): int(value) for name, value in frame.iloc[0].items()}


def _fault_rows(log: DossierLog) -> pd.DataFrame:
    """Faults found on reading, by code: as counted then, since the log's frame holds only the first of very many."""
    table = read_table("codes/faults.csv")
    labels = dict(zip(table["fault"], table[f"label_{current_language()}"], strict=True))
    found = {str(code): int(count) for code, count in log.faults["fault"].value_counts(sort=False).items()}
    found |= {name.removeprefix("fault_"): count for name, count in log.counts.items() if name.startswith("fault_")}
    codes = sorted(found)
    return pd.DataFrame({
        "check": codes,
        "table": "ingest",
        "numerator": pd.array([found[code] for code in codes], dtype="int64"),
        "denominator": float(log.counts.get("read", np.nan)),
        "label": [say("On reading: {fault}", fault=labels[code].lower()) for code in codes],
    })  # fmt: skip
