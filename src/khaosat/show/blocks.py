"""The vocabulary between a notebook and the report: what a displayed object says beside its HTML."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

MIME = "application/vnd.khaosat.block+json"
"""MIME type of the JSON twin that every displayed table, figure and text carries; its value is a list of blocks."""

ColumnKind = Literal["text", "int", "number", "percent", "p_value", "date", "interval", "interval_percent"]


class Run(TypedDict):
    """A stretch of text in one style."""

    text: str
    bold: bool
    italic: bool


class HeadingBlock(TypedDict):
    """A heading; ``level`` 1 is a section of the report."""

    kind: Literal["heading"]
    level: int
    runs: list[Run]


class ParagraphBlock(TypedDict):
    """A paragraph."""

    kind: Literal["paragraph"]
    runs: list[Run]


class ListBlock(TypedDict):
    """A list; each item is a line of runs."""

    kind: Literal["list"]
    ordered: bool
    items: list[list[Run]]


class ColumnSpec(TypedDict):
    """A table's column: its label, how its values are written, and the group label above it (``""``: none)."""

    name: str
    label: str
    type: ColumnKind
    decimals: int
    group: str


class TableBlock(TypedDict):
    """A table, formatted once: ``cells`` is what people read, ``raw`` what a spreadsheet gets.

    ``raw`` holds numbers (shares as 0..1), strings, ISO dates, ``[low, high]`` for intervals, or None.
    """

    kind: Literal["table"]
    title: str
    columns: list[ColumnSpec]
    cells: list[list[str]]
    raw: list[list[object]]
    notes: list[str]
    source: str
    number: NotRequired[int]


class FigureBlock(TypedDict):
    """A figure: SVG for HTML and PDF, PNG (base64) for DOCX, and a sentence for those who cannot see it.

    ``half``: two such figures in a row may stand side by side.
    """

    kind: Literal["figure"]
    title: str
    alt: str
    svg: str
    png: str
    notes: list[str]
    source: str
    half: NotRequired[bool]
    number: NotRequired[int]


class NoteBlock(TypedDict):
    """A note set apart from the text (method boxes, warnings)."""

    kind: Literal["note"]
    title: str
    items: list[list[Run]]


class PageBreakBlock(TypedDict):
    """A new page in paged formats."""

    kind: Literal["page_break"]


class SignatureBlock(TypedDict):
    """Recipients and who signs."""

    kind: Literal["signature"]


Block = (
    HeadingBlock | ParagraphBlock | ListBlock | TableBlock | FigureBlock | NoteBlock | PageBreakBlock | SignatureBlock
)
