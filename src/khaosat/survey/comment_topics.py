"""What people wrote in their own words: causes of complaint and topics, counted by the design, never shown verbatim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.personal_data import scrub
from khaosat.domain.survey import Survey, names
from khaosat.errors import DataError
from khaosat.facts.language import number, percent, say
from khaosat.stats.topics import TOP, Topics, find_topics
from khaosat.survey.answers import column
from khaosat.survey.cells import cells_of
from khaosat.survey.comment_causes import Coding, cause_table, code_causes
from khaosat.survey.comment_coding import ALL, agreement, read_codes, with_people
from khaosat.survey.comment_result import Comments
from khaosat.survey.comment_words import Segment, plain, says_nothing, vectorizer
from khaosat.survey.proportions import proportion

if TYPE_CHECKING:
    pass

Rows = NDArray[np.bool_]

_FEWEST_FOR_TOPICS = 40
_PER_TOPIC = 20
_MOST_TOPICS = 10
_FEWEST_WITH_WORD = 3
_EXAMPLES = 3
_SPOKE = "khaosat_spoke"


def comments(
    survey: Survey,
    variable: str = "comment",
    *,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    codes: str | None = None,
    segment: Segment = "syllables",
    verbatim: bool = False,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Comments:
    r"""What open comments are about: causes of complaint from a code frame, and topics from the words themselves.

    Shares are :math:`\sum_i w_i c_i/\sum_i w_i` over those who wrote something, with variance by the design.

    Parameters
    ----------
    survey
        Answers and design.
    variable
        The column with the comments.
    by, where
        As in :func:`khaosat.mean`.
    codes
        A column in which people coded some of the comments (identifiers of the frame, ``KHAC`` for none of them): the
        model learns from them, they count as they are, and the agreement with them is measured.
    segment
        ``syllables``: words are syllables and pairs of them; ``words``: Vietnamese words as ``underthesea`` finds them
        (``pip install khaosat[text]``).
    verbatim
        Give scrubbed example comments too. They may still tell who wrote them: not for publication.
    level
        Confidence level.
    rng
        For topics and for measuring agreement; None: a fixed seed.

    Returns
    -------
    Comments
        ``rows`` and the fields ``topics, coded, agreement, personal, examples``.

    Notes
    -----
    Comments are scrubbed of personal data first (:func:`khaosat.domain.personal_data.scrub`). Causes come from phrases
    (``facts/codes/complaint_causes.csv``); comments without any go to a logistic regression on TF-IDF that learnt from
    the others. Topics: NMF of TF-IDF; their number, 2 to 10 and at most one for 20 comments, is that with the most
    coherent words (NPMI). Nothing leaves the machine. docs/methods/y-kien-mo.md.

    References
    ----------
    Lee and Seung (1999), Nature 401, 788-791. Cohen (1960), Educational and Psychological Measurement 20, 37-46.

    Examples
    --------
    >>> frame = pd.DataFrame({"comment": ["Hồ sơ trễ hẹn", "Cán bộ nhiệt tình", None, "tre hen hoai"]})
    >>> comments(Survey(responses=frame)).rows[["cause", "estimate", "n"]].round(2).values.tolist()
    [['TRE_HEN', 0.67, 3], ['HAI_LONG', 0.33, 3]]
    """
    if segment not in get_args(Segment):
        raise DataError(
            say("{name}={value!r} is not known: use {known}.", name="segment", value=segment,
                known=", ".join(get_args(Segment)))
        )  # fmt: skip
    source = rng if rng is not None else np.random.default_rng(0)
    clean = [scrub(str(value)) if pd.notna(value) else None for value in column(survey, variable)]
    texts = [plain(entry.text) if entry is not None else "" for entry in clean]
    spoke = np.array([not says_nothing(text) for text in texts], dtype=bool)
    inside = cells_of(survey, where=where).code >= 0
    meant = inside[spoke]  # comments are read all together, counted for those that where is about
    if not meant.any():
        raise DataError(say("Nobody wrote anything in {column}.", column=variable))
    said = [text for text, use in zip(texts, spoke, strict=True) if use]
    coding, agreed, known = _code(survey, said, spoke, codes=codes, segment=segment, rng=source)
    found = _topics(said, segment=segment, rng=source)
    counted = _Counted(survey=survey, spoke=spoke, by=names(by), where=where, level=level)
    topics, examples = pd.DataFrame(), pd.DataFrame(columns=["topic", "comment"])
    if found is not None:
        topics = _topic_rows(counted, *found)
        if verbatim:
            originals = [entry.text for entry, use in zip(clean, spoke, strict=True) if use and entry is not None]
            examples = _examples(found[0], originals, meant)
    coders = _coders(coding, known, meant)
    personal = Counter(kind for entry in clean if entry is not None for kind in entry.kinds)
    n, missing = int(meant.sum()), int((inside & ~spoke).sum())
    return Comments(
        rows=_cause_rows(counted, coding), questionnaire=survey.questionnaire, topics=topics, agreement=agreed,
        title=say("What people wrote: {n} comments", n=n), examples=examples,
        coded=pd.DataFrame({"coder": list(coders), "n": list(coders.values())}),
        personal=pd.DataFrame({"kind": list(personal), "n": list(personal.values())}),
        notes=tuple(_notes(coders, personal, agreed, found, n=n, missing=missing, level=level)),
    )  # fmt: skip


def _coders(coding: Coding, known: Rows, meant: Rows) -> dict[str, int]:
    """Where the causes of the comments come from."""
    origins = {"people": known, "rule": coding.by_rule, "model": coding.by_model}
    counts = {coder: int((mask & meant).sum()) for coder, mask in origins.items()}
    return counts | {"none": int(meant.sum()) - sum(counts.values())}


def _code(
    survey: Survey, said: Sequence[str], spoke: Rows, *, codes: str | None, segment: Segment, rng: np.random.Generator
) -> tuple[Coding, pd.DataFrame, Rows]:
    """Causes of the comments, the agreement with people's codes, and which comments these coded."""
    if codes is None:
        coding = code_causes(said, given=None, known=None, segment=segment)
        return coding, pd.DataFrame(), np.zeros(len(said), dtype=bool)
    given, known = read_codes(column(survey, codes)[spoke], list(cause_table()["id"]))
    coding = code_causes(said, given=given, known=known, segment=segment)
    agreed = agreement(said, given=given, known=known, segment=segment, rng=rng) if known.any() else pd.DataFrame()
    return with_people(coding, given, known), agreed, known


def _topics(said: Sequence[str], *, segment: Segment, rng: np.random.Generator) -> tuple[Topics, list[str]] | None:
    """Topics and the label of each; None if there are too few comments or words."""
    if len(said) < _FEWEST_FOR_TOPICS:
        return None
    words = vectorizer(segment, fewest=_FEWEST_WITH_WORD)
    try:
        x = words.fit_transform(said)
    except ValueError:  # no word is in three comments
        return None
    if x.shape[1] < 2 * TOP:
        return None
    topics = find_topics(x, most=min(_MOST_TOPICS, len(said) // _PER_TOPIC), seed=int(rng.integers(2**31)))
    vocabulary = words.get_feature_names_out()
    return topics, [_topic_label([str(vocabulary[j]) for j in row]) for row in topics.words]


def _topic_label(words: Sequence[str]) -> str:
    """The heaviest words; a syllable that stands in a pair already named is left out."""
    chosen: list[str] = []
    for word in words:
        if not any(word in other.split("_") for other in chosen):
            chosen = [other for other in chosen if other not in word.split("_")] + [word]
        if len(chosen) == TOP:
            break
    return ", ".join(word.replace("_", " ") for word in chosen)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Counted:
    """Shares of those who wrote something."""

    survey: Survey
    spoke: Rows
    by: tuple[str, ...]
    where: str | None
    level: float

    def shares(self, marks: dict[str, Rows], *, key: str) -> pd.DataFrame:
        """Design-based share of comments with each mark, by group."""
        inside = cells_of(self.survey, by=self.by, where=self.where)
        added: dict[str, object] = {_SPOKE: (self.spoke & (inside.code >= 0)).astype(int)}
        for name, mark in marks.items():
            whole = np.zeros(self.survey.n, dtype=int)
            whole[self.spoke] = mark
            added[f"{_SPOKE}_{name}"] = whole
        base = self.survey.responses
        survey = replace(self.survey, responses=pd.concat([base, pd.DataFrame(added, index=base.index)], axis=1))
        rows = proportion(
            survey, [f"{_SPOKE}_{name}" for name in marks], at=[1], by=self.by or None, where=f"{_SPOKE} == 1",
            level=self.level,
        ).rows  # fmt: skip
        rows = rows.rename(columns={"variable": key})
        rows[key] = rows[key].str.removeprefix(f"{_SPOKE}_")
        silent = inside.keys.assign(_silent=inside.count(~self.spoke))
        if not self.by:
            return rows.assign(n_missing=int(silent["_silent"].iloc[0]))
        rows = rows.merge(silent, on=list(self.by), how="left")
        return rows.assign(n_missing=rows["_silent"]).drop(columns="_silent")


def _cause_rows(counted: _Counted, coding: Coding) -> pd.DataFrame:
    """Causes that somebody wrote of, the most frequent first."""
    rows = counted.shares({cause: coding.table[:, j] for j, cause in enumerate(coding.causes)}, key="cause")
    rows = rows[rows.groupby("cause")["numerator"].transform("sum") > 0]
    weight = counted.survey.arrays.weights[counted.spoke] @ coding.table
    place = dict(zip(coding.causes, (-weight).argsort(kind="stable").argsort(kind="stable"), strict=True))
    return rows.sort_values("cause", key=lambda causes: causes.map(place), kind="stable", ignore_index=True)


def _topic_rows(counted: _Counted, topics: Topics, labels: Sequence[str]) -> pd.DataFrame:
    marks = {str(j + 1): topics.of_text == j for j in range(topics.n)}
    rows = counted.shares(marks, key="topic")
    rows["topic"] = rows["topic"].astype(int)
    rows.insert(1, "label", [labels[topic - 1] for topic in rows["topic"]])
    return rows


def _examples(topics: Topics, comments: Sequence[str], meant: Rows) -> pd.DataFrame:
    """The comments in which a topic weighs most."""
    lines: list[tuple[int, str]] = []
    for j in range(topics.n):
        order = np.argsort(-topics.weights[:, j], kind="stable")
        heaviest = [comments[i] for i in order if topics.of_text[i] == j and meant[i]]
        lines += [(j + 1, comment) for comment in list(dict.fromkeys(heaviest))[:_EXAMPLES]]
    return pd.DataFrame(lines, columns=["topic", "comment"])


def _notes(
    coders: dict[str, int], personal: Counter[str], agreed: pd.DataFrame, found: tuple[Topics, list[str]] | None, *,
    n: int, missing: int, level: float,
) -> Iterator[str]:  # fmt: skip
    yield say("{n} respondents wrote something; {missing} wrote nothing. Shares are of those who wrote, who may differ "
              "from the rest; one comment can have several causes.", n=n, missing=missing)  # fmt: skip
    yield say("Causes come from phrases for {rule} comments, from a model for {model}, from people for {people}; "
              "{none} have none of the frame.", **coders)  # fmt: skip
    if agreed.empty:
        yield say("The agreement of this coding with people's has not been measured on these comments.")
    else:
        line = agreed[agreed["cause"] == ALL].iloc[0]
        yield say("Agreement with people's codes on {n} comments: kappa {kappa}.", n=int(line["n"]),
                  kappa=number(line["estimate"], 2) if np.isfinite(line["estimate"]) else "–")  # fmt: skip
    if found is None:
        yield say("No topics: they need at least {n} comments that share enough words.", n=_FEWEST_FOR_TOPICS)
    else:
        yield say("{n} topics, the number whose words go together best (NPMI {score}).", n=found[0].n,
                  score=number(found[0].coherence, 2))  # fmt: skip
    yield say("{n} pieces of personal data were taken out before reading; comments are not shown word for word unless "
              "asked for.", n=sum(personal.values()))  # fmt: skip
    yield say("{level} intervals: Student's t on the logit scale.", level=percent(level, 0))
