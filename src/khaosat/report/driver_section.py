"""Section II, second part: what dissatisfaction goes with, and how it goes with the lateness of one's own dossier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pandas as pd

from khaosat.errors import KhaosatError
from khaosat.facts.language import percent, say
from khaosat.report import findings
from khaosat.report.headline import label_of
from khaosat.report.index_section import no_wave
from khaosat.report.quarter import Quarter
from khaosat.show.figure import Figure, draw
from khaosat.show.plots import page_axes
from khaosat.show.section import Part, Section
from khaosat.show.text import Text

if TYPE_CHECKING:
    from khaosat.results import Result


def dissatisfaction(quarter: Quarter) -> Section:
    """Factors by how much dissatisfaction goes with them, which to put first, and the part of late dossiers."""
    if quarter.survey is None:
        return no_wave(quarter)
    return Section((*_factors(quarter), *_lateness(quarter)))


def _factors(quarter: Quarter) -> Iterator[Part]:
    from khaosat.survey import drivers

    try:
        found = drivers(quarter.survey_or_fail)
    except KhaosatError as error:  # too few answers for a model: the wave's other sections stand
        yield Text(sentences=(_no_model(error),))
        return
    rows = found.rows.assign(label=[label_of(quarter, name) for name in found.rows["variable"]])
    yield Text(sentences=(findings.drivers_sentence([row for _, row in rows.iterrows()]),))
    yield _effects_figure(quarter, found, rows)
    yield replace(found, source=quarter.workspace.source).table()
    if found.ipa is not None:
        yield _priorities_figure(quarter, found.ipa)


def _effects_figure(quarter: Quarter, found: Result, rows: pd.DataFrame) -> Figure:
    clear = rows[rows["verdict"] == "important"]
    title = say("What dissatisfaction goes with, wave {wave}: no factor stands out", wave=quarter.wave)
    if len(clear):
        first = clear.sort_values("per_sd")["label"].iloc[0]
        title = say(
            "What dissatisfaction goes with, wave {wave}: most of all “{label}”", wave=quarter.wave, label=first
        )
    return draw(
        found.plot(page_axes(0.26 * len(rows) + 0.7)),
        title=title,
        alt=say(
            "Dot chart with intervals: change of the share dissatisfied with one standard deviation more of each of "
            "{n} factors. {list}.",
            n=len(rows),
            list="; ".join(f"{r['label']}: {findings.points(r['per_sd'])}" for _, r in rows.iterrows()),
        ),
        notes=(say("n = {n} respondents in the model.", n=int(rows["n"].max())),),
        source=quarter.workspace.source,
    )


def _priorities_figure(quarter: Quarter, ipa: Result) -> Figure:
    first = [label_of(quarter, name) for name in ipa.rows.loc[ipa.rows["quadrant"] == "concentrate", "variable"]]
    title = (
        say("Important and weak at once, wave {wave}: {list}", wave=quarter.wave, list="; ".join(first))
        if first
        else say(
            "Importance and performance, wave {wave}: no factor is surely both important and weak", wave=quarter.wave
        )
    )
    points = "; ".join(
        f"{label_of(quarter, row['variable'])}: {percent(row['importance'])}, {percent(row['performance'])}"
        for _, row in ipa.rows.iterrows()
    )
    return draw(
        ipa.plot(page_axes(2.7)),
        title=title,
        alt=say("Importance against share satisfied, with intervals, by factor. {list}.", list=points),
        notes=(say("A grey point is not clearly on one side: its interval crosses a line."),),
        source=quarter.workspace.source,
    )


def _lateness(quarter: Quarter) -> Iterator[Part]:
    from khaosat.evaluate import satisfaction_and_lateness

    if quarter.log is None:
        return
    try:
        found = satisfaction_and_lateness(quarter.survey_or_fail, quarter.log)
    except KhaosatError as error:
        yield Text(sentences=(_no_model(error),))
        return
    late = found.rows[found.rows["contrast"] == "late - on_time"].iloc[0]
    yield Text(sentences=(findings.lateness_sentence(cast(findings.Row, late)),))
    yield replace(found, source=quarter.workspace.source).table()


def _no_model(error: KhaosatError) -> str:
    return say("No model could be fitted: {reason}", reason=error)
