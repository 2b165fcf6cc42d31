"""Chances: measures equal scikit-learn, whole cases stay in one fold, bands know of running times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.stats.censored_bands import residual_bands
from khaosat.stats.forecast_checks import auc, brier, ece, reliability
from khaosat.stats.risk_model import UNCHANGED, fit_risk, recalibration, rescaled


def draws(n=2000, seed=3):
    rng = np.random.default_rng(seed)
    numbers = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    texts = pd.DataFrame({"unit": rng.choice(["u", "v", "w"], n)})
    odds = numbers["a"] + texts["unit"].map({"u": -1.0, "v": 0.0, "w": 1.0})
    return numbers, texts, (rng.random(n) < 1 / (1 + np.exp(-odds))).to_numpy(float)


def test_measures_equal_scikit_learn():
    from sklearn.metrics import brier_score_loss, roc_auc_score

    rng = np.random.default_rng(1)
    chance = rng.random(500).round(2)
    event = (rng.random(500) < chance).astype(float)
    assert auc(event, chance) == pytest.approx(roc_auc_score(event, chance), abs=1e-12)
    assert brier(event, chance) == pytest.approx(brier_score_loss(event, chance), abs=1e-12)
    rows = reliability(event, chance)
    assert rows["n"].sum() == 500
    assert ece(event, chance) == pytest.approx((rows["n"] * (rows["estimate"] - rows["chance"]).abs()).sum() / 500)


def test_contributions_add_up_to_the_log_odds():
    numbers, texts, event = draws()
    model = fit_risk(numbers, texts, event=event, case=np.arange(len(event)))
    linear = model.logistic.decision_function
    z = model._standard(model._design(numbers, texts))
    design = np.column_stack([z, z * z[:, :1], z**2])
    added = model.contributions(numbers, texts).sum(axis=1)
    np.testing.assert_allclose(added, linear(design) - linear(model.usual[None, :])[0], atol=1e-9)


def test_a_category_of_pure_noise_says_nothing_of_new_cases():
    """One name a case: coded by its own outcome it would foretell all; coded by other folds it foretells nothing."""
    numbers, _, event = draws()
    names = pd.DataFrame({"who": [f"n{i // 4}" for i in range(len(event))]})
    case = np.arange(len(event)) // 4
    plain = fit_risk(numbers, pd.DataFrame(index=numbers.index), event=event, case=case)
    noisy = fit_risk(numbers, names, event=event, case=case)
    new, _, later = draws(seed=9)
    unknown = pd.DataFrame({"who": [f"m{i}" for i in range(len(later))]})
    loss = [brier(later, model.predict(new, texts)) for model, texts in ((plain, unknown), (noisy, unknown))]
    assert loss[1] < loss[0] + 0.01


def test_recalibration_finds_what_was_done_to_chances():
    rng = np.random.default_rng(2)
    true = rng.uniform(0.02, 0.98, 200_000)
    event = (rng.random(200_000) < true).astype(float)
    assert recalibration(event, rescaled(true, (0.5, 0.5))) == pytest.approx((-1.0, 2.0), abs=0.05)
    assert rescaled(true, UNCHANGED) is true


def test_few_cases_recalibrate_little_and_weights_count_as_cases():
    """Ten cases against a chance of 1 % move it less than a thousand; each counted twice is as two of each."""
    chance, event = np.full(1000, 0.01), np.tile([1.0, 0.0], 500)
    few, many = (recalibration(event[:n], chance[:n]) for n in (10, 1000))
    said = [rescaled(np.array([0.01]), scaling)[0] for scaling in (few, many)]
    assert 0.01 < said[0] < 0.1 < 0.4 < said[1] < 0.5
    twice = recalibration(event[:40], chance[:40], weight=np.full(40, 2.0))
    assert twice == pytest.approx(recalibration(np.tile(event[:40], 2), np.tile(chance[:40], 2)))


def test_bands_count_what_still_runs():
    """Quantiles of times cut off at one moment equal those of the whole times below it; ended ones alone fall short."""
    rng = np.random.default_rng(4)
    whole, limit = rng.exponential(1, 20_000), rng.uniform(0.5, 4, 20_000)
    seen, ended = np.minimum(whole, limit), whole <= limit
    found = residual_bands(seen, ended, ["u"] * 20_000, probs=[0.5, 0.9]).of(["u"])[0]
    np.testing.assert_allclose(found, np.quantile(whole, [0.5, 0.9]), rtol=0.04)
    assert np.quantile(seen[ended], 0.9) < 0.85 * found[1]
    unreached = residual_bands(np.ones(10), np.arange(10) < 3, ["u"] * 10, probs=[0.9]).of(["u"])
    assert np.isinf(unreached).all()
