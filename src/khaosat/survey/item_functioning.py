"""Items that groups answer differently although they are as satisfied on the whole: differential item functioning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.stats.item_bias import EffectSize
from khaosat.survey.answers import level_answers
from khaosat.survey.cells import cells_of
from khaosat.survey.item_notes import group_notes, method_notes, scale_notes
from khaosat.survey.item_tests import Adjustment, DifOptions, DifTest, ScaleTests, Score, purified
from khaosat.survey.model_frame import level_name
from khaosat.survey.result import SurveyResult, cell_notes, design_notes
from khaosat.survey.scales import Items, check_choices, is_plain, scale_answers, scales_of
from khaosat.survey.verdicts import plain_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Codes = NDArray[np.intp]
_MOST_SERIES, _MOST_ITEMS = 4, 15
"""Groups and items that a figure shows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ItemFunctioning(SurveyResult):
    """Tests of each item.

    ``rows``: ``factor, item, kind`` (``uniform``: the group shifts all answers alike; ``nonuniform``: differently at
    low and high scores; ``any``), ``statistic, df1, df2, p_value, p_adjusted, effect`` (gain in pseudo R²), ``flag``
    (``negligible``, ``moderate``, ``large``, ``untested``), ``n, n_missing``.

    Parameters
    ----------
    groups
        ``factor, item, kind, group, reference, estimate`` (log odds ratio of higher answers at the same score; for
        ``nonuniform`` its change by a standard deviation of the score), ``se, low, high, df, n, p_value``.
    group
        The column that says who is in which group.
    """

    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    group: str = ""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Log odds ratios of the groups against the first at the same score, of the items with the largest effects."""
        from khaosat.show.pairs import paired_intervals

        sizes = self.rows[self.rows["kind"] == "any"].set_index("item")["effect"]
        items = sizes.sort_values(ascending=False, kind="stable").index[:_MOST_ITEMS]
        shown = self.groups[(self.groups["kind"] == "uniform") & self.groups["item"].isin(items)]
        rows = pd.DataFrame({"label": [self._item(name) for name in items]}, index=items)
        series = {}
        for place, (name, part) in enumerate(list(shown.groupby("group", sort=False))[:_MOST_SERIES]):
            columns = (f"estimate_{place}", f"low_{place}", f"high_{place}")
            rows[list(columns)] = part.set_index("item").loc[items, ["estimate", "low", "high"]]
            against = say("{group} against {reference}", group=self._group(str(name)),
                          reference=self._group(part["reference"].iloc[0]))  # fmt: skip
            series[against] = columns
        ax = paired_intervals(rows, label="label", series=series, line=0.0, ax=ax)
        against = f"\n({next(iter(series))})" if len(series) == 1 else ""
        ax.set_xlabel(say("Log odds ratio of a higher answer at the same score") + against)
        return ax

    def _columns(self) -> Sequence[Column]:
        ratio = [Column(name="odds_ratio", kind="number", decimals=2)] if "odds_ratio" in self.rows else []
        return [
            Column(name="factor"),
            Column(name="item"),
            *ratio,
            Column(name="uniform", kind="p_value", decimals=3, group=say("Adjusted p-value")),
            Column(name="nonuniform", kind="p_value", decimals=3, group=say("Adjusted p-value")),
            Column(name="any", kind="p_value", decimals=3, label=say("Both"), group=say("Adjusted p-value")),
            Column(name="effect", kind="number", decimals=3),
            Column(name="flag", label=say("Assessment")),
            Column(name="n", kind="int"),
        ]

    def _worded(self) -> ItemFunctioning:
        """A copy with one line an item, in words."""
        rows = self.rows[self.rows["kind"] == "any"].reset_index(drop=True)
        for kind in ("uniform", "nonuniform", "any"):
            rows[kind] = self.rows.loc[self.rows["kind"] == kind, "p_adjusted"].to_numpy()
        shift = self.groups[self.groups["kind"] == "uniform"]
        if len(shift) == len(rows):
            rows["odds_ratio"] = np.exp(shift["estimate"].to_numpy())
        label = self.questionnaire.label if self.questionnaire else str
        factors = [term(name) if name == "scale" else label(name) for name in rows["factor"]]
        rows["factor"], rows["flag"] = factors, rows["flag"].map(term)
        rows["item"] = [self._item(name) for name in rows["item"]]
        return replace(self, rows=rows)

    def _item(self, name: str) -> str:
        return self.questionnaire.label(name) if self.questionnaire else name

    def _group(self, level: str) -> str:
        return self._answer(self.group, plain_level(float(level) if level.lstrip("-").isdigit() else level))


def dif(
    survey: Survey,
    group: str,
    *,
    items: Items = None,
    score: Score = "total",
    test: DifTest | None = None,
    effect: EffectSize = "nagelkerke",
    grades: tuple[float, float] = (0.035, 0.07),
    alpha: float = 0.05,
    adjust: Adjustment = "holm",
    purify: int = 10,
    where: str | None = None,
    level: float = 0.95,
) -> ItemFunctioning:
    r"""Differential item functioning: does group matter for an answer once the score on the factor is given?

    :math:`P(Y \le k) = F\{\theta_k - (\beta_1 s + \beta_2' g + \beta_3' g s)\}`; uniform: :math:`\beta_2 = 0` without
    the products; nonuniform: :math:`\beta_3 = 0`; any: both.

    Parameters
    ----------
    survey
        Answers and design.
    group
        Column that says who is in which group; the first level is what the others are compared with.
    items
        Columns of one scale, or a mapping from scales to columns; None: the factors of the questionnaire.
    score
        What respondents are matched on: the mean of the scale's items (``total``), or of the others (``rest``).
    test
        ``wald``: by the design; ``likelihood_ratio``: of a simple random sample. None: ``likelihood_ratio`` where the
        design names no weights, strata, clusters or populations, else ``wald``.
    effect
        Pseudo R² whose gain measures size: ``nagelkerke``, ``mcfadden`` or ``cox_snell``.
    grades
        Gains from which an item is ``moderate`` and ``large``; those of Jodoin and Gierl for ``nagelkerke``.
    alpha, adjust
        Significance level, and adjustment over the items of all scales: ``holm``, ``benjamini_hochberg`` or ``none``.
    purify
        Most rounds in which the worst flagged item of each scale leaves the score and all are tested again; 0: none.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level of the coefficients.

    Returns
    -------
    ItemFunctioning
        ``factor, item, kind, statistic, df1, df2, p_value, p_adjusted, effect, flag, n, n_missing``; field ``groups``.

    Notes
    -----
    Respondents with a valid answer to every item of the scale. A scale of three or four items makes a coarse score that
    holds a good part of the item itself: small differences go unseen, and large ones spill over to the other items,
    which is why flagged items leave the score. Wald's statistic is Korn and Graubard's F. Derivations:
    docs/methods/dif.md.

    References
    ----------
    Zumbo (1999), A Handbook on the Theory and Methods of DIF. Jodoin and Gierl (2001), Applied Measurement in Education
    14, 329-349. Choi, Gibbons and Crane (2011), Journal of Statistical Software 39(8).

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> z, men = rng.normal(size=600), np.arange(600) % 2
    >>> answers = {f"q{j}": np.digitize(z + rng.normal(size=600), [-1, 0, 1]) for j in range(5)}
    >>> answers["q0"] = np.digitize(z + 1.5 * men + rng.normal(size=600), [-1, 0, 1])
    >>> found = dif(Survey(responses=pd.DataFrame({**answers, "men": men})), "men", items=list(answers))
    >>> found.rows.query("kind == 'any' and flag != 'negligible'")["item"].tolist()
    ['q0']
    """
    check_choices(
        score=(score, get_args(Score)), test=(test, (None, *get_args(DifTest))),
        effect=(effect, get_args(EffectSize)), adjust=(adjust, get_args(Adjustment)),
    )  # fmt: skip
    if not (0 < alpha < 1 and 0 <= grades[0] <= grades[1] and purify >= 0):
        raise DataError(say("alpha lies between 0 and 1, grades rise from 0 on, purify is no negative number."))
    options = DifOptions(
        test=test or ("likelihood_ratio" if is_plain(survey) else "wald"), score=score, effect=effect, grades=grades,
        alpha=alpha, adjust=adjust, level=level,
    )  # fmt: skip
    scales, absent = scales_of(survey, items)
    cells, member = cells_of(survey, where=where), level_answers(survey, group)
    inside = (cells.code >= 0) & member.valid
    held = np.unique(member.numbers[inside]).astype(int)
    if len(held) < 2:
        raise DataError(
            say("{group} has fewer than two groups among the respondents: nothing to compare.", group=group)
        )
    names = tuple(level_name(member.levels[j]) for j in held)
    place = np.where(inside, np.searchsorted(held, np.nan_to_num(member.numbers)), -1).astype(np.intp)
    tests = list(_scale_tests(survey, scales, group=place, levels=names, options=options))
    if not tests:
        raise DataError(say("No scale has two items that vary and respondents who answered all of them."))
    found = purified(tests, options, most=purify)
    sizes = {names[j]: int((place == j).sum()) for j in range(len(names))}
    notes = (
        *method_notes(options, tests, found, most=purify),
        *group_notes(survey, found.rows, sizes, unplaced=int(((cells.code >= 0) & ~member.valid).sum())),
        *scale_notes(survey, scales, tests, absent),
        *cell_notes(cells),
        *design_notes(survey, found.coefficients, interval=say("Student's t"), level=level),
    )
    return ItemFunctioning(
        rows=found.rows, groups=found.coefficients, group=group, notes=notes, unit="score",
        title=say("Items answered differently by {group}", group=_label(survey, group)),
        questionnaire=survey.questionnaire,
    )  # fmt: skip


def _scale_tests(
    survey: Survey, scales: Mapping[str, list[str]], *, group: Codes, levels: tuple[str, ...], options: DifOptions
) -> Iterator[ScaleTests]:
    """The scales that can be tested, of respondents whose group is known."""
    for name, columns in scales.items():
        answers = scale_answers(survey, columns, inside=group >= 0, missing="complete")
        if len(answers.items) > 1 and answers.n > 2:
            yield ScaleTests(
                survey=survey, name=name, answers=answers, group=group, levels=levels, options=options
            )  # fmt: skip


def _label(survey: Survey, name: str) -> str:
    known = survey.questionnaire is not None and name in survey.questionnaire.items()
    return survey.questionnaire.label(name) if known and survey.questionnaire else name
