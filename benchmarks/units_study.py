"""Is the slow unit found, and the one with hard dossiers left alone? Invented cities, whole logs.

``python benchmarks/units_study.py [--cities 12] [--dossiers 12000]``. No times are measured. What it found:
docs/methods/so-sanh-don-vi.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import pandas as pd

import khaosat as ks
from khaosat.sample import write_sample


def city(seed: int, dossiers: int) -> pd.DataFrame:
    """Verdicts on the planted units of one city and how many others are called far above."""
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder), dossiers=dossiers, survey=60, seed=seed)
        truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
        log = ks.read_dossiers(sorted((Path(folder) / "dossiers").iterdir()))
        rows = ks.compare_units(log).rows
        log.engine.close()
    # Units that a merger renamed carry their old district's name; the planted factor is that of the new unit.
    speed = pd.Series(truth["true_speed"])
    slow = speed.idxmax()
    land = truth["planted"]["decoy_unit"]["ward"] - truth["planted"]["slow_unit"]["ward"]
    wards = [name for name in speed.index if name.startswith(("Phường", "Xã", "Đặc khu"))]
    decoy = wards[wards.index(slow) + land]
    flags = rows.set_index("responsible_unit")["flag"]
    above = flags[flags == "far_above"].index
    others = [name for name in above if not name.startswith(slow) and speed.get(name.split(",")[0], 1.0) < 1.15]
    judged = flags.isin(["far_above", "above", "usual", "below", "far_below"]).sum()
    return pd.DataFrame({
        "seed": [seed], "slow": [flags.get(slow, "absent")], "decoy_unit": [decoy],
        "decoy": [flags.get(decoy, "absent")],
        "false_far_above": [len(others)], "judged": [judged],
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=12)
    parser.add_argument("--dossiers", type=int, default=12_000)
    asked = parser.parse_args()
    found = pd.concat([city(seed, asked.dossiers) for seed in range(1, asked.cities + 1)], ignore_index=True)
    print(found.to_string(index=False))
    print("slow unit far above:", (found["slow"] == "far_above").mean(), "· decoy above:",
          found["decoy"].isin(["above", "far_above"]).mean(), "· others far above, of judged:",
          found["false_far_above"].sum() / found["judged"].sum())  # fmt: skip
