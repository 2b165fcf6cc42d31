"""What to know about tests of item functioning before believing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.facts.language import number, say
from khaosat.survey.item_tests import FLAGGED, DifOptions, Purified, ScaleTests
from khaosat.survey.scales import scale_word

_FEW = 50
"""Respondents in a group below which little can be seen."""


def method_notes(options: DifOptions, tests: Sequence[ScaleTests], found: Purified, *, most: int) -> Iterator[str]:
    """How items were tested and graded."""
    if options.test == "wald":
        yield say("Wald tests by the design, of cumulative logit models with the score, the group and their product.")
    else:
        yield say("Likelihood-ratio tests of cumulative logit models with the score, the group and their product; they "
                  "hold for a simple random sample.")  # fmt: skip
    yield say("Respondents are matched on the mean of the items of the factor.") if options.score == "total" else say(
        "Respondents are matched on the mean of the other items of the factor.")  # fmt: skip
    words = {"holm": say("Holm"), "benjamini_hochberg": say("Benjamini–Hochberg"), "none": say("no adjustment")}
    yield say(
        "Graded by significance (p below {alpha}, adjustment over items: {adjust}) and gain in R² ({effect}): moderate "
        "from {moderate}, large from {large}.",
        alpha=number(options.alpha, 2), adjust=words[options.adjust], effect=options.effect.replace("_", "-").title(),
        moderate=number(options.grades[0], 3), large=number(options.grades[1], 3),
    )  # fmt: skip
    label = tests[0].survey.questionnaire.label if tests[0].survey.questionnaire else str
    if found.out:
        yield say("Left out of the score, the largest difference first: {items}.",
                  items="; ".join(label(name) for name in sorted(found.out)))  # fmt: skip
    if not most:
        yield say("The score was not cleared of flagged items.")
    elif not found.settled:
        yield say("Still flagged items in the score after {n} rounds of clearing it: raise purify.", n=most)
    if most and found.tangled:
        yield say("Flagged items had to stay in the score, since two must: {factors}.",
                  factors="; ".join(scale_word(tests[0].survey, name) for name in found.tangled))  # fmt: skip


def group_notes(survey: Survey, rows: pd.DataFrame, sizes: dict[str, int], *, unplaced: int) -> Iterator[str]:
    """What was found, and how far it can be relied on."""
    if unplaced:
        yield say("{n} respondents without a value to group by are left out.", n=unplaced)
    few = [name for name, n in sizes.items() if n < _FEW]
    if few:
        yield say("Groups of fewer than {n} respondents: {groups}; differences may well go unseen.", n=_FEW,
                  groups=", ".join(few))  # fmt: skip
    untested = rows[(rows["kind"] == "any") & (rows["flag"] == "untested")]["item"]
    if len(untested):
        yield say("Not tested, for want of degrees of freedom, of other items for a score or of a finite estimate: "
                  "{items}.", items=", ".join(untested))  # fmt: skip
    worst = rows[(rows["kind"] == "any") & rows["flag"].isin(FLAGGED)]["item"]
    label = survey.questionnaire.label if survey.questionnaire else str
    if len(worst):
        yield say("Compare groups on these items with care: {items}.", items="; ".join(label(name) for name in worst))
    elif not len(untested):
        yield say("No item is answered differently to an extent that matters.")


def scale_notes(
    survey: Survey, scales: dict[str, list[str]], tests: Sequence[ScaleTests], absent: Sequence[str]
) -> Iterator[str]:
    """Items and factors that are not in it, and whose answers are."""
    if absent:
        yield say("{n} items have no column and are left out: {items}.", n=len(absent), items=", ".join(absent))
    idle = [item for one in tests for item in one.answers.idle]
    if idle:
        yield say("No two different answers to {items}; left out.", items=", ".join(idle))
    left = [scale_word(survey, name) for name in scales if name not in {one.name for one in tests}]
    if left:
        yield say("Too few items or answers to test: {factors}.", factors="; ".join(left))
    n = [one.answers.n for one in tests]
    if min(n) == max(n):
        yield say("{n} respondents answered every item.", n=n[0])
    else:
        yield say("{low} to {high} respondents answered every item of a factor.", low=min(n), high=max(n))
