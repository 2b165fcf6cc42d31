"""What must hold before form II.06a is submitted, and what is said of the dossiers for which it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from khaosat.facts.language import say

NAMED = 10
"""At most so many dossiers of each fault are named."""


def identity_faults(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of the form for which ``3 = 7 + 11``, ``7 = 8 + 9 + 10`` or ``11 = 12 + 13`` does not hold.

    >>> row = {"field": "Đất đai", "in_hand": 3, "closed": 1, "closed_early": 1, "closed_on_day": 0, "closed_late": 0,
    ...        "open": 1, "open_in_time": 1, "open_overdue": 0}
    >>> identity_faults(pd.DataFrame([row]), ["field"])[["fault", "dossier_id", "total"]].values.tolist()
    [['3 = 7 + 11', 'Đất đai', 1]]
    """
    sums: Mapping[str, pd.Series] = {
        "3 = 7 + 11": rows["in_hand"] - rows["closed"] - rows["open"],
        "7 = 8 + 9 + 10": rows["closed"] - rows["closed_early"] - rows["closed_on_day"] - rows["closed_late"],
        "11 = 12 + 13": rows["open"] - rows["open_in_time"] - rows["open_overdue"],
    }
    lines = [
        {"fault": identity, "dossier_id": " · ".join(map(str, key)), "total": int(gap)}
        for identity, gaps in sums.items()
        for key, gap in zip(rows[list(names)].itertuples(index=False), gaps, strict=True)
        if gap
    ]
    return pd.DataFrame(lines, columns=["fault", "dossier_id", "total"])


def fault_notes(faults: pd.DataFrame) -> list[str]:
    """Each fault with the dossiers that have it, for those who must correct the log; first among the notes."""
    words = {
        "counted_twice": say("counted more than once"),
        "lost": say("in the steps, supplements or re-appointments but not among the dossiers"),
        "no_end_date": say("ended, without a date of the end: in no column"),
        "ended_before_received": say("received in the period but ended before it: in no column 7 or 11"),
    }
    notes = []
    for fault, rows in faults.groupby("fault", sort=True):
        if fault in words:
            ids = ", ".join(rows["dossier_id"].astype(str))
            notes.append(
                say("{n} dossiers {fault}: {ids}.", n=int(rows["total"].iloc[0]), fault=words[str(fault)], ids=ids)
            )
        else:
            listed = "; ".join(
                f"{name} ({gap:+d})" for name, gap in zip(rows["dossier_id"], rows["total"], strict=True)
            )
            notes.append(say("{identity} does not hold: {list}.", identity=fault, list=listed))
    if notes:
        notes.insert(0, say("Not ready to submit, and internal since it names dossiers: correct the log first."))
    return notes
