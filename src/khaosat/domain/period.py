"""Reporting periods: year, half-year, quarter, month."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from khaosat.facts.language import date, say

Kind = Literal["year", "half", "quarter", "month"]
_MONTHS: dict[Kind, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
_PATTERN = re.compile(r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|(?P<month>0[1-9]|1[0-2])))?")


@dataclass(frozen=True, order=True)
class Period:
    """A reporting period, half open: ``start <= moment < end``.

    Parameters
    ----------
    text
        ``2026``, ``2026-H1``, ``2026-Q3`` or ``2026-07``.

    Raises
    ------
    ValueError
        If the text is not a period.

    Examples
    --------
    >>> quarter = Period("2026-Q3")
    >>> quarter.start, quarter.end
    (datetime.datetime(2026, 7, 1, 0, 0), datetime.datetime(2026, 10, 1, 0, 0))
    >>> quarter.previous, quarter.year_before
    (Period('2026-Q2'), Period('2025-Q3'))
    """

    text: str

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(self.text):
            raise ValueError(f"{self.text!r} is not a period: write 2026, 2026-H1, 2026-Q3 or 2026-07")

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Period({self.text!r})"

    @property
    def year(self) -> int:
        """The calendar year."""
        return int(self.text[:4])

    @property
    def kind(self) -> Kind:
        """``year``, ``half``, ``quarter`` or ``month``."""
        match self.text[4:6]:
            case "":
                return "year"
            case "-Q":
                return "quarter"
            case "-H":
                return "half"
            case _:
                return "month"

    @property
    def index(self) -> int:
        """Number of the period within its year, from 1."""
        return 1 if self.kind == "year" else int(self.text[5:].lstrip("QH"))

    @property
    def start(self) -> dt.datetime:
        """First moment of the period, local civil time."""
        return dt.datetime(self.year, (self.index - 1) * _MONTHS[self.kind] + 1, 1)

    @property
    def end(self) -> dt.datetime:
        """First moment after the period."""
        return self._shift(1).start

    @property
    def previous(self) -> Period:
        """The period just before, of the same kind."""
        return self._shift(-1)

    @property
    def year_before(self) -> Period:
        """The same period a year earlier."""
        return Period(f"{self.year - 1}{self.text[4:]}")

    @property
    def label(self) -> str:
        """The period in the reader's words.

        >>> Period("2026-Q3").label
        'quý III năm 2026'
        """
        match self.kind:
            case "year":
                return say("the year {year}", year=str(self.year))
            case "half":
                return say("half {half} of {year}", half=str(self.index), year=str(self.year))
            case "quarter":
                return say("quarter {quarter} of {year}", quarter=_ROMAN[self.index - 1], year=str(self.year))
            case "month":
                return say("month {month} of {year}", month=str(self.index), year=str(self.year))

    def _repr_html_(self) -> str:
        last = self.end - dt.timedelta(days=1)
        return f"<p><strong>{self.label}</strong>: {date(self.start)}–{date(last)}</p>"

    def _shift(self, by: int) -> Period:
        per_year = 12 // _MONTHS[self.kind]
        year, index = divmod(self.year * per_year + self.index - 1 + by, per_year)
        suffix = {"year": "", "half": f"-H{index + 1}", "quarter": f"-Q{index + 1}", "month": f"-{index + 1:02d}"}
        return Period(f"{year}{suffix[self.kind]}")


_ROMAN = ("I", "II", "III", "IV")


def as_period(period: Period | str) -> Period:
    """A :class:`Period` from its text, or itself.

    >>> as_period("2026-07").kind
    'month'
    """
    return period if isinstance(period, Period) else Period(period)
