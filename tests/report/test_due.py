"""The unattended job: what is due when, what becomes of each report, and who is told."""

import datetime as dt
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import filelock
import pytest

from khaosat import cli
from khaosat.errors import DataError, WorkspaceError
from khaosat.report import due as due_module
from khaosat.report.due import JOURNAL, STATUS, ZONE, Status, due, run_due, words
from khaosat.report.notify import check_notify, notify
from khaosat.report.outputs import damage
from khaosat.report.runner import FILES, MANIFEST
from khaosat.workspace import Workspace
from tests.report.test_runner import TABLE, write_notebook
from tests.test_workspace import CITY

SCHEDULE = '[schedule]\nquarterly = ["nho"]\nmonthly = []\nwait = 3\ncatch_up = 1\ningest = false\n'


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


def workspace(root, more=SCHEDULE, code=TABLE):
    (root / "khaosat.toml").write_text(CITY + more, encoding="utf-8")
    write_notebook(root, code)
    return Workspace.find(root)


def at(day):
    return lambda: dt.datetime.combine(dt.date.fromisoformat(day), dt.time(6), tzinfo=ZONE)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-10-04", ["2026-Q2"]),  # Sunday: 1 and 2 October have been worked
        ("2026-10-05", ["2026-Q3"]),  # the third working day
        ("2026-12-31", ["2026-Q3"]),
        ("2027-01-05", ["2026-Q3"]),  # 1 January is off: Monday and Tuesday alone
        ("2027-01-06", ["2026-Q4"]),
    ],
)
def test_a_quarter_is_due_from_its_third_working_day_after(tmp_path, today, expected):
    found = due(workspace(tmp_path), today=dt.date.fromisoformat(today))
    assert [str(period) for period, _ in found] == expected


def test_a_machine_that_was_off_catches_up_oldest_first(tmp_path):
    more = SCHEDULE.replace("catch_up = 1", "catch_up = 2").replace("monthly = []", 'monthly = ["thang", "nho"]')
    found = [(str(period), name) for period, name in due(workspace(tmp_path, more), today=dt.date(2026, 10, 5))]
    months = [(month, name) for month in ("2026-08", "2026-09") for name in ("thang", "nho")]
    assert found == [("2026-Q2", "nho"), ("2026-Q3", "nho"), *months]


def test_a_report_is_made_once_and_mended_when_damaged(tmp_path):
    city = workspace(tmp_path)
    first = run_due(city, now=at("2026-10-05"))
    assert [(run.period, run.state) for run in first.runs] == [("2026-Q3", "built")]
    assert first.exit_code == 0
    folder = city.reports / first.runs[0].folder
    assert damage(folder) == []
    made = (folder / MANIFEST).stat().st_mtime_ns
    assert run_due(city, now=at("2026-10-06")).runs[0].state == "finished"
    assert (folder / MANIFEST).stat().st_mtime_ns == made
    (folder / FILES["pdf"]).write_bytes(b"%PDF-1.7 cut off")
    assert damage(folder) == ["bao-cao.pdf was changed after it was written", "bao-cao.pdf cannot be opened"]
    assert run_due(city, now=at("2026-10-07")).runs[0].state == "built"
    assert damage(folder) == []
    (folder / FILES["xlsx"]).unlink()
    assert damage(folder) == ["phu-luc.xlsx is missing"]
    lines = [json.loads(line)["state"] for line in (city.reports / JOURNAL).read_text(encoding="utf-8").splitlines()]
    assert lines == ["built", "finished", "built"]
    status = json.loads((city.reports / STATUS).read_text(encoding="utf-8"))
    assert (status["exit_code"], status["runs"][0]["state"]) == (0, "built")


def test_a_failed_cell_leaves_the_last_good_report_and_is_told(tmp_path):
    city = workspace(tmp_path)
    run_due(city, now=at("2026-10-05"))
    folder = city.reports / "2026-Q3-nho"
    good = (folder / FILES["html"]).read_bytes()
    (folder / FILES["pdf"]).unlink()
    write_notebook(tmp_path, "1 / 0")
    status = run_due(city, now=at("2026-10-06"))
    assert status.exit_code == 1
    assert "ZeroDivisionError" in status.runs[0].message
    assert (folder / FILES["html"]).read_bytes() == good


def test_data_that_stop_early_are_waited_for(tmp_path, monkeypatch):
    def build(*args, **options):
        raise DataError("the log ends on 15/09/2026")

    monkeypatch.setattr(due_module, "build", build)
    status = run_due(workspace(tmp_path), now=at("2026-10-05"))
    assert status.exit_code == 3
    assert words(status) == ["2026-Q3 · nho: waiting for data – the log ends on 15/09/2026"]


def test_what_nobody_foresaw_goes_into_the_status(tmp_path, monkeypatch):
    def build(*args, **options):
        raise MemoryError("no room")

    monkeypatch.setattr(due_module, "build", build)
    status = run_due(workspace(tmp_path), now=at("2026-10-05"))
    assert (status.exit_code, status.runs[0].message) == (1, "MemoryError: no room")


def test_only_the_last_reports_are_kept(tmp_path):
    city = workspace(tmp_path, SCHEDULE.replace("catch_up = 1", "catch_up = 2\nkeep = 1"))
    (city.reports / "2026-Q1-nho-cua-toi").mkdir(parents=True)  # not one of ours
    run_due(city, now=at("2026-10-05"))
    assert sorted(path.name for path in city.reports.iterdir() if path.is_dir()) == [
        "2026-Q1-nho-cua-toi",
        "2026-Q3-nho",
    ]


def test_two_at_once_are_one_too_many(tmp_path):
    city = workspace(tmp_path)
    city.reports.mkdir()
    with filelock.FileLock(city.reports / ".due.lock"), pytest.raises(WorkspaceError, match="another unattended run"):
        run_due(city, now=at("2026-10-05"))


def test_the_command_says_what_it_did(tmp_path, capsys, monkeypatch):
    workspace(tmp_path)
    monkeypatch.setattr(due_module, "run_due", lambda *args, **options: Status(started="", ended="", version="1"))
    assert cli.main(["--workspace", str(tmp_path), "--lang", "en", "report", "--due"]) == 0
    assert "Nothing is due." in capsys.readouterr().out


class Inbox(BaseHTTPRequestHandler):
    """A server that keeps what is posted to it."""

    received: list = []

    def do_POST(self):
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def inbox():
    server = HTTPServer(("127.0.0.1", 0), Inbox)
    Inbox.received = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


FAILED = Status(started="a", ended="b", version="1", faults=("the disk is full",))


def test_a_webhook_is_sent_the_status(tmp_path, inbox):
    city = workspace(tmp_path, f'[notify]\nwebhook = "{inbox}"\n')
    assert notify(city, FAILED) == []
    assert Inbox.received == [json.loads(FAILED.as_json())]
    assert Inbox.received[0]["exit_code"] == 1


def test_no_news_is_not_sent(tmp_path, inbox):
    city = workspace(tmp_path, f'[notify]\nwebhook = "{inbox}"\n')
    assert notify(city, Status(started="", ended="", version="1")) == []
    assert Inbox.received == []


def test_a_mail_goes_to_every_address(tmp_path, monkeypatch):
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Message

    class Keep(Message):
        def handle_message(self, message):
            mails.append(message)

    mails: list = []
    with socket.socket() as probe:  # the controller wants to know its port beforehand
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    settings = (
        f'[notify]\nmail_to = ["a@x.vn", "b@x.vn"]\nmail_from = "k@x.vn"\nsmtp = "127.0.0.1:{port}"\n'
        'smtp_security = "none"\n'
    )
    try:
        assert notify(workspace(tmp_path, settings), FAILED) == []
    finally:
        controller.stop()
    assert [mail["To"] for mail in mails] == ["a@x.vn, b@x.vn"]
    assert mails[0]["X-RcptTo"] == "a@x.vn, b@x.vn"
    assert "the disk is full" in mails[0].get_payload(decode=True).decode()


def test_a_server_that_is_down_is_said_and_does_no_harm(tmp_path):
    settings = (
        '[notify]\nwebhook = "http://127.0.0.1:9/"\nmail_to = ["a@x.vn"]\nmail_from = "k@x.vn"\nsmtp = "127.0.0.1:9"\n'
    )
    failures = notify(workspace(tmp_path, settings), FAILED)
    assert [failure.split(":")[0] for failure in failures] == ["SMTP", "webhook"]


def test_wrong_settings_are_all_named_before_a_run(tmp_path):
    settings = '[notify]\nwhen = "never"\nmail_to = ["a@x.vn"]\nwebhook = "file:///etc/passwd"\nsmtp_security = "?"\n'
    with pytest.raises(WorkspaceError) as caught:
        check_notify(workspace(tmp_path, settings).notify)
    assert len(str(caught.value).splitlines()) == 4
