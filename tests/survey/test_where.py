from __future__ import annotations

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
    "age >= 30", "age < 65", "ward == 'Bến Nghé'", "ward != 'Đa Kao'", "ward in ['Đa Kao']", "ward not in ['Đa Kao']",
    "18 < age <= 65", "paid == True", "`phường/xã` > 2", "age != 30",
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


@given(expressions)
def test_it_means_what_pandas_means(expression: str) -> None:
    expected = FRAME.query(expression, engine="python").index
    assert FRAME.index[where_rows(FRAME, expression)].tolist() == expected.tolist()


def test_truth_columns_signs_and_brackets() -> None:
    assert where_rows(FRAME, "paid and not age > 40").tolist() == [True, False, True, False]
    assert where_rows(FRAME, "(age > 20) & ~(code == 3) | paid").tolist() == [True, True, True, False]
    assert where_rows(FRAME, "age > -1").tolist() == [True, True, False, True]
    assert where_rows(FRAME, "30 == age").tolist() == [True, False, False, False]


@given(expressions)
def test_a_missing_whole_number_is_like_any_missing_number(expression: str) -> None:
    whole = FRAME.assign(age=FRAME["age"].astype("Int64"))
    assert where_rows(whole, expression).tolist() == where_rows(FRAME, expression).tolist()


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
