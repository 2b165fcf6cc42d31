"""Due dates and how they change: terms that restart after a supplement, and re-appointments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from khaosat.sample.cases import Cases
from khaosat.sample.city import City
from khaosat.sample.clock import Bools, Ints, OfficeClock
from khaosat.sample.draw import chance
from khaosat.sample.work import NEVER, SUPPLEMENT_1, SUPPLEMENT_2, Work


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """One round of changes of due dates, one value a dossier.

    Parameters
    ----------
    happened
        Whether the dossier has this change.
    asked, moment
        Office seconds: when papers were asked for (or the change decided), and when the new date took force.
    old, new
        Due dates as numbers of working days.
    apology
        Office seconds at which the letter went out; :data:`~khaosat.sample.work.NEVER` if it did not.
    """

    happened: Bools
    asked: Ints
    moment: Ints
    old: Ints
    new: Ints
    apology: Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Changes:
    """First due date (number of a working day), the lawful one after supplements, and every change."""

    first: Ints
    lawful: Ints
    supplements: tuple[Change, ...]
    appointments: tuple[Change, ...]


def change_dates(city: City, cases: Cases, *, work: Work, clock: OfficeClock, rng: np.random.Generator) -> Changes:
    """The due dates of a batch: the day of reception is not counted (Civil Code art. 147.2)."""
    legal = city.procedures["legal_days"].to_numpy(dtype=np.int64)[cases.procedure]
    first = cases.received // clock.day + legal
    supplements, due = [], first
    for step in (SUPPLEMENT_1, SUPPLEMENT_2):
        happened = work.present[:, step]
        completed = happened & (work.end[:, step] < work.ended)
        moment = np.where(completed, work.end[:, step], NEVER)
        new = np.where(completed, moment // clock.day + legal, due)
        supplements.append(
            Change(
                happened=happened, asked=work.start[:, step], moment=moment, old=due, new=new,
                apology=np.full(cases.size, NEVER),
            )
        )  # fmt: skip
        due = new
    appointments = _appointments(city, work, due=due, clock=clock, rng=rng)
    return Changes(first=first, lawful=due, supplements=tuple(supplements), appointments=appointments)


def _appointments(
    city: City, work: Work, *, due: Ints, clock: OfficeClock, rng: np.random.Generator
) -> tuple[Change, ...]:
    """Dossiers that will be late get a new date, most of them before the old one; a few get a second one."""
    settings, n = city.settings, len(due)
    closing = (due + 1) * clock.day
    over = work.ended // clock.day - due
    before = closing - (rng.uniform(0.1, 0.95, n) * clock.day).astype(np.int64)
    after = closing + (rng.random(n) * np.clip(work.ended - closing, 0, 2 * clock.day)).astype(np.int64)
    moment = np.where(chance(rng, settings.number("appointments.after_expiry"), n=n), after, before)
    first = _appointment(city, over=over, moment=moment, old=due, clock=clock, rng=rng, given="given")
    closing = (first.new + 1) * clock.day
    moment = np.maximum(closing - (rng.uniform(0.1, 0.95, n) * clock.day).astype(np.int64), first.moment + 3600)
    over = np.where(first.happened & (moment < work.ended), work.ended // clock.day - first.new, 0)
    second = _appointment(city, over=over, moment=moment, old=first.new, clock=clock, rng=rng, given="second")
    return first, second


def _appointment(
    city: City, *, over: Ints, moment: Ints, old: Ints, clock: OfficeClock, rng: np.random.Generator, given: str
) -> Change:
    settings, n = city.settings, len(over)
    happened = (over > 0) & chance(rng, settings.number(f"appointments.{given}"), n=n)
    needed = np.ceil(np.minimum(over, 12) * rng.uniform(0.7, 1.6, n)).astype(np.int64)
    sent = happened & chance(rng, settings.number("appointments.apology"), n=n)
    apology = np.where(sent, moment + rng.integers(60, clock.day // 3, n), NEVER)
    new = np.where(happened, old + np.maximum(needed, 1), old)
    return Change(happened=happened, asked=moment, moment=moment, old=old, new=new, apology=apology)
