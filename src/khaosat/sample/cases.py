"""Who files what, where, through which channel, and when it is received."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from khaosat.sample.arrivals import Arrivals, Batch
from khaosat.sample.city import City
from khaosat.sample.clock import Bools, Floats, Ints, OfficeClock
from khaosat.sample.draw import chance, pick, shares

DIRECT, ONLINE, POST = 0, 1, 2
CITIZEN, BUSINESS, AGENCY, ORGANISATION = 0, 1, 2, 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Cases:
    """The dossiers of a batch as received, one value each, in order of reception.

    Parameters
    ----------
    procedure, field, ward
        Numbers in the city's tables; ``ward`` is where the applicant lives.
    channel, applicant
        Positions in the code lists (:data:`DIRECT` …, :data:`CITIZEN` …).
    received
        Office seconds. ``submitted`` is in civil seconds: online filing knows no office hours.
    responsible, receiving
        Unit numbers, a pair each: before the merger and from it on.
    """

    procedure: Ints
    field: Ints
    ward: Ints
    channel: Ints
    applicant: Ints
    received: Ints
    submitted: Ints
    responsible: tuple[Ints, Ints]
    receiving: tuple[Ints, Ints]

    @property
    def size(self) -> int:
        """Number of dossiers."""
        return len(self.procedure)


def receive_cases(
    city: City, batch: Batch, *, arrivals: Arrivals, clock: OfficeClock, rng: np.random.Generator
) -> Cases:
    """Draw the dossiers of a batch."""
    n = batch.size
    day = np.repeat(batch.days, batch.counts)
    procedure = pick(rng, arrivals.procedure_shares(city, month=batch.month), n=n)
    field = city.procedures["field_index"].to_numpy(dtype=np.int64)[procedure]
    progress = (day - arrivals.first) / max(arrivals.last - arrivals.first, 1)
    channel = _channels(city, field=field, progress=progress, rng=rng)
    early = (channel == ONLINE) & chance(rng, city.settings.number("channels.off_hours"), n=n)
    received = _moments(day, early=early, clock=clock, rng=rng)
    order = np.argsort(received, kind="stable")
    procedure, field, channel, received = (a[order] for a in (procedure, field, channel, received))
    early = early[order]
    ward = pick(rng, city.home, row=field)
    responsible = _responsible(city, procedure=procedure, ward=ward, rng=rng)
    return Cases(
        procedure=procedure,
        field=field,
        ward=ward,
        channel=channel,
        applicant=_applicants(city, procedure=procedure, rng=rng),
        received=received,
        submitted=_submitted(received, channel=channel, early=early, clock=clock, rng=rng),
        responsible=responsible,
        receiving=(responsible[0], _receiving(city, responsible=responsible[1], ward=ward, rng=rng)),
    )


def _channels(city: City, *, field: Ints, progress: Floats, rng: np.random.Generator) -> Ints:
    settings = city.settings
    start, end = settings.number("channels.online_start"), settings.number("channels.online_end")
    logit = np.log(start / (1 - start)) + progress * (np.log(end / (1 - end)) - np.log(start / (1 - start)))
    online = np.clip(city.fields["online"].to_numpy()[field] / (1 + np.exp(-logit)), 0, 0.98)
    post = settings.number("channels.post") * (1 - online)
    draw = rng.random(len(field))
    return np.where(draw < online, ONLINE, np.where(draw < online + post, POST, DIRECT))


def _moments(day: Ints, *, early: Bools, clock: OfficeClock, rng: np.random.Generator) -> Ints:
    """Through the office day; what was filed overnight is taken in first thing in the morning."""
    through_day = rng.random(len(day)) * (clock.day - 1200)
    first_thing = np.minimum(rng.exponential(1800, len(day)), clock.day - 1200)
    offset: Ints = np.where(early, first_thing, through_day).astype(np.int64)
    return day * clock.day + offset


def _applicants(city: City, *, procedure: Ints, rng: np.random.Generator) -> Ints:
    business = city.procedures["business"].to_numpy()[procedure]
    draw = rng.random(len(procedure))
    kind = np.where(draw < business * 0.93, BUSINESS, np.where(draw < business * 0.96, AGENCY, ORGANISATION))
    return np.where(draw < business, kind, CITIZEN)


def _responsible(city: City, *, procedure: Ints, ward: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    table = city.procedures
    department = table["department_index"].to_numpy()[procedure]
    first, count = city.before
    earlier_ward = first[ward] + (rng.random(len(ward)) * count[ward]).astype(np.int64)
    level = table["level_before"].to_numpy()[procedure]
    before = np.where(level == "ward", earlier_ward, np.where(level == "district", city.district_of[ward], department))
    after = np.where(department >= 0, department, city.first_ward + ward)
    return before, after


def _receiving(city: City, *, responsible: Ints, ward: Ints, rng: np.random.Generator) -> Ints:
    """From the merger on any counter of the city takes a dossier; a few are handed in elsewhere."""
    n = len(ward)
    elsewhere = chance(rng, city.settings.number("channels.elsewhere"), n=n)
    other = pick(rng, shares(city.wards["volume"].to_numpy()), n=n)
    place = city.first_ward + np.where(responsible < city.first_ward, ward, other)
    return np.where(elsewhere, place, responsible)


def _submitted(received: Ints, *, channel: Ints, early: Bools, clock: OfficeClock, rng: np.random.Generator) -> Ints:
    """Civil seconds: at the counter minutes before, online hours before or in the evening, by post days before."""
    n = len(received)
    day = received // clock.day
    counter = np.minimum(rng.exponential(480, n), received % clock.day)
    lag = np.where(channel == ONLINE, np.minimum(rng.exponential(5400, n), received % clock.day), counter)
    lag = np.where(channel == POST, (0.5 + 2 * rng.random(n)) * clock.day, lag).astype(np.int64)
    in_office = clock.civil(np.maximum(received - lag, 0))
    closed, opened = clock.closing(day - 1), clock.opening(day)
    evening = closed + ((opened - closed) * rng.beta(1.2, 2.0, n)).astype(np.int64)
    return np.where(early & (day > 0), evening, in_office)
