r"""Why a mean changed: who was asked (mix) and what those alike answered (level).

Both decompositions are smooth functions of estimates that each wave gives by itself, so the variance of every part is
the sum of the variances of its influence values in the two waves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """Parts of a change, and the influence of every respondent on them.

    Parameters
    ----------
    value
        The parts.
    influence_a, influence_b
        Weighted influence of the respondents of either wave (respondents × parts).
    """

    value: Floats
    influence_a: Floats
    influence_b: Floats


def kitagawa(
    y_a: Floats, y_b: Floats, *, cell_a: Codes, cell_b: Codes, weights_a: Floats, weights_b: Floats, n_cells: int
) -> Parts:
    r"""Kitagawa's two parts of :math:`R_a - R_b`, by cell: first the levels, then the mix.

    With the share :math:`p_g` of each cell and its mean :math:`r_g`, and :math:`\bar{}` for the mean of the two waves,

    .. math::  R_a - R_b = \sum_g \bar p_g (r_{ag} - r_{bg}) + \sum_g (p_{ag} - p_{bg})(\bar r_g - \bar R)

    where the second sum is the same without :math:`\bar R`, which shows each cell's part against the average. A cell
    that only one wave has takes its mean from there, so that all of it is mix.

    Parameters
    ----------
    y_a, y_b
        Answers of either wave.
    cell_a, cell_b
        Cell of each respondent, 0 to ``n_cells - 1``.
    weights_a, weights_b
        Sampling weights.
    n_cells
        Number of cells; each occurs in one of the waves at least.

    Returns
    -------
    Parts
        2 × ``n_cells``: levels, then mix.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168-1194.

    Examples
    --------
    >>> one = np.ones(4)
    >>> parts = kitagawa(np.array([1.0, 1, 1, 0]), np.array([1.0, 0, 0, 0]), cell_a=np.array([0, 0, 0, 1]),
    ...                  cell_b=np.array([0, 0, 1, 1]), weights_a=one, weights_b=one, n_cells=2)
    >>> parts.value.tolist(), float(parts.value.sum())
    ([0.3125, 0.0, 0.0625, 0.125], 0.5)
    """
    (p_a, r_a, of_p_a, of_r_a), (p_b, r_b, of_p_b, of_r_b) = (
        _cells(y_a, cell_a, weights_a, n_cells), _cells(y_b, cell_b, weights_b, n_cells)
    )  # fmt: skip
    only_a, only_b = p_b == 0, p_a == 0
    r_a, r_b = np.where(only_b, r_b, r_a), np.where(only_a, r_a, r_b)
    mean_p, mean_r, change_p = (p_a + p_b) / 2, (r_a + r_b) / 2, p_a - p_b
    centre = (p_a @ r_a + p_b @ r_b) / 2
    value = np.concatenate([mean_p * (r_a - r_b), change_p * (mean_r - centre)])

    def influence(p: Floats, r: Floats, of_p: Floats, of_r: Floats, *, sign: float, alone: Floats) -> Floats:
        """Derivatives by the shares and means of one wave times their influences."""
        of_centre = (of_p @ r + of_r @ p) / 2
        borrowed = of_r * alone  # where the other wave has no such cell, its mean is this one's
        level = of_p / 2 * (r_a - r_b) + mean_p * sign * (of_r - borrowed)
        mix = sign * of_p * (mean_r - centre) + change_p * ((of_r + borrowed) / 2 - of_centre[:, None])
        return np.asarray(np.hstack([level, mix]), dtype=float)

    return Parts(
        value=value,
        influence_a=influence(p_a, r_a, of_p_a, of_r_a, sign=1.0, alone=only_a.astype(float)),
        influence_b=influence(p_b, r_b, of_p_b, of_r_b, sign=-1.0, alone=only_b.astype(float)),
    )


def _cells(y: Floats, cell: Codes, weights: Floats, n_cells: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Share and mean of each cell (0 where nobody is in it), and the influences on them."""
    share = weights / weights.sum()
    inside = np.eye(n_cells)[cell]
    p = share @ inside
    r = np.divide(share @ (inside * y[:, None]), p, where=p > 0, out=np.zeros(n_cells))
    of_p = share[:, None] * (inside - p)
    of_r = np.divide(share[:, None] * inside * (y[:, None] - r), p, where=p > 0, out=np.zeros((len(y), n_cells)))
    return p, r, of_p, of_r


def oaxaca_blinder(
    y_a: Floats, y_b: Floats, *, x_a: Floats, x_b: Floats, weights_a: Floats, weights_b: Floats, pooled: bool
) -> Parts:
    r"""Oaxaca-Blinder parts of :math:`\bar y_a - \bar y_b` from linear regressions in both waves.

    Three parts (``pooled=False``): endowments :math:`(\bar x_a - \bar x_b)'\beta_b`, coefficients :math:`\bar
    x_b'(\beta_a - \beta_b)`, interaction :math:`(\bar x_a - \bar x_b)'(\beta_a - \beta_b)`. Two (``pooled=True``):
    explained :math:`(\bar x_a - \bar x_b)'\beta^*` and unexplained, :math:`\beta^*` from both waves together with an
    intercept for each (Jann 2008).

    Parameters
    ----------
    y_a, y_b
        Answers.
    x_a, x_b
        Model matrices with a constant as their first column, of full column rank.
    weights_a, weights_b
        Sampling weights.
    pooled
        Two parts rather than three.

    Returns
    -------
    Parts
        ``pooled``: explained by each column of ``x``, then unexplained in all. Otherwise endowments by each column,
        coefficients in all, interaction in all.

    References
    ----------
    Oaxaca (1973), International Economic Review 14, 693-709. Blinder (1973), Journal of Human Resources 8, 436-455.
    Jann (2008), Stata Journal 8, 453-479.

    Examples
    --------
    >>> x = np.column_stack([np.ones(4), [0.0, 1, 2, 3]])
    >>> parts = oaxaca_blinder(2 * x[:, 1] + 1, x[:, 1], x_a=x, x_b=x - [0, 1], weights_a=np.ones(4),
    ...                        weights_b=np.ones(4), pooled=False)
    >>> parts.value.round(6).tolist()
    [0.0, 1.0, 0.5, 1.0]
    """
    (m_a, b_a, of_m_a, of_b_a), (m_b, b_b, of_m_b, of_b_b) = (
        _regression(y_a, x_a, weights_a), _regression(y_b, x_b, weights_b)
    )  # fmt: skip
    change, gap = m_a - m_b, b_a - b_b
    if not pooled:
        value = np.concatenate([change * b_b, [m_b @ gap, change @ gap]])
        coefficients_a, interaction_a = of_b_a @ m_b, of_m_a @ gap + of_b_a @ change
        coefficients_b, interaction_b = of_m_b @ gap - of_b_b @ m_b, -of_m_b @ gap - of_b_b @ change
        return Parts(
            value=value,
            influence_a=np.column_stack([of_m_a * b_b, coefficients_a, interaction_a]),
            influence_b=np.column_stack([-of_m_b * b_b + of_b_b * change, coefficients_b, interaction_b]),
        )
    both = np.vstack([np.column_stack([x_a, np.ones(len(x_a))]), np.column_stack([x_b, np.zeros(len(x_b))])])
    _, b, _, of_b = _regression(np.concatenate([y_a, y_b]), both, np.concatenate([weights_a, weights_b]))
    b, of_b_of_a, of_b_of_b = b[:-1], of_b[: len(y_a), :-1], of_b[len(y_a) :, :-1]
    explained = change * b
    total_a, total_b = of_m_a @ b_a + of_b_a @ m_a, -(of_m_b @ b_b + of_b_b @ m_b)
    explained_a, explained_b = of_m_a * b + of_b_of_a * change, -of_m_b * b + of_b_of_b * change
    return Parts(
        value=np.append(explained, m_a @ b_a - m_b @ b_b - explained.sum()),
        influence_a=np.column_stack([explained_a, total_a - explained_a.sum(axis=1)]),
        influence_b=np.column_stack([explained_b, total_b - explained_b.sum(axis=1)]),
    )


def _regression(y: Floats, x: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Means of the columns, coefficients, and the influences on both."""
    share = weights / weights.sum()
    mean = share @ x
    bread = np.linalg.inv(x.T @ (x * share[:, None]))
    coef = bread @ (x.T @ (share * y))
    return mean, coef, share[:, None] * (x - mean), (x * (share * (y - x @ coef))[:, None]) @ bread
