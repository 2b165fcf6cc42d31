"""Did people answer differently, or were different people asked: a change between waves taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import percent, say
from khaosat.show.table import Column
from khaosat.stats.decomposition import Parts
from khaosat.stats.intervals import t_interval
from khaosat.stats.p_values import t_p_value
from khaosat.survey.answers import Level
from khaosat.survey.change_sides import Method, Side, parts_by_cells, parts_by_regression
from khaosat.survey.means import variable_words
from khaosat.survey.model_result import model_covariance
from khaosat.survey.model_result import model_df as design_df
from khaosat.survey.result import FEW_DF, SurveyResult
from khaosat.survey.waves import welch_df

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_FEW = 10
_MOST_LINES = 24


@dataclass(frozen=True, eq=False, kw_only=True)
class ChangeParts(SurveyResult):
    """Parts of a change; those of a kind add up to its line without a group, and the kinds to ``total``.

    ``rows``: ``component`` (``total``; ``level, mix``, or ``explained, unexplained``, or ``endowments, coefficients,
    interaction``), ``group`` (empty: all of it; for Kitagawa a group of people, else a variable), then ``estimate, se,
    low, high, df, n, n_missing, p_value``. ``n`` is the smaller of the two waves.
    """

    def _worded(self) -> SurveyResult:
        """Kinds in words, shares in percentage points."""
        kinds = _kinds()
        shown = self.rows.assign(component=self.rows["component"].map(kinds))
        if self.unit != "share":
            return replace(self, rows=shown)
        points = {name: 100 * shown[name] for name in ("estimate", "low", "high")}
        return replace(self, rows=shown.assign(**points), unit="score")

    def _columns(self) -> Sequence[Column]:
        # in points of a hundred once worded, in points of the scale otherwise
        label = say("Part of the change")
        return [
            Column(name="component"),
            Column(name="group", label=say("Group or variable")),
            Column(name="estimate", kind="number", decimals=2, label=label),
            Column(name=("low", "high"), kind="interval", decimals=2),
            Column(name="p_value", kind="p_value", decimals=3),
            Column(name="n", kind="int"),
        ]

    def plot(self, ax: Axes | None = None) -> Axes:
        """The parts with their intervals; only the sums where there are many groups."""
        from khaosat.show.plots import intervals

        worded = self._worded()
        rows = worded.rows[~self._small_cells()]
        if len(rows) > _MOST_LINES:
            rows = rows[rows["group"] == ""]
        labels = [
            f"{kind} · {group}" if group else kind for kind, group in zip(rows["component"], rows["group"], strict=True)
        ]
        ax = intervals(rows.assign(component=labels), keys=["component"], unit=worded.unit, ax=ax)
        ax.axvline(0, color="0.4", linewidth=0.8, zorder=0)
        ax.set_xlabel(
            say("Part of the change (percentage points)") if self.unit == "share" else say("Part of the change")
        )
        return ax


def decompose_change(
    wave_a: Survey,
    wave_b: Survey,
    outcome: str,
    *,
    by: str | Sequence[str],
    method: Method = "kitagawa",
    at: Level | Sequence[Level] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> ChangeParts:
    r"""A change between two waves, a less b, as different answers of people alike and as another mix of people.

    ``kitagawa``: over the groups g that ``by`` makes, :math:`\sum_g \bar p_g (r_{ag} - r_{bg})` (level) and
    :math:`\sum_g (p_{ag} - p_{bg})(\bar r_g - \bar R)` (mix). ``threefold``, ``twofold``: Oaxaca-Blinder from linear
    regressions on ``by`` in both waves; twofold against the regression of both waves together.

    Parameters
    ----------
    wave_a, wave_b
        Usually the newer wave first, so that a positive change is a rise, as in :func:`khaosat.compare`.
    outcome
        A question that both asked.
    by
        Columns that both have. ``kitagawa`` crosses them; the others take them side by side, words and questions on
        who one is by level, numbers as numbers.
    method
        As above.
    at
        Answers counted together; None: the mean of the answers as numbers.
    where
        Who it is about, in both waves.
    level
        Confidence level.

    Returns
    -------
    ChangeParts
        Parts that add up to the change exactly.

    Raises
    ------
    DataError
        If a wave has no respondent with all answers, or a regression cannot be fitted.

    Notes
    -----
    Standard errors by the design of each wave from the influence of every respondent on every part; the waves are taken
    to be drawn independently. A group that one wave lacks counts as mix. The unexplained part is given as a whole: its
    split by variable would depend on the reference levels (Jann 2008). Mix and level describe; they prove no cause.
    docs/methods/nhom-khong-hai-long.md.

    References
    ----------
    Kitagawa (1955), JASA 50, 1168-1194. Oaxaca (1973), International Economic Review 14, 693-709. Blinder (1973),
    Journal of Human Resources 8, 436-455. Jann (2008), Stata Journal 8, 453-479.

    Examples
    --------
    >>> new = Survey(responses=pd.DataFrame({"q": [1, 1, 1, 0], "g": ["x", "x", "x", "y"]}))
    >>> old = Survey(responses=pd.DataFrame({"q": [1, 0, 0, 0], "g": ["x", "x", "y", "y"]}))
    >>> decompose_change(new, old, "q", by="g").rows[["component", "group", "estimate"]].head(3).values.tolist()
    [['total', '', 0.5], ['level', '', 0.3125], ['mix', '', 0.1875]]
    """
    if method not in get_args(Method):
        known = ", ".join(get_args(Method))
        raise DataError(say("{name}={value!r} is not known: use {known}.", name="method", value=method, known=known))
    columns = [by] if isinstance(by, str) else list(by)
    if not columns:
        raise DataError(say("Name at least one column in by."))
    sides = [Side.of(wave, outcome, columns, at=at, where=where) for wave in (wave_a, wave_b)]
    parts, keys, n = (parts_by_cells if method == "kitagawa" else parts_by_regression)(sides, columns, method)
    rows = _rows(sides, parts, keys, n=n, level=level)
    title = say("Why it changed: {variables}", variables=variable_words(wave_a, [outcome]))
    return ChangeParts(
        rows=rows, title=title, unit="share" if at is not None else "score", questionnaire=wave_a.questionnaire,
        notes=tuple(_notes(sides, rows, columns, method=method, level=level)),
    )  # fmt: skip


def _rows(
    sides: Sequence[Side], parts: Parts, keys: list[tuple[str, str]], *, n: NDArray[np.int64], level: float
) -> pd.DataFrame:
    """The total, each kind, then each part of a kind that has several."""
    kinds = list(dict.fromkeys(kind for kind, _ in keys))
    sums = [("total", ""), *((kind, "") for kind in kinds)]
    details = [j for j, (_, group) in enumerate(keys) if group]
    gather = np.zeros((len(keys), len(sums) + len(details)))
    gather[:, 0] = 1
    for j, (kind, _) in enumerate(keys):
        gather[j, 1 + kinds.index(kind)] = 1
    for column, j in enumerate(details, start=len(sums)):
        gather[j, column] = 1
    estimate = parts.value @ gather
    variances, freedom = [], []
    for side, influence in zip(sides, (parts.influence_a, parts.influence_b), strict=True):
        variances.append(np.diagonal(model_covariance(side.survey, influence @ gather, used=side.used)))
        freedom.append(design_df(side.survey, side.used, slopes=0))
    each = np.column_stack(variances)
    se = np.sqrt(np.maximum(each.sum(axis=1), 0.0))
    df = welch_df(each, np.tile(freedom, (len(each), 1)).astype(float))
    low, high = t_interval(estimate, se, df=np.nan_to_num(df), level=level)
    t = np.divide(estimate, se, where=se > 0, out=np.full(len(se), np.nan))
    total = min(len(side.y) for side in sides)
    named = [*sums, *(keys[j] for j in details)]
    return pd.DataFrame({
        "component": [kind for kind, _ in named], "group": [group for _, group in named],
        "estimate": estimate, "se": se, "low": low, "high": high, "df": df,
        "n": [*([total] * len(sums)), *(int(n[j]) for j in details)],
        "n_missing": sum(side.n_missing for side in sides), "p_value": t_p_value(t, np.nan_to_num(df)),
    })  # fmt: skip


def _notes(
    sides: Sequence[Side], rows: pd.DataFrame, columns: Sequence[str], *, method: Method, level: float
) -> Iterator[str]:
    a, b = (float(np.average(side.y, weights=side.weights)) for side in sides)
    yield say("First wave less second, drawn independently of each other; {n_a} and {n_b} respondents.",
              n_a=len(sides[0].y), n_b=len(sides[1].y))  # fmt: skip
    what = ", ".join(variable_words(sides[0].survey, [name]) for name in columns)
    if method == "kitagawa":
        yield say("Level: people of the same group ({by}) answer otherwise than before. Mix: the groups have other "
                  "shares of the population than before, each against the average.", by=what)  # fmt: skip
        small = rows[(rows["group"] != "") & (rows["component"] == "level") & (rows["n"] < _FEW)]
        if len(small):
            yield say("{n} groups have fewer than {few} respondents in one of the waves.", n=len(small), few=_FEW)
        if (small["n"] == 0).any():
            yield say("{n} groups are in one wave only; they count as mix.", n=int((small["n"] == 0).sum()))
    elif method == "twofold":
        yield say("Explained: what the change of {by} goes with, by the regression of both waves together, each wave "
                  "weighing as much as its weights add up to. Unexplained: the rest.", by=what)  # fmt: skip
    else:
        yield say("Endowments: what the change of {by} goes with, by the regression of the second wave. Coefficients: "
                  "what other coefficients go with. Interaction: both together.", by=what)  # fmt: skip
    yield say("{level} intervals: Student's t with Welch–Satterthwaite degrees of freedom.", level=percent(level, 0))
    if rows["n_missing"].iloc[0]:
        yield say("{n} respondents of the two waves lack an answer and are left out.", n=int(rows["n_missing"].iloc[0]))
    if rows["df"].isna().all() and not np.isclose(a, b):
        yield say("No degrees of freedom: there are no intervals.")
    elif (rows["df"] < FEW_DF).any():
        yield say("Fewer than {n} degrees of freedom: a change may well go unseen.", n=FEW_DF)


def _kinds() -> dict[str, str]:
    return {
        "total": say("Total change"), "level": say("Level effect"), "mix": say("Mix effect"),
        "explained": say("Explained part"), "unexplained": say("Unexplained part"),
        "endowments": say("Endowment effect"), "coefficients": say("Coefficient effect"),
        "interaction": say("Interaction effect"),
    }  # fmt: skip
