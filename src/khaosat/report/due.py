"""The unattended job: what is due, one run at a time, each checked, all of it written down and told.

A report once finished is left as it was published; only one that is missing, or whose files were damaged, is made. So a
machine that was off for a while catches up, and a second run on the same day has nothing to do.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from khaosat.domain.period import Period
from khaosat.errors import DataError, KhaosatError, WorkspaceError
from khaosat.facts.language import Lang, say
from khaosat.report.fan_out import build_each, parameter
from khaosat.report.outputs import damage
from khaosat.report.runner import MANIFEST, build, folder_name
from khaosat.report.swap import written

if TYPE_CHECKING:
    from khaosat.workspace import Workspace

STATUS = "status.json"
JOURNAL = "nhat-ky.jsonl"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

State = Literal["built", "finished", "waiting", "failed"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One due report and what became of it.

    Parameters
    ----------
    state
        ``built`` now, ``finished`` before, ``waiting`` for data that reach the period's end, or ``failed``.
    message
        Why it waits or failed: the cell, the notebook, the error.
    """

    period: str
    notebook: str
    folder: str
    state: State
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """What an unattended run did; ``reports/status.json`` holds the last one."""

    started: str
    ended: str
    version: str
    runs: tuple[Run, ...] = ()
    ingest: str = ""
    faults: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 done or nothing to do, 1 something failed, 3 data are missing or were refused."""
        if any(run.state == "failed" for run in self.runs) or self.faults:
            return 1
        return 3 if self.ingest == "refused" or any(run.state == "waiting" for run in self.runs) else 0

    def as_json(self) -> str:
        """The status as JSON text, exit code included."""
        return json.dumps({**asdict(self), "exit_code": self.exit_code}, ensure_ascii=False, indent=1)


def due(workspace: Workspace, *, today: dt.date) -> Iterator[tuple[Period, str]]:
    """The reports that are due on a day: each ended period, the oldest first, with each of its notebooks.

    Parameters
    ----------
    workspace
        Its ``[schedule]`` says which notebooks, and how many working days after a period's end.
    today
        The day, by the calendar of Viet Nam.
    """
    schedule, calendar = workspace.schedule, workspace.calendar()
    for kind, notebooks in (("quarter", schedule.quarterly), ("month", schedule.monthly)):
        if not notebooks:
            continue
        period = _period_of(today, kind)
        ended: list[Period] = []
        while len(ended) < schedule.catch_up:
            period = period.previous
            last = period.end.date() - dt.timedelta(days=1)
            if int(calendar.working_days_between(last, today)) >= schedule.wait:
                ended.append(period)
        yield from ((each, notebook) for each in reversed(ended) for notebook in notebooks)


def run_due(
    workspace: Workspace,
    *,
    lang: Lang = "vi",
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(ZONE),
    progress: Callable[[str], None] = lambda _: None,
) -> Status:
    """Take new data in, make what is due, check it, write it down.

    Parameters
    ----------
    now
        The clock, in a time zone; tests set it.

    Returns
    -------
    Status
        Also in ``reports/status.json``, and as lines of ``reports/nhat-ky.jsonl``.

    Raises
    ------
    WorkspaceError
        Another unattended run is at work.
    """
    import filelock

    with written(workspace.reports):
        workspace.reports.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(workspace.reports / ".due.lock", timeout=0)
        try:
            with lock:
                started = now()
                ingested, faults = _ingest(workspace) if workspace.schedule.ingest else ("", ())
                runs = []
                for period, notebook in due(workspace, today=started.astimezone(ZONE).date()):
                    progress(f"{notebook} {period}")
                    runs.append(_run(workspace, period, notebook, lang=lang, now=now))
                    _journal(workspace, {"time": now().isoformat(), **asdict(runs[-1])})
                if workspace.schedule.keep:
                    _retire(workspace, lang)
                status = Status(
                    started=started.isoformat(), ended=now().isoformat(), version=metadata.version("khaosat"),
                    runs=tuple(runs), ingest=ingested, faults=faults,
                )  # fmt: skip
                _write(workspace.reports / STATUS, status.as_json())
                return status
        except filelock.Timeout as error:
            raise WorkspaceError(
                say("another unattended run is at work in {folder}", folder=workspace.reports)
            ) from error


def _period_of(day: dt.date, kind: str) -> Period:
    return Period(f"{day.year}-Q{(day.month + 2) // 3}" if kind == "quarter" else f"{day:%Y-%m}")


def _ingest(workspace: Workspace) -> tuple[str, tuple[str, ...]]:
    """``done`` or ``refused``, and what kept it from running; old data still make old reports."""
    try:
        reports = workspace.ingest()
    except KhaosatError as error:
        return "failed", (str(error),)
    return ("refused" if any(report.refused for report in reports) else "done"), ()


def _run(workspace: Workspace, period: Period, notebook: str, *, lang: Lang, now: Callable[[], dt.datetime]) -> Run:
    started = now()
    each = _each(workspace, notebook)
    folder = workspace.reports / folder_name(str(period), notebook, lang, each=each)
    state: State = "finished"
    message = ""
    try:
        if damage(folder):
            make = build_each if each else build
            make(workspace, period, notebook=notebook, lang=lang, force=folder.exists())
            message = "; ".join(damage(folder))
            state = "failed" if message else "built"
    except DataError as error:
        state, message = "waiting", str(error)
    except KhaosatError as error:
        state, message = "failed", str(error)
    except Exception as error:  # nobody watches: whatever it is goes into the status, and the next report is made
        state, message = "failed", f"{type(error).__name__}: {error}"
    return Run(
        period=str(period), notebook=notebook, folder=folder.name, state=state, message=message,
        seconds=round((now() - started).total_seconds(), 1),
    )  # fmt: skip


def _each(workspace: Workspace, notebook: str) -> str:
    """What a notebook is made for each of; of one that is not there nothing: building it will say so."""
    try:
        return parameter(workspace, notebook)
    except WorkspaceError:
        return ""


def _retire(workspace: Workspace, lang: Lang) -> None:
    """Remove the oldest finished reports beyond those kept; what somebody else put there stays."""
    schedule = workspace.schedule
    for notebooks in (schedule.quarterly, schedule.monthly):
        for notebook in notebooks:
            ending = folder_name("", notebook, lang, each=_each(workspace, notebook))
            folders = sorted(
                path.parent
                for path in workspace.reports.glob(f"*{ending}/{MANIFEST}")
                if _is_period(path.parent.name.removesuffix(ending))
            )
            for folder in folders[: -schedule.keep]:
                shutil.rmtree(folder)


def _is_period(text: str) -> bool:
    try:
        Period(text)
    except ValueError:
        return False
    return True


def _journal(workspace: Workspace, line: dict[str, object]) -> None:
    with (workspace.reports / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    """In one move: who reads the file while it is written sees the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text + "\n", encoding="utf-8")
    os.replace(beside, path)


def words(status: Status) -> Sequence[str]:
    """The status as lines for people."""
    names = {
        "built": say("built"), "finished": say("finished before"), "waiting": say("waiting for data"),
        "failed": say("failed"),
    }  # fmt: skip
    lines = []
    for run in status.runs:
        line = f"{run.period} · {run.notebook}: {names[run.state]}"
        lines.append(f"{line} – {run.message}" if run.message else line)
    if status.ingest == "refused":
        lines.append(say("Some files or rows were refused on the way in: see khaosat ingest."))
    return [*lines, *status.faults] or [say("Nothing is due.")]
