"""Looks at files without storing anything."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from khaosat.domain.questionnaire import Questionnaire, load_questionnaire
from khaosat.domain.survey import Design
from khaosat.errors import DataError
from khaosat.io.checks import check_rows
from khaosat.io.fault_tables import gather_faults, worded
from khaosat.io.mapping import SourceMapping
from khaosat.io.mapping_files import load_mapping
from khaosat.io.sources import SourceFile, Sources, listed
from khaosat.io.staging import Staging
from khaosat.io.store import disk_errors
from khaosat.io.survey_files import load_answers

_SURVEY_ONLY = (".sav", ".dta")


def check_files(
    paths: Sources,
    *,
    mapping: str | Path | SourceMapping = "dvcqg",
    questionnaire: Questionnaire | str | Path = "sipas_2023",
    columns: Mapping[str, str] | None = None,
    design: Design | None = None,
    memory_limit: str = "1GB",
) -> pd.DataFrame:
    """Everything wrong with dossier files and survey files.

    Parameters
    ----------
    paths
        A file, a folder, a list of them, or files by table. A file with the columns of a dossier table is one, any
        other is looked at as a survey.
    mapping
        What columns of dossier files mean.
    questionnaire, columns
        What was asked, and our names of columns that are not called like their question.
    design
        The sampling design that survey files must have the columns of; without it nothing is asked of them.
    memory_limit
        For the work; what does not fit goes to a temporary folder.

    Returns
    -------
    pandas.DataFrame
        ``file, row, column, value, fault, severity, message``; empty when all is well.
    """
    known = questionnaire if isinstance(questionnaire, Questionnaire) else load_questionnaire(questionnaire)
    surveys: list[pd.DataFrame] = []
    with (
        disk_errors(Path(tempfile.gettempdir())),
        tempfile.TemporaryDirectory(prefix="khaosat-", ignore_cleanup_errors=True) as folder,
        Staging(Path(folder), mapping=load_mapping(mapping), personal=False, memory_limit=memory_limit) as staging,
    ):
        for file in listed(paths):
            faults = len(staging.file_faults)
            if not staging.add(file) and not file.tables:
                answers = _survey_faults(file, known, columns=columns, design=design)
                if answers is not None:
                    surveys.append(answers)
                    del staging.file_faults[faults:]
        check_rows(staging)
        gather_faults(staging)
        return pd.concat([worded(staging.database, "all_faults"), *surveys], ignore_index=True)


def _survey_faults(
    file: SourceFile, questionnaire: Questionnaire, *, columns: Mapping[str, str] | None, design: Design | None
) -> pd.DataFrame | None:
    """Faults of a survey file; None if the file is no survey."""
    read = partial(load_answers, file.path, file=file.label, questionnaire=questionnaire, columns=columns)
    try:
        found = read().faults
    except DataError as error:
        return error.faults if file.path.suffix.lower() in _SURVEY_ONLY else None
    if design is None:
        return found
    try:  # only now, so that a survey without its weights is told apart from a file that is no survey
        return read(design=design).faults
    except DataError as error:
        return found if error.faults is None else error.faults
