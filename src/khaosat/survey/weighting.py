"""Weights that meet what is known about the population: poststratification, raking, calibration, trimming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DesignError
from khaosat.facts.language import say
from khaosat.stats.calibration import Bounds, Fit, Method, calibration_factors, indicators, projection
from khaosat.survey.adjustments import (
    Calibration,
    adjusted,
    calibration_words,
    fitted_to_margins,
    refuse_unmet,
    trim_to,
)
from khaosat.survey.margins import Counts, Totals, Variable, margins_of, refuse, totals_of

Floats = NDArray[np.float64]


def poststratify(
    survey: Survey, targets: Mapping[Variable, Counts], *, trim: tuple[float, float] | None = None
) -> Survey:
    r"""Weights that bring each group to its known size: :math:`w_i = d_i N_g / \sum_g d`.

    Parameters
    ----------
    survey
        Answers and design.
    targets
        One column with the number of people at each of its levels; a tuple of columns, and of levels, for groups that
        cross several.
    trim
        Bounds of the weights afterwards, as in :func:`trim_weights`.

    Returns
    -------
    Survey
        The same answers with new weights, whose variance knows that the sizes are fixed.

    Notes
    -----
    The influence u of a respondent on any estimate is replaced by :math:`u - \bar u_g`, its distance from the weighted
    mean of the group. For several margins known one by one use :func:`rake`. Derived in
    docs/methods/hieu-chinh-quyen-so.md.

    References
    ----------
    Holt and Smith (1979), Journal of the Royal Statistical Society A 142, 33-46.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"ward": ["A", "A", "B"], "q": [1, 3, 5]}))
    >>> poststratify(survey, {"ward": {"A": 50, "B": 50}}).arrays.weights.tolist()
    [25.0, 25.0, 50.0]
    """
    if len(targets) > 1:
        raise DesignError(
            say("poststratify takes one classification: cross the columns in a tuple, or use rake for several margins.")
        )
    margins = margins_of(survey, targets)
    return fitted_to_margins(survey, margins, theory=True, trim=trim, max_iterations=2, tolerance=1e-12)


def rake(
    survey: Survey,
    targets: Mapping[Variable, Counts],
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-12,
    trim: tuple[float, float] | None = None,
) -> Survey:
    r"""Weights that meet several margins at once, by iterative proportional fitting.

    :math:`w_i = d_i \prod_m a_{m, g(i)}` with the factors a such that every level of every margin m has its known
    number.

    Parameters
    ----------
    survey
        Answers and design.
    targets
        Columns (or tuples of columns that are crossed), each with the number of people at each level.
    max_iterations, tolerance
        Rounds, and the relative gap to a known number at which to stop.
    trim
        Bounds of the weights afterwards, as in :func:`trim_weights`; margins are then no longer met exactly.

    Returns
    -------
    Survey
        The same answers with new weights, whose variance knows that the margins are fixed. If the survey has replicate
        weights, each replicate is raked as well.

    Raises
    ------
    DesignError
        If the numbers do not fit the answers or each other, or cannot be met: with all of them.

    Notes
    -----
    Influence values are replaced by their residuals from the margins, taken out in turn in ten rounds of unweighted
    regression as in R survey's ``rake``; ``calibrate(method="raking")`` gives the same weights with one regression
    under the design weights.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11, 427-444. Deville, Särndal and Sautory (1993),
    Journal of the American Statistical Association 88, 1013-1020.

    Examples
    --------
    >>> frame = pd.DataFrame({"ward": ["A", "A", "B", "B"], "sex": ["f", "m", "f", "m"]})
    >>> raked = rake(Survey(responses=frame), {"ward": {"A": 30, "B": 70}, "sex": {"f": 60, "m": 40}})
    >>> raked.arrays.weights.round(6).tolist()
    [18.0, 12.0, 42.0, 28.0]
    """
    margins = margins_of(survey, targets)
    return fitted_to_margins(
        survey, margins, theory=False, trim=trim, max_iterations=max_iterations, tolerance=tolerance
    )


def calibrate(
    survey: Survey,
    totals: Mapping[Variable, float | Counts] | pd.Series,
    *,
    method: Method = "linear",
    bounds: Bounds | None = None,
    trim: tuple[float, float] | None = None,
    cluster_level: bool = False,
    max_iterations: int = 200,
    tolerance: float = 1e-12,
) -> Survey:
    r"""Weights nearest to the design's that meet known totals: :math:`w_i = d_i F(x_i^\top\lambda)`.

    Parameters
    ----------
    survey
        Answers and design.
    totals
        Columns with the number of people at each level, numeric columns with their total, ``"(Intercept)"`` with the
        number of people; or the coefficients of a model formula (``stypeH``, ``stypeH:api99``) with their totals.
    method
        ``linear`` (the generalised regression estimator), ``raking`` (weights stay positive) or ``logit`` (weights stay
        between the bounds).
    bounds
        Smallest and largest factor w/d, lower < 1 < upper; ``linear`` and ``raking`` are cut off there.
    trim
        Bounds of the weights afterwards, as in :func:`trim_weights`.
    cluster_level
        One factor for all respondents of a primary unit.
    max_iterations, tolerance
        Newton steps, and the relative gap to a total at which to stop.

    Returns
    -------
    Survey
        The same answers with new weights, whose variance knows that the totals are fixed.

    Raises
    ------
    DesignError
        If the totals do not fit the answers or each other, or cannot be met within the bounds: with all of them.

    Notes
    -----
    The influence u of a respondent on any estimate is replaced by :math:`u - x^\top\hat\beta`, the residual of its
    regression on x under the weights before; all three methods share this variance (Deville and Särndal 1992).

    References
    ----------
    Deville and Särndal (1992), Journal of the American Statistical Association 87, 376-382.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"age": [20.0, 40.0, 60.0], "q": [1, 3, 5]}))
    >>> calibrate(survey, {"(Intercept)": 300, "age": 12600}).arrays.weights.round(6).tolist()
    [85.0, 100.0, 115.0]
    """
    refuse(_option_faults(survey, method, bounds, cluster_level))
    known = totals_of(survey, totals)
    base = survey.arrays.weights
    if cluster_level:
        known = replace(known, x=_cluster_means(known, survey.arrays.units[0], base))
    options = {"method": method, "bounds": bounds, "max_iterations": max_iterations, "tolerance": tolerance}

    def fit_to(weights: Floats) -> Fit:
        fit = calibration_factors(known.x, weights=weights, totals=known.targets, **options)  # type: ignore[arg-type]
        refuse_unmet(known.labels, known.targets, fit, tolerance=tolerance)
        return fit

    fit = fit_to(base)
    return adjusted(
        survey,
        Calibration(
            weights=base * fit.factors,
            projection=projection(known.x, weights=base * fit.factors, regression=base),
            refit=lambda weights: np.column_stack([column * fit_to(column).factors for column in weights.T]),
            described=lambda: calibration_words(method, known, fit, base * fit.factors),
        ),
        trim=trim,
    )


def trim_weights(survey: Survey, *, lower: float = 0.0, upper: float = np.inf, strict: bool = False) -> Survey:
    """Weights cut off at bounds; what was cut off is shared equally among the others, so that their sum stays.

    Parameters
    ----------
    survey
        Answers and design, calibrated or not.
    lower, upper
        Bounds of the weights.
    strict
        Trim again where the sharing carried a weight past a bound.

    Returns
    -------
    Survey
        The same answers with trimmed weights. Margins met before are met only roughly now; the variance still takes
        the residuals of the earlier calibration.

    References
    ----------
    Potter (1990), Proceedings of the Section on Survey Research Methods, American Statistical Association, 225-230.

    Examples
    --------
    >>> survey = poststratify(Survey(responses=pd.DataFrame({"g": ["a", "b", "b"]})), {"g": {"a": 8, "b": 4}})
    >>> trim_weights(survey, upper=6).arrays.weights.tolist()
    [6.0, 3.0, 3.0]
    """
    if not lower < upper:
        raise DesignError(say("Weights cannot be trimmed to {lower}–{upper}.", lower=lower, upper=upper))
    return trim_to(survey, lower=lower, upper=upper, strict=strict)


def _cluster_means(known: Totals, unit: NDArray[np.intp], weights: Floats) -> object:
    """Weighted means of the calibration variables in each primary unit, for each of its respondents."""
    from scipy.sparse import csr_array

    _, place = np.unique(unit, return_inverse=True)
    member = indicators([place], sizes=[int(place.max()) + 1])
    size = member.T @ weights
    inverse = np.divide(1.0, size, where=size != 0, out=np.zeros_like(size))  # a unit in which nobody responded
    sums = member.T @ csr_array(known.x.multiply(weights[:, None]))
    return csr_array(member @ csr_array(sums.multiply(inverse[:, None])))


def _option_faults(survey: Survey, method: Method, bounds: Bounds | None, cluster_level: bool) -> list[str]:
    faults = []
    if method not in ("linear", "raking", "logit"):
        faults.append(say("method is {method!r}: it must be one of linear, raking, logit.", method=method))
    if bounds is not None and not 0 <= bounds[0] < 1 < bounds[1]:
        faults.append(say("Bounds of the factors are {bounds}: they must lie on either side of 1.", bounds=bounds))
    if method == "logit" and (bounds is None or not np.isfinite(bounds[1])):
        faults.append(say("method='logit' needs finite bounds, as in bounds=(0.5, 2)."))
    if cluster_level and not survey.design.clusters:
        faults.append(say("cluster_level=True needs a design with clusters."))
    return faults
