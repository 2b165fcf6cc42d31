"""What people perceived and what they expect: a block of the questionnaire, item by item."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from khaosat.domain.questionnaire_faults import Block
from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import date, say
from khaosat.stats.intervals import ShareInterval
from khaosat.survey.proportions import proportion
from khaosat.survey.result import SurveyResult
from khaosat.survey.series_breaks import series_breaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _TITLE = 44, 100
"""Letters of an answer on one line of a figure, and of a question."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BlockSummary(SurveyResult):
    """Shares of every answer to the questions of a block; ``rows`` as of :func:`proportion`."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Shares with their intervals, question by question; the answers to one that takes several by frequency."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, WIDTH, theme

        rows = self._worded().rows[~self._small_cells()].assign(question=self.rows["variable"])
        groups = [part for _, part in rows.groupby("question", sort=False)]
        height = len(rows) + 1.5 * len(groups)
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 0.26 * height + 0.8))
            places, labels, top = [], [], height
            for part in groups:
                text = textwrap.shorten(str(part["variable"].iloc[0]), _TITLE, placeholder="…")
                ax.annotate(
                    text, (0.01, top - 0.6), xycoords=("figure fraction", "data"), fontsize=8.5, fontweight="bold",
                    va="center", in_layout=False,
                )  # fmt: skip
                place = top - 1.5 - np.arange(len(part))
                shown = self._in_order(part)
                ax.hlines(place, 100 * shown["low"], 100 * shown["high"], color=BLUE, linewidth=1.6, alpha=0.55)
                ax.plot(100 * shown["estimate"], place, "o", color=BLUE, markersize=4)
                places += list(place)
                labels += [self._line_words(row) for _, row in shown.iterrows()]
                top -= len(part) + 1.5
            ax.set_yticks(places, labels, fontsize=7.5)
            ax.set_ylim(-0.3, height + 0.2)
            ax.set_xlim(0, 100)
            ax.spines["left"].set_visible(False)
            ax.set_xlabel(f"{term('estimate')} (%)")
        return ax

    def _in_order(self, part: pd.DataFrame) -> pd.DataFrame:
        """The answers to a question that takes several from the most frequent down, others as on the scale."""
        name = str(part["question"].iloc[0])
        several = self.questionnaire is not None and self.questionnaire.kind(name) == "select_multiple"
        return part.sort_values("estimate", ascending=False) if several else part

    def _line_words(self, row: pd.Series) -> str:
        words = " · ".join(str(row[key]) for key in self.keys if key != "variable")
        return "\n".join(textwrap.wrap(words, _LINE)[:2])


def block_summary(
    survey: Survey,
    *,
    block: Block = "perception",
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    level: float = 0.95,
    ci: ShareInterval = "logit",
    domain_df: bool = False,
) -> BlockSummary:
    """Share of each answer to each closed question of a block.

    Parameters
    ----------
    survey
        Answers with their questionnaire.
    block
        ``perception`` (SIPAS block A), ``expectation`` (block C), ``satisfaction`` or ``profile``.
    by, where, level, ci, domain_df
        As in :func:`khaosat.survey.proportion`.

    Returns
    -------
    BlockSummary
        ``variable``, ``by`` columns, ``level``, ``estimate, se, low, high, df, n, n_missing, numerator, denominator``.

    Raises
    ------
    DataError
        If the survey has no questionnaire, or no closed question of the block has a column.

    Notes
    -----
    A question with several answers (expectations) is divided by the respondents who chose any, so that shares add up to
    more than 100 %. The formulas of SIPAS are not public: docs/methods/chi-so-sipas.md.

    Examples
    --------
    >>> from khaosat.domain.questionnaire import load_questionnaire
    >>> answers = pd.DataFrame({"c": ["1 5", "5", "5 10", None]})
    >>> survey = Survey(responses=answers, questionnaire=load_questionnaire("sipas_2023"))
    >>> rows = block_summary(survey, block="expectation").rows
    >>> rows.loc[rows["numerator"] > 0, ["level", "numerator", "denominator"]].values.tolist()
    [[1, 1, 3], [5, 3, 3], [10, 1, 3]]
    """
    questionnaire = survey.questionnaire
    if questionnaire is None or block not in get_args(Block):
        raise DataError(
            say("block_summary needs a questionnaire and one of its blocks: {known}.", known=", ".join(get_args(Block)))
        )
    closed = [name for name in questionnaire.items(block) if questionnaire.kind(name).startswith("select")]
    held = [name for name in closed if name in survey.responses]
    if not held:
        raise DataError(say("The responses have no closed question of block {block}.", block=block))
    found = proportion(survey, held, by=by, where=where, level=level, ci=ci, domain_df=domain_df)
    breaks = tuple(
        say("The series of this block breaks on {day}: {label} (grade {grade}).", day=date(one.day), label=one.label,
            grade=one.grade)
        for one in series_breaks(block)
    )  # fmt: skip
    absent = [name for name in closed if name not in held]
    left_out = [say("{n} items have no column and are left out: {items}.", n=len(absent), items=", ".join(absent))]
    return BlockSummary(
        rows=found.rows, title=_title(block), notes=(*breaks, *(left_out if absent else []), *found.notes),
        questionnaire=questionnaire,
    )  # fmt: skip


def _title(block: Block) -> str:
    return {
        "perception": say("Perceptions: share of each answer"),
        "expectation": say("Needs and expectations: share of respondents who chose each"),
        "satisfaction": say("Satisfaction: share of each answer"),
        "profile": say("Respondents: share of each answer"),
    }[block]
