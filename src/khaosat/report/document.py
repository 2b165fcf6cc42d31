"""The report as data: a letterhead and blocks, read from an executed notebook, the same for every renderer."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from khaosat.errors import KhaosatError
from khaosat.facts.language import Lang, language, say
from khaosat.report.markdown import parse_markdown
from khaosat.show.blocks import MIME, Block, FigureBlock, HeadingBlock, Run, TableBlock

if TYPE_CHECKING:
    from nbformat import NotebookNode

END = "./."
"""What closes an administrative document (Nghị định 30/2020/NĐ-CP, Appendix I)."""

_ANNEX = ("phụ lục", "annex")
_DEEPEST = 5  # the title is h1 in HTML, which has six
_DRAWN = ("svg", "png")
_BLANK = "\u00a0" * 6  # room for a pen; browsers would close up ordinary spaces


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What stands around the text of an administrative report (Nghị định 30/2020/NĐ-CP).

    Parameters
    ----------
    parent_agency, agency, place
        Who reports, under whom, from where.
    subject
        What the report is on.
    year
        Year of an undated report: day and month stay blank.
    number
        Number and sign, such as ``15/BC-UBND``; blank to be filled in by hand.
    date
        Day of signing; None for a report not yet signed.
    kind
        Name of the document; ``REPORT`` in the language of the document by default.
    draft
        Whether it says so.
    recipients
        ``Nơi nhận``, one a line.
    signer
        Office of who signs, with ``\\n`` between lines.
    """

    parent_agency: str
    agency: str
    place: str
    subject: str
    year: int
    number: str = ""
    date: dt.date | None = None
    kind: str = ""
    draft: bool = True
    recipients: tuple[str, ...] = ()
    signer: str = ""


class Form(TypedDict):
    """The words of the form, as printed."""

    parent_agency: str
    agency: str
    nation: str
    motto: str
    number: str
    place_date: str
    draft: str
    kind: str
    subject: str
    recipients: list[str]
    signer: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Document:
    """A report to lay out.

    On construction the blocks are put in order once for all formats: text without control characters, heading levels
    without gaps, tables and figures numbered, the closing ``./.`` and the signature set after the last words, before an
    annex (a heading that begins with "Phụ lục").

    Parameters
    ----------
    letterhead
        The form around the text.
    blocks
        The text.
    lang
        Its language.
    title
        Name of the file in readers' windows and shelves.
    provenance
        How the report was made; small, at the very end.

    Raises
    ------
    ValueError
        If a table's rows do not fit its columns, or a figure has no drawing or alt text.
    """

    letterhead: Letterhead
    blocks: Sequence[Block]
    lang: Lang
    title: str
    provenance: str = ""

    def __post_init__(self) -> None:
        blocks = [cast(Block, _clean(block)) for block in self.blocks]
        for place, block in enumerate(blocks):
            _validate(block, place=place)
        object.__setattr__(self, "blocks", tuple(_numbered(_signed(_without_gaps(blocks)))))

    @property
    def form(self) -> Form:
        """The words around the text, in the document's language."""
        head = self.letterhead
        with language(self.lang):
            return {
                "parent_agency": head.parent_agency,
                "agency": head.agency,
                "nation": say("SOCIALIST REPUBLIC OF VIET NAM"),
                "motto": say("Independence - Freedom - Happiness"),
                "number": say("No.: {number}", number=head.number or f"{_BLANK}/BC-…"),
                "place_date": _place_date(head),
                "draft": say("DRAFT") if head.draft else "",
                "kind": head.kind or say("REPORT"),
                "subject": head.subject,
                "recipients": _recipients(head.recipients),
                "signer": head.signer.split("\n") if head.signer else [],
            }

    @property
    def tables(self) -> list[TableBlock]:
        """Its tables, in order."""
        return [block for block in self.blocks if block["kind"] == "table"]

    @property
    def headings(self) -> list[HeadingBlock]:
        """Its headings, in order."""
        return [block for block in self.blocks if block["kind"] == "heading"]

    @property
    def moment(self) -> dt.datetime:
        """Time stamp of the files: the day of signing, or the first of the year; never the clock, so bytes repeat."""
        day = self.letterhead.date or dt.date(self.letterhead.year, 1, 1)
        return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def read_notebook(source: Path | NotebookNode) -> list[Block]:
    """Blocks of an executed notebook: its markdown cells and what its code cells displayed, in order.

    Outputs without blocks (prints, plain objects) are not part of a report.

    Raises
    ------
    KhaosatError
        If a cell failed: half a report is none.
    """
    import nbformat

    if isinstance(source, Path):
        source = cast("NotebookNode", nbformat.read(source, as_version=4))
    blocks: list[Block] = []
    for position, cell in enumerate(source.cells, 1):
        if cell.cell_type == "markdown":
            blocks += parse_markdown(cell.source)
        elif cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "error":
                    text = say(
                        "Cell {cell} of the notebook failed ({error}: {message}); there is no report to lay out.",
                        cell=position,
                        error=output.ename,
                        message=output.evalue,
                    )
                    raise KhaosatError(text)
                blocks += output.get("data", {}).get(MIME, [])
    return blocks


def caption(block: TableBlock | FigureBlock) -> str:
    """Number and title of a table or figure, in the language in force."""
    if block["kind"] == "table":
        return say("Table {number}. {title}", number=block["number"], title=block["title"])
    return say("Figure {number}. {title}", number=block["number"], title=block["title"])


def plain_text(runs: Iterable[Run]) -> str:
    """Runs without their style.

    >>> plain_text([{"text": "Một ", "bold": False, "italic": False}, {"text": "hai", "bold": True, "italic": False}])
    'Một hai'
    """
    return "".join(run["text"] for run in runs)


def _place_date(head: Letterhead) -> str:
    if head.date is None:
        day = month = _BLANK
        year = head.year
    else:  # the decree puts a 0 before days below 10 and months 1 and 2
        day, year = f"{head.date.day:02d}", head.date.year
        month = f"{head.date.month:02d}" if head.date.month < 3 else str(head.date.month)
    return say("{place}, {day}/{month}/{year}", place=head.place, day=day, month=month, year=str(year))


def _recipients(names: tuple[str, ...]) -> list[str]:
    return [f"- {name}{'.' if name is names[-1] else ';'}" for name in names]


def _clean(value: object) -> object:
    """Text as every format can hold it: NFC, no control characters or lone surrogates, one line; drawings untouched."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", re.sub(r"\s*[\r\n\t\v\f]\s*", " ", value))
        return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cs"))
    if isinstance(value, Mapping):
        return {key: item if key in _DRAWN else _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _validate(block: Block, *, place: int) -> None:
    if block["kind"] == "table":
        width = len(block["columns"])
        rows: list[Sequence[object]] = [*block["cells"], *block["raw"]]
        if not width or len(block["cells"]) != len(block["raw"]) or any(len(row) != width for row in rows):
            raise ValueError(f"block {place}: the rows of table {block['title']!r} do not fit its columns")
    elif block["kind"] == "figure" and not (block["svg"].startswith("<svg") and block["png"] and block["alt"].strip()):
        raise ValueError(f"block {place}: figure {block['title']!r} lacks its drawing or its alt text")


def _without_gaps(blocks: list[Block]) -> list[Block]:
    """Heading levels that go down one at a time, as assistive software expects (PDF/UA-1 refuses others)."""
    level, out = 0, []
    for block in blocks:
        if block["kind"] == "heading":
            level = min(block["level"], level + 1, _DEEPEST)
            block = {**block, "level": level}
        out.append(block)
    return out


def _signed(blocks: list[Block]) -> list[Block]:
    """The blocks closed and signed; an annex comes after, on a new page (Nghị định 30/2020/NĐ-CP, Appendix I)."""
    annex = next((place for place, block in enumerate(blocks) if _opens_annex(block)), len(blocks))
    signed: list[Block] = [*_close(blocks[:annex]), {"kind": "signature"}]
    return [*signed, {"kind": "page_break"}, *blocks[annex:]] if annex < len(blocks) else signed


def _opens_annex(block: Block) -> bool:
    return block["kind"] == "heading" and plain_text(block["runs"]).casefold().startswith(_ANNEX)


def _close(blocks: list[Block]) -> list[Block]:
    """The blocks with the closing sign after the last words."""
    while blocks and blocks[-1]["kind"] == "page_break":
        blocks = blocks[:-1]
    last = blocks[-1] if blocks else None
    if last is not None and last["kind"] == "paragraph" and last["runs"]:
        return [*blocks[:-1], {**last, "runs": _closed(last["runs"])}]
    if last is not None and last["kind"] == "list" and last["items"] and last["items"][-1]:
        return [*blocks[:-1], {**last, "items": [*last["items"][:-1], _closed(last["items"][-1])]}]
    if last is not None and last["kind"] == "note" and last["items"] and last["items"][-1]:
        return [*blocks[:-1], {**last, "items": [*last["items"][:-1], _closed(last["items"][-1])]}]
    return [*blocks, {"kind": "paragraph", "runs": [{"text": END, "bold": False, "italic": False}]}]


def _closed(runs: list[Run]) -> list[Run]:
    last = runs[-1]
    return [*runs[:-1], {**last, "text": last["text"].removesuffix(END).rstrip(" .;") + END}]


def _numbered(blocks: Iterable[Block]) -> Iterable[Block]:
    count = {"table": 0, "figure": 0}
    for block in blocks:
        if block["kind"] == "table" or block["kind"] == "figure":
            count[block["kind"]] += 1
            block["number"] = count[block["kind"]]  # the block is already our own copy
        yield block
