"""The quality gate: whether the records are good enough to say anything of single officers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.engine.query import ask
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import current_language, percent, say
from khaosat.stats.binomial import share

BATCH = 3
"""So many closes of one unit within one second are no longer a coincidence."""
LAST_MINUTES = 120
"""Worked minutes before the deadline that count as its last."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gate:
    """Which checks stand in the way of output by officer.

    Parameters
    ----------
    rows
        ``check, label, numerator, denominator, estimate, limit, grade`` (of the evidence for the limit; empty: one's
        own), ``passed``; a check with nothing to look at passes.
    """

    rows: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether output by officer may be shown."""
        return bool(self.rows["passed"].all())

    def words(self) -> list[str]:
        """What is blocked and why; nothing if the gate is open."""
        return [
            say(
                "Output by officer is blocked: {label}: {share} of {n}, above the limit of {limit} ({origin}).",
                label=row["label"], share=percent(row["estimate"], 2), n=int(row["denominator"]),
                limit=percent(row["limit"], 2),
                origin=say("default, evidence grade {grade}", grade=row["grade"]) if row["grade"] else say("own limit"),
            )
            for row in self.rows[~self.rows["passed"]].to_dict("records")
        ]  # fmt: skip


def officers_gate(log: DossierLog, *, limits: Mapping[str, float] | None = None) -> Gate:
    """Ask the checks of the gate alone; for verbs that name officers.

    Parameters
    ----------
    log
        The dossiers.
    limits
        One's own limits, by check; the others are those of ``facts/rules/quality_gate.csv``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> officers_gate(example_log()).passed
    True
    """
    wanted = set(read_table("rules/quality_gate.csv")["id"])
    checks = check_table(log)
    found: dict[str, object] = {}
    for table in checks.loc[checks["id"].isin(wanted), "table"].unique():
        found |= count_checks(log, str(table))
    return gate(check_rows(log, found, only=wanted), limits=limits)


def gate(rows: pd.DataFrame, *, limits: Mapping[str, float] | None = None) -> Gate:
    """The gate over rows of checks: ``check, label, numerator, denominator, estimate``."""
    table = read_table("rules/quality_gate.csv")
    unknown = sorted(set(limits or {}) - set(table["id"]))
    if unknown:
        raise KhaosatError(f"no limit can be set for {', '.join(unknown)}: one of {', '.join(table['id'])}")
    table = table.assign(limit=table["limit"].astype(float), check=table["id"])
    table["limit"] = table["check"].map(dict(limits or {})).astype(float).fillna(table["limit"])
    table.loc[table["check"].isin(list(limits or {})), "grade"] = ""
    asked = rows[["check", "label", "numerator", "denominator", "estimate"]].merge(
        table[["check", "limit", "grade"]], on="check"
    )
    asked["passed"] = ~(asked["estimate"] > asked["limit"])
    return Gate(rows=asked)


def check_table(log: DossierLog) -> pd.DataFrame:
    """The checks whose table the log has."""
    checks = read_table("rules/quality_checks.csv")
    return checks[checks["table"].isin(log.tables)]


def check_rows(log: DossierLog, found: Mapping[str, object], *, only: set[str] | None = None) -> pd.DataFrame:
    """``check, table, numerator, denominator, estimate, label, examples`` of counts from :func:`count_checks`."""
    checks = check_table(log)
    if only is not None:
        checks = checks[checks["id"].isin(only)]
    ids = list(checks["id"])
    rows = pd.DataFrame({
        "check": ids,
        "table": checks["table"].to_list(),
        "numerator": pd.array([found[check] for check in ids], dtype="int64"),
        "denominator": pd.array([found[f"{check}_of"] for check in ids], dtype="float64"),
        "label": checks[f"label_{current_language()}"].to_list(),
        "examples": ["; ".join(_places(found, check)) for check in ids],
    })  # fmt: skip
    rows.insert(4, "estimate", share(rows["numerator"], rows["denominator"]))
    return rows


def count_checks(log: DossierLog, table: str) -> dict[str, object]:
    """Counts and examples of the checks of one table, by the columns of its query."""
    match table:
        case "dossiers":
            frame = ask(log.engine, "quality_dossiers", ended=ENDED, batch=BATCH, last_minutes=LAST_MINUTES)
        case "steps":
            frame = ask(log.engine, "quality_steps", placeholders=placeholder_officers())
        case _:
            frame = ask(log.engine, f"quality_{table}")
    return {str(name): None if pd.isna(value) else value for name, value in frame.iloc[0].items()}


def placeholder_officers() -> list[str]:
    """Names that one-stop software writes where it knows no person, in lower case.

    >>> placeholder_officers()[0]
    'chuyên viên'
    """
    return [name.lower() for name in read_table("codes/placeholder_officers.csv")["name"]]


def _places(found: Mapping[str, object], check: str) -> list[str]:
    """Where the first and the last record of a check stand; none if the source is not known."""
    places = (found[f"{check}_{which}"] for which in ("first", "last"))
    return list(dict.fromkeys(str(place) for place in places if place))
