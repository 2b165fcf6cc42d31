"""Whatever a file holds, it is read or refused in words; every record is stored, set aside, or told to be a copy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import khaosat as ks
from khaosat import cli
from khaosat.domain.questionnaire import load_questionnaire
from khaosat.domain.survey import Design
from khaosat.errors import DataError
from khaosat.io import check_files, ingest_responses, load_responses
from tests.fuzz.made_files import Made, budget, cells, files, moments
from tests.test_workspace import CITY

ids = st.integers(1, 9).map("H29-{}".format)
words = st.sampled_from(["Sở Xây dựng", "UBND phường Đông", "Cấp giấy phép", "1.004", "Nguyễn Văn An"])
HO_SO = {
    "MaHoSo": cells(ids), "MaTTHC": cells(words), "TenLinhVuc": cells(words),
    "KenhThucHien": cells(st.sampled_from("123")),
    "ChuHoSo": cells(words), "NgayTiepNhan": cells(moments()), "NgayHenTra": cells(moments()),
    "TrangThaiHoSo": cells(st.sampled_from("1249")), "NgayKetThucXuLy": cells(moments()), "DonViXuLy": cells(words),
    "SoNgayXuLy": cells(st.sampled_from(["7", "2,5", "15"])),
}  # fmt: skip
TIEN_TRINH = {
    "MaHoSo": cells(ids), "NoiDungXuLy": cells(words), "PhongBanXuLy": cells(words), "NguoiXuLy": cells(words),
    "NgayBatDau": cells(moments()), "ThoiDiemXuLy": cells(moments()),
}  # fmt: skip
QUESTIONS = load_questionnaire("sipas_2023").questions["name"].tolist()
ANSWERS = st.sampled_from(["1", "2", "3", "4", "5", "4.0", "4 - Hài lòng", "Hài lòng", "Rất hài lòng", "1 3", "9"])
PHIEU = {
    "respondent_id": cells(st.integers(1, 99).map(str)), "weight": cells(st.sampled_from(["1", "12,5", "1.200,25"])),
    "stratum": cells(st.sampled_from(["Xã", "Phường"])), "comment": cells(words),
    **{name: cells(ANSWERS) for name in QUESTIONS[::6]},
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _in_english():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHAOSAT_LANG", "en")
        yield


def written(folder: Path, made: Made) -> Path:
    path = folder / made.name
    path.write_bytes(made.content)
    return path


def is_clear(error: DataError) -> None:
    """A refusal names what is wrong, and not in the words of some library."""
    assert error.faults is not None
    assert len(error.faults)
    assert len(str(error)) > 20
    assert not re.search(r"Traceback|Error\b|None|Exception", str(error)[:200]), str(error)


def adds_up(counts: dict[str, int], table: str, made: Made) -> None:
    read, stored, aside = (counts.get(f"{table}_{what}", 0) for what in ("read", "stored", "quarantined"))
    assert read == stored + aside
    if made.records is not None and read:  # a file of other columns, or in no known encoding, has no such rows
        assert read == made.records


@budget(0.4)
@given(made=files(HO_SO, counted=[name for name in HO_SO if name != "ChuHoSo"]))
def test_dossier_files(tmp_path_factory, made):
    path = written(tmp_path_factory.mktemp("dossiers"), made)
    try:
        log = ks.read_dossiers(path)
    except DataError as error:
        is_clear(error)
        return
    adds_up(dict(log.counts), "dossiers", made)
    assert log.engine.query("SELECT count(*) AS n FROM dossiers").to_pylist()[0]["n"] <= log.counts["dossiers_stored"]
    log.engine.close()


@budget(0.56)
@given(made=files(PHIEU, counted=[name for name in PHIEU]), weighted=st.booleans())
def test_survey_files(tmp_path_factory, made, weighted):
    folder = tmp_path_factory.mktemp("survey")
    path = written(folder, made)
    questionnaire = load_questionnaire("sipas_2023")
    design = Design(weights="weight", strata="stratum") if weighted else None
    try:
        responses, faults = load_responses(path, questionnaire=questionnaire, design=design)
    except DataError as error:
        is_clear(error)
        return
    refused = faults.loc[(faults["severity"] == "refused") & (faults["row"] > 0), "row"]
    assert not set(refused) & set(responses.index)
    if made.records is not None:
        assert len(responses) + refused.nunique() >= made.records
    report = ingest_responses(path, store=folder / "store", questionnaire=questionnaire, design=design, wave="2026-Q3")
    adds_up(dict(report.counts), "responses", made if made.records == report.counts["read"] else Made("", b"", None))
    assert report.counts["stored"] == len(responses)
    try:
        survey = ks.read_survey(path, questionnaire=questionnaire, design=design)
    except (ks.DataError, ks.DesignError):
        pass
    else:
        assert len(survey.responses) == len(responses)


@budget(0.04)
@given(
    made=st.lists(
        st.one_of(files(HO_SO, counted=[]), files(TIEN_TRINH, counted=[]), files(PHIEU, counted=[])),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
def test_commands(tmp_path_factory, made):
    """The commands end with an exit code and words."""
    root = tmp_path_factory.mktemp("city")
    (root / "raw").mkdir()
    for number, file in enumerate(made):
        (root / "raw" / f"{number}-{file.name}").write_bytes(file.content)
    settings = '[dossiers]\nsources = ["raw/*"]\n[survey]\nsources = ["raw/*"]\nwave = "2026-Q3"\n'
    (root / "khaosat.toml").write_text(CITY + settings, encoding="utf-8")
    assert cli.main(["check", "--workspace", str(root), str(root / "raw")]) in (cli.DONE, cli.REFUSED)
    assert cli.main(["ingest", "--workspace", str(root)]) in (cli.DONE, cli.REFUSED)
    assert cli.main(["status", "--workspace", str(root)]) == cli.DONE
    faults = check_files(sorted((root / "raw").iterdir()))
    assert set(faults["severity"]) <= {"refused", "blanked", "warning"}
