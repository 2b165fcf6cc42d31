"""Section I: five sentences and the headline table."""

from __future__ import annotations

from typing import cast

import pandas as pd

from khaosat.facts.language import say
from khaosat.report import findings
from khaosat.report.findings import Row
from khaosat.report.quarter import Quarter
from khaosat.report.trends import main_figures
from khaosat.show.section import Part, Section
from khaosat.show.table import Column, Table, make_table
from khaosat.show.text import Text


def summary(quarter: Quarter, *, dossiers: bool = True) -> Section:
    """The period in five sentences, its main indicators and how they moved; without ``dossiers``, the survey alone."""
    sentences = [*survey_sentences(quarter), *(dossier_sentences(quarter) if dossiers else ())]
    parts: list[Part] = [Text(sentences=tuple(sentences), form="ordered"), *main_figures(quarter, dossiers=dossiers)]
    levels, moves = headline_rows(quarter, dossiers=dossiers), change_rows(quarter, dossiers=dossiers)
    if len(levels):
        parts.append(_levels_table(quarter, levels))
    if len(moves):
        parts.append(_changes_table(quarter, moves))
    return Section(tuple(parts))


def survey_sentences(quarter: Quarter) -> list[str]:
    """Sentences on satisfaction, or that there was no survey."""
    if quarter.survey is None:
        return [say("No survey wave belongs to {period}; satisfaction is not reported.", period=quarter.period.label)]
    rows = quarter.index.rows
    total = cast(Row, rows[rows["level"] == "index"].iloc[0])
    changes = [
        findings.change(row["estimate"], row["low"], row["high"], since=say("wave {wave}", wave=wave))
        for wave, frame in quarter.index_changes.items()
        for row in [frame[frame["level"] == "index"].iloc[0]]
    ]
    sentences = [findings.index_sentence(total, wave=quarter.wave, changes=changes)]
    factors = rows[(rows["level"] == "factor") & ~quarter.hidden].dropna(subset=["estimate"]).sort_values("estimate")
    if len(factors) > 1:
        named = [(label_of(quarter, row["id"]), cast(Row, row)) for _, row in factors.iloc[[0, -1]].iterrows()]
        sentences.append(findings.extremes_sentence(named[0], named[1]))
    return sentences


def dossier_sentences(quarter: Quarter) -> list[str]:
    """Sentences on lateness, or that there were no dossiers."""
    if not quarter.has_dossiers:
        return [say("No dossier was received, open or closed in {period}.", period=quarter.period.label)]
    changes = [
        findings.change(row["difference"], row["low"], row["high"], since=label)
        for label, row in quarter.late_changes.items()
    ]
    row = cast(Row, quarter.on_time)
    sentences = []
    if row["denominator"]:
        sentences.append(
            findings.on_time_sentence(row, period=quarter.period.label, target=quarter.target, changes=changes)
        )
    sentences += _concentration(quarter)
    end = quarter.backlog_at(quarter.period.end)
    if end is not None:
        before = quarter.backlog_at(quarter.period.start)
        sentences.append(
            findings.backlog_sentence(cast(Row, end), cast(Row | None, before), period=quarter.period.label)
        )
    return sentences


def headline_rows(quarter: Quarter, *, dossiers: bool = True) -> pd.DataFrame:
    """Main indicators: their value, interval, base in words, and target."""
    rows: list[dict[str, object]] = []
    if quarter.survey is not None:
        for _, row in quarter.index.rows.iterrows():
            if row["level"] in ("index", "part"):
                rows.append(
                    {
                        "indicator": label_of(quarter, str(row["id"])),
                        "estimate": row["estimate"],
                        "low": row["low"],
                        "high": row["high"],
                        "denominator": row["n"],
                        "base": _base(quarter),
                    }
                )
    if dossiers and quarter.has_dossiers and quarter.on_time["denominator"]:
        late = quarter.on_time
        rows.append(
            {
                "indicator": say("Closed dossiers on time"),
                "estimate": 1 - late["estimate"], "low": 1 - late["high"], "high": 1 - late["low"],
                "numerator": late["denominator"] - late["numerator"], "denominator": late["denominator"],
                "target": quarter.target, "base": say("dossiers closed in the period that had a due date"),
            }
        )  # fmt: skip
    columns = ["indicator", "numerator", "denominator", "estimate", "low", "high", "target", "base"]
    return pd.DataFrame(rows, columns=columns)


def change_rows(quarter: Quarter, *, dossiers: bool = True) -> pd.DataFrame:
    """How the main indicators moved: difference in points, interval, verdict."""
    rows: list[dict[str, object]] = []
    for wave, frame in quarter.index_changes.items():
        for name, row in frame[frame["level"].isin(("index", "part"))].iterrows():
            rows.append(_change(label_of(quarter, str(name)), say("wave {wave}", wave=wave), row, "estimate"))
    for label, row in quarter.late_changes.items() if dossiers else ():
        rows.append(_change(say("Late rate of closed dossiers"), label, row, "difference"))
    return pd.DataFrame(rows)


def label_of(quarter: Quarter, name: str) -> str:
    """The words of a factor, part, item or the index."""
    questionnaire = quarter.survey_or_fail.questionnaire
    return questionnaire.label(name) if questionnaire is not None else name


def _change(indicator: str, since: str, row: pd.Series, column: str) -> dict[str, object]:
    verdict = findings.verdict(row["low"], row["high"])
    values = {"difference": row[column] * 100, "low": row["low"] * 100, "high": row["high"] * 100}
    return {"indicator": indicator, "since": since, **values, "verdict": verdict}


def _base(quarter: Quarter) -> str:
    if quarter.survey_or_fail.design.weights is None:
        return say("respondents with a valid answer")
    return say("respondents with a valid answer; the share is weighted")


def _levels_table(quarter: Quarter, rows: pd.DataFrame) -> Table:
    groups = rows.groupby("base", sort=False)["indicator"].agg(", ".join)
    bases = "; ".join(f"{indicators}: {base}" for base, indicators in groups.items())
    return make_table(
        rows,
        [
            Column(name="indicator", label=say("Indicator")),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Value")),
            Column(name=("low", "high"), kind="interval_percent", decimals=1),
            Column(name="target", kind="percent", decimals=1, label=say("Target")),
        ],
        title=say("Main indicators, {period}", period=quarter.period.label),
        notes=[say("Denominators: {list}.", list=bases)],
        source=quarter.workspace.source,
    )


def _changes_table(quarter: Quarter, rows: pd.DataFrame) -> Table:
    return make_table(
        rows,
        [
            Column(name="indicator", label=say("Indicator")),
            Column(name="since", label=say("Compared with")),
            Column(name="difference", kind="number", decimals=1, label=say("Difference (points)")),
            Column(name=("low", "high"), kind="interval", decimals=1),
            Column(name="verdict", label=say("Conclusion")),
        ],
        title=say("Changes of the main indicators, {period}", period=quarter.period.label),
        notes=[say("A change is called a rise or a fall only if its 95% confidence interval excludes zero.")],
        source=quarter.workspace.source,
    )


def _concentration(quarter: Quarter) -> list[str]:
    """Where late dossiers come from: the field, or else the reporting unit, that most of them have in common."""
    from khaosat.dossiers import on_time

    for column in ("field", quarter.by):
        rows = on_time(quarter.log_or_fail, period=quarter.period, by=column).rows
        total_late, total_closed = int(rows["numerator"].sum()), int(rows["denominator"].sum())
        named = rows.dropna(subset=[column])
        if total_late and len(named) > 1:
            worst = named.iloc[int(named["numerator"].argmax())]
            sentence = findings.concentration_sentence(
                str(worst[column]),
                late=int(worst["numerator"]),
                total_late=total_late,
                closed=int(worst["denominator"]),
                total_closed=total_closed,
            )
            return [sentence]
    return []
