"""DataFusion behind the engine protocol: a third opinion on every query, without Java; for tests only."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext

from khaosat.engine.tables import check_name, check_paths


class DataFusionEngine:
    """Tables go through Parquet files, as a store's would."""

    def __init__(self) -> None:
        self._context = SessionContext()
        self._folder = tempfile.TemporaryDirectory(prefix="khaosat-datafusion-")

    def register(self, name: str, source: Sequence[str] | pa.Table) -> None:
        check_name(name)
        self._context.deregister_table(name)
        if not isinstance(source, Sequence):
            path = Path(self._folder.name) / f"{name}.parquet"
            pq.write_table(source, path)
            self._context.register_parquet(name, str(path))
            return
        self._context.register_table(name, self._context.read_parquet(*check_paths(name, source)))

    def materialise(self, name: str, sql: str) -> None:
        self.register(name, self.query(sql))

    def query(self, sql: str) -> pa.Table:
        return self._context.sql(sql).to_arrow_table()

    def close(self) -> None:
        self._folder.cleanup()
