"""The privacy gate: which rows of a table are too small to be published."""

from __future__ import annotations

import pandas as pd

from khaosat.facts.language import say


def small_cells(counts: pd.Series, *, threshold: int) -> pd.Series:
    """Rows with too few cases, and the next smallest when only one is hidden, or the total would give it away.

    >>> small_cells(pd.Series([50, 3, 40]), threshold=10).tolist()
    [False, True, True]
    """
    hide = (counts > 0) & (counts < threshold)
    if hide.sum() == 1:
        others = counts[~hide & (counts > 0)]
        if len(others):
            hide |= counts.index == others.idxmin()
    return hide


def suppression_note(threshold: int) -> str:
    """What is said under a table with hidden rows."""
    text = "Rows marked … are suppressed: fewer than {n} cases, or they would reveal such a row."
    return say(text, n=threshold)
