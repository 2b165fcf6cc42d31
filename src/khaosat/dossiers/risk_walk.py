"""Chances as they would have been stated at the time: taught on what was known, renewed as outcomes come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.dossiers.risk_fit import AT_RECEPTION, Risk, better, both_kinds, learnable, taught
from khaosat.dossiers.risk_past import PAST
from khaosat.dossiers.snapshots import SITUATION
from khaosat.stats.risk_model import UNCHANGED, recalibration, rescaled

Floats = NDArray[np.float64]
Scaling = tuple[float, float]

INNER = (0.6, 0.8)
"""Shares of the teaching dossiers, by reception, at which a model is taught to see how it does on the next ones."""
RENEWED = (0.25, 0.5, 0.75)
"""Shares of the test dossiers at which the model is taught anew: at_risk is, at each call."""
HALF_LIFE = 180
"""Days after which an outcome counts one half for the recalibration."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Walk:
    """A walk through the log, one model a stretch of receptions, each taught on what was known when it began.

    Parameters
    ----------
    frame
        Learnable snapshots, with ``raw`` (chance of a model that did not know the dossier), ``scaled`` (recalibrated by
        how such chances had done before) and ``chance`` (the one of both that had done better before); missing where
        nothing could be said.
    cut
        Reception of the first test dossier.
    dropped
        Features that did not help in later dossiers.
    """

    frame: pd.DataFrame
    cut: float
    dropped: tuple[str, ...]

    def scaling(self, at: float) -> Scaling:
        """Shift and slope of log odds from the chances whose outcome was known at a second."""
        seen = self.frame[self.frame["raw"].notna() & (self.frame["due_second"] < at)]
        return _scaling(seen, at) if _pays(seen) else UNCHANGED


def walk(frame: pd.DataFrame, *, split: float, known_only: bool, recalibrate: bool = True) -> Walk:
    """Teach at 60 % and 80 % of the first part, at its end, and as test dossiers come in; score what follows each time.

    Without ``known_only``, models of the test part learn from all outcomes of the first part too. Past rates, and load
    and season, enter if the Brier score of the last stretch of the first part falls by more than two standard errors
    over dossiers; chances are recalibrated if that would have lowered the Brier score of earlier stretches by as much.
    """
    known, everyone = learnable(frame).reset_index(drop=True), _dossiers(frame)
    received = known.loc[known["percent"] == 0, "received_second"]
    cut = float(received.quantile(split)) if len(received) else 0.0
    first, rest = received[received < cut], received[received >= cut]
    inner = [float(first.quantile(share)) for share in INNER] if len(first) else []
    outer = [float(rest.quantile(share)) for share in RENEWED] if recalibrate and len(rest) else []
    starts = sorted({*inner, cut, *outer})
    known[["raw", "scaled", "chance"]] = np.nan
    dropped, chosen = _chosen(known, everyone, inner, cut)
    for start, end in zip(starts, [*starts[1:], np.inf], strict=True):
        here = (known["received_second"] >= start) & (known["received_second"] < end)
        shown = known["due_second"] < start
        if start >= cut and not known_only:
            shown |= known["received_second"] < cut
        if not here.any():
            continue
        risk = chosen if chosen is not None and start == inner[-1] else None
        risk = risk or taught(known[shown], dropped, seen=everyone[everyone["received_second"] < start])
        before = known[shown & known["raw"].notna()]
        raw = risk.predict(known[here])
        scaled = rescaled(raw, _scaling(before, start))
        known.loc[here, ["raw", "scaled", "chance"]] = np.column_stack(
            [raw, scaled, scaled if recalibrate and _pays(before) else raw]
        )
    return Walk(frame=known, cut=cut, dropped=dropped)


def _chosen(
    known: pd.DataFrame, everyone: pd.DataFrame, inner: Sequence[float], cut: float
) -> tuple[tuple[str, ...], Risk | None]:
    """Which of past rates, load and season do not help on the later part of the teaching dossiers; the model of it."""
    dropped = (*PAST, *SITUATION)
    if not inner:
        return dropped, None
    start = inner[-1]
    before = known[known["due_second"] < start]
    after = known[(known["received_second"] >= start) & (known["received_second"] < cut)]
    if not both_kinds(before) or not both_kinds(after):
        return dropped, None
    seen = everyone[everyone["received_second"] < start]
    best = taught(before, dropped, seen=seen)
    for group in (PAST, SITUATION):
        if best.model is None:
            break
        wider = taught(before, tuple(name for name in best.dropped if name not in group), seen=seen)
        if better(after, wider.predict(after), best.predict(after)):
            best = wider
    return best.dropped if best.model else dropped, best


def final(walked: Walk, history: pd.DataFrame, *, now: int) -> Risk:
    """The model of today: taught on all that fell due, recalibrated by how its forerunners did."""
    risk = taught(history[history["due_second"] < now], walked.dropped, seen=_dossiers(history))
    return risk.scaled(walked.scaling(now))


def _dossiers(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a dossier, whether its outcome is known or not."""
    return frame.drop_duplicates("nth")[["nth", "received_second", *AT_RECEPTION]]


def _pays(seen: pd.DataFrame) -> bool:
    """Whether recalibration has lowered the Brier score of stretches that are over."""
    return len(seen) > 0 and better(seen, seen["scaled"].to_numpy(float), seen["raw"].to_numpy(float))


def _scaling(seen: pd.DataFrame, at: float) -> Scaling:
    if not len(seen):
        return UNCHANGED
    age = np.maximum(at - seen["due_second"].to_numpy(float), 0) / 86400
    weight = np.exp2(-age / HALF_LIFE)
    return recalibration(seen["is_late"].to_numpy(float), seen["raw"].to_numpy(float), weight=weight)
