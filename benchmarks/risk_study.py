"""Do the chances of ``at_risk`` beat a constant and a plain boosted model? Invented logs, and real ones that are given.

``python benchmarks/risk_study.py [--requests 240000] [--dossiers 60000] [--seed 3] [--log FILE MAPPING] …``. One table
a log: Brier score, AUC and calibration error of ``back_test``, of the constant and of the plain model (boosted trees on
the categories as they are and a few counts, one model an elapsed share, all outcomes of the first 70 %). No times are
measured. What it found: docs/methods/canh-bao-som.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import khaosat as ks
from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.frames import log_from_frames
from khaosat.dossiers.risk import ELAPSED, back_test
from khaosat.dossiers.risk_fit import learnable
from khaosat.dossiers.snapshots import TEXTS, modulus_for, snapshots
from khaosat.sample import write_sample
from khaosat.stats.forecast_checks import auc, brier, ece


def requests(n: int, seed: int, days: int = 1400) -> DossierLog:
    """Requests without steps: kind × department × season, and chances of each kind and department that wander."""
    rng = np.random.default_rng(seed)
    kinds, departments = 180, 14
    kind = rng.choice(kinds, n, p=rng.dirichlet(np.full(kinds, 0.35)))
    of_kind = rng.integers(0, departments, kinds)
    term = rng.choice([3, 5, 10, 15, 20, 30, 45, 60, 90], kinds)[kind]
    day, place, channel = np.sort(rng.uniform(0, days, n)), rng.integers(0, 40, n), rng.integers(0, 5, n)
    unit, whole, angle = of_kind[kind], day.astype(int), 2 * np.pi * day / 365.25
    season = rng.normal(0, 0.5, (2, departments))
    wander = [np.cumsum(rng.normal(0, 0.03, (days, size)), axis=0) for size in (departments, kinds)]
    odds = (rng.normal(-1.2, 1.3, kinds)[kind] + rng.normal(0, 0.5, departments)[unit] + rng.normal(0, 0.3, 40)[place]
            + season[0][unit] * np.cos(angle) + season[1][unit] * np.sin(angle)
            + wander[0][whole, unit] + 0.6 * wander[1][whole, kind] + rng.normal(0, 0.3, 5)[channel])  # fmt: skip
    start = pd.Timestamp("2021-01-01")
    received, end = start + pd.to_timedelta(day, unit="D"), (start + pd.Timedelta(days=days)).to_pydatetime()
    lasts = np.minimum(term * np.exp(0.9 * (rng.logistic(0, 1, n) + odds)), 5000)
    finished = pd.Series(received + pd.to_timedelta(lasts, unit="D"))
    frame = pd.DataFrame({
        "dossier_id": [f"R{i}" for i in range(n)], "procedure": [f"C{k}" for k in kind],
        "responsible_unit": [f"D{u}" for u in unit], "receiving_unit": [f"Q{p}" for p in place],
        "channel": [f"S{c}" for c in channel], "received_at": received,
        "due_at": received + pd.to_timedelta(term, unit="D"), "finished_at": finished.where(finished < end),
        "status": np.where(finished < end, "finished", "processing"),
    })  # fmt: skip
    return log_from_frames({"dossiers": frame}, as_of=end)


def plain(log: DossierLog) -> Iterator[tuple[float, float, float]]:
    """Brier score, AUC and calibration error of the plain model at each elapsed share."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    known = learnable(snapshots(log, percents=[round(100 * s) for s in ELAPSED], modulus=modulus_for(log)))
    cut = known.loc[known["percent"] == 0, "received_second"].quantile(0.7)
    for share in ELAPSED:
        part = known[known["percent"] == round(100 * share)]
        received = pd.to_datetime(part["received_at"])
        common = {name: part[name].value_counts().index[:250] for name in TEXTS}
        x = pd.DataFrame({
            **{name: pd.Categorical(part[name].where(part[name].isin(common[name]))) for name in TEXTS},
            **{name: part[name].to_numpy() for name in ("term_days", "begun", "idle_us", "stock", "handovers")},
            "month": received.dt.month.to_numpy(), "weekday": received.dt.day_of_week.to_numpy(),
        })  # fmt: skip
        x = x[[name for name in x if len(x[name].dropna().unique()) > 1]]
        first, late = (part["received_second"] < cut).to_numpy(), part["is_late"].to_numpy(float)
        model = HistGradientBoostingClassifier(
            max_iter=100, learning_rate=0.05, max_leaf_nodes=8, categorical_features="from_dtype", random_state=0
        )
        with threadpool_limits(1):
            chance = model.fit(x[first], late[first]).predict_proba(x[~first])[:, 1]
        yield brier(late[~first], chance), auc(late[~first], chance), ece(late[~first], chance)


def table(name: str, log: DossierLog) -> None:
    """Print what was found of one log."""
    rows = back_test(log).rows[["elapsed", "n_test", "late", "brier", "auc", "ece", "brier_base"]]
    found = pd.DataFrame(plain(log), columns=["plain_brier", "plain_auc", "plain_ece"])
    print(f"\n{name}\n{rows.join(found).round(4).to_string(index=False)}", flush=True)
    log.engine.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=240_000)
    parser.add_argument("--dossiers", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--log", nargs=2, action="append", default=[], metavar=("FILE", "MAPPING"))
    asked = parser.parse_args()
    for file, mapping in asked.log:
        table(file, ks.read_dossiers(Path(file), mapping=Path(mapping) if mapping.endswith(".toml") else mapping))
    table(f"requests, seed {asked.seed}", requests(asked.requests, asked.seed))
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder), dossiers=asked.dossiers, survey=60, seed=asked.seed)
        table(f"sample, seed {asked.seed}", ks.read_dossiers(sorted((Path(folder) / "dossiers").iterdir())))
