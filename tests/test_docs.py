"""The documentation: a site built strictly that asks nobody for anything and searches without marks; RAP has proofs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html as lxml_html

import khaosat
from khaosat.facts import read_table
from tests.browser import chromium
from tests.shared import ROOT

ELSEWHERE = re.compile(
    r"""(?:src|srcset|poster|data)=["'](?:https?:)?//|<link[^>]+href=["'](?:https?:)?//|@import|url\(["']?https?:"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
    return folder


def text_of(page: Path) -> str:
    return " ".join(lxml_html.parse(str(page)).getroot().find(".//article").text_content().split())


def test_every_public_name_is_described_once(site):
    anchors = [
        anchor
        for page in sorted((site / "api").glob("*.html"))
        for anchor in lxml_html.parse(str(page)).getroot().xpath("//*[self::h2 or self::h3]/@id")
    ]
    assert sorted(a for a in anchors if a.removeprefix("khaosat.") in khaosat.__all__) == sorted(
        f"khaosat.{name}" for name in khaosat.__all__
    )


def test_every_method_has_its_page_and_its_line(site):
    methods = {path.stem for path in (ROOT / "docs/methods").glob("*.md")} - {"index"}
    links = lxml_html.parse(str(site / "methods/index.html")).getroot().xpath("//article//a/@href")
    assert {Path(link.split("#")[0]).stem for link in links if link.endswith(".html")} >= methods


def test_facts_are_those_of_the_package_with_their_grades(site):
    text = text_of(site / "huong-dan/du-kien.html")
    for name in ("rules/targets.csv", "published/sipas_national.csv", "calendars/vn.csv"):
        facts = read_table(name)
        counted = ", ".join(f"{grade}: {n}" for grade, n in facts["grade"].value_counts().sort_index().items())
        assert f"{name} — {len(facts)} dữ kiện; mức {counted}" in text
        assert all(" ".join(source.split()) in text for source in facts["source"])


def test_no_formula_and_no_role_is_left_as_it_was_written(site):
    for page in site.rglob("*.html"):
        source = page.read_text(encoding="utf-8")
        assert "arithmatex" not in source, page.name
        assert not re.search(r":(?:math|func|class|meth|mod|data|attr):\s*<code>", source), page.name
    assert (site / "methods/thoi-gian-giai-quyet.html").read_text(encoding="utf-8").count("<math") >= 10


def test_no_page_loads_anything_from_elsewhere(site):
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    assert len(files) > 50
    found = {path.name: hit[0] for path in files if (hit := ELSEWHERE.search(path.read_text(encoding="utf-8")))}
    assert found == {}


def test_search_from_disk_without_marks_finds_what_has_them(site):
    with chromium() as browser:
        page, asked, faults = browser.new_page(viewport={"width": 1600, "height": 900}), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((site / "index.html").as_uri())
        assert search(page, "dong ho hanh chinh")[0] == "dong-ho-hanh-chinh"
        assert search(page, "Đồng hồ hành chính")[0] == "dong-ho-hanh-chinh"
        assert "diem-nghen" in search(page, "DIEM NGHEN")
        assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob", "about"}
        assert faults == []


def search(page, words: str) -> list[str]:
    """Names of the pages found, best first."""
    field = page.locator("input.md-search__input")
    if not field.is_visible():
        page.locator("label[for=__search]:visible").first.click()
    field.fill("")
    field.press_sequentially(words)
    page.wait_for_function(
        "words => document.querySelector('.md-search-result__link')?.href.includes(encodeURIComponent(words))"
        " || document.querySelector('.md-search-result__link mark')",
        arg=words,
    )
    links = page.eval_on_selector_all(".md-search-result__link", "links => links.map(link => link.pathname)")
    return [Path(link).stem for link in links]


# RAP ----------------------------------------------------------------------------------------------------------------

RAP = (ROOT / "docs/rap.md").read_text(encoding="utf-8")
LINES = [line.strip("|").split("|") for line in RAP.splitlines() if line.startswith("|") and "`" in line]


def test_the_minimum_standard_has_its_seven_lines():
    minimum = RAP.partition("## Chuẩn tối thiểu")[2].partition("## Cao hơn")[0]
    assert sum(line.startswith("| ") for line in minimum.splitlines()) == 1 + 7


@pytest.mark.parametrize("line", LINES, ids=[line[0].strip() for line in LINES])
def test_files_that_prove_a_line_of_the_rap_list_are_there(line):
    proofs = re.findall(r"`([^`]+)`", line[-1])
    assert proofs
    assert [proof for proof in proofs if not (ROOT / proof).exists()] == []


# Names --------------------------------------------------------------------------------------------------------------


def test_completion_lists_the_public_names_each_with_a_line_of_its_own():
    assert {*dir(khaosat)} == {*khaosat.__all__, "report", "show"}
    lines = {name: (getattr(khaosat, name).__doc__ or "").strip().split("\n")[0] for name in dir(khaosat)}
    assert [name for name, line in lines.items() if not line.endswith((".", "?")) or len(line) > 120] == []


def test_every_noun_shows_a_card_in_vietnamese():
    from khaosat.dossiers.frames import example_log

    nouns = {
        "Period": khaosat.Period("2026-Q3"), "Design": khaosat.Design(weights="w", strata="t"),
        "WorkCalendar": khaosat.WorkCalendar.vietnam(), "Questionnaire": khaosat.load_questionnaire("sipas_2023"),
        "DossierLog": example_log(), "Workspace": khaosat.Workspace.find(ROOT),
    }  # fmt: skip
    words = {
        "Period": "quý III năm 2026", "Design": "Trọng số: w", "WorkCalendar": "Lịch làm việc", "DossierLog": "Hồ sơ:",
        "Questionnaire": "câu hỏi", "Workspace": "Thành phố Sông Xanh",
    }  # fmt: skip
    for name, noun in nouns.items():
        card = noun._repr_html_()
        assert words[name] in card, name
        assert 20 < len(lxml_html.fromstring(card).text_content()) < 600, name
