r"""Weights for those who did not respond: weighting classes, and the variance that knows they were estimated.

In class c the respondents take over the weights of all: :math:`w_i = d_i f_c`,
:math:`f_c = \sum_{c} d / \sum_{c, r} d`. Whether somebody would respond is taken as theirs, known once they are drawn
(the reverse framework of Fay 1991 and Shao and Steel 1999); the factors are then ratios of totals of the one sample,
and of a weighted influence :math:`z_i = w_i u_i` linearisation leaves

.. math::  z_i^* = r_i w_i (u_i - \bar u_c) + d_i \bar u_c, \qquad \bar u_c = \sum_c z / \sum_{c, r} w

with :math:`r_i` for those who responded: the distance from the class mean varies with who responded, the class mean
with who was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class ResponseCells:
    """Influence values once response factors are known to be estimated.

    Parameters
    ----------
    cell
        Class of everybody drawn.
    before, after
        Weights d before and w after the adjustment (zero without response).
    """

    cell: Codes
    before: Floats
    after: Floats

    def residual(self, scores: Floats) -> Floats:
        """What is left of weighted influence values (everybody drawn × p)."""
        from khaosat.stats.calibration import indicators

        member = indicators([self.cell], sizes=[int(self.cell.max(initial=-1)) + 1])
        mean = np.asarray(member.T @ scores) / (member.T @ self.after)[:, None]
        return np.asarray(scores + (self.before - self.after)[:, None] * (member @ mean), dtype=float)


def response_factors(weights: Floats, *, cell: Codes, responded: Rows) -> Floats:
    """Weight of everybody / weight of respondents in each class, by weights (respondents × replicates).

    Returns
    -------
    numpy.ndarray
        Classes × replicates; infinite where nobody of a class responded.

    References
    ----------
    Little (1986), International Statistical Review 54, 139-157.

    Examples
    --------
    >>> answered = np.array([True, False, True, True])
    >>> response_factors(np.ones((4, 1)), cell=np.array([0, 0, 1, 1]), responded=answered).ravel().tolist()
    [2.0, 1.0]
    """
    from khaosat.stats.calibration import indicators

    member = indicators([cell], sizes=[int(cell.max(initial=-1)) + 1])
    everybody, those = member.T @ weights, member.T @ (weights * responded[:, None])
    # a replicate without a class has neither: nobody's weight is changed there
    alone = np.where(everybody > 0, np.inf, 1.0)
    return np.asarray(np.divide(everybody, those, where=those > 0, out=alone), dtype=float)


def joined_cells(
    keys: Codes, *, responded: Codes, factors_of: tuple[Floats, Floats], fewest: int, most: float
) -> Codes:
    """Join classes until each has enough respondents and a factor that is not too large.

    The class with the fewest respondents among those at fault is joined with the one before or after it that agrees in
    more of the leading columns, of two that agree alike with the smaller.

    Parameters
    ----------
    keys
        Classes × columns of codes, sorted by row.
    responded
        Respondents of each class.
    factors_of
        Weights of everybody and of respondents in each class.
    fewest, most
        Fewest respondents of a class and its largest factor.

    Returns
    -------
    numpy.ndarray
        Number of the joined class of each class; a last one at fault is left.

    Examples
    --------
    >>> keys = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> drawn, those = np.full(4, 30.0), np.array([25.0, 3.0, 20.0, 22.0])
    >>> joined_cells(keys, responded=those.astype(int), factors_of=(drawn, those), fewest=10, most=3.0).tolist()
    [0, 0, 1, 2]
    """
    runs = [[place] for place in range(len(keys))]  # joined classes are runs of neighbours
    everybody, those = factors_of

    def size(run: list[int]) -> int:
        return int(responded[run].sum())

    def at_fault(run: list[int]) -> bool:
        return size(run) < fewest or everybody[run].sum() > most * those[run].sum()

    def agreement(left: list[int], right: list[int]) -> int:
        same = keys[left[-1]] == keys[right[0]]
        return len(same) if same.all() else int(np.argmin(same))

    while len(runs) > 1 and any(map(at_fault, runs)):
        place = min((i for i, run in enumerate(runs) if at_fault(run)), key=lambda i: size(runs[i]))
        sides = [first for first in (place - 1, place) if 0 <= first < len(runs) - 1]  # joined with the next one
        first = max(
            sides,
            key=lambda i: (agreement(runs[i], runs[i + 1]), -size(runs[i + 1 if i == place else i])),
        )
        runs[first : first + 2] = [runs[first] + runs[first + 1]]
    number = np.empty(len(keys), dtype=np.intp)
    for place, run in enumerate(runs):
        number[run] = place
    return number
