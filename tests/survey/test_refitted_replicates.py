"""With replicate weights, reliability and parts of McFadden's R² are calculated again in every replicate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.stats.consistency import omega
from khaosat.stats.item_moments import pearson_moments, replicate_covariances
from khaosat.survey import glm, importance, reliability, replicates
from khaosat.survey.importance_shares import Game, parts_of_r_squared

ITEMS = ["a", "b", "c", "d"]
DESIGN = Design(weights="w", strata="h", clusters="c_no", fpc="size", nest=True)


def answers(seed: int = 3, n: int = 480) -> pd.DataFrame:
    """Four items of one scale, three strata with four to six units each, units that differ."""
    rng = np.random.default_rng(seed)
    h = np.arange(n) % 3
    unit = rng.integers(0, 4 + h)
    trait = rng.normal(size=n) + 0.5 * rng.normal(size=20)[h * 6 + unit]
    items = np.clip(np.round(3 + trait[:, None] * [0.9, 0.7, 0.5, 0.8] + rng.normal(size=(n, 4))), 1, 5)
    return pd.DataFrame(items, columns=ITEMS).assign(
        h=h, c_no=unit, size=np.array([20, 30, 25])[h], w=rng.uniform(0.5, 3, n),
        y=pd.cut(trait + rng.normal(size=n), [-9, -0.7, 0.6, 9], labels=False), x1=items[:, 0], x2=rng.normal(size=n),
    )  # fmt: skip


def alpha_by_hand(x: np.ndarray, w: np.ndarray) -> float:
    s = np.cov(x.T, aweights=w, ddof=0)
    return len(s) / (len(s) - 1) * (1 - np.trace(s) / s.sum())


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_alpha_and_omega_are_found_again_in_every_replicate(method: str) -> None:
    survey = replicates(
        Survey(responses=answers(), design=DESIGN), method=method, n=40 if method == "bootstrap" else None
    )
    row, made = reliability(survey, ITEMS).rows.iloc[0], survey.replication
    x = survey.responses[ITEMS].to_numpy(float)
    again = []
    for w in made.weights.T:
        held = w > 0
        again.append((alpha_by_hand(x[held], w[held]), omega(pearson_moments(x[held], w[held])).value))
    away = np.array(again) - np.mean(again, axis=0)
    by_hand = np.sqrt((made.factors[:, None] * away**2).sum(axis=0))
    np.testing.assert_allclose([row["se"], row["omega_se"]], by_hand, rtol=1e-6)
    assert row["alpha"] == pytest.approx(alpha_by_hand(x, survey.responses["w"]), rel=1e-12)


def test_covariances_of_replicates_are_those_of_their_weights_with_gaps_in_the_answers() -> None:
    rng = np.random.default_rng(5)
    x, w = rng.normal(2026, 1, size=(90, 3)), rng.uniform(0.5, 2, size=(90, 4))
    x[rng.random(x.shape) < 0.2] = np.nan
    found = replicate_covariances(x, w, n_pairs=pearson_moments(x, w[:, 0]).n_pairs)
    for one, weights in zip(found, w.T, strict=True):
        np.testing.assert_allclose(one, pearson_moments(x, weights).covariance, rtol=1e-9)


def test_polychoric_reliability_says_that_it_is_not_found_again() -> None:
    survey = replicates(Survey(responses=answers(n=240), design=DESIGN))
    with language("en"):
        result = reliability(survey, ITEMS[:3], correlation="polychoric")
    assert any("not found again" in note for note in result.notes)
    assert result.rows["se"].iloc[0] > 0


def test_parts_of_mcfaddens_r_squared_are_found_again_in_every_replicate() -> None:
    survey = replicates(Survey(responses=answers(), design=DESIGN))
    result, made = importance(survey, "y", ["x1", "x2"], model="ordinal"), survey.replication
    frame = survey.responses
    game = Game(
        y=frame["y"].to_numpy(float), x=frame[["x1", "x2"]].to_numpy(float), used=np.ones(len(frame), dtype=bool),
        players=np.eye(2, dtype=bool), always=np.zeros(2, dtype=bool), blocks=[[0], [1]],
    )  # fmt: skip
    again = []
    for w in made.weights.T:
        held = w > 0
        part = Survey(responses=frame[held].assign(w=w[held]), design=Design(weights="w"))
        kept = Game(y=game.y[held], x=game.x[held], used=np.ones(held.sum(), dtype=bool), players=game.players,
                    always=game.always, blocks=game.blocks)  # fmt: skip
        again.append(
            parts_of_r_squared(part, kept, model="ordinal", draws=None, rng=np.random.default_rng(0)).estimates
        )
    away = np.array(again)[:, :2] - np.mean(again, axis=0)[:2]
    by_hand = np.sqrt((made.factors[:, None] * away**2).sum(axis=0))
    np.testing.assert_allclose(result.rows["se"], by_hand, rtol=1e-6)
    with language("en"):
        assert not any("not fitted again" in note for note in result.notes)


def test_too_many_models_take_the_influence_values_and_say_so() -> None:
    survey = replicates(Survey(responses=answers(n=200), design=DESIGN), method="bootstrap", n=600)
    with language("en"):
        result = importance(survey, "y", ["x1", "x2"], model="ordinal")
        assert any("not fitted again" in note for note in result.notes)
    refitted = importance(
        replicates(Survey(responses=answers(n=200), design=DESIGN)), "y", ["x1", "x2"], model="ordinal"
    )
    assert result.rows["se"].iloc[0] == pytest.approx(refitted.rows["se"].iloc[0], rel=0.15)


@pytest.mark.parametrize(("usual", "more"), [(0, 1), (0.7, 0.1), (1 / 3, 1)])
def test_an_item_constant_in_a_replicate_leaves_no_omega_and_an_alpha(usual: float, more: float) -> None:
    """Constant up to rounding: its variance may come out above, at or below zero."""
    frame = answers()
    frame["rare"] = usual + more * frame.eval("h == 0 and c_no == 1")
    items = ["a", "rare", "c"]
    survey = replicates(Survey(responses=frame, design=DESIGN), method="jackknife")
    row, made = reliability(survey, items).rows.iloc[0], survey.replication
    x = frame[items].to_numpy(float)
    again = np.array([alpha_by_hand(x, w) for w in made.weights.T])
    assert row["se"] == pytest.approx(np.sqrt(made.factors @ (again - again.mean()) ** 2), rel=1e-8)
    assert np.isfinite(row["omega"])
    assert np.isnan(row["omega_se"])


def test_a_replicate_without_anybody_of_the_domain_is_said_not_divided_by() -> None:
    frame = answers()
    survey = replicates(Survey(responses=frame, design=replace(DESIGN, fpc=None)), method="bootstrap", n=40)
    alone = "h == 0 and c_no == 1"
    inside = frame.eval(alone).to_numpy()
    assert (survey.replication.weights[inside].sum(axis=0) == 0).any()
    for call in (lambda: glm(survey, "a ~ x2", where=alone), lambda: importance(survey, "a", ["x2", "c"], where=alone)):
        with pytest.raises(DataError, match="of 40 replicates"), language("en"):
            call()
    found = importance(survey, "y", ["x2", "c"], model="ordinal", where=alone)
    assert np.isfinite(found.rows["estimate"]).all()
