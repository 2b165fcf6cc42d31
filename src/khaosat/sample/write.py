"""Writes the invented city: its dossiers, the survey of its people, and what was planted in both."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from khaosat.domain.period import Period
from khaosat.domain.questionnaire import load_questionnaire
from khaosat.facts import locate
from khaosat.sample.answers import Opinions
from khaosat.sample.arrivals import end_of
from khaosat.sample.city import City, crosswalk
from khaosat.sample.exchange import TABLES
from khaosat.sample.files import FileFormat
from khaosat.sample.run import Run, prepare, write_quarter
from khaosat.sample.survey import WaveTruth, write_wave

QUARTERS = ("2024-Q4", "2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")
WAVES = ("2025-Q3", "2026-Q1", "2026-Q2", "2026-Q3")
QUESTIONNAIRE = "sipas_2023"


def write_sample(
    out: Path,
    *,
    dossiers: int = 30_000,
    survey: int = 1_200,
    quarters: Sequence[str] = QUARTERS,
    waves: Sequence[str] = WAVES,
    seed: int = 2026,
    file_format: FileFormat = "csv",
    batch_size: int = 100_000,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write an invented city: its dossiers in the national exchange schema, a survey of its people, and the truth.

    Parameters
    ----------
    out
        Folder, made if need be; an earlier sample in it is replaced. Holds ``dossiers/`` (HoSo, TienTrinh,
        DanhSachHoSoBoSung, LichSuHenTra by quarter of reception), ``survey/`` (khao-sat by wave), ``don-vi.csv``
        (offices before and after 1/7/2025), ``thu-tuc.csv`` (procedures), ``truth.json`` and a README.
    dossiers, survey
        Number of dossiers in all, and of answers a wave (0: no survey). Faulty dossiers come on top.
    quarters, waves
        Consecutive quarters of reception; quarters with a wave. The snapshot is the end of the last quarter.
    seed
        The same seed gives the same bytes.
    file_format
        ``csv`` (gzipped) or ``parquet``.
    batch_size
        Dossiers held in memory at a time (a day's at least): bounds memory. Another size gives other dossiers.
    progress
        Called with dossiers written and dossiers in all.

    Raises
    ------
    ValueError
        If a number is out of range or the quarters do not follow one another.

    Notes
    -----
    Lateness has causes: a fluid queue per office and field, offices of different speed, one slow department to consult,
    a surge. Everything offices do runs on the office clock. The numbers planted are in ``facts/sample/truths.toml``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sample(Path(folder), dossiers=50, survey=0, quarters=("2026-Q3",))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['README.md', 'don-vi.csv', 'dossiers', 'thu-tuc.csv', 'truth.json']
    """
    quarters, waves = tuple(quarters), tuple(waves) if survey else ()
    _check(dossiers=dossiers, survey=survey, quarters=quarters, waves=waves, batch_size=batch_size)
    run = prepare(quarters, waves=waves, dossiers=dossiers, survey=survey, seed=seed, batch_size=batch_size)
    _clear(out)
    done = 0

    def written(size: int) -> None:
        nonlocal done
        done += size
        if progress:
            progress(done, dossiers)

    for quarter in quarters:
        write_quarter(run, quarter, out=out / "dossiers", file_format=file_format, written=written)
    opinions = Opinions.of(run.city, load_questionnaire(QUESTIONNAIRE), seed=seed)
    surveyed = [
        write_wave(opinions, pool, number=i, people=survey, seed=seed, out=out, file_format=file_format)
        for i, pool in enumerate(run.pools)
    ]
    _write_tables(run.city, out=out)
    end = end_of(quarters)
    options = f"--dossiers {dossiers} --survey {survey} --seed {seed}" + " --format parquet" * (file_format != "csv")
    _write_about(run.city, out=out, command=f"khaosat sample {options} --out DIR", end=end)
    text = json.dumps(_truth(run, opinions, surveyed=surveyed, end=end), ensure_ascii=False, indent=1, default=str)
    (out / "truth.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def _check(*, dossiers: int, survey: int, quarters: tuple[str, ...], waves: tuple[str, ...], batch_size: int) -> None:
    if dossiers < 1 or survey < 0 or batch_size < 1:
        raise ValueError("dossiers and batch_size must be at least 1, survey at least 0")
    if not quarters or any(Period(name).kind != "quarter" for name in (*quarters, *waves)):
        raise ValueError("quarters and waves must be quarters such as 2026-Q3, and there must be a quarter")
    if any(Period(later).previous != Period(earlier) for earlier, later in zip(quarters, quarters[1:], strict=False)):
        raise ValueError("quarters must follow one another")


def _clear(out: Path) -> None:
    """Remove the tables of an earlier sample, which could be of other quarters or in the other format."""
    for pattern in (*(f"dossiers/{name}-????-Q?.*" for name in TABLES), "survey/khao-sat-????-Q?.*"):
        for file in out.glob(pattern):
            file.unlink()


def _write_tables(city: City, *, out: Path) -> None:
    crosswalk(city).to_csv(out / "don-vi.csv", index=False, lineterminator="\n")
    procedures = city.procedures
    fields = city.fields.loc[procedures["field_index"]].reset_index(drop=True)
    catalogue = {
        "MaTTHC": procedures["code"], "TenTTHC": procedures["name"], "MaLinhVuc": fields["code"],
        "TenLinhVuc": fields["name"], "CapTruoc": procedures["level_before"], "Cap": procedures["level"],
        "SoNgayGiaiQuyet": procedures["legal_days"],
    }  # fmt: skip
    procedures.assign(**catalogue)[list(catalogue)].to_csv(out / "thu-tuc.csv", index=False, lineterminator="\n")


def _write_about(city: City, *, out: Path, command: str, end: dt.datetime) -> None:
    """Every invented folder says that it is invented."""
    words = {"city": city.settings.text("name"), "command": command, "questionnaire": QUESTIONNAIRE}
    text = locate("sample/README.md").read_text(encoding="utf-8").format(**words, snapshot=f"{end:%H:%M:%S %d/%m/%Y}")
    (out / "README.md").write_text(text, encoding="utf-8", newline="\n")


def _truth(run: Run, opinions: Opinions, *, surveyed: list[WaveTruth], end: dt.datetime) -> dict[str, object]:
    city = run.city
    faults = [*run.planted, *(fault for wave in surveyed for fault in wave.faults)]
    speed = city.units[city.units["kind"].isin(["department", "ward"])]
    return {
        "about": "Invented. What was planted, the numbers used, what it came to, and every faulty row.",
        "city": city.settings.text("name"),
        "seed": run.seed,
        "snapshot": end.isoformat(sep=" "),
        "planted": city.truths.values,
        "true_speed": dict(zip(speed["name"], speed["speed"].round(4).tolist(), strict=True)),
        "true_ward_effect": dict(zip(city.wards["name"], opinions.ward.round(4).tolist(), strict=True)),
        "rows": run.rows,
        "realised": run.tally.realised(),
        "waves": {wave.quarter: wave.as_dict() for wave in surveyed},
        "faults": {
            "by_kind": dict(sorted(Counter(fault.kind for fault in faults).items())),
            "rows": [fault.as_dict() for fault in faults],
        },
    }
