"""Sentences of a unit's sheet, each by a rule from its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from khaosat.facts.language import number, percent, say
from khaosat.report.findings import Row, against_target


def on_time_words(row: Row, *, city: float, target: float, period: str) -> str:
    """How many dossiers of the unit were closed on time, beside the target and the city.

    >>> row = {"closed": 100, "numerator": 4, "denominator": 100}
    >>> on_time_words(row, city=0.97, target=0.995, period="quý III năm 2026")[:76]
    'Trong quý III năm 2026, đơn vị giải quyết xong 100 hồ sơ, đúng hạn 96,0% (4 '
    """
    share = 1 - row["numerator"] / row["denominator"]
    return say(
        "In {period}, the unit closed {closed} dossiers, {share} of them on time ({late} late); it {verdict}; the city "
        "as a whole: {city}.",
        period=period, closed=int(row["closed"]), share=percent(share), late=int(row["numerator"]),
        verdict=against_target(share, target=target), city=percent(city),
    )  # fmt: skip


def too_few_words(*, period: str, threshold: int) -> str:
    """That a unit closed too few dossiers for any number to be published."""
    return say(
        "In {period}, the unit closed fewer than {n} dossiers: there is not enough data for rates or a comparison.",
        period=period, n=threshold,
    )  # fmt: skip


def place_words(row: Mapping[Any, Any] | None) -> str:
    """The unit's place among units with dossiers of the same kind; None: too small to be compared.

    >>> place_words(None)
    'So với các đơn vị có hồ sơ cùng loại: chưa đủ dữ liệu để so sánh.'
    """
    flag = "insufficient" if row is None else str(row["flag"])
    if row is None or flag in ("insufficient", "small_units", "alone", ""):
        if flag == "alone":
            return say("Beside units with dossiers of the same kind: most of its dossiers have no like elsewhere.")
        return say("Beside units with dossiers of the same kind: not enough data to compare.")
    values = {"late": int(row["numerator"]), "expected": number(float(row["expected"]), 1)}
    match flag:
        case "far_above" | "above":
            if flag == "above":
                return say(
                    "Beside units with dossiers of the same kind: probably later than they are ({late} late; such "
                    "dossiers come to {expected} in the city); among many units some lie there by chance.", **values,
                )  # fmt: skip
            return say(
                "Beside units with dossiers of the same kind: later than they are, beyond chance ({late} late; such "
                "dossiers come to {expected} in the city).", **values,
            )  # fmt: skip
        case "below" | "far_below":
            return say(
                "Beside units with dossiers of the same kind: late less often than they are ({late} late; such "
                "dossiers come to {expected} in the city).", **values,
            )  # fmt: skip
    return say(
        "Beside units with dossiers of the same kind: cannot be told apart from them ({late} late; such dossiers come "
        "to {expected} in the city).", **values,
    )  # fmt: skip


def stock_words(row: Row) -> str:
    """What the unit has open, and how much of it is overdue.

    >>> stock_words({"open": 12, "open_overdue": 0})
    'Cuối kỳ, đơn vị còn 12 hồ sơ đang giải quyết, không có hồ sơ nào quá hạn.'
    """
    values = {"open": int(row["open"]), "overdue": int(row["open_overdue"])}
    if not values["open"]:
        return say("At the end of the period, the unit has no open dossier.")
    if not values["overdue"]:
        return say("At the end of the period, the unit has {open} open dossiers, none of them overdue.", **values)
    return say("At the end of the period, the unit has {open} open dossiers, {overdue} of them overdue.", **values)


def own_delay_words(step: str, *, avoidable: int, n: int) -> str:
    """A step of the unit that made dossiers late."""
    return say(
        "“{step}”: {late} late dossiers would have been on time had the unit kept to the time of this step ({n} "
        "dossiers passed).", step=step, late=avoidable, n=n,
    )  # fmt: skip


def waiting_words(step: str, unit: str, *, avoidable: int) -> str:
    """A step at another unit that made this unit's dossiers late."""
    return say(
        "“{step}” at {unit}: {late} of the unit's late dossiers would have been on time had {unit} kept to its time.",
        step=step, unit=unit, late=avoidable,
    )  # fmt: skip


def satisfied_words(row: Row, *, city: float, wave: str) -> str:
    """Satisfaction of the unit's respondents with its interval, beside the city's.

    >>> row = {"estimate": 0.8, "low": 0.7, "high": 0.9, "n": 40}
    >>> satisfied_words(row, city=0.85, wave="2026-Q3")[-40:]
    'không phân biệt được với toàn thành phố.'
    """
    values = {"wave": wave, "share": percent(row["estimate"]), "n": int(row["n"]), "city": percent(city)}
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        return say(
            "Wave {wave}: {share} of the unit's {n} respondents are satisfied with the service as a whole; the city: "
            "{city}. No interval can be given: they live in one sampled place, so the numbers cannot be compared.",
            **values,
        )
    values |= {"low": percent(row["low"]), "high": percent(row["high"])}
    if row["high"] < city:
        verdict = say("lower than the city as a whole")
    elif row["low"] > city:
        verdict = say("higher than the city as a whole")
    else:
        verdict = say("cannot be told apart from the city as a whole")
    return say(
        "Wave {wave}: {share} of the unit's {n} respondents are satisfied with the service as a whole (95% confidence "
        "interval {low}–{high}); the city: {city}; {verdict}.", **values, verdict=verdict,
    )  # fmt: skip


def complaint_words(label: str, row: Row, *, others: Sequence[Row]) -> str:
    """What the unit's respondents are least satisfied with; whether that is sure depends on the intervals."""
    values = {"label": label, "share": percent(row["estimate"])}
    sure = all(row["high"] < other["low"] for other in others)  # not so where an interval is missing
    if others and sure:
        return say("They are least satisfied with “{label}” ({share}).", **values)
    text = "They are least satisfied with “{label}” ({share}), though the order of factors is not certain."
    return say(text, **values)


def action_words(
    *, overdue: int, own: tuple[str, int] | None, waiting: tuple[str, str, int] | None, above: bool, complaint: str
) -> list[str]:
    """What the unit should do, the most urgent first.

    >>> action_words(overdue=0, own=None, waiting=None, above=False, complaint="")
    ['Duy trì kết quả hiện có; số liệu kỳ này chưa chỉ ra việc cần xử lý riêng.']
    """
    lines = []
    if overdue:
        lines.append(say("Close the {n} overdue dossiers, and apologise with a new date where that is due.", n=overdue))
    if own:
        text = "Cut the time of step “{step}”: {n} late dossiers could be avoided there."
        lines.append(say(text, step=own[0], n=own[1]))
    if waiting:
        lines.append(
            say("Agree on a time limit for “{step}” with {unit}: {n} late dossiers wait there.",
                step=waiting[0], unit=waiting[1], n=waiting[2])
        )  # fmt: skip
    if above and not own:
        lines.append(say("Find out why dossiers are late here more often than the same kind elsewhere."))
    if complaint:
        lines.append(say("Ask the people served what is wrong with “{label}”, and mend it.", label=complaint))
    return lines or [say("Keep it up; this period's numbers show nothing that needs special action.")]
