"""What doubtful respondents do to the overall estimates: with them and without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.survey.answers import numeric_answers
from khaosat.survey.cells import Cells, Estimates, freedom, ratio_estimates, standard_errors
from khaosat.survey.index import checked_rule
from khaosat.survey.index_nodes import Rule, index_nodes

Rows = NDArray[np.bool_]
_Line = tuple[str, str, Estimates]


def with_and_without(
    survey: Survey, excluded: Mapping[str, Rows], *, items: Sequence[str] | None, rule: Rule | None, level: float
) -> pd.DataFrame:
    r"""Overall estimates from everybody and without those excluded, and the difference.

    Without somebody means a domain of the same sample. With u and v the influence values of both estimates the
    variance of the difference is that of u - v: the two share most respondents.

    Parameters
    ----------
    survey
        Answers and design.
    excluded
        Respondents left out, by what they are called.
    items
        Items whose means are estimated; None: index and parts of the questionnaire.
    rule, level
        As in :func:`khaosat.survey.satisfaction_index`.

    Returns
    -------
    pandas.DataFrame
        ``excluded`` (``none`` first), ``level, id, estimate, se, low, high, df, n, n_missing, difference,
        difference_se``.
    """
    whole = _cells(np.ones(survey.n, dtype=bool))
    base = _lines(survey, whole, items=items, rule=rule)
    tables = [_row(survey, whole, line, share=items is None, level=level).assign(excluded="none") for line in base]
    for name, rows in excluded.items():
        cells = _cells(~rows)
        for line, everybody in zip(_lines(survey, cells, items=items, rule=rule), base, strict=True):
            change = _difference(line[2], everybody[2])
            tables.append(
                _row(survey, cells, line, share=items is None, level=level).assign(
                    excluded=name, difference=change.value, difference_se=standard_errors(survey, whole, change)
                )
            )
    found = pd.concat(tables, ignore_index=True)
    first = ["excluded", "level", "id"]
    found = found[first + [name for name in found.columns if name not in first]]
    return found.reindex(columns=list(dict.fromkeys([*found.columns, "difference", "difference_se"])))


def _cells(kept: Rows) -> Cells:
    return Cells(keys=pd.DataFrame(index=range(1)), code=np.where(kept, 0, -1).astype(np.intp))


def _lines(survey: Survey, cells: Cells, *, items: Sequence[str] | None, rule: Rule | None) -> list[_Line]:
    """Level, id and estimates of the index and its parts, or of the means of items."""
    if items is None:
        questionnaire, chosen = checked_rule(survey, rule)
        nodes, _ = index_nodes(survey, cells, questionnaire=questionnaire, rule=chosen)
        return [(node.level, node.id, node.estimates) for node in nodes if node.level in ("index", "part")]
    lines, ones = [], np.ones(survey.n)
    for name in items:
        answer = numeric_answers(survey, name)
        options = {"valid": answer.valid, "asked": answer.asked}
        lines.append(("item", name, ratio_estimates(survey, cells, top=answer.numbers, bottom=ones, **options)))
    return lines


def _row(survey: Survey, cells: Cells, line: _Line, *, share: bool, level: float) -> pd.DataFrame:
    kind, name, estimates = line
    se = standard_errors(survey, cells, estimates)
    df = freedom(survey, cells, domain_df=False, answered=estimates.valid)
    n, asked = cells.count(estimates.valid), cells.count(estimates.asked)
    if share:
        low, high = share_interval(estimates.value, se, df=df, n=n, level=level)
    else:
        low, high = t_interval(estimates.value, se, df=df, level=level)
    return pd.DataFrame(
        {"level": kind, "id": name, "estimate": estimates.value, "se": se, "low": low, "high": high, "df": df,
         "n": n, "n_missing": asked - n}
    )  # fmt: skip


def _difference(without: Estimates, everybody: Estimates) -> Estimates:
    made = None
    if without.replicates is not None and everybody.replicates is not None:
        made = without.replicates - everybody.replicates
    return replace(
        everybody, value=without.value - everybody.value, influence=without.influence - everybody.influence,
        replicates=made,
    )  # fmt: skip
