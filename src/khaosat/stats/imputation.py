"""Difference in differences by imputation: what treated cells would have been, from those not (yet) treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Errors = Literal["unit", "dispersion"]
Estimate = tuple[float, float, float]
"""Estimate, standard error and degrees of freedom."""

_TINY = 1e-8
_ROUNDING = 1e-12
"""Standard errors below this part of the outcome are rounding: the cells lie on the model."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """Cells of units by periods; cells may be lacking.

    Parameters
    ----------
    y, weights
        Outcome and the cases behind it.
    unit, period
        Codes from 0 on.
    adopted
        Period from which each unit is treated; infinite: never.
    binomial
        Whether ``y`` is a share of ``weights`` cases.
    """

    y: Floats
    weights: Floats
    unit: Ints
    period: Ints
    adopted: Floats
    binomial: bool = False

    @property
    def since(self) -> Floats:
        """Periods since adoption: 0 in the first treated one, minus infinity in units never treated."""
        return np.asarray(self.period - self.adopted[self.unit], dtype=float)

    @property
    def treated(self) -> Bools:
        """Cells from adoption on."""
        return self.since >= 0

    def dummies(self) -> Floats:
        """A column a unit and a period; one of them too many, as in all that use them."""
        units, periods = np.eye(len(self.adopted)), np.eye(int(self.period.max(initial=0)) + 1)
        return np.hstack([units[self.unit], periods[self.period]])

    def keep(self, cells: Bools) -> Panel:
        """The panel of some cells only; codes stay."""
        return Panel(y=self.y[cells], weights=self.weights[cells], unit=self.unit[cells], period=self.period[cells],
                     adopted=self.adopted, binomial=self.binomial)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Imputed:
    """Treated cells less what unit and period, as seen in untreated cells, would have made of them.

    Parameters
    ----------
    panel
        The cells.
    expected
        Outcome without treatment; NaN where no untreated cell speaks of the unit or the period.
    known
        Treated cells for which it can be said.
    """

    panel: Panel
    expected: Floats
    known: Bools
    design: Floats
    inverse: Floats

    @property
    def effect(self) -> Floats:
        """Outcome less what was expected."""
        return self.panel.y - self.expected

    def average(self, cells: Bools, *, errors: Errors = "unit") -> Estimate:
        r"""Mean effect in some treated cells, by weight: :math:`\hat\tau = \sum_{it} v_{it} Y_{it}`.

        ``unit``: :math:`\sum_i s_i^2`, :math:`s_i = \sum_t v_{it}\tilde\varepsilon_{it}`, in treated cells
        :math:`\tilde\varepsilon` is the effect less its mean at that time since adoption; the sums over units ever and
        never treated each scaled to be unbiased, with Satterthwaite's df, were cells independent with variance
        :math:`1/w_{it}`, and put together by Welch. ``dispersion``: cells are independent, the variance of a share is
        :math:`\phi p_i(1-p_i)/n_{it}`, :math:`\phi \ge 1` by Pearson's residuals, of other outcomes
        :math:`\sigma^2/w_{it}`.
        """
        panel, mine = self.panel, cells & self.known
        weights = np.where(mine, panel.weights, 0.0)
        if not weights.sum() > 0:
            return float("nan"), float("nan"), float("nan")
        share = weights / weights.sum()
        estimate = float(share @ np.where(mine, self.effect, 0.0))
        pull = self.design @ (self.inverse @ (self.design.T @ share))
        v = np.where(panel.treated, share, -panel.weights * pull)
        rounding = _ROUNDING * float(np.abs(panel.y).max())
        if errors == "dispersion":
            return estimate, *self._dispersed(v, rounding=rounding)
        maps = self._unit_sums(v, mine)
        noise = 1 / panel.weights
        return estimate, *clustered(maps, panel.y, pull=v, noise=noise, panel=panel, rounding=rounding)

    def _unit_sums(self, v: Floats, mine: Bools) -> Floats:
        r"""What turns outcomes into :math:`s_i` (units × cells).

        The mean effect at a time since adoption weighs cells by their squared part.
        """
        panel, since = self.panel, self.panel.since
        own = np.zeros((len(panel.adopted), len(v)))
        own[panel.unit, np.arange(len(v))] = np.where(~panel.treated | mine, v, 0.0)
        for time in np.unique(since[mine]):
            now = np.flatnonzero(mine & (since == time))
            mean = v[now] ** 2 / (v[now] ** 2).sum()
            own[:, now] -= np.outer(np.bincount(panel.unit[now], v[now], minlength=len(own)), mean)
        free = self.design * np.where(panel.treated, 0.0, panel.weights)[:, None]
        return np.asarray(own - own @ self.design @ self.inverse @ free.T, dtype=float)

    def _dispersed(self, v: Floats, *, rounding: float) -> tuple[float, float]:
        panel, untreated = self.panel, ~self.panel.treated
        rank = int(round(float(np.trace(self.inverse @ self._gram()))))
        df = int(untreated.sum()) - rank
        if df < 1:
            return float("nan"), float("nan")
        unit_variance = np.ones(len(v))
        if panel.binomial:
            group = panel.unit * 2 + panel.treated
            cases = np.bincount(group, panel.weights)
            late = np.bincount(group, panel.weights * panel.y)
            p = ((late + 0.5) / (cases + 1))[group]  # half a case more: a unit with none late is not certain to stay so
            unit_variance = p * (1 - p)
        pearson = (panel.weights * self.effect**2 / unit_variance)[untreated].sum() / df
        scale = max(pearson, 1.0) if panel.binomial else pearson
        variance = float(scale * (v**2 * unit_variance / panel.weights).sum())
        return (variance**0.5, float(df)) if variance > rounding**2 else (float("nan"), float("nan"))

    def _gram(self) -> Floats:
        free = self.design[~self.panel.treated]
        return np.asarray(free.T @ (free * self.panel.weights[~self.panel.treated][:, None]), dtype=float)


def impute(panel: Panel) -> Imputed:
    r"""Fit :math:`Y_{it} = \alpha_i + \beta_t` to untreated cells by weight, and say what it expects of all.

    Notes
    -----
    Borusyak, Jaravel and Spiess: efficient where errors are alike, and, unlike one regression with a dummy for
    "treated", never compares units with others treated before (Goodman-Bacon 2021). Chosen over Callaway and Sant'Anna
    (2021), as it stands gaps in the panel and weighs cells by their cases, with no one reference period. Equal to the
    difference of differences for two groups and two periods.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91, 3253-3285. Goodman-Bacon (2021), Journal of
    Econometrics 225, 254-277. Of the errors by unit: Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Imbens
    and Kolesár (2016), Review of Economics and Statistics 98, 701-712.

    Examples
    --------
    >>> panel = Panel(y=np.array([0.1, 0.4, 0.2, 0.3]), weights=np.ones(4), unit=np.array([0, 0, 1, 1]),
    ...               period=np.array([0, 1, 0, 1]), adopted=np.array([1, np.inf]))
    >>> round(impute(panel).average(panel.treated)[0], 6)
    0.2
    """
    untreated, design = ~panel.treated, panel.dummies()
    free = design[untreated]
    gram = free.T @ (free * panel.weights[untreated][:, None])
    inverse: Floats = np.asarray(np.linalg.pinv(gram, rcond=1e-11, hermitian=True), dtype=float)
    fitted = design @ (inverse @ (free.T @ (panel.weights * panel.y)[untreated]))
    said = np.abs(design @ (inverse @ gram) - design).max(axis=1) < _TINY
    expected = np.where(said, fitted, np.nan)
    return Imputed(panel=panel, expected=expected, known=panel.treated & said, design=design, inverse=inverse)


def clustered(
    maps: Floats, outcome: Floats, *, pull: Floats, noise: Floats, panel: Panel, rounding: float
) -> tuple[float, float]:
    r"""Standard error and df of :math:`\sum_k v_k Y_k` from sums over units, each group of units on its own.

    Parameters
    ----------
    maps
        What turns outcomes into the sums :math:`s_i` (units × cells).
    outcome, pull, noise
        :math:`Y_k`, :math:`v_k` and the variance of :math:`Y_k` in the working model.
    panel
        Cells, and which units are ever treated: these and the others vary on their own.
    rounding
        Standard errors up to this are none.

    Notes
    -----
    With :math:`K = S N S^\top` of the units of a group its variance is :math:`\sum_i s_i^2` times the true sum
    :math:`\sum_k v_k^2 N_k` by :math:`\mathrm{tr} K`, its df :math:`(\mathrm{tr} K)^2/\mathrm{tr} K^2`: of units alike
    :math:`G/(G-1)` times, and :math:`G - 1` df.
    """
    groups = []
    ever = np.isfinite(panel.adopted)
    for kind in (ever, ~ever):
        some, cells = maps[kind], kind[panel.unit]
        n_units = len(np.unique(panel.unit[cells]))
        if not n_units:
            continue
        spread = (some * noise) @ some.T
        expected, true = float(np.trace(spread)), float((pull**2 * noise)[cells].sum())
        if n_units > 1 and expected > _TINY * true:
            variance = float(((some @ outcome) ** 2).sum()) * true / expected
            groups.append((variance, expected**2 / float((spread**2).sum())))
        else:
            groups.append((float("nan"), 1.0))
    return welch(groups, rounding=rounding)


def welch(groups: Sequence[tuple[float, float]], *, rounding: float = 0.0) -> tuple[float, float]:
    """Standard error and df of a sum from the variances of its parts and their df; NaN if a part has none.

    >>> se, df = welch([(0.04, 1.0), (0.16, 1.0)])
    >>> round(se, 6), round(df, 6)
    (0.447214, 1.470588)
    """
    variance = sum(part for part, _ in groups)
    spread = sum(part**2 / df for part, df in groups)
    if not variance > rounding**2 or not spread > 0:
        return float("nan"), float("nan")
    return variance**0.5, variance**2 / spread


def pretrend(panel: Panel, leads: int, *, errors: Errors = "unit") -> tuple[Floats, Floats, float]:
    r"""How untreated cells of units to be treated differ in each of the last ``leads`` periods from earlier ones.

    Returns
    -------
    Coefficients of periods ``-leads … -1``, their covariance and the df of a joint test.
    """
    before = panel.keep(~panel.treated)
    since = before.since
    lead = np.column_stack([since == -k for k in range(leads, 0, -1)]).astype(float)
    root = np.sqrt(before.weights)[:, None]
    dummies = before.dummies() * root
    outcome = np.column_stack([lead, before.y]) * root
    left = outcome - dummies @ np.linalg.lstsq(dummies, outcome, rcond=None)[0]
    x, y = left[:, :-1], left[:, -1]
    if np.linalg.matrix_rank(x, tol=_TINY) < leads:
        raise ValueError("these leads cannot be told from the differences between units")
    bread = np.linalg.inv(x.T @ x)
    coef = bread @ x.T @ y
    influence = (x * (y - x @ coef)[:, None]) @ bread
    if errors == "dispersion":
        df = len(y) - int(np.linalg.matrix_rank(dummies)) - leads
        return coef, _dispersed_leads(before, x, y - x @ coef, bread, df=df), float(df)
    cov, groups = np.zeros((leads, leads)), []
    sums = np.zeros((len(panel.adopted), leads))
    np.add.at(sums, before.unit, influence)
    there, ever = np.bincount(before.unit, minlength=len(sums)) > 0, np.isfinite(panel.adopted)
    for group in (there & ever, there & ~ever):
        g = int(group.sum())
        if g:
            cov += sums[group].T @ sums[group] * (g / (g - 1) if g > 1 else np.nan)
            groups.append(g)
    return coef, cov, float(min(groups) - 1)


def _dispersed_leads(panel: Panel, x: Floats, residual: Floats, bread: Floats, *, df: int) -> Floats:
    """Covariance of the leads where cells are independent: of a binomial share by unit, times Pearson's dispersion."""
    variance = np.ones(len(residual))
    if panel.binomial:
        cases = np.bincount(panel.unit, panel.weights)
        late = np.bincount(panel.unit, panel.weights * panel.y)
        p = ((late + 0.5) / (cases + 1))[panel.unit]
        variance = p * (1 - p)
    scale = float((residual**2 / variance).sum()) / df if df > 0 else float("nan")
    if panel.binomial:
        scale = max(scale, 1.0)
    return np.asarray(scale * bread @ (x.T @ (x * variance[:, None])) @ bread, dtype=float)
