"""Personal data in free text, and text without them: phones, papers, accounts, addresses, names, dossier codes.

Patterns find what has a form. A name in small letters without a title ("lan ở quầy 3") has none and stays, which is one
reason why comments are never published word for word by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from khaosat.domain.vietnamese import one_form
from khaosat.facts import read_table
from khaosat.facts.language import say

_UPPER = "".join(chr(c) for c in range(0x1EFF + 1) if chr(c).isupper())
_WORD = rf"[{_UPPER}]\w*"
_DATE = r"(?:0?[1-9]|[12]\d|3[01])[ ./-](?:0?[1-9]|1[0-2])[ ./-](?:19|20)\d\d"
_MONEY = r"(?!\s*(?:đồng|đ\b|vnđ|vnd|triệu|tỷ|nghìn|ngàn|m2|m²|%))"
_LINK = r"[\s.\-]?"
_PLACE_UNIT = r"(?:tổ dân phố|tổ|khu phố|kp|khóm|ấp|thôn|xóm|bản|buôn)"
_STREET = r"(?:đường|phố|hẻm|ngõ|ngách|kiệt)"

_FORMS: tuple[tuple[str, str], ...] = (
    ("email", r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+"),
    ("url", r"(?i:\bhttps?://\S+|\bwww\.\S+|\b(?:[\w-]+\.)+(?:com|vn|net|org|me|info|io)\b(?:/\S*)?)"),
    ("dossier", r"(?i:(?<![\w.-])(?:[A-Z]{1,2}\d{1,3}|\d{3})(?:\.[A-Z0-9]{1,4})*-\d{6}-\d{4,8}(?!\d))"),
    ("birth", r"(?i:\bsinh\s+(?:ngày|năm)\s*:?\s*[\d][\d ./-]*\d)"),
    ("account", r"(?i:\b(?:số tài khoản|tài khoản|stk|tk)\b(?:\s(?:ngân hàng|số))?[^\d\n]{0,25}"
                r"\d(?:[\s.\-]?\d){5,18}(?!\d))"),
    ("phone", rf"(?<![\d.,/-])(?!{_DATE})(?:\(?(?:\+|00)84\)?{_LINK}(?:\(?0\)?{_LINK})?[235789]|"
              rf"(?<!\w)84{_LINK}[35789]|\(?0[35789]|\(?02)(?:[\s.\-()]{{0,2}}\d){{8,9}}(?![\d/])"),
    ("paper", r"(?i:\b(?:cccd|cmnd|cmt|cmtnd|căn cước(?: công dân)?|chứng minh(?: nhân dân| thư)?|hộ chiếu|định danh)\b"
              r"(?:\s+(?:số|của tôi|là))*\s*:?\s*[A-Z]?\d(?:[\s.]?\d){6,11}(?!\d))"),
    ("paper", rf"(?<![\w.,/-])(?:[A-Z]\d{{7,8}}|\d{{9,19}})(?![\d/]){_MONEY}"),
    ("address", rf"(?i:\b(?:địa chỉ|số nhà|nhà số)\s*:?\s*(?:số\s+)?)\d+\w{{0,2}}(?:/\d+\w{{0,2}})*"
                rf"(?:\s+(?i:{_STREET}))?(?:\s+{_WORD}){{0,5}}"),
    ("address", rf"(?i:\bsố\s+)?(?<![\w/])\d+\w{{0,2}}(?:/\d+\w{{0,2}})*,?\s+(?i:{_STREET})"
                rf"(?:\s+(?:{_WORD}|\d+\w{{0,2}}(?:/\d+)*)){{1,5}}"),
    ("address", rf"(?i:\b(?:hẻm|ngõ|ngách|kiệt)\s+)\d+\w{{0,2}}(?:/\d+\w{{0,2}})*"
                rf"(?:\s+(?i:{_STREET}))?(?:\s+{_WORD}){{0,4}}"),
    ("address", rf"(?i:\b{_PLACE_UNIT}\s+(?:số\s+)?)(?:\d+\w?\b|{_WORD}(?:\s+{_WORD}){{0,2}})"),
)  # fmt: skip
"""What has a form, in the order in which it is looked for: a later pattern does not see what an earlier one took."""


@dataclass(frozen=True, kw_only=True)
class Scrubbed:
    """A text without the personal data that were found in it, and of what kinds these were, one entry each."""

    text: str
    kinds: tuple[str, ...]


def scrub(text: str) -> Scrubbed:
    """Put a word in brackets in place of everything that looks like personal data.

    Found are e-mail and web addresses, dossier codes, dates of birth, bank accounts, phone numbers (with ``+84``,
    spaces or dots), numbers of identity papers, postal addresses down to the village or block, names after a form of
    address or that begin with one of the usual surnames. Years, amounts of money, numbers of articles and names of
    streets and wards stay.

    Parameters
    ----------
    text
        Free text.

    Returns
    -------
    Scrubbed
        The text in one form (:func:`khaosat.domain.vietnamese.one_form`).

    Examples
    --------
    >>> scrub("Gọi anh Tuấn số 0912.345.678 mà không ai nghe").text
    'Gọi anh [tên] số [điện thoại] mà không ai nghe'
    >>> scrub("Điều 12 Luật Đất đai năm 2024, phí 150.000 đồng").kinds
    ()
    """
    found: list[str] = []
    words = _words()

    def mask(kind: str, before: str = "") -> str:
        found.append(kind)
        return before + words[kind]

    text = one_form(text)
    for kind, pattern in _FORMS:
        text = re.sub(pattern, lambda match, kind=kind: mask(kind), text)  # type: ignore[misc]
    for names in _names():
        text = names.sub(lambda match: _name(match, mask), text)
    return Scrubbed(text=text, kinds=tuple(found))


def _name(match: re.Match[str], mask: Callable[[str, str], str]) -> str:
    lists = _lists()
    words = match["name"].split()
    kept: list[str] = []
    while words and words[-1] in lists["not_name"]:  # "anh Tuấn Phường 5": the name ends before the office
        kept.insert(0, words.pop())
    before, whole = match["before"].strip().lower(), f"{match['before']}{match['name']}".lower()
    if before in lists["before_place"]:
        return match[0]
    if not words or words[0] in lists["not_name"] or any(place in whole for place in lists["place"]):
        return match[0]
    first = next((j for j, word in enumerate(words) if word in lists["not_name"]), len(words))
    rest = " ".join([*words[first:], *kept])
    return mask("name", match["before"]) + (f" {rest}" if rest else "")


def _words() -> dict[str, str]:
    return {
        "email": say("[e-mail]"), "url": say("[web address]"), "dossier": say("[dossier code]"),
        "birth": say("[date of birth]"), "account": say("[account]"), "phone": say("[phone]"),
        "paper": say("[identity number]"), "address": say("[address]"), "name": say("[name]"),
    }  # fmt: skip


@cache
def _lists() -> dict[str, frozenset[str]]:
    table = read_table("codes/personal_words.csv")
    lists = {kind: frozenset(rows["word"]) for kind, rows in table.groupby("kind")}
    return lists | {"place": frozenset(word.lower() for word in lists["place"])}


@cache
def _names() -> tuple[re.Pattern[str], ...]:
    """A name after a form of address; a surname with one to three more names, unless it is called after a place."""
    lists = _lists()
    titles, surnames, places = (
        "|".join(sorted(map(re.escape, lists[kind]), key=len, reverse=True))
        for kind in ("title", "surname", "before_place")
    )
    after_title = rf"(?<![\w/])(?P<before>(?i:{titles})\.?\s+)(?P<name>{_WORD}(?:\s+{_WORD}){{0,3}})"
    by_surname = rf"(?<!\w)(?P<before>(?:(?i:{places})\s+)?)(?P<name>(?:{surnames})(?:\s+{_WORD}){{1,3}})"
    return re.compile(after_title), re.compile(by_surname)
