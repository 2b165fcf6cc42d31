from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.errors import DataError
from khaosat.facts.language import language
from khaosat.survey.where import where_rows

FRAME = pd.DataFrame({
    "age": [30.0, 65.0, None, 18.0], "ward": ["Bến Nghé", "Đa Kao", None, "Bến Nghé"],
    "paid": [True, False, True, False], "code": pd.array([1, None, 3, 2], dtype="Int64"), "phường/xã": [1, 2, 3, 4],
})  # fmt: skip

leaves = st.sampled_from([
    "age >= 30", "age < 65", "ward == 'Bến Nghé'", "ward != 'Đa Kao'", "ward in ('Đa Kao',)", "ward not in ('Đa Kao',)",
    "paid == True", "`phường/xã` > 2", "age != 30", "code != 3", "age > code", "code not in (1, 2)",
])  # fmt: skip
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


def verdicts(frame: pd.DataFrame, expression: str) -> list[bool | None]:
    return [None if pd.isna(verdict) else bool(verdict) for verdict in where_rows(frame, expression)]


@pytest.fixture(scope="module")
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.register("frame", FRAME.astype({"age": "Float64"}))
        yield connection


@given(expression=expressions)
def test_it_means_what_sql_means(sql: duckdb.DuckDBPyConnection, expression: str) -> None:
    """True, false and open, by DuckDB."""
    translated = expression.replace("==", "=").replace("!=", "<>").replace("`", '"').replace(",)", ")")
    expected = sql.sql(f'SELECT ({translated}) FROM frame ORDER BY "phường/xã"').fetchall()
    assert verdicts(FRAME, expression) == [row[0] for row in expected]


def test_rows_may_share_an_index() -> None:
    twice = pd.concat([FRAME, FRAME])
    assert verdicts(twice, "age >= 30 and code != 3") == verdicts(FRAME, "age >= 30 and code != 3") * 2


def test_a_missing_value_is_in_neither_a_group_nor_its_complement() -> None:
    """As R's subset: pandas would put the respondent without a code among those whose code is not 3."""
    for inside, outside in [("code == 3", "not (code == 3)"), ("code == 3", "code != 3"),
                            ("ward in ['Đa Kao']", "ward not in ['Đa Kao']")]:  # fmt: skip
        one, other = verdicts(FRAME, inside), verdicts(FRAME, outside)
        assert [a if a is None else not a for a in one] == other
        assert None in one
    assert verdicts(FRAME, "code == 3 or paid") == [True, None, True, False]
    assert verdicts(FRAME, "code == 3 and paid") == [False, False, True, False]


def test_truth_columns_signs_and_brackets() -> None:
    assert verdicts(FRAME, "paid and not age > 40") == [True, False, None, False]
    assert verdicts(FRAME, "(age > 20) & ~(code == 3) | paid") == [True, None, True, False]
    assert verdicts(FRAME, "age > -1") == [True, True, None, True]
    assert verdicts(FRAME, "30 == age") == [True, False, None, False]
    assert verdicts(FRAME, "18 < age <= 65") == [True, True, None, False]


def test_quotes_and_names_beyond_ascii() -> None:
    frame = pd.DataFrame({"phường": ["O'Lan", "`a`", 'say "x"'], "Câu 1.1": [1, 2, 3]})
    assert verdicts(frame, """phường == "O'Lan" """) == [True, False, False]
    assert verdicts(frame, r"phường == 'O\'Lan'") == [True, False, False]
    assert verdicts(frame, "phường == '`a`' and `Câu 1.1` < 3") == [False, True, False]
    assert verdicts(frame, """phường in ['say "x"']""") == [False, False, True]
    decomposed = frame.rename(columns={"phường": "phu\u031bo\u031b\u0300ng"})
    assert verdicts(decomposed, "phường == '`a`'") == [False, True, False]


@given(expressions)
def test_a_missing_whole_number_is_like_any_missing_number(expression: str) -> None:
    whole = FRAME.assign(age=FRAME["age"].astype("Int64"))
    assert verdicts(whole, expression) == verdicts(FRAME, expression)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("__import__('os').system('true')", "is not a comparison"),
        ("age.mean() > 3", "is not a number or a text"),
        ("age + 1 > 3", "is not a number or a text"),
        ("[x for x in (1,)]", "is not a comparison"),
        ("lambda: 1", "is not a comparison"),
        ("age", "is not a comparison"),
        ("height > 3", "there is no column 'height'"),
        ("ward in wards", "comes a list"),
        ("ward is None", "is not understood"),
        ("age >", "invalid syntax"),
        ("ward > 3", "where='ward > 3' cannot be read"),
        ("age == f'{code}'", "is not a number or a text"),
    ],
)
def test_what_it_does_not_understand_is_refused(expression: str, told: str) -> None:
    with language("en"), pytest.raises(DataError) as caught:
        where_rows(FRAME, expression)
    assert told in str(caught.value)
