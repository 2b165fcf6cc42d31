"""The satisfaction index: items, factors, parts and the whole, each with its design-based interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from khaosat.domain.questionnaire import INDEX, Questionnaire
from khaosat.domain.questionnaire_faults import IndexRule
from khaosat.domain.survey import Survey
from khaosat.facts.language import number, say
from khaosat.stats.intervals import ShareInterval, share_interval
from khaosat.survey.cells import Cells, cells_of, freedom, standard_errors
from khaosat.survey.index_nodes import Node, Rule, index_nodes
from khaosat.survey.proportions import edge_notes, interval_words
from khaosat.survey.result import SurveyResult, cell_notes, design_notes, table_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES = 24


@dataclass(frozen=True, eq=False, kw_only=True)
class SatisfactionIndex(SurveyResult):
    """The index and what it is made of.

    ``rows``: ``by`` columns, ``level`` (``index``, ``part``, ``factor``, ``item``), ``id``, then ``estimate, se, low,
    high, df, n, n_missing, numerator, denominator``. ``n`` counts respondents with any valid answer below the line,
    ``n_missing`` those asked who gave none; ``numerator`` and ``denominator`` count answers, unweighted.
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """The lines with their intervals; without the items where these are many, as the table has them."""
        return super(SatisfactionIndex, replace(self, rows=few_lines(self.rows))).plot(ax)


def few_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """Lines of the index that a figure has room for."""
    return rows if len(rows) <= _MOST_LINES else rows[rows["level"] != "item"]


def satisfaction_index(
    survey: Survey,
    *,
    by: str | Sequence[str] | None = None,
    rule: Rule | None = None,
    where: str | None = None,
    level: float = 0.95,
    ci: ShareInterval = "logit",
    domain_df: bool = False,
) -> SatisfactionIndex:
    r"""Share satisfied, by item, factor, part and for the whole.

    An item is the share of its valid answers that count as satisfied, :math:`I_j = \sum w s_j / \sum w v_j`. A factor
    is the mean of its items; a part the question about it as a whole, or else the mean of its factors. The index is,
    by ``rule``,

    - ``asked``: the question about satisfaction as a whole;
    - ``pooled_items``: :math:`\sum_j \sum w s_j / \sum_j \sum w v_j` over all items of all factors; factors and parts
      are then pooled in the same way;
    - ``mean_of_factors``, ``mean_of_parts``: plain means;
    - ``{"policy": 0.62, "service": 0.38}``: weighted mean of the parts (weights are scaled to sum to 1).

    Parameters
    ----------
    survey
        Answers with their questionnaire.
    by, where, level, domain_df
        As in :func:`khaosat.survey.mean`.
    rule
        How the index is made; None: as the questionnaire says.
    ci
        Interval, as in :func:`khaosat.survey.proportion`.

    Returns
    -------
    SatisfactionIndex
        The index first, then each part with its factors and their items.

    Raises
    ------
    ValueError
        If the survey has no questionnaire or items, or the questionnaire lacks what the rule needs.

    Notes
    -----
    Every line is a smooth function of item totals, so its influence is the sum (pooled) or mean of its items'
    influences and one Taylor variance serves all lines. Don't-know answers and blanks leave item by item; an item that
    was skipped by rule is not missing. Items nobody in a cell answered are left out of that cell's means, and noted.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292. Quyết định 1001/QĐ-BNV (2023): the formula is not
    public, hence the parameter.

    Examples
    --------
    >>> from khaosat.domain.questionnaire import load_questionnaire
    >>> q = load_questionnaire("sipas_2017")
    >>> answers = pd.DataFrame({item: [4, 5, 3, 2] for item in q.items("satisfaction")})
    >>> index = satisfaction_index(Survey(responses=answers, questionnaire=q), rule="mean_of_factors")
    >>> index.rows.loc[0, "level"], float(index.rows.loc[0, "estimate"])
    ('index', 0.5)
    """
    questionnaire, chosen = checked_rule(survey, rule)
    cells = cells_of(survey, by=by, where=where)
    nodes, absent = index_nodes(survey, cells, questionnaire=questionnaire, rule=chosen)
    tables = [
        _node_rows(survey, cells, node, domain_df=domain_df, level=level, ci=ci).assign(
            _cell=range(cells.n), _place=place
        )
        for place, node in enumerate(nodes)
    ]
    rows = pd.concat(tables, ignore_index=True).sort_values(["_cell", "_place"], ignore_index=True)
    rows = rows.drop(columns=["_cell", "_place"])
    notes = (
        *_rule_notes(questionnaire, chosen),
        *_answer_notes(cells, nodes, absent),
        *design_notes(survey, rows, interval=interval_words(ci), level=level),
        *edge_notes(rows, ci),
    )
    return SatisfactionIndex(rows=rows, title=questionnaire.label(INDEX), notes=notes, questionnaire=questionnaire)


def checked_rule(survey: Survey, rule: Rule | None) -> tuple[Questionnaire, Rule]:
    """The questionnaire and the rule, if they fit each other."""
    questionnaire = survey.questionnaire
    if questionnaire is None:
        raise ValueError("satisfaction_index needs a survey with a questionnaire")
    chosen = rule if rule is not None else questionnaire.index_rule
    if isinstance(chosen, Mapping):
        if set(chosen) != set(questionnaire.parts) or not all(weight > 0 for weight in chosen.values()):
            raise ValueError(f"weights must be positive and name the parts {questionnaire.parts}, not {dict(chosen)}")
    elif chosen not in get_args(IndexRule):
        raise ValueError(f"rule must be one of {', '.join(get_args(IndexRule))} or weights of parts, not {chosen!r}")
    elif chosen == "asked" and (questionnaire.overall is None or questionnaire.overall not in survey.responses):
        raise ValueError(
            f"{questionnaire.id} has no answers to a question about satisfaction as a whole: choose a rule"
        )
    elif chosen == "mean_of_parts" and not questionnaire.parts:
        raise ValueError(f"{questionnaire.id} has no parts: choose another rule than 'mean_of_parts'")
    if not any(
        item in survey.responses for factor in questionnaire.factors for item in questionnaire.items(factor=factor)
    ):
        raise ValueError(f"the responses have no satisfaction item of {questionnaire.id}")
    return questionnaire, chosen


def _node_rows(
    survey: Survey, cells: Cells, node: Node, *, domain_df: bool, level: float, ci: ShareInterval
) -> pd.DataFrame:
    estimates = node.estimates
    se = standard_errors(survey, cells, estimates)
    df = freedom(survey, cells, domain_df=domain_df, answered=estimates.valid)
    n, asked = cells.count(estimates.valid), cells.count(estimates.asked)
    low, high = share_interval(estimates.value, se, df=df, n=n, level=level, method=ci)
    everyone = np.ones(survey.n, dtype=bool)
    return table_rows(
        cells.keys.assign(level=node.level, id=node.id), estimate=estimates.value, se=se, low=low, high=high, df=df,
        n=n, n_missing=asked - n, numerator=cells.sum(node.hits, everyone).astype(np.int64),
        denominator=cells.sum(node.answers, everyone).astype(np.int64),
    )  # fmt: skip


def _rule_notes(questionnaire: Questionnaire, rule: Rule) -> list[str]:
    words = {
        "asked": say("the question about satisfaction as a whole"),
        "pooled_items": say("all valid answers to the items of all factors, counted alike"),
        "mean_of_factors": say("plain mean of the factors"),
        "mean_of_parts": say("plain mean of the parts"),
    }
    if isinstance(rule, Mapping):
        total = sum(rule.values())
        shares = ", ".join(f"{questionnaire.label(part)} {number(weight / total, 3)}" for part, weight in rule.items())
        described = say("weighted mean of the parts ({shares})", shares=shares)
    else:
        described = words[rule]
    if rule == questionnaire.index_rule:
        grade = questionnaire.grade or "–"
        notes = [say("Index: {rule} (the questionnaire's rule, evidence grade {grade}).", rule=described, grade=grade)]
    else:
        notes = [say("Index: {rule} (chosen for this analysis).", rule=described)]
    if rule == "pooled_items":
        return [*notes, say("A factor or part: all valid answers to its items, counted alike.")]
    return [
        *notes,
        say("A factor: mean of its items. A part: the question about it as a whole, or else the mean of its factors."),
    ]


def _answer_notes(cells: Cells, nodes: list[Node], absent: list[str]) -> list[str]:
    notes = [
        say(
            "Satisfied: the answers that the questionnaire marks so, of all valid answers; don't know and blank are "
            "left out."
        )
    ]
    notes += cell_notes(cells)
    if absent:
        notes.append(say("{n} items have no column and are left out: {items}.", n=len(absent), items=", ".join(absent)))
    gaps = int(sum(int(node.gaps.sum()) for node in nodes))
    if gaps:
        notes.append(say("{n} times an item or factor nobody in the group answered is left out of a mean.", n=gaps))
    items = [node for node in nodes if node.level == "item"]
    inside = cells.code >= 0
    asked = sum(int((node.estimates.asked & inside).sum()) for node in items)
    valid = sum(int((node.estimates.valid & inside).sum()) for node in items)
    skipped = sum(int((~node.estimates.asked & inside).sum()) for node in items)
    notes.append(
        say(
            "Item answers: {asked} asked for, {missing} of them don't know or blank.",
            asked=asked,
            missing=asked - valid,
        )
    )
    if skipped:
        notes.append(say("{n} item answers were not asked for, by skip rule; they are not missing.", n=skipped))
    return notes
