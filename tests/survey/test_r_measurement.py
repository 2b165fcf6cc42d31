"""Reliability, factors and item functioning equal R on the open cases and `tests/reference/survey_measurement.R`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.stats.consistency import alpha, alpha_influence, omega
from khaosat.stats.exploratory import extract
from khaosat.stats.factor_fit import fit_indices, srmr
from khaosat.stats.factor_model import fit_factors
from khaosat.stats.item_moments import ItemMoments, pearson_moments, polychoric_moments
from khaosat.stats.ordinal import fit_ordinal, level_shares
from khaosat.stats.polychoric import polychoric
from khaosat.survey import dif, factor_structure, mean, ordinal, reliability
from tests.shared import shared

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
ITEMS = [f"q{j}" for j in range(1, 7)]
TWO = {"a": ITEMS[:3], "b": ITEMS[3:]}


@cache
def cases(file: str = "psychometrics") -> dict[str, dict]:
    text = shared(f"reference/survey/{file}.json").read_text(encoding="utf-8")
    return {case["id"]: case["value"] for case in json.loads(text)["cases"]}


@cache
def bfi() -> pd.DataFrame:
    frame = pd.read_csv(shared("reference/survey/data/bfi.csv"))
    return frame.assign(A1=7 - frame["A1"])


def five(letter: str) -> list[str]:
    return [f"{letter}{j}" for j in range(1, 6)]


def same(found: object, expected: object, rtol: float = 1e-6, atol: float = 1e-12) -> None:
    values = list(expected.values()) if isinstance(expected, dict) else expected
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(values, float), rtol=rtol, atol=atol)


def srs(influence: np.ndarray) -> np.ndarray:
    """Covariance of totals in a simple random sample, with divisor n as lavaan's."""
    away = influence - influence.mean(axis=0)
    return away.T @ away


# Open cases: psych, lavaan and semTools -------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["A", "N"])
@pytest.mark.parametrize("missing", ["complete", "pairwise"])
def test_alpha(letter: str, missing: str) -> None:
    value = cases()[f"bfi.alpha_{'listwise_' if missing == 'complete' else ''}{letter}"]
    items = five(letter)
    result = reliability(Survey(responses=bfi()), items, missing=missing)
    row = result.rows.iloc[0]
    same(row[["alpha", "alpha_standardized", "lambda6", "average_r"]],
         [value[name] for name in ("raw_alpha", "std_alpha", "G6", "average_r")])  # fmt: skip
    same(row[["low", "high"]], value["feldt"])
    same(result.item_statistics["alpha_without"], value["alpha_drop"])
    same(result.item_statistics["item_rest"], value["r_drop"])
    if missing == "complete":
        same(result.item_statistics["item_total"], value["raw_r"])
        assert row["n"] == value["n"]
    # psych's scale score is the mean of the answers there are
    frame = bfi() if missing == "pairwise" else bfi().dropna(subset=items)
    score = frame[items].mean(axis=1)
    same(mean(Survey(responses=score.to_frame("score")), "score").rows["estimate"], [value["mean"]])
    same(pearson_moments(score.to_numpy()[:, None], np.ones(len(score))).scale, [value["sd"]])
    moments = pearson_moments(frame[items].to_numpy(float), np.ones(len(frame)))
    same(np.median(moments.matrix[np.triu_indices(5, 1)]), value["median_r"])
    same(normal_theory_error(moments, n=len(frame)), value["ase"])


def normal_theory_error(moments: ItemMoments, *, n: int) -> float:
    """Standard error of alpha if the items were normal, from the same gradient as ours (Duhachek and Iacobucci)."""
    p = len(moments.matrix)
    unit = np.eye(p * (p + 1) // 2) / np.outer(moments.scale, moments.scale)[np.triu_indices(p)]
    upper = np.zeros((p, p))
    upper[np.triu_indices(p)] = alpha_influence(
        ItemMoments(
            matrix=moments.matrix, influence=unit, scale=moments.scale, variance=moments.variance,
            n_pairs=moments.n_pairs,
        )
    )  # fmt: skip
    gradient = (upper + upper.T) / 2
    s = moments.covariance
    return float(np.sqrt(2 * np.trace(gradient @ s @ gradient @ s) / n))


@pytest.mark.parametrize("letter", ["A", "N"])
def test_omega(letter: str) -> None:
    value = cases()[f"bfi.omega_cfa_{letter}"]
    x = bfi()[five(letter)].dropna().to_numpy(float)
    n = len(x)
    row = reliability(Survey(responses=bfi()), five(letter)).rows.iloc[0]
    assert row["n"] == n == value["n"]
    same(row[["alpha", "omega"]], value["semTools"]["values"][:2])
    moments = pearson_moments(x, np.ones(n))
    one = fit_factors(moments.covariance * (n - 1) / n, np.zeros(5, dtype=np.intp))
    same(one.loadings, value["lambda"], 5e-6)  # lavaan's optimiser stops there
    same(one.uniquenesses, value["theta"], 5e-6)
    fit = omega(moments).fit
    plain, _ = fit_indices(moments, fit, n=n, covariance=srs)
    same([plain.chi2, plain.cfi, plain.rmsea, srmr(moments, fit)],
         [value[name] for name in ("chisq", "cfi", "rmsea", "srmr")])  # fmt: skip
    total = (fit.loadings * moments.scale).sum() ** 2
    variance = moments.covariance
    same([total / variance.sum(), (fit.loadings**2 * moments.scale**2).sum() / np.trace(variance)],
         value["semTools"]["values"][3:], 5e-6)  # fmt: skip


@pytest.mark.parametrize("letter", ["A", "N"])
def test_ordinal_omega(letter: str) -> None:
    value = cases()[f"bfi.omega_cfa_{letter}"]["ordered"]
    expected = dict(zip(value["semTools_names"], value["semTools"], strict=True))
    row = reliability(Survey(responses=bfi()), five(letter), correlation="polychoric").rows.iloc[0]
    same(row[["alpha", "omega"]], [expected["alpha.ord"], expected["omega"]])
    codes = bfi()[five(letter)].dropna().to_numpy().astype(np.intp) - 1
    moments = polychoric_moments(codes, np.ones(len(codes)), exact=False)  # lavaan's standard errors
    fit = omega(moments).fit
    same(fit.loadings, value["lambda"])
    same((fit.loadings**2).mean(), expected["avevar"])
    n = len(codes)
    _, scaled = fit_indices(moments, fit, n=n, covariance=lambda z: srs(z) * n / (n - 1))
    same([scaled.cfi, scaled.rmsea], [value["cfi"], value["rmsea"]], 2e-6)


@pytest.mark.parametrize("letter", ["A", "N"])
def test_omega_of_observed_answers(letter: str) -> None:
    """Green and Yang's omega over the variance of the answers themselves, not of the model, is semTools' omega 3."""
    from khaosat.stats.consistency import _score_covariance

    codes = bfi()[five(letter)].dropna().to_numpy().astype(np.intp) - 1
    moments = polychoric_moments(codes, np.ones(len(codes)))
    loadings, tau = omega(moments).fit.loadings, list(moments.thresholds)
    found = _score_covariance(tau, np.outer(loadings, loadings)) / _score_covariance(tau, moments.matrix)
    same(found, cases()[f"bfi.omega_cfa_{letter}"]["ordered"]["semTools"][4])


def test_polychoric() -> None:
    value = cases()["bfi.polychoric_lavaan"]
    result = factor_structure(Survey(responses=bfi()), five("N"), missing="complete", draws=2)
    assert set(result.rows["n"]) == {value["n"]}
    same(result.correlations, value["rho"]["values"])


def test_feldt() -> None:
    value = cases()["bfi.icc_like_cronbach_ci"]
    row = reliability(Survey(responses=bfi()), five("N")).rows.iloc[0]
    same(row[["alpha", "low", "high", "n"]], value)


def test_confirmatory_textbook_example() -> None:
    value = cases()["hs.cfa_ml"]
    frame = pd.read_csv(shared("reference/survey/data/HolzingerSwineford1939.csv"))
    names = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
    result = factor_structure(Survey(responses=frame), names, draws=2)
    fit = result.fit.iloc[0]
    expected = {row["lhs"] + row["op"] + row["rhs"]: row for row in value["par"]}
    standardised = [expected[f"{f}=~{x}"]["std.all"] for f, items in names.items() for x in items]
    same(result.rows["estimate"], standardised, 3e-6)
    between = [
        expected[f"{a}~~{b}"]["std.all"] for a, b in result.factor_correlations[["factor_a", "factor_b"]].to_numpy()
    ]
    same(result.factor_correlations["estimate"], between, 3e-6)
    keys = {"chi2": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower",
            "rmsea_high": "rmsea.ci.upper", "srmr": "srmr"}  # fmt: skip
    same(fit[list(keys)], [value["fit"][name] for name in keys.values()])
    same(fit["p_value"], value["fit"]["pvalue"], 1e-5)
    marked(frame, names, expected, value["fit"])


def marked(frame: pd.DataFrame, names: dict[str, list[str]], expected: dict, fit: dict) -> None:
    """Parameters and model-based errors with first loadings fixed at 1, from ours by the chain rule."""
    x = frame[[item for items in names.values() for item in items]].to_numpy(float)
    n, group = len(x), np.repeat([0, 1, 2], 3)
    s = np.cov(x.T, bias=True)
    found = fit_factors(s, group)
    away = np.linalg.solve(found.implied, found.tangents)
    variance = np.linalg.inv(n / 2 * np.einsum("tab,uba->tu", away, away))

    def turned(at: np.ndarray) -> np.ndarray:
        first = at[[0, 3, 6]]
        ratio = (at[:9] / first[group])[[1, 2, 4, 5, 7, 8]]
        return np.concatenate([ratio, at[12:], first**2, at[9:12] * first[[0, 0, 1]] * first[[1, 2, 2]]])

    at = np.concatenate([found.loadings, found.factor_correlations[np.triu_indices(3, 1)], found.uniquenesses])
    slopes = np.array([turned(at + step) - turned(at - step) for step in 1e-6 * np.eye(21)]) / 2e-6
    items = [f"x{j}" for j in range(1, 10)]
    keys = [f"{f}=~{item}" for f, three in names.items() for item in three[1:]] + [f"{x}~~{x}" for x in items]
    keys += [f"{f}~~{f}" for f in names] + ["visual~~textual", "visual~~speed", "textual~~speed"]
    same(turned(at), [expected[key]["est"] for key in keys], 1e-5)
    same(np.sqrt(np.diag(slopes.T @ variance @ slopes)), [expected[key]["se"] for key in keys], 1e-5)
    likelihood = -n / 2 * (9 * np.log(2 * np.pi) + np.linalg.slogdet(found.implied)[1]
                           + np.trace(np.linalg.solve(found.implied, s)))  # fmt: skip
    same([likelihood, 2 * 21 - 2 * likelihood, 21 * np.log(n) - 2 * likelihood, found.discrepancy / 2, at.size],
         [fit[name] for name in ("logl", "aic", "bic", "fmin", "npar")])  # fmt: skip


def test_every_open_case_is_checked() -> None:
    tested = {f"bfi.{kind}_{letter}" for kind in ("alpha", "alpha_listwise", "omega_cfa") for letter in "AN"}
    tested |= {"bfi.polychoric_lavaan", "bfi.icc_like_cronbach_ci", "hs.cfa_ml"}
    assert tested == set(cases())


def test_what_is_left_of_the_ordinal_cases() -> None:
    """Fitted probabilities and information criteria; coefficients and errors are in test_r_models.py."""
    frame = pd.read_csv(shared("reference/survey/data/housing.csv"))
    orders = {"Sat": ["Low", "Medium", "High"], "Infl": ["Low", "Medium", "High"],
              "Type": ["Tower", "Apartment", "Atrium", "Terrace"], "Cont": ["Low", "High"]}  # fmt: skip
    codes = {name: frame[name].map({level: j for j, level in enumerate(order)}) for name, order in orders.items()}
    x = np.column_stack([codes[name] == j for name in ("Infl", "Type", "Cont") for j in range(1, len(orders[name]))])
    weights, value = frame["Freq"].to_numpy(float), cases("ordinal")["housing.polr_logistic"]
    fit = fit_ordinal(codes["Sat"].to_numpy(np.intp), x.astype(float), weights=weights)
    rows = [level_shares(x.astype(float), fit, weights=np.eye(len(x))[j])[0] for j in range(6)]
    same(rows, value["probs_first6"])
    deviance = -2 * fit.log_likelihood * weights.mean()
    same([deviance, deviance + 2 * len(fit.coef), len(fit.coef), weights.sum()],
         [value[name] for name in ("deviance", "aic", "edf", "nobs")])  # fmt: skip
    wine, value = pd.read_csv(shared("reference/survey/data/wine.csv")), cases("ordinal")["wine.clm"]
    found = ordinal(Survey(responses=wine), "rating ~ temp + contact").fit
    same(found["deviance"].iloc[0] + 2 * 6, value["AIC"])


# Our own references ---------------------------------------------------------------------------------------------------


@cache
def answers() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survey_measurement_data.csv")


@cache
def expected(case: str) -> dict[str, float]:
    frame = pd.read_csv(REFERENCE / "survey_measurement.csv")
    return frame[frame["case"] == case].set_index("name")["value"].to_dict()


@cache
def drawn() -> Survey:
    design = Design(weights="weight", strata="stratum", clusters=["ward", "person"], fpc=["n_wards", "n_people"])
    return Survey(responses=answers(), design=design)


def test_reliability_by_the_design() -> None:
    row, value = reliability(drawn(), ITEMS[:3]).rows.iloc[0], expected("design")
    same(row[["alpha", "se", "omega", "omega_se", "df"]], value)


def test_unweighted_alpha_with_its_items() -> None:
    complete = answers().dropna(subset=ITEMS)
    result, value = reliability(Survey(responses=complete), ITEMS[3:]), expected("alpha")
    names = ("raw_alpha", "std.alpha", "G6", "average_r")
    same(result.rows[["alpha", "alpha_standardized", "lambda6", "average_r"]].iloc[0], [value[name] for name in names])
    same(result.item_statistics["alpha_without"], [value[f"drop_{item}"] for item in ITEMS[3:]])
    same(result.item_statistics["item_rest"], [value[f"rest_{item}"] for item in ITEMS[3:]])


def test_confirmatory_model_with_robust_errors() -> None:
    result = factor_structure(
        Survey(responses=answers()), TWO, correlation="pearson", missing="complete", draws=2
    )  # fmt: skip
    value, rows, fit = expected("cfa"), result.rows, result.fit.iloc[0]
    bessel = np.sqrt(1 - 1 / len(answers()))  # those who left a blank were drawn too
    same(rows["estimate"], [value[f"loading_{item}"] for item in ITEMS], 1e-5)
    same(rows["se"] * bessel, [value[f"se_{item}"] for item in ITEMS], 1e-5)
    between = result.factor_correlations.iloc[0]
    same([between["estimate"], between["se"] * bessel], [value["phi"], value["phi_se"]], 1e-5)
    same(fit[["chi2", "df", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr", "baseline_chi2"]],
         [value[name] for name in ("chisq", "df", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr",
                                   "baseline.chisq")])  # fmt: skip
    # lavaan divides by n where a design divides by n - 1: the scale of the corrected statistic, not its shift
    moments = pearson_moments(answers()[ITEMS].dropna().to_numpy(float), np.ones(int(value["n"])))
    fitted = fit_factors(moments.matrix, np.repeat([0, 1], 3))
    _, scaled = fit_indices(moments, fitted, n=int(value["n"]), covariance=srs)
    same([scaled.chi2, scaled.baseline_chi2], [value["chisq.scaled"], value["baseline.chisq.scaled"]], 1e-5)


@pytest.mark.parametrize("pair", ["q1_q2", "q2_q6", "q4_q5"])
def test_weighted_polychoric(pair: str) -> None:
    codes = answers()[pair.split("_")].fillna(0).to_numpy().astype(np.intp) - 1
    both = (codes >= 0).all(axis=1)
    found = polychoric(codes[both], answers()["weight"].to_numpy(float)[both]).matrix[0, 1]
    same(found, expected("polychoric")[pair])


@pytest.mark.parametrize("rotation", ["varimax", "promax", "oblimin"])
def test_exploratory(rotation: str) -> None:
    found = extract(np.corrcoef(answers()[ITEMS].dropna().to_numpy(float).T), 2, rotation=rotation)
    value = expected(rotation)
    for j in (0, 1):
        np.testing.assert_allclose(found.loadings[:, j], [value[f"F{j + 1}_{item}"] for item in ITEMS], atol=1e-5)
    if rotation == "oblimin":
        same(found.correlations[0, 1], value["phi"], 1e-4)


def test_minres_and_adequacy() -> None:
    options = {"correlation": "pearson", "missing": "complete", "extraction": "minres", "factors": 2, "draws": 2}
    result = factor_structure(Survey(responses=answers()), ITEMS, **options)
    np.testing.assert_allclose(1 - result.rows["uniqueness"], list(expected("minres").values()), atol=1e-4)
    value, row = expected("adequacy"), result.adequacy.iloc[0]
    same([row["kmo"], *result.rows["msa"], row["statistic"], row["df"]], value)


def test_item_functioning_by_likelihood_ratio() -> None:
    rows = dif(Survey(responses=answers()), "gender", items=ITEMS, purify=0).rows.set_index(["item", "kind"])
    value = expected("dif")
    for item in ITEMS:
        same(rows.loc[(item, "uniform"), "statistic"], value[f"uniform_{item}"], 1e-5)
        same(rows.loc[(item, "nonuniform"), "statistic"], value[f"nonuniform_{item}"], 1e-5)
        for kind in ("uniform", "any"):
            same(rows.loc[(item, kind), "effect"], value[f"effect_{kind}_{item}"], 1e-5)


def test_item_functioning_by_the_design() -> None:
    result, value = dif(drawn(), "gender", items=ITEMS, purify=0), expected("dif_design")
    groups = result.groups.set_index(["item", "kind"])
    tests = result.rows.set_index(["item", "kind"])["statistic"]
    for item in ITEMS:
        same(groups.loc[(item, "uniform"), ["estimate", "se", "df"]],
             [value[f"{name}_{item}"] for name in ("estimate", "se", "df")], 1e-5)  # fmt: skip
        t = value[f"t_nonuniform_{item}"]
        same(tests[(item, "nonuniform")], t**2, 1e-4)
    uniform = groups.loc[("q2", "uniform")]
    same(tests[("q2", "uniform")], (uniform["estimate"] / uniform["se"]) ** 2)


def test_alpha_agrees_with_pingouin() -> None:
    import pingouin

    frame = answers()[ITEMS]
    for missing, policy in (("pairwise", "pairwise"), ("complete", "listwise")):
        value, (low, high) = pingouin.cronbach_alpha(frame, nan_policy=policy)
        row = reliability(Survey(responses=frame), ITEMS, missing=missing).rows.iloc[0]
        same(row["alpha"], value, 1e-13)
        same(alpha(frame.cov()), pingouin.cronbach_alpha(frame)[0], 1e-13)
        if missing == "pairwise":  # with "listwise" pingouin takes the respondents before any were left out
            same(row[["low", "high"]].astype(float).round(3), [low, high], 1e-12)
