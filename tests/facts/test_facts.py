from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from khaosat.errors import FactsError
from khaosat.facts import lint as lint_module
from khaosat.facts import read_table
from khaosat.facts.language import language
from khaosat.facts.lint import lint, main


def codes(name: str) -> dict[str, str]:
    table = read_table(f"codes/{name}.csv")
    return dict(zip(table["id"], table["dvcqg"], strict=True))


def test_facts_are_in_order() -> None:
    """Sources, dates, keys, both languages, fault messages; every message said has its Vietnamese and the reverse."""
    assert lint() == []


def test_codes_are_those_of_the_national_exchange_schema() -> None:
    assert list(codes("status").values()) == [str(code) for code in range(1, 11)]
    assert codes("channel") == {"direct": "1", "online": "2", "post": "3", "email": "", "internal": ""}
    assert codes("applicant_type") == {"citizen": "1", "business": "2", "agency": "3", "organisation": "4"}
    status = read_table("codes/status.csv")
    ended = set(status.loc[status["is_end"] == "1", "id"])
    assert ended == {"not_accepted", "withdrawn", "stopped", "finished", "returned"}


def test_hcmc_aims_at_995_dossiers_of_1000_on_time() -> None:
    targets = read_table("rules/targets.csv").set_index(["set", "indicator"])
    on_time = targets.loc[("hcmc_2024", "on_time")]
    assert (float(on_time["value"]), on_time["comparison"], on_time["valid_from"]) == (0.995, ">=", "2024-06-28")
    assert set(targets["comparison"]) <= {">=", "<="}
    assert targets["value"].astype(float).between(0, 1).all()


def test_published_series_breaks_where_the_method_changed() -> None:
    table = read_table("published/sipas_national.csv")
    national = table[(table["indicator"] == "index") & (table["statistic"] == "value")].set_index("year")
    assert national.index.tolist() == ["2019", "2020", "2022", "2023", "2024"]  # none without a source
    assert "E" not in set(table["grade"])
    assert national.index[national["break_before"] == "1"].tolist() == ["2022"]
    changed = national["questionnaire"] != national["questionnaire"].shift(fill_value="sipas_2017")
    assert national.index[changed].tolist() == ["2022"]
    value = national["value"].astype(float)
    assert value["2023"] - value["2022"] == pytest.approx(2.58)
    assert value["2024"] - value["2023"] == pytest.approx(1.28)


def test_published_figures_refute_the_plain_mean_of_parts_and_allow_pooling_32_and_19_items() -> None:
    table = read_table("published/sipas_national.csv")
    value = table[table["statistic"] == "value"].set_index(["year", "indicator"])["value"].astype(float)
    low, high = 0.0, 1.0
    for year, error in (("2023", 0.015), ("2024", 0.01)):  # the parts of 2023 are differences of rounded figures
        index, policy, service = (value[year, name] for name in ("index", "policy", "service"))
        weight, slack = (service - index) / (service - policy), error / (service - policy)
        low, high = max(low, weight - slack), min(high, weight + slack)
    assert not low <= 0.5 <= high
    assert low <= 32 / 51 <= high


def test_a_changed_copy_leaves_the_built_in_table_alone() -> None:
    copy = read_table("rules/targets.csv")
    copy.loc[:, "value"] = "0"
    assert "0.995" in set(read_table("rules/targets.csv")["value"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "twice"),
        (b"a,b\n1,2\n1,2,3\n1\n", "rows 2, 3"),
        ("ế".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_table_that_would_be_read_askew_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "own.csv"
    file.write_bytes(content)
    with language("en"), pytest.raises(FactsError, match=told):
        read_table(file)


def test_an_unknown_built_in_fact_is_refused() -> None:
    with pytest.raises(FactsError, match="no built-in fact 'codes/moods.csv'"):
        read_table("codes/moods.csv")


# The lint itself ---------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A package with one good fact table, one message and its Vietnamese."""
    for folder in ("facts/codes", "facts/locale/vi"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, "facts/codes/kind.csv", "id,label_vi,label_en,source\na,Một,One,law\n")
    write(tmp_path, "facts/locale/vi/x.po", PO + 'msgid "{n} rows"\nmsgstr "{n} dòng"\n')
    write(tmp_path, "verbs.py", 'say("{n} rows", n=1)\n')
    return tmp_path


PO = 'msgid ""\nmsgstr ""\n"Language: vi\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def write(place: Path, name: str, text: str) -> None:
    (place / name).write_bytes(text.encode("utf-8"))


def found(place: Path) -> list[str]:
    return lint(place / "facts", place)


def test_a_good_package_has_no_findings(place: Path) -> None:
    assert found(place) == []


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        ("id,label_vi,label_en,source\na,Một,One,\n", "row 1 has no source"),
        ("id,label_vi,label_en\na,Một,One\n", "has no column source"),
        ("id,label_vi,label_en,source\na,Một,,law\n", "row 1 has no label_en"),
        ("id,label_vi,source\na,Một,law\n", "has label_vi without its other language"),
        ("id,source\na,law\na,law\n", "a is there more than once for the same time"),
        ("id,source\na,Lu\u1eadt\nb,Lua\u0323\u0302t\n", "line 3 is not in NFC"),
        ("\ufeffid,source\na,law\n", "starts with a byte order mark"),
        ("id,source\r\na,law\r\n", "has carriage returns"),
        ("id,source\na,law,more,still more\n", "cannot be read"),
        ("", "rỗng"),
        ("id,id\na,b\n", "trùng tên"),
        ("id,valid_from,source\na,1/2/2024,law\n", "row 1: valid_from '1/2/2024' is not a date such as 2026-09-02"),
        ("id,valid_from,valid_to,source\na,2024-02-01,2024-01-01,law\n", "lies before valid_from"),
        ("id,valid_from,valid_to,source\na,2024-01-01,,law\na,2025-01-01,,law\n", "more than once for the same time"),
        ("id,valid_from,valid_to,source\na,2024-01-01,2024-05-31,x\na,2024-07-01,,x\n", "a has a gap between"),
    ],
)
def test_a_bad_table_is_found(place: Path, table: str, finding: str) -> None:
    write(place, "facts/codes/kind.csv", table)
    findings = found(place)
    assert len(findings) == 1, findings
    assert findings[0].startswith("codes/kind.csv: ")
    assert finding in findings[0]


def test_values_that_follow_each_other_are_no_finding(place: Path) -> None:
    rows = "a,2024-01-01,2024-06-30,x\na,2024-07-01,,x\n"
    write(place, "facts/codes/kind.csv", "id,valid_from,valid_to,source\n" + rows)
    assert found(place) == []


def test_bytes_that_are_not_utf_8_are_found(place: Path) -> None:
    (place / "facts/codes/kind.csv").write_bytes("id,source\na,Đà Nẵng\n".encode("utf-16"))
    assert re.search("not UTF-8", found(place)[0])


def test_bad_fault_messages_are_found(place: Path) -> None:
    rows = [
        ["fault", "severity", "message_vi", "message_en", "source"],
        ["one", "fatal", "Dòng {row}", "Row {row}", "khaosat"],
        ["two", "warning", "Dòng {dong}", "Row {row}", "khaosat"],
        ["three", "refused", "Dòng {row", "Row {row}", "khaosat"],
    ]
    with (place / "facts/codes/faults.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    findings = found(place)
    assert [re.search(r"(\w+): ", finding.partition(": ")[2])[1] for finding in findings] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("po", "code", "finding"),
    [
        ('msgid "{n} rows"\nmsgstr "{m} dòng"\n', 'say("{n} rows", n=1)', "has the fields ['m'], the English ['n']"),
        ('msgid "{n} rows"\nmsgstr ""\n', 'say("{n} rows", n=1)', "has no translation"),
        ("", 'say("{n} rows", n=1)', "verbs.py:1: '{n} rows' has no Vietnamese"),
        ("", 'def f():\n    words = "a" if x else "a"\n    return say(words)', "verbs.py:3: 'a' has no Vietnamese"),
        ('msgid "{n} rows"\nmsgstr "{n} dòng"\n', "pass", "'{n} rows' is not used"),
    ],
)
def test_a_bad_catalogue_is_found(place: Path, po: str, code: str, finding: str) -> None:
    write(place, "facts/locale/vi/x.po", PO + po)
    write(place, "verbs.py", code + "\n")
    findings = found(place)
    assert len(findings) == 1, findings
    assert finding in findings[0]


def test_two_translations_of_one_message_are_found(place: Path) -> None:
    write(place, "facts/locale/vi/y.po", PO + 'msgid "{n} rows"\nmsgstr "{n} hàng"\n')
    assert found(place) == ["y.po: '{n} rows' has another translation elsewhere"]


def test_messages_of_templates_are_read(place: Path) -> None:
    write(place, "page.html.j2", "<h1>{{ say('Contents') }}</h1>")
    assert found(place) == ["page.html.j2:0: 'Contents' has no Vietnamese"]


def test_the_program_prints_every_finding_and_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lint_module, "lint", lambda: ["a: wrong", "b: wrong"])
    assert main() == 1
    assert capsys.readouterr().out == "a: wrong\nb: wrong\n2 findings\n"
    monkeypatch.setattr(lint_module, "lint", list)
    assert main() == 0
    assert capsys.readouterr().out == "facts are in order\n"
