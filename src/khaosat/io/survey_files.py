"""Reads survey exports: any format, any column order, codes or labels; every fault found, no respondent lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from khaosat.domain.faults import fault, faults, frame
from khaosat.domain.questionnaire import Questionnaire, load_questionnaire
from khaosat.domain.survey import Design, Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.io.survey_answers import Faults, coded, tidy
from khaosat.io.survey_columns import ColumnMatcher
from khaosat.io.survey_raw import Ranges, RawSurvey, read_raw

RESPONDENT = ("respondent_id", "response_id", "id")
"""Columns that identify a respondent; the first that is there must not repeat (within a ``wave``, if there is one)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What a survey export holds.

    Parameters
    ----------
    responses, faults
        As :func:`load_responses` returns them.
    raw
        The file as it stands.
    """

    responses: pd.DataFrame
    faults: pd.DataFrame
    raw: RawSurvey


def read_survey(
    path: str | Path,
    *,
    questionnaire: Questionnaire | str | Path,
    design: Design | None = None,
    columns: Mapping[str, str] | None = None,
) -> Survey:
    """A survey from an export file.

    Parameters
    ----------
    path
        CSV (comma, semicolon, tab; UTF-8, UTF-16, Windows-1258; gzip), XLSX, Parquet, SPSS ``.sav`` or Stata ``.dta``.
    questionnaire
        What was asked: a questionnaire, a built-in id, or a folder.
    design
        Names of the design columns; the default is a simple random sample.
    columns
        Our names of columns that are not called like their question: ``{"Câu 1.1": "q1_1", "Trọng số": "weight"}``.

    Returns
    -------
    Survey
        Answers as whole-number codes; other columns as they are. ``faults`` holds what was wrong, cell by cell.

    Raises
    ------
    DataError
        If the file cannot be read, has no question or design column in it, or no usable row; with every fault.
    DesignError
        If the design columns contradict each other.

    Notes
    -----
    Questions are found by mapping, name or label; case, diacritics, spaces and punctuation do not count. An answer that
    the scale does not have is blanked and reported, the rest of its row is kept. Rows that repeat a respondent, or lack
    a weight, stratum or unit, are refused one by one.
    """
    known = questionnaire if isinstance(questionnaire, Questionnaire) else load_questionnaire(questionnaire)
    chosen = design or Design()
    responses, found = load_responses(path, questionnaire=known, columns=columns, design=chosen)
    if responses.empty:
        raise _data_error(Path(path).name, found)
    return Survey(responses=responses, questionnaire=known, design=chosen, faults=found)


def load_responses(
    path: str | Path,
    *,
    questionnaire: Questionnaire,
    columns: Mapping[str, str] | None = None,
    design: Design | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Responses of an export file and everything that was wrong with it; parameters as in :func:`read_survey`.

    Without a ``design`` nothing is asked of the columns that are no questions.

    Returns
    -------
    tuple of pandas.DataFrame
        Responses, by row number of the file (index ``row``): questions as ``Int64`` codes (text for texts and several
        answers), then the other columns; and the faults. Refused rows are in the faults and not in the responses.

    Raises
    ------
    DataError
        If the file is empty, unreadable, holds no question or lacks a column of the design.
    """
    answers = load_answers(
        Path(path), file=Path(path).name, questionnaire=questionnaire, columns=columns, design=design
    )
    return answers.responses, answers.faults


def load_answers(
    path: Path,
    *,
    file: str,
    questionnaire: Questionnaire,
    columns: Mapping[str, str] | None = None,
    design: Design | None = None,
) -> Answers:
    """What a survey export holds; faults call it ``file``, all else is as in :func:`load_responses`."""
    chosen = design or Design()
    matcher = ColumnMatcher(questionnaire, columns)
    raw = read_raw(path, file=file, is_header=matcher.is_header, knows=matcher.question)
    match = matcher.match(raw.header, labels=raw.labels, file=file)
    found: Faults = [*match.faults, *raw.faults, *_ambiguous(chosen, questionnaire, file)]
    if any(one["fault"] in ("no_questions", "design_is_question") for one in found):
        raise _data_error(file, frame(found))
    if not raw.records:
        found.insert(0, fault("no_respondents", file=file))
    responses, blanked = _converted(raw, match.names, questionnaire=questionnaire, file=file)
    headers = {name: raw.header[place] for place, name in match.names.items()}
    for check in (_repeats, _design_faults):
        refused = check(responses, chosen, headers=headers, file=file)
        responses = responses[~responses.index.isin([row["row"] for row in refused])]
        blanked += refused
    faults_found = frame([*found, *blanked])
    if (faults_found["fault"] == "missing_design_column").any():
        raise _data_error(file, faults_found)
    return Answers(responses=responses, faults=faults_found, raw=raw)


def _ambiguous(design: Design, questionnaire: Questionnaire, file: str) -> Faults:
    """Columns of the design that are called like a question; one about the respondent may well be a stratum."""
    rows = questionnaire.questions
    asked = set(rows.loc[rows["block"] != "profile", "name"])
    names = [name for name in dict.fromkeys(design.columns) if name in asked]
    return [fault("design_is_question", file=file, column=name, value=questionnaire.id) for name in names]


def _converted(
    raw: RawSurvey, names: Mapping[int, str], *, questionnaire: Questionnaire, file: str
) -> tuple[pd.DataFrame, Faults]:
    """The columns that are kept, in the file's order."""
    questions = set(questionnaire.questions["name"])
    series: dict[str, pd.Series] = {}
    found: Faults = []
    for place in sorted(names):
        name, values = names[place], raw.columns[place]
        if place in raw.missing:
            spared = {*questionnaire.levels(name), *questionnaire.dont_know(name)} if name in questions else set()
            values = _without_declared(values, raw.missing[place], spared)
        if name in questions:
            series[name], blanked = coded(
                values, name, questionnaire=questionnaire, file=file, rows=raw.rows, column=raw.header[place]
            )
            found += blanked
        else:
            series[name] = tidy(values, name)
    return pd.DataFrame(series).set_axis(pd.Index(raw.rows, name="row", dtype="int64")), found


def _without_declared(values: pd.Series, ranges: Ranges, spared: set[int]) -> pd.Series:
    """Values without the codes that the file declares missing, except those the questionnaire knows."""
    numbers = pd.to_numeric(values, errors="coerce")
    declared = np.logical_or.reduce([numbers.between(low, high) for low, high in ranges] + [numbers.isin([])])
    return values.mask(declared & ~numbers.isin(spared))


def _repeats(responses: pd.DataFrame, design: Design, *, headers: Mapping[str, str], file: str) -> Faults:
    """Rows of a respondent that an earlier row has."""
    name = next((name for name in RESPONDENT if name in responses), None)
    if name is None:
        return []
    keys = [name, *(["wave"] if "wave" in responses else [])]
    again = responses.duplicated(keys) & responses[name].notna()
    values = responses.loc[again, name]
    rows = values.index.tolist()
    return faults("repeated_respondent", file=file, rows=rows, column=headers[name], values=values.tolist())


def _design_faults(responses: pd.DataFrame, design: Design, *, headers: Mapping[str, str], file: str) -> Faults:
    """Columns of the design that are not there; else rows without a weight, stratum or unit, each row once."""
    absent = [name for name in dict.fromkeys(design.columns) if name not in responses]
    if absent:
        return [fault("missing_design_column", file=file, column=name) for name in absent]
    found: Faults = []
    sound = pd.Series(True, index=responses.index)
    checked = {name: role for role, names in design.roles.items() if role != "fpc" for name in names}
    for name, role in checked.items():
        bad, code = responses[name].isna(), "missing_design_value"
        if role == "weights":
            weight = pd.to_numeric(responses[name], errors="coerce").astype(float)
            bad, code = ~((weight > 0) & np.isfinite(weight)), "bad_weight"
        rows = responses.index[bad & sound]
        values = responses.loc[rows, name].astype(object).fillna("").tolist()
        found += faults(code, file=file, rows=rows.tolist(), column=headers[name], values=values)
        sound &= ~bad
    return found


def _data_error(file: str, found: pd.DataFrame) -> DataError:
    grave = found[found["severity"] == "refused"]
    messages = (found if grave.empty else grave)["message"].unique()
    head = say("{file} cannot be used.", file=file)
    return DataError("\n".join([head, *messages[:10]]), found)
