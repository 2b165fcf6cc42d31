import datetime as dt

import pytest

from khaosat.errors import FactsError
from khaosat.facts.language import current_language, date, language, number, percent, say, sort_key


def test_vietnamese_numbers_dates_and_words_by_default(monkeypatch):
    monkeypatch.delenv("KHAOSAT_LANG", raising=False)
    assert number(1203) == "1.203"
    assert percent(0.285) == "28,5%"
    assert date(dt.date(2026, 2, 3)) == "03/02/2026"
    assert say("the year {year}", year="2026") == "năm 2026"


def test_a_number_of_any_size_is_written(monkeypatch):
    monkeypatch.delenv("KHAOSAT_LANG", raising=False)
    assert number(-1.5e30, 2) == "−1.500" + ".000" * 9 + ",00"
    assert number(1e308).count("0") == 308


def test_environment_sets_the_language_and_a_block_overrides_it(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")
    assert number(1234.5, 1) == "1,234.5"
    with language("vi"):
        assert number(1234.5, 1) == "1.234,5"
    assert current_language() == "en"


def test_unknown_language_is_refused(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "fr")
    with pytest.raises(FactsError, match="'fr'"):
        say("the year {year}", year="2026")


def test_vietnamese_order_letters_before_tones():
    words = ["Ủy ban", "Đất", "Dân", "Ấp", "An", "Ăn", "Âm", "ma", "má", "mà", "mả", "mã", "mạ", "Xã 10", "Xã 2"]
    assert sorted(words, key=sort_key) == [
        "An", "Ăn", "Ấp" if sort_key("Ấp") < sort_key("Âm") else "Âm", "Ấp", "Dân", "Đất",
        "ma", "mà", "mả", "mã", "má", "mạ", "Ủy ban", "Xã 10", "Xã 2",
    ]  # fmt: skip


def test_a_braced_value_is_not_a_template():
    assert say("{n} answers are missing.", n="{evil}").startswith("{evil}")
