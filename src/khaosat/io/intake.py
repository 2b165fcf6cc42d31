"""Raw files into the store: nothing lost, nothing twice, and all or nothing when the machine stops in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pandas as pd

from khaosat.domain.faults import fault
from khaosat.domain.faults import frame as fault_frame
from khaosat.facts.language import say
from khaosat.io.casts import literal
from khaosat.io.checks import Tally, check_rows, source_counts, tally
from khaosat.io.fault_tables import gather_faults, worded
from khaosat.io.mapping import SourceMapping
from khaosat.io.mapping_files import load_mapping
from khaosat.io.merge import Merge
from khaosat.io.sources import SourceFile, Sources, digested, listed
from khaosat.io.staging import Staging
from khaosat.io.store import Manifest, StoreWriter, read_manifest, writing
from khaosat.io.waiting import stage_waiting

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
    added, skipped, refused
        Files read, files that the store knew already, and files that could not be read.
    counts
        ``read``, ``stored`` and ``quarantined`` rows of the files added, and the same of each table:
        ``dossiers_read`` …; ``taken_up``: rows set aside by an earlier ingest whose dossier came with this one.
    faults
        What was wrong with the new files (``khaosat.domain.faults``).
    """

    added: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    counts: Mapping[str, int]
    faults: pd.DataFrame

    def summary(self) -> str:
        """The report in words, a line for each table."""
        lines = []
        if self.added:
            lines.append(say("Files read: {added}; in the store already: {skipped}.", added=len(self.added),
                             skipped=len(self.skipped)))  # fmt: skip
        elif self.skipped or not self.refused:
            lines.append(say("Nothing new: all {n} files are in the store already.", n=len(self.skipped)))
        if self.refused:
            names = ", ".join(self.refused)
            lines.append(say("Files that could not be read: {n} ({names}).", n=len(self.refused), names=names))
        for name in (name.removesuffix("_read") for name in self.counts if name.endswith("_read")):
            numbers = {what: self.counts[f"{name}_{what}"] for what in ("read", "stored", "quarantined")}
            lines.append(
                say(
                    "{table}: {read} rows read = {stored} stored + {quarantined} quarantined.",
                    table=say(_WORDS[name]),
                    **numbers,
                )
            )
        if self.counts.get("taken_up"):
            lines.append(
                say("Rows set aside earlier whose dossier has come now, stored: {n}.", n=self.counts["taken_up"])
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
    files = listed(sources, store=Path(store))
    with writing(Path(store), wait=wait) as writer:
        manifest = read_manifest(writer.root)
        readable, errors = digested(files)
        new: dict[str, SourceFile] = {}
        for file in readable:
            if file.digest not in manifest.sources:
                new.setdefault(file.digest, file)
        old = [file for file in readable if new.get(file.digest) is not file]
        work = _Ingest(writer=writer, manifest=manifest, mapping=known, progress=progress or (lambda done, total: None))
        report = work.run(list(new.values()), personal=personal, memory_limit=memory_limit)
    stale = [fault("mapping_changed", file=file.label) for file in old
             if manifest.sources.get(file.digest, {}).get("mapping_digest", known.digest) != known.digest]  # fmt: skip
    unread = [error.faults for error in errors if error.faults is not None]
    return replace(
        report,
        skipped=tuple(file.label for file in old),
        refused=(*(str(found["file"].iloc[0]) for found in unread), *report.refused),
        faults=pd.concat([fault_frame(stale), *unread, report.faults], ignore_index=True),
    )


@dataclass(frozen=True, kw_only=True)
class _Ingest:
    """One run into an open store."""

    writer: StoreWriter
    manifest: Manifest
    mapping: SourceMapping
    progress: Progress

    def run(self, new: Sequence[SourceFile], *, personal: bool, memory_limit: str) -> IngestReport:
        if not new:
            return IngestReport(counts={}, faults=fault_frame([]))
        with Staging(
            self.writer.staging, mapping=self.mapping, personal=personal, memory_limit=memory_limit
        ) as staging:
            added, refused = list[SourceFile](), list[SourceFile]()
            for number, file in enumerate(new):
                (added if staging.add(file) else refused).append(file)
                self._advance(number + 1, len(new), half=0)
            stage_waiting(staging, self.manifest, self.writer.root)
            check_rows(staging, stored=self.manifest.paths("dossiers", self.writer.root))
            gather_faults(staging)
            tallied = tally(staging)
            counts = source_counts(staging, tallied, {file.digest for file in added})
            if added:
                manifest, taken_up = self._recounted(staging, tallied, self._merged(staging, tallied, added))
                self.writer.commit(manifest)
                counts |= {"taken_up": taken_up} if taken_up else {}
            ours = ", ".join(literal(file.digest) for file in new)
            return IngestReport(
                added=tuple(file.label for file in added),
                refused=tuple(file.label for file in refused),
                counts=counts,
                faults=worded(staging.database, f"(FROM all_faults WHERE source IN ({ours}))"),
            )

    def _merged(self, staging: Staging, tallied: Tally, added: Sequence[SourceFile]) -> Manifest:
        """The store's next manifest, its files written."""
        merge = Merge(
            staging=staging, writer=self.writer, manifest=self.manifest,
            advance=lambda done, total: self._advance(done, total, half=1),
        )  # fmt: skip
        manifest = merge.run()
        waited = (
            'SELECT 1 FROM waiting w WHERE w.source = old.source AND w."table" = old."table" AND w."row" = old."row"'
        )
        aside = (
            'SELECT name AS file, "table", "row", faults, content, source FROM quarantine ORDER BY name, "row", "table"'
        )
        manifest = merge.extend("quarantine", f"({aside})", kept=f"NOT EXISTS ({waited})", manifest=manifest)
        known = ", ".join(literal(digest) for digest in self.manifest.sources)
        manifest = merge.extend(  # faults of files that are not in the store are those of the last try
            "faults", "all_faults", kept=f"source IN ({known}) AND NOT EXISTS ({waited})", manifest=manifest
        )
        entries: dict[str, dict[str, object]] = {}
        for file in added:
            last = self._last_moment(staging, file.digest)
            entries[file.digest] = {
                "file": file.label, "mapping": self.mapping.id, "mapping_digest": self.mapping.digest,
                "snapshot": last, "counts": source_counts(staging, tallied, {file.digest}),
            }  # fmt: skip
        as_of = max([manifest.as_of, *(str(entry["snapshot"]) for entry in entries.values())])
        return replace(manifest, sources=manifest.sources | entries, as_of=as_of)

    def _recounted(self, staging: Staging, tallied: Tally, manifest: Manifest) -> tuple[Manifest, int]:
        """The manifest with what became of rows that waited for their dossier; how many of them are stored now."""
        sources, total = dict(manifest.sources), 0
        for digest in {raw.source for raw in staging.tables} & self.manifest.sources.keys():
            found = source_counts(staging, tallied, {digest})
            taken = {name: n for name, n in found.items() if name.endswith("stored") and n}
            counts = dict(cast(Mapping[str, int], sources[digest]["counts"]))
            for name, n in taken.items():
                counts[name] += n
                counts[name.replace("stored", "quarantined")] -= n
            sources[digest] = sources[digest] | {"counts": counts}
            total += taken.get("stored", 0)
        return replace(manifest, sources=sources), total

    def _last_moment(self, staging: Staging, digest: str) -> str:
        """The last moment that a source knows of; empty if it knows none."""
        numbers = ", ".join(str(number) for number, raw in enumerate(staging.tables) if raw.source == digest)
        sql = f"SELECT max(last) FROM snapshots WHERE file IN ({numbers})"
        last = staging.database.execute(sql).fetchall()[0][0]
        return str(last.isoformat(timespec="microseconds")) if last else ""

    def _advance(self, done: int, total: int, *, half: int) -> None:
        self.progress(half * _SCALE // 2 + done * _SCALE // (2 * total), _SCALE)
