"""What the model of satisfaction and lateness says, in sentences with its assumptions, and its lines in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from khaosat.evaluate.lateness_model import FEW_LATE, LatenessModel
from khaosat.evaluate.linkage import CHANNEL, DAYS_LATE, SUPPLEMENTS
from khaosat.facts import read_table, term
from khaosat.facts.language import current_language, number, percent, say
from khaosat.survey.means import variable_words
from khaosat.survey.model_frame import level_name

_DOUBT = 0.05


def unlinked_notes(rows: pd.DataFrame) -> Iterator[str]:
    """How the linked differ from the rest."""
    if rows.empty:
        return
    first = rows.iloc[0]
    yield say(
        "Satisfied are {a} of those linked and {b} of those not linked; the results are about the linked only.",
        a=percent(first["estimate_a"]), b=percent(first["estimate_b"]),
    )  # fmt: skip
    others = rows.iloc[1:]
    if len(others):
        yield say(
            "{n} of {all} answers about the respondents themselves differ between linked and not linked (p < 0.05, "
            "Holm).", n=int((others["p_adjusted"] < _DOUBT).sum()), all=len(others),
        )  # fmt: skip


def on_time_notes(on_time: pd.DataFrame, level: float) -> Iterator[str]:
    """The standardised shares as sentences."""
    now, then, _, part = (row for _, row in on_time.iterrows())
    yield say(
        "By the model {then} would not be satisfied if every dossier had come on time, instead of {now}.",
        then=percent(then["estimate"]), now=percent(now["estimate"]),
    )  # fmt: skip
    span = ""
    if np.isfinite(part["low"]):
        span = say(" ({level} interval {low} to {high})", level=percent(level, 0), low=percent(part["low"]),
                   high=percent(part["high"]))  # fmt: skip
    yield say("That is {part} of the share not satisfied{span}.", part=percent(part["estimate"]), span=span)


def assumption_notes(model: LatenessModel, *, joined: int, shape: str) -> Iterator[str]:
    """What would have to be true for more than an association, and the choices behind the numbers."""
    held = [
        term(name).lower() if name in (SUPPLEMENTS, CHANNEL) else variable_words(model.survey, [factor.columns[0]])
        for name, factor in model.frame.variables.items()
        if not name.startswith(DAYS_LATE)
    ]
    yield say(
        "An association, not a cause. It would be what timely delivery brings about only if late and timely dossiers "
        "that are alike in {held} differed in nothing else that moves satisfaction, and if one dossier's lateness did "
        "not touch other people.",
        held=", ".join(held) or say("nothing else recorded"),
    )  # fmt: skip
    if model.knots:
        listed = "; ".join(number(knot, 0 if knot == int(knot) else 1) for knot in model.knots)
        yield say("Days late enter as a restricted cubic spline with knots at {knots} working days.", knots=listed)
    elif shape == "spline":
        yield say("Days late enter as a straight line: there are too few different values for a spline.")
    else:
        yield say("Days late enter as a straight line.")
    left = [name for name in (SUPPLEMENTS, CHANNEL) if name not in model.frame.formula.factors]
    if left:
        yield say("Left out, since all linked respondents are alike in it or the log does not record it: {names}.",
                  names=", ".join(term(name).lower() for name in left))  # fmt: skip
    if joined:
        yield say("Channels with fewer than {n} respondents are taken together ({joined} respondents).",
                  n=FEW_LATE, joined=joined)  # fmt: skip
    yield say("Not satisfied: every valid answer that does not count as satisfied. Indicator 5.4 of Quyết định 766, "
              "which is computed from lateness, is not used.")  # fmt: skip


def model_words(model: LatenessModel, notes: Sequence[str]) -> Iterator[str]:
    """Notes of the ordinal model that a reader of the effects needs: each line says itself what it is compared with."""
    own = {say("Cumulative model, link {link}: a positive coefficient goes with higher answers.", link=model.fit.link)}
    for name, levels in model.frame.levels.items():
        column = model.frame.formula.factors[name].columns[0]
        first = model.frame.answer_word(column, levels[0])
        own.add(say("{term}: compared with {level}.", term=name, level=first))
    yield from (note for note in notes if note not in own)


def effect_words(model: LatenessModel) -> dict[tuple[str, str], str]:
    """Each line of the effects in words, by variable and contrast."""
    codes = read_table("codes/channel.csv")
    channels = dict(zip(codes["id"], codes[f"label_{current_language()}"], strict=True))
    channels["other"] = say("Other channels")
    found = {
        (DAYS_LATE, "dY/dX"): say("Each more working day late"),
        (DAYS_LATE, "late - on_time"): say("Late dossiers: as it was, less as if on time"),
        (SUPPLEMENTS, "dY/dX"): say("Each more request for supplements"),
    }
    for text, factor in model.frame.variables.items():
        name = term(text) if text == CHANNEL else variable_words(model.survey, [factor.columns[0]])
        found.setdefault((text, "dY/dX"), say("{variable}: each more unit", variable=name))
        levels = model.frame.levels.get(text, ())
        labels = [channels.get(str(x), str(x)) if text == CHANNEL else model.frame.answer_word(factor.columns[0], x)
                  for x in levels]  # fmt: skip
        for level, label in zip(levels[1:], labels[1:], strict=True):
            words = say("{variable}: {one} rather than {other}", variable=name, one=label, other=labels[0])
            found[text, f"{level_name(level)} - {level_name(levels[0])}"] = words
    return found
