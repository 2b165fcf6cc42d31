"""The workbook in which an office describes the work a procedure asks of people: a template, and its reader."""

from __future__ import annotations

import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import current_language, say

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet
    from xlsxwriter import Workbook

_ROWS = 500
"""Lines of the template whose cells know what may stand in them."""
_HEADER_WITHIN = 10
_NEEDED = ("procedure", "stage")


@dataclass(frozen=True, eq=False, kw_only=True)
class CostSheet:
    """What the workbook says: one row a procedure, stage and activity, and the income of an hour if it is given."""

    rows: pd.DataFrame
    income_per_hour: float | None


def write_cost_template(path: str | Path) -> Path:
    """Write the empty workbook for :func:`khaosat.compliance_cost`: work, parameters, and how to fill them in.

    Parameters
    ----------
    path
        The workbook to write, in place of what is there.

    Returns
    -------
    Path
        The file written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_cost_sheet(write_cost_template(Path(folder, "chi-phi.xlsx"))).rows.empty
    True
    """
    import xlsxwriter

    file, lang = Path(path), current_language()
    columns = read_table("codes/cost_columns.csv")
    with xlsxwriter.Workbook(str(file)) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#EEEEEE", "valign": "top"})
        sheet = book.add_worksheet(say("Work"))
        for place, row in columns.iterrows():
            number = int(str(place))
            sheet.write_string(0, number, row[f"label_{lang}"], head)
            sheet.write_comment(0, number, row[f"hint_{lang}"])
            sheet.set_column(number, number, 30 if row["kind"] == "text" else 14)
            if row["kind"] == "number":
                rule = {"validate": "decimal", "criteria": ">=", "value": 0}
                sheet.data_validation(1, number, _ROWS, number, rule)
            elif row["kind"] == "stage":
                rule = {"validate": "list", "source": [say("before"), say("after")]}
                sheet.data_validation(1, number, _ROWS, number, rule)
        sheet.freeze_panes(1, 1)
        _parameters(book)
        _help(book, columns)
    return file


def read_cost_sheet(path: str | Path) -> CostSheet:
    """Read a workbook made from the template; headings may be those of either language, or the column ids.

    Raises
    ------
    DataError
        No such sheet, unknown stages, or cells that are no numbers of at least 0; all of them at once.
    """
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    file = Path(path)
    try:
        with warnings.catch_warnings():  # openpyxl warns of styles it does not know; data are not styles
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, data_only=True)
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise DataError(say("{file} cannot be read as a workbook: {error}.", file=file.name, error=error)) from error
    try:
        frame, income = None, None
        for sheet in book.worksheets:
            frame = _work(sheet) if frame is None else frame
            income = _income(sheet) if income is None else income
    finally:
        book.close()
    if frame is None:
        columns = ", ".join(read_table("codes/cost_columns.csv")[f"label_{current_language()}"])
        raise DataError(
            say("{file} has no sheet with the columns of the template: {columns}.", file=file.name, columns=columns)
        )
    return CostSheet(rows=frame, income_per_hour=income)


def _work(sheet: Worksheet) -> pd.DataFrame | None:
    """The rows of a sheet whose header names the columns of the template; nothing for another sheet."""
    names = _headings()
    header: list[str] | None = None
    rows: list[dict[str, object]] = []
    for place, cells in enumerate(sheet.iter_rows(values_only=True)):
        if header is None:
            found = [names.get(_plain(cell), "") for cell in cells]
            if set(_NEEDED) <= set(found):
                header = found
            elif place >= _HEADER_WITHIN:
                return None
        elif any(cell not in (None, "") for cell in cells):
            named: dict[str, object] = {name: cell for name, cell in zip(header, cells, strict=False) if name}
            rows.append({**named, "row": place + 1})
    if header is None:
        return None
    return pd.DataFrame(rows, columns=[*read_table("codes/cost_columns.csv")["id"], "row"])


def _income(sheet: Worksheet) -> float | None:
    """The number beside the name of the parameter."""
    wanted = {"income_per_hour", _plain(_income_label("vi")), _plain(_income_label("en"))}
    for cells in sheet.iter_rows(values_only=True):
        if cells and _plain(cells[0]) in wanted:
            value = cells[1] if len(cells) > 1 else None
            return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None


def _parameters(book: Workbook) -> None:
    sheet = book.add_worksheet(say("Parameters"))
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 2, 24)
    bold = book.add_format({"bold": True, "border": 1})
    for column, text in enumerate((say("Parameter"), say("Value"), say("Source"))):
        sheet.write_string(0, column, text, bold)
    sheet.write_string(1, 0, _income_label(current_language()))
    sheet.write_blank(1, 1, None, book.add_format({"border": 1, "num_format": "#,##0"}))


def _help(book: Workbook, columns: pd.DataFrame) -> None:
    sheet, lang = book.add_worksheet(say("How to fill in")), current_language()
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 1, 80)
    for row, fact in columns.iterrows():
        sheet.write_string(int(str(row)), 0, fact[f"label_{lang}"], wrap)
        sheet.write_string(int(str(row)), 1, fact[f"hint_{lang}"], wrap)
    lines = [
        say("One line an activity, before and after simplification. Yearly cost = (hours × income per hour + fees + "
            "other cost) × times a year × applicants a year."),
        say("The income per hour has no default here: take the figure in force and write its source."),
    ]  # fmt: skip
    for row, text in enumerate(lines, len(columns) + 1):
        sheet.merge_range(row, 0, row, 1, text, wrap)
        sheet.set_row(row, 34)


def _income_label(lang: str) -> str:
    table = read_table("codes/cost_parameters.csv")
    return str(table.loc[table["id"] == "income_per_hour", f"label_{lang}"].iloc[0])


def _headings() -> dict[str, str]:
    """Column id by its plain heading in either language, and by itself."""
    table = read_table("codes/cost_columns.csv")
    return {_plain(row[name]): row["id"] for _, row in table.iterrows() for name in ("id", "label_vi", "label_en")}


def _plain(cell: object) -> str:
    return " ".join(unicodedata.normalize("NFC", str(cell or "")).casefold().split())
