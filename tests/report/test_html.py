"""The HTML file as text: escaped, self-contained, with the structure that readers without sight need."""

from __future__ import annotations

import base64
import re

import pytest
from lxml import html as lxml_html

from khaosat.report.html import write


@pytest.fixture(scope="module")
def source(files) -> str:
    return files["html"].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source):
    return lxml_html.document_fromstring(source)


def test_names_that_look_like_code_are_text(source, page):
    assert "<script" not in source
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; Co" in source
    assert page.xpath("//script | //iframe | //link | //object") == []


def test_nothing_is_fetched(source, page):
    addresses = page.xpath("//@src | //@href | //@action | //@srcset")
    assert addresses
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in addresses)
    assert not re.search(r"url\(|@import", source)
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]


def test_language_title_and_author(page, document, signed, tmp_path):
    assert page.get("lang") == "vi"
    assert page.xpath("//title/text()") == [document.title]
    assert page.xpath("//meta[@name='author']/@content") == [document.letterhead.agency]
    write(signed, tmp_path / "en.html")
    assert '<html lang="en">' in (tmp_path / "en.html").read_text(encoding="utf-8")


def test_figures_carry_their_drawing_and_alt_text(page, document):
    figures = [block for block in document.blocks if block["kind"] == "figure"]
    assert page.xpath("//img/@alt") == [figure["alt"] for figure in figures]
    drawings = [base64.b64decode(src.split(",", 1)[1]).decode() for src in page.xpath("//img/@src")]
    assert drawings == [figure["svg"] for figure in figures]


def test_tables_have_captions_scopes_and_regions_of_unique_names(page):
    names = page.xpath("//div[@role='region'][@tabindex='0']/@aria-labelledby")
    assert len(set(names)) == 3
    for name in names:
        assert len(page.xpath(f"//div[@aria-labelledby='{name}']/table/caption/span[@id='{name}']")) == 1
    assert page.xpath("//thead//th[not(@scope)] | //thead//td | //th[not(normalize-space())]") == []
    assert page.xpath("//th[@scope='colgroup']/@colspan") == ["2"]
    assert len(page.xpath("//tbody/tr/th[@scope='row']")) == len(page.xpath("//tbody/tr"))


def test_contents_lead_to_every_heading_and_levels_are_whole(page, document):
    links = {link.get("href")[1:]: link.text_content() for link in page.xpath("//nav//a")}
    headings = page.xpath("//h2 | //h3 | //h4")
    assert links == {heading.get("id"): heading.text_content() for heading in headings}
    assert [int(heading.tag[1]) - 1 for heading in headings] == [block["level"] for block in document.headings]
    assert len(page.xpath("//h1")) == 1
    assert len(page.xpath("//*/@id")) == len(set(page.xpath("//*/@id")))


def test_the_first_link_skips_to_the_text(page):
    first = page.xpath("//a")[0]
    assert page.xpath(f"//*[@id='{first.get('href')[1:]}']")[0].tag == "main"
