"""The numbers the invented city runs on: ``facts/sample/*.toml``, read once and typed on the way out."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from khaosat.errors import FactsError
from khaosat.facts import locate


@dataclass(frozen=True, eq=False, kw_only=True)
class Settings:
    """One TOML file, read by dotted names.

    >>> settings("city").text("prefix"), settings("truths").number("surge.factor")
    ('H99', 1.6)
    """

    file: str
    values: Mapping[str, object]

    def number(self, name: str) -> float:
        """A number."""
        return float(cast(float, self._get(name, (int, float))))

    def whole(self, name: str) -> int:
        """A whole number."""
        return cast(int, self._get(name, (int,)))

    def text(self, name: str) -> str:
        """A text."""
        return cast(str, self._get(name, (str,)))

    def day(self, name: str) -> dt.date:
        """A date."""
        return cast(dt.date, self._get(name, (dt.date,)))

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        return [str(value) for value in cast("Sequence[object]", self._get(name, (list,)))]

    def numbers(self, name: str) -> list[float]:
        """A list of numbers."""
        return [float(cast(float, value)) for value in cast("Sequence[object]", self._get(name, (list,)))]

    def table(self, name: str) -> dict[str, float]:
        """A table of numbers by name."""
        rows = cast("Mapping[str, object]", self._get(name, (dict,)))
        return {key: float(cast(float, value)) for key, value in rows.items()}

    def _get(self, name: str, kinds: tuple[type, ...]) -> object:
        value: object = self.values
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if not isinstance(value, kinds):
            raise FactsError(f"facts/sample/{self.file}: {name} must be {' or '.join(k.__name__ for k in kinds)}")
        return value


def settings(name: str) -> Settings:
    """The settings of ``facts/sample/<name>.toml``."""
    text = locate(f"sample/{name}.toml").read_text(encoding="utf-8")
    return Settings(file=f"{name}.toml", values=tomllib.loads(text))
