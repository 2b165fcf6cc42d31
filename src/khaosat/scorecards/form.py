"""Form II.06a/VPCP/KSTT: how dossiers were settled in a period, in the thirteen columns of the official form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.domain.dossiers import ENDED, DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.result import sorted_groups
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, ask, group_columns
from khaosat.facts import term
from khaosat.facts.language import say
from khaosat.results import Result
from khaosat.scorecards.form_checks import NAMED, fault_notes, identity_faults
from khaosat.scorecards.unit_levels import level_of, level_words
from khaosat.show.table import Column, Table, make_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL = "total"
COUNTS = ("in_hand", "received_online", "received_direct", "carried", "closed", "closed_early", "closed_on_day",
          "closed_late", "open", "open_in_time", "open_overdue")  # fmt: skip
"""Columns 3 to 13 of the form."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Form06a(Result):
    """The form: ``no``, by…, then columns 3 to 13: :data:`COUNTS`; subtotals and the total are rows named ``total``.

    Parameters
    ----------
    by
        What the rows are about: the first of them is column 2 of the form.
    period
        The reporting period.
    faults
        ``fault, dossier_id, total``: dossiers that make the form wrong; empty when it is ready to submit. Internal.
    """

    by: tuple[str, ...]
    period: Period | None
    faults: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """What the rows are about."""
        return list(self.by)

    @property
    def ready(self) -> bool:
        """Whether the form reconciles, so that it may be submitted."""
        return self.faults.empty

    def worded(self) -> pd.DataFrame:
        """The rows with totals and unrecorded groups in words."""
        rows = self.rows.copy()
        words = {TOTAL: say("Total"), "": say("(not recorded)")}
        for column in self.by:
            names = {**words, **(level_words() if column == "level" else {})}
            rows[column] = [names.get(str(value), str(value)) for value in rows[column].fillna("")]
        return rows

    @staticmethod
    def heading(name: str) -> str:
        """What stands above a column of ``by``."""
        return say("Level of government") if name == "level" else term(name)

    def table(self) -> Table:
        """The form as it is printed."""
        return make_table(self.worded(), self._columns(), title=self.title, notes=self.notes, source=self.source)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Dossiers settled early, on the day and late, as shares of those settled, a bar a row of the form."""
        from khaosat.show.bars import stacked_bars
        from khaosat.stats.binomial import share

        rows = self.worded()[self.rows["closed"] > 0].tail(25)
        parts = ["closed_early", "closed_on_day", "closed_late"]
        shares = share(rows[parts].to_numpy(float), rows[["closed"]].to_numpy(float))
        labels = [" · ".join(dict.fromkeys(row)) for row in rows[list(self.by)].itertuples(index=False)]
        names = [say("before the date"), say("on the date"), say("late")]
        return stacked_bars(shares, rows=labels, parts=names, title=say("Settled dossiers"), ax=ax)

    def _columns(self) -> Sequence[Column]:
        received, closed, open_ = say("Received"), say("Settled"), say("Being settled")
        groups = [received] * 4 + [closed] * 4 + [open_] * 3
        labels = {**dict.fromkeys(("in_hand", "closed", "open"), say("Total")), "open_overdue": say("Overdue")}
        return [
            Column(name="no"),
            *(Column(name=name, label=self.heading(name)) for name in self.by),
            *(Column(name=name, kind="int", group=group, label=labels.get(name, ""))
              for name, group in zip(COUNTS, groups, strict=True)),
        ]  # fmt: skip


def form_06a(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    by: str | Sequence[str] = "field",
    deadline: Deadline = "original",
    levels: Mapping[str, str] | None = None,
) -> Form06a:
    """Form II.06a/VPCP/KSTT of a month, quarter, half-year or year.

    ``3 = 4 + 5 + 6 = 7 + 11``, ``7 = 8 + 9 + 10``, ``11 = 12 + 13``; due dates are compared with dates, not hours.

    Parameters
    ----------
    log
        The dossiers.
    period
        ``2026-08``, ``2026-Q3``, ``2026-H1`` or ``2026``; all of the log by default.
    by
        ``field`` as in the official form, another column of the log, or ``level`` (of the responsible unit); several
        give subtotals by the first.
    deadline
        ``original``: the first appointment; ``latest``: the last one.
    levels
        Unit → ``province, district, commune`` where a name does not tell.

    Returns
    -------
    Form06a
        ``no``, by…, ``in_hand`` (3), ``received_online, received_direct, carried`` (4-6), ``closed, closed_early,
        closed_on_day, closed_late`` (7-10), ``open, open_in_time, open_overdue`` (11-13); the total last.

    Notes
    -----
    Without a due date, withdrawn or not accepted: on time (9). Waiting for a supplement: in time (12). Dossiers that
    make the form wrong are named in ``faults`` and the notes, and the form is then not ready to submit.

    References
    ----------
    Thông tư 02/2017/TT-VPCP, Thông tư 01/2020/TT-VPCP; method: ``docs/methods/bieu-06a.md``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> form_06a(example_log(), period="2026-Q2").rows[["field", "in_hand", "closed", "open"]].values.tolist()
    [['Đất đai', 3, 2, 1], ['Hộ tịch', 2, 1, 1], ['total', 5, 3, 2]]
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    asked = group_columns(tuple(dict.fromkeys("responsible_unit" if name == "level" else name for name in names)))
    span = window(log, period)
    counts = count_late(log, "form_06a", span, by=asked, deadline=deadline)
    if "level" in names:
        counts["level"] = [level_of(unit, levels) for unit in counts["responsible_unit"]]
    lines = _lines(counts, names)
    rows = _with_totals(sorted_groups(lines[lines["in_hand"] > 0], names), names)
    named = ask(log.engine, "form_06a_faults", start=span.start, finish=span.finish, ended=ENDED, top=NAMED)
    faults = pd.concat([named, identity_faults(rows, names)], ignore_index=True)
    return Form06a(
        rows=rows, unit="count", by=names, period=None if period is None else as_period(period), faults=faults,
        title=say("Form II.06a/VPCP/KSTT: settling of dossiers by {columns}, {period}", period=span.label,
                  columns=", ".join(Form06a.heading(name).lower() for name in names)),
        notes=(*fault_notes(faults), *_notes(names, deadline, given=bool(levels)), *span.notes()), source=log.source,
    )  # fmt: skip


def _lines(counts: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The columns of the form by group, added up over what is asked for beside the groups."""
    lines = counts.rename(columns={"form_06a_numerator": "closed_late"})
    lines["received_direct"] = lines["received"] - lines["received_online"]
    lines["in_hand"] = lines["carried"] + lines["received"]
    return lines.groupby(list(names), dropna=False, sort=False)[list(COUNTS)].sum().reset_index()


def _with_totals(rows: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The rows numbered, with a subtotal after each group of the first name when there are several, and the total."""
    parts = []
    groups = [rows] if len(names) == 1 else [part for _, part in rows.groupby(names[0], dropna=False, sort=False)]
    for part in groups:
        parts.append(part.assign(no=[str(place) for place in range(1, len(part) + 1)]))
        if len(names) > 1:
            parts.append(_total(part, {**dict.fromkeys(names, TOTAL), names[0]: part[names[0]].iloc[0]}))
    parts.append(_total(rows, dict.fromkeys(names, TOTAL)))
    return pd.concat(parts, ignore_index=True)[["no", *names, *COUNTS]].astype(dict.fromkeys(COUNTS, "int64"))


def _total(rows: pd.DataFrame, keys: Mapping[str, object]) -> pd.DataFrame:
    counts: dict[str, object] = {name: int(rows[name].sum()) for name in COUNTS}
    return pd.DataFrame([{"no": "", **keys, **counts}])


def _notes(names: tuple[str, ...], deadline: Deadline, *, given: bool) -> list[str]:
    notes = [
        say("Dates are compared, not hours. On time (column 9) includes dossiers without a due date, withdrawn or not "
            "accepted; open dossiers that wait for a supplement are in time (column 12)."),
        say("Column 5: in person, by post, and dossiers without a channel."),
        deadline_words(deadline),
    ]  # fmt: skip
    if "level" in names and not given:
        notes.append(say("The level of a unit is told from its name."))
    return notes
