"""A figure for readers: drawn once, carried as SVG and PNG, with a title and a sentence for those who cannot see it."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from khaosat.show.blocks import MIME, Block, FigureBlock
from khaosat.show.text import notes_list

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """A drawn figure with the words that go with it.

    Parameters
    ----------
    title
        The finding, as a sentence.
    alt
        What the figure shows, as sentences with its main numbers; not the title again.
    svg, png
        The drawing, as SVG text and PNG bytes.
    half
        Whether it is drawn for half the width of a page, to stand beside another.
    """

    title: str
    alt: str
    svg: str
    png: bytes
    notes: tuple[str, ...] = ()
    source: str = ""
    half: bool = False

    def block(self) -> FigureBlock:
        """JSON twin for the report."""
        block: FigureBlock = {
            "kind": "figure", "title": self.title, "alt": self.alt, "svg": self.svg,
            "png": base64.b64encode(self.png).decode("ascii"), "notes": list(self.notes), "source": self.source,
        }  # fmt: skip
        return {**block, "half": True} if self.half else block

    def blocks(self) -> list[Block]:
        """The block in a list, as every displayed part gives it."""
        return [self.block()]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/plain": self.title, "text/html": self._repr_html_(), MIME: self.blocks()}

    def _repr_html_(self) -> str:
        image = f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode('ascii')}"
        return (
            f'<figure style="margin:0.8em 0 0"><img style="max-width:100%" alt="{html.escape(self.alt)}" src="{image}">'
            f'<figcaption style="font-weight:bold">{html.escape(self.title)}</figcaption></figure>'
            f"{notes_list(self.notes, source=self.source)}"
        )


def draw(
    ax: Axes, *, title: str, alt: str, notes: tuple[str, ...] = (), source: str = "", half: bool = False
) -> Figure:
    """Freeze an axes' figure and close it; same data, same bytes.

    Raises
    ------
    ValueError
        If there is no title or alt text, or the alt text only repeats the title.
    """
    import matplotlib.pyplot as plt

    from khaosat.show.theme import theme

    if not title or not alt or alt == title:
        raise ValueError("a figure needs a title and an alt text that says more than the title")
    canvas = ax.get_figure(root=True)
    if canvas is None:
        raise ValueError("the axes belong to no figure")
    svg, png = io.StringIO(), io.BytesIO()
    with theme():
        canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        canvas.savefig(png, format="png", metadata={"Software": None})
    plt.close(canvas)
    text = svg.getvalue()
    return Figure(
        title=title, alt=alt, svg=text[text.index("<svg") :], png=png.getvalue(), notes=notes, source=source, half=half
    )
