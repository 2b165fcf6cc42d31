"""Do groups within one survey differ: differences of means, shares and ranks, with the design's covariance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from khaosat.domain.survey import Survey, names
from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.results import Unit
from khaosat.show.table import Column
from khaosat.survey.answers import Level, level_answers, numeric_answers
from khaosat.survey.cells import cells_of
from khaosat.survey.differences import Differences
from khaosat.survey.group_tests import GroupTest, GroupTests
from khaosat.survey.means import variable_words
from khaosat.survey.result import FEW_DF, SurveyResult, answer_notes, design_notes
from khaosat.survey.verdicts import p_words, plain_level

_TEST_COLUMNS = ("statistic", "df1", "df2", "p_value", "n")
_TESTS_NOTED = 6
"""More tests of all groups together than this are for ``overall`` and not for notes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupComparison(Differences):
    """Differences between groups of one survey: the group less the reference.

    ``rows``: ``variable``, ``by`` columns, ``group, reference``, then ``estimate, se, low, high, df, n, n_missing,
    statistic, p_value, p_adjusted`` and both sides: ``estimate_a, estimate_b, n_a, n_b``. ``n`` is the smaller of the
    two, so that the privacy gate sees it.

    Parameters
    ----------
    groups
        The column that says who is in which group.
    overall
        Tests that all groups are equal: ``variable``, ``by`` columns, ``statistic`` (Wald's, which R calls Chisq),
        ``df1, df2, p_value`` (of the statistic over df1 in Fisher's F), ``n``.
    """

    groups: str = ""
    overall: pd.DataFrame = field(default_factory=pd.DataFrame)

    def _columns(self) -> Sequence[Column]:
        kind: Literal["percent", "number"] = "percent" if self.unit == "share" else "number"
        decimals = 1 if self.unit == "share" else 2
        labels = {"group": self._group_label(), "reference": term("reference")}
        shown = [
            replace(column, label=labels.get(column.key, column.label))
            for column in super()._columns()
            if column.key not in ("n", "n_missing")
        ]
        place = next(i for i, column in enumerate(shown) if column.key == "estimate")
        sides = [
            Column(name="estimate_a", kind=kind, decimals=decimals, label=term("group"), group=term("estimate")),
            Column(name="estimate_b", kind=kind, decimals=decimals, label=term("reference"), group=term("estimate")),
        ]
        tail = [
            Column(name="p_value", kind="p_value", decimals=3),
            Column(name="p_adjusted", kind="number", decimals=3),
            Column(name="n_a", kind="int", label=say("Respondents, group")),
            Column(name="n_b", kind="int", label=say("Respondents, reference")),
        ]
        if self.rows["low"].isna().all():
            shown = [column for column in shown if column.key != "interval"]
        return [*shown[:place], *sides, *shown[place:], *tail]

    def _group_label(self) -> str:
        if self.questionnaire is not None and self.groups in self.questionnaire.items():
            return self.questionnaire.label(self.groups)
        return term(self.groups)

    def _worded(self) -> SurveyResult:
        worded = super()._worded()
        named = {
            key: [self._answer(self.groups, plain_level(level)) for level in self.rows[key]]
            for key in ("group", "reference")
        }
        return replace(worded, rows=worded.rows.assign(**named))


def compare_groups(
    survey: Survey,
    variables: str | Sequence[str],
    *,
    groups: str,
    reference: Level | None = None,
    test: GroupTest = "t",
    at: Level | Sequence[Level] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> GroupComparison:
    r"""Differences between groups of one survey: :math:`d = \hat\theta_g - \hat\theta_r`.

    :math:`se^2 = V_{gg} + V_{rr} - 2V_{gr}`: groups that share primary units are not independent.

    Parameters
    ----------
    survey
        Answers and design.
    variables
        Numeric columns; questions with ``at``.
    groups
        Column that says who is in which group.
    reference
        The group that others are compared with. None: every pair, the later group less the earlier one.
    test
        ``t``: means, or shares with ``at``; ``wilcoxon``, ``median``: mean rank scores of the two groups of a pair;
        ``kruskal``: mean ranks among all groups.
    at
        Answers counted together, for ``t`` only; None: means are compared.
    by, where
        As in :func:`khaosat.survey.mean`.
    level
        Confidence level.

    Returns
    -------
    GroupComparison
        ``variable``, ``by`` columns, ``group, reference, estimate, se, low, high, df, n, n_missing, statistic, p_value,
        p_adjusted, estimate_a, estimate_b, n_a, n_b``; field ``overall`` tests that all groups are equal.

    Notes
    -----
    The regression of the answer (or its rank score) on the groups: degrees of freedom of the design less groups beyond
    the first, as in R survey's ``svyttest``, ``svyranktest`` and ``regTermTest``. Standard errors of rank tests hold if
    the groups do not differ, so that they make a test and no interval. ``p_adjusted`` is Holm's, over the pairs of one
    variable (in one group of ``by``).

    References
    ----------
    Lumley (2010), Complex Surveys, 2.5. Lumley and Scott (2013), Biometrika 100, 831-842. Holm (1979), Scandinavian
    Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"q": [1, 2, 3, 4, 5, 6], "ward": list("AAABBB")}))
    >>> compare_groups(survey, "q", groups="ward").rows[["group", "reference", "estimate"]].values.tolist()
    [['B', 'A', 3.0]]
    """
    if test not in get_args(GroupTest):
        raise ValueError(f"test must be one of {', '.join(get_args(GroupTest))}, not {test!r}")
    if at is not None and test != "t":
        raise ValueError("at counts answers into shares, which have no ranks: leave it out, or use test='t'")
    cells = cells_of(survey, by=by, where=where)
    member = level_answers(survey, groups)
    if reference is not None and reference not in member.levels:
        raise ValueError(f"reference {reference!r} is no group of {groups!r}: it has {list(member.levels)}")
    answers = {name: numeric_answers(survey, name) if at is None else level_answers(survey, name)
               for name in names(variables)}  # fmt: skip
    values = {name: answer.numbers if at is None else answer.among(_listed(at)) for name, answer in answers.items()}
    tables, overall = [], []
    for name, answer in answers.items():
        for place in range(cells.n):
            keys = {"variable": name, **{str(key): cells.keys[key].iloc[place] for key in cells.keys.columns}}
            tests = GroupTests(
                survey=survey, values=values[name], answer=answer, member=member, inside=cells.code == place, test=test
            )
            pairs = tests.pairs(reference=reference, level=level)
            tables.append(pd.concat([pd.DataFrame(keys, index=pairs.index), pairs], axis=1))
            overall.append({**keys, **tests.overall()})
    rows = pd.concat(tables, ignore_index=True)
    unit: Unit = "share" if at is not None else "score"
    title = say("Differences by {groups}: {variables}", groups=variable_words(survey, [groups]),
                variables=variable_words(survey, names(variables)))  # fmt: skip
    whole = pd.DataFrame(overall)
    notes = (
        *_comparison_notes(rows, whole, test=test, level=level),
        *answer_notes(cells, {groups: member, **answers}),
        *design_notes(survey, rows, interval=say("Student's t") if test == "t" else say("none for ranks"), level=level),
    )
    return GroupComparison(
        rows=rows, title=title, notes=notes, unit=unit, questionnaire=survey.questionnaire, groups=groups, overall=whole
    )  # fmt: skip


def _listed(at: Level | Sequence[Level]) -> list[Level]:
    return list(at) if isinstance(at, Sequence) and not isinstance(at, str) else [at]


def _comparison_notes(rows: pd.DataFrame, overall: pd.DataFrame, *, test: GroupTest, level: float) -> Iterator[str]:
    yield {
        "t": say(
            "Difference: group less the group it is compared with; both from one survey, their covariance counted."
        ),
        "wilcoxon": say("Wilcoxon rank test: differences of mean ranks (0 to 1) in the population of each pair."),
        "median": say("Median test: differences of the shares above the median of each pair."),
        "kruskal": say("Kruskal–Wallis rank test: differences of mean ranks (0 to 1) in the population of all groups."),
    }[test]
    for line in overall.to_dict("records"):
        where = " · ".join(str(value) for key, value in line.items() if key not in _TEST_COLUMNS)
        if line["df1"] == 0:
            yield say("{where}: fewer than two groups have answers; there is nothing to compare.", where=where)
        elif line["df1"] > 1 and np.isfinite(line["p_value"]) and len(overall) <= _TESTS_NOTED:
            yield say(
                "{where}: all groups equal? Wald statistic {value} on {df1} and {df2} degrees of freedom, p {p}.",
                where=where, value=number(line["statistic"], 2), df1=line["df1"], df2=line["df2"],
                p=p_words(line["p_value"]),
            )  # fmt: skip
    if len(rows) > 1:
        yield say("Adjusted p-values: Holm's, over the pairs of one variable.")
    equal = int(((rows["se"] == 0) & (rows["df"] > 0)).sum())
    if equal:
        yield say("{n} pairs have no variance within the groups: there is no test.", n=equal)
    if len(rows) and (rows["df"] < FEW_DF).any():
        yield say("Fewer than {n} degrees of freedom: a difference may well go unseen.", n=FEW_DF)
