"""Flows of dossiers by month or quarter, every one from a group's first dossier to the snapshot, with working days."""

from __future__ import annotations

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.result import Freq
from khaosat.dossiers.stock import backlog


def flows(log: DossierLog, *, by: tuple[str, ...], freq: Freq) -> tuple[pd.DataFrame, int]:
    """Rows of :func:`khaosat.dossiers.backlog` with ``carried`` and ``working_days``; how many dossiers are in none.

    The working days of the first and the last row are those that the log covers.
    """
    rows = backlog(log, by=list(by), freq=freq).rows
    periods = pd.PeriodIndex(
        [period.replace("-Q", "Q") for period in rows[freq]], freq="Q" if freq == "quarter" else "M"
    )
    first, last = _covered(log)
    eves = [max(start.normalize(), first) - pd.Timedelta(days=1) for start in periods.start_time]
    ends = [min(end.normalize(), last) for end in periods.end_time]
    days = log.calendar.working_days_between(
        pd.Series(eves, dtype="datetime64[us]"), pd.Series(ends, dtype="datetime64[us]")
    )
    before_it = rows.groupby(list(by), dropna=False, sort=False)["open"].shift() if by else rows["open"].shift()
    rows = rows.assign(working_days=days.astype("float64"), carried=before_it.fillna(0).astype("int64"))
    counted = int(log.engine.query("SELECT count(*) AS n FROM dossiers")["n"][0].as_py())
    return rows, counted - int(rows["received"].sum())


def short_name(month: str) -> str:
    """A month as people write it.

    >>> short_name("2026-07")
    '07/2026'
    """
    return f"{month[5:]}/{month[:4]}"


def _covered(log: DossierLog) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The days of the first reception and of the snapshot."""
    first = log.engine.query("SELECT min(received_at) AS first FROM dossiers")["first"][0].as_py()
    return pd.Timestamp(first or log.as_of).normalize(), pd.Timestamp(log.as_of).normalize()
