"""Columns of text made from numbers: time stamps, words of a list, dossier identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.sample.clock import Bools, Ints

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = 86_400
_LAST_DAY = 30_000  # 2052: beyond every calendar


def stamps(seconds: Ints, *, known: Bools | None = None) -> pa.Array:
    """Civil seconds since 1970 as yyyyMMddHHmmss; empty where not known.

    >>> stamps(np.array([0, 86399])).to_pylist()
    ['19700101000000', '19700101235959']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    day, second = np.divmod(seconds, _DAY)
    minute, second = np.divmod(second, 60)
    clock = (minute // 60 * 100 + minute % 60) * 100 + second
    text = pa.array(_calendar_numbers()[day] * 1_000_000 + clock).cast(pa.string())
    return text if known is None else pc.if_else(pa.array(known), text, "")


def words(values: Sequence[str] | NDArray[np.object_] | NDArray[np.str_] | pd.Series, index: Ints) -> pa.Array:
    """The words at the given positions of a list.

    >>> words(["a", "b"], np.array([1, 1, 0])).to_pylist()
    ['b', 'b', 'a']
    """
    import pyarrow as pa

    return pa.array(list(values), type=pa.string()).take(pa.array(index))


def identifiers(codes: pd.Series, *, unit: Ints, day: Ints) -> pa.Array:
    """MaHoSo: code of the office, day of reception, serial number of the office that day.

    Rows must be in order of reception; ``day`` is in days since 1970.

    >>> identifiers(pd.Series(["H99.01", "H99.02"]), unit=np.array([1, 1, 0]), day=np.array([20000] * 3)).to_pylist()
    ['H99.02-241004-0001', 'H99.02-241004-0002', 'H99.01-241004-0001']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    key = day * len(codes) + unit
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(key) else np.zeros(0, dtype=bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
    serial = np.empty(len(key), dtype=np.int64)
    serial[order] = np.arange(len(key)) - start + 1
    date = pa.array(_calendar_numbers()[day] % 1_000_000).cast(pa.string())
    padded = pc.utf8_lpad(pa.array(serial).cast(pa.string()), width=4, padding="0")
    return pc.binary_join_element_wise(words(codes, unit), date, padded, "-")


@cache
def _calendar_numbers() -> Ints:
    """Each day since 1970 as the number yyyymmdd."""
    days = pd.DatetimeIndex(np.arange(_LAST_DAY).astype("M8[D]"))
    return np.asarray(days.year * 10_000 + days.month * 100 + days.day, dtype=np.int64)
