"""How often is a slow unit found and one like the others not? Invented counts, many small cities.

``python benchmarks/unit_power_study.py [--cities 200]``. No times are measured. What it found:
docs/methods/so-sanh-don-vi.md. A city here is its counts: units of unequal size, procedures of unequal risk, channels
and months; every unit does its own mix of procedures. In half of the columns one unit is two and a half times as late.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from khaosat.dossiers.unit_strata import LADDER, coarse_enough, expected_late
from khaosat.dossiers.unit_verdicts import judged

UNITS, PROCEDURES, MONTHS, FEW = 12, 40, 12, 30


def city(rng: np.random.Generator, *, dossiers: int, slow: float) -> pd.DataFrame:
    """Counts by unit and stratum; unit 0 is ``slow`` times as late as its dossiers would be elsewhere."""
    size = rng.dirichlet(np.full(UNITS, 5.0))
    size[0] = 1 / UNITS
    mix = np.array([rng.dirichlet(np.full(PROCEDURES, 0.7)) for _ in range(UNITS)])
    mix = 0.5 * mix + 0.5 * rng.dirichlet(np.full(PROCEDURES, 0.7))
    cells = pd.MultiIndex.from_product(
        [range(UNITS), range(PROCEDURES), ["direct", "online"], range(MONTHS)],
        names=["unit", "procedure", "channel", "month"],
    ).to_frame(index=False)
    share = (size[:, None] * mix / size.sum())[cells["unit"], cells["procedure"]] / (2 * MONTHS)
    risk = np.clip(rng.gamma(2.0, 0.03, PROCEDURES), 0.005, 0.3)[cells["procedure"]]
    risk = risk * rng.lognormal(0, 0.15, MONTHS)[cells["month"]] * np.where(cells["unit"] == 0, slow, 1.0)
    cells["n"] = rng.poisson(dossiers * share)
    cells["late"] = rng.binomial(cells["n"], np.clip(risk, 0, 0.9))
    return cells[cells["n"] > 0].assign(field=cells["procedure"] % 8, missing=0)


def found(counts: pd.DataFrame, strata: tuple[str, ...]) -> pd.Series:
    """The verdict on each unit."""
    whole = counts["late"].sum() / counts["n"].sum()
    sums = expected_late(counts, by="unit", strata=strata, pooled=10)
    rows, _, _ = judged(
        sums, by="unit", city=whole, few=FEW, limits="exact", overdispersion="additive", level=0.95
    )  # fmt: skip
    return rows.set_index("unit")["flag"]


def study(cities: int, dossiers: int) -> pd.DataFrame:
    """Shares of verdicts by strata."""
    lines = []
    for seed in range(cities):
        for slow in (2.5, 1.0):
            counts = city(np.random.default_rng(seed), dossiers=dossiers, slow=slow)
            auto = coarse_enough(counts, by="unit", ladder=LADDER, few=FEW)
            for name, strata in (("default", LADDER[0]), ("procedure", ("procedure",)), ("auto", auto)):
                flags = found(counts, strata)
                lines.append({
                    "dossiers": dossiers, "slow": slow, "strata": name, "columns": len(strata),
                    "unit 0 above 95": flags.get(0) in ("above", "far_above"),
                    "unit 0 above 99.8": flags.get(0) == "far_above",
                    "others above 95": flags.drop(0, errors="ignore").isin(["above", "far_above"]).mean(),
                    "others above 99.8": (flags.drop(0, errors="ignore") == "far_above").mean(),
                })  # fmt: skip
    return pd.DataFrame(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=200)
    asked = parser.parse_args()
    rows = pd.concat([study(asked.cities, size) for size in (4_000, 8_000, 30_000)])
    print(rows.groupby(["dossiers", "slow", "strata"]).mean().round(3).to_string())
