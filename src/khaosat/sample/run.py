"""One run of the simulation: what all batches share, and the dossiers of a quarter, batch by batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.period import Period
from khaosat.sample.arrivals import Arrivals, Batch, end_of, expect_arrivals, plan_batches, queue_waits
from khaosat.sample.cases import receive_cases
from khaosat.sample.changes import change_dates
from khaosat.sample.city import City, load_city
from khaosat.sample.clock import Floats, OfficeClock
from khaosat.sample.draw import stream
from khaosat.sample.exchange import TABLES, export
from khaosat.sample.faulty import Kind, Planted, plan_faults, plant
from khaosat.sample.files import FileFormat, TableFile
from khaosat.sample.respondents import Pool, Wave
from khaosat.sample.tally import Tally
from khaosat.sample.work import work_through

_BATCH_STREAM, _FAULTY_STREAM = 8, 9
_EARLIER, _LATER = 60, 40  # days of office clock before the log, and of queue after it


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """What all batches share, and what they add up to.

    Parameters
    ----------
    city, clock, arrivals, waits, batches, faults
        What is simulated: offices, office time, when dossiers come, the queues they meet, and the faulty rows of each
        batch by its number.
    now
        The snapshot, in office seconds.
    pools
        Dossiers for each wave of the survey.
    tally, planted, rows
        Filled while writing: counts, faulty rows, and rows by file.
    """

    city: City
    clock: OfficeClock
    arrivals: Arrivals
    waits: Floats
    batches: list[Batch]
    faults: dict[int, list[tuple[Kind, int]]]
    now: int
    seed: int
    pools: list[Pool]
    tally: Tally
    planted: list[Planted] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def prepare(
    quarters: tuple[str, ...], *, waves: tuple[str, ...], dossiers: int, survey: int, seed: int, batch_size: int
) -> Run:
    """Everything that is drawn before the first dossier."""
    city = load_city(seed)
    first = Period(quarters[0]).start.date() - dt.timedelta(days=_EARLIER)
    clock = OfficeClock.of(WorkCalendar.vietnam(), first=first)
    arrivals = expect_arrivals(city, clock=clock, quarters=quarters)
    batches = plan_batches(arrivals, seed=seed, dossiers=dossiers, size=batch_size)
    day = city.settings.whole("survey.fieldwork_day")
    return Run(
        city=city,
        clock=clock,
        arrivals=arrivals,
        waits=queue_waits(city, arrivals=arrivals, seed=seed, horizon=arrivals.last + _LATER),
        batches=batches,
        faults=plan_faults(batches, city=city.settings, seed=seed),
        now=clock.at(end_of(quarters)),
        seed=seed,
        pools=[Pool(Wave.of(wave, day=day), clock=clock, size=max(100_000, 50 * survey)) for wave in waves],
        tally=Tally(city),
    )


def write_quarter(
    run: Run, quarter: str, *, out: Path, file_format: FileFormat, written: Callable[[int], None]
) -> None:
    """Write the dossiers received in a quarter; ``written`` is told the size of each batch."""
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(TableFile(out / f"{name}-{quarter}", columns=columns, file_format=file_format))
            for name, columns in TABLES.items()
        }
        for batch in run.batches:
            if batch.quarter == quarter:
                _write_batch(run, batch, files=files)
                written(batch.size)
    run.rows.update({f"{out.name}/{file.path.name}": file.rows for file in files.values()})


def _write_batch(run: Run, batch: Batch, *, files: dict[str, TableFile]) -> None:
    rng = stream(run.seed, _BATCH_STREAM, batch.number)
    cases = receive_cases(run.city, batch, arrivals=run.arrivals, clock=run.clock, rng=rng)
    work = work_through(run.city, cases, clock=run.clock, waits=run.waits, rng=rng)
    changes = change_dates(run.city, cases, work=work, clock=run.clock, rng=rng)
    rows = export(run.city, cases, work=work, changes=changes, clock=run.clock, now=run.now, rng=rng)
    run.tally.add(batch, cases, work=work, changes=changes, clock=run.clock, now=run.now)
    for pool in run.pools:
        pool.add(cases, work, dossier_id=rows.dossier_id, changes=changes, city=run.city, rng=rng)
    tables, planted = plant(
        rows.tables,
        run.faults.get(batch.number, []),
        written={name: file.rows for name, file in files.items()},
        files={name: f"dossiers/{file.path.name}" for name, file in files.items()},
        rng=stream(run.seed, _FAULTY_STREAM, batch.number),
    )
    run.planted.extend(planted)
    for name, table in tables.items():
        files[name].write(table)
