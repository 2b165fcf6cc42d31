"""Do the items measure what the questionnaire says: its factors, and those that the answers show by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.stats.exploratory import Extracted, Extraction
from khaosat.stats.rotation import Rotation
from khaosat.survey.answers import numeric_answers
from khaosat.survey.cells import cells_of, freedom
from khaosat.survey.factor_analysis import Confirmed, FactorAnalysis
from khaosat.survey.factor_notes import choice_notes, fit_notes, found_notes, left_out_notes
from khaosat.survey.result import SurveyResult, cell_notes, design_notes
from khaosat.survey.scales import (
    MOST_LEVELS,
    SCALE,
    Correlation,
    Items,
    Missing,
    ScaleAnswers,
    check_choices,
    scale_answers,
    scales_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorStructure(SurveyResult):
    """How the items go together.

    ``rows``: ``factor`` (meant), ``item, estimate`` (standardised loading on it), ``se, low, high, df, n, n_missing``,
    ``found`` (number of the factor found on which the item loads most), ``loading`` (that loading), ``uniqueness``
    (left by the factors found), ``msa`` (sampling adequacy).

    Parameters
    ----------
    exploratory
        Loadings on the factors found: items down, ``F1, F2 …`` across.
    exploratory_correlations
        Of the factors found.
    factor_correlations
        Of the factors meant: ``factor_a, factor_b, estimate, se, low, high``.
    fit
        One row: ``chi2, df, p_value, baseline_chi2, baseline_df, cfi, tli, rmsea, rmsea_low, rmsea_high`` (90 %),
        ``srmr, n``, and the same corrected for the design (``chi2_scaled`` …); empty if there was no model.
    roots
        ``component, root, random_mean, random_high, kept``: the parallel analysis.
    adequacy
        One row: ``kmo``, and Bartlett's test ``statistic, df, p_value, n``.
    correlations
        Of the items.
    """

    exploratory: pd.DataFrame = field(default_factory=pd.DataFrame)
    exploratory_correlations: pd.DataFrame = field(default_factory=pd.DataFrame)
    factor_correlations: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    roots: pd.DataFrame = field(default_factory=pd.DataFrame)
    adequacy: pd.DataFrame = field(default_factory=pd.DataFrame)
    correlations: pd.DataFrame = field(default_factory=pd.DataFrame)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Roots of the answers against those of shuffled answers: how many factors there are to see."""
        from khaosat.show.scree import scree

        return scree(self.roots, ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="factor"),
            Column(name="item"),
            Column(name="estimate", kind="number", decimals=2, label=say("Loading on its factor")),
            Column(name=("low", "high"), kind="interval", decimals=2),
            Column(name="found", kind="int"),
            Column(name="loading", kind="number", decimals=2),
            Column(name="uniqueness", kind="number", decimals=2),
            Column(name="n", kind="int"),
        ]

    def _worded(self) -> FactorStructure:
        label = self.questionnaire.label if self.questionnaire else str
        factors = [term(SCALE) if name == SCALE else label(name) for name in self.rows["factor"]]
        return replace(self, rows=self.rows.assign(factor=factors, item=[label(name) for name in self.rows["item"]]))


def factor_structure(
    survey: Survey,
    items: Items = None,
    *,
    correlation: Correlation | None = None,
    factors: int | None = None,
    extraction: Extraction = "ml",
    rotation: Rotation = "oblimin",
    missing: Missing = "pairwise",
    where: str | None = None,
    level: float = 0.95,
    draws: int = 100,
    rng: np.random.Generator | None = None,
) -> FactorStructure:
    r"""Confirmatory and exploratory factor analysis of the items, weighted, with standard errors by the design.

    :math:`\Sigma = \Lambda\Phi\Lambda' + \Theta`: confirmatory, every item loads on its own factor only; exploratory,
    on all that are found, rotated.

    Parameters
    ----------
    survey
        Answers and design.
    items
        Columns of one scale, or a mapping from factors to columns; None: the factors of the questionnaire, less those
        whose items a skip rule kept from somebody (name them, or choose respondents with ``where``).
    correlation
        ``polychoric`` or ``pearson``. None: polychoric where no item has more than seven answers.
    factors
        How many to look for; None: as many as parallel analysis shows, at least one.
    extraction
        ``ml`` or ``minres``, for the exploratory part.
    rotation
        ``oblimin``, ``promax``, ``varimax`` or ``none``.
    missing
        ``pairwise``: each correlation over those with both answers; ``complete``: those with all.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level.
    draws, rng
        Shuffles of the answers for parallel analysis, and their source of randomness (None: a fixed seed).

    Returns
    -------
    FactorStructure
        ``factor, item, estimate, se, low, high, df, n, n_missing, found, loading, uniqueness, msa``; fields
        ``exploratory, exploratory_correlations, factor_correlations, fit, roots, adequacy, correlations``.

    Notes
    -----
    The confirmatory model is fitted by maximum likelihood to Pearson correlations, by diagonally weighted least squares
    to polychoric ones, and equals lavaan's. Standard errors are linearised: they hold by the design whether the model
    holds or not. ``chi2_scaled`` has the mean and variance of chi-squared by the design; with weights, clusters or
    polychoric correlations read that. Parallel analysis shuffles answers within items and compares Pearson roots.
    Derivations: docs/methods/cau-truc-nhan-to.md.

    References
    ----------
    Jöreskog (1969), Psychometrika 34, 183-202. Oberski (2014), Journal of Statistical Software 57(1). Horn (1965),
    Psychometrika 30, 179-185. Hu and Bentler (1999), Structural Equation Modeling 6, 1-55.

    Examples
    --------
    >>> z = np.random.default_rng(3).normal(size=(300, 5))
    >>> answers = pd.DataFrame({f"q{j}": z[:, 0] + 0.8 * z[:, j] for j in range(1, 5)})
    >>> result = factor_structure(Survey(responses=answers), list(answers), draws=20)
    >>> result.rows["found"].tolist(), bool(result.fit["p_value"].iloc[0] > 0.01)
    ([1, 1, 1, 1], True)
    """
    check_choices(
        correlation=(correlation, (None, *get_args(Correlation))), missing=(missing, get_args(Missing)),
        extraction=(extraction, get_args(Extraction)), rotation=(rotation, get_args(Rotation)),
    )  # fmt: skip
    if (factors is not None and factors < 1) or draws < 1:
        raise DataError(say("factors and draws are at least 1."))
    scales, absent = scales_of(survey, items)
    cells = cells_of(survey, where=where)
    inside = cells.code >= 0
    skipped = [] if items is not None else _skipped(survey, scales, inside)
    asked = {name: columns for name, columns in scales.items() if name not in skipped}
    factor_of = {item: name for name, columns in asked.items() for item in columns}
    answers = _answers(survey, list(factor_of), inside=inside, missing=missing)
    chosen = correlation or ("polychoric" if answers.places.max(initial=0) < MOST_LEVELS else "pearson")
    df = int(freedom(survey, cells, domain_df=False, answered=answers.used)[0])
    analysis = FactorAnalysis(
        survey=survey, answers=answers, moments=answers.moments(survey, chosen), factor_of=factor_of, df=df, level=level
    )
    roots = analysis.roots(draws=draws, rng=rng if rng is not None else np.random.default_rng(0))
    found = analysis.explore(factors or max(int(roots["kept"].sum()), 1), extraction=extraction, rotation=rotation)
    confirmed = analysis.confirm()
    adequacy, msa = analysis.adequacy()
    rows = _rows(analysis, confirmed, found, msa)
    notes = (
        *choice_notes(analysis, chosen, missing, by_rule=correlation is None),
        *left_out_notes(analysis, absent=absent, skipped=skipped, alone=confirmed.left_out),
        *fit_notes(analysis, confirmed),
        *found_notes(analysis, found, roots, adequacy, rotation=rotation),
        *cell_notes(cells),
        *design_notes(survey, rows, interval=say("Student's t"), level=level),
    )
    exploratory, between = _exploratory(found, answers.items)
    return FactorStructure(
        rows=rows, title=say("Factors behind the answers"), notes=notes, unit="score",
        questionnaire=survey.questionnaire, exploratory=exploratory, exploratory_correlations=between,
        factor_correlations=confirmed.factor_correlations, fit=confirmed.fit, roots=roots, adequacy=adequacy,
        correlations=pd.DataFrame(analysis.moments.matrix, answers.items, answers.items),
    )  # fmt: skip


def _answers(survey: Survey, items: list[str], *, inside: Rows, missing: Missing) -> ScaleAnswers:
    """Answers that can carry a factor analysis."""
    answers = scale_answers(survey, items, inside=inside, missing=missing) if len(items) > 2 else None
    if answers is None or len(answers.items) < 3 or answers.n < 3 or answers.thin_pairs():
        raise DataError(
            say("A factor analysis needs three items that vary and respondents who answered both of any two.")
        )
    return answers


def _skipped(survey: Survey, scales: Mapping[str, list[str]], inside: Rows) -> list[str]:
    """Factors with an item that somebody was not asked."""
    return [
        name
        for name, columns in scales.items()
        if any((~numeric_answers(survey, c).asked & inside).any() for c in columns)
    ]


def _rows(analysis: FactorAnalysis, confirmed: Confirmed, found: Extracted, msa: Floats) -> pd.DataFrame:
    items, p = analysis.answers.items, len(analysis.answers.items)
    rows = confirmed.loadings.copy()
    rows.insert(0, "factor", [analysis.factor_of[item] for item in items])
    n = np.diagonal(analysis.moments.n_pairs)
    rows = rows.assign(df=analysis.df, n=n, n_missing=analysis.answers.n_asked - n)
    best = np.abs(found.loadings).argmax(axis=1)
    return rows.assign(
        found=best + 1, loading=found.loadings[np.arange(p), best], uniqueness=found.uniquenesses, msa=msa
    )


def _exploratory(found: Extracted, items: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = [f"F{j + 1}" for j in range(found.loadings.shape[1])]
    return pd.DataFrame(found.loadings, list(items), names), pd.DataFrame(found.correlations, names, names)
