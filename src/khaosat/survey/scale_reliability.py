"""How far the items of a factor hang together: alpha, omega, and what each item adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.survey.cells import cells_of
from khaosat.survey.one_scale import ReliabilityInterval, ScaleReliability
from khaosat.survey.result import SurveyResult, cell_notes, design_notes
from khaosat.survey.scales import (
    SCALE,
    Correlation,
    Items,
    Missing,
    check_choices,
    is_plain,
    scale_answers,
    scale_word,
    scales_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Reliability(SurveyResult):
    """Reliability of the sum of the items of each factor.

    ``rows``: ``factor, items`` (how many), ``alpha, se, low, high, omega, omega_se, omega_low, omega_high, df, n,
    n_missing, alpha_standardized`` (of the correlations), ``lambda6, average_r``.

    Parameters
    ----------
    item_statistics
        ``factor, item, mean, sd, item_rest`` (correlation with the sum of the others), ``item_total`` (with the sum of
        all), ``alpha_without`` (alpha of the others), ``loading`` (on one factor, standardised), ``n``.
    acceptable
        Alpha below which a factor is marked.
    """

    item_statistics: pd.DataFrame = field(default_factory=pd.DataFrame)
    acceptable: float = 0.7

    @property
    def keys(self) -> list[str]:
        """The factor."""
        return ["factor"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Alpha and omega of each factor with their intervals; the line is the least acceptable value."""
        from khaosat.show.pairs import paired_intervals

        shown = self._worded().rows[~self._small_cells()]
        series = {term("alpha"): ("alpha", "low", "high"), term("omega"): ("omega", "omega_low", "omega_high")}
        return paired_intervals(shown, label="factor", series=series, line=self.acceptable, ax=ax)

    def _columns(self) -> Sequence[Column]:
        omegas = [Column(name=name, kind="number", decimals=2) for name in ("omega", "omega_low", "omega_high")]
        return [
            Column(name="factor"),
            Column(name="items", kind="int", label=say("Number of items")),
            Column(name="alpha", kind="number", decimals=2),
            Column(name=("low", "high"), kind="interval", decimals=2),
            *omegas,
            Column(name="average_r", kind="number", decimals=2),
            Column(name="n", kind="int"),
            Column(name="n_missing", kind="int"),
        ]

    def _worded(self) -> Reliability:
        label = self.questionnaire.label if self.questionnaire else str
        words = [term(SCALE) if name == SCALE else label(name) for name in self.rows["factor"]]
        return replace(self, rows=self.rows.assign(factor=words))


def reliability(
    survey: Survey,
    items: Items = None,
    *,
    correlation: Correlation = "pearson",
    missing: Missing = "complete",
    ci: ReliabilityInterval | None = None,
    where: str | None = None,
    level: float = 0.95,
    acceptable: float = 0.7,
) -> Reliability:
    r"""Cronbach's alpha and omega of the items of each factor, weighted, with intervals by the design.

    :math:`\alpha = \frac{k}{k-1}\{1 - \mathrm{tr} S/\mathbf{1}'S\mathbf{1}\}`,
    :math:`\omega = (\sum\lambda_j)^2/\{(\sum\lambda_j)^2 + \sum\theta_j\}` of one factor by maximum likelihood; S is
    the covariance matrix in the population.

    Parameters
    ----------
    survey
        Answers and design.
    items
        Columns of one scale, or a mapping from scales to columns; None: the factors of the questionnaire.
    correlation
        ``pearson``: of the answers as numbers. ``polychoric``: alpha of the correlations behind the answers (ordinal
        alpha), and the categorical omega of the sum of the answers.
    missing
        ``complete``: those with a valid answer to every item of the factor; ``pairwise``: each covariance over those
        with both answers, as psych and pingouin take it.
    ci
        Interval of alpha. ``feldt``: of a simple random sample; ``design``: linearised. None: ``feldt`` where the
        design names no weights, strata, clusters or populations and the correlation is ``pearson``, else ``design``.
        Omega's is always linearised.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level.
    acceptable
        Alpha below which a factor is marked in the notes and by a line in the figure; 0.7 is a habit, no law.

    Returns
    -------
    Reliability
        ``factor, items, alpha, se, low, high, omega, omega_se, omega_low, omega_high, df, n, n_missing,
        alpha_standardized, lambda6, average_r``; field ``item_statistics``.

    Notes
    -----
    Alpha and omega are smooth functions of S, so that their influence values follow from those of S (omega's by the
    implicit function theorem at the factor model); intervals are Student's for :math:`\log(1-\rho)`. With replicate
    weights both are calculated again in each; polychoric ones take the variance of their influence values over the
    replicates. Items that a skip
    rule kept from somebody are not missing there. Alpha is below the reliability unless all items are equally good; it
    is no sign that there is one factor only (see factor_structure). Derivations: docs/methods/do-tin-cay.md.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334. McDonald (1999), Test Theory, ch. 6. Green and Yang (2009),
    Psychometrika 74, 155-167. Zumbo, Gadermann and Zeisser (2007), JMASM 6, 21-29. Chalmers (2018), EPM 78, 1056-1071.
    Bonett (2002), JEBS 27, 335-340.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1, 2, 3, 4, 5, 4], "b": [2, 2, 3, 5, 4, 4], "c": [1, 3, 3, 4, 5, 5]})
    >>> reliability(Survey(responses=answers), ["a", "b", "c"]).rows[["items", "alpha", "n"]].round(4).values.tolist()
    [[3.0, 0.9438, 6.0]]
    """
    check_choices(
        correlation=(correlation, get_args(Correlation)), missing=(missing, get_args(Missing)),
        ci=(ci, (None, *get_args(ReliabilityInterval))),
    )  # fmt: skip
    scales, absent = scales_of(survey, items)
    cells = cells_of(survey, where=where)
    inside = cells.code >= 0
    plain = correlation == "pearson" and is_plain(survey)
    how: ReliabilityInterval = ci or ("feldt" if plain else "design")
    found = [
        ScaleReliability(
            survey, cells, name, scale_answers(survey, columns, inside=inside, missing=missing), correlation
        )
        for name, columns in scales.items()
    ]
    rows = pd.DataFrame([scale.row(how, level) for scale in found])
    interval = say("Feldt, a simple random sample") if how == "feldt" else say("Student's t of log(1 − reliability)")
    notes = (
        *_choice_notes(correlation, missing, absent),
        *_replicate_notes(survey, found, rows),
        *_scale_notes(survey, found, rows, acceptable=acceptable),
        *cell_notes(cells),
        *design_notes(survey, rows, interval=interval, level=level),
    )
    return Reliability(
        rows=rows, title=say("Internal consistency"), notes=notes, unit="score", questionnaire=survey.questionnaire,
        item_statistics=pd.concat([scale.items() for scale in found], ignore_index=True), acceptable=acceptable,
    )  # fmt: skip


def _choice_notes(correlation: Correlation, missing: Missing, absent: Sequence[str]) -> Iterator[str]:
    if correlation == "polychoric":
        yield say(
            "Alpha of polychoric correlations: the reliability that normal variables behind the answers would have, no "
            "lower bound for that of the sum of the answers; omega is of that sum."
        )
    if missing == "complete":
        yield say("Respondents with a valid answer to every item of the factor.")
    else:
        yield say("Each covariance over the respondents with both answers (pairwise).")
    if absent:
        yield say("{n} items have no column and are left out: {items}.", n=len(absent), items=", ".join(absent))


def _replicate_notes(survey: Survey, found: list[ScaleReliability], rows: pd.DataFrame) -> Iterator[str]:
    """How the replicates were used, and where one of them has no solution."""
    if survey.replication is None:
        return
    if any(scale.moments is not None and scale.moments.thresholds for scale in found):
        yield say("Variance over the replicates of the influence values: the correlations are not found again in each.")
        return
    bare = [name for name, omega, se in zip(rows["factor"], rows["omega"], rows["omega_se"], strict=True)
            if np.isfinite(omega) and not np.isfinite(se)]  # fmt: skip
    if bare:
        yield say("{factors}: the one-factor model has no solution in some replicate; omega has no standard error.",
                  factors="; ".join(scale_word(survey, name) for name in bare))  # fmt: skip


def _scale_notes(
    survey: Survey, found: list[ScaleReliability], rows: pd.DataFrame, *, acceptable: float
) -> Iterator[str]:
    for scale in found:
        name = scale_word(survey, scale.name)
        if scale.answers.idle:
            yield say("{factor}: no two different answers to {items}; left out.", factor=name,
                      items=", ".join(scale.answers.idle))  # fmt: skip
        if scale.moments is None:
            yield say("{factor}: fewer than two items or three respondents; no estimate.", factor=name)
            continue
        if not float(scale.moments.covariance.sum()) > 0:
            yield say("{factor}: the sum of the items does not vary; no alpha.", factor=name)
        if len(scale.answers.items) == 2:
            yield say("{factor}: two items are too few for omega.", factor=name)
        elif scale.omega is None or not np.isfinite(scale.omega.value):
            yield say("{factor}: the one-factor model has no solution; no omega.", factor=name)
        if scale.heywood:
            yield say("{factor}: {items} without variance of its own (Heywood case); do not rely on omega.",
                      factor=name, items=", ".join(scale.heywood))  # fmt: skip
        edge = [" – ".join(scale.answers.items[j] for j in pair) for pair in scale.moments.at_edge]
        if edge:
            yield say("{n} pairs of items correlate as nearly as one can tell perfectly: {pairs}.", n=len(edge),
                      pairs=", ".join(edge))  # fmt: skip
        against = scale.items().query("item_rest < 0")["item"]
        if len(against):
            yield say("{factor}: {items} runs against the other items; is it worded the other way round?", factor=name,
                      items=", ".join(against))  # fmt: skip
    low = rows[rows["alpha"] < acceptable]
    if len(low):
        yield say("Alpha below {value} (a habit, not a rule): {factors}.", value=number(acceptable, 2),
                  factors="; ".join(scale_word(survey, name) for name in low["factor"]))  # fmt: skip
