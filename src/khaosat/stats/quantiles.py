"""Quantiles of weighted values by the rules of R survey."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
QuantileRule = Literal["math", "school", "shahvaish", "hf1", "hf2", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"]

_POSITIONS = {"hf4": (0.0, 0.0), "hf5": (1 / 2, 0.0), "hf6": (0.0, 1.0), "hf8": (1 / 3, 1 / 3), "hf9": (3 / 8, 1 / 4)}
"""Of the last weight at and above a value: what is taken off its running sum, what is added to the whole."""


def weighted_quantile(
    values: ArrayLike, weights: ArrayLike, *, probs: ArrayLike, rule: QuantileRule = "math"
) -> Floats:
    r"""Quantiles of weighted values.

    With the values in order :math:`x_1 \le \dots \le x_n`, their weights :math:`w_k`, running sums :math:`C_k` and
    :math:`W = C_n`:

    - ``math`` (``hf1``): the smallest :math:`x_k` with :math:`C_k \ge pW`;
    - ``school`` (``hf2``): the same, but the middle of :math:`x_k` and :math:`x_{k+1}` where :math:`C_k = pW`;
    - ``hf4`` … ``hf9``: straight lines between the points :math:`(p_k, x_k)`, with :math:`p_k = C_k/W` (``hf4``),
      :math:`(C_k - w_k/2)/W` (``hf5``), :math:`C_k/(W + w_n)` (``hf6``), :math:`C_{k-1}/C_{n-1}` (``hf7``),
      :math:`(C_k - w_k/3)/(W + w_n/3)` (``hf8``), :math:`(C_k - 3w_k/8)/(W + w_n/4)` (``hf9``);
    - ``shahvaish``: the :math:`x_k` with the largest :math:`\alpha_k \le p`,
      :math:`\alpha_k = (n C_k/W + 1/2 - w_k/2)/(n + 1)`.

    Parameters
    ----------
    values, weights
        One entry a respondent; weights are positive.
    probs
        Shares of the population below the quantiles.
    rule
        One of the above; numbers after ``hf`` are those of Hyndman and Fan.

    Returns
    -------
    numpy.ndarray
        A quantile for each of ``probs``; NaN for those outside 0..1 and where there are no values.

    Notes
    -----
    ``shahvaish`` is here because R survey has it. Its :math:`w_k` is the weight as given, so that the answer depends
    on the unit of the weights; the other rules do not.

    References
    ----------
    Hyndman and Fan (1996), The American Statistician 50, 361-365. Shah and Vaish (2006), Proceedings of the Section on
    Survey Research Methods, American Statistical Association, 3642-3649. Lumley (2010), Complex Surveys, 2.4.

    Examples
    --------
    >>> weighted_quantile([1, 2, 3, 4], [1, 1, 1, 1], probs=[0.5, 0.6]).tolist()
    [2.0, 3.0]
    >>> weighted_quantile([1, 2, 3, 4], [1, 1, 1, 1], probs=0.5, rule="school").tolist()
    2.5
    """
    x, w, p = (np.asarray(a, dtype=float) for a in (values, weights, probs))
    if len(x) == 0:
        return np.full(p.shape, np.nan)
    order = np.argsort(x, kind="stable")
    found = _by_rule(x[order], w[order], np.clip(np.nan_to_num(p), 0, 1), rule=rule)
    return np.where((p >= 0) & (p <= 1), found, np.nan)


def _by_rule(x: Floats, weight: Floats, p: Floats, *, rule: QuantileRule) -> Floats:
    """Quantiles of values in order."""
    running = _running_sum(weight)
    n, whole = len(x), running[-1]
    if rule in ("math", "hf1", "school", "hf2"):
        place = np.minimum(np.searchsorted(running, p * whole), len(x) - 1)
        if rule in ("math", "hf1"):
            return np.asarray(x[place])
        above = np.minimum(place + (running[place] == p * whole), len(x) - 1)
        return np.asarray((x[place] + x[above]) / 2)
    if rule == "shahvaish":
        alpha = (n * running / whole + 0.5 - weight / 2) / (n + 1)
        order = np.argsort(alpha, kind="stable")
        return np.asarray(x[order[np.maximum(np.searchsorted(alpha[order], p, side="right") - 1, 0)]])
    if rule == "hf7":
        if len(x) == 1:
            return np.full(p.shape, x[0])
        return np.asarray(np.interp(p, (running - weight) / running[-2], x))
    less, more = _POSITIONS[rule]
    return np.asarray(np.interp(p, (running - less * weight) / (whole + more * weight[-1]), x))


def _running_sum(values: Floats) -> Floats:
    """Running sums good to the last digit: whether a sum equals p·W must not hang on the order of additions."""
    rough = np.cumsum(values)
    before = np.append(0.0, rough[:-1])
    added = rough - before
    lost = (before - (rough - added)) + (values - added)  # what each addition rounded off (Knuth 1997, 4.2.2)
    return np.asarray(rough + np.cumsum(lost), dtype=float)
