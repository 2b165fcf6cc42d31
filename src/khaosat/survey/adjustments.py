"""Adjustments of the weights: what they leave of influence values, how replicates follow them, what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DesignError
from khaosat.facts.language import number, say
from khaosat.stats.calibration import Fit, InTurn, Method, Projection, indicators, projection, rake_factors, trimmed
from khaosat.stats.nonresponse import ResponseCells
from khaosat.survey.margins import Margin, Totals

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration:
    """An adjustment of the weights, as :class:`khaosat.domain.weighting.Adjustment` asks.

    Parameters
    ----------
    weights
        Weights after it.
    projection
        What it takes out of influence values; None if nothing (trimming).
    refit
        The same adjustment of other weights.
    described
        The notes, said when they are needed so that they are in the reader's language.
    """

    weights: Floats
    projection: Projection | InTurn | ResponseCells | None
    refit: Callable[[Floats], Floats]
    described: Callable[[], Sequence[str]]

    def residual(self, scores: Floats) -> Floats:
        """What is left of weighted influence values (respondents × p) once the totals are known."""
        return scores if self.projection is None else self.projection.residual(scores)

    def apply(self, weights: Floats) -> Floats:
        """The same adjustment of other weights (respondents × replicates)."""
        return self.refit(weights)

    def words(self) -> Sequence[str]:
        """What was done, in the language in force."""
        return self.described()


def adjusted(survey: Survey, change: Calibration, *, trim: tuple[float, float] | None = None) -> Survey:
    """A survey with one more adjustment, made to its replicates too."""
    made = survey.replication
    replication = None if made is None else replace(made, weights=change.apply(made.weights), multipliers=None)
    result = replace(survey, adjustments=(*survey.adjustments, change), replicates=replication)
    return result if trim is None else trim_to(result, lower=trim[0], upper=trim[1])


def fitted_to_margins(
    survey: Survey,
    margins: list[Margin],
    *,
    theory: bool,
    trim: tuple[float, float] | None,
    max_iterations: int,
    tolerance: float,
) -> Survey:
    """Proportional fitting of one or several margins; ``theory``: residuals under the weights before."""
    base, codes = survey.arrays.weights, [margin.codes for margin in margins]
    groups, group = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    group = group.reshape(-1)
    table = indicators([group], sizes=[len(groups)]).T.tocsr()
    levels = [(groups[:, place], margin.targets) for place, margin in enumerate(margins)]
    labels = [f"{margin.name}={level}" for margin in margins for level in margin.levels]
    targets = np.concatenate([margin.targets for margin in margins])

    def fit_to(weights: Floats) -> Fit:
        fit = rake_factors(table @ weights, levels, max_iterations=max_iterations, tolerance=tolerance)
        refuse_unmet(labels, targets[:, None], fit, tolerance=tolerance)
        return fit

    fit = fit_to(base[:, None])
    after = base * fit.factors[group, 0]
    regression = base if theory else np.ones(survey.n)
    parts = [
        projection(indicators([margin.codes], sizes=[len(margin.levels)]), weights=after, regression=regression)
        for margin in margins
    ]
    return adjusted(
        survey,
        Calibration(
            weights=after,
            projection=InTurn(parts=tuple(parts)),
            refit=lambda weights: weights * fit_to(weights).factors[group],
            described=lambda: _margin_words(margins, fit, theory=theory),
        ),
        trim=trim,
    )


def trim_to(survey: Survey, *, lower: float, upper: float, strict: bool = False) -> Survey:
    """A survey with trimmed weights; a replicate's weights are trimmed too."""
    before = survey.arrays.weights

    def cut(weights: Floats) -> Floats:
        drawn = weights != 0  # a replicate's zero is a unit left out, not a small weight
        result = weights.copy()
        result[drawn] = trimmed(weights[drawn], lower=lower, upper=upper, strict=strict)
        return result

    outside = int((((before < lower) | (before > upper)) & survey.responding).sum())
    return adjusted(
        survey,
        Calibration(
            weights=cut(before),
            projection=None,
            refit=lambda weights: np.column_stack([cut(column) for column in weights.T]),
            described=lambda: [
                say(
                    "Weights trimmed to {lower}–{upper} ({n} respondents), their sum kept; known totals are then met "
                    "only roughly.",
                    lower=number(lower, 2), upper=number(upper, 2), n=outside,
                )
            ],
        ),
    )  # fmt: skip


def refuse_unmet(labels: Sequence[str], targets: Floats, fit: Fit, *, tolerance: float) -> None:
    """Raise if totals are not met, naming all that are not."""
    size = np.where(targets == 0, 1.0, np.abs(targets))
    away = np.nan_to_num(np.abs(fit.reached - targets) / size, nan=np.inf)
    limit = max(tolerance, 1e-10)
    if fit.gap <= tolerance or away.max(initial=0.0) <= limit:
        return
    worst = away.reshape(len(labels), -1).argmax(axis=1)
    reached = fit.reached.reshape(len(labels), -1)
    unmet = [
        say(
            "{label}: known {known}, reached {reached}.",
            label=label, known=number(float(np.ravel(targets)[place]), 3),
            reached=number(float(reached[place, worst[place]]), 3),
        )
        for place, label in enumerate(labels)
        if away.reshape(len(labels), -1)[place].max() > limit
    ]  # fmt: skip
    head = say(
        "{n} totals cannot be met (stopped after {iterations} rounds): some combinations have no respondents or "
        "the bounds are too narrow. Join levels, drop a total or widen the bounds.",
        n=len(unmet), iterations=fit.iterations,
    )  # fmt: skip
    raise DesignError("\n".join([head, *(f"- {line}" for line in unmet)]))


def _margin_words(margins: list[Margin], fit: Fit, *, theory: bool) -> list[str]:
    names, spread = ", ".join(margin.name for margin in margins), _spread(fit)
    if theory:
        return [say("Weights poststratified by {names}: factors {spread}; the variance knows it.",
                    names=names, spread=spread)]  # fmt: skip
    return [
        say(
            "Weights raked to {names}: {n} rounds, margins met to {gap}; factors {spread}; the variance knows it.",
            names=names, n=fit.iterations, gap=f"{fit.gap:.0e}", spread=spread,
        )
    ]  # fmt: skip


def calibration_words(method: Method, known: Totals, fit: Fit, weights: Floats) -> list[str]:
    """What a calibration to totals did, and how near it came."""
    words = [
        say(
            "Weights calibrated ({method}) to {n} totals: {steps} steps, met to {gap}; factors {spread}; the variance "
            "knows it.",
            method=method, n=len(known.labels), steps=fit.iterations, gap=f"{fit.gap:.0e}", spread=_spread(fit),
        )
    ]  # fmt: skip
    negative = int((weights < 0).sum())
    if negative:
        words.append(say("{n} calibrated weights are negative: set bounds, or method='raking'.", n=negative))
    return words


def _spread(fit: Fit) -> str:
    return f"{number(float(fit.factors.min()), 3)}–{number(float(fit.factors.max()), 3)}"
