"""What the planted truths came to in the dossiers that were written: exact counts, added up batch by batch."""

from __future__ import annotations

from collections import Counter

import numpy as np

from khaosat.sample.arrivals import Batch
from khaosat.sample.cases import Cases
from khaosat.sample.changes import Changes
from khaosat.sample.city import City
from khaosat.sample.clock import Bools, Ints, OfficeClock
from khaosat.sample.work import CONSULT, Work


class Tally:
    """Counts of dossiers; late means ended after the last day of the first term, among those ended by the snapshot."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._total: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {}
        self._late: dict[str, Counter[str]] = {}

    def add(self, batch: Batch, cases: Cases, *, work: Work, changes: Changes, clock: OfficeClock, now: int) -> None:
        """Count a batch."""
        city = self._city
        ended = work.ended < now
        late = ended & (work.ended // clock.day > changes.first)
        lawful = ended & (work.ended // clock.day > changes.lawful)
        open_overdue = ~ended & (now > (changes.first + 1) * clock.day)
        counts = {"dossiers": np.ones(cases.size), "ended": ended, "late": late, "late_lawful": lawful,
                  "open": ~ended, "open_overdue": open_overdue}  # fmt: skip
        self._total.update({name: int(flags.sum()) for name, flags in counts.items()})
        unit = city.units["name"].to_numpy()[cases.responsible[1]]
        for name, group in (("field", city.fields["id"].to_numpy()[cases.field]), ("unit", unit)):
            self._count(name, group, ended=ended, late=late)
        self._count("month_received", np.full(cases.size, batch.month), ended=ended, late=late)
        agency = city.units["id"].to_numpy()[work.agency]
        consulted = work.present[:, CONSULT]
        self._count("consulted_agency", agency[consulted], ended=ended[consulted], late=late[consulted])
        avoidable = late[:, None] & ((work.ended[:, None] - work.overrun) // clock.day <= changes.first[:, None])
        steps = self._counts.setdefault("avoidable", Counter())
        steps.update(dict(zip(city.steps["id"], avoidable.sum(axis=0).tolist(), strict=True)))
        self._supplements(cases, work, clock=clock)

    def realised(self) -> dict[str, object]:
        """The counts: totals, and ended and late by group; ``avoidable`` by step."""
        groups = {
            name: {key: {"ended": n, "late": self._late[name][key]} for key, n in sorted(counts.items())}
            for name, counts in self._counts.items()
            if name in self._late
        }
        supplements = {name: dict(counts) for name, counts in self._counts.items() if name.startswith("supplements")}
        return {
            **self._total,
            "by": groups,
            "avoidable_by_step": dict(self._counts.get("avoidable", {})),
            **supplements,
        }

    def _count(self, name: str, group: np.ndarray, *, ended: Bools, late: Bools) -> None:
        self._counts.setdefault(name, Counter()).update(group[ended].tolist())
        self._late.setdefault(name, Counter()).update(group[late].tolist())

    def _supplements(self, cases: Cases, work: Work, *, clock: OfficeClock) -> None:
        """Dossiers and those asked for papers, inside and outside the policies' fields, before and from their day."""
        truths = self._city.truths
        for policy in ("policy", "null_policy"):
            touched = np.isin(cases.field, self._city.field_numbers(truths.texts(f"{policy}.fields")))
            since = cases.received >= clock.index(truths.day(f"{policy}.when")) * clock.day
            counts = self._counts.setdefault(f"supplements_{policy}", Counter())
            for inside, after in ((i, a) for i in (True, False) for a in (False, True)):
                cell: Ints = np.flatnonzero((touched == inside) & (since == after))
                name = f"{'touched' if inside else 'others'}_{'after' if after else 'before'}"
                counts.update({name: len(cell), f"{name}_asked": int((work.supplements[cell] > 0).sum())})
