"""Whether a published table adds up: stocks and flows of each row, and the total row against the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from khaosat.errors import DataError
from khaosat.facts import read_table, term
from khaosat.facts.language import current_language, number, say
from khaosat.results import Result
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUPED = re.compile(r"-?\d{1,3}(?:[.\u00a0 ]\d{3})+")  # 14.043 is fourteen thousand here
_WHOLE = re.compile(r"-?\d+")
NAMED = 5
"""Failed checks that the notes name; the rows have them all."""


class Identity(NamedTuple):
    """Columns that add up to other columns."""

    id: str
    parts: tuple[str, ...]
    total: tuple[str, ...]
    label: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Reconciliation(Result):
    """Checks of a table: ``check, row, label, parts, total, difference, passed``.

    ``difference`` is total less parts; ``check`` is an id of ``facts/rules/identities.csv``, or ``total_row`` for a
    column whose total row was held against the other rows.
    """

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return bool(self.rows["passed"].all())

    @property
    def keys(self) -> list[str]:
        """What was checked, and where."""
        return ["row", "label"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The differences of what does not add up."""
        import textwrap

        import matplotlib.pyplot as plt

        from khaosat.show.theme import VERMILION, WIDTH, theme

        rows = self.rows[~self.rows["passed"]]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, max(1.6, 0.5 * len(rows) + 0.9)))
            place = np.arange(len(rows))[::-1]
            ax.barh(place, rows["difference"], color=VERMILION, height=0.6)
            for y, gap in zip(place, rows["difference"], strict=True):
                ax.annotate(number(int(gap)), (gap, y), xytext=(4 if gap > 0 else -4, 0), textcoords="offset points",
                            va="center", ha="left" if gap > 0 else "right")  # fmt: skip
            labels = [" · ".join(pair) for pair in zip(rows["row"], rows["label"], strict=True)]
            ax.set_yticks(place, [textwrap.fill(label, 46) for label in labels])
            ax.axvline(0, color="#808080", linewidth=0.8)
            ax.margins(x=0.2)
            ax.set_xlabel(say("Total less its parts"))
            ax.xaxis.set_major_formatter(lambda value, _: number(value) if value == round(value) else "")
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="row", label=say("Row")),
            Column(name="label", label=say("Check")),
            Column(name="parts", kind="int", label=say("Sum of the parts")),
            Column(name="total", kind="int", label=say("Total as stated")),
            Column(name="difference", kind="int"),
        ]


def reconcile(
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    identities: Mapping[str, Sequence[str]] | None = None,
    total: str | None = None,
    source: str = "",
) -> Reconciliation:
    """Hold the totals of a published table against their parts, and name what does not add up.

    ``parts_1 + … + parts_k = total``, in every row; and in every column, the total row = the sum of the other rows.

    Parameters
    ----------
    frame
        The table as published. Numbers may be text with a point for thousands (``14.043``).
    columns
        Its headings → ``carried, received, received_online, received_direct, in_hand, closed, closed_early,
        closed_on_day, closed_on_time, closed_late, open, open_in_time, open_overdue, due, on_time, late``, where they
        are not called so.
    identities
        One's own: total column → part columns, beside those of ``facts/rules/identities.csv``.
    total
        Name of the total row, in the first column that is not all numbers; by default such as “Tổng cộng”.
    source
        Where the table was published.

    Returns
    -------
    Reconciliation
        One row a check that the table allows; ``passed`` says whether all hold.

    Raises
    ------
    DataError
        If the table allows no check, or holds what is no whole number.

    Examples
    --------
    >>> table = pd.DataFrame({"carried": [2191], "received": [14043], "in_hand": [16234], "on_time": [14064],
    ...                       "late": [37], "due": [14111]})
    >>> found = reconcile(table)
    >>> found.passed, found.rows.loc[~found.rows["passed"], ["check", "difference"]].values.tolist()
    (False, [['due_parts', 10]])
    """
    table = frame.rename(columns=dict(columns or {}))
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()].unique()
        raise DataError(say("Two columns of the table are {columns}.", columns=", ".join(map(str, twice))))
    checks = [*_known(), *_own(identities or {})]
    checks = [check for check in checks if {*check.parts, *check.total} <= set(table)]
    wanted = {name for check in checks for name in (*check.parts, *check.total)}
    counts = pd.DataFrame({name: _whole(table[name], str(name)) for name in table if name in wanted}, index=table.index)
    names = _row_names(table.drop(columns=list(counts.columns)))
    found = [*_across(counts, names, checks), *_down(counts, names, total)]
    if not found:
        raise DataError(
            say(
                "The table has no total with all its parts: name its columns, such as {columns}.",
                columns="carried, received, in_hand, closed, open",
            )
        )
    rows = pd.DataFrame(found, columns=["check", "row", "label", "parts", "total"])
    rows["difference"] = rows["total"] - rows["parts"]
    rows["passed"] = rows["difference"] == 0
    return Reconciliation(
        rows=rows,
        unit="count",
        title=say("Reconciliation of a published table"),
        notes=tuple(_words(rows)),
        source=source,
    )


def _words(rows: pd.DataFrame) -> Iterator[str]:
    wrong = rows[~rows["passed"]]
    if wrong.empty:
        yield say("The table adds up: {n} checks.", n=len(rows))
        return
    yield say("The table does not add up: {wrong} of {n} checks fail.", wrong=len(wrong), n=len(rows))
    for row in wrong.head(NAMED).to_dict("records"):
        yield say(
            "{row}: {label}: the parts make {parts}, the total says {total} (difference {difference}).",
            row=row["row"], label=row["label"], parts=row["parts"], total=row["total"], difference=row["difference"],
        )  # fmt: skip


def _across(counts: pd.DataFrame, names: list[str], checks: list[Identity]) -> Iterator[tuple[object, ...]]:
    """Checks within each row; a row with a missing cell is not checked."""
    for check in checks:
        parts, total = counts[list(check.parts)].sum(axis=1), counts[list(check.total)].sum(axis=1)
        whole = counts[[*check.parts, *check.total]].notna().all(axis=1)
        for name, left, right, complete in zip(names, parts, total, whole, strict=True):
            if complete:
                yield check.id, name, check.label, int(left), int(right)


def _down(counts: pd.DataFrame, names: list[str], total: str | None) -> Iterator[tuple[object, ...]]:
    """The total row against the other rows."""
    known = [total] if total is not None else list(read_table("codes/total_rows.csv")["name"])
    wanted = {name.casefold() for name in known}
    place = [i for i, name in enumerate(names) if name.casefold() in wanted]
    if total is not None and not place:
        raise DataError(say("The table has no row {row}.", row=repr(total)))
    if len(place) != 1 or len(names) < 2:
        return
    for column in counts:
        values = counts[column]
        if values.notna().all():
            stated = int(values.iloc[place[0]])
            label = say("{column}: total row against the other rows", column=term(str(column)))
            yield "total_row", names[place[0]], label, int(values.sum()) - stated, stated


def _row_names(rest: pd.DataFrame) -> list[str]:
    """What each row is called: its first text, else its number."""
    texts = [column for column in rest if not pd.api.types.is_numeric_dtype(rest[column])]
    if not texts:
        return [say("row {n}", n=i) for i in range(1, len(rest) + 1)]
    return [" ".join(str(name).split()) for name in rest[texts[0]]]


def _whole(values: pd.Series, name: str) -> pd.Series:
    """Whole numbers, written as numbers or as people write them; missing cells stay missing."""
    wrong: list[str] = []

    def read(value: object) -> int | None:
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            return None
        if isinstance(value, int | np.integer) or (
            isinstance(value, float | np.floating) and float(value).is_integer()
        ):
            return int(value)
        text = str(value).strip()
        if not text:
            return None
        if _WHOLE.fullmatch(text) or _GROUPED.fullmatch(text):
            return int(re.sub(r"[.\u00a0 ]", "", text))
        wrong.append(text)
        return None

    read_values = [read(value) for value in values]
    if wrong:
        raise DataError(
            say("Column {column} holds {value}, which is no whole number.", column=name, value=repr(wrong[0]))
        )
    return pd.Series(pd.array(read_values, dtype="Int64"), index=values.index)


def _known() -> list[Identity]:
    table, lang = read_table("rules/identities.csv"), current_language()
    return [
        Identity(row["id"], tuple(row["parts"].split()), tuple(row["total"].split()), row[f"label_{lang}"])
        for row in table.to_dict("records")
    ]


def _own(identities: Mapping[str, Sequence[str]]) -> Iterator[Identity]:
    for total, parts in identities.items():
        label = say("{parts} = {total}", parts=" + ".join(term(part) for part in parts), total=term(total))
        yield Identity(total, tuple(parts), (total,), label)
