"""What would happen to lateness if a step, an agency, the staff or the arrivals were different."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.scenario import QUEUED, Change, Given, Scenario, read_scenarios
from khaosat.dossiers.scenario_result import WhatIf
from khaosat.dossiers.scenario_trace import Trace, trace
from khaosat.dossiers.simulation import answerable, replicate, touched
from khaosat.dossiers.step_result import HOUR, clock_words
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import number, percent, say

_LEAST_OFF = 0.005
_ROWS = ["scenario", "observed", "estimate", "se", "low", "high", "difference", "low_difference", "high_difference",
         "avoided", "low_avoided", "high_avoided", "verdict", "n", "n_missing"]  # fmt: skip
_COMPARED = ["difference", "low_difference", "high_difference", "avoided", "low_avoided", "high_avoided"]


def what_if(
    log: DossierLog,
    change: Given,
    *,
    period: Period | str | None = None,
    deadline: Deadline = "original",
    replications: int = 100,
    tolerance: float = 0.1,
    level: float = 0.95,
    seed: int = 2026,
) -> WhatIf:
    r"""Late share of a period, simulated as it was and under changes, with the same random numbers.

    Each dossier that came in takes the route and the times of a closed dossier of its unit; where hands were short it
    queues: ``start = max(join, earliest free server)``. ``difference = mean over replications of (late share under the
    scenario - late share as it is)``.

    Parameters
    ----------
    log
        The dossiers and their steps.
    change
        A scenario, a list of them, or a TOML file of ``[[scenario]]`` tables. A scenario is a ``name`` (optional) and
        one change, or ``changes``, a list of them. A change is one of

        - ``remove_step = "step"``: the step and the wait for it fall away;
        - ``within_days = 5``: opinions asked of other agencies are answered within so many working days; with ``step``,
          that step;
        - ``legal_time = "step"``: the step takes at most its part of the legal term, as in :func:`bottlenecks`;
        - ``more_officers = 1``, with ``step``, ``unit`` or both: so many more at each queue named;
        - ``arrivals = 1.3``: so many times as many dossiers;

        each also with ``unit``: only there.
    period
        The period; all of the log by default.
    deadline
        As in :func:`khaosat.dossiers.on_time`.
    replications
        How often the period is simulated; at least 20.
    tolerance
        Part of the observed late share by which the simulated one may be off (at least half a percentage point); beyond
        it no scenario is judged.
    level
        Coverage of the intervals (quantiles over replications).
    seed
        Of the random numbers.

    Returns
    -------
    WhatIf
        First the period as it is, then one row a scenario: ``scenario, observed, estimate, se, low, high, difference,
        low_difference, high_difference, avoided, low_avoided, high_avoided, verdict, n, n_missing``; ``verdict``:
        base, fewer, more, no_difference, no_queue or not_reproduced.

    Notes
    -----
    Servers of a step at a unit are the number with which first-come-first-served waits would have been as long as those
    recorded; a step where no number explains them has no queue, and its waits stay as recorded. A log that stamps the
    start of a step when the dossier reaches the desk hides its queues: more officers and fewer arrivals then help more,
    and more arrivals harm more, than is said here. Recorded times are taken as they are under a changed load: nobody
    hurries. No causal claim.

    References
    ----------
    Law (2015), Simulation Modeling and Analysis, 5th ed., sec. 5.6, 11.2; Kiefer and Wolfowitz (1955), Trans. AMS 78.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> found = what_if(example_steps(), {"within_days": 2}, replications=20)
    >>> found.rows["estimate"].tolist()  # none of the three dossiers is late
    [0.0, 0.0]
    """
    _check(replications, tolerance, level)
    span = window(log, period)
    flow = count_late(log, "lateness", span, deadline=deadline).iloc[0]
    closed, late = int(flow["closed_denominator"]), int(flow["closed_numerator"])
    taken = trace(log, span, deadline=deadline, closed=closed)
    scenarios = read_scenarios(change, opinions=_opinions(), places=_places(taken))
    scenarios = [Scenario(name=say("As it is"), changes=()), *scenarios]
    observed = late / closed if closed else np.nan
    allowed = max(_LEAST_OFF, tolerance * observed)
    shares, waits, runs = _shares(taken, scenarios[:1], replications=replications, seed=seed, day=_day(log))
    simulated = float(np.mean(shares))
    reproduced = bool(abs(simulated - observed) <= allowed)
    if reproduced:
        shares, _, runs = _shares(taken, scenarios, replications=replications, seed=seed, day=_day(log))
    else:  # a model that is wrong about what was is asked about nothing else
        shares = np.vstack([shares, np.full((len(scenarios) - 1, shares.shape[1]), np.nan)])
    n = int(taken.arrivals["counted"].sum())
    rows = _rows(shares, scenarios, taken, observed=observed, n=n, reproduced=reproduced, level=level)
    rows["n_missing"] = closed - len(taken.dossiers) if taken.modulus == 1 else 0
    notes = [
        *_fit_words(observed, simulated, allowed, reproduced),
        *_queue_words(taken, float(np.mean(waits)), scenarios), *_cap_words(taken, runs, replications),
        say("Interval: the middle {level} of {n} replications, each with the same random numbers for every scenario.",
            level=percent(level, 0), n=runs),
        say("Times and routes are those recorded; under another load nobody hurries or idles. A model, not proof."),
        deadline_words(deadline), clock_words(log), *span.notes(),
    ]  # fmt: skip
    return WhatIf(
        rows=rows[_ROWS], level=level, source=log.source, notes=tuple(notes), reproduced=reproduced, tolerance=allowed,
        stations=taken.stations, replications=runs,
        title=say("What would happen to lateness, {period}", period=span.label),
    )  # fmt: skip


def _check(replications: int, tolerance: float, level: float) -> None:
    faults = []
    if replications < 20:
        faults.append(f"replications is {replications}: at least 20, since the intervals are quantiles of them")
    if not 0 < tolerance < 1:
        faults.append(f"tolerance is {tolerance}: a part of the late share, between 0 and 1")
    if not 0 < level < 1:
        faults.append(f"level is {level}: it lies between 0 and 1")
    if faults:
        raise KhaosatError("; ".join(faults))


def _opinions() -> list[str]:
    return [name.strip().lower() for name in read_table("codes/consultation_steps.csv")["name"]]


def _places(taken: Trace) -> set[tuple[str, str]]:
    """Steps and units that the log knows; units that only receive dossiers come without a step."""
    visits = taken.visits[taken.visits["is_pause"] == 0]
    met = set(zip(visits["step"], visits["unit"], strict=True))
    return met | {("", unit) for unit in (*taken.dossiers["unit"], *taken.arrivals["unit"])}


def _day(log: DossierLog) -> float:
    """Worked seconds of a common day."""
    return float(sum(close - start for start, close in log.calendar.sessions) * 60)


def _shares(
    taken: Trace, scenarios: Sequence[Scenario], *, replications: int, seed: int, day: float
) -> tuple[np.ndarray, np.ndarray, int]:
    if taken.dossiers.empty or not taken.arrivals["counted"].any():
        nothing = np.full((len(scenarios), 1), np.nan)
        return nothing, nothing, 0
    return replicate(taken, scenarios, replications=replications, seed=seed, day=day)


def _rows(
    shares: np.ndarray, scenarios: Sequence[Scenario], taken: Trace, *, observed: float, n: int, reproduced: bool,
    level: float,
) -> pd.DataFrame:  # fmt: skip
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(shares, ends, axis=1)
    change = shares - shares[0]
    low_change, high_change = np.quantile(change, ends, axis=1)
    means = np.array([part.mean() for part in change])
    rows = pd.DataFrame({
        "scenario": [scenario.name for scenario in scenarios], "observed": observed, "estimate": shares.mean(axis=1),
        "se": shares.std(axis=1, ddof=1) if shares.shape[1] > 1 else np.nan, "low": low, "high": high,
        "difference": means, "low_difference": low_change, "high_difference": high_change,
        # A plain 0 where nothing changes, not one with a minus.
        "avoided": 0.0 - n * means, "low_avoided": 0.0 - n * high_change, "high_avoided": 0.0 - n * low_change, "n": n,
    })  # fmt: skip
    told = [all(answerable(taken, part) for part in scenario.changes) for scenario in scenarios]
    rows["verdict"] = [
        "base" if place == 0 else "not_reproduced" if not reproduced else "no_queue" if not told[place]
        else "fewer" if row["high_difference"] < 0 else "more" if row["low_difference"] > 0 else "no_difference"
        for place, row in enumerate(rows.to_dict("records"))
    ]  # fmt: skip
    silent = rows["verdict"].isin(["not_reproduced", "no_queue"])
    rows.loc[silent, ["estimate", "se", "low", "high", *_COMPARED]] = np.nan
    return rows


def _fit_words(observed: float, simulated: float, allowed: float, reproduced: bool) -> list[str]:
    if np.isnan(observed) or np.isnan(simulated):
        return [say("No dossier with a deadline was received and closed in the period: nothing can be simulated.")]
    told = {"simulated": percent(simulated), "observed": percent(observed), "allowed": number(100 * allowed, 1)}
    if reproduced:
        return [say("Checked: as it is, {simulated} of dossiers are late in the simulation and {observed} in the log; "
                    "up to {allowed} percentage points apart are accepted.", **told)]  # fmt: skip
    return [say("The simulation does not reproduce the period: {simulated} late against {observed} in the log, more "
                "than {allowed} percentage points apart. No scenario is judged.", **told)]  # fmt: skip


def _queue_words(taken: Trace, waited: float, scenarios: Sequence[Scenario]) -> list[str]:
    held = taken.visits["station"].to_numpy() >= 0
    if not held.any():
        notes = [say("The log shows no queue for hands: officers and arrivals cannot be judged from it.")]
    else:
        recorded = taken.visits.loc[held, ["waiting", "station"]]
        explained = taken.stations["explained"].to_numpy()[recorded["station"]]
        seen = float((recorded["waiting"] * explained).sum()) / max(len(taken.dossiers), 1)
        notes = [
            say("Queues for hands are seen at {n} pairs of step and unit, through which {share} of all steps pass; "
                "mean wait in them per dossier {simulated} working hours in the simulation, {seen} in the log.",
                n=len(taken.stations), share=percent(held.mean()), simulated=number(waited / HOUR, 1),
                seen=number(seen / HOUR, 1))
        ]  # fmt: skip
    changes = [part for scenario in scenarios for part in scenario.changes]
    if any(part.action in QUEUED for part in changes) and held.any():
        notes.append(
            say("Elsewhere the log shows no queue, and a change of officers or arrivals does nothing there: read such "
                "a change as “at least”, since waiting may hide in recorded handling.")
        )  # fmt: skip
        if not taken.stations["officers"].any():
            notes.append(say("Officers are not recorded: one more officer is one more dossier in hand at a time."))
    notes += [_reach(taken, part) for part in changes if part.action not in QUEUED]
    return list(dict.fromkeys(notes))


def _reach(taken: Trace, change: Change) -> str:
    here = taken.visits.loc[touched(taken.visits, change), "dossier"]
    return say("{change}: {n} of {all} closed dossiers pass there.", change=change.words(), n=int(here.nunique()),
               all=len(taken.dossiers))  # fmt: skip


def _cap_words(taken: Trace, runs: int, asked: int) -> list[str]:
    notes = []
    if taken.modulus > 1:
        notes.append(say("Routes and times are those of every {k}th closed dossier, by its id.", k=taken.modulus))
    if 0 < runs < asked:
        notes.append(say("{n} replications instead of {asked}: the queues are long.", n=runs, asked=asked))
    return notes
