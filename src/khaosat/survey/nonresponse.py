"""Weights that make up for those who were drawn and did not respond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DesignError
from khaosat.facts.language import number, percent, say
from khaosat.stats.glm import fit_glm
from khaosat.stats.nonresponse import ResponseCells, joined_cells, response_factors
from khaosat.survey.adjustments import Calibration, adjusted
from khaosat.survey.answers import ordered_levels
from khaosat.survey.formula import quoted
from khaosat.survey.model_frame import model_frame

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_NAMED = 6
"""Joined cells that a note names; their number is always given."""


def adjust_nonresponse(
    survey: Survey,
    *,
    responded: str,
    cells: str | Sequence[str] | None = None,
    propensity: str | None = None,
    classes: int = 5,
    min_respondents: int = 20,
    max_factor: float = 3.0,
    trim: tuple[float, float] | None = None,
) -> Survey:
    r"""Respondents take over the weights of all drawn in their class: :math:`w_i = d_i \sum_c d / \sum_{c, r} d`.

    Parameters
    ----------
    survey
        Everybody drawn, those without a response included, and the design.
    responded
        Column that says who responded: true or 1, else false or 0.
    cells
        Columns known for everybody; their combinations are the classes.
    propensity
        Instead of ``cells``: terms of a logistic model of response (``"ward + age"``); the classes are those of equal
        weight by fitted probability.
    classes
        Number of classes by propensity.
    min_respondents, max_factor
        A class with fewer respondents, or a larger factor, is joined with a neighbour: first within the leading
        columns of ``cells``, the smaller neighbour of two. Conventions, not law; what was joined is noted.
    trim
        Bounds of the weights afterwards, as in :func:`trim_weights`.

    Returns
    -------
    Survey
        The same rows. Those who did not respond have weight 0: they count in no estimate and no ``n``, but the variance
        knows that they were drawn. Calibrate afterwards, not before.

    Raises
    ------
    DesignError
        If the columns do not say who responded or which class somebody is in, or the factor of all classes joined is
        still too large: with every fault.

    Notes
    -----
    It removes bias as far as respondents and others of a class would have answered alike. Linearised as a ratio of
    totals of the whole sample (the distance from the class mean over who responded, the class mean over who was drawn);
    replicates are adjusted anew one by one, within the same classes. That the classes were chosen, by joining or by
    propensity, adds nothing. Derived in docs/methods/hieu-chinh-quyen-so.md.

    References
    ----------
    Little (1986), International Statistical Review 54, 139-157. Shao and Steel (1999), Journal of the American
    Statistical Association 94, 254-265.

    Examples
    --------
    >>> frame = pd.DataFrame({"ward": ["A"] * 4 + ["B"] * 2, "came": [1, 1, 0, 0, 1, 1]})
    >>> adjust_nonresponse(Survey(responses=frame), responded="came", cells="ward", min_respondents=2).arrays.weights
    array([2., 2., 0., 0., 1., 1.])
    """
    _check_options(survey, responded, cells, propensity, classes, min_respondents, max_factor)
    answered = _responded(survey, responded)
    if propensity is None:
        keys, cell, words = _crossed(survey, names(cells))
    else:
        keys, cell, words = _by_propensity(survey, responded, propensity, classes=classes)
    base = survey.arrays.weights
    responded_of = np.bincount(cell, answered, len(keys)).astype(np.intp)
    sums = (
        np.bincount(cell, base, len(keys)).astype(float),
        np.bincount(cell, base * answered, len(keys)).astype(float),
    )
    joined = joined_cells(keys, responded=responded_of, factors_of=sums, fewest=min_respondents, most=max_factor)
    final = joined[cell]
    _check_classes(final, answered, base, fewest=min_respondents, most=max_factor)

    def refit(weights: Floats) -> Floats:
        factors = response_factors(weights, cell=final, responded=answered)
        if not np.isfinite(factors).all():
            raise DesignError(
                say("In {n} replicates nobody of some class responded: join classes (min_respondents).",
                    n=int((~np.isfinite(factors)).any(axis=0).sum()))
            )  # fmt: skip
        return np.asarray(weights * answered[:, None] * factors[final], dtype=float)

    after = refit(base[:, None])[:, 0]
    change = Calibration(
        weights=after,
        projection=ResponseCells(cell=final, before=base, after=after),
        refit=refit,
        described=lambda: _words(answered, base, after, joined, words, propensity=propensity),
    )
    return adjusted(survey, change, trim=trim)


def _check_options(
    survey: Survey, responded: str, cells: str | Sequence[str] | None, propensity: str | None, classes: int,
    fewest: int, most: float,
) -> None:  # fmt: skip
    faults = [
        say("Column {column} is not in the responses: name a column that is.", column=name)
        for name in (responded, *names(cells))
        if name not in survey.responses
    ]
    if (cells is None or not names(cells)) == (propensity is None):
        faults.append(say("Give cells=[...] or propensity='...', one of the two."))
    if classes < 2 or fewest < 1 or not most > 1:
        faults.append(
            say("classes must be at least 2, min_respondents at least 1 and max_factor above 1, not {given}.",
                given=(classes, fewest, most))
        )  # fmt: skip
    if not survey.responding.all():
        faults.append(say("The weights were adjusted for non-response already."))
    for name in names(cells):
        missing = int(survey.responses[name].isna().sum()) if name in survey.responses else 0
        if missing:
            faults.append(
                say("{name}: {n} respondents have no value; fill it in or leave them out first.", name=name, n=missing)
            )
    _refuse(faults)


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise DesignError("\n".join(faults))


def _responded(survey: Survey, name: str) -> Rows:
    given = survey.responses[name]
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = int((~np.isin(numbers, (0.0, 1.0))).sum())
    if wrong:
        _refuse([say("Column {column} must say 1 (responded) or 0: {n} rows say neither.", column=name, n=wrong)])
    if not (numbers == 1).any():
        _refuse([say("Column {column}: nobody responded.", column=name)])
    return np.asarray(numbers == 1, dtype=bool)


def _crossed(survey: Survey, columns: Sequence[str]) -> tuple[Codes, Codes, list[str]]:
    """Classes in order (classes × columns), the class of everybody, and their names."""
    found = [ordered_levels(survey.responses[column]) for column in columns]
    keys, cell = np.unique(np.column_stack([codes for codes, _ in found]), axis=0, return_inverse=True)
    words = [" / ".join(str(levels[i]) for (_, levels), i in zip(found, row, strict=True)) for row in keys]
    return keys, cell.reshape(-1), words


def _by_propensity(survey: Survey, responded: str, terms: str, *, classes: int) -> tuple[Codes, Codes, list[str]]:
    """Classes of about equal weight by the fitted probability of response."""
    frame = model_frame(survey, f"{quoted(responded)} ~ {terms}", where=None, outcome="number")
    if not frame.used.all():
        _refuse([say("{name}: {n} respondents have no value; fill it in or leave them out first.", name=terms,
                     n=int((~frame.used).sum()))])  # fmt: skip
    weights = survey.arrays.weights
    fit = fit_glm(frame.outcome().numbers, frame.matrix().x, weights=weights, family="binomial")
    if not fit.converged:
        _refuse([say("The model of response on {terms!r} has no finite estimate: use fewer terms.", terms=terms)])
    scores, place = np.unique(np.round(fit.fitted, 10), return_inverse=True)
    held = np.bincount(place, weights)
    middle = (np.cumsum(held) - held / 2) / held.sum()  # people with one probability stay in one class
    number_of = np.minimum((middle * classes).astype(np.intp), classes - 1)
    used, cell = np.unique(number_of[place], return_inverse=True)
    return used[:, None], cell.reshape(-1), [str(number + 1) for number in used]


def _check_classes(cell: Codes, answered: Rows, weights: Floats, *, fewest: int, most: float) -> None:
    """Refuse what joining could not mend; by now there is one class left at fault, that of everybody."""
    factor = response_factors(weights[:, None], cell=cell, responded=answered)[:, 0]
    few = np.bincount(cell, answered) < fewest
    if few.any():
        _refuse([say("Only {n} respondents in all: min_respondents={fewest} cannot be met.", n=int(answered.sum()),
                     fewest=fewest)])  # fmt: skip
    if (factor > most * (1 + 1e-12)).any():
        _refuse([say("The response rate of all together is {rate}, so that the factor {factor} is above "
                     "max_factor={most}: allow it, if so few responses are to stand for the rest.",
                     rate=percent(float(1 / factor.max()), 1), factor=number(float(factor.max()), 2),
                     most=number(most, 1))])  # fmt: skip


def _words(
    answered: Rows, before: Floats, after: Floats, joined: Codes, words: list[str], *, propensity: str | None
) -> list[str]:
    factors = after[answered] / before[answered]
    said = [
        say(
            "Weights adjusted for non-response: {n} of {drawn} responded ({rate} by weight); {cells} classes, factors "
            "{low}–{high}; the variance knows it.",
            n=int(answered.sum()), drawn=len(answered),
            rate=percent(float(before[answered].sum() / before.sum()), 1), cells=int(joined.max()) + 1,
            low=number(float(factors.min()), 2), high=number(float(factors.max()), 2),
        )
    ]  # fmt: skip
    if propensity is not None:
        said.append(say("Classes by the probability to respond, from a logistic model on {terms}.", terms=propensity))
    groups = [[words[i] for i in np.flatnonzero(joined == number)] for number in range(int(joined.max()) + 1)]
    together = [" + ".join(group) for group in groups if len(group) > 1]
    if together:
        listed = "; ".join(together[:_NAMED]) + ("; …" if len(together) > _NAMED else "")
        said.append(
            say("Classes joined for want of respondents or for too large a factor ({n}): {cells}.", n=len(together),
                cells=listed)
        )  # fmt: skip
    return said
