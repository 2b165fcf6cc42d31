"""What :func:`khaosat.comments` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.facts.language import current_language, say
from khaosat.show.table import Column
from khaosat.survey.comment_causes import cause_table
from khaosat.survey.result import SurveyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES = 15


@dataclass(frozen=True, eq=False, kw_only=True)
class Comments(SurveyResult):
    """What comments are about.

    ``rows``: ``cause`` (identifier of the code frame) and the ``by`` columns, then ``estimate`` (share of those who
    wrote something; several causes are possible), ``se, low, high, df, n`` (who wrote something), ``n_missing`` (who
    did not), ``numerator, denominator`` (respondents). Causes that nobody wrote of are left out.

    Parameters
    ----------
    topics
        ``topic`` (number), ``label`` (its words) and the ``by`` columns, then as in ``rows``: share of comments mostly
        about it. Empty with fewer than 40 comments.
    coded
        ``coder`` (``people, rule, model, none``) and ``n``: where the causes of the comments come from.
    agreement
        With people's codes, on comments the model has not learnt from: ``cause`` (``all``: all decisions together),
        ``estimate`` (Cohen's kappa), ``se, low, high, n, agreement, people, automatic``. Empty without them.
    personal
        ``kind`` and ``n`` of personal data that were taken out.
    examples
        ``topic, comment``, scrubbed; empty unless asked for.
    """

    topics: pd.DataFrame = field(default_factory=pd.DataFrame)
    coded: pd.DataFrame = field(default_factory=pd.DataFrame)
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    personal: pd.DataFrame = field(default_factory=pd.DataFrame)
    examples: pd.DataFrame = field(default_factory=pd.DataFrame)

    def _worded(self) -> SurveyResult:
        worded = super()._worded()
        return replace(worded, rows=worded.rows.assign(cause=[_label(cause) for cause in self.rows["cause"]]))

    def _columns(self) -> Sequence[Column]:
        share = say("Share of those who commented")
        return [
            replace(column, label=share) if column.key == "estimate" else column
            for column in super()._columns()
            if column.key not in ("numerator", "denominator")
        ]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The causes written of most, with intervals."""
        shown = replace(self, rows=self.rows.head(_MOST_LINES))
        ax = super(Comments, shown).plot(ax)
        ax.set_xlabel(say("Share of those who commented (%)"))
        ax.set_xlim(left=0)
        return ax


def _label(cause: str) -> str:
    table = cause_table()
    words: dict[str, str] = dict(zip(table["id"], table[f"label_{current_language()}"], strict=True))
    return words.get(cause, cause)
