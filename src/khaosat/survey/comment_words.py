"""Comments as words: scrubbed, in one form, abbreviations written out, cut into Vietnamese words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from khaosat.domain.vietnamese import without_marks
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import say

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

Segment = Literal["words", "syllables"]

_PLACEHOLDER = re.compile(r"\[[^\]]*\]")
_TOKEN = re.compile(r"\w+|[.,;:!?]")
_WORD = re.compile(r"[^\W\d_]+(?:_[^\W\d_]+)*")
_LIBRARY = "underthesea"


def plain(text: str) -> str:
    """A scrubbed comment in small letters: words and punctuation apart, abbreviations written out.

    >>> plain("Hs của [tên] ko đc trả, chậm!")
    'hồ sơ của không được trả , chậm !'
    """
    short = _word_lists()[0]
    return " ".join(short.get(token, token) for token in _TOKEN.findall(_PLACEHOLDER.sub(" ", text).lower()))


def says_nothing(text: str) -> bool:
    """Whether a comment as :func:`plain` gives it holds no word, or only that there is no comment.

    >>> says_nothing(""), says_nothing("khong co y kien ."), says_nothing("không hài lòng")
    (True, True, False)
    """
    return without_marks(" ".join(re.findall(r"\w+", text))) in _word_lists()[2]


def vectorizer(segment: Segment, *, fewest: int) -> TfidfVectorizer:
    """TF-IDF of words (or of syllables and pairs of them) that at least ``fewest`` comments have, stop words left out.

    Raises
    ------
    KhaosatError
        If words are asked for and the library that finds them is not installed.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=_analyzer(segment), min_df=fewest, sublinear_tf=True)


def _analyzer(segment: Segment) -> Callable[[str], list[str]]:
    stop = _word_lists()[1]
    if segment == "syllables":
        return lambda text: _syllables(text, stop)
    if find_spec(_LIBRARY) is None:
        raise KhaosatError(
            say("Finding Vietnamese words needs the package {package}: install khaosat[text], or ask for "
                "segment='syllables', which needs nothing.", package=_LIBRARY)
        )  # fmt: skip
    from underthesea import word_tokenize

    def words(text: str) -> list[str]:
        found = [str(word).replace(" ", "_") for word in word_tokenize(text)]
        return [word for word in found if _WORD.fullmatch(word) and word not in stop]

    return words


def _syllables(text: str, stop: frozenset[str]) -> list[str]:
    """Syllables that are no stop words, and neighbouring pairs of syllables that do not both stop."""
    found: list[str] = []
    for clause in re.split(r"[.,;:!?]", text):
        parts = [part for part in clause.split() if _WORD.fullmatch(part)]
        found += [part for part in parts if part not in stop]
        pairs: Sequence[tuple[str, str]] = list(zip(parts, parts[1:], strict=False))
        found += [f"{a}_{b}" for a, b in pairs if not (a in stop or b in stop)]
    return found


@cache
def _word_lists() -> tuple[dict[str, str], frozenset[str], frozenset[str]]:
    """Abbreviations and what they mean; words that tell nothing of the subject; comments that say nothing."""
    table = read_table("codes/comment_words.csv")
    short, stop, nothing = (table[table["kind"] == kind] for kind in ("short", "stop", "nothing"))
    empty = frozenset(["", *map(without_marks, nothing["word"])])
    return dict(zip(short["word"], short["means"], strict=True)), frozenset(stop["word"]), empty
