import datetime as dt

import pytest

from khaosat.errors import WorkspaceError
from khaosat.facts import locate
from khaosat.workspace import Workspace


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


CITY = '[city]\nname = "A"\nparent_agency = "B"\nagency = "C"\nplace = "D"\n'


def written(folder, text):
    (folder / "khaosat.toml").write_text(text, encoding="utf-8")
    return folder


def test_found_from_a_folder_below(tmp_path):
    written(tmp_path, CITY + "[dossiers]\nas_of = 2026-09-30T23:59:59\nsources = ['*.csv']\n")
    (tmp_path / "notebooks").mkdir()
    workspace = Workspace.find(tmp_path / "notebooks")
    assert workspace.root == tmp_path.resolve()
    assert workspace.dossiers.as_of == dt.datetime(2026, 9, 30, 23, 59, 59)
    assert workspace.dossiers.sources == ("*.csv",)


def test_every_fault_is_named_at_once(tmp_path):
    text = "[city]\nname = 1\nparent_agency = 'B'\nplace = 'D'\n[dosiers]\n[report]\nrecipients = [1]\ncolour = 'x'\n"
    with pytest.raises(WorkspaceError) as error:
        Workspace.find(written(tmp_path, text))
    for words in (
        "[city] name = 1",
        "'agency' is missing",
        "[dosiers]",
        "list of texts",
        "'colour' is not a known key",
    ):
        assert words in str(error.value)


def test_broken_toml_names_the_file(tmp_path):
    with pytest.raises(WorkspaceError, match=r"khaosat\.toml"):
        Workspace.find(written(tmp_path, "[city\n"))


def test_no_workspace(tmp_path):
    with pytest.raises(WorkspaceError, match=r"no khaosat\.toml"):
        Workspace.find(tmp_path)


def test_a_source_that_matches_nothing_is_an_error(tmp_path):
    workspace = Workspace.find(written(tmp_path, CITY))
    (tmp_path / "a.csv").write_text("x\n")
    assert workspace.files(("*.csv",)) == [(tmp_path / "a.csv").resolve()]
    with pytest.raises(WorkspaceError, match=r"'\*\.xlsx' matches no file"):
        workspace.files(("*.csv", "*.xlsx"))


def test_the_repository_workspace_reads():
    from tests.shared import ROOT

    assert Workspace.read(ROOT / "khaosat.toml").city.name == "Thành phố Sông Xanh"


def test_the_notebook_shows_the_city_and_what_its_store_holds(tmp_path):
    text = Workspace.find(written(tmp_path, CITY.replace('"A"', '"<b>A"')))._repr_html_()
    assert "&lt;b&gt;A" in text
    assert "The store holds no dossiers" in text


def test_hours_of_offices_and_rules_of_one_s_own(tmp_path):
    rules = (
        locate("rules/deadline_rules.csv").read_text(encoding="utf-8").replace("2025-07-01,,3,1,1", "2025-07-01,,5,1,1")
    )
    (tmp_path / "rules.csv").write_text(rules, encoding="utf-8")
    (tmp_path / "hours.csv").write_text(
        "office,valid_from,valid_to,day,kind,sessions\nTrụ sở A,,,sat,work,07:30-11:30\n", encoding="utf-8"
    )
    (tmp_path / "units.csv").write_text("unit,office\nSở A,Trụ sở A\n", encoding="utf-8")
    named = "offices = 'hours.csv'\noffice_units = 'units.csv'\ndeadline_rules = 'rules.csv'\n"
    workspace = Workspace.find(written(tmp_path, CITY + "[dossiers]\n" + named))
    assert workspace.calendar().of("Sở A").is_working("2026-07-04")
    assert not workspace.calendar().is_working("2026-07-04")
    assert {rule.id: rule.supplement_days for rule in workspace.deadline_rules()}["nd118_2025"] == 5
    plain = Workspace.find(written(tmp_path, CITY))
    assert plain.calendar().offices == {}
    assert {rule.id: rule.supplement_days for rule in plain.deadline_rules()}["nd118_2025"] == 3
