"""Replicate weights made from a design, and estimates from each replicate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.domain.weighting import ReplicateMethod, Replicates
from khaosat.errors import DesignError
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.stats.replicates import Multipliers, bootstrap, half_samples, jackknife, rank

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_DRAWS = 500
_RANKS: WeakKeyDictionary[Survey, int] = WeakKeyDictionary()


def replicates(
    survey: Survey,
    *,
    method: ReplicateMethod = "jackknife",
    rng: np.random.Generator | None = None,
    n: int | None = None,
    rho: float = 0.3,
) -> Survey:
    r"""The same survey with replicate weights: every variance is then :math:`\sum_r c_r (\hat\theta_r - \bar\theta)^2`.

    Parameters
    ----------
    survey
        Answers and design. What was done to its weights (``rake`` and the like) is done to every replicate.
    method
        ``jackknife`` (one primary unit left out at a time: JKn, without strata JK1), ``bootstrap`` (Rao and Wu),
        ``brr`` (balanced half samples, for two units a stratum) or ``fay`` (``brr`` with units weighted down instead of
        left out).
    rng, n
        Source of randomness (None: a fixed seed, so that the numbers come again) and number of replicates (500) of the
        bootstrap.
    rho
        Fay's method: what the unit weighted down keeps of its weight.

    Returns
    -------
    Survey
        Means, totals, ratios, shares and the index are computed anew in every replicate; other estimates take the
        variance of their influence values over the replicates.

    Raises
    ------
    DesignError
        If the design does not allow the method.

    Notes
    -----
    Replicates stand for the first stage; its finite population correction is kept by ``jackknife`` and ``bootstrap``
    and lost by ``brr`` and ``fay``. Degrees of freedom stay those of the design.

    References
    ----------
    Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3-5. Rao, Wu and Yue (1992), Survey Methodology 18,
    209-217. Judkins (1990), Journal of Official Statistics 6, 223-239.

    Examples
    --------
    >>> import pandas as pd
    >>> from khaosat.survey import mean
    >>> survey = Survey(responses=pd.DataFrame({"q": [1, 2, 3, 6]}))
    >>> mean(replicates(survey), "q").rows[["estimate", "se"]].round(4).values.tolist()
    [[3.0, 1.0801]]
    """
    arrays = survey.drawn
    _, first, unit = np.unique(arrays.units[0], return_index=True, return_inverse=True)
    strata = np.unique(arrays.strata[0][first], return_inverse=True)[1]
    fractions = np.bincount(strata)[strata] / arrays.populations[0][first]
    faults = _faults(survey, method, n=n, rho=rho, strata=strata, fractions=fractions)
    if faults:
        raise DesignError("\n".join(faults))
    if method == "jackknife":
        made: Multipliers = jackknife(strata, fractions=fractions)
    elif method == "bootstrap":
        source = rng if rng is not None else np.random.default_rng(0)
        made = bootstrap(strata, fractions=fractions, n=n or _DRAWS, rng=source)
    else:
        made = half_samples(strata, rho=rho if method == "fay" else 0.0)
    weights = arrays.weights[:, None] * made.weights[unit.reshape(-1)]
    for change in survey.adjustments:
        weights = change.apply(weights)
    by_unit = None if survey.adjustments else made.weights
    again = Replicates(
        weights=weights, factors=made.factors, method=method, multipliers=by_unit, unit=unit.reshape(-1)
    )  # fmt: skip
    return replace(survey, replicates=again)


def replicate_sums(survey: Survey, made: Replicates, *, values: Floats, code: Codes, n_cells: int) -> Floats:
    """Weighted sum of ``values`` in each cell (-1: in none) under every replicate's weights: cells × replicates."""
    from scipy.sparse import csr_array

    rows = np.flatnonzero(code >= 0)
    if made.multipliers is not None and made.unit is not None:
        n_units = len(made.multipliers)
        place, weighted = code[rows] * n_units + made.unit[rows], (values * survey.arrays.weights)[rows]
        sums = np.bincount(place, weighted, n_cells * n_units).reshape(n_cells, n_units)
        return np.asarray(sums @ made.multipliers, dtype=float)
    table = csr_array((values[rows], (code[rows], rows)), shape=(n_cells, len(code)))
    return np.asarray(table @ made.weights, dtype=float)


def replicate_df(survey: Survey) -> int | None:
    """Degrees of freedom that replicate columns given with the data carry; None if the design tells."""
    made = survey.replication
    if made is None or not made.given:
        return None
    if survey not in _RANKS:
        columns = list(names(survey.design.replicate_weights))  # as given: raking them adds no information on variances
        _RANKS[survey] = rank(survey.responses[columns].to_numpy(dtype=float)) - 1
    return _RANKS[survey]


def weighting_notes(survey: Survey) -> Iterator[str]:
    """What was done to the weights and where the variance comes from."""
    for change in survey.adjustments:
        yield from change.words()
    made = survey.replication
    if made is None:
        return
    yield say("Variance from {n} replicates ({method}).", n=made.n, method=term(made.method))
    if made.given:
        return
    if made.method in ("brr", "fay") and survey.design.fpc:
        yield say("These replicates know no finite population correction: standard errors are a little too large.")
    elif len(names(survey.design.fpc)) > 1:
        yield say("Replicates stand for the first stage: the variance below it is left out.")


def _faults(
    survey: Survey, method: ReplicateMethod, *, n: int | None, rho: float, strata: Codes, fractions: Floats
) -> list[str]:
    faults = []
    if method not in get_args(ReplicateMethod):
        methods = ", ".join(get_args(ReplicateMethod))
        faults.append(say("method is {method!r}: it must be one of {methods}.", method=method, methods=methods))
    if survey.design.replicate_weights is not None:
        faults.append(say("The design names replicate weights already: use those, or leave them out of the design."))
    if n is not None and (method != "bootstrap" or n < 2):
        faults.append(say("n is the number of bootstrap replicates, at least 2."))
    if not 0 <= rho < 1:
        faults.append(say("rho is {rho}: it must be at least 0 and less than 1.", rho=rho))
    drawn = np.bincount(strata)
    if method in ("brr", "fay") and (drawn != 2).any():
        faults.append(
            say("{n} strata do not have exactly two primary units, which half samples need.", n=int((drawn != 2).sum()))
        )
    alone = int(((drawn[strata] == 1) & (fractions < 1 - 1e-12)).sum())
    if method in ("jackknife", "bootstrap") and alone and survey.design.lonely_psu not in ("remove", "certainty"):
        faults.append(
            say(
                "{n} strata have one primary unit: choose lonely_psu='remove' or 'certainty', or join strata; no other "
                "rule is defined for replicates.",
                n=alone,
            )
        )
    if len(strata) < 2:
        faults.append(say("One primary unit makes no replicates."))
    return faults
