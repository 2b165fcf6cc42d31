"""A table on an A4 page: how wide each column is, how large the type.

Widths follow the rule of browsers (CSS 2, automatic table layout): a column is never narrower than its longest word,
never wider than its longest line, and what is over goes to the columns of text. Words are measured with the shipped
font, whose widths are those of Times New Roman, so the PDF and the DOCX agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from khaosat.show.blocks import Block, TableBlock
from khaosat.show.head import head_rows
from khaosat.show.theme import font_folder

MARGINS = {"top": 20.0, "bottom": 20.0, "left": 30.0, "right": 20.0}
"""Millimetres, within the limits of Nghị định 30/2020/NĐ-CP."""

PORTRAIT = 210 - MARGINS["left"] - MARGINS["right"]
LANDSCAPE = 297 - MARGINS["left"] - MARGINS["right"]

TALLEST = 215.0
"""Millimetres of height that a figure may take, so that its caption and source stay below it."""

BODY = 13.0
"""Type size of the text, in points."""

PADDING = 1.3
"""Millimetres between a cell's text and its rule, left and right."""

# Where a table is tried, in order: at full size, then smaller down to what the decree's readers can still read, then
# on a page turned sideways.
_TRIALS = [(PORTRAIT, size) for size in (11.0, 10.0, 9.0)] + [(LANDSCAPE, size) for size in (11.0, 10.0, 9.0, 8.0)]
_HEAD_LINES = 3  # a label over a narrow column may take so many lines before it widens the column
_TEXT = 6.0  # ems that a column of text is given before the type gets smaller: names in slivers are hard to read
_SLACK = 0.3  # millimetres: layout engines round


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a table fits its page.

    Parameters
    ----------
    size
        Type size in points.
    widths
        Of its columns, in millimetres.
    landscape
        Whether it needs a page turned sideways.
    """

    size: float
    widths: tuple[float, ...]
    landscape: bool


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A run of blocks on pages of one orientation."""

    landscape: bool
    blocks: list[Block]


def fit(table: TableBlock) -> Fit:
    """The largest type and upright page on which no word or number of the table is broken."""
    needs = _needs(table)
    width, size = _TRIALS[-1]
    for width, size in _TRIALS:
        if sum(_in_mm(needs, size)) <= width:
            break
    wants = [_wants(table, head_lines=_HEAD_LINES), _wants(table, head_lines=1)]
    text = [column["type"] == "text" for column in table["columns"]]
    widths = _spread([_in_mm(ems, size) for ems in (needs, *wants)], text=text, width=width)
    return Fit(size=size, widths=tuple(round(w, 2) for w in widths), landscape=width == LANDSCAPE)


def sheets(blocks: Iterable[Block]) -> list[Sheet]:
    """The blocks in runs of one page orientation; a table turned sideways takes the headings just above it along."""
    out: list[Sheet] = [Sheet(landscape=False, blocks=[])]
    for block in blocks:
        landscape = block["kind"] == "table" and fit(block).landscape
        if landscape != out[-1].landscape:
            before = out[-1].blocks
            headings = list(takewhile(lambda b: b["kind"] == "heading", reversed(before))) if landscape else []
            del before[len(before) - len(headings) :]
            out.append(Sheet(landscape=landscape, blocks=headings[::-1]))
        out[-1].blocks.append(block)
    return [sheet for sheet in out if any(block["kind"] != "page_break" for block in sheet.blocks)]


def text_width(text: str, *, bold: bool = False) -> float:
    """Width of a line in ems (multiples of the type size)."""
    widths = _advances("Bold" if bold else "Regular")
    return sum(widths.get(char, 0.5) for char in text)


def covered(text: str) -> str:
    """The text with every character the shipped font lacks replaced by ``�``: PDF/A refuses a missing glyph."""
    glyphs = _advances("Regular")
    return text if all(char in glyphs for char in text) else "".join(c if c in glyphs else "\ufffd" for c in text)


def in_mm(ems: float, size: float) -> float:
    """Ems at a type size in points, as millimetres."""
    return ems * size * 25.4 / 72


@cache
def _advances(weight: str) -> dict[str, float]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    with TTFont(font_folder() / f"Tinos-{weight}.ttf", lazy=True) as font:
        metrics, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {chr(code): metrics[glyph][0] / em for code, glyph in font.getBestCmap().items()}


def _needs(table: TableBlock) -> list[float]:
    """Ems below which a column would break a word or a number, or squeeze its text."""
    needs = []
    for j, column in enumerate(table["columns"]):
        lines = _widest(table, j, text_width)
        body = max(min(lines, _TEXT), _widest(table, j, _longest_word)) if column["type"] == "text" else lines
        needs.append(max(_longest_word(column["label"], bold=True), body))
    return _with_groups(table, needs, lambda label: _longest_word(label, bold=True))


def _wants(table: TableBlock, *, head_lines: int) -> list[float]:
    """Ems beyond which a column gains nothing, its label set in so many lines."""
    wants = [
        max(text_width(column["label"], bold=True) / head_lines, _widest(table, j, text_width))
        for j, column in enumerate(table["columns"])
    ]
    return _with_groups(table, wants, lambda label: text_width(label, bold=True))


def _with_groups(table: TableBlock, ems: list[float], measure: Callable[[str], float]) -> list[float]:
    """Column widths whose sums also hold the labels of their groups."""
    ems = list(ems)
    for head in head_rows(table["columns"])[0]:
        members = range(head["column"], head["column"] + head["colspan"])
        lack = measure(head["label"]) - sum(ems[j] for j in members)
        if len(members) > 1 and lack > 0:
            for j in members:
                ems[j] += lack / len(members)
    return ems


def _widest(table: TableBlock, j: int, measure: Callable[[str], float]) -> float:
    return max((measure(row[j]) for row in table["cells"]), default=0.0)


def _longest_word(text: str, *, bold: bool = False) -> float:
    return max((text_width(word, bold=bold) for word in text.split()), default=0.0)


def _in_mm(ems: Iterable[float], size: float) -> list[float]:
    return [in_mm(em, size) + 2 * PADDING + _SLACK for em in ems]


def _spread(stages: Sequence[list[float]], *, text: list[bool], width: float) -> list[float]:
    """Widths that fill the page: each stage's widths in turn, in proportion; what is left to the columns of text."""
    widths = stages[0]
    if sum(widths) > width:
        return [w * width / sum(widths) for w in widths]
    for stage in stages[1:]:
        lack = [max(0.0, want - w) for want, w in zip(stage, widths, strict=True)]
        share = min(1.0, (width - sum(widths)) / sum(lack)) if sum(lack) > 0 else 0.0
        widths = [w + gap * share for w, gap in zip(widths, lack, strict=True)]
    takers = text if any(text) else [True] * len(widths)
    spare = width - sum(widths)
    return [w + spare * taker / sum(takers) for w, taker in zip(widths, takers, strict=True)]
