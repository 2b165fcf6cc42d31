"""The report on the danger of being late: open dossiers, what chances are worth, causes, units, scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from khaosat.errors import KhaosatError
from khaosat.facts import privacy_threshold
from khaosat.facts.language import date, number, percent, say
from khaosat.report.quarter import Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.privacy import small_cells, suppression_note
from khaosat.show.section import Part, Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text

if TYPE_CHECKING:
    from khaosat.dossiers.risk_result import AtRisk
    from khaosat.dossiers.scenario_result import WhatIf
    from khaosat.results import Result

LIKELY = 0.5
"""From this chance on a dossier is said to be in danger."""
LISTED, GROUPS, NAMED = 30, 12, 3
EVERY = 1_000_000  # more dossiers than a city has open

_known: WeakKeyDictionary[Quarter, AtRisk] = WeakKeyDictionary()


def endangered(quarter: Quarter, *, internal: bool = False) -> Section:
    """Open dossiers in danger: counts by unit and by procedure, or in an internal report the list itself."""
    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _at_risk(quarter)
    if found.rows.empty:
        return Section((Text(sentences=(say("No dossier with a due date is open."), *found.notes)),))
    rows = _told(found, quarter)
    parts: list[Part] = [Text(sentences=(_danger_words(rows, quarter),)), _danger_figure(quarter, found, rows)]
    if internal:
        listed = found.rows[~rows["is_overdue"]].head(LISTED).reset_index(drop=True)
        told = say("Internal list, not for publication: {n} of {all} dossiers that are not overdue.", n=len(listed),
                   all=int((~rows["is_overdue"]).sum()))  # fmt: skip
        # It was asked for all dossiers: the note on how many were asked for says nothing here.
        notes = (told, *(note for note in found.notes if number(EVERY) not in note))
        return Section((*parts, replace(found, rows=listed, notes=notes, source=quarter.workspace.source).table()))
    return Section((*parts, *(_counts(quarter, rows, by) for by in ("unit", "procedure_name"))))


def trust(quarter: Quarter) -> Section:
    """How far the chances can be trusted: calibration on later dossiers, and whether the office has changed since."""
    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = _at_risk(quarter)
    together = found.validation.rows[found.validation.rows["elapsed"].isna()]
    if found.calibration.empty or together.empty or pd.isna(together["brier"].iloc[0]):
        return Section((Text(sentences=(say("There are too few dossiers to test the chances."),)),))
    row = together.iloc[0]
    good = row["brier"] < row["brier_base"]
    title = (
        say("Stated chances come true: {error} off on average", error=percent(row["ece"], 1))
        if good
        else say("Stated chances are no better than the plain late share: do not rely on the list")
    )
    alt = say(
        "Stated chance against share late in fact: {list}.",
        list="; ".join(f"{percent(r['chance'], 0)}: {percent(r['estimate'], 0)} (n = {number(r['n'])})"
                       for _, r in found.calibration.iterrows()),
    )  # fmt: skip
    figure = draw(found.validation.plot(), title=title, alt=alt, source=quarter.workspace.source)
    validation = replace(found.validation, source=quarter.workspace.source)
    return Section((Text(sentences=(_drift_words(found.drift),)), figure, validation.table()))


def durations(quarter: Quarter) -> Section:
    """How long a result takes, open dossiers included, and what the period will come to."""
    from khaosat.dossiers import nowcast, time_to_result

    if not quarter.has_dossiers:
        return _nothing(quarter)
    log = quarter.log_or_fail
    ahead = nowcast(log, period=quarter.period)
    parts: list[Part] = [Text(sentences=(_ahead_words(quarter, ahead),))]
    found = time_to_result(log, period=quarter.period)
    middle = found.quantiles[found.quantiles["probability"].isin([0.5, 0.9]) & found.quantiles["estimate"].notna()]
    if len(middle):
        told = say("; ").join(say("{share} have their result within {n} working days",
                                  share=percent(row["probability"], 0), n=number(row["estimate"]))
                              for _, row in middle.iterrows())  # fmt: skip
        parts.append(
            draw(found.plot(), title=f"{told[0].upper()}{told[1:]}", source=quarter.workspace.source,
                 alt=say("Curve of the share of dossiers with a result by working days since reception: {told}.",
                         told=told))
        )  # fmt: skip
    return Section((*parts, replace(ahead, source=quarter.workspace.source).table()))


def causes(quarter: Quarter) -> Section:
    """What lateness goes with, all else alike."""
    from khaosat.dossiers import lateness_drivers

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = lateness_drivers(quarter.log_or_fail, period=quarter.period)
    if not found.rows["se"].notna().any():
        return Section((Text(sentences=(say("Too few dossiers for a model of lateness."), *found.notes)),))
    clear = found.worded().assign(raw=found.rows["estimate"])
    clear = clear[(found.rows["low"] > 0) | (found.rows["high"] < 0)]
    clear = clear.sort_values("raw", key=abs, ascending=False)
    listed = "; ".join(_effect(row) for _, row in clear.head(NAMED).iterrows())
    title = say("Lateness goes most with: {list}", list=listed) if listed else say("Nothing surely goes with lateness")
    figure = draw(
        found.plot(), title=title, source=quarter.workspace.source,
        alt=say("Dot chart of differences of the chance to be late, with intervals. {n} of {all} are sure. {list}.",
                n=len(clear), all=int(found.rows["se"].notna().sum()),
                list="; ".join(_effect(row) for _, row in clear.head(8).iterrows()) or say("None stands out")),
    )  # fmt: skip
    if clear.empty:  # no table of nothing
        return Section((figure, Text(sentences=found.notes)))
    shown = replace(found, rows=found.rows.loc[clear.index.sort_values()].reset_index(drop=True),
                    source=quarter.workspace.source)  # fmt: skip
    return Section((figure, shown.note(say("Only differences that are surely not zero are listed.")).table()))


def compared_units(quarter: Quarter) -> Section:
    """Units against what their dossiers let expect: the funnel, and those judged."""
    from khaosat.dossiers import compare_units

    if not quarter.has_dossiers:
        return _nothing(quarter)
    found = compare_units(quarter.log_or_fail, period=quarter.period, by=quarter.by)
    judged = found.rows["flag"].isin(["far_above", "above", "usual", "below", "far_below"])
    if not judged.any():
        return Section((Text(sentences=(say("No unit has enough dossiers to be compared."), *found.notes)),))
    outside = found.rows[found.rows["flag"].isin(["far_above", "above"])].sort_values("z", ascending=False)
    title = (
        say("Later than their dossiers let expect: {list}", list="; ".join(outside[quarter.by].head(NAMED)))
        if len(outside)
        else say("No unit is clearly later than its dossiers let expect")
    )
    figure = draw(
        found.plot(), title=title, source=quarter.workspace.source,
        alt=say("Funnel of standardised late shares by size, {n} units judged. {list}.", n=int(judged.sum()),
                list="; ".join(f"{row[quarter.by]}: {percent(row['rate'], 1)}" for _, row in
                               found.rows[judged].nlargest(8, "z").iterrows())),
    )  # fmt: skip
    shown = replace(found, rows=found.rows[judged].reset_index(drop=True), source=quarter.workspace.source)
    return Section((figure, shown.table()))


def scenarios(quarter: Quarter, *, file: str = "") -> Section:
    """What would help: the scenarios of a file, or some that the log itself suggests."""
    from khaosat.dossiers import what_if

    if not quarter.has_dossiers:
        return _nothing(quarter)
    log = quarter.log_or_fail
    try:
        asked = (quarter.workspace.root / Path(file)) if file else list(_suggested(quarter))
        found = what_if(log, asked, period=quarter.period)
    except KhaosatError as error:  # a file for another city: the other sections stand
        return Section((Text(sentences=(str(error),)),))
    found = replace(found, source=quarter.workspace.source)
    if not found.rows["difference"].iloc[1:].notna().any():
        return Section((Text(sentences=(f"{found.finding()}.",)), found.table()))
    return Section((_scenario_figure(quarter, found), found.table()))


def _suggested(quarter: Quarter) -> Iterator[dict[str, object]]:
    """The first bottleneck in time, opinions within a week, a hand more where most queue, and a third more to do."""
    from khaosat.dossiers import bottlenecks, consultations, what_if

    log, period = quarter.log_or_fail, quarter.period
    found = bottlenecks(log, period=period, by="step").rows
    yield from ({"legal_time": step} for step in found.loc[found["estimate"] > 0, "step"].dropna().head(2))
    if int(consultations(log, period=period, by=None).rows["asked"].sum()):
        yield {"within_days": 5}
    queues = what_if(log, [], period=period, replications=20).stations
    if len(queues):
        longest = queues.sort_values(["n", "unit", "step"], ascending=[False, True, True]).iloc[0]
        yield {"more_officers": 1, "unit": longest["unit"], "step": longest["step"]}
        yield {"arrivals": 0.9}
        yield {"arrivals": 1.1}


def _scenario_figure(quarter: Quarter, found: WhatIf) -> Figure:
    ax = found.plot()
    ax.set_title("", loc="left")  # the finding stands under the figure
    told = found.rows.iloc[1:].dropna(subset=["difference"])
    points = (f"{row['scenario']}: {number(100 * row['difference'], 1)}" for _, row in told.iterrows())
    return draw(
        ax, title=found.finding(), source=quarter.workspace.source,
        alt=say("Dot chart of the change of the late share in percentage points, with intervals: {list}.",
                list="; ".join(points)),
    )  # fmt: skip


def _at_risk(quarter: Quarter) -> AtRisk:
    """All open dossiers with their chances; the model is fitted once a report."""
    from khaosat.dossiers import at_risk

    if quarter not in _known:
        _known[quarter] = at_risk(quarter.log_or_fail, top=EVERY, internal=True)
    return _known[quarter]


def _told(found: AtRisk, quarter: Quarter) -> pd.DataFrame:
    overdue = found.rows["due_at"] < pd.Timestamp(quarter.log_or_fail.as_of)
    return found.rows.assign(is_overdue=overdue, is_likely=~overdue & (found.rows["estimate"] >= LIKELY))


def _danger_words(rows: pd.DataFrame, quarter: Quarter) -> str:
    open_rows = rows[~rows["is_overdue"]]
    return say(
        "On {day}, {n} dossiers with a due date are open: {overdue} are overdue; of the {rest} others, {likely} are "
        "more likely late than not, and {expected} are to be expected late.",
        day=date(quarter.log_or_fail.as_of), n=len(rows), overdue=int(rows["is_overdue"].sum()), rest=len(open_rows),
        likely=int(rows["is_likely"].sum()), expected=number(open_rows["estimate"].sum()),
    )  # fmt: skip


def _danger_figure(quarter: Quarter, found: AtRisk, rows: pd.DataFrame) -> Figure:
    edges = [0, 0.25, 0.5, 0.75, 1]
    counts, _ = np.histogram(rows.loc[~rows["is_overdue"], "estimate"], bins=edges)
    return draw(
        found.plot(), source=quarter.workspace.source,
        title=say("{n} open dossiers are not overdue yet but more likely late than not",
                  n=int(rows["is_likely"].sum())),
        alt=say("Bars of open dossiers by their chance of being late: {list}; overdue: {overdue}.",
                list="; ".join(f"{percent(low, 0)}-{percent(high, 0)}: {number(int(n))}"
                               for low, high, n in zip(edges, edges[1:], counts, strict=False)),
                overdue=int(rows["is_overdue"].sum())),
    )  # fmt: skip


def _counts(quarter: Quarter, rows: pd.DataFrame, by: str) -> Table:
    """Counts by a column, the most endangered first, small cells suppressed; no row is about one dossier."""
    grouped = rows.assign(chance=rows["estimate"].where(~rows["is_overdue"], 0.0)).fillna({by: say("(not recorded)")})
    counts = grouped.groupby(by, sort=True).agg(
        n=("estimate", "size"), overdue=("is_overdue", "sum"), likely=("is_likely", "sum"), expected=("chance", "sum")
    )
    counts = counts.sort_values("expected", ascending=False, kind="stable").reset_index()
    shown, left = counts.head(GROUPS), counts.iloc[GROUPS:]
    if len(left):
        rest = {by: say("{n} others", n=len(left)), **left[["n", "overdue", "likely", "expected"]].sum()}
        shown = pd.concat([shown, pd.DataFrame([rest])], ignore_index=True)
    threshold = privacy_threshold("dossiers")
    hide = small_cells(shown["n"], threshold=threshold)
    columns = [
        Column(name=by), Column(name="n", kind="int", label=say("Open")),
        Column(name="overdue", kind="int", label=say("Overdue")),
        Column(name="likely", kind="int", label=say("More likely late than not")),
        Column(name="expected", kind="number", decimals=1, label=say("To be expected late")),
    ]  # fmt: skip
    notes = [say("Expected: the sum of the chances of those not overdue.")]
    if hide.any():
        notes.append(suppression_note(threshold))
    title = (
        say("Open dossiers in danger by unit that holds them") if by == "unit"
        else say("Open dossiers in danger by procedure")
    )  # fmt: skip
    return make_table(shown, columns, title=title, notes=tuple(notes), source=quarter.workspace.source, hide=hide)


def _drift_words(drift: pd.DataFrame) -> str:
    if drift.empty or not drift["refit"].notna().any():
        return say("There are too few recent dossiers to see whether the office has changed.")
    if bool(drift["refit"].fillna(False).astype(bool).any()):
        return say("The office has changed since the model learnt: the chances are to be taken with caution, and the "
                   "model is to be taught anew.")  # fmt: skip
    return say("Nothing shows that the office has changed since the model learnt: it need not be taught anew.")


def _ahead_words(quarter: Quarter, ahead: Result) -> str:
    if ahead.rows.empty or pd.isna(ahead.rows["estimate"].iloc[0]):
        return say("No dossier was received in {period}.", period=quarter.period.label)
    row = ahead.rows.iloc[0]
    return say(
        "Of the dossiers received in {period}, {estimate} will be done in time ({low} to {high}) once those still open "
        "have ended; those that have ended alone would say {naive}.",
        period=quarter.period.label, estimate=percent(row["estimate"]), low=percent(row["low"]),
        high=percent(row["high"]), naive=percent(row["ended_only"]),
    )  # fmt: skip


def _effect(row: pd.Series) -> str:
    sign = "+" if row["raw"] > 0 else ""
    return say("{factor}: {level} ({points} points)", factor=str(row["factor"]).lower(), level=row["level"],
               points=f"{sign}{number(100 * row['raw'], 1)}")  # fmt: skip


def _nothing(quarter: Quarter) -> Section:
    return Section((Text(sentences=(say("The store holds no dossiers of {period}.", period=quarter.period.label),)),))
