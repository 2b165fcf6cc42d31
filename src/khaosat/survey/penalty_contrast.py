"""Which factors only punish, which only reward, and which do both: penalty-reward contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.show.table import Column
from khaosat.stats.intervals import t_interval
from khaosat.survey.driver_covariates import FEW, label
from khaosat.survey.driver_scores import Choice, Detail, Scores, score
from khaosat.survey.models import glm
from khaosat.survey.result import SurveyResult, design_notes
from khaosat.survey.shapley_importance import formula_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Kind = Literal["basic", "performance", "excitement", "unclear"]
_SIDES = {"penalty": "low", "reward": "high"}


@dataclass(frozen=True, eq=False, kw_only=True)
class PenaltyReward(SurveyResult):
    """Penalties and rewards, one row a factor or item.

    ``rows``: ``variable``; ``penalty`` (difference of the mean answer on the whole between those dissatisfied with the
    factor and those in between) and ``reward`` (between those delighted and those in between), each with ``_se, _low,
    _high``; ``contrast`` (reward per point of the score less penalty per point) with ``_se, _low, _high``; ``kind``
    (``basic``: the penalty per point is larger; ``excitement``: the reward is; ``performance``: both are there and
    neither is measurably larger; else ``unclear``); ``df, n, n_missing, n_low, n_high``.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Penalties to the left, rewards to the right, with their intervals and what they make of a factor."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import GREEN, VERMILION, WIDTH, theme

        shown = replace(self, rows=self.rows[~self._small_cells()])._worded().rows
        place = np.arange(len(shown))[::-1]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.8, 0.42 * len(shown) + 1.0)))
            for side, up, colour, words in (
                ("penalty", 0.2, VERMILION, say("penalty")), ("reward", -0.2, GREEN, say("reward"))
            ):  # fmt: skip
                ax.barh(place + up, shown[side].to_numpy(float), height=0.36, color=colour, alpha=0.75, label=words)
                ax.hlines(place + up, shown[f"{side}_low"], shown[f"{side}_high"], color="0.25", linewidth=1)
            right = float(np.nanmax([0.0, *shown["reward_high"], *shown["penalty_high"]]))
            for y, kind in zip(place, shown["kind"], strict=True):
                ax.text(right * 1.05, y, kind, va="center", fontsize=8)
            ax.axvline(0, color="0.4", linewidth=0.8)
            ax.set_yticks(place, shown["variable"])
            ax.xaxis.set_major_formatter(lambda value, _: number(value, 1))
            ax.set_xlabel(say("Difference of the mean answer on the whole (points)"))
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
        return ax

    def _worded(self) -> SurveyResult:
        worded = super()._worded()
        words = kind_words()
        return replace(worded, rows=worded.rows.assign(kind=[words[kind] for kind in self.rows["kind"]]))

    def _columns(self) -> Sequence[Column]:
        columns = [Column(name="variable")]
        for name, group in (
            ("penalty", say("Penalty")), ("reward", say("Reward")), ("contrast", say("Reward less penalty, per point"))
        ):  # fmt: skip
            columns += [
                Column(name=name, kind="number", decimals=2, group=group, label=say("Value")),
                Column(name=(f"{name}_low", f"{name}_high"), kind="interval", decimals=2, group=group),
            ]
        counts = [Column(name="n_low", kind="int"), Column(name="n_high", kind="int"), Column(name="n", kind="int")]
        return [*columns, Column(name="kind", label=say("Kind of factor")), *counts]


def penalty_reward(
    survey: Survey,
    *,
    outcome: str | None = None,
    predictors: Sequence[str] | None = None,
    part: str | None = None,
    detail: Detail = "factors",
    covariates: Sequence[str] | None = None,
    cuts: tuple[float, float] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> PenaltyReward:
    r"""Penalty-reward contrasts (Brandt 1987): basic, performance and excitement factors, with intervals by the design.

    :math:`y = \alpha + \sum_j (p_j\,1[x_j < a] + r_j\,1[x_j > b]) + \ldots`: the penalty p of being dissatisfied with a
    factor and the reward r of being delighted with it, others alike. With :math:`d_j^-, d_j^+` how far the mean scores
    of these two groups are from that of the group in between, a factor is basic if :math:`r/d^+ + p/d^- < 0`, an
    excitement if it is above 0.

    Parameters
    ----------
    survey, outcome, predictors, part, detail, covariates, where, level
        As in :func:`drivers`.
    cuts
        Scores below the first are dissatisfied, above the second delighted. None: the middle of the scale, and its
        lowest satisfied answer (3 and 4 of 1 to 5).

    Returns
    -------
    PenaltyReward
        One row a factor or item.

    Notes
    -----
    Weighted regression with the covariance of the design. Brandt compares r and p as they are; where few are
    dissatisfied these are further from the middle than the delighted, and a straight line would come out as basic. Per
    point it does not; the distances count as known. The intervals of the contrasts, which decide the kinds, hold for
    all factors together (Bonferroni). Fewer than 10 respondents on a side have no coefficient: the kind is then
    ``unclear``. ``performance`` says that both sides are there and that no difference was shown, not that they are
    equal. Association, not effect.

    References
    ----------
    Brandt (1987), in Surprenant (ed.), Add Value to Your Service, 61-65. Matzler and Sauerwein (2002), International
    Journal of Service Industry Management 13, 314-332.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, (500, 2)), columns=["polite", "signs"])
    >>> frame["whole"] = 4.0 - 1.5 * (frame["polite"] < 3) + 0.8 * (frame["signs"] > 4) + rng.normal(0, 0.5, 500)
    >>> found = penalty_reward(Survey(responses=frame), outcome="whole", predictors=["polite", "signs"])
    >>> found.rows[["variable", "kind"]].values.tolist()
    [['polite', 'basic'], ['signs', 'excitement']]
    """
    choice = Choice(
        outcome=outcome, predictors=predictors, part=part, detail=detail, covariates=covariates, where=where
    )
    scores = score(survey, choice)
    low, high = cuts or _cuts(survey, scores)
    coded, counts = _sides(scores, low, high)
    _check_middle(scores, low, high)
    terms = [name for side in counts.values() for name, n in side.items() if n >= FEW]
    if not terms:
        raise DataError(
            say("Fewer than {few} respondents are below {low} or above {high} on any predictor: choose other cuts.",
                few=FEW, low=number(low, 1), high=number(high, 1))
        )  # fmt: skip
    fitted = glm(
        coded, formula_of(coded, scores.outcome, [*terms, *scores.always]), where=scores.where, level=level
    )  # fmt: skip
    df, n, missing = (int(fitted.rows[name].iloc[0]) for name in ("df", "n", "n_missing"))
    found = fitted.rows.set_index("term")["estimate"], fitted.covariance
    far = {name: _distances(coded, scores, name) for name in scores.predictors}
    rows = pd.DataFrame([
        _contrasts(name, counts[name], found, far=far[name], df=df, level=level, together=len(far))
        for name in scores.predictors
    ]).assign(df=df, n=n, n_missing=missing)  # fmt: skip
    rows = rows.assign(**{f"n_{side}": [counts[name][f"{name}_{side}"] for name in scores.predictors]
                          for side in ("low", "high")})  # fmt: skip
    notes = [
        *_notes(rows, low, high), *scores.notes,
        *design_notes(survey, rows, interval=say("Student's t"), level=level),
    ]  # fmt: skip
    return PenaltyReward(
        rows=rows, title=say("Penalties and rewards: {outcome}", outcome=label(survey, scores.outcome)),
        notes=tuple(notes), questionnaire=survey.questionnaire, unit="score",
    )  # fmt: skip


def _cuts(survey: Survey, scores: Scores) -> tuple[float, float]:
    """The middle of the outcome's scale and its lowest satisfied answer, else the thirds of its range."""
    questionnaire, name = survey.questionnaire, scores.outcome
    if questionnaire is not None and name in questionnaire.items() and questionnaire.satisfied(name):
        answers = questionnaire.levels(name)
        return (min(answers) + max(answers)) / 2, float(min(questionnaire.satisfied(name)))
    values = np.concatenate([raw[np.isfinite(raw)] for raw in scores.raw.values()])
    least, most = float(values.min()), float(values.max())
    return (least + most) / 2, (least + 3 * most) / 4


def _sides(scores: Scores, low: float, high: float) -> tuple[Survey, dict[str, dict[str, int]]]:
    """The survey with a column a side of each predictor, and how many respondents of the model are on it."""
    frame, inside = scores.survey.responses, scores.complete
    columns, counts = {}, {}
    for name in scores.predictors:
        values = scores.raw[name]
        lost = frame[name].isna().to_numpy()
        sides = {f"{name}_low": values < low, f"{name}_high": values > high}
        columns.update({side: np.where(lost, np.nan, on.astype(float)) for side, on in sides.items()})
        counts[name] = {side: int((on & inside).sum()) for side, on in sides.items()}
    made = frame.assign(**{name: pd.Series(values, index=frame.index) for name, values in columns.items()})
    return replace(scores.survey, responses=made), counts


def _check_middle(scores: Scores, low: float, high: float) -> None:
    """Refuse predictors with nobody in between, whom penalties and rewards are differences from."""
    without = [
        name for name in scores.predictors
        if not ((scores.raw[name] >= low) & (scores.raw[name] <= high) & scores.complete).any()
    ]  # fmt: skip
    if without:
        raise DataError(
            say("Nobody has a score of {names} from {low} to {high}: choose other cuts, or leave it out.",
                names=", ".join(without), low=number(low, 1), high=number(high, 1))
        )  # fmt: skip


def _distances(coded: Survey, scores: Scores, name: str) -> dict[str, float]:
    """How far the mean scores of the two sides are from that of the group in between."""
    low, high = (coded.responses[f"{name}_{side}"].to_numpy(dtype=float) == 1 for side in ("low", "high"))
    about = scores.complete & scores.has_view(name)
    means = []
    for group in (low, about & ~low & ~high, high):
        inside = group & about
        weights = coded.arrays.weights[inside]
        means.append(float(np.average(scores.raw[name][inside], weights=weights)) if inside.any() else np.nan)
    return {f"{name}_low": means[1] - means[0], f"{name}_high": means[2] - means[1]}


def _contrasts(
    name: str,
    counts: dict[str, int],
    found: tuple[pd.Series, pd.DataFrame],
    *,
    far: dict[str, float],
    df: int,
    level: float,
    together: int,
) -> dict[str, float | str]:
    """Penalty, reward and what they differ by per point, with intervals, and the kind of factor."""
    coefficients, covariance = found
    row: dict[str, float | str] = {"variable": name}
    signs = {}
    combinations = {side: {f"{name}_{end}": 1.0} for side, end in _SIDES.items()}
    for column, terms in (combinations | {"contrast": {side: 1 / length for side, length in far.items()}}).items():
        names, scale = list(terms), np.array(list(terms.values()))
        known = all(counts[term] >= FEW for term in terms) and np.isfinite(scale).all()
        estimate = float(scale @ coefficients[names].to_numpy(float)) if known else np.nan
        se = float(np.sqrt(scale @ covariance.loc[names, names].to_numpy(float) @ scale)) if known else np.nan
        sure = 1 - (1 - level) / together if column == "contrast" else level
        low, high = (float(end) for end in t_interval(estimate, se, df=df, level=sure))
        row |= {column: estimate, f"{column}_se": se, f"{column}_low": low, f"{column}_high": high}
        signs[column] = 1 if low > 0 else -1 if high < 0 else 0
    row["kind"] = _kind(signs)
    return row


def _kind(signs: dict[str, int]) -> Kind:
    if signs["contrast"] < 0 and signs["penalty"] < 0:
        return "basic"
    if signs["contrast"] > 0 and signs["reward"] > 0:
        return "excitement"
    return "performance" if signs["penalty"] < 0 < signs["reward"] else "unclear"


def kind_words() -> dict[str, str]:
    """Kinds of factors, in words."""
    return {"basic": say("basic"), "performance": say("performance"), "excitement": say("excitement"),
            "unclear": say("unclear")}  # fmt: skip


def _notes(rows: pd.DataFrame, low: float, high: float) -> Iterator[str]:
    yield say(
        "Dissatisfied with a factor: score below {low}; delighted: above {high}; the others are in between. Penalty "
        "and reward: how much lower and higher the mean answer on the whole is than theirs, other factors alike. It "
        "tells what goes together, not what causes what.",
        low=number(low, 1), high=number(high, 1),
    )  # fmt: skip
    yield say(
        "Basic: the penalty per point of the score is larger than the reward per point; excitement: the reward is; "
        "performance: both are there and neither is measurably larger; unclear: the data cannot tell. The intervals "
        "that decide it hold for all factors together."
    )
    few = int(((rows["n_low"] < FEW) | (rows["n_high"] < FEW)).sum())
    if few:
        yield say("{n} factors have fewer than {few} respondents on a side: no value there.", n=few, few=FEW)
