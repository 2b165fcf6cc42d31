"""Computed text: paragraphs, lists and method boxes that a report prints as prose."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from khaosat.show.blocks import MIME, Block, Run


@dataclass(frozen=True, eq=False, kw_only=True)
class Text:
    """Plain sentences, one a paragraph, one a list item, or boxed under a title.

    Parameters
    ----------
    sentences
        Plain text; nothing in it is markup, so a unit named ``**x**`` stays as it is.
    form
        ``paragraphs``, ``list``, ``ordered`` or ``box``.
    title
        Of a box.
    """

    sentences: tuple[str, ...]
    form: Literal["paragraphs", "list", "ordered", "box"] = "paragraphs"
    title: str = ""

    def blocks(self) -> list[Block]:
        """JSON twin for the report.

        >>> Text(sentences=("Một.",)).blocks()
        [{'kind': 'paragraph', 'runs': [{'text': 'Một.', 'bold': False, 'italic': False}]}]
        """
        items = [[plain(sentence)] for sentence in self.sentences]
        match self.form:
            case "paragraphs":
                return [{"kind": "paragraph", "runs": runs} for runs in items]
            case "box":
                return [{"kind": "note", "title": self.title, "items": items}]
            case "list" | "ordered":
                return [{"kind": "list", "ordered": self.form == "ordered", "items": items}]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/plain": "\n".join(self.sentences), "text/html": self._repr_html_(), MIME: self.blocks()}

    def _repr_html_(self) -> str:
        lines = [html.escape(sentence) for sentence in self.sentences]
        if self.form == "paragraphs":
            return "".join(f"<p>{line}</p>" for line in lines)
        tag = "ol" if self.form == "ordered" else "ul"
        items = "".join(f"<li>{line}</li>" for line in lines)
        title = f"<p><strong>{html.escape(self.title)}</strong></p>" if self.title else ""
        return f"{title}<{tag}>{items}</{tag}>"


def notes_list(notes: Sequence[str], *, source: str = "") -> str:
    """HTML of what stands under a table or figure: its notes, then where its data come from.

    >>> notes_list(["a < b"], source="")
    '<ul style="font-size:0.9em;margin:0.4em 0 0.8em"><li>a &lt; b</li></ul>'
    """
    items = "".join(f"<li>{html.escape(line)}</li>" for line in (*notes, source) if line)
    return f'<ul style="font-size:0.9em;margin:0.4em 0 0.8em">{items}</ul>' if items else ""


def plain(text: str) -> Run:
    """A run without style.

    >>> plain("a")
    {'text': 'a', 'bold': False, 'italic': False}
    """
    return {"text": text, "bold": False, "italic": False}
