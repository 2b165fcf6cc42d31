"""The command ``khaosat``: check, ingest, report, sample, status.

Exit codes: 0 done or nothing to do, 1 failed, 2 wrong call or settings, 3 data refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from khaosat.errors import DataError, DesignError, FactsError, KhaosatError, WorkspaceError
from khaosat.facts.language import Lang, current_language, language, say

if TYPE_CHECKING:
    import pandas as pd

    from khaosat.report import Outcome
    from khaosat.workspace import Workspace

DONE, FAILED, WRONG_CALL, REFUSED = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    with language(_asked_language(words)):
        arguments = _parser().parse_args(words, argparse.Namespace(workspace=None))
        try:
            return int(arguments.run(arguments))
        except DataError as error:
            _complain(str(error))
            if error.faults is not None:
                _print_faults(error.faults)
            return REFUSED
        except (WorkspaceError, FactsError, DesignError) as error:
            _complain(str(error))
            return WRONG_CALL
        except KhaosatError as error:
            _complain(str(error))
            return FAILED
        except KeyboardInterrupt:
            _complain(say("stopped by the user; nothing was changed"))
            return FAILED


def _check(arguments: argparse.Namespace) -> int:
    """Read files without storing them; print every fault found."""
    from khaosat.io import check_files
    from khaosat.io.fault_tables import write_faults

    workspace = _workspace_or_none(arguments)
    faults = check_files(
        arguments.paths,
        mapping=arguments.mapping or (workspace.mapping() if workspace else "dvcqg"),
        questionnaire=arguments.questionnaire or (workspace.questionnaire() if workspace else "sipas_2023"),
        # another questionnaire than the workspace's is another survey, with columns and a design of its own
        columns=workspace.survey.columns if workspace and not arguments.questionnaire else None,
        design=workspace.design() if workspace and not arguments.questionnaire else None,
    )
    if arguments.output:
        write_faults(faults, arguments.output)
    _print_faults(faults)
    return REFUSED if (faults["severity"] == "refused").any() else DONE


def _ingest(arguments: argparse.Namespace) -> int:
    """Bring the workspace's sources into its store."""
    from khaosat.workspace import Workspace

    workspace = Workspace.find(arguments.workspace)
    with _progress(say("ingesting")) as advance:
        reports = workspace.ingest(progress=advance)
    if not reports:
        print(say("khaosat.toml names no sources."))
    refused = False
    for report in reports:
        print(report.summary())
        if len(report.faults):
            _print_faults(report.faults)
        refused |= bool(report.refused)
    return REFUSED if refused else DONE


def _report(arguments: argparse.Namespace) -> int:
    """Build the report of a period, or all that are due."""
    from khaosat.report import build, build_each
    from khaosat.report.fan_out import parameter
    from khaosat.workspace import Workspace

    workspace = Workspace.find(arguments.workspace)
    if arguments.due:
        return _due(workspace)
    if workspace.is_empty:
        raise WorkspaceError(say("the store is empty: run `khaosat ingest` first"))
    given = {name: getattr(arguments, name) for name in ("by", "wave") if getattr(arguments, name)}
    notebook = arguments.notebook or workspace.report.notebook
    make: Callable[..., Outcome] = build
    if arguments.by and arguments.by == parameter(workspace, notebook):
        make, given = build_each, {name: value for name, value in given.items() if name != "by"}
    with _steps() as progress:
        outcome = make(
            workspace,
            arguments.period,
            notebook=notebook,
            lang=current_language(),
            parameters=given,
            force=arguments.force,
            allow_unfinished=arguments.allow_unfinished,
            progress=progress,
        )
    if outcome.state == "unchanged":
        print(say("{folder}: nothing has changed since the last run", folder=outcome.folder))
    else:
        print(say("{folder}: done", folder=outcome.folder))
        for file in sorted(file for file in outcome.folder.iterdir() if file.is_file()):
            print(f"  {file.name}")
    for unit in outcome.failed:
        _complain(say("the sheet of {unit} could not be made", unit=unit))
    return FAILED if outcome.failed else DONE


def _due(workspace: Workspace) -> int:
    """The unattended job: no bar, lines for a log."""
    from khaosat.report.due import run_due, words
    from khaosat.report.notify import check_notify, notify

    check_notify(workspace.notify)
    status = run_due(workspace, lang=current_language(), progress=lambda step: print(step, flush=True))
    for line in words(status):
        print(line)
    for failure in notify(workspace, status):
        _complain(failure)
    return status.exit_code


def _sample(arguments: argparse.Namespace) -> int:
    """Write an invented city."""
    from khaosat.sample import write_sample

    with _progress(say("writing the sample")) as advance:
        write_sample(
            arguments.out,
            dossiers=arguments.dossiers,
            survey=arguments.survey,
            seed=arguments.seed,
            file_format=arguments.format,
            progress=advance,
        )
    return DONE


def _status(arguments: argparse.Namespace) -> int:
    """Say what the store holds and which reports are there."""
    from khaosat.workspace import Workspace

    print(Workspace.find(arguments.workspace).status())
    return DONE


def _parser() -> argparse.ArgumentParser:
    # --lang and --workspace may stand before or after the command; SUPPRESS keeps one from undoing the other (and
    # set_defaults would undo SUPPRESS, in the subcommands too: parents share their actions)
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--lang", choices=("vi", "en"), help=say("language of messages and of the report"))
    common.add_argument("--workspace", type=Path, help=say("folder with khaosat.toml (default: the nearest)"))
    parser = argparse.ArgumentParser(
        prog="khaosat",
        description=say("Satisfaction surveys and dossier logs of public services: from raw files to a report."),
        parents=[common],
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    check = commands.add_parser("check", parents=[common], help=say("read files and list every fault; store nothing"))
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    check.add_argument("--mapping", default="", help=say("mapping of dossier files: built-in id or TOML file"))
    check.add_argument("--questionnaire", default="", help=say("questionnaire of survey files: built-in id or folder"))
    check.add_argument("--output", type=Path, help=say("write all faults to this CSV file"))
    check.set_defaults(run=_check)

    ingest = commands.add_parser("ingest", parents=[common], help=say("bring the workspace's sources into its store"))
    ingest.set_defaults(run=_ingest)

    report = commands.add_parser("report", parents=[common], help=say("build the report of a period"))
    what = report.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "period", type=_period, nargs="?", metavar="PERIOD", help=say("2026-Q3, 2026-07, 2026-H1 or 2026")
    )
    what.add_argument("--due", action="store_true", help=say("the unattended job: ingest, then build all that is due"))
    report.add_argument("--notebook", default="", metavar="NAME", help=say("a notebook of notebooks/"))
    column = f"{say('column to break results down by')}; {say('unit: a report for each unit, of notebooks made so')}"
    report.add_argument("--by", default="", help=column)
    report.add_argument("--wave", default="", help=say("survey wave, where it is not the period's own"))
    report.add_argument("--force", action="store_true", help=say("build even if nothing has changed"))
    report.add_argument(
        "--allow-unfinished", action="store_true", help=say("build although the data end before the period does")
    )
    report.set_defaults(run=_report)

    sample = commands.add_parser("sample", parents=[common], help=say("write an invented city to try khaosat on"))
    sample.add_argument("--dossiers", type=int, default=30_000, metavar="N")
    sample.add_argument("--survey", type=int, default=1_200, metavar="N", help=say("answers a wave"))
    sample.add_argument("--out", type=Path, required=True, metavar="DIR")
    sample.add_argument("--seed", type=int, default=2026)
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")
    sample.set_defaults(run=_sample)

    status = commands.add_parser("status", parents=[common], help=say("what the store holds and which reports exist"))
    status.set_defaults(run=_status)
    return parser


def _period(text: str) -> str:
    from khaosat.domain.period import Period

    try:
        return str(Period(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            say("{text} is not a period: write 2026-Q3, 2026-07, 2026-H1 or 2026", text=repr(text))
        ) from None


def _asked_language(words: Sequence[str]) -> Lang:
    """The language asked for, before the parser (whose help is in that language) exists."""
    for position, word in enumerate(words):
        value = word.partition("=")[2] if word.startswith("--lang=") else ""
        value = words[position + 1] if word == "--lang" and position + 1 < len(words) else value
        if value in ("vi", "en"):
            return cast(Lang, value)
    return current_language()


def _workspace_or_none(arguments: argparse.Namespace) -> Workspace | None:
    from khaosat.workspace import Workspace

    try:
        return Workspace.find(arguments.workspace)
    except WorkspaceError:
        if arguments.workspace:
            raise
        return None


def _print_faults(faults: pd.DataFrame) -> None:
    """Each kind of fault once, the gravest first: how often, and the first place."""
    if faults.empty:
        print(say("No fault found."))
        return
    words = {
        "refused": say("faults that set rows or files aside"),
        "blanked": say("cells left empty"),
        "warning": say("warnings"),
    }
    for severity, title in words.items():
        kinds = faults[faults["severity"] == severity].groupby("fault", sort=False)["message"].agg(["size", "first"])
        for size, first in kinds.sort_values("size", ascending=False).itertuples(index=False):
            print("  " + say("{n} {title}, first: {message}", n=int(size), title=title, message=first))


def _complain(text: str) -> None:
    print(f"khaosat: {text}", file=sys.stderr)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal: the yielded function takes (done, total)."""
    from tqdm import tqdm

    with tqdm(desc=label, unit="", disable=not sys.stderr.isatty(), leave=False) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Names each step on a terminal as it starts."""
    from tqdm import tqdm

    with tqdm(bar_format="{desc}", disable=not sys.stderr.isatty(), leave=False) as bar:
        yield lambda step: bar.set_description_str(step)
