"""Which open dossiers will be late, said before they are: chances, expected end, reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.risk_fit import (
    CAPACITY,
    LEAST_KIND,
    LEAST_KNOWN,
    Risk,
    drift,
    fit_finish,
    quality,
)
from khaosat.dossiers.risk_result import AtRisk, BackTest
from khaosat.dossiers.risk_walk import Walk, final, walk
from khaosat.dossiers.risk_words import reasons
from khaosat.dossiers.snapshots import MOST_DOSSIERS, NOW, modulus_for, snapshots
from khaosat.dossiers.window import window
from khaosat.errors import KhaosatError
from khaosat.facts.language import date, number, percent, say
from khaosat.stats.forecast_checks import reliability

ELAPSED = (0.0, 0.25, 0.5, 0.75, 0.9)
LISTED = 50
_GRID = (0, 10, 25, 40, 50, 60, 75, 90)
_AFTER = (100, 150, 200, 400)


def back_test(
    log: DossierLog,
    *,
    elapsed: Sequence[float] = ELAPSED,
    split: float = 0.7,
    labels: str = "final",
    capacity: int | None = None,
    recalibrate: bool = True,
) -> BackTest:
    """How good the chances of :func:`at_risk` would have been for the later dossiers of the log.

    ``brier = mean (late - chance)²``; ``ece`` over ten classes of equal width.

    Parameters
    ----------
    log
        The dossiers.
    elapsed
        Shares of the term (calendar time from reception to the first due date) at which dossiers are looked at, 0 to
        0.99; those that had ended by then are left out.
    split
        Share of dossiers, by reception, that the model learns from.
    labels
        ``final``: it learns from the outcome of all of them (a split of the log as it is); ``known``: of those due
        before the first test dossier came in (what one could have known then).
    capacity
        How many dossiers the office can look after, for ``precision_top``; by default a tenth of those looked at.
    recalibrate
        As :func:`at_risk` does it, called again and again: after each quarter of the test dossiers the model is taught
        anew and its chances are recalibrated, with the outcomes of those that had fallen due by then; else one model
        states all chances as it comes.

    Returns
    -------
    BackTest
        One row an elapsed share, and one of all together.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> back_test(example_log(), elapsed=[0.5]).rows["n_test"].tolist()
    [1, 1]
    """
    percents = [round(100 * share) for share in elapsed]
    if not percents or min(percents) < 0 or max(percents) > 99:
        raise KhaosatError(f"elapsed is {list(elapsed)}: shares of the term from 0 to 0.99")
    if not 0 < split < 1:
        raise KhaosatError(f"split is {split}: it lies between 0 and 1")
    if labels not in ("final", "known"):
        raise KhaosatError(f"unknown labels {labels!r}: final or known")
    modulus = modulus_for(log)
    frame = snapshots(log, percents=sorted({*_GRID, *percents}), modulus=modulus)
    walked = walk(frame, split=split, known_only=labels == "known", recalibrate=recalibrate)
    return _validated(log, walked, percents, labels == "known", capacity, modulus, recalibrate=recalibrate)


def at_risk(
    log: DossierLog,
    *,
    horizon: int | None = None,
    top: int | None = None,
    internal: bool = False,
    capacity: int | None = None,
    level: float = 0.9,
) -> AtRisk:
    """Open dossiers as of the snapshot: the chance of missing the first due date, the expected end, and why.

    Parameters
    ----------
    log
        The dossiers.
    horizon
        Only dossiers that fall due within so many working days (not those overdue already); by default all open ones.
    top
        At most so many; None: 50. Dossiers that can still be on time come first, by their chance, then overdue ones.
    internal
        With dossier ids: not for publication.
    capacity
        How many dossiers the office can look after; by default a tenth.
    level
        Coverage of the band of the expected end.

    Returns
    -------
    AtRisk
        Rows, ``validation`` (:func:`back_test`), ``calibration`` and ``drift``.

    Notes
    -----
    The model learns from earlier dossiers as they were known when given shares of their term had passed; a dossier
    counts once its due date has passed, when everyone's outcome is known, so that those still open are not missing.
    It is fitted anew at each call. Of logs with more than 10,000 dossiers one in so many is taken to learn from; how
    often a procedure or unit had been late before is counted over all.

    References
    ----------
    Teinemaa, Dumas, La Rosa and Maggi (2019), ACM TKDD 13 (2), 17. Vovk, Gammerman and Shafer (2005), Algorithmic
    Learning in a Random World, Springer.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> at_risk(example_log(), internal=True).rows[["dossier_id", "remaining_days"]].values.tolist()
    [['E', 6], ['D', -31]]
    """
    limit = LISTED if top is None else top
    if limit < 1:
        raise KhaosatError(f"top is {top}: list at least one dossier")
    if horizon is not None and horizon < 0:
        raise KhaosatError(f"horizon is {horizon}: a number of working days")
    if not 0 < level < 1:
        raise KhaosatError(f"level is {level}: it lies between 0 and 1")
    modulus = modulus_for(log)
    history = snapshots(log, percents=[*_GRID, *_AFTER], modulus=modulus)
    end = window(log, None).as_of
    now = int((end - dt.datetime(1970, 1, 1)).total_seconds())
    walked = walk(history, split=0.7, known_only=False)
    risk = final(walked, history, now=now)
    current = snapshots(log, percents=[NOW])
    undated = int(current["due_second"].isna().sum())
    current = current[current["due_second"].notna()].reset_index(drop=True)
    overdue = current["at_second"] > current["due_second"]
    chance = np.where(overdue, 1.0, risk.predict(current))
    validation = _validated(log, walked, [round(100 * share) for share in ELAPSED], False, capacity, modulus)
    watch = drift(validation.scored, now=now)
    # Judged at the end of a day, that is at the next midnight: the day that has not begun is not used up.
    unbegun = int(log.calendar.working_days_between(log.as_of, end))
    current = current.assign(estimate=chance, overdue=overdue, remaining_days=current["remaining_days"] + unbegun)
    if horizon is not None:
        current = current[~current["overdue"] & (current["remaining_days"] <= horizon)]
    order = ["overdue", "estimate", "due_second", "nth"]
    shown = current.sort_values(order, ascending=[True, False, True, True], kind="stable", na_position="last")
    shown = shown.head(limit).reset_index(drop=True)
    rows = _listed(log, shown, risk, history, level)
    if not internal:
        rows = rows.drop(columns="dossier_id")
    return AtRisk(
        rows=rows, unit="share", level=level, validation=validation, drift=watch, source=log.source,
        title=say("Open dossiers in danger of being late, {moment}", moment=date(log.as_of)),
        notes=tuple(_notes(risk, validation, watch, modulus, undated, limit, len(current), internal, level)),
    )  # fmt: skip


def _validated(
    log: DossierLog, walked: Walk, percents: Sequence[int], known_only: bool, capacity: int | None, modulus: int,
    *, recalibrate: bool = True,
) -> BackTest:  # fmt: skip
    rows, test = quality(walked.frame, cut=walked.cut, percents=percents, known_only=known_only, capacity=capacity)
    split = float((walked.frame["received_second"] < walked.cut)[walked.frame["percent"] == 0].mean())
    scored = test.dropna(subset=["chance"])
    calibration = reliability(scored["is_late"].to_numpy(float), scored["chance"].to_numpy(float))
    notes = [
        say("The first {share} of the dossiers by reception teach, the others test; each is looked at when the given "
            "shares of its term had passed, with what was known then.", share=percent(split, 0)),
        say("Learnt from the outcomes known when the first test dossier came in.") if known_only
        else say("Learnt from the outcomes of all teaching dossiers, also those known only later."),
        say("brier_base: the constant share late of the teaching dossiers. Precision: among the {n} most endangered.",
            n=number(capacity)) if capacity
        else say("brier_base: the constant share late of the teaching dossiers. Precision: among the {share} most "
                 "endangered.", share=percent(CAPACITY, 0)),
    ]  # fmt: skip
    if recalibrate:
        notes.append(say("As asked again and again: after each quarter of the test dossiers the model is taught anew "
                         "and recalibrated with the outcomes known by then."))  # fmt: skip
    if modulus > 1:
        notes.append(_sampled(modulus))
    if scored.empty:
        notes.append(_too_few())
    return BackTest(
        rows=rows, calibration=calibration, scored=test[["nth", "due_second", "is_late", "chance"]], unit="score",
        title=say("How good the chances of being late were for later dossiers"), notes=tuple(notes), source=log.source,
    )  # fmt: skip


def _listed(log: DossierLog, shown: pd.DataFrame, risk: Risk, history: pd.DataFrame, level: float) -> pd.DataFrame:
    """The columns of the list, with dates of the expected end and reasons."""
    tail = (1 - level) / 2
    finish = fit_finish(history, probs=[tail, 0.5, 1 - tail]) if len(shown) else None
    days = finish.predict(shown) if finish is not None else np.full((len(shown), 3), np.inf)
    rows = shown[["dossier_id", "procedure_name", "field", "unit", "step", "received_at", "due_at", "remaining_days",
                  "estimate"]].copy()  # fmt: skip
    rows["remaining_days"] = rows["remaining_days"].astype("Int64")
    for name, column in (("expected_at", 1), ("low_at", 0), ("high_at", 2)):
        reach = np.isfinite(days[:, column])
        dates = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]")
        if reach.any():
            start = np.full(int(reach.sum()), np.datetime64(log.as_of.date(), "D"))
            ahead = np.ceil(days[reach, column]).astype("int64")
            dates[reach] = pd.to_datetime(log.calendar.add_working_days(start, ahead)).astype("datetime64[us]")
        rows[name] = dates
    rows["reasons"] = reasons(risk, shown)
    return rows


def _sampled(modulus: int) -> str:
    return say(
        "Learnt from one dossier in {n}, by the order of reception (about {most}).", n=modulus, most=MOST_DOSSIERS
    )


def _too_few() -> str:
    return say("Too few dossiers with a known outcome to state chances: at least {n} are needed.", n=LEAST_KNOWN)


def _notes(
    risk: Risk, validation: BackTest, watch: pd.DataFrame, modulus: int, undated: int, limit: int, found: int,
    internal: bool, level: float,
) -> list[str]:  # fmt: skip
    notes = [
        deadline_words("original"),
        say("Chances are those of dossiers, not of people; a list to look at, no verdict. Expected end with a band of "
            "{level}, by unit.", level=percent(level, 0)),
        say("At most {n} of {found} dossiers: those not overdue first, by their chance, then the overdue.",
            n=limit, found=found),
        say("Internal: holds dossier codes, not for publication.") if internal else say("Dossier codes are left out."),
    ]  # fmt: skip
    if np.isnan(risk.base):
        notes.append(_too_few())
    elif risk.model is None:
        notes.append(
            say("Fewer than {n} late or {n} timely dossiers are known: every dossier has the overall chance.",
                n=LEAST_KIND)
        )  # fmt: skip
    whole = validation.rows.iloc[-1]
    if np.isfinite(whole["brier"]):
        notes.append(
            say("On later dossiers: AUC {auc}, Brier {brier} (constant {base}), calibration error {ece}.",
                auc=number(whole["auc"], 2) if np.isfinite(whole["auc"]) else "–", brier=number(whole["brier"], 3),
                base=number(whole["brier_base"], 3), ece=percent(whole["ece"], 1))
        )  # fmt: skip
    if watch["refit"].any():
        notes.append(say("Drift: lateness or the mix of dossiers has moved away from what the model learnt; read the "
                         "chances with care and fit again as outcomes come in."))  # fmt: skip
    if undated:
        notes.append(say("{n} open dossiers have no due date and are not in the list.", n=undated))
    if modulus > 1:
        notes.append(_sampled(modulus))
    if not found:
        notes.append(say("No open dossier with a due date in this span."))
    return notes
