"""Spark through Spark Connect: the same queries where the Parquet files live on a cluster."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from khaosat.engine.tables import check_name, check_paths
from khaosat.errors import KhaosatError

if TYPE_CHECKING:
    import pyarrow as pa

_SESSION = {
    # Times in the store are local civil time without a zone, in columns and in literals alike.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}


class SparkEngine:
    """A session on a Spark cluster; the client is pure Python and needs no Java.

    Parameters
    ----------
    address
        Of the Spark Connect server: ``sc://host:15002``, with ``/;token=…;use_ssl=true`` where the cluster asks for it.
    settings
        Further Spark settings of the session, such as ``spark.sql.shuffle.partitions``.

    Raises
    ------
    KhaosatError
        If the client (the extra ``khaosat[spark]``) is not installed or no server answers at the address.
    """

    def __init__(self, address: str, *, settings: Mapping[str, str] | None = None) -> None:
        with warnings.catch_warnings():
            # PySpark warns of pandas 3; nothing but Arrow passes between us.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            try:
                from pyspark.sql.connect.session import SparkSession
            except ImportError as error:
                raise KhaosatError("the Spark engine needs its client: pip install 'khaosat[spark]'") from error
            _knock(address)
            builder: Any = SparkSession.builder.remote(address)
            for key, value in {**_SESSION, **(settings or {})}.items():
                builder = builder.config(key, value)
            self._session = builder.create()

    def register(self, name: str, source: Sequence[str] | pa.Table) -> None:
        """Make Parquet files (paths as the cluster sees them) or an Arrow table known as ``name``."""
        from pyspark.sql.pandas.types import from_arrow_schema

        check_name(name)
        if not isinstance(source, Sequence):
            # A table without rows is taken for one without types.
            frame = self._session.createDataFrame(source, from_arrow_schema(source.schema, prefer_timestamp_ntz=True))
        else:
            frame = self._session.read.parquet(*check_paths(name, source))
        frame.createOrReplaceTempView(name)

    def materialise(self, name: str, sql: str) -> None:
        """Keep the answer of one SELECT as the table ``name`` on the disks of two workers, until the session ends.

        A view, cached or not, would stand in every later plan with all that it was made of: plans of tables made of
        tables grow until the server fails. A checkpoint is a leaf; its second copy is for the loss of a worker.
        """
        from pyspark.storagelevel import StorageLevel

        check_name(name)
        kept = self._session.sql(sql).localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY_2)
        kept.createOrReplaceTempView(name)

    def query(self, sql: str) -> pa.Table:
        """Answer one SELECT as an Arrow table."""
        return self._session.sql(sql).toArrow()

    def close(self) -> None:
        """End the session and the tables kept in it; the cluster and its files stay."""
        self._session.stop()


def _knock(address: str) -> None:
    """Refuse an address where nobody listens: the client itself would knock for ten minutes."""
    place = urlsplit(address.split(";")[0])
    if place.scheme != "sc" or not place.hostname:
        raise KhaosatError(f"{address.split(';')[0]!r} is not the address of a Spark Connect server: sc://host:15002")
    try:
        socket.create_connection((place.hostname, place.port or 15002), timeout=10).close()
    except OSError as error:
        raise KhaosatError(f"no Spark Connect server answers at sc://{place.netloc}: {error}") from error
