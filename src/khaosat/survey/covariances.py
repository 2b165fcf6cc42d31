"""Design covariance of several estimates at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DesignError
from khaosat.stats.taylor import LonelyPSUError, covariance
from khaosat.survey.cells import lonely_message, sample_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def design_covariance(survey: Survey, influences: Floats, *, inside: NDArray[np.bool_]) -> Floats:
    """Covariance matrix of estimates from their weighted influences (respondents × p), zero outside the domain.

    Raises
    ------
    DesignError
        If a stratum has one unit and the design's rule has no variance for it.
    """
    try:
        return covariance(influences, drawn=sample_of(survey), lonely=survey.design.lonely_psu, inside=inside)
    except LonelyPSUError as error:
        raise DesignError(lonely_message(survey, error)) from error


def group_means(values: Floats, weights: Floats, *, group: Codes, n_groups: int) -> tuple[Floats, Floats]:
    r"""Weighted mean of each group (-1: in none), and the influences :math:`w_i (y_i - \bar y_g)/\sum_g w` on them."""
    inside = group >= 0
    size = np.bincount(group[inside], weights[inside], n_groups)
    total = np.bincount(group[inside], (weights * values)[inside], n_groups)
    means = np.divide(total, size, where=size > 0, out=np.full(n_groups, np.nan))
    influence = np.zeros((len(values), n_groups))
    rows = np.flatnonzero(inside)
    code = group[rows]
    influence[rows, code] = weights[rows] * (values[rows] - means[code]) / size[code]
    return means, influence
