"""Form II.06a/VPCP/KSTT as a workbook in the official layout, ready to be signed and sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from khaosat.domain.period import Period
from khaosat.errors import DataError
from khaosat.facts.language import date, say

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_COUNTS = 11
_HEAD = 6  # row of the first line of the table's head, from 0
_FONT = {"font_name": "Times New Roman", "font_size": 12, "valign": "vcenter"}


class OfficialForm(Protocol):
    """What :func:`khaosat.form_06a` gives."""

    @property
    def by(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def period(self) -> Period | None: ...  # noqa: D102
    @property
    def rows(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def ready(self) -> bool: ...  # noqa: D102
    def worded(self) -> pd.DataFrame: ...  # noqa: D102
    def heading(self, name: str) -> str: ...  # noqa: D102


def write_form_06a(
    form: OfficialForm, path: str | Path, *, agency: str = "", receiver: str = "", place: str = "", force: bool = False
) -> Path:
    """Write the form as XLSX: head, thirteen numbered columns, totals, notes, signatures.

    Parameters
    ----------
    form
        From :func:`khaosat.form_06a`.
    path
        The workbook to write, in place of what is there.
    agency, receiver
        Who reports, and to whom.
    place
        Before the date, which stays open for the signature.
    force
        Write a form that does not reconcile, too; it is then marked as not to be submitted.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    DataError
        If the form does not reconcile; its notes name the dossiers.
    """
    import xlsxwriter

    if not form.ready and not force:
        raise DataError("\n".join([say("The form is not written, since it does not reconcile."), *form.notes]))
    file = Path(path)
    # Nothing in a cell is ever guessed to be a formula or a link: a unit may be called =SUM().
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        end = form.period.end if form.period else dt.datetime(2000, 1, 1)
        book.set_properties({"title": "II.06a/VPCP/KSTT", "author": agency, "created": end})
        sheet = book.add_worksheet("II.06a")
        _page(sheet, len(form.by))
        _heading(book, sheet, form, agency=agency, receiver=receiver)
        _table_head(book, sheet, [form.heading(name) for name in form.by])
        last = _body(book, sheet, form)
        _foot(book, sheet, form, row=last + 1, place=place)
    return file


def _page(sheet: Worksheet, names: int) -> None:
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD, _HEAD + 3)
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, names, 34)
    sheet.set_column(names + 1, names + _COUNTS, 11)


def _heading(book: Workbook, sheet: Worksheet, form: OfficialForm, *, agency: str, receiver: str) -> None:
    """Number of the form on the left, title and period in the middle, who reports to whom on the right."""
    last = len(form.by) + _COUNTS
    bold, plain = _format(book, bold=True), _format(book, text_wrap=True)
    title = _format(book, bold=True, font_size=14, align="center", text_wrap=True)
    sheet.merge_range(0, 0, 0, 1, say("Form No. II.06a/VPCP/KSTT"), bold)
    sheet.merge_range(0, 2, 1, last - 3, say("SITUATION AND RESULTS OF SETTLING ADMINISTRATIVE PROCEDURES"), title)
    sheet.merge_range(0, last - 2, 0, last, say("Reporting unit: {agency}", agency=agency or "…"), plain)
    sheet.merge_range(1, last - 2, 1, last, say("Receiving unit: {agency}", agency=receiver or "…"), plain)
    period = form.period
    middle = _format(book, bold=True, align="center")
    sheet.merge_range(
        2, 2, 2, last - 3, say("Reporting period: {period}", period=period.label if period else "…"), middle
    )
    if period is not None:
        dates = say("(from {start} to {end})", start=date(period.start), end=date(period.end - dt.timedelta(days=1)))
        sheet.merge_range(3, 2, 3, last - 3, dates, _format(book, italic=True, align="center"))
    if not form.ready:
        warning = _format(book, bold=True, font_color="#B00000", align="center")
        sheet.merge_range(4, 2, 4, last - 3, say("DOES NOT RECONCILE: NOT TO BE SUBMITTED"), warning)
    unit = _format(book, italic=True, align="right")
    sheet.merge_range(_HEAD - 1, last - 2, _HEAD - 1, last, say("Unit: dossiers"), unit)
    for row in (0, 1):
        sheet.set_row(row, 34)


def _table_head(book: Workbook, sheet: Worksheet, names: Sequence[str]) -> None:
    head = _format(book, bold=True, border=1, align="center", text_wrap=True)
    small = _format(book, italic=True, border=1, align="center", font_size=10)
    first = len(names) + 1
    sheet.merge_range(_HEAD, 0, _HEAD + 2, 0, say("No."), head)
    for column, name in enumerate(names, 1):
        sheet.merge_range(_HEAD, column, _HEAD + 2, column, name, head)
    sheet.merge_range(_HEAD, first, _HEAD, first + 3, say("Number of dossiers received"), head)
    sheet.merge_range(_HEAD, first + 4, _HEAD, first + 7, say("Number of dossiers settled"), head)
    sheet.merge_range(_HEAD, first + 8, _HEAD, first + 10, say("Number of dossiers being settled"), head)
    sheet.merge_range(_HEAD + 1, first + 1, _HEAD + 1, first + 2, say("In the period"), head)
    lower = {1: say("Online"), 2: say("In person, by post")}
    whole = {0: say("Total"), 3: say("From the period before"), 4: say("Total"), 5: say("Before the date"),
             6: say("On time"), 7: say("Overdue"), 8: say("Total"), 9: say("In time"), 10: say("Overdue")}  # fmt: skip
    for place, words in lower.items():
        sheet.write_string(_HEAD + 2, first + place, words, head)
    for place, words in whole.items():
        sheet.merge_range(_HEAD + 1, first + place, _HEAD + 2, first + place, words, head)
    sums = {3: "(3)=(4)+(5)+(6)", 7: "(7)=(8)+(9)+(10)", 11: "(11)=(12)+(13)"}
    numbers = ["(1)", "(2)", *([""] * (len(names) - 1)), *(sums.get(n, f"({n})") for n in range(3, 14))]
    for column, text in enumerate(numbers):
        sheet.write_string(_HEAD + 3, column, text, small)
    sheet.set_row(_HEAD + 2, 48)
    sheet.freeze_panes(_HEAD + 4, first)


def _body(book: Workbook, sheet: Worksheet, form: OfficialForm) -> int:
    """The numbered rows, totals in bold; the row after the last."""
    rows, names = form.worded(), len(form.by)
    row = _HEAD + 4
    styles = {
        bold: [_format(book, border=1, bold=bold, **more)
               for more in ({"align": "center"}, {"text_wrap": True}, {"num_format": "#,##0"})]
        for bold in (False, True)
    }  # fmt: skip
    for (_, line), number in zip(rows.iterrows(), form.rows["no"], strict=True):
        centre, text, figure = styles[number == ""]
        sheet.write_string(row, 0, str(number), centre)
        for column, name in enumerate(form.by, 1):
            sheet.write_string(row, column, str(line[name]), text)
        for column, value in enumerate(line.iloc[1 + names :], names + 1):
            sheet.write_number(row, column, int(value), figure)
        row += 1
    return row


def _foot(book: Workbook, sheet: Worksheet, form: OfficialForm, *, row: int, place: str) -> None:
    last = len(form.by) + _COUNTS
    note = _format(book, italic=True, font_size=10, text_wrap=True, valign="top")
    for text in form.notes:
        sheet.merge_range(row, 0, row, last, text, note)
        sheet.set_row(row, 14 * (1 + len(text) // 150))
        row += 1
    middle, bold = _format(book, italic=True, align="center"), _format(book, bold=True, align="center")
    dated = say("{place}, day … month … year …", place=place or "…")
    sheet.merge_range(row + 1, last - 5, row + 1, last, dated, middle)
    sheet.merge_range(row + 2, 0, row + 2, 2, say("PREPARED BY"), bold)
    sheet.merge_range(row + 2, last - 5, row + 2, last, say("HEAD OF THE UNIT"), bold)


def _format(book: Workbook, **properties: object) -> Format:
    return book.add_format({**_FONT, **properties})
