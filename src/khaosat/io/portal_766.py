"""Saved answers of the national portal's public evaluation endpoints: counts by agency and component."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError
from khaosat.facts import read_table
from khaosat.facts.language import say

COLUMNS = (
    "agency_id", "agency", "unit", "component", "numerator", "denominator", "portal_score", "quality", "period",
    "source", "file",
)  # fmt: skip

_UNITS = {"PROVINCE": "department", "COMMUNE": "commune"}
"""The level of an agency below the root, in the portal's word."""

Json = Mapping[str, object]


def read_portal_766(paths: str | Path | Sequence[str | Path], *, period: Period | str | None = None) -> pd.DataFrame:
    """Counts behind the portal's scorecard, out of saved JSON answers of its six evaluation endpoints.

    Parameters
    ----------
    paths
        A file, several, or a folder of ``*.json``; all about one period, since the answers do not say which.
    period
        The period that was asked for.

    Returns
    -------
    DataFrame
        A row an agency and component: ``agency_id, agency, unit`` (``province`` for the root, ``department``,
        ``commune``), ``component, numerator, denominator`` (missing where the portal has null, which is not 0),
        ``portal_score`` (where it publishes the component's own), ``quality`` (its warning), ``period, source, file``.

    Raises
    ------
    DataError
        Files that are no such answers, or that contradict each other; all of them at once.

    Notes
    -----
    The interface is not documented; khaosat reads saved answers and never calls it. Below the root the portal gives no
    counts for components 3.1 to 3.3.

    Examples
    --------
    >>> import json, tempfile
    >>> node = {"departmentId": "x", "departmentName": "Sở A", "totalOnTime": 156, "totalReceived": 161}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "dvc-progress-tree.json")
    ...     _ = file.write_text(json.dumps({"code": "OK", "data": {"parent": node, "children": []}}))
    ...     read_portal_766(file)[["agency", "component", "numerator", "denominator"]].values.tolist()
    [['Sở A', '2.1', 156.0, 161.0]]
    """
    span = "" if period is None else str(as_period(period))
    faults: list[str] = []
    rows: list[dict[str, object]] = []
    for file in _files(paths):
        found = _read(file, faults)
        rows += [{**row, "period": span, "source": "portal", "file": file.name} for row in found]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["numerator", "denominator", "portal_score"]
    frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce").astype("float64")
    frame = frame.drop_duplicates([name for name in COLUMNS if name != "file"])
    faults += _contradictions(frame)
    if faults:
        raise DataError("\n".join(faults))
    return frame.reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class _Field:
    """Where the portal keeps a component: a metric's code, or the names of its two counts (``+``: their sum).

    ``points`` names the component's own points beside such counts (``|``: the first that is there).
    """

    component: str
    code: str
    numerator: str
    denominator: str
    points: str


def _fields() -> list[_Field]:
    table = read_table("rules/qd766.csv")
    names = ["id", "portal_code", "portal_numerator", "portal_denominator", "portal_points"]
    return [
        _Field(component=component, code=code, numerator=numerator, denominator=denominator, points=points)
        for component, code, numerator, denominator, points in table[names].itertuples(index=False)
    ]


def _files(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    files = [file for path in map(Path, given) for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not files:
        raise DataError(say("There is no JSON file in {place}.", place=", ".join(map(str, given))))
    return files


def _read(file: Path, faults: list[str]) -> list[dict[str, object]]:
    try:
        answer = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        faults.append(say("{file} cannot be read as JSON: {error}.", file=file.name, error=error))
        return []
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict) or answer.get("code") not in ("OK", None):
        faults.append(say("{file} is no successful answer of the portal: it holds no “data”.", file=file.name))
        return []
    rows = [row for node, unit in _nodes(data) for row in _counts(node, unit)]
    if not rows:
        faults.append(say("{file} holds no component of the scorecard.", file=file.name))
    return rows


def _nodes(data: Json) -> Iterator[tuple[Json, str]]:
    """The agencies of an answer, the root first, each with its kind."""
    for root in ("overview", "parent"):
        if isinstance(data.get(root), dict):
            node = cast(Json, data[root])
            yield node, "ministry" if node.get("departmentType") == "MINISTRY" else "province"
    for below in ("evaluation", "children"):
        for node in cast(Sequence[Json], data.get(below) or ()):
            level = str(node.get("departmentLevel") or node.get("level") or "")
            yield node, _UNITS.get(level, level.lower())


def _counts(node: Json, unit: str) -> Iterator[dict[str, object]]:
    """The components of one agency that this answer holds."""
    who = {"agency_id": node.get("departmentId"), "agency": node.get("departmentName"), "unit": unit}
    metrics = {metric.get("code"): metric for metric in cast(Sequence[Json], node.get("metrics") or ())}
    for field in _fields():
        if field.code in metrics:
            metric = metrics[field.code]
            yield {
                **who, "component": field.component, "numerator": metric.get("numerator"),
                "denominator": metric.get("denominator"), "portal_score": metric.get("score"),
                "quality": metric.get("dataQualityStatus") or "",
            }  # fmt: skip
        elif field.denominator and field.denominator in node:
            points = [node[name] for name in field.points.split("|") if name in node]
            yield {
                **who, "component": field.component, "numerator": _sum(node, field.numerator),
                "denominator": node.get(field.denominator),
                "portal_score": points[0] if points else None, "quality": "",
            }  # fmt: skip


def _sum(node: Json, names: str) -> float | None:
    parts = [node.get(name) for name in names.split("+")]
    return None if any(part is None for part in parts) else sum(float(str(part)) for part in parts)


def _contradictions(frame: pd.DataFrame) -> list[str]:
    twice = frame[frame.duplicated(["agency_id", "component"], keep=False)]
    return [
        say("{agency}, component {component}: {files} give different counts; read the files of one period at a time.",
            agency=agency, component=component, files=", ".join(dict.fromkeys(rows["file"])))
        for (agency, component), rows in twice.groupby(["agency", "component"], sort=False)
    ][:10]  # fmt: skip
