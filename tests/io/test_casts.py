"""Texts that are taken as they stand are those that cleaning would not change."""

from __future__ import annotations

import re
import unicodedata

from khaosat.io.casts import _SPACE, CLEAN


def test_what_counts_as_clean_needs_no_cleaning():
    pattern = re.compile(CLEAN)
    letters = [chr(code) for code in range(0x110000) if pattern.fullmatch(f"a{chr(code)}a")]
    assert {"ệ", "Đ", "ư", " "} <= set(letters)
    assert "\u0301" not in letters
    text = "".join(letters)
    assert unicodedata.normalize("NFC", text) == text  # none of them changes, or joins with the one before it
    assert not any(map(unicodedata.combining, letters))
    for space in _SPACE:
        assert not pattern.fullmatch(f"{space}a")
        assert not pattern.fullmatch(f"a{space}")
    assert not pattern.fullmatch("")
