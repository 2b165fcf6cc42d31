"""The store: immutable Parquet files, and a manifest that names those that count. Replacing the manifest is the commit.

::

    store/
    ├─ manifest.json                           what counts
    ├─ dossiers/2026-07/<sha256>.parquet       by month of reception; likewise steps, supplements, appointments
    ├─ history/dossiers/2026-07/<sha256>.parquet   rows that a newer snapshot replaced
    ├─ quarantine/ faults/                     rows set aside with their content; everything found wrong
    ├─ responses/<wave>/<sha256>.parquet       survey answers
    └─ quarantine/responses/ faults/responses/ the same of survey answers

A file is written under ``.staging``, brought to disk, renamed to its content's hash and only then named in a new
manifest. A writer that dies leaves the old manifest, and files that nothing names; the next writer removes them. Files
that a commit replaced stay until the next commit, for readers that opened the store before it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from khaosat.errors import WorkspaceError
from khaosat.facts.language import say

FORMAT = 2
MANIFEST = "manifest.json"
_STAGING = ".staging"
_LOCK = ".lock"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of the store: its path below the store, and how many rows it has."""

    path: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the store holds.

    Parameters
    ----------
    as_of
        The last moment that any source knows of (ISO 8601, local civil time); empty while there is none.
    sources
        SHA-256 of a raw file → its name, mapping, and what was read of it.
    files
        ``dossiers``, ``history/dossiers``, ``quarantine``, ``faults``, ``responses/<wave>`` … → files, in order.
    retired
        Files that the last commit replaced.
    """

    as_of: str = ""
    sources: dict[str, dict[str, object]] = field(default_factory=dict)
    files: dict[str, list[StoredFile]] = field(default_factory=dict)
    retired: tuple[str, ...] = ()

    def paths(self, part: str, root: Path | str) -> list[str]:
        """Files of a part of the store, as full paths; ``root`` may be an address that is no path here."""
        folder = root.as_posix() if isinstance(root, Path) else root
        return [f"{folder}/{Path(file.path).as_posix()}" for file in self.files.get(part, [])]

    @property
    def dossier_sources(self) -> list[dict[str, object]]:
        """Entries of raw dossier files, in the order in which they came."""
        return [entry for entry in self.sources.values() if "mapping" in entry]

    def with_files(self, part: str, added: list[StoredFile], *, without: set[str] = frozenset()) -> Manifest:  # type: ignore[assignment]
        """A copy in which a part has other files."""
        kept = [file for file in self.files.get(part, []) if file.path not in without]
        files = {**self.files, part: sorted(kept + added, key=lambda file: file.path)}
        return replace(self, files={name: files[name] for name in sorted(files) if files[name]})


def read_manifest(root: Path) -> Manifest:
    """The manifest of a store; an empty one where there is no store yet."""
    try:
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Manifest()
    except ValueError as error:
        raise WorkspaceError(
            say("{path} is damaged ({reason}): delete the store and ingest again.", path=str(root / MANIFEST),
                reason=str(error))
        ) from error  # fmt: skip
    if content.get("format") != FORMAT:
        raise WorkspaceError(
            say("{path} is a store of format {found}, and this version of khaosat writes format {known}: delete the "
                "store and ingest again.", path=str(root), found=str(content.get("format")), known=str(FORMAT))
        )  # fmt: skip
    files = {part: [StoredFile(**entry) for entry in entries] for part, entries in content["files"].items()}
    return Manifest(as_of=content["as_of"], sources=content["sources"], files=files, retired=tuple(content["retired"]))


@dataclass(frozen=True, kw_only=True)
class StoreWriter:
    """The one writer of a store; made by :func:`writing`."""

    root: Path

    @property
    def staging(self) -> Path:
        """A folder for work in progress, on the store's own disk."""
        return self.root / _STAGING

    def keep(self, written: Path, folder: str, *, rows: int) -> StoredFile:
        """Bring a finished file to disk and into a folder of the store, under its content's hash."""
        name = f"{folder}/{_digest(written)[:32]}.parquet"
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(written, target)
        _sync(target)
        _sync(target.parent)
        return StoredFile(path=name, rows=rows)

    def commit(self, manifest: Manifest) -> None:
        """Make a manifest the one that counts, and remove what the one before it had retired."""
        content = {
            "format": FORMAT,
            "as_of": manifest.as_of,
            "sources": manifest.sources,
            "files": {part: [vars(file) for file in files] for part, files in manifest.files.items()},
            "retired": manifest.retired,
        }
        draft = self.root / f"{MANIFEST}.new"
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        _sync(draft)
        os.replace(draft, self.root / MANIFEST)
        _sync(self.root)
        _sweep_files(self.root)


@contextmanager
def writing(root: Path, *, wait: float = 0) -> Iterator[StoreWriter]:
    """Be the store's one writer; what a writer that died left behind is removed first.

    Raises
    ------
    WorkspaceError
        Another writer is still at work after ``wait`` seconds, or the disk is full or may not be written.
    """
    from filelock import FileLock, Timeout

    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / _LOCK)
        try:
            lock.acquire(timeout=wait)
        except Timeout as error:
            raise WorkspaceError(
                say("Another khaosat ingest is writing to the store {path}: wait until it is done.", path=str(root))
            ) from error
        writer = StoreWriter(root=root)
        try:
            _sweep(root)
            yield writer
        finally:
            shutil.rmtree(writer.staging, ignore_errors=True)
            lock.release()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Say in words when a folder cannot be read or written: the disk is full, or its permissions forbid it."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise WorkspaceError(
            say("{path} cannot be read or written ({reason}); what was stored is as it was. Check the disk's free "
                "space, the folder's permissions and memory_limit, and try again.", path=str(folder), reason=str(error))
        ) from error  # fmt: skip


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return _digest(path)


def _sweep(root: Path) -> None:
    """Remove what a writer that died has left."""
    shutil.rmtree(root / _STAGING, ignore_errors=True)
    (root / f"{MANIFEST}.new").unlink(missing_ok=True)
    _sweep_files(root)


def _sweep_files(root: Path) -> None:
    """Remove files that the manifest does not name."""
    manifest = read_manifest(root)
    named = {file.path for files in manifest.files.values() for file in files} | set(manifest.retired)
    for path in root.rglob("*.parquet"):
        if path.relative_to(root).as_posix() not in named:
            path.unlink()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Bring a file, or a folder's list of files, to disk."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
