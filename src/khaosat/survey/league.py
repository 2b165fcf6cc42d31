"""League tables of units: what is known of each, pooled with the others, and how far ranks can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.facts import privacy_threshold
from khaosat.facts.language import percent, say
from khaosat.stats.intervals import ShareInterval, check_level
from khaosat.stats.rank_sets import RankSets, interval_rank_sets, rank_sets, tiers
from khaosat.stats.small_area import AreaMethod, Benchmark
from khaosat.survey.answers import Level
from khaosat.survey.league_plot import unit_names
from khaosat.survey.league_pool import Pool
from khaosat.survey.league_result import LeagueTable
from khaosat.survey.league_units import Smooth, Units, covariate_matrix, direct_units
from khaosat.survey.means import variable_words

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Best = Literal["high", "low"]
RankMethod = Literal["differences", "intervals"]


def league_table(
    survey: Survey,
    variable: str,
    *,
    by: str | Sequence[str],
    at: Level | Sequence[Level] | None = None,
    where: str | None = None,
    shrink: bool = True,
    covariates: pd.DataFrame | None = None,
    method: AreaMethod = "reml",
    benchmark: Benchmark = "ratio",
    smooth: Smooth = "unstable",
    best: Best = "high",
    ranks: RankMethod = "differences",
    min_n: int | None = None,
    level: float = 0.95,
    ci: ShareInterval = "logit",
    draws: int = 2_000,
    rng: np.random.Generator | None = None,
) -> LeagueTable:
    r"""Units side by side: direct and pooled estimates, and the ranks that the data can tell apart.

    Pooled (Fay-Herriot): :math:`\tilde\theta_i = \gamma_i y_i + (1 - \gamma_i) x_i'\hat\beta`,
    :math:`\gamma_i = A/(A + D_i)`. Ranks are those of the direct estimates; their sets hold for all units at once.

    Parameters
    ----------
    survey, where, level, ci
        As in :func:`khaosat.survey.proportion`.
    variable
        Question or numeric column.
    by
        Column that says which unit an answer is about, or several whose combinations are units.
    at
        Answers counted together; None: units are compared by their means.
    shrink
        Whether to pool.
    covariates
        What else is known of the units: numeric columns, one row a unit, indexed by unit. None: the units' mean alone.
    method
        Estimate of the variance between units: ``reml``, ``ml``, or by moments ``fh`` or ``prasad_rao``.
    benchmark
        How pooled estimates are made to add up to the direct estimate of all units together: ``ratio``, ``difference``.
    smooth
        Which sampling variances come from a function of the unit's size: ``unstable`` (zero, or from fewer than ten
        primary units), ``all``, ``none`` (units without a variance are then not ranked).
    best
        Whether rank 1 is the highest or the lowest estimate.
    ranks
        Rank sets from all ``differences`` (step-down), or from joint ``intervals`` of the units (simple, wider).
    min_n
        Units with fewer answers are listed, not ranked; None: the privacy threshold.
    draws, rng
        Bootstrap of the differences; None: a fixed seed, so that the sets come again.

    Returns
    -------
    LeagueTable
        Best unit first: ``variable``, ``by`` columns, ``estimate, se, low, high, df, n, n_missing`` (shares:
        ``numerator, denominator``), ``sampling_se`` (what pooling and ranking go by), ``synthetic, pooled, pooled_se,
        pooled_low, pooled_high, shrinkage`` (weight of the direct estimate), ``benchmarked``, then ``rank, rank_low,
        rank_high, group``: units of one group cannot be told apart. Fields: ``fit``, ``coefficients``,
        ``covariance``.

    Raises
    ------
    DataError
        If covariates do not fit the units.

    References
    ----------
    Fay and Herriot (1979), JASA 74, 269-277. Rao and Molina (2015), Small Area Estimation, 2nd ed., ch. 6. Mogstad,
    Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, 476-518. Klein, Wright and Wieczorek (2020),
    JRSS A 183, 589-606. Specification: ``docs/methods/bang-xep-hang.md``.

    Examples
    --------
    >>> frame = pd.DataFrame({"unit": list("ABC") * 40, "q": [5, 4, 1, 4, 5, 2, 5, 3, 1, 3, 4, 3] * 10})
    >>> league = league_table(Survey(responses=frame), "q", by="unit")
    >>> league.rows[["unit", "rank", "rank_low", "rank_high", "group"]].values.tolist()
    [['A', 1, 1, 2, 1], ['B', 2, 1, 2, 1], ['C', 3, 3, 3, 2]]
    """
    _check(best=best, ranks=ranks, smooth=smooth, method=method, benchmark=benchmark)
    if not names(by):
        raise ValueError("by names no column: a league table needs units")
    check_level(level)
    if draws * (1 - level) < 1:
        raise ValueError(f"draws is {draws}: {level:.0%} sets need {1 / (1 - level):.0f} at least, better 1,000")
    units = direct_units(survey, variable, by=by, at=at, where=where, level=level, ci=ci, smooth=smooth)
    enough = privacy_threshold("respondents") if min_n is None else min_n
    rows = units.direct.rows.assign(sampling_se=np.sqrt(units.sampling.variance))
    pool = None
    if shrink:
        x = None if covariates is None else covariate_matrix(covariates, rows[list(names(by))])
        pool = Pool(units=units, covariates=x, method=method, benchmark=benchmark, level=level)
        rows = rows.assign(**pool.columns)
    ranked = units.known & (rows["n"].to_numpy() >= enough)
    source = rng if rng is not None else np.random.default_rng(0)
    sets = _rank(units, ranked, best=best, ranks=ranks, level=level, draws=draws, rng=source)
    rows = rows.assign(**_spread(sets, ranked))
    labels = unit_names(rows, names(by))
    notes = (
        *units.direct.notes,
        *(_rank_notes(best=best, ranks=ranks, level=level, draws=draws) if ranked.any() else ()),
        *_variance_notes(units), *(pool.words() if pool else ()), *_unranked_notes(units, ranked, enough),
    )  # fmt: skip
    order = rows["rank"].astype(float).argsort(kind="stable").to_numpy()
    order = np.concatenate([order[ranked[order]], np.flatnonzero(~ranked)])
    return LeagueTable(
        rows=rows.iloc[order].reset_index(drop=True),
        title=say("Units compared: {variable}", variable=variable_words(survey, [variable])), notes=notes,
        unit=units.direct.unit, questionnaire=survey.questionnaire,
        fit=pool.fit if pool else pd.DataFrame(), coefficients=pool.coefficients if pool else pd.DataFrame(),
        covariance=pd.DataFrame(units.covariance, index=labels, columns=labels), units=names(by),
        together=units.together,
    )  # fmt: skip


def _check(**chosen: str) -> None:
    known = {"best": Best, "ranks": RankMethod, "smooth": Smooth, "method": AreaMethod, "benchmark": Benchmark}
    for name, value in chosen.items():
        if value not in get_args(known[name]):
            raise ValueError(f"{name} must be one of {', '.join(get_args(known[name]))}, not {value!r}")


def _rank(
    units: Units, ranked: Rows, *, best: Best, ranks: RankMethod, level: float, draws: int, rng: np.random.Generator
) -> RankSets:
    towards = units.estimate[ranked] * (1 if best == "high" else -1)
    df = units.sampling.df[ranked]
    if ranks == "intervals":
        return interval_rank_sets(towards, np.sqrt(units.sampling.variance[ranked]), df=df, level=level)
    return rank_sets(
        towards, units.covariance[np.ix_(ranked, ranked)], df=df, together=units.sampling.smoothed[ranked], level=level,
        draws=draws, rng=rng,
    )  # fmt: skip


def _spread(sets: RankSets, ranked: Rows) -> dict[str, pd.Series]:
    """Columns of the ranks, empty for units that are not ranked."""
    found = {"rank": sets.rank, "rank_low": sets.low, "rank_high": sets.high}
    found["group"] = tiers(sets.better)
    columns = {}
    for name, values in found.items():
        column = pd.Series(pd.NA, index=range(len(ranked)), dtype="Int64")
        column[ranked] = values
        columns[name] = column
    return columns


def _rank_notes(*, best: Best, ranks: RankMethod, level: float, draws: int) -> Iterator[str]:
    direction = say("the highest") if best == "high" else say("the lowest")
    yield say(
        "Rank 1 is {direction} direct estimate. All rank intervals hold at once with {level} confidence: {method}. "
        "Units of one group cannot be told apart; each unit of a later group is clearly behind one of the group "
        "before.",
        direction=direction, level=percent(level, 0),
        method=say("every pair of units compared, step by step, {n} bootstrap draws", n=draws)
        if ranks == "differences" else say("joint intervals of the units (Šidák)"),
    )  # fmt: skip


def _variance_notes(units: Units) -> Iterator[str]:
    smoothed = units.sampling.smoothed & units.known
    if smoothed.any():
        yield say(
            "{n} units have no sampling variance of their own to trust (zero, as where all answer alike, or from few "
            "primary units): theirs follows from their size, by a function fitted to all units.",
            n=int(smoothed.sum()),
        )


def _unranked_notes(units: Units, ranked: Rows, enough: int) -> Iterator[str]:
    left, rows = int((~ranked).sum()), units.direct.rows
    if len(rows) and (rows["df"] <= 0).all() and not units.known.any():
        yield say(
            "Every unit lies in one primary unit, so nothing shows how far chance moves it. To compare the sampled "
            "primary units with each other, name them as strata and the next stage as clusters."
        )
    elif left:
        text = "{n} units have not enough data to be ranked (fewer than {least} answers, or no variance): listed last."
        yield say(text, n=left, least=enough)
