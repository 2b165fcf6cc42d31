"""One run of a report: notebook → executed notebook → blocks → HTML, PDF, DOCX, XLSX → swapped in with a manifest.

A run is known by its key: a hash of parameters, settings, stored data, facts, code and versions. The same key again,
with its outputs untouched, is not run again. Work happens in a hidden folder beside the target; the target is replaced
only by a finished run, so a failure leaves the last good report as it was.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError, KhaosatError
from khaosat.facts.language import Lang, date, language, say
from khaosat.report.manifest import digest, digest_tree, digest_values
from khaosat.report.swap import held, swapped_in

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from khaosat.report.document import Document
    from khaosat.workspace import Workspace

FILES = {"html": "bao-cao.html", "pdf": "bao-cao.pdf", "docx": "bao-cao.docx", "xlsx": "phu-luc.xlsx"}
NOTEBOOK = "so-tay.ipynb"
MANIFEST = "manifest.json"
DEFAULT_NOTEBOOK = "bao-cao-quy"
_VERSIONS = ("khaosat", "duckdb", "matplotlib", "numpy", "pandas", "papermill", "python-docx", "seaborn",
             "typst", "xlsxwriter")  # fmt: skip

Progress = Callable[[str], None]


class ReportFailed(KhaosatError):
    """A cell of the report notebook failed; the last good report is untouched."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Parameters
    ----------
    state
        ``built`` or ``unchanged``.
    folder
        Where the report is.
    failed
        Of a report made for each unit: the units whose sheet could not be made.
    """

    state: Literal["built", "unchanged"]
    folder: Path
    failed: tuple[str, ...] = ()


def build(
    workspace: Workspace,
    period: Period | str,
    *,
    notebook: str = "",
    lang: Lang = "vi",
    parameters: Mapping[str, object] | None = None,
    force: bool = False,
    allow_unfinished: bool = False,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Build a report of a period, or find it already built.

    Parameters
    ----------
    notebook
        Name of a notebook of ``notebooks/``; by default the workspace's.
    parameters
        Over the defaults of its parameters cell; ``period`` is set from ``period``.
    force
        Build even if nothing changed.
    allow_unfinished
        Build even if the log ends before the period does.
    progress
        Told the name of each step as it starts.

    Raises
    ------
    WorkspaceError
        If there is no such notebook, a parameter is unknown or of the wrong type, or another run holds the folder.
    DataError
        If the log ends before the period does.
    ReportFailed
        If a cell failed.
    """
    from khaosat.report.parameters import checked

    name = notebook or workspace.report.notebook
    source = workspace.notebook(name)
    name = source.stem
    notebook_json = json.loads(source.read_text(encoding="utf-8"))
    values = checked(notebook_json, {"period": str(as_period(period)), **(parameters or {})})
    target = workspace.reports / folder_name(str(values["period"]), name, lang)
    with held(target):
        inputs = gather_inputs(workspace, source, values, lang)
        key = digest_values(inputs)
        if not force and is_intact(target, key):
            return Outcome(state="unchanged", folder=target)
        if not allow_unfinished:
            refuse_unfinished(workspace, as_period(period))
        _build(workspace, source, values, target=target, inputs=inputs, key=key, lang=lang, progress=progress)
    return Outcome(state="built", folder=target)


def is_intact(folder: Path, key: str) -> bool:
    """Whether a folder holds the finished run of a key, with every output as it was written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return manifest["key"] == key and all(
            digest(folder / file) == checksum for file, checksum in manifest["outputs"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def refuse_unfinished(workspace: Workspace, period: Period) -> None:
    """A log whose last day leaves working days of the period uncovered would pass a part off as the whole."""
    log = workspace.log()
    if log is None:
        return
    last = period.end - dt.timedelta(days=1)
    missing = int(log.calendar.working_days_between(log.as_of, last))
    if missing > 0:
        raise DataError(
            say(
                "the log ends on {as_of}, {n} working days before the end of {period}: ingest newer data, or pass "
                "--allow-unfinished",
                as_of=date(log.as_of),
                n=missing,
                period=period.label,
            )
        )


def _build(
    workspace: Workspace,
    source: Path,
    values: Mapping[str, object],
    *,
    target: Path,
    inputs: Mapping[str, object],
    key: str,
    lang: Lang,
    progress: Progress,
) -> None:
    from khaosat.report.letterhead import document

    with swapped_in(target) as work, language(lang):
        executed = _execute(workspace, source, values, work=work, lang=lang, progress=progress)
        progress(say("laying out the report"))
        paper = document(workspace, executed, period=Period(str(values["period"])), lang=lang, key=key, words=values)
        render(paper, work)
        outputs = {file.name: digest(file) for file in sorted(work.iterdir())}
        manifest = {"key": key, "inputs": inputs, "outputs": outputs}
        (work / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _execute(
    workspace: Workspace,
    source: Path,
    values: Mapping[str, object],
    *,
    work: Path,
    lang: Lang,
    progress: Progress,
) -> NotebookNode:
    import nbformat
    import papermill

    from khaosat.report.notebook import cleaned, failure

    output = work / NOTEBOOK
    progress(say("running the notebook"))
    with environment(KHAOSAT_WORKSPACE=str(workspace.root), KHAOSAT_LANG=lang):
        try:
            papermill.execute_notebook(
                str(source), str(output), parameters=dict(values), cwd=str(workspace.root), progress_bar=False,
                kernel_name="python3", language="python", extra_arguments=["--log-level=ERROR"],
            )  # fmt: skip
        except papermill.PapermillExecutionError as error:
            raise ReportFailed(failure(error)) from error
    executed = cleaned(nbformat.read(output, as_version=4))
    nbformat.write(executed, output)
    return executed


def render(paper: Document, work: Path) -> None:
    """Write a document in every format."""
    from khaosat.report import docx, html, pdf, xlsx

    for kind, write in (("html", html.write), ("pdf", pdf.write), ("docx", docx.write), ("xlsx", xlsx.write)):
        write(paper, work / FILES[kind])


def gather_inputs(workspace: Workspace, source: Path, values: Mapping[str, object], lang: Lang) -> dict[str, object]:
    """What the report depends on, in words and hashes; no clock, no machine, no user."""
    package = Path(__file__).resolve().parent.parent
    store = workspace.root / workspace.store.folder / "manifest.json"
    lock = source.parent.parent / "requirements.lock"
    return {
        "parameters": dict(values),
        "language": lang,
        "notebook": {"name": source.stem, "sha256": digest(source)},
        "settings": digest(workspace.root / "khaosat.toml"),
        "data": digest(store) if store.is_file() else "",
        "own_facts": digest_tree(workspace.root / "data" / "facts"),
        "code_and_facts": digest_tree(package),
        "lock": digest(lock) if lock.is_file() else "",
        "versions": {name: metadata.version(name) for name in _VERSIONS},
    }


def folder_name(period: str, notebook: str, lang: Lang, *, each: str = "") -> str:
    """Name of the folder of a report, below ``reports/``; ``each`` is what it is made for each of.

    >>> folder_name("2026-Q3", "bao-cao-quy", "vi"), folder_name("2026-07", "tre-han-thang", "en")
    ('2026-Q3', '2026-07-tre-han-thang-en')
    """
    parts = [period]
    if notebook != DEFAULT_NOTEBOOK:
        parts.append(notebook)
    if each:
        parts.append(f"by-{each}")
    if lang != "vi":
        parts.append(lang)
    return "-".join(parts)


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables that the kernel inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
