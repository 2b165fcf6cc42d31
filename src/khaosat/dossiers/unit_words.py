"""The words around the comparison of units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from khaosat.domain.period import Period
from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.stats.funnel import Overdispersion, Spread
from khaosat.stats.standardised import GammaPoisson


def verdict_words(flag: str) -> str:
    """A verdict in the reader's words."""
    return {
        "far_above": say("far above the city"),
        "above": say("above the city"),
        "usual": say("within the usual"),
        "below": say("below the city"),
        "far_below": say("far below the city"),
        "insufficient": say("not enough data"),
        "alone": say("no like units"),
        "small_units": say("not judged"),
    }.get(flag, "")


def comparison_notes(
    rows: pd.DataFrame, strata: Sequence[str], *, city: float, spread: Spread, how: Overdispersion,
    model: GammaPoisson | None, few: int, small: int, before: Period | None, level: float,
) -> list[str]:  # fmt: skip
    """What the units are held against, and who is not."""
    if not np.isfinite(city):
        return [say("There is no dossier to judge.")]
    notes = [
        say(
            "Expected: each dossier at the city's late share of its {strata}; the city: {share}.",
            strata=" × ".join(term(name).lower() for name in strata) or say("kind"),
            share=percent(city, 1),
        )
    ]
    if city == 0:
        notes.append(say("No dossier is late: there is nothing to compare."))
    if city == 1:
        notes.append(say("All dossiers are late: units do not differ."))
    counts = rows["flag"].value_counts()
    if counts.get("insufficient"):
        notes.append(say("{n} units have fewer than {few} dossiers: not enough data, neither best nor worst.",
                         n=int(counts["insufficient"]), few=few))  # fmt: skip
    pooled = int(rows.loc[rows["flag"] == "small_units", "units"].sum())
    if pooled:
        notes.append(
            say("{n} units with fewer than {small} dossiers are one row, the small units.", n=pooled, small=small)
        )
    if counts.get("alone"):
        notes.append(
            say(
                "{n} units have more than half of their dossiers in kinds that are mostly their own: they would be "
                "compared with themselves.",
                n=int(counts["alone"]),
            )
        )
    if 0 < city < 1:
        notes.append(_spread_words(spread, how))
    if model is not None:
        notes.append(
            say("Pooled ratio: gamma-Poisson, the ratios of units do not differ beyond chance.")
            if np.isinf(model.shape)
            else say(
                "Pooled ratio: gamma-Poisson with mean {mean} and variance {variance} between units.",
                mean=number(model.mean, 2),
                variance=number(model.mean**2 / model.shape, 3),
            )  # fmt: skip
        )
    if before is not None:
        notes.append(say("Change: ratio of this period divided by that of {period}, each against its own city.",
                         period=before.label))  # fmt: skip
    missing = int(rows["n_missing"].sum())
    if missing:
        notes.append(say("{n} dossiers without a due date are in neither numerator nor denominator.", n=missing))
    notes.append(say("Intervals {level}; funnel limits 95% and 99.8%; of many units some lie outside 95% by chance.",
                     level=percent(level, 0)))  # fmt: skip
    return notes


def _spread_words(spread: Spread, how: Overdispersion) -> str:
    if how == "none":
        return say("Funnel limits are those of chance alone.")
    if spread.phi <= 1:
        return say("Units differ no more than by chance: the funnel limits are not widened.")
    if how == "additive":
        return say(
            "Units differ more than by chance (φ = {phi}): the limits hold a standard deviation of {tau} percentage "
            "points between units.",
            phi=number(spread.phi, 2),
            tau=number(100 * spread.tau2**0.5, 1),
        )
    return say(
        "Units differ more than by chance: the limits are wider by the root of φ = {phi}.", phi=number(spread.phi, 2)
    )
