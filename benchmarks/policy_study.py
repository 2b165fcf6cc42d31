"""Does policy_effect find the planted policy, and nothing where nothing began? Many invented cities.

``python benchmarks/policy_study.py --cities 200``, or ``--series 1000``: bare series, no cities. No times are measured.
What it found: docs/methods/danh-gia-chinh-sach.md.

A city here is its counts by field and month: dossiers received, and of them those asked for a supplement, with the
fields, rates and odds ratios of the sample (``facts/sample``). ``plain`` is the sample's own process; in ``rough`` the
log odds of a field also drift (first-order autoregressive, correlation 0.5, standard deviation 0.15) and those of all
fields move together (0.15). The true effect on shares is that expected in the cells that the policy reached.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import khaosat as ks
from khaosat.evaluate.policy_its import Model
from khaosat.evaluate.policy_result import line
from khaosat.facts import read_table
from khaosat.sample.settings import settings
from khaosat.stats.interrupted import fit_autoregressive

FIRST = pd.Period("2024-10", freq="M")
MONTHS = 24
DOSSIERS = 30_000
ROUGH, MEMORY = 0.15, 0.5
CALLS: dict[str, dict[str, object]] = {
    "its": {"method": "its"},
    "its, control": {"method": "its", "controlled": True},
    "did": {"method": "did"},
    "did, unit": {"method": "did", "errors": "unit"},
    "did, dispersion": {"method": "did", "errors": "dispersion"},
    "did, odds": {"method": "did", "scale": "odds"},
    "did, odds, unit": {"method": "did", "scale": "odds", "errors": "unit"},
    "did, odds, dispersion": {"method": "did", "scale": "odds", "errors": "dispersion"},
}


def city(seed: int, *, policy: str, rough: bool) -> tuple[pd.DataFrame, list[str], float]:
    """Counts of a city, the fields its policy reached, and the true effect on their share."""
    rng, truths = np.random.default_rng(seed), settings("truths")
    fields, procedures = read_table("sample/fields.csv"), read_table("sample/procedures.csv")
    volume = procedures.assign(volume=procedures["volume"].astype(float)).groupby("field")["volume"].sum()
    volume = volume.reindex(fields["id"]).to_numpy()
    rate = fields["supplement"].astype(float).to_numpy()[:, None]
    touched, start = _reached(fields, policy)
    log_odds = np.repeat(np.log(rate / (1 - rate)), MONTHS, axis=1)
    if rough:
        log_odds = log_odds + _drift(rng, len(fields)) + ROUGH * rng.standard_normal(MONTHS)
    after = touched[:, None] & (np.arange(MONTHS) >= start)
    without = 1 / (1 + np.exp(-log_odds))
    share = 1 / (1 + np.exp(-(log_odds + after * np.log(truths.number(f"{policy}.odds_ratio")))))
    received = rng.poisson(DOSSIERS / MONTHS * volume / volume.sum(), size=(MONTHS, len(fields))).T
    asked = rng.binomial(received, share)
    table = pd.DataFrame({
        "unit": np.repeat(fields["id"].to_numpy(), MONTHS),
        "month": np.tile([str(FIRST + k) for k in range(MONTHS)], len(fields)),
        "numerator": asked.ravel(), "denominator": received.ravel(),
    })  # fmt: skip
    return table, list(fields["id"][touched]), float(np.average((share - without)[after], weights=received[after]))


def _reached(fields: pd.DataFrame, policy: str) -> tuple[np.ndarray, int]:
    truths = settings("truths")
    when = pd.Period(truths.day(f"{policy}.when"), freq="M")
    return fields["id"].isin(truths.texts(f"{policy}.fields")).to_numpy(), when.ordinal - FIRST.ordinal


def _drift(rng: np.random.Generator, n: int) -> np.ndarray:
    steps = rng.standard_normal((n, MONTHS)) * ROUGH
    out = np.empty_like(steps)
    out[:, 0] = steps[:, 0]
    for k in range(1, MONTHS):
        out[:, k] = MEMORY * out[:, k - 1] + (1 - MEMORY**2) ** 0.5 * steps[:, k]
    return out


def found(seed: int, *, policy: str, rough: bool) -> list[dict[str, object]]:
    """What every way of asking says of one city."""
    table, touched, truth = city(seed, policy=policy, rough=rough)
    ratio = settings("truths").number(f"{policy}.odds_ratio")
    when = str(settings("truths").day(f"{policy}.when"))
    others = [unit for unit in table["unit"].unique() if unit not in touched]
    lines = []
    for name, asked in CALLS.items():
        options = {key: value for key, value in asked.items() if key != "controlled"}
        if asked.get("controlled"):
            options["control"] = others
        if options["method"] == "did":
            options["permutations"] = 0
        row = ks.policy_effect(table, when=when, treated=touched, **options).rows.set_index("effect")  # type: ignore[arg-type]
        one = row.loc["odds_ratio" if "odds_ratio" in row.index else "average"]
        true = ratio if "odds_ratio" in row.index else truth
        lines.append({
            "process": "rough" if rough else "plain", "policy": policy, "asked": name,
            "covers": one["low"] <= true <= one["high"],
            "significant": one["p_value"] < 0.05, "error": one["estimate"] - true, "width": one["high"] - one["low"],
        })  # fmt: skip
    return lines


SERIES = {(24, 15, 12.0): 1, (36, 24, 12.0): 2, (60, 40, 12.0): 2, (104, 60, 365.25 / 7): 2}
"""Length, first period after and periods a year, and pairs of sine and cosine fitted."""
LEVEL, STEP = 0.15, -0.05
"""Share before, and what a planted policy takes off it."""


def series_study(times: int) -> pd.DataFrame:
    """Findings of ``its`` in bare series of shares with a season, drifting volumes and errors that remember."""
    rng, lines = np.random.default_rng(1), []
    for (n, start, per_year), waves in SERIES.items():
        time = np.arange(n)
        model = Model(time=time, start=start, waves=waves, places=(), origin=0, per_year=per_year)
        cases = np.round((700 if per_year == 12 else 160) * (1 + time / n / 2) * np.exp(0.2 * rng.standard_normal(n)))
        gain = (model.columns() - model.columns(treated=False))[time >= start]
        contrasts = {"average": np.average(gain, axis=0, weights=cases[time >= start]), "level": gain[0]}
        for rho, spread in ((0.0, 0.0), (0.0, 0.15), (0.3, 0.15), (0.6, 0.15)):
            for step in (0.0, STEP):
                for _ in range(times):
                    share = _shares(rng, time, cases, per_year, rho=rho, spread=spread, step=step * (time >= start))
                    fit = fit_autoregressive(share, model.columns(), time=time, weights=cases)
                    for name, contrast in contrasts.items():
                        one = line(*fit.combine(contrast), level=0.95, n=n)
                        lines.append({
                            "periods": n, "correlation": rho, "spread": spread, "effect": name,
                            "null found": one["p_value"] < 0.05 if step == 0 else np.nan,
                            "covers": one["low"] <= step <= one["high"],
                            "planted found": one["p_value"] < 0.05 if step else np.nan,
                        })  # fmt: skip
    return pd.DataFrame(lines).groupby(["effect", "periods", "correlation", "spread"]).mean()


def _shares(
    rng: np.random.Generator, time: np.ndarray, cases: np.ndarray, per_year: float, *, rho: float, spread: float,
    step: np.ndarray,
) -> np.ndarray:  # fmt: skip
    error = rng.standard_normal(len(time))
    for k in range(1, len(time)):
        error[k] = rho * error[k - 1] + (1 - rho**2) ** 0.5 * error[k]
    share = LEVEL + 0.02 * np.sin(2 * np.pi * time / per_year + 0.7) + 0.004 * time / per_year + step
    chance = 1 / (1 + np.exp(-np.log(share / (1 - share)) - spread * error))
    return np.asarray(rng.binomial(cases.astype(int), chance) / cases)


def main() -> None:
    """Run the study and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--series", type=int, help="instead: so many bare series of each kind")
    asked = parser.parse_args()
    if asked.series:
        print((100 * series_study(asked.series)).round(1).to_string())
        return
    seeds = range(asked.first_seed, asked.first_seed + asked.cities)
    lines = [
        line
        for rough in (False, True)
        for policy in ("policy", "null_policy")
        for seed in seeds
        for line in found(seed, policy=policy, rough=rough)
    ]
    rows = pd.DataFrame(lines)
    print(rows.groupby(["process", "policy", "asked"], sort=False).mean().round(4).to_string())


if __name__ == "__main__":
    main()
