"""What goes with lateness, all else that is known held equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, get_args

import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.causes_words import driver_notes, level_words
from khaosat.dossiers.definitions import deadline_words
from khaosat.dossiers.driver_cells import FACTORS, coded, driver_cells
from khaosat.dossiers.driver_model import drive, held_out
from khaosat.dossiers.result import DossierResult
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.errors import KhaosatError
from khaosat.facts import term
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column, Table
from khaosat.stats.grouped_binomial import Link

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLOTTED = 15
_ROWS = ["factor", "level", "reference", "estimate", "se", "low", "high", "df", "p_value", "n", "late", "share",
         "late_per_quarter", "late_low", "late_high"]  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class LatenessDrivers(DossierResult):
    """What goes with lateness.

    ``rows``: ``factor, level, reference`` (the level compared with), ``estimate`` (average difference of the chance to
    be late, a share; 0 for the reference), ``se, low, high, df, p_value, n, late, share`` (as observed),
    ``late_per_quarter, late_low, late_high`` (late dossiers a quarter beyond what there would be with the chances of
    the reference).

    Parameters
    ----------
    coefficients
        ``term, estimate, se``, on the scale of the link.
    skills
        ``model`` (``logit``: this one, ``boosted``, ``constant``), ``auc, brier, n, late, since``: fitted to earlier
        quarters, tried on later ones; empty where there are too few.
    disagreements
        ``factor, level, n, observed, logit, boosted``: mean chances where the two differ most.
    names
        Names of procedures.
    """

    coefficients: pd.DataFrame = field(default_factory=pd.DataFrame)
    skills: pd.DataFrame = field(default_factory=pd.DataFrame)
    disagreements: pd.DataFrame = field(default_factory=pd.DataFrame)
    names: Mapping[str, str] = field(default_factory=dict)

    _counted: ClassVar = "dossiers"

    @property
    def keys(self) -> list[str]:
        """Factor, level and what it is compared with."""
        return ["factor", "level", "reference"]

    def worded(self) -> pd.DataFrame:
        """The rows with factors and levels in words."""
        pairs = zip(self.rows["factor"], self.rows["level"], self.rows["reference"], strict=True)
        words = [(term(name), level_words(name, level, self.names), level_words(name, reference, self.names))
                 for name, level, reference in pairs]  # fmt: skip
        return self.rows.assign(**{key: [word[i] for word in words] for i, key in enumerate(self.keys)})

    def table(self) -> Table:
        """The rows as a reader sees them, effects in percentage points."""
        points = {name: self.rows[name] * 100 for name in ("estimate", "low", "high")}
        return super(LatenessDrivers, replace(self, rows=self.rows.assign(**points))).table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """The largest differences with their intervals, in percentage points, and late dossiers a quarter."""
        from khaosat.show.plots import intervals
        from khaosat.show.theme import GREY, INK

        rows = self.worded().assign(size=self.rows["estimate"].abs())[~self._small_cells()]
        rows = (
            rows[rows["se"].notna()].nlargest(_PLOTTED, "size").sort_values("estimate", ascending=False, kind="stable")
        )
        rows["name"] = [_short(f"{name}: {level}") for name, level in zip(rows["factor"], rows["level"], strict=True)]
        ax = intervals(rows, keys=["name"], unit="share", ax=ax)
        ax.axvline(0, color=GREY, linewidth=1)
        across = ax.get_yaxis_transform()
        for place, value in zip(range(len(rows))[::-1], rows["late_per_quarter"], strict=True):
            ax.text(1.02, place, number(value, 1), transform=across, va="center", fontsize=8, color=INK)
        ax.text(1.02, len(rows) - 0.2, say("late a quarter"), transform=across, fontsize=8, color=INK)
        ax.set_xlabel(say("Difference of the chance to be late (percentage points)"))
        return ax

    def _columns(self) -> Sequence[Column]:
        effect, late = say("Difference (percentage points)"), say("Late dossiers a quarter")
        return [
            Column(name="factor"),
            Column(name="level", label=say("Level of the factor")),
            Column(name="reference"),
            Column(name="n", kind="int"),
            Column(name="share", kind="percent", decimals=1, label=say("Share late")),
            Column(name="estimate", kind="number", decimals=1, group=effect),
            Column(name=("low", "high"), kind="interval", decimals=1, group=effect,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="late_per_quarter", kind="number", decimals=1, group=late, label=say("More")),
            Column(name=("late_low", "late_high"), kind="interval", decimals=1, group=late,
                   label=say("{level} confidence interval", level=percent(self.level, 0))),
            Column(name="p_value", kind="p_value", decimals=3),
        ]  # fmt: skip


def lateness_drivers(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    factors: Sequence[str] | None = None,
    procedures: int = 15,
    units: int = 10,
    link: Link = "logit",
    deadline: Deadline = "original",
    level: float = 0.95,
) -> LatenessDrivers:
    r"""What goes with lateness, by a regression on counts of dossiers alike in all that is known.

    :math:`g\{P(\text{late})\} = \beta_0 + \sum_f \beta_{f,\ell_f}`; the effect of level :math:`\ell` is the mean over
    all dossiers of :math:`P(\text{late} \mid \ell) - P(\text{late} \mid \text{reference})`.

    Parameters
    ----------
    log
        The dossiers.
    period
        When they were received; all by default.
    factors
        Of :data:`khaosat.dossiers.driver_cells.FACTORS`; by default all that differ, and ``field`` only where no
        procedure is recorded, since procedures lie within fields.
    procedures, units
        How many of the most frequent procedures and units are told apart; the rest is one level.
    link
        ``logit`` or ``cloglog``.
    deadline
        As in :func:`khaosat.on_time`.
    level
        Coverage of the intervals.

    Returns
    -------
    LatenessDrivers
        One row a level; see the class.

    Notes
    -----
    Judged are dossiers that have ended or are past their deadline, so that open ones do not make late what is slow.
    Delta-method intervals; standard errors by units as clusters, those of units themselves by their quarters. Levels
    with fewer than five late or timely dossiers are pooled; separated data get a small ridge, and a note. Associations,
    not causes.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, ch. 4. Liang and Zeger (1986), Biometrika 73, 13-22.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_log
    >>> len(lateness_drivers(example_log()).rows)  # five dossiers tell nothing
    0
    """
    asked = _asked(factors, procedures=procedures, units=units, link=link)
    span = window(log, period)
    cells, names = driver_cells(log, span, deadline=deadline, procedures=procedures)
    sizes = {name: int(cells[name].sum()) for name in ("n", "late", "undecided", "undated")}
    sizes["n"] -= sizes["undecided"] + sizes["undated"]
    judged = cells.assign(n=cells["n"] - cells["undecided"] - cells["undated"])
    judged = judged[judged["n"] > 0].reset_index(drop=True)
    found = coded(judged, asked, units=units) if len(judged) else []
    if factors is None and any(factor.name == "procedure" for factor in found):
        asked, found = [n for n in asked if n != "field"], [f for f in found if f.name != "field"]
    driven, skills, apart = None, pd.DataFrame(), pd.DataFrame()
    if found:
        driven = drive(judged, found, link=link, level=level, quarters=judged["quarter"].nunique())
        skills, apart = held_out(judged, found, link=link)
    return LatenessDrivers(
        rows=_no_rows() if driven is None else driven.rows,
        coefficients=pd.DataFrame(columns=["term", "estimate", "se"]) if driven is None else driven.coefficients,
        skills=skills, disagreements=apart, names=names, level=level,
        title=say("What goes with lateness, dossiers received in {period}", period=span.label),
        notes=(*driver_notes(driven, found, sizes, asked=asked, link=link, level=level, skills=skills),
               deadline_words(deadline), *span.notes()),
        source=log.source,
    )  # fmt: skip


def _no_rows() -> pd.DataFrame:
    words = ("factor", "level", "reference")
    return pd.DataFrame({name: pd.Series(dtype="str" if name in words else "float64") for name in _ROWS})


def _asked(factors: Sequence[str] | None, *, procedures: int, units: int, link: str) -> list[str]:
    faults = [f"unknown factor {name!r}: one of {', '.join(FACTORS)}" for name in factors or () if name not in FACTORS]
    if link not in get_args(Link):
        faults.append(f"link is {link!r}: it must be {' or '.join(get_args(Link))}")
    faults += [
        f"{name} is {value}: at least 1" for name, value in (("procedures", procedures), ("units", units)) if value < 1
    ]
    if faults:
        raise KhaosatError("; ".join(faults))
    return list(dict.fromkeys(FACTORS if factors is None else factors))


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
