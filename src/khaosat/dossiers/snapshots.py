"""Dossiers as they were known at earlier moments: what a model of lateness learns from and what it scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog, Materialising
from khaosat.dossiers.risk_past import PAST, PERIOD, past_rates
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, ask, render

NOW = -1
"""In place of a share of the term: at the snapshot of the log."""
MOST_DOSSIERS = 10_000
"""So many dossiers are enough to learn from; of more, one in so many by the order of reception is taken."""

TEXTS = ("procedure", "field", "unit", "receiving_unit", "channel", "applicant_type", "step", "step_unit", "officer",
         "first_officer")  # fmt: skip
_EPOCH = dt.datetime(1970, 1, 1)


def modulus_for(log: DossierLog) -> int:
    """Of how many dossiers one is taken to learn from."""
    n = int(log.engine.query("SELECT count(*) AS n FROM dossiers")["n"][0].as_py())
    return max(1, -(-n // MOST_DOSSIERS))


def snapshots(
    log: DossierLog, *, percents: Sequence[int], deadline: Deadline = "original", modulus: int = 1
) -> pd.DataFrame:
    """One row a dossier and share of its term, with what was known then (``engine/queries/risk_features.sql``).

    Parameters
    ----------
    log
        The dossiers.
    percents
        Shares of the term in percent; :data:`NOW` for the snapshot of the log.
    deadline
        What counts as due.
    modulus
        One dossier in so many is taken, by the order of reception.
    """
    import pyarrow as pa

    span = window(log, None)
    last = int((span.as_of - _EPOCH).total_seconds())
    engine = step_engine(log)
    days = log.calendar.frame()
    days = days[days["office"] == ""]
    serial = (pd.to_datetime(days["day"]) - pd.Timestamp(_EPOCH)).dt.days.to_numpy()
    engine.register("risk_days", pa.table({
        "day": pa.array(pd.to_datetime(days["day"]).dt.date, pa.date32()), "serial": pa.array(serial, pa.int64()),
        "day_index": pa.array(days["day_index"].to_numpy(), pa.int64()),
        "period": pa.array(serial // PERIOD, pa.int64()),
    }))  # fmt: skip
    engine.register("risk_shares", pa.table({"percent": pa.array(percents, pa.int64())}))
    flows = render("risk_flows", deadline=deadline, ended=ENDED, known=span.known, as_of=span.as_of)
    moments = render("risk_moments", deadline=deadline, ended=ENDED, known=span.known, as_of=span.as_of,
                     last_second=last, modulus=modulus)  # fmt: skip
    for name, sql in (("risk_flows", flows), ("risk_moments", moments)):
        if isinstance(engine, Materialising):
            engine.materialise(name, sql)
        else:
            engine.register(name, engine.query(sql))
    frame = ask(engine, "risk_features", as_of=span.as_of)
    # Engines give rows in any order; folds and ties of a model must not depend on it.
    frame = frame.sort_values(["nth", "percent"], kind="stable").reset_index(drop=True)
    counts = ask(engine, "risk_past", deadline=deadline, ended=ENDED, known=span.known, as_of=span.as_of)
    return frame.join(past_rates(counts, frame))


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The measured features of snapshots as columns of finite numbers; logarithms where what counts is the ratio."""
    seconds = (frame["due_second"] - frame["received_second"]).clip(lower=1)
    elapsed = frame["at_second"] - frame["received_second"]
    idle = (frame["idle_us"] / 1e6).fillna(elapsed)
    return pd.DataFrame({
        "share": (elapsed / seconds).clip(0, 4),
        "term": np.log1p(frame["term_days"].clip(lower=0)),
        "remaining": np.log1p(frame["remaining_days"].clip(lower=0)),
        "begun": np.log1p(frame["begun"]),
        "running": frame["begun"] - frame["ended"],
        "step_age": np.log1p((frame["step_us"] / 86400e6).fillna(0)),
        "idle": np.log1p(idle.clip(lower=0) / 86400),
        "idle_share": (idle / seconds).clip(0, 4),
        "no_step": frame["begun"] == 0,
        "handovers": np.log1p(frame["handovers"]),
        "repeats": np.log1p(frame["repeats"]),
        "steps_late": np.log1p(frame["steps_late"]),
        "asked": np.log1p(frame["asked"]),
        "awaited": frame["awaited"],
        "stock": np.log1p(frame["stock"].clip(lower=0)),
        "overdue_share": (frame["overdue"] + 1) / (frame["stock"].clip(lower=0) + 5),
        "late_90": (frame["late_90"] + 2) / (frame["closed_90"] + 10),
        "load": np.log((frame["stock"].clip(lower=0) + 1) / (frame["closed_90"] + 5)),
        "weekday": pd.to_datetime(frame["received_at"]).dt.day_of_week,
        "season_cos": np.cos(2 * np.pi * pd.to_datetime(frame["due_at"]).dt.day_of_year / 365.25),
        "season_sin": np.sin(2 * np.pi * pd.to_datetime(frame["due_at"]).dt.day_of_year / 365.25),
        **{name: frame[name] for name in PAST},
    }).astype("float64").fillna(0.0)  # fmt: skip


SITUATION = ("stock", "overdue_share", "late_90", "load", "season_cos", "season_sin")
"""Features of the unit's load and of the season: used only where they help in later dossiers, as are those of PAST."""
