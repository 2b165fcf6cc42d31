"""Files that grow batch by batch and come out the same, byte for byte: gzipped CSV or Parquet."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

FileFormat = Literal["csv", "parquet"]


class TableFile:
    """One table of text columns being written; a context manager.

    Parameters
    ----------
    path
        Where to write, without the ending: ``.csv.gz`` or ``.parquet`` is added.
    columns
        Names of the columns, all text.
    file_format
        ``csv``: UTF-8, comma, cells quoted where they must be, no time in the gzip header; ``parquet``: Zstandard.
    """

    def __init__(self, path: Path, *, columns: Sequence[str], file_format: FileFormat) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path.with_name(path.name + (".csv.gz" if file_format == "csv" else ".parquet"))
        self.rows = 0
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        if file_format == "parquet":
            self._parquet = pq.ParquetWriter(self.path, self._schema, compression="zstd")
        else:
            self._raw = self.path.open("wb")
            self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._raw, mtime=0)
            self._gzip.write((",".join(columns) + "\n").encode())
        self._format = file_format

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        self.rows += table.num_rows
        table = table.cast(self._schema)
        if self._format == "parquet":
            self._parquet.write_table(table)
        elif table.num_rows:
            self._gzip.write(_csv(table))

    def close(self) -> None:
        """Finish the file."""
        if self._format == "parquet":
            self._parquet.close()
        else:
            self._gzip.close()
            self._raw.close()

    def __enter__(self) -> TableFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _csv(table: pa.Table) -> memoryview:
    """Lines of CSV. Joined by Arrow, whose character buffer then is the file's text: no copy, no Python strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = [_quoted(table.column(i).combine_chunks()) for i in range(table.num_columns)]
    lines = pc.binary_join_element_wise(*cells, ",")
    lines = pc.binary_join_element_wise(lines, "", "\n")
    characters = lines.buffers()[2] or pa.py_buffer(b"")
    return memoryview(characters)[: lines.offset + pc.sum(pc.binary_length(lines)).as_py()]


def _quoted(cells: pa.Array) -> pa.Array:
    """Cells that hold a comma, a quote or a line break, in quotes."""
    import pyarrow.compute as pc

    special = pc.match_substring_regex(cells, '[,"\r\n]')
    if not pc.any(special).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), cells)
