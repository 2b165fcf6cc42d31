"""The workspace: what ``khaosat.toml`` says of a city, its sources, its store and its reports."""

from __future__ import annotations

import glob
import html
import os
import tomllib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.errors import WorkspaceError
from khaosat.facts.language import date, say
from khaosat.settings import (
    CitySettings,
    DossierSettings,
    NotifySettings,
    PostgresSettings,
    ReportSettings,
    ScheduleSettings,
    StoreSettings,
    SurveySettings,
    TargetSettings,
    read_section,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from khaosat.domain.calendar import WorkCalendar
    from khaosat.domain.dossiers import DossierLog
    from khaosat.domain.questionnaire import Questionnaire
    from khaosat.domain.rules import DeadlineRule
    from khaosat.domain.survey import Design, Survey
    from khaosat.io import IngestReport

FILE = "khaosat.toml"
SECTIONS: dict[str, type] = {
    "city": CitySettings,
    "report": ReportSettings,
    "dossiers": DossierSettings,
    "postgres": PostgresSettings,
    "survey": SurveySettings,
    "targets": TargetSettings,
    "store": StoreSettings,
    "schedule": ScheduleSettings,
    "notify": NotifySettings,
}


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A folder with ``khaosat.toml``.

    Parameters
    ----------
    root
        The folder; relative paths in the settings start here.
    """

    root: Path
    city: CitySettings
    report: ReportSettings = field(default_factory=ReportSettings)
    dossiers: DossierSettings = field(default_factory=DossierSettings)
    postgres: PostgresSettings = field(default_factory=PostgresSettings)
    survey: SurveySettings = field(default_factory=SurveySettings)
    targets: TargetSettings = field(default_factory=TargetSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)

    @classmethod
    def find(cls, start: Path | str | None = None) -> Workspace:
        """The workspace of a folder: its own ``khaosat.toml`` or the nearest above it.

        Parameters
        ----------
        start
            Where to look; by default ``KHAOSAT_WORKSPACE``, else the current folder.

        Raises
        ------
        WorkspaceError
            If there is none, or its settings are wrong; every fault is named.
        """
        place = Path(start or os.environ.get("KHAOSAT_WORKSPACE") or Path.cwd()).resolve()
        for folder in (place, *place.parents):
            if (folder / FILE).is_file():
                return cls.read(folder / FILE)
        text = "no {file} in {place} or above it; copy the one of the khaosat repository and edit it"
        raise WorkspaceError(say(text, file=FILE, place=place))

    @classmethod
    def read(cls, path: Path) -> Workspace:
        """Read and validate a ``khaosat.toml``; every fault of it is in the one error."""
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"{path}: {error}") from error
        faults: list[str] = []
        faults += [say("[{name}] is not a known section", name=name) for name in settings if name not in SECTIONS]
        parts = {
            name: read_section(section, settings.get(name, {}), name=name, faults=faults)
            for name, section in SECTIONS.items()
        }
        if faults:
            raise WorkspaceError(f"{path}:\n" + "\n".join(f"- {fault}" for fault in faults))
        return cls(root=path.parent.resolve(), **parts)

    @property
    def reports(self) -> Path:
        """Where finished reports go."""
        return self.root / self.report.folder

    def notebook(self, name: str) -> Path:
        """A report notebook: the workspace's own or the nearest above it, else the one that comes with khaosat.

        The beginning of a name is enough where only one notebook of a folder begins so.
        """
        package = Path(__file__).resolve().parent
        for folder in (self.root, *self.root.parents, package, package.parent.parent):  # the last: a checkout
            path = folder / "notebooks" / f"{name}.ipynb"
            if path.is_file():
                return path
            begun = [file for file in sorted((folder / "notebooks").glob("*.ipynb")) if file.stem.startswith(name)]
            if name and len(begun) == 1:
                return begun[0]
        raise WorkspaceError(say("there is no notebook {name} in notebooks/", name=name))

    @property
    def source(self) -> str:
        """The words that name the data under every table."""
        return self.report.source

    def calendar(self) -> WorkCalendar:
        """The office calendar: the country's, or the file of ``[dossiers] calendar``, with the hours of ``offices``."""
        from khaosat.domain.calendar import WorkCalendar

        settings = self.dossiers
        make_up, culture = settings.make_up_days, settings.culture_day
        if settings.calendar:
            city = WorkCalendar.from_csv(self.root / settings.calendar, make_up_days=make_up, culture_day=culture)
        else:
            city = WorkCalendar.vietnam(make_up_days=make_up, culture_day=culture)
        if not settings.offices:
            return city
        units = self.root / settings.office_units if settings.office_units else None
        return city.with_offices(self.root / settings.offices, units=units)

    def deadline_rules(self) -> Sequence[DeadlineRule]:
        """By which rules due dates move: those built in, or the file of ``[dossiers] deadline_rules``."""
        from khaosat.domain.rules import deadline_rules

        own = self.dossiers.deadline_rules
        return deadline_rules(self.root / own if own else None)

    def questionnaire(self) -> Questionnaire:
        """The questionnaire: a built-in one, or a folder of the workspace."""
        from khaosat.domain.questionnaire import load_questionnaire

        folder = self.root / self.survey.questionnaire
        return load_questionnaire(folder if folder.is_dir() else self.survey.questionnaire)

    def design(self) -> Design:
        """The sampling design of ``[survey.design]``."""
        from khaosat.domain.survey import Design

        try:
            return Design(**self.survey.design)
        except TypeError as error:
            raise WorkspaceError(f"{self.root / FILE}: [survey.design] {error}") from error

    def mapping(self) -> str | Path:
        """The mapping: a built-in id, or a TOML file of the workspace."""
        path = self.root / self.dossiers.mapping
        return path if path.is_file() else self.dossiers.mapping

    def files(self, patterns: tuple[str, ...]) -> list[Path]:
        """Source files of a list of glob patterns, in order; a pattern that matches nothing is an error."""
        found: list[Path] = []
        for pattern in patterns:
            matches = sorted(Path(name).resolve() for name in glob.glob(str(self.root / pattern), recursive=True))
            files = [path for path in matches if path.is_file()]
            if not files:
                raise WorkspaceError(
                    say("{file}: {pattern} matches no file", file=self.root / FILE, pattern=repr(pattern))
                )
            found += files
        return found

    def ingest(self, *, progress: Callable[[int, int], None] | None = None) -> list[IngestReport]:
        """Bring every source of the workspace into its store.

        Parameters
        ----------
        progress
            Called with (done, total), once through for the dossiers and once for the survey.

        Returns
        -------
        list of IngestReport
            One for files of dossiers, one for those of a database and one for survey answers, where the workspace has
            such sources.
        """
        from khaosat.io import ingest, ingest_responses
        from khaosat.io.postgres import postgres_tables

        reports = []
        mapping, personal = self.mapping(), self.dossiers.personal
        take = partial(ingest, store=self.store_folder, mapping=mapping, personal=personal,
                       memory_limit=self.dossiers.memory_limit, progress=progress)  # fmt: skip
        if self.dossiers.sources:
            reports.append(take(self.files(self.dossiers.sources)))
        if self.postgres.uri:
            with postgres_tables(self.postgres, mapping=mapping, personal=personal) as files:
                reports.append(take(files))
        if self.survey.sources:
            reports.append(
                ingest_responses(
                    self.files(self.survey.sources),
                    store=self.store_folder,
                    questionnaire=self.questionnaire(),
                    columns=self.survey.columns,
                    design=self.design(),
                    wave=self.survey.wave,
                    wave_column=self.survey.wave_column,
                    progress=progress,
                )
            )
        return reports

    @property
    def is_empty(self) -> bool:
        """Whether the store holds neither dossiers nor answers."""
        from khaosat.io.store import read_manifest

        return not (read_manifest(self.store_folder).files.keys() & {"dossiers"} or self.waves())

    def log(self) -> DossierLog | None:
        """The stored dossiers, or None when there are none."""
        from khaosat.engine.choose import open_engine
        from khaosat.io import open_store
        from khaosat.io.store import read_manifest

        if "dossiers" not in read_manifest(self.store_folder).files:
            return None
        return open_store(
            self.store_folder,
            calendar=self.calendar(),
            rules=self.deadline_rules(),
            as_of=self.dossiers.as_of,
            engine=open_engine(
                self.dossiers.engine,
                memory_limit=self.dossiers.memory_limit,
                address=self.dossiers.engine_address,
            ),
            seen_as=self.store.seen_as,
            source=self.source,
        )

    def waves(self) -> list[str]:
        """Survey waves that the store holds, oldest first."""
        from khaosat.io.store import read_manifest

        parts = read_manifest(self.store_folder).files
        return sorted(part.removeprefix("responses/") for part in parts if part.startswith("responses/"))

    def answers(self, wave: str) -> Survey:
        """The stored answers of a wave, with their questionnaire and sampling design."""
        from khaosat.domain.survey import Survey
        from khaosat.io import open_responses

        answers = open_responses(self.store_folder, wave=wave)
        return Survey(responses=answers, questionnaire=self.questionnaire(), design=self.design())

    def status(self) -> str:
        """What the store holds and which reports are finished, in words."""
        log, waves = self.log(), self.waves()
        lines = [say("Workspace: {path}", path=str(self.root))]
        if log is None:
            lines.append(say("The store holds no dossiers."))
        else:
            count = log.engine.query("SELECT count(*) AS n FROM dossiers")["n"][0].as_py()
            moment = f"{date(log.as_of)} {log.as_of:%H:%M}"
            lines.append(say("Dossiers: {n}, known up to {moment}", n=count, moment=moment))
        lines.append(say("Survey waves: {waves}", waves=", ".join(waves) or "–"))
        finished = sorted(path.parent.name for path in self.reports.glob("*/manifest.json"))
        lines.append(say("Reports: {reports}", reports=", ".join(finished) or "–"))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title, *lines = (html.escape(line) for line in (self.city.name, *self.status().split("\n")))
        return f"<strong>{title}</strong><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"

    @property
    def store_folder(self) -> Path:
        """Where checked data are kept."""
        return self.root / self.store.folder
