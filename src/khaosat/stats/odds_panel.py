"""An odds ratio common to treated cells of a panel of counts: quasi-binomial with units and periods held equal."""

from __future__ import annotations

import numpy as np

from khaosat.stats.imputation import Bools, Errors, Estimate, Floats, Panel, clustered

_ENDLESS, _RUNAWAY = 12.0, 25.0
"""A log odds ratio, or log odds, beyond these is that of a group without a single case: there is none."""
_ROUNDS = 100
_ROUNDING = 1e-8
"""Standard errors of a log odds ratio below this are rounding."""


def log_odds_ratio(panel: Panel, *, errors: Errors = "unit") -> tuple[Estimate, Bools]:
    r"""``logit p = unit + period + b · treated``: b, its standard error and df, and the cells that it rests on.

    Units and periods in which nothing or everything is counted say nothing of odds and are left out.

    Notes
    -----
    ``unit``: clusters, as :meth:`khaosat.stats.imputation.Imputed.average`. ``dispersion``: :math:`\phi (X^\top W
    X)^{-1}`, as R's ``glm(family = quasibinomial)`` but :math:`\phi \ge 1`. One ratio for all: with staggered adoption
    and effects that differ it is a mixture of comparisons, some of them of treated with treated.

    References
    ----------
    Papke and Wooldridge (1996), Journal of Applied Econometrics 11, 619-632.

    Examples
    --------
    >>> panel = Panel(y=np.array([0.2, 0.2, 0.2, 0.5]), weights=np.full(4, 10.0), unit=np.array([0, 0, 1, 1]),
    ...               period=np.array([0, 1, 0, 1]), adopted=np.array([np.inf, 1]), binomial=True)
    >>> round(float(np.exp(log_odds_ratio(panel)[0][0])), 4)
    4.0
    """
    cells = _informative(panel)
    some = panel.keep(cells)
    unknown = (float("nan"), float("nan"), float("nan"))
    if not (some.treated.any() and (~some.treated).any()):
        return unknown, cells
    dummies = some.dummies()
    dummies = dummies[:, dummies.any(axis=0)]
    units = len(np.unique(some.unit))
    x = np.column_stack([dummies[:, :units], dummies[:, units + 1 :], some.treated.astype(float)])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return unknown, cells
    coef, p = _logit(some, x)
    if coef is None or abs(coef[-1]) > _ENDLESS:
        return unknown, cells
    working = some.weights * p * (1 - p)
    inverse = np.linalg.inv(x.T @ (x * working[:, None]))
    bread = inverse[-1]
    if errors == "unit":
        pull = working * (x @ bread)
        own = np.zeros((len(some.adopted), len(p)))
        own[some.unit, np.arange(len(p))] = pull
        maps = own - (own @ x) @ inverse @ (x * working[:, None]).T
        left = (some.y - p) / (p * (1 - p))
        se, df = clustered(maps, left, pull=pull, noise=1 / working, panel=some, rounding=_ROUNDING)
        return (float(coef[-1]), se, df), cells
    df = len(p) - x.shape[1]
    if df < 1:
        return (float(coef[-1]), float("nan"), float("nan")), cells
    scale = max(float((some.weights * (some.y - p) ** 2 / (p * (1 - p))).sum()) / df, 1.0)
    return (float(coef[-1]), float(scale * bread[-1]) ** 0.5, float(df)), cells


def _logit(panel: Panel, x: Floats) -> tuple[Floats | None, Floats]:
    """Coefficients by iteratively reweighted least squares, and fitted shares; None if they run away."""
    p = (panel.weights * panel.y + 0.5) / (panel.weights + 1)
    eta: Floats = np.log(p / (1 - p))
    for _ in range(_ROUNDS):
        slope = p * (1 - p)
        root = np.sqrt(panel.weights * slope)
        target = (eta + (panel.y - p) / slope) * root
        coef: Floats = np.asarray(np.linalg.lstsq(x * root[:, None], target, rcond=None)[0], dtype=float)
        before, eta = eta, x @ coef
        if np.abs(eta).max() > _RUNAWAY:
            return None, p
        p = 1 / (1 + np.exp(-eta))
        if np.abs(eta - before).max() < 1e-10:
            return coef, p
    return None, p


def _informative(panel: Panel) -> Bools:
    cells = np.ones(len(panel.y), dtype=bool)
    while True:
        before = cells.copy()
        for code in (panel.unit, panel.period):
            cases, counted = (np.bincount(code, part * cells) for part in (panel.weights, panel.weights * panel.y))
            cells &= ((counted > 0) & (counted < cases))[code]
        if (cells == before).all():
            return cells
