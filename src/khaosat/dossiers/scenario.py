"""What is asked of a simulation: changes by step, unit and size, from a dict, a list or a TOML file."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from khaosat.errors import KhaosatError
from khaosat.facts.language import number, say

Action = Literal["remove_step", "within_days", "legal_time", "more_officers", "arrivals"]
Given = Mapping[str, object] | Sequence[Mapping[str, object]] | str | Path

_NAMED = ("remove_step", "legal_time")
"""Actions whose value is the step itself."""
_SIZED: Mapping[str, tuple[float, float]] = {
    "within_days": (0.0, 1000.0), "more_officers": (-1000.0, 1000.0), "arrivals": (0.0, 10.0),
}  # fmt: skip
"""Actions whose value is a number, and within which bounds."""
ACTIONS = (*_NAMED, *_SIZED)
QUEUED = ("more_officers", "arrivals")
"""Actions that work through queues only."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change.

    Parameters
    ----------
    action
        What is done.
    size
        By how much: working days, officers, or times as many arrivals.
    steps
        Names of the steps concerned; empty for all.
    unit
        The unit concerned; empty for all.
    """

    action: Action
    size: float = 0.0
    steps: tuple[str, ...] = ()
    unit: str = ""

    @property
    def alters(self) -> bool:
        """Whether it changes anything at all."""
        return not (self.action == "more_officers" and not self.size) and not (
            self.action == "arrivals" and self.size == 1
        )

    def words(self) -> str:
        """The change in the reader's words."""
        step = ", ".join(f"“{name}”" for name in self.steps[:1])
        place = say(" at {unit}", unit=self.unit) if self.unit else ""
        size = number(self.size, 0 if self.size == round(self.size) else 1)
        match self.action:
            case "remove_step":
                return say("Without the step {step}{place}", step=step, place=place)
            case "legal_time":
                return say("The step {step} keeps to its own time limit{place}", step=step, place=place)
            case "within_days":
                if len(self.steps) == 1:
                    return say("The step {step} within {n} working days{place}", step=step, n=size, place=place)
                return say("Opinions answered within {n} working days{place}", n=size, place=place)
            case "more_officers":
                place = f"{say(' for {step}', step=step) if step else ''}{place}"
                if self.size < 0:
                    return say("Officers: {n} fewer{place}", n=number(-self.size), place=place)
                return say("Officers: {n} more{place}", n=number(self.size), place=place)
            case _:
                return say("Arrivals × {n}{place}", n=number(self.size, 2), place=place)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Changes that come together, under one name."""

    name: str
    changes: tuple[Change, ...]


def read_scenarios(change: Given, *, opinions: Sequence[str], places: Iterable[tuple[str, str]]) -> list[Scenario]:
    """Scenarios that can be run, or one error with everything that is wrong with them.

    Parameters
    ----------
    change
        A scenario, several, or a TOML file with ``[[scenario]]`` tables.
    opinions
        Names of steps in lower case by which one agency asks another for its opinion.
    places
        Every pair of step and unit of the log.

    Raises
    ------
    KhaosatError
        With all faults at once.
    """
    tables = _tables(change)
    reader = _Reader(opinions=opinions, places=set(places))
    scenarios = [reader.scenario(table, nth) for nth, table in enumerate(tables, start=1)]
    names = [say("As it is"), *(scenario.name for scenario in scenarios)]
    reader.faults += [say("scenario {name}: the name is used twice", name=name)
                      for name in dict.fromkeys(names) if name and names.count(name) > 1]  # fmt: skip
    if reader.faults:
        raise KhaosatError(say("the scenarios cannot be run:") + "".join(f"\n- {fault}" for fault in reader.faults))
    return scenarios


def _tables(change: Given) -> list[Mapping[str, object]]:
    if isinstance(change, str | Path):
        try:
            parsed = tomllib.loads(Path(change).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise KhaosatError(say("the file of scenarios {file} cannot be read: {reason}", file=change,
                                   reason=error)) from error  # fmt: skip
        tables = parsed.get("scenario")
        if set(parsed) != {"scenario"} or not isinstance(tables, list):
            raise KhaosatError(say("the file of scenarios {file} must hold [[scenario]] tables and nothing else",
                                   file=change))  # fmt: skip
        return cast("list[Mapping[str, object]]", tables)
    if isinstance(change, Mapping):
        return [change]
    if not isinstance(change, Sequence):
        raise KhaosatError(f"change is {change!r}: give a dict, a list of dicts or a TOML file")
    return list(cast("Sequence[Mapping[str, object]]", change))


class _Reader:
    """Reads tables and gathers what is wrong with them."""

    def __init__(self, *, opinions: Sequence[str], places: set[tuple[str, str]]) -> None:
        self.faults: list[str] = []
        self._opinions = set(opinions)
        self._places = places
        self._steps = sorted({step for step, _ in places if step})
        self._units = sorted({unit for _, unit in places if unit})

    def scenario(self, table: object, nth: int) -> Scenario:
        """One scenario; its faults are kept."""
        where = say("scenario {name}", name=nth)
        if not isinstance(table, Mapping):
            self.faults.append(say("{where}: it must be a table of names and values", where=where))
            return Scenario(name=str(nth), changes=())
        name = str(table.get("name") or "")
        where = say("scenario {name}", name=name or nth)
        parts = table.get("changes", [{key: value for key, value in table.items() if key != "name"}])
        if not isinstance(parts, Sequence) or not all(isinstance(part, Mapping) for part in parts):
            self.faults.append(say("{where}: changes must be a list of tables", where=where))
            parts = []
        elif "changes" in table and set(table) - {"name", "changes"}:
            self.faults.append(say("{where}: with changes, only a name may stand beside them", where=where))
        elif not parts:
            self.faults.append(say("{where}: changes names no change", where=where))
        changes = tuple(change for part in parts for change in self._changes(part, where))
        return Scenario(name=name or "; ".join(change.words() for change in changes), changes=changes)

    def _changes(self, table: Mapping[str, object], where: str) -> Iterator[Change]:
        before = len(self.faults)
        actions = [key for key in table if key in ACTIONS]
        known = (*ACTIONS, "step", "unit")
        self.faults += [
            say("{where}: {key} is not known{near}", where=where, key=key, near=_near(str(key), known))
            for key in table if key not in known
        ]  # fmt: skip
        if len(actions) != 1:
            self.faults.append(say("{where}: name one of {actions}", where=where, actions=", ".join(ACTIONS)))
            return
        action = cast(Action, actions[0])
        unit = self._known(table.get("unit", ""), "unit", self._units, where)
        size, steps = 0.0, self._scope(action, table, where)
        if action in _SIZED:
            size = self._size(action, table[action], where)
        if action == "arrivals" and "step" in table:
            self.faults.append(say("{where}: arrivals come to a unit, not to a step", where=where))
        if action == "more_officers" and not steps and not unit and len(self.faults) == before:
            self.faults.append(say("{where}: name the step or the unit that gets officers", where=where))
        # Arrivals come to the unit that is responsible, which need not have a step of its own.
        met = {step for step, at in self._places if unit in ("", at)} if action != "arrivals" else set(steps)
        if len(self.faults) == before and steps and not met & set(steps):
            self.faults.append(
                say("{where}: the step {step} is never at {unit}", where=where, step=steps[0], unit=unit)
            )
        if len(self.faults) == before:
            yield Change(action=action, size=size, steps=steps, unit=unit)

    def _scope(self, action: Action, table: Mapping[str, object], where: str) -> tuple[str, ...]:
        """The steps concerned."""
        if action in _NAMED:
            if "step" in table:
                self.faults.append(say("{where}: {key} names the step already", where=where, key=action))
            return tuple(filter(None, [self._known(table[action], action, self._steps, where)]))
        if "step" in table:
            return tuple(filter(None, [self._known(table["step"], "step", self._steps, where)]))
        if action != "within_days":
            return ()
        found = tuple(step for step in self._steps if step.strip().lower() in self._opinions)
        if not found:
            self.faults.append(
                say("{where}: no step of the log asks for an opinion: name the step", where=where)
            )  # fmt: skip
        return found

    def _known(self, value: object, key: str, names: Sequence[str], where: str) -> str:
        """A name of the log, without regard to case and spaces around it."""
        text = str(value).strip()
        if not text and key == "unit":
            return ""
        for name in names:
            if name.strip().casefold() == text.casefold():
                return name
        self.faults.append(
            say("{where}: {key} {name} is not in the log{near}", where=where, key=key, name=f"“{text}”",
                near=_near(text, names))
        )  # fmt: skip
        return ""

    def _size(self, action: str, value: object, where: str) -> float:
        low, high = _SIZED[action]
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        whole = action != "more_officers" or (good and value == int(cast(float, value)))
        if not good or not whole or not low <= cast(float, value) <= high:
            self.faults.append(
                say("{where}: {key} is {value}; it must be a number from {low} to {high}", where=where, key=action,
                    value=repr(value), low=number(low), high=number(high))
            )  # fmt: skip
            return 0.0
        return float(cast(float, value))


def _near(text: str, names: Sequence[str]) -> str:
    """The names most like it, in words."""
    by_fold = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(text.casefold(), list(by_fold), n=3, cutoff=0.5)
    found = found or [name for name in by_fold if text.casefold() and text.casefold() in name][:3]
    if not found:
        return ""
    return say("; near it: {names}", names=", ".join(f"“{by_fold[name]}”" for name in found))
