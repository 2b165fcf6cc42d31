"""The same numbers from another implementation (svy: Polars and Rust) where it covers ours: two stages, domains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.survey import Design, Survey
from khaosat.survey import mean, total
from tests.survey.surveys import DESIGN, drawn

COLUMNS = {"estimate": "est", "se": "se", "low": "lci", "high": "uci", "df": "df"}


def other(survey: Survey, *, two_stages: bool):
    import polars
    import svy

    frame = survey.responses
    numbers = {"psu": frame["h"] * 100 + frame["c"], "ssu": frame["h"] * 10_000 + frame["c"] * 100 + frame["v"]}
    data = polars.DataFrame(
        {name: column.to_numpy() for name, column in frame.assign(**numbers).items() if name != "g"}
    )
    data = data.with_columns(polars.Series("g", frame["g"].tolist()))
    more = {"ssu": "ssu", "pop_size": svy.PopSize(psu="big_n", ssu="big_m")} if two_stages else {}
    return svy.Sample(data, svy.Design(wgt="w", stratum="h", psu="psu", **more)).estimation


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    for column, name in COLUMNS.items():
        np.testing.assert_allclose(ours[column], theirs[name].to_numpy(), rtol=1e-10, err_msg=column)


@pytest.mark.parametrize("two_stages", [False, True])
@pytest.mark.parametrize("seed", [2, 11, 34])
def test_means_totals_and_domains(seed: int, two_stages: bool) -> None:
    design = DESIGN if two_stages else Design(weights="w", strata="h", clusters="c", nest=True)
    survey = drawn(seed, n_strata=3, design=design)
    estimation = other(survey, two_stages=two_stages)
    same(mean(survey, "x").rows, estimation.mean("x").to_polars())
    same(total(survey, "x").rows, estimation.total("x").to_polars())
    same(mean(survey, "x", by="g", domain_df=True).rows, estimation.mean("x", by="g").to_polars().sort("g"))
