"""Steps to which dossiers come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.result import by_words
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import StepResult, bars, largest_first, no_steps, step_window
from khaosat.engine.query import ask, group_columns
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Rework(StepResult):
    """Steps that dossiers go through again: by…, ``step, dossiers, repeats, estimate, n``, the commonest first.

    ``dossiers`` were at the step more than once, ``repeats`` are their visits after the first, ``n`` are all dossiers
    that were at the step; ``estimate = dossiers / n``.
    """

    @property
    def keys(self) -> list[str]:
        """The groups and the step."""
        return [*self.by, "step"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Dossiers that come back to each step as bars, with their share of those that were there."""
        rows = self.worded()[~self._small_cells()]
        words = [
            say("{n} dossiers ({share})", n=int(row["dossiers"]), share=percent(row["estimate"]))
            for row in rows.to_dict("records")
        ]
        labels = [" · ".join(row) for row in rows[self.keys].itertuples(index=False)]
        return bars(labels, list(rows["dossiers"]), words=words, x_label=say("Dossiers that come back"), ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="step"),
            Column(name="dossiers", kind="int", label=say("Dossiers that come back")),
            Column(name="n", kind="int", label=say("Dossiers that were there")),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share that comes back")),
            Column(name="repeats", kind="int"),
        ]


def rework(log: DossierLog, *, period: Period | str | None = None, by: str | Sequence[str] | None = None) -> Rework:
    """Steps that dossiers go through more than once.

    Parameters
    ----------
    log
        The dossiers and their steps.
    period
        The period in which a dossier's last visit of the step ended; all of the log by default.
    by
        Columns of ``dossiers`` to group by.

    Returns
    -------
    Rework
        by…, ``step, dossiers, repeats, estimate, n``; steps to which no dossier came back are left out.

    Notes
    -----
    A step comes again when its name does: some procedures have it twice by design.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> rework(example_steps()).rows[["step", "dossiers", "repeats", "n"]].values.tolist()
    [['Thẩm định', 1, 1, 3]]
    """
    columns = group_columns(by)
    span, slots = step_window(log, period)
    rows = ask(step_engine(log), "rework", by=columns, **slots)
    rows["estimate"] = share(rows["dossiers"], rows["n"])
    rows = largest_first(rows, columns, size="dossiers", names=["step"])
    notes = [say("A step comes again when its name does; some procedures have it twice by design."), *span.notes()]
    if "steps" in log.tables and rows.empty:
        notes.append(say("No dossier came back to a step in {period}.", period=span.label))
    elif rows.empty:
        notes += no_steps(log, rows, span)
    return Rework(
        rows=rows[[*columns, "step", "dossiers", "repeats", "estimate", "n"]], by=columns, unit="share",
        notes=tuple(notes), source=log.source,
        title=say("Steps to which dossiers come back{by}, {period}", by=by_words(columns), period=span.label),
    )  # fmt: skip
