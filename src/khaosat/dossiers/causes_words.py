"""The words around the drivers of lateness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from khaosat.dossiers.driver_cells import FEWEST, MISSING, OTHER, TET_AFTER, TET_BEFORE, Factor
from khaosat.dossiers.driver_model import Driven
from khaosat.facts import read_table, term
from khaosat.facts.language import current_language, date, number, percent, say

_CODED = ("channel", "applicant_type")


def level_words(factor: str, level: str, names: Mapping[str, str]) -> str:
    """A level in the reader's words."""
    if level == OTHER:
        return say("all others")
    if level == MISSING:
        return say("(not recorded)")
    if factor == "procedure":
        return names.get(level, level)
    if factor in _CODED:
        table = read_table(f"codes/{factor}.csv")
        words = dict(zip(table["id"], table[f"label_{current_language()}"], strict=True))
        return str(words.get(level, level))
    spoken = {
        ("workload", "low"): say("below the usual"),
        ("workload", "normal"): say("as usual"),
        ("workload", "high"): say("above the usual"),
        ("workload", "very_high"): say("more than double"),
        ("season", "ordinary"): say("other days"),
        ("season", "tet"): say("around Tết"),
        ("season", "year_end"): say("December"),
        ("supplements", "0"): say("none"),
        ("supplements", "1"): say("once"),
        ("supplements", "2"): say("twice or more"),
        ("consultations", "0"): say("none"),
        ("consultations", "1"): say("some"),
    }
    return spoken.get((factor, level), level)


def driver_notes(
    driven: Driven | None, factors: Sequence[Factor], sizes: Mapping[str, int], *, asked: Sequence[str], link: str,
    level: float, skills: pd.DataFrame,
) -> list[str]:  # fmt: skip
    """What was fitted to what, and how it may be read."""
    notes = [say("Late: ended after the deadline, or open after it; {n} dossiers, {late} of them late.", n=sizes["n"],
                 late=sizes["late"])]  # fmt: skip
    if sizes["undecided"]:
        notes.append(say("{n} open dossiers whose deadline is still to come are not in it.", n=sizes["undecided"]))
    if sizes["undated"]:
        notes.append(say("{n} dossiers without a due date are left out.", n=sizes["undated"]))
    if driven is None:
        return [*notes, say("Late and timely dossiers are too few, or alike in all that is known: no model.")]
    left = [term(name).lower() for name in asked if name not in {factor.name for factor in factors}]
    if left:
        notes.append(say("Not in the model, for want of differences: {names}.", names=", ".join(left)))
    notes += [
        say("These are associations with all else in the model held equal, not causes: who is compared may differ in "
            "things the log does not hold."),
        say("Binomial regression ({link}) on {cells} cells of dossiers alike in all that is in the model; effects are "
            "averages over all dossiers. Interval {level}, units as clusters ({clusters}).", link=link,
            cells=driven.cells, clusters=driven.clusters, level=percent(level, 0)),
    ]  # fmt: skip
    pooled = sum(factor.pooled for factor in factors)
    if pooled:
        notes.append(say("{n} levels with fewer than {few} late or timely dossiers are pooled.", n=pooled, few=FEWEST))
    if driven.ridge:
        notes.append(
            say(
                "Some levels tell late dossiers apart perfectly: coefficients are held back by a ridge of {ridge}.",
                ridge=number(driven.ridge, 1),
            )
        )
    names = {factor.name for factor in factors}
    if names & {"supplements", "consultations"}:
        notes.append(
            say("Supplements and consultations come after the reception: they may carry what other things do.")
        )
    if "season" in names:
        notes.append(say("Around Tết: received from {before} days before the holiday to {after} days after it.",
                         before=TET_BEFORE, after=TET_AFTER))  # fmt: skip
    return [*notes, *_skill_words(skills)]


def _skill_words(skills: pd.DataFrame) -> list[str]:
    if not len(skills):
        return [say("Too few quarters to try the model on later ones.")]
    auc, brier = (dict(zip(skills["model"], skills[name], strict=True)) for name in ("auc", "brier"))
    return [
        say("Fitted to earlier quarters and tried on the {n} dossiers received since {since}: AUC {a} here, {b} with "
            "boosted trees; Brier {c} and {d} (a constant: {e}).",
            n=int(skills["n"].iloc[0]), since=date(skills["since"].iloc[0]), a=number(auc["logit"], 3),
            b=number(auc["boosted"], 3), c=number(brier["logit"], 4), d=number(brier["boosted"], 4),
            e=number(brier["constant"], 4))
    ]  # fmt: skip
