"""The city's targets: value, gap, trend, where the year will end, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period, as_period
from khaosat.errors import DataError
from khaosat.facts.language import percent, say
from khaosat.results import Result
from khaosat.scorecards.rules import exact, in_force, label, rule_notes
from khaosat.scorecards.trend import Course, course
from khaosat.show.table import Column, Table, make_table
from khaosat.stats.binomial import newcombe, share, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Light = Literal["met", "near", "missed", "no_data"]
NEAR = 0.01
"""How far below its target a value is still called near it, in shares; a convention of khaosat."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AgainstTargets(Result):
    """Indicators held against their targets, a row each.

    ``indicator, label, numerator, denominator, estimate, low, high, n, n_missing, target, comparison, gap`` (value
    minus target), ``light`` (``met, near, missed, no_data``), ``previous, change, change_low, change_high, trend``
    (``up, down, flat, unknown``), ``forecast, forecast_low, forecast_high`` (at the year's end), ``source`` (``log``,
    ``given`` or empty).

    Parameters
    ----------
    history
        ``indicator, period, numerator, denominator, estimate, low, high``: the quarters behind trend and forecast.
    level
        Coverage of the intervals.
    """

    history: pd.DataFrame
    level: float = 0.95

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""  # one figure of the whole city, no groups

    @property
    def keys(self) -> list[str]:
        """The indicator."""
        return ["indicator"]

    def table(self) -> Table:
        """Values, targets and verdicts in words."""
        return make_table(self.worded(), self._columns(), title=self.title, notes=self.notes, source=self.source)

    def worded(self) -> pd.DataFrame:
        """The rows with verdicts and trends in words."""
        lights = light_words()
        trends = {"up": say("rose"), "down": say("fell"), "flat": say("no significant change"), "unknown": "–"}
        rows = self.rows.copy()
        rows["gap"] = 100 * rows["gap"]
        rows["comparison"] = [_aim(sign, value) for sign, value in zip(rows["comparison"], rows["target"], strict=True)]
        return rows.assign(light=rows["light"].map(lights), trend=rows["trend"].map(trends))

    def plot(self, ax: Axes | None = None) -> Axes:
        """A line an indicator: its value, its target, and the verdict in words beside the colour."""
        from khaosat.show.target_marks import target_marks

        rows = self.rows
        values, targets = rows["estimate"].to_numpy(float), rows["target"].to_numpy(float)
        lights, words = list(rows["light"]), list(rows["light"].map(light_words()))
        return target_marks(list(rows["label"]), values=values, targets=targets, lights=lights, words=words, ax=ax)

    def _columns(self) -> Sequence[Column]:
        end = say("Forecast at the year's end")
        return [
            Column(name="label", label=say("Indicator")),
            Column(name="numerator", kind="int"),
            Column(name="denominator", kind="int"),
            Column(name="estimate", kind="percent", decimals=2, label=say("Value")),
            Column(name="comparison", label=say("Target")),
            Column(name="gap", kind="number", decimals=2, label=say("Gap (points)")),
            Column(name="light", label=say("Verdict")),
            Column(name="trend"),
            Column(name="forecast", kind="percent", decimals=2, label=say("Forecast"), group=end),
            Column(name=("forecast_low", "forecast_high"), kind="interval_percent", decimals=2, group=end,
                   label=say("{level} prediction interval", level=percent(self.level, 0))),
        ]  # fmt: skip


def against_targets(
    log: DossierLog | None,
    targets: str = "hcmc_2024",
    *,
    period: Period | str | None = None,
    values: Mapping[str, tuple[float, float]] | None = None,
    near: float = NEAR,
    history: int = 4,
    level: float = 0.95,
) -> AgainstTargets:
    """The city's indicators against a set of targets: gap, trend, forecast to the year's end, verdict in words.

    Parameters
    ----------
    log
        The dossiers, for the indicators that a log can give; None: only ``values``.
    targets
        A set of ``facts/rules/targets.csv``: ``hcmc_2024``, ``hcmc_ct06_2023``.
    period
        The targets in force at its end are used; without it there is neither trend nor forecast.
    values
        Indicator → ``(numerator, denominator)`` from elsewhere; they go before the log.
    near
        How far off its target, in shares, a value is still called near it.
    history
        Past quarters that the forecast rests on.
    level
        Coverage of the intervals.

    Returns
    -------
    AgainstTargets
        A row an indicator; one without data says so and is never 0.

    Notes
    -----
    Value: Wilson's interval. Trend: Newcombe's interval of the difference from the period before. Forecast: see
    :func:`khaosat.stats.year_end.year_end_share`; the quarters to come have the volume of the same quarters a year ago.

    References
    ----------
    Wilson (1927), JASA 22, 209-212; Newcombe (1998), Statistics in Medicine 17, 873-890; ``docs/methods/chi-tieu.md``.

    Examples
    --------
    >>> rows = against_targets(None, "hcmc_2024", values={"on_time": (995, 1000)}).rows
    >>> rows[["indicator", "estimate", "light"]].head(2).values.tolist()
    [['on_time', 0.995, 'met'], ['online_services_used', nan, 'no_data']]
    """
    span = None if period is None else as_period(period)
    facts = in_force("targets", span, of=targets)
    given = _given(values or {}, set(facts["indicator"]))
    lines, pasts = [], []
    for _, fact in facts.iterrows():
        indicator = fact["indicator"]
        if indicator in given:
            known = Course.of(*given[indicator], source="given")
        elif fact["from_log"] and log is not None:
            known = course(log, fact["from_log"], period=span, history=history, level=level)
        else:
            known = Course.of(None, None, source="")
        lines.append(_line(fact, known, near=near, level=level))
        pasts.append(known.history.assign(indicator=indicator))
    rows = pd.DataFrame(lines)
    past = pd.concat(pasts, ignore_index=True)
    title = say("Against the targets: {source}", source="; ".join(dict.fromkeys(facts["source"])))
    return AgainstTargets(
        rows=rows, unit="share", level=level, title=title if span is None else f"{title}, {span.label}",
        history=past[["indicator", *[name for name in past.columns if name != "indicator"]]],
        notes=_notes(rows, facts, span, near=near, level=level, history=history), source=log.source if log else "",
    )  # fmt: skip


def light_words() -> dict[str, str]:
    """The verdicts in words."""
    return {"met": say("target met"), "near": say("near the target"), "missed": say("target missed"),
            "no_data": say("no data")}  # fmt: skip


def verdict(value: Fraction | None, target: Fraction, *, comparison: str, near: float) -> Light:
    """What a value is against its target, compared exactly.

    >>> verdict(Fraction(995, 1000), Fraction("0.995"), comparison=">=", near=0.01)
    'met'
    """
    if value is None:
        return "no_data"
    short = target - value if comparison == ">=" else value - target
    if short <= 0:
        return "met"
    return "near" if short <= (exact(near) or 0) else "missed"


def _aim(comparison: str, target: float) -> str:
    """A target as it is written: no decimals where it has none."""
    whole = float(100 * target).is_integer()
    return f"{'≥' if comparison == '>=' else '≤'} {percent(target, 0 if whole else 1)}"


def _given(values: Mapping[str, tuple[float, float]], known: set[str]) -> dict[str, tuple[int, int]]:
    faults, given = [], {}
    for indicator, pair in values.items():
        if indicator not in known:
            faults.append(say("There is no indicator {name}; known: {known}.", name=repr(indicator),
                              known=", ".join(sorted(known))))  # fmt: skip
            continue
        counts = [exact(value) for value in pair]
        if len(counts) != 2 or any(count is None or count < 0 or count.denominator != 1 for count in counts):
            faults.append(say("{name}: {value} is not a pair (numerator, denominator) of whole counts.",
                              name=indicator, value=repr(pair)))  # fmt: skip
        elif counts[0] > counts[1]:  # type: ignore[operator]
            faults.append(say("{name}: the numerator {value} is above its denominator.", name=indicator,
                              value=repr(pair)))  # fmt: skip
        else:
            given[indicator] = (int(pair[0]), int(pair[1]))
    if faults:
        raise DataError("\n".join(faults))
    return given


def _line(fact: pd.Series, known: Course, *, near: float, level: float) -> dict[str, object]:
    target = exact(fact["value"]) or Fraction(0)
    value = known.value
    rate = float("nan") if value is None else float(value)
    low, high = (float(end) for end in wilson(known.numerator or 0, known.denominator or 0, level=level))
    before = known.previous
    change = [float("nan")] * 3
    if before and value is not None:
        ends = newcombe(known.numerator or 0, known.denominator or 0, other_count=before[0], other_total=before[1],
                        level=level)  # fmt: skip
        change = [rate - before[0] / before[1], float(ends[0]), float(ends[1])]
    trend = "unknown" if pd.isna(change[1]) else "up" if change[1] > 0 else "down" if change[2] < 0 else "flat"
    return {
        "indicator": fact["indicator"], "label": label(fact), "numerator": known.numerator,
        "denominator": known.denominator, "estimate": rate, "low": low, "high": high, "n": known.denominator,
        "n_missing": known.n_missing, "target": float(target), "comparison": fact["comparison"],
        "gap": rate - float(target),
        "light": verdict(value, target, comparison=fact["comparison"], near=near),
        "previous": float(share(*before)) if before else float("nan"),
        "change": change[0], "change_low": change[1], "change_high": change[2], "trend": trend,
        "forecast": known.forecast[0], "forecast_low": known.forecast[1], "forecast_high": known.forecast[2],
        "source": known.source if value is not None else "",
    }  # fmt: skip


def _notes(
    rows: pd.DataFrame, facts: pd.DataFrame, period: Period | None, *, near: float, level: float, history: int
) -> tuple[str, ...]:
    notes = [say("“Near the target”: short of it by at most {points} points (a convention of khaosat).",
                 points=percent(near, 1).removesuffix("%"))]  # fmt: skip
    without = int((rows["light"] == "no_data").sum())
    if without:
        notes.append(say("{n} indicators have no data, which is not 0.", n=without))
    if rows["forecast"].notna().any():
        notes.append(
            say(
                "Forecast: what is counted since January, and for the quarters to come the volume of the same quarters "
                "a year ago and the pooled share of the last {n} quarters; prediction interval {level} with the spread "
                "between quarters.",
                n=history,
                level=percent(level, 0),
            )
        )
    return (*notes, *rule_notes(facts, period))
