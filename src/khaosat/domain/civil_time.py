"""Local civil times in, results out, in whatever container the caller keeps them.

Inside, a moment is a whole number of microseconds since 1970 (numpy's own count), and a missing one is numpy's NaT.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Moments: TypeAlias = NDArray[np.int64]
DateScalar: TypeAlias = dt.date | np.datetime64 | str
DateArray: TypeAlias = "NDArray[np.datetime64] | pd.DatetimeIndex | list[dt.date] | list[str]"

MISSING = np.iinfo(np.int64).min
"""NaT as a whole number."""


def moments(dates: object) -> Moments:
    """Microseconds of dates or times, always one-dimensional.

    Text must be ISO 8601, since 04/05 may be April or May.

    >>> moments("1970-01-02")
    array([86400000000])
    """
    if isinstance(dates, np.ndarray) and dates.dtype.kind == "M":
        values = dates
    else:
        stamps: Any = pd.to_datetime(dates, format="ISO8601")  # type: ignore[call-overload]
        # a Series keeps its zone in the dtype, an index and a single time in tz
        if getattr(getattr(stamps, "dtype", stamps), "tz", None) is not None:
            raise ValueError("times must be local civil time: convert them and drop the zone (tz_localize(None)) first")
        values = np.asarray(stamps.to_numpy())
    return np.atleast_1d(values.astype("datetime64[us]").astype(np.int64))


def whole_numbers(counts: object) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole numbers, always one-dimensional, and where they are missing (there the number is 0).

    >>> whole_numbers([3, None])
    (array([3, 0]), array([False,  True]))
    """
    if isinstance(counts, np.ndarray) and counts.dtype.kind in "iu":
        whole = np.atleast_1d(counts).astype(np.int64)
        return whole, np.zeros(whole.shape, dtype=bool)
    values = np.atleast_1d(np.asarray(pd.Series(counts).astype("Float64").to_numpy(dtype=float, na_value=np.nan)))
    missing = np.isnan(values)
    filled = np.where(missing, 0.0, values)
    if (filled != np.floor(filled)).any():
        raise ValueError("a number of working days must be whole")
    return filled.astype(np.int64), missing


def as_given(values: Any, *inputs: object) -> object:
    """One-dimensional ``values`` as the inputs came: a Series with their index, the array itself, or a single value."""
    series = [value for value in inputs if isinstance(value, pd.Series)]
    if any(not series[0].index.equals(other.index) for other in series[1:]):
        raise ValueError("the Series have different indexes: align them first")
    if series:
        return pd.Series(values, index=series[0].index)
    if any(pd.api.types.is_list_like(value) for value in inputs):
        return values
    single = values[0]
    if isinstance(single, np.datetime64):
        return pd.Timestamp(single)
    return single.item() if isinstance(single, np.generic) else single
