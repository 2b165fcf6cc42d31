"""Sentences whose numbers and verbs come from results: significance is read off intervals, never typed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from khaosat.facts.language import number, percent, say

Row = Mapping[str, float]
Direction = Literal["up", "down", "flat", "unknown"]


def direction(low: float, high: float) -> Direction:
    """What an interval of a difference says: significant rise, significant fall, neither, or nothing.

    >>> direction(0.004, 0.031), direction(-0.01, 0.02), direction(float("nan"), float("nan"))
    ('up', 'flat', 'unknown')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "unknown"
    if low > 0:
        return "up"
    return "down" if high < 0 else "flat"


def verdict(low: float, high: float) -> str:
    """What an interval of a difference says, in a word or two for a table.

    >>> verdict(0.004, 0.031)
    'tăng'
    """
    match direction(low, high):
        case "up":
            return say("rose")
        case "down":
            return say("fell")
        case "flat":
            return say("no significant change")
        case "unknown":
            return say("not comparable")


def points(difference: float, decimals: int = 1) -> str:
    """A difference of shares in percentage points, signed.

    >>> points(0.0123)
    '+1,2 điểm phần trăm'
    """
    rounded = round(difference * 100, decimals)
    sign = "+" if rounded > 0 else "" if rounded < 0 else "±"
    return say("{sign}{points} percentage points", sign=sign, points=number(rounded, decimals))


def change(difference: float, low: float, high: float, *, since: str) -> str:
    """How an indicator moved since an earlier period, with its interval.

    >>> change(0.02, 0.01, 0.03, since="quý II")
    'tăng có ý nghĩa thống kê so với quý II (+2,0 điểm phần trăm; khoảng tin cậy 95%: 1,0 đến 3,0)'
    """
    values = {"since": since, "points": points(difference), "low": number(low * 100, 1), "high": number(high * 100, 1)}
    match direction(low, high):
        case "up":
            return say(
                "a significant rise since {since} ({points}; 95% confidence interval: {low} to {high})", **values
            )
        case "down":
            return say(
                "a significant fall since {since} ({points}; 95% confidence interval: {low} to {high})", **values
            )
        case "flat":
            return say(
                "no significant change since {since} ({points}; 95% confidence interval: {low} to {high})", **values
            )
        case "unknown":
            return say("no comparison with {since} is possible", since=since)


def against_target(share: float, *, target: float) -> str:
    """Whether a share meets a target, by its value as the law counts.

    >>> against_target(0.962, target=0.995)
    'chưa đạt mục tiêu 99,5%'
    """
    if share >= target:
        return say("meets the target of {target}", target=percent(target))
    return say("misses the target of {target}", target=percent(target))


def weakest_sentence(named: Sequence[tuple[str, float]]) -> str:
    """The questions people are least satisfied with.

    >>> weakest_sentence([("Biển hiệu", 0.788), ("Ghế ngồi", 0.801)])
    'Thấp nhất là các nội dung: “Biển hiệu” (78,8%); “Ghế ngồi” (80,1%).'
    """
    listed = "; ".join(f"“{label}” ({percent(share)})" for label, share in named)
    return say("The questions people are least satisfied with: {list}.", list=listed)


def groups_sentence(rows: Sequence[tuple[str, int, int]], *, others: int, others_late: int) -> str:
    """The groups with most late dossiers (name, late, closed), and how many are left.

    >>> groups_sentence([("Đất đai", 43, 869)], others=2, others_late=3)
    'Nhiều hồ sơ trễ hạn nhất: “Đất đai” (43 trên 869, 4,9%). 2 nhóm còn lại có tất cả 3 hồ sơ trễ hạn.'
    """
    if not rows:
        return say("No group has a closed dossier that was late.")
    listed = "; ".join(
        say("“{name}” ({late} of {closed}, {share})", name=name, late=late, closed=closed, share=percent(late / closed))
        for name, late, closed in rows
    )
    text = say("Most late dossiers: {list}.", list=listed)
    if not others:
        return text
    return text + " " + say("The other {n} groups have {late} late dossiers together.", n=others, late=others_late)


def definitions_sentence(low: float, high: float, own: float) -> str:
    """How much the late rate depends on which official definition counts.

    >>> definitions_sentence(0.029, 0.047, 0.03)[:54]
    'Tỷ lệ trễ hạn là 3,0% trên hồ sơ đã giải quyết xong; t'
    """
    values = {"own": percent(own), "low": percent(low), "high": percent(high)}
    if percent(low) == percent(high):
        return say("The late rate is {own}, the same by every official definition.", **values)
    return say(
        "The late rate is {own} of closed dossiers; by the official definition chosen it lies between {low} and "
        "{high}, so rates are only comparable under one definition.",
        **values,
    )


def quality_sentence(noun: str, *, found: int, checks: int, first: str, share: float) -> str:
    """What checking a data set found: how many checks, and the most frequent fault.

    >>> quality_sentence("Hồ sơ", found=0, checks=4, first="", share=0.0)
    'Hồ sơ: cả 4 nội dung kiểm tra đều không phát hiện lỗi.'
    """
    values = {"noun": noun, "n": found, "checks": checks}
    if not found:
        return say("{noun}: none of the {checks} checks found anything.", **values)
    return say("{noun}: {n} of {checks} checks found something; the most frequent is “{first}” ({share}).", **values,
               first=first, share=percent(share))  # fmt: skip


def index_sentence(row: Row, *, wave: str, changes: list[str]) -> str:
    """The satisfaction index of a wave."""
    return say(
        "The satisfaction index of wave {wave} is {estimate} (95% confidence interval {low}–{high}; {n} respondents): "
        "{changes}.",
        wave=wave,
        estimate=percent(row["estimate"]),
        low=percent(row["low"]),
        high=percent(row["high"]),
        n=int(row["n"]),
        changes="; ".join(changes) or say("first wave, nothing to compare with"),
    )


def extremes_sentence(lowest: tuple[str, Row], highest: tuple[str, Row]) -> str:
    """The factors people are least and most satisfied with; says when the order is not sure."""
    (low_name, low), (high_name, high) = lowest, highest
    values = {
        "low_name": low_name, "low": percent(low["estimate"]), "high_name": high_name, "high": percent(high["estimate"])
    }  # fmt: skip
    if low["high"] < high["low"]:
        return say(
            "People are least satisfied with “{low_name}” ({low}) and most with “{high_name}” ({high}).", **values
        )
    return say(
        "Satisfaction is lowest for “{low_name}” ({low}) and highest for “{high_name}” ({high}), but their intervals "
        "overlap: the order is not certain.",
        **values,
    )


def on_time_sentence(row: Row, *, period: str, target: float, changes: list[str]) -> str:
    """The on-time rate of a period against its target."""
    share = 1 - row["estimate"]
    return say(
        "In {period}, {closed} dossiers were closed, {share} of them on time ({late} late of {denominator} closed with "
        "a due date), which {verdict}; the late rate shows {changes}.",
        period=period,
        closed=int(row["closed"]),
        share=percent(share, 2),
        late=int(row["numerator"]),
        denominator=int(row["denominator"]),
        verdict=against_target(share, target=target),
        changes="; ".join(changes) or say("no earlier period to compare with"),
    )


def concentration_sentence(name: str, *, late: int, total_late: int, closed: int, total_closed: int) -> str:
    """The group with most late dossiers; that lateness concentrates there is said only of more than its share."""
    values = {
        "name": name, "share_late": percent(late / total_late), "late": late, "total_late": total_late,
        "share_closed": percent(closed / total_closed),
    }  # fmt: skip
    if late * total_closed > closed * total_late:
        return say(
            "Lateness concentrates in “{name}”: {share_late} of all late dossiers ({late} of {total_late}) with "
            "{share_closed} of the closed ones.",
            **values,
        )
    return say(
        "Most late dossiers are in “{name}”, but no more than its share: {share_late} of the late ones ({late} of "
        "{total_late}), {share_closed} of the closed ones.",
        **values,
    )


def backlog_sentence(row: Row, before: Row | None, *, period: str) -> str:
    """What is still open at the end of the period, and how much of it is overdue."""
    share = percent(row["overdue"] / row["open"] if row["open"] else 0.0)
    text = say(
        "At the end of {period}, {open} dossiers were open, of which {overdue} were overdue ({share})",
        period=period,
        open=int(row["open"]),
        overdue=int(row["overdue"]),
        share=share,
    )
    if before is None:
        return text + "."
    step = int(row["open"] - before["open"])
    if step > 0:
        return text + say("; {n} more than at the start of the period.", n=step)
    if step < 0:
        return text + say("; {n} fewer than at the start of the period.", n=-step)
    return text + say("; as many as at the start of the period.")


def drivers_sentence(rows: Sequence[Any]) -> str:
    """Which factors dissatisfaction clearly goes with, the strongest first; association is never worded as cause.

    Parameters
    ----------
    rows
        Mappings or pandas rows with ``label``, ``verdict`` (``important``, ``small``, ``unclear``), ``per_sd`` and
        ``rank_high``.
    """
    clear = sorted((row for row in rows if row["verdict"] == "important"), key=lambda row: float(row["per_sd"]))
    if not clear:
        return say("No factor can be said to go with dissatisfaction: all intervals are too wide.")
    named = "; ".join(f"“{row['label']}” ({points(row['per_sd'])})" for row in clear)
    text = say(
        "Dissatisfaction goes most clearly with {list}: the change of the share dissatisfied where a factor's score is "
        "one standard deviation higher and the others are alike.",
        list=named,
    )
    first = clear[0]
    if first["rank_high"] == 1:
        return text + " " + say("That “{label}” comes first is certain at 95%.", label=first["label"])
    return text + " " + say("Which of them comes first is not certain.")


def lateness_sentence(row: Row) -> str:
    """How satisfaction with a late dossier differs from satisfaction with the same dossier on time, by the model.

    >>> lateness_sentence({"estimate": -0.02, "low": -0.05, "high": 0.01}).split(" (")[0]
    'Chưa thấy khác biệt rõ về mức hài lòng giữa hồ sơ trễ hạn và hồ sơ đúng hạn'
    """
    values = {
        "points": points(row["estimate"]), "low": number(row["low"] * 100, 1), "high": number(row["high"] * 100, 1)
    }  # fmt: skip
    match direction(row["low"], row["high"]):
        case "down":
            return say(
                "People whose dossier was late are less satisfied than they would be with one on time, by the model "
                "({points}; 95% confidence interval: {low} to {high}).",
                **values,
            )
        case "up":
            return say(
                "People whose dossier was late are more satisfied by the model ({points}; 95% confidence interval: "
                "{low} to {high}): check the linkage before using this.",
                **values,
            )
        case _:
            return say(
                "No clear difference in satisfaction between late dossiers and those on time ({points}; 95% confidence "
                "interval: {low} to {high}).",
                **values,
            )
