"""The golden quarter: what the report of the sample's last quarter prints, held digit by digit to a committed file.

A change here is a change to figures that somebody may have published. If it is meant, print the file anew with
``KHAOSAT_RENEW_GOLDEN=1 .venv/bin/pytest tests/report/test_golden_quarter.py``, read its diff, and name the verb, the
periods and the size under **Numbers** in ``CHANGELOG.md``.
"""

from __future__ import annotations

import os
from difflib import unified_diff

from khaosat.report import build
from khaosat.report.document import plain_text, read_notebook
from tests.shared import ROOT

PERIOD = "2026-Q3"
GOLDEN = ROOT / f"tests/report/golden/{PERIOD}.txt"


def printed(blocks) -> list[str]:
    """Findings and tables as lines of text, in the report's order: every figure as a reader sees it."""
    lines: list[str] = []
    for block in blocks:
        if block["kind"] == "list":
            lines += ["", *(f"- {plain_text(item)}" for item in block["items"])]
        elif block["kind"] == "table":
            head = [" – ".join(filter(None, (column["group"], column["label"]))) for column in block["columns"]]
            lines += ["", f"## {block['title']}", *(" | ".join(row) for row in [head, *block["cells"]])]
    return lines[1:]


def test_the_quarter_is_reproduced_to_the_printed_digit(sample_city):
    now = printed(read_notebook(build(sample_city, PERIOD).folder / "so-tay.ipynb"))
    if os.environ.get("KHAOSAT_RENEW_GOLDEN"):
        GOLDEN.write_text("\n".join(now) + "\n", encoding="utf-8")
    then = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("## ") for line in then) >= 8, "the golden file has lost its tables"
    assert list(unified_diff(then, now, "published", "printed now", lineterm="", n=1)) == []
