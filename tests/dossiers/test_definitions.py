"""The table of definitions: complete, sourced, and tied to the queries."""

from __future__ import annotations

from typing import get_args

import pytest

from khaosat.dossiers.definitions import Definition, meaning, meanings
from khaosat.dossiers.lateness import count_late
from khaosat.dossiers.window import window
from khaosat.errors import KhaosatError
from khaosat.facts import read_table
from khaosat.facts.language import language


def test_every_definition_has_words_and_a_source():
    table = read_table("rules/late_definitions.csv")
    assert table["id"].tolist() == list(get_args(Definition))
    words = [name for name in table.columns if name.endswith(("_vi", "_en"))]
    assert len(words) == 6
    for column in [*words, "query", "source", "valid_from", "grade"]:
        assert (table[column] != "").all()


@pytest.mark.parametrize("definition", get_args(Definition))
def test_its_query_counts_it(edges, definition):
    counts = count_late(edges, meaning(definition).query, window(edges, None), deadline="original")
    assert {f"{definition}_numerator", f"{definition}_denominator", f"{definition}_missing"} <= set(counts.columns)


def test_words_follow_the_language():
    vietnamese = [word.words() for word in meanings()]
    with language("en"):
        english = [word.words() for word in meanings()]
    assert len({*vietnamese, *english}) == 12
    with pytest.raises(KhaosatError, match="form_06a"):
        meaning("fast")
