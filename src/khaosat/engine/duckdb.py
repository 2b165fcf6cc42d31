"""DuckDB, embedded: the default engine, no server, bounded memory."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.engine.tables import check_name, check_paths

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def hide_progress(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB draw no progress bar: it would be drawn over the caller's own words."""
    import duckdb

    # In a Jupyter kernel without ipywidgets it cannot draw one, and refuses the setting as well.
    with contextlib.suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")


class DuckDBEngine:
    """An in-process DuckDB database over Parquet files and Arrow tables.

    Parameters
    ----------
    memory_limit
        What DuckDB may use before it spills to a temporary folder of its own.
    threads
        How many cores; by default all.

    Examples
    --------
    >>> import pyarrow as pa
    >>> engine = DuckDBEngine(threads=1)
    >>> engine.register("t", pa.table({"id": ["NA", None]}))
    >>> engine.query("SELECT count(id) AS n FROM t").to_pylist()
    [{'n': 1}]
    >>> engine.close()
    """

    def __init__(self, *, memory_limit: str = "1GB", threads: int | None = None) -> None:
        import duckdb

        # DuckDB's default is a folder .tmp where the user happens to stand.
        spill = tempfile.mkdtemp(prefix="khaosat-duckdb-")
        self._remove_spill = weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": spill,
            # No extension is needed, and an analyst's machine may be offline.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            config["threads"] = threads
        self._connection = duckdb.connect(":memory:", config=config)
        hide_progress(self._connection)
        self._kept = Path(spill) / "kept"
        self._kept.mkdir()
        self._numbers = count()

    def register(self, name: str, source: Sequence[str] | pa.Table) -> None:
        """Make Parquet files (paths or globs) or an Arrow table known as ``name``."""
        check_name(name)
        self._connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        if not isinstance(source, Sequence):
            self._connection.register(name, source)
            return
        files = ", ".join("'" + path.replace("'", "''") + "'" for path in check_paths(name, source))
        # Folder names such as month=2026-07 arrange the store; they are not columns of the data.
        self._connection.execute(
            f'CREATE TEMP VIEW "{name}" AS SELECT * FROM read_parquet([{files}], hive_partitioning = false)'
        )

    def materialise(self, name: str, sql: str) -> None:
        """Keep the answer of one SELECT as the table ``name``: a Parquet file that lasts as long as the engine."""
        check_name(name)
        path = self._kept / f"{name}-{next(self._numbers)}.parquet"
        self._connection.execute(f"COPY ({sql}) TO '{path.as_posix()}' (FORMAT PARQUET)")
        self.register(name, [path.as_posix()])
        for old in set(self._kept.glob(f"{name}-*")) - {path}:
            old.unlink()

    def query(self, sql: str) -> pa.Table:
        """Answer one SELECT as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()

    def close(self) -> None:
        """Close the database and remove what it spilled."""
        self._connection.close()
        self._remove_spill()
