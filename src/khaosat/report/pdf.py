"""The report as PDF/UA-1 and PDF/A-2a, in the form of Nghị định 30/2020/NĐ-CP, with the shipped fonts only."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.errors import KhaosatError
from khaosat.facts.language import language, say
from khaosat.report.document import Document, caption
from khaosat.report.paper import BODY, MARGINS, PADDING, TALLEST, covered, fit, sheets
from khaosat.show.blocks import Block
from khaosat.show.head import head_rows
from khaosat.show.theme import font_folder

if TYPE_CHECKING:
    from typst import PDFStandard

_STANDARDS: list[PDFStandard] = ["ua-1", "a-2a"]


def write(document: Document, path: Path) -> None:
    """Write the report to ``path``; the same document gives the same bytes.

    Raises
    ------
    KhaosatError
        If the layout gives any warning, such as a font that is not there.
    """
    import typst

    with language(document.lang):
        report = json.dumps(_covered(_payload(document)), ensure_ascii=False)
    # No system fonts and none of typst's own: what is not in the package may not be in the report.
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])
    template = (resources.files("khaosat.report") / "templates" / "report.typ").read_bytes()
    pdf, warnings = typst.compile_with_warnings(
        template, font_paths=fonts, sys_inputs={"report": report}, pdf_standards=_STANDARDS, timestamp=document.moment
    )
    if warnings:
        raise KhaosatError("typst: " + "; ".join(warning.message for warning in warnings))
    path.write_bytes(pdf)


def _payload(document: Document) -> dict[str, object]:
    moment = document.moment
    return {
        "lang": document.lang,
        "title": document.title,
        "provenance": document.provenance,
        "form": document.form,
        "day": [moment.year, moment.month, moment.day],
        "margins": MARGINS,
        "padding": PADDING,
        "tallest": TALLEST,
        "body": BODY,
        "words": {"recipients": say("Recipients:"), "notes": say("Notes:")},
        "sheets": [
            {"landscape": sheet.landscape, "blocks": _paired([_block(block) for block in sheet.blocks])}
            for sheet in sheets(document.blocks)
        ],
    }


def _block(block: Block) -> dict[str, object]:
    """A block with what the page needs to know, without what it does not."""
    match block["kind"]:
        case "table":
            place = fit(block)
            return {
                "kind": "table", "caption": caption(block), "cells": block["cells"], "notes": block["notes"],
                "source": block["source"], "kinds": [column["type"] for column in block["columns"]],
                "head": head_rows(block["columns"]), "size": place.size, "widths": place.widths,
            }  # fmt: skip
        case "figure":
            return {
                "kind": "figure", "caption": caption(block), "alt": block["alt"], "svg": block["svg"],
                "notes": block["notes"], "source": block["source"], "half": block.get("half", False),
            }  # fmt: skip
        case _:
            return dict(block)


def _paired(blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    """The blocks with each two half figures in a row as one pair."""
    out: list[dict[str, object]] = []
    for block in blocks:
        if block.get("half") and out and out[-1].get("half"):
            out[-1] = {"kind": "pair", "figures": [out[-1], block]}
        else:
            out.append(block)
    return out


def _covered(value: object) -> object:
    """All text with the characters that the font has."""
    if isinstance(value, str):
        return covered(value)
    if isinstance(value, dict):
        return {key: item if key == "svg" else _covered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_covered(item) for item in value]
    return value
