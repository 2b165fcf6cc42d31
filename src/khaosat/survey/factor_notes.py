"""What to know about a factor analysis before believing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from khaosat.facts.language import number, say
from khaosat.stats.exploratory import Extracted, most_factors
from khaosat.survey.factor_analysis import Confirmed, FactorAnalysis
from khaosat.survey.scales import Correlation, Missing, is_plain, scale_word
from khaosat.survey.verdicts import p_words

_PAIRS_NAMED = 3
_SAME = 0.85
"""Correlation from which two factors are hardly told apart (Brown 2015, p. 28)."""
_GOOD = {"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08}
"""What Hu and Bentler (1999) call good; named in the notes as theirs."""


def choice_notes(
    analysis: FactorAnalysis, correlation: Correlation, missing: Missing, *, by_rule: bool
) -> Iterator[str]:
    """Which correlations, of whom, and whether they are fit for use."""
    kind = say("polychoric") if correlation == "polychoric" else say("Pearson")
    if by_rule:
        yield say("Correlations: {kind} (polychoric where no item has more than seven answers).", kind=kind)
    else:
        yield say("Correlations: {kind} (chosen for this analysis).", kind=kind)
    if missing == "pairwise":
        yield say("Each correlation over the respondents with both answers, {n} at least.", n=analysis.n)
    else:
        yield say("The {n} respondents with a valid answer to every item.", n=analysis.answers.n)
    edge = [" – ".join(analysis.answers.items[j] for j in pair) for pair in analysis.moments.at_edge]
    if edge:
        shown = ", ".join(edge[:_PAIRS_NAMED]) + (" …" if len(edge) > _PAIRS_NAMED else "")
        yield say(
            "{n} pairs of items correlate as nearly as one can tell perfectly: {pairs}.", n=len(edge), pairs=shown
        )
    if analysis.matrix()[1]:
        yield say("The correlations contradict each other (not positive definite) and were smoothed; read with care.")


def left_out_notes(
    analysis: FactorAnalysis, *, absent: Sequence[str], skipped: Sequence[str], alone: Sequence[str]
) -> Iterator[str]:
    """Items and factors that are not in it."""
    if absent:
        yield say("{n} items have no column and are left out: {items}.", n=len(absent), items=", ".join(absent))
    if skipped:
        yield say("Left out, as not everybody was asked: {factors}.", factors=_words(analysis, skipped))
    if analysis.answers.idle:
        yield say("No two different answers to {items}; left out.", items=", ".join(analysis.answers.idle))
    if alone:
        yield say("Factors with one item are not in the confirmatory model: {factors}.",
                  factors=_words(analysis, alone))  # fmt: skip


def fit_notes(analysis: FactorAnalysis, confirmed: Confirmed) -> Iterator[str]:
    """Whether the structure that was meant fits."""
    fitted, fit = confirmed.fitted, confirmed.fit
    if fitted is None:
        yield say("No confirmatory model: it found no solution, or there are fewer than three items in factors of two.")
        return
    scaled = bool(analysis.moments.thresholds) or not is_plain(analysis.survey)
    row = {name: float(fit[f"{name}_scaled" if scaled and name != "srmr" else name].iloc[0])
           for name in ("chi2", "p_value", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr")}  # fmt: skip
    df = int(fit["df"].iloc[0])
    if df <= 0:
        yield say("The model has as many parameters as correlations: it fits any answers, and there is no test.")
    elif not np.isfinite(row["chi2"]):
        yield say("No degrees of freedom in the sample: the fit of the structure that was meant cannot be judged.")
    else:
        kind = say("corrected for the design") if scaled else say("plain")
        yield say(
            "The structure that was meant ({kind}): chi-squared {chi2} on {df} degrees of freedom, p {p}; CFI {cfi}, "
            "TLI {tli}, RMSEA {rmsea} ({low} to {high}), SRMR {srmr}.",
            kind=kind, chi2=number(row["chi2"], 1), df=df, p=p_words(row["p_value"]), cfi=number(row["cfi"], 3),
            tli=number(row["tli"], 3), rmsea=number(row["rmsea"], 3), low=number(row["rmsea_low"], 3),
            high=number(row["rmsea_high"], 3), srmr=number(row["srmr"], 3),
        )  # fmt: skip
        yield say("Often called good (Hu and Bentler 1999; a habit, not a rule): CFI from {cfi}, RMSEA up to {rmsea}, "
                  "SRMR up to {srmr}.", **{name: number(value, 2) for name, value in _GOOD.items()})  # fmt: skip
        if scaled and 0 < analysis.df < df:
            yield say("The sample has fewer degrees of freedom ({design}) than the model ({model}): its test is rough.",
                      design=analysis.df, model=df)  # fmt: skip
    improper = np.flatnonzero(fitted.uniquenesses <= 0)
    if len(improper):
        yield say(
            "{n} items of the confirmatory model are left no variance of their own (Heywood case).", n=len(improper)
        )
    same = confirmed.factor_correlations.query("estimate >= @_SAME")
    if len(same):
        pairs = [(scale_word(analysis.survey, a), scale_word(analysis.survey, b))
                 for a, b in zip(same["factor_a"], same["factor_b"], strict=True)]  # fmt: skip
        yield say("Hardly told apart (correlation of {value} and more): {pairs}.", value=number(_SAME, 2),
                  pairs="; ".join(" – ".join(pair) for pair in pairs[:_PAIRS_NAMED]))  # fmt: skip


def found_notes(
    analysis: FactorAnalysis, found: Extracted, roots: pd.DataFrame, adequacy: pd.DataFrame, *, rotation: str
) -> Iterator[str]:
    """What the answers show by themselves."""
    kept = int(roots["kept"].sum())
    yield say("Parallel analysis: {n} components stand out from shuffled answers (Pearson correlations).", n=kept)
    yield say("Sampling adequacy (KMO) {kmo}; Bartlett's test p {p}.", kmo=number(float(adequacy["kmo"].iloc[0]), 2),
              p=p_words(float(adequacy["p_value"].iloc[0])))  # fmt: skip
    m = found.loadings.shape[1]
    yield say("Factors found: {n}, rotation {rotation}.", n=m, rotation=rotation)
    if m == most_factors(len(analysis.answers.items)) and kept > m:
        yield say("{n} items cannot carry more than {m} factors.", n=len(analysis.answers.items), m=m)
    if found.heywood:
        names = ", ".join(analysis.answers.items[j] for j in found.heywood)
        yield say("{items} left no variance of its own (Heywood case): try fewer factors.", items=names)
    if not found.converged:
        yield say("The exploratory analysis did not settle; try fewer factors or extraction='minres'.")


def _words(analysis: FactorAnalysis, names: Sequence[str]) -> str:
    return "; ".join(scale_word(analysis.survey, name) for name in names)
