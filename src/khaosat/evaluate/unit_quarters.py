"""Does lateness of a unit come before dissatisfaction with it: a panel of units and quarters, survey beside log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.domain.survey import Survey
from khaosat.dossiers.definitions import Definition, deadline_words, meaning
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline, group_columns
from khaosat.errors import DataError
from khaosat.evaluate.policy_result import line
from khaosat.facts.language import number, percent, say
from khaosat.results import Result
from khaosat.show.table import Column, Table
from khaosat.stats.noisy_panel import LEAST_RELIABILITY, noisy_slopes
from khaosat.survey.answers import Level, column, level_answers
from khaosat.survey.series_breaks import wave_of
from khaosat.survey.whole_satisfaction import whole_satisfaction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAGS = {"before": -1, "same": 0, "after": 1}
"""Quarter of lateness by the quarter of the survey; ``after`` is a placebo."""
_MODELS = (("before", "same"), ("before", "same", "after"))
"""Lags of a unit hang together once its mean is off: each is held equal in the slope of the others."""
FEWEST, FEW = 5, 30
_KEYS = ["lag", "correction"]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitPanel(Result):
    """How satisfaction with units goes with their lateness of the quarter before, the same and the next.

    ``rows``: ``lag`` (``before``; ``same``; ``after``, a placebo), ``correction`` (``none``, ``noise``), then
    ``estimate`` (points of satisfaction for one more point of lateness), ``se, low, high, df`` (units - 1), ``n``
    (cells of a unit and a quarter), ``n_missing`` (cells that are too small), ``p_value, units, reliability``.

    Parameters
    ----------
    cells
        ``unit, wave, satisfied, answers, effective`` (answers by the weights), and ``before, same, after`` with
        ``…_n``: share late and dossiers of those quarters.
    """

    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    level: float = 0.95

    def table(self) -> Table:
        """The rows as a reader sees them, in words."""
        words = _lag_words()
        rows = self.rows.assign(
            lag=[words[lag] for lag in self.rows["lag"]],
            correction=[say("noise in lateness taken off") if c == "noise" else say("none")
                        for c in self.rows["correction"]],
        )  # fmt: skip
        return super(UnitPanel, replace(self, rows=rows)).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Estimates with intervals, lateness before, in the same and in the next quarter."""
        from khaosat.show.plots import intervals
        from khaosat.show.theme import GREY

        words = _lag_words()
        rows = self.rows.dropna(subset=["low"]).assign(lag=lambda frame: [words[lag] for lag in frame["lag"]])
        rows["lag"] = [
            f"{lag}, {say('corrected')}" if kind == "noise" else lag
            for lag, kind in zip(rows["lag"], rows["correction"], strict=True)
        ]
        ax = intervals(rows[["lag", "estimate", "low", "high"]], keys=["lag"], unit="score", ax=ax)
        ax.axvline(0, color=GREY, linewidth=1)
        ax.set_xlabel(say("Points of satisfaction for one more percentage point late"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="lag", label=say("Lateness of")),
            Column(name="correction", label=say("Correction")),
            Column(name="estimate", kind="number", decimals=2,
                   label=say("Points of satisfaction for one more point late")),
            Column(name=("low", "high"), kind="interval", decimals=2,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="units", kind="int"),
            Column(name="n", kind="int", label=say("Units × quarters")),
            Column(name="reliability", kind="percent", decimals=0),
            Column(name="p_value", kind="p_value", decimals=3),
        ]  # fmt: skip


def unit_panel(
    waves: Mapping[str, Survey] | Sequence[Survey],
    log: DossierLog,
    *,
    by: str = "responsible_unit",
    outcome: str | None = None,
    at: Level | Sequence[Level] | None = None,
    definition: Definition = "closed",
    deadline: Deadline = "original",
    least_answers: int = 5,
    least_dossiers: int = 10,
    level: float = 0.95,
) -> UnitPanel:
    r"""Does lateness of a unit in one quarter go with dissatisfaction with it in the next.

    :math:`S_{ut} = \alpha_u + \beta_t + \gamma_1 L_{u,t-1} + \gamma_0 L_{ut} + \varepsilon_{ut}`, S the share
    satisfied, L the share late. As a placebo :math:`\gamma L_{u,t+1}` is added: what comes later cannot have been felt.

    Parameters
    ----------
    waves
        Surveys by quarter (``{"2026-Q2": survey}``), or surveys whose column ``wave`` says which.
    log
        The dossiers.
    by
        The unit: a column of the answers and one that the log can be grouped by.
    outcome, at
        The question on satisfaction and its satisfied answers; None: those of the questionnaire.
    definition, deadline
        Of lateness, as in :func:`khaosat.on_time`.
    least_answers, least_dossiers
        Smaller cells of a unit and a quarter are left out.
    level
        Confidence level.

    Returns
    -------
    UnitPanel
        ``rows``, and the field ``cells``.

    Notes
    -----
    Cells weigh by their effective number of answers (Kish). Sampling error of the share satisfied only widens the
    interval; chance in the share late, whose variance is p(1-p)/n, pulls the slope to zero and is taken off by the
    method of moments (:func:`khaosat.stats.noisy_panel.noisy_slopes`). Errors are robust by unit. Answers are of people
    who can be placed in a unit only. docs/methods/bang-don-vi-quy.md.

    References
    ----------
    Fuller (1987), Measurement Error Models, 3.1. Kish (1965), Survey Sampling, 11.7.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> answers = pd.DataFrame({"field": ["Đất đai", "Hộ tịch"], "q": [4, 2]})
    >>> waves = {"2026-Q2": Survey(responses=answers), "2026-Q3": Survey(responses=answers)}
    >>> found = unit_panel(waves, example_log(), by="field", outcome="q", at=[4, 5], least_answers=1, least_dossiers=1)
    >>> found.cells[["unit", "wave", "satisfied", "same"]].round(2).values.tolist()[:3:2]
    [['Hộ tịch', '2026-Q2', 0.0, 0.0], ['Đất đai', '2026-Q2', 1.0, 0.5]]
    """
    group_columns(by)
    surveys = _by_quarter(waves)
    satisfied = pd.concat(
        [_satisfied(survey, by, outcome, at).assign(wave=str(quarter)) for quarter, survey in surveys.items()],
        ignore_index=True,
    )
    quarters = sorted({_shift(quarter, k) for quarter in surveys for k in LAGS.values()}, key=str)
    late = pd.concat([_late(log, quarter, by, definition, deadline) for quarter in quarters], ignore_index=True)
    cells = _cells(satisfied, late)
    lines, notes = [], []
    for lags, said in zip(_MODELS, (("before", "same"), ("after",)), strict=True):
        found, words = _slopes(cells, lags, said=said, least=(least_answers, least_dossiers), level=level)
        lines += found
        notes += words
    columns = [*_KEYS, "estimate", "se", "low", "high", "df", "n", "n_missing", "p_value", "units", "reliability"]
    return UnitPanel(
        rows=pd.DataFrame(lines)[columns], unit="score", level=level, cells=cells, source=log.source,
        title=say("Lateness of units and satisfaction with them, {n} waves", n=len(surveys)),
        notes=tuple([
            meaning(definition).words(), deadline_words(deadline, meaning(definition).query),
            say("Each unit is compared with itself and every quarter with the others (unit and quarter effects); cells "
                "need {answers} answers and {dossiers} dossiers.", answers=least_answers, dossiers=least_dossiers),
            say("Sampling error of satisfaction only widens the interval; chance in the share late would pull the "
                "slope to zero and is taken off where its reliability is at least {share}.",
                share=percent(LEAST_RELIABILITY, 0)),
            *dict.fromkeys(notes),
            say("An association between units over time, of people who can be placed in a unit; it is no proof of a "
                "cause. If lateness of the next quarter goes with satisfaction as well, something else is behind "
                "both."),
        ]),
    )  # fmt: skip


def _by_quarter(waves: Mapping[str, Survey] | Sequence[Survey]) -> dict[Period, Survey]:
    if isinstance(waves, Mapping):
        named = {as_period(quarter): survey for quarter, survey in waves.items()}
    else:
        found = [(wave_of(survey), survey) for survey in waves]
        if any(quarter is None for quarter, _ in found):
            raise DataError(say("A survey does not say its quarter: give the surveys by quarter, such as 2026-Q2."))
        named = {quarter: survey for quarter, survey in found if quarter is not None}
    if any(quarter.kind != "quarter" for quarter in named) or len(named) < 2:
        raise DataError(say("At least two surveys of different quarters are needed, named like 2026-Q2."))
    return dict(sorted(named.items(), key=lambda pair: str(pair[0])))


def _shift(quarter: Period, k: int) -> Period:
    moved = pd.Period(str(quarter).replace("-", ""), freq="Q") + k
    return Period(f"{moved.year}-Q{moved.quarter}")


def _satisfied(survey: Survey, by: str, outcome: str | None, at: Level | Sequence[Level] | None) -> pd.DataFrame:
    """Share satisfied of each unit, with its answers as they are and by the weights."""
    question, counted = whole_satisfaction(survey, outcome, at)
    answers, units = level_answers(survey, question), column(survey, by)
    used = answers.valid & units.notna().to_numpy()
    places = [place for place, level in enumerate(answers.levels) if level in counted]
    weights = survey.arrays.weights
    table = pd.DataFrame({"unit": units.astype(object).to_numpy(), "w": weights, "w2": weights**2,
                          "y": weights * np.isin(answers.numbers, places), "answers": 1})[used]  # fmt: skip
    sums = table.groupby("unit", as_index=False).sum()
    sums = sums[sums["w"] > 0]
    return pd.DataFrame({"unit": sums["unit"], "satisfied": sums["y"] / sums["w"], "answers": sums["answers"],
                         "effective": sums["w"] ** 2 / sums["w2"]})  # fmt: skip


def _late(log: DossierLog, quarter: Period, by: str, definition: Definition, deadline: Deadline) -> pd.DataFrame:
    """Counts of a quarter by unit; none of a quarter that the log does not hold in full."""
    span = window(log, quarter)
    if span.unfinished:
        return pd.DataFrame(columns=["unit", "quarter", "late", "n"])
    counts = count_late(log, meaning(definition).query, span, by=(by,), deadline=deadline)
    return pd.DataFrame({"unit": counts[by], "quarter": str(quarter), "late": counts[f"{definition}_numerator"],
                         "n": counts[f"{definition}_denominator"]})  # fmt: skip


def _cells(satisfied: pd.DataFrame, late: pd.DataFrame) -> pd.DataFrame:
    cells = satisfied
    shares = late[late["n"] > 0].astype({"late": float, "n": float})
    for lag, k in LAGS.items():
        moved = shares.assign(wave=[str(_shift(Period(quarter), -k)) for quarter in shares["quarter"]])
        moved = moved.assign(**{lag: moved["late"] / moved["n"], f"{lag}_n": moved["n"]})
        cells = cells.merge(moved[["unit", "wave", lag, f"{lag}_n"]], on=["unit", "wave"], how="left")
    return cells.sort_values(["unit", "wave"], ignore_index=True)


def _slopes(
    cells: pd.DataFrame, lags: tuple[str, ...], *, said: Sequence[str], least: tuple[int, int], level: float
) -> tuple[list[dict[str, object]], list[str]]:
    """Both rows of every lag that this model is to speak of, and what is to be said of them."""
    dossiers = cells[[f"{lag}_n" for lag in lags]]
    big = cells[(cells["answers"] >= least[0]) & (dossiers >= least[1]).all(axis=1)]
    used = big[big.groupby("unit")["wave"].transform("nunique") >= 2]
    units, empty, notes = int(used["unit"].nunique()), float("nan"), []
    keys = {"units": units, "n": len(used), "n_missing": len(cells) - len(used), "level": level}
    if units < FEWEST or used["wave"].nunique() < 2:
        lines = [_line((empty, empty, empty), keys, lag=lag, correction=kind, reliability=empty)
                 for lag in said for kind in ("none", "noise")]  # fmt: skip
        words = ", ".join(_lag_words()[lag] for lag in said)
        return lines, [say("{lag}: only {n} units have two quarters or more; at least {least} are needed.", lag=words,
                           n=units, least=FEWEST)]  # fmt: skip
    n, late = used[[f"{lag}_n" for lag in lags]].to_numpy(float), used[list(lags)].to_numpy(float)
    smooth = (late * n + 0.5) / (n + 1)  # a unit with none late is not free of chance
    found = noisy_slopes(
        used["satisfied"].to_numpy(float), late, noise=smooth * (1 - smooth) / n,
        weights=used["effective"].to_numpy(float), unit=pd.factorize(used["unit"])[0].astype(np.int64),
        period=pd.factorize(used["wave"])[0].astype(np.int64),
    )  # fmt: skip
    lines = []
    for lag in said:
        k = lags.index(lag)
        for kind, slope, se in (("none", found.plain, found.plain_se), ("noise", found.corrected, found.corrected_se)):
            lines.append(_line((float(slope[k]), float(se[k]), found.df), keys, lag=lag, correction=kind,
                               reliability=float(found.reliability[k])))  # fmt: skip
    if units < FEW:
        notes.append(say("Fewer than {n} units: errors by unit are rough and the intervals may be too narrow.", n=FEW))
    if np.isfinite(found.plain).all() and not np.isfinite(found.corrected).all():
        notes.append(
            say("{lag}: most of the movement of lateness is chance (reliability {share}); no correction can be "
                "trusted.",
                lag=_lag_words()[said[0]], share=number(max(float(found.reliability.min()), 0.0), 2))
        )  # fmt: skip
    return lines, notes


def _line(found: tuple[float, float, float], keys: Mapping[str, object], **more: object) -> dict[str, object]:
    estimate, se, df = found
    return line(estimate, se, df, **keys, **more)  # type: ignore[arg-type]


def _lag_words() -> dict[str, str]:
    return {
        "before": say("the quarter before"),
        "same": say("the same quarter"),
        "after": say("the next quarter (placebo)"),
    }
