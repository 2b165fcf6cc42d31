"""The tables of closed dossiers' time that `bottlenecks` groups, made in the engine once a period and deadline."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from khaosat.domain.dossiers import DossierLog, Engine, Materialising
from khaosat.dossiers.step_grain import pausing_statuses, step_engine
from khaosat.dossiers.window import Window
from khaosat.engine.query import Deadline, render

_made: WeakKeyDictionary[DossierLog, str] = WeakKeyDictionary()


def overrun_engine(log: DossierLog, span: Window, deadline: Deadline) -> Engine:
    """The log's engine, which then holds ``closed_dossiers``, ``timed_steps`` and ``late_steps`` of a period."""
    engine = step_engine(log, pauses=True)
    closed = render("closed_dossiers", deadline=deadline, start=span.start, finish=span.finish, as_of=span.as_of)
    if _made.get(log) != closed:
        _keep(engine, "closed_dossiers", closed)
        _keep(engine, "timed_steps", render("timed_steps", pausing=pausing_statuses()))
        _keep(engine, "late_steps", render("late_steps"))
        _made[log] = closed
    return engine


def _keep(engine: Engine, name: str, sql: str) -> None:
    if isinstance(engine, Materialising):
        engine.materialise(name, sql)
    else:
        engine.register(name, engine.query(sql))
