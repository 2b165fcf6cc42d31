from __future__ import annotations

import pytest

from khaosat.errors import FactsError
from khaosat.facts.language import language
from khaosat.io.mapping_files import load_mapping
from tests.io.exports import HO_SO, TIEN_TRINH

GOOD = """
id = "a"
source = "test"
zone = "Asia/Ho_Chi_Minh"
[dossiers]
required = ["dossier_id", "received_at"]
[dossiers.columns]
dossier_id = "Số"
received_at = "Nhận"
"""


def load(tmp_path, text):
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    return load_mapping(str(tmp_path / "a.toml"))


def test_a_file_serves_the_tables_whose_columns_it_has():
    mapping = load_mapping("dvcqg")
    assert mapping.serves(HO_SO) == ["dossiers"]
    assert mapping.serves(TIEN_TRINH) == ["steps"]
    assert mapping.serves(["ma ho so", "NGÀY BỔ SUNG"]) == ["supplements"]
    assert mapping.serves(["Mã hồ sơ", "Ngày đổi hẹn", "Ngày hẹn trả mới"]) == ["appointments"]
    assert mapping.serves(["x"]) == []
    assert mapping.nearest(["x", "y"]) is None
    assert load_mapping("receipt").serves(
        ["case:concept:name", "case:startdate", "case:deadline", "case:enddate", "concept:name", "time:timestamp"]
    ) == ["dossiers", "steps"]


def test_national_codes():
    columns = load_mapping("dvcqg").tables["dossiers"].columns
    assert {code: columns["status"].codes[code] for code in "12345678"} | {"9": columns["status"].codes["9"]} == {
        "1": "registered", "2": "received", "3": "not_accepted", "4": "processing", "5": "supplement_requested",
        "6": "fee_requested", "7": "withdrawn", "8": "stopped", "9": "finished",
    }  # fmt: skip
    assert columns["status"].codes["10"] == "returned"
    assert [columns["channel"].codes[code] for code in "123"] == ["direct", "online", "post"]
    assert columns["channel"].blank == "direct"


def test_the_digest_is_that_of_the_file(tmp_path):
    first = load(tmp_path, GOOD)
    assert load(tmp_path, GOOD).digest == first.digest
    assert load(tmp_path, GOOD + "\n# nhận xét\n").digest != first.digest
    assert first.stored_in == first.zone == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "a"', "", "id must be a text"),
        ('zone = "Asia/Ho_Chi_Minh"', 'zone = "Hà Nội"', "zone must be a time zone"),
        ('zone = "Asia/Ho_Chi_Minh"', 'zone = "UTC"\nstored_in = "x"', "stored_in must be a time zone"),
        ('id = "a"', 'id = "a"\ntimes = ["%Q"]', "is not a time format"),
        ('id = "a"', 'id = "a"\ntimes = "%Y"', "times must be a list"),
        ('id = "a"', 'id = "a"\ncolour = "red"', "colour is not known"),
        ('id = "a"', 'id = "a"\ncodes = "xyz"', None),
        ("[dossiers]", "[steps]\n[steps.columns]\ndossier_id='x'\n[dossiers]\nonce = 1", "dossiers.once is not known"),
        ('"received_at"]', '"received_at", "due_at"]', "due_at is not in dossiers.columns"),
        ('["dossier_id", ', "[", "must have dossier_id"),
        ('received_at = "Nhận"', 'received_at = "Nhận"\nphone = "x"', "phone is not known"),
        ('received_at = "Nhận"', "received_at = 3", "received_at must be a column name"),
        ('received_at = "Nhận"', 'received_at = "N"\nchannel = {from = "c", codes = {A = "air"}}', "'air' is not one"),
        ('received_at = "Nhận"', 'received_at = {from = "N", codes = {A = "b"}}', "has no codes"),
        ('received_at = "Nhận"', 'received_at = "N"\nsource_row = "x"', "source_row is not known"),
        ("required =", "one_per_dossier = 1\nrequired =", "must be true or false"),
        ("[dossiers]", "[dossiers", "TOML"),
    ],
)  # fmt: skip
def test_every_fault_of_a_mapping_is_named(tmp_path, old, new, words):
    text = GOOD.replace(old, new)
    assert text != GOOD
    if words is None:
        assert load(tmp_path, text).tables["dossiers"]
        return
    with language("en"), pytest.raises(FactsError, match="a.toml") as error:
        load(tmp_path, text)
    assert words in str(error.value) or words == "TOML"


def test_all_faults_come_at_once(tmp_path):
    with pytest.raises(FactsError) as error:
        load(tmp_path, GOOD.replace('id = "a"', 'x = 1\ntimes = ["%Q"]').replace("Asia/Ho_Chi_Minh", ""))
    assert len(str(error.value).splitlines()) >= 5


def test_no_dossiers_no_mapping(tmp_path):
    with pytest.raises(FactsError, match="dossiers"):
        load(
            tmp_path,
            GOOD.replace("dossiers", "steps")
            .replace('received_at = "Nhận"', 'step = "x"')
            .replace('"received_at"', '"step"'),
        )
    with pytest.raises(FactsError, match="khong-co"):
        load_mapping(tmp_path / "khong-co.toml")
