"""Raw files into the store: nothing lost, nothing twice, and all or nothing when the machine stops in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from khaosat.domain.faults import fault
from khaosat.domain.faults import frame as fault_frame
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.io.checks import check_rows, file_counts
from khaosat.io.fault_tables import gather_faults, worded
from khaosat.io.mapping import SourceMapping
from khaosat.io.mapping_files import load_mapping
from khaosat.io.merge import Merge
from khaosat.io.raw_files import source_files
from khaosat.io.staging import Staging
from khaosat.io.store import Manifest, StoreWriter, file_digest, read_manifest, writing

Sources = str | Path | Sequence[str | Path] | Mapping[str, str | Path | Sequence[str | Path]]
Progress = Callable[[int, int], None]

_WORDS = {
    "dossiers": "Dossiers", "steps": "Steps", "supplements": "Supplements", "appointments": "Re-appointments",
    "responses": "Survey answers",
}  # fmt: skip
_SCALE = 1000
"""Steps of the progress bar: the first half is reading, the second writing."""


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    added, skipped
        Files read, and files that the store knew already.
    counts
        ``read``, ``stored`` and ``quarantined`` rows of the files added, and the same of each table:
        ``dossiers_read`` …
    faults
        What was wrong with them (``khaosat.domain.faults``).
    """

    added: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    counts: Mapping[str, int]
    faults: pd.DataFrame

    def summary(self) -> str:
        """The report in words, a line for each table."""
        if not self.added:
            return say("Nothing new: all {n} files are in the store already.", n=len(self.skipped))
        lines = [say("Files read: {added}; in the store already: {skipped}.", added=len(self.added),
                     skipped=len(self.skipped))]  # fmt: skip
        for name in (name.removesuffix("_read") for name in self.counts if name.endswith("_read")):
            numbers = {what: self.counts[f"{name}_{what}"] for what in ("read", "stored", "quarantined")}
            lines.append(
                say(
                    "{table}: {read} rows read = {stored} stored + {quarantined} quarantined.",
                    table=say(_WORDS[name]),
                    **numbers,
                )
            )
        return "\n".join(lines)


def ingest(
    sources: Sources,
    *,
    store: str | Path,
    mapping: str | Path | SourceMapping = "dvcqg",
    personal: bool = False,
    memory_limit: str = "1GB",
    wait: float = 0,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring dossier files into a store; files it knows by their content are skipped.

    Parameters
    ----------
    sources
        A file, a folder, a list of them, or files by table (``{"dossiers": "a.csv", "steps": "b.csv"}``). Without
        tables, a file serves each table whose required columns it has.
    store
        Folder of the store; made if it is not there.
    mapping
        What the source's columns mean: a built-in id or a TOML file.
    personal
        Keep personal columns. Off, they are not even read.
    memory_limit
        For the work; what does not fit goes to disk, inside the store.
    wait
        Seconds to wait for another writer.
    progress
        Called with (done, total).

    Returns
    -------
    IngestReport
        Rows read = rows stored + rows quarantined, for each table.

    Raises
    ------
    WorkspaceError
        Another ingest is at work, or the store is of another format.

    Notes
    -----
    A row that breaks the schema is quarantined with its content and the reason; the rest goes on. A dossier is known by
    its number and the moment of the snapshot: the mapping's column ``snapshot_at``, else the last moment that its file
    knows of. Where snapshots overlap the newest counts, and older rows are kept as history. The first appointment
    (``first_due_at``) is the earliest that any snapshot, supplement or re-appointment shows.
    """
    known = load_mapping(mapping)
    root = Path(store)
    with writing(root, wait=wait) as writer:
        manifest = read_manifest(root)
        digests = {path: (file_digest(path), table) for path, table in listed(sources)}
        new = {digest: (path, table) for path, (digest, table) in digests.items() if digest not in manifest.sources}
        old = [(path, digest) for path, (digest, _) in digests.items() if digest in manifest.sources]
        work = _Ingest(writer=writer, manifest=manifest, mapping=known, progress=progress or (lambda done, total: None))
        report = work.run(new, personal=personal, memory_limit=memory_limit)
    stale = [fault("mapping_changed", file=path.name) for path, digest in old
             if manifest.sources[digest]["mapping_digest"] != known.digest]  # fmt: skip
    faults = pd.concat([fault_frame(stale), report.faults], ignore_index=True)
    return replace(report, skipped=tuple(path.name for path, _ in old), faults=faults)


def listed(sources: Sources) -> list[tuple[Path, str | None]]:
    """Every file of the sources, each once, with the table it is meant for."""
    if isinstance(sources, Mapping):
        return [(path, table) for table, given in sources.items() for path, _ in listed(given)]
    found: dict[Path, None] = {}
    for given in [sources] if isinstance(sources, (str, Path)) else sources:
        place = Path(given)
        if not place.exists():
            raise DataError(say("{path} does not exist.", path=str(place)))
        found |= dict.fromkeys(source_files(place) if place.is_dir() else [place])
    return [(path, None) for path in found]


@dataclass(frozen=True, kw_only=True)
class _Ingest:
    """One run into an open store."""

    writer: StoreWriter
    manifest: Manifest
    mapping: SourceMapping
    progress: Progress

    def run(self, new: Mapping[str, tuple[Path, str | None]], *, personal: bool, memory_limit: str) -> IngestReport:
        if not new:
            return IngestReport(counts={}, faults=fault_frame([]))
        with Staging(
            self.writer.staging, mapping=self.mapping, personal=personal, memory_limit=memory_limit
        ) as staging:
            for number, (path, table) in enumerate(new.values()):
                staging.add(path, table=table)
                self._advance(number + 1, len(new), half=0)
            counts = check_rows(staging, stored=self.manifest.paths("dossiers", self.writer.root))
            gather_faults(staging)
            if staging.tables:
                self.writer.commit(self._merged(staging, new))
            return IngestReport(
                added=tuple(dict.fromkeys(raw.path.name for raw in staging.tables)),
                counts=counts,
                faults=worded(staging.database, "all_faults"),
            )

    def _merged(self, staging: Staging, new: Mapping[str, tuple[Path, str | None]]) -> Manifest:
        """The store's next manifest, its files written."""
        merge = Merge(
            staging=staging, writer=self.writer, manifest=self.manifest,
            advance=lambda done, total: self._advance(done, total, half=1),
        )  # fmt: skip
        manifest = merge.run()
        manifest = merge.add(
            '(SELECT name AS file, * EXCLUDE (file, name) FROM quarantine ORDER BY name, "row", "table")',
            "quarantine",
            manifest=manifest,
        )
        manifest = merge.add("all_faults", "faults", manifest=manifest)
        read = {raw.path for raw in staging.tables}
        entries: dict[str, dict[str, object]] = {
            digest: {"file": path.name, "mapping": self.mapping.id, "mapping_digest": self.mapping.digest,
                     "counts": file_counts(staging, path)}
            for digest, (path, _) in new.items() if path in read
        }  # fmt: skip
        last = staging.database.execute("SELECT max(last) FROM snapshots").fetchall()[0][0]
        return replace(
            manifest,
            sources=manifest.sources | entries,
            as_of=max(manifest.as_of, last.isoformat(timespec="microseconds") if last else ""),
        )

    def _advance(self, done: int, total: int, *, half: int) -> None:
        self.progress(half * _SCALE // 2 + done * _SCALE // (2 * total), _SCALE)
