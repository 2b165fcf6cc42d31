"""One notebook, one report for each unit: the city's results once, the sheets in parallel, an index page over them.

A sheet that fails does not stop the others: it is named in ``status.json`` and on the index page, its last good files
stay, and the next run makes everything anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.domain.period import Period, as_period
from khaosat.domain.vietnamese import without_marks
from khaosat.errors import WorkspaceError
from khaosat.facts.language import Lang, language, say
from khaosat.report.manifest import digest, digest_values
from khaosat.report.parameters import Notebook, checked
from khaosat.report.runner import (
    MANIFEST,
    Outcome,
    Progress,
    environment,
    folder_name,
    gather_inputs,
    is_intact,
    refuse_unfinished,
    render,
)
from khaosat.report.swap import held, swapped_in

if TYPE_CHECKING:
    from khaosat.report.unit_book import UnitBook
    from khaosat.workspace import Workspace

INDEX = "index.html"
STATUS = "status.json"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One report of many: of which unit, where, and why it failed if it did."""

    unit: str
    folder: str
    fault: str = ""
    kept: bool = False


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What a worker needs beside the book."""

    workspace: Workspace
    notebook: Notebook
    values: Mapping[str, object]
    each: str
    lang: Lang
    key: str
    work: Path


def parameter(workspace: Workspace, notebook: str) -> str:
    """The parameter over which a notebook is fanned out (``khaosat.each`` of its metadata), or ``""``."""
    about = json.loads(workspace.notebook(notebook).read_text(encoding="utf-8"))["metadata"].get("khaosat", {})
    return str(about.get("each", ""))


def build_each(
    workspace: Workspace,
    period: Period | str,
    *,
    notebook: str,
    lang: Lang = "vi",
    parameters: Mapping[str, object] | None = None,
    force: bool = False,
    allow_unfinished: bool = False,
    workers: int = 0,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Build a notebook's report for every unit with dossiers in a period.

    Parameters
    ----------
    notebook
        Its metadata name the parameter that holds the unit.
    workers
        Processes; by default one a core.
    lang, parameters, force, allow_unfinished, progress
        As in :func:`khaosat.report.build`.

    Returns
    -------
    Outcome
        ``failed`` names the units without a new sheet.
    """
    source = workspace.notebook(notebook)
    each = parameter(workspace, notebook)
    if not each:
        raise WorkspaceError(say("the notebook {name} is not one that is made for each unit", name=notebook))
    node = json.loads(source.read_text(encoding="utf-8"))
    values = checked(node, {"period": str(as_period(period)), **(parameters or {})})
    target = workspace.reports / folder_name(str(values["period"]), notebook, lang, each=each)
    with held(target):
        inputs = {**gather_inputs(workspace, source, values, lang), "each": each}
        key = digest_values(inputs)
        if not force and is_intact(target, key):
            return Outcome(state="unchanged", folder=target)
        if not allow_unfinished:
            refuse_unfinished(workspace, as_period(period))
        with swapped_in(target) as work, language(lang):
            job = _Job(workspace=workspace, notebook=node, values=values, each=each, lang=lang, key=key, work=work)
            sheets = _make(job, old=target, workers=workers, progress=progress)
            _finish(work, sheets, inputs=inputs, key=key)
    return Outcome(state="built", folder=target, failed=tuple(sheet.unit for sheet in sheets if sheet.fault))


def _make(job: _Job, *, old: Path, workers: int, progress: Progress) -> list[Sheet]:
    """The sheets of all units, and the page that lists them."""
    from khaosat.report.unit_book import unit_book
    from khaosat.report.unit_index import write_index

    progress(say("computing the city's results"))
    with environment(KHAOSAT_WORKSPACE=str(job.workspace.root), KHAOSAT_LANG=job.lang):
        book = unit_book(str(job.values["period"]), wave=str(job.values.get("wave", "")))
        sheets = []
        for sheet in _in_parallel(job, book, workers=workers):
            if sheet.fault and (old / sheet.folder).is_dir():
                shutil.copytree(old / sheet.folder, job.work / sheet.folder, dirs_exist_ok=True)
                sheet = replace(sheet, kept=True)
            sheets.append(sheet)
            progress(say("{done} of {n} units", done=len(sheets), n=len(book.units)))
    write_index(book, sheets, job.work / INDEX, lang=job.lang, key=job.key)
    return sheets


def _in_parallel(job: _Job, book: UnitBook, *, workers: int) -> Iterator[Sheet]:
    """Each unit's sheet, in order. New processes rather than forks: the engine's threads do not survive a fork."""
    places = folders(book.units)
    count = min(workers or os.cpu_count() or 1, max(len(places), 1))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start, initargs=(job, book)) as pool:
        futures = [pool.submit(_sheet, unit, folder) for unit, folder in places.items()]
        for (unit, folder), future in zip(places.items(), futures, strict=True):
            try:
                yield Sheet(unit=unit, folder=folder, fault=future.result())
            except Exception as error:  # a process that died: the others' sheets stand
                yield Sheet(unit=unit, folder=folder, fault=f"{type(error).__name__}: {error}")


def folders(units: Sequence[str]) -> dict[str, str]:
    """A folder name for each unit: without diacritics, no two alike.

    >>> folders(["Phường Bến Nghé", "Phường Bến Nghe", "!"])
    {'Phường Bến Nghé': 'phuong-ben-nghe', 'Phường Bến Nghe': 'phuong-ben-nghe-2', '!': 'don-vi'}
    """
    taken: dict[str, str] = {}
    used: set[str] = set()
    for unit in units:
        name = re.sub(r"[^a-z0-9]+", "-", without_marks(unit).lower()).strip("-")[:60] or "don-vi"
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}-{number}"
        used.add(free)
        taken[unit] = free
    return taken


_job: _Job | None = None


def _start(job: _Job, book: UnitBook) -> None:
    """What a worker knows from its start."""
    from khaosat.report.unit_book import share_book

    global _job
    _job = job
    os.environ.update(KHAOSAT_WORKSPACE=str(job.workspace.root), KHAOSAT_LANG=job.lang, MPLBACKEND="Agg")
    with language(job.lang):
        share_book(book)


def _sheet(unit: str, folder: str) -> str:
    """Make one sheet; what went wrong, or ``""``."""
    from khaosat.report.cells import run_cells
    from khaosat.report.letterhead import document

    if _job is None:
        raise RuntimeError("the worker was not started")
    job, values = _job, {**_job.values, _job.each: unit}
    place = job.work / folder
    place.mkdir()
    try:
        with language(job.lang):
            executed = run_cells(job.notebook, values)
            paper = document(
                job.workspace, executed, period=Period(str(values["period"])), lang=job.lang, key=job.key, words=values
            )
            render(paper, place)
    except Exception as error:  # whatever it is: the other units' sheets are made, and this one is named
        shutil.rmtree(place)
        return f"{type(error).__name__}: {error}"
    return ""


def _finish(work: Path, sheets: Sequence[Sheet], *, inputs: Mapping[str, object], key: str) -> None:
    """What became of each unit, and the manifest; without a key where a unit failed: the next run tries again."""
    failed = [{"unit": s.unit, "fault": s.fault, "kept": s.kept} for s in sheets if s.fault]
    status = {"units": len(sheets), "built": len(sheets) - len(failed), "failed": failed}
    (work / STATUS).write_text(json.dumps(status, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    files = sorted(path for path in work.rglob("*") if path.is_file())
    outputs = {path.relative_to(work).as_posix(): digest(path) for path in files}
    manifest = {"key": "" if failed else key, "inputs": inputs, "sheets": len(sheets),
                "failed": [sheet["unit"] for sheet in failed], "outputs": outputs}  # fmt: skip
    (work / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
