"""Survey answers in the store, by wave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from khaosat.domain.faults import fault, faults, frame
from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Design
from khaosat.errors import DataError, WorkspaceError
from khaosat.facts.language import say
from khaosat.io.intake import IngestReport, Progress
from khaosat.io.sources import SourceFile, Sources, digested, listed
from khaosat.io.store import Manifest, StoredFile, StoreWriter, read_manifest, writing
from khaosat.io.survey_files import load_answers
from khaosat.io.survey_raw import RawSurvey

_PART = "responses/"


def ingest_responses(
    sources: Sources,
    *,
    store: str | Path,
    questionnaire: Questionnaire,
    columns: Mapping[str, str] | None = None,
    design: Design | None = None,
    wave: str = "",
    wave_column: str = "",
    wait: float = 0,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring survey exports into a store; files it knows by their content are skipped.

    Parameters
    ----------
    sources
        A file, a folder, or a list of them.
    store
        Folder of the store; made if it is not there.
    questionnaire, columns, design
        As in ``read_survey``; without a ``design`` nothing is asked of weights, strata and units.
    wave_column
        The column that holds each answer's wave.
    wave
        The wave of files without that column.
    wait
        Seconds to wait for another writer.
    progress
        Called with (done, total).

    Returns
    -------
    IngestReport
        Rows read = rows stored + rows refused.

    Notes
    -----
    A file with the name of an earlier one of the same wave takes its place if that is no longer among the sources:
    exports are corrected and sent again. Rows that are refused go to the quarantine with their content.
    """
    files = listed(sources, store=Path(store))
    with writing(Path(store), wait=wait) as writer:
        readable, errors = digested(files)
        work = _Intake(
            writer=writer, manifest=replace(read_manifest(writer.root), retired=()),
            listed={file.digest for file in readable}, errors=errors, questionnaire=questionnaire, columns=columns,
            design=design, wave=wave, wave_column=wave_column,
        )  # fmt: skip
        for number, file in enumerate(readable):
            work.take(file)
            if progress:
                progress(number + 1, len(readable))
        if work.added:
            writer.commit(work.manifest)
    return work.report()


def open_responses(store: str | Path, *, wave: str | None = None) -> pd.DataFrame:
    """Answers of a store, of one wave or of all, with their ``wave``.

    Raises
    ------
    WorkspaceError
        There are none.
    """
    root = Path(store)
    manifest = read_manifest(root)
    parts = [part for part in manifest.files if part.startswith(_PART)]
    frames = [pd.read_parquet(path) for part in parts for path in manifest.paths(part, root)]
    frames = [answers for answers in frames if wave is None or (answers["wave"] == wave).any()]
    if not frames:
        waves = ", ".join(part.removeprefix(_PART) for part in parts)
        raise WorkspaceError(
            say("The store {path} has no answers of wave {wave}; waves: {waves}.", path=str(root), wave=wave or "",
                waves=waves or "0")
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@dataclass(kw_only=True)
class _Intake:
    """One run into an open store: what it works with, and what it did so far."""

    writer: StoreWriter
    manifest: Manifest
    listed: Collection[str]
    errors: list[DataError]
    questionnaire: Questionnaire
    columns: Mapping[str, str] | None
    design: Design | None
    wave: str
    wave_column: str
    added: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=lambda: Counter(read=0, stored=0, quarantined=0))
    faults: list[pd.DataFrame] = field(default_factory=list)

    def take(self, file: SourceFile) -> None:
        """Bring in one file, unless the store knows it or it cannot be read."""
        if file.digest in self.manifest.sources:
            self.skipped.append(file.label)
            return
        try:
            answers = load_answers(
                file.path, file=file.label, questionnaire=self.questionnaire, columns=self.columns, design=self.design
            )
        except DataError as error:
            self.errors.append(error)
            return
        waves = self._waves(answers.responses)
        unknown = [int(row) for row in waves.index[waves == ""]]
        lost = faults(
            "missing_wave", file=file.label, rows=unknown, column=self.wave_column, values=[""] * len(unknown)
        )
        found = pd.concat([answers.faults, frame(lost)], ignore_index=True)
        aside = _set_aside(answers.raw, found)
        kept = answers.responses.assign(wave=waves)[waves != ""]
        counts = {"read": answers.raw.records, "stored": len(kept), "quarantined": len(aside)}
        if counts["read"] != counts["stored"] + counts["quarantined"]:
            raise RuntimeError(f"{file.label}: {counts}")
        where = self._store(kept, file)
        columns = ["file", "row", "column", "value", "fault"]
        notes = self._keep("quarantine/responses", aside.assign(source=file.digest))
        notes |= self._keep("faults/responses", found[columns].assign(source=file.digest))
        entry: dict[str, object] = {"file": file.label, "answers": where, "aside": notes, "counts": counts}
        self.manifest = replace(self.manifest, sources=self.manifest.sources | {file.digest: entry})
        self.counts.update(counts)
        self.added.append(file.label)
        self.faults.append(found)

    def report(self) -> IngestReport:
        """What was done."""
        refused = [error.faults for error in self.errors if error.faults is not None]
        return IngestReport(
            added=tuple(self.added), skipped=tuple(self.skipped), refused=tuple(_labels(self.errors)),
            counts={**self.counts, **{f"responses_{name}": n for name, n in self.counts.items() if self.added}},
            faults=pd.concat([frame([]), *refused, *self.faults], ignore_index=True),
        )  # fmt: skip

    def _waves(self, answers: pd.DataFrame) -> pd.Series:
        """The wave of each answer; empty where it is not known."""
        if self.wave_column and self.wave_column in answers:
            return answers[self.wave_column].astype("string").str.strip().fillna(self.wave)
        return pd.Series(self.wave, index=answers.index, dtype="string")

    def _store(self, answers: pd.DataFrame, file: SourceFile) -> dict[str, str]:
        """A file's answers by wave; where they are."""
        files: dict[str, str] = {}
        for wave, rows in answers.groupby("wave", sort=True):
            part = _PART + re.sub(r"[^\w.-]+", "_", str(wave))
            if self._withdraw(part, file.path.name):
                self.faults.append(frame([fault("replaced_file", file=file.label, value=wave)]))
            files |= self._keep(part, rows.assign(source_file=file.label, source_row=rows.index))
        return files

    def _withdraw(self, part: str, name: str) -> bool:
        """Take away what an earlier file of this name holds of a wave, if it is not listed any more; whether one did.

        A source of which nothing is left is forgotten, so that its content can be brought in again.
        """
        unread = {label.rpartition("/")[2] for label in _labels(self.errors)}
        earlier = [
            (digest, entry) for digest, entry in self.manifest.sources.items()
            if digest not in self.listed and name not in unread and part in _parts(entry, "answers")
            and str(entry["file"]).rpartition("/")[2] == name
        ]  # fmt: skip
        for digest, entry in earlier:
            left = {wave: path for wave, path in _parts(entry, "answers").items() if wave != part}
            gone = {part: _parts(entry, "answers")[part]} | ({} if left else _parts(entry, "aside"))
            sources = {**self.manifest.sources, digest: entry | {"answers": left}}
            if not left:
                del sources[digest]
            for folder, path in gone.items():
                self.manifest = self.manifest.with_files(folder, [], without={path})
            retired = tuple(sorted({*self.manifest.retired, *gone.values()}))
            self.manifest = replace(self.manifest, sources=sources, retired=retired)
        return bool(earlier)

    def _keep(self, part: str, rows: pd.DataFrame) -> dict[str, str]:
        """Put rows, if there are any, into a part of the store; where they are."""
        if rows.empty:
            return {}
        new = self._write(part, rows)
        self.manifest = self.manifest.with_files(part, [new], without={new.path})
        return {part: new.path}

    def _write(self, part: str, rows: pd.DataFrame) -> StoredFile:
        self.writer.staging.mkdir(exist_ok=True)
        draft = self.writer.staging / "answers.parquet"
        rows.to_parquet(draft, index=False, compression="zstd")
        return self.writer.keep(draft, part, rows=len(rows))


def _labels(errors: Iterable[DataError]) -> list[str]:
    """The files that errors are about."""
    return [str(error.faults["file"].iloc[0]) for error in errors if error.faults is not None]


def _set_aside(raw: RawSurvey, found: pd.DataFrame) -> pd.DataFrame:
    """Refused rows with their original content: broken records as text, others as JSON by the file's column names."""
    refused = found[(found["severity"] == "refused") & (found["row"] > 0)]
    broken = refused[refused["fault"] == "broken_record"].set_index("row")["value"]
    codes = refused.groupby(["file", "row"], sort=True)["fault"].agg(lambda codes: " ".join(sorted(set(codes))))
    aside = codes.rename("faults").reset_index()
    content = [str(broken[row]) if row in broken.index else raw.content(int(row)) for row in aside["row"]]
    return aside.assign(table="responses", content=content)[["file", "table", "row", "faults", "content"]]


def _parts(entry: Mapping[str, object], name: str) -> dict[str, str]:
    """Part → file of the store, of a source of answers: its ``answers``, or what was set ``aside``."""
    files = entry.get(name)
    return files if isinstance(files, dict) else {}
