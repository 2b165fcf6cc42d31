"""What a periodic report is about: the log, the survey waves and the periods it compares."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import pandas as pd

from khaosat.domain.period import Period, as_period
from khaosat.domain.questionnaire_faults import IndexRule
from khaosat.errors import FactsError
from khaosat.facts import privacy_threshold, read_table
from khaosat.show.privacy import small_cells
from khaosat.workspace import Workspace

if TYPE_CHECKING:
    from khaosat.domain.dossiers import DossierLog
    from khaosat.domain.survey import Survey
    from khaosat.results import Result

TREND_PERIODS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Quarter:
    """A period of a workspace with everything its report compares.

    Parameters
    ----------
    period
        The period reported on; any kind, though the usual one is a quarter.
    wave
        The survey wave reported on; ``""`` when there is none.
    by
        The column that results are broken down by.
    """

    workspace: Workspace
    period: Period
    wave: str
    by: str

    @cached_property
    def log(self) -> DossierLog | None:
        """The dossier log, or None when the store has none."""
        return self.workspace.log()

    @cached_property
    def survey(self) -> Survey | None:
        """The wave's answers, or None."""
        return self.workspace.answers(self.wave) if self.wave else None

    @cached_property
    def earlier_waves(self) -> dict[str, Survey]:
        """The wave before, and the wave a year before, where they exist: label → answers."""
        waves = [wave for wave in self.workspace.waves() if wave < self.wave]
        wanted = dict.fromkeys([*waves[-1:], *(w for w in waves if w == _year_before(self.wave))])
        return {wave: self.workspace.answers(wave) for wave in wanted}

    @cached_property
    def index(self) -> Result:
        """The satisfaction index of the wave."""
        from khaosat.survey import satisfaction_index

        return satisfaction_index(self.survey_or_fail, rule=self.rule)

    @cached_property
    def index_changes(self) -> dict[str, pd.DataFrame]:
        """Changes of every level of the index since the earlier waves, by wave."""
        from khaosat.survey import compare_index

        return {
            wave: compare_index(self.survey_or_fail, earlier, rule=self.rule).rows.set_index("id")
            for wave, earlier in self.earlier_waves.items()
        }

    @cached_property
    def on_time(self) -> pd.Series:
        """The period's own row of ``on_time`` (definition ``closed``)."""
        from khaosat.dossiers import on_time

        return on_time(self.log_or_fail, period=self.period).rows.iloc[0]

    @cached_property
    def late_changes(self) -> dict[str, pd.Series]:
        """Changes of the late rate since the previous period and a year before, by period label; only where known."""
        from khaosat.dossiers import compare_periods

        changes: dict[str, pd.Series] = {}
        if not self.has_dossiers:
            return changes
        for other in (self.period.previous, self.period.year_before):
            rows = compare_periods(self.log_or_fail, self.period, other).rows
            if len(rows) and pd.notna(rows.iloc[0]["difference"]):
                changes[other.label] = rows.iloc[0]
        return changes

    @cached_property
    def backlog(self) -> Result:
        """Open and overdue dossiers at the end of each month, up to the end of the period."""
        from khaosat.dossiers import backlog

        return backlog(self.log_or_fail, until=self.period)

    def backlog_at(self, moment: dt.datetime) -> pd.Series | None:
        """The row of :attr:`backlog` for the month that ends at ``moment``, or None."""
        rows = self.backlog.rows
        match = rows[pd.to_datetime(rows["month"]) == pd.Timestamp(moment) - pd.offsets.MonthBegin(1)]
        return match.iloc[0] if len(match) else None

    @property
    def has_dossiers(self) -> bool:
        """Whether any dossier was open, received or closed in the period."""
        return self.log is not None and int(self.on_time["carried"] + self.on_time["received"]) > 0

    @property
    def rule(self) -> IndexRule | None:
        """The rule that aggregates the index, when the workspace sets one."""
        return cast(IndexRule, self.workspace.survey.index_rule) or None  # the verb names the rules it knows

    @property
    def hidden(self) -> pd.Series:
        """Lines of the index that too few respondents stand behind to be published."""
        return small_cells(self.index.rows["n"], threshold=privacy_threshold("respondents"))

    @property
    def target(self) -> float:
        """The share of dossiers that must be on time."""
        return float(self.target_fact["value"])

    @cached_property
    def target_fact(self) -> pd.Series:
        """The row of ``facts/rules/targets.csv`` that sets the target."""
        table = read_table("rules/targets.csv")
        rows = table[(table["set"] == self.workspace.targets.set) & (table["indicator"] == "on_time")]
        if rows.empty:
            raise FactsError(f"no target on_time in the set {self.workspace.targets.set!r} of facts/rules/targets.csv")
        return rows.iloc[0]

    @property
    def log_or_fail(self) -> DossierLog:
        """The log where a caller has already asked :attr:`has_dossiers`."""
        if self.log is None:
            raise ValueError("the store holds no dossiers")
        return self.log

    @property
    def survey_or_fail(self) -> Survey:
        """The answers where a caller has already asked :attr:`survey`."""
        if self.survey is None:
            raise ValueError("the store holds no answers of this wave")
        return self.survey


def gather(period: str, *, wave: str = "", by: str = "responsible_unit") -> Quarter:
    """Everything the report of a period needs, from the workspace around the notebook.

    Parameters
    ----------
    period
        ``2026-Q3`` and the like.
    wave
        The survey wave; by default the workspace's, else the period's own if the store has it.
    by
        Column that results are broken down by.
    """
    workspace = Workspace.find()
    own = wave or workspace.report.wave or period
    return Quarter(workspace=workspace, period=as_period(period), wave=own if own in workspace.waves() else "", by=by)


def _year_before(wave: str) -> str:
    try:
        return str(Period(wave).year_before)
    except ValueError:
        return ""
