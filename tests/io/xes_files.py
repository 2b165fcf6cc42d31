"""Writes XES as other software does, from a frame of events with XES names."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pandas as pd

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- made for a test -->
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<global scope="event"><string key="concept:name" value="__INVALID__"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="concept:name" value="the log"/>
"""


def write_xes(path: Path, events: pd.DataFrame) -> None:
    """Traces are the rows of one ``case:concept:name``, in the order of the frame."""
    lines = [HEAD]
    for _, part in events.groupby("case:concept:name", sort=False):
        lines.append("<trace>")
        lines += [_attribute(name[5:], part[name].iloc[0]) for name in part if name.startswith("case:")]
        for row in part.to_dict("records"):
            inside = "".join(_attribute(name, value) for name, value in row.items() if not name.startswith("case:"))
            lines.append(f"<event>{inside}</event>")
        lines.append("</trace>")
    text = "\n".join([*lines, "</log>\n"]).encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)


def _attribute(name: str, value: object) -> str:
    if value is None or value is pd.NaT or value != value:
        return ""
    kind, text = ("date", value.isoformat()) if isinstance(value, pd.Timestamp) else ("string", str(value))
    nested = '<string key="concept:name" value="nested, not read"/>'
    return f"<{kind} key={quoteattr(name)} value={quoteattr(text)}>{nested}</{kind}>"
