"""Open dossiers by their chance of being late, and how good such chances were for earlier dossiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from khaosat.dossiers.result import DossierResult
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class BackTest(DossierResult):
    """Quality of the chances by elapsed share of the term: ``elapsed`` (missing: all together), ``n_train, n_test,
    late, auc, brier, brier_base`` (of the constant share of the training part), ``ece, precision_top``.

    Parameters
    ----------
    calibration
        Stated against observed shares of the test snapshots: ``chance, estimate, n``.
    scored
        The test snapshots without ids: ``nth`` (place by reception), ``due_second, is_late, chance``.
    """

    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    scored: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""

    @property
    def keys(self) -> list[str]:
        """The elapsed share."""
        return ["elapsed"]

    def worded(self) -> pd.DataFrame:
        """The rows with elapsed shares in words."""
        words = [say("all together") if pd.isna(value) else percent(value, 0) for value in self.rows["elapsed"]]
        return self.rows.assign(elapsed=words)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Observed against stated shares; on the diagonal the chances keep their word."""
        return reliability_figure(self.calibration, ax)

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="elapsed"),
            Column(name="n_train", kind="int"),
            Column(name="n_test", kind="int"),
            Column(name="late", kind="percent", decimals=1, label=say("Share late")),
            Column(name="auc", kind="number", decimals=3),
            Column(name="brier", kind="number", decimals=4),
            Column(name="brier_base", kind="number", decimals=4),
            Column(name="ece", kind="number", decimals=3),
            Column(name="precision_top", kind="percent", decimals=1),
        ]


@dataclass(frozen=True, eq=False, kw_only=True)
class AtRisk(DossierResult):
    """Open dossiers, the most endangered first, overdue ones last: ``procedure_name, field, unit, step, received_at,
    due_at, remaining_days`` (working days to the due date; negative: overdue), ``estimate`` (chance of being late; 1:
    it is), ``expected_at, low_at, high_at`` (end, median and band; missing: not foreseeable), ``reasons``; an internal
    list has ``dossier_id`` first.

    Parameters
    ----------
    validation
        :class:`BackTest` of the same model on the later dossiers of the log.
    drift
        ``measure, estimate, low, high, limit, n, refit``.
    """

    validation: BackTest
    drift: pd.DataFrame

    _counted: ClassVar[Literal["respondents", "dossiers", ""]] = ""  # a list of cases without ids, as the late list

    @property
    def keys(self) -> list[str]:
        """What names a dossier: its id, or its procedure in a list without ids."""
        return ["dossier_id" if "dossier_id" in self.rows else "procedure_name"]

    @property
    def calibration(self) -> pd.DataFrame:
        """Stated against observed shares in the validation."""
        return self.validation.calibration

    def worded(self) -> pd.DataFrame:
        """The rows as they are: reasons are sentences already."""
        return self.rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """How many open dossiers lie at which chance, and how many are late already."""
        import matplotlib.pyplot as plt

        from khaosat.show.theme import BLUE, VERMILION, WIDTH, theme

        chance = self.rows["estimate"].to_numpy(float)
        late = chance == 1  # overdue, be it since this morning: working days remaining may still be 0
        sure = chance[~late & np.isfinite(chance)]
        with theme():
            if ax is None:
                _, ax = plt.subplots(figsize=(WIDTH, 2.8))
            counts, edges = np.histogram(sure, bins=10, range=(0, 1))
            ax.bar(100 * (edges[:-1] + edges[1:]) / 2, counts, width=9, color=BLUE)
            for place, count in zip(100 * (edges[:-1] + edges[1:]) / 2, counts, strict=True):
                if count:
                    ax.annotate(number(int(count)), (place, count), xytext=(0, 2), textcoords="offset points",
                                ha="center", fontsize=8)  # fmt: skip
            if late.any():
                ax.bar([107], [int(late.sum())], width=9, color=VERMILION)
                ax.annotate(say("overdue: {n}", n=int(late.sum())), (107, int(late.sum())), xytext=(0, 2),
                            textcoords="offset points", ha="center", fontsize=8, color=VERMILION)  # fmt: skip
            ax.set_xticks([0, 25, 50, 75, 100])
            ax.set_xlabel(say("Chance of being late (%)"))
            ax.set_ylabel(say("Open dossiers"))
            ax.margins(y=0.15)
        return ax

    def _columns(self) -> Sequence[Column]:
        first = [Column(name="dossier_id")] if "dossier_id" in self.rows else []
        return [
            *first,
            Column(name="procedure_name"),
            Column(name="unit"),
            Column(name="step"),
            Column(name="due_at", kind="date"),
            Column(name="remaining_days", kind="int"),
            Column(name="estimate", kind="percent", decimals=0, label=say("Chance of being late")),
            Column(name="expected_at", kind="date"),
            Column(name="high_at", kind="date"),
            Column(name="reasons"),
        ]


def reliability_figure(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Observed against stated shares, dots by the number of cases."""
    import matplotlib.pyplot as plt

    from khaosat.show.theme import BLUE, GREY, theme

    with theme():
        if ax is None:
            _, ax = plt.subplots(figsize=(4.2, 3.8))
        ax.plot([0, 100], [0, 100], color=GREY, linewidth=1)
        if len(rows):
            ax.plot(100 * rows["chance"], 100 * rows["estimate"], color=BLUE, linewidth=1, alpha=0.6)
            ax.scatter(100 * rows["chance"], 100 * rows["estimate"], color=BLUE,
                       s=12 + 120 * rows["n"] / rows["n"].max())  # fmt: skip
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
        ax.grid(axis="both")
        ax.set_xlabel(say("Stated chance of being late (%)"))
        ax.set_ylabel(say("Share late in fact (%)"))
    return ax
