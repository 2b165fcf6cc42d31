"""Queries: their files keep to the portable subset, their slots take only what is known or escaped."""

from __future__ import annotations

import datetime as dt
import re
from importlib import resources

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.dossiers import ENDED
from khaosat.engine.duckdb import DuckDBEngine
from khaosat.engine.query import COLUMNS, ask, group_columns, literal, render
from khaosat.errors import KhaosatError
from khaosat.facts import read_table

FILES = {
    file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
    for file in (resources.files("khaosat.engine") / "queries").iterdir()
}
MOMENT = dt.datetime(2026, 7, 1)
SLOTS = {
    "modulus": 1, "last_second": 0,
    **dict.fromkeys(["start", "finish", "now", "last", "known", "as_of"], MOMENT),
    "ended": ENDED, "at_snapshot": True, "step": "month", "top": 5, "batch": 3, "last_minutes": 120,
    "by_dates": False, "placeholders": ["a"],
    "whole": True, "every": False, "by_name": True, "names": ["a"], "nobody": [""], "pausing": ["stopped"],
    "since": MOMENT, "competing": ["withdrawn"], "working": True, "procedures": ["a"], "tet": [MOMENT],
    "generic": ["a"], "least": 5, "notice": 1, "most": 1, "permille": 200, "examples": ["a"], "of": "unit",
}  # fmt: skip

# What engine.md's table of traps rules out, and DuckDB's own words.
NOT_PORTABLE = [
    r"/", r"::", r"\bASOF\b", r"\bIGNORE NULLS\b", r"\bapprox_", r"\bwidth_bucket\b", r"\bdate_diff\b", r"\bdatediff\b",
    r"\bINTERVAL\b", r"\bILIKE\b", r"\bEXCLUDE\b", r"\bGROUP BY ALL\b", r"\bstrftime\b", r"\bepoch\b", r"\bDOW\b",
    r"\bISODOW\b", r"\bDAYOFWEEK\b", r"\bQUALIFY\b",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine(threads=1)
    engine.register("t", pa.table({"n": [1]}))
    yield engine
    engine.close()


@pytest.mark.parametrize("name", FILES)
def test_every_query_says_its_grain_columns_and_parameters(name):
    header = "".join(line for line in FILES[name].splitlines(keepends=True) if line.startswith("--"))
    assert FILES[name].startswith("-- ")
    for word in ("-- Grain:", "-- Columns:", "-- Parameters:"):
        assert word in header
    parameters = header.split("-- Parameters:")[1]
    for slot in set(re.findall(r"\{([a-z_]+)\}", FILES[name])) - {"by_source", "group_by"}:
        assert re.search(rf"\b{slot}\b", parameters), f"{slot} is not explained"


@pytest.mark.parametrize("name", FILES)
def test_every_query_keeps_to_the_portable_subset(name):
    code = "\n".join(line for line in FILES[name].splitlines() if not line.startswith("--"))
    assert [pattern for pattern in NOT_PORTABLE if re.search(pattern, code, re.IGNORECASE)] == []
    # A sum is HUGEINT in DuckDB and wraps or fails elsewhere; nulls sort differently everywhere.
    assert re.findall(r"(?<!CAST\()\bsum\(", code) == []
    assert len(re.findall(r"\b(?:ASC|DESC)\b", code)) == len(re.findall(r"\bNULLS LAST\b", code))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("by", [(), ("field",), ("month", "status")])
def test_every_slot_is_filled(name, by):
    text = render(name, by=by, deadline="original", **SLOTS)
    assert "{" not in text
    assert "}" not in text


def test_a_slot_left_empty_is_named():
    with pytest.raises(KhaosatError, match="finish, start"):
        render("portal_766", deadline="original", last=MOMENT, ended=ENDED)


def test_every_column_of_by_is_in_the_glossary():
    assert set(COLUMNS) <= set(read_table("glossary.csv")["identifier"])


@pytest.mark.parametrize("by", ["Field", "field ", "field,channel", "1", "field/**/", "count(*)", ["field", None]])
def test_nothing_but_a_known_column_gets_into_by(by):
    with pytest.raises(KhaosatError, match="cannot group by"):
        group_columns(by)
    with pytest.raises(KhaosatError, match="cannot group by"):
        render("lateness", by=(by,) if isinstance(by, str) else tuple(by), deadline="original", **SLOTS)


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was(engine, text):
    assert engine.query(f"SELECT {literal(text)} AS x FROM t")["x"].to_pylist() == [text]


@given(moment=st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)))
def test_any_moment_comes_back_as_it_was(engine, moment):
    assert engine.query(f"SELECT {literal(moment)} AS x FROM t")["x"].to_pylist() == [moment]


def test_whole_numbers_stay_whole_and_months_become_text():
    from khaosat.dossiers.frames import example_log

    log = example_log()
    frame = ask(log.engine, "form_06a", by=("month",), deadline="original", **SLOTS)
    assert frame["month"].sort_values().tolist() == ["2026-03", "2026-04", "2026-05", "2026-06"]
    assert frame["received"].dtype == "int64"
    log.engine.close()
