"""The examples in the guides are true: their TOML is read by the readers that it is written for."""

from __future__ import annotations

import re
from pathlib import Path

from khaosat.io.mapping_files import load_mapping
from khaosat.workspace import Workspace
from tests.shared import ROOT

GUIDE = (ROOT / "docs/huong-dan/du-lieu-cua-toi.md").read_text(encoding="utf-8")
WORKSPACE, MAPPING, POSTGRES = re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_workspace_of_the_guide_is_read(tmp_path: Path):
    (tmp_path / "khaosat.toml").write_text(WORKSPACE, encoding="utf-8")
    workspace = Workspace.find(tmp_path)
    assert workspace.survey.columns == {"Câu 1.1": "s1_1"}
    assert workspace.design().clusters == ["phuong"]
    assert workspace.questionnaire().id == "sipas_2023"


def test_postgres_of_the_guide_is_read(tmp_path: Path):
    (tmp_path / "khaosat.toml").write_text(WORKSPACE + POSTGRES, encoding="utf-8")
    postgres = Workspace.find(tmp_path).postgres
    assert postgres.password_env == "MOTCUA_PASSWORD"
    assert set(postgres.tables) == {"dossiers", "steps"}


def test_mapping_of_the_guide_is_read(tmp_path: Path):
    path = tmp_path / "anh-xa.toml"
    path.write_text(MAPPING, encoding="utf-8")
    columns = load_mapping(path).tables["dossiers"].columns
    assert columns["finished_at"].names == ("Ngày có kết quả", "Ngày trả")
    assert columns["channel"].blank == "direct"


def test_questionnaire_item_of_the_guide_exists(tmp_path: Path):
    (tmp_path / "khaosat.toml").write_text(WORKSPACE, encoding="utf-8")
    workspace = Workspace.find(tmp_path)
    assert set(workspace.survey.columns.values()) <= set(workspace.questionnaire().items())
