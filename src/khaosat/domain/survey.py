"""Answers of a survey with the design that drew its respondents."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.design_arrays import DesignArrays, design_arrays
from khaosat.domain.faults import frame
from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.weighting import Adjustment, ReplicateMethod, Replicates, given_replicates
from khaosat.errors import DesignError
from khaosat.facts import term
from khaosat.facts.language import say

LonelyPSU = Literal["fail", "remove", "adjust", "average", "certainty"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Design:
    """How the respondents were drawn: the names of the columns that say so.

    Parameters
    ----------
    weights
        Sampling weight of each respondent. Without it, weights follow from ``fpc``; without both all count alike.
    strata
        Strata of the first stage, or one column a stage.
    clusters
        Primary sampling units, or one column a stage from the largest unit down; None: respondents were drawn directly.
    fpc
        One column a stage: how many units the stratum (below the first stage: the unit above) has, or the fraction of
        them that was drawn (all ``<= 1``). It is the same within a stratum.
    lonely_psu
        What a stratum with one unit adds to the variance: ``fail`` refuses; ``remove`` and ``certainty`` nothing;
        ``adjust`` its distance from the population instead of from its stratum; ``average`` the mean of the others.
    nest
        Whether unit numbers start again in every stratum. If not, a unit in two strata is a fault.
    replicate_weights, replicate_method
        Columns of whole replicate weights that came with the data, and how they were made: ``jackknife``,
        ``bootstrap``, ``brr`` or ``fay``. Every variance is then theirs.
    replicate_scales
        Factor of each replicate in the variance, or one for all; None: as the method has it.

    Raises
    ------
    DesignError
        If the description contradicts itself.

    Examples
    --------
    >>> Design(weights="w", strata="stype", clusters=["dnum", "snum"], fpc=["fpc1", "fpc2"]).columns
    ('w', 'stype', 'dnum', 'snum', 'fpc1', 'fpc2')
    """

    weights: str | None = None
    strata: str | Sequence[str] | None = None
    clusters: str | Sequence[str] | None = None
    fpc: str | Sequence[str] | None = None
    lonely_psu: LonelyPSU = "fail"
    nest: bool = False
    replicate_weights: str | Sequence[str] | None = None
    replicate_method: ReplicateMethod | None = None
    replicate_scales: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.lonely_psu not in get_args(LonelyPSU):
            rules = ", ".join(get_args(LonelyPSU))
            faults.append(say("lonely_psu is {rule!r}: it must be one of {rules}.", rule=self.lonely_psu, rules=rules))
        stages = max(len(names(self.clusters)), 1)
        for role, columns in (("strata", self.strata), ("fpc", self.fpc)):
            if len(names(columns)) > stages:
                faults.append(
                    say(
                        "{role} names {n} columns but the sample has {stages} stages: name a cluster column a stage.",
                        role=role, n=len(names(columns)), stages=stages,
                    )
                )  # fmt: skip
        faults += self._replicate_faults()
        if faults:
            raise DesignError("\n".join(faults))

    def _replicate_faults(self) -> list[str]:
        faults = []
        methods = get_args(ReplicateMethod)
        if self.replicate_method not in (None, *methods):
            faults.append(
                say(
                    "replicate_method is {method!r}: it must be one of {methods}.",
                    method=self.replicate_method, methods=", ".join(methods),
                )
            )  # fmt: skip
        if (self.replicate_weights is None) != (self.replicate_method is None):
            faults.append(say("Give replicate_weights and replicate_method together: columns and how they were made."))
        if self.replicate_weights is not None and self.weights is None:
            faults.append(say("Replicate weights need the weights of the whole sample too: name them in weights."))
        return faults

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the design names, in the order weights, strata, clusters, fpc, replicate weights."""
        drawn = (*names(self.weights), *names(self.strata), *names(self.clusters), *names(self.fpc))
        return (*drawn, *names(self.replicate_weights))

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """Columns by role; roles without a column are left out."""
        roles = {role: names(getattr(self, role)) for role in ("weights", "strata", "clusters", "fpc")}
        return {role: columns for role, columns in roles.items() if columns}

    def _repr_html_(self) -> str:
        roles = [f"{term(role)}: {', '.join(columns)}" for role, columns in self.roles.items()]
        lines = roles or [say("every respondent counts alike, drawn one by one")]
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        return f"<p><strong>{html.escape(say('Survey design'))}</strong></p><ul>{items}</ul>"


@dataclass(frozen=True, eq=False, kw_only=True)
class Survey:
    """One row a respondent, what was asked, and how the respondents were drawn.

    Parameters
    ----------
    responses
        Answers (codes) and design columns. Never written to.
    questionnaire
        What the columns ask; needed only by verbs that know about factors, don't-know codes and labels.
    design
        Names of the design columns. The default is a simple random sample of respondents from a large population.
    faults
        What was wrong with the file that the answers come from, as in :mod:`khaosat.domain.faults`.
    adjustments, replicates
        What verbs such as ``rake`` and ``replicates`` did to the weights; made by them, not by hand.

    Raises
    ------
    DesignError
        With every fault of the design, not only the first.

    Examples
    --------
    >>> frame = pd.DataFrame({"q": [1, 5, 4, 2], "village": [1, 1, 2, 2], "w": [10.0, 12.0, 9.0, 11.0]})
    >>> survey = Survey(responses=frame, design=Design(weights="w", clusters="village"))
    >>> survey.n, survey.arrays.n_units
    (4, (2,))
    """

    responses: pd.DataFrame
    questionnaire: Questionnaire | None = None
    design: Design = field(default_factory=Design)
    faults: pd.DataFrame = field(default_factory=lambda: frame([]))
    adjustments: tuple[Adjustment, ...] = ()
    replicates: Replicates | None = None

    def __post_init__(self) -> None:
        made = [
            *(change.weights for change in self.adjustments),
            *([self.replicates.weights] if self.replicates else []),
        ]
        if any(len(weights) != self.n for weights in made):
            raise DesignError(
                say("Weights were adjusted for other respondents: choose respondents first, then adjust.")
            )
        self.arrays, self.replication  # noqa: B018  (computed and checked now, kept for the verbs)

    @property
    def n(self) -> int:
        """Number of respondents."""
        return len(self.responses)

    @cached_property
    def responding(self) -> NDArray[np.bool_]:
        """Whose answers count: all but those whom an adjustment for non-response left without a weight."""
        return np.asarray(self.arrays.weights != 0, dtype=bool)

    @cached_property
    def arrays(self) -> DesignArrays:
        """Weights as adjusted, strata, units and population sizes as arrays, one entry a respondent."""
        return replace(self.drawn, weights=self.adjustments[-1].weights) if self.adjustments else self.drawn

    @cached_property
    def replication(self) -> Replicates | None:
        """Replicate weights: made by a verb, else the columns that the design names, else None."""
        design = self.design
        if self.replicates is not None or design.replicate_weights is None or design.replicate_method is None:
            return self.replicates
        made, faults = given_replicates(
            self.responses, names(design.replicate_weights), method=design.replicate_method,
            scales=design.replicate_scales, arrays=self.drawn, stratified=bool(design.strata),
        )  # fmt: skip
        if faults:
            raise DesignError("\n".join(faults))
        return made

    @cached_property
    def drawn(self) -> DesignArrays:
        """The arrays as the sample was drawn, before any adjustment of the weights."""
        roles = self.design.roles
        arrays, faults = design_arrays(
            self.responses,
            weights=self.design.weights,
            strata=roles.get("strata", ()),
            clusters=roles.get("clusters", ()),
            fpc=roles.get("fpc", ()),
            nest=self.design.nest,
        )
        if arrays is None:
            head = say("The survey design has {n} faults:", n=len(faults))
            raise DesignError("\n".join([head, *(f"- {fault}" for fault in faults)]))
        return arrays

    def _repr_html_(self) -> str:
        arrays = self.arrays
        title = self.questionnaire.title if self.questionnaire else say("Survey")
        counts = say("{n} respondents, {columns} columns", n=self.n, columns=self.responses.shape[1])
        drawn = say("{strata} strata, {units} primary units", strata=arrays.n_strata[0], units=arrays.n_units[0])
        roles = [f"{term(role)}: {', '.join(columns)}" for role, columns in self.design.roles.items()]
        lines = [counts, drawn, *roles, f"{term('lonely_psu')}: {term(self.design.lonely_psu)}"]
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        return f"<p><strong>{html.escape(title)}</strong></p><ul>{items}</ul>"


def names(columns: str | Sequence[str] | None) -> tuple[str, ...]:
    """Column names as a tuple, whether one, several or none were given.

    >>> names("w"), names(["a", "b"]), names(None)
    (('w',), ('a', 'b'), ())
    """
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns)
