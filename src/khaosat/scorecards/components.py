"""Components of Quyết định 766: their rules, and the counts given for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from numbers import Real
from typing import Literal

import pandas as pd

from khaosat.domain.period import Period
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.scorecards.rules import exact, half_up, in_force, rule_set

Flag = Literal["", "no_data", "default", "capped", "not_applicable"]


@dataclass(frozen=True, kw_only=True)
class Component:
    """The rule of one component: ``score = most * min(1, rate * rate of times / threshold)``."""

    id: str
    group: str
    most: Fraction
    threshold: Fraction
    times: str
    on_null: str
    on_zero: str
    inherited: bool


@dataclass(frozen=True, kw_only=True)
class Count:
    """Numerator and denominator as given; either may be unknown, which is not zero."""

    numerator: Fraction | None
    denominator: Fraction | None
    source: str

    @property
    def rate(self) -> Fraction | None:
        """The share; nothing where it is unknown or nothing was counted."""
        if self.numerator is None or self.denominator is None or self.denominator == 0:
            return None
        return self.numerator / self.denominator


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a component earned, already rounded; None: no data."""

    points: Decimal | None
    flag: Flag


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for all components (``facts/rules/qd766.toml``)."""

    decimals: int
    factor_not_given: Fraction
    units: tuple[str, ...]
    root_units: tuple[str, ...]
    full_if_not_applicable: tuple[str, ...]


@cache
def settings() -> Settings:
    """The settings of the rule set.

    >>> settings().decimals
    2
    """
    facts = rule_set("qd766")
    return Settings(
        decimals=int(str(facts["decimals"])),
        factor_not_given=Fraction(str(facts["factor_not_given"])),
        units=_names(facts["units"]),
        root_units=_names(facts["root_units"]),
        full_if_not_applicable=_names(facts["full_if_not_applicable"]),
    )


def components(period: Period | None) -> dict[str, Component]:
    """The components in force, by id, in the order of the decision."""
    return {
        row["id"]: Component(
            id=row["id"], group=row["group"], most=Fraction(row["max_score"]), threshold=Fraction(row["threshold"]),
            times=row["times"], on_null=row["on_null"], on_zero=row["on_zero"], inherited=row["inherited"] == "1",
        )
        for _, row in in_force("qd766", period).iterrows()
    }  # fmt: skip


def read_counts(given: Mapping[str, object], known: Mapping[str, Component], *, source: str) -> dict[str, Count]:
    """The counts by component, in the order of the decision; every fault at once.

    Raises
    ------
    DataError
        A component that is not known, what is not a pair of counts, or a negative count.
    """
    faults: list[str] = []
    counts: dict[str, Count] = {}
    for name, pair in given.items():
        if name not in known:
            faults.append(say("There is no component {name}; known: {known}.", name=repr(name), known=", ".join(known)))
        elif pair is None:
            counts[name] = Count(numerator=None, denominator=None, source=source)
        elif not isinstance(pair, tuple | list) or len(pair) != 2 or not all(map(_is_count, pair)):
            faults.append(
                say("{name}: {value} is not a pair (numerator, denominator) of counts of at least 0, or nothing.",
                    name=name, value=repr(pair))
            )  # fmt: skip
        else:
            counts[name] = Count(numerator=exact(pair[0]), denominator=exact(pair[1]), source=source)
    if faults:
        raise DataError("\n".join(faults))
    return {name: counts[name] for name in known if name in counts}


def score_component(rule: Component, counts: Mapping[str, Count]) -> Score:
    """Points of one component out of the counts of all that were given."""
    count = counts[rule.id]
    rate = count.rate
    if rate is None:
        default = rule.on_zero if _nothing(count) else rule.on_null if _unknown(count) else ""
        return _default(rule, default)
    capped = rate > 1
    rate = min(rate, Fraction(1))
    if rule.times:
        factor = counts.get(rule.times)
        other = settings().factor_not_given if factor is None else factor.rate
        if other is None:
            return Score(points=None, flag="no_data")
        rate *= min(other, Fraction(1))
    points = rule.most * min(Fraction(1), rate / rule.threshold)
    return Score(points=half_up(points, settings().decimals), flag="capped" if capped else "")


def full_score(rule: Component) -> Score:
    """The maximum, for a component that does not apply."""
    return Score(points=half_up(rule.most, settings().decimals), flag="not_applicable")


def _default(rule: Component, default: str) -> Score:
    if not default:
        return Score(points=None, flag="no_data")
    points = rule.most if default == "full" else Fraction(0)
    return Score(points=half_up(points, settings().decimals), flag="default")


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _nothing(count: Count) -> bool:
    """There was nothing to count, which is not the same as nobody having counted."""
    return count.denominator == 0 and not count.numerator


def _unknown(count: Count) -> bool:
    return count.numerator is None and count.denominator is None


def _is_count(value: object) -> bool:
    if value is None or value is pd.NA:
        return True
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return False
    number = float(value)
    return math.isnan(number) or (math.isfinite(number) and number >= 0)
