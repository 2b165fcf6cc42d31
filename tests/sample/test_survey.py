"""The survey files: design, skip pattern, links to the log, and what was planted in the answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.questionnaire import load_questionnaire
from khaosat.sample.city import load_city
from khaosat.sample.draw import stream
from khaosat.sample.respondents import draw_sample

SIPAS = load_questionnaire("sipas_2023")
ITEMS = SIPAS.items(block="satisfaction")
FACTORS = ("access", "procedure", "officials", "result")


@pytest.fixture(scope="module")
def answers(waves) -> pd.DataFrame:
    """All waves with satisfaction answers as numbers (don't know and blanks missing), honest interviewers only."""
    frame = pd.concat(waves.values(), ignore_index=True)
    numbers = frame[ITEMS].apply(pd.to_numeric, errors="coerce")
    frame[ITEMS] = numbers.where(numbers.isin(range(1, 6)))
    return frame


def satisfied(frame: pd.DataFrame, items: list[str]) -> tuple[float, float]:
    """Weighted share of answers 4 and 5 of a factor, with its standard error from wards within strata."""
    weight = frame["weight"].astype(float)
    y = np.column_stack([frame[item].ge(4).where(frame[item].notna()) for item in items]).astype(float)
    mean = np.nanmean(y, axis=1)
    known = ~np.isnan(mean)
    share = np.average(mean[known], weights=weight[known])
    influence = pd.Series(np.where(known, weight * (np.nan_to_num(mean) - share), 0) / weight[known].sum())
    totals = influence.groupby([frame["stratum"].to_numpy(), frame["psu"].to_numpy()]).sum()
    variance = sum(len(h) * h.var() for _, h in totals.groupby(level=0))
    return share, np.sqrt(variance)


def test_stages_and_weights(waves):
    city = load_city(2026)
    adults = city.wards["population"].sum() * city.settings.number("survey.adults")
    for frame in waves.values():
        assert frame["response_id"].is_unique
        assert frame.groupby("psu")["stratum"].nunique().eq(1).all()
        assert frame.groupby("ssu")["psu"].nunique().eq(1).all()
        stage = frame.groupby("stratum")["psu"].nunique()
        assert stage.min() >= 2
        assert (stage < frame.groupby("stratum")["n_wards"].first().astype(int)).all()
        assert (frame.groupby("psu")["ssu"].nunique() == 2).all()
        assert frame["weight"].astype(float).sum() == pytest.approx(adults, rel=0.2)
        asked = frame.groupby("ssu")["ssu"].transform("size")
        people, villages = frame["n_people"].astype(float), frame["n_villages"].astype(float)
        m = frame["stratum"].map(stage)
        by_hand = frame["n_wards"].astype(float) / m * villages / 2 * people / asked
        assert by_hand.to_numpy() == pytest.approx(frame["weight"].astype(float).to_numpy(), rel=1e-4)


def test_strata_sizes_are_those_of_the_city(waves):
    sizes = load_city(2026).wards["stratum"].value_counts()
    for frame in waves.values():
        told = frame.groupby("stratum")["n_wards"].first().astype(int)
        assert told.to_dict() == sizes.to_dict()


@pytest.mark.parametrize("people", [7, 60, 1_200, 40_000])
def test_a_sample_of_any_size_has_that_many_people(people):
    sample = draw_sample(load_city(1), people=people, rng=stream(1, 99))
    assert len(sample) == people
    assert (sample.groupby(["ward", "village"]).size() <= sample.groupby(["ward", "village"])["n_people"].first()).all()


def test_a_survey_of_more_people_than_there_are_is_refused():
    with pytest.raises(ValueError, match="fewer answers"):
        draw_sample(load_city(1), people=8_000_000, rng=stream(1, 99))


def test_answers_are_on_the_scale_but_for_the_faults_listed(waves, truth):
    found = set()
    for wave, frame in waves.items():
        for item in ITEMS:
            allowed = {str(code) for code in (*SIPAS.levels(item), *SIPAS.dont_know(item))} | {""}
            wrong = np.flatnonzero(~frame[item].isin(allowed))
            found |= {(f"survey/khao-sat-{wave}.csv.gz", int(row) + 1, item, frame[item][row]) for row in wrong}
    listed = [row for row in truth["faults"]["rows"] if row["file"].startswith("survey")]
    assert found == {(row["file"], row["row"], row["column"], row["value"]) for row in listed}


def test_feedback_is_asked_only_of_those_who_gave_some(waves):
    items = SIPAS.items(factor="feedback")
    for frame in waves.values():
        gave = frame["gave_feedback"] == "1"
        assert 0.08 < gave.mean() < 0.2
        assert (frame.loc[~gave, items] == "").all(axis=None)
        assert (frame.loc[gave, items] != "").mean(axis=None) > 0.9


def test_missing_answers_and_satisfied_shares_are_ordinary(waves, answers):
    raw = pd.concat(waves.values())[SIPAS.items(part="service")[:15]]
    assert 0.01 < (raw == "9").mean(axis=None) < 0.06
    assert 0.005 < (raw == "").mean(axis=None) < 0.03
    shares = [answers[item].ge(4)[answers[item].notna()].mean() for item in ITEMS]
    assert 0.74 < min(shares) < max(shares) < 0.9


def test_links_are_to_dossiers_of_the_ward_in_the_last_year(waves, dossiers):
    known = dossiers.set_index("MaHoSo")
    for wave, frame in waves.items():
        linked = frame[frame["dossier_id"] != ""]
        assert 0.55 < len(linked) / len(frame) < 0.7
        assert linked["dossier_id"].is_unique
        assert (linked["used_service"] == "1").all()
        theirs = known.loc[linked["dossier_id"]]
        end = pd.Period(wave).end_time
        assert (theirs["NgayTiepNhan"] > end - pd.Timedelta(days=390)).all()
        assert (theirs["NgayKetThucXuLy"] < end).all()
        assert (theirs["TenLinhVuc"].to_numpy() == linked["field"].to_numpy()).all()
        assert (theirs["LoaiDoiTuong"] == "1").all()
        assert (frame.loc[frame["dossier_id"] == "", ["responsible_unit", "field"]] == "").all(axis=None)


def test_areas_differ_as_planted(answers):
    """Intraclass correlation of items by ward and wave: about 0.05."""
    found = []
    for item in SIPAS.items(part="service")[:15]:
        groups = answers.groupby(["wave", "psu"])[item]
        n, k = groups.count().mean(), groups.ngroups
        between = (groups.count() * (groups.mean() - answers[item].mean()) ** 2).sum() / (k - 1)
        within = ((groups.count() - 1) * groups.var()).sum() / (groups.count().sum() - k)
        found.append((between - within) / (between + (n - 1) * within))
    assert 0.025 < np.mean(found) < 0.08


def test_lateness_lowers_satisfaction_with_the_result(answers, dossiers, truth):
    late_days = dossiers.set_index("MaHoSo")["late"]
    linked = answers[answers["dossier_id"] != ""].assign(late=lambda d: d["dossier_id"].map(late_days).to_numpy())
    assert linked["late"].sum() == sum(wave["linked_late"] for wave in truth["waves"].values())
    means = linked.assign(
        result=linked[SIPAS.items(factor="result")].mean(axis=1),
        access=linked[SIPAS.items(factor="access")].mean(axis=1),
    ).groupby("late")[["result", "access"]]
    gap, se = means.mean().diff().loc[True], np.sqrt(means.var().div(means.count()).sum())
    assert gap["result"] < -3 * se["result"]
    assert abs(gap["access"]) < 3 * se["access"]


def test_drivers_of_satisfaction_rank_as_planted_and_the_null_driver_is_null(answers, truth):
    x = pd.DataFrame({name: answers[SIPAS.items(factor=name)].mean(axis=1) for name in FACTORS})
    complete = pd.concat([x, answers[SIPAS.overall_of("service")].rename("y")], axis=1).dropna()
    matrix = np.column_stack([np.ones(len(complete)), complete[list(FACTORS)]])
    found = dict(zip(FACTORS, np.linalg.lstsq(matrix, complete["y"], rcond=None)[0][1:], strict=True))
    planted = truth["planted"]["survey"]["drivers"]
    assert (
        sorted(found, key=found.get)
        == sorted(FACTORS, key=planted.get)
        == ["access", "officials", "procedure", "result"]
    )
    assert abs(found["access"]) < 0.08
    assert found["result"] == pytest.approx(planted["result"], abs=0.1)


def test_one_change_between_waves_is_real_and_one_is_not(answers, truth):
    improved = truth["planted"]["survey"]["improvement"]
    null = truth["planted"]["survey"]["null_change"]
    waves = sorted(answers["wave"].unique())
    before, after = waves[waves.index(improved["wave"]) - 1], improved["wave"]
    change = {}
    for name in (improved["factor"], null["factor"]):
        (p1, se1), (p2, se2) = (
            satisfied(answers[answers["wave"] == wave].reset_index(drop=True), SIPAS.items(factor=name))
            for wave in (before, after)
        )
        change[name] = (p2 - p1) / np.hypot(se1, se2)
    assert change[improved["factor"]] > 2
    assert abs(change[null["factor"]]) < 2


def test_the_copier_is_found_by_equal_answers(waves, truth):
    planted = truth["planted"]["survey"]["copier"]
    for wave, frame in waves.items():
        frame = frame.set_index("response_id")
        copies = truth["waves"][wave]["copies"]
        assert len(copies) > 30
        assert set(frame.loc[list(copies), "interviewer"]) == {planted["interviewer"]}
        same = np.array([(frame.loc[a, ITEMS] == frame.loc[b, ITEMS]).mean() for a, b in copies.items()])
        assert same.mean() > 0.95
        honest = frame[frame["interviewer"] != planted["interviewer"]]
        others = (honest[ITEMS].to_numpy()[:-1] == honest[ITEMS].to_numpy()[1:]).mean(axis=1)
        assert np.quantile(others, 0.95) < same.min()


def test_straight_liners_are_those_listed(waves, truth):
    share = []
    for wave, frame in waves.items():
        answered = frame.set_index("response_id")[ITEMS].apply(pd.to_numeric, errors="coerce")
        answered = answered.where(answered.isin(range(1, 6)))
        flat = answered.min(axis=1) == answered.max(axis=1)
        listed = truth["waves"][wave]["straight_liners"]
        assert flat[listed].all()
        share.append(len(listed) / len(frame))
        assert flat.sum() < 2 * len(listed)
    assert np.mean(share) == pytest.approx(truth["planted"]["survey"]["straight_liners"], abs=0.01)
