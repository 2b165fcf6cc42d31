"""`unit_panel`: a planted link of lateness and later dissatisfaction, its placebo, weights, and too little data."""

import datetime as dt

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import khaosat as ks
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import DataError, KhaosatError

QUARTERS = ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1"]
UNITS = [f"u{i:02d}" for i in range(40)]
PER_CELL = 60


@pytest.fixture(autouse=True)
def english():
    with ks.language("en"):
        yield


def late_shares(seed=11):
    return np.random.default_rng(seed).uniform(0.05, 0.55, size=(len(UNITS), len(QUARTERS)))


def log_of(shares):
    """In every quarter and unit so many dossiers, of which the given share is late, to the nearest dossier."""
    frames = []
    for q, quarter in enumerate(QUARTERS):
        start = ks.Period(quarter).start
        late = (np.arange(PER_CELL) < np.round(shares[:, [q]] * PER_CELL)).ravel()
        received = pd.Timestamp(start) + pd.Timedelta(days=5)
        frames.append(pd.DataFrame({
            "responsible_unit": np.repeat(UNITS, PER_CELL), "received_at": received,
            "due_at": received + pd.Timedelta(days=10), "status": "finished",
            "finished_at": received + pd.to_timedelta(np.where(late, 20, 5), unit="D"),
        }))  # fmt: skip
    dossiers = pd.concat(frames, ignore_index=True)
    dossiers["dossier_id"] = [f"H{i}" for i in range(len(dossiers))]
    return log_from_frames({"dossiers": dossiers}, as_of=dt.datetime(2026, 4, 1))


def surveys(shares, *, slope=-0.6, seed=21, people=50, lag=1):
    """Answers whose share satisfied falls with lateness of the quarter before."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.9, 0.03, size=len(UNITS))
    found = {}
    for q in range(1, len(QUARTERS)):
        satisfied = np.clip(own + slope * shares[:, q - lag] * (q - lag >= 0), 0.02, 0.98)
        answers = np.where(rng.random((len(UNITS), people)) < satisfied[:, None], 4, 2)
        found[QUARTERS[q]] = ks.Survey(responses=pd.DataFrame({
            "responsible_unit": np.repeat(UNITS, people), "q": answers.ravel(), "w": rng.uniform(1, 2, answers.size)
        }), design=ks.Design(weights="w"))  # fmt: skip
    return found


def ask(waves, log, **options):
    return ks.unit_panel(waves, log, outcome="q", at=[4, 5], **options)


def test_lateness_before_is_found_and_the_placebo_is_not():
    shares = late_shares()
    result = ask(surveys(shares), log_of(shares))
    found = result.rows.set_index(["lag", "correction"])
    before = found.loc[("before", "none")]
    assert before["low"] < -0.6 < before["high"] < -0.3
    assert (before["n"], before["units"], before["df"]) == (160, 40, 39)
    assert found.loc[("after", "none"), "p_value"] > 0.01
    corrected = found.loc[("before", "noise")]
    assert corrected["estimate"] < before["estimate"]
    assert 0.8 < corrected["reliability"] < 1


def test_cells_are_what_the_other_verbs_count():
    shares = late_shares()
    log, waves = log_of(shares), surveys(shares)
    cells = ask(waves, log).cells.set_index(["unit", "wave"])
    known = ks.on_time(log, period="2025-Q2", by="responsible_unit").rows.set_index("responsible_unit")
    assert cells.loc[("u03", "2025-Q3"), "before"] == known.loc["u03", "estimate"]
    assert cells.loc[("u03", "2025-Q2"), "same"] == known.loc["u03", "estimate"]
    assert cells.loc[("u03", "2025-Q3"), "before_n"] == PER_CELL
    satisfied = ks.proportion(waves["2025-Q3"], "q", at=[4, 5], by="responsible_unit").rows.set_index(
        "responsible_unit"
    )
    assert cells.loc[("u03", "2025-Q3"), "satisfied"] == pytest.approx(satisfied.loc["u03", "estimate"])


def test_the_slope_equals_a_weighted_regression_with_dummies():
    import statsmodels.api as sm

    shares = late_shares()
    result = ask(surveys(shares), log_of(shares))
    cells = result.cells
    dummies = pd.get_dummies(cells[["unit", "wave"]], drop_first=True, dtype=float)
    x = sm.add_constant(pd.concat([cells[["before", "same"]], dummies], axis=1))
    known = sm.WLS(cells["satisfied"], x, weights=cells["effective"]).fit()
    rows = result.rows[result.rows["correction"] == "none"].set_index("lag")["estimate"]
    assert rows[["before", "same"]].to_dict() == pytest.approx(known.params[["before", "same"]].to_dict())


def test_weights_change_the_answer_and_order_does_not():
    shares = late_shares()
    log, waves = log_of(shares), surveys(shares)
    first = ask(waves, log).rows
    plain = ask({wave: ks.Survey(responses=one.responses) for wave, one in waves.items()}, log).rows
    shuffled = {wave: ks.Survey(responses=one.responses.sample(frac=1, random_state=3), design=one.design)
                for wave, one in reversed(waves.items())}  # fmt: skip
    assert plain["estimate"][0] != pytest.approx(first["estimate"][0], rel=1e-6)
    pd.testing.assert_frame_equal(ask(shuffled, log).rows, first)


def test_waves_may_say_their_quarter_themselves():
    shares = late_shares()
    log, waves = log_of(shares), surveys(shares)
    named = [ks.Survey(responses=one.responses.assign(wave=wave), design=one.design) for wave, one in waves.items()]
    pd.testing.assert_frame_equal(ask(named, log).rows, ask(waves, log).rows)
    with pytest.raises(DataError, match="does not say its quarter"):
        ask(list(waves.values()), log)
    with pytest.raises(DataError, match="At least two surveys"):
        ask({"2025-Q2": waves["2025-Q2"]}, log)
    with pytest.raises(KhaosatError, match="cannot group by"):
        ask(waves, log, by="ward")


def test_few_units_small_cells_and_nothing_late_are_said():
    shares = late_shares()
    log, waves = log_of(shares), surveys(shares)
    few = {
        wave: ks.Survey(responses=one.responses[one.responses["responsible_unit"] < "u08"])
        for wave, one in waves.items()
    }
    assert any("Fewer than 30 units" in note for note in ask(few, log).notes)
    nobody = ask(waves, log, least_dossiers=1000)
    assert nobody.rows["estimate"].isna().all()
    assert (nobody.rows["n_missing"] == 160).all()
    assert any("only 0 units" in note for note in nobody.notes)
    on_time = ask(waves, log_of(np.zeros_like(shares)))
    assert on_time.rows["estimate"].isna().all()
    for result in (nobody, on_time):
        assert len(result.table().cells) == 6


def test_table_and_figure():
    shares = late_shares()
    result = ask(surveys(shares), log_of(shares))
    assert result.table().cells[0][:2] == ("the quarter before", "none")
    ax = result.plot()
    assert "the next quarter (placebo)" in [label.get_text() for label in ax.get_yticklabels()]
    plt.close(ax.figure)
