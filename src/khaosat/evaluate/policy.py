"""Did something change when a policy began, and could the data have shown it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import Definition
from khaosat.engine.query import Deadline
from khaosat.errors import DataError, KhaosatError
from khaosat.evaluate.policy_cells import Cells, Measure, from_frame, from_log
from khaosat.evaluate.policy_checks import Robust
from khaosat.evaluate.policy_dates import Moment, as_policy, others_between
from khaosat.evaluate.policy_did import Scale, differences
from khaosat.evaluate.policy_its import Season, interrupted
from khaosat.evaluate.policy_result import Method, PolicyEffect
from khaosat.facts.language import say

Control = DossierLog | pd.DataFrame | Sequence[object] | None


def policy_effect(
    series: DossierLog | pd.DataFrame,
    *,
    when: Moment | Mapping[str, Moment],
    method: Method = "its",
    control: Control = None,
    treated: Sequence[object] | None = None,
    by: str | None = None,
    measure: Measure = "late",
    definition: Definition = "closed",
    deadline: Deadline = "original",
    since: Period | str | None = None,
    until: Period | str | None = None,
    gap: int = 0,
    season: Season = "auto",
    scale: Scale = "share",
    errors: Robust = "auto",
    leads: int | None = None,
    permutations: int = 999,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> PolicyEffect:
    r"""What changed with a policy: a series before and after, or units with it against units without.

    ``its``: :math:`y_t = \alpha + \beta t + \gamma A_t + \delta A_t (t - t_0) + s(t) + \varepsilon_t` with first-order
    autoregressive errors. ``did``: :math:`y_{it} = \alpha_i + \beta_t + \tau_{it} A_{it} + \varepsilon_{it}`, the mean
    of :math:`\tau_{it}` over treated cells.

    Parameters
    ----------
    series
        A log (its late shares by month), or a frame with ``period`` (or ``month, quarter, week, date``), ``numerator``
        and ``denominator`` or a ``value`` (and its ``weight``), and a unit where there are several.
    when
        A day, a policy by name (``directive_2023, plan_2024, merger_2025``), or for ``did`` the day of each treated
        unit. The period counts as after if most of it lies on or after the day.
    method
        ``its`` or ``did``.
    control
        Of ``its``: a series that the policy did not reach, as a frame, a log, units of ``by`` or ``"others"`` (those
        not in ``treated``); the difference is then analysed. Of ``did``: the units to compare with; None: all others.
    treated
        The units the policy reached; None: all of the series (``its``), or those in ``when`` (``did``).
    by
        Column that holds the units; of a log one of those that it can be grouped by. Default in a frame: ``unit``.
    measure
        Of a log: ``late``, or ``supplement``, the share of dossiers received in a month that were asked for one.
    definition, deadline
        Of a log: as in :func:`khaosat.on_time`.
    since, until
        First and last period used.
    gap
        Periods left out from the day on, in which the policy was phased in.
    season
        ``auto``: sines and cosines of the year from 24 periods and two years on, ``none``, ``harmonics``, ``months``.
    scale
        Of ``did``: ``share``, or ``odds`` for an odds ratio.
    errors
        Of ``did``: ``unit``, robust to anything within a unit (Bell and McCaffrey's df); ``dispersion``, cells
        independent; ``auto``: by unit, and with fewer than 10 treated or other units the wider of the two.
    leads
        Of ``did``: periods before adoption that are tested for other trends; None: up to 6.
    permutations
        Of ``did`` with few units: how often the dates are dealt out anew; 0: never.
    level
        Confidence level.
    rng
        Of the permutations; None: a fixed one.

    Returns
    -------
    PolicyEffect
        ``rows``: ``level, slope, average`` (over cases), ``end``; of ``did`` ``average`` or ``odds_ratio``; in shares
        (0.01 = one percentage point) or the unit of the values. Fields ``series, events, checks, placebos``.

    Raises
    ------
    DataError
        If the day lies outside the series, units are unknown, or counts are impossible.

    Notes
    -----
    Fewer than 4 periods before or after: nothing is estimated, and a note says so. Errors averaged over their memory,
    and imputation rather than one regression: :mod:`khaosat.stats.interrupted`,
    :func:`khaosat.stats.imputation.impute`. The notes say what is assumed. docs/methods/danh-gia-chinh-sach.md.

    References
    ----------
    Turner et al. (2021), BMC Medical Research Methodology 21, 134. Bernal, Cummins and Gasparrini (2017),
    International Journal of Epidemiology 46, 348-355. Borusyak, Jaravel and Spiess (2024), Review of Economic Studies
    91, 3253-3285. MacKinnon and Webb (2020), Journal of Econometrics 218, 435-450.

    Examples
    --------
    >>> months = [f"2025-{month:02d}" for month in range(1, 13)]
    >>> late = [30, 33, 31, 35, 32, 34, 33, 20, 22, 19, 21, 20]
    >>> series = pd.DataFrame({"month": months, "numerator": late, "denominator": 200})
    >>> found = policy_effect(series, when="2025-08-01")
    >>> found.rows.set_index("effect")["estimate"].round(3).to_dict()
    {'level': -0.068, 'slope': -0.002, 'average': -0.072, 'end': -0.077}
    """
    if method not in ("its", "did"):
        raise KhaosatError(f"method is {method!r}: it must be its or did")
    if gap < 0:
        raise KhaosatError(f"gap is {gap}: it must be 0 or more periods")
    if isinstance(when, Mapping) and method == "its":
        raise DataError(say("A day for each unit needs method='did'; one series has one day."))
    if control is not None and not isinstance(control, DossierLog | pd.DataFrame | str):
        control = list(control)
    read = {"by": by, "measure": measure, "definition": definition, "deadline": deadline}
    cells = _within(_cells(series, **read), since, until)  # type: ignore[arg-type]
    if method == "its":
        result = _its(cells, control, treated, when, read, (since, until), gap=gap, season=season, level=level)
    else:
        days = _days(cells, when, treated, control)
        if isinstance(control, list):
            cells = cells.of([*days, *control])
        result = differences(cells, days, gap=gap, scale=scale, errors=errors, leads=leads, level=level,
                             permutations=permutations, rng=rng or np.random.default_rng(0))  # fmt: skip
    return _titled(result, when, cells, measure=measure)


def _cells(
    series: DossierLog | pd.DataFrame, *, by: str | None, measure: Measure, definition: Definition, deadline: Deadline
) -> Cells:
    if isinstance(series, DossierLog):
        return from_log(series, by=by, measure=measure, definition=definition, deadline=deadline)
    return from_frame(series, by=by)


def _within(cells: Cells, since: Period | str | None, until: Period | str | None) -> Cells:
    frame = cells.frame
    first = frame["period"].min() if since is None else pd.Period(as_period(since).start, freq=cells.freq).ordinal
    last = frame["period"].max()
    if until is not None:
        last = pd.Period(as_period(until).end - dt.timedelta(days=1), freq=cells.freq).ordinal
    kept = frame[frame["period"].between(first, last)].reset_index(drop=True)
    if kept.empty:
        raise DataError(say("The series has no period with cases."))
    return replace(cells, frame=kept)


def _its(
    cells: Cells, control: Control, treated: Sequence[object] | None, when: Moment | Mapping[str, Moment],
    read: Mapping[str, object], window: tuple[Period | str | None, Period | str | None], *, gap: int, season: Season,
    level: float,
) -> PolicyEffect:  # fmt: skip
    others: Cells | None = None
    if isinstance(control, DossierLog | pd.DataFrame):
        others = _within(_cells(control, **read), *window)  # type: ignore[arg-type]
    elif control is not None:
        others = cells.of(_others(cells, treated) if control == "others" else _known(cells, control))
    if treated is not None:
        cells = cells.of(_known(cells, treated))
    elif isinstance(control, list):
        cells = cells.of([unit for unit in pd.unique(cells.frame["unit"]) if unit not in set(control)])
    day = as_policy(when).day  # type: ignore[arg-type]
    return interrupted(cells, others, day=day, gap=gap, season=season, level=level)


def _others(cells: Cells, treated: Sequence[object] | None) -> list[object]:
    if treated is None:
        raise DataError(say("control='others' needs the treated units: name them in treated."))
    reached = set(_known(cells, treated))
    others = [unit for unit in pd.unique(cells.frame["unit"]) if unit not in reached]
    if not others:
        raise DataError(say("Every unit of the series is treated: no other is left to compare with."))
    return others


def _known(cells: Cells, units: Sequence[object]) -> list[object]:
    wanted: list[object] = [units] if isinstance(units, str) else list(units)
    there = pd.unique(cells.frame["unit"])
    unknown = [str(unit) for unit in wanted if unit not in set(there)]
    if unknown or not wanted:
        raise DataError(
            say("The series has no unit {units}; it has {known}.", units=", ".join(unknown) or "–",
                known=", ".join(str(unit) for unit in there[:20]))
        )  # fmt: skip
    return wanted


def _days(
    cells: Cells, when: Moment | Mapping[str, Moment], treated: Sequence[object] | None, control: Control
) -> dict[object, dt.date]:
    """The day of each treated unit."""
    if isinstance(control, DossierLog | pd.DataFrame):
        raise DataError(say("With method='did' control names units of the series."))
    if isinstance(when, Mapping):
        return {unit: as_policy(day).day for unit, day in when.items() if not pd.isna(day)}
    if treated is None and control is not None and control != "others":
        against = set(_known(cells, control))
        treated = [unit for unit in pd.unique(cells.frame["unit"]) if unit not in against]
    if treated is None:
        raise DataError(say("No unit is treated: name them in treated, or give a day for each unit in when."))
    day = as_policy(when).day
    return dict.fromkeys(_known(cells, treated), day)


def _titled(
    result: PolicyEffect, when: Moment | Mapping[str, Moment], cells: Cells, *, measure: Measure
) -> PolicyEffect:
    first, last = (cells.start(int(edge)) for edge in (cells.frame["period"].min(), cells.frame["period"].max() + 1))
    several = isinstance(when, Mapping)
    named = [as_policy(day) for day in (when.values() if isinstance(when, Mapping) else [when]) if not pd.isna(day)]
    what = say("Share of dossiers asked for supplements") if measure == "supplement" else say("Share late")
    if not cells.source and not cells.notes:
        what = say("The series")
    title = say("{what} before and after {policy}", what=what, policy=min(named, key=lambda one: one.day).words())
    if several:
        title = say("{what} before and after the policy, by the day of each unit", what=what)
    also = others_between(first, last, but={policy.day for policy in named})
    return replace(result, title=title, notes=(*result.notes, *also))
