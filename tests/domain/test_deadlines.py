"""The rules of deadlines by date, and the three deadlines of single dossiers by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from khaosat.domain.calendar import WorkCalendar
from khaosat.domain.deadlines import Change, three_deadlines
from khaosat.domain.rules import deadline_rules, rule_days, rule_in_force
from khaosat.errors import FactsError
from khaosat.facts import locate
from khaosat.facts.language import language

CALENDAR = WorkCalendar.vietnam()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


RECEIVED, DUE = at("2026-03-02 08:00"), at("2026-03-09 17:00")  # Monday, five working days
AS_OF = at("2026-06-30 23:59:59")


def found(supplements=(), changes=(), *, received=RECEIVED, due=DUE, closed=None):
    return three_deadlines(
        received, due, as_of=AS_OF, closed_at=closed, calendar=CALENDAR,
        supplements=[(at(a), None if b is None else at(b)) for a, b in supplements],
        changes=[Change(at(c), at(n), None if s is None else at(s)) for c, n, s in changes],
    )  # fmt: skip


def test_without_supplement_and_re_appointment_all_are_the_first_appointment():
    three = found()
    assert three.original == three.effective == three.portal == DUE
    assert (three.rule, three.portal_rule) == ("nd118_2025", "qd766_2022")
    assert (three.effective_reason, three.portal_reason) == ("none", "none")


@pytest.mark.parametrize(
    ("asked", "done", "effective", "reason", "portal"),
    [
        # within three working days: five working days from the day of completion, at the hour of the appointment
        ("2026-03-05 16:00", "2026-03-12 09:00", "2026-03-19 17:00", "restart", "2026-03-16 10:00"),
        # on the fourth: too late, the first appointment stands; the portal takes the wait off all the same
        ("2026-03-06 08:00", "2026-03-12 09:00", "2026-03-09 17:00", "request_not_counted", "2026-03-15 18:00"),
        # completed on a Saturday: the term begins with Monday
        ("2026-03-03 08:00", "2026-03-07 09:00", "2026-03-13 17:00", "restart", "2026-03-13 18:00"),
        # completed before it was asked: no wait
        ("2026-03-04 08:00", "2026-03-03 09:00", "2026-03-09 17:00", "request_not_counted", "2026-03-09 17:00"),
        # never answered: goes on to the snapshot
        ("2026-03-04 08:00", None, "2026-07-07 17:00", "restart", "2026-07-06 08:59:59"),
    ],
)
def test_one_supplement(asked, done, effective, reason, portal):
    three = found([(asked, done)])
    assert three.effective == at(effective)
    assert three.effective_reason == reason
    assert three.portal == at(portal)
    assert three.portal_reason == "pause"


def test_a_second_request_restarts_nothing_and_is_overdue_on_the_portal_at_once():
    three = found([("2026-03-03 08:00", "2026-03-04 08:00"), ("2026-03-05 10:00", "2026-03-20 10:00")])
    assert three.effective == at("2026-03-11 17:00")
    assert three.portal == at("2026-03-05 10:00")
    assert three.portal_reason == "second_request"


def test_requests_before_reception_or_after_the_end_do_not_count():
    three = found([("2026-03-01 08:00", "2026-03-03 08:00"), ("2026-03-20 08:00", None)], closed=at("2026-03-10 09:00"))
    assert three.effective == three.portal == DUE


def test_a_wait_ends_with_the_dossier():
    three = found([("2026-03-03 08:00", None)], closed=at("2026-03-24 08:00"))
    assert three.portal == DUE + dt.timedelta(days=21)
    assert three.effective == at("2026-03-31 17:00")


@pytest.mark.parametrize(
    ("changed", "new", "sent", "effective", "reason"),
    [
        ("2026-03-06 09:00", "2026-03-16 17:00", "2026-03-06 10:00", "2026-03-16 17:00", "extension"),
        # notice on the due day, no apology, an apology too late, a date that is no later
        ("2026-03-09 09:00", "2026-03-16 17:00", "2026-03-09 10:00", "2026-03-09 17:00", "extension_not_counted"),
        ("2026-03-06 09:00", "2026-03-16 17:00", None, "2026-03-09 17:00", "extension_not_counted"),
        ("2026-03-06 09:00", "2026-03-16 17:00", "2026-03-09 08:00", "2026-03-09 17:00", "extension_not_counted"),
        ("2026-03-06 09:00", "2026-03-09 17:00", "2026-03-06 10:00", "2026-03-09 17:00", "extension_not_counted"),
    ],
)
def test_one_re_appointment(changed, new, sent, effective, reason):
    three = found(changes=[(changed, new, sent)])
    assert three.effective == at(effective)
    assert three.effective_reason == reason
    assert three.portal == DUE


def test_only_the_first_re_appointment_counts_and_it_may_follow_a_restart():
    first, second = ("2026-03-06 09:00", "2026-03-16 17:00"), ("2026-03-12 09:00", "2026-03-30 17:00")
    three = found(changes=[(*second, second[0]), (*first, first[0])])
    assert three.effective == at("2026-03-16 17:00")
    three = found(
        [("2026-03-03 08:00", "2026-03-04 08:00")], [("2026-03-10 09:00", "2026-03-20 17:00", "2026-03-10 09:00")]
    )
    assert three.effective == at("2026-03-20 17:00")  # a day before the restarted 11/3, after the original 9/3
    assert three.effective_reason == "restart_extension"


def test_a_term_within_a_day_keeps_its_length_in_hours():
    three = found([("2026-03-02 09:00", "2026-03-03 08:00")], due=at("2026-03-02 10:30"))
    assert three.effective == at("2026-03-03 10:30")


def test_before_there_were_rules_the_first_appointment_stands():
    three = found(
        [("2018-06-21 08:00", "2018-06-25 08:00")], received=at("2018-06-20 08:00"), due=at("2018-06-27 17:00")
    )
    assert three.effective == three.portal == three.original
    assert (three.rule, three.effective_reason, three.portal_reason) == (None, "no_rule", "no_rule")


@pytest.mark.parametrize(
    ("deadline", "day", "rule"),
    [
        ("effective", dt.date(2018, 6, 20), None),
        ("effective", dt.date(2018, 6, 21), "nd61_2018"),
        ("effective", dt.date(2025, 6, 30), "nd61_2018"),
        ("effective", dt.date(2025, 7, 1), "nd118_2025"),
        ("portal", dt.date(2022, 7, 31), None),
        ("portal", dt.date(2022, 8, 1), "qd766_2022"),
    ],
)
def test_the_rule_is_the_one_in_force_on_the_day_of_reception(deadline, day, rule):
    known = rule_in_force(deadline_rules(), deadline, day)
    assert (known.id if known else None) == rule
    days = rule_days(deadline_rules()).set_index("day")
    told = days.loc[str(day), "rule" if deadline == "effective" else "portal_rule"]
    assert (told if isinstance(told, str) else None) == rule


def test_rules_say_what_they_are_in_both_languages():
    rule = deadline_rules()[0]
    assert (rule.name, rule.grade) == ("NĐ 61/2018", "A")
    with language("en"):
        assert rule.name == "Decree 61/2018"
        assert "restarts the term" in rule.label


def test_a_table_of_one_s_own_is_read_and_checked(tmp_path):
    built_in = locate("rules/deadline_rules.csv").read_text(encoding="utf-8")
    own = tmp_path / "rules.csv"
    own.write_text(built_in.replace("2025-07-01,,3,1,1", "2025-07-01,,5,2,0"), encoding="utf-8")
    changed = {rule.id: rule for rule in deadline_rules(own)}["nd118_2025"]
    assert (changed.supplement_days, changed.notice_days, changed.apology) == (5, 2, False)
    four_days = three_deadlines(RECEIVED, DUE, as_of=AS_OF, calendar=CALENDAR, rules=deadline_rules(own),
                                supplements=[(at("2026-03-06 08:00"), at("2026-03-12 09:00"))])  # fmt: skip
    assert four_days.effective == at("2026-03-19 17:00")
    own.write_text(
        built_in.replace("2025-06-30", "2025-07-02").replace("qd766_2022,portal", "qd766_2022,cổng"), encoding="utf-8"
    )
    with pytest.raises(FactsError, match="cổng[\\s\\S]*nd61_2018"):
        deadline_rules(own)
