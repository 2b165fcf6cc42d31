"""What happens to a dossier between reception and result: which steps, how long, and how it ends.

Everything is an array of dossiers by steps, in the order of ``facts/sample/steps.csv``, in office seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from khaosat.sample.arrivals import BLOCK
from khaosat.sample.cases import CITIZEN, ONLINE, Cases
from khaosat.sample.city import City
from khaosat.sample.clock import Bools, Floats, Ints, OfficeClock
from khaosat.sample.draw import chance, lognormal, pick

NEVER = 10**10
"""Longer than any log: a step that does not end."""

FINISHED, REFUSED, WITHDRAWN, STOPPED = 9, 3, 7, 8
"""Ends of a dossier, as TrangThaiHoSo codes."""

(RECEIVE, ASSIGN, APPRAISE, SUPPLEMENT_1, RECHECK_1, SUPPLEMENT_2, RECHECK_2, CONSULT, SITE, FEE, SIGN, RETURN) = range(
    12
)
WORKING = np.array([ASSIGN, APPRAISE, CONSULT, SITE, FEE, SIGN])
"""Steps that share the legal term among them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Work:
    """Steps of each dossier and its end.

    Parameters
    ----------
    present, start, end
        Dossiers by steps: whether a step takes place, and when.
    allowance
        The step's share of the legal term, in office seconds; 0 for steps without one.
    overrun
        How far the step, with the queue before it, went beyond its allowance.
    agency
        Unit number of the department consulted (where the step takes place).
    supplements
        How often papers were asked for.
    outcome, ended, returned
        How and when the dossier ended, and when the result was handed over (:data:`NEVER` if it was not).
    """

    present: Bools
    start: Ints
    end: Ints
    allowance: Ints
    overrun: Ints
    agency: Ints
    supplements: Ints
    outcome: Ints
    ended: Ints
    returned: Ints


def work_through(city: City, cases: Cases, *, clock: OfficeClock, waits: Floats, rng: np.random.Generator) -> Work:
    """Take the dossiers of a batch from reception to their end."""
    legal = city.procedures["legal_days"].to_numpy()[cases.procedure] * clock.day
    supplements = _supplements(city, cases, clock=clock, rng=rng)
    present = _present(city, cases, supplements=supplements, rng=rng)
    share = city.steps["share"].to_numpy()
    norm = (present[:, WORKING] * share[WORKING]).sum(axis=1)
    allowance = (present * share * (legal / norm)[:, None]).astype(np.int64)
    agency = pick(rng, city.consulted, row=cases.procedure)
    usual = _durations(city, cases, allowance=allowance, agency=agency, rng=rng)
    queued = _queued(city, cases, present=present, clock=clock, waits=waits, rng=rng)
    _ask_for_papers(city, cases, took=usual, queued=queued, supplements=supplements, clock=clock, rng=rng)
    _get_stuck(city, took=usual, present=present, supplements=supplements, rng=rng)
    took = np.where(present, np.maximum(usual, 120), 0).astype(np.int64)
    end = cases.received[:, None] + np.cumsum(took + queued, axis=1)
    overrun = np.where(present, np.maximum(took + queued - allowance, 0), 0)
    overrun[:, [RECEIVE, RETURN]] = 0
    start = end - took
    outcome, ended = _outcomes(city, cases, start=start, end=end, supplements=supplements, clock=clock, rng=rng)
    finished = outcome == FINISHED
    present &= start < ended[:, None]
    present[:, RETURN] = finished
    end[:, :RETURN] = np.minimum(end[:, :RETURN], ended[:, None])
    return Work(
        present=present,
        start=start,
        end=end,
        allowance=allowance,
        overrun=overrun,
        agency=agency,
        supplements=supplements,
        outcome=outcome,
        ended=ended,
        returned=np.where(finished, end[:, RETURN], NEVER),
    )


def _supplements(city: City, cases: Cases, *, clock: OfficeClock, rng: np.random.Generator) -> Ints:
    """How often papers are asked for: the planted policy halves the odds in its fields from its day on."""
    rate = city.fields["supplement"].to_numpy()
    odds = (rate / (1 - rate))[cases.field]
    for name in ("policy", "null_policy"):
        since = clock.index(city.truths.day(f"{name}.when")) * clock.day
        touched = np.isin(cases.field, city.field_numbers(city.truths.texts(f"{name}.fields")))
        odds = np.where(touched & (cases.received >= since), odds * city.truths.number(f"{name}.odds_ratio"), odds)
    first = chance(rng, odds / (1 + odds), n=cases.size)
    second = chance(rng, city.settings.number("work.second_supplement"), n=cases.size)
    return first.astype(np.int64) * (1 + second)


def _present(city: City, cases: Cases, *, supplements: Ints, rng: np.random.Generator) -> Bools:
    present = np.ones((cases.size, RETURN + 1), dtype=bool)
    for step, column in ((CONSULT, "consult"), (SITE, "site"), (FEE, "fee")):
        present[:, step] = chance(rng, city.procedures[column].to_numpy()[cases.procedure], n=cases.size)
    present[:, [SUPPLEMENT_1, RECHECK_1]] = (supplements >= 1)[:, None]
    present[:, [SUPPLEMENT_2, RECHECK_2]] = (supplements == 2)[:, None]
    return present


def _durations(city: City, cases: Cases, *, allowance: Ints, agency: Ints, rng: np.random.Generator) -> Floats:
    """Mean time of a step times what makes this dossier, this step, this office and this agency slower or faster."""
    settings, steps, truths = city.settings, city.steps, city.truths
    mean = allowance * settings.number("work.usage") + steps["minutes"].to_numpy() * 60.0
    took = mean * lognormal(rng, steps["spread"].to_numpy(), shape=allowance.shape)
    took *= lognormal(rng, settings.number("work.dossier_spread"), shape=cases.size)[:, None]
    speed = city.units["speed"].to_numpy()[cases.responsible[1]]
    handled = ((steps["place"] == "responsible") & (steps["share"] > 0)).to_numpy()
    took[:, handled] *= speed[:, None]
    slow = city.units["id"].to_numpy()[agency] == truths.text("slow_agency.unit")
    took[:, CONSULT] *= np.where(slow, truths.number("slow_agency.factor"), 1.0)
    took[:, RETURN] *= np.where(cases.channel == ONLINE, 0.1, 1.0)
    return took


def _queued(
    city: City, cases: Cases, *, present: Bools, clock: OfficeClock, waits: Floats, rng: np.random.Generator
) -> Ints:
    """Time in the queue of the responsible office before appraisal and before signing; short terms go first."""
    settings = city.settings
    block = np.minimum(cases.received // clock.day // BLOCK, waits.shape[2] - 1)
    days = waits[cases.responsible[1], cases.field, block] * rng.gamma(4.0, 0.25, cases.size)
    legal = city.procedures["legal_days"].to_numpy()[cases.procedure]
    seconds = days * clock.day * legal / (legal + settings.number("queue.priority_days"))
    queued = np.zeros(present.shape, dtype=np.int64)
    before_appraisal = settings.number("queue.waits_before_appraisal")
    queued[:, APPRAISE] = (seconds * before_appraisal).astype(np.int64)
    queued[:, SIGN] = (seconds * (1 - before_appraisal)).astype(np.int64)
    return queued


def _ask_for_papers(
    city: City, cases: Cases, *, took: Floats, queued: Ints, supplements: Ints, clock: OfficeClock,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Move the request for papers to the first days of the term, or to its last day; the rest of the work follows."""
    asked = supplements >= 1
    begun = cases.received + took[:, :APPRAISE].sum(axis=1).astype(np.int64) + queued[:, APPRAISE]
    check = np.minimum(
        took[:, APPRAISE], rng.uniform(0.1, city.settings.number("work.check_days"), cases.size) * clock.day
    )
    legal = city.procedures["legal_days"].to_numpy()[cases.procedure]
    closing = (cases.received // clock.day + legal + 1) * clock.day
    last_day = closing - rng.uniform(600, 0.45 * clock.day, cases.size) - begun
    late = asked & chance(rng, city.settings.number("work.last_day"), n=cases.size) & (last_day > check)
    rest = took[:, APPRAISE] - check
    took[:, RECHECK_1] += np.where(asked, rest, 0)
    took[:, APPRAISE] = np.where(late, last_day, np.where(asked, check, took[:, APPRAISE]))


def _get_stuck(city: City, *, took: Floats, present: Bools, supplements: Ints, rng: np.random.Generator) -> None:
    """Papers that never come, and zombies: dossiers that nobody closes."""
    n = len(took)
    abandoned = (supplements >= 1) & chance(rng, city.settings.number("work.abandoned"), n=n)
    took[abandoned, SUPPLEMENT_1] = NEVER
    zombie = np.flatnonzero(chance(rng, city.settings.number("work.zombies"), n=n))
    took[zombie, rng.choice([APPRAISE, SIGN], len(zombie))] = NEVER


def _outcomes(
    city: City, cases: Cases, *, start: Ints, end: Ints, supplements: Ints, clock: OfficeClock,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    settings, n = city.settings, cases.size
    outcome, ended = np.full(n, FINISHED), end[:, SIGN].copy()
    refused = chance(rng, settings.number("work.refused"), n=n) & (supplements == 0)
    check = np.minimum(
        end[:, APPRAISE] - start[:, APPRAISE], rng.uniform(0.2, settings.number("work.check_days"), n) * clock.day
    )
    outcome[refused] = REFUSED
    ended[refused] = (start[:, APPRAISE] + check.astype(np.int64))[refused]
    withdrawn = chance(rng, settings.number("work.withdrawn"), n=n) & (cases.applicant == CITIZEN) & ~refused
    after = np.minimum(rng.uniform(0.1, 0.9, n) * (end[:, SIGN] - cases.received), 20 * clock.day)
    outcome[withdrawn] = WITHDRAWN
    ended[withdrawn] = (cases.received + after.astype(np.int64))[withdrawn]
    abandoned = (end[:, SUPPLEMENT_1] - start[:, SUPPLEMENT_1] >= NEVER) & (supplements >= 1) & (outcome == FINISHED)
    closed = abandoned & chance(rng, settings.number("work.auto_stop"), n=n)
    outcome[closed] = STOPPED
    ended[closed] = start[closed, SUPPLEMENT_1] + settings.whole("work.auto_stop_days") * clock.day
    return outcome, ended
