"""How good stated chances are: discrimination, Brier score, calibration, precision of the most endangered, drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10


def auc(event: Floats, chance: Floats) -> float:
    """Share of pairs, one with the event and one without, in the right order, ties one half; NaN without such pairs.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
    0.875
    """
    from scipy.stats import rankdata

    yes = int(event.sum())
    no = len(event) - yes
    if not yes or not no:
        return np.nan
    return float((rankdata(chance)[event > 0].sum() - yes * (yes + 1) / 2) / (yes * no))


def brier(event: Floats, chance: Floats) -> float:
    """Mean squared difference; NaN without cases.

    >>> brier(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    0.25
    """
    return float(np.mean((event - chance) ** 2)) if len(event) else np.nan


def reliability(event: Floats, chance: Floats, *, bins: int = BINS) -> pd.DataFrame:
    """Stated and observed shares in classes of equal width: ``chance, estimate, n``; empty classes are left out.

    >>> reliability(np.array([0.0, 1.0, 1.0]), np.array([0.02, 0.04, 0.99]), bins=10)["n"].tolist()
    [2, 1]
    """
    place = np.minimum((chance * bins).astype(int), bins - 1)
    grouped = pd.DataFrame({"place": place, "chance": chance, "event": event}).groupby("place")
    found = grouped.agg(chance=("chance", "mean"), estimate=("event", "mean"), n=("event", "size"))
    return found.reset_index(drop=True)


def ece(event: Floats, chance: Floats, *, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of observed from stated share over the classes, by their size.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), AAAI, 2901-2907.

    >>> ece(np.array([0.0, 1.0]), np.array([0.0, 0.9]))
    0.04999999999999999
    """
    rows = reliability(event, chance, bins=bins)
    if not len(event):
        return np.nan
    return float(np.average((rows["estimate"] - rows["chance"]).abs(), weights=rows["n"]))


def precision_at(event: Floats, chance: Floats, *, top: int) -> float:
    """Share of events among the ``top`` cases with the highest chance; ties at the edge count by their average.

    >>> precision_at(np.array([1.0, 0.0, 0.0]), np.array([0.9, 0.5, 0.5]), top=2)
    0.5
    """
    if not len(event) or top < 1:
        return np.nan
    top = min(top, len(event))
    edge = np.sort(chance)[-top]
    above, at = chance > edge, chance == edge
    return float((event[above].sum() + (top - above.sum()) * event[at].mean()) / top)


def stability_index(before: Floats, after: Floats, *, bins: int = BINS) -> float:
    """Population stability index between two samples of one number, over the deciles of the first.

    References
    ----------
    Siddiqi (2006), Credit Risk Scorecards, Wiley, 136-137: below 0.1 stable, above 0.25 moved.

    >>> x = np.linspace(0, 1, 1000)
    >>> stability_index(x, x) < 1e-9 < 0.25 < stability_index(x, x**3)
    True
    """
    if not len(before) or not len(after):
        return np.nan
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    shares = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) for x in (before, after)]
    # Half a case in each class keeps an empty one finite.
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in shares)
    return float((q - p) @ np.log(q / p))
