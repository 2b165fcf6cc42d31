"""Difference in differences by imputation: what treated cells would have been, from those not (yet) treated."""

from __future__ import annotations

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

        ``unit``: :math:`\sum_i (\sum_t v_{it}\tilde\varepsilon_{it})^2`, in treated cells :math:`\tilde\varepsilon` is
        the effect less its mean at that time since adoption; the sums over units ever and never treated each times
        :math:`G/(G-1)`, Welch's df. ``dispersion``: cells are independent, the variance of a share is
        :math:`\phi p_i(1-p_i)/n_{it}`, :math:`\phi \ge 1` by Pearson's residuals, of other outcomes
        :math:`\sigma^2/w_{it}`.
        """
        mine = cells & self.known
        weights = np.where(mine, self.panel.weights, 0.0)
        if not weights.sum() > 0:
            return float("nan"), float("nan"), float("nan")
        share = weights / weights.sum()
        estimate = float(share @ np.where(mine, self.effect, 0.0))
        untreated = ~self.panel.treated
        pull = self.design @ (self.inverse @ (self.design.T @ share))
        v = np.where(untreated, -self.panel.weights * pull, share)
        if errors == "dispersion":
            return estimate, *self._dispersed(v)
        residual = np.where(untreated, self.effect, self._deviation(v, mine))
        sums = np.bincount(self.panel.unit, v * np.nan_to_num(residual), minlength=len(self.panel.adopted))
        ever = np.isfinite(self.panel.adopted)
        there = np.bincount(self.panel.unit, minlength=len(ever)) > 0
        return estimate, *welch(np.asarray(sums, dtype=float), ever=ever, there=there)

    def _deviation(self, v: Floats, mine: Bools) -> Floats:
        """Effects less their mean at the same time since adoption, the mean that weighs cells by their squared part."""
        out = np.zeros(len(v))
        since = self.panel.since
        for time in np.unique(since[mine]):
            now = mine & (since == time)
            out[now] = self.effect[now] - np.average(self.effect[now], weights=v[now] ** 2)
        return out

    def _dispersed(self, v: Floats) -> tuple[float, float]:
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
        return (variance**0.5, float(df)) if variance > 0 else (float("nan"), float("nan"))

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
    Econometrics 225, 254-277.

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


def welch(sums: Floats, *, ever: Bools, there: Bools) -> tuple[float, float]:
    """Standard error and df from the parts of clusters ever and never treated; NaN if either has only one cluster.

    >>> se, df = welch(np.array([0.1, -0.1, 0.2, -0.2]), ever=np.array([True, True, False, False]),
    ...                there=np.ones(4, dtype=bool))
    >>> round(se, 6), round(df, 6)
    (0.447214, 1.470588)
    """
    parts = []
    for group in (there & ever, there & ~ever):
        g = int(group.sum())
        if g:
            parts.append((float((sums[group] ** 2).sum()) * g / (g - 1) if g > 1 else float("nan"), g - 1))
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / g for part, g in parts if g)
    if not variance > _TINY**2 or not spread > 0:
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
