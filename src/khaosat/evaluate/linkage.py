"""Survey answers joined to the dossiers they name; nothing of any other dossier leaves the engine."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog, Engine
from khaosat.domain.survey import Survey
from khaosat.engine.query import Deadline, ask
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.p_values import holm
from khaosat.survey.answers import Level, column, level_answers
from khaosat.survey.groups import compare_groups

LINKED, DAYS_LATE, SUPPLEMENTS, CHANNEL = "linked", "working_days_late", "supplements", "channel"
"""Columns that linking adds to the answers."""

_MOST_LEVELS = 12
"""Questions with more answers than this say too little about who could not be linked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Linkage:
    """Answers with what the log knows of the dossiers they name.

    Parameters
    ----------
    survey
        The survey with ``linked`` (1 or 0), ``working_days_late`` (working days after the due day; 0: in time),
        ``supplements`` (times asked), ``channel``, and those of ``field, responsible_unit, procedure`` that the answers
        lack.
    counts
        ``status`` (``linked, no_id, unknown_id, ambiguous_id, open, no_due_date``) and ``n``.
    """

    survey: Survey
    counts: pd.DataFrame

    @property
    def n(self) -> int:
        """Respondents linked to a finished dossier with a due date."""
        return int(self.survey.responses[LINKED].sum())

    @property
    def n_late(self) -> int:
        """Those whose dossier was late by at least a working day."""
        return int((self.survey.responses[DAYS_LATE] > 0).sum())


def link_dossiers(survey: Survey, log: DossierLog, *, on: str, deadline: Deadline) -> Linkage:
    """Join the answers to their dossiers by id.

    Raises
    ------
    DataError
        If no answer names a dossier that the log knows.
    """
    ids = column(survey, on).map(_plain_id)
    known = ids[ids != ""]
    found = _ask_for(log.engine, sorted(set(known)), deadline=deadline)
    if found.empty:
        raise DataError(
            say("No link between survey and log: {n} respondents name a dossier in {column}, and the log knows none of "
                "them. Check that both write dossier codes alike and that the log covers the time of the survey.",
                n=len(known), column=on)
        )  # fmt: skip
    twice = found["dossier_id"].duplicated(keep=False)
    dossiers = found[~twice].set_index("dossier_id")
    late = log.calendar.working_days_between(dossiers["deadline"], dossiers["closed_at"])
    dossiers[DAYS_LATE] = late.astype(float).clip(lower=0)
    joined = dossiers.reindex(ids)
    status = np.select(
        [ids == "", ids.isin(found.loc[twice, "dossier_id"]), ~ids.isin(found["dossier_id"]),
         joined["closed_at"].isna().to_numpy(), joined["deadline"].isna().to_numpy()],
        ["no_id", "ambiguous_id", "unknown_id", "open", "no_due_date"], default=LINKED,
    )  # fmt: skip
    added = _columns(survey, joined.reset_index(drop=True), linked=status == LINKED)
    counts = pd.Series(status).value_counts().rename_axis("status").rename("n").reset_index()
    return Linkage(survey=replace(survey, responses=survey.responses.assign(**added)), counts=counts)


def _ask_for(engine: Engine, ids: list[str], *, deadline: Deadline) -> pd.DataFrame:
    """The dossiers with these ids; the engine forgets the ids afterwards."""
    import pyarrow as pa

    engine.register("asked_ids", pa.table({"dossier_id": pa.array(ids, pa.string())}))
    try:
        return ask(engine, "linked_dossiers", deadline=deadline)
    finally:
        engine.register("asked_ids", pa.table({"dossier_id": pa.array([], pa.string())}))


def _columns(survey: Survey, joined: pd.DataFrame, *, linked: np.ndarray) -> dict[str, np.ndarray]:
    added: dict[str, np.ndarray] = {LINKED: linked.astype(int)}
    for name in (DAYS_LATE, SUPPLEMENTS):
        added[name] = np.where(linked, joined[name].to_numpy(dtype=float, na_value=np.nan), np.nan)
    wanted = [CHANNEL, *(name for name in ("field", "responsible_unit", "procedure") if name not in survey.responses)]
    for name in wanted:
        added[name] = joined[name].where(linked & joined[name].notna() & (joined[name] != ""), None).to_numpy()
    return added


def _plain_id(value: object) -> str:
    """An id as text: no spaces around it, composed letters; "" for none."""
    return "" if pd.isna(value) else unicodedata.normalize("NFC", str(value)).strip()  # type: ignore[call-overload]


def linkage_notes(linkage: Linkage) -> list[str]:
    """Who could be linked and why others could not, in words."""
    words = {
        "no_id": say("name no dossier"),
        "unknown_id": say("name one that the log does not know"),
        "ambiguous_id": say("name a code that the log has twice"),
        "open": say("have a dossier that is not finished"),
        "no_due_date": say("have one without a due date"),
    }
    counts = dict(zip(linkage.counts["status"], linkage.counts["n"], strict=True))
    listed = "; ".join(f"{number(counts[key])} {text}" for key, text in words.items() if counts.get(key))
    found = say("{n} of {all} respondents are linked to a finished dossier with a due date; {late} of these were late "
                "by at least one working day.", n=linkage.n, all=linkage.survey.n, late=linkage.n_late)  # fmt: skip
    return [found, say("Not linked: {reasons}.", reasons=listed)] if listed else [found]


def compare_unlinked(
    linkage: Linkage, outcome: str, *, at: tuple[Level, ...], about: tuple[str, ...], level: float
) -> pd.DataFrame:
    """How the linked differ from those who could not be: share satisfied, and each answer about who they are.

    Returns
    -------
    ``variable, level`` (empty: satisfied), ``estimate`` (linked less not linked), ``se, low, high, df, n, n_missing,
    estimate_a`` (linked), ``estimate_b``, ``n_a, n_b, p_value, p_adjusted`` (Holm's over all lines).
    """
    survey = linkage.survey
    columns = ["variable", "level", "estimate", "se", "low", "high", "df", "n", "n_missing", "estimate_a", "estimate_b",
               "n_a", "n_b", "p_value"]  # fmt: skip
    if survey.responses[LINKED].nunique() < 2:
        return pd.DataFrame(columns=[*columns, "p_adjusted"])
    pairs: list[tuple[str, Level, tuple[Level, ...]]] = [(outcome, "", at)]
    for name in about:
        answers = level_answers(survey, name)
        if answers.valid.any() and len(answers.levels) <= _MOST_LEVELS:
            pairs += [(name, answer, (answer,)) for answer in answers.levels]
    lines = [
        compare_groups(survey, name, groups=LINKED, reference=0, at=list(counted), level=level)
        .rows.assign(variable=name, level=pd.Series([answer], dtype=object))
        for name, answer, counted in pairs
    ]  # fmt: skip
    rows = pd.concat(lines, ignore_index=True)[columns]
    return rows.assign(p_adjusted=holm(rows["p_value"]))
