"""How well two codings agree beyond chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def cohen_kappa(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    r"""Cohen's kappa and its standard error: :math:`\kappa = (p_o - p_e)/(1 - p_e)`.

    NaN where both codings are one and the same single value, of which there is no agreement beyond chance.

    Parameters
    ----------
    a, b
        Codes of the same things by two coders.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20, 37-46. Fleiss, Cohen and Everitt (1969), Psychological
    Bulletin 72, 323-327 (standard error).

    Examples
    --------
    >>> kappa, se = cohen_kappa([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0])
    >>> round(kappa, 4), round(se, 4)
    (0.6667, 0.2869)
    """
    one, two = np.asarray(a).ravel(), np.asarray(b).ravel()
    if len(one) != len(two):
        raise ValueError(f"two codings of the same things have the same length, not {len(one)} and {len(two)}")
    levels, codes = np.unique(np.concatenate([one, two]), return_inverse=True)
    if len(levels) < 2:
        return float("nan"), float("nan")
    codes = codes.reshape(-1)
    table = np.zeros((len(levels), len(levels)))
    np.add.at(table, (codes[: len(one)], codes[len(one) :]), 1 / len(one))
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed, expected = float(np.trace(table)), float(rows @ columns)
    kappa = (observed - expected) / (1 - expected)
    pairs = columns[:, None] + rows[None, :]  # of cell (i, j): column total of i, row total of j
    same = float((np.diagonal(table) * (1 - np.diagonal(pairs) * (1 - kappa)) ** 2).sum())
    other = (1 - kappa) ** 2 * float((table * pairs**2).sum() - (np.diagonal(table) * np.diagonal(pairs) ** 2).sum())
    variance = (same + other - (kappa - expected * (1 - kappa)) ** 2) / ((1 - expected) ** 2 * len(one))
    return kappa, float(np.sqrt(max(variance, 0.0)))
