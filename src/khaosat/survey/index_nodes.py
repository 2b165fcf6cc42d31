"""The lines of the satisfaction index, built from the items up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.questionnaire import INDEX, Questionnaire
from khaosat.domain.questionnaire_faults import IndexRule
from khaosat.domain.survey import Survey
from khaosat.survey.answers import level_answers
from khaosat.survey.cells import Cells, Estimates, ratio_estimates

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Rule = IndexRule | Mapping[str, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """One line of the index: an item, a factor, a part or the whole.

    ``hits`` and ``answers`` are each respondent's satisfied and valid answers to the items below; ``gaps`` counts the
    cells' items left out of a mean because nobody there answered them.
    """

    level: str
    id: str
    estimates: Estimates
    hits: Floats
    answers: Floats
    gaps: Counts


def index_nodes(
    survey: Survey, cells: Cells, *, questionnaire: Questionnaire, rule: Rule
) -> tuple[list[Node], list[str]]:
    """Every line in the order it is shown (the index, then each part with its factors and items), and items without a
    column.
    """
    tree = _Tree(survey, cells, questionnaire, pooled=rule == "pooled_items")
    lines = {factor: found for factor in questionnaire.factors if (found := tree.factor(factor))}
    heads = {factor: found[0] for factor, found in lines.items()}
    parts = {
        part: node
        for part in questionnaire.parts
        if (node := tree.part(part, [heads[f] for f in heads if questionnaire.part_of(f) == part]))
    }
    nodes = [tree.index(rule, list(lines.values()), parts)]
    for part in [*parts, ""]:
        nodes += [parts[part]] if part else []
        nodes += [node for factor, found in lines.items() if questionnaire.part_of(factor) == part for node in found]
    return nodes, tree.absent


def node_of(survey: Survey, cells: Cells, id: str, *, questionnaire: Questionnaire, pooled: bool) -> Node:
    """The line of one factor or item."""
    tree = _Tree(survey, cells, questionnaire, pooled=pooled)
    return tree.factor(id)[0] if id in questionnaire.factors else tree.item(id)


class _Tree:
    """Builds the lines of the index from the items up."""

    def __init__(self, survey: Survey, cells: Cells, questionnaire: Questionnaire, *, pooled: bool) -> None:
        self.survey, self.cells, self.questionnaire, self.pooled = survey, cells, questionnaire, pooled
        self.absent: list[str] = []

    def item(self, name: str) -> Node:
        """Share satisfied among the valid answers to one question."""
        answer = level_answers(self.survey, name)
        hits, answers = answer.among(self.questionnaire.satisfied(name)), answer.valid.astype(float)
        return self._pooled(hits, answers, asked=answer.asked, level="item", id=name)

    def factor(self, factor: str) -> list[Node]:
        """A factor followed by its items; nothing if none of them has a column."""
        names = self.questionnaire.items(factor=factor)
        self.absent += [name for name in names if name not in self.survey.responses]
        items = [self.item(name) for name in names if name in self.survey.responses]
        if not items:
            return []
        join = self.pool if self.pooled else self.mean
        return [join(items, level="factor", id=factor), *items]

    def part(self, part: str, factors: list[Node]) -> Node | None:
        """A part as it was asked about, else from its factors; None if it has neither."""
        asked = self.questionnaire.overall_of(part)
        if asked in self.survey.responses and not self.pooled:
            return replace(self.item(str(asked)), level="part", id=part)
        if not factors:
            return None
        return self.pool(factors, level="part", id=part) if self.pooled else self.mean(factors, level="part", id=part)

    def index(self, rule: Rule, lines: list[list[Node]], parts: dict[str, Node]) -> Node:
        """The whole, by the rule; ``lines`` holds each factor followed by its items."""
        if isinstance(rule, Mapping):
            if set(parts) != set(rule):
                raise ValueError(f"the responses have no item of the parts {sorted(set(rule) - set(parts))}")
            weights = [rule[part] for part in parts]
            return self.mean(list(parts.values()), level="index", id=INDEX, weights=weights)
        if rule == "asked":
            return replace(self.item(str(self.questionnaire.overall)), level="index", id=INDEX)
        if rule == "mean_of_parts":
            return self.mean(list(parts.values()), level="index", id=INDEX)
        if rule == "mean_of_factors":
            return self.mean([found[0] for found in lines], level="index", id=INDEX)
        return self.pool([node for found in lines for node in found[1:]], level="index", id=INDEX)

    def pool(self, nodes: list[Node], *, level: str, id: str) -> Node:
        """All answers below counted alike."""
        hits, answers = (np.sum([getattr(node, name) for node in nodes], axis=0) for name in ("hits", "answers"))
        asked = np.logical_or.reduce([node.estimates.asked for node in nodes])
        return self._pooled(hits, answers, asked=asked, level=level, id=id)

    def mean(self, nodes: list[Node], *, level: str, id: str, weights: Sequence[float] | None = None) -> Node:
        """Mean of the lines below that have a value; explicit weights need all of them."""
        cells = self.cells
        values = np.array([node.estimates.value for node in nodes])
        known = ~np.isnan(values)
        share = np.where(known, np.ones(len(nodes))[:, None] if weights is None else np.asarray(weights)[:, None], 0.0)
        usable = known.any(axis=0) if weights is None else known.all(axis=0)
        share = np.divide(share, share.sum(axis=0), where=usable, out=np.zeros_like(share))
        value = np.where(usable, (share * np.where(known, values, 0.0)).sum(axis=0), np.nan)
        influence = np.sum(
            [node.estimates.influence * cells.spread(part) for node, part in zip(nodes, share, strict=True)], axis=0
        )
        made = [node.estimates.replicates for node in nodes]
        again = [np.where(w > 0, x.T * w, 0.0).T for x, w in zip(made, share, strict=True) if x is not None]
        hits, answers = (np.sum([getattr(node, name) for node in nodes], axis=0) for name in ("hits", "answers"))
        valid, asked = (
            np.logical_or.reduce([getattr(node.estimates, name) for node in nodes]) for name in ("valid", "asked")
        )
        return Node(
            level=level, id=id, hits=hits, answers=answers, gaps=(~known & usable).sum(axis=0),
            estimates=Estimates(value=value, influence=influence, valid=valid, asked=asked,
                replicates=np.sum(again, axis=0) if again else None),
        )  # fmt: skip

    def _pooled(self, hits: Floats, answers: Floats, *, asked: NDArray[np.bool_], level: str, id: str) -> Node:
        valid = answers > 0
        estimates = ratio_estimates(self.survey, self.cells, top=hits, bottom=answers, valid=valid, asked=asked)
        gaps = np.zeros(self.cells.n, dtype=np.int64)
        return Node(level=level, id=id, estimates=estimates, hits=hits, answers=answers, gaps=gaps)
