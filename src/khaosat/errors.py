"""The errors khaosat raises on purpose.

::

    KhaosatError            anything khaosat refuses to do
    ├── DataError           input that breaks its schema; carries every fault found, not only the first
    ├── DesignError         a survey design that cannot be right (weights, strata, clusters, fpc)
    ├── FactsError          a fact file (questionnaire, calendar, mapping, rule) that is wrong or missing
    └── WorkspaceError      khaosat.toml, the store or the reports folder is not what the call needs

A wrong call raises; weak data gives a note on the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class KhaosatError(Exception):
    """Base of every error that khaosat raises on purpose."""


class DataError(KhaosatError):
    """Input data that cannot be used, with every fault found.

    Parameters
    ----------
    message
        What is wrong, where, and what to do.
    faults
        One row a fault, with the columns of :data:`khaosat.domain.faults.COLUMNS`.
    """

    def __init__(self, message: str, faults: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.faults = faults


class DesignError(KhaosatError):
    """A survey design that cannot be right."""


class FactsError(KhaosatError):
    """A fact file that is wrong or missing."""


class WorkspaceError(KhaosatError):
    """The workspace (khaosat.toml, store, reports) is not what the call needs."""
