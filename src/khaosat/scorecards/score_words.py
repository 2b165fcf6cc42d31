"""The words of the scorecard: names of components and groups, remarks, and the notes under it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from khaosat.domain.period import Period
from khaosat.facts import read_table
from khaosat.facts.language import current_language, percent, say
from khaosat.scorecards.components import Component, settings
from khaosat.scorecards.rules import in_force, rule_notes


def component_names() -> dict[str, str]:
    """Number and name of each component; one that has no number of its own shows its group's."""
    rows = read_table("rules/qd766.csv")
    return {
        name: f"{name.rpartition('.')[0] if name.rpartition('.')[2].islower() else name} {words}"
        for name, words in zip(rows["id"], rows[f"label_{current_language()}"], strict=True)
    }


def group_names() -> dict[str, str]:
    """Number and name of each group."""
    rows = read_table("rules/qd766_groups.csv")
    names = rows[f"label_{current_language()}"]
    return {group: f"{group} {name}" for group, name in zip(rows["id"], names, strict=True)}


def source_names() -> dict[str, str]:
    """Where the counts of a component come from."""
    return {"portal": say("portal file"), "log": say("dossier log"), "given": say("given")}


def remark_words() -> dict[str, str]:
    """What a flag says to a reader."""
    return {
        "no_data": say("no data"),
        "default": say("nothing to count: points by rule"),
        "capped": say("rate over 100%: check the counts"),
        "not_applicable": say("does not apply: maximum by rule"),
    }


def score_notes(
    rows: pd.DataFrame, rules: Mapping[str, Component], *, unit: str, period: Period | None
) -> tuple[str, ...]:
    """What a reader must know of these points."""
    flags = rows.set_index("component")["flag"]
    names = set(flags.index)
    notes = [say("Each component is rounded half-up to two decimals before it is added.")]
    if (flags == "no_data").any():
        listed = ", ".join(flags.index[flags == "no_data"])
        notes.append(say("No data, which is not 0 points: {list}. The total leaves them out.", list=listed))
    if flags.get("2.1") == "no_data" and rows.set_index("component")["denominator"].get("2.1") == 0:
        notes.append(say("2.1: there was no dossier; the portal prints 0 points here."))
    if "3.3" in names and "1.4" not in names:
        factor = percent(float(settings().factor_not_given), 0)
        notes.append(say("3.3: the synchronised share 1.4 is not given and taken as {share}: an upper bound.",
                         share=factor))  # fmt: skip
    if "5.4" in names:
        notes.append(say("5.4 is no survey: it counts dossiers neither late nor complained of, and hardly differs from "
                         "2.1. Do not read it as satisfaction, nor as evidence beside lateness."))  # fmt: skip
    inherited = [name for name in names if name in rules and rules[name].inherited]
    if inherited and unit not in settings().root_units:
        notes.append(say("Group 1 is the province's and says nothing of this unit; rankings leave it out."))
    if period is not None and period.kind != "month":
        notes.append(say("Counts are those of the whole period; months are not averaged into it."))
    return (*notes, *rule_notes(in_force("qd766", period), period))
