"""Who may have answered carelessly, by how many signs, and what that does to the results. Nobody is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import percent, say
from khaosat.survey.answers import column
from khaosat.survey.careless_indicators import Items, careless_indicators
from khaosat.survey.careless_result import ANY, GRADES, ResponseQuality
from khaosat.survey.careless_result import thresholds as default_thresholds
from khaosat.survey.careless_sensitivity import with_and_without
from khaosat.survey.index_nodes import Rule


def response_quality(
    survey: Survey,
    *,
    items: Items | None = None,
    interviewer: str | None = None,
    duration: str | None = None,
    thresholds: Mapping[str, tuple[float | None, float | None]] | None = None,
    rule: Rule | None = None,
    level: float = 0.95,
) -> ResponseQuality:
    r"""Signs of careless answers, respondent by respondent, in two grades; results with and without the graded.

    Parameters
    ----------
    survey
        Answers and design.
    items
        Items, in the order asked, or blocks of them (``{"access": ["s1", "s2"], ...}``); None: the questionnaire's
        satisfaction items, its factors being the blocks.
    interviewer
        Column with the interviewer; without it near-duplicate answers are not looked for.
    duration
        Column with how long the interview took, in any unit or as a time difference.
    thresholds
        Other thresholds, ``{"match": (0.9, 1.0)}``: watch and strong, None for none. The default ones stand in
        ``facts/rules/response_quality.csv`` with their sources.
    rule
        How the index of ``sensitivity`` is made, as in :func:`satisfaction_index`.
    level
        Confidence level of ``sensitivity``.

    Returns
    -------
    ResponseQuality
        ``indicator, grade, estimate, n, numerator, denominator, threshold, evidence``; fields ``respondents, flags,
        sensitivity, interviewers``. Counts are unweighted; ``sensitivity`` follows the design.

    Notes
    -----
    Signs of one family (missing answers; one answer throughout; inconsistent; copied; hasty) say much the same, so a
    respondent is ``strong`` with one strong sign or signs of two families, else ``watch`` with any sign. None is proof:
    satisfied people honestly give the same answer, and skewed answers make Mahalanobis p-values too small. So nothing
    is dropped; :func:`answer_quality` counts blanks and don't know by question. Formulae:
    docs/methods/chat-luong-tra-loi.md.

    References
    ----------
    Curran (2016), Journal of Experimental Social Psychology 66, 4-19. Meade and Craig (2012), Psychological Methods 17,
    437-455. Kuriakose and Robbins (2016), Statistical Journal of the IAOS 32, 283-291.

    Examples
    --------
    >>> answers = pd.DataFrame([[4, 4, 4, 4], [1, 5, 2, 3], [4, 5, 4, 4], [2, 3, 5, 1]], columns=list("abcd"))
    >>> found = response_quality(Survey(responses=answers), items=list("abcd"))
    >>> found.respondents["longstring"].tolist(), found.flags["grade"].tolist()
    ([4.0, 1.0, 2.0, 1.0], ['strong', '', 'watch', ''])
    """
    scales, names = _scales(survey, items)
    found = careless_indicators(survey, scales, items=names, interviewer=interviewer, duration=duration)
    limits = _limits(thresholds).loc[lambda table: table["id"].isin(found.measures.columns)]
    flags = pd.DataFrame({row["id"]: _grades(found.measures[row["id"]], row) for _, row in limits.iterrows()})
    graded = flags.assign(grade=_respondent_grades(flags, limits))
    excluded = {
        grade: (graded["grade"].isin(GRADES[place:])).to_numpy() for place, grade in ((1, "strong"), (0, "watch"))
    }
    sensitivity = with_and_without(
        survey, excluded, items=None if items is None and survey.questionnaire else names, rule=rule, level=level
    )
    notes = (
        say("Shares of respondents, unweighted; nobody is left out of any estimate because of them."),
        say("Watch: the weaker threshold or the stronger one is reached. A respondent is strong with one strong sign "
            "or signs of two families."),
        say("No sign is proof: satisfied people may honestly give the same answer throughout, and skewed answers make "
            "many a Mahalanobis p-value small."),
        *([] if interviewer else [
            say("No column of interviewers was named (interviewer): near-duplicate answers were not looked for.")
        ]),
        *found.notes,
        *_sensitivity_notes(sensitivity),
    )  # fmt: skip
    return ResponseQuality(
        rows=_rows(found.measures, graded, limits, n=int(survey.responding.sum())), notes=notes,
        title=say("Signs of careless answers"), questionnaire=survey.questionnaire,
        respondents=found.values, flags=graded, sensitivity=sensitivity,
        interviewers=_interviewers(column(survey, interviewer), graded) if interviewer else pd.DataFrame(),
    )  # fmt: skip


def _scales(survey: Survey, items: Items | None) -> tuple[dict[str, Sequence[str]], list[str]]:
    """Blocks and all items, those that have a column."""
    questionnaire = survey.questionnaire
    if items is None:
        if questionnaire is None:
            raise DataError(say("Without a questionnaire name the items: items=[...] or items={block: [...]}."))
        held = [name for name in questionnaire.items("satisfaction") if name in survey.responses]
        scales = {
            factor: [n for n in questionnaire.items(factor=factor) if n in held] for factor in questionnaire.factors
        }
    else:
        scales = (
            {name: list(block) for name, block in items.items()} if isinstance(items, Mapping) else {"": list(items)}
        )
        held = list(dict.fromkeys(name for block in scales.values() for name in block))
    if len(held) < 2 or survey.n == 0:
        raise DataError(say("Signs of careless answers need at least two items and a respondent."))
    return cast("dict[str, Sequence[str]]", scales), held


def _limits(given: Mapping[str, tuple[float | None, float | None]] | None) -> pd.DataFrame:
    """Thresholds in force: numbers, NaN for none."""
    table = default_thresholds()
    for grade in GRADES:
        table[grade] = pd.to_numeric(table[grade])
    unknown = sorted(set(given or {}) - set(table["id"]))
    if unknown:
        raise DataError(
            say("thresholds name {unknown}; the signs are {known}.", unknown=", ".join(unknown),
                known=", ".join(table["id"]))
        )  # fmt: skip
    for name, pair in (given or {}).items():
        table.loc[table["id"] == name, list(GRADES)] = [np.nan if value is None else float(value) for value in pair]
        table.loc[table["id"] == name, "grade"] = ""
    return table


def _grades(measure: pd.Series, limit: pd.Series) -> pd.Series:
    """0, 1 or 2: which threshold a measure reaches."""
    sign = 1.0 if limit["side"] == "above" else -1.0
    reached = [((measure - limit[grade]) * sign >= 0).to_numpy() for grade in GRADES]
    return pd.Series(np.where(reached[1], 2, np.where(reached[0], 1, 0)), index=measure.index)


def _respondent_grades(flags: pd.DataFrame, limits: pd.DataFrame) -> np.ndarray:
    families = {family: list(rows["id"]) for family, rows in limits.groupby("family")}
    touched = np.column_stack([(flags[names] > 0).any(axis=1) for names in families.values()]).sum(axis=1)
    strong = (flags == 2).any(axis=1).to_numpy() | (touched >= 2)
    return np.where(strong, "strong", np.where(touched > 0, "watch", "")).astype(object)


def _rows(measures: pd.DataFrame, flags: pd.DataFrame, limits: pd.DataFrame, *, n: int) -> pd.DataFrame:
    rows = []
    for place, grade in enumerate(GRADES):
        hits = int(flags["grade"].isin(GRADES[place:]).sum())
        rows.append((ANY, grade, hits, n, np.nan, ""))
    for _, limit in limits.iterrows():
        told = int(measures[limit["id"]].notna().sum())
        for place, grade in enumerate(GRADES, start=1):
            if np.isfinite(limit[grade]):
                hits = int((flags[limit["id"]] >= place).sum())
                rows.append((limit["id"], grade, hits, told, limit[grade], limit["grade"]))
    table = pd.DataFrame(rows, columns=["indicator", "grade", "numerator", "denominator", "threshold", "evidence"])
    table.insert(2, "estimate", table["numerator"] / table["denominator"].where(table["denominator"] > 0))
    table.insert(3, "n", table["denominator"])
    return table


def _interviewers(who: pd.Series, flags: pd.DataFrame) -> pd.DataFrame:
    signs = flags.drop(columns="grade") > 0
    counted = signs.assign(n=1, **{grade: flags["grade"] == grade for grade in GRADES})
    table = counted.groupby(who.to_numpy(), sort=True).sum().astype(int)
    table.insert(0, "estimate", (table["watch"] + table["strong"]) / table["n"])
    first = ["estimate", "n", *GRADES]
    table = table[first + [name for name in table.columns if name not in first]]
    table.index.name = who.name
    return table.reset_index()


def _sensitivity_notes(table: pd.DataFrame) -> list[str]:
    """What leaving the graded out would do to the first estimate."""
    notes: list[str] = []
    first = table.iloc[0]
    if first["level"] != "index":
        return notes
    told = (table["id"] == first["id"]) & (table["excluded"] != "none") & table["difference"].notna()
    for _, row in table[told].iterrows():
        who = say("strong signs") if row["excluded"] == "strong" else say("any sign")
        notes.append(
            say("Index with everybody {all}; without respondents with {who}: {kept}.", who=who,
                all=percent(float(first["estimate"]), 2), kept=percent(float(row["estimate"]), 2))
        )  # fmt: skip
    if notes:
        notes.append(
            say("Leaving them out chooses respondents by their answers: where most are satisfied, those who are not "
                "stand out. It shows how much hangs on them; it is no better estimate.")
        )  # fmt: skip
    return notes
