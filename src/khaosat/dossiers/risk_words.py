"""Why a dossier is in danger, in words: the largest contributions to its log odds, grouped."""

from __future__ import annotations

import pandas as pd

from khaosat.dossiers.risk_fit import Risk
from khaosat.dossiers.snapshots import TEXTS
from khaosat.facts.language import say

_MOST = 2
_LEAST = 0.15
"""Log odds below which a contribution is not worth a word."""

_GROUPS = {
    "procedure": ("procedure", "field", "applicant_type", "channel", "term", "past_procedure"),
    "unit": ("unit", "receiving_unit", "past_unit", "past_receiving_unit"),
    "step": ("step", "step_unit", "officer", "first_officer", "begun", "running", "no_step"),
    "idle": ("idle", "idle_share", "step_age"),
    "time": ("share", "remaining"),
    "loops": ("handovers", "repeats"),
    "steps_late": ("steps_late",),
    "supplement": ("asked", "awaited"),
    "load": ("stock", "overdue_share", "late_90", "load"),
    "season": ("season_cos", "season_sin"),
}


def reasons(risk: Risk, frame: pd.DataFrame) -> pd.Series:
    """At most two reasons a row, the weightier first; overdue ones say so; empty where nothing stands out."""
    words = {
        "procedure": say("kind of dossier often late"), "unit": say("unit often late"),
        "step": say("at a step or with a holder after which dossiers are often late"),
        "idle": say("nothing recorded for long"), "time": say("little time left"),
        "loops": say("many hand-overs or steps repeated"), "steps_late": say("steps past their own due dates"),
        "supplement": say("supplements asked for"), "load": say("unit with much in hand or overdue"),
        "season": say("season with many late dossiers"),
    }  # fmt: skip
    texts = [""] * len(frame)
    if risk.model is not None and len(frame):
        added = risk.model.contributions(risk.features(frame), frame[list(TEXTS)])
        parts = pd.DataFrame({
            name: added[[column for column in columns if column in added]].sum(axis=1)
            for name, columns in _GROUPS.items()
        })  # fmt: skip
        for place, row in enumerate(parts.to_numpy()):
            best = [i for i in row.argsort()[::-1][:_MOST] if row[i] > _LEAST]
            texts[place] = "; ".join(words[parts.columns[i]] for i in best)
    late = frame["at_second"] > frame["due_second"]
    return pd.Series([say("already overdue") if o else t for o, t in zip(late, texts, strict=True)], index=frame.index,
                     dtype="object")  # fmt: skip
