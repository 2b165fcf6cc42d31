"""The privacy gate: which rows of a table are too small to be published, and which others would give them away."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.facts.language import say


def small_cells(counts: pd.Series, *, threshold: int, keys: pd.DataFrame | None = None) -> pd.Series:
    """Rows with too few cases, and the smallest others without which a total minus what is shown would tell of them.

    Of the rows that add up to one total either none or at least two are hidden, with at least ``threshold`` cases
    between them. All rows of a table may add up to one; where ``keys`` (of each row) has several columns, so may the
    rows that differ in one column only.

    >>> small_cells(pd.Series([50, 3, 40]), threshold=10).tolist()
    [False, True, True]
    >>> small_cells(pd.Series([50, 3, 4, 40]), threshold=10).tolist()
    [False, True, True, True]
    """
    sizes = counts.to_numpy(float, na_value=0.0)
    hide = (sizes > 0) & (sizes < threshold)
    lines = _lines(len(sizes), keys)
    before = -1
    while before < hide.sum() > 0:
        before = int(hide.sum())
        for line in lines:
            hide[line] = _covered(sizes[line], hide[line], threshold)
    return pd.Series(hide, index=counts.index)


def suppression_note(threshold: int) -> str:
    """What is said under a table with hidden rows."""
    text = "Rows marked … are suppressed: fewer than {n} cases, or they would reveal such a row."
    return say(text, n=threshold)


def _lines(rows: int, keys: pd.DataFrame | None) -> list[NDArray[np.intp]]:
    """Places of the rows that may add up to one total."""
    lines = [np.arange(rows)]
    columns = list(keys) if keys is not None else []
    if keys is not None and len(columns) > 1:
        for column in columns:
            others = [name for name in columns if name != column]
            lines += [np.sort(line) for line in keys.groupby(others, sort=False, dropna=False).indices.values()]
    return [line for line in lines if len(line) > 1]


def _covered(sizes: NDArray[np.float64], hide: NDArray[np.bool_], threshold: int) -> NDArray[np.bool_]:
    """The hidden rows of a line, and the next smallest ones as long as what is hidden is one row or too few cases."""
    hide = hide.copy()
    if not (hide & (sizes < threshold)).any() and hide.sum() != 1:  # large ones hidden for other lines' sake
        return hide
    for place in np.argsort(sizes, kind="stable"):
        if hide.sum() > 1 and sizes[hide].sum() >= threshold:
            break
        hide[place] |= sizes[place] > 0
    return hide
