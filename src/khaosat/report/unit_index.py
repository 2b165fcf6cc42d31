"""The page that lists all units with links to their sheets: sorted and searched in the browser, no server needed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, cast

from khaosat.domain.vietnamese import without_marks
from khaosat.facts import privacy_threshold
from khaosat.facts.language import Lang, number, percent, say
from khaosat.report.findings import Row
from khaosat.report.html import template
from khaosat.report.runner import FILES

if TYPE_CHECKING:
    from khaosat.report.fan_out import Sheet
    from khaosat.report.unit_book import UnitBook


def write_index(book: UnitBook, sheets: Sequence[Sheet], path: Path, *, lang: Lang, key: str) -> None:
    """Write the page; the same book gives the same bytes. Its one script is named by its hash in the page's policy."""
    folder = resources.files("khaosat.report") / "templates"
    made = say("Made by khaosat from the stored data; input key {key}.", key=key[:16])
    script = (folder / "units.js").read_text(encoding="utf-8")
    page = template("units.html.j2").render(
        lang=lang,
        title=say("Unit sheets, {period}", period=book.period.label),
        agency=book.workspace.city.agency,
        rows=[_row(book, sheet) for sheet in sheets],
        words=_words(len(sheets)),
        files=FILES,
        css=(folder / "report.css").read_text(encoding="utf-8") + (folder / "units.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        provenance=f"{made} {book.workspace.source}",
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def _words(n: int) -> dict[str, str]:
    return {
        "search": say("Search units (with or without diacritics)"), "unit": say("Unit"),
        "closed": say("Closed with a due date"), "share": say("On-time share"), "place": say("Beside comparable units"),
        "files": say("Sheet"), "count": say("{n} units", n=n), "failed": say("not made"),
        "kept": say("sheet of an earlier run"), "skip": say("Skip to the list"), "sort": say("Sort by"),
    }  # fmt: skip


def _row(book: UnitBook, sheet: Sheet) -> dict[str, object]:
    """What the page says of a unit; nothing of one with too few dossiers."""
    from khaosat.dossiers.unit_words import verdict_words

    now = cast(Row, book.now.loc[sheet.unit])
    closed, late = int(now["denominator"]), int(now["numerator"])
    few = closed < privacy_threshold("dossiers")
    flag = str(book.comparison["flag"].get(sheet.unit, "insufficient"))
    return {
        "unit": sheet.unit, "folder": sheet.folder, "fault": sheet.fault, "kept": sheet.kept,
        "bare": without_marks(sheet.unit).lower(),
        "closed": "…" if few else number(closed), "closed_raw": -1 if few else closed,
        "share": "…" if few else percent(1 - late / closed, 0 if closed < 30 else 1),
        "share_raw": -1 if few else 1 - late / closed,
        "place": say("not enough data") if few else verdict_words(flag) or say("not enough data"),
    }  # fmt: skip
