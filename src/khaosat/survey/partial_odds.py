"""Which terms of a cumulative model have a slope of their own at each threshold, and what to say about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.ordinal import Hessian, OrdinalFit, fit_ordinal, level_shares
from khaosat.stats.ordinal_links import OrdinalLink
from khaosat.stats.p_values import holm
from khaosat.stats.partial_ordinal import PartialFit, crossing, fit_partial, partial_direction, partial_shares
from khaosat.survey.model_frame import INTERCEPT, ModelFrame
from khaosat.survey.model_result import separated

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]
Partial = Sequence[str] | Literal["auto"] | None
CumulativeFit = OrdinalFit | PartialFit

_DOUBT = 0.05


def freed_terms(frame: ModelFrame, odds: pd.DataFrame, partial: Partial) -> tuple[str, ...]:
    """Terms with free slopes: those named or, with ``auto``, those whose test fails after Holm.

    Raises
    ------
    DataError
        If a name is no term of the formula.
    """
    if partial is None:
        return ()
    tests = odds[odds["term"] != ""]
    if partial == "auto":
        return tuple(tests.loc[holm(tests["p_value"]) < _DOUBT, "term"])
    known = list(dict.fromkeys(term for term in frame.matrix().terms if term != INTERCEPT))
    if isinstance(partial, bool):  # what one tries first
        choice = ", ".join(["None", "auto", *known])
        raise DataError(say("{name}={value!r} is not known: use {known}.", name="partial", value=partial, known=choice))
    named = [partial] if isinstance(partial, str) else list(partial)
    unknown = [name for name in named if name not in known]
    if unknown:
        raise DataError(
            say("partial names {unknown}; the terms of {formula!r} are {known}.", unknown=", ".join(unknown),
                formula=frame.formula.text, known=", ".join(known))
        )  # fmt: skip
    return tuple(term for term in known if term in named)


def fit_cumulative(
    y: Codes, x: Floats, *, free: Rows, weights: Floats, link: OrdinalLink, hessian: Hessian
) -> CumulativeFit:
    """Fit a cumulative model, with free slopes if there are any and more than one threshold."""
    if free.any() and y.max() > 1:
        return fit_partial(y, x, free=free, weights=weights, link=link)
    return fit_ordinal(y, x, weights=weights, link=link, hessian=hessian)


def shares_of(x: Floats, fit: CumulativeFit, *, weights: Floats) -> tuple[Floats, Floats]:
    """Mean predicted share of each level, and the influence of each respondent on it."""
    shares = partial_shares if isinstance(fit, PartialFit) else level_shares
    return shares(x, fit, weights=weights)  # type: ignore[arg-type]


def coefficient_names(names: Sequence[str], levels: Sequence[str], fit: CumulativeFit) -> tuple[str, ...]:
    """Names of the coefficients: ``x`` or ``x (1|2)``, ``x (2|3)``; then the thresholds ``1|2``.

    >>> coefficient_names(["x"], ["low", "high"], fit_ordinal(np.array([0, 1, 0]), np.ones((3, 0)), weights=np.ones(3)))
    ('x', 'low|high')
    """
    cuts = [f"{a}|{b}" for a, b in zip(levels[:-1], levels[1:], strict=True)]
    if not isinstance(fit, PartialFit):
        return (*names, *cuts)
    slopes = []
    for name, places in zip(names, fit.place, strict=True):
        slopes += [f"{name} ({cut})" for cut in cuts] if places[0] != places[-1] else [name]
    return (*slopes, *cuts)


def coefficient_words(words: dict[str, str], terms: Sequence[str]) -> dict[str, str]:
    """Words for the slopes of one threshold, from those of their columns."""
    added = {}
    for term in terms:
        name, _, cut = term.rpartition(" (")
        if name in words and "|" in cut:
            added[term] = say("{term} (threshold {threshold})", term=words[name], threshold=cut[:-1])
    return words | added


def check_partial(fit: PartialFit, y: Codes, x: Floats, *, frame: ModelFrame, terms: Sequence[str]) -> None:
    """Refuse a fit whose coefficients are infinite or that did not settle."""
    direction = partial_direction(y, x, fit=fit)
    if direction is not None:
        moved = [name for name, d in zip(terms, direction, strict=True) if abs(d) > 1e-6]
        raise separated(frame, moved)
    if not fit.converged:
        raise DataError(
            say("The model {formula!r} with free slopes does not settle: some fitted share of an answer goes to zero. "
                "Free fewer terms.", formula=frame.formula.text)
        )  # fmt: skip


def partial_notes(
    fit: CumulativeFit, x: Floats, *, freed: Sequence[str], odds: pd.DataFrame, partial: Partial
) -> Iterator[str]:
    """Which slopes are free and why, what is left to doubt."""
    if partial == "auto" and not freed and odds["p_value"].notna().any():
        yield say("No term fails the test of equal slopes (Holm, p < {doubt}): none is free.", doubt=number(_DOUBT, 2))
    if not isinstance(fit, PartialFit):
        return
    yield say("Slope of its own at each threshold: {terms}.", terms=", ".join(freed))
    if partial == "auto":
        yield say(
            "These terms were chosen because the test of equal slopes failed in these same answers (Holm, "
            "p < {doubt}): intervals and p-values do not count the choice and are too hopeful.", doubt=number(_DOUBT, 2)
        )  # fmt: skip
    rest = odds[~odds["term"].isin(["", *freed])]
    doubtful = list(rest.loc[holm(rest["p_value"]) < _DOUBT, "term"])
    if doubtful:
        yield say("Equal slopes are in doubt for {terms} too.", terms=", ".join(doubtful))
    crossed = int(crossing(x, fit).sum())
    if crossed:
        yield say(
            "{n} respondents are given a negative share of some answer, since their slopes cross: free fewer terms.",
            n=crossed,
        )
