"""What a dossier log can tell of the components of Quyết định 766."""

from __future__ import annotations

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.errors import KhaosatError
from khaosat.facts.language import say
from khaosat.scorecards.components import Count
from khaosat.scorecards.portal_counts import PortalCounts
from khaosat.scorecards.rules import exact


def counts_from_log(log: DossierLog, *, period: Period | None) -> PortalCounts:
    """On-time dossiers (2.1) and dossiers received online (3.3), counted over the whole period as the portal does.

    2.1 is over all dossiers carried over or received; 3.3 over those received, one without a channel being direct.
    The other components need counts of the portal that no log holds.
    """
    if period is None:
        raise KhaosatError(say("A scorecard from the log needs a period, such as 2026-Q3."))
    span = window(log, period)
    rows = count_late(log, "portal_766", span, by=("channel",), deadline="original")
    judged, late = int(rows["portal_766_denominator"].sum()), int(rows["portal_766_numerator"].sum())
    basis = say(
        "2.1 is over dossiers carried over and received, judged by the clock; 3.3 over dossiers received, one without "
        "a channel counted as direct. The other components are not in a log."
    )
    notes = [basis, *span.notes()]
    unknown = int(rows["portal_766_missing"].sum())
    if unknown:
        notes.append(say("{n} dossiers without due date and legal term are in neither numerator nor denominator.",
                         n=unknown))  # fmt: skip
    counts = {
        "2.1": _count(judged - late, judged),
        "3.3": _count(int(rows.loc[rows["channel"] == "online", "received"].sum()), int(rows["received"].sum())),
    }
    return PortalCounts(counts=counts, notes=tuple(notes), source=log.source)


def _count(numerator: int, denominator: int) -> Count:
    return Count(numerator=exact(numerator), denominator=exact(denominator), source="log")
