"""What an ordinal model says about satisfaction as it is, and as it would be had dossiers come on time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.evaluate.linkage import CHANNEL, DAYS_LATE, LINKED
from khaosat.facts.language import say
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.stats.ordinal import OrdinalFit, fit_ordinal, level_shares
from khaosat.stats.ordinal_links import OrdinalLink
from khaosat.stats.p_values import t_p_value
from khaosat.stats.splines import restricted_cubic
from khaosat.survey.answers import Level
from khaosat.survey.model_frame import ModelFrame, level_name, model_frame
from khaosat.survey.model_result import model_covariance

Floats = NDArray[np.float64]
Quantity = tuple[float, Floats]
"""An estimate and the influence of each respondent of the model on it."""

FEW_LATE = 10
"""Below so many late dossiers nothing is said about lateness."""
_MORE_KNOTS = 100
_STEP = 1e-4
_MOST_POINTS = 30


def knots_for(days: Floats) -> tuple[float, ...]:
    """Knots in days late: 0, median and 90th percentile of the late; from 100 late on 0, thirds and 95th percentile.

    Empty where these are not three different numbers.

    >>> knots_for(np.array([0.0, 0.0, 1.0, 2.0, 3.0]))
    (0.0, 2.0, 2.8)
    """
    late = days[days > 0]
    shares = [1 / 3, 2 / 3, 0.95] if len(late) >= _MORE_KNOTS else [0.5, 0.9]
    knots = np.unique(np.round([0.0, *np.quantile(late, shares)], 6)) if len(late) else np.zeros(1)
    return tuple(float(knot) for knot in knots) if len(knots) >= 3 else ()


@dataclass(frozen=True, eq=False, kw_only=True)
class LatenessModel:
    """A cumulative model of satisfaction by days late and other things, ready to be asked.

    Parameters
    ----------
    survey, frame, fit
        The linked survey, whom the model is about, and its coefficients.
    satisfied
        Which levels of the outcome count as satisfied.
    knots
        Of the spline in days late; empty: a straight line.
    df, level
        Degrees of freedom and confidence level.
    """

    survey: Survey
    frame: ModelFrame
    fit: OrdinalFit
    satisfied: NDArray[np.bool_]
    knots: tuple[float, ...]
    df: int
    level: float

    @property
    def days(self) -> Floats:
        """Working days late of the respondents of the model."""
        return self.frame.value(DAYS_LATE)

    def share(self, given: Mapping[str, Floats] | None = None, *, among: NDArray[np.bool_] | None = None) -> Quantity:
        """Mean predicted share satisfied, with other values of some variables, of all or of some respondents."""
        weights = self.survey.arrays.weights[self.frame.used]
        shares, influence = level_shares(
            self.frame.slopes(given), self.fit, weights=weights if among is None else weights * among
        )
        return float(shares[self.satisfied].sum()), influence[:, self.satisfied].sum(axis=1)

    def at_days(self, days: Floats) -> dict[str, Floats]:
        """Values of the spline's columns at so many days late."""
        return {DAYS_LATE: days, **bends(days, self.knots)}

    def rows(self, quantities: Sequence[Quantity], *, shares: bool = False) -> pd.DataFrame:
        """Estimates with standard errors by the design and intervals; logit intervals for shares."""
        estimate = np.array([value for value, _ in quantities])
        influence = np.column_stack([np.zeros((self.frame.n, 0)), *(part for _, part in quantities)])
        variance = model_covariance(self.survey, influence, used=self.frame.used)
        se = np.sqrt(np.maximum(np.diagonal(variance), 0.0))
        if shares:
            low, high = share_interval(estimate, se, df=self.df, n=self.frame.n, level=self.level)
        else:
            low, high = t_interval(estimate, se, df=self.df, level=self.level)
        return pd.DataFrame(
            {"estimate": estimate, "se": se, "low": low, "high": high, "df": self.df, "n": self.frame.n,
             "n_missing": self.frame.n_missing}
        )  # fmt: skip

    def effects(self) -> pd.DataFrame:
        """Average marginal effects on the share satisfied: of all, and of lateness among those who met it."""
        keys: list[tuple[str, str]] = []
        quantities: list[Quantity] = []
        late = self.days > 0
        step = _STEP * max(float(self.days.std()), 1.0)
        for variable in [name for name in self.frame.variables if not _is_bend(name)]:
            values = self.frame.value(variable)
            if variable == DAYS_LATE:
                up, down = (self.share(self.at_days(values + by)) for by in (step, -step))
                keys += [(variable, "dY/dX"), (variable, "late - on_time")]
                as_it_is, on_time = (self.share(given, among=late) for given in (None, self.at_days(0 * values)))
                quantities += [_scaled(_less(up, down), 1 / (2 * step)), _less(as_it_is, on_time)]
            elif variable in self.frame.levels:
                names = [level_name(answer) for answer in self.frame.levels[variable]]
                each = [self.share({variable: np.full(self.frame.n, float(j))}) for j in range(len(names))]
                keys += [(variable, f"{name} - {names[0]}") for name in names[1:]]
                quantities += [_less(other, each[0]) for other in each[1:]]
            else:
                half = _STEP * float(values.std())
                up, down = (self.share({variable: values + by}) for by in (half, -half))
                keys.append((variable, "dY/dX"))
                quantities.append(_scaled(_less(up, down), 1 / (2 * half)))
        rows = self.rows(quantities)
        t = np.divide(rows["estimate"], rows["se"], where=rows["se"] > 0, out=np.full(len(rows), np.nan))
        table = pd.concat([pd.DataFrame(keys, columns=["variable", "contrast"]), rows], axis=1)
        return table.assign(p_value=t_p_value(t, self.df))

    def on_time(self) -> pd.DataFrame:
        """Share not satisfied as it is, if everybody's dossier had come on time, the difference, and its part."""
        now = _not(self.share())
        then = _not(self.share(self.at_days(0 * self.days)))
        gain = _less(now, then)
        part = gain[0] / now[0], (gain[1] - gain[0] / now[0] * now[1]) / now[0]
        table = pd.concat([self.rows([now, then], shares=True), self.rows([gain, part])], ignore_index=True)
        table.insert(0, "quantity", ["as_it_is", "on_time", "difference", "fraction"])
        return table

    def curve(self) -> pd.DataFrame:
        """Share satisfied if everybody's dossier had been so many days late, up to the 95th percentile of the late."""
        most = max(int(np.ceil(np.quantile(self.days[self.days > 0], 0.95))), 1)
        grid = np.unique(np.linspace(0, most, min(most, _MOST_POINTS) + 1).round())
        rows = self.rows([self.share(self.at_days(np.full(self.frame.n, day))) for day in grid], shares=True)
        rows.insert(0, DAYS_LATE, grid.astype(int))
        counts = np.bincount(np.searchsorted(grid, np.minimum(self.days, most), side="right") - 1, minlength=len(grid))
        return rows.assign(respondents=counts[: len(grid)])


def fit_lateness(
    survey: Survey, formula: str, *, at: Sequence[Level], knots: tuple[float, ...], link: OrdinalLink, df: int,
    level: float,
) -> LatenessModel:  # fmt: skip
    """The model behind :func:`khaosat.ordinal`'s coefficients for the same formula, ready for other questions."""
    frame = model_frame(survey, formula, where=f"{LINKED} == 1", outcome="levels")
    held, y = np.unique(frame.outcome().numbers[frame.used], return_inverse=True)
    fit = fit_ordinal(
        y.reshape(-1).astype(np.intp), frame.slopes(), weights=survey.arrays.weights[frame.used], link=link
    )
    levels = [frame.outcome().levels[int(place)] for place in held]
    satisfied = np.array([answer in at for answer in levels])
    if satisfied.all() or not satisfied.any():
        raise DataError(
            say("All linked respondents are alike in {outcome}: {n} answers, none or all of them satisfied.",
                outcome=frame.formula.outcome.text, n=frame.n)
        )  # fmt: skip
    return LatenessModel(
        survey=survey, frame=frame, fit=fit, satisfied=satisfied, knots=knots, df=df, level=level
    )  # fmt: skip


def bends(days: Floats, knots: tuple[float, ...]) -> dict[str, Floats]:
    """Columns of the spline beside the days themselves."""
    if not knots:
        return {}
    return {f"{DAYS_LATE}_bend{j}": part for j, part in enumerate(restricted_cubic(days, knots).T, start=1)}


def join_rare_channels(survey: Survey, used: NDArray[np.bool_], *, fewest: int = FEW_LATE) -> tuple[pd.Series, int]:
    """Channels with fewer than ``fewest`` respondents of the model as one, ``other``, and how many respondents that is.

    A level of two or three people who all answer alike would have no finite coefficient.
    """
    channel = survey.responses[CHANNEL]
    counts = channel[used].value_counts()
    rare = counts.index[counts < fewest]
    return channel.where(~channel.isin(rare), "other"), int(counts[rare].sum())


def _is_bend(name: str) -> bool:
    return name.startswith(f"{DAYS_LATE}_bend")


def _less(a: Quantity, b: Quantity) -> Quantity:
    return a[0] - b[0], a[1] - b[1]


def _scaled(a: Quantity, by: float) -> Quantity:
    return a[0] * by, a[1] * by


def _not(a: Quantity) -> Quantity:
    return 1 - a[0], -a[1]
