"""The tables at step grain that verbs on steps read: those of the store where it has them, else made on first use."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from khaosat.domain.dossiers import DossierLog, Engine, Materialising
from khaosat.engine.query import render
from khaosat.facts import read_table

_made: WeakKeyDictionary[DossierLog, set[str]] = WeakKeyDictionary()


def step_engine(log: DossierLog, *, pauses: bool = False, walks: bool = False) -> Engine:
    """The log's engine, which then holds ``spans``, and on demand ``pauses`` and ``walks``.

    Parameters
    ----------
    log
        The dossiers and their steps.
    pauses
        How long of each step the dossier was with its applicant (``engine/queries/pauses.sql``).
    walks
        The path and the duration of each dossier (``engine/queries/walks.sql``).
    """
    ready = _made.setdefault(log, set(log.grains))
    if "spans" not in ready:
        _make(log.engine, "spans", render("spans"))
    if pauses and "pauses" not in ready:
        _make(log.engine, "pauses", render("pauses", pausing=pausing_statuses()))
    ready |= {"spans", "pauses"} if pauses else {"spans"}
    if walks and "walks" not in ready:
        _weigh(log.engine)
        _make(log.engine, "walks", render("walks"))
        ready.add("walks")
    return log.engine


def pausing_statuses() -> list[str]:
    """Statuses of a step during which the dossier is with its applicant.

    >>> pausing_statuses()
    ['supplement_requested', 'stopped']
    """
    return list(read_table("rules/pausing_statuses.csv")["status"])


def _make(engine: Engine, name: str, sql: str) -> None:
    if isinstance(engine, Materialising):
        engine.materialise(name, sql)
    else:
        engine.register(name, engine.query(sql))


def _weigh(engine: Engine) -> None:
    """Register three independent weights below 2^31 for each place that a path can have, the same in every run."""
    import pyarrow as pa

    longest = engine.query("SELECT max(seq) AS n FROM spans")["n"][0].as_py() or 0
    draw = np.random.default_rng(20260701).integers(1, 2**31, size=(longest, 3))
    columns = {name: draw[:, i] for i, name in enumerate("abc")}
    engine.register("path_weights", pa.table({"seq": np.arange(1, longest + 1), **columns}))
