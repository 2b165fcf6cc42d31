r"""Groups described by rules: learnt on one half of the primary units, to be measured on the other.

A tree that is fitted and measured on the same people finds differences in noise. Here the units are split at random
within strata; rules come from one half, rates from the other ("honest" estimation, Athey and Imbens 2016).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]
Path = tuple[tuple[int, bool], ...]
"""Features that members of a group have (True) or lack (False)."""

_NOISE = 0.05


def half_units(strata: Codes, units: Codes, *, rng: np.random.Generator) -> Rows:
    """Who is in the first half: half of the units of each stratum, by lot.

    >>> half = half_units(np.zeros(6, dtype=int), np.array([0, 0, 1, 1, 2, 3]), rng=np.random.default_rng(1))
    >>> bool(half[0] == half[1]), int(half[[0, 2, 4, 5]].sum())
    (True, 2)
    """
    named, first, place = np.unique(units, return_index=True, return_inverse=True)
    chosen = np.zeros(len(named), dtype=bool)
    odd = 0  # odd units go to the halves in turn, so that neither gets all of them
    for stratum in np.unique(strata):
        inside = rng.permutation(np.flatnonzero(strata[first] == stratum))
        size = (len(inside) + odd) // 2
        odd = (odd + len(inside)) % 2
        chosen[inside[:size]] = True
    return np.asarray(chosen[place.reshape(-1)], dtype=bool)


def grow_rules(
    features: Rows, outcome: Rows, *, weights: Floats, depth: int = 3, least: int = 30, seed: int = 0
) -> list[tuple[Path, float]]:
    """Leaves of a shallow classification tree with their weighted rates, the highest first; none if it has no split.

    A split must be worth more than the best of as many features of noise in all but 5 % of samples (Bonferroni), the
    sample counted at its effective size under the weights; otherwise rules would grow conditions that mean nothing.

    Parameters
    ----------
    features
        Respondents × features.
    outcome
        What is to be found.
    weights
        Sampling weights.
    depth, least
        Splits from root to leaf at most, and respondents in a leaf at least.
    seed
        Decides between splits that are equally good.

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees.

    Examples
    --------
    >>> old = np.repeat([True, False], 40)
    >>> grow_rules(old[:, None], old & (np.arange(80) % 2 == 0), weights=np.ones(80))
    [(((0, True),), 0.5), (((0, False),), 0.0)]
    """
    from scipy.special import chdtri
    from sklearn.tree import DecisionTreeClassifier

    if len(outcome) < 2 * least or outcome.all() or not outcome.any() or not features.shape[1]:
        return []
    share = float(np.average(outcome, weights=weights))
    effective = weights.sum() ** 2 / (weights**2).sum()
    # Pearson's chi-squared of a split is its decrease of the Gini index × n / 2p(1-p)
    smallest = float(chdtri(1, _NOISE / features.shape[1])) * 2 * share * (1 - share) / effective
    model = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=least, min_impurity_decrease=smallest, random_state=seed
    )
    tree = model.fit(features, outcome, sample_weight=weights).tree_
    found: list[tuple[Path, float]] = []

    def walk(node: int, path: Path) -> None:
        if tree.children_left[node] == tree.children_right[node]:
            if path:
                found.append((path, float(tree.value[node, 0, 1] / tree.value[node, 0].sum())))
            return
        feature = int(tree.feature[node])
        walk(int(tree.children_left[node]), (*path, (feature, False)))
        walk(int(tree.children_right[node]), (*path, (feature, True)))

    walk(0, ())
    return sorted(found, key=lambda pair: -pair[1])


def members(features: Rows, path: Path) -> Rows:
    """Who has and lacks what the path says."""
    return np.asarray(np.logical_and.reduce([features[:, j] == wanted for j, wanted in path]), dtype=bool)


def shrunken_rates(rates: Floats, se: Floats, *, centre: float) -> Floats:
    r"""Rates pulled towards the centre by as much as chance makes them differ: :math:`c + B_g (r_g - c)`.

    :math:`B_g = \tau^2/(\tau^2 + se_g^2)`; :math:`\tau^2` by the method of moments (DerSimonian and Laird 1986), 0 if
    the rates differ by no more than chance.

    >>> shrunken_rates(np.array([0.2, 0.4]), np.array([0.05, 0.05]), centre=0.3).round(3)
    array([0.225, 0.375])
    """
    known = np.isfinite(rates) & (se > 0)
    weight = np.where(known, 1 / np.where(known, se, 1) ** 2, 0.0)
    if known.sum() < 2:
        return np.asarray(rates, dtype=float)
    spread = float((weight * np.where(known, rates - centre, 0.0) ** 2).sum())
    between = max((spread - known.sum()) / weight.sum(), 0.0)  # the centre is given, not estimated from the groups
    keep = between / (between + np.where(known, se, np.inf) ** 2)
    return np.where(known, centre + keep * (rates - centre), rates)
