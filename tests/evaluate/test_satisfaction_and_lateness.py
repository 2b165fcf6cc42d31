"""Satisfaction and the lateness of one's own dossier: who is linked, what is estimated, planted and refused."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.survey import Design, Survey
from khaosat.dossiers.frames import log_from_frames
from khaosat.errors import DataError
from khaosat.evaluate import satisfaction_and_lateness
from khaosat.evaluate.lateness_model import knots_for
from khaosat.evaluate.linkage import link_dossiers
from khaosat.facts.language import language
from khaosat.survey import ordinal, replicates
from tests.sample.conftest import SAMPLE, moments, read
from tests.survey.surveys import questionnaire

CALENDAR = WorkCalendar.vietnam()
AS_OF = dt.datetime(2026, 9, 30, 23, 59, 59)


def city(seed: int, *, n: int = 240, slope: float = -0.15, late: float = 0.3):
    """Answers that fall with days late (logit), and the dossiers they are about."""
    rng = np.random.default_rng(seed)
    days = np.where(rng.random(n) < late, rng.integers(1, 15, n), 0)
    due = CALENDAR.add_working_days(np.full(n, "2026-06-01", dtype="M8[D]"), rng.integers(1, 20, n))
    end = np.where(days > 0, CALENDAR.add_working_days(due, days), due)
    supplements = rng.integers(0, 3, n)
    online = rng.random(n) < 0.5
    latent = slope * days - 0.3 * supplements + rng.logistic(size=n)
    ids = np.array([f"H99-{i:04d}" for i in range(n)])
    dossiers = pd.DataFrame({
        "dossier_id": ids, "due_at": pd.to_datetime(due) + pd.Timedelta(hours=17),
        "channel": np.where(online, "online", "direct"),
        "finished_at": pd.to_datetime(end) + pd.Timedelta(hours=10), "field": rng.choice(["Đất đai", "Hộ tịch"], n),
    })  # fmt: skip
    asked = pd.DataFrame({"dossier_id": np.repeat(ids, supplements)})
    frame = pd.DataFrame({"dossier_id": ids, "q": 1 + np.searchsorted([-3.0, -2.0, -1.0, 1.0], latent),
                          "c": rng.permutation(n) // 6, "w": rng.uniform(1, 5, n)})  # fmt: skip
    log = log_from_frames({"dossiers": dossiers, "supplements": asked}, as_of=AS_OF, calendar=CALENDAR)
    return Survey(responses=frame, design=Design(weights="w", clusters="c")), log, days


def test_linked_columns_are_those_of_the_dossiers():
    survey, log, days = city(1)
    linked = link_dossiers(survey, log, on="dossier_id", deadline="original").survey.responses
    np.testing.assert_array_equal(linked["working_days_late"], days)
    dossiers = log.engine.query("SELECT * FROM dossiers").to_pandas()
    assert linked["channel"].tolist() == dossiers["channel"].tolist()
    assert linked["field"].tolist() == dossiers["field"].tolist()
    counts = log.engine.query("SELECT dossier_id, count(*) AS n FROM supplements GROUP BY dossier_id").to_pandas()
    expected = survey.responses["dossier_id"].map(counts.set_index("dossier_id")["n"]).fillna(0)
    np.testing.assert_array_equal(linked["supplements"], expected)
    assert "linked" not in survey.responses


def test_reasons_for_not_being_linked_are_told_apart():
    survey, log, _ = city(1, n=60, late=0.6)
    dossiers = log.engine.query("SELECT * FROM dossiers").to_pandas()
    dossiers.loc[0, "finished_at"] = pd.NaT
    dossiers.loc[1, "due_at"] = pd.NaT
    twice = pd.concat([dossiers, dossiers.iloc[[2]]], ignore_index=True)
    changed = log_from_frames({"dossiers": twice}, as_of=AS_OF, calendar=CALENDAR)
    ids = survey.responses["dossier_id"].astype(object).copy()
    ids[3], ids[4], ids[5], ids[6] = None, "  ", "H00-none", f" {ids[6]} "
    answers = replace(survey, responses=survey.responses.assign(dossier_id=ids))
    counts = link_dossiers(answers, changed, on="dossier_id", deadline="original").counts
    assert dict(zip(counts["status"], counts["n"], strict=True)) == {
        "linked": 54, "no_id": 2, "unknown_id": 1, "ambiguous_id": 1, "open": 1, "no_due_date": 1,
    }  # fmt: skip


def test_the_engine_forgets_the_ids_and_gives_no_other_dossier():
    survey, log, _ = city(2)
    few = replace(survey, responses=survey.responses.head(50))
    asked = []
    query = log.engine.query

    class Spy:
        register, close = log.engine.register, log.engine.close

        def query(self, sql):
            asked.append(query(sql))
            return asked[-1]

    link_dossiers(few, replace(log, engine=Spy()), on="dossier_id", deadline="original")
    assert max(table.num_rows for table in asked) == 50
    assert query("SELECT count(*) AS n FROM asked_ids")["n"][0].as_py() == 0


def test_a_linear_effect_is_the_marginal_effect_of_ordinal():
    survey, log, _ = city(3)
    found = satisfaction_and_lateness(survey, log, outcome="q", at=[4, 5], shape="linear").rows.set_index("variable")
    linked = link_dossiers(survey, log, on="dossier_id", deadline="original").survey
    known = ordinal(linked, "q ~ working_days_late + supplements + channel").marginal_effects
    satisfied = known[known["level"].isin(["4", "5"])].groupby("variable", sort=False)["estimate"].sum()
    for variable in ("working_days_late", "supplements", "channel"):
        row = found.loc[[variable]].iloc[0]
        assert row["estimate"] == pytest.approx(satisfied[variable], rel=1e-6)


def test_standardisation_equals_predictions_of_statsmodels():
    """Unweighted: P(4 or 5) of everybody as it was and with no day late, from an independent fit."""
    survey, log, days = city(4, n=500)
    plain = Survey(responses=survey.responses)
    found = satisfaction_and_lateness(plain, log, outcome="q", at=[4, 5], shape="linear").on_time.set_index("quantity")
    linked = link_dossiers(plain, log, on="dossier_id", deadline="original").survey.responses
    x = np.column_stack([days, linked["supplements"], linked["channel"] == "online"]).astype(float)
    fit = OrderedModel(linked["q"], x, distr="logit").fit(method="bfgs", disp=False, maxiter=500)
    now, then = (1 - fit.predict(exog=given)[:, 3:].sum(axis=1).mean() for given in (x, x * [0, 1, 1]))
    expected = [now, then, now - then, (now - then) / now]
    np.testing.assert_allclose(found["estimate"], expected, atol=2e-4)
    assert found.index.tolist() == ["as_it_is", "on_time", "difference", "fraction"]


@pytest.mark.parametrize("shape", ["linear", "spline"])
def test_standard_errors_are_near_those_of_the_jackknife(shape):
    """A unit weighs nothing instead of being left out, so that the knots stay."""
    survey, log, _ = city(5, n=200)
    frame = survey.responses.assign(c=survey.responses["c"] // 2)

    def found(weights):
        asked = Survey(responses=frame.assign(w=weights), design=survey.design)
        result = satisfaction_and_lateness(asked, log, outcome="q", at=[4, 5], shape=shape)
        return result, [*result.rows["estimate"], *result.on_time["estimate"]]

    whole, _ = found(frame["w"])
    units = frame["c"].unique()
    again = np.array([found(frame["w"].where(frame["c"] != unit, 1e-9))[1] for unit in units])
    se = np.sqrt((len(units) - 1) * again.var(axis=0))
    np.testing.assert_allclose([*whole.rows["se"], *whole.on_time["se"]], se, rtol=0.25)


def test_the_planted_effect_of_the_committed_sample_is_recovered():
    """All four waves; the truth follows from truth.json: factors move with ln(1 + days), the whole with the factors."""
    table = read(SAMPLE, "HoSo").drop_duplicates("MaHoSo")
    moved = pd.concat([read(SAMPLE, name) for name in ("DanhSachHoSoBoSung", "LichSuHenTra")])
    first = moments(moved["NgayHenTraTruoc"]).groupby(moved["MaHoSo"]).min()
    due = pd.to_datetime(
        table["NgayHenTra"].where(table["NgayHenTra"].str.len() == 14), format="%Y%m%d%H%M%S", errors="coerce"
    )
    dossiers = pd.DataFrame({
        "dossier_id": table["MaHoSo"], "due_at": due, "first_due_at": table["MaHoSo"].map(first).fillna(due),
        "finished_at": pd.to_datetime(table["NgayKetThucXuLy"], format="%Y%m%d%H%M%S", errors="coerce"),
        "channel": table["KenhThucHien"],
    })  # fmt: skip
    log = log_from_frames({"dossiers": dossiers, "supplements": read(SAMPLE, "DanhSachHoSoBoSung").rename(
        columns={"MaHoSo": "dossier_id"})[["dossier_id"]]}, as_of=AS_OF, calendar=CALENDAR)  # fmt: skip
    files = sorted((SAMPLE / "survey").glob("khao-sat-*"))
    waves = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in files], ignore_index=True)
    waves["whole"] = pd.to_numeric(waves["s_overall"]).where(waves["s_overall"].isin(list("12345")))
    waves = waves.assign(h=waves["wave"] + waves["stratum"], weight=waves["weight"].astype(float))
    survey = Survey(responses=waves, design=Design(weights="weight", strata="h", clusters="psu", nest=True))
    found = satisfaction_and_lateness(survey, log, outcome="whole", at=[4, 5], link="probit")

    planted = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["planted"]["survey"]
    loading = 0.8  # facts/sample/city.toml; what was felt of a factor is the mean of its four items
    felt = loading / np.sqrt(loading**2 + (1 - loading**2) / 4)
    slope = felt * sum(planted["drivers"][name] * effect for name, effect in planted["lateness"].items())
    days = link_dossiers(survey, log, on="dossier_id", deadline="original").survey.responses["working_days_late"]
    days = days[days > 0].to_numpy()
    on_time = found.curve["estimate"].iloc[0]
    truth = (norm.cdf(norm.ppf(on_time) + slope * np.log1p(days)) - on_time).mean() * (1 - planted["straight_liners"])
    row = found.rows.set_index("contrast").loc["late - on_time"]
    assert row["low"] < truth < row["high"] < 0
    assert abs(row["estimate"] - truth) < 1.5 * row["se"]


def test_shuffled_dossiers_show_nothing():
    survey, log, _ = city(6, n=600)
    ids = np.random.default_rng(1).permutation(survey.responses["dossier_id"])
    shuffled = replace(survey, responses=survey.responses.assign(dossier_id=ids))
    there, not_there = (satisfaction_and_lateness(s, log, outcome="q", at=[4, 5]) for s in (survey, shuffled))
    assert there.rows["p_value"].iloc[1] < 1e-4
    assert not_there.rows["p_value"].iloc[1] > 0.05
    assert not_there.on_time["low"].iloc[3] < 0 < not_there.on_time["high"].iloc[3]


def test_weights_and_replicates_count():
    survey, log, _ = city(7)
    even = Survey(responses=survey.responses, design=Design(clusters="c"))
    a, b, c = (satisfaction_and_lateness(s, log, outcome="q", at=[4, 5], shape="linear").rows
               for s in (survey, even, replicates(survey)))  # fmt: skip
    assert not np.allclose(a["estimate"], b["estimate"])
    np.testing.assert_allclose(a["estimate"], c["estimate"])
    np.testing.assert_allclose(a["se"], c["se"], rtol=0.05)


def test_adjusting_for_a_column_of_the_dossier_changes_the_answer_and_the_words():
    survey, log, _ = city(8)
    plain, held = (satisfaction_and_lateness(survey, log, outcome="q", at=[4, 5], adjust=adjust)
                   for adjust in ((), ("field",)))  # fmt: skip
    assert held.rows["variable"].tolist() == ["working_days_late"] * 2 + ["supplements", "channel", "field"]
    assert plain.rows["estimate"].iloc[1] != held.rows["estimate"].iloc[1]
    assert held.table().cells[-1][0].endswith("Hộ tịch so với Đất đai")


def test_curve_starts_at_the_share_on_time_and_falls():
    survey, log, _ = city(9, n=600)
    found = satisfaction_and_lateness(survey, log, outcome="q", at=[4, 5])
    assert found.knots[0] == 0.0
    assert len(found.knots) == 4
    curve = found.curve
    assert curve["estimate"].iloc[0] == pytest.approx(1 - found.on_time["estimate"].iloc[1], abs=1e-9)
    assert curve["estimate"].iloc[-1] < curve["estimate"].iloc[0] - 0.2
    assert curve["respondents"].sum() == found.rows["n"].iloc[0]
    line = found.plot().get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), 100 * curve["estimate"])


def test_knots_need_three_different_numbers():
    assert knots_for(np.array([0.0, 1, 1, 1])) == ()
    assert knots_for(np.zeros(5)) == ()
    assert knots_for(np.repeat(np.arange(11.0), 20)) == (0.0, 4.0, 7.0, 10.0)


def test_the_unlinked_are_compared_and_percentage_points_are_printed():
    survey, log, _ = city(10, n=400)
    frame = survey.responses.rename(columns={"q": "overall"})
    frame["complained"] = np.arange(400) % 2 + 1
    frame.loc[frame["complained"] == 1, "dossier_id"] = np.where(np.arange(200) % 4 > 0, None, frame["dossier_id"][::2])
    asked = replace(survey, responses=frame, questionnaire=questionnaire(overall="overall"))
    found = satisfaction_and_lateness(asked, log)
    rows = found.unlinked
    assert rows["variable"].tolist() == ["overall", "complained", "complained"]
    assert rows["p_adjusted"].iloc[1] < 0.001
    assert rows["estimate_a"].iloc[1] == pytest.approx(0.2, abs=0.06)
    cell = found.table().cells[1]
    assert cell[0] == "Hồ sơ trễ: thực tế so với khi đúng hạn"
    assert float(cell[1].replace(",", ".").replace("−", "-")) == pytest.approx(
        100 * found.rows["estimate"].iloc[1], abs=0.05
    )
    assert any("không phải quan hệ nhân quả" in note for note in found.notes)
    assert any("5.4" in note for note in found.notes)
    assert not any("direct" in note for note in found.notes)


def test_what_cannot_be_done_is_told_in_words():
    survey, log, _ = city(11)
    with language("en"):
        with pytest.raises(DataError, match="no question on satisfaction as a whole"):
            satisfaction_and_lateness(survey, log)
        with pytest.raises(DataError, match="list them in at"):
            satisfaction_and_lateness(survey, log, outcome="q")
        with pytest.raises(DataError, match="Column file is not in the responses"):
            satisfaction_and_lateness(survey, log, outcome="q", at=[4], on="file")
        strangers = replace(survey, responses=survey.responses.assign(dossier_id="X"))
        with pytest.raises(DataError, match="No link between survey and log: 240 respondents"):
            satisfaction_and_lateness(strangers, log, outcome="q", at=[4])
        nobody = replace(survey, responses=survey.responses.assign(dossier_id=None))
        with pytest.raises(DataError, match="No link between survey and log: 0 respondents"):
            satisfaction_and_lateness(nobody, log, outcome="q", at=[4])
        few, prompt, _ = city(11, late=0.02)
        with pytest.raises(DataError, match="at least 10 are needed"):
            satisfaction_and_lateness(few, prompt, outcome="q", at=[4])
        with pytest.raises(DataError, match="none or all of them satisfied"):
            satisfaction_and_lateness(survey, log, outcome="q", at=[1, 2, 3, 4, 5])
        with pytest.raises(DataError, match="use spline, linear"):
            satisfaction_and_lateness(survey, log, outcome="q", at=[4], shape="cubic")


def test_a_log_without_channels_and_supplements_and_rare_channels():
    survey, log, _ = city(12)
    dossiers = log.engine.query("SELECT * FROM dossiers").to_pandas()
    bare = log_from_frames({"dossiers": dossiers.drop(columns="channel")}, as_of=AS_OF, calendar=CALENDAR)
    with language("en"):
        found = satisfaction_and_lateness(survey, bare, outcome="q", at=[4, 5])
        assert set(found.rows["variable"]) == {"working_days_late"}
        assert any(note.startswith("Left out") and "channel" in note for note in found.notes)
    dossiers.loc[[0, 1], "channel"] = ["post", "email"]
    rare = log_from_frames({"dossiers": dossiers}, as_of=AS_OF, calendar=CALENDAR)
    contrasts = satisfaction_and_lateness(survey, rare, outcome="q", at=[4, 5]).rows["contrast"].tolist()
    assert "other - direct" in contrasts
    assert "post - direct" not in contrasts
