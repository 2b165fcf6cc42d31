"""Whether one slope a term serves all thresholds of a cumulative model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.ordinal import fit_ordinal, infinite_direction
from khaosat.stats.ordinal_links import OrdinalLink
from khaosat.stats.wald import wald_test
from khaosat.survey.model_frame import INTERCEPT, ModelFrame
from khaosat.survey.model_result import model_covariance

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def proportional_odds_test(
    survey: Survey, frame: ModelFrame, *, y: Codes, x: Floats, link: OrdinalLink, df: int
) -> pd.DataFrame:
    r"""Brant's test with the covariance of the design: all terms together (``term`` empty), then each.

    A model of :math:`Y \le k` is fitted at each threshold k; the Wald test is of equal slopes between them.

    References
    ----------
    Brant (1990), Biometrics 46, 1171-1178.
    """
    n_cuts, p = int(y.max()), x.shape[1]
    matrix = frame.matrix()
    terms = [term for name, term in zip(matrix.names, matrix.terms, strict=True) if name != INTERCEPT]
    groups = {"": list(range(p))} | {term: [j for j in range(p) if terms[j] == term] for term in terms}
    fits = _fits(y, x, weights=survey.arrays.weights[frame.used], link=link) if p and n_cuts > 1 else None
    if fits is None:
        tests = [(np.nan, len(places) * max(n_cuts - 1, 0), np.nan, np.nan) for places in groups.values()]
    else:
        slopes = np.concatenate([slope for slope, _ in fits])
        variance = model_covariance(survey, np.hstack([influence for _, influence in fits]), used=frame.used)
        tests = []
        for places in groups.values():
            differences = np.vstack([_difference(j, k, p, n_cuts) for k in range(1, n_cuts) for j in places])
            tests.append(wald_test(differences @ slopes, differences @ variance @ differences.T, df=df))
    rows = pd.DataFrame(tests, columns=["statistic", "df1", "df2", "p_value"])
    rows.insert(0, "term", list(groups))
    return rows if n_cuts > 1 and p else rows.iloc[:0]


def _difference(j: int, k: int, p: int, n_cuts: int) -> Floats:
    """Slope j at threshold k less that at the first."""
    row = np.zeros(p * n_cuts)
    row[j], row[k * p + j] = -1, 1
    return row


def _fits(y: Codes, x: Floats, *, weights: Floats, link: OrdinalLink) -> list[tuple[Floats, Floats]] | None:
    """Slopes and their influence values at each threshold; None if one of the models has no finite estimate."""
    found = []
    for cut in range(int(y.max())):
        above = (y > cut).astype(np.intp)
        fit = fit_ordinal(above, x, weights=weights, link=link)
        if not fit.converged or infinite_direction(above, x, fit=fit) is not None:
            return None
        found.append((fit.coef[:-1], fit.influence[:, :-1]))
    return found
