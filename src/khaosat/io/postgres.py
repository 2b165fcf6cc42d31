"""Tables of a PostgreSQL database as files: each becomes a Parquet file that goes the way of every other source.

The database is only read, in one transaction, so that its tables belong together. Rows come as Arrow batches and never
stand in memory all at once. Personal columns are not asked for. A table that has not changed gives the same bytes, so
that the store knows it again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from khaosat.domain.dossiers import SCHEMA
from khaosat.errors import WorkspaceError
from khaosat.facts.language import say
from khaosat.io.mapping import SourceMapping
from khaosat.io.mapping_files import load_mapping
from khaosat.io.store import disk_errors
from khaosat.settings import PostgresSettings

if TYPE_CHECKING:
    import pyarrow as pa

_SCHEMES = ("postgresql", "postgres")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?")
_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    # Rows in the order in which they lie there, the same every time.
    "SET LOCAL synchronize_seqscans = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
)


def check_postgres(uri: str, tables: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings of a database; a password that stands in them above all.

    >>> [fault[:26] for fault in check_postgres("postgresql://a:secret@host/db", {"dossiers": "ho_so"})]
    ['Địa chỉ PostgreSQL có chứa']
    """
    faults = []
    try:
        parts = urlsplit(uri)
        secret = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        return [say("The PostgreSQL address must look like postgresql://user@host:5432/database.")]
    if parts.scheme not in _SCHEMES:
        faults.append(say("The PostgreSQL address must look like postgresql://user@host:5432/database."))
    if secret:
        faults.append(say("The PostgreSQL address holds a password: take it out and set the environment variable."))
    if not tables:
        faults.append(say("No PostgreSQL table is named: tables = {{dossiers = 'schema.table'}}."))
    known = ", ".join(SCHEMA)
    faults += [say("{found} is no table of dossiers; known: {known}", found=repr(name), known=known)
               for name in tables if name not in SCHEMA]  # fmt: skip
    faults += [say("{found} is no name of a PostgreSQL table or view", found=repr(name))
               for name in tables.values() if not (isinstance(name, str) and _NAME.fullmatch(name))]  # fmt: skip
    return faults


@contextmanager
def postgres_tables(
    settings: PostgresSettings, *, mapping: str | Path | SourceMapping, personal: bool
) -> Iterator[dict[str, Path]]:
    """The tables that a workspace names, as files in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="khaosat-", ignore_cleanup_errors=True) as folder, disk_errors(Path(folder)):
        yield postgres_files(
            settings.uri, settings.tables, folder=Path(folder), mapping=load_mapping(mapping),
            password_env=settings.password_env, personal=personal,
        )  # fmt: skip


def postgres_files(
    uri: str,
    tables: Mapping[str, str],
    *,
    folder: Path,
    mapping: SourceMapping,
    password_env: str = "PGPASSWORD",
    personal: bool = False,
) -> dict[str, Path]:
    """Copy tables or views of a database into a folder, a Parquet file each, for ``ingest``.

    Parameters
    ----------
    uri
        ``postgresql://user@host:5432/database``, without a password.
    tables
        Canonical table → table or view in the database, with its schema where that is needed.
    folder
        Where the files go.
    mapping
        Says which columns are personal.
    password_env
        The environment variable that holds the password. Without it, libpq looks where it always does (``.pgpass``).
    personal
        Copy personal columns too.

    Raises
    ------
    WorkspaceError
        The settings are wrong, the database cannot be read, or the extra ``khaosat[postgres]`` is not installed.
    """
    faults = check_postgres(uri, tables)
    if faults:
        raise WorkspaceError("\n".join(faults))
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise WorkspaceError(say("PostgreSQL is read by an extra package: pip install 'khaosat[postgres]'.")) from error
    secret = os.environ.get(password_env, "")
    files: dict[str, Path] = {}
    try:
        with closing(dbapi.connect(_with_password(uri, secret))) as connection, closing(connection.cursor()) as cursor:
            for statement in _SNAPSHOT:
                cursor.execute(statement)
            for table, name in tables.items():
                files[table] = folder / f"{name}.parquet"
                _copy(cursor, name, files[table], hidden=None if personal else mapping)
            connection.rollback()
    except dbapi.Error as error:
        reason = str(error).strip()
        for text in filter(None, (secret, quote(secret, safe=""))):
            reason = reason.replace(text, "***")
        raise WorkspaceError(
            say("The database {uri} cannot be read: {reason}", uri=uri, reason=reason)
        ) from None  # the driver's own error might show the password
    return files


def _with_password(uri: str, secret: str) -> str:
    """The address as the driver needs it; never shown, never written."""
    parts = urlsplit(uri)
    if not secret or "@" not in parts.netloc:
        return uri  # libpq finds PGPASSWORD by itself
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(secret, safe='')}@{host}").geturl()


def _copy(cursor: Any, name: str, path: Path, *, hidden: SourceMapping | None) -> None:
    """Stream one table into a Parquet file."""
    import pyarrow.parquet

    source = ".".join(map(_quoted, name.split(".")))
    cursor.execute(f"SELECT * FROM {source} LIMIT 0")
    fields = [field for field in cursor.fetch_arrow_table().schema if not (hidden and hidden.is_personal(field.name))]
    cursor.execute(f"SELECT {', '.join(_columns(fields)) or '1'} FROM {source}")
    with cursor.fetch_record_batch() as reader, pyarrow.parquet.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _columns(fields: Sequence[pa.Field]) -> list[str]:
    """The columns to ask for; those of a kind that Parquet has not (numeric, uuid, json …) as text."""
    from pyarrow import types

    plain = (types.is_string, types.is_integer, types.is_floating, types.is_boolean, types.is_date, types.is_timestamp)
    names = [_quoted(field.name) for field in fields]
    simple = [any(is_kind(field.type) for is_kind in plain) for field in fields]
    return [name if keep else f"CAST({name} AS text) AS {name}" for name, keep in zip(names, simple, strict=True)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
