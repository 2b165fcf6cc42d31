"""Formulas of models, ``satisfied ~ access + C(ward) + age:online``: read, never evaluated as Python."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from khaosat.errors import DataError
from khaosat.facts.language import say

Floats = NDArray[np.float64]

_COLON = "**+"
_QUOTED = re.compile(r"`([^`]+)`")
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt}


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One factor of a term: a column, ``C(column)``, or a calculation on columns.

    Parameters
    ----------
    text
        As written in the formula, without spaces.
    columns
        The columns it needs.
    node
        The calculation; None for a column as it stands or in ``C()``.
    levels
        Whether ``C()`` asks for one coefficient a level.
    """

    text: str
    columns: tuple[str, ...]
    node: ast.expr | None = None
    levels: bool = False

    def calculate(self, values: Mapping[str, Floats]) -> Floats:
        """The calculation on the columns' numbers."""
        if self.node is None:
            return values[self.columns[0]]
        with np.errstate(all="ignore"):
            return np.asarray(_number(self.node, values), dtype=float)


@dataclass(frozen=True, kw_only=True)
class Formula:
    """What a formula says: an outcome, and terms in R's order (main effects before interactions)."""

    text: str
    outcome: Factor
    terms: tuple[tuple[Factor, ...], ...]
    intercept: bool

    @property
    def factors(self) -> dict[str, Factor]:
        """Every factor of the terms, once, by its text."""
        return {factor.text: factor for term in self.terms for factor in term}


def quoted(name: str) -> str:
    """A column's name as a formula takes it: in backticks unless it is a plain name.

    >>> [quoted(name) for name in ("access", "hài lòng", "class")]
    ['access', '`hài lòng`', '`class`']
    """
    return name if name.isidentifier() and not iskeyword(name) else f"`{name}`"


def read_formula(text: str) -> Formula:
    """Read a formula in R's words.

    Understood are column names (in backticks if they are no identifiers; dots are part of a name), ``C(name)`` for a
    coefficient a level, ``+``, ``:``, ``*``, ``-1`` or ``+0`` for no intercept, and arithmetic in ``I(...)``,
    ``log(...)``, ``exp(...)`` and ``sqrt(...)``. Nothing else is run: the formula is read, never evaluated.

    Raises
    ------
    DataError
        If the formula cannot be read.

    Examples
    --------
    >>> formula = read_formula("satisfied ~ access * online + I(age/10)")
    >>> [":".join(factor.text for factor in term) for term in formula.terms]
    ['access', 'online', 'I(age/10)', 'access:online']
    """
    hidden: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        hidden[name := f"_quoted_{len(hidden)}"] = match[1]
        return name

    try:
        sides = _QUOTED.sub(hide, text).split("~")
        if len(sides) != 2 or not all(side.strip() for side in sides):
            raise ValueError(say("it needs an outcome, “~” and at least one term"))
        left, right = (_Reader(side, hidden) for side in sides)
        outcome = left.factor(left.tree)
        if outcome.levels:
            raise ValueError(say("{part!r} cannot be the outcome", part=outcome.text))
        intercept, terms = right.terms(right.tree)
        found: dict[frozenset[str], tuple[Factor, ...]] = {}
        for term in terms:
            found.setdefault(frozenset(factor.text for factor in term), term)
    except (SyntaxError, ValueError) as error:
        raise DataError(say("Formula {formula!r} cannot be read: {reason}.", formula=text, reason=error)) from error
    return Formula(text=text, outcome=outcome, terms=tuple(sorted(found.values(), key=len)), intercept=intercept)


class _Reader:
    """Walks the tree of one side of a formula; every node type that is not listed is refused."""

    def __init__(self, source: str, quoted: dict[str, str]) -> None:
        # Python has no operator ":"; "**" binds tighter than "*" as ":" does in R, and the "+" tells it from a power.
        self.source = source.strip().replace(":", _COLON)
        self.quoted = quoted
        self.tree = ast.parse(self.source, mode="eval").body

    def terms(self, node: ast.expr) -> tuple[bool, list[tuple[Factor, ...]]]:
        """Whether there is an intercept, and the terms, in the order in which they are written."""
        intercept, found = True, []
        for sign, part in self.summands(node):
            match part:
                case ast.Constant(value=0 | 1 as value):
                    intercept = (value == 1) == sign
                case _ if sign:
                    found += self.products(part)
                case _:
                    raise ValueError(say("only -1 can be taken away"))
        return intercept, found

    def summands(self, node: ast.expr) -> Iterator[tuple[bool, ast.expr]]:
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
                yield from self.summands(left)
                if isinstance(sign, ast.Add):
                    yield from self.summands(right)
                else:
                    yield False, right
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield False, operand
            case _:
                yield True, node

    def products(self, node: ast.expr) -> list[tuple[Factor, ...]]:
        """Terms of ``a``, ``a:b`` or ``a*b``, the last being all of ``a``, ``b`` and ``a:b``."""
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                first, second = self.products(left), self.products(right)
                return [*first, *second, *(_joined(a, b) for a in first for b in second)]
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.UnaryOp(op=ast.UAdd(), operand=right)):
                return [_joined(a, b) for a in self.products(left) for b in self.products(right)]
            case ast.BinOp(op=ast.Pow()):
                raise ValueError(say("powers belong in I(...)"))
            case ast.BinOp(op=ast.Add()):
                return [term for _, part in self.summands(node) for term in self.products(part)]
        return [(self.factor(node),)]

    def factor(self, node: ast.expr) -> Factor:
        text = self.written(node)
        match node:
            case ast.Name() | ast.Attribute():
                return Factor(text=text, columns=(self.name(node),))
            case ast.Call(func=ast.Name(id="C"), args=[ast.Name() | ast.Attribute() as only], keywords=[]):
                return Factor(text=text, columns=(self.name(only),), levels=True)
            case ast.Call(func=ast.Name(id="I"), args=[inner], keywords=[]):
                plain = self.plain(inner)
                return Factor(text=text, columns=_columns(plain), node=plain)
            case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
                plain = self.plain(node)
                return Factor(text=text, columns=_columns(plain), node=plain)
        raise ValueError(say("{part!r} is neither a column nor C(column) nor a calculation in I(...)", part=text))

    def plain(self, node: ast.expr) -> ast.expr:
        """The calculation with columns as plain names; refuses all that is no arithmetic."""
        match node:
            case ast.Name() | ast.Attribute():
                return ast.Name(id=self.name(node))
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float()):
                return node
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ast.UnaryOp(op=ast.USub(), operand=self.plain(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return ast.BinOp(left=self.plain(left), op=op, right=self.plain(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                return ast.Compare(left=self.plain(left), ops=[op], comparators=[self.plain(right)])
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
                return ast.Call(func=ast.Name(id=name), args=[self.plain(inner)], keywords=[])
        raise ValueError(say("{part!r} is not arithmetic on columns and numbers", part=self.written(node)))

    def name(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):  # as written: Python composes the letters of names, columns may keep them apart
                return self.quoted.get(name, ast.get_source_segment(self.source, node) or name)
            case ast.Attribute(value=value, attr=last):
                return f"{self.name(value)}.{last}"
        raise ValueError(say("{part!r} is not a name", part=self.written(node)))

    def written(self, node: ast.expr) -> str:
        text = re.sub(r"\s+", "", ast.get_source_segment(self.source, node) or "").replace(_COLON, ":")
        return re.sub(r"_quoted_\d+", lambda match: self.quoted.get(match[0], match[0]), text)


def _joined(a: tuple[Factor, ...], b: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The interaction of two terms, each factor once."""
    known = {factor.text for factor in a}
    return (*a, *(factor for factor in b if factor.text not in known))


def _columns(node: ast.expr) -> tuple[str, ...]:
    functions = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in functions]
    if not names:
        raise ValueError(say("{part!r} names no column", part=ast.unparse(node)))
    return tuple(dict.fromkeys(names))


def _number(node: ast.expr, values: Mapping[str, Floats]) -> Any:
    """The value of a calculation that :meth:`_Reader.plain` let through."""
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return np.float64(value)  # type: ignore[arg-type]
        case ast.UnaryOp(operand=operand):
            return -_number(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(left, values), _number(right, values))
        case ast.Compare(left=left, ops=[comparison], comparators=[right]):
            truth = _COMPARE[type(comparison)](_number(left, values), _number(right, values))
            missing = np.isnan(sum(values[name] for name in _columns(node)))
            return np.where(missing, np.nan, truth)
    call = cast(ast.Call, node)
    return _FUNCTIONS[cast(ast.Name, call.func).id](_number(call.args[0], values))
