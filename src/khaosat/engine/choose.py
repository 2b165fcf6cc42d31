"""An engine by its name, as the settings of a workspace give it."""

from __future__ import annotations

from typing import Literal, get_args

from khaosat.domain.dossiers import Engine
from khaosat.errors import WorkspaceError
from khaosat.facts.language import say

EngineName = Literal["duckdb", "spark"]


def open_engine(name: str, *, memory_limit: str = "1GB", address: str = "") -> Engine:
    """The engine of that name.

    Parameters
    ----------
    name
        ``duckdb`` (embedded, the default) or ``spark`` (a cluster, through Spark Connect).
    memory_limit
        Of the embedded engine; a cluster has its own.
    address
        Of the cluster's Spark Connect server, such as ``sc://host:15002``.

    Raises
    ------
    WorkspaceError
        The name is unknown, or the cluster's address is missing.

    Examples
    --------
    >>> engine = open_engine("duckdb")
    >>> engine.query("SELECT 1 AS one").to_pylist()
    [{'one': 1}]
    >>> engine.close()
    """
    match name:
        case "duckdb":
            from khaosat.engine.duckdb import DuckDBEngine

            return DuckDBEngine(memory_limit=memory_limit)
        case "spark" if address:
            from khaosat.engine.spark import SparkEngine

            return SparkEngine(address)
        case "spark":
            raise WorkspaceError(say("The engine spark needs the address of its server: engine_address = 'sc://host'."))
        case _:
            known = ", ".join(get_args(EngineName))
            raise WorkspaceError(say("engine is {found!r}: it must be one of {known}.", found=name, known=known))
