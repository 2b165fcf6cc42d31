"""Plans for the next sample: how many to ask, in which strata, for which margin of error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DesignError
from khaosat.facts.language import number, percent, say
from khaosat.stats.allocation import Allocation, allocation_shares
from khaosat.survey.plan_inputs import (
    ByStratum,
    Strata,
    by_stratum,
    cluster_sizes,
    last_deff,
    spread_of_column,
    strata_of,
    whole_number,
)
from khaosat.survey.plan_result import SamplePlan
from khaosat.survey.plan_sizes import LEAST, Problem, Target

Floats = NDArray[np.float64]


def sample_plan(
    frame: pd.DataFrame,
    *,
    strata: str | Sequence[str] | None = None,
    margin: float | None = None,
    n: int | None = None,
    target: Target = "overall",
    share: ByStratum | None = None,
    sd: ByStratum | str | None = None,
    deff: ByStratum | Survey = 1.0,
    response: ByStratum = 1.0,
    allocation: Allocation = "proportional",
    power: float = 0.5,
    minimum: int = LEAST,
    maximum: int | None = None,
    clusters: str | None = None,
    per_cluster: int | None = None,
    rho: float | None = None,
    level: float = 0.95,
) -> SamplePlan:
    r"""Sample sizes by stratum for a margin of error, or the margin that a given size has.

    The margin of a stratum is :math:`z\sqrt{d(1 - n/N)}\,S/\sqrt n`; for a share, :math:`S^2 = p(1-p)N/(N-1)`. With
    clusters the design effect d is that of the last wave times :math:`1 + (k - 1)\rho`.

    Parameters
    ----------
    frame
        The list to draw from, one row a dossier or citizen.
    strata
        Columns of the list that make the strata.
    margin, n
        Half the width of the interval (0.03: three points), or how many answers in all. One of the two.
    target
        Whether ``margin`` is for all strata together or for each (``stratum``; ``allocation`` then has no say).
    share, sd
        What is measured: the share expected (default 0.5, the worst case) or a standard deviation. A number, a mapping
        by stratum, a result of the last wave (one row, or a row a stratum); ``sd`` also a numeric column of the list.
    deff
        Design effect: a number, a mapping, a result with ``deff=True``, or the last wave's survey (the mean over the
        shares satisfied of its questions). Without the part that ``rho`` tells.
    response
        Share of those invited who answer.
    allocation
        ``proportional``, ``neyman``, ``power`` (Bankier's, with exponent ``power``) or ``equal``.
    minimum, maximum
        Answers in a stratum, at least and at most.
    clusters, per_cluster, rho
        Column of the villages or wards to draw first, answers wanted in each, and their intraclass correlation.
    level
        Confidence level.

    Returns
    -------
    SamplePlan
        Strata columns, ``population``, ``n`` (answers), ``invited``, ``deff``, ``margin`` (of the stratum by itself);
        with clusters ``clusters, clusters_drawn``. Field ``overall``: the same for all together. ``plan.draw(ids=...)``
        draws the sample.

    Raises
    ------
    DesignError
        With every fault: strata of one, no rows, a margin that the list, the response or ``maximum`` cannot meet.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., ch. 4-5. Bankier (1988), The American Statistician 42, 174-177.
    Valliant, Dever and Kreuter (2018), Practical Tools, 2nd ed. Specification: ``docs/methods/ke-hoach-mau.md``.

    Examples
    --------
    >>> frame = pd.DataFrame({"ward": ["A"] * 3000 + ["B"] * 1000})
    >>> plan = sample_plan(frame, strata="ward", margin=0.05, response=0.8)
    >>> plan.rows[["ward", "population", "n", "invited"]].values.tolist()
    [['A', 3000, 263, 329], ['B', 1000, 88, 110]]
    """
    faults: list[str] = []
    if target not in get_args(Target):
        raise ValueError(f"target must be one of {', '.join(get_args(Target))}, not {target!r}")
    found = strata_of(frame, names(strata), faults)
    _check(
        margin,
        n,
        share=sd is None,
        minimum=minimum,
        maximum=maximum,
        cluster_parts=(clusters, per_cluster, rho),
        faults=faults,
    )
    spread, means = _spread(frame, found, share, sd, faults)
    given = last_deff(deff, faults) if isinstance(deff, Survey) else deff
    effect = by_stratum(given, found, name="deff", column="deff", holds=lambda x: x > 0, faults=faults)
    answer = by_stratum(response, found, name="response", column="estimate", holds=lambda x: (x > 0) & (x <= 1),
                        faults=faults)  # fmt: skip
    groups = None if clusters is None else cluster_sizes(frame, clusters, found, faults)
    if faults:
        raise DesignError("\n".join(faults))
    problem = Problem(
        strata=found, sd=spread, deff=effect * (1 + ((per_cluster or 1) - 1) * (rho or 0.0)), response=answer,
        shares=allocation_shares(found.population.astype(float), spread, method=allocation, power=power, means=means),
        low=minimum, high=maximum, cluster_sizes=groups, per_cluster=per_cluster or 1, level=level,
    )  # fmt: skip
    sizes = problem.sizes(margin, n, target=target)
    notes = _notes(problem, margin=margin, target=target, share=share, sd=sd, deff=effect, allocation=allocation,
                   minimum=minimum, maximum=maximum, rho=rho, power=power)  # fmt: skip
    return SamplePlan(
        rows=problem.rows(sizes), title=say("Sample plan"), notes=tuple(notes), overall=problem.overall(sizes),
        unit="share" if sd is None else "score", frame=frame, strata=names(strata), clusters=clusters,
    )  # fmt: skip


def _spread(
    frame: pd.DataFrame, strata: Strata, share: ByStratum | None, sd: ByStratum | str | None, faults: list[str]
) -> tuple[Floats, Floats | None]:
    """Standard deviation in each stratum, and the mean where it is known."""
    if share is not None and sd is not None:
        faults.append(say("Give share or sd, not both."))
    if isinstance(sd, str):
        return spread_of_column(frame, sd, strata, faults)
    if sd is not None:
        return by_stratum(sd, strata, name="sd", column="sd", holds=lambda x: x > 0, faults=faults), None
    expected = by_stratum(0.5 if share is None else share, strata, name="share", column="estimate",
                          holds=lambda x: (x > 0) & (x < 1), faults=faults)  # fmt: skip
    people = np.maximum(strata.population, 2)
    return np.sqrt(expected * (1 - expected) * people / (people - 1)), expected


def _check(
    margin: float | None, n: int | None, *, share: bool, minimum: int, maximum: int | None,
    cluster_parts: tuple[str | None, int | None, float | None], faults: list[str],
) -> None:  # fmt: skip
    if (margin is None) == (n is None):
        faults.append(say("Give margin or n, one of the two."))
    if margin is not None and not 0 < margin < (1 if share else np.inf):
        faults.append(say("{name} cannot be {value}.", name="margin", value=number(margin, 2)))
    whole_number(n, name="n", least=1, faults=faults)
    whole_number(minimum, name="minimum", least=1, faults=faults)
    whole_number(maximum, name="maximum", least=max(int(minimum), 1), faults=faults)
    given = [part is not None for part in cluster_parts]
    if any(given) and not all(given):
        faults.append(say("Give clusters, per_cluster and rho together."))
    whole_number(cluster_parts[1], name="per_cluster", least=1, faults=faults)
    if cluster_parts[2] is not None and not 0 <= cluster_parts[2] <= 1:
        faults.append(say("{name} cannot be {value}.", name="rho", value=number(cluster_parts[2], 2)))


def _notes(
    problem: Problem, *, margin: float | None, target: Target, share: ByStratum | None, sd: ByStratum | str | None,
    deff: Floats, allocation: Allocation, minimum: int, maximum: int | None, rho: float | None, power: float,
) -> Iterator[str]:  # fmt: skip
    yield say("Margins are half the width of {level} intervals, with the finite population correction.",
              level=percent(problem.level, 0))  # fmt: skip
    if sd is None and share is None:
        yield say("Shares of 50% are planned for: no other share needs a larger sample.")
    if margin is not None and target == "stratum":
        yield say("Sizes: the smallest that meet the margin in every stratum.")
    else:
        words = {
            "proportional": say("in proportion to the population"),
            "neyman": say("by population and spread (Neyman)"),
            "power": say("by population to the power {power} and relative spread (Bankier)", power=number(power, 2)),
            "equal": say("equally"),
        }
        yield say("Divided between strata {how}, fractions to the largest remainders.", how=words[allocation])
    bounds = say("at most {n}", n=maximum) if maximum is not None else say("no upper bound")
    yield say("Answers in a stratum: at least {least}, {bounds}.", least=minimum, bounds=bounds)
    low, high = float(deff.min()), float(deff.max())
    yield say("Design effect planned for: {deff}.",
              deff=number(low, 2) if low == high else f"{number(low, 2)}–{number(high, 2)}")  # fmt: skip
    if rho is not None:
        yield say(
            "In two stages: clusters by size, then {n} answers in each; an intraclass correlation of {rho} multiplies "
            "the design effect by {factor}.",
            n=problem.per_cluster, rho=number(rho, 3), factor=number(1 + (problem.per_cluster - 1) * rho, 2),
        )  # fmt: skip
    if problem.small_clusters:
        text = "{n} clusters of the list have fewer rows than are to be invited in each: all of theirs are invited."
        yield say(text, n=problem.small_clusters)
    least = float(problem.response.min())
    if least < 1:
        yield say(
            "More are invited than answers wanted: {rate} or more are expected to answer.", rate=percent(least, 0)
        )
