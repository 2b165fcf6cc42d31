"""XES event logs (IEEE 1849) as one clean CSV, a row an event: read as a stream, one trace at a time.

Documents with a DTD are refused, so there are no entities and nothing outside the file is opened.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast
from xml.parsers import expat

from khaosat.io.bounds import bounded
from khaosat.io.clean_csv import LINE_END, CleanCSV
from khaosat.io.refusals import refusal

CASE = "case:"
"""Before the names of a trace's attributes, as other software writes them in tables."""
FIRST = "case:first_timestamp"
"""The first moment of a trace: what stands for its reception where nothing else does."""
START = "start_timestamp"
"""The moment of the start event that belongs to a completed one."""
_TIME, _STEP, _NTH, _TRANSITION = "time:timestamp", "concept:name", "concept:instance", "lifecycle:transition"
_SIMPLE = frozenset(["string", "date", "int", "float", "boolean", "id"])
_DEPTH = 64
_BLOCK = 1 << 16

Attributes = dict[str, str]


def is_xml(path: Path) -> bool:
    """Whether a file, gzipped or not, begins as XML does and no table would."""
    try:
        with _opened(path) as file:
            start = file.read(16)
    except (EOFError, OSError, zlib.error):
        return False
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def clean_xes(
    path: Path, target: Path, *, knows: Callable[[str], object], file: str
) -> tuple[CleanCSV, Mapping[str, int]]:
    """Write the events of a log as CSV; what was left out, counted by what it was.

    Start and completion of the same step of a trace (the first ones that are not paired yet) are one row, with the
    start as :data:`START`. A start without its completion is a row without a time of completion. Other transitions
    (schedule, assign, …) are no steps and left out, traces without events too.

    Parameters
    ----------
    path
        The log, gzipped or not.
    target
        Where the CSV goes.
    knows
        Whether a column (``concept:name``; of a trace ``case:concept:name``) is wanted; others are not written.
    file
        What faults call it.

    Raises
    ------
    DataError
        It is not well-formed, has a DTD, or is no XES log.
    """
    found = {name: None for _, row in _rows(path, file) for name in row if knows(name)}
    header = tuple(found)
    left_out: Counter[str] = Counter()
    with target.open("w", encoding="utf-8", newline="") as opened:
        write = csv.writer(opened, lineterminator=LINE_END).writerow
        number = 0
        for reason, row in _rows(path, file):
            if reason:
                left_out[reason] += 1
                continue
            number += 1
            write([number, *(row.get(name, "") for name in header)])
    return CleanCSV(path=target, header=header), left_out


def _rows(path: Path, file: str) -> Iterator[tuple[str, Attributes]]:
    """Each event with its trace's attributes, or why it is left out."""
    for trace, events in _traces(path, file):
        about = {f"{CASE}{name}": value for name, value in trace.items()}
        times = [event[_TIME] for event in events if _TIME in event]
        if times:
            about.setdefault(FIRST, min(times, key=_instant))
        if not events:
            yield "trace without events", {}
        for reason, event in _steps(events):
            yield reason, {} if reason else {**about, **event}


def _steps(events: list[Attributes]) -> Iterator[tuple[str, Attributes]]:
    """Completed and begun steps, starts joined to their completions."""
    open_: defaultdict[tuple[str, str], deque[Attributes]] = defaultdict(deque)
    for event in events:
        step = (event.get(_STEP, ""), event.get(_NTH, ""))
        transition = event.get(_TRANSITION, "complete").strip().lower()
        if transition == "start":
            open_[step].append(event)
        elif transition == "complete":
            begun = open_[step].popleft() if open_[step] else {}
            yield "", {**event, START: begun[_TIME]} if _TIME in begun else event
        else:
            yield transition, event
    for begun in (event for waiting in open_.values() for event in waiting):
        moment = {START: begun[_TIME]} if _TIME in begun else {}
        yield "", {**{name: value for name, value in begun.items() if name != _TIME}, **moment}


def _traces(path: Path, file: str) -> Iterator[tuple[Attributes, list[Attributes]]]:
    """Attributes and events of each trace, as soon as it is complete."""
    reader = _Reader()
    try:
        with _opened(path) as opened:
            for block in bounded(iter(partial(opened.read, _BLOCK), b""), path, file=file):
                reader.parser.Parse(block, False)
                yield from reader.take()
            reader.parser.Parse(b"", True)
    except (expat.ExpatError, EOFError, OSError, zlib.error, ValueError) as error:
        raise refusal("bad_xes", file, value=str(error)) from error
    yield from reader.take()


class _Reader:
    """Handlers of the parser; keeps no more than the trace being read and those not taken yet."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = False
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._path: list[str] = []
        self._trace: Attributes = {}
        self._event: Attributes = {}
        self._events: list[Attributes] = []
        self._done: list[tuple[Attributes, list[Attributes]]] = []

    def take(self) -> list[tuple[Attributes, list[Attributes]]]:
        """Traces that are complete, each once."""
        done, self._done = self._done, []
        return done

    def _refuse(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        raise ValueError("document type declarations are not read")

    def _start(self, name: str, attributes: Attributes) -> None:
        kind = name.rpartition(":")[2]
        if not self._path and kind != "log":
            raise ValueError(f"the document is <{kind}> and not <log>")
        if len(self._path) == _DEPTH:
            raise ValueError(f"elements are nested more than {_DEPTH} deep")
        inside = self._path[-1] if self._path else ""
        self._path.append(kind)
        if kind == "trace":
            self._trace, self._events = {}, []
        elif kind == "event":
            self._event = {}
        elif inside in ("trace", "event") and kind in _SIMPLE:
            holder = self._event if inside == "event" else self._trace
            holder[attributes.get("key", "")] = attributes.get("value", "")

    def _end(self, name: str) -> None:
        match self._path.pop():
            case "event" if self._path and self._path[-1] == "trace":
                self._events.append(self._event)
            case "trace":
                self._done.append((self._trace, self._events))


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(2)
    return cast(BinaryIO, gzip.open(path)) if magic == b"\x1f\x8b" else path.open("rb")


def _instant(moment: str) -> float:
    """Seconds since 1970, by which moments of different offsets are put in order; what is no moment comes last."""
    try:
        parsed = dt.datetime.fromisoformat(moment)
    except ValueError:
        return float("inf")
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)).timestamp()
