"""What every scorecard gives: rows, words in Vietnamese, a table, a figure and its JSON twin; inputs untouched."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import khaosat as ks
from khaosat import scorecards as verbs
from khaosat.facts.language import language
from khaosat.show.blocks import MIME
from tests.scorecards.logs import AS_OF, ROWS

LOG = ks.log_from_frames({"dossiers": ROWS}, as_of=AS_OF)
EMPTY = ks.log_from_frames({"dossiers": ROWS.head(0)}, as_of=AS_OF)
MOVED = pd.DataFrame({
    "dossier_id": ["late", "stuck"], "changed_at": pd.to_datetime(["2026-06-29", "2026-04-17"]),
    "reason": ["Chờ cơ quan thuế", None], "apology_sent_at": pd.to_datetime(["2026-06-29", None]),
})  # fmt: skip
LATE = ks.log_from_frames({"dossiers": ROWS, "appointments": MOVED}, as_of=AS_OF)
AGENCIES = pd.DataFrame({"agency": ["A", "B"], **{f"index_{i}": [2, None] for i in range(1, 10)}})
COUNTS = pd.DataFrame([("A", "2.1", 1, 2), ("B", "2.1", None, None)],
                      columns=["agency", "component", "numerator", "denominator"])  # fmt: skip
WORK = pd.DataFrame({"procedure": "A", "stage": ["before", "after"], "hours": [2, 1], "applicants": 5})

CALLS = {
    "score_766": lambda: ks.score_766({"2.1": (1, 2), "5.4": (None, None)}),
    "score_766 nothing": lambda: ks.score_766({}),
    "score_766 log": lambda: ks.score_766(LOG, period="2026-Q3"),
    "score_766 empty": lambda: ks.score_766(EMPTY, period="2026-Q3"),
    "rank_766": lambda: ks.rank_766(COUNTS),
    "rank_766 nothing": lambda: ks.rank_766(COUNTS.head(0)),
    "against_targets": lambda: ks.against_targets(LOG, period="2026-Q3"),
    "against_targets empty": lambda: ks.against_targets(EMPTY, period="2026-Q3"),
    "form_06a": lambda: ks.form_06a(LOG, period="2026-Q3", by=["responsible_unit", "field"]),
    "form_06a empty": lambda: ks.form_06a(EMPTY),
    "rate_agencies": lambda: ks.rate_agencies(AGENCIES),
    "rate_agencies nothing": lambda: ks.rate_agencies(AGENCIES.head(0)),
    "band": lambda: ks.band({"A": 101.0, "B": float("nan")}, "da_nang_2022"),
    "band nothing": lambda: ks.band({}, "da_nang_2022"),
    "apology_duty": lambda: ks.apology_duty(LOG, period="2026-Q3"),
    "apology_duty by": lambda: ks.apology_duty(LOG, by=["field", "channel"]),
    "apology_duty empty": lambda: ks.apology_duty(EMPTY, period="2026-Q3"),
    "late_causes": lambda: ks.late_causes(LATE, period="2026-Q3"),
    "late_causes by": lambda: ks.late_causes(LATE, by="field"),
    "late_causes empty": lambda: ks.late_causes(EMPTY),
    "slow_units": lambda: ks.slow_units(LOG, period="2026-Q3", least=1),
    "slow_units empty": lambda: ks.slow_units(EMPTY),
    "compliance_cost": lambda: ks.compliance_cost(WORK, income_per_hour=1000),
    "compliance_cost nothing": lambda: ks.compliance_cost(WORK.head(0)),
}


def test_every_verb_is_called():
    assert {call.split()[0] for call in CALLS} >= set(OURS)


OURS = ["against_targets", "apology_duty", "band", "compliance_cost", "form_06a", "late_causes", "rank_766",
        "rate_agencies", "score_766", "slow_units"]  # fmt: skip


def test_the_verbs_are_public():
    assert set(OURS) <= set(verbs.__all__) & set(ks.__all__)


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("call", CALLS)
def test_a_verb_gives_rows_words_a_table_and_a_figure(call, lang):
    with language(lang):
        result = CALLS[call]()
        assert isinstance(result, ks.Result)
        assert set(result.keys) <= set(result.rows.columns)
        assert isinstance(result.rows.index, pd.RangeIndex)
        assert result.title
        assert all(result.notes)
        assert "{" not in result.title + "".join(result.notes)
        table = result.table()
        assert len(table.cells) == len(result.rows)
        assert all(column.heading != column.key for column in table.columns)
        assert result._repr_mimebundle_()[MIME][0]["kind"] == "table"
        ax = result.plot()
        assert result.plot(ax) is ax
        ax.get_figure().canvas.draw()
        plt.close("all")
        assert result.note("x").notes[-1] == "x"


def test_inputs_are_left_alone():
    frames = {name: frame.copy() for name, frame in {"a": AGENCIES, "c": COUNTS, "w": WORK}.items()}
    for call in ("rate_agencies", "rank_766", "compliance_cost"):
        CALLS[call]()
    for name, frame in {"a": AGENCIES, "c": COUNTS, "w": WORK}.items():
        pd.testing.assert_frame_equal(frame, frames[name])
