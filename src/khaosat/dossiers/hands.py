"""From hand to hand: between whom dossiers pass, and how often they come straight back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.gate import officers_gate, placeholder_officers
from khaosat.dossiers.result import by_words
from khaosat.dossiers.step_grain import step_engine
from khaosat.dossiers.step_result import StepResult, bars, group_totals, largest_first, no_steps, step_window
from khaosat.engine.query import Holder, ask, group_columns
from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Handovers(StepResult):
    """Between whom dossiers pass: by…, ``source, target, n, share, returns``, the commonest first.

    ``n`` counts pairs of neighbouring steps, ``source`` and ``target`` being the same where a dossier stays; ``share``
    is of all pairs of the group. ``returns`` are those of ``n`` after which the next other holder is the source again.
    Rows keep names; tables and figures show officers as numbers unless the result is internal.

    Parameters
    ----------
    of
        ``unit`` or ``officer``.
    internal
        Officers by name.
    totals
        One row: ``steps, nobody`` (steps of nobody, passed over), ``dossiers, ping_pong`` (dossiers that come straight
        back at least once).
    """

    of: Holder
    internal: bool
    totals: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """The groups and the pair."""
        return [*self.by, "source", "target"]

    def worded(self) -> pd.DataFrame:
        """The rows as they may be shown: officers as numbers, by how often they occur, unless internal."""
        rows = super().worded()
        if self.of == "officer" and not self.internal:
            numbers = _numbers(rows)
            rows = rows.assign(source=rows["source"].map(numbers), target=rows["target"].map(numbers))
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """The commonest changes of hands as bars, each with how often the dossier comes straight back."""
        rows = self.worded()[~self._small_cells() & (self.rows["source"] != self.rows["target"])]
        words = [
            say("{n} · {returns} straight back", n=int(row["n"]), returns=int(row["returns"]))
            if row["returns"] else number(row["n"]) for row in rows.to_dict("records")
        ]  # fmt: skip
        labels = [" · ".join([*row[:-2], " → ".join(row[-2:])]) for row in rows[self.keys].itertuples(index=False)]
        return bars(labels, list(rows["n"]), words=words, x_label=say("Handovers"), ax=ax)

    def _columns(self) -> Sequence[Column]:
        return [
            *self._key_columns(),
            Column(name="source", label=say("From ({holder})", holder=term(self.of).lower())),
            Column(name="target", label=say("To ({holder})", holder=term(self.of).lower())),
            Column(name="n", kind="int", label=say("Handovers")),
            Column(name="share", kind="percent", decimals=1),
            Column(name="returns", kind="int"),
        ]


def handovers(
    log: DossierLog,
    of: Holder = "unit",
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] | None = None,
    internal: bool = False,
) -> Handovers:
    """Between whom dossiers pass from step to step, and how often they are pushed to and fro.

    ``share = n / all pairs of neighbouring steps``

    Parameters
    ----------
    log
        The dossiers and their steps.
    of
        Whose hands count: ``unit`` or ``officer``.
    period
        The period in which the step of the target ended; all of the log by default.
    by
        Columns of ``dossiers`` to group by.
    internal
        Show officers by name: not for publication, and not where the quality gate
        (:func:`khaosat.dossiers.dossier_quality`) is closed. Otherwise a table numbers them.

    Returns
    -------
    Handovers
        by…, ``source, target, n, share, returns``; field ``totals``.

    Notes
    -----
    Steps of nobody are passed over, placeholder names of one-stop software included: the dossier goes from the last
    known holder to the next. Read without personal columns, a log knows no officers. A dossier is pushed to and fro
    (đẩy đi đẩy lại) when A gives it to B and the next to have it after B is A again, however many steps it spent at B.
    An opinion that is asked for and given looks the same: see :func:`khaosat.dossiers.consultations`.

    References
    ----------
    van der Aalst, Reijers and Song (2005), Computer Supported Cooperative Work 14, 549-593 (handover of work).

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> rows = handovers(example_steps()).rows
    >>> rows.loc[rows["target"] == "Phòng Quy hoạch", ["source", "n", "returns"]].values.tolist()
    [['Phòng Đất đai', 1, 1]]
    """
    columns = group_columns(by)
    span, slots = step_window(log, period)
    engine = step_engine(log)
    nobody = ["", *(placeholder_officers() if of == "officer" else [])]
    rows = ask(engine, "handovers", by=columns, of=of, nobody=nobody, **slots)
    back = ask(engine, "returns", by=columns, of=of, nobody=nobody, **slots)
    rows = rows.merge(back, on=[*columns, "source", "target"], how="left")
    rows["returns"] = rows["returns"].fillna(0).astype("int64")
    rows["share"] = share(rows["n"], group_totals(rows["n"], rows, columns))
    rows = largest_first(rows, columns, size="n", names=["source", "target"])
    totals = ask(engine, "holders", of=of, nobody=nobody, **slots).assign(ping_pong=int(back["dossiers"].sum()))
    closed = officers_gate(log).words() if of == "officer" and internal else []
    return Handovers(
        rows=rows[[*columns, "source", "target", "n", "share", "returns"]], by=columns, unit="count", of=of,
        internal=internal and not closed, totals=totals, source=log.source,
        notes=tuple([*_notes(totals.iloc[0], of, internal and not closed), *closed, *span.notes(),
                     *(no_steps(log, rows, span) if not totals["steps"].iloc[0] else [])]),
        title=say("From which {holder} to which{by}, {period}", holder=term(of).lower(), by=by_words(columns),
                  period=span.label),
    )  # fmt: skip


def _notes(totals: pd.Series, of: Holder, internal: bool) -> list[str]:
    dossiers, back = int(totals["dossiers"]), int(totals["ping_pong"])
    notes = [say("The same on both sides: the dossier stays where it is.")]
    if dossiers:
        notes.append(
            say("{n} of {dossiers} dossiers ({share}) go to and fro at least once: to another and straight back, for "
                "an opinion or another errand too.", n=back, dossiers=dossiers, share=percent(back / dossiers))
        )  # fmt: skip
    if totals["nobody"]:
        notes.append(
            say("{n} of {steps} steps have nobody, or a name that stands for nobody; they are passed over.",
                n=int(totals["nobody"]), steps=int(totals["steps"]))
        )  # fmt: skip
    if of == "officer":
        notes.append(
            say("Internal: holds officers' names, not for publication.") if internal
            else say("Officers are numbered by how often they occur; the numbers mean nothing elsewhere.")
        )  # fmt: skip
    return notes


def _numbers(rows: pd.DataFrame) -> Mapping[str, str]:
    """A number for each officer, the busiest first."""
    seen = pd.concat([rows["source"], rows["target"]]).to_frame("name").assign(n=[*rows["n"], *rows["n"]])
    busy = seen.groupby("name", sort=True)["n"].sum().sort_values(ascending=False, kind="stable")
    return {name: say("Officer {n}", n=place) for place, name in enumerate(busy.index, start=1)}
