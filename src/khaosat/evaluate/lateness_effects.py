"""Does satisfaction fall when one's own dossier is late, and how much of dissatisfaction goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.survey import Survey
from khaosat.engine.query import Deadline
from khaosat.errors import DataError
from khaosat.evaluate.lateness_model import FEW_LATE, bends, fit_lateness, join_rare_channels, knots_for
from khaosat.evaluate.lateness_words import assumption_notes, effect_words, model_words, on_time_notes, unlinked_notes
from khaosat.evaluate.linkage import (
    CHANNEL,
    DAYS_LATE,
    LINKED,
    SUPPLEMENTS,
    Linkage,
    compare_unlinked,
    link_dossiers,
    linkage_notes,
)
from khaosat.facts.language import say
from khaosat.show.table import Column
from khaosat.stats.ordinal_links import OrdinalLink
from khaosat.survey.answers import Level, level_answers
from khaosat.survey.formula import quoted
from khaosat.survey.means import variable_words
from khaosat.survey.ordinal_model import OrdinalResult, ordinal
from khaosat.survey.result import SurveyResult
from khaosat.survey.whole_satisfaction import whole_satisfaction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shape = Literal["spline", "linear"]


@dataclass(frozen=True, eq=False, kw_only=True)
class LatenessEffects(SurveyResult):
    """What goes with lateness, among respondents linked to their dossier.

    ``rows``: ``variable, contrast``, then ``estimate`` (difference of the share satisfied), ``se, low, high, df, n,
    n_missing, p_value``. ``dY/dX`` is the change with one more; ``late - on_time`` that of the respondents whose
    dossier was late, had it come on time instead.

    Parameters
    ----------
    on_time
        ``quantity``: share not satisfied ``as_it_is``, if all had come ``on_time``, the ``difference``, and the
        ``fraction`` of it that would go; ``estimate, se, low, high, df, n, n_missing``.
    curve
        Share satisfied if everybody's dossier had been ``working_days_late`` working days late; ``respondents``: how
        many were that late, up to the next line.
    links, unlinked
        Who could be linked (``status, n``); linked less not linked: ``variable, level, estimate, se, low, high, df, n,
        n_missing, estimate_a, estimate_b, n_a, n_b, p_value, p_adjusted``.
    model
        The ordinal model: coefficients, test of proportional odds.
    knots
        Of the spline, in working days; empty: a straight line.
    words
        Variable and contrast in words, for tables.
    """

    on_time: pd.DataFrame = field(default_factory=pd.DataFrame)
    curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    links: pd.DataFrame = field(default_factory=pd.DataFrame)
    unlinked: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: OrdinalResult | None = None
    knots: tuple[float, ...] = ()
    words: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Share satisfied by working days late, with its interval, and how many respondents were that late."""
        from khaosat.evaluate.lateness_plot import lateness_curve

        return lateness_curve(self.curve, ax=ax)

    def _worded(self) -> SurveyResult:
        pairs = zip(self.rows["variable"], self.rows["contrast"], strict=True)
        words = [self.words.get(pair, " ".join(pair)) for pair in pairs]
        points = {name: 100 * self.rows[name] for name in ("estimate", "low", "high")}
        return replace(self, rows=self.rows.assign(variable=words, **points).drop(columns="contrast"), unit="score")

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="variable"),
            Column(
                name="estimate",
                kind="number",
                decimals=1,
                label=say("Change of the share satisfied (percentage points)"),
            ),
            Column(name=("low", "high"), kind="interval", decimals=1),
            Column(name="p_value", kind="p_value", decimals=3),
        ]


def satisfaction_and_lateness(
    survey: Survey,
    log: DossierLog,
    *,
    on: str = "dossier_id",
    outcome: str | None = None,
    at: Level | Sequence[Level] | None = None,
    shape: Shape = "spline",
    adjust: Sequence[str] = (),
    deadline: Deadline = "original",
    link: OrdinalLink = "logit",
    level: float = 0.95,
) -> LatenessEffects:
    r"""How satisfaction goes with the lateness of one's own dossier, with supplements and with the channel.

    A cumulative model of the answer on working days late :math:`d`, times asked for supplements, channel and
    ``adjust``; effects are differences of the mean predicted share satisfied, :math:`\bar P(d) = \sum_i w_i P(Y_i \in
    S \mid d, z_i)/\sum_i w_i`. The share of dissatisfaction that would go with on-time delivery is
    :math:`\{\bar P(0) - \bar P(d_i)\}/\{1 - \bar P(d_i)\}` (standardisation).

    Parameters
    ----------
    survey
        Answers, one column of which names the respondent's dossier; columns called as those that linking adds
        (``linked, working_days_late, supplements, channel``) give way to them.
    log
        The dossiers; only those with the named codes are fetched.
    on
        That column.
    outcome
        The question on satisfaction; None: the questionnaire's question on satisfaction as a whole.
    at
        Its answers that count as satisfied; None: those of the questionnaire.
    shape
        ``spline``: restricted cubic spline in days late (knots in the notes); ``linear``.
    adjust
        Further columns that the model holds equal: of the survey, or ``field``, ``responsible_unit``, ``procedure`` of
        the dossier.
    deadline
        ``original`` (first appointment) or ``latest``.
    link
        As in :func:`khaosat.ordinal`.
    level
        Confidence level.

    Returns
    -------
    LatenessEffects
        ``rows`` in shares (0.01 = one percentage point), and the fields ``on_time, curve, links, unlinked, model,
        knots``.

    Raises
    ------
    DataError
        Without a question on satisfaction as a whole, without a link between survey and log, with fewer than 10 late
        dossiers among the linked.

    Notes
    -----
    Standard errors come from the influence of every respondent, drawn and estimated, over the design. Only finished
    dossiers are linked: SIPAS asks those who received a result. The share is a statement about cause only if nothing
    else that differs between late and timely dossiers moves satisfaction; the notes say so. Indicator 5.4 of Quyết
    định 766/QĐ-TTg is computed from lateness itself and is never used here. docs/methods/hai-long-va-tre-han.md.

    References
    ----------
    Greenland and Drescher (1993), Biometrics 49, 865-872. Graubard and Korn (1999), Biometrics 55, 652-659. Harrell
    (2015), Regression Modeling Strategies, 2nd ed., ch. 2.

    Examples
    --------
    >>> from khaosat.dossiers.frames import log_from_frames
    >>> ends = pd.to_datetime(["2026-06-01", "2026-06-04"] * 20)
    >>> ids = [f"H{i}" for i in range(40)]
    >>> dossiers = pd.DataFrame({"dossier_id": ids, "due_at": pd.Timestamp("2026-06-01 17:00"), "finished_at": ends})
    >>> log = log_from_frames({"dossiers": dossiers}, as_of=pd.Timestamp("2026-07-01").to_pydatetime())
    >>> answers = pd.DataFrame({"dossier_id": ids, "satisfied": [4, 3, 5, 2, 4, 4, 3, 3] * 5})
    >>> found = satisfaction_and_lateness(Survey(responses=answers), log, outcome="satisfied", at=[4, 5])
    >>> found.rows[["variable", "contrast", "estimate"]].round(3).values.tolist()
    [['working_days_late', 'dY/dX', -0.144], ['working_days_late', 'late - on_time', -0.554]]
    """
    question, satisfied = whole_satisfaction(survey, outcome, at)
    if shape not in get_args(Shape):
        raise DataError(
            say("{name}={value!r} is not known: use {known}.", name="shape", value=shape, known="spline, linear")
        )
    linkage = link_dossiers(survey, log, on=on, deadline=deadline)
    linked = linkage.survey
    used = _respondents(linkage, question)
    days = linked.responses[DAYS_LATE].to_numpy(dtype=float)
    knots = knots_for(days[used]) if shape == "spline" else ()
    channel, joined = join_rare_channels(linked, used)
    linked = replace(linked, responses=linked.responses.assign(**{CHANNEL: channel}, **bends(days, knots)))
    formula = _formula(linked, used, question, bends=list(bends(days, knots)), adjust=adjust)
    fitted = ordinal(linked, formula, link=link, where=f"{LINKED} == 1", level=level)
    model = fit_lateness(
        linked, formula, at=satisfied, knots=knots, link=link, df=int(fitted.fit["df"].iloc[0]), level=level
    )
    on_time, unlinked = model.on_time(), _compare(linkage, question, satisfied, level)
    effects = model.effects()
    notes = [
        *linkage_notes(linkage),
        *unlinked_notes(unlinked),
        *on_time_notes(on_time, level),
        *assumption_notes(model, joined=joined, shape=shape),
        *model_words(model, fitted.notes),
    ]
    return LatenessEffects(
        rows=effects, unit="share", questionnaire=survey.questionnaire, notes=tuple(notes),
        title=say("Satisfaction and the lateness of one's own dossier: {variables}",
                  variables=variable_words(survey, [question])),
        on_time=on_time, curve=model.curve(), links=linkage.counts, unlinked=unlinked, model=fitted, knots=knots,
        source=log.source, words=effect_words(model),
    )  # fmt: skip


def _respondents(linkage: Linkage, question: str) -> np.ndarray:
    """Who is linked and answered; refused where too few of them had a late dossier."""
    responses = linkage.survey.responses
    used = np.asarray((responses[LINKED] == 1).to_numpy() & level_answers(linkage.survey, question).valid)
    late = int((responses.loc[used, DAYS_LATE] > 0).sum())
    if late < FEW_LATE:
        raise DataError(
            say("Only {n} of the {all} linked respondents who answered {outcome} had a late dossier; at least {least} "
                "are needed to say anything about lateness.", n=late, all=int(used.sum()), outcome=question,
                least=FEW_LATE)
        )  # fmt: skip
    return used


def _formula(survey: Survey, used: np.ndarray, outcome: str, *, bends: Sequence[str], adjust: Sequence[str]) -> str:
    """The model; supplements and channel only where they differ between respondents."""
    also = [name for name in (SUPPLEMENTS, CHANNEL) if len(survey.responses.loc[used, name].dropna().unique()) > 1]
    terms = dict.fromkeys([DAYS_LATE, *bends, *also, *adjust])
    return f"{quoted(outcome)} ~ {' + '.join(map(quoted, terms))}"


def _compare(linkage: Linkage, question: str, at: tuple[Level, ...], level: float) -> pd.DataFrame:
    asked = linkage.survey.questionnaire
    about: tuple[str, ...] = ()
    if asked is not None:
        about = tuple(
            name
            for name in asked.items("profile")
            if asked.kind(name) == "select_one" and name in linkage.survey.responses
        )
    return compare_unlinked(linkage, question, at=at, about=about, level=level)
