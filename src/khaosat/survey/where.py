"""Who an estimate is about, as an expression on the columns: ``age >= 60 and ward in ['Bến Nghé']``."""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from functools import reduce
from typing import Any

import pandas as pd

from khaosat.errors import DataError
from khaosat.facts.language import say

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_TEXT_OR_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`([^`]+)`""")


def where_rows(responses: pd.DataFrame, where: str) -> pd.arrays.BooleanArray:
    """Which rows satisfy an expression; missing where a missing value leaves that open.

    Understood are comparisons, ``in``, ``not in``, ``and``, ``or``, ``not``, column names (in backticks if they are no
    identifiers), numbers, texts and lists of them. Nothing else is run: the expression is read, never evaluated.
    A comparison with a missing value is neither true nor false, and so is its ``not``, as in SQL and R (pandas would
    say that a missing ward is not ward A); ``and`` and ``or`` decide where the other side does.

    Raises
    ------
    DataError
        If the expression cannot be read or names a column that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [30, 65, None], "phường/xã": ["A", "B", "A"]})
    >>> where_rows(frame, "age >= 60 or `phường/xã` in ['A']").tolist()
    [True, True, True]
    >>> where_rows(frame, "age != 30")
    <BooleanArray>
    [False, True, <NA>]
    Length: 3, dtype: boolean
    """
    quoted: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        quoted[name := f"_quoted_{len(quoted)}"] = match[1]
        return name

    try:
        tree = ast.parse(_TEXT_OR_QUOTED.sub(replace, where).strip(), mode="eval")
        rows = _Reader(responses, quoted).truth(tree.body)
    except (SyntaxError, ValueError, TypeError) as error:
        raise DataError(say("where={expression!r} cannot be read: {reason}", expression=where, reason=error)) from error
    return pd.arrays.BooleanArray(rows.to_numpy(dtype=bool, na_value=False), rows.isna().to_numpy())


class _Reader:
    """Walks the tree of an expression in three-valued logic; every node type that is not listed is refused."""

    def __init__(self, responses: pd.DataFrame, quoted: dict[str, str]) -> None:
        self.responses = responses
        self.quoted = quoted

    def truth(self, node: ast.expr) -> pd.Series:
        """A node that is true, false or missing for each row, as ``boolean``."""
        match node:
            case ast.BoolOp(op=op, values=values):
                return reduce(operator.and_ if isinstance(op, ast.And) else operator.or_, map(self.truth, values))
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                return self.truth(left) & self.truth(right)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.truth(left) | self.truth(right)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return ~self.truth(operand)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                links = zip([left, *comparators[:-1]], ops, comparators, strict=True)
                return reduce(operator.and_, (self.comparison(first, link, second) for first, link, second in links))
            case ast.Name(id=name):
                column = self.column(name)
                if pd.api.types.is_bool_dtype(column):
                    return column.astype("boolean")
        raise ValueError(say("{part!r} is not a comparison; put comparisons in brackets", part=ast.unparse(node)))

    def comparison(self, first: ast.expr, op: ast.cmpop, second: ast.expr) -> pd.Series:
        left = self.value(first)
        if not isinstance(left, pd.Series):
            left = pd.Series([left] * len(self.responses), index=self.responses.index)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(second, ast.List | ast.Tuple | ast.Set):
                raise ValueError(say("after “in” comes a list, as in [1, 2]"))
            found = left.isin([self.constant(item) for item in second.elts]).astype("boolean")
            return (~found if isinstance(op, ast.NotIn) else found).mask(left.isna())
        if type(op) not in _COMPARE:
            raise ValueError(say("“is” is not understood; use =="))
        right = self.value(second)
        known = left.notna() & (right.notna() if isinstance(right, pd.Series) else True)
        result = pd.Series(pd.NA, index=self.responses.index, dtype="boolean")
        found = _COMPARE[type(op)](left[known], right[known] if isinstance(right, pd.Series) else right)
        result[known] = found.to_numpy(dtype=bool)
        return result

    def value(self, node: ast.expr) -> object:
        return self.column(node.id) if isinstance(node, ast.Name) else self.constant(node)

    def constant(self, node: ast.expr) -> object:
        match node:
            case ast.Constant(value=str() | int() | float() as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
        raise ValueError(say("{part!r} is not a number or a text", part=ast.unparse(node)))

    def column(self, name: str) -> pd.Series:
        if name in self.quoted:
            name = self.quoted[name]
        elif name not in self.responses:  # Python reads names in Unicode's form NFKC
            named = (str(column) for column in self.responses)
            name = next((column for column in named if unicodedata.normalize("NFKC", column) == name), name)
        if name not in self.responses:
            raise ValueError(say("there is no column {column!r}", column=name))
        return self.responses[name]
