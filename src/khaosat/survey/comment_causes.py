"""What a comment complains of: phrases that anybody can read, and a model for comments they do not reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.vietnamese import has_marks, without_marks
from khaosat.facts import read_table
from khaosat.survey.comment_words import Segment, vectorizer

Rows = NDArray[np.bool_]

_SPAN = r"(?:\s+\w+){0,3}"
_NOT = re.compile(r"(?<!\w)(?:không|chưa|hết|khỏi|đừng)(?:\s+(?:còn|bị|hề|phải|thấy|quá))?\s+$")
_NOT_BARE = re.compile(r"(?<!\w)(?:khong|chua|het|khoi|dung)(?:\s+(?:con|bi|he|phai|thay|qua))?\s+$")
_WISH = re.compile(r"(?<!\w)(?:mong|cần|nên|đề nghị|phải|can|nen|de nghi)\s[^.,;:!?]*$")
_FEWEST = 10
"""Examples of a cause that the model needs, and comments without it."""
_SURE = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Coding:
    """Causes of comments.

    Parameters
    ----------
    causes
        Identifiers, in the order of the code frame.
    table
        Comments × causes.
    by_rule, by_model
        Comments whose causes come from phrases, from the model; the others have none.
    """

    causes: tuple[str, ...]
    table: Rows
    by_rule: Rows
    by_model: Rows


@dataclass(frozen=True, eq=False, kw_only=True)
class _Rule:
    """The phrases of one cause as patterns, with and without diacritics."""

    id: str
    praise: bool
    marked: re.Pattern[str]
    bare: re.Pattern[str]

    def holds(self, text: str, *, bare: bool) -> bool:
        """Whether a phrase stands in the text, is not denied and, if praise, not wished for."""
        for match in (self.bare if bare else self.marked).finditer(text):
            before = text[: match.start()]
            if (_NOT_BARE if bare else _NOT).search(before):
                continue
            if self.praise and (_WISH.search(before) or re.match(r"\s+h[ơo]n\b", text[match.end() :])):
                continue
            return True
        return False


def rule_causes(texts: Sequence[str]) -> tuple[tuple[str, ...], Rows]:
    """Causes whose phrases stand in each text (as :func:`khaosat.survey.comment_words.plain` gives it).

    A phrase matches whole words; ``*`` in it stands for up to three words. After ``không``, ``chưa`` and the like it
    does not count, unless it begins with such a word itself. A comment without any diacritics is read without them.

    >>> causes, table = rule_causes(["thủ tục rườm rà , hẹn hoài", "không rườm rà", "ho so tre hen"])
    >>> [[cause for cause, hit in zip(causes, row) if hit] for row in table]
    [['THU_TUC'], [], ['TRE_HEN']]
    """
    rules = _rules()
    table = np.zeros((len(texts), len(rules)), dtype=bool)
    for i, text in enumerate(texts):
        bare = not has_marks(text)
        table[i] = [rule.holds(text, bare=bare) for rule in rules]
    return tuple(rule.id for rule in rules), table


def code_causes(texts: Sequence[str], *, given: Rows | None, known: Rows | None, segment: Segment) -> Coding:
    """Causes by phrases; for comments without any, by a linear model of the words of those that have some.

    Parameters
    ----------
    texts
        Comments as :func:`khaosat.survey.comment_words.plain` gives them.
    given, known
        Causes that people gave to some comments (comments × causes), and which comments these are: the model learns
        from them in place of the phrases.
    segment
        How texts are cut into words.

    Notes
    -----
    One logistic regression a cause on TF-IDF, from ten examples on; a cause is given where its probability is 0.5 or
    more.
    """
    causes, table = rule_causes(texts)
    taught = table.copy()
    learn: Rows = np.asarray(table.any(axis=1))
    if given is not None and known is not None:
        taught[known], learn = given[known], np.asarray(learn | known)
    guessed = np.zeros_like(table)
    if (~learn).any() and learn.any():
        guessed[~learn] = _guess(texts, taught, learn=learn, segment=segment)
    return Coding(
        causes=causes, table=table | guessed, by_rule=np.asarray(table.any(axis=1)),
        by_model=np.asarray(guessed.any(axis=1)),
    )  # fmt: skip


def _guess(texts: Sequence[str], taught: Rows, *, learn: Rows, segment: Segment) -> Rows:
    """What the model makes of the comments that it did not learn from."""
    from sklearn.linear_model import LogisticRegression

    known = [text for text, use in zip(texts, learn, strict=True) if use]
    asked = [text for text, use in zip(texts, learn, strict=True) if not use]
    guesses = np.zeros((len(asked), taught.shape[1]), dtype=bool)
    words = vectorizer(segment, fewest=1)
    x = words.fit_transform(known)
    if x.shape[1] == 0:
        return guesses
    for j in range(taught.shape[1]):
        y = taught[learn, j]
        if min(y.sum(), (~y).sum()) >= _FEWEST:
            model = LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear").fit(x, y)
            guesses[:, j] = model.predict_proba(words.transform(asked))[:, 1] >= _SURE
    return guesses


def cause_table() -> pd.DataFrame:
    """The code frame: ``id, label_vi, label_en, kind, phrases``."""
    return read_table("codes/complaint_causes.csv")


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(id=line["id"], praise=line["kind"] == "praise", marked=_pattern(line["phrases"]),
              bare=_pattern(without_marks(line["phrases"])))
        for line in cause_table().to_dict("records")
    )  # fmt: skip


def _pattern(phrases: str) -> re.Pattern[str]:
    each = [_phrase(phrase.split()) for phrase in phrases.lower().split("|")]
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)")


def _phrase(words: Sequence[str]) -> str:
    parts = [_SPAN if word == "*" else re.escape(word) for word in words]
    text = parts[0]
    for part in parts[1:]:
        text += part if part == _SPAN else rf"\s+{part}"
    return text
