"""Do people of different groups with the same score answer an item differently: nested cumulative models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.stats.glm import dependent_columns
from khaosat.stats.ordinal import OrdinalFit, fit_ordinal, infinite_direction

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
EffectSize = Literal["nagelkerke", "mcfadden", "cox_snell"]


@dataclass(frozen=True, eq=False, kw_only=True)
class NestedFits:
    """Three models of one item: by score; and group; and their product.

    Parameters
    ----------
    fits
        The models; None where one has no finite estimate.
    null
        Log-likelihood without any term, weights scaled to a mean of 1.
    n
        Respondents.
    """

    fits: tuple[OrdinalFit | None, OrdinalFit | None, OrdinalFit | None]
    null: float
    n: int

    def fall(self, small: int, large: int) -> float:
        """Twice the gain in log-likelihood from one model to the next."""
        a, b = self.fits[small], self.fits[large]
        return 2 * (b.log_likelihood - a.log_likelihood) if a is not None and b is not None else float("nan")

    def gain(self, small: int, large: int, measure: EffectSize) -> float:
        """Gain in pseudo R² from one model to the next."""
        a, b = self.fits[small], self.fits[large]
        if a is None or b is None:
            return float("nan")
        return pseudo_r2(b.log_likelihood, self.null, self.n, measure) - pseudo_r2(
            a.log_likelihood, self.null, self.n, measure
        )


def nested_fits(y: Codes, score: Floats, groups: Floats, weights: Floats) -> NestedFits:
    r"""Fit :math:`P(Y \le k) = F(\theta_k - \eta)` with score alone, with groups, and with their products.

    Parameters
    ----------
    y
        Place of the answer among the levels that occur, from 0.
    score
        What respondents are matched on.
    groups
        A column of 0/1 for every group but the first.
    weights
        Sampling weights.

    References
    ----------
    Zumbo (1999), A Handbook on the Theory and Methods of Differential Item Functioning.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> z, g = rng.normal(size=400), np.arange(400) % 2
    >>> y = np.digitize(z + 0.8 * g + rng.logistic(size=400), [-1, 0, 1])
    >>> found = nested_fits(y, z, g[:, None].astype(float), np.ones(400))
    >>> bool(found.fall(0, 1) > 5), bool(found.fall(1, 2) < 5)
    (True, True)
    """
    products = groups * score[:, None]
    shares = np.bincount(y, weights) / weights.sum()
    null = len(y) * float((shares * np.log(shares)).sum())
    columns = (score[:, None], np.column_stack([score, groups]), np.column_stack([score, groups, products]))
    first, second, third = (_finite(y, x, weights) for x in columns)
    return NestedFits(fits=(first, second, third), null=null, n=len(y))


def _finite(y: Codes, x: Floats, weights: Floats) -> OrdinalFit | None:
    if len(dependent_columns(x - x.mean(axis=0))):
        return None
    fit = fit_ordinal(y, x, weights=weights)
    return fit if fit.converged and infinite_direction(y, x, fit=fit) is None else None


def pseudo_r2(value: float, null: float, n: int, measure: EffectSize = "nagelkerke") -> float:
    r"""Pseudo R² of a model from its log-likelihood and that of the model without terms.

    ``mcfadden``: :math:`1 - \ell/\ell_0`; ``cox_snell``: :math:`1 - e^{2(\ell_0 - \ell)/n}`; ``nagelkerke``: the latter
    over its largest value :math:`1 - e^{2\ell_0/n}`.

    References
    ----------
    Nagelkerke (1991), Biometrika 78, 691-692.

    Examples
    --------
    >>> round(pseudo_r2(-50.0, -69.3147, 100), 4)
    0.4272
    """
    if measure == "mcfadden":
        return 1 - value / null
    gained = -float(np.expm1(2 * (null - value) / n))
    return gained if measure == "cox_snell" else gained / -float(np.expm1(2 * null / n))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    r"""P-values adjusted so that the share of false findings is bounded: :math:`\min_{j \ge i} m\,p_{(j)}/j`.

    Missing p-values stay missing and are not counted among the m tests.

    References
    ----------
    Benjamini and Hochberg (1995), JRSS B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).round(2)
    array([0.03, 0.04, 0.04,  nan])
    """
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(-p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * len(order) / np.arange(len(order), 0, -1), 1.0))
    return adjusted
