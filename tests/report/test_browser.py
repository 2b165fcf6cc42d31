"""The HTML file in a real browser: no request leaves it, axe-core finds nothing, a small screen need not scroll."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khaosat.report.html import write
from tests.browser import chromium
from tests.shared import ROOT


def axe() -> Path:
    """The script of axe-core (npm), which no test downloads."""
    place = Path(os.environ.get("KHAOSAT_AXE", ROOT / ".ci" / "node_modules" / "axe-core" / "axe.min.js"))
    if not place.is_file():
        pytest.skip(
            "axe-core is not here: npm install --no-save --prefix .ci axe-core, or set KHAOSAT_AXE to axe.min.js"
        )
    return place


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["vi", "en"])
def address(request, files, signed, tmp_path_factory) -> str:
    path = files["html"]
    if request.param == "en":
        path = tmp_path_factory.mktemp("en") / "report.html"
        write(signed, path)
    return path.as_uri()


def test_no_request_leaves_the_file(browser, address):
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(address, wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:image/svg+xml")] == [address]
    assert said == []
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    page.close()


def test_axe_finds_no_violation(browser, address):
    script = axe()
    page = browser.new_context(bypass_csp=True).new_page()  # the file's own policy lets no script in
    page.goto(address)
    page.add_script_tag(path=str(script))
    found = page.evaluate("axe.run(document)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
    assert len(found["passes"]) > 20
    page.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_only_tables_scroll_sideways(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    scrolls = page.evaluate("[...document.querySelectorAll('.table')].map(t => t.scrollWidth > t.clientWidth)")
    assert scrolls[2]
    page.close()


def test_country_stands_on_one_line_on_the_smallest_screen(browser, address):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(address)
    lines = "p => { const r = document.createRange(); r.selectNodeContents(p); return r.getClientRects().length }"
    assert page.eval_on_selector(".nation strong", lines) == 1
    box = page.locator(".nation").bounding_box()
    assert box["x"] >= 0
    assert page.eval_on_selector(".nation strong", "e => e.getBoundingClientRect().right") <= 360
    page.close()


def test_skip_link_is_first_and_moves_the_focus(browser, address):
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "report"
    page.close()
