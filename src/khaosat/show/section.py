"""Several tables, figures and texts displayed as one: what one notebook cell of a report gives."""

from __future__ import annotations

from dataclasses import dataclass

from khaosat.show.blocks import MIME, Block
from khaosat.show.figure import Figure
from khaosat.show.table import Table
from khaosat.show.text import Text

Part = Table | Figure | Text


@dataclass(frozen=True, eq=False)
class Section:
    """Parts shown one under the other.

    Parameters
    ----------
    parts
        In reading order.
    """

    parts: tuple[Part, ...]

    @property
    def brief(self) -> Section:
        """Its texts and figures: what a reader in a hurry needs."""
        return Section(tuple(part for part in self.parts if not isinstance(part, Table)))

    @property
    def tables(self) -> Section:
        """Its tables, for an annex."""
        return Section(tuple(part for part in self.parts if isinstance(part, Table)))

    def blocks(self) -> list[Block]:
        """JSON twins of all parts, in order."""
        return [block for part in self.parts for block in part.blocks()]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {
            "text/plain": f"{len(self.parts)} parts",
            "text/html": "".join(part._repr_html_() for part in self.parts),
            MIME: self.blocks(),
        }
