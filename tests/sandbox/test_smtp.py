"""A mail server with one account, as the standard library's client sees it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from channels.sandbox.credentials import DEFAULT
from tests.services.sandbox import Sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[smtplib.SMTP]:
    port = urlsplit(sandbox.settings["SMTP_URL"]).port
    with smtplib.SMTP("127.0.0.1", port or 0, timeout=10) as connected:
        yield connected


def a_mail(to: str = "joan@example.org", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hello@everyway.example", to, "Cyfarfod ŷ"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Dewch â ffrind.")
    mail.add_alternative("<p>Dewch â ffrind.</p>", subtype="html")
    return mail


def test_mail_needs_the_right_password(client: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        client.send_message(a_mail())
    assert refused.value.smtp_code == 530
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(DEFAULT.smtp_user, "wrong")


def test_a_mail_is_kept_as_it_reads(client: smtplib.SMTP, sandbox: Sandbox) -> None:
    client.login(DEFAULT.smtp_user, DEFAULT.smtp_password)
    client.send_message(a_mail(List_Unsubscribe="<https://hub.example/u/1>"))

    (mail,) = sandbox.get("messages?channel=email")["messages"]
    assert (mail["address"], mail["subject"], mail["state"]) == ("joan@example.org", "Cyfarfod ŷ", "delivered")
    assert (mail["text"].strip(), mail["html"].strip()) == ("Dewch â ffrind.", "<p>Dewch â ffrind.</p>")
    assert mail["headers"]["List-Unsubscribe"] == "<https://hub.example/u/1>"


def test_no_mailbox_and_a_full_mailbox_answer_as_mail_servers_do(client: smtplib.SMTP, sandbox: Sandbox) -> None:
    sandbox.post("fates", email={"gone@example.org": "no_mailbox", "full@example.org": "mailbox_full"})
    client.login(DEFAULT.smtp_user, DEFAULT.smtp_password)

    for address, code in (("gone@example.org", 550), ("full@example.org", 452)):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.send_message(a_mail(address))
        assert refused.value.recipients[address][0] == code
    client.send_message(a_mail("full@example.org"))
    assert sandbox.get("summary")["email"]["accepted"] == 1


def test_the_same_mail_twice_is_a_duplicate_and_a_shared_mailbox_is_not(client: smtplib.SMTP, sandbox: Sandbox) -> None:
    client.login(DEFAULT.smtp_user, DEFAULT.smtp_password)
    for person in (1, 2, 1):
        client.send_message(a_mail(List_Unsubscribe=f"<https://hub.example/u/{person}>"))

    assert sandbox.get("summary")["email"] == {"accepted": 3, "distinct_recipients": 1, "duplicates": 1}


def test_a_bad_day_answers_for_now(client: smtplib.SMTP, sandbox: Sandbox) -> None:
    client.login(DEFAULT.smtp_user, DEFAULT.smtp_password)
    sandbox.post("faults", smtp={"rate_503": 1})
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.send_message(a_mail())
    assert refused.value.smtp_code == 421
    assert sandbox.get("summary")["email"]["accepted"] == 0


def test_a_delivery_that_the_message_id_names_is_a_duplicate_only_of_itself(
    client: smtplib.SMTP, sandbox: Sandbox
) -> None:
    client.login(DEFAULT.smtp_user, DEFAULT.smtp_password)
    for delivery in (1, 2, 1):
        client.send_message(a_mail(Message_ID=f"<{delivery}.{'0' * 15}{delivery}@everyway.example>"))

    assert sandbox.get("summary")["email"]["duplicates"] == 1
