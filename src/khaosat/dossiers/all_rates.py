"""Every official definition of late side by side, with the reconciliation of stocks and flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.definitions import deadline_words, meanings
from khaosat.dossiers.lateness import STOCKS, Comparison, compare_words, count_late, left_out_words, mismatch, rate
from khaosat.dossiers.result import DossierResult
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.facts.language import say
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class LateRates(DossierResult):
    """Every definition of late: ``definition, label``, a rate, ``base`` (what the denominator is), ``compared``.

    Parameters
    ----------
    stocks
        One row: ``carried, received, in_hand, closed, open, open_overdue, difference``; ``difference`` is
        ``carried + received - closed - open`` and 0 when the log reconciles.
    """

    stocks: pd.DataFrame

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""  # the same whole seen six ways: no group to hide

    @property
    def keys(self) -> list[str]:
        """The label of the definition."""
        return ["label"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The late share by every definition, with intervals."""
        ax = super().plot(ax)
        ax.set_xlabel(say("Late (%)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="label", label=say("Definition")),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="estimate", kind="percent", decimals=1, label=say("Share late")),
            self._interval(),
            Column(name="base"),
            Column(name="n_missing", kind="int"),
        ]


def late_rates(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    deadline: Deadline = "original",
    compare: Comparison = "timestamps",
    level: float = 0.95,
) -> LateRates:
    """Every definition of late side by side, with the reconciliation of the stocks.

    Parameters
    ----------
    log, period, deadline, compare, level
        As in :func:`khaosat.dossiers.on_time`.

    Returns
    -------
    LateRates
        ``definition, label, numerator, denominator, estimate, low, high, n, n_missing, base, compared``
        (``timestamps`` or ``dates``); field ``stocks``.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> late_rates(example_log(), period="2026-Q2").rows.set_index("definition")["estimate"].round(3).to_dict()
    {'closed': 0.333, 'gia_lai': 0.4, 'due_base': 0.5, 'cohort': 0.667, 'portal_766': 0.4, 'form_06a': 0.333}
    """
    span, words = window(log, period), meanings()
    queries = {word.query for word in words}
    counts = {name: count_late(log, name, span, deadline=deadline, compare=compare) for name in queries}
    rates = pd.concat([rate(counts[word.query], word.id, level=level) for word in words], ignore_index=True)
    rates.insert(0, "definition", [word.id for word in words])
    rates.insert(1, "label", [word.label for word in words])
    rates["base"] = [word.denominator for word in words]
    own = {"portal_766": "timestamps", "form_06a": "dates"}
    rates["compared"] = [own.get(word.id, compare) for word in words]
    stocks = counts["lateness"][list(STOCKS)].copy()
    stocks.insert(2, "in_hand", stocks["carried"] + stocks["received"])
    stocks["difference"] = stocks["in_hand"] - stocks["closed"] - stocks["open"]
    return LateRates(
        rows=rates,
        stocks=stocks,
        level=level,
        title=say("Late dossiers by every official definition, {period}", period=span.label),
        notes=(
            _reconciliation(stocks),
            deadline_words(deadline, *queries),
            *compare_words(compare, *queries),
            *span.notes(),
            *left_out_words(int(counts["lateness"]["left_out"].sum())),
        ),
        source=log.source,
    )


def _reconciliation(stocks: pd.DataFrame) -> str:
    row = {name: int(value) for name, value in stocks.iloc[0].items()}
    words = say(
        "Reconciliation: {carried} carried over + {received} received = {in_hand} in hand; {closed} closed + {open} "
        "open = {accounted}.",
        **{name: row[name] for name in ("carried", "received", "in_hand", "closed", "open")},
        accounted=row["closed"] + row["open"],
    )
    return " ".join([words, *mismatch(row["difference"])])
