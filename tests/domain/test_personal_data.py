"""Personal data in free text: what has its form is taken out, what only looks a little like it stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.domain.personal_data import scrub
from khaosat.facts.language import language

FOUND = {
    "phone": ["0912345678", "+84 912 345 678", "(+84)912345678", "84912345678", "0912.345.678", "0912-345-678",
              "(028) 3829 1234", "028 38291234", "091 234 56 78", "+84.28.3829.1234", "0084912345678",
              "+84 (0)912 345 678"],
    "paper": ["079123456789", "024123456", "CCCD 079 123 456 789", "căn cước công dân số: 079 123 456 789",
              "cmnd 024123456", "CMT: 024 123 456", "hộ chiếu B1234567"],
    "email": ["abc.xyz@gmail.com", "nguyen_van-a@mail.hcmcity.gov.vn"],
    "url": ["https://zalo.me/0912345678", "facebook.com/nguyenvana", "www.abc.vn"],
    "account": ["stk 0071001234567", "số tài khoản 1903 4567 8901 23", "tài khoản ngân hàng VCB: 0071001234567"],
    "dossier": ["H29.12.04-261008-0975", "000.00.12.H29-210115-0001", "h99.123-260126-0001", "H44.104-251230-00012"],
    "address": ["12/3 đường Lê Lợi", "số 12 đường Lê Lợi", "hẻm 45/6 Nguyễn Trãi", "số nhà 15A Trần Phú",
                "123 đường 3", "ấp Bình Hòa", "thôn 3", "khu phố 2", "tổ dân phố 15"],
    "birth": ["sinh ngày 12/3/1985", "sinh năm 1960"],
}  # fmt: skip

NAMES = {
    "anh Tuấn hẹn lại": "anh [name] hẹn lại",
    "Chị Nguyễn Thị Lan ở quầy 3": "Chị [name] ở quầy 3",
    "đồng chí Minh": "đồng chí [name]",
    "đ/c Hùng chủ tịch": "đ/c [name] chủ tịch",
    "cô Ba, chú Tư, bà Sáu": "cô [name], chú [name], bà [name]",
    "cán bộ Trần Văn Hùng cau có": "cán bộ [name] cau có",
    "chị Lan Phường 5 tốt": "chị [name] Phường 5 tốt",
    "ANH TUẤN làm kém": "ANH [name] làm kém",
    "ong Nam va chi Lan": "ong [name] va chi [name]",
}

KEPT = [
    "năm 2024", "ngày 05.08.2024 10 giờ", "150.000.000 đồng", "150000000 đồng", "1.500.000đ", "Điều 12 Luật Đất đai",
    "Nghị định 118/2025/NĐ-CP", "Quyết định số 1001/QĐ-BNV", "gọi 1022", "tổng đài 19001789", "đường Nguyễn Huệ ngập",
    "Thành phố Hồ Chí Minh", "Bà Rịa - Vũng Tàu", "anh chị ở bộ phận một cửa", "ông bà già", "bà con Phường 5",
    "quầy số 3", "UBND phường Nguyễn Thái Bình", "lúc 8h30 ngày 01/02/2024", "từ 15/03/2024 đến 20/04/2024",
    "2 lần 3 lần", "cô chú Cán bộ", "diện tích 123456789 m2", "từ 7h đến 10h", "2023 2024 2025",
    "tờ bản đồ số 15 thửa 234", "nộp 10-10-2024 trả 20-10-2024", "tài khoản VNeID mức 2", "chờ 30 ngày",
    "bệnh viện Lê Văn Thịnh", "chợ Bà Chiểu",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
@pytest.mark.parametrize("around", ["{}", "Xin gọi {} giúp tôi", "({})", "{}, cảm ơn."])
def test_what_has_its_form_is_taken_out(kind, text, around):
    with language("en"):
        clean = scrub(around.format(text))
    assert kind in clean.kinds
    for piece in text.replace("đường", "").split():
        if sum(c.isdigit() for c in piece) > 2 or "@" in piece:
            assert piece not in clean.text


@pytest.mark.parametrize(("text", "expected"), NAMES.items())
def test_names_go_and_forms_of_address_stay(text, expected):
    with language("en"):
        assert scrub(text).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_stays(text):
    clean = scrub(text)
    assert (clean.text, clean.kinds) == (text, ())


@given(st.integers(0, 10**8 - 1), st.sampled_from(["", " ", ".", "-"]), st.sampled_from("35789"))
def test_no_mobile_number_survives_however_it_is_spaced(rest, gap, second):
    digits = f"0{second}{rest:08d}"
    number = gap.join([digits[:4], digits[4:7], digits[7:]])
    assert digits[4:7] + gap + digits[7:] not in scrub(f"Số tôi là {number} nhé").text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_scrubbed_once(text):
    once = scrub(text).text
    assert scrub(once).text == once


def test_placeholders_are_in_the_readers_language():
    assert scrub("anh Tuấn").text == "anh [tên]"
