"""Cohen's kappa and its standard error equal statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from khaosat.stats.agreement import cohen_kappa


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=4, max_size=60))
def test_kappa_equals_statsmodels(pairs):
    a, b = np.array(pairs).T
    levels = np.unique([a, b])
    assume(len(np.unique(a)) > 1 and len(np.unique(b)) > 1)
    table = np.zeros((3, 3))
    np.add.at(table, (a, b), 1)
    table = table[np.ix_(levels, levels)]
    known, (kappa, se) = cohens_kappa(table), cohen_kappa(a, b)
    assert kappa == pytest.approx(known.kappa, abs=1e-12)
    assert se == pytest.approx(np.sqrt(max(known.var_kappa, 0)), abs=1e-7)


def test_one_value_only_says_nothing_and_lengths_must_agree():
    assert np.isnan(cohen_kappa([1, 1], [1, 1])).all()
    with pytest.raises(ValueError, match="same length"):
        cohen_kappa([1], [1, 0])
