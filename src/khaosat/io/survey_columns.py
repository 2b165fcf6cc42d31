"""Which column of a survey export holds which question: by mapping, by name, by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from khaosat.domain.faults import fault
from khaosat.domain.questionnaire import Questionnaire
from khaosat.io.headers import header_key


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnMatch:
    """What the columns of a file are.

    Parameters
    ----------
    names
        Our name of each column that is kept, by its place in the file; other columns keep their own name.
    faults
        Repeated, unnamed and missing columns.
    """

    names: dict[int, str]
    faults: list[dict[str, object]]


class ColumnMatcher:
    """Finds the questions of a questionnaire among column names; case, diacritics, spaces and punctuation do not count.

    A column is what ``columns`` says it is, else the question of that name, else the one question of that label.
    """

    def __init__(self, questionnaire: Questionnaire, columns: Mapping[str, str] | None = None) -> None:
        self.questionnaire = questionnaire
        self.mapped = {header_key(source): name for source, name in (columns or {}).items()}
        self.sources = {header_key(source): source for source in columns or {}}
        rows = questionnaire.questions
        self._names = {header_key(name): name for name in rows["name"]}
        labels: dict[str, set[str]] = {}
        for column in ("label::vi", "label::en"):
            for name, label in zip(rows["name"], rows[column], strict=True):
                labels.setdefault(header_key(label), set()).add(name)
        self._labels = {key: found.pop() for key, found in labels.items() if key and len(found) == 1}

    def question(self, header: str) -> str | None:
        """Our name of a column, or None if it is neither mapped nor a question."""
        key = header_key(header)
        return self.mapped.get(key) or self._names.get(key) or self._labels.get(key)

    def is_header(self, row: Sequence[str]) -> bool:
        """Whether a row names at least two questions (or as many as there are)."""
        needed = min(2, len(self._names))
        return sum(self.question(cell) is not None for cell in row if cell) >= needed

    def match(self, header: Sequence[str], *, labels: Sequence[str] = (), file: str) -> ColumnMatch:
        """Our names of a file's columns; ``labels`` are a second set of names for them (SPSS and Stata have one)."""
        found, names, faults = self._found(header, labels), dict[int, str](), list[dict[str, object]]()
        for place, name in found.items():
            if not name:
                faults.append(fault("unnamed_column", file=file, column=str(place + 1)))
            elif name in names.values():
                faults.append(fault("repeated_column", file=file, column=header[place] or name))
            else:
                names[place] = name
        present = {header_key(cell) for cell in (*header, *labels)}
        faults += [
            fault("missing_mapped_column", file=file, column=source)
            for key, source in self.sources.items()
            if key not in present
        ]
        absent = [name for name in self.questionnaire.questions["name"] if name not in names.values()]
        if len(absent) == len(self._names):
            faults.append(fault("no_questions", file=file, value=self.questionnaire.id))
        elif absent:
            faults.append(fault("missing_items", file=file, value=", ".join(absent)))
        return ColumnMatch(names=names, faults=faults)

    def _found(self, header: Sequence[str], labels: Sequence[str]) -> dict[int, str]:
        """What each column is called, mapped columns and exact names first so that they win over likenesses."""
        exact = set(self.questionnaire.questions["name"])
        ranked: list[tuple[int, int, str]] = []
        for place, cell in enumerate(header):
            label = labels[place] if place < len(labels) else ""
            name = self.question(cell) or self.question(label)
            rank = 0 if header_key(cell) in self.mapped else 1 if cell in exact else 2 if name else 3
            ranked.append((rank, place, name or cell))
        return {place: name for _, place, name in sorted(ranked)}
