"""How well the coding of comments agrees with what people coded."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.agreement import cohen_kappa
from khaosat.survey.comment_causes import Coding, code_causes, rule_causes
from khaosat.survey.comment_words import Segment

Rows = NDArray[np.bool_]

ALL = "all"
NONE = "KHAC"
"""What a person writes who finds no cause of the frame in a comment."""
_FOLDS = 5
_Z = 1.959963984540054


def read_codes(values: pd.Series, causes: Sequence[str]) -> tuple[Rows, Rows]:
    """Codes that people gave (identifiers with spaces or commas between them), and which comments have some.

    Raises
    ------
    DataError
        If a code is not in the frame.
    """
    written = [re.findall(r"\w+", str(value).upper()) if pd.notna(value) else [] for value in values]
    unknown = sorted({code for codes in written for code in codes} - {*causes, NONE})
    if unknown:
        raise DataError(
            say("{codes} are no causes of the code frame; it has {causes}, and {none} for none of them.",
                codes=", ".join(unknown), causes=", ".join(causes), none=NONE)
        )  # fmt: skip
    given = np.array([[cause in codes for cause in causes] for codes in written], dtype=bool).reshape(-1, len(causes))
    return given, np.array([bool(codes) for codes in written], dtype=bool)


def agreement(
    texts: Sequence[str], *, given: Rows, known: Rows, segment: Segment, rng: np.random.Generator
) -> pd.DataFrame:
    """Cohen's kappa of the automatic coding with people's, on comments that the model has not learnt from.

    Returns
    -------
    ``cause`` (``all``: every decision on every cause), ``estimate`` (kappa), ``se, low, high, n, agreement`` (share of
    equal decisions), ``people`` and ``automatic`` (comments with the cause).
    """
    causes, _ = rule_causes([])
    guessed = np.zeros_like(given)
    fold = np.full(len(texts), -1)
    fold[known] = rng.permutation(np.arange(known.sum()) % _FOLDS)
    for part in range(_FOLDS):
        held_out = fold == part
        if held_out.any():
            coding = code_causes(texts, given=given, known=known & ~held_out, segment=segment)
            guessed[held_out] = coding.table[held_out]
    lines = [_line(ALL, guessed[known], given[known], n=int(known.sum()))]
    lines += [_line(cause, guessed[known, j], given[known, j], n=int(known.sum())) for j, cause in enumerate(causes)]
    return pd.DataFrame(lines)


def with_people(coding: Coding, given: Rows, known: Rows) -> Coding:
    """The coding with people's codes where there are some."""
    table = coding.table.copy()
    table[known] = given[known]
    return Coding(causes=coding.causes, table=table, by_rule=coding.by_rule & ~known, by_model=coding.by_model & ~known)


def _line(cause: str, automatic: Rows, people: Rows, *, n: int) -> dict[str, object]:
    kappa, se = cohen_kappa(automatic, people)
    return {
        "cause": cause, "estimate": kappa, "se": se,
        "low": max(kappa - _Z * se, -1.0), "high": min(kappa + _Z * se, 1.0),
        "n": n, "agreement": float((automatic == people).mean()) if n else float("nan"),
        "people": int(people.sum()), "automatic": int(automatic.sum()),
    }  # fmt: skip
