"""Telling people of an unattended run: by mail, by a post to a web address, and only where the settings name one."""

from __future__ import annotations

import os
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from khaosat.errors import WorkspaceError
from khaosat.facts.language import say
from khaosat.report.due import Status, words

if TYPE_CHECKING:
    from khaosat.settings import NotifySettings
    from khaosat.workspace import Workspace

TIMEOUT = 30  # seconds


def check_notify(settings: NotifySettings) -> None:
    """Refuse settings that could not reach anybody, before a run; every fault at once."""
    faults = []
    if settings.when not in ("always", "change", "failure"):
        faults.append(say("[notify] when must be always, change or failure"))
    if settings.smtp_security not in ("starttls", "tls", "none"):
        faults.append(say("[notify] smtp_security must be starttls, tls or none"))
    if settings.mail_to and not (settings.smtp and settings.mail_from):
        faults.append(say("[notify] mail_to needs smtp (host:port) and mail_from"))
    if settings.webhook and urlsplit(settings.webhook).scheme not in ("http", "https"):
        faults.append(say("[notify] webhook must be an http or https address"))
    if faults:
        raise WorkspaceError("\n".join(faults))


def notify(workspace: Workspace, status: Status) -> list[str]:
    """Send the status where the settings say.

    Returns
    -------
    list of str
        What could not be sent, in words; a report that is made is not undone by a mail server that is down.
    """
    settings = workspace.notify
    if not _is_news(settings.when, status):
        return []
    failures = []
    for name, send in _ways(workspace, status):
        try:
            send()
        except (OSError, smtplib.SMTPException) as error:
            failures.append(say("{way}: not sent ({error})", way=name, error=error))
    return failures


def _is_news(when: str, status: Status) -> bool:
    if when == "always" or status.exit_code:
        return True
    return when == "change" and any(run.state == "built" for run in status.runs)


def _ways(workspace: Workspace, status: Status) -> Iterator[tuple[str, Callable[[], None]]]:
    settings = workspace.notify
    if settings.mail_to:
        yield "SMTP", lambda: _mail(settings, _message(workspace, status))
    if settings.webhook:
        yield "webhook", lambda: _post(settings.webhook, status.as_json())


def _message(workspace: Workspace, status: Status) -> EmailMessage:
    message = EmailMessage()
    verdict = {0: say("done"), 1: say("failed"), 3: say("waiting for data")}[status.exit_code]
    message["Subject"] = f"khaosat · {workspace.city.name}: {verdict}"
    message["From"] = workspace.notify.mail_from
    message["To"] = ", ".join(workspace.notify.mail_to)
    message.set_content("\n".join([*words(status), "", say("Reports: {folder}", folder=workspace.reports)]))
    return message


def _mail(settings: NotifySettings, message: EmailMessage) -> None:
    host, _, port = settings.smtp.partition(":")
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port or 465), timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, int(port or 587), timeout=TIMEOUT)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        user = os.environ.get("KHAOSAT_SMTP_USER")
        if user:
            server.login(user, os.environ.get("KHAOSAT_SMTP_PASSWORD", ""))
        server.send_message(message)


def _post(address: str, body: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "khaosat"}
    request = urllib.request.Request(address, data=body.encode(), headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT):
        pass
