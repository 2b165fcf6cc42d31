"""Results of tests and answers in words."""

from __future__ import annotations

from khaosat.facts.language import number


def p_words(p_value: float) -> str:
    """A p-value as readers know it.

    >>> p_words(0.0312), p_words(1e-7)
    ('= 0,031', '< 0,001')
    """
    return f"= {number(p_value, 3)}" if p_value >= 0.001 else f"< {number(0.001, 3)}"


def plain_level(level: object) -> object:
    """An answer without the decimals that a column with gaps gives to whole numbers.

    >>> plain_level(4.0), plain_level("4.0")
    (4, '4.0')
    """
    return int(level) if isinstance(level, float) and level.is_integer() else level
