"""How the people of the sample answer: latent factors, thresholds, and the ways answers go missing.

A factor of a person is ward + village + person + what was planted, with variance 1; an item is its factor times a
loading plus noise, cut at four thresholds; the questions "as a whole" are weighted sums of the factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.questionnaire import Questionnaire
from khaosat.facts import read_table
from khaosat.sample.city import City
from khaosat.sample.clock import Bools, Floats, Ints
from khaosat.sample.draw import chance, pick, shares, stream

_PLACES_STREAM, _ITEMS_STREAM = 5, 6
Texts = NDArray[np.object_]
"""Answers of everyone to one question."""

_POLICY, _SERVICE = "policy", "service"


@dataclass(frozen=True, eq=False, kw_only=True)
class Opinions:
    """What stays the same from wave to wave.

    Parameters
    ----------
    city
        Whose people are asked.
    questionnaire
        The questions.
    ward
        True effect of each ward on all factors.
    satisfied
        True share of answers 4 and 5 of each satisfaction item, before anything planted.
    """

    city: City
    questionnaire: Questionnaire
    ward: Floats
    satisfied: dict[str, float]

    @classmethod
    def of(cls, city: City, questionnaire: Questionnaire, *, seed: int) -> Opinions:
        """The opinions of a city: the same seed gives the same wards."""
        spread = np.sqrt(city.truths.number("survey.ward_variance"))
        items = questionnaire.items(block="satisfaction")
        noise = stream(seed, _ITEMS_STREAM).standard_normal(len(items))
        share = city.settings.number("survey.satisfied") + city.settings.number("survey.satisfied_spread") * noise
        ward = spread * stream(seed, _PLACES_STREAM).standard_normal(len(city.wards))
        satisfied = dict(zip(items, share.tolist(), strict=True))
        return cls(city=city, questionnaire=questionnaire, ward=ward, satisfied=satisfied)


def answer(
    opinions: Opinions, people: pd.DataFrame, *, wave: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, Bools]:
    """Every answer of a wave as text, an empty text for none; and who ticked one column all the way down."""
    city, questionnaire = opinions.city, opinions.questionnaire
    used = (people["dossier_id"] != "").to_numpy() | chance(
        rng, city.settings.number("survey.other_user"), n=len(people)
    )
    factors = _factors(opinions, people, wave=wave, rng=rng)
    straight = chance(rng, city.truths.number("survey.straight_liners"), n=len(people))
    straight &= (people["interviewer"] != city.truths.text("survey.copier.interviewer")).to_numpy()
    column = pick(rng, shares(city.settings.numbers("survey.straight_column")), n=len(people)) + 1
    answers = _other_questions(opinions, used=used, rng=rng)
    for item, levels in _satisfaction(opinions, factors, rng=rng).items():
        marked = np.where(straight, column, levels)
        answers[item] = _gaps(opinions, item, levels=marked, used=used, straight=straight, rng=rng)
    frame = pd.DataFrame({name: answers[name] for name in questionnaire.questions["name"]})
    return _skip(questionnaire, frame), straight


def _factors(opinions: Opinions, people: pd.DataFrame, *, wave: str, rng: np.random.Generator) -> dict[str, Floats]:
    """The factors of each person: area, person, lateness of their dossier, and the planted improvement."""
    city, truths, n = opinions.city, opinions.city.truths, len(people)
    names = opinions.questionnaire.factors
    village = people.groupby(["ward", "village"]).ngroup().to_numpy()
    village_variance = truths.number("survey.village_variance")
    place = opinions.ward[people["ward"]] + np.sqrt(village_variance) * rng.standard_normal(village.max() + 1)[village]
    within = np.sqrt(1 - truths.number("survey.ward_variance") - village_variance)
    common = city.settings.number("survey.common")
    general = rng.standard_normal(n)
    own = rng.standard_normal((len(names), n))
    scores = place + within * (np.sqrt(common) * general + np.sqrt(1 - common) * own)
    factors = dict(zip(names, scores, strict=True))
    late = np.log1p(people["late_days"].to_numpy(dtype=np.float64))
    for name, effect in truths.table("survey.lateness").items():
        factors[name] = factors[name] + effect * late
    if wave >= truths.text("survey.improvement.wave"):
        name = truths.text("survey.improvement.factor")
        factors[name] = factors[name] + truths.number("survey.improvement.shift")
    return factors


def _satisfaction(opinions: Opinions, factors: dict[str, Floats], *, rng: np.random.Generator) -> dict[str, Ints]:
    """Levels 1 to 5 of every satisfaction item; those "as a whole" weigh what was felt about each factor's items."""
    city, questionnaire = opinions.city, opinions.questionnaire
    loading = city.settings.number("survey.loading")
    latent: dict[str, Floats] = {}
    felt: dict[str, Floats] = {}
    for factor, score in factors.items():
        items = questionnaire.items(block="satisfaction", factor=factor)
        noise = np.sqrt(1 - loading**2) * rng.standard_normal((len(items), len(score)))
        felt[factor] = (loading * score + noise.mean(axis=0)) / np.sqrt(loading**2 + (1 - loading**2) / len(items))
        latent |= dict(zip(items, loading * score + noise, strict=True))
    for item, weights in _wholes(opinions).items():
        latent[item] = _composite(opinions, felt, weights=weights, rng=rng)
    return {
        item: _cut(city, latent[item], satisfied=opinions.satisfied[item])
        for item in questionnaire.items(block="satisfaction")
    }


def _wholes(opinions: Opinions) -> dict[str, dict[str, float]]:
    """Weights of the factors in the questions about a part, and about everything, as a whole."""
    city, questionnaire = opinions.city, opinions.questionnaire
    policy = [name for name in questionnaire.factors if questionnaire.part_of(name) == _POLICY]
    even = dict.fromkeys(policy, 1 / max(len(policy), 1))
    drivers = city.truths.table("survey.drivers")
    whole = city.truths.table("survey.overall")
    both = {name: whole[_POLICY] * w for name, w in even.items()} | {n: whole[_SERVICE] * w for n, w in drivers.items()}
    asked = {questionnaire.overall_of(_POLICY): even, questionnaire.overall_of(_SERVICE): drivers,
             questionnaire.overall: both}  # fmt: skip
    return {item: weights for item, weights in asked.items() if item}


def _composite(
    opinions: Opinions, felt: dict[str, Floats], *, weights: dict[str, float], rng: np.random.Generator
) -> Floats:
    """A weighted sum with as much noise as brings its variance to 1 (planted shifts left aside)."""
    city, questionnaire = opinions.city, opinions.questionnaire
    area = city.truths.number("survey.ward_variance") + city.truths.number("survey.village_variance")
    loading = city.settings.number("survey.loading")
    size = np.array([len(questionnaire.items(block="satisfaction", factor=name)) for name in weights])
    spread = np.sqrt(1 + (1 / loading**2 - 1) / size)  # of what was felt, in units of the factor
    correlation = (area + (1 - area) * city.settings.number("survey.common")) / np.outer(spread, spread)
    np.fill_diagonal(correlation, 1.0)
    w = np.array(list(weights.values()))
    noise = np.sqrt(1 - w @ correlation @ w) * rng.standard_normal(len(next(iter(felt.values()))))
    total: Floats = noise + sum(felt[name] * weight for name, weight in weights.items())
    return total


def _cut(city: City, latent: Floats, *, satisfied: float) -> Ints:
    settings = city.settings
    very_dissatisfied, dissatisfied = (
        settings.number("survey.very_dissatisfied"),
        settings.number("survey.dissatisfied"),
    )
    below = [very_dissatisfied, dissatisfied, 1 - satisfied, 1 - settings.number("survey.very_satisfied")]
    levels: Ints = 1 + np.searchsorted([NormalDist().inv_cdf(share) for share in below], latent)
    return levels


def _gaps(
    opinions: Opinions, item: str, *, levels: Ints, used: Bools, straight: Bools, rng: np.random.Generator
) -> Texts:
    """Answers as text, with "don't know" and blanks; people who used no service know less about services."""
    settings, questionnaire = opinions.city.settings, opinions.questionnaire
    unknown = np.full(len(levels), settings.number("survey.dont_know"))
    part = questionnaire.questions.set_index("name").loc[item, "part"]
    if part == _SERVICE or item in questionnaire.items(part=_SERVICE):
        unknown[~used] = settings.number("survey.dont_know_unused")
    text = levels.astype(str).astype(object)
    codes = questionnaire.dont_know(item)
    text[chance(rng, unknown, n=len(levels)) & ~straight] = str(codes[0]) if codes else ""
    text[chance(rng, settings.number("survey.blank"), n=len(levels)) & ~straight] = ""
    return text


def _other_questions(opinions: Opinions, *, used: Bools, rng: np.random.Generator) -> dict[str, Texts]:
    """Profile, perceptions and expectations, by the shares of ``facts/sample/answers.csv`` (equal without one)."""
    city, questionnaire = opinions.city, opinions.questionnaire
    table = read_table("sample/answers.csv")
    given = {(row["item"], row["choice"]): float(row["share"]) for row in table.to_dict("records")}
    n = len(used)
    answers: dict[str, Texts] = {}
    for item in questionnaire.questions["name"]:
        if item in questionnaire.items(block="satisfaction"):
            continue
        codes = [str(code) for code in (*questionnaire.levels(item), *questionnaire.dont_know(item))]
        share = np.array([given.get((item, code), 1 / max(len(codes), 1)) for code in codes])
        if item == "used_service":
            answers[item] = np.where(used, "1", "2").astype(object)
        elif item == "gave_feedback":
            gave = chance(rng, city.settings.number("survey.gave_feedback"), n=n)
            answers[item] = np.where(gave, "1", "2").astype(object)
        elif questionnaire.kind(item) == "select_one":
            answers[item] = np.array(codes, dtype=object)[pick(rng, shares(share), n=n)]
        elif questionnaire.kind(item) == "select_multiple":
            chosen = rng.random((n, len(codes))) < share
            answers[item] = np.array([" ".join(np.array(codes)[row]) for row in chosen], dtype=object)
        else:
            answers[item] = np.full(n, "", dtype=object)
    return answers


def _skip(questionnaire: Questionnaire, frame: pd.DataFrame) -> pd.DataFrame:
    """Blank what was not asked."""
    for item in frame.columns:
        rule = questionnaire.relevant(item)
        if rule is not None:
            column, values = rule
            asked = frame[column].isin([str(value) for value in values])
            frame[item] = frame[item].where(asked, "")
    return frame
