"""A notebook's markdown cells as blocks: headings, paragraphs, lists, quotes (notes) and rules (page breaks)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from khaosat.errors import KhaosatError
from khaosat.facts.language import say
from khaosat.show.blocks import Block, Run

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode


def parse_markdown(source: str) -> list[Block]:
    """Blocks of a markdown text.

    A quote becomes a note, a horizontal rule a page break; HTML is plain text. A numbered list that does not start at
    1, or goes on after a nested list, keeps its author's numbers as text.

    Raises
    ------
    KhaosatError
        On a table or an image: those come from code, with raw values and alt text.

    Examples
    --------
    >>> [block["kind"] for block in parse_markdown("# I. Chung\\n\\nMột **đoạn**.\\n\\n- một\\n- hai")]
    ['heading', 'paragraph', 'list']
    """
    from markdown_it.tree import SyntaxTreeNode

    return _blocks(SyntaxTreeNode(_parser().parse(source)).children)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _blocks(nodes: Iterable[SyntaxTreeNode]) -> list[Block]:
    blocks: list[Block] = []
    for node in nodes:
        match node.type:
            case "heading":
                blocks.append({"kind": "heading", "level": int(node.tag[1]), "runs": _runs(node)})
            case "paragraph":
                blocks.append({"kind": "paragraph", "runs": _runs(node)})
            case "bullet_list" | "ordered_list":
                blocks += _list(node)
            case "blockquote":
                items = [_runs(child) for child in node.walk() if child.type == "paragraph"]
                blocks.append({"kind": "note", "title": "", "items": items})
            case "hr":
                blocks.append({"kind": "page_break"})
            case "fence" | "code_block":
                blocks.append({"kind": "paragraph", "runs": [_run(node.content.strip())]})
            case _:
                _refuse(node.type)
    return blocks


def _list(node: SyntaxTreeNode) -> list[Block]:
    """A list; what is nested in an item follows it as blocks of its own."""
    ordered = node.type == "ordered_list"
    start = int(node.attrs.get("start", 1)) if ordered else 1
    blocks: list[Block] = []
    items: list[list[Run]] = []
    for number, item in enumerate(node.children, start):
        items.append([run for child in item.children if child.type == "paragraph" for run in _runs(child)])
        nested = _blocks(child for child in item.children if child.type != "paragraph")
        if nested or number == start + len(node.children) - 1:
            blocks += _numbered(items, number - len(items) + 1) if ordered else _bulleted(items)
            blocks += nested
            items = []
    return blocks


def _bulleted(items: list[list[Run]]) -> list[Block]:
    return [{"kind": "list", "ordered": False, "items": items}]


def _numbered(items: list[list[Run]], first: int) -> list[Block]:
    if first == 1:
        return [{"kind": "list", "ordered": True, "items": items}]
    return [{"kind": "paragraph", "runs": [_run(f"{n}. "), *runs]} for n, runs in enumerate(items, first)]


def _runs(node: SyntaxTreeNode) -> list[Run]:
    """Stretches of text below a node, neighbours of one style joined."""
    runs: list[Run] = []
    for run in _styled(node, bold=False, italic=False):
        if runs and (runs[-1]["bold"], runs[-1]["italic"]) == (run["bold"], run["italic"]):
            runs[-1]["text"] += run["text"]
        else:
            runs.append(run)
    return runs


def _styled(node: SyntaxTreeNode, *, bold: bool, italic: bool) -> Iterable[Run]:
    match node.type:
        case "text" | "code_inline":
            yield _run(node.content, bold=bold, italic=italic)
        case "softbreak" | "hardbreak":
            yield _run(" ", bold=bold, italic=italic)
        case "image":
            _refuse(node.type)
        case _:
            for child in node.children:
                yield from _styled(child, bold=bold or node.type == "strong", italic=italic or node.type == "em")


def _run(text: str, *, bold: bool = False, italic: bool = False) -> Run:
    return {"text": text, "bold": bold, "italic": italic}


def _refuse(kind: str) -> None:
    raise KhaosatError(
        say("A markdown cell of the report holds a {kind}; display tables and figures from a code cell.", kind=kind)
    )
