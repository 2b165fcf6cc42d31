"""A formula means what R means by it; nothing in it is run."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from khaosat.errors import DataError
from khaosat.survey.formula import quoted, read_formula


def terms(text: str) -> list[str]:
    return [":".join(factor.text for factor in term) for term in read_formula(text).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a*b*c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("y ~ a*b:c", ["a", "b:c", "a:b:c"]),
        ("y ~ b:a + a", ["a", "b:a"]),
        ("y ~ (a + b)*c + a", ["a", "b", "c", "a:c", "b:c"]),
        ("y ~ a + a:b + b:a", ["a", "a:b"]),
        ("y ~ C(ward) + `phường/xã` + sch.wide", ["C(ward)", "phường/xã", "sch.wide"]),
        ("y ~ I(x ** 2) + log(x + 1)", ["I(x**2)", "log(x+1)"]),
        ("y ~ 1", []),
    ],
)
def test_terms_in_the_order_of_r(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "there"),
    [("y ~ a", True), ("y ~ a - 1", False), ("y ~ 0 + a", False), ("y ~ -1 + a", False), ("y ~ a + 1", True)],
)
def test_intercept(text: str, there: bool) -> None:
    assert read_formula(text).intercept is there


def test_a_calculation_is_arithmetic_on_numbers() -> None:
    factor = read_formula("I(q >= 4) ~ a").outcome
    np.testing.assert_array_equal(factor.calculate({"q": np.array([3.0, 4.0, np.nan])}), [0, 1, np.nan])
    factor = read_formula("y ~ I(-(a - 2*b)**2 / 4)").terms[0][0]
    assert factor.columns == ("a", "b")
    np.testing.assert_allclose(factor.calculate({"a": np.array([6.0]), "b": np.array([1.0])}), [-4.0])


@pytest.mark.parametrize(
    "text",
    [
        "y", "y ~", "~ a", "y ~ a ~ b", "y ~ a +", "y ~ a - b", "y ~ a**b", "y ~ I(a:b)", "y ~ 'a'", "y ~ 2",
        "y ~ a[0]", "y ~ I(3)", "y ~ I(True + a)", "C(y) ~ a", "y ~ C(a + b)", "y ~ C(a, b)", "y ~ a.b(1)",
        "y ~ __import__('os').system('true')", "y ~ I(__import__('os'))", "y ~ I(open(a))", "y ~ I(a.__class__())",
        "y ~ lambda: a", "y ~ [a for a in b]", "y ~ I(log(a, b))", "y ~ I(a if b else a)", "y + z ~ a", "y ~ a[0].b",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read_formula(text)


@pytest.mark.parametrize("name", ["access", "class", "lambda", "hài lòng", "m²", unicodedata.normalize("NFD", "giới")])
def test_a_quoted_name_is_read_as_that_column(name: str) -> None:
    formula = read_formula(f"{quoted(name)} ~ x + {quoted(name)}:x")
    assert formula.outcome.columns == (name,)
    assert [factor.columns for factor in formula.terms[-1]] == [(name,), ("x",)]


def test_letters_of_a_name_stay_composed_or_apart_as_they_are_written() -> None:
    apart = unicodedata.normalize("NFD", "giới")
    assert read_formula(f"y ~ {apart}").terms[0][0].columns == (apart,) != ("giới",)
