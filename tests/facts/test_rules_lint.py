"""Every rule has a source, validity and grade, and a rule set that lacks them fails `make check`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from khaosat.facts import lint as lint_module
from khaosat.facts import read_table
from khaosat.facts.lint import FACTS, lint, main

RULES = sorted((FACTS / "rules").glob("*.csv"))


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    (tmp_path / "facts/rules").mkdir(parents=True)
    (tmp_path / "facts/locale/vi").mkdir(parents=True)
    return tmp_path / "facts"


GOOD = "id,valid_from,valid_to,grade,source\na,2024-01-01,,A,law\n"


def test_a_good_rule_is_no_finding(facts):
    (facts / "rules/x.csv").write_text(GOOD)
    (facts / "rules/x.toml").write_text('valid_from = 2024-01-01\ngrade = "A"\nsource = "law"\n')
    assert lint(facts, facts) == []


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        (GOOD.replace("2024-01-01", ""), "row 1 has no valid_from"),
        (GOOD.replace(",A,", ",F,"), "row 1: grade 'F' is not one of"),
        (GOOD.replace(",A,", ",,"), "row 1: grade '' is not one of"),
        (GOOD.replace("law", ""), "row 1 has no source"),
        ("id,source\na,law\n", "a rule needs the columns valid_from, grade"),
        (GOOD + "a,2025-01-01,,A,law\n", "a is there more than once for the same time"),
        (GOOD.replace(",,A", ",2025-06-30,A") + "a,2025-06-30,,B,law\n", "a is there more than once for the same time"),
        (GOOD.replace("id,", "rule,"), "a rule needs the column id"),
        (GOOD.replace(",,A", ",2024-06-30,A") + "a,2024-08-01,,A,law\n", "a has a gap between"),
    ],
)
def test_a_rule_without_source_or_validity_is_found(facts, table, finding):
    (facts / "rules/x.csv").write_text(table)
    findings = lint(facts, facts)
    assert len(findings) == 1, findings
    assert findings[0].startswith("rules/x.csv: ")
    assert finding in findings[0]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('valid_from = 2024-01-01\ngrade = "A"\n', "has no source"),
        ('grade = "A"\nsource = "law"\n', "has no valid_from that is a date"),
        ('valid_from = "soon"\ngrade = "A"\nsource = "law"\n', "has no valid_from that is a date"),
        ('valid_from = 2024-01-01\nsource = "law"\n', "grade None is not one of"),
        ("valid_from = \n", "cannot be read"),
    ],
)
def test_settings_without_source_or_validity_are_found(facts, text, finding):
    (facts / "rules/x.toml").write_text(text)
    findings = lint(facts, facts)
    assert len(findings) == 1, findings
    assert finding in findings[0]


def test_bands_and_targets_are_known_by_two_columns(facts):
    head = "set,band,valid_from,valid_to,grade,source\n"
    (facts / "rules/bands.csv").write_text(head + "a,good,2024-01-01,,A,law\nb,good,2024-01-01,,A,law\n")
    assert lint(facts, facts) == []


def test_a_finding_fails_the_check(facts, monkeypatch, capsys):
    (facts / "rules/x.csv").write_text(GOOD.replace("law", ""))
    monkeypatch.setattr(lint_module, "lint", lambda: lint(facts, facts))
    monkeypatch.setattr(sys, "argv", ["lint"])
    assert main() == 1
    assert "rules/x.csv: row 1 has no source" in capsys.readouterr().out


def test_the_components_of_decision_766_make_100_points():
    table = read_table("rules/qd766.csv")
    points = table.assign(max_score=table["max_score"].astype(float)).groupby("group")["max_score"].sum()
    assert points.to_dict() == {"1": 18, "2": 20, "3a": 12, "3b": 10, "4": 22, "5": 18}
    assert set(table["group"]) == set(read_table("rules/qd766_groups.csv")["id"])
    settings = tomllib.loads((FACTS / "rules/qd766.toml").read_text(encoding="utf-8"))
    assert set(settings["root_units"]) < set(settings["units"])


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_every_rule_file_says_where_its_rules_come_from(file):
    table = read_table(file)
    assert (table["source"] != "").all()
    assert table["grade"].isin(list("ABCDE")).all()
