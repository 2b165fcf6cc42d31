"""The survey files: four waves (or as many as asked for) of the same city."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from khaosat.sample.answers import Opinions, answer
from khaosat.sample.city import City
from khaosat.sample.draw import chance, stream
from khaosat.sample.faulty import Planted, kinds
from khaosat.sample.files import FileFormat, TableFile
from khaosat.sample.respondents import Pool, draw_sample, link_dossiers

_WAVE_STREAM = 7
ABOUT = ("response_id", "wave", "stratum", "psu", "ssu", "weight", "n_wards", "n_villages", "n_people", "interviewer",
         "dossier_id", "responsible_unit", "field")  # fmt: skip
"""Columns before the questions: stages of the sample with their population sizes, and the dossier of the log."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WaveTruth:
    """What is true of a wave: who copied whom, who ticked one column, how many have a dossier, and what is faulty."""

    quarter: str
    answers: int
    linked: int
    linked_late: int
    straight_liners: list[str]
    copies: dict[str, str]
    faults: list[Planted]

    def as_dict(self) -> dict[str, object]:
        """For truth.json; the faults stand in a list of their own there."""
        return {"answers": self.answers, "linked": self.linked, "linked_late": self.linked_late,
                "straight_liners": self.straight_liners, "copies": self.copies}  # fmt: skip


def write_wave(
    opinions: Opinions, pool: Pool, *, number: int, people: int, seed: int, out: Path,
    file_format: FileFormat,
) -> WaveTruth:  # fmt: skip
    """Ask the people of one wave and write their answers."""
    import pyarrow as pa

    city = opinions.city
    rng = stream(seed, _WAVE_STREAM, number)
    sample = draw_sample(city, people=people, rng=rng)
    sample = link_dossiers(sample, pool.frame(), share=city.settings.number("survey.linked"), rng=rng)
    turn = sample["ward"].ne(sample["ward"].shift()).cumsum() - 1
    order = turn // city.settings.whole("survey.wards_per_interviewer") + 1
    sample["interviewer"] = order.map("DT{:02d}".format)
    quarter = pool.wave.quarter
    answers, straight = answer(opinions, sample, wave=quarter, rng=rng)
    frame = pd.concat([_about(city, sample, wave=quarter), answers], axis=1)
    copies = _copy(opinions, frame, rng=rng)
    path = out / "survey" / f"khao-sat-{quarter}"
    with TableFile(path, columns=list(frame.columns), file_format=file_format) as file:
        faults = _plant(opinions, frame, file=f"survey/{file.path.name}", rng=rng)
        file.write(pa.Table.from_pandas(frame, preserve_index=False))
    return WaveTruth(
        quarter=quarter, answers=len(frame), linked=int((sample["dossier_id"] != "").sum()),
        linked_late=int((sample["late_days"] > 0).sum()),
        straight_liners=frame.loc[straight, "response_id"].tolist(), copies=copies, faults=faults,
    )  # fmt: skip


def _about(city: City, sample: pd.DataFrame, *, wave: str) -> pd.DataFrame:
    wards, fields = city.wards, city.fields["name"].to_numpy()
    ward = sample["ward"].to_numpy()
    linked = (sample["dossier_id"] != "").to_numpy()
    frame = pd.DataFrame({
        "response_id": [f"{wave}-{i:05d}" for i in range(1, len(sample) + 1)],
        "wave": wave,
        "stratum": sample["stratum"],
        "psu": wards["name"].to_numpy()[ward],
        "ssu": wards["code"].to_numpy()[ward] + sample["village"].map("-{:02d}".format),
        "weight": sample["weight"].map("{:.4f}".format),
        "n_wards": sample["n_wards"],
        "n_villages": sample["n_villages"],
        "n_people": sample["n_people"],
        "interviewer": sample["interviewer"],
        "dossier_id": sample["dossier_id"],
        "responsible_unit": np.where(linked, city.units["name"].to_numpy()[sample["unit"]], ""),
        "field": np.where(linked, fields[sample["field"]], ""),
    })  # fmt: skip
    return frame[list(ABOUT)].astype(str)


def _copy(opinions: Opinions, frame: pd.DataFrame, *, rng: np.random.Generator) -> dict[str, str]:
    """The copier asks the first people of each village and copies them for the others: copy → original."""
    truths, questionnaire = opinions.city.truths, opinions.questionnaire
    asked, changed = truths.whole("survey.copier.asked"), truths.number("survey.copier.changed")
    items = [name for name in questionnaire.questions["name"] if name not in questionnaire.items(block="profile")]
    items += ["gave_feedback"] if "gave_feedback" in frame.columns else []
    scale = [str(level) for level in questionnaire.levels(questionnaire.items(block="satisfaction")[0])]
    copies: dict[str, str] = {}
    mine = frame[frame["interviewer"] == truths.text("survey.copier.interviewer")]
    cells = frame[items].to_numpy(dtype=object).copy()
    on_scale = np.isin(items, questionnaire.items(block="satisfaction"))
    ids = frame["response_id"].to_list()
    for _, village in mine.groupby("ssu", sort=False):
        originals, others = village.index[:asked], village.index[asked:]
        for row, source in zip(others, rng.choice(originals, len(others)), strict=True):
            altered = on_scale & np.isin(cells[source], scale) & chance(rng, changed, n=len(items))
            cells[row] = np.where(altered, rng.choice(scale, len(items)), cells[source])
            copies[ids[row]] = ids[source]
    frame[items] = cells
    return copies


def _plant(opinions: Opinions, frame: pd.DataFrame, *, file: str, rng: np.random.Generator) -> list[Planted]:
    """Answers that no questionnaire allows."""
    questionnaire = opinions.questionnaire
    planted = []
    wanted = [kind for kind in kinds() if kind.table == "khao-sat"]
    repeated = [kind for kind in wanted for _ in range(opinions.city.settings.whole("faults.per_kind"))]
    rows = rng.choice(len(frame), min(len(repeated), len(frame)), replace=False)
    items = questionnaire.items(part="service")
    for kind, row in zip(repeated, rows, strict=False):
        asked = [item for item in items if frame.loc[row, item] != ""]
        if asked:
            item = str(rng.choice(asked))
            frame.loc[row, item] = kind.value
            planted.append(Planted(kind=kind.kind, file=file, row=int(row) + 1, column=item, value=kind.value))
    return planted
