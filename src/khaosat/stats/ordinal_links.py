"""Distributions behind the links of cumulative models: shares, densities, their slopes, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
OrdinalLink = Literal["logit", "probit", "cloglog", "loglog"]


def _logistic(q: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(q), dtype=float)


def _logistic_density(q: Floats) -> Floats:
    return _logistic(q) * _logistic(-q)


def _normal(q: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(q), dtype=float)


def _normal_density(q: Floats) -> Floats:
    return np.asarray(np.exp(-(q**2) / 2) / np.sqrt(2 * np.pi), dtype=float)


def _normal_bend(q: Floats) -> Floats:
    inner = np.where(np.isfinite(q), q, 0.0)
    return -inner * _normal_density(q)


def _gumbel(q: Floats) -> Floats:
    return np.asarray(np.exp(-np.exp(-np.maximum(q, -700))), dtype=float)


def _gumbel_upper(q: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(-np.maximum(q, -700))), dtype=float)


def _gumbel_density(q: Floats) -> Floats:
    bounded = np.maximum(q, -700)
    return np.asarray(np.exp(-bounded - np.exp(-bounded)), dtype=float)


def _gumbel_bend(q: Floats) -> Floats:
    inner = np.clip(q, -700, 700)
    return np.asarray(_gumbel_density(q) * (np.exp(-inner) - 1), dtype=float)


def _quantile_normal(p: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(p), dtype=float)


def _mirrored(function: Callable[[Floats], Floats], sign: float = 1.0) -> Callable[[Floats], Floats]:
    """The same function of -q: the smallest-value distribution from the largest-value one."""
    return lambda q: sign * function(-q)


_Function = Callable[[Floats], Floats]
CUMULATIVE: dict[OrdinalLink, _Function] = {
    "logit": _logistic, "probit": _normal, "cloglog": _gumbel, "loglog": _mirrored(_gumbel_upper),
}  # fmt: skip
"""F(q) of each link."""
UPPER: dict[OrdinalLink, _Function] = {
    "logit": _mirrored(_logistic), "probit": _mirrored(_normal), "cloglog": _gumbel_upper, "loglog": _mirrored(_gumbel),
}  # fmt: skip
"""1 - F(q), to as many digits."""
DENSITIES: dict[OrdinalLink, _Function] = {
    "logit": _logistic_density, "probit": _normal_density, "cloglog": _gumbel_density,
    "loglog": _mirrored(_gumbel_density),
}  # fmt: skip
"""F'(q)."""
BENDS: dict[OrdinalLink, _Function] = {
    "logit": lambda q: _logistic_density(q) * (_logistic(-q) - _logistic(q)), "probit": _normal_bend,
    "cloglog": _gumbel_bend, "loglog": _mirrored(_gumbel_bend, -1.0),
}  # fmt: skip
"""F''(q)."""
QUANTILES: dict[OrdinalLink, _Function] = {
    "logit": lambda p: np.log(p) - np.log1p(-p), "probit": _quantile_normal, "cloglog": lambda p: -np.log(-np.log(p)),
    "loglog": lambda p: np.log(-np.log1p(-p)),
}  # fmt: skip
"""The inverse of F."""
