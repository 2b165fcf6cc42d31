"""The files that a caller means: found, told apart, and known by their content."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.io.raw_files import source_files
from khaosat.io.refusals import refusal
from khaosat.io.store import file_digest

Sources = str | Path | Sequence[str | Path] | Mapping[str, str | Path | Sequence[str | Path]]


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file to be read.

    Parameters
    ----------
    path
        Where it is.
    label
        What faults call it: its name, with folders where several files have that name.
    tables
        The tables it is meant for; none: whatever it serves.
    digest
        SHA-256 of its content; empty until it is asked for.
    """

    path: Path
    label: str
    tables: tuple[str, ...] = ()
    digest: str = ""


def listed(sources: Sources, *, store: Path | None = None) -> list[SourceFile]:
    """Every file of the sources, each once; not those of a ``store`` that lies in a folder of sources.

    Raises
    ------
    DataError
        A file or folder is not there, or a folder may not be read or holds no data file.
    """
    tables: dict[Path, tuple[str, ...]] = {}
    if isinstance(sources, Mapping):
        for table, given in sources.items():
            for path in _paths(given, store):
                tables[path] = (*tables.get(path, ()), table)
    else:
        tables = dict.fromkeys(_paths(sources, store), ())
    return [
        SourceFile(path=path, label=label, tables=tables[path])
        for path, label in zip(tables, _labels(list(tables)), strict=True)
    ]


def digested(files: Iterable[SourceFile]) -> tuple[list[SourceFile], list[DataError]]:
    """The files with their digests, and an error for each that cannot be read."""
    found: list[SourceFile] = []
    errors: list[DataError] = []
    for file in files:
        try:
            found.append(replace(file, digest=file_digest(file.path)))
        except OSError as error:
            errors.append(refusal("unreadable_file", file.label, value=error.strerror))
    return found, errors


def _paths(given: str | Path | Sequence[str | Path], store: Path | None) -> list[Path]:
    found: dict[Path, None] = {}
    for place in map(Path, [given] if isinstance(given, (str, Path)) else given):
        if not os.path.exists(place):  # False, and no error, inside a folder that may not be entered
            raise DataError(say("{path} does not exist.", path=str(place)))
        files = source_files(place) if place.is_dir() else [place]
        if store:
            files = [path for path in files if store.resolve() not in path.resolve().parents]
        if not files:
            raise DataError(say("There is no data file in the folder {path}.", path=str(place)))
        found |= dict.fromkeys(files)
    return list(found)


def _labels(paths: Sequence[Path]) -> list[str]:
    """The shortest endings that tell paths apart.

    >>> _labels([Path("q2/hs.csv"), Path("q3/hs.csv"), Path("q3/buoc.csv")])
    ['q2/hs.csv', 'q3/hs.csv', 'buoc.csv']
    """
    alike: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        alike[path.name].append(path)
    depth = {name: 1 for name in alike}
    for name, group in alike.items():
        while len({path.parts[-depth[name] :] for path in group}) < len(group):
            depth[name] += 1
    return ["/".join(path.parts[-depth[path.name] :]) for path in paths]
