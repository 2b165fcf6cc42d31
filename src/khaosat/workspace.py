"""The workspace: what ``khaosat.toml`` says of a city, its sources, its store and its reports."""

from __future__ import annotations

import glob
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.errors import WorkspaceError
from khaosat.settings import (
    CitySettings,
    DossierSettings,
    ReportSettings,
    StoreSettings,
    SurveySettings,
    TargetSettings,
    read_section,
)

if TYPE_CHECKING:
    from khaosat.domain.calendar import WorkCalendar
    from khaosat.domain.questionnaire import Questionnaire
    from khaosat.domain.survey import Design

FILE = "khaosat.toml"
SECTIONS: dict[str, type] = {
    "city": CitySettings,
    "report": ReportSettings,
    "dossiers": DossierSettings,
    "survey": SurveySettings,
    "targets": TargetSettings,
    "store": StoreSettings,
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
    survey: SurveySettings = field(default_factory=SurveySettings)
    targets: TargetSettings = field(default_factory=TargetSettings)
    store: StoreSettings = field(default_factory=StoreSettings)

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
        raise WorkspaceError(f"no {FILE} in {place} or above it; copy the one of the khaosat repository and edit it")

    @classmethod
    def read(cls, path: Path) -> Workspace:
        """Read and validate a ``khaosat.toml``; every fault of it is in the one error."""
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"{path}: {error}") from error
        faults: list[str] = []
        faults += [f"[{name}] is not a known section" for name in settings if name not in SECTIONS]
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

    @property
    def notebooks(self) -> Path:
        """Where the notebooks are: the workspace's own, else the repository's around it."""
        for folder in (self.root, *self.root.parents):
            if (folder / "notebooks").is_dir():
                return folder / "notebooks"
        raise WorkspaceError(f"no notebooks/ folder in {self.root} or above it")

    @property
    def source(self) -> str:
        """The words that name the data under every table."""
        return self.report.source

    def calendar(self) -> WorkCalendar:
        """The office calendar: the country's, or the file named in ``[dossiers] calendar``."""
        from khaosat.domain.calendar import WorkCalendar

        settings = self.dossiers
        choices = {"make_up_days": settings.make_up_days, "culture_day": settings.culture_day}
        if settings.calendar:
            return WorkCalendar.from_csv(self.root / settings.calendar, **choices)
        return WorkCalendar.vietnam(**choices)

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
                raise WorkspaceError(f"{self.root / FILE}: {pattern!r} matches no file")
            found += files
        return found
