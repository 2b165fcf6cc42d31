"""The report as one HTML file that asks the network for nothing."""

from __future__ import annotations

import base64
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.facts.language import language, say
from khaosat.report.document import Document, caption, plain_text
from khaosat.report.paper import fit
from khaosat.show.blocks import Block
from khaosat.show.head import head_rows

if TYPE_CHECKING:
    from jinja2 import Template


def write(document: Document, path: Path) -> None:
    """Write the report to ``path``; the same document gives the same bytes."""
    style = resources.files("khaosat.report") / "templates" / "report.css"
    with language(document.lang):
        blocks = _blocks(document)
        page = template("report.html.j2").render(
            lang=document.lang,
            title=document.title,
            form=document.form,
            provenance=document.provenance,
            blocks=blocks,
            headings=[block for block in blocks if block["kind"] == "heading"],
            words=_words(),
            css=style.read_text(encoding="utf-8"),
        )
    path.write_text(page, encoding="utf-8", newline="\n")


@cache
def template(name: str) -> Template:
    """A page of ``templates/``; what it is given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("khaosat.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def _words() -> dict[str, str]:
    return {
        "skip": say("Skip to the text of the report"),
        "contents": say("Contents"),
        "notes": say("Notes:"),
        "recipients": say("Recipients:"),
    }


def _blocks(document: Document) -> list[dict[str, object]]:
    """The blocks with what the page adds: anchors, captions, heads, images as data."""
    out: list[dict[str, object]] = []
    for place, block in enumerate(document.blocks):
        out.append({**block, **_extras(block, place=place)})
    return out


def _extras(block: Block, *, place: int) -> dict[str, object]:
    match block["kind"]:
        case "heading":
            return {"id": f"section-{place}", "text": plain_text(block["runs"])}
        case "table":
            return {"caption": caption(block), "head": head_rows(block["columns"]), "fit": fit(block)}
        case "figure":
            data = base64.b64encode(block["svg"].encode()).decode("ascii")
            return {"caption": caption(block), "image": f"data:image/svg+xml;base64,{data}",
                    "half": block.get("half", False)}  # fmt: skip
        case _:
            return {}
