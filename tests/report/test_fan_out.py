"""A report for each unit: all formats, an index page, one failure does not stop the others, same bytes, skipped."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import pytest
from lxml import html as lxml_html

from khaosat.cli import main
from khaosat.errors import WorkspaceError
from khaosat.report.due import ZONE, run_due
from khaosat.report.fan_out import INDEX, STATUS, build_each, folders, parameter
from khaosat.report.outputs import damage
from khaosat.report.runner import FILES, MANIFEST
from khaosat.workspace import Workspace
from tests.report.test_browser import axe, browser  # noqa: F401
from tests.shared import ROOT
from tests.test_workspace import CITY

NAME, PERIOD = "phieu-don-vi", "2026-Q3"
UNITS = {"Phường Bến Nghe": 12, "Phường Bến Nghé": 30, "Xã <script>": 2}  # in Vietnamese order
HEAD = "MaHoSo,MaTTHC,TenTTHC,NgayTiepNhan,NgayHenTra,NgayKetThucXuLy,TrangThaiHoSo,DonViXuLy\n"


def dossiers() -> str:
    """Dossiers of three units, every sixth late."""
    lines = []
    for unit, n in UNITS.items():
        for i in range(n):
            day, done = 1 + i % 20, "20260901080000" if i % 6 == 0 else "20260803080000"
            lines.append(
                f"H99.01-2607{day:02d}-{len(lines):04d},1.1,Việc,202607{day:02d}080000,20260810170000,{done},4,{unit}\n"
            )
    return HEAD + "".join(lines)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    root = tmp_path_factory.mktemp("city")
    settings = '[dossiers]\nsources = ["*.csv"]\nas_of = 2026-09-30T23:59:59\n'
    (root / "khaosat.toml").write_text(CITY + settings, encoding="utf-8")
    (root / "a.csv").write_text(dossiers(), encoding="utf-8")
    workspace = Workspace.find(root)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def built(city):
    return build_each(city, PERIOD, notebook=NAME, workers=1)


def snapshot(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_unit_has_every_format_and_the_run_is_whole(built):
    assert built.state == "built"
    assert built.failed == ()
    assert damage(built.folder) == []
    made = {f"{folder}/{file}" for folder in folders(list(UNITS)).values() for file in FILES.values()}
    assert set(snapshot(built.folder)) == {*made, INDEX, STATUS, MANIFEST}
    status = json.loads((built.folder / STATUS).read_text(encoding="utf-8"))
    assert status == {"units": 3, "built": 3, "failed": []}


def test_a_unit_with_few_dossiers_says_so_on_its_sheet_and_in_the_index(built):
    sheet = (built.folder / "xa-script" / FILES["html"]).read_text(encoding="utf-8")
    assert "dưới 5 hồ sơ" in sheet
    assert "<script>" not in sheet
    page = lxml_html.parse(str(built.folder / INDEX)).getroot()
    rows = {row[0].text_content(): [cell.text_content() for cell in row] for row in page.xpath("//tbody/tr")}
    assert list(rows) == list(UNITS)
    assert rows["Xã <script>"][1:4] == ["…", "…", "chưa đủ dữ liệu"]
    assert rows["Phường Bến Nghé"][1] == "30"
    assert rows["Phường Bến Nghé"][2] == "83,3%"
    for link in page.xpath("//tbody//a/@href"):
        assert (built.folder / link).is_file()


def test_unchanged_is_skipped_and_forced_gives_the_same_bytes(city, built):
    before = snapshot(built.folder)
    assert build_each(city, PERIOD, notebook=NAME).state == "unchanged"
    assert build_each(city, PERIOD, notebook=NAME, force=True, workers=2).state == "built"
    assert snapshot(built.folder) == before


def test_a_failing_unit_is_named_its_last_good_sheet_kept_and_the_others_made(city, built, capsys, tmp_path):
    root = tmp_path / "city"
    shutil.copytree(city.root, root)
    (root / "notebooks").mkdir()
    text = (ROOT / "notebooks" / f"{NAME}.ipynb").read_text(encoding="utf-8")
    broken = text.replace('"ks.report.unit_method(sheet)"', "\"1 / (unit != 'Phường Bến Nghe')\"")
    assert broken != text
    (root / "notebooks" / f"{NAME}.ipynb").write_text(broken, encoding="utf-8")
    assert main(["report", PERIOD, "--notebook", NAME, "--by", "unit", "--workspace", str(root)]) == 1
    assert "Phường Bến Nghe" in capsys.readouterr().err
    folder = root / "reports" / built.folder.name
    status = json.loads((folder / STATUS).read_text(encoding="utf-8"))
    assert (status["units"], status["built"]) == (3, 2)
    (failed,) = status["failed"]
    assert failed["unit"] == "Phường Bến Nghe"
    assert failed["kept"]
    assert "ZeroDivisionError" in failed["fault"]
    kept = folders(list(UNITS))["Phường Bến Nghe"]
    assert (folder / kept / FILES["pdf"]).read_bytes() == (built.folder / kept / FILES["pdf"]).read_bytes()
    assert "phiếu của lần chạy trước" in (folder / INDEX).read_text(encoding="utf-8")
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["key"] == "", "the next run tries again"
    settings = (root / "khaosat.toml").read_text(encoding="utf-8")
    more = f'[schedule]\nquarterly = ["{NAME}"]\ncatch_up = 1\ningest = false\n'
    (root / "khaosat.toml").write_text(settings + more, encoding="utf-8")
    (root / "notebooks" / f"{NAME}.ipynb").write_text(text, encoding="utf-8")
    assert damage(folder) == ["không lập được phiếu của Phường Bến Nghe"]
    now = dt.datetime(2026, 10, 6, 6, tzinfo=ZONE)
    assert [run_due(Workspace.find(root), now=lambda: now).runs[0].state for _ in range(2)] == ["built", "finished"]
    assert json.loads((folder / STATUS).read_text(encoding="utf-8"))["failed"] == []


def test_only_a_notebook_that_says_so_is_made_for_each_unit(city):
    assert parameter(city, NAME) == "unit"
    assert parameter(city, "bao-cao-quy") == ""
    with pytest.raises(WorkspaceError, match="bao-cao-quy"):
        build_each(city, PERIOD, notebook="bao-cao-quy")


def test_the_index_is_searched_without_diacritics_sorted_and_has_no_violation(browser, built):  # noqa: F811
    page = browser.new_context(bypass_csp=False).new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((built.folder / INDEX).as_uri())
    page.fill("#search", "ben nghe")
    assert page.locator("tbody tr:visible").count() == 2
    page.fill("#search", "")
    page.click("th button >> nth=1")
    assert page.locator("tbody tr >> nth=2").inner_text().startswith("Phường Bến Nghé\t30")
    assert said == []
    assert len(asked) == 1
    free = browser.new_context(bypass_csp=True).new_page()
    free.goto((built.folder / INDEX).as_uri())
    free.add_script_tag(path=str(axe()))
    found = free.evaluate("axe.run(document)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
