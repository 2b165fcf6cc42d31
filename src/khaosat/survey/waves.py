"""Did it change, do they differ: two surveys drawn independently, or the groups of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from khaosat.domain.survey import Survey, names
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.intervals import t_interval
from khaosat.survey.answers import Level
from khaosat.survey.differences import Differences
from khaosat.survey.group_tests import GroupTest
from khaosat.survey.groups import GroupComparison, compare_groups
from khaosat.survey.index import few_lines, satisfaction_index
from khaosat.survey.index_nodes import Rule
from khaosat.survey.means import mean
from khaosat.survey.proportions import proportion
from khaosat.survey.result import FEW_DF, SurveyResult
from khaosat.survey.series_breaks import Periods, break_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(Differences):
    """Differences between two surveys, the first less the second.

    ``rows``: keys, then ``estimate, se, low, high, df, n, n_missing, statistic, p_value`` of the difference, and both
    sides: ``estimate_a, estimate_b, n_a, n_b``. ``n`` is the smaller of the two, so that the privacy gate sees it.
    """

    def _columns(self) -> Sequence[Column]:
        share = self.unit == "share"
        sides = [
            Column(name=side, kind="percent" if share else "number", decimals=1 if share else 2)
            for side in ("estimate_a", "estimate_b")
        ]
        shown = [column for column in super()._columns() if column.key not in ("n", "n_missing")]
        place = next(i for i, column in enumerate(shown) if column.key == "estimate")
        tail = [
            Column(name="p_value", kind="p_value", decimals=3),
            Column(name="n_a", kind="int"),
            Column(name="n_b", kind="int"),
        ]
        return [*shown[:place], *sides, *shown[place:], *tail]


@dataclass(frozen=True, eq=False, kw_only=True)
class IndexComparison(Comparison):
    """Differences of the lines of the satisfaction index: ``rows`` as of a comparison, keys ``level`` and ``id``."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """The differences with their intervals; without the items where these are many, as the table has them."""
        return super(IndexComparison, replace(self, rows=few_lines(self.rows))).plot(ax)


@overload
def compare(
    survey_a: Survey,
    survey_b: Survey,
    variables: str | Sequence[str],
    *,
    at: Level | Sequence[Level] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> Comparison: ...


@overload
def compare(
    survey_a: Survey,
    survey_b: str | Sequence[str],
    *,
    groups: str,
    reference: Level | None = None,
    test: GroupTest = "t",
    at: Level | Sequence[Level] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> GroupComparison: ...


def compare(
    survey_a: Survey,
    survey_b: Survey | str | Sequence[str],
    variables: str | Sequence[str] | None = None,
    *,
    groups: str | None = None,
    reference: Level | None = None,
    test: GroupTest = "t",
    at: Level | Sequence[Level] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> Comparison | GroupComparison:
    r"""Difference of means, or of shares with ``at``: ``compare(a, b, "q")`` two surveys, ``groups=`` those of one.

    Two independent surveys, a less b: :math:`d = \hat\theta_a - \hat\theta_b`, :math:`se^2 = se_a^2 + se_b^2`. Groups
    of one survey, ``compare(survey, "q", groups="ward")``: :func:`khaosat.survey.groups.compare_groups`, with its rank
    tests and Holm's adjustment.

    Parameters
    ----------
    survey_a, survey_b
        Usually the newer wave first, so that a positive difference is a rise. With ``groups`` there is one survey, and
        the variables come second.
    variables
        Columns that both have.
    groups, reference, test
        As in :func:`khaosat.survey.groups.compare_groups`.
    at
        Answers counted together; None: means are compared.
    by, where
        As in :func:`khaosat.survey.mean`; groups that only one survey has are left out and noted.
    level
        Confidence level.

    Returns
    -------
    Comparison
        ``variable``, ``by`` columns, ``estimate, se, low, high, df, n, n_missing, statistic, p_value, estimate_a,
        estimate_b, n_a, n_b``. With ``groups`` a :class:`khaosat.survey.groups.GroupComparison`.

    Notes
    -----
    The waves are taken to be drawn independently; where the same villages are visited again the standard error is too
    large rather than too small, as long as their answers go together. Welch-Satterthwaite degrees of freedom.

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2, 110-114.

    Examples
    --------
    >>> import pandas as pd
    >>> new, old = (Survey(responses=pd.DataFrame({"q": values})) for values in ([5, 4, 5, 4], [3, 4, 2, 3]))
    >>> float(compare(new, old, "q").rows["estimate"].iloc[0])
    1.5
    """
    if groups is not None:
        if isinstance(survey_b, Survey) or variables is not None:
            raise TypeError("groups= compares the groups of one survey: compare(survey, variables, groups=...)")
        return compare_groups(
            survey_a, survey_b, groups=groups, reference=reference, test=test, at=at, by=by, where=where, level=level
        )
    if not isinstance(survey_b, Survey) or variables is None:
        raise TypeError("name two surveys and the variables, or one survey, the variables and groups=")
    if test != "t" or reference is not None:
        raise TypeError("test= and reference= go with groups=")
    options = {"by": by, "where": where, "level": level}
    if at is None:
        a, b = (mean(survey, variables, **options) for survey in (survey_a, survey_b))  # type: ignore[arg-type]
    else:
        a, b = (proportion(survey, variables, at=at, **options) for survey in (survey_a, survey_b))  # type: ignore[arg-type]
    title = say("Change: {what}", what=a.title)
    return _difference(a, b, keys=["variable", *names(by)], title=title, level=level)


def compare_index(
    survey_a: Survey,
    survey_b: Survey,
    *,
    by: str | Sequence[str] | None = None,
    rule: Rule | None = None,
    where: str | None = None,
    level: float = 0.95,
    periods: Periods | None = None,
) -> IndexComparison:
    """Difference of every line of the satisfaction index between two independent surveys: a less b.

    Parameters are those of :func:`satisfaction_index`, both waves with the same rule (None: that of the first wave's
    questionnaire); columns, notes and references those of :func:`compare`, with ``level`` and ``id`` as keys.
    ``periods`` says when the surveys were held (None: their ``wave`` column), so that a break of the series between
    them (``facts/published/series_breaks.csv``) comes first among the notes.

    Examples
    --------
    >>> import pandas as pd
    >>> from khaosat.domain.questionnaire import load_questionnaire
    >>> q = load_questionnaire("sipas_2017")
    >>> waves = [pd.DataFrame({i: x for i in q.items("satisfaction")}) for x in ([4, 5, 3, 4], [2, 5, 3, 3])]
    >>> new, old = (Survey(responses=wave, questionnaire=q) for wave in waves)
    >>> rows = compare_index(new, old, rule="mean_of_factors").rows
    >>> float(rows.set_index("id").loc["index", "estimate"].round(6))
    0.5
    """
    if rule is None and survey_a.questionnaire is not None:
        rule = survey_a.questionnaire.index_rule
    a, b = (satisfaction_index(survey, by=by, rule=rule, where=where, level=level) for survey in (survey_a, survey_b))
    title = say("Change: {what}", what=a.title)
    found = _difference(a, b, keys=[*names(by), "level", "id"], title=title, level=level)
    return IndexComparison(
        rows=found.rows, title=title, notes=(*break_notes(survey_a, survey_b, periods=periods), *found.notes),
        unit=found.unit, questionnaire=found.questionnaire,
    )  # fmt: skip


def _difference(a: SurveyResult, b: SurveyResult, *, keys: list[str], title: str, level: float) -> Comparison:
    """Rows that both results have, subtracted."""
    both = a.rows.merge(b.rows, on=keys, suffixes=("_a", "_b"), validate="one_to_one", how="inner")
    difference = (both["estimate_a"] - both["estimate_b"]).to_numpy(dtype=float)
    # A side without an interval (a share of 0 or 1, one sampled unit) has a standard error that means nothing.
    parts = both[["se_a", "se_b"]].where(both[["low_a", "low_b"]].notna().to_numpy()).to_numpy(dtype=float) ** 2
    freedom = both[["df_a", "df_b"]].to_numpy(dtype=float)
    se, df = np.sqrt(parts.sum(axis=1)), welch_df(parts, freedom)
    low, high = t_interval(difference, se, df=df, level=level)
    statistic = np.divide(difference, se, where=se > 0, out=np.full(len(both), np.nan))
    rows = both[keys].assign(
        estimate=difference, se=se, low=low, high=high, df=df,
        n=both[["n_a", "n_b"]].min(axis=1), n_missing=both["n_missing_a"] + both["n_missing_b"],
        statistic=statistic, p_value=_p_value(statistic, df),
        estimate_a=both["estimate_a"], estimate_b=both["estimate_b"], n_a=both["n_a"], n_b=both["n_b"],
    )  # fmt: skip
    notes = [
        say("Difference: first survey less second; the two are taken to be drawn independently."),
        say("{level} intervals: Student's t with Welch–Satterthwaite degrees of freedom.", level=percent(level, 0)),
    ]
    alone = len(a.rows) + len(b.rows) - 2 * len(both)
    if alone:
        notes.append(say("{n} lines that only one of the surveys has are left out.", n=alone))
    bare = int(np.isnan(low).sum())
    if bare:
        notes.append(say("{n} differences have no interval, since one of the two estimates has none.", n=bare))
    if len(rows) and (df < FEW_DF).any():
        notes.append(say("Fewer than {n} degrees of freedom: a change may well go unseen.", n=FEW_DF))
    return Comparison(rows=rows, title=title, notes=tuple(notes), unit=a.unit, questionnaire=a.questionnaire)


def welch_df(variances: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Degrees of freedom of a sum of independent variances (rows: sums, columns: parts); NaN without any."""
    known = (df > 0).all(axis=1) & (variances.sum(axis=1) > 0)
    safe = np.where(df > 0, df, 1.0)
    below = (variances**2 / safe).sum(axis=1)
    return np.asarray(np.divide(variances.sum(axis=1) ** 2, below, where=known, out=np.full(len(df), np.nan)))


def _p_value(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    from scipy.special import stdtr

    known = np.isfinite(statistic) & np.isfinite(df)
    p = 2 * stdtr(np.where(known, df, 1.0), -np.abs(np.where(known, statistic, 0.0)))
    return np.where(known, p, np.nan)
