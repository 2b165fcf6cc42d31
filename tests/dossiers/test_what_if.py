"""Scenarios: planted truths of small queues, identities, faults of the call, and a log that cannot answer."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from khaosat.domain.calendar import WorkCalendar
from khaosat.dossiers import bottlenecks, what_if
from khaosat.dossiers.frames import example_steps, log_from_frames
from khaosat.errors import KhaosatError
from khaosat.sample.clock import OfficeClock
from khaosat.stats.queue_network import fifo_waits

DAY = 8 * 3600
QUEUE, OPINION = "Thẩm định", "Lấy ý kiến phối hợp"
HIRED = {"more_officers": 1, "step": QUEUE}


def planted(*, n: int = 1000, servers: int = 2, load: float = 0.95, seed: int = 1, hide_queue: bool = False,
            officers: bool = True, allowance: float = 3.0):  # fmt: skip
    """A city of one queue and one agency that is asked about every fifth dossier; the truth of every wait is known."""
    rng = np.random.default_rng(seed)
    clock = OfficeClock.of(WorkCalendar.vietnam(), first=dt.date(2026, 1, 5))
    work = rng.gamma(2.0, 0.25 * DAY, n)
    arrived = np.sort(rng.uniform(0, n * work.mean() / (servers * load), n))
    waited = fifo_waits(arrived, work, servers=servers)
    asked = rng.random(n) < 0.2
    opinion = np.where(asked, rng.gamma(2.0, 2.0 * DAY, n), 0.0)
    begun = arrived + waited
    checked = begun + work
    ended = checked + opinion
    due = arrived + allowance * DAY

    def civil(moments):
        return pd.to_datetime(clock.civil(moments.astype(np.int64)), unit="s")

    ids = [f"D{i:05d}" for i in range(n)]
    dossiers = pd.DataFrame({
        "dossier_id": ids, "field": "Đất đai", "procedure": "1.01", "responsible_unit": "Phòng A", "status": "finished",
        "received_at": civil(arrived), "due_at": civil(due), "finished_at": civil(ended),
    })  # fmt: skip
    steps = pd.DataFrame({
        "dossier_id": ids, "seq": 1, "step": QUEUE, "unit": "Phòng A",
        "started_at": civil(arrived if hide_queue else begun), "finished_at": civil(checked),
        "officer": [f"cb{i % servers}" for i in range(n)] if officers else None,
    })  # fmt: skip
    opinions = pd.DataFrame({
        "dossier_id": ids, "seq": 2, "step": OPINION, "unit": "Sở B", "started_at": civil(checked),
        "finished_at": civil(ended), "officer": None,
    })[asked]  # fmt: skip
    steps = pd.concat([steps, opinions.astype(steps.dtypes.to_dict())], ignore_index=True)
    log = log_from_frames({"dossiers": dossiers, "steps": steps}, as_of=dt.datetime(2027, 12, 31, 23, 59, 59))
    return log, {"arrived": arrived, "work": work, "opinion": opinion, "due": due, "late": ended > due}


@pytest.fixture(scope="module")
def city():
    log, truth = planted()
    yield log, truth
    log.engine.close()


@pytest.fixture(scope="module")
def asked(city):
    scenarios = [
        HIRED, {"more_officers": 2, "step": QUEUE}, {"within_days": 2}, {"remove_step": OPINION}, {"arrivals": 1.02},
        {"arrivals": 0.7}, {"arrivals": 1.0}, {"legal_time": OPINION},
        {"name": "both", "changes": [HIRED, {"within_days": 2}]},
    ]  # fmt: skip
    return what_if(city[0], scenarios, replications=30)


def test_the_period_is_reproduced_and_its_servers_are_found(asked, city):
    assert asked.reproduced
    assert asked.stations[["unit", "step", "servers", "officers"]].to_numpy().tolist() == [["Phòng A", QUEUE, 2, 2]]
    assert asked.stations["explained"].iloc[0] > 0.99
    assert asked.rows.iloc[0]["observed"] == pytest.approx(city[1]["late"].mean())


def test_one_more_officer_avoids_what_it_truly_would(asked, city):
    truth = city[1]
    waits = fifo_waits(truth["arrived"], truth["work"], servers=3)
    late = truth["arrived"] + waits + truth["work"] + truth["opinion"] > truth["due"]
    # The truth of this very city lies in the intervals of what such cities do.
    row = asked.rows.iloc[1]
    assert row["low"] <= late.mean() <= row["high"]
    assert row["low_difference"] <= late.mean() - truth["late"].mean() <= row["high_difference"]
    assert row["verdict"] == "fewer"


def test_opinions_within_two_days_avoid_what_they_truly_would(asked, city):
    truth = city[1]
    waits = fifo_waits(truth["arrived"], truth["work"], servers=2)
    opinion = np.minimum(truth["opinion"], 2 * DAY)
    late = truth["arrived"] + waits + truth["work"] + opinion > truth["due"]
    assert asked.rows.iloc[3]["difference"] == pytest.approx(late.mean() - truth["late"].mean(), abs=0.015)


def test_more_help_is_never_worse(asked):
    rows = asked.rows
    assert rows["difference"].iloc[2] <= rows["difference"].iloc[1] <= 0
    assert rows["difference"].iloc[4] <= rows["difference"].iloc[3] <= 0  # no opinion at all, and within two days
    assert rows["difference"].iloc[9] <= min(rows["difference"].iloc[1], rows["difference"].iloc[3])
    assert rows["difference"].iloc[6] < 0 < rows["difference"].iloc[5]


def test_no_change_is_no_difference_to_the_last_digit(asked):
    row = asked.rows.iloc[7]
    assert [row["difference"], row["low_difference"], row["high_difference"], row["avoided"]] == [0, 0, 0, 0]
    assert row["verdict"] == "no_difference"


def test_the_rows_keep_their_identities(asked):
    rows = asked.rows
    assert np.allclose(rows["avoided"], -rows["n"] * rows["difference"])
    assert np.allclose(rows["estimate"] - rows["estimate"].iloc[0], rows["difference"])
    assert (rows["low"] <= rows["estimate"]).all()
    assert (rows["estimate"] <= rows["high"]).all()


def test_the_same_seed_gives_the_same_and_another_does_not(city):
    first, again, other = (what_if(city[0], HIRED, replications=20, seed=seed).rows["estimate"] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_a_legal_time_without_queues_is_what_bottlenecks_counts():
    log, _ = planted(n=400, servers=40, load=0.3)
    avoidable = bottlenecks(log).rows.set_index("step")["at_legal"]
    rows = what_if(log, [{"legal_time": OPINION}, {"legal_time": QUEUE}], replications=300).rows
    # Dossiers are drawn anew: four standard errors of the mean over 400 replications.
    for place, step in ((1, OPINION), (2, QUEUE)):
        spread = 4 * np.sqrt(max(avoidable[step], 1) / 400)
        assert rows["avoided"].iloc[place] == pytest.approx(avoidable[step], abs=spread)
    log.engine.close()


def test_a_log_that_hides_its_queue_says_nothing_on_officers():
    log, _ = planted(n=400, hide_queue=True)
    found = what_if(log, [HIRED, {"arrivals": 1.3}, {"more_officers": 0, "step": QUEUE}], replications=20)
    assert found.rows["verdict"].tolist() == ["base", "no_queue", "no_queue", "no_difference"]
    assert found.rows["difference"].isna().tolist() == [False, True, True, False]
    assert any("hàng chờ" in note for note in found.notes)
    log.engine.close()


def test_a_period_that_is_not_reproduced_is_not_judged(city, monkeypatch):
    from khaosat.dossiers import scenario_trace

    monkeypatch.setattr(scenario_trace, "fitted_servers", lambda *_, **__: (1, 1.0))  # far too few
    found = what_if(city[0], [HIRED, {"within_days": 2}], replications=20)
    assert not found.reproduced
    assert found.rows["verdict"].tolist() == ["base", "not_reproduced", "not_reproduced"]
    assert found.rows["difference"].iloc[1:].isna().all()
    assert found.rows["estimate"].iloc[0] > found.rows["observed"].iloc[0] + 0.1
    assert "chưa tái hiện được" in found.finding()


def test_officers_who_are_not_recorded_are_one_dossier_each():
    log, _ = planted(n=600, officers=False)
    found = what_if(log, HIRED, replications=20)
    assert found.stations["officers"].tolist() == [0]
    assert any("không ghi tên cán bộ" in note for note in found.notes)
    log.engine.close()


def test_a_file_of_scenarios_is_a_list_of_them(city, tmp_path):
    file = tmp_path / "kich-ban.toml"
    file.write_text('[[scenario]]\nname = "Thêm người"\nmore_officers = 1\nstep = "thẩm định "\n\n'
                    '[[scenario]]\n[[scenario.changes]]\nwithin_days = 2\n', encoding="utf-8")  # fmt: skip
    found = what_if(city[0], file, replications=20)
    same = what_if(city[0], [{"name": "Thêm người", **HIRED}, {"within_days": 2}], replications=20)
    pd.testing.assert_frame_equal(found.rows, same.rows)
    assert found.rows["scenario"].iloc[1] == "Thêm người"


def test_all_faults_are_said_at_once_with_the_nearest_names(city):
    wrong = [
        {"remove_step": "Tham dinh"}, {"within_day": 3}, {"more_officers": 1}, {"arrivals": "nhiều"},
        {"more_officers": 0.5, "step": QUEUE}, {"legal_time": QUEUE, "unit": "Sở B"},
        {"within_days": 2, "unit": "Sở C"},
        {"arrivals": 1.1, "step": QUEUE}, {"arrivals": True}, {"within_days": float("nan")}, "x",
        {"changes": 3}, {"changes": [], "arrivals": 2}, {"remove_step": QUEUE, "step": QUEUE}, {},
    ]  # fmt: skip
    with pytest.raises(KhaosatError) as told:
        what_if(city[0], wrong)
    lines = str(told.value).splitlines()[1:]
    for nth in range(1, len(wrong) + 1):
        assert any(f"kịch bản {nth}:" in line for line in lines), nth
    assert "gần giống: “Thẩm định”" in lines[0]
    assert any("within_day; gần giống: “within_days”" in line for line in lines)
    assert any("“Sở B”" in line and "“Sở C”" in line for line in lines)


@pytest.mark.parametrize("text", ["[[scenario", "", "x = 1\n", "[scenario]\narrivals = 2\n"])
def test_a_file_that_holds_no_scenarios_is_refused(city, tmp_path, text):
    file = tmp_path / "kich-ban.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KhaosatError, match="kich-ban.toml"):
        what_if(city[0], file)
    with pytest.raises(KhaosatError, match="absent"):
        what_if(city[0], tmp_path / "absent.toml")


def test_what_is_no_scenario_is_refused_and_a_file_of_a_windows_editor_is_read(city, tmp_path):
    for nothing in (None, 3):
        with pytest.raises(KhaosatError, match="give a dict, a list of dicts or a TOML file"):
            what_if(city[0], nothing)
    with pytest.raises(KhaosatError, match="kịch bản 1: changes không nêu thay đổi nào"):
        what_if(city[0], {"changes": []})
    with pytest.raises(KhaosatError, match="kịch bản Như hiện nay: tên bị dùng hai lần"):  # the row of the base
        what_if(city[0], {"name": "Như hiện nay", **HIRED})
    file = tmp_path / "kich-ban.toml"
    file.write_text("[[scenario]]\nwithin_days = 2\n", encoding="utf-8-sig")
    assert len(what_if(city[0], file, replications=20).rows) == 2


def test_wrong_numbers_of_the_call_are_refused(city):
    with pytest.raises(KhaosatError, match="replications is 5.*tolerance is 2.*level is 1"):
        what_if(city[0], HIRED, replications=5, tolerance=2, level=1)


def test_a_period_without_dossiers_and_a_log_without_late_ones():
    log = example_steps()
    empty = what_if(log, {"arrivals": 2}, period="2020-Q1", replications=20)
    assert empty.rows["estimate"].isna().all()
    assert empty.rows["n"].tolist() == [0, 0]
    assert empty.table().cells
    calm = what_if(log, [], replications=20)
    assert calm.rows[["observed", "estimate", "difference"]].to_numpy().tolist() == [[0, 0, 0]]
    log.engine.close()


def test_table_and_figure_say_it_in_vietnamese(asked):
    import matplotlib.pyplot as plt

    found = asked
    words = " ".join(str(cell) for row in found.table().cells for cell in row)
    assert "Ít hồ sơ trễ hạn hơn" in words
    assert "Như hiện nay" in words
    ax = found.plot()
    assert found.finding()[:40] in ax.get_title(loc="left").replace("\n", " ")
    assert len(ax.get_yticklabels()) == len(found.rows) - 1
    plt.close(ax.figure)
