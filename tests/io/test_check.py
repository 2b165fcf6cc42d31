from __future__ import annotations

import pandas as pd

from khaosat.domain.faults import COLUMNS
from khaosat.domain.questionnaire import load_questionnaire
from khaosat.io import check_files
from tests.io.exports import TIEN_TRINH, buoc, ho_so, write


def test_dossiers_and_surveys_are_told_apart(tmp_path):
    item = load_questionnaire("sipas_2023").items("satisfaction")[0]
    write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", NgayTiepNhan="x")])
    write(tmp_path / "tientrinh.csv", [buoc("H29-3")], header=TIEN_TRINH)
    pd.DataFrame({"respondent_id": [1, 2], item: [4, 77]}).to_csv(tmp_path / "phieu.csv", index=False)
    (tmp_path / "trong.csv").write_bytes(b"")
    (tmp_path / "la.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    found = check_files(tmp_path)
    assert tuple(found.columns) == COLUMNS
    by_file = found.groupby("file")["fault"].agg(set)
    assert by_file["hoso.csv"] == {"bad_date"}
    assert by_file["tientrinh.csv"] == {"without_dossier"}
    assert "off_scale" in by_file["phieu.csv"]
    assert by_file["trong.csv"] == {"empty_file"}
    assert by_file["la.csv"] == {"unknown_file"}


def test_a_good_file_has_no_fault(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    found = check_files([path])
    assert found.empty
    assert tuple(found.columns) == COLUMNS
    assert sorted(tmp_path.iterdir()) == [path]
