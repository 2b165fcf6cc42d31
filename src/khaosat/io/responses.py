"""Survey answers in the store, by wave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from khaosat.domain.faults import faults, frame
from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Design
from khaosat.errors import DataError, WorkspaceError
from khaosat.facts.language import say
from khaosat.io.intake import IngestReport, Progress, Sources, listed
from khaosat.io.store import Manifest, StoreWriter, file_digest, read_manifest, writing
from khaosat.io.survey_files import load_responses

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
    A file with the name of an earlier one of the same wave takes its place: exports are corrected and sent again.
    """
    root = Path(store)
    added: list[str] = []
    skipped: list[str] = []
    counts = {"read": 0, "stored": 0, "quarantined": 0}
    wrong = [frame([])]
    with writing(root, wait=wait) as writer:
        manifest = replace(read_manifest(root), retired=())
        paths = [path for path, _ in listed(sources)]
        for number, path in enumerate(paths):
            digest = file_digest(path)
            if digest in manifest.sources:
                skipped.append(path.name)
                continue
            try:
                answers, found = load_responses(path, questionnaire=questionnaire, columns=columns, design=design)
            except DataError as error:
                wrong.append(frame([]) if error.faults is None else error.faults)
                continue
            waves = _waves(answers, column=wave_column, default=wave)
            found = pd.concat([found, _without_wave(waves, column=wave_column, file=path.name)], ignore_index=True)
            refused = found.loc[(found["severity"] == "refused") & (found["row"] > 0), "row"].nunique()
            answers = answers.assign(wave=waves)[waves != ""]
            read = {"read": len(answers) + refused, "stored": len(answers), "quarantined": refused}
            manifest = _stored(writer, manifest, answers, path=path, digest=digest, counts=read)
            counts = {name: counts[name] + read[name] for name in counts}
            added.append(path.name)
            wrong.append(found)
            if progress:
                progress(number + 1, len(paths))
        if added:
            writer.commit(manifest)
    counts |= {f"responses_{name}": count for name, count in counts.items()}
    return IngestReport(
        added=tuple(added), skipped=tuple(skipped), counts=counts, faults=pd.concat(wrong, ignore_index=True)
    )


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


def _waves(answers: pd.DataFrame, *, column: str, default: str) -> pd.Series:
    """The wave of each answer; empty where it is not known."""
    if column and column in answers:
        return answers[column].astype("string").str.strip().fillna(default)
    return pd.Series(default, index=answers.index, dtype="string")


def _without_wave(waves: pd.Series, *, column: str, file: str) -> pd.DataFrame:
    rows = [int(row) for row in waves.index[waves == ""]]
    return frame(faults("missing_wave", file=file, rows=rows, column=column, values=[""] * len(rows)))


def _stored(
    writer: StoreWriter, manifest: Manifest, answers: pd.DataFrame, *, path: Path, digest: str, counts: dict[str, int]
) -> Manifest:
    """The manifest with a file's answers, in place of those of an earlier file of that name in the same wave."""
    writer.staging.mkdir(exist_ok=True)
    entries = dict(manifest.sources)
    files: dict[str, str] = {}
    for wave, rows in answers.groupby("wave", sort=True):
        part = _PART + re.sub(r"[^\w.-]+", "_", str(wave))
        draft = writer.staging / "answers.parquet"
        origin = rows.assign(source_file=path.name, source_row=rows.index)
        origin.to_parquet(draft, index=False, compression="zstd")
        new = writer.keep(draft, part, rows=len(rows))
        files[part] = new.path
        earlier = {name for name, entry in entries.items() if entry.get("file") == path.name and part in _files(entry)}
        replaced = {_files(entries[name])[part] for name in earlier} - {new.path}
        manifest = manifest.with_files(part, [new], without=replaced | {new.path})
        manifest = replace(manifest, retired=tuple(sorted({*manifest.retired, *replaced})))
    entries[digest] = {"file": path.name, "answers": files, "counts": counts}
    return replace(manifest, sources=entries)


def _files(entry: Mapping[str, object]) -> dict[str, str]:
    """Wave → file of the store, of a source of answers."""
    files = entry.get("answers")
    return files if isinstance(files, dict) else {}
