"""The sheet of one unit: two pages on its dossiers, its respondents and what it should do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pandas as pd

from khaosat.errors import DataError
from khaosat.facts import privacy_threshold
from khaosat.facts.language import date, percent, say
from khaosat.report import unit_words as words
from khaosat.report.findings import Row
from khaosat.report.trends import draw_trend
from khaosat.report.unit_book import UnitBook, unit_book
from khaosat.show.figure import Figure, draw
from khaosat.show.section import Part, Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text
from khaosat.show.theme import GREY

PROCEDURES = 7
DELAYS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitSheet:
    """One unit's part of a book."""

    book: UnitBook
    unit: str

    @property
    def now(self) -> Row:
        """The unit's dossiers of the period."""
        return cast(Row, self.book.now.loc[self.unit])

    @property
    def is_small(self) -> bool:
        """Whether too few dossiers were closed for anything to be published of them."""
        return bool(self.now["denominator"] < privacy_threshold("dossiers"))

    @property
    def compared(self) -> Row | None:
        """Its row among comparable units; None where it is too small to have one."""
        rows = self.book.comparison
        return cast(Row, rows.loc[self.unit]) if self.unit in rows.index else None

    def own_delays(self) -> pd.DataFrame:
        """Steps at the unit that made dossiers late, whoever answers for these: ``step, estimate, late, n``."""
        rows = self.book.delays
        sums = rows[rows["unit"] == self.unit].groupby("step", as_index=False)[["estimate", "late", "n"]].sum()
        return _worst(sums)

    def waiting(self) -> pd.DataFrame:
        """Steps at other units that made this unit's dossiers late: ``unit, step, estimate, late, n``."""
        rows = self.book.delays
        return _worst(rows[(rows["responsible_unit"] == self.unit) & (rows["unit"] != self.unit)])

    def answers(self, unit: str | None = None) -> pd.DataFrame:
        """Satisfaction of the unit's respondents, or of the city (``""``)."""
        rows = self.book.satisfaction
        return rows[rows["unit"] == (self.unit if unit is None else unit)]

    def complaint(self) -> tuple[str, pd.Series, pd.DataFrame] | None:
        """The factor with fewest satisfied among those with enough answers, and the other factors."""
        rows = self.answers()
        rows = rows[(rows["level"] == "factor") & (rows["n"] >= privacy_threshold("respondents"))]
        rows = rows.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
        return (str(rows["label"].iloc[0]), rows.iloc[0], rows.iloc[1:]) if len(rows) else None


def unit_sheet(period: str, *, unit: str, wave: str = "") -> UnitSheet:
    """The sheet of a unit in a period.

    Raises
    ------
    DataError
        If the unit had no dossier then.
    """
    book = unit_book(period, wave=wave)
    if unit not in book.now.index:
        raise DataError(
            say("{unit} has no dossier in {period}; {n} units have, such as {first}", unit=repr(unit),
                period=book.period.label, n=len(book.now), first=repr(book.largest))
        )  # fmt: skip
    return UnitSheet(book=book, unit=unit)


def unit_summary(sheet: UnitSheet) -> Section:
    """The unit in a few sentences, and its share on time beside the city's."""
    book, period = sheet.book, sheet.book.period.label
    if sheet.is_small:
        lines = [words.too_few_words(period=period, threshold=privacy_threshold("dossiers"))]
    else:
        city = book.trend[(book.trend["unit"] == "") & (book.trend["period"] == str(book.period))]["estimate"].iloc[0]
        lines = [
            words.on_time_words(sheet.now, city=float(city), target=book.target, period=period),
            words.place_words(sheet.compared),
            words.stock_words(sheet.now),
        ]
    lines += _satisfaction_lines(sheet)
    return Section((Text(sentences=tuple(lines), form="ordered"), *_trend(sheet)))


def unit_dossiers(sheet: UnitSheet) -> Section:
    """Its procedures, and the steps that make dossiers late: its own and those it waits for."""
    if sheet.is_small:
        return Section((Text(sentences=(say("Too few dossiers for a table."),)),))
    parts: list[Part] = [_procedures(sheet)]
    own, waiting = sheet.own_delays(), sheet.waiting()
    lines = [words.own_delay_words(r["step"], avoidable=int(r["estimate"]), n=int(r["n"])) for _, r in own.iterrows()]
    lines += [words.waiting_words(r["step"], r["unit"], avoidable=int(r["estimate"])) for _, r in waiting.iterrows()]
    if lines:
        parts += [Text(sentences=(say("Where the delays are:"),)), Text(sentences=tuple(lines), form="list")]
    else:
        parts.append(Text(sentences=(say("No step made enough dossiers late to be named."),)))
    return Section(tuple(parts))


def unit_actions(sheet: UnitSheet) -> Section:
    """What the unit should do."""
    own, waiting, found = sheet.own_delays(), sheet.waiting(), sheet.complaint()
    compared = sheet.compared
    lines = words.action_words(
        overdue=0 if sheet.is_small else int(sheet.now["open_overdue"]),
        own=(str(own["step"].iloc[0]), int(own["estimate"].iloc[0])) if len(own) else None,
        waiting=(str(waiting["step"].iloc[0]), str(waiting["unit"].iloc[0]), int(waiting["estimate"].iloc[0]))
        if len(waiting) else None,
        above=compared is not None and str(compared["flag"]) in ("above", "far_above"),
        complaint=found[0] if found else "",
    )  # fmt: skip
    return Section((Text(sentences=tuple(lines), form="ordered"),))


def unit_method(sheet: UnitSheet) -> Section:
    """How to read the sheet."""
    book = sheet.book
    last = book.period.end
    lines = (
        say("A dossier is late when it is closed after its first due date. Intervals: Wilson, 95%."),
        say("Avoidable: would have been on time had the step kept to its part of the legal term, all else as recorded; "
            "arithmetic on recorded times, not proof of a cause."),
        say("Comparable units: each dossier at the city's late share of its procedure, channel and month."),
        say("Numbers of fewer than {dossiers} dossiers or {respondents} respondents are not shown; nobody is named.",
            dossiers=privacy_threshold("dossiers"), respondents=privacy_threshold("respondents")),
        say("Period: {first} to {last}.", first=date(book.period.start.date()),
            last=date((last - pd.Timedelta(days=1)).date())),
        *book.notes,
    )  # fmt: skip
    return Section((Text(sentences=lines, form="box", title=say("How to read this sheet")),))


def _worst(rows: pd.DataFrame) -> pd.DataFrame:
    """The gravest delays that may be published."""
    least = privacy_threshold("dossiers")
    rows = rows[(rows["estimate"] >= least) & (rows["n"] >= least)]
    return rows.sort_values(["estimate", "late"], ascending=False, kind="stable").head(DELAYS)


def _satisfaction_lines(sheet: UnitSheet) -> list[str]:
    whole, city = (rows[rows["level"] == "whole"] for rows in (sheet.answers(), sheet.answers("")))
    if city.empty:
        return []
    least = privacy_threshold("respondents")
    if whole.empty or whole["n"].iloc[0] < least:
        return [say("Wave {wave}: fewer than {n} respondents were served by the unit; there is not enough data.",
                    wave=sheet.book.wave, n=least)]  # fmt: skip
    lines = [
        words.satisfied_words(cast(Row, whole.iloc[0]), city=float(city["estimate"].iloc[0]), wave=sheet.book.wave)
    ]
    found = sheet.complaint()
    if found:
        label, row, others = found
        rest = [cast(Row, other) for _, other in others.iterrows()]
        lines.append(words.complaint_words(label, cast(Row, row), others=rest))
    return lines


def _trend(sheet: UnitSheet) -> Iterator[Figure]:
    rows = sheet.book.trend
    city = rows[rows["unit"] == ""].reset_index(drop=True)
    own = rows[(rows["unit"] == sheet.unit) & (rows["denominator"] >= privacy_threshold("dossiers"))]
    own = city[["period"]].merge(own, on="period", how="left")
    known = own.dropna(subset=["estimate"])
    if known.empty:
        return
    ax = draw_trend(own, label=say("On time (%)"), target=sheet.book.target)
    line = [float(share) * 100 for share in city["estimate"]]
    ax.plot(range(len(line)), line, color=GREY, linewidth=1.2, zorder=1)
    ax.annotate(say("city"), (len(line) - 1, line[-1]), xytext=(5, 0), textcoords="offset points", color=GREY,
                fontsize=8, va="center", annotation_clip=False)  # fmt: skip
    last, place = known.iloc[-1], city[city["period"] == known["period"].iloc[-1]].iloc[0]
    values = {"period": last["period"], "share": percent(last["estimate"]), "city": percent(place["estimate"])}
    yield draw(
        ax,
        title=say("{period}: {share} of the unit's dossiers on time, {city} in the city", **values),
        alt=say(
            "Line chart of the unit's share on time in {n} periods with 95% intervals, the city's as a grey line and "
            "the target of {target}. First {first}, last {share}; the city's last {city}.",
            n=len(known), target=percent(sheet.book.target), first=percent(known["estimate"].iloc[0]), **values,
        ),
        notes=(say("n = {n} dossiers closed in the last period shown; periods with too few dossiers are left out.",
                   n=int(last["denominator"])),),
        source=sheet.book.workspace.source,
    )  # fmt: skip


def _procedures(sheet: UnitSheet) -> Table:
    """Procedures with most late dossiers; those too small to be shown are counted together with the others."""
    rows = sheet.book.procedures
    rows = rows[rows["unit"] == sheet.unit].sort_values(["numerator", "denominator"], ascending=False, kind="stable")
    least = privacy_threshold("dossiers")
    shown = rows[rows["denominator"] >= least].head(PROCEDURES)
    rest = rows.drop(shown.index)
    while 0 < rest["denominator"].sum() < least and len(shown):  # the total is in the summary: it would tell the rest
        shown = shown.drop(shown["denominator"].idxmin())
        rest = rows.drop(shown.index)
    frame = shown[["procedure_name", "numerator", "denominator"]]
    if len(rest):
        name = say("Other procedures ({n})", n=len(rest))
        sums = [name, int(rest["numerator"].sum()), int(rest["denominator"].sum())]
        frame = pd.concat([frame, pd.DataFrame([sums], columns=frame.columns)], ignore_index=True)
    return _on_time_table(sheet, frame)


def _on_time_table(sheet: UnitSheet, frame: pd.DataFrame) -> Table:
    from khaosat.stats.binomial import wilson

    late, closed = frame["numerator"].to_numpy(float), frame["denominator"].to_numpy(float)
    low, high = wilson(closed - late, closed)
    frame = frame.assign(estimate=1 - late / closed, low=low, high=high)
    return make_table(
        frame,
        [
            Column(name="procedure_name"),
            Column(name="denominator", kind="int", label=say("Closed with a due date")),
            Column(name="numerator", kind="int", label=say("Late")),
            Column(name="estimate", kind="percent", decimals=0, label=say("On-time share")),
            Column(name=("low", "high"), kind="interval_percent", decimals=0),
        ],
        title=say("Dossiers of the unit on time, by procedure, {period}", period=sheet.book.period.label),
        source=sheet.book.workspace.source,
    )
